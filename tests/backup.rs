//! A copy of the journal while everything goes on: whole, and a journal itself.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod journals;
mod support;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};

use journals::*;
use nivaran::journal::{Entry, Position};
use nivaran::store::sqlite::SqliteStore;
use nivaran::ticket::StateKind;
use nivaran::{Engine, MemoryStore, ReadError, Standing, Store};
use support::*;

fn engine_on(path: &Path) -> Engine {
    builder(SqliteStore::open(path, quick(50)).unwrap(), &clock()).start().unwrap()
}

fn entries(path: &Path) -> Vec<Entry> {
    open(path).read(Position(0), usize::MAX).unwrap()
}

#[test]
fn a_copy_made_under_load_has_all_that_was_acknowledged_before_and_is_whole() {
    within(async {
        let folder = Folder::new();
        let engine = engine_on(&folder.journal());
        let (acknowledged, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let load: Vec<_> = (0..3)
            .map(|task| {
                let (engine, acknowledged, is_over) = (engine.clone(), acknowledged.clone(), is_over.clone());
                tokio::spawn(async move {
                    let mut post = task;
                    while !is_over.load(Ordering::Relaxed) {
                        let receipt = engine.submit(post_of(post % 7, post)).await.unwrap();
                        let ticket = ticket(&engine, receipt.ticket).await;
                        if ticket.state().kind() == StateKind::Marked && post % 2 == 0 {
                            engine.act(resolve(&ticket)).await.unwrap();
                        }
                        acknowledged.fetch_max(engine.position().0, Ordering::Relaxed);
                        post += 3;
                    }
                })
            })
            .collect();
        let mut copies = Vec::new();
        for n in 0..4 {
            let enough = 100 * (n + 1);
            while acknowledged.load(Ordering::Relaxed) < enough {
                tokio::task::yield_now().await;
            }
            let before = engine.position();
            let copy = folder.file(&format!("copy-{n}.journal"));
            engine.backup(&copy).await.unwrap();
            copies.push((before, copy));
        }
        is_over.store(true, Ordering::Relaxed);
        for task in load {
            task.await.unwrap();
        }
        engine.shutdown().await;

        let all = entries(&folder.journal());
        for (before, copy) in &copies {
            let there = entries(copy);
            assert!(there.len() as u64 >= before.0, "{} of {before}", there.len());
            assert!(there == all[..there.len()], "it is not the journal up to some position");
            let mut memory = MemoryStore::new();
            append(&mut memory, &records(&mut open(&folder.journal()))[..there.len()], 100);
            assert!(Everything::of(&mut open(copy)) == Everything::of(&mut memory));
        }
        let parts: Vec<String> = folder.bytes().into_keys().filter(|name| name.contains("-nivaran-part")).collect();
        assert_eq!(parts, Vec::<String>::new());

        // A copy is a journal: an engine goes on with it.
        let copy = &copies[1].1;
        let tickets = open(copy).tickets(None, usize::MAX).unwrap();
        let engine = engine_on(copy);
        let known = engine.submit(post_of(0, 0)).await.unwrap();
        assert_eq!(known.standing, Standing::AlreadyDone);
        let new = engine.submit(any_grievance(1_000_000)).await.unwrap();
        assert!(new.standing == Standing::Done && !tickets.contains(&new.ticket));
        engine.shutdown().await;
        assert!(entries(copy).len() > copies[1].0.0 as usize);
        assert!(entries(&folder.journal()) == all, "the journal itself was touched");
    });
}

#[test]
fn a_copy_that_cannot_be_made_leaves_nothing_and_touches_nothing_and_the_engine_goes_on() {
    within(async {
        let folder = Folder::new();
        let engine = engine_on(&folder.journal());
        submitted(&engine, 1, HISAR).await;
        std::fs::write(folder.file("there"), "somebody's").unwrap();
        std::fs::create_dir(folder.file("folder")).unwrap();
        let mut places = vec![
            folder.file("there"),
            folder.file("folder"),
            folder.file("missing").join("copy.journal"),
            folder.file("there").join("copy.journal"),
            folder.journal(),
            folder.file("haryana.journal-wal"),
            folder.file("haryana.journal-lock"),
        ];
        #[cfg(target_os = "linux")]
        {
            use std::os::unix::ffi::OsStrExt;
            places.push(folder.path().join(std::ffi::OsStr::from_bytes(b"no-utf8-\xff")));
            places.push("/proc/copy.journal".into());
        }
        // A name that is too long once there is a suffix to it.
        places.push(folder.file(&"n".repeat(252)));
        // All but the index of the log, which readers write into as well.
        let bytes = || folder.bytes().into_iter().filter(|(name, _)| !name.ends_with("-shm")).collect();
        let before = bytes();
        for place in places {
            let error = engine.backup(&place).await.unwrap_err();
            assert!(matches!(error, ReadError::Store(_)), "{place:?}: {error}");
            assert_untouched(&before, &bytes());
        }
        submitted(&engine, 2, HISAR).await;
        engine.backup(folder.file("copy")).await.unwrap();
        engine.shutdown().await;
        assert_eq!(engine.backup(folder.file("late")).await, Err(ReadError::Stopped));
        assert!(!folder.file("late").exists());
        assert!(entries(&folder.file("copy")) == entries(&folder.journal()));
    });
}

#[test]
fn what_an_earlier_copy_left_when_it_broke_off_is_in_nobodys_way() {
    within(async {
        let folder = Folder::new();
        let engine = engine_on(&folder.journal());
        submitted(&engine, 1, HISAR).await;
        std::fs::write(folder.file("copy-nivaran-part"), [7; 10_000]).unwrap();
        engine.backup(folder.file("copy")).await.unwrap();
        assert!(!folder.file("copy-nivaran-part").exists());
        engine.shutdown().await;
        assert!(entries(&folder.file("copy")) == entries(&folder.journal()));
    });
}

#[test]
fn of_two_copies_to_one_place_at_once_one_is_refused_and_the_other_is_whole() {
    let folder = Folder::new();
    let mut store = open(&folder.journal());
    append(&mut store, &busy(3, 150), 9);
    let expected = Everything::of(&mut store);
    for round in 0..20 {
        let copy = folder.file(&format!("copy-{round}"));
        let barrier = Arc::new(Barrier::new(2));
        let jobs: Vec<_> = (0..2).map(|_| store.backup(copy.clone()).unwrap()).collect();
        let threads = jobs.into_iter().map(|job| {
            let (barrier, copy) = (Arc::clone(&barrier), copy.clone());
            std::thread::spawn(move || {
                barrier.wait();
                // What a copy is at the moment at which it is said to be made.
                job().map(|()| std::fs::read(copy).unwrap())
            })
        });
        let threads: Vec<_> = threads.collect();
        let made: Vec<_> = threads.into_iter().filter_map(|thread| thread.join().unwrap().ok()).collect();
        assert_eq!(made.len(), 1, "round {round}");
        assert!(std::fs::read(&copy).unwrap() == made[0], "round {round}: it was not whole when it was said to be");
        assert!(Everything::of(&mut open(&copy)) == expected, "round {round}");
    }
}

#[test]
fn a_copy_under_way_is_broken_off_when_the_journal_has_to_be_opened_again() {
    let folder = Folder::new();
    let path = folder.journal();
    let mut store = open(&path);
    // Large enough that a copy takes a while.
    let filler = rusqlite::Connection::open(&path).unwrap();
    filler
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
             INSERT INTO fact SELECT 'filler ' || i, randomblob(1000) FROM n;",
        )
        .unwrap();
    drop(filler);
    let copy = path.with_file_name("copy");
    let job = store.backup(copy.clone()).unwrap();
    let under_way = std::thread::spawn(job);
    let part = path.with_file_name("copy-nivaran-part");
    until("the copy is under way", || part.metadata().is_ok_and(|part| part.len() > 1_000_000));
    let reopened = (0..3).find_map(|_| store.reopen().ok());
    assert_eq!(reopened, Some(()), "the copy stood in the way");
    let error = under_way.join().unwrap().unwrap_err();
    assert!(error.reason.contains("broken off") && error.reason.contains("anew"), "{error}");
    assert!(!copy.exists() && !part.exists());
    store.backup(copy.clone()).unwrap()().unwrap();
    assert!(copy.exists());
}

#[test]
fn a_store_that_ends_with_the_process_cannot_be_copied_and_says_so() {
    within(async {
        let folder = Folder::new();
        let engine = start(&MemoryStore::new());
        let error = engine.backup(folder.file("copy")).await.unwrap_err();
        assert!(matches!(error, ReadError::Store(_)), "{error}");
        assert!(folder.bytes().is_empty());
    });
}

#[test]
fn beside_a_log_of_another_file_of_its_name_no_copy_is_made() {
    within(async {
        let folder = Folder::new();
        let engine = engine_on(&folder.journal());
        submitted(&engine, 1, HISAR).await;
        for log in ["copy-wal", "copy-journal"] {
            std::fs::write(folder.file(log), [7; 100]).unwrap();
            let error = engine.backup(folder.file("copy")).await.unwrap_err().to_string();
            assert!(error.contains(log) && error.contains("remove it"), "{error}");
            assert!(!folder.file("copy").exists());
            std::fs::remove_file(folder.file(log)).unwrap();
        }
        let error = engine.backup(folder.file("missing/copy")).await.unwrap_err().to_string();
        assert!(error.contains("no folder") && error.contains("missing"), "{error}");
        engine.backup(folder.file("copy")).await.unwrap();
    });
}

#[cfg(unix)]
#[test]
fn a_copy_may_be_read_by_nobody_who_may_not_read_the_journal() {
    use std::os::unix::fs::PermissionsExt;
    within(async {
        let folder = Folder::new();
        let engine = engine_on(&folder.journal());
        std::fs::set_permissions(folder.journal(), PermissionsExt::from_mode(0o600)).unwrap();
        engine.backup(folder.file("copy")).await.unwrap();
        let mode = std::fs::metadata(folder.file("copy")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    });
}

#[test]
fn in_a_copy_that_takes_the_journals_place_no_number_is_given_that_was_given_since() {
    within(async {
        let folder = Folder::new();
        let engine = engine_on(&folder.journal());
        submitted(&engine, 1, HISAR).await;
        engine.backup(folder.file("copy")).await.unwrap();
        let since = submitted(&engine, 2, HISAR).await;
        engine.shutdown().await;
        for file in ["haryana.journal", "haryana.journal-wal", "haryana.journal-shm", "haryana.journal-lock"] {
            drop(std::fs::remove_file(folder.file(file)));
        }
        std::fs::rename(folder.file("copy"), folder.journal()).unwrap();
        let mut last = since.id();
        for post in [3, 4] {
            let engine = engine_on(&folder.journal());
            let next = submitted(&engine, post, HISAR).await.id();
            assert!(next > last && next.number() < 1_200_000, "{next} after {last}");
            last = next;
            engine.shutdown().await;
        }
    });
}
