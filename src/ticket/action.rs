//! What is asked of a ticket, and why it may be refused.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::calendar::Hours;
use crate::code::{CategoryPath, DeskId, OfficerId, PlacePath};
use crate::ticket::{ActionKind, Grounds, Outcome, ParkReason, Roles, StateKind, Version};

/// An act's own id from the caller, so that the same act sent twice to a ticket happens once.
///
/// 128 bits: a UUID, or [`RequestId::named`] for callers whose ids are texts. It stands in the journal for good and is
/// no secret: make it of nothing personal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestId(pub u128);

impl RequestId {
    /// The id for a caller's own text, e.g. `post 1601234567890`. Equal texts give equal ids; the text itself is not
    /// kept.
    #[must_use]
    pub fn named(text: &str) -> Self {
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let (first, _) = digest.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
        Self(u128::from_be_bytes(*first))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({self})")
    }
}

impl TryFrom<String> for RequestId {
    type Error = std::num::ParseIntError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16).map(Self)
    }
}

impl From<RequestId> for String {
    fn from(id: RequestId) -> String {
        id.to_string()
    }
}

/// Who made a decision, as its entry says. A citizen is not named: the ticket knows its author.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The complainant.
    Citizen,
    /// An officer.
    Officer(OfficerId),
    /// The engine, when a date came or the roster changed.
    System,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Citizen => f.write_str("the complainant"),
            Self::Officer(officer) => officer.fmt(f),
            Self::System => f.write_str("the engine"),
        }
    }
}

/// What can be done to a ticket. The words that go with it (a report, a reason, a question) come apart from it, as a
/// [`Statement`](crate::personal::Statement).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// The officer has seen it.
    Acknowledge,
    /// The officer files an action-taken report.
    Resolve(Outcome),
    /// The nodal officer approves the report.
    Approve,
    /// The nodal officer sends the report back.
    SendBack,
    /// Turn it down.
    Reject(Grounds),
    /// Give it to another desk, named or (`None`) as the rules say for a desk that has not had it yet.
    Forward(Option<DeskId>),
    /// Give it back to the control desk, within the policy's time.
    Return,
    /// Correct the category; the rules are asked again.
    ChangeCategory(CategoryPath),
    /// Correct the place; the rules are asked again.
    ChangePlace(PlacePath),
    /// Ask the citizen something and wait until a date; asked again, the date moves.
    AskCitizen {
        /// Until when.
        until: Timestamp,
    },
    /// Let it rest until a date; parked again, the date moves.
    Park {
        /// Until when.
        until: Timestamp,
        /// Why.
        why: ParkReason,
    },
    /// Tell the citizen how it stands and when more comes.
    InterimReply {
        /// The next date.
        next: Timestamp,
    },
    /// The citizen answers.
    CitizenAnswers,
    /// Ask another desk for a part.
    Assist(DeskId),
    /// The part with this number is done.
    PartDone(u16),
    /// The next date of the ticket has come.
    DatePasses,
    /// The complainant is satisfied.
    Satisfied,
    /// The complainant is not satisfied, or appeals.
    NotSatisfied,
    /// The complainant takes it back.
    Withdraw,
}

/// Whether words go with an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementNeed {
    /// They have to.
    Required,
    /// They may.
    Optional,
    /// There is nowhere to put them.
    None,
}

impl Action {
    /// The action without its details.
    #[must_use]
    pub const fn kind(&self) -> ActionKind {
        match self {
            Self::Acknowledge => ActionKind::Acknowledge,
            Self::Resolve(_) => ActionKind::Resolve,
            Self::Approve => ActionKind::Approve,
            Self::SendBack => ActionKind::SendBack,
            Self::Reject(_) => ActionKind::Reject,
            Self::Forward(_) => ActionKind::Forward,
            Self::Return => ActionKind::Return,
            Self::ChangeCategory(_) => ActionKind::ChangeCategory,
            Self::ChangePlace(_) => ActionKind::ChangePlace,
            Self::AskCitizen { .. } => ActionKind::AskCitizen,
            Self::Park { .. } => ActionKind::Park,
            Self::InterimReply { .. } => ActionKind::InterimReply,
            Self::CitizenAnswers => ActionKind::CitizenAnswers,
            Self::Assist(_) => ActionKind::Assist,
            Self::PartDone(_) => ActionKind::PartDone,
            Self::DatePasses => ActionKind::DatePasses,
            Self::Satisfied => ActionKind::Satisfied,
            Self::NotSatisfied => ActionKind::NotSatisfied,
            Self::Withdraw => ActionKind::Withdraw,
        }
    }

    /// Whether words go with it: whoever turns down, hands on, reports or asks has to say something.
    #[must_use]
    pub const fn statement_need(&self) -> StatementNeed {
        match self {
            Self::Resolve(_)
            | Self::SendBack
            | Self::Reject(_)
            | Self::Forward(_)
            | Self::Return
            | Self::AskCitizen { .. }
            | Self::Park { .. }
            | Self::InterimReply { .. }
            | Self::CitizenAnswers
            | Self::Assist(_) => StatementNeed::Required,
            Self::Acknowledge
            | Self::Approve
            | Self::ChangeCategory(_)
            | Self::ChangePlace(_)
            | Self::PartDone(_)
            | Self::Satisfied
            | Self::NotSatisfied
            | Self::Withdraw => StatementNeed::Optional,
            Self::DatePasses => StatementNeed::None,
        }
    }

    /// Whether the ticket may have to go to another desk.
    pub(crate) const fn may_move(&self) -> bool {
        matches!(
            self,
            Self::Forward(_)
                | Self::Return
                | Self::ChangeCategory(_)
                | Self::ChangePlace(_)
                | Self::DatePasses
                | Self::NotSatisfied
        )
    }
}

/// An action, and in which roles it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What to do.
    pub action: Action,
    /// In which roles.
    pub roles: Roles,
    /// The version that the caller saw, where it matters to them.
    pub expected: Option<Version>,
}

/// Why a ticket does not do what is asked. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The state forbids it for everyone.
    #[error("one cannot {action} while the ticket is {state}; possible are: {}", list(possible))]
    NotNow {
        /// What was asked.
        action: ActionKind,
        /// The state.
        state: StateKind,
        /// What is possible in that state, for those who may.
        possible: Vec<ActionKind>,
    },
    /// The state allows it, but to others.
    #[error("only {needed} may {action} while the ticket is {state}")]
    NotYours {
        /// What was asked.
        action: ActionKind,
        /// The state.
        state: StateKind,
        /// Whose it is.
        needed: Roles,
    },
    /// The ticket has changed since the caller saw it.
    #[error("the ticket is at version {actual}, not {expected}; look at it again")]
    Stale {
        /// The version that the caller expected.
        expected: Version,
        /// The version that it has.
        actual: Version,
    },
    /// A date that has to lie ahead does not.
    #[error("{date} does not lie ahead of {now}; give a later date")]
    DatePast {
        /// The date given.
        date: Timestamp,
        /// The engine's time.
        now: Timestamp,
    },
    /// A date lies further ahead than the policy lets a ticket rest.
    #[error("{date} is too far ahead; the policy lets a ticket rest until {latest} at most")]
    DateTooFar {
        /// The date given.
        date: Timestamp,
        /// The latest possible.
        latest: Timestamp,
    },
    /// The date has not come.
    #[error("the ticket's next date is {due}; it is only {now}")]
    NotDue {
        /// The ticket's next date.
        due: Timestamp,
        /// The engine's time.
        now: Timestamp,
    },
    /// The time to return a ticket is over.
    #[error("a ticket may be returned within {within} of its mark, which were over at {until}; forward it instead")]
    TooLateToReturn {
        /// The policy's time.
        within: Hours,
        /// When it was over.
        until: Timestamp,
    },
    /// The named desk has the ticket or had it before.
    #[error("{desk} has had the ticket already; forward it elsewhere, or return it to the control desk")]
    HadItAlready {
        /// The desk.
        desk: DeskId,
    },
    /// The ticket complains about the named desk.
    #[error("the ticket complains about {desk}; it cannot go there")]
    AgainstThatDesk {
        /// The desk.
        desk: DeskId,
    },
    /// The corrected category or place is what the ticket has.
    #[error("the ticket has that category or place already; nothing to change")]
    NothingChanges,
    /// Parts that other desks were asked for are open.
    #[error("{open} parts asked of other desks are open; wait for them to be reported done")]
    PartsOpen {
        /// How many.
        open: usize,
    },
    /// No such part is open.
    #[error("the ticket has no open part {part}")]
    NoSuchPart {
        /// The number given.
        part: u16,
    },
    /// As many parts are open as may be.
    #[error("{limit} parts are open, which is the most at once; wait for one to be done")]
    TooManyParts {
        /// The policy's limit.
        limit: u8,
    },
    /// The desk already has an open part, or is the ticket's own.
    #[error("{desk} is at it already; nothing to ask it for")]
    AlreadyAsked {
        /// The desk.
        desk: DeskId,
    },
    /// The ticket's interim replies are used up.
    #[error("{limit} interim replies have moved the deadline already; park the ticket, or resolve it")]
    InterimRepliesUsedUp {
        /// The policy's limit.
        limit: u8,
    },
    /// The control desk has concluded the ticket.
    #[error("the control desk closed the ticket for good; a new matter is a new grievance")]
    ClosedForGood,
    /// The window for reopening is over; a follow-up has to be a ticket of its own.
    #[error("the ticket could be reopened until {until}; the complaint becomes a new ticket linked to it")]
    WindowOver {
        /// When it was over.
        until: Timestamp,
    },
    /// The ticket was parked or waited for the citizen as often as may be.
    #[error("the ticket has rested {limit} times, which is the most; resolve it, or let its deadline run")]
    RestsUsedUp {
        /// The policy's limit.
        limit: u8,
    },
    /// The ticket's category or place was corrected as often as may be.
    #[error("category and place were corrected {limit} times, which is the most; return it to the control desk")]
    CorrectionsUsedUp {
        /// The policy's limit.
        limit: u8,
    },
    /// The report is the reviewer's own.
    #[error("nobody reviews their own report; another officer of the control desk, or the nodal officer, may")]
    OwnReport,
    /// The request id was used on this ticket for another act, or by another.
    #[error("request {request} was another act on this ticket; give each act an id of its own")]
    RequestUsed {
        /// The id.
        request: RequestId,
    },
    /// What a report cannot declare.
    #[error("a report cannot declare '{outcome}'; reject it with grounds, or let the citizen withdraw it")]
    NotForReports {
        /// The outcome.
        outcome: Outcome,
    },
    /// A ticket cannot be the duplicate of itself.
    #[error("the ticket cannot be a duplicate of itself; name the other ticket")]
    DuplicateOfItself,
}

fn list(actions: &[ActionKind]) -> String {
    if actions.is_empty() {
        return "nothing".to_owned();
    }
    actions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_back_and_equal_names_are_equal() {
        let id = RequestId::named("post 1");
        assert_eq!(id, RequestId::named("post 1"));
        assert_ne!(id, RequestId::named("post 2"));
        assert_eq!(RequestId::try_from(id.to_string()).unwrap(), id);
    }
}
