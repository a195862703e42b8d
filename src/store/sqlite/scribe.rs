//! The scribe: a thread that makes out texts ahead of the one that writes them into the file.

use std::ops::Range;
use std::sync::{Arc, mpsc};

use crate::journal::{EntryHash, Record, write_text};
use crate::store::StoreError;

/// For how many rows texts are made at a time. Those few are made at once: to hand them over would take as long.
pub(super) const LOT: usize = 32;

type Job = Box<dyn FnOnce() + Send>;

/// The thread; it ends with this.
#[derive(Debug)]
pub(super) struct Scribe {
    /// `None` where the system gives no thread: then everything is made at once.
    jobs: Option<mpsc::Sender<Job>>,
}

impl Scribe {
    pub(super) fn new() -> Self {
        let (jobs, given) = mpsc::channel::<Job>();
        let work = move || given.into_iter().for_each(|job| job());
        let thread = std::thread::Builder::new().name("nivaran-scribe".to_owned()).spawn(work);
        Self { jobs: thread.is_ok().then_some(jobs) }
    }

    /// What is made of each lot, in order. The next is made while the caller does something with the one before.
    pub(super) fn make<L: Send + 'static, T: Send + 'static>(
        &self,
        lots: impl ExactSizeIterator<Item = L>,
        make: fn(L) -> Result<T, StoreError>,
    ) -> impl Iterator<Item = Result<T, StoreError>> {
        let count = lots.len();
        let (made, ready) = mpsc::channel();
        for lot in lots {
            let made = made.clone();
            // Whoever no longer wants it has met an error.
            let job: Job = Box::new(move || drop(made.send(make(lot))));
            match &self.jobs {
                Some(jobs) if count > 1 => jobs.send(job).unwrap_or_else(|mpsc::SendError(job)| job()),
                _ => job(),
            }
        }
        let died = || StoreError { reason: "the thread that makes out texts died".to_owned() };
        (0..count).map(move |_| ready.recv().unwrap_or_else(|_| Err(died())))
    }
}

/// The texts of some records, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Texts {
    all: String,
    places: Vec<Places>,
}

#[derive(Debug)]
struct Places {
    entry: Range<usize>,
    /// The hash of the entry's text as it is, for one that links to none before it.
    hash: Option<EntryHash>,
    personal: Option<Range<usize>>,
}

/// What is to be written of one record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    /// The entry, not linked yet.
    pub(super) entry: &'a str,
    /// Its hash, if it links to none.
    pub(super) hash: Option<EntryHash>,
    pub(super) personal: Option<&'a str>,
}

impl Texts {
    /// Those of a part of a batch.
    pub(super) fn of((batch, part): (Arc<Vec<Record>>, Range<usize>)) -> Result<Self, StoreError> {
        let mut all = Vec::new();
        let mut places = Vec::with_capacity(part.len());
        for record in batch.get(part).unwrap_or_default() {
            let begin = all.len();
            write_text(&record.entry, &mut all)?;
            let entry = begin..all.len();
            let links = record.entry.ticket().is_some_and(|entry| entry.version.0 > 1);
            let hash = (!links).then(|| EntryHash::of_bytes(&all[entry.clone()]));
            let personal = match &record.personal {
                Some(personal) => {
                    serde_json::to_writer(&mut all, personal.record()).map_err(|error| StoreError {
                        reason: format!("a personal record cannot be written: {error}"),
                    })?;
                    Some(entry.end..all.len())
                }
                None => None,
            };
            places.push(Places { entry, hash, personal });
        }
        let all = String::from_utf8(all).map_err(|error| StoreError { reason: error.utf8_error().to_string() })?;
        Ok(Self { all, places })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Text<'_>> {
        self.places.iter().map(|places| Text {
            entry: &self.all[places.entry.clone()],
            hash: places.hash,
            personal: places.personal.clone().map(|personal| &self.all[personal]),
        })
    }
}

/// The parts of a batch for each of which texts are made at a time.
pub(super) fn parts(batch: &Arc<Vec<Record>>) -> impl ExactSizeIterator<Item = (Arc<Vec<Record>>, Range<usize>)> {
    let len = batch.len();
    (0..len.div_ceil(LOT)).map(move |n| (Arc::clone(batch), n * LOT..len.min((n + 1) * LOT)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double(n: u32) -> Result<u32, StoreError> {
        assert_ne!(n, 13, "unlucky");
        if n > 1_000 { Err(StoreError { reason: "too large".to_owned() }) } else { Ok(2 * n) }
    }

    #[test]
    fn all_lots_come_back_in_order() {
        let scribe = Scribe::new();
        for count in [0, 1, 2, 12] {
            let made: Vec<u32> = scribe.make(0..count, double).take(count as usize).map(Result::unwrap).collect();
            assert_eq!(made, (0..count).map(|n| 2 * n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_error_is_that_of_its_lot_and_the_rest_may_be_left() {
        let scribe = Scribe::new();
        let mut made = scribe.make([1, 2_000, 3].into_iter(), double);
        assert_eq!(made.next(), Some(Ok(2)));
        assert!(matches!(made.next(), Some(Err(_))));
        drop(made);
        assert_eq!(scribe.make([4, 5].into_iter(), double).last(), Some(Ok(10)));
    }

    #[test]
    fn a_scribe_that_died_is_told_once_and_then_done_without() {
        let scribe = Scribe::new();
        let mut made = scribe.make([12, 13, 14].into_iter(), double);
        assert_eq!(made.next(), Some(Ok(24)));
        assert!(made.next().unwrap().unwrap_err().reason.contains("died"));
        drop(made);
        // It may take a moment until nobody takes jobs any more.
        while scribe.make([1, 2].into_iter(), double).any(|made| made.is_err()) {}
        assert_eq!(scribe.make([1, 2, 3].into_iter(), double).collect::<Vec<_>>(), [Ok(2), Ok(4), Ok(6)]);
    }
}
