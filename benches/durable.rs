//! What durability costs: tickets a second and latencies on SQLite, beside what the disk and a bare SQLite loop can do
//! with the same bytes, rows and batches in the same run; then what a start costs.
//!
//! ```text
//! cargo bench --bench durable                              # all; about five minutes
//! cargo bench --bench durable -- callers                   # one part: callers, start
//! NIVARAN_BENCH_ENTRIES=100000 cargo bench --bench durable # a smaller journal for the start
//! ```
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::fs::{self, File};
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};
use nivaran::engine::EngineBuilder;
use nivaran::journal::{Bearings, Entry, Position, Record, Standing};
use nivaran::personal::{KeyCheck, SaltedRecord, SourceKey};
use nivaran::store::sqlite::{Settings, SqliteStore, Synchronous};
use nivaran::store::{AppendError, BackupJob, Changed, Lifetime, StoreError};
use nivaran::{
    Act, Action, Author, CategoryTree, Channel, Complainant, Engine, Feedback, Grievance, InstallationKey, Outcome,
    PlaceTree, RequestId, Roster, Rules, Source, Statement, Store, TicketId, Verdict, Version,
};
use rusqlite::{Connection, params};

/// How many callers wait for their answers at once, and how many tickets they send in all.
const CALLERS: [(usize, usize); 4] = [(1, 5_000), (16, 40_000), (256, 150_000), (4_096, 300_000)];
/// How many tickets are open in the journal that is started.
const OPEN: usize = 10_000;
/// How many come behind them before a crash.
const MORE: usize = 6_000;

/// Names the journal to a process that only starts an engine on it.
const START_ONLY: &str = "NIVARAN_BENCH_START_ONLY";
/// Names the journal to a process that works on it and crashes.
const CRASH: &str = "NIVARAN_BENCH_CRASH";

const TEXT: &str = "Water has been standing knee-deep in our street since Monday morning, the drain in front of the \
                    school is blocked and children cannot pass. We called the helpline twice and nobody came.";

fn main() {
    if let Some(path) = std::env::var_os(START_ONLY) {
        return start_only(Path::new(&path));
    }
    if let Some(path) = std::env::var_os(CRASH) {
        crash(Path::new(&path));
    }
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let is_wanted = |part: &str| wanted.as_deref().is_none_or(|wanted| wanted == part);
    let folder = Folder::new();
    if is_wanted("callers") {
        callers(&folder.0);
    }
    if is_wanted("start") {
        start(&folder.0);
    }
}

// ---- callers -------------------------------------------------------------------------------------------------------

fn callers(folder: &Path) {
    println!(
        "\n| callers | tickets/s | p50 | p99 | p99.9 | entries a commit | rows/s | bare SQLite | of it | bare p50 | file + fdatasync |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for (callers, count) in CALLERS {
        let path = fresh(folder, "callers.journal");
        let batches = Batches::default();
        let store = Watched { inner: SqliteStore::open(&path, Settings::default()).unwrap(), batches: batches.clone() };
        let engine = builder().store(store).start().unwrap();
        let (took, latencies) = submit(&engine, callers, grievances(0..count));
        runtime().block_on(engine.shutdown());
        drop(engine);

        let batches = batches.0.lock().unwrap().clone();
        // Opening it brings the indexes up to the last entry, so that all rows are there to be written again.
        drop(SqliteStore::open(&path, Settings::default()).unwrap());
        let rows = Rows::read(&path);
        let bare = bare_sqlite(&fresh(folder, "bare.sqlite"), &rows, &batches);
        let file = bare_file(&fresh(folder, "bare.file"), &rows, &batches);
        let entries: usize = batches.iter().sum();
        let (rows_a_second, bare_rows) = (rate(rows.len(), took), rate(rows.len(), bare.took));
        println!(
            "| {callers} | {} | {} | {} | {} | {:.0} | {} | {} | {:.0} % | {} | {} entries/s |",
            thousands(rate(count, took)),
            micros(latencies.value_at_quantile(0.5)),
            micros(latencies.value_at_quantile(0.99)),
            micros(latencies.value_at_quantile(0.999)),
            entries as f64 / batches.len() as f64,
            thousands(rows_a_second),
            thousands(bare_rows),
            100.0 * rows_a_second / bare_rows,
            micros(bare.commits.value_at_quantile(0.5)),
            thousands(rate(entries, file)),
        );
    }
}

/// Each caller sends one after the other and waits for each answer.
fn submit(engine: &Engine, callers: usize, grievances: Vec<Grievance>) -> (Duration, Histogram<u64>) {
    let mut latencies = histogram();
    let began = Instant::now();
    let answers = stream::iter(grievances).map(|grievance| async move {
        let sent = Instant::now();
        engine.submit(grievance).await.unwrap();
        sent.elapsed()
    });
    let mut answers = std::pin::pin!(answers.buffer_unordered(callers));
    runtime().block_on(async {
        while let Some(latency) = answers.next().await {
            latencies.record(nanos(latency)).unwrap();
        }
    });
    (began.elapsed(), latencies)
}

/// A store that notes how large the batches are.
struct Watched {
    inner: SqliteStore,
    batches: Batches,
}

#[derive(Clone, Default)]
struct Batches(Arc<Mutex<Vec<usize>>>);

/// The rows of a file, to be written again by bare means.
struct Rows {
    entries: Vec<(Vec<u8>, String)>,
    personal: Vec<Option<(Vec<u8>, String)>>,
    /// The ticket of each entry, if it is about one.
    tickets: Vec<Option<i64>>,
    sources: Vec<(Vec<u8>, i64, Option<Vec<u8>>)>,
    open: Vec<(i64, i64, String)>,
}

impl Rows {
    fn read(path: &Path) -> Self {
        let file = Connection::open(path).unwrap();
        let mut entries = Vec::new();
        let mut select = file.prepare("SELECT hash, text FROM entry ORDER BY position").unwrap();
        let mut found = select.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            entries.push((row.get(0).unwrap(), row.get(1).unwrap()));
        }
        let mut personal = vec![None; entries.len()];
        let mut select = file.prepare("SELECT position, salt, record FROM personal").unwrap();
        let mut found = select.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            personal[row.get::<_, i64>(0).unwrap() as usize] = Some((row.get(1).unwrap(), row.get(2).unwrap()));
        }
        let mut tickets = vec![None; entries.len()];
        let mut select = file.prepare("SELECT position, ticket FROM history").unwrap();
        let mut found = select.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            tickets[row.get::<_, i64>(0).unwrap() as usize] = Some(row.get(1).unwrap());
        }
        let mut sources = Vec::new();
        let mut select = file.prepare("SELECT key, ticket, author FROM source ORDER BY ticket").unwrap();
        let mut found = select.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            sources.push((row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap()));
        }
        let mut open = Vec::new();
        let mut select = file.prepare("SELECT ticket, digest, text FROM open_ticket ORDER BY ticket").unwrap();
        let mut found = select.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            open.push((row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap()));
        }
        Self { entries, personal, tickets, sources, open }
    }

    fn len(&self) -> usize {
        let personal = self.personal.iter().flatten().count();
        let history = self.tickets.iter().flatten().count();
        self.entries.len() + history + personal + self.sources.len() + self.open.len()
    }
}

struct Bare {
    took: Duration,
    commits: Histogram<u64>,
}

/// The same rows in the same batches, by a loop that does nothing else: entries and personal records in each, indexes
/// and open tickets after as many entries as the store lags behind.
fn bare_sqlite(path: &Path, rows: &Rows, batches: &[usize]) -> Bare {
    let file = Connection::open(path).unwrap();
    file.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4096;
         PRAGMA cache_size = -65536;
         CREATE TABLE entry (position INTEGER PRIMARY KEY, hash BLOB NOT NULL, text TEXT NOT NULL) STRICT;
         CREATE TABLE personal (position INTEGER PRIMARY KEY, salt BLOB NOT NULL, record TEXT NOT NULL) STRICT;
         CREATE TABLE source (key BLOB PRIMARY KEY, ticket INTEGER NOT NULL, author BLOB) STRICT, WITHOUT ROWID;
         CREATE TABLE history (ticket INTEGER NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,
                               PRIMARY KEY (ticket, version)) STRICT, WITHOUT ROWID;
         CREATE TABLE open_ticket (ticket INTEGER PRIMARY KEY, digest INTEGER NOT NULL, text TEXT NOT NULL) STRICT;",
    )
    .unwrap();
    let mut entry = file.prepare("INSERT INTO entry VALUES (?1, ?2, ?3)").unwrap();
    let mut personal = file.prepare("INSERT INTO personal VALUES (?1, ?2, ?3)").unwrap();
    let mut history = file.prepare("INSERT INTO history VALUES (?1, 1, ?2)").unwrap();
    let mut source = file.prepare("INSERT INTO source VALUES (?1, ?2, ?3)").unwrap();
    let mut open = file.prepare("INSERT INTO open_ticket VALUES (?1, ?2, ?3)").unwrap();
    let every = Settings::default().index_every;
    let mut commits = histogram();
    let (mut at, mut indexed) = (0, 0);
    let began = Instant::now();
    for &batch in batches {
        let before = Instant::now();
        file.execute_batch("BEGIN IMMEDIATE").unwrap();
        for position in at..at + batch {
            let (hash, text) = &rows.entries[position];
            entry.execute(params![position as i64, hash, text]).unwrap();
            if let Some((salt, record)) = &rows.personal[position] {
                personal.execute(params![position as i64, salt, record]).unwrap();
            }
        }
        at += batch;
        if at - indexed >= every || at == rows.entries.len() {
            // All tickets have one entry here, so the n-th of each table belong together.
            let new = indexed.min(rows.sources.len())..at.min(rows.sources.len());
            let mut sources: Vec<_> = rows.sources[new.clone()].iter().collect();
            sources.sort();
            for (key, ticket, author) in sources {
                source.execute(params![key, ticket, author]).unwrap();
            }
            for position in indexed..at {
                if let Some(ticket) = rows.tickets[position] {
                    history.execute(params![ticket, position as i64]).unwrap();
                }
            }
            for (ticket, digest, text) in &rows.open[new] {
                open.execute(params![ticket, digest, text]).unwrap();
            }
            indexed = at;
        }
        file.execute_batch("COMMIT").unwrap();
        commits.record(nanos(before.elapsed())).unwrap();
    }
    Bare { took: began.elapsed(), commits }
}

/// The same bytes of entries and personal records in the same batches, appended to a file and synced.
fn bare_file(path: &Path, rows: &Rows, batches: &[usize]) -> Duration {
    let mut file = File::create(path).unwrap();
    let (mut at, mut bytes) = (0, Vec::new());
    let began = Instant::now();
    for &batch in batches {
        bytes.clear();
        for position in at..at + batch {
            let (hash, text) = &rows.entries[position];
            bytes.extend_from_slice(hash);
            bytes.extend_from_slice(text.as_bytes());
            if let Some((salt, record)) = &rows.personal[position] {
                bytes.extend_from_slice(salt);
                bytes.extend_from_slice(record.as_bytes());
            }
        }
        at += batch;
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
    }
    began.elapsed()
}

// ---- a start -------------------------------------------------------------------------------------------------------

fn start(folder: &Path) {
    let entries = std::env::var("NIVARAN_BENCH_ENTRIES").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let path = fresh(folder, "start.journal");
    grow(&path, entries);
    println!("\n| start of an engine | file opened | engine serves |\n|---|---|---|");
    timed_start(&format!("{entries} entries, {OPEN} open tickets, shut down properly"), &path, 5);

    let crashed = Command::new(std::env::current_exe().unwrap()).env(CRASH, &path).output().unwrap();
    assert!(!crashed.status.success(), "it was to crash");
    timed_start(&format!("the same and {MORE} tickets more, after a crash"), &path, 1);

    let file = Connection::open(&path).unwrap();
    file.execute_batch("DELETE FROM open_ticket").unwrap();
    drop(file);
    timed_start("the same, all that is made from the journal made anew", &path, 1);
}

/// A start is that of a new process, as with a service, of a file that is on the disk: the median of some.
fn timed_start(what: &str, path: &Path, times: usize) {
    File::open(path).unwrap().sync_all().unwrap();
    let mut starts: Vec<(u64, u64)> = (0..times)
        .map(|_| {
            let child = Command::new(std::env::current_exe().unwrap()).env(START_ONLY, path).output().unwrap();
            assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
            let times = String::from_utf8(child.stdout).unwrap();
            let mut times = times.split_whitespace().map(|time| time.parse().unwrap());
            (times.next().unwrap(), times.next().unwrap())
        })
        .collect();
    starts.sort_unstable_by_key(|(_, serves)| *serves);
    let (opened, serves) = starts[times / 2];
    println!("| {what} | {:.0} ms | {:.0} ms |", opened as f64 / 1e3, serves as f64 / 1e3);
}

/// Starts an engine and says after how many microseconds the file was open and the engine served.
fn start_only(path: &Path) {
    let builder = builder();
    let began = Instant::now();
    let store = SqliteStore::open(path, Settings::default()).unwrap();
    let opened = began.elapsed();
    let engine = builder.store(store).start().unwrap();
    let serves = began.elapsed();
    runtime().block_on(engine.shutdown());
    println!("{} {}", opened.as_micros(), serves.as_micros());
}

/// Takes tickets in and ends as by a crash: the log is not brought home, and what lags behind is not caught up.
fn crash(path: &Path) -> ! {
    let engine = builder().store(SqliteStore::open(path, Settings::default()).unwrap()).start().unwrap();
    submit(&engine, 256, grievances(50_000_000..50_000_000 + MORE));
    std::process::abort()
}

/// Makes a journal: of each ticket four entries, and the last ones are left open.
fn grow(path: &Path, entries: usize) {
    let mut settings = Settings::default();
    settings.synchronous = Synchronous::Off;
    let engine = builder().store(SqliteStore::open(path, settings).unwrap()).start().unwrap();
    let closed = entries.saturating_sub(OPEN) / 4;
    // It draws nothing where the output is no terminal.
    let bar = ProgressBar::new((closed + OPEN) as u64)
        .with_style(ProgressStyle::with_template("{wide_bar} {pos} of {len} tickets, {elapsed}").unwrap());
    runtime().block_on(async {
        for first in (0..closed + OPEN).step_by(10_000) {
            let some = first..(first + 10_000).min(closed + OPEN);
            let count = some.len() as u64;
            let lives = stream::iter(some.zip(grievances(first..first + 10_000))).map(|(n, grievance)| {
                let engine = engine.clone();
                async move { live(&engine, n, grievance, n < closed).await }
            });
            lives.buffer_unordered(2_048).for_each(|()| async {}).await;
            bar.inc(count);
        }
        engine.shutdown().await;
    });
    bar.finish_and_clear();
}

async fn live(engine: &Engine, n: usize, grievance: Grievance, ends: bool) {
    let ticket = engine.submit(grievance).await.unwrap().ticket;
    if !ends {
        return;
    }
    let holder = engine.ticket(ticket).await.unwrap().unwrap().holder().unwrap().officer.clone();
    engine.act(Act::by_officer(ticket, holder.clone(), Action::Acknowledge)).await.unwrap();
    let report = Statement::new("Pumped dry; the drain is desilted.").unwrap();
    let resolve = Act::by_officer(ticket, holder, Action::Resolve(Outcome::Fixed)).statement(report);
    engine.act(resolve).await.unwrap();
    let feedback = Feedback::new(ticket, Author::new(Channel::X, &handle(n)), Verdict::Satisfied);
    engine.feedback(feedback).await.unwrap();
}

// ---- what they share -----------------------------------------------------------------------------------------------

fn builder() -> EngineBuilder {
    let categories = CategoryTree::read(include_bytes!("../examples/haryana/categories.csv")).unwrap();
    let places = PlaceTree::read(include_bytes!("../examples/haryana/places.csv")).unwrap();
    let rules = Rules::read(categories, places, include_bytes!("../examples/haryana/rules.csv")).unwrap();
    let roster = Roster::read(include_str!("../examples/haryana/roster.toml")).unwrap();
    Engine::builder().rules(rules).roster(roster).installation_key(InstallationKey::new(&[7; 32]))
}

fn handle(n: usize) -> String {
    format!("@citizen{}", n % 100_000)
}

fn grievances(numbers: Range<usize>) -> Vec<Grievance> {
    const CATEGORIES: [&str; 6] =
        ["water/logging", "power/outage", "garbage/collection", "roads/pothole", "police", "revenue"];
    let places = PlaceTree::read(include_bytes!("../examples/haryana/places.csv")).unwrap();
    let places: Vec<_> = places.paths().cloned().collect();
    let grievance = |n: usize| {
        Grievance::builder(Source::new(Channel::X, n.to_string()).unwrap(), TEXT)
            .complainant(Complainant { handle: Some(handle(n)), ..Complainant::default() })
            .category(CATEGORIES[n % CATEGORIES.len()].parse().unwrap())
            .place(places[n % places.len()].clone())
            .build()
            .unwrap()
    };
    numbers.map(grievance).collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn histogram() -> Histogram<u64> {
    Histogram::new(3).unwrap()
}

fn nanos(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

fn micros(nanos: u64) -> String {
    if nanos < 10_000_000 { format!("{} µs", nanos / 1_000) } else { format!("{} ms", nanos / 1_000_000) }
}

fn thousands(rate: f64) -> String {
    if rate < 100_000.0 { format!("{:.1} k", rate / 1e3) } else { format!("{:.0} k", rate / 1e3) }
}

/// A folder that goes with the run, on the disk that `NIVARAN_BENCH_FOLDER` names, or where temporary files are.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let parent = std::env::var_os("NIVARAN_BENCH_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
        let folder = parent.join(format!("nivaran-durable-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// A path where nothing is.
fn fresh(folder: &Path, name: &str) -> PathBuf {
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with(name) {
            fs::remove_file(path).unwrap();
        }
    }
    folder.join(name)
}

impl Store for Watched {
    fn append(&mut self, batch: &Arc<Vec<Record>>) -> Result<Position, AppendError> {
        self.batches.0.lock().unwrap().push(batch.len());
        self.inner.append(batch)
    }
    fn reopen(&mut self) -> Result<(), StoreError> {
        self.inner.reopen()
    }
    fn end(&mut self) -> Result<Position, StoreError> {
        self.inner.end()
    }
    fn read(&mut self, from: Position, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.inner.read(from, limit)
    }
    fn history(&mut self, ticket: TicketId) -> Result<Vec<Entry>, StoreError> {
        self.inner.history(ticket)
    }
    fn personal(&mut self, ticket: TicketId) -> Result<Vec<(Version, SaltedRecord)>, StoreError> {
        self.inner.personal(ticket)
    }
    fn sources(&mut self, sources: &[SourceKey]) -> Result<Vec<Option<TicketId>>, StoreError> {
        self.inner.sources(sources)
    }
    fn requests(&mut self, requests: &[(TicketId, RequestId)]) -> Result<Vec<Option<Version>>, StoreError> {
        self.inner.requests(requests)
    }
    fn tickets(&mut self, after: Option<TicketId>, limit: usize) -> Result<Vec<TicketId>, StoreError> {
        self.inner.tickets(after, limit)
    }
    fn reserve(&mut self, count: u32) -> Result<Range<u64>, StoreError> {
        self.inner.reserve(count)
    }
    fn sources_after(&mut self, after: Option<SourceKey>, limit: usize) -> Result<Vec<SourceKey>, StoreError> {
        self.inner.sources_after(after, limit)
    }
    fn standing(&mut self) -> Result<Standing, StoreError> {
        self.inner.standing()
    }
    fn keep(&mut self, end: Position, bearings: &Bearings, changed: Vec<Changed>) -> Result<(), StoreError> {
        self.inner.keep(end, bearings, changed)
    }
    fn scrub(&mut self) -> Result<u64, StoreError> {
        self.inner.scrub()
    }
    fn first_key(&mut self, key: KeyCheck) -> Result<KeyCheck, StoreError> {
        self.inner.first_key(key)
    }
    fn lifetime(&self) -> Lifetime {
        self.inner.lifetime()
    }
    fn backup(&mut self, to: PathBuf) -> Result<BackupJob, StoreError> {
        self.inner.backup(to)
    }
}
