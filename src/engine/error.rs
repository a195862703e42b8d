//! Why the engine does not do what is asked.

use crate::code::{CategoryPath, DeskId, OfficerId, PlacePath};
use crate::engine::request::StatementMisfit;
use crate::grievance::{Grievance, GrievanceError};
use crate::journal::FoldError;
use crate::rules::RulesError;
use crate::store::StoreError;
use crate::ticket::{Refusal, TicketId};

/// Why a grievance was not taken. What did not get through the door is handed back.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The grievance itself is not acceptable.
    #[error(transparent)]
    Invalid(#[from] GrievanceError),
    /// There is no room at the door or at the desk it would go to; only [`try_submit`](crate::Engine::try_submit)
    /// says so, [`submit`](crate::Engine::submit) waits.
    #[error("no room at the door for another grievance; send it again in a moment, or use submit, which waits")]
    Overloaded(Box<Grievance>),
    /// The engine has been shut down.
    #[error("the engine has been shut down; send it again when the service is up")]
    Stopped(Box<Grievance>),
    /// It got through the door but was not carried out, for the reason given; nothing was written, unless the reason is
    /// [`Failure::Unknown`].
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Why an act or feedback was not carried out. Nothing has changed, unless the reason is [`Failure::Unknown`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ActError {
    /// There is no such ticket.
    #[error("there is no ticket {ticket}; read the number out again")]
    UnknownTicket {
        /// The number.
        ticket: TicketId,
    },
    /// The officer is not on the roster.
    #[error("there is no officer '{officer}' on the roster; correct the id, or load a roster that has them")]
    UnknownOfficer {
        /// The officer.
        officer: OfficerId,
    },
    /// The desk is not on the roster.
    #[error("there is no {desk} on the roster; correct the code, or load a roster that has it")]
    UnknownDesk {
        /// The desk.
        desk: DeskId,
    },
    /// The category is not in the taxonomy.
    #[error("there is no category '{category}' in the taxonomy; choose one that is")]
    UnknownCategory {
        /// The category.
        category: CategoryPath,
    },
    /// The place is not in the gazetteer.
    #[error("there is no place '{place}' in the gazetteer; choose one that is")]
    UnknownPlace {
        /// The place.
        place: PlacePath,
    },
    /// Someone else than the complainant spoke, or the complainant is not on record.
    #[error("only the complainant on record can do that, from the account or contact they complained with")]
    NotTheComplainant,
    /// The complaint is a ticket of its own already, and that is being worked on.
    #[error("the complaint is ticket {follow_up} already, which is being worked on; answer or add to that")]
    FollowUpOpen {
        /// The ticket.
        follow_up: TicketId,
    },
    /// Feedback was sent as an act.
    #[error("whether one is satisfied is said by feedback, not by an act")]
    UseFeedback,
    /// Dates pass by themselves; no one outside says that they do.
    #[error("dates pass by the engine's clock; nobody can say that one has")]
    NotForCallers,
    /// A statement is missing, or one too many.
    #[error(transparent)]
    Statement(#[from] StatementMisfit),
    /// The ticket does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The engine has been shut down.
    #[error("the engine has been shut down; send it again when the service is up")]
    Stopped,
    /// It was not carried out, for the reason given; nothing was written, unless the reason is [`Failure::Unknown`].
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Why something that was accepted was not carried out after all. It may be sent again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The store refused it.
    #[error("{reason}; nothing was written, send it again when the store can write")]
    NotStored {
        /// The store's reason.
        reason: String,
    },
    /// It cannot be told whether it was written, since the store cannot be opened again.
    #[error("{reason}; it cannot be told whether it was written: send it again with the same source or request id")]
    Unknown {
        /// The store's reason.
        reason: String,
    },
    /// The engine was shut down, or its store is lost for good, before it was taken.
    #[error("the engine stopped before it was taken; nothing was written, send it again when the service is up")]
    Stopped,
    /// The store refused or lost something before it; what stood behind is refused too, so that the order holds.
    #[error("the engine is recovering from a fault of its store; nothing was written, send it again")]
    Recovering,
    /// A fault in the engine itself. It is in `health` and in the log.
    #[error("the engine met a fault of its own; nothing was written, and health tells where")]
    Internal,
}

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal is damaged.
    #[error(transparent)]
    Damaged(#[from] FoldError),
    /// The engine has been shut down.
    #[error("the engine has been shut down")]
    Stopped,
    /// There is no such ticket.
    #[error("there is no ticket {ticket}; read the number out again")]
    UnknownTicket {
        /// The number.
        ticket: TicketId,
    },
    /// The officer may not read this case.
    #[error("officer '{officer}' may not read this case")]
    NotAllowed {
        /// The officer.
        officer: OfficerId,
    },
}

/// Why the engine does not start.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Something that has to be given was not.
    #[error("the engine needs {what}; give it to the builder")]
    Missing {
        /// What.
        what: &'static str,
    },
    /// A limit that cannot be.
    #[error("the limit '{limit}' is {given}; it has to be {possible}")]
    Limit {
        /// The limit.
        limit: &'static str,
        /// What was given.
        given: usize,
        /// What is possible.
        possible: &'static str,
    },
    /// Rules table and roster do not fit together.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal was begun with another installation's key.
    #[error("the journal was begun with another installation's key; give that one, or posts that come again are lost")]
    AnotherKey,
    /// A thread could not be started.
    #[error("no thread could be started: {reason}")]
    Thread {
        /// The system's reason.
        reason: String,
    },
}

/// Why another rules table or roster was not taken. The one in force stays.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The rules table is not acceptable, or does not fit the roster.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// Who is said to change it is not on the roster.
    #[error("there is no officer '{officer}' on the roster; name who changes it, or nobody")]
    UnknownOfficer {
        /// The officer.
        officer: OfficerId,
    },
    /// The engine has been shut down.
    #[error("the engine has been shut down")]
    Stopped,
    /// It was not carried out; the one in force stays.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Why personal records were not erased, or not for good.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// Who is said to have it done is not on the roster.
    #[error("there is no officer '{officer}' on the roster; name who has it erased, or nobody")]
    UnknownOfficer {
        /// The officer.
        officer: OfficerId,
    },
    /// They are erased, but copies may be left in the store's files. The engine tries again by itself until they are gone, while it runs.
    #[error(
        "they are erased, but copies may be left in the store's files for now: {reason}; it is tried again every 5 s"
    )]
    NotScrubbed {
        /// Why.
        reason: String,
    },
    /// The engine has been shut down.
    #[error("the engine has been shut down; ask again when the service is up")]
    Stopped,
    /// Nothing was erased.
    #[error(transparent)]
    Failed(#[from] Failure),
}
