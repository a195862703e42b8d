//! The two stores are one contract: whatever one answers, the other answers too.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod journals;
mod support;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, LazyLock};

use jiff::{SignedDuration, Timestamp};
use journals::*;
use nivaran::journal::{Entry, Erased, Erasure, Format, Position, Record, Standing, fold};
use nivaran::personal::{AuthorKey, SourceKey};
use nivaran::store::sqlite::SqliteStore;
use nivaran::store::{AppendError, Changed, StoreError};
use nivaran::ticket::{Origin, TicketEvent};
use nivaran::{Author, Channel, MemoryStore, RequestId, State, Store, Ticket, TicketId, Verdict};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use support::*;

/// What a few engines wrote.
static JOURNALS: LazyLock<Vec<Vec<Record>>> = LazyLock::new(|| (0..3).map(|seed| busy(seed, 200)).collect());

fn author(n: u64) -> AuthorKey {
    key().author(&Author::new(Channel::X, &format!("citizen-{n}")))
}

#[derive(Debug, Clone)]
enum Op {
    /// Appends so many records as one batch.
    Append(usize),
    /// Appends so many with an erasure among them, behind the first so many: of an author.
    EraseAuthor(usize, usize, u64),
    /// The same, of what was closed before the time at which one of the tickets closed, and so many nanoseconds.
    EraseOld(usize, usize, usize, i64),
    Keep,
    Standing,
    Reserve(u32),
    Scrub,
    Reopen,
    /// Drops the store without another word, and opens the file again.
    Restart,
}

fn op() -> impl Strategy<Value = Op> {
    let nanos = prop_oneof![Just(-1), Just(0), Just(1), Just(400_000_000), -2_000_000_000_i64..2_000_000_000];
    prop_oneof![
        10 => (1..25_usize).prop_map(Op::Append),
        3 => (0..12_usize, 0..12_usize, 0..6_u64).prop_map(|(count, at, of)| Op::EraseAuthor(count, at, of)),
        3 => (0..12_usize, 0..12_usize, 0..1_000_usize, nanos)
            .prop_map(|(count, at, which, nanos)| Op::EraseOld(count, at, which, nanos)),
        3 => Just(Op::Keep),
        1 => Just(Op::Standing),
        1 => (0..5_u32).prop_map(Op::Reserve),
        1 => Just(Op::Scrub),
        1 => Just(Op::Reopen),
        2 => Just(Op::Restart),
    ]
}

/// What is asked besides, differently each time.
#[derive(Debug, Clone)]
struct Look {
    from: u64,
    limit: usize,
    ticket: u64,
}

fn look() -> impl Strategy<Value = Look> {
    (0..500_u64, prop_oneof![0..12_usize, Just(usize::MAX)], 0..80_u64).prop_map(|(from, limit, ticket)| Look {
        from,
        limit,
        ticket,
    })
}

struct Both {
    folder: Folder,
    index_every: usize,
    memory: MemoryStore,
    sqlite: Option<SqliteStore>,
    standing: Standing,
    reserved: u64,
    changed: BTreeSet<TicketId>,
    now: Timestamp,
}

impl Both {
    fn new(index_every: usize) -> Self {
        let folder = Folder::new();
        let sqlite = Some(SqliteStore::open(folder.journal(), quick(index_every)).unwrap());
        let (memory, standing, changed) = (MemoryStore::new(), Standing::default(), BTreeSet::new());
        Self { folder, index_every, memory, sqlite, standing, reserved: 0, changed, now: at(0) }
    }

    fn sqlite(&mut self) -> &mut SqliteStore {
        self.sqlite.as_mut().unwrap()
    }

    fn append(&mut self, batch: Vec<Record>) {
        if batch.is_empty() {
            return;
        }
        // Numbers are set aside before tickets get them.
        let highest = batch.iter().filter_map(|record| Some(record.entry.ticket()?.ticket.number())).max();
        self.reserve(highest.unwrap_or_default().saturating_sub(self.reserved) as u32);
        let batch = Arc::new(batch);
        let first = self.memory.append(&batch).unwrap();
        assert_eq!(self.sqlite().append(&batch), Ok(first));
        for record in batch.iter() {
            self.now = self.now.max(record.entry.at());
            let history = match self.standing.lacks(&record.entry) {
                Some(ticket) => self.memory.history(ticket).unwrap(),
                None => Vec::new(),
            };
            self.standing.take(&record.entry, history.iter().filter_map(Entry::ticket)).unwrap();
            self.changed.extend(record.entry.ticket().map(|entry| entry.ticket));
        }
    }

    fn reserve(&mut self, count: u32) {
        let block = self.memory.reserve(count).unwrap();
        assert_eq!(block, self.reserved + 1..self.reserved + 1 + u64::from(count));
        self.reserved += u64::from(count);
        assert_eq!(self.sqlite().reserve(count), Ok(block));
    }

    fn ticket(&mut self, id: TicketId) -> Ticket {
        let history = self.memory.history(id).unwrap();
        fold(history.iter().filter_map(Entry::ticket)).unwrap().unwrap()
    }

    fn erasure(&self, of: Erased) -> Record {
        let entry = Entry::Erased(Erasure { format: Format, of, at: self.now, by: Some(officer("cms")) });
        Record { entry, personal: None }
    }

    fn keep(&mut self) {
        let mut changed = Vec::new();
        for id in std::mem::take(&mut self.changed) {
            let ticket = self.ticket(id);
            changed.push(match ticket.state() {
                State::Closed { at, .. } => Changed::Closed(id, *at),
                _ => Changed::Open(Box::new(ticket)),
            });
        }
        let (end, bearings) = (self.standing.end, self.standing.bearings.clone());
        self.sqlite().keep(end, &bearings, changed).unwrap();
    }

    fn erase(&mut self, of: Erased, at: usize, records: impl Iterator<Item = Record>) {
        let mut batch: Vec<Record> = records.collect();
        let at = at.min(batch.len());
        batch.insert(at, self.erasure(of));
        self.append(batch);
    }

    fn carry_out(&mut self, op: &Op, records: &mut dyn Iterator<Item = Record>) {
        match *op {
            Op::Append(count) => self.append(records.take(count).collect()),
            Op::EraseAuthor(count, at, of) => self.erase(Erased::Author(author(of)), at, records.take(count)),
            Op::EraseOld(count, at, which, nanos) => {
                let closed: Vec<Timestamp> = self.standing.closed.values().copied().collect();
                let base = if closed.is_empty() { self.now } else { closed[which % closed.len()] };
                let of = Erased::ClosedBefore(base + SignedDuration::from_nanos(nanos));
                self.erase(of, at, records.take(count));
            }
            Op::Keep => self.keep(),
            Op::Standing => {}
            Op::Reserve(count) => self.reserve(count),
            Op::Scrub => {
                let count = self.memory.scrub().unwrap();
                assert_eq!(self.sqlite().scrub(), Ok(count), "records erased since the last time");
            }
            Op::Reopen => self.sqlite().reopen().unwrap(),
            Op::Restart => {
                self.sqlite = None;
                self.sqlite = Some(SqliteStore::open(self.folder.journal(), quick(self.index_every)).unwrap());
                // Opening leaves no copies, so what was erased before is not counted any more.
                self.memory.scrub().unwrap();
                self.changed.clear();
            }
        }
        if matches!(op, Op::Standing | Op::Restart | Op::Reopen) {
            self.same_standing();
        }
    }

    fn same_standing(&mut self) {
        let standing = self.same("how it stands", |store| store.standing().map(|s| (s.end, s.bearings, s.open)));
        let ours = &self.standing;
        assert!(
            standing == (ours.end, ours.bearings.clone(), ours.open.clone()),
            "how it stands is not what was folded"
        );
    }

    fn same<T: PartialEq + Debug>(&mut self, what: &str, ask: impl Fn(&mut dyn Store) -> Result<T, StoreError>) -> T {
        let answer = ask(&mut self.memory).unwrap();
        let other = ask(self.sqlite()).unwrap();
        assert!(answer == other, "{what}: {answer:?} in memory, {other:?} in the file");
        answer
    }

    /// Everything that can be asked in few questions, and a bit of the rest.
    fn compare(&mut self, look: &Look) {
        let limit = look.limit;
        self.same("where it ends", |store| store.end());
        self.same("a page", |store| store.read(Position(look.from), limit));
        self.same("tickets", |store| store.tickets(TicketId::from_number(look.ticket), limit));
        let all = self.same("all sources", |store| store.sources_after(None, usize::MAX));
        let after = all.get(look.ticket as usize).copied();
        self.same("sources", |store| store.sources_after(after, limit));
        let some = [all.first().copied(), Some(unknown()), after];
        let some: Vec<SourceKey> = some.into_iter().flatten().collect();
        self.same("tickets of posts", |store| store.sources(&some));
        let id = TicketId::from_number(look.ticket + 1).unwrap();
        self.same("a history", |store| store.history(id));
        self.same("personal records", |store| store.personal(id));
        self.same("acts", |store| store.requests(&[(id, RequestId(look.from.into())), (id, RequestId(7))]));
    }

    /// Everything that can be asked.
    fn compare_all(&mut self) {
        let entries = self.same("the journal", |store| store.read(Position(0), usize::MAX));
        let sources = self.same("all sources", |store| store.sources_after(None, usize::MAX));
        self.same("tickets of posts", |store| store.sources(&sources));
        let tickets = self.same("all tickets", |store| store.tickets(None, usize::MAX));
        for id in tickets {
            self.same("a history", |store| store.history(id));
            let personal = self.same("personal records", |store| store.personal(id));
            assert!(personal.iter().all(|(_, record)| record.is_genuine()));
        }
        let asked = entries.iter().filter_map(Entry::ticket).filter_map(|entry| Some((entry.ticket, entry.request?)));
        let asked: Vec<(TicketId, RequestId)> = asked.collect();
        self.same("acts", |store| store.requests(&asked));
        self.same_standing();
    }
}

fn unknown() -> SourceKey {
    key().source(&source(99_999))
}

proptest! {
    #![proptest_config(Config { cases: 12, failure_persistence: None, rng_seed: RngSeed::Fixed(2022), ..Config::default() })]

    #[test]
    fn both_stores_answer_the_same_whatever_happens_to_them(
        which in 0..3_usize,
        index_every in prop_oneof![Just(1_usize), Just(2), Just(7), Just(40), Just(10_000)],
        ops in proptest::collection::vec((op(), look()), 1..60),
    ) {
        let mut both = Both::new(index_every);
        let mut records = JOURNALS[which].clone().into_iter();
        for (op, look) in &ops {
            both.carry_out(op, &mut records);
            both.compare(look);
        }
        both.compare_all();
        both.carry_out(&Op::Restart, &mut records);
        both.compare_all();
    }
}

#[test]
fn what_the_engines_wrote_has_everything_in_it() {
    // Otherwise the comparison would prove little.
    let events: Vec<TicketEvent> = (JOURNALS.iter().flatten().filter_map(|record| record.entry.ticket()))
        .flat_map(|entry| entry.events.clone())
        .collect();
    let count = |wanted: fn(&TicketEvent) -> bool| events.iter().filter(|event| wanted(event)).count();
    let follow_up = |event: &TicketEvent| matches!(event, TicketEvent::Received { origin: Origin::FollowUp(_), .. });
    let imported = |event: &TicketEvent| matches!(event, TicketEvent::Received { filing, .. } if filing.post.is_some());
    let closed = |event: &TicketEvent| matches!(event, TicketEvent::Closed { .. });
    let reopened = |event: &TicketEvent| matches!(event, TicketEvent::Reopened);
    let counts = [count(follow_up), count(imported), count(closed), count(reopened)];
    assert!(counts.iter().all(|count| *count >= 3), "follow-ups, imports, closed, reopened: {counts:?}");
}

#[test]
fn a_batch_with_a_gap_in_it_is_refused_whole() {
    let folder = Folder::new();
    let mut store = open(&folder.journal());
    let records = busy(1, 40);
    append(&mut store, &records[..10], 3);
    let later = |record: &&Record| record.entry.ticket().is_some_and(|entry| entry.version.0 > 1);
    let late = records[10..].iter().position(|record| later(&record)).unwrap() + 10;
    // The one that belongs before the last of these is left out, or the last stands there twice.
    let mut twice = records[10..=late].to_vec();
    twice.push(records[late].clone());
    for bad in [twice, vec![records[10].clone(), records[late].clone(), records[late].clone()]] {
        let refused = store.append(&Arc::new(bad));
        assert!(matches!(&refused, Err(AppendError::Refused { .. })), "{refused:?}");
        assert_eq!(store.end(), Ok(Position(10)));
        assert_eq!(store.read(Position(0), usize::MAX).unwrap().len(), 10);
    }
    append(&mut store, &records[10..], 1);
    drop(store);
    let entries: Vec<Entry> = records.into_iter().map(|record| record.entry).collect();
    assert_eq!(open(&folder.journal()).read(Position(0), usize::MAX), Ok(entries));
}

/// The records of a ticket that was closed and opened again, and where it was closed.
fn reopened() -> (Vec<Record>, usize) {
    let memory = MemoryStore::new();
    let engine = start(&memory);
    block_on(async {
        let ticket = resolved(&engine, 1, HISAR).await;
        engine.feedback(feedback(ticket.id(), 1, Verdict::Satisfied)).await.unwrap();
        let again = feedback(ticket.id(), 1, Verdict::NotSatisfied).reason(words("It flows again."));
        engine.feedback(again).await.unwrap();
        engine.shutdown().await;
    });
    let records = records(&mut memory.clone());
    let closes = |event: &TicketEvent| matches!(event, TicketEvent::Closed { .. });
    let closed = records.iter().position(|r| r.entry.ticket().is_some_and(|entry| entry.events.iter().any(closes)));
    (records, closed.unwrap())
}

#[test]
fn a_reopened_ticket_keeps_its_records_also_when_the_store_was_not_told_that_it_is_open() {
    let (records, closed) = reopened();
    for restarts in [false, true] {
        let mut both = Both::new(1_000);
        both.append(records[..=closed].to_vec());
        both.keep();
        if restarts {
            both.carry_out(&Op::Restart, &mut std::iter::empty());
        }
        both.append(records[closed + 1..].to_vec());
        both.append(vec![both.erasure(Erased::ClosedBefore(at(100)))]);
        assert_eq!(both.sqlite().personal(id(1)).unwrap().len(), 3);
        both.compare_all();
        // Closed and told so, it is erased after all.
        both.carry_out(&Op::Restart, &mut std::iter::empty());
        both.compare_all();
    }
}

#[test]
fn a_ticket_of_which_the_store_was_not_told_that_it_is_closed_is_erased_the_next_time() {
    let (records, closed) = reopened();
    let mut both = Both::new(1_000);
    both.append(records[..=closed].to_vec());
    let erasure = both.erasure(Erased::ClosedBefore(at(100)));
    both.sqlite().append(&Arc::new(vec![erasure.clone()])).unwrap();
    drop(both.sqlite.take());
    both.sqlite = Some(open(&both.folder.journal()));
    both.sqlite().append(&Arc::new(vec![erasure])).unwrap();
    assert_eq!(both.sqlite().personal(id(1)), Ok(Vec::new()));
}
