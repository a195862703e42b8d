//! What an embedding service asks of the engine, and what it gets back.

use jiff::Timestamp;

use crate::code::OfficerId;
use crate::grievance::{Author, Grievance};
use crate::personal::Statement;
use crate::ticket::{Action, ActionKind, Reference, RequestId, TicketId, Version};

/// The answer to a submit, an act or feedback, given when it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The ticket's number.
    pub ticket: TicketId,
    /// The ticket's version after it. Where it had been done before: for an act or feedback the version after that, for
    /// a submit the version that the ticket has now.
    pub version: Version,
    /// Whether this is what the call did, or what an earlier one had done.
    pub standing: Standing,
}

/// Whether a call did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It did.
    Done,
    /// The same source or request had been here before; nothing was done again.
    AlreadyDone,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// An officer of the roster.
    Officer(OfficerId),
    /// The complainant, as known on a channel.
    Citizen(Author),
}

/// An act on a ticket.
///
/// ```
/// use nivaran::{Act, Action, Outcome, RequestId, Statement};
///
/// let report = Statement::new("Pumped dry at 16:40; the drain is desilted.")?;
/// let act = Act::by_officer("0000-0013".parse()?, "phe-hisar".parse()?, Action::Resolve(Outcome::Fixed))
///     .statement(report)
///     .request(RequestId::named("mobile app 7731"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Act {
    pub(crate) ticket: TicketId,
    pub(crate) by: Party,
    pub(crate) action: Action,
    pub(crate) statement: Option<Statement>,
    pub(crate) request: Option<RequestId>,
    pub(crate) expected: Option<Version>,
}

impl Act {
    /// An officer's act.
    pub fn by_officer(ticket: TicketId, officer: OfficerId, action: Action) -> Self {
        Self::new(ticket, Party::Officer(officer), action)
    }

    /// The complainant's act: an answer ([`Action::CitizenAnswers`]) or [`Action::Withdraw`]. Whether they are
    /// satisfied is [`Feedback`].
    pub fn by_citizen(ticket: TicketId, author: Author, action: Action) -> Self {
        Self::new(ticket, Party::Citizen(author), action)
    }

    fn new(ticket: TicketId, by: Party, action: Action) -> Self {
        Self { ticket, by, action, statement: None, request: None, expected: None }
    }

    /// The report, reason, question or answer that goes with it.
    pub fn statement(mut self, statement: Statement) -> Self {
        self.statement = Some(statement);
        self
    }

    /// The caller's own id: sent again with the same id, the act happens once.
    pub fn request(mut self, request: RequestId) -> Self {
        self.request = Some(request);
        self
    }

    /// The version that the caller saw; if the ticket has moved on, nothing happens.
    pub fn expecting(mut self, version: Version) -> Self {
        self.expected = Some(version);
        self
    }
}

/// What the complainant thinks of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is well.
    Satisfied,
    /// It is not; or, after a rejection, an appeal.
    NotSatisfied,
}

impl Verdict {
    pub(crate) const fn action(self) -> Action {
        match self {
            Self::Satisfied => Action::Satisfied,
            Self::NotSatisfied => Action::NotSatisfied,
        }
    }
}

/// The complainant's feedback on a resolved, rejected or closed ticket.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Feedback {
    pub(crate) ticket: TicketId,
    pub(crate) author: Author,
    pub(crate) verdict: Verdict,
    pub(crate) reason: Option<Statement>,
    pub(crate) request: Option<RequestId>,
}

impl Feedback {
    /// Feedback of the person known as `author`.
    pub fn new(ticket: TicketId, author: Author, verdict: Verdict) -> Self {
        Self { ticket, author, verdict, reason: None, request: None }
    }

    /// Why; it is in the case file of whoever gets the ticket.
    pub fn reason(mut self, reason: Statement) -> Self {
        self.reason = Some(reason);
        self
    }

    /// The caller's own id: sent again with the same id, it counts once.
    pub fn request(mut self, request: RequestId) -> Self {
        self.request = Some(request);
        self
    }
}

/// A pending ticket of the system used before.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingTicket {
    /// Its old number, which stays with it as a reference and makes importing it twice harmless.
    pub old_number: Reference,
    /// When it was received there: its whole age counts from here.
    pub received_at: Timestamp,
    /// What the citizen said. It is identified by the old number, and by its own source as well, so that the same post
    /// read once more from its channel is no second ticket.
    pub grievance: Grievance,
}

/// Everything written in a ticket's case, for whoever may read it.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseFile {
    /// The records by the version of their entry, oldest first. In a confidential case the complainant is left out for
    /// everyone but the holder; the text stays. A follow-up's file begins with the first record of the ticket before
    /// it, under that ticket's version.
    pub records: Vec<(Version, crate::personal::Personal)>,
}

/// Why a statement does not fit its action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatementMisfit {
    /// There has to be one.
    #[error("to {action}, say why or what; add a statement")]
    Missing {
        /// The action.
        action: ActionKind,
    },
    /// There may be none.
    #[error("no statement goes with '{action}'; leave it out")]
    Unwanted {
        /// The action.
        action: ActionKind,
    },
}
