//! Subscribing to the journal: every entry after it is durable, in order, from any position.

use std::collections::VecDeque;

use actix::Addr;
use futures_core::Stream;
use futures_util::stream;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::engine::error::ReadError;
use crate::engine::writer::{Ask, Writer, Written};
use crate::journal::{Entry, Position};
use crate::store::StoreError;

/// How many entries are read from the store at a time to catch up.
const PAGE: usize = 512;

/// What a subscriber gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// Where the entry stands in the journal.
    pub position: Position,
    /// The entry.
    pub entry: Entry,
}

/// Why a subscription has something else than an entry to say.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// The reader was too slow for the live feed. Nothing is lost: the next item is the entry at `next`, read from the
    /// store.
    #[error("too slow for the live feed; reading on from the store at entry {next}")]
    Lagged {
        /// The next entry.
        next: Position,
    },
    /// The store cannot be read; the subscription goes on trying with the next item.
    #[error(transparent)]
    Read(#[from] ReadError),
}

struct Reader {
    writer: Addr<Writer>,
    /// `None` when the engine had been shut down already.
    live: Option<broadcast::Receiver<Written>>,
    /// The next entry to be handed out.
    next: Position,
    ready: VecDeque<Entry>,
    /// How far the store has to be read before the live feed connects.
    behind: bool,
}

pub(crate) fn subscribe(
    writer: Addr<Writer>,
    live: Option<broadcast::Receiver<Written>>,
    from: Position,
) -> impl Stream<Item = Result<Published, SubscriptionError>> + Send {
    let reader = Reader { writer, live, next: from, ready: VecDeque::new(), behind: true };
    stream::unfold(reader, |mut reader| async move { reader.next().await.map(|item| (item, reader)) })
}

impl Reader {
    async fn next(&mut self) -> Option<Result<Published, SubscriptionError>> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                let position = self.next;
                self.next = position.plus(1);
                return Some(Ok(Published { position, entry }));
            }
            if self.behind {
                match self.catch_up().await {
                    Ok(()) => continue,
                    Err(ReadError::Stopped) => return None,
                    Err(error) => return Some(Err(error.into())),
                }
            }
            match self.live.as_mut()?.recv().await {
                Ok(written) => self.take(&written),
                Err(RecvError::Lagged(_)) => {
                    self.behind = true;
                    return Some(Err(SubscriptionError::Lagged { next: self.next }));
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Reads a page from the store; at its end the live feed connects, which was listened to all the while.
    async fn catch_up(&mut self) -> Result<(), ReadError> {
        let from = self.next;
        let (ask, answered) = Ask::new(move |store| store.read(from, PAGE));
        self.writer.try_send(ask).map_err(|_| ReadError::Stopped)?;
        let entries: Result<Vec<Entry>, StoreError> = answered.await.map_err(|_| ReadError::Stopped)?;
        let entries = entries?;
        self.behind = entries.len() == PAGE;
        self.ready.extend(entries);
        Ok(())
    }

    /// Takes what is new of a batch.
    fn take(&mut self, written: &Written) {
        let Written { first, records } = written;
        match self.next.0.checked_sub(first.0) {
            Some(known) => {
                let known = usize::try_from(known).unwrap_or(usize::MAX);
                self.ready.extend(records.iter().skip(known).map(|record| record.entry.clone()));
            }
            // A batch lies between: the store has it.
            None => self.behind = true,
        }
    }
}
