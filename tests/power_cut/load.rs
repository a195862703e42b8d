//! The load that is recorded, and the check of what a power cut left of it: an engine with its journal in SQLite.
//!
//! What the machine around it asks for is all here: [`Ack`], [`child`], [`check`], [`Loss`].

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::path::Path;
use std::process;
use std::str::FromStr;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use nivaran::Receipt;
use nivaran::journal::{Entry, Format, Position, Record, RulesChanged, fold};
use nivaran::store::Store;
use nivaran::store::sqlite::{Settings, SqliteStore, Synchronous};
use nivaran::ticket::{TicketEvent, TicketId, Version};
use rusqlite::Connection;
use tokio::runtime::Builder;

use crate::support::{acknowledge, any_grievance, at, builder, clock, resolve, rules};

type IsCalledSo = fn(&str) -> bool;

/// Whose syncs the store cannot do without, in words and by the name of the file; the recorded directory has none.
pub const NEEDED_SYNCS: [(&str, IsCalledSo); 3] = [
    ("the log", |name| name.ends_with("-wal")),
    ("the database", |name| name == JOURNAL),
    ("the directory", str::is_empty),
];

const JOURNAL: &str = "haryana.journal";

/// What a receipt says that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ack {
    ticket: TicketId,
    version: Version,
}

/// What a cut took that it must not take.
#[derive(Debug, PartialEq, Eq)]
pub enum Loss {
    /// Acknowledged and not there.
    Lost(Ack),
    /// Acknowledged or not, it is there in part: an entry without the ones before it or without its personal record.
    Half(Ack),
    Twice(Ack),
    /// It does not open, or not all of it can be read.
    Damaged(String),
}

impl From<Receipt> for Ack {
    fn from(receipt: Receipt) -> Ack {
        Ack { ticket: receipt.ticket, version: receipt.version }
    }
}

impl Display for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.ticket, self.version.0)
    }
}

impl FromStr for Ack {
    type Err = String;

    fn from_str(text: &str) -> Result<Ack, String> {
        let (ticket, version) = text.split_once('.').ok_or("no version")?;
        let version = Version(version.parse().map_err(|_| "no version")?);
        Ok(Ack { ticket: ticket.parse().map_err(|_| "no ticket")?, version })
    }
}

impl Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loss::Lost(ack) => write!(f, "{ack} was acknowledged and is lost"),
            Loss::Half(ack) => write!(f, "{ack} is there in part"),
            Loss::Twice(ack) => write!(f, "{ack} is there twice"),
            Loss::Damaged(why) => write!(f, "the journal is damaged: {why}"),
        }
    }
}

fn damaged(why: impl Display) -> Loss {
    Loss::Damaged(why.to_string())
}

/// Small enough that log, indexes and spare file come by often in a recording.
fn settings(synchronous: Synchronous) -> Settings {
    let mut settings = Settings::default();
    settings.synchronous = synchronous;
    settings.checkpoint_pages = 24;
    settings.spare_bytes = 4_096;
    settings.index_every = 8;
    settings
}

/// Posts of a run; the child runs twice on the same file.
const POSTS: u64 = 12;

/// Works in `directory` and tells `tell` of each receipt as soon as it is there.
pub fn child(directory: &Path, synchronous: Synchronous, tell: &mut dyn FnMut(Ack)) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        for run in 0..2 {
            let store = SqliteStore::open(directory.join(JOURNAL), settings(synchronous)).unwrap();
            let engine = builder(store, &clock()).start().unwrap();
            for four in 0..POSTS / 4 {
                let posts = (0..4).map(|post| run * POSTS + four * 4 + post);
                let mut submits: FuturesUnordered<_> = posts.map(|post| engine.submit(any_grievance(post))).collect();
                let mut tickets = Vec::new();
                while let Some(receipt) = submits.next().await {
                    let receipt = receipt.unwrap();
                    tickets.push(receipt.ticket);
                    tell(receipt.into());
                }
                for ticket in tickets {
                    let Some(before) = engine.ticket(ticket).await.unwrap() else { continue };
                    if let Ok(receipt) = engine.act(acknowledge(&before)).await {
                        tell(receipt.into());
                    }
                    if four % 2 == 0
                        && let Ok(receipt) = engine.act(resolve(&before)).await
                    {
                        tell(receipt.into());
                    }
                }
            }
            if run == 0 {
                engine.shutdown().await;
            } else {
                // The process ends without a word, also from libtest.
                process::exit(0);
            }
        }
    });
}

/// Opens what is left in `directory`, as the next start would, and looks whether it holds what it must.
///
/// # Errors
/// What is missing, there in part or there twice.
pub fn check(directory: &Path, acknowledged: &[Ack]) -> Result<(), Loss> {
    let path = directory.join(JOURNAL);
    let mut store = SqliteStore::open(&path, settings(Synchronous::Full)).map_err(damaged)?;
    let there = holds(&mut store)?;
    for ack in acknowledged {
        if there.get(&ack.ticket).is_none_or(|last| *last < ack.version) {
            return Err(Loss::Lost(*ack));
        }
    }
    // It goes on where it was left.
    let end = store.end().map_err(damaged)?;
    let entry = RulesChanged {
        format: Format,
        table: rules().version(),
        rows: 1,
        content: rules().written(),
        at: at(0),
        by: None,
    };
    let batch = Arc::new(vec![Record { entry: Entry::Rules(entry), personal: None }]);
    if store.append(&batch).map_err(damaged)? != end {
        return Err(damaged("it goes on elsewhere"));
    }
    drop(store);
    let verdict = Connection::open(&path).and_then(|it| it.query_row("PRAGMA integrity_check", [], |row| row.get(0)));
    match verdict.map_err(damaged)? {
        verdict if verdict == "ok" => Ok(()),
        verdict => Err(Loss::Damaged(verdict)),
    }
}

/// The last version of each ticket that is there.
fn holds(store: &mut SqliteStore) -> Result<BTreeMap<TicketId, Version>, Loss> {
    let entries = store.read(Position(0), 10_000).map_err(damaged)?;
    let mut histories: BTreeMap<TicketId, Vec<_>> = BTreeMap::new();
    let mut sources = BTreeMap::new();
    for entry in entries.iter().filter_map(Entry::ticket) {
        let ack = Ack { ticket: entry.ticket, version: entry.version };
        if let Some(TicketEvent::Received { filing, .. }) = entry.events.first()
            && sources.insert(filing.source, entry.ticket).is_some()
        {
            return Err(Loss::Twice(ack));
        }
        histories.entry(entry.ticket).or_default().push(entry.clone());
    }
    let mut last = BTreeMap::new();
    for (ticket, history) in histories {
        for (entry, version) in history.iter().zip(1..) {
            let ack = Ack { ticket, version: entry.version };
            if entry.version.0 != version {
                return Err(if entry.version.0 < version { Loss::Twice(ack) } else { Loss::Half(ack) });
            }
            last.insert(ticket, entry.version);
        }
        fold(&history).map_err(damaged)?;
        // By the index of the ticket's entries, which is thereby seen to be whole.
        let personal = store.personal(ticket).map_err(damaged)?;
        for entry in &history {
            if entry.personal.is_some() != personal.iter().any(|(version, _)| *version == entry.version) {
                return Err(Loss::Half(Ack { ticket, version: entry.version }));
            }
        }
    }
    for (source, ticket) in sources {
        if store.sources(&[source]).map_err(damaged)? != [Some(ticket)] {
            return Err(damaged(format!("the source of {ticket} is not known")));
        }
    }
    Ok(last)
}
