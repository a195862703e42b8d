//! A journal in an SQLite file: what is opened and what is not, what is mended, and that a restart changes nothing.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod journals;
mod support;

use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use jiff::SignedDuration;
use journals::*;
use nivaran::engine::{EngineBuilder, SeededSecrets};
use nivaran::journal::{Bearings, Entry, Position, Record, Standing};
use nivaran::personal::{KeyCheck, SaltedRecord, SourceKey};
use nivaran::store::sqlite::{Archive, OpenError, Settings, SqliteStore};
use nivaran::store::{AppendError, Changed, Lifetime, StoreError};
use nivaran::ticket::{StateKind, Version};
use nivaran::{
    ActError, Engine, InstallationKey, Limits, MemoryStore, Page, ReadError, RequestId, Roster, Rules, StartError,
    Store, TicketFilter, TicketId, Verdict,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::*;

/// The file is refused, and nothing is touched.
#[track_caller]
fn is_refused(folder: &Folder, path: &Path) -> OpenError {
    let before = folder.bytes();
    let error = refused(path);
    assert_untouched(&before, &folder.bytes());
    error
}

// ---- another process -----------------------------------------------------------------------------------------------

const JOURNAL: &str = "NIVARAN_TEST_JOURNAL";
const ERRAND: &str = "NIVARAN_TEST_ERRAND";

/// This test's program, run as another process with an errand.
fn process(errand: &str, journal: &Path) -> Command {
    // By the link, so that whoever may not enter the folder of the program can run it all the same.
    let program = if cfg!(target_os = "linux") { "/proc/self/exe".into() } else { std::env::current_exe().unwrap() };
    let mut command = Command::new(program);
    command.args(["--exact", "another_process_does_its_errand", "--ignored", "--nocapture"]);
    command.env(JOURNAL, journal).env(ERRAND, errand).env("RUST_BACKTRACE", "0");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

#[test]
#[ignore = "the other tests run it as another process"]
fn another_process_does_its_errand() {
    let (Ok(errand), Some(journal)) = (std::env::var(ERRAND), std::env::var_os(JOURNAL)) else { return };
    let journal = PathBuf::from(journal);
    match errand.as_str() {
        "open" => println!("\n> {:?}", SqliteStore::open(&journal, quick(7)).map(|mut store| store.end())),
        "archive" => println!("\n> {:?}", Archive::open(&journal).map(|archive| archive.len())),
        "write" => {
            let mut settings = Settings::default();
            settings.index_every = 50;
            let mut store = SqliteStore::open(&journal, settings).unwrap();
            for batch in RECORDS.chunks(5) {
                append(&mut store, batch, 5);
                println!("\n> {:?}", store.end());
            }
            // Until the other end is closed.
            drop(std::io::stdin().read_line(&mut String::new()));
        }
        other => panic!("no errand: {other}"),
    }
}

/// What a process says next.
fn said(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Option<String> {
    lines.map_while(Result::ok).find_map(|line| line.strip_prefix("> ").map(str::to_owned))
}

fn output(child: &mut Child) -> impl Iterator<Item = std::io::Result<String>> + use<> {
    BufReader::new(child.stdout.take().unwrap()).lines()
}

#[test]
fn a_file_that_another_store_has_open_is_in_use_by_whatever_name() {
    let folder = Folder::new();
    let path = folder.journal();
    let mut store = open(&path);
    append(&mut store, &RECORDS[..20], 4);
    let mut names =
        vec![path.clone(), folder.file("../").join(folder.path().file_name().unwrap()).join("haryana.journal")];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&path, folder.file("link")).unwrap();
        names.push(folder.file("link"));
    }
    for name in names {
        assert_eq!(is_refused(&folder, &name), OpenError::InUse { path: name });
    }
    append(&mut store, &RECORDS[20..], 4);
    drop(store);
    assert_all_there(&path);
}

#[test]
fn a_file_that_another_process_has_open_is_in_use_until_it_is_killed_and_has_everything_then() {
    let folder = Folder::new();
    let path = folder.journal();
    let mut child = process("write", &path).spawn().unwrap();
    let mut lines = output(&mut child);
    for n in 1..=10 {
        assert_eq!(said(&mut lines), Some(format!("Ok(Position({}))", 5 * n)));
    }
    assert_eq!(refused(&path), OpenError::InUse { path: path.clone() });
    child.kill().unwrap();
    child.wait().unwrap();
    let told = 50 + 5 * std::iter::from_fn(|| said(&mut lines)).count();
    let mut store = open(&path);
    let there = store.read(Position(0), usize::MAX).unwrap();
    assert!(there.len() >= told && there.len() % 5 == 0, "{} of {told}", there.len());
    assert!(there == entries()[..there.len()]);
    append(&mut store, &RECORDS[there.len()..], 7);
    drop(store);
    assert_all_there(&path);
    // And the other way round.
    let store = open(&path);
    let mut child = process("open", &path).spawn().unwrap();
    assert_eq!(said(&mut output(&mut child)), Some(format!("Err(InUse {{ path: {path:?} }})")));
    child.wait().unwrap();
    drop(store);
}

// ---- what is not a journal -----------------------------------------------------------------------------------------

#[test]
fn a_file_that_is_not_ours_is_refused_and_nothing_is_touched_or_made() {
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";
    let folder = Folder::new();
    let path = folder.journal();
    let files: [&[u8]; 5] = [b"A", b"Dear Sir, the drain is full.\n", PNG, &[0; 8_192], &[0xff; 100_000]];
    for bytes in files {
        std::fs::write(&path, bytes).unwrap();
        let error = is_refused(&folder, &path);
        assert!(matches!(error, OpenError::NotOurs { .. }), "{error:?}");
        std::fs::remove_file(&path).unwrap();
    }
    std::fs::create_dir(&path).unwrap();
    assert_eq!(is_refused(&folder, &path), OpenError::NotOurs { path, what: "a folder" });
}

#[test]
fn another_programs_database_is_refused_and_nothing_is_touched_or_made() {
    for mode in ["DELETE", "WAL"] {
        for (is_open, empty) in [(false, false), (true, false), (false, true), (true, true)] {
            let folder = Folder::new();
            let path = folder.journal();
            let other = connection(&path);
            other.pragma_update(None, "journal_mode", mode).unwrap();
            // A database of no tables is still somebody's.
            other.pragma_update(None, "user_version", 1).unwrap();
            if !empty {
                other.execute_batch("CREATE TABLE entry (position INTEGER PRIMARY KEY, hash, text)").unwrap();
                other.execute_batch("BEGIN; INSERT INTO entry VALUES (0, '', 'theirs'); COMMIT").unwrap();
            }
            let other = Some(other).filter(|_| is_open);
            let error = is_refused(&folder, &path);
            assert!(matches!(error, OpenError::NotOurs { .. }), "{mode}, {is_open}, {empty}: {error:?}");
            drop(other);
        }
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_on_a_disk_is_refused() {
    let folder = Folder::new();
    let socket = folder.file("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for path in [socket.as_path(), Path::new("/dev/null")] {
        let error = is_refused(&folder, path);
        assert!(matches!(error, OpenError::NotOurs { .. }), "{error:?}");
    }
    assert!(!Path::new("/dev/null-lock").exists());
}

#[test]
fn a_newer_file_is_refused_and_nothing_is_touched() {
    let folder = appended();
    let path = folder.journal();
    connection(&path).pragma_update(None, "user_version", 99).unwrap();
    assert_eq!(is_refused(&folder, &path), OpenError::Newer { path: path.clone(), found: 99, known: 2 });
    connection(&path).pragma_update(None, "user_version", 2).unwrap();
    assert_all_there(&path);
}

#[test]
fn a_file_in_a_folder_that_is_not_there_is_refused_and_no_folder_is_made() {
    let folder = Folder::new();
    let error = is_refused(&folder, &folder.file("missing").join("haryana.journal"));
    assert!(matches!(error, OpenError::Io { .. }), "{error:?}");
    std::fs::write(folder.file("file"), "text").unwrap();
    let error = is_refused(&folder, &folder.file("file").join("haryana.journal"));
    assert!(matches!(error, OpenError::Io { .. }), "{error:?}");
}

#[test]
fn an_empty_file_is_a_new_journal() {
    let folder = Folder::new();
    let path = folder.journal();
    std::fs::write(&path, "").unwrap();
    append(&mut open(&path), &RECORDS, 10);
    assert_all_there(&path);
}

#[test]
fn a_name_with_signs_of_its_own_is_that_name() {
    let folder = Folder::new();
    for name in ["हरियाणा.journal", "a b#c?d=e&mode=memory%20", "it's;--\"x", ":memory:"] {
        let path = folder.file(name);
        append(&mut open(&path), &RECORDS[..9], 2);
        assert_eq!(open(&path).end(), Ok(Position(9)), "{name}");
        assert!(path.is_file(), "{name}");
    }
}

#[test]
fn a_file_in_which_another_program_is_writing_is_locked_and_is_not_touched() {
    let trials = ["DELETE", "WAL"].map(|mode| {
        std::thread::spawn(move || {
            let folder = appended();
            let path = folder.journal();
            let other = connection(&path);
            other.pragma_update(None, "journal_mode", mode).unwrap();
            other.execute_batch("BEGIN IMMEDIATE; DELETE FROM history").unwrap();
            assert_eq!(is_refused(&folder, &path), OpenError::Locked { path: path.clone() }, "{mode}");
            other.execute_batch("ROLLBACK").unwrap();
            drop(other);
            assert_all_there(&path);
        })
    });
    trials.into_iter().for_each(|trial| trial.join().unwrap());
}

/// What a process says of opening a file that may do only what everybody may; `None` where no such process can be had.
#[cfg(unix)]
fn opened_by_one_who_may_not(errand: &str, path: &Path) -> Option<String> {
    use std::os::unix::process::CommandExt;
    let mut command = process(errand, path);
    if is_root() {
        command.uid(65_534).gid(65_534);
    }
    let mut child = command.spawn().ok()?;
    let answer = said(&mut output(&mut child));
    child.wait().unwrap();
    if answer.is_none() {
        println!("skipped: this program cannot be run as somebody who may do less");
    }
    answer
}

/// Whether permissions do not bind.
#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().metadata().unwrap().uid() == 0
}

#[cfg(unix)]
#[test]
fn a_file_or_folder_that_may_not_be_written_is_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let allow = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    // The modes of the folder, of the file, and of the lock if it is there.
    let trials = [
        (0o555, 0o444, None),
        (0o555, 0o444, Some(0o444)),
        (0o777, 0o444, None),
        (0o777, 0o444, Some(0o666)),
        (0o555, 0o666, None),
        (0o555, 0o666, Some(0o666)),
        (0o777, 0o666, Some(0o444)),
    ];
    for (of_folder, of_file, of_lock) in trials {
        let folder = appended();
        let (path, lock) = (folder.journal(), folder.file("haryana.journal-lock"));
        allow(&path, of_file);
        match of_lock {
            Some(mode) => allow(&lock, mode),
            None => std::fs::remove_file(&lock).unwrap(),
        }
        allow(folder.path(), of_folder);
        let before = folder.bytes();
        let answer = opened_by_one_who_may_not("open", &path);
        let mut after = folder.bytes();
        allow(folder.path(), 0o755);
        let Some(answer) = answer else { return };
        assert_eq!(answer, format!("Err(ReadOnly {{ path: {path:?} }})"), "{of_folder:o} {of_file:o} {of_lock:?}");
        if of_lock.is_none() {
            after.remove("haryana.journal-lock");
        }
        assert_untouched(&before, &after);
    }
    let folder = Folder::new();
    allow(folder.path(), 0o555);
    let answer = opened_by_one_who_may_not("open", &folder.journal());
    let after = folder.bytes();
    allow(folder.path(), 0o755);
    assert_eq!(answer, Some(format!("Err(ReadOnly {{ path: {:?} }})", folder.journal())));
    assert!(after.is_empty());
}

#[cfg(unix)]
#[test]
fn a_stopped_journal_can_be_read_where_nothing_may_be_written_and_nothing_is_made_there() {
    use std::os::unix::fs::PermissionsExt;
    let allow = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    let folder = kept();
    let path = folder.journal();
    allow(&path, 0o444);
    allow(folder.path(), 0o555);
    let before = folder.bytes();
    let answer = opened_by_one_who_may_not("archive", &path);
    let after = folder.bytes();
    allow(folder.path(), 0o755);
    let Some(answer) = answer else { return };
    assert_eq!(answer, format!("Ok(Ok({}))", entries().len()));
    assert_untouched(&before, &after);
}

// ---- an engine that is started again -------------------------------------------------------------------------------

#[test]
fn a_journal_is_opened_by_its_own_key_only_and_never_without_one() {
    let folder = Folder::new();
    let start = |key: Option<InstallationKey>| {
        let builder = Engine::builder().rules(rules()).roster(roster()).store(open(&folder.journal()));
        let builder = builder.clock(clock()).secrets(SeededSecrets(1));
        match key {
            Some(key) => builder.installation_key(key).start(),
            None => builder.start(),
        }
    };
    assert_eq!(start(None).unwrap_err(), StartError::Missing { what: "the installation's key" });
    let engine = start(Some(key())).unwrap();
    let ticket = block_on(submitted(&engine, 1, HISAR));
    drop(engine);
    let before = entries_of(&folder);
    assert_eq!(start(Some(InstallationKey::new(&[8; 32]))).unwrap_err(), StartError::AnotherKey);
    assert_eq!(start(None).unwrap_err(), StartError::Missing { what: "the installation's key" });
    assert_eq!(entries_of(&folder), before);
    let engine = start(Some(key())).unwrap();
    let again = block_on(engine.submit(grievance(1, HISAR))).unwrap();
    assert_eq!((again.ticket, again.standing), (ticket.id(), nivaran::Standing::AlreadyDone));
}

fn entries_of(folder: &Folder) -> Vec<Entry> {
    open(&folder.journal()).read(Position(0), usize::MAX).unwrap()
}

#[test]
fn what_was_closed_before_a_restart_is_not_in_memory_and_is_read_refused_and_opened_again() {
    within(async {
        let folder = Folder::new();
        let clock = clock();
        let start = || builder(open(&folder.journal()), &clock).start().unwrap();
        let engine = start();
        let withdrawn = closed(&engine, 1, HISAR).await;
        let satisfied = resolved(&engine, 2, POWER).await;
        let open = submitted(&engine, 3, HISAR).await;
        engine.feedback(feedback(satisfied.id(), 2, Verdict::Satisfied)).await.unwrap();
        let old = resolved(&engine, 4, PHE).await;
        engine.feedback(feedback(old.id(), 4, Verdict::Satisfied)).await.unwrap();
        let history = engine.history(withdrawn.id()).await.unwrap();
        engine.shutdown().await;

        // An engine that was stopped tells what is in memory, and nothing else.
        let engine = start();
        engine.shutdown().await;
        assert_eq!(engine.ticket(open.id()).await, Ok(Some(open)));
        assert_eq!(engine.ticket(withdrawn.id()).await, Err(ReadError::Stopped));

        let engine = start();
        assert_eq!(engine.ticket(withdrawn.id()).await, Ok(Some(withdrawn.clone())));
        assert_eq!(engine.history(withdrawn.id()).await.unwrap(), history);
        assert_eq!(engine.ticket_of(&source(1)).await.unwrap(), Some(withdrawn.clone()));
        let again = engine.submit(grievance(1, HISAR)).await.unwrap();
        assert_eq!((again.ticket, again.version), (withdrawn.id(), withdrawn.version()));
        let refused = engine.act(acknowledge(&withdrawn)).await;
        assert!(matches!(refused, Err(ActError::Refused(_))), "{refused:?}");
        let closed = TicketFilter::open().state(StateKind::Closed);
        assert_eq!(engine.tickets(&closed, Page::first(10)).await.unwrap().len(), 3);
        assert_eq!(listed(&engine, &TicketFilter::open()).await.len(), 1);

        let unhappy = feedback(satisfied.id(), 2, Verdict::NotSatisfied).reason(words("It is dark again."));
        assert_eq!(engine.feedback(unhappy).await.unwrap().ticket, satisfied.id());
        let reopened = ticket(&engine, satisfied.id()).await;
        assert!(reopened.state().kind().is_open() && reopened.remarks() == 1);
        clock.set(at(24 * 30));
        engine.tick().await;
        let late = feedback(old.id(), 4, Verdict::NotSatisfied).reason(words("It leaks again."));
        let follow_up = engine.feedback(late).await.unwrap().ticket;
        assert_ne!(follow_up, old.id());
        let before = [ticket(&engine, reopened.id()).await, ticket(&engine, follow_up).await];
        engine.shutdown().await;

        let engine = start();
        assert_eq!([ticket(&engine, reopened.id()).await, ticket(&engine, follow_up).await], before);
        at_its_desk(&engine, &before[0]).await;
        at_its_desk(&engine, &before[1]).await;
    });
}

#[test]
fn a_table_of_long_ago_is_read_back_after_a_restart() {
    within(async {
        let (folder, clock) = (Folder::new(), clock());
        let engine = builder(open(&folder.journal()), &clock).start().unwrap();
        let first = engine.rules().version();
        engine.reload_rules(other_rules(), None).await.unwrap();
        engine.shutdown().await;
        let engine = builder(open(&folder.journal()), &clock).rules(other_rules()).start().unwrap();
        let there = engine.rules_of(first).await.unwrap().unwrap();
        assert_eq!((there.content.read().unwrap().version(), there.rows), (first, rules().rows().len()));
        engine.shutdown().await;
    });
}

#[cfg(unix)]
#[test]
fn a_file_that_is_moved_or_removed_while_it_is_in_use_takes_nothing_more_until_it_is_back() {
    for (file, moves) in [
        ("haryana.journal", true),
        ("haryana.journal", false),
        ("haryana.journal-wal", true),
        ("haryana.journal-wal", false),
    ] {
        within(async move {
            let folder = Folder::new();
            let engine = builder(open(&folder.journal()), &clock()).start().unwrap();
            submitted(&engine, 1, HISAR).await;
            let (at, away) = (folder.file(file), folder.file("away"));
            if moves {
                std::fs::rename(&at, &away).unwrap();
            } else {
                std::fs::remove_file(&at).unwrap();
            }
            let refused = engine.submit(grievance(2, HISAR)).await.unwrap_err().to_string();
            assert!(refused.contains("put it back") && refused.contains("haryana.journal"), "{refused}");
            let copied = engine.backup(folder.file("copy")).await.unwrap_err().to_string();
            assert!(copied.contains("put it back") && !folder.file("copy").exists(), "{copied}");
            assert!(!at.exists(), "{file} was made anew");
            if moves {
                std::fs::rename(&away, &at).unwrap();
                until("it is served again", || block_on(engine.submit(grievance(2, HISAR))).is_ok());
                engine.shutdown().await;
                assert_eq!(open(&folder.journal()).tickets(None, 9).unwrap().len(), 2);
            }
        });
    }
}

#[cfg(unix)]
#[test]
fn a_file_of_the_reserves_name_that_is_somebody_elses_is_left_alone() {
    let folder = Folder::new();
    let (victim, spare) = (folder.file("victim"), folder.file("haryana.journal-spare"));
    let mut settings = quick(7);
    settings.spare_bytes = 8_192;
    std::fs::write(&victim, "mine").unwrap();
    for is_link in [true, false] {
        if is_link {
            std::os::unix::fs::symlink(&victim, &spare).unwrap();
        } else {
            std::fs::remove_file(&spare).unwrap();
            std::fs::write(&spare, "mine, too").unwrap();
        }
        drop(SqliteStore::open(folder.journal(), settings).unwrap());
        assert_eq!(std::fs::read(&victim).unwrap(), b"mine");
        assert!(is_link || std::fs::read(&spare).unwrap() == b"mine, too");
    }
    std::fs::remove_file(&spare).unwrap();
    drop(SqliteStore::open(folder.journal(), settings).unwrap());
    assert_eq!(std::fs::metadata(&spare).unwrap().len(), 8_192);
}

/// A store that is never told anything for the next start, as if the power went each time.
struct Forgetful(SqliteStore);

impl Store for Forgetful {
    fn append(&mut self, batch: &Arc<Vec<Record>>) -> Result<Position, AppendError> {
        self.0.append(batch)
    }
    fn reopen(&mut self) -> Result<(), StoreError> {
        self.0.reopen()
    }
    fn end(&mut self) -> Result<Position, StoreError> {
        self.0.end()
    }
    fn read(&mut self, from: Position, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.0.read(from, limit)
    }
    fn history(&mut self, ticket: TicketId) -> Result<Vec<Entry>, StoreError> {
        self.0.history(ticket)
    }
    fn personal(&mut self, ticket: TicketId) -> Result<Vec<(Version, SaltedRecord)>, StoreError> {
        self.0.personal(ticket)
    }
    fn sources(&mut self, sources: &[SourceKey]) -> Result<Vec<Option<TicketId>>, StoreError> {
        self.0.sources(sources)
    }
    fn requests(&mut self, requests: &[(TicketId, RequestId)]) -> Result<Vec<Option<Version>>, StoreError> {
        self.0.requests(requests)
    }
    fn tickets(&mut self, after: Option<TicketId>, limit: usize) -> Result<Vec<TicketId>, StoreError> {
        self.0.tickets(after, limit)
    }
    fn reserve(&mut self, count: u32) -> Result<Range<u64>, StoreError> {
        self.0.reserve(count)
    }
    fn sources_after(&mut self, after: Option<SourceKey>, limit: usize) -> Result<Vec<SourceKey>, StoreError> {
        self.0.sources_after(after, limit)
    }
    fn standing(&mut self) -> Result<Standing, StoreError> {
        self.0.standing()
    }
    fn keep(&mut self, _: Position, _: &Bearings, _: Vec<Changed>) -> Result<(), StoreError> {
        Ok(())
    }
    fn scrub(&mut self) -> Result<u64, StoreError> {
        self.0.scrub()
    }
    fn first_key(&mut self, key: KeyCheck) -> Result<KeyCheck, StoreError> {
        self.0.first_key(key)
    }
    fn lifetime(&self) -> Lifetime {
        self.0.lifetime()
    }
}

/// Runs the same steps. After each ninth a new post comes in, so that no number is left set aside, and a new engine is
/// started if it `restarts`; `store` opens the journal.
async fn steps(seed: u64, restarts: bool, store: impl Fn() -> Box<dyn FnOnce(EngineBuilder) -> EngineBuilder>) {
    let (clock, mut rng, mut now) = (clock(), StdRng::seed_from_u64(seed), at(0));
    let mut limits = Limits::default();
    (limits.numbers_at_a_time, limits.keep_every) = (1, 5);
    let engine = store()(builder(MemoryStore::new(), &clock));
    let mut engine = engine.limits(limits).start().unwrap();
    for step in 0..160 {
        now += SignedDuration::from_nanos(rng.random_range(0..20_000_000_000_000));
        clock.set(now);
        any_step(&engine, &mut rng, step, now, [roster(), roster_without("phe-je-hisar")]).await;
        if !(step + seed).is_multiple_of(9) {
            continue;
        }
        engine.submit(post_of(step % 5, 5_000 + step)).await.unwrap();
        if restarts {
            let (rules, roster) = (engine.rules(), engine.roster());
            engine.shutdown().await;
            let again = store()(builder(MemoryStore::new(), &clock));
            let again = again.rules(Rules::clone(&rules)).roster(Roster::clone(&roster));
            engine = again.limits(limits).start().unwrap();
        }
    }
    engine.shutdown().await;
}

/// How many runs are compared.
const SEEDS: u64 = 2;

/// What an engine on a file wrote that was started again and again is what one in memory wrote that never stopped.
fn goes_on(seed: u64, is_forgetful: bool) {
    let memory = MemoryStore::new();
    let uninterrupted = || -> Box<dyn FnOnce(EngineBuilder) -> EngineBuilder> {
        let memory = memory.clone();
        Box::new(move |builder| builder.store(memory))
    };
    let folder = Folder::new();
    let path = folder.journal();
    let interrupted = || -> Box<dyn FnOnce(EngineBuilder) -> EngineBuilder> {
        let store = open(&path);
        if is_forgetful {
            Box::new(move |builder| builder.store(Forgetful(store)))
        } else {
            Box::new(move |builder| builder.store(store))
        }
    };
    block_on(steps(seed, false, uninterrupted));
    block_on(steps(seed, true, interrupted));
    let mut store = open(&path);
    let (there, expected) = (store.read(Position(0), usize::MAX).unwrap(), journal(&memory));
    if let Some(n) = there.iter().zip(&expected).position(|(there, expected)| there != expected) {
        panic!("seed {seed}, entry {n}:\n{:?}\n{:?}", there[n], expected[n]);
    }
    assert!(Everything::of(&mut store) == Everything::of(&mut memory.clone()), "seed {seed}");
}

#[test]
fn an_engine_that_is_started_again_and_again_goes_on_as_one_that_never_stopped() {
    guarded(|| (0..SEEDS).for_each(|seed| goes_on(seed, false)));
}

#[test]
fn an_engine_that_each_time_lost_its_power_goes_on_as_one_that_never_stopped() {
    guarded(|| (10..10 + SEEDS).chain([20]).for_each(|seed| goes_on(seed, true)));
}

#[cfg(unix)]
#[test]
fn a_file_of_several_names_and_a_link_to_nothing_are_refused_since_two_engines_could_have_one_file() {
    let folder = Folder::new();
    drop(open(&folder.journal()));
    std::fs::hard_link(folder.journal(), folder.file("other")).unwrap();
    let error = refused(&folder.file("other")).to_string();
    assert!(error.contains("hard links") && error.contains("backup"), "{error}");
    assert!(matches!(refused(&folder.journal()), OpenError::Io { .. }));
    std::fs::remove_file(folder.file("other")).unwrap();
    drop(open(&folder.journal()));

    std::os::unix::fs::symlink(folder.file("nowhere"), folder.file("link")).unwrap();
    let error = refused(&folder.file("link")).to_string();
    assert!(error.contains("link to nothing") && !folder.file("nowhere").exists(), "{error}");
}

#[test]
fn a_trigger_would_do_something_else_than_was_asked_for_and_is_refused() {
    let folder = Folder::new();
    drop(open(&folder.journal()));
    let trigger =
        "CREATE TRIGGER gone AFTER INSERT ON entry BEGIN DELETE FROM entry WHERE position = new.position; END";
    connection(&folder.journal()).execute_batch(trigger).unwrap();
    assert!(matches!(refused(&folder.journal()), OpenError::Damaged { .. } | OpenError::NotOurs { .. }));
}
