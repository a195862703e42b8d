//! What happened to a ticket: the events that an entry of the journal holds.
//!
//! An event carries every date it sets, so that folding old events never depends on today's policy or calendar.
//! None has a field that could hold free text.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::code::{CategoryPath, CodeError, DeskId, OfficerId, PlacePath, RowId};
use crate::grievance::Filing;
use crate::roster::Rung;
use crate::rules::{Route, TableVersion};
use crate::ticket::TicketId;

/// Who holds a ticket: an officer at a desk.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Holder {
    /// The desk that owns it.
    pub desk: DeskId,
    /// The officer it is marked to.
    pub officer: OfficerId,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.officer, self.desk)
    }
}

/// Where a ticket comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A grievance that came in.
    Submitted,
    /// A complaint that a closed ticket was not done well, after its window for reopening.
    FollowUp(TicketId),
    /// A pending ticket of the system used before, under its old number.
    Imported(Reference),
}

/// A number given by another office or system, e.g. `CMOFF/N/2022/014253`: letters, digits and `/ - . _`, at most 40.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "SmolStr", into = "SmolStr")]
pub struct Reference(SmolStr);

impl Reference {
    /// Takes another office's number.
    ///
    /// # Errors
    /// [`CodeError`] when it is empty, too long or has another character.
    pub fn new(text: &str) -> Result<Self, CodeError> {
        // The same characters as a row's name, and the slashes of file numbers.
        RowId::new(&text.replace('/', "-"))
            .map(|_| Self(SmolStr::new(text)))
            .map_err(|error| CodeError { what: "reference", ..error })
    }

    /// The number as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<SmolStr> for Reference {
    type Error = CodeError;
    fn try_from(text: SmolStr) -> Result<Self, CodeError> {
        Self::new(&text)
    }
}

impl From<Reference> for SmolStr {
    fn from(reference: Reference) -> SmolStr {
        reference.0
    }
}

/// What came of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// Done as asked.
    Fixed,
    /// Done in part.
    PartlyFixed,
    /// It cannot be done; the report says why.
    CannotBeDone,
    /// The same matter as another ticket.
    Duplicate(TicketId),
    /// With a statutory authority, under that authority's reference.
    PassedToAuthority(Reference),
    /// The citizen did not answer what had to be known.
    NoAnswerFromCitizen,
    /// Turned down, on these grounds.
    Rejected(Grounds),
    /// The citizen took it back.
    Withdrawn,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed => f.write_str("fixed"),
            Self::PartlyFixed => f.write_str("partly fixed"),
            Self::CannotBeDone => f.write_str("cannot be done"),
            Self::Duplicate(ticket) => write!(f, "duplicate of {ticket}"),
            Self::PassedToAuthority(reference) => write!(f, "passed to a statutory authority under {reference}"),
            Self::NoAnswerFromCitizen => f.write_str("no answer from the citizen"),
            Self::Rejected(grounds) => write!(f, "rejected: {grounds}"),
            Self::Withdrawn => f.write_str("withdrawn"),
        }
    }
}

/// Grounds on which a grievance may be rejected. "It does not pertain to us" is none: such a ticket is forwarded.
///
/// Source: CPGRAMS, "grievances not taken up for redress".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Grounds {
    /// A court has it.
    SubJudice,
    /// A personal or family dispute.
    PersonalDispute,
    /// A request for information under the Right to Information Act.
    InformationRequest,
    /// A government servant's service matter.
    ServiceMatter,
    /// A suggestion, thanks or an opinion; nothing to redress.
    NotAGrievance,
    /// Abuse or advertisement.
    Abuse,
    /// What happened cannot be made out, also after asking.
    Incomprehensible,
}

impl fmt::Display for Grounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SubJudice => "a court has the matter",
            Self::PersonalDispute => "a personal or family dispute",
            Self::InformationRequest => "a request under the Right to Information Act",
            Self::ServiceMatter => "a government servant's service matter",
            Self::NotAGrievance => "nothing to redress",
            Self::Abuse => "abuse or advertisement",
            Self::Incomprehensible => "it cannot be made out",
        })
    }
}

/// Why a ticket rests until a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ParkReason {
    /// A court has the matter.
    SubJudice,
    /// A question of policy is before the government.
    PolicyQuestion,
    /// The work is planned for a date.
    WorkPlanned,
    /// Money has to be sanctioned first.
    AwaitingFunds,
}

impl fmt::Display for ParkReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SubJudice => "a court has the matter",
            Self::PolicyQuestion => "a question of policy is before the government",
            Self::WorkPlanned => "the work is planned for a date",
            Self::AwaitingFunds => "money has to be sanctioned",
        })
    }
}

/// Why a ticket is marked to whom it is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MarkReason {
    /// The rules table sent it there.
    Routed,
    /// Another desk forwarded it.
    Forwarded,
    /// It was returned as not theirs.
    Returned,
    /// Its category was corrected.
    CategoryChanged,
    /// Its place was corrected.
    PlaceChanged,
    /// A deadline passed.
    Escalated,
    /// The complainant is not satisfied.
    NotSatisfied,
    /// Its transfers or re-marks are used up.
    UsedUp,
    /// Officer or desk left the roster.
    RosterChanged,
    /// It was brought over from the system used before.
    Imported,
}

impl fmt::Display for MarkReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Routed => "the rules send such matters there",
            Self::Forwarded => "it was forwarded",
            Self::Returned => "it was returned",
            Self::CategoryChanged => "its category was corrected",
            Self::PlaceChanged => "its place was corrected",
            Self::Escalated => "a deadline passed",
            Self::NotSatisfied => "the complainant is not satisfied",
            Self::UsedUp => "its transfers or re-marks are used up",
            Self::RosterChanged => "the officer or desk that had it left the roster",
            Self::Imported => "it was brought over from the old system",
        })
    }
}

/// What follows when the complainant is not satisfied. The number counts a ticket's re-marks from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// The same officer gets it again.
    Back(u8),
    /// It goes a step up the ladder.
    StepUp(u8),
    /// The policy's re-marks are used up: the control desk concludes, for good.
    UsedUp,
}

/// Why a ticket is with the control desk for triage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TriageReason {
    /// Only the row for everything else holds.
    NoRule,
    /// The department or district that the rules name is not on the roster.
    NoDesk,
    /// The engine met a fault of its own on this grievance; it is in `health` and in the log.
    Fault,
}

impl fmt::Display for TriageReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRule => "only the row for everything else holds",
            Self::NoDesk => "the desk that the rules name is not on the roster",
            Self::Fault => "the engine met a fault of its own on it",
        })
    }
}

/// What the rules table said, and by which row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routing {
    /// The table.
    pub table: TableVersion,
    /// The row that won.
    pub row: RowId,
    /// Where it sends the ticket.
    pub route: Route,
}

/// Who declared a ticket closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedBy {
    /// The complainant said they are satisfied.
    Satisfied,
    /// The complainant took it back.
    Withdrawn,
    /// The complainant said nothing for the policy's time.
    Silence,
    /// The control desk concluded it for good.
    ControlDesk,
}

impl fmt::Display for ClosedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Satisfied => "the complainant is satisfied",
            Self::Withdrawn => "the complainant withdrew it",
            Self::Silence => "the complainant did not answer",
            Self::ControlDesk => "the control desk concluded it for good",
        })
    }
}

/// Something that happened to a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TicketEvent {
    /// A grievance came in and has this number now. Never alone in an entry: a mark follows.
    Received {
        /// The number.
        ticket: TicketId,
        /// What it is routed by.
        filing: Arc<Filing>,
        /// Where it comes from.
        origin: Origin,
    },
    /// The rules table sent it to a department.
    Routed(Box<Routing>),
    /// It is with the control desk for triage.
    SentToTriage {
        /// Why.
        why: TriageReason,
        /// The table that was asked.
        table: TableVersion,
        /// Its row for everything else, where that is what won.
        row: Option<RowId>,
    },
    /// It is given to an officer.
    Marked {
        /// To whom.
        holder: Holder,
        /// How high on the ladder.
        rung: Rung,
        /// Why.
        why: MarkReason,
        /// When the mark was made, from which the time to return it counts.
        at: Timestamp,
        /// When silence escalates it, or in triage reminds the control desk.
        due: Timestamp,
    },
    /// The officer has seen it.
    Acknowledged,
    /// The officer filed an action-taken report.
    ReportFiled {
        /// What came of it, as the officer declares.
        outcome: Outcome,
        /// Until when the nodal officer has to review it; `None` where none is needed.
        review_due: Option<Timestamp>,
    },
    /// The nodal officer approved the report.
    ReportApproved,
    /// The nodal officer sent the report back.
    ReportSentBack {
        /// When silence escalates it.
        due: Timestamp,
    },
    /// It is resolved (or rejected): the citizen is asked.
    Resolved {
        /// What came of it.
        outcome: Outcome,
        /// When.
        at: Timestamp,
        /// When silence closes it.
        silence_at: Timestamp,
    },
    /// "Not mine": it goes to another desk.
    Forwarded {
        /// The desk that was named; `None` where the rules are asked again.
        to: Option<DeskId>,
    },
    /// "Not mine": it goes back to the control desk.
    Returned,
    /// Its category was corrected.
    CategoryChanged {
        /// What it was.
        from: Option<CategoryPath>,
        /// What it is.
        to: CategoryPath,
    },
    /// Its place was corrected.
    PlaceChanged {
        /// What it was.
        from: Option<PlacePath>,
        /// What it is.
        to: PlacePath,
    },
    /// The officer asked the citizen something.
    CitizenAsked {
        /// Until when an answer is waited for.
        until: Timestamp,
        /// When it was asked: the deadline rests from here.
        since: Timestamp,
    },
    /// It rests.
    Parked {
        /// Until when.
        until: Timestamp,
        /// Why.
        why: ParkReason,
        /// When it was parked: the deadline rests from here.
        since: Timestamp,
    },
    /// The citizen got an interim reply with a next date.
    InterimReplied {
        /// The date.
        next: Timestamp,
    },
    /// The citizen answered, or the date came: the officer goes on.
    Resumed {
        /// When silence escalates it.
        due: Timestamp,
    },
    /// Another desk was asked for a part.
    PartAsked {
        /// The part's number in this ticket, from 1.
        part: u16,
        /// The desk.
        desk: DeskId,
    },
    /// A part is done.
    PartDone {
        /// The part's number.
        part: u16,
    },
    /// A deadline passed at the top of the ladder: the control desk is reminded.
    Reminded {
        /// When it is reminded again.
        due: Timestamp,
    },
    /// A deadline passed: it goes a step up.
    Escalated {
        /// From which rung.
        from: Rung,
    },
    /// The complainant is satisfied.
    Satisfied,
    /// The complainant is not satisfied; the ticket is marked again.
    NotSatisfied {
        /// To whom, and the how-manieth time.
        remark: Remark,
    },
    /// A closed ticket is open again, within its window.
    Reopened,
    /// It was handed to another officer or desk because the roster changed; its state stays.
    HandedOver {
        /// To whom.
        holder: Holder,
        /// How high on the ladder.
        rung: Rung,
    },
    /// It is closed.
    Closed {
        /// Who declared it.
        by: ClosedBy,
        /// What came of it.
        outcome: Outcome,
        /// When.
        at: Timestamp,
        /// Until when a complaint reopens it; `None` where it is closed for good.
        reopen_until: Option<Timestamp>,
    },
}
