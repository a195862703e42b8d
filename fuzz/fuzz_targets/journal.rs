//! A journal's file in which bytes were overwritten, or which is nothing but such bytes: opening and reading it answers or
//! gives an error, and never panics.
//!
//! The first bytes of the input say where in a sound file the rest goes; with the first bit unset the rest is the file.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use nivaran::engine::SeededSecrets;
use nivaran::journal::Position;
use nivaran::store::sqlite::{Archive, Settings, SqliteStore};
use nivaran::{
    CategoryTree, Channel, Complainant, Engine, Grievance, InstallationKey, ManualClock, PlaceTree, Roster, Rules, Source,
    Store,
};

fn folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
    parent.join(format!("nivaran-fuzz-{}", std::process::id()))
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.spare_bytes = 0;
    settings
}

/// A small sound file, as an engine leaves it.
fn sound() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        fs::create_dir_all(folder()).expect("a folder for the files");
        let path = folder().join("sound");
        let categories = CategoryTree::read(include_bytes!("../../examples/haryana/categories.csv")).expect("sound");
        let places = PlaceTree::read(include_bytes!("../../examples/haryana/places.csv")).expect("sound");
        let rules = Rules::read(categories, places, include_bytes!("../../examples/haryana/rules.csv")).expect("sound");
        let roster = Roster::read(include_str!("../../examples/haryana/roster.toml")).expect("sound");
        let store = SqliteStore::open(&path, settings()).expect("a new file");
        let engine = Engine::builder()
            .rules(rules)
            .roster(roster)
            .store(store)
            .clock(ManualClock::new("2022-07-14T06:30:00Z".parse().expect("a time")))
            .secrets(SeededSecrets(1))
            .installation_key(InstallationKey::new(&[1; 32]))
            .start()
            .expect("an engine");
        let pending = (0..8).map(|n| {
            let source = Source::new(Channel::X, n.to_string()).expect("a source");
            let grievance = Grievance::builder(source, "Water stands in our street")
                .complainant(Complainant { handle: Some(format!("citizen{n}")), ..Complainant::default() })
                .category("water/logging".parse().expect("a category"))
                .build()
                .expect("a grievance");
            let old_number = nivaran::Reference::new(&format!("OLD/{n}")).expect("a reference");
            let received_at = "2022-07-01T06:30:00Z".parse().expect("a time");
            nivaran::PendingTicket { old_number, received_at, grievance }
        });
        let import = engine.import(pending.collect());
        futures_executor(import);
        drop(engine);
        fs::read(path).expect("the file")
    })
}

/// Waits for a future of the engine's, which works from any executor.
fn futures_executor<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(done) => return done,
            std::task::Poll::Pending => std::thread::yield_now(),
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((place, rest)) = input.split_first_chunk::<4>() else { return };
    let place = u32::from_le_bytes(*place) as usize;
    let mut file = sound().to_vec();
    if place & 1 == 0 {
        file = rest.to_vec();
    } else {
        let at = (place >> 1) % file.len();
        let end = (at + rest.len()).min(file.len());
        file[at..end].copy_from_slice(&rest[..end - at]);
    }
    let path = folder().join("fuzzed");
    fs::write(&path, &file).expect("room for the file");
    if let Ok(archive) = Archive::open(&path) {
        let _ = archive.verify([], |_| ());
    }
    if let Ok(mut store) = SqliteStore::open(&path, settings()) {
        let _ = (store.standing(), store.end(), store.read(Position(0), 100), store.sources_after(None, 100));
        for ticket in store.tickets(None, 100).unwrap_or_default() {
            let _ = (store.history(ticket), store.personal(ticket));
        }
        let _ = (store.reserve(1), store.reopen());
    }
    for suffix in ["", "-wal", "-shm", "-journal", "-lock"] {
        let _ = fs::remove_file(folder().join(format!("fuzzed{suffix}")));
    }
});
