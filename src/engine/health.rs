//! How the engine is: what a health check asks.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::code::DeskId;
use crate::journal::Position;
use crate::ticket::TicketId;

/// What the engine is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// It takes and carries out what comes.
    Serving,
    /// The store refused or lost a batch; the engine finds out what is written and rebuilds its memory.
    Recovering {
        /// The store's reason.
        reason: String,
    },
    /// It has been shut down, or cannot go on.
    Stopped {
        /// Why.
        reason: String,
    },
}

/// An actor of the engine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ActorName {
    /// The dispatcher.
    Dispatcher,
    /// A desk.
    Desk(DeskId),
    /// The satisfaction actor.
    Satisfaction,
    /// The journal's writer.
    Journal,
}

impl std::fmt::Display for ActorName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dispatcher => f.write_str("dispatcher"),
            Self::Desk(desk) => desk.fmt(f),
            Self::Satisfaction => f.write_str("satisfaction"),
            Self::Journal => f.write_str("journal"),
        }
    }
}

/// A panic that was caught.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub actor: ActorName,
    /// On which ticket, if it had one.
    pub ticket: Option<TicketId>,
    /// What it said, if that is a fixed text; a text that was put together may hold personal data and is withheld.
    pub message: String,
}

/// How the engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// What it is doing.
    pub mode: Mode,
    /// Open tickets by desk.
    pub open: BTreeMap<DeskId, u64>,
    /// Submits, acts and feedbacks under way from the door to the journal.
    pub under_way: usize,
    /// Where the next entry will stand.
    pub position: Position,
    /// How often an actor's handler panicked since the start.
    pub panics: BTreeMap<ActorName, u64>,
    /// How often an actor's memory was rebuilt from the journal since the start.
    pub rebuilt: BTreeMap<ActorName, u64>,
    /// The latest panic.
    pub last_fault: Option<Fault>,
}

/// What the actors note for [`Health`]: touched only when something goes wrong.
#[derive(Debug, Default)]
pub(crate) struct HealthNotes(Mutex<Notes>);

#[derive(Debug, Clone, Default)]
struct Notes {
    mode: Option<Mode>,
    panics: BTreeMap<ActorName, u64>,
    rebuilt: BTreeMap<ActorName, u64>,
    last_fault: Option<Fault>,
}

impl HealthNotes {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn panicked(&self, actor: &ActorName, ticket: Option<TicketId>, payload: &(dyn std::any::Any + Send)) {
        let message = payload.downcast_ref::<&'static str>().map_or("withheld: it may hold personal data", |text| text);
        tracing::error!(%actor, ticket = ticket.map(tracing::field::display), message, "a handler panicked");
        let fault = Fault { actor: actor.clone(), ticket, message: message.to_owned() };
        let mut notes = self.notes();
        *notes.panics.entry(actor.clone()).or_default() += 1;
        notes.last_fault = Some(fault);
    }

    pub(crate) fn rebuilt(&self, actor: &ActorName) {
        tracing::warn!(%actor, "memory rebuilt from the journal");
        *self.notes().rebuilt.entry(actor.clone()).or_default() += 1;
    }

    pub(crate) fn enter(&self, mode: Mode) {
        let mut notes = self.notes();
        // Once stopped it stays so, with the first reason.
        if !matches!(notes.mode, Some(Mode::Stopped { .. })) {
            tracing::info!(?mode, "engine");
            notes.mode = Some(mode);
        }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.notes().mode.clone().unwrap_or(Mode::Serving)
    }

    pub(crate) fn report(&self, open: BTreeMap<DeskId, u64>, under_way: usize, position: Position) -> Health {
        let Notes { mode, panics, rebuilt, last_fault } = self.notes().clone();
        Health { mode: mode.unwrap_or(Mode::Serving), open, under_way, position, panics, rebuilt, last_fault }
    }
}
