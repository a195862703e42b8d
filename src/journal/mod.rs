//! The journal's entries: one decision each, with all its events.
//!
//! The journal is the source of truth. A ticket is the fold of its entries ([`fold`]), in the order of their versions
//! 1, 2, 3, … with none missing. No entry holds free text, a handle or a source: what is personal stands beside the
//! journal, and the entry holds a commitment to it.

#[cfg(feature = "proof")]
pub mod proof;
mod seal;
mod standing;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use seal::{EntryHash, Link, Sealed, Unreadable, Unwritable, seal, unseal};
#[cfg(feature = "sqlite")]
pub(crate) use seal::{link, write_text};
pub use standing::{Bearings, Standing};

use crate::code::{DeskId, OfficerId};
use crate::personal::{AuthorKey, Commitment, SaltedRecord};
use crate::roster::RosterVersion;
use crate::rules::{TableVersion, WrittenTable};
use crate::ticket::{ActionKind, Asked, By, RequestId, Ticket, TicketEvent, TicketId, Version};

/// An entry's place in the whole journal, counted from 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// The place `count` entries further on.
    #[must_use]
    pub const fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The form in which entries are written: 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Format;

/// An entry in a form that this version of the crate does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry in form {given}, this version reads form 1; use the version that wrote it, or a later one")]
pub struct UnknownFormat {
    given: u8,
}

impl TryFrom<u8> for Format {
    type Error = UnknownFormat;
    fn try_from(given: u8) -> Result<Self, UnknownFormat> {
        if given == 1 { Ok(Self) } else { Err(UnknownFormat { given }) }
    }
}

impl From<Format> for u8 {
    fn from(_: Format) -> u8 {
        1
    }
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entry {
    /// About a ticket.
    Ticket(TicketEntry),
    /// Another rules table is in force.
    Rules(RulesChanged),
    /// Another roster is in force.
    Roster(RosterChanged),
    /// Personal records were erased for good.
    Erased(Erasure),
}

/// A decision about a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketEntry {
    /// The form in which it is written.
    #[serde(rename = "v")]
    pub format: Format,
    /// The ticket.
    pub ticket: TicketId,
    /// Its place among the ticket's entries, from 1.
    pub version: Version,
    /// When it was decided.
    pub at: Timestamp,
    /// Who decided.
    pub by: By,
    /// What was asked for; `None` where a grievance came in or the roster changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionKind>,
    /// The caller's own id of the act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// The rules table in force.
    pub table: TableVersion,
    /// What happened.
    pub events: Vec<TicketEvent>,
    /// The commitment to what was written along with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal: Option<Commitment>,
}

/// Another rules table is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesChanged {
    /// The form in which it is written.
    #[serde(rename = "v")]
    pub format: Format,
    /// The table.
    pub table: TableVersion,
    /// How many rows it has.
    pub rows: usize,
    /// All that it decides by.
    pub content: WrittenTable,
    /// From when on.
    pub at: Timestamp,
    /// Who changed it; `None` where the engine was started with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<OfficerId>,
}

/// Another roster is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterChanged {
    /// The form in which it is written.
    #[serde(rename = "v")]
    pub format: Format,
    /// The roster.
    pub roster: RosterVersion,
    /// From when on.
    pub at: Timestamp,
    /// Who changed it; `None` where the engine was started with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<OfficerId>,
    /// Desks that are new.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opened: Vec<DeskId>,
    /// Desks that are gone; their tickets are handed over by the entries that follow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<DeskId>,
}

/// Personal records were erased for good: those that stand before this entry. What was decided stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// The form in which it is written.
    #[serde(rename = "v")]
    pub format: Format,
    /// Whose, or from when.
    pub of: Erased,
    /// When.
    pub at: Timestamp,
    /// Who had it done; `None` where the policy does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<OfficerId>,
}

/// What an erasure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Erased {
    /// Everything personal in the tickets of this author.
    Author(AuthorKey),
    /// Everything personal in tickets closed before this time and not open again.
    ClosedBefore(Timestamp),
}

impl TicketEntry {
    /// The act that it came of, if that had a request id.
    #[must_use]
    pub fn asked(&self) -> Option<Asked> {
        Some(Asked { request: self.request?, by: self.by.clone(), action: self.action? })
    }
}

impl Entry {
    /// The ticket it is about, if it is about one.
    #[must_use]
    pub fn ticket(&self) -> Option<&TicketEntry> {
        match self {
            Self::Ticket(entry) => Some(entry),
            Self::Rules(_) | Self::Roster(_) | Self::Erased(_) => None,
        }
    }

    /// When it was decided.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Ticket(entry) => entry.at,
            Self::Rules(entry) => entry.at,
            Self::Roster(entry) => entry.at,
            Self::Erased(entry) => entry.at,
        }
    }
}

/// An entry and the personal record that came with it: what is written together or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The entry.
    pub entry: Entry,
    /// What is personal; never written into the entry.
    pub personal: Option<Box<SaltedRecord>>,
}

/// Why entries are not the history of a ticket: the journal is damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// The first event is not that a grievance was received.
    #[error("the history of {ticket} does not begin with its grievance; restore the journal from a backup")]
    NoBeginning {
        /// The ticket.
        ticket: TicketId,
    },
    /// An entry is missing or stands twice.
    #[error("the history of {ticket} has entry {found} where {expected} belongs; restore the journal from a backup")]
    Gap {
        /// The ticket.
        ticket: TicketId,
        /// The version that belongs there.
        expected: Version,
        /// The version that stands there.
        found: Version,
    },
}

/// The ticket that a history of entries gives; `None` for no entries.
///
/// # Errors
/// [`FoldError`] when the entries are not a history from its beginning.
pub fn fold<'a>(entries: impl IntoIterator<Item = &'a TicketEntry>) -> Result<Option<Ticket>, FoldError> {
    let mut ticket = None;
    for entry in entries {
        advance(&mut ticket, entry)?;
    }
    Ok(ticket)
}

/// Makes one more entry so.
///
/// # Errors
/// [`FoldError`] when the entry does not follow.
pub fn advance(ticket: &mut Option<Ticket>, entry: &TicketEntry) -> Result<(), FoldError> {
    if ticket.is_none() {
        *ticket = entry.events.first().and_then(Ticket::open);
    }
    let Some(ticket) = ticket else { return Err(FoldError::NoBeginning { ticket: entry.ticket }) };
    let expected = ticket.version().next();
    if expected != entry.version {
        return Err(FoldError::Gap { ticket: entry.ticket, expected, found: entry.version });
    }
    ticket.advance(&entry.events, entry.asked());
    Ok(())
}
