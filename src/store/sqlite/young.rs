//! What the file's indexes do not have yet: they are written in sorted lots, which costs a fraction of single rows.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;
use rusqlite::Connection;

use super::rows::number;
use super::tally::Tally;
use crate::journal::{Position, TicketEntry};
use crate::personal::{AuthorKey, SourceKey};
use crate::store::StoreError;
use crate::ticket::{TicketEvent, TicketId, Version};

/// Entries and posts that are in the journal and not yet in the indexes.
#[derive(Debug, Default)]
pub(super) struct Young {
    entries: BTreeMap<TicketId, Vec<(Version, Position)>>,
    sources: HashMap<SourceKey, (TicketId, Option<AuthorKey>), FixedState>,
    count: usize,
}

impl Young {
    pub(super) fn take(&mut self, entry: &TicketEntry, position: Position) {
        self.entries.entry(entry.ticket).or_default().push((entry.version, position));
        self.count += 1;
        if let Some(TicketEvent::Received { filing, .. }) = entry.events.first() {
            for source in filing.sources() {
                self.sources.insert(source, (entry.ticket, filing.author));
            }
        }
    }

    /// Adds what came later.
    pub(super) fn join(&mut self, later: Self) {
        for (ticket, mut entries) in later.entries {
            self.entries.entry(ticket).or_default().append(&mut entries);
        }
        self.sources.extend(later.sources);
        self.count += later.count;
    }

    /// How many entries it has.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn entries(&self, ticket: TicketId) -> &[(Version, Position)] {
        self.entries.get(&ticket).map_or(&[], Vec::as_slice)
    }

    /// The ticket with the highest number.
    pub(super) fn last(&self) -> Option<TicketId> {
        self.entries.last_key_value().map(|(ticket, _)| *ticket)
    }

    pub(super) fn source(&self, source: &SourceKey) -> Option<TicketId> {
        self.sources.get(source).map(|(ticket, _)| *ticket)
    }

    /// Its posts, in no order.
    pub(super) fn sources(&self) -> impl Iterator<Item = SourceKey> {
        self.sources.keys().copied()
    }

    /// Tickets that began here, in order.
    pub(super) fn begun(&self) -> impl Iterator<Item = TicketId> {
        let begun = |entries: &[(Version, Position)]| entries.first().is_some_and(|(version, _)| version.0 == 1);
        self.entries.iter().filter(move |(_, entries)| begun(entries)).map(|(ticket, _)| *ticket)
    }

    /// Writes it into the indexes, inside the caller's transaction. What is there already does no harm.
    pub(super) fn write(&self, connection: &Connection) -> Result<(), StoreError> {
        let mut tally = Tally::kept(connection)?.unwrap_or_default();
        let mut insert = connection
            .prepare_cached("INSERT OR IGNORE INTO history (ticket, version, position) VALUES (?1, ?2, ?3)")?;
        for (ticket, entries) in &self.entries {
            for (version, position) in entries {
                let row = (number(*ticket), version.0, position.0.cast_signed());
                if insert.execute(row)? > 0 {
                    tally.add_history(row.0, row.1.into(), row.2);
                }
            }
        }
        let mut sources: Vec<_> = self.sources.iter().collect();
        // In the order of the index, neighbours share a page.
        sources.sort_unstable_by_key(|(key, _)| **key);
        let mut insert =
            connection.prepare_cached("INSERT OR IGNORE INTO source (key, ticket, author) VALUES (?1, ?2, ?3)")?;
        for (key, (ticket, author)) in sources {
            let row = (key.as_bytes(), number(*ticket), author.as_ref().map(AuthorKey::as_bytes));
            if insert.execute(row)? > 0 {
                tally.add_source(row.0, row.1, row.2);
            }
        }
        tally.keep(connection)
    }
}
