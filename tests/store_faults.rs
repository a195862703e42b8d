//! Faults at every call of the store in turn, on a real file: no panic, no hang, every answer is true, and what the
//! engine has in memory is what the file says.
//!
//! `NIVARAN_FAULTS` sets how many of the faults each call meets (2; 8 for all) and how many system calls fail in turn,
//! `NIVARAN_SEED` the load, `NIVARAN_FIRST` where to begin.
//! What is not shown here: a disk that lies about what it has written, which no program can tell.
#![cfg(all(unix, feature = "sqlite"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod fileproof;
mod mixed_load;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fileproof::{Found, Proof};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use mixed_load::child::{self, Folder, Orders, Running};
use mixed_load::{Ear, Load, Told, clock_from};
use nivaran::engine::{ActorName, Failure, Mode};
use nivaran::journal::{Bearings, Entry, Erased, Erasure, Format, Position, Record, Standing};
use nivaran::personal::{KeyCheck, SaltedRecord, SourceKey};
use nivaran::store::sqlite::{OpenError, Settings, Synchronous};
use nivaran::store::{AppendError, BackupJob, Changed, Lifetime, SqliteStore, StoreError};
use nivaran::ticket::{RequestId, Version};
use nivaran::{ActError, Engine, Limits, ManualClock, MemoryStore, Store, SubmitError, TicketId, Verdict};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use support::*;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |given| given.parse().expect("a number is given"))
}

// ---- a store that goes wrong at one of its calls ---------------------------------------------------------------------

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// It is refused and nothing is done.
    Refuse,
    /// It fails, and nothing is done; of a batch it is not known.
    Lose,
    /// It is done, and fails all the same; of a batch it is not known.
    Hide,
    /// The same; then it does not open again at first, and cannot be read at the second try.
    HideAndStayShut,
    /// It takes long.
    Delay,
    /// It panics before anything is done.
    PanicBefore,
    /// It panics when it is done.
    PanicAfter,
    /// It and the next four calls are refused.
    RefuseFive,
    /// All calls from it on fail, and the store never opens again.
    Die,
}

/// Those that pass.
const FAULTS: [Fault; 8] = [
    Fault::Refuse,
    Fault::Hide,
    Fault::Lose,
    Fault::PanicBefore,
    Fault::RefuseFive,
    Fault::PanicAfter,
    Fault::Delay,
    Fault::HideAndStayShut,
];

/// What is to happen, and what has.
#[derive(Debug, Default)]
struct Plan {
    calls: u64,
    called: BTreeSet<&'static str>,
    /// Which call meets which fault.
    at: Option<(u64, Fault)>,
    /// Which call it was.
    met: Option<&'static str>,
    /// Nothing may be asked before it is opened again.
    to_reopen: bool,
    failing_reopens: u64,
    failing_ends: u64,
    panics: u64,
    /// Calls that came although it had to be opened again first.
    strays: Vec<&'static str>,
}

/// A journal's file behind a plan.
struct Faulty {
    inner: SqliteStore,
    plan: Arc<Mutex<Plan>>,
}

impl Faulty {
    /// What the next call meets.
    fn meets(&self, name: &'static str) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap();
        let n = plan.calls;
        plan.calls += 1;
        plan.called.insert(name);
        if plan.to_reopen && name != "reopen" {
            plan.strays.push(name);
        }
        if name == "reopen" && plan.failing_reopens > 0 {
            plan.failing_reopens -= 1;
            return Some(Fault::Refuse);
        }
        if name == "end" && plan.failing_ends > 0 {
            plan.failing_ends -= 1;
            return Some(Fault::Refuse);
        }
        let (at, fault) = plan.at?;
        let meets = match fault {
            Fault::RefuseFive => (at..at + 5).contains(&n),
            Fault::Die => n >= at,
            _ => n == at,
        };
        if !meets {
            return None;
        }
        plan.met.get_or_insert(name);
        match fault {
            Fault::HideAndStayShut if name == "append" => (plan.failing_reopens, plan.failing_ends) = (1, 1),
            Fault::PanicBefore | Fault::PanicAfter => plan.panics += 1,
            _ => {}
        }
        // Of a batch that is not known to be written, or on which it panicked.
        let unknown = !matches!(fault, Fault::Refuse | Fault::RefuseFive | Fault::Delay);
        plan.to_reopen |= unknown && name == "append";
        Some(fault)
    }

    fn call<T>(
        &mut self,
        name: &'static str,
        inner: impl FnOnce(&mut SqliteStore) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let wrong = || StoreError { reason: format!("{name}: input/output error") };
        match self.meets(name) {
            None => inner(&mut self.inner),
            Some(Fault::Refuse | Fault::RefuseFive | Fault::Lose | Fault::Die) => Err(wrong()),
            Some(Fault::Hide | Fault::HideAndStayShut) => inner(&mut self.inner).and_then(|_| Err(wrong())),
            Some(Fault::Delay) => {
                std::thread::sleep(Duration::from_millis(20));
                inner(&mut self.inner)
            }
            Some(Fault::PanicBefore) => panic!("a store that panics before it does anything"),
            Some(Fault::PanicAfter) => {
                drop(inner(&mut self.inner));
                panic!("a store that panics when it is done");
            }
        }
    }
}

impl Store for Faulty {
    fn append(&mut self, batch: &Arc<Vec<Record>>) -> Result<Position, AppendError> {
        let unknown = || AppendError::Unknown { reason: "append: input/output error".to_owned() };
        match self.meets("append") {
            None => self.inner.append(batch),
            Some(Fault::Refuse | Fault::RefuseFive) => {
                Err(AppendError::Refused { reason: "append: the disk is full".to_owned() })
            }
            Some(Fault::Lose | Fault::Die) => Err(unknown()),
            Some(Fault::Hide | Fault::HideAndStayShut) => self.inner.append(batch).and_then(|_| Err(unknown())),
            Some(Fault::Delay) => {
                std::thread::sleep(Duration::from_millis(20));
                self.inner.append(batch)
            }
            Some(Fault::PanicBefore) => panic!("a store that panics before it does anything"),
            Some(Fault::PanicAfter) => {
                drop(self.inner.append(batch));
                panic!("a store that panics when it is done");
            }
        }
    }
    fn reopen(&mut self) -> Result<(), StoreError> {
        self.call("reopen", SqliteStore::reopen)?;
        self.plan.lock().unwrap().to_reopen = false;
        Ok(())
    }
    fn end(&mut self) -> Result<Position, StoreError> {
        self.call("end", SqliteStore::end)
    }
    fn read(&mut self, from: Position, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.call("read", |store| store.read(from, limit))
    }
    fn history(&mut self, ticket: TicketId) -> Result<Vec<Entry>, StoreError> {
        self.call("history", |store| store.history(ticket))
    }
    fn personal(&mut self, ticket: TicketId) -> Result<Vec<(Version, SaltedRecord)>, StoreError> {
        self.call("personal", |store| store.personal(ticket))
    }
    fn sources(&mut self, sources: &[SourceKey]) -> Result<Vec<Option<TicketId>>, StoreError> {
        self.call("sources", |store| store.sources(sources))
    }
    fn requests(&mut self, requests: &[(TicketId, RequestId)]) -> Result<Vec<Option<Version>>, StoreError> {
        self.call("requests", |store| store.requests(requests))
    }
    fn tickets(&mut self, after: Option<TicketId>, limit: usize) -> Result<Vec<TicketId>, StoreError> {
        self.call("tickets", |store| store.tickets(after, limit))
    }
    fn reserve(&mut self, count: u32) -> Result<Range<u64>, StoreError> {
        self.call("reserve", |store| store.reserve(count))
    }
    fn sources_after(&mut self, after: Option<SourceKey>, limit: usize) -> Result<Vec<SourceKey>, StoreError> {
        self.call("sources_after", |store| store.sources_after(after, limit))
    }
    fn standing(&mut self) -> Result<Standing, StoreError> {
        self.call("standing", SqliteStore::standing)
    }
    fn keep(&mut self, end: Position, bearings: &Bearings, changed: Vec<Changed>) -> Result<(), StoreError> {
        self.call("keep", |store| store.keep(end, bearings, changed))
    }
    fn scrub(&mut self) -> Result<u64, StoreError> {
        self.call("scrub", SqliteStore::scrub)
    }
    fn first_key(&mut self, key: KeyCheck) -> Result<KeyCheck, StoreError> {
        self.call("first_key", |store| store.first_key(key))
    }
    fn lifetime(&self) -> Lifetime {
        Lifetime::Durable
    }
    fn backup(&mut self, to: PathBuf) -> Result<BackupJob, StoreError> {
        self.call("backup", |store| store.backup(to))
    }
}

// ---- one load under one fault ----------------------------------------------------------------------------------------

/// Limits so small that the store is asked all the time.
fn tight() -> (Settings, Limits) {
    let (mut settings, mut limits) = (Settings::default(), Limits::default());
    (settings.index_every, settings.checkpoint_pages) = (9, 16);
    (settings.spare_bytes, settings.cache_kib) = (0, 256);
    limits.keep_every = 7;
    limits.closed_in_memory = 1;
    limits.batch = 3;
    limits.numbers_at_a_time = 6;
    limits.remembered_sources = 40;
    limits.dates_at_a_time = 3;
    (settings, limits)
}

type Heard = Arc<Mutex<Vec<Told>>>;

/// A load that asks the store for everything that an engine asks it for.
async fn a_whole_load(engine: &Engine, clock: &ManualClock, folder: &Path, hear: &impl Ear, seed: u64) {
    let load = Load::new(engine, clock, folder.to_owned(), 0, Vec::new(), hear);
    join_all((9_000..9_006).map(|post| load.submit(post))).await;
    // Tickets that closed and left memory; one comes to life again, and its post comes again.
    let mut closed = Vec::new();
    for post in 9_000..9_003 {
        if let Ok(Some(ticket)) = engine.ticket_of(&source(post)).await
            && engine.act(withdraw(ticket.id(), post)).await.is_ok()
        {
            closed.push((post, ticket.id()));
        }
    }
    load.submit(9_000).await;
    for (post, ticket) in closed.into_iter().take(2) {
        let complaint = engine.feedback(feedback(ticket, post, Verdict::NotSatisfied));
        let meanwhile = engine.act(forward(ticket, POWER));
        drop(futures_util::join!(complaint, meanwhile));
        drop(engine.case_file(ticket, &officer("cms")).await);
    }
    load.import(1).await;
    drop(engine.erase(&author(9_003), None).await);
    load.read(&mut StdRng::seed_from_u64(seed)).await;
    load.copy().await;
    join_all((0..3).map(async |task| {
        let mut dice = StdRng::seed_from_u64(seed ^ (task << 56));
        for _ in 0..14 {
            load.step(&mut dice).await;
        }
    }))
    .await;
    join_all((9_010..9_014).map(|post| load.submit(post))).await;
}

/// Goes on as soon as the engine is no longer recovering; whether it serves.
fn settled(engine: &Engine) -> Result<(), String> {
    let mut mode = Mode::Serving;
    until("it serves, or says why not", || {
        mode = engine.health().mode;
        !matches!(mode, Mode::Recovering { .. })
    });
    match mode {
        Mode::Serving => Ok(()),
        Mode::Stopped { reason } => Err(reason),
        other => Err(format!("{other:?}")),
    }
}

/// Later calls work: a grievance for each desk is taken.
async fn serves(engine: &Engine, heard: &Heard, mut post: u64) {
    for to in BUSY {
        let mut tried = 0;
        let receipt = loop {
            match engine.submit(grievance(post, to)).await {
                Ok(receipt) => break receipt,
                // It may not have found its feet yet.
                Err(SubmitError::Failed(Failure::Recovering)) if tried < 1_000 => tried += 1,
                Err(error) => panic!("it says that it serves, and: {error}"),
            }
            tokio::task::yield_now().await;
        };
        let told = Told::Submitted { post, ticket: receipt.ticket, version: receipt.version };
        heard.lock().unwrap().push(told);
        post += 1;
    }
}

/// What came of a load under a fault.
#[derive(Debug, Clone)]
struct Came {
    /// The call that met the fault, if the load had so many.
    met: Option<&'static str>,
    /// All that the store was asked.
    called: BTreeSet<&'static str>,
    /// Why the engine stopped, or did not start.
    stopped: Option<String>,
}

fn one(path: &Path, at: u64, fault: Fault, seed: u64) -> Proof<Came> {
    let (mut settings, limits) = tight();
    settings.synchronous = Synchronous::Off;
    let plan = Arc::new(Mutex::new(Plan { at: Some((at, fault)), ..Plan::default() }));
    let folder = path.parent().unwrap();
    let heard = Heard::default();
    let clock = clock();
    let dice = &mut StdRng::seed_from_u64(at);
    let inner = SqliteStore::open(path, settings).map_err(|error| error.to_string())?;
    let starting = builder(Faulty { inner, plan: Arc::clone(&plan) }, &clock).limits(limits);
    // A store that panics while an engine is started panics on whoever starts it.
    let stopped = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| starting.start())) {
        Err(_) => Some("the store panicked at the start".to_owned()),
        Ok(Err(error)) => Some(error.to_string()),
        Ok(Ok(engine)) => block_on(async {
            let hear = |told: Told| heard.lock().unwrap().push(told);
            a_whole_load(&engine, &clock, folder, &hear, seed).await;
            engine.tick().await;
            if fault == Fault::RefuseFive {
                // What is left of the five.
                for post in 8_000..8_005 {
                    drop(engine.submit(any_grievance(post)).await);
                }
            }
            let stopped = settled(&engine).err();
            // Nothing goes wrong while it is looked at; what is left goes wrong at the end.
            let left = {
                let mut plan = plan.lock().unwrap();
                let left = plan.at.take().filter(|_| plan.met.is_none());
                left.map(|(at, fault)| (at.saturating_sub(plan.calls), fault))
            };
            if stopped.is_none() {
                serves(&engine, &heard, 7_000).await;
                let found = fileproof::read(path)?;
                found.holds(&heard.lock().unwrap())?;
                found.is_what_the_engine_says(&engine, dice, usize::MAX).await?;
                let told = heard.lock().unwrap().clone();
                found.is_answered_again(&engine, &told, dice, 20).await?;
            }
            let health = engine.health();
            let panics: BTreeMap<_, _> =
                health.panics.iter().filter(|(actor, _)| **actor != ActorName::Journal).collect();
            if !panics.is_empty() {
                return Err(format!("there were panics: {panics:?}"));
            }
            {
                let mut plan = plan.lock().unwrap();
                plan.at = left.map(|(left, fault)| (plan.calls + left, fault));
            }
            engine.shutdown().await;
            Ok(stopped)
        })?,
    };
    let plan = plan.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // One that is gone for good may be read: it says that it is.
    let strays = plan.strays.iter().filter(|call| fault != Fault::Die || **call == "keep" || **call == "append");
    if strays.count() > 0 {
        return Err(format!("it was asked {:?} when it had to be opened again first", plan.strays));
    }
    // Whatever it was: the next engine has all that was acknowledged, and goes on.
    goes_on(path, settings, &heard)?;
    Ok(Came { met: plan.met, called: plan.called.clone(), stopped })
}

/// Whether a file holds what was answered, and another engine goes on from it.
fn goes_on(path: &Path, settings: Settings, heard: &Heard) -> Proof<Found> {
    let dice = &mut StdRng::seed_from_u64(1);
    let mut store = SqliteStore::open(path, settings).map_err(|error| error.to_string())?;
    let told = heard.lock().unwrap().clone();
    let mut found = fileproof::read(path)?;
    found.holds(&told)?;
    found.is_what_the_store_says(&mut store, dice, 50)?;
    found.has_copies(path.parent().unwrap(), &told)?;
    let clock = clock_from(found.entries.last().map(Entry::at));
    let engine = builder(store, &clock).limits(tight().1).start().map_err(|error| error.to_string())?;
    block_on(async {
        engine.tick().await;
        serves(&engine, heard, 6_000).await;
        found.read_on(path)?;
        found.is_what_the_engine_says(&engine, dice, 10).await?;
        found.is_answered_again(&engine, &told, dice, 10).await?;
        engine.shutdown().await;
        Ok(found)
    })
}

/// All records of a journal, as they were appended.
fn records(store: &mut dyn Store) -> Vec<Record> {
    let entries = store.read(Position(0), usize::MAX).unwrap();
    let mut personal = BTreeMap::new();
    for id in store.tickets(None, usize::MAX).unwrap() {
        personal.extend(store.personal(id).unwrap().into_iter().map(|(version, record)| ((id, version), record)));
    }
    let record = |entry: Entry| {
        let personal = entry.ticket().and_then(|about| personal.remove(&(about.ticket, about.version)));
        Record { entry, personal: personal.map(Box::new) }
    };
    entries.into_iter().map(record).collect()
}

#[test]
fn an_erasure_by_age_takes_the_records_of_those_that_are_closed_also_where_nothing_was_kept_ready() {
    let folder = Folder::new("by-age");
    let mut memory = MemoryStore::new();
    let clock = clock();
    let engine = builder(memory.clone(), &clock).start().unwrap();
    let (stays_closed, opened_again) = block_on(async {
        let (stays, opens) = (closed(&engine, 1, HISAR).await.id(), closed(&engine, 2, HISAR).await.id());
        engine.shutdown().await;
        (stays, opens)
    });
    let closings = records(&mut memory);
    let engine = builder(memory.clone(), &clock).start().unwrap();
    block_on(engine.feedback(feedback(opened_again, 2, Verdict::NotSatisfied))).unwrap();
    block_on(engine.shutdown());
    let reopening = records(&mut memory).split_off(closings.len());

    let path = folder.file("journal");
    let mut store = SqliteStore::open(&path, tight().0).unwrap();
    store.append(&Arc::new(closings)).unwrap();
    drop(store);
    // Opened anew it knows both as closed. That one is opened again, and a third closes, is in the journal only.
    let mut store = SqliteStore::open(&path, tight().0).unwrap();
    store.append(&Arc::new(reopening)).unwrap();
    let other = MemoryStore::new();
    let engine = builder(other.clone(), &clock).start().unwrap();
    (0..2).for_each(|post| drop(block_on(submitted(&engine, 10 + post, HISAR))));
    let late = block_on(closed(&engine, 3, HISAR)).id();
    block_on(engine.shutdown());
    let late_records: Vec<Record> = records(&mut other.clone())
        .into_iter()
        .filter(|record| record.entry.ticket().is_some_and(|about| about.ticket == late))
        .collect();
    store.append(&Arc::new(late_records)).unwrap();

    let of = Erased::ClosedBefore(at(1_000));
    let erasure = Entry::Erased(Erasure { format: Format, of, at: at(1_000), by: None });
    store.append(&Arc::new(vec![Record { entry: erasure, personal: None }])).unwrap();
    for (id, left) in [(stays_closed, 0), (opened_again, 1), (late, 0)] {
        assert_eq!(store.personal(id).unwrap().len(), left, "records of {id}");
    }
    assert_eq!(store.scrub(), Ok(2));
    drop(store);
    let mut store = SqliteStore::open(&path, tight().0).unwrap();
    assert_eq!(store.personal(late).unwrap().len(), 0);
    assert_eq!(store.personal(opened_again).unwrap().len(), 1);
}

#[test]
fn a_ticket_that_should_come_to_life_as_the_store_cannot_be_read_stays_closed_until_it_is_asked_again() {
    let folder = Folder::new("came-to-life");
    let path = folder.file("journal");
    let (settings, limits) = tight();
    let plan = Arc::new(Mutex::new(Plan::default()));
    let inner = SqliteStore::open(&path, settings).unwrap();
    let engine = builder(Faulty { inner, plan: Arc::clone(&plan) }, &clock()).limits(limits).start().unwrap();
    let heard = Heard::default();
    block_on(async {
        let first = closed(&engine, 1, HISAR).await;
        closed(&engine, 2, HISAR).await;
        {
            // The dispatcher reads the ticket, then the journal's writer does, before it appends anything.
            let mut plan = plan.lock().unwrap();
            plan.at = Some((plan.calls + 1, Fault::Refuse));
        }
        let complaint = || engine.feedback(feedback(first.id(), 1, Verdict::NotSatisfied));
        let refused = complaint().await;
        assert!(matches!(refused, Err(ActError::Failed(Failure::NotStored { .. }))), "{refused:?}");
        assert_eq!(plan.lock().unwrap().met, Some("history"));
        settled(&engine).unwrap();
        assert!(!ticket(&engine, first.id()).await.state().kind().is_open());
        complaint().await.unwrap();
        let reopened = ticket(&engine, first.id()).await;
        assert!(reopened.state().kind().is_open());
        at_its_desk(&engine, &reopened).await;
        engine.shutdown().await;
    });
    goes_on(&path, settings, &heard).unwrap();
}

/// How often each call met each fault, and why engines stopped by it.
type Tried = BTreeMap<(&'static str, Fault), (u64, BTreeSet<String>)>;

#[test]
fn whatever_goes_wrong_at_any_call_of_the_store_every_answer_is_true_and_memory_is_what_the_file_says() {
    quiet_about_planned_panics();
    let folder = Folder::new("faults");
    let kinds = number("NIVARAN_FAULTS", 2).min(FAULTS.len() as u64);
    let seed = number("NIVARAN_SEED", 7);
    let next = AtomicU64::new(number("NIVARAN_FIRST", 0));
    let tried: Mutex<Tried> = Mutex::default();
    let called: Mutex<BTreeSet<&'static str>> = Mutex::default();
    let calls = AtomicU64::new(0);
    let work = || {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let (at, turn) = (n / kinds, n % kinds);
            let fault = FAULTS[((at + turn * 3) % FAULTS.len() as u64) as usize];
            let path = folder.file(&format!("{n}")).join("journal");
            std::fs::create_dir(path.parent().unwrap()).unwrap();
            let came = {
                let path = path.clone();
                watched(
                    format!("NIVARAN_SEED={seed} NIVARAN_FAULTS={kinds} NIVARAN_FIRST={n}: call {at}, {fault:?}"),
                    move || one(&path, at, fault, seed),
                )
            };
            std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
            called.lock().unwrap().extend(came.called);
            let Some(met) = came.met else { return };
            calls.fetch_max(at + 1, Ordering::Relaxed);
            let mut tried = tried.lock().unwrap();
            let (times, reasons) = tried.entry((met, fault)).or_default();
            *times += 1;
            reasons.extend(came.stopped);
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        work();
        other.join().unwrap();
    });
    let tried = tried.into_inner().unwrap();
    let faults: u64 = tried.values().map(|(times, _)| times).sum();
    println!("{faults} faults at {} calls of the store", calls.into_inner());
    for ((call, fault), (times, reasons)) in &tried {
        println!("  {call} {fault:?}: {times}, stopped: {reasons:?}");
    }
    let called = called.into_inner().unwrap();
    for call in
        "append reopen end read history personal sources tickets reserve sources_after standing keep scrub first_key backup"
            .split(' ')
    {
        assert!(called.contains(call), "the load never asks for {call}");
    }
}

#[test]
fn an_engine_whose_store_is_gone_for_good_stops_and_says_why_and_the_next_has_all_that_was_acknowledged() {
    let folder = Folder::new("gone");
    let calls = [0, 4, 20, 50];
    std::thread::scope(|scope| {
        for at in calls {
            let path = folder.file(&at.to_string()).join("journal");
            std::fs::create_dir(path.parent().unwrap()).unwrap();
            scope.spawn(move || {
                let came = watched(format!("gone at call {at}"), move || one(&path, at, Fault::Die, 11));
                assert!(came.met.is_some(), "the load has no call {at}");
                assert!(came.stopped.is_some_and(|reason| reason.contains("error")), "gone at call {at}");
            });
        }
    });
}

// ---- disks that fail -------------------------------------------------------------------------------------------------

/// What a child is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Role {
    /// Fill the small disk that the journal is on, and make room again.
    FillTheDisk,
    /// Take a load while system calls fail.
    GoOn,
    /// Open the file while system calls fail.
    Open,
}

const CHILD: &str = "a_child_takes_a_load_on_a_disk_that_fails";

#[test]
#[ignore = "it is the child of the tests of this file, and does nothing by itself"]
fn a_child_takes_a_load_on_a_disk_that_fails() {
    let Some(orders) = child::orders::<Role>() else { return };
    match orders.more {
        Role::FillTheDisk => fill_the_disk(&orders.path),
        Role::GoOn => block_on(go_on(&orders)),
        Role::Open => child::tell(&match SqliteStore::open(&orders.path, tight().0) {
            Ok(_) => Told::Started,
            Err(error) => Told::NotStarted(error.to_string()),
        }),
    }
}

/// An ear that tells the parent and remembers.
fn ear(heard: &Heard) -> impl Fn(Told) + Send + Sync + use<> {
    let heard = Arc::clone(heard);
    move |told| {
        child::tell(&told);
        heard.lock().unwrap().push(told);
    }
}

/// Takes a load as well as it goes, and starts again where it did not start.
async fn go_on(orders: &Orders<Role>) {
    let (mut settings, limits) = tight();
    settings.spare_bytes = 100_000;
    let heard = Heard::default();
    let hear = ear(&heard);
    for _ in 0..10 {
        hear(Told::Opening);
        let clock = clock();
        let opened = SqliteStore::open(&orders.path, settings).map_err(|error| error.to_string());
        let started =
            opened.and_then(|store| builder(store, &clock).limits(limits).start().map_err(|error| error.to_string()));
        let engine = match started {
            Ok(engine) => engine,
            Err(error) => {
                hear(Told::NotStarted(error));
                continue;
            }
        };
        hear(Told::Started);
        a_whole_load(&engine, &clock, orders.path.parent().unwrap(), &hear, orders.seed).await;
        engine.tick().await;
        let mode = match settled(&engine) {
            Ok(()) => {
                let dice = &mut StdRng::seed_from_u64(orders.seed);
                let said = async {
                    let found = fileproof::read(&orders.path)?;
                    found.holds(&heard.lock().unwrap())?;
                    found.is_what_the_engine_says(&engine, dice, usize::MAX).await
                };
                let rebuilt = engine.health().rebuilt;
                let said = said.await;
                match said {
                    // Where every write fails it recovers again and again, and refuses what it is asked meanwhile.
                    Err(_) if rebuilt != engine.health().rebuilt => "recovering".to_owned(),
                    Err(wrong) => {
                        hear(Told::Fault(wrong));
                        "serving".to_owned()
                    }
                    Ok(()) => "serving".to_owned(),
                }
            }
            Err(reason) => format!("stopped: {reason}"),
        };
        if !engine.health().panics.is_empty() {
            hear(Told::Fault(format!("there were panics: {:?}", engine.health().panics)));
        }
        hear(Told::Stopping);
        engine.shutdown().await;
        hear(Told::Ended(mode));
        return;
    }
    hear(Told::Ended("it never started".to_owned()));
}

/// Whether system calls can be made to fail here.
fn can_trace() -> bool {
    let under = under_strace("fsync", "EIO", "1");
    let traced = std::process::Command::new(&under[0]).args(&under[1..]).arg("true").output();
    let can = traced.is_ok_and(|output| output.status.success());
    if !can {
        println!("SKIPPED: there is no strace here, or it may not trace; no system calls fail");
    }
    can
}

/// What a program is run under, so that its system calls fail.
fn under_strace(call: &str, error: &str, when: &str) -> Vec<String> {
    let inject = format!("inject={call}:error={error}:when={when}");
    let trace = format!("trace={call}");
    let words = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    words.map(str::to_owned).to_vec()
}

/// Calls of the system that fail, the error, and which of each thread's calls: the third, the third and all after it.
fn failing_system_calls() -> Vec<(&'static str, &'static str, String)> {
    let mut failing = Vec::new();
    for nth in 1..=number("NIVARAN_FAULTS", 2) {
        // Small numbers are met as the file is opened, large ones by the journal's writer.
        let (sync, write) = (nth * 3, nth * nth * 7);
        for (call, error, one) in [
            ("fsync,fdatasync", "EIO", sync),
            ("pwrite64", "ENOSPC", write),
            ("fsync,fdatasync", "EIO", sync + 13),
            ("pwrite64", "EIO", write + 40),
            ("ftruncate", "EIO", nth),
        ] {
            failing.push((call, error, one.to_string()));
            if nth % 2 == 0 {
                failing.push((call, error, format!("{}+", one + 3)));
            }
        }
    }
    failing
}

/// A journal as a crash leaves it, all of whose indexes lag behind, and what was acknowledged about it.
fn left_by_a_crash(folder: &Path) -> (PathBuf, Vec<Told>) {
    let (alive, left) = (folder.join("alive.journal"), folder.join("left.journal"));
    let mut settings = tight().0;
    settings.index_every = 1 << 20;
    let engine = builder(SqliteStore::open(&alive, settings).unwrap(), &clock()).start().unwrap();
    let submit = |post| {
        let receipt = block_on(engine.submit(any_grievance(post))).unwrap();
        Told::Submitted { post, ticket: receipt.ticket, version: receipt.version }
    };
    let told = (20_000..20_100).map(submit).collect();
    fileproof::copy_as_it_lies(&alive, &left);
    block_on(engine.shutdown());
    (left, told)
}

#[test]
fn system_calls_that_fail_cost_answers_and_nothing_that_was_acknowledged() {
    if !can_trace() {
        return;
    }
    let folder = Folder::new("traced");
    let (lagging, before) = left_by_a_crash(folder.path());
    let failing = Mutex::new(failing_system_calls().into_iter().zip([true, false].into_iter().cycle()));
    let ends: Mutex<Vec<String>> = Mutex::default();
    let hit = AtomicU64::new(0);
    let work = || {
        loop {
            let Some(((call, error, when), has_file)) = failing.lock().unwrap().next() else { return };
            let name = format!("{call}-{error}-{when}").replace(',', "-");
            let path = folder.file(&name).join("journal");
            std::fs::create_dir(path.parent().unwrap()).unwrap();
            let under = under_strace(call, error, &when);
            let under: Vec<&str> = under.iter().map(String::as_str).collect();
            let (known, more) = (Vec::new(), Role::GoOn);
            let orders = Orders { path: path.clone(), seed: 3, first_post: 0, known, answers: 0, more };
            let mut told = Vec::new();
            if has_file {
                fileproof::copy_as_it_lies(&lagging, &path);
                told.extend(before.iter().cloned());
            }
            let mut child = Running::start(CHILD, &orders, &under).unwrap();
            told.extend(std::iter::from_fn(|| child.next(2 * GUARD)));
            assert!(child.ended_well(), "{name}: the child did not end well");
            let Some(Told::Ended(end)) = told.last() else { panic!("{name}: it broke off after {:?}", told.last()) };
            let missed =
                told.iter().filter(|told| matches!(told, Told::NotStarted(_) | Told::NotSubmitted { .. })).count();
            let end = format!("{call} {error} {when}: {} answers, {missed} missed; {end}", told.len());
            ends.lock().unwrap().push(end);
            hit.fetch_add(u64::from(missed > 0), Ordering::Relaxed);
            let heard = Heard::new(Mutex::new(told.clone()));
            if let Err(wrong) = goes_on(&path, tight().0, &heard) {
                panic!("{name}: {wrong}");
            }
            std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        work();
        other.join().unwrap();
    });
    let (ends, hit) = (ends.into_inner().unwrap(), hit.into_inner());
    println!(
        "system calls failed under {} children, {hit} of which missed an answer\n  {}",
        ends.len(),
        ends.join("\n  ")
    );
    assert!(hit > 0, "no call ever failed");
}

#[test]
fn a_file_that_lags_behind_on_a_disk_that_fails_is_not_said_to_be_damaged() {
    if !can_trace() {
        return;
    }
    let folder = Folder::new("lagging");
    let (lagging, before) = left_by_a_crash(folder.path());
    let mut opened = 0;
    for (call, error, step) in
        [("pwrite64", "ENOSPC", 6), ("pwrite64", "EIO", 9), ("fsync,fdatasync", "EIO", 1), ("ftruncate", "EIO", 1)]
    {
        for nth in 0.. {
            let path = folder.file(&format!("{call}-{error}-{nth}"));
            fileproof::copy_as_it_lies(&lagging, &path);
            let (known, more) = (Vec::new(), Role::Open);
            let orders = Orders { path: path.clone(), seed: 0, first_post: 0, known, answers: 0, more };
            let under = under_strace(call, error, &(1 + nth * step).to_string());
            let under: Vec<&str> = under.iter().map(String::as_str).collect();
            let mut child = Running::start(CHILD, &orders, &under).unwrap();
            let told = child.next(GUARD);
            assert!(child.ended_well(), "{call} {error} {nth}");
            let goes_on = goes_on(&path, tight().0, &Heard::new(Mutex::new(before.clone())));
            match told {
                Some(Told::Started) => break,
                Some(Told::NotStarted(said)) => {
                    assert!(!said.contains("damaged"), "{call} fails with {error}, and: {said}");
                    goes_on.unwrap();
                    opened += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(opened > 0, "no call ever failed");
}

/// Writes into a file until the disk is full to the last byte.
fn fill_up(file: &Path) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    for block in [65_536, 4_096, 1] {
        while std::io::Write::write_all(&mut file, &vec![1; block]).is_ok() {}
    }
}

/// The child of the full disk.
fn fill_the_disk(path: &Path) {
    const SPARE: u64 = 1 << 20;
    let (mut settings, mut limits) = tight();
    (settings.spare_bytes, settings.checkpoint_pages) = (SPARE, 4_096);
    (limits.batch, limits.numbers_at_a_time) = (4_096, 100_000);
    let (heard, clock) = (Heard::default(), clock());
    let hear = ear(&heard);
    let (ballast, spare) = (path.with_file_name("ballast"), path.with_file_name("journal-spare"));
    let has_spare = || std::fs::metadata(&spare).is_ok_and(|there| there.len() == SPARE);
    let engine = builder(SqliteStore::open(path, settings).unwrap(), &clock).limits(limits).start().unwrap();
    let mut posts = 0..;
    let mut submit = || {
        let post = posts.next().unwrap();
        let answer = block_on(engine.submit(any_grievance(post)));
        match &answer {
            Ok(receipt) => hear(Told::Submitted { post, ticket: receipt.ticket, version: receipt.version }),
            Err(_) => hear(Told::NotSubmitted { post }),
        }
        answer
    };
    (0..30).for_each(|_| assert!(submit().is_ok()));
    assert!(has_spare(), "room is held in reserve");

    // Somebody else fills the disk to the last byte.
    fill_up(&ballast);
    let refused = (0..5_000).find_map(|_| submit().err()).expect("the disk was never full");
    let SubmitError::Failed(Failure::NotStored { reason }) = refused else { panic!("{refused}") };
    assert!(reason.contains("the disk is full"), "{reason}");
    assert!(!has_spare(), "the reserve was freed");
    settled(&engine).unwrap();

    // With the room that was held in reserve it goes on by itself for a while, until that is used up as well.
    let served = (0..20).filter(|_| submit().is_ok()).count();
    assert!(served > 10, "with the reserve freed it took {served} of 20");
    let mut refused = 0;
    for _ in 0..20_000 {
        refused += usize::from(submit().is_err());
        if refused > 20 {
            break;
        }
    }
    assert!(refused > 20, "the disk was never full for good");
    settled(&engine).unwrap();

    // Somebody makes room: it goes on by itself, and the reserve is laid again.
    std::fs::remove_file(&ballast).unwrap();
    let mut tried = 0;
    while submit().is_err() {
        tried += 1;
        assert!(tried < 10, "there is room, and it does not go on");
    }
    (0..30).for_each(|_| assert!(submit().is_ok()));
    assert!(has_spare(), "the reserve was laid again");
    let said: Proof = block_on(async {
        let found = fileproof::read(path)?;
        found.holds(&heard.lock().unwrap())?;
        found.is_what_the_engine_says(&engine, &mut StdRng::seed_from_u64(1), 200).await
    });
    said.unwrap();

    // It is full again when more comes at once than there is room for in memory, so that the log grows before the end.
    fill_up(&ballast);
    let posts = 100_000..101_500;
    let receipts: Vec<_> = block_on(engine.submit_all(stream::iter(posts.clone()).map(any_grievance)).collect());
    for (post, receipt) in posts.zip(receipts) {
        hear(match receipt {
            Ok(receipt) => Told::Submitted { post, ticket: receipt.ticket, version: receipt.version },
            Err(_) => Told::NotSubmitted { post },
        });
    }
    assert!(!has_spare(), "the reserve was freed");

    // The service is started anew: nothing is damaged by that.
    while submit().is_ok() {}
    block_on(engine.shutdown());
    for _ in 0..3 {
        match SqliteStore::open(path, settings) {
            Ok(store) => drop(store),
            Err(error) => assert!(matches!(error, OpenError::Io { .. }), "{error}"),
        }
        fill_up(&ballast);
    }
    std::fs::remove_file(&ballast).unwrap();
    // One that has its reserve uses it to start.
    let (lagging, _) = left_by_a_crash(path.parent().unwrap());
    std::fs::write(lagging.with_extension("journal-spare"), vec![0x5a; SPARE as usize]).unwrap();
    fill_up(&ballast);
    drop(SqliteStore::open(&lagging, settings).unwrap());
    std::fs::remove_file(&ballast).unwrap();
    goes_on(path, tight().0, &heard).unwrap();
    hear(Told::Ended(format!("{} taken, {refused} refused", heard.lock().unwrap().len())));
}

#[test]
fn a_disk_that_is_full_costs_answers_frees_the_reserve_and_is_served_again_when_there_is_room() {
    let folder = Folder::new("full");
    let mount = r#"mount -t tmpfs -o size=5m nivaran "$1" && shift && exec "$@""#;
    let disk = folder.path().to_str().unwrap();
    // In a name space of its own the mount is gone with the child. Who is not root is root there.
    let ways = [vec!["unshare", "--mount"], vec!["unshare", "--mount", "--map-root-user"]];
    let under = ways.into_iter().map(|way| [&way[..], &["sh", "-c", mount, "sh", disk]].concat());
    let works = |under: &Vec<&str>| {
        let probe = [&under[1..], &["true"]].concat();
        std::process::Command::new(under[0]).args(probe).output().is_ok_and(|output| output.status.success())
    };
    let Some(under) = under.into_iter().find(works) else {
        println!("SKIPPED: no small disk can be mounted here: no full disk");
        return;
    };
    let (known, more, path) = (Vec::new(), Role::FillTheDisk, folder.file("journal"));
    let orders = Orders { path, seed: 0, first_post: 0, known, answers: 0, more };
    let mut child = Running::start(CHILD, &orders, &under).unwrap();
    let told: Vec<Told> = std::iter::from_fn(|| child.next(2 * GUARD)).collect();
    assert!(child.ended_well(), "the child did not end well, see above");
    println!("{:?}", told.last());
}

/// Panics that were planned say nothing, so that those that were not are seen.
fn quiet_about_planned_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let planned =
                info.payload().downcast_ref::<&str>().is_some_and(|text| text.starts_with("a store that panics"));
            if !planned {
                loud(info);
            }
        }));
    });
}

/// Runs something that has to come to an end and to be right.
fn watched<T: Send + 'static>(what: String, run: impl FnOnce() -> Proof<T> + Send + 'static) -> T {
    let (done, ended) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || drop(done.send(run())));
    match ended.recv_timeout(2 * GUARD) {
        Ok(Ok(value)) => value,
        Ok(Err(wrong)) => panic!("{what}: {wrong}"),
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("{what}: something waits for good"),
        Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => match thread.join() {
            Err(_) => panic!("{what}: it panicked, see above"),
            Ok(()) => unreachable!("it ended without an answer"),
        },
    }
}
