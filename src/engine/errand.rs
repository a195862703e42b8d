//! What travels from the door to the journal: errands, jobs for desks, outcomes.
//!
//! ```text
//! door ── Errand ──> dispatcher ── Job ──> desk ── Outcome ──> journal ── answer ──> caller
//!                              └─────────────── Outcome ────────┘
//! ```
//! The dispatcher stamps each errand with a sequence number. Exactly one outcome comes of each number, and the journal
//! takes the outcomes in the order of the numbers, however the desks were scheduled: what is written depends on the
//! order at the door alone.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::code::OfficerId;
use crate::engine::error::{ActError, Failure};
use crate::engine::request::{Receipt, Verdict};
use crate::grievance::Filing;
use crate::journal::Record;
use crate::personal::{AuthorKey, SaltedRecord};
use crate::placing::Placement;
use crate::rules::TableVersion;
use crate::ticket::{Action, ActionKind, Asked, By, Origin, RequestId, Ticket, TicketEvent, TicketId, Version};

/// What an errand comes to.
pub(crate) type Answer = Result<Receipt, ActError>;

/// Room under way, given back when the outcome is in the journal.
#[derive(Debug)]
pub(crate) struct Permit {
    pub(crate) _door: OwnedSemaphorePermit,
    pub(crate) _share: Option<OwnedSemaphorePermit>,
}

/// Whom to answer. Whatever becomes of it, the caller hears: a reply that is dropped says that the engine failed.
#[derive(Debug)]
pub(crate) struct Reply(Caller);

#[derive(Debug)]
enum Caller {
    /// One who waits for this one.
    One(oneshot::Sender<Answer>),
    /// One who waits for many, and this is the one with that number.
    Many(mpsc::UnboundedSender<(u64, Answer)>, u64),
    /// Nobody (any more): the engine does it of its own accord, or it is answered.
    Nobody,
}

impl Reply {
    pub(crate) fn one(caller: oneshot::Sender<Answer>) -> Self {
        Self(Caller::One(caller))
    }

    pub(crate) fn many(caller: mpsc::UnboundedSender<(u64, Answer)>, number: u64) -> Self {
        Self(Caller::Many(caller, number))
    }

    pub(crate) fn nobody() -> Self {
        Self(Caller::Nobody)
    }

    pub(crate) fn answer(mut self, answer: Answer) {
        self.send(answer);
    }

    /// A caller who no longer waits does not matter.
    fn send(&mut self, answer: Answer) {
        match std::mem::replace(&mut self.0, Caller::Nobody) {
            Caller::One(caller) => drop(caller.send(answer)),
            Caller::Many(caller, number) => drop(caller.send((number, answer))),
            Caller::Nobody => {}
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.send(Err(ActError::Failed(Failure::Internal)));
    }
}

/// Order, generation, time and the table in force, given at the dispatcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) seq: u64,
    pub(crate) generation: u32,
    pub(crate) now: Timestamp,
    pub(crate) table: TableVersion,
}

/// Whether a handler tries something for the first time, or again after it panicked on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    First,
    Second,
}

/// Something accepted at the door.
#[derive(Debug)]
pub(crate) struct Errand {
    pub(crate) task: Task,
    pub(crate) reply: Reply,
    pub(crate) permit: Option<Permit>,
    pub(crate) stamp: Option<Stamp>,
    pub(crate) attempt: Attempt,
}

impl Errand {
    pub(crate) fn new(task: Task, reply: Reply, permit: Option<Permit>) -> Self {
        Self { task, reply, permit, stamp: None, attempt: Attempt::First }
    }
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Task {
    Submit(Submission),
    Act(Box<Order>),
    Feedback(Box<Opinion>),
}

/// A grievance, taken apart.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) filing: Arc<Filing>,
    pub(crate) origin: Origin,
    pub(crate) personal: Option<Box<SaltedRecord>>,
    /// The rules by whose trees category and place were taken.
    pub(crate) table: TableVersion,
    /// The request of the feedback that it follows from.
    pub(crate) request: Option<RequestId>,
}

/// Who asks for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    Officer(OfficerId),
    Citizen(AuthorKey),
    System,
}

impl Who {
    pub(crate) fn by(&self) -> By {
        match self {
            Self::Officer(officer) => By::Officer(officer.clone()),
            Self::Citizen(_) => By::Citizen,
            Self::System => By::System,
        }
    }
}

/// An action that somebody asks of a ticket.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) ticket: TicketId,
    pub(crate) who: Who,
    pub(crate) action: Action,
    pub(crate) request: Option<RequestId>,
    pub(crate) expected: Option<Version>,
    pub(crate) personal: Option<Box<SaltedRecord>>,
}

impl Order {
    /// The act by its request id, if it has one.
    pub(crate) fn asked(&self) -> Option<Asked> {
        Some(Asked { request: self.request?, by: self.who.by(), action: self.action.kind() })
    }
}

/// A complainant's feedback.
#[derive(Debug)]
pub(crate) struct Opinion {
    pub(crate) ticket: TicketId,
    pub(crate) author: AuthorKey,
    pub(crate) verdict: Verdict,
    pub(crate) request: Option<RequestId>,
    pub(crate) personal: Option<Box<SaltedRecord>>,
}

/// Something for a desk to do.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) stamp: Stamp,
    pub(crate) reply: Reply,
    pub(crate) permit: Option<Permit>,
    pub(crate) attempt: Attempt,
    pub(crate) work: Work,
}

/// What a desk does.
#[derive(Debug)]
pub(crate) enum Work {
    /// Take a ticket in: the value itself moves here.
    Take(Box<Arrival>),
    /// Carry an action out on a ticket of its own.
    Act(Box<Order>),
}

/// A ticket on its way to a desk, with what was decided on the way and is not yet an entry.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) ticket: Box<Ticket>,
    pub(crate) placement: Placement,
    pub(crate) manner: Manner,
    pub(crate) events: Vec<TicketEvent>,
    pub(crate) by: By,
    /// What was asked for, and by which request.
    pub(crate) action: Option<ActionKind>,
    pub(crate) request: Option<RequestId>,
    pub(crate) personal: Option<Box<SaltedRecord>>,
}

/// How a desk takes a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It is marked to an officer.
    Mark,
    /// It goes on in its state with another officer, since the roster changed.
    HandOver,
}

/// What came of an errand, on its way to the journal.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) stamp: Stamp,
    pub(crate) record: Option<Record>,
    pub(crate) answer: Said,
    pub(crate) reply: Reply,
    pub(crate) permit: Option<Permit>,
}

/// What to answer once everything up to here is durable.
#[derive(Debug)]
pub(crate) enum Said {
    /// This.
    Answer(Answer),
    /// That the ticket was there before, with the version it has then.
    AlreadyThere(TicketId),
}

impl Outcome {
    /// Nothing to write, only an answer.
    pub(crate) fn refused(stamp: Stamp, error: impl Into<ActError>, reply: Reply, permit: Option<Permit>) -> Self {
        Self { stamp, record: None, answer: Said::Answer(Err(error.into())), reply, permit }
    }

    pub(crate) fn fail(self, failure: Failure) {
        self.reply.answer(Err(failure.into()));
    }
}
