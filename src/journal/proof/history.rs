//! The proof of one ticket: its whole history, and what shows that it is the whole.
//!
//! ```text
//! {
//!   "proof": "nivaran ticket 1",
//!   "ticket": "0000-4727",
//!   "entries": 20852163,                                  of which checkpoint: the sizes of its two trees
//!   "tickets": 4711,
//!   "history": [
//!     { "position": 17, "text": "{\"entry\":…", "path": ["6e34…", …] }
//!   ],
//!   "head": ["fac5…", …]
//! }
//! ```
//!
//! `path` is the audit path from an entry's leaf to the root over the entries, `head` that from the ticket's leaf to
//! the root over the heads, both from the leaf upwards. The leaves are not in it: they follow from the texts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::heads::{Head, UNUSED};
use super::tree::{TreeHash, TreeHead};
use crate::journal::{Entry, EntryHash, FoldError, Link, Position, TicketEntry, Unreadable, fold, unseal};
use crate::ticket::{TicketId, Version};

/// What shows to anyone who has one checkpoint what happened to a ticket, and that nothing was left out; or that no
/// ticket has a number. Written and read as JSON ([`Display`](fmt::Display), [`FromStr`]).
///
/// It holds the ticket's entries whole, for whom it is given to: nothing that a citizen wrote, but who did what, when,
/// and whom it complains about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketProof {
    pub(super) proof: Form,
    pub(super) ticket: TicketId,
    pub(super) entries: u64,
    pub(super) tickets: u64,
    pub(super) history: Vec<ProvedEntry>,
    pub(super) head: Vec<TreeHash>,
}

/// The form of the proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Form {
    #[serde(rename = "nivaran ticket 1")]
    One,
}

/// An entry with what shows that it is in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProvedEntry {
    pub(super) position: Position,
    pub(super) text: String,
    pub(super) path: Vec<TreeHash>,
}

/// What a proof shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proved {
    /// The ticket's entries, all of them, in their order.
    History(Vec<TicketEntry>),
    /// No ticket has that number.
    NoTicket,
}

impl TicketProof {
    /// The ticket it is about.
    #[must_use]
    pub fn ticket(&self) -> TicketId {
        self.ticket
    }

    /// Checks it against a checkpoint that the caller has from somewhere else and has opened with keys from somewhere
    /// else ([`Checkpoint::open`]). Nothing else is needed.
    ///
    /// # Errors
    /// [`ProofError`] with the first step that fails.
    pub fn check(&self, checkpoint: &Checkpoint) -> Result<Proved, ProofError> {
        self.check_against(&checkpoint.entries(), &checkpoint.tickets())
    }

    pub(super) fn check_against(&self, entries: &TreeHead, tickets: &TreeHead) -> Result<Proved, ProofError> {
        if (self.entries, self.tickets) != (entries.size, tickets.size) {
            let (proof, checkpoint) = ((self.entries, self.tickets), (entries.size, tickets.size));
            return Err(ProofError::OtherCheckpoint { proof, checkpoint });
        }
        let mut history = Vec::with_capacity(self.history.len());
        let mut last: Option<(EntryHash, Position)> = None;
        for (version, proved) in (1..).map(Version).zip(&self.history) {
            let wrong = |what| ProofError::Entry { version, what };
            let hash = EntryHash::of(&proved.text);
            let unreadable = |error| wrong(EntryFault::Unreadable(error));
            let link = Link::of(&proved.text).map_err(unreadable)?;
            let entry = match unseal(&proved.text).map_err(unreadable)? {
                Entry::Ticket(entry) if entry.ticket == self.ticket => entry,
                _ => return Err(wrong(EntryFault::OfAnother)),
            };
            if entry.version != version {
                return Err(wrong(EntryFault::OutOfTurn { found: entry.version }));
            }
            if link.before != last.map(|(hash, _)| hash) {
                return Err(wrong(EntryFault::Unlinked));
            }
            if last.is_some_and(|(_, before)| before >= proved.position) {
                return Err(wrong(EntryFault::Backwards));
            }
            if !entries.has(hash.as_bytes(), proved.position.0, &proved.path) {
                return Err(wrong(EntryFault::NotInJournal { position: proved.position }));
            }
            last = Some((hash, proved.position));
            history.push(entry);
        }
        fold(&history)?;
        let head = history.last().zip(last).map(|(entry, (last, _))| Head {
            ticket: self.ticket,
            entries: entry.version,
            last,
        });
        self.check_head(head, tickets)?;
        Ok(if head.is_some() { Proved::History(history) } else { Proved::NoTicket })
    }

    fn check_head(&self, head: Option<Head>, tickets: &TreeHead) -> Result<(), ProofError> {
        let index = Head::index(self.ticket);
        // A number above all others needs no leaf: the tree's size says that it was not given yet.
        if head.is_none() && index >= tickets.size && self.head.is_empty() {
            return Ok(());
        }
        let leaf = head.map_or_else(|| UNUSED.to_owned(), |head| head.leaf());
        match (tickets.has(leaf.as_bytes(), index, &self.head), head) {
            (true, _) => Ok(()),
            (false, Some(head)) => Err(ProofError::NotWhole { ticket: self.ticket, entries: head.entries }),
            (false, None) => Err(ProofError::NotUnused { ticket: self.ticket }),
        }
    }
}

impl fmt::Display for TicketProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string_pretty(self).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for TicketProof {
    type Err = ProofError;

    fn from_str(json: &str) -> Result<Self, ProofError> {
        serde_json::from_str(json).map_err(|error| ProofError::Form { line: error.line(), column: error.column() })
    }
}

/// Why a proof shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// It is no proof of a ticket, or one in a form that this version does not know.
    #[error(
        "line {line}, column {column}: it is no proof of a ticket in form 1; copy it whole, or use a later version"
    )]
    Form {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// It was made for another checkpoint.
    #[error(
        "the proof is for the checkpoint of {} entries and {} numbers, this is that of {} and {}; take the one it is for",
        .proof.0, .proof.1, .checkpoint.0, .checkpoint.1
    )]
    OtherCheckpoint {
        /// The sizes of the two trees that it was made for.
        proof: (u64, u64),
        /// Those of the checkpoint.
        checkpoint: (u64, u64),
    },
    /// One of the entries is not the one that it should be.
    #[error("entry {version} of the proof: {what}")]
    Entry {
        /// Which one, counted from 1.
        version: Version,
        /// What is wrong with it.
        what: EntryFault,
    },
    /// The entries are in the journal, but are not the history of a ticket.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// The ticket's head is another: the history has other entries, or more of them.
    #[error("these {entries} entries are not the whole history of {ticket}; some are left out, or it is another head")]
    NotWhole {
        /// The ticket.
        ticket: TicketId,
        /// How many entries the proof has.
        entries: Version,
    },
    /// The proof says that no ticket has the number, and the checkpoint does not.
    #[error("it is not shown that there is no ticket {ticket}; its history may be left out")]
    NotUnused {
        /// The ticket.
        ticket: TicketId,
    },
}

/// What is wrong with an entry of a proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryFault {
    /// It is no entry.
    #[error(transparent)]
    Unreadable(Unreadable),
    /// It is about another ticket, or about none.
    #[error("it is not about this ticket")]
    OfAnother,
    /// It is not the ticket's next entry.
    #[error("it is entry {found} of the ticket; one was left out, or they are out of order")]
    OutOfTurn {
        /// Its version.
        found: Version,
    },
    /// It does not hold the hash of the entry before it.
    #[error("it was not written after the entry before it; one of the two was altered")]
    Unlinked,
    /// It stands before the one that it follows.
    #[error("it stands in the journal before the entry that it follows")]
    Backwards,
    /// The path does not lead from it to the root.
    #[error("it is not what stands at position {position} of the journal; it or its path was altered")]
    NotInJournal {
        /// Where it is said to stand.
        position: Position,
    },
}
