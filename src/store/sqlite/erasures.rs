//! Personal records held against the erasures in the journal: an empty one has to be accounted for, and none may be left
//! that an erasure took.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::journal::{Erased, Position, TicketEntry};
use crate::personal::AuthorKey;
use crate::store::StoreError;
use crate::ticket::{TicketEvent, TicketId, Version};

/// What stands beside an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// Nothing, where nothing was.
    Nothing,
    /// The record that it came with.
    Record,
    /// A record that is empty.
    Emptied,
}

/// The tickets with what stands beside their entries since the last erasure that took it.
#[derive(Debug, Default)]
pub(super) struct Erasures(BTreeMap<TicketId, Records>);

#[derive(Debug, Default)]
struct Records {
    author: Option<AuthorKey>,
    closed: Option<Timestamp>,
    /// The first that is there.
    there: Option<Position>,
    /// The first that is empty.
    emptied: Option<Position>,
}

impl Erasures {
    /// Takes the next entry about a ticket.
    pub(super) fn take(&mut self, entry: &TicketEntry, position: Position, beside: Beside) {
        let records = self.0.entry(entry.ticket).or_default();
        if let (Version(1), Some(TicketEvent::Received { filing, .. })) = (entry.version, entry.events.first()) {
            records.author = filing.author;
        }
        records.closed = match entry.events.last() {
            Some(TicketEvent::Closed { at, .. }) => Some(*at),
            _ => None,
        };
        match beside {
            Beside::Nothing => {}
            Beside::Record => drop(records.there.get_or_insert(position)),
            Beside::Emptied => drop(records.emptied.get_or_insert(position)),
        }
    }

    /// Takes an erasure, of what stands before it; answers a record that it should have taken. `is_there` looks once
    /// more: an engine may have erased it since it was read.
    pub(super) fn account(
        &mut self,
        of: Erased,
        mut is_there: impl FnMut(Position) -> Result<bool, StoreError>,
    ) -> Result<Option<Position>, StoreError> {
        let is_of_it = |records: &Records| match of {
            Erased::Author(author) => records.author == Some(author),
            Erased::ClosedBefore(time) => records.closed.is_some_and(|closed| closed < time),
        };
        for records in self.0.values_mut().filter(|records| is_of_it(records)) {
            records.emptied = None;
            if let Some(position) = records.there.take()
                && is_there(position)?
            {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// The first empty record for which nothing accounts.
    pub(super) fn unexplained(&self) -> Option<Position> {
        self.0.values().filter_map(|records| records.emptied).min()
    }
}
