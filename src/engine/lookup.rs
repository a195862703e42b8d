//! The lookup tables: what is open, by number and by source, for anyone, without asking an actor.
//!
//! They show only what is durable: the journal's writer folds each entry into them after it is written. (A source is
//! entered by the dispatcher when it gives the number, so that the next submit of the same post finds it; what it
//! points to is shown when it is durable.)

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use dashmap::DashMap;
use foldhash::fast::FixedState;

use crate::code::DeskId;
use crate::journal::{Bearings, FoldError, Standing, TicketEntry, advance};
use crate::personal::SourceKey;
use crate::ticket::{Ticket, TicketEvent, TicketId};

/// Tickets by number and by source.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    /// Boxed, so that the table grows without moving its tickets.
    pub(crate) by_id: DashMap<TicketId, Box<Ticket>, FixedState>,
    pub(crate) by_source: DashMap<SourceKey, TicketId, FixedState>,
    /// What there is besides tickets; locked once a batch, and when memory is rebuilt.
    bearings: Mutex<Bearings>,
}

impl Lookup {
    pub(crate) fn new(standing: Standing) -> Self {
        let Standing { open, bearings, .. } = standing;
        let lookup = Self { bearings: Mutex::new(bearings), ..Self::default() };
        let mut routings = BTreeMap::new();
        for mut ticket in open.into_values() {
            ticket.share_routing(&mut routings);
            lookup.insert(ticket);
        }
        lookup
    }

    /// What is durable besides the tickets.
    pub(crate) fn bearings(&self) -> MutexGuard<'_, Bearings> {
        // What is done under the lock is plain arithmetic.
        self.bearings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of a ticket, as far as it is durable.
    pub(crate) fn ticket(&self, id: TicketId) -> Option<Ticket> {
        self.by_id.get(&id).map(|ticket| Ticket::clone(&ticket))
    }

    /// Folds an entry in. Its ticket has to be here, if it is not the first.
    pub(crate) fn fold(&self, entry: &TicketEntry) -> Result<Folded, FoldError> {
        if let Some(TicketEvent::Received { .. }) = entry.events.first() {
            let mut ticket = None;
            advance(&mut ticket, entry)?;
            if let Some(ticket) = ticket {
                self.by_id.insert(entry.ticket, Box::new(ticket));
            }
            return Ok(Folded::Open);
        }
        let missing = FoldError::NoBeginning { ticket: entry.ticket };
        let mut known = self.by_id.get_mut(&entry.ticket).ok_or(missing)?;
        let expected = known.version().next();
        if expected != entry.version {
            return Err(FoldError::Gap { ticket: entry.ticket, expected, found: entry.version });
        }
        known.advance(&entry.events, entry.asked());
        Ok(if known.state().kind().is_open() { Folded::Open } else { Folded::Closed })
    }

    pub(crate) fn insert(&self, ticket: Ticket) {
        for source in ticket.filing().sources() {
            self.by_source.insert(source, ticket.id());
        }
        self.by_id.insert(ticket.id(), Box::new(ticket));
    }

    /// Lets go of a ticket if it is (still) closed.
    pub(crate) fn let_go(&self, id: TicketId) {
        if let Some((_, ticket)) = self.by_id.remove_if(&id, |_, ticket| !ticket.state().kind().is_open()) {
            for source in ticket.filing().sources() {
                self.by_source.remove(&source);
            }
        }
    }

    /// The first tickets by number that `wanted` holds for.
    pub(crate) fn page(&self, wanted: impl Fn(&Ticket) -> bool, limit: usize) -> Vec<Ticket> {
        let matching = self.by_id.iter().filter(|ticket| wanted(ticket));
        // The tables iterate in no order of ours.
        let mut ids: Vec<TicketId> = matching.map(|ticket| ticket.id()).collect();
        ids.sort_unstable();
        ids.truncate(limit);
        ids.into_iter().filter_map(|id| self.ticket(id)).collect()
    }

    /// The open tickets that `wanted` holds for, by number.
    pub(crate) fn open(&self, wanted: impl Fn(&Ticket) -> bool) -> Vec<Ticket> {
        let open = self.by_id.iter().filter(|ticket| ticket.state().kind().is_open() && wanted(ticket));
        let mut tickets: Vec<Ticket> = open.map(|ticket| Ticket::clone(&ticket)).collect();
        // The tables iterate in no order of ours.
        tickets.sort_unstable_by_key(Ticket::id);
        tickets
    }
}

impl Lookup {
    /// The open tickets by desk, and there in no order: all desks' in one go.
    pub(crate) fn open_by_desk(&self) -> HashMap<DeskId, Vec<Ticket>, FixedState> {
        let mut by_desk: HashMap<DeskId, Vec<Ticket>, FixedState> = HashMap::default();
        for ticket in self.by_id.iter().filter(|ticket| ticket.state().kind().is_open()) {
            let Some(desk) = ticket.desk() else { continue };
            match by_desk.get_mut(desk) {
                Some(tickets) => tickets.push(Ticket::clone(&ticket)),
                None => drop(by_desk.insert(desk.clone(), vec![Ticket::clone(&ticket)])),
            }
        }
        by_desk
    }
}

/// What an entry did to the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folded {
    /// The ticket is open.
    Open,
    /// The ticket is closed now.
    Closed,
}
