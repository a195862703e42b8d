//! The proof of a journal's file: read as anyone could read it, does it hold all that was acknowledged, whole, in
//! order, once and unaltered; and do the store and an engine on it say the same?
#![allow(dead_code, reason = "each test file uses its own part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use nivaran::code::DeskId;
use nivaran::journal::{Entry, EntryHash, Erased, Link, Position, TicketEntry, fold, unseal};
use nivaran::personal::{AuthorKey, Personal, Salt, SourceKey};
use nivaran::store::SqliteStore;
use nivaran::ticket::{ActionKind, By, Grounds, ParkReason, TicketEvent};
use nivaran::{
    Act, Action, Engine, Outcome, PendingTicket, Receipt, RequestId, Standing, Store, Ticket, TicketFilter, TicketId,
    Verdict, Version,
};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rusqlite::{Connection, OpenFlags};

use crate::mixed_load::{IMPORTED, Told, old_number};
use crate::support::*;

/// What is wrong, in words.
pub type Proof<T = ()> = Result<T, String>;

macro_rules! ensure {
    ($holds:expr, $($wrong:tt)+) => {
        if !$holds {
            return Err(format!($($wrong)+));
        }
    };
}

/// A journal as its file has it.
#[derive(Debug, Clone, Default)]
pub struct Found {
    pub entries: Vec<Entry>,
    pub hashes: Vec<EntryHash>,
    pub histories: BTreeMap<TicketId, Vec<TicketEntry>>,
    pub tickets: BTreeMap<TicketId, Ticket>,
    pub sources: BTreeMap<SourceKey, TicketId>,
    /// Entries that came of a request: by ticket and request.
    pub requests: HashMap<(TicketId, RequestId), Version>,
    pub by_request: HashMap<RequestId, (TicketId, Version)>,
    /// Authors that were erased, and up to which entry.
    pub erased: BTreeMap<AuthorKey, u64>,
    /// The last entry of each ticket, by its hash.
    last: HashMap<TicketId, EntryHash>,
}

/// Reads a journal's file; see [`Found::read_on`].
pub fn read(path: &Path) -> Proof<Found> {
    let mut found = Found::default();
    found.read_on(path)?;
    Ok(found)
}

impl Found {
    /// Reads on where it was read to, without any of our store's code, and finds each entry in its place, whole,
    /// unaltered, linked to the one before, and each personal record genuine and neither lost nor kept too long. What
    /// was read before has to be there as it was, by its hash.
    pub fn read_on(&mut self, path: &Path) -> Proof {
        let sqlite = |error: rusqlite::Error| format!("the file cannot be read: {error}");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
        // One transaction, so that a writer beside it does not show.
        connection.execute_batch("BEGIN").map_err(sqlite)?;
        let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(sqlite)?;
        ensure!(sound == "ok", "SQLite finds the file unsound: {sound}");

        let new = self.entries.len();
        let mut select =
            connection.prepare("SELECT position, hash, text FROM entry ORDER BY position").map_err(sqlite)?;
        let mut rows = select.query([]).map_err(sqlite)?;
        let mut expected = 0;
        while let Some(row) = rows.next().map_err(sqlite)? {
            let position: u64 = row.get::<_, i64>(0).map_err(sqlite)?.cast_unsigned();
            ensure!(position == expected, "entry {position} stands where {expected} belongs");
            expected += 1;
            let hash: Vec<u8> = row.get(1).map_err(sqlite)?;
            let hash = EntryHash::from_bytes(&hash).ok_or(format!("entry {position} has a hash that is none"))?;
            match self.hashes.get(position as usize) {
                Some(known) => ensure!(*known == hash, "entry {position} is not what it was"),
                None => self.read_entry(position, hash, &row.get::<_, String>(2).map_err(sqlite)?)?,
            }
        }
        ensure!(expected as usize == self.entries.len(), "entries from {expected} on were there, and are not");
        let changed: BTreeSet<TicketId> =
            self.entries[new..].iter().filter_map(Entry::ticket).map(|entry| entry.ticket).collect();
        for id in changed {
            let ticket = fold(&self.histories[&id]).map_err(|error| error.to_string())?;
            self.tickets.insert(id, ticket.ok_or(format!("{id} has no entry"))?);
        }
        self.personal_records(&connection, new as u64)
    }

    fn read_entry(&mut self, position: u64, hash: EntryHash, text: &str) -> Proof {
        ensure!(EntryHash::of(text) == hash, "entry {position} is not the text that was hashed");
        let entry = unseal(text).map_err(|error| format!("entry {position}: {error}"))?;
        let link = Link::of(text).map_err(|error| format!("entry {position}: {error}"))?;
        if let Some(at) = self.entries.last().map(Entry::at) {
            ensure!(at <= entry.at(), "time falls at entry {position}");
        }
        match &entry {
            Entry::Ticket(about) => {
                let before = self.last.insert(about.ticket, hash);
                ensure!(
                    link.before == before,
                    "entry {position} is not linked to the entry of {} before",
                    about.ticket
                );
                self.take(about, position)?;
            }
            other => {
                ensure!(link.before.is_none() && link.ticket.is_none(), "entry {position} is linked to a ticket");
                if let Entry::Erased(erasure) = other
                    && let Erased::Author(author) = erasure.of
                {
                    self.erased.insert(author, position);
                }
            }
        }
        self.entries.push(entry);
        self.hashes.push(hash);
        Ok(())
    }
}

impl Found {
    fn take(&mut self, entry: &TicketEntry, position: u64) -> Proof {
        let (id, version) = (entry.ticket, entry.version);
        let history = self.histories.entry(id).or_default();
        let expected = Version(history.len() as u32 + 1);
        ensure!(version == expected, "entry {position} is version {version} of {id} where {expected} belongs");
        history.push(entry.clone());
        if let Some(TicketEvent::Received { filing, .. }) = entry.events.first() {
            for source in filing.sources() {
                let other = self.sources.insert(source, id);
                // Both sources of an imported ticket may be the same ticket's.
                ensure!(other.is_none(), "the post of {id} is {other:?} already");
            }
        }
        if let Some(request) = entry.request {
            let twice = self.requests.insert((id, request), version);
            ensure!(twice.is_none(), "a request of {id} was carried out twice");
            self.by_request.insert(request, (id, version));
        }
        Ok(())
    }

    fn personal_records(&self, connection: &Connection, new: u64) -> Proof {
        let sqlite = |error: rusqlite::Error| format!("a personal record cannot be read: {error}");
        let mut select =
            connection.prepare("SELECT position, salt, record FROM personal WHERE record <> ''").map_err(sqlite)?;
        let mut rows = select.query([]).map_err(sqlite)?;
        let mut kept = HashSet::new();
        while let Some(row) = rows.next().map_err(sqlite)? {
            let position = row.get::<_, i64>(0).map_err(sqlite)?.cast_unsigned();
            kept.insert(position);
            if position < new {
                continue;
            }
            let (salt, record): (Vec<u8>, String) = (row.get(1).map_err(sqlite)?, row.get(2).map_err(sqlite)?);
            let entry = usize::try_from(position).ok().and_then(|at| self.entries.get(at)?.ticket());
            let commitment = entry.and_then(|entry| entry.personal);
            let salt = Salt(salt.try_into().map_err(|_| format!("the salt of record {position} is none"))?);
            let record: Personal =
                serde_json::from_str(&record).map_err(|error| format!("record {position} is unreadable: {error}"))?;
            let genuine = commitment == Some(record.commitment(&salt));
            ensure!(genuine, "the record at entry {position} is not what the entry is committed to");
        }
        for (position, entry) in (0..).zip(&self.entries) {
            let Some(entry) = entry.ticket().filter(|entry| entry.personal.is_some()) else { continue };
            let author = self.tickets[&entry.ticket].filing().author;
            let erased = author.and_then(|author| self.erased.get(&author)).is_some_and(|upto| position < *upto);
            ensure!(
                kept.contains(&position) != erased,
                "the record at entry {position} of {} is {}",
                entry.ticket,
                if erased { "erased, and still there" } else { "lost" }
            );
        }
        Ok(())
    }

    /// The ticket of a post.
    pub fn ticket_of(&self, post: u64) -> Option<TicketId> {
        self.sources.get(&key().source(&source(post))).copied()
    }

    /// The open tickets, by number.
    pub fn open(&self) -> Vec<&Ticket> {
        self.tickets.values().filter(|ticket| ticket.state().kind().is_open()).collect()
    }

    /// Whether all that was answered is so.
    pub fn holds(&self, told: &[Told]) -> Proof {
        let mut submitted: BTreeMap<u64, TicketId> = BTreeMap::new();
        let mut refused = BTreeSet::new();
        let mut perhaps = BTreeSet::new();
        let tables: HashSet<String> = self.entries.iter().filter_map(table).collect();
        for told in told {
            match told {
                Told::Submitted { post, ticket, version } => {
                    // An imported ticket is known by the post behind it as well.
                    let found = self.ticket_of(*post);
                    ensure!(found == Some(*ticket), "post {post} was acknowledged as {ticket}, and is {found:?}");
                    let there = self.histories[ticket].len();
                    ensure!(there >= version.0 as usize, "{ticket} was told at version {version}, and has {there}");
                    let before = submitted.insert(*post, *ticket);
                    ensure!(before.is_none_or(|before| before == *ticket), "post {post} was {before:?}, and {ticket}");
                }
                Told::NotSubmitted { post } => drop(refused.insert(*post)),
                Told::PerhapsSubmitted { post } => drop(perhaps.insert(*post)),
                Told::Acted { request, ticket, version, .. } | Told::Judged { request, ticket, version, .. } => {
                    let found = self.requests.get(&(*ticket, *request));
                    ensure!(
                        found == Some(version),
                        "request {request} on {ticket} was acknowledged at version {version}, and is at {found:?}"
                    );
                }
                Told::NotDone { request } => {
                    let found = self.by_request.get(request);
                    ensure!(found.is_none(), "request {request} was refused, and is there: {found:?}");
                }
                Told::Rules(version) | Told::Roster(version) => {
                    ensure!(tables.contains(version), "{version} was acknowledged, and no entry puts it in force");
                }
                Told::Erased { post } => {
                    let author = key().author(&author(*post));
                    ensure!(self.erased.contains_key(&author), "post {post} was erased, and no entry says so");
                }
                Told::Fault(what) => return Err(what.clone()),
                Told::Copied { .. }
                | Told::Opening
                | Told::NotStarted(_)
                | Told::Started
                | Told::Stopping
                | Told::Ended(_) => {}
            }
        }
        for post in refused.iter().filter(|post| !submitted.contains_key(post) && !perhaps.contains(post)) {
            let found = self.ticket_of(*post);
            ensure!(found.is_none(), "post {post} was refused, and is {found:?}");
        }
        Ok(())
    }

    /// Whether the copies that were acknowledged are journals, and beginnings of this one.
    pub fn has_copies(&self, folder: &Path, told: &[Told]) -> Proof {
        for told in told {
            let Told::Copied { name, entries } = told else { continue };
            let path = folder.join(name);
            // It was looked at before.
            if !path.exists() {
                continue;
            }
            let copy = read(&path).map_err(|error| format!("{name}: {error}"))?;
            let there = copy.entries.len() as u64;
            ensure!(there >= *entries, "{name} was to have {entries} entries, and has {there}");
            ensure!(self.entries.starts_with(&copy.entries), "{name} is no beginning of the journal");
            drop(SqliteStore::open(&path, Default::default()).map_err(|error| error.to_string())?);
            remove(&path);
        }
        Ok(())
    }

    /// Whether the store says of its file what the file says. At most `most` tickets are looked at closely.
    pub fn is_what_the_store_says(&self, store: &mut SqliteStore, dice: &mut StdRng, most: usize) -> Proof {
        let wrong = |error: nivaran::store::StoreError| error.to_string();
        let standing = store.standing().map_err(wrong)?;
        let open: BTreeMap<TicketId, Ticket> = self.open().into_iter().map(|t| (t.id(), t.clone())).collect();
        ensure!(standing.end.0 == self.entries.len() as u64, "what is kept ready ends at {}", standing.end);
        for (id, ticket) in &open {
            ensure!(standing.open.get(id) == Some(ticket), "{id} is kept ready otherwise than its entries say");
        }
        ensure!(standing.open.len() == open.len(), "{} tickets too many are kept ready", standing.open.len());
        let mut bearings = nivaran::journal::Bearings::default();
        for (entry, position) in self.entries.iter().zip(0..) {
            bearings.take(entry, Position(position));
        }
        ensure!(standing.bearings == bearings, "another table or roster is kept ready than is in force");

        ensure!(store.end().map_err(wrong)?.0 == self.entries.len() as u64, "the store's end is not the journal's");
        let from = self.entries.len().saturating_sub(most.saturating_mul(10));
        let read = store.read(Position(from as u64), usize::MAX).map_err(wrong)?;
        ensure!(read == self.entries[from..], "the store reads other entries than there are");
        let ids: Vec<TicketId> = self.tickets.keys().copied().collect();
        ensure!(store.tickets(None, usize::MAX).map_err(wrong)? == ids, "the store lists other tickets than there are");
        let keys: Vec<SourceKey> = self.sources.keys().copied().collect();
        ensure!(store.sources_after(None, usize::MAX).map_err(wrong)? == keys, "the store lists other posts");
        let of: Vec<Option<TicketId>> = self.sources.values().map(|id| Some(*id)).collect();
        ensure!(store.sources(&keys).map_err(wrong)? == of, "the store knows posts by other tickets");
        for (id, entries) in self.histories.iter().collect::<Vec<_>>().sample(dice, most) {
            let history = store.history(**id).map_err(wrong)?;
            ensure!(
                history.iter().filter_map(Entry::ticket).eq(entries.iter()) && history.len() == entries.len(),
                "the store has another history of {id}"
            );
        }
        Ok(())
    }

    /// Whether an engine on it, in which nothing is under way, has the same in memory, and each open ticket at one desk.
    pub async fn is_what_the_engine_says(&self, engine: &Engine, dice: &mut StdRng, most: usize) -> Proof {
        let open: Vec<Ticket> = self.open().into_iter().cloned().collect();
        let listed = listed(engine, &TicketFilter::open()).await;
        let known: BTreeSet<TicketId> = listed.iter().map(Ticket::id).collect();
        let missing: Vec<_> = open.iter().map(Ticket::id).filter(|id| !known.contains(id)).collect();
        ensure!(missing.is_empty(), "the engine has forgotten {missing:?}");
        for (has, is) in listed.iter().zip(&open) {
            ensure!(has == is, "the engine has {} otherwise than its entries say", has.id());
        }
        ensure!(listed.len() == open.len(), "the engine has more open tickets than the journal");
        let mut desks: BTreeMap<DeskId, u64> = BTreeMap::new();
        for ticket in &open {
            let desk = ticket.desk().ok_or(format!("{} is open and at no desk", ticket.id()))?;
            ensure!(engine.roster().desk(desk).is_some(), "{} is at {desk}, which is not there", ticket.id());
            *desks.entry(desk.clone()).or_default() += 1;
        }
        let health = engine.health();
        ensure!(health.open == desks, "health counts {:?}, the journal {desks:?}", health.open);
        ensure!(health.position.0 == self.entries.len() as u64, "health says the journal ends at {}", health.position);
        for ticket in open.sample(dice, most) {
            self.is_at_its_desk(engine, ticket).await?;
        }
        for (id, ticket) in self.tickets.iter().collect::<Vec<_>>().sample(dice, most) {
            let has = engine.ticket(**id).await.map_err(|error| error.to_string())?;
            ensure!(has.as_ref() == Some(ticket), "the engine has {id} otherwise than its entries say");
            let history = engine.history(**id).await.map_err(|error| error.to_string())?;
            ensure!(history == self.histories[id], "the engine has another history of {id}");
        }
        Ok(())
    }

    /// The desk that a ticket is with knows it, at this version: it refuses an act for being late, which only it can.
    async fn is_at_its_desk(&self, engine: &Engine, ticket: &Ticket) -> Proof {
        let never = Version(u32::MAX);
        let probe = Act::by_officer(ticket.id(), officer("cms"), Action::Acknowledge).expecting(never);
        let answer = engine.act(probe).await;
        let stale = nivaran::Refusal::Stale { expected: never, actual: ticket.version() };
        ensure!(answer == Err(stale.into()), "{} is not at {:?}: {answer:?}", ticket.id(), ticket.desk());
        Ok(())
    }

    /// Whether what was acknowledged is answered the same when it is sent again, and nothing happens twice.
    pub async fn is_answered_again(&self, engine: &Engine, told: &[Told], dice: &mut StdRng, most: usize) -> Proof {
        for told in told.iter().filter(|told| is_repeatable(told)).collect::<Vec<_>>().sample(dice, most) {
            let (answer, ticket, version) = match told {
                Told::Submitted { post, ticket, .. } => {
                    let answer = match post.checked_sub(IMPORTED) {
                        None => engine.submit(any_grievance(*post)).await,
                        Some(number) => {
                            let (old_number, received_at) = (old_number(number), at(-500));
                            let grievance = any_grievance(*post);
                            engine.import(vec![PendingTicket { old_number, received_at, grievance }]).await.remove(0)
                        }
                    };
                    (answer.map_err(|error| error.to_string()), ticket, self.tickets[ticket].version())
                }
                Told::Acted { request, post, ticket, version } => {
                    let act = self.again(*ticket, *version, *request, *post);
                    (engine.act(act).await.map_err(|error| error.to_string()), ticket, *version)
                }
                Told::Judged { request, post, asked, ticket, version } => {
                    let kind = self.histories[ticket][version.0 as usize - 1].action;
                    let satisfied = kind == Some(ActionKind::Satisfied);
                    let verdict = if satisfied { Verdict::Satisfied } else { Verdict::NotSatisfied };
                    let said = feedback(*asked, *post, verdict).request(*request);
                    (engine.feedback(said).await.map_err(|error| error.to_string()), ticket, *version)
                }
                _ => continue,
            };
            let same = Receipt { ticket: *ticket, version, standing: Standing::AlreadyDone };
            ensure!(answer == Ok(same), "{told:?}, sent again, is answered {answer:?}");
        }
        let after = engine.position().0;
        ensure!(after == self.entries.len() as u64, "what was sent again was done again: {after} entries");
        Ok(())
    }

    /// The act that an entry came of, as far as it tells it from others.
    fn again(&self, id: TicketId, version: Version, request: RequestId, post: u64) -> Act {
        let entry = &self.histories[&id][version.0 as usize - 1];
        let until = entry.at;
        let action = match entry.action.unwrap() {
            ActionKind::Acknowledge => Action::Acknowledge,
            ActionKind::Resolve => Action::Resolve(Outcome::Fixed),
            ActionKind::Reject => Action::Reject(Grounds::SubJudice),
            ActionKind::Forward => Action::Forward(None),
            ActionKind::Return => Action::Return,
            ActionKind::ChangeCategory => Action::ChangeCategory("water".parse().unwrap()),
            ActionKind::ChangePlace => Action::ChangePlace("hisar".parse().unwrap()),
            ActionKind::AskCitizen => Action::AskCitizen { until },
            ActionKind::Park => Action::Park { until, why: ParkReason::WorkPlanned },
            ActionKind::InterimReply => Action::InterimReply { next: until },
            ActionKind::CitizenAnswers => Action::CitizenAnswers,
            ActionKind::Withdraw => Action::Withdraw,
            other => panic!("the load does not {other}"),
        };
        let act = match &entry.by {
            By::Officer(officer) => Act::by_officer(id, officer.clone(), action),
            _ => Act::by_citizen(id, author(post), action),
        };
        act.statement(words("As was said.")).request(request)
    }
}

fn is_repeatable(told: &Told) -> bool {
    matches!(told, Told::Submitted { .. } | Told::Acted { .. } | Told::Judged { .. })
}

/// The table or roster that an entry puts in force.
fn table(entry: &Entry) -> Option<String> {
    match entry {
        Entry::Rules(changed) => Some(changed.table.to_string()),
        Entry::Roster(changed) => Some(changed.roster.to_string()),
        _ => None,
    }
}

/// The files that belong to a journal.
const BESIDE: [&str; 6] = ["", "-wal", "-journal", "-shm", "-lock", "-spare"];

fn beside(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Removes a journal.
pub fn remove(path: &Path) {
    BESIDE.iter().for_each(|suffix| drop(std::fs::remove_file(beside(path, suffix))));
}

/// Copies a journal that nobody has open, with its log, as a crash left it.
pub fn copy_as_it_lies(from: &Path, to: &Path) {
    remove(to);
    for suffix in &BESIDE[..3] {
        let from = beside(from, suffix);
        if from.exists() {
            std::fs::copy(from, beside(to, suffix)).unwrap();
        }
    }
}
