//! Journals for the tests of these rooms.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Audit, Auditor, Checkpoint, Finding, JournalName, WrittenEntry};
use crate::grievance::{Channel, Confidentiality, Filing, Source};
use crate::journal::{Entry, EntryHash, Format, Position, RulesChanged, TicketEntry, seal};
use crate::personal::InstallationKey;
use crate::rules::WrittenTable;
use crate::ticket::{By, Origin, TicketEvent, TicketId, Version};

/// A row of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) position: Position,
    pub(super) hash: EntryHash,
    pub(super) text: String,
}

impl Row {
    pub(super) fn written(&self) -> WrittenEntry<'_> {
        WrittenEntry { position: self.position, hash: self.hash, text: &self.text }
    }
}

pub(super) fn id(number: u64) -> TicketId {
    TicketId::from_number(number).unwrap()
}

pub(super) fn second(second: u64) -> Timestamp {
    Timestamp::from_second(1_650_000_000 + second as i64).unwrap()
}

/// An entry for each number: of the ticket with that number, or of none for 0.
pub(super) fn entries(numbers: &[u64]) -> Vec<Entry> {
    let mut versions = HashMap::<u64, u32>::new();
    let table = "0123456789abcdef".to_owned();
    let entry = |(at, &number): (u64, &u64)| {
        let (at, table) = (second(at), table.clone().try_into().unwrap());
        if number == 0 {
            return Entry::Rules(RulesChanged {
                format: Format,
                table,
                rows: 3,
                content: WrittenTable::default(),
                at,
                by: None,
            });
        }
        let version = versions.entry(number).or_default();
        *version += 1;
        let ticket = id(number);
        let events = if *version > 1 {
            vec![TicketEvent::Acknowledged]
        } else {
            vec![TicketEvent::Received { ticket, filing: filing(number).into(), origin: Origin::Submitted }]
        };
        let version = Version(*version);
        let (by, action, request, personal) = (By::System, None, None, None);
        Entry::Ticket(TicketEntry { format: Format, ticket, version, at, by, action, request, table, events, personal })
    };
    (0..).zip(numbers).map(entry).collect()
}

fn filing(number: u64) -> Filing {
    Filing {
        channel: Channel::X,
        source: InstallationKey::new(&[7; 32]).source(&Source::new(Channel::X, number.to_string()).unwrap()),
        post: None,
        author: None,
        category: Some("water/logging".parse().unwrap()),
        place: Some("hisar/hansi".parse().unwrap()),
        posted_at: second(0),
        language: None,
        against: None,
        confidentiality: Confidentiality::default(),
    }
}

/// The entries as a store has them: one after the other, each linked to its ticket's before it.
pub(super) fn rows(entries: &[Entry]) -> Vec<Row> {
    let mut last = HashMap::new();
    let row = |(position, entry): (u64, &Entry)| {
        let ticket = entry.ticket().map(|entry| entry.ticket);
        let sealed = seal(entry, ticket.and_then(|ticket| last.get(&ticket)).copied()).unwrap();
        ticket.map(|ticket| last.insert(ticket, sealed.hash));
        Row { position: Position(position), hash: sealed.hash, text: sealed.text }
    };
    (0..).zip(entries).map(row).collect()
}

pub(super) fn audit(rows: &[Row], checkpoints: &[Checkpoint]) -> Result<Audit, Finding> {
    let mut auditor = Auditor::new(checkpoints.iter().cloned());
    rows.iter().try_for_each(|row| auditor.take(row.written()))?;
    auditor.audit()
}

pub(super) fn journal() -> JournalName {
    JournalName::new("example.org/journal").unwrap()
}

/// The checkpoint of the first `size` rows.
pub(super) fn checkpoint(rows: &[Row], size: usize) -> Checkpoint {
    audit(&rows[..size], &[]).unwrap().checkpoint(journal(), second(size as u64))
}
