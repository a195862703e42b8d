//! Where the journal is kept: the [`Store`] trait, and a store in memory.

mod memory;

use std::ops::Range;
use std::sync::Arc;

pub use memory::MemoryStore;

use crate::journal::{Entry, Position, Record};
use crate::personal::{SaltedRecord, SourceKey};
use crate::ticket::{RequestId, TicketId, Version};

/// Keeps the journal. One thread owns it and calls it; it may block.
///
/// A batch is appended whole or not at all, and all that waits is given as one batch, so that a durable store pays for
/// one commit. Only after [`append`](Store::append) answered does anyone outside hear of the entries.
pub trait Store: Send + 'static {
    /// Appends a batch behind the last entry, whole or not at all; answers where its first entry stands.
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
