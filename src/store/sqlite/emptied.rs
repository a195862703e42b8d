//! Personal records that are empty: whether an erasure in the journal accounts for each.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::journal::{Erased, Position, TicketEntry};
use crate::personal::AuthorKey;
use crate::ticket::{TicketEvent, TicketId, Version};

/// Tickets with empty records for which no erasure has come yet. An erasure takes all records of a ticket, the first
/// with them: so only tickets whose first is empty can have more.
#[derive(Debug, Default)]
pub(super) struct Emptied(BTreeMap<TicketId, Emptiness>);

#[derive(Debug)]
struct Emptiness {
    author: Option<AuthorKey>,
    closed: Option<Timestamp>,
    /// The first empty record for which nothing accounts; `None` after an erasure.
    unexplained: Option<Position>,
}

impl Emptied {
    /// Takes an entry whose record is there, or that never had one.
    pub(super) fn take(&mut self, entry: &TicketEntry) {
        if let Some(ticket) = self.0.get_mut(&entry.ticket) {
            ticket.closed = closed_at(entry);
        }
    }

    /// Takes an entry whose record is empty.
    pub(super) fn take_empty(&mut self, entry: &TicketEntry, position: Position) {
        let author = match entry.events.first() {
            Some(TicketEvent::Received { filing, .. }) if entry.version == Version(1) => filing.author,
            _ => None,
        };
        let new = Emptiness { author, closed: None, unexplained: None };
        let ticket = self.0.entry(entry.ticket).or_insert(new);
        ticket.closed = closed_at(entry);
        ticket.unexplained.get_or_insert(position);
    }

    /// Takes an erasure: it accounts for what stands before it.
    pub(super) fn account(&mut self, of: Erased) {
        for ticket in self.0.values_mut() {
            let is_of_it = match of {
                Erased::Author(author) => ticket.author == Some(author),
                Erased::ClosedBefore(time) => ticket.closed.is_some_and(|closed| closed < time),
            };
            if is_of_it {
                ticket.unexplained = None;
            }
        }
    }

    /// The first record for which nothing accounts.
    pub(super) fn unexplained(&self) -> Option<Position> {
        self.0.values().filter_map(|ticket| ticket.unexplained).min()
    }
}

fn closed_at(entry: &TicketEntry) -> Option<Timestamp> {
    match entry.events.last() {
        Some(TicketEvent::Closed { at, .. }) => Some(*at),
        _ => None,
    }
}
