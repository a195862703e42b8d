//! A folder with a journal in it, and what stands in its files.
#![allow(dead_code, reason = "each test file uses its own part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use jiff::{SignedDuration, Timestamp, ToSpan};
use nivaran::journal::{Bearings, Entry, Position, Record, Standing};
use nivaran::personal::{SaltedRecord, SourceKey};
use nivaran::store::sqlite::{OpenError, Settings, SqliteStore, Synchronous};
use nivaran::ticket::{Reference, StateKind, Version};
use nivaran::{
    Act, Action, Author, Channel, Complainant, Engine, Feedback, Grievance, Limits, MemoryStore, Outcome, Page,
    PendingTicket, Roster, Store, Ticket, TicketFilter, TicketId, Verdict,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::*;

/// A folder that is removed with it.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The one journal of a test.
    pub fn journal(&self) -> PathBuf {
        self.file("haryana.journal")
    }

    /// What is in it, byte for byte.
    pub fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        let files = std::fs::read_dir(self.path()).unwrap().map(|file| file.unwrap().path());
        let bytes = |file: &Path| if file.is_file() { std::fs::read(file).unwrap() } else { Vec::new() };
        files.map(|file| (file.file_name().unwrap().to_str().unwrap().to_owned(), bytes(&file))).collect()
    }

    /// The files that hold these bytes.
    pub fn holding(&self, needle: &[u8]) -> BTreeSet<String> {
        let holds = |bytes: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        self.bytes().into_iter().filter(|(_, bytes)| holds(bytes)).map(|(name, _)| name).collect()
    }
}

/// Settings with which a test is quick: nothing is synced, and no room is held in reserve.
pub fn quick(index_every: usize) -> Settings {
    let mut settings = Settings::default();
    (settings.synchronous, settings.spare_bytes, settings.index_every) = (Synchronous::Off, 0, index_every);
    settings
}

/// Opens a journal that has to be sound.
pub fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, quick(7)).unwrap()
}

/// Why it is not opened.
pub fn refused(path: &Path) -> OpenError {
    SqliteStore::open(path, quick(7)).expect_err("it was opened")
}

/// Another program's connection to a file.
pub fn connection(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).unwrap()
}

/// All records of a journal, as they were given to it.
pub fn records(store: &mut impl Store) -> Vec<Record> {
    let mut personal = BTreeMap::new();
    for ticket in store.tickets(None, usize::MAX).unwrap() {
        for (version, record) in store.personal(ticket).unwrap() {
            personal.insert((ticket, version), record);
        }
    }
    let record = |entry: Entry| {
        let about = entry.ticket().map(|entry| (entry.ticket, entry.version));
        Record { personal: about.and_then(|about| personal.remove(&about)).map(Box::new), entry }
    };
    store.read(Position(0), usize::MAX).unwrap().into_iter().map(record).collect()
}

/// What an engine wrote.
pub static RECORDS: LazyLock<Vec<Record>> = LazyLock::new(|| busy(2, 130));

/// A folder with a journal of these records, left as they were appended.
pub fn appended() -> Folder {
    let folder = Folder::new();
    let mut store = open(&folder.journal());
    append(&mut store, &RECORDS, 13);
    folder
}

/// A folder with a journal of these records in which nothing lags behind.
pub fn kept() -> Folder {
    let folder = appended();
    drop(open(&folder.journal()));
    folder
}

pub fn entries() -> Vec<Entry> {
    RECORDS.iter().map(|record| record.entry.clone()).collect()
}

/// Everything that a store in memory answers that has the same records.
pub fn expected() -> Everything {
    let mut memory = MemoryStore::new();
    append(&mut memory, &RECORDS, 50);
    Everything::of(&mut memory)
}

#[track_caller]
pub fn assert_all_there(path: &Path) {
    let mut store = open(path);
    assert!(Everything::of(&mut store) == expected(), "the file answers something else");
}

/// Has another program do something to a journal that nobody has open.
pub fn tampered(folder: Folder, sql: &str) -> Folder {
    connection(&folder.journal()).execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    folder
}

/// Everything that a store answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Everything {
    entries: Vec<Entry>,
    histories: BTreeMap<TicketId, Vec<Entry>>,
    personal: BTreeMap<TicketId, Vec<(Version, SaltedRecord)>>,
    sources: BTreeMap<SourceKey, Option<TicketId>>,
    open: BTreeMap<TicketId, Ticket>,
    bearings: Bearings,
}

impl Everything {
    pub fn of(store: &mut impl Store) -> Self {
        let tickets = store.tickets(None, usize::MAX).unwrap();
        let keys = store.sources_after(None, usize::MAX).unwrap();
        let sources = store.sources(&keys).unwrap();
        let entries = store.read(Position(0), usize::MAX).unwrap();
        let Standing { end, open, bearings, .. } = store.standing().unwrap();
        assert_eq!((store.end(), entries.len() as u64), (Ok(end), end.0));
        Self {
            entries,
            histories: tickets.iter().map(|id| (*id, store.history(*id).unwrap())).collect(),
            personal: tickets.iter().map(|id| (*id, store.personal(*id).unwrap())).collect(),
            sources: keys.into_iter().zip(sources).collect(),
            open,
            bearings,
        }
    }
}

impl Everything {
    /// The open tickets.
    pub fn open(&self) -> &BTreeMap<TicketId, Ticket> {
        &self.open
    }

    /// All tickets.
    pub fn tickets(&self) -> Vec<TicketId> {
        self.histories.keys().copied().collect()
    }

    /// What a store on a damaged file answers of the journal is what was written. The indexes of tickets and posts
    /// may have become shorter, which only their being made anew mends.
    #[track_caller]
    pub fn is_not_contradicted_by(&self, store: &mut impl Store) {
        let end = store.end();
        for (position, entry) in self.entries.iter().enumerate() {
            if let Ok(page) = store.read(Position(position as u64), 1) {
                assert!(page.first().is_none_or(|there| there == entry), "entry {position} is another");
            }
        }
        for (id, history) in &self.histories {
            if let Ok(there) = store.history(*id) {
                assert!(there.iter().all(|entry| history.contains(entry)), "the history of {id} has another's entries");
            }
            if let Ok(there) = store.personal(*id) {
                let known = |record| self.personal[id].contains(record);
                assert!(there.iter().all(known), "the personal records of {id} are others");
            }
        }
        if let Ok(standing) = store.standing() {
            assert_eq!((end, standing.end), (Ok(standing.end), Position(self.entries.len() as u64)), "it is shorter");
            assert!(standing.open == self.open, "the open tickets are others");
            assert!(standing.bearings == self.bearings, "what there is besides is something else");
        }
        let keys: Vec<SourceKey> = self.sources.keys().copied().collect();
        drop((store.sources(&keys), store.tickets(None, 1_000), store.sources_after(None, 1_000)));
        drop((store.reserve(3), store.first_key(key().check()), store.scrub(), store.reopen()));
    }
}

/// Appends records as batches of so many.
pub fn append(store: &mut impl Store, records: &[Record], at_a_time: usize) {
    for batch in records.chunks(at_a_time) {
        store.append(&Arc::new(batch.to_vec())).unwrap();
    }
}

/// Compares files where a difference would be pages long.
#[track_caller]
pub fn assert_untouched(before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "the files of the folder");
    for (name, bytes) in before {
        assert!(bytes == &after[name], "{name} was touched");
    }
}

/// A grievance for one of the desks, by one of a few authors.
pub fn post_of(author: u64, post: u64) -> Grievance {
    let complainant = Complainant {
        handle: Some(format!("@citizen-{author}")),
        name: Some(format!("Name of {author}")),
        contact: None,
    };
    let builder = Grievance::builder(source(post), format!("Post {post} by citizen {author}"));
    let category = ["water/logging", "water", "power", "cattle"][(post % 4) as usize].parse().unwrap();
    let place = ["hisar/hansi", "rohtak", "hisar"][(post % 3) as usize].parse().unwrap();
    builder.complainant(complainant).category(category).place(place).build().unwrap()
}

/// What an engine writes on which everything happens in some order: tickets of few authors, moved, answered, closed,
/// reopened, followed up, imported; other rules, other rosters; and times that are no whole seconds.
pub fn busy(seed: u64, steps: usize) -> Vec<Record> {
    let (store, clock) = (MemoryStore::new(), clock());
    let mut limits = Limits::default();
    limits.numbers_at_a_time = 3;
    let engine = builder(store.clone(), &clock).limits(limits).start().unwrap();
    let mut rng = StdRng::seed_from_u64(seed);
    let mut now = at(0);
    block_on(async {
        for step in 0..steps as u64 {
            now += SignedDuration::from_nanos(rng.random_range(0..20_000_000_000_000));
            clock.set(now);
            any_step(&engine, &mut rng, step, now, [roster(), roster_without("phe-je-hisar")]).await;
        }
        engine.shutdown().await;
    });
    records(&mut store.clone())
}

/// One thing that may happen; whether the engine takes it is its own matter.
pub async fn any_step(engine: &Engine, rng: &mut StdRng, step: u64, now: Timestamp, rosters: [Roster; 2]) {
    let which = rng.random_range(0..20);
    if which < 5 || step < 3 {
        engine.submit(post_of(rng.random_range(0..5), rng.random_range(0..=step))).await.unwrap();
        return;
    }
    let tickets = engine.tickets(&TicketFilter::open().state(StateKind::Closed), Page::first(1_000)).await.unwrap();
    let mut tickets: Vec<Ticket> = tickets.into_iter().chain(listed(engine, &TicketFilter::open()).await).collect();
    tickets.sort_unstable_by_key(Ticket::id);
    let chosen = rng.random_range(0..tickets.len() * 2);
    let Some(ticket) = tickets.get(chosen % tickets.len()) else { return };
    let author = (0..5).map(|n| Author::new(Channel::X, &format!("citizen-{n}")));
    let author = author.into_iter().find(|author| ticket.filing().author == Some(key().author(author)));
    let holder = ticket.holder().map(|holder| holder.officer.clone());
    let number = request(rng.random_range(0..1_000));
    match (which, holder, author) {
        (5..9, Some(holder), _) => {
            let act = Act::by_officer(ticket.id(), holder, Action::Resolve(Outcome::Fixed));
            drop(engine.act(act.statement(words(&format!("Pumped dry at {now}."))).request(number)).await);
        }
        (9..12, _, Some(author)) => {
            let verdict = if rng.random_bool(0.5) { Verdict::Satisfied } else { Verdict::NotSatisfied };
            let feedback = Feedback::new(ticket.id(), author, verdict).reason(words(&format!("As I say at {now}.")));
            drop(engine.feedback(feedback.request(number)).await);
        }
        (12, _, Some(author)) => {
            drop(engine.act(Act::by_citizen(ticket.id(), author, Action::Withdraw).request(number)).await);
        }
        (13, _, _) => drop(engine.act(forward(ticket.id(), BUSY[rng.random_range(0..5)]).request(number)).await),
        (14, Some(holder), _) => {
            let act = Act::by_officer(ticket.id(), holder, Action::AskCitizen { until: now + 30.hours() });
            drop(engine.act(act.statement(words("Which manhole?"))).await);
        }
        (15, _, Some(author)) => {
            let answer = Act::by_citizen(ticket.id(), author, Action::CitizenAnswers);
            drop(engine.act(answer.statement(words(&format!("That one, at {now}.")))).await);
        }
        (16, _, _) => {
            let old_number = Reference::new(&format!("SMGT-{}", rng.random_range(0..9))).unwrap();
            let grievance = post_of(rng.random_range(0..5), 1_000 + rng.random_range(0..20));
            let pending = PendingTicket { old_number, received_at: at(-300), grievance };
            engine.import(vec![pending]).await.remove(0).unwrap();
        }
        (17, _, _) => {
            let [one, other] = rosters;
            let roster = if rng.random_bool(0.5) { one } else { other };
            engine.reload_roster(roster, Some(officer("cms"))).await.unwrap();
        }
        (18, _, _) => {
            let rules = if rng.random_bool(0.5) { rules() } else { other_rules() };
            engine.reload_rules(rules, None).await.unwrap();
        }
        _ => engine.tick().await,
    }
}
