//! How everything stands at one point of the journal: what a start needs, and what a store may keep ready for it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Entry, Erased, Erasure, FoldError, Position, TicketEntry, advance};
use crate::code::OfficerId;
use crate::roster::RosterVersion;
use crate::rules::TableVersion;
use crate::ticket::{State, Ticket, TicketEvent, TicketId, Version};

/// How everything stands before the entry at [`end`](Standing::end): the open tickets, and what there is besides.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// Where the next entry will stand.
    pub end: Position,
    /// The tickets that are open.
    pub open: BTreeMap<TicketId, Ticket>,
    /// The tickets that are closed and may have personal records, and since when; as far as it was read.
    pub closed: BTreeMap<TicketId, Timestamp>,
    /// What there is besides.
    pub bearings: Bearings,
}

/// What an engine has to know besides the open tickets, to go on as if it had not stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bearings {
    /// The rules table in force.
    pub table: Option<TableVersion>,
    /// Where the last entry stands that put each table in force.
    #[serde(default)]
    pub tables: BTreeMap<TableVersion, Position>,
    /// The roster in force.
    pub roster: Option<RosterVersion>,
    /// When the last entry was decided.
    pub at: Option<Timestamp>,
    /// When personal records were last erased because of their age.
    pub expired_at: Option<Timestamp>,
    /// Where the last entry stands that gave each officer a ticket: of equals, it is the turn of the one whose is longest
    /// ago.
    pub marks: BTreeMap<OfficerId, Position>,
}

impl Bearings {
    /// Takes one more entry into account, and where it stands.
    pub fn take(&mut self, entry: &Entry, position: Position) {
        self.at = self.at.max(Some(entry.at()));
        match entry {
            Entry::Ticket(entry) => {
                // A ticket is given to somebody by the last event of an entry.
                let Some(TicketEvent::Marked { holder, .. } | TicketEvent::HandedOver { holder, .. }) =
                    entry.events.last()
                else {
                    return;
                };
                match self.marks.get_mut(&holder.officer) {
                    Some(mark) => *mark = position,
                    None => drop(self.marks.insert(holder.officer.clone(), position)),
                }
            }
            Entry::Rules(changed) => {
                self.table = Some(changed.table);
                self.tables.insert(changed.table, position);
            }
            Entry::Roster(changed) => self.roster = Some(changed.roster),
            Entry::Erased(Erasure { of: Erased::ClosedBefore(_), at, .. }) => self.expired_at = Some(*at),
            Entry::Erased(_) => {}
        }
    }
}

impl Standing {
    /// The ticket whose earlier history has to be given to [`take`](Standing::take) with this entry: one that was
    /// closed, and is therefore not here.
    #[must_use]
    pub fn lacks(&self, entry: &Entry) -> Option<TicketId> {
        let entry = entry.ticket()?;
        (entry.version > Version(1) && !self.open.contains_key(&entry.ticket)).then_some(entry.ticket)
    }

    /// Takes the next entry into account; `history` is that of its ticket, where that is lacking.
    ///
    /// # Errors
    /// [`FoldError`] when the entry does not follow.
    pub fn take<'a>(
        &mut self,
        entry: &Entry,
        history: impl IntoIterator<Item = &'a TicketEntry>,
    ) -> Result<(), FoldError> {
        self.bearings.take(entry, self.end);
        if let Entry::Erased(Erasure { of: Erased::ClosedBefore(time), .. }) = entry {
            self.closed.retain(|_, at| *at >= *time);
        }
        if let Some(entry) = entry.ticket() {
            let mut ticket = self.open.remove(&entry.ticket);
            if ticket.is_none() {
                for earlier in history.into_iter().filter(|earlier| earlier.version < entry.version) {
                    advance(&mut ticket, earlier)?;
                }
            }
            advance(&mut ticket, entry)?;
            self.closed.remove(&entry.ticket);
            match ticket.as_ref().map(Ticket::state) {
                Some(State::Closed { at, .. }) => drop(self.closed.insert(entry.ticket, *at)),
                _ => self.open.extend(ticket.map(|ticket| (entry.ticket, ticket))),
            }
        }
        self.end = self.end.plus(1);
        Ok(())
    }
}
