//! Where the journal is kept: the [`Store`] trait, a store in memory, and one in an SQLite file.

mod memory;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

pub use memory::MemoryStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

use crate::journal::{Bearings, Entry, Position, Record, Standing};
use crate::personal::{KeyCheck, SaltedRecord, SourceKey};
use crate::ticket::{RequestId, Ticket, TicketId, Version};

/// How many entries are read at a time when the journal is folded.
const PAGE: usize = 4_096;

/// Keeps the journal. One thread owns it and calls it; it may block.
///
/// A batch is appended whole or not at all, and all that waits is given as one batch, so that a durable store pays for
/// one commit. Only after [`append`](Store::append) answered does anyone outside hear of the entries.
pub trait Store: Send + 'static {
    /// Appends a batch behind the last entry, whole or not at all; answers where its first entry stands. An
    /// [`Entry::Erased`] takes the personal records that it names, as far as they stand before it, with it.
    ///
    /// # Errors
    /// [`AppendError::Refused`] when nothing was written for certain, [`AppendError::Unknown`] when it cannot be told.
    fn append(&mut self, batch: &Arc<Vec<Record>>) -> Result<Position, AppendError>;

    /// After an unknown outcome: throws away what is open and opens it anew, so that what is written can be told.
    ///
    /// # Errors
    /// [`StoreError`] when that does not succeed; it is called again later.
    fn reopen(&mut self) -> Result<(), StoreError>;

    /// Where the next entry will stand.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn end(&mut self) -> Result<Position, StoreError>;

    /// At most `limit` entries from a position on, in order; fewer only at the end.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn read(&mut self, from: Position, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// All entries of a ticket, in order.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn history(&mut self, ticket: TicketId) -> Result<Vec<Entry>, StoreError>;

    /// The personal records of a ticket that are not erased, by the version of their entry.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn personal(&mut self, ticket: TicketId) -> Result<Vec<(Version, SaltedRecord)>, StoreError>;

    /// The tickets that came of these posts, in the same order; `None` for a post of which none came. A post's
    /// reference stands in the `filing` of the [`Received`](crate::ticket::TicketEvent::Received) event, first in a
    /// ticket's first entry.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn sources(&mut self, sources: &[SourceKey]) -> Result<Vec<Option<TicketId>>, StoreError>;

    /// The versions at which these acts were carried out, in the same order.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn requests(&mut self, requests: &[(TicketId, RequestId)]) -> Result<Vec<Option<Version>>, StoreError>;

    /// At most `limit` tickets with numbers after `after`, ascending.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn tickets(&mut self, after: Option<TicketId>, limit: usize) -> Result<Vec<TicketId>, StoreError>;

    /// Sets aside a block of `count` running numbers that no later call answers again, also after a crash. The first
    /// number ever is 1; see [`TicketId::from_number`].
    ///
    /// # Errors
    /// [`StoreError`] when that cannot be written.
    fn reserve(&mut self, count: u32) -> Result<Range<u64>, StoreError>;

    /// At most `limit` of the posts that tickets came of, after `after`, in the order of their keys.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn sources_after(&mut self, after: Option<SourceKey>, limit: usize) -> Result<Vec<SourceKey>, StoreError>;

    /// How everything stands at the end of the journal. A store that was told so by [`keep`](Store::keep) need not
    /// read what was before; this default folds the whole journal.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read or the journal is damaged.
    fn standing(&mut self) -> Result<Standing, StoreError> {
        let mut standing = Standing::default();
        loop {
            let page = self.read(standing.end, PAGE)?;
            for entry in &page {
                let history = match standing.lacks(entry) {
                    Some(ticket) => self.history(ticket)?,
                    None => Vec::new(),
                };
                standing.take(entry, history.iter().filter_map(Entry::ticket))?;
            }
            if page.len() < PAGE {
                return Ok(standing);
            }
        }
    }

    /// Keeps ready how everything stands before `end`, by what changed since the last time: a help for the next start.
    /// It comes between two batches, with `end` behind the last one. This default keeps nothing.
    ///
    /// # Errors
    /// [`StoreError`] when that cannot be written; it is tried again later.
    fn keep(&mut self, end: Position, bearings: &Bearings, changed: Vec<Changed>) -> Result<(), StoreError> {
        let _ = (end, bearings, changed);
        Ok(())
    }

    /// Sees to it that what was erased cannot be found in the store's files any more; answers how many personal
    /// records that was since the last time.
    ///
    /// # Errors
    /// [`StoreError`] when copies may be left; it is to be called again.
    fn scrub(&mut self) -> Result<u64, StoreError>;

    /// Compares the installation's key with the one that was given first, and answers that one. The first is kept.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read or written.
    fn first_key(&mut self, key: KeyCheck) -> Result<KeyCheck, StoreError>;

    /// Whether the journal outlives the process.
    fn lifetime(&self) -> Lifetime;

    /// Prepares a copy of the journal into a new file. The job is done on another thread, beside the store's own work;
    /// it copies at least what was written before this call. This default cannot.
    ///
    /// # Errors
    /// [`StoreError`] when there can be no copy there.
    fn backup(&mut self, to: PathBuf) -> Result<BackupJob, StoreError> {
        let _ = to;
        Err(StoreError { reason: "this store cannot be copied while it runs".to_owned() })
    }
}

/// Copies a journal; see [`Store::backup`].
pub type BackupJob = Box<dyn FnOnce() -> Result<(), StoreError> + Send>;

/// How long a journal is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as the process.
    Process,
    /// For good.
    Durable,
}

/// A ticket that is not as it was; see [`Store::keep`].
#[derive(Debug, Clone, PartialEq)]
pub enum Changed {
    /// It is open.
    Open(Box<Ticket>),
    /// It is closed, since then.
    Closed(TicketId, Timestamp),
    /// It is closed, and its personal records were erased because of its age.
    Expired(TicketId),
}

/// Why a batch was not appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Nothing was written, for certain; it may be tried again, when there is room.
    #[error("the store refused: {reason}")]
    Refused {
        /// Why; nothing personal.
        reason: String,
    },
    /// It cannot be told whether it was written.
    #[error("the store cannot tell whether it was written: {reason}")]
    Unknown {
        /// Why; nothing personal.
        reason: String,
    },
}

/// Why a store could not be read or prepared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store cannot be used: {reason}")]
pub struct StoreError {
    /// Why; nothing personal.
    pub reason: String,
}

impl From<crate::journal::FoldError> for StoreError {
    fn from(error: crate::journal::FoldError) -> Self {
        Self { reason: error.to_string() }
    }
}
