//! What an open ticket takes in memory besides its text, which is in the file: an engine started on a file with many, less
//! one started on an empty file.
//!
//! Counted are the bytes that the program holds from its allocator. The process is larger: SQLite keeps pages
//! (`Settings::cache_kib`), and the allocator keeps what was freed.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::alloc::System;
use std::path::Path;

use futures_util::{StreamExt, stream};
use nivaran::store::sqlite::{Settings, SqliteStore, Synchronous};
use nivaran::{
    CategoryTree, Channel, Complainant, Engine, Grievance, InstallationKey, Limits, PlaceTree, Roster, Rules, Source,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const TICKETS: [usize; 3] = [1_000, 10_000, 100_000];

fn main() {
    let folder = std::env::temp_dir().join(format!("nivaran-memory-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let empty = weigh(&folder.join("empty.journal"));
    println!("| open tickets | bytes held | a ticket |\n|---|---|---|");
    for count in TICKETS {
        let path = folder.join(format!("{count}.journal"));
        fill(&path, count);
        let bytes = weigh(&path) - empty;
        println!("| {count} | {bytes} | {} |", bytes / count);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// What an engine on this file holds when it serves.
fn weigh(path: &Path) -> usize {
    let before = held();
    let engine = engine(path, Synchronous::Full);
    block_on(engine.tick());
    let bytes = held() - before;
    block_on(engine.shutdown());
    bytes
}

fn held() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn engine(path: &Path, synchronous: Synchronous) -> Engine {
    let categories = CategoryTree::read(include_bytes!("../examples/haryana/categories.csv")).unwrap();
    let places = PlaceTree::read(include_bytes!("../examples/haryana/places.csv")).unwrap();
    let rules = Rules::read(categories, places, include_bytes!("../examples/haryana/rules.csv")).unwrap();
    let roster = Roster::read(include_str!("../examples/haryana/roster.toml")).unwrap();
    let (mut settings, mut limits) = (Settings::default(), Limits::default());
    settings.synchronous = synchronous;
    // The filter is made in one piece, however many tickets there are.
    limits.remembered_sources = 1_000;
    let builder = Engine::builder().rules(rules).roster(roster).limits(limits);
    builder
        .store(SqliteStore::open(path, settings).unwrap())
        .installation_key(InstallationKey::new(&[7; 32]))
        .start()
        .unwrap()
}

fn fill(path: &Path, count: usize) {
    let engine = engine(path, Synchronous::Off);
    let places: Vec<_> = engine.rules().places().paths().cloned().collect();
    let grievances = (0..count).map(move |n| {
        let text = "Water has been standing knee-deep in our street since Monday morning.";
        let category = ["water/logging", "power/outage", "garbage/collection", "roads/pothole"][n % 4];
        Grievance::builder(Source::new(Channel::X, n.to_string()).unwrap(), text)
            .complainant(Complainant { handle: Some(format!("@citizen{n}")), ..Complainant::default() })
            .category(category.parse().unwrap())
            .place(places[n % places.len()].clone())
            .build()
            .unwrap()
    });
    block_on(engine.submit_all(stream::iter(grievances)).for_each(async |receipt| {
        receipt.unwrap();
    }));
    block_on(engine.shutdown());
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
