//! A store in memory: for tests, simulations and trying things out. A clone is the same store.

use std::collections::{BTreeMap, HashMap};
use std::ops::{Bound, Range};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::FixedState;

use super::{AppendError, Lifetime, Store, StoreError};
use crate::journal::{Entry, Erased, Position, Record, TicketEntry, fold};
use crate::personal::{KeyCheck, SaltedRecord, SourceKey};
use crate::ticket::{RequestId, State, TicketEvent, TicketId, Version};

/// A journal in memory. Clones share it, so that an engine can be stopped and another started on the same journal.
///
/// It keeps the batches as they were given and makes its indexes only when something is looked up.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Shelf>>);

#[derive(Debug, Default)]
struct Shelf {
    batches: Vec<(Position, Arc<Vec<Record>>)>,
    end: Position,
    reserved: u64,
    indexed: usize,
    by_ticket: HashMap<TicketId, Vec<(usize, usize)>, FixedState>,
    by_source: BTreeMap<SourceKey, TicketId>,
    key: Option<KeyCheck>,
    erased: u64,
}

impl MemoryStore {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // Every change is made whole under the lock, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn indexed(&self) -> MutexGuard<'_, Shelf> {
        let mut shelf = self.shelf();
        shelf.index();
        shelf
    }
}

impl Shelf {
    fn index(&mut self) {
        let Self { batches, indexed, by_ticket, by_source, .. } = self;
        for (b, (_, batch)) in batches.iter().enumerate().skip(*indexed) {
            for (r, record) in batch.iter().enumerate() {
                let Some(entry) = record.entry.ticket() else { continue };
                by_ticket.entry(entry.ticket).or_default().push((b, r));
                if let Some(TicketEvent::Received { filing, .. }) = entry.events.first() {
                    for source in filing.sources() {
                        by_source.insert(source, entry.ticket);
                    }
                }
            }
        }
        *indexed = batches.len();
    }

    fn records(&self, ticket: TicketId) -> impl Iterator<Item = &Record> {
        let places = self.by_ticket.get(&ticket).map_or(&[][..], Vec::as_slice);
        places.iter().map(|&(b, r)| &self.batches[b].1[r])
    }

    /// Takes the personal records that an erasure names, as far as they stand before it.
    fn erase(&mut self, of: Erased, before: (usize, usize)) {
        self.index();
        let is_meant = |(_, places): &(&TicketId, &Vec<(usize, usize)>)| {
            let earlier = places.iter().filter(|place| **place < before);
            let ticket = fold(earlier.filter_map(|&(b, r)| self.batches[b].1[r].entry.ticket()));
            match (of, ticket) {
                (Erased::Author(author), Ok(Some(ticket))) => ticket.filing().author == Some(author),
                (Erased::ClosedBefore(time), Ok(Some(ticket))) => {
                    matches!(ticket.state(), State::Closed { at, .. } if *at < time)
                }
                _ => false,
            }
        };
        let meant = self.by_ticket.iter().filter(is_meant).flat_map(|(_, places)| places);
        let meant: Vec<(usize, usize)> = meant.copied().filter(|place| *place < before).collect();
        for (b, r) in meant {
            // Whoever still has the batch in hand keeps its own.
            let record = &mut Arc::make_mut(&mut self.batches[b].1)[r];
            self.erased += u64::from(record.personal.take().is_some());
        }
    }

    fn entries(&self, ticket: TicketId) -> impl Iterator<Item = (&TicketEntry, &Record)> {
        self.records(ticket).filter_map(|record| record.entry.ticket().map(|entry| (entry, record)))
    }
}

impl Store for MemoryStore {
    fn append(&mut self, batch: &Arc<Vec<Record>>) -> Result<Position, AppendError> {
        let mut shelf = self.shelf();
        let first = shelf.end;
        shelf.batches.push((first, Arc::clone(batch)));
        shelf.end = first.plus(batch.len() as u64);
        let last = shelf.batches.len() - 1;
        for (r, record) in batch.iter().enumerate() {
            if let Entry::Erased(erasure) = &record.entry {
                shelf.erase(erasure.of, (last, r));
            }
        }
        Ok(first)
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn end(&mut self) -> Result<Position, StoreError> {
        Ok(self.shelf().end)
    }

    fn read(&mut self, from: Position, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let shelf = self.shelf();
        let batch = shelf.batches.partition_point(|(first, batch)| first.plus(batch.len() as u64) <= from);
        let skip = shelf.batches.get(batch).map_or(0, |(first, _)| from.0.saturating_sub(first.0));
        let rest = shelf.batches.iter().skip(batch).flat_map(|(_, batch)| batch.iter());
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        Ok(rest.skip(skip).take(limit).map(|record| record.entry.clone()).collect())
    }

    fn history(&mut self, ticket: TicketId) -> Result<Vec<Entry>, StoreError> {
        Ok(self.indexed().records(ticket).map(|record| record.entry.clone()).collect())
    }

    fn personal(&mut self, ticket: TicketId) -> Result<Vec<(Version, SaltedRecord)>, StoreError> {
        let shelf = self.indexed();
        let rows = shelf
            .entries(ticket)
            .filter_map(|(entry, record)| Some((entry.version, SaltedRecord::clone(record.personal.as_ref()?))));
        Ok(rows.collect())
    }

    fn sources(&mut self, sources: &[SourceKey]) -> Result<Vec<Option<TicketId>>, StoreError> {
        let shelf = self.indexed();
        Ok(sources.iter().map(|source| shelf.by_source.get(source).copied()).collect())
    }

    fn requests(&mut self, requests: &[(TicketId, RequestId)]) -> Result<Vec<Option<Version>>, StoreError> {
        let shelf = self.indexed();
        let version = |&(ticket, request): &(TicketId, RequestId)| {
            shelf.entries(ticket).find(|(entry, _)| entry.request == Some(request)).map(|(entry, _)| entry.version)
        };
        Ok(requests.iter().map(version).collect())
    }

    fn tickets(&mut self, after: Option<TicketId>, limit: usize) -> Result<Vec<TicketId>, StoreError> {
        let shelf = self.indexed();
        let mut tickets: Vec<_> = shelf.by_ticket.keys().copied().filter(|id| Some(*id) > after).collect();
        tickets.sort_unstable();
        tickets.truncate(limit);
        Ok(tickets)
    }

    fn reserve(&mut self, count: u32) -> Result<Range<u64>, StoreError> {
        let mut shelf = self.shelf();
        // The first running number is 1.
        let from = shelf.reserved + 1;
        shelf.reserved += u64::from(count);
        Ok(from..from + u64::from(count))
    }

    fn sources_after(&mut self, after: Option<SourceKey>, limit: usize) -> Result<Vec<SourceKey>, StoreError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self.indexed().by_source.range((from, Bound::Unbounded)).map(|(key, _)| *key).take(limit).collect())
    }

    fn scrub(&mut self) -> Result<u64, StoreError> {
        Ok(std::mem::take(&mut self.shelf().erased))
    }

    fn first_key(&mut self, key: KeyCheck) -> Result<KeyCheck, StoreError> {
        Ok(*self.shelf().key.get_or_insert(key))
    }

    fn lifetime(&self) -> Lifetime {
        Lifetime::Process
    }
}
