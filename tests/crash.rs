//! The process dies at any moment: what was acknowledged is there, once and whole, and an engine goes on from it.
//!
//! A child process takes a mixed load on a journal's file and tells each answer on a pipe; it is killed with SIGKILL at
//! random moments, again and again on the same file. `NIVARAN_CRASHES` sets how often (20), `NIVARAN_SEED` with which
//! seed to begin. What is not shown here: that a power cut loses nothing, which no killed process tells.
#![cfg(all(unix, feature = "sqlite"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod fileproof;
mod mixed_load;
mod support;

use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fileproof::{Found, Proof};
use mixed_load::child::{self, Folder, Orders, Running};
use mixed_load::{Load, Told, clock_from};
use nivaran::engine::SystemSecrets;
use nivaran::journal::{Entry, Position, Record, Standing};
use nivaran::personal::{KeyCheck, SaltedRecord, SourceKey};
use nivaran::store::sqlite::Settings;
use nivaran::store::{AppendError, BackupJob, Lifetime, SqliteStore, StoreError};
use nivaran::ticket::{RequestId, Version};
use nivaran::{Limits, Store, TicketId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use support::*;

/// How many crashes one file sees before another is begun: it grows, and all of it is read each time.
const ON_ONE_FILE: u64 = 20;
/// Tasks that ask of the engine at once.
const TASKS: u64 = 6;
/// How many tickets and answers are looked at closely after each crash.
const CLOSELY: usize = 25;

// ---- the child -----------------------------------------------------------------------------------------------------

/// How the child keeps its promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Honesty {
    /// It answers when it is durable.
    Honest,
    /// It answers before: the control.
    Hasty,
}

/// Settings and limits of a run: often so small that whatever lags behind is caught up all the time.
fn ways(seed: u64) -> (Settings, Limits) {
    let dice = &mut StdRng::seed_from_u64(seed);
    let mut of = |ways: &[usize]| ways[dice.random_range(0..ways.len())];
    let (mut settings, mut limits) = (Settings::default(), Limits::default());
    settings.index_every = of(&[3, 40, 8_192]);
    settings.checkpoint_pages = of(&[4, 64, 4_096]) as u32;
    settings.log_bytes = of(&[0, 1 << 20]) as u32;
    settings.cache_kib = of(&[64, 65_536]) as u32;
    settings.spare_bytes = of(&[0, 100_000]) as u64;
    limits.keep_every = of(&[4, 50, 8_192]);
    limits.closed_in_memory = of(&[1, 65_536]);
    limits.batch = of(&[1, 3, 4_096]);
    limits.numbers_at_a_time = of(&[2, 10_000]) as u32;
    limits.remembered_sources = of(&[50, 100_000]);
    limits.dates_at_a_time = of(&[2, 256]);
    limits.under_way = of(&[4, 32_768]);
    (settings, limits)
}

#[test]
#[ignore = "it is the child of the tests of this file, and does nothing by itself"]
fn a_child_takes_a_load_until_it_is_killed() {
    let Some(orders) = child::orders::<Honesty>() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(live(orders));
}

async fn live(orders: Orders<Honesty>) {
    let Orders { path, seed, first_post, known, answers, more: honesty } = orders;
    let (settings, limits) = ways(seed);
    child::tell(&Told::Opening);
    let mut store = SqliteStore::open(&path, settings).unwrap();
    let end = store.end().unwrap();
    let last = end.0.checked_sub(1).map(|last| store.read(Position(last), 1).unwrap()[0].at());
    let clock = clock_from(last);
    let begun = match honesty {
        Honesty::Honest => builder(store, &clock),
        Honesty::Hasty => builder(Hasty { inner: store, held_back: VecDeque::new() }, &clock),
    };
    let engine = begun.secrets(SystemSecrets).limits(limits).start().unwrap();
    child::tell(&Told::Started);
    let told = Arc::new(AtomicU64::new(0));
    let hear = {
        let told = Arc::clone(&told);
        move |what: Told| {
            child::tell(&what);
            told.fetch_add(1, Ordering::Relaxed);
        }
    };
    let folder = path.parent().unwrap().to_owned();
    let load = Arc::new(Load::new(&engine, &clock, folder, first_post, known, hear));
    let tasks = (0..TASKS).map(|task| {
        let (load, told) = (Arc::clone(&load), Arc::clone(&told));
        tokio::spawn(async move {
            let mut dice = StdRng::seed_from_u64(seed ^ (task << 56));
            while told.load(Ordering::Relaxed) < answers {
                load.step(&mut dice).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    child::tell(&Told::Stopping);
    engine.shutdown().await;
    child::tell(&Told::Ended("shut down".to_owned()));
}

/// How many batches the control holds back. More than one: a process spends its time in writing one.
const HELD_BACK: usize = 6;

/// A store that answers too early: it says that a batch is written, and holds back the last few until it is asked about
/// what they say.
struct Hasty {
    inner: SqliteStore,
    held_back: VecDeque<Arc<Vec<Record>>>,
}

impl Hasty {
    fn write_all_but(&mut self, most: usize) -> &mut SqliteStore {
        while self.held_back.len() > most
            && let Some(batch) = self.held_back.pop_front()
        {
            self.inner.append(&batch).unwrap();
        }
        &mut self.inner
    }

    fn inner(&mut self) -> &mut SqliteStore {
        self.write_all_but(0)
    }
}

impl Store for Hasty {
    fn append(&mut self, batch: &Arc<Vec<Record>>) -> Result<Position, AppendError> {
        let end = self.inner.end().unwrap().plus(self.held_back.iter().map(|batch| batch.len() as u64).sum());
        self.held_back.push_back(Arc::clone(batch));
        self.write_all_but(HELD_BACK);
        Ok(end)
    }
    fn reopen(&mut self) -> Result<(), StoreError> {
        self.inner().reopen()
    }
    fn end(&mut self) -> Result<Position, StoreError> {
        self.inner().end()
    }
    fn read(&mut self, from: Position, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.inner().read(from, limit)
    }
    fn history(&mut self, ticket: TicketId) -> Result<Vec<Entry>, StoreError> {
        self.inner().history(ticket)
    }
    fn personal(&mut self, ticket: TicketId) -> Result<Vec<(Version, SaltedRecord)>, StoreError> {
        self.inner().personal(ticket)
    }
    fn sources(&mut self, sources: &[SourceKey]) -> Result<Vec<Option<TicketId>>, StoreError> {
        self.inner().sources(sources)
    }
    fn requests(&mut self, requests: &[(TicketId, RequestId)]) -> Result<Vec<Option<Version>>, StoreError> {
        self.inner().requests(requests)
    }
    fn tickets(&mut self, after: Option<TicketId>, limit: usize) -> Result<Vec<TicketId>, StoreError> {
        self.inner().tickets(after, limit)
    }
    fn reserve(&mut self, count: u32) -> Result<Range<u64>, StoreError> {
        self.inner.reserve(count)
    }
    fn sources_after(&mut self, after: Option<SourceKey>, limit: usize) -> Result<Vec<SourceKey>, StoreError> {
        self.inner.sources_after(after, limit)
    }
    fn standing(&mut self) -> Result<Standing, StoreError> {
        self.inner().standing()
    }
    fn scrub(&mut self) -> Result<u64, StoreError> {
        self.inner().scrub()
    }
    fn first_key(&mut self, key: KeyCheck) -> Result<KeyCheck, StoreError> {
        self.inner().first_key(key)
    }
    fn lifetime(&self) -> Lifetime {
        Lifetime::Durable
    }
    fn backup(&mut self, to: PathBuf) -> Result<BackupJob, StoreError> {
        self.inner().backup(to)
    }
}

// ---- the parent ----------------------------------------------------------------------------------------------------

/// A journal's file, and all that was ever acknowledged about it.
struct Journal {
    path: PathBuf,
    seed: u64,
    dice: StdRng,
    told: Vec<Told>,
    /// What was found the last time.
    found: Found,
    first_post: u64,
    /// How many lives ended before they came to their end.
    killed: u64,
}

/// When a child is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// After so many answers.
    Work(u64),
    /// While it opens the file and starts.
    Start,
    /// While it shuts down.
    Stop(u64),
}

impl Journal {
    fn new(path: PathBuf, seed: u64) -> Self {
        Self {
            path,
            seed,
            dice: StdRng::seed_from_u64(seed),
            told: Vec::new(),
            found: Found::default(),
            first_post: 0,
            killed: 0,
        }
    }

    /// A child lives on the file, and is killed at any moment.
    fn crash(&mut self, life: u64, honesty: Honesty) -> Moment {
        let moment = match self.dice.random_range(0..10) {
            0 => Moment::Start,
            1 => Moment::Stop(self.dice.random_range(1..100)),
            _ => Moment::Work(self.dice.random_range(1..120)),
        };
        self.crash_at(moment, life, honesty);
        moment
    }

    fn crash_at(&mut self, moment: Moment, life: u64, honesty: Honesty) {
        let longest = match moment {
            Moment::Start => 40_000,
            Moment::Stop(_) => 20_000,
            Moment::Work(_) => 4_000,
        };
        let pause = Duration::from_micros(self.dice.random_range(0..longest));
        let posts = self.told.iter().filter_map(|told| match told {
            Told::Submitted { post, .. } => Some(*post),
            _ => None,
        });
        let mut known: Vec<u64> = posts.collect();
        known = known.split_off(known.len().saturating_sub(200));
        let answers = if let Moment::Stop(answers) = moment { answers } else { u64::MAX };
        let (path, seed) = (self.path.clone(), self.seed.wrapping_mul(1_000_003).wrapping_add(life));
        let orders = Orders { path, seed, first_post: self.first_post, known, answers, more: honesty };
        // Far more than a life submits.
        self.first_post += 100_000;
        let child = Running::start("a_child_takes_a_load_until_it_is_killed", &orders, &[]).unwrap();
        let mut answered = 0;
        let mut ended = false;
        while let Some(told) = child.next(GUARD) {
            let is_it = match moment {
                Moment::Start => told == Told::Opening,
                Moment::Stop(_) => told == Told::Stopping,
                Moment::Work(after) => answered > after,
            };
            answered += 1;
            ended |= matches!(told, Told::Ended(_));
            self.told.push(told);
            if is_it {
                break;
            }
        }
        // The moment is to be any, so this waits for nothing.
        std::thread::sleep(pause);
        let last_words = child.kill(GUARD);
        ended |= last_words.iter().any(|told| matches!(told, Told::Ended(_)));
        self.told.extend(last_words);
        assert!(ended || answered > 0, "seed {}: the child died by itself in life {life}", self.seed);
        self.killed += u64::from(!ended);
    }

    /// Whether all holds, on the file itself or, so that the next child finds it as the crash left it, on a copy.
    fn check(&mut self) -> Proof {
        let path = if self.dice.random_bool(0.3) {
            let copy = self.path.with_extension("as-it-lay");
            fileproof::copy_as_it_lies(&self.path, &copy);
            copy
        } else {
            self.path.clone()
        };
        self.check_file(&path)
    }

    fn check_file(&mut self, path: &Path) -> Proof {
        let mut store = SqliteStore::open(path, ways(self.dice.random()).0).map_err(|error| error.to_string())?;
        let (found, dice) = (&mut self.found, &mut self.dice);
        found.read_on(path)?;
        found.holds(&self.told)?;
        found.is_what_the_store_says(&mut store, dice, CLOSELY)?;
        found.has_copies(path.parent().unwrap(), &self.told)?;

        let clock = clock_from(found.entries.last().map(Entry::at));
        let (_, limits) = ways(dice.random());
        let engine = builder(store, &clock).secrets(SystemSecrets).limits(limits).start();
        let engine = engine.map_err(|error| error.to_string())?;
        // If this is a copy, the file itself knows nothing of what comes now.
        let mut found = found.clone();
        block_on(async {
            // Whoever is at a desk or officer that this roster does not have is at another when this is answered.
            engine.tick().await;
            found.read_on(path)?;
            found.is_what_the_engine_says(&engine, dice, CLOSELY).await?;
            found.is_answered_again(&engine, &self.told, dice, CLOSELY).await?;
            engine.shutdown().await;
            let before = found.entries.len();
            found.read_on(path)?;
            if found.entries.len() == before { Ok(()) } else { Err("the engine's end is in the journal".to_owned()) }
        })
    }

    /// Whether all of it holds when it is read anew from its beginning.
    fn check_anew(&mut self) -> Proof {
        self.found = Found::default();
        self.check_file(&self.path.clone())
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |given| given.parse().expect("a number is given"))
}

#[test]
fn what_was_acknowledged_is_there_once_and_whole_whenever_the_process_is_killed() {
    let folder = Folder::new("crash");
    let (crashes, first_seed) = (number("NIVARAN_CRASHES", 20), number("NIVARAN_SEED", 1));
    let (mut killed, mut entries, mut answers) = (0, 0, 0);
    for file in 0..crashes.div_ceil(ON_ONE_FILE) {
        let seed = first_seed + file;
        let mut journal = Journal::new(folder.file(&format!("{seed}.journal")), seed);
        for life in 0..ON_ONE_FILE.min(crashes - file * ON_ONE_FILE) {
            let moment = journal.crash(life, Honesty::Honest);
            if let Err(wrong) = journal.check() {
                panic!("NIVARAN_SEED={seed}, crash {life} ({moment:?}): {wrong}");
            }
        }
        if let Err(wrong) = journal.check_anew() {
            panic!("NIVARAN_SEED={seed}, read anew: {wrong}");
        }
        killed += journal.killed;
        answers += journal.told.len();
        entries += journal.found.entries.len();
        fileproof::remove(&journal.path);
    }
    println!("{killed} of {crashes} processes killed; {answers} lines told, {entries} entries written and found again");
    assert!(killed * 2 > crashes, "most of them were not killed but came to their end");
}

#[test]
fn a_file_is_one_or_none_when_the_process_is_killed_as_it_makes_it() {
    let folder = Folder::new("made");
    let first_seed = number("NIVARAN_SEED", 1);
    for seed in first_seed..first_seed + number("NIVARAN_CRASHES", 20).div_ceil(2) {
        let mut journal = Journal::new(folder.file(&format!("{seed}.journal")), seed);
        journal.crash_at(Moment::Start, 0, Honesty::Honest);
        if let Err(wrong) = journal.check() {
            panic!("NIVARAN_SEED={seed}, at its first start: {wrong}");
        }
        fileproof::remove(&journal.path);
    }
}

#[test]
fn a_store_that_answers_before_it_has_written_is_caught_by_these_checks() {
    let folder = Folder::new("hasty");
    for seed in 1..10 {
        let mut journal = Journal::new(folder.file(&format!("{seed}.journal")), seed);
        journal.crash(0, Honesty::Hasty);
        if let Err(wrong) = journal.check() {
            assert!(wrong.contains("acknowledged"), "it was caught by something else: {wrong}");
            return;
        }
    }
    panic!("nothing was missed of what was never written");
}

#[test]
fn a_file_whose_log_was_half_brought_home_when_the_process_died_is_opened() {
    const PAGE: usize = 4_096;
    let folder = Folder::new("half-brought-home");
    let (path, torn) = (folder.file("whole.journal"), folder.file("torn.journal"));
    let mut settings = Settings::default();
    (settings.checkpoint_pages, settings.spare_bytes) = (1_000_000, 0);
    let engine = builder(SqliteStore::open(&path, settings).unwrap(), &clock()).start().unwrap();
    let mut answered = Vec::new();
    for post in 0..60 {
        answered.push(block_on(engine.submit(any_grievance(post))).unwrap());
    }
    // All of it is in the log; the process dies when the first page has come home, which says how long the file is.
    fileproof::copy_as_it_lies(&path, &torn);
    let log = std::fs::read(torn.with_extension("journal-wal")).unwrap();
    let mut frames = log[32..].chunks_exact(24 + PAGE);
    let first_page = frames.rfind(|frame| frame[..4] == 1_u32.to_be_bytes()).unwrap();
    let mut file = std::fs::read(&torn).unwrap();
    assert!(file.len() < u32::from_be_bytes(first_page[24 + 28..24 + 32].try_into().unwrap()) as usize * PAGE);
    file[..PAGE].copy_from_slice(&first_page[24..]);
    std::fs::write(&torn, file).unwrap();

    let mut store = SqliteStore::open(&torn, settings).unwrap();
    for receipt in answered {
        assert_eq!(store.history(receipt.ticket).unwrap().len(), 1);
    }
    block_on(engine.shutdown());
}
