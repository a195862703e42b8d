//! A journal's file that is damaged or was altered: what is mended from the journal, what is refused, and that nothing is
//! made worse by it.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod journals;
mod support;

use std::sync::LazyLock;

use journals::*;
use nivaran::calendar::Hours;
use nivaran::journal::Position;
use nivaran::store::sqlite::{OpenError, SqliteStore};
use nivaran::{ActError, Policy, Store, Verdict};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::*;

#[derive(Debug, Clone)]
enum Damage {
    /// So many bytes, beginning with the seed's, are others.
    Flips(u64, usize),
    /// From here on it is gone.
    Cut(usize),
    /// A part is empty.
    Hole(usize, usize),
    /// A page stands in the place of another.
    Page(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        6 => (any::<u64>(), prop_oneof![Just(1_usize), 1..40_usize]).prop_map(|(seed, count)| Damage::Flips(seed, count)),
        1 => any::<usize>().prop_map(Damage::Cut),
        2 => (any::<usize>(), 1..6_000_usize).prop_map(|(at, count)| Damage::Hole(at, count)),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(from, to)| Damage::Page(from, to)),
    ]
}

impl Damage {
    fn done_to(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let (size, pages) = (bytes.len(), bytes.len() / 4_096);
        match *self {
            Self::Flips(seed, count) => {
                let mut rng = StdRng::seed_from_u64(seed);
                (0..count).for_each(|_| bytes[rng.random_range(0..size)] ^= rng.random_range(1..=255_u8));
            }
            Self::Cut(at) => bytes.truncate(at % size),
            Self::Hole(at, count) => bytes.iter_mut().skip(at % size).take(count).for_each(|byte| *byte = 0),
            Self::Page(from, to) => {
                let from = (from % pages) * 4_096;
                bytes.copy_within(from..from + 4_096, to % pages * 4_096);
            }
        }
        bytes
    }
}

static SOUND: LazyLock<(Vec<u8>, Everything)> = LazyLock::new(|| {
    let folder = kept();
    (std::fs::read(folder.journal()).unwrap(), expected())
});

proptest! {
    #![proptest_config(Config { cases: 50, failure_persistence: None, rng_seed: RngSeed::Fixed(2022), ..Config::default() })]

    #[test]
    fn a_damaged_file_is_refused_or_answers_of_the_journal_what_was_written(damage in damage()) {
        let folder = Folder::new();
        let path = folder.journal();
        let (sound, expected) = &*SOUND;
        std::fs::write(&path, damage.done_to(sound.clone())).unwrap();
        let Ok(mut store) = SqliteStore::open(&path, quick(7)) else { return Ok(()) };
        expected.is_not_contradicted_by(&mut store);
    }
}

#[test]
fn what_is_made_from_the_journal_is_made_anew_where_it_is_damaged() {
    const NUMBER: &str = "(SELECT max(ticket) FROM open_ticket)";
    let trials = [
        // How the open tickets stand.
        format!("UPDATE open_ticket SET text = replace(text, 'hisar', 'rohtak') WHERE ticket = {NUMBER}"),
        format!("UPDATE open_ticket SET digest = digest + 1 WHERE ticket = {NUMBER}"),
        format!("UPDATE open_ticket SET text = '', digest = 0 WHERE ticket = {NUMBER}"),
        format!("UPDATE open_ticket SET ticket = ticket + 1000 WHERE ticket = {NUMBER}"),
        format!("DELETE FROM open_ticket WHERE ticket = {NUMBER}"),
        "DELETE FROM open_ticket".to_owned(),
        format!("INSERT INTO open_ticket SELECT 5000, digest, text FROM open_ticket WHERE ticket = {NUMBER}"),
        "INSERT INTO open_ticket VALUES (5000, 0, 'text')".to_owned(),
        // Up to where it was kept.
        "DELETE FROM fact WHERE name = 'kept'".to_owned(),
        "UPDATE fact SET value = 'garbage' WHERE name = 'kept'".to_owned(),
        "UPDATE fact SET value = 17 WHERE name = 'kept'".to_owned(),
        "UPDATE fact SET value = x'ff00' WHERE name = 'kept'".to_owned(),
        "UPDATE fact SET value = '{}' WHERE name = 'kept'".to_owned(),
        "UPDATE fact SET value = json_set(value, '$.end', 30) WHERE name = 'kept'".to_owned(),
        "UPDATE fact SET value = json_set(value, '$.end', 30000) WHERE name = 'kept'".to_owned(),
        "UPDATE fact SET value = json_set(value, '$.bearings.at', '2031-01-01T00:00:00Z') WHERE name = 'kept'"
            .to_owned(),
        "UPDATE fact SET value = json_remove(value, '$.bearings.table') WHERE name = 'kept'".to_owned(),
        // The indexes.
        "DELETE FROM fact WHERE name = 'indexed'".to_owned(),
        "UPDATE fact SET value = value + 1 WHERE name = 'indexed'".to_owned(),
        "UPDATE fact SET value = -5 WHERE name = 'indexed'".to_owned(),
        "UPDATE fact SET value = 'garbage' WHERE name = 'indexed'".to_owned(),
        "UPDATE fact SET value = x'00' WHERE name = 'indexed'".to_owned(),
        "UPDATE fact SET value = 1.5 WHERE name = 'indexed'".to_owned(),
        "DELETE FROM history".to_owned(),
        "DELETE FROM source".to_owned(),
        "DELETE FROM history WHERE version = 1".to_owned(),
        "UPDATE history SET position = position + 1".to_owned(),
        "DELETE FROM history; DELETE FROM fact WHERE name = 'indexed'".to_owned(),
        "DELETE FROM source; DELETE FROM fact WHERE name = 'indexed'".to_owned(),
        "DELETE FROM history WHERE ticket % 2 = 0; DELETE FROM fact WHERE name IN ('kept', 'indexed')".to_owned(),
        "DELETE FROM history; DELETE FROM source; DELETE FROM open_ticket; DELETE FROM closed_ticket;
         DELETE FROM fact WHERE name IN ('kept', 'indexed')"
            .to_owned(),
    ];
    for (sql, folder) in trials.iter().flat_map(|sql| [(sql, appended()), (sql, kept())]) {
        let folder = tampered(folder, sql);
        let opened = SqliteStore::open(folder.journal(), quick(7));
        let mut store = opened.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert!(Everything::of(&mut store) == expected(), "{sql}");
        drop(store);
        // What was made anew is kept.
        let other = connection(&folder.journal());
        let kept: i64 = other.query_row("SELECT count(*) FROM open_ticket", [], |row| row.get(0)).unwrap();
        assert_eq!(kept as usize, expected().open().len(), "{sql}");
        drop(other);
        assert_all_there(&folder.journal());
    }
}

#[test]
fn an_older_file_is_brought_up_and_answers_what_it_answered() {
    let sql = "DROP TABLE source; DROP TABLE history; DROP TABLE open_ticket; DROP TABLE closed_ticket;
        DELETE FROM fact WHERE name IN ('kept', 'indexed'); PRAGMA user_version = 1";
    let folder = tampered(kept(), sql);
    let mut store = open(&folder.journal());
    assert!(Everything::of(&mut store) == expected());
    let sound = appended();
    assert_eq!(store.reserve(1), open(&sound.journal()).reserve(1));
    drop(store);
    let version = connection(&folder.journal()).pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    assert_eq!(version, Ok(2));
    assert_all_there(&folder.journal());
}

#[test]
fn a_journal_in_which_something_is_missing_or_altered_is_refused() {
    let trials = [
        "DELETE FROM entry WHERE position = 50",
        "DELETE FROM entry WHERE position = 0",
        "DELETE FROM entry WHERE position > (SELECT max(position) - 3 FROM entry)",
        "DELETE FROM entry",
        "UPDATE entry SET text = replace(text, 'hisar', 'rohtak') WHERE position > 20",
        "UPDATE entry SET text = '' WHERE position > 20",
        "UPDATE entry SET hash = x'00' WHERE position > 20",
        "UPDATE entry SET position = position + 1 WHERE position = (SELECT max(position) FROM entry)",
        "ALTER TABLE entry ADD COLUMN note TEXT",
        "DROP TABLE personal",
    ];
    for sql in trials {
        // It is not read through at each start; made anew, everything is.
        let folder = tampered(kept(), sql);
        let opened = SqliteStore::open(folder.journal(), quick(7));
        let read = opened.map(|mut store| {
            let read = store.read(Position(0), usize::MAX);
            (read.is_err(), read.map(|entries| entries.len()))
        });
        match read {
            Err(OpenError::Damaged { .. }) | Ok((true, _)) => {}
            other => panic!("{sql}: {other:?}"),
        }
        let folder = tampered(kept(), &format!("{sql}; DELETE FROM fact WHERE name IN ('kept', 'indexed')"));
        let files = |folder: &Folder| folder.bytes().into_keys().collect::<Vec<_>>();
        let before = files(&folder);
        let mut settings = quick(7);
        settings.spare_bytes = 4_096;
        let opened = SqliteStore::open(folder.journal(), settings).map(|mut store| store.end());
        if opened.is_err() {
            assert_eq!(files(&folder), before, "{sql}: something was left");
        }
        let known_no_more = sql.contains("max(position) - 3") || sql == "DELETE FROM entry";
        assert!(matches!(opened, Err(OpenError::Damaged { .. })) || known_no_more, "{sql}: {opened:?}");
    }
}

#[test]
fn numbers_are_never_set_aside_twice_and_never_run_over() {
    let used = expected().tickets();
    for sql in ["DELETE FROM fact WHERE name = 'reserved'", "UPDATE fact SET value = 2 WHERE name = 'reserved'"] {
        let folder = tampered(kept(), sql);
        let mut store = open(&folder.journal());
        let block = store.reserve(5).unwrap();
        assert!(used.iter().all(|id| !block.contains(&id.number())), "{sql}: {block:?}");
        assert_eq!(store.reserve(1), Ok(block.end..block.end + 1));
    }
    for value in ["9223372036854775807", "-1", "'garbage'", "x'00'"] {
        let folder = tampered(kept(), &format!("INSERT OR REPLACE INTO fact VALUES ('reserved', {value})"));
        let mut store = open(&folder.journal());
        match store.reserve(5) {
            Ok(block) => {
                assert!(used.iter().all(|id| !block.contains(&id.number())), "{value}: {block:?}");
                assert!(block.end < 1_000, "{value}: nobody was told of so high a number: {block:?}");
            }
            Err(error) => assert!(!value.contains(char::is_numeric) || value == "x'00'", "{value}: {error}"),
        }
        assert!(Everything::of(&mut store) == expected());
    }
}

/// Has the tables made anew, as the errors say.
fn made_anew(folder: &Folder) {
    connection(&folder.journal()).execute_batch("DELETE FROM fact WHERE name = 'kept'").unwrap();
}

#[test]
fn an_index_that_lacks_entries_is_noticed_where_it_is_used_and_nothing_is_written_by_it() {
    let long = expected().tickets()[0];
    for version in ["1", "2"] {
        let sql = format!("DELETE FROM history WHERE ticket = {} AND version = {version}", long.number());
        let folder = tampered(kept(), &sql);
        let mut store = open(&folder.journal());
        let error = store.history(long).unwrap_err().to_string();
        assert!(error.contains("index") && error.contains("made anew"), "{error}");
        assert_eq!(store.personal(long).unwrap_err().to_string(), error);
        drop(store);
        made_anew(&folder);
        assert_all_there(&folder.journal());
    }
}

#[test]
fn a_closed_ticket_whose_last_entry_the_index_lacks_is_not_gone_on_with() {
    within(async {
        let (folder, clock) = (Folder::new(), clock());
        let engine = builder(open(&folder.journal()), &clock).start().unwrap();
        let done = resolved(&engine, 1, HISAR).await;
        engine.feedback(feedback(done.id(), 1, Verdict::Satisfied)).await.unwrap();
        let closed = ticket(&engine, done.id()).await;
        // So that it is not the last entry, which a start looks for.
        submitted(&engine, 2, HISAR).await;
        engine.shutdown().await;
        // And so that the index has it already.
        drop(open(&folder.journal()));
        let last = format!("WHERE ticket = {} AND version = {}", closed.id().number(), closed.version().0);
        connection(&folder.journal()).execute_batch(&format!("DELETE FROM history {last}")).unwrap();
        let before = open(&folder.journal()).end();

        let engine = builder(open(&folder.journal()), &clock).start().unwrap();
        let unhappy = || feedback(done.id(), 1, Verdict::NotSatisfied).reason(words("It is dark again."));
        let refused = engine.feedback(unhappy()).await;
        assert!(matches!(&refused, Err(ActError::Failed(_) | ActError::Refused(_))), "{refused:?}");
        submitted(&engine, 3, POWER).await;
        engine.shutdown().await;
        assert_eq!(open(&folder.journal()).end(), before.map(|end| Position(end.0 + 1)));

        connection(&folder.journal()).execute_batch("DELETE FROM fact WHERE name = 'kept'").unwrap();
        let engine = builder(open(&folder.journal()), &clock).start().unwrap();
        assert_eq!(engine.feedback(unhappy()).await.unwrap().version, closed.version().next());
        engine.shutdown().await;
    });
}

#[test]
fn whatever_the_table_of_closed_tickets_says_what_is_open_keeps_its_records() {
    for shut_down in [false, true] {
        within(async move {
            let (folder, clock) = (Folder::new(), clock());
            let mut policy = Policy::default();
            policy.keep_personal_after_closing = Some(Hours::from_days(3));
            let start = || builder(open(&folder.journal()), &clock).policy(policy.clone()).start().unwrap();
            let engine = start();
            let (ended, ongoing) = (closed(&engine, 1, HISAR).await, submitted(&engine, 2, CONTROL).await);
            if shut_down {
                engine.shutdown().await;
            } else {
                drop(engine);
            }
            let number = ongoing.id().number();
            drop(open(&folder.journal()));
            connection(&folder.journal())
                .execute_batch(&format!("INSERT OR REPLACE INTO closed_ticket VALUES ({number}, 0)"))
                .unwrap();
            clock.set(at(24 * 4));
            let engine = start();
            engine.tick().await;
            engine.shutdown().await;
            let mut store = open(&folder.journal());
            assert_eq!(store.personal(ongoing.id()).unwrap().len(), 1);
            assert_eq!(store.personal(ended.id()).unwrap().len(), 0);
        });
    }
}

#[test]
fn a_journal_without_the_check_of_its_key_or_of_a_form_that_never_was_is_refused() {
    let folder = Folder::new();
    let start = || builder(open(&folder.journal()), &clock()).start();
    let engine = start().unwrap();
    block_on(async {
        submitted(&engine, 1, HISAR).await;
        engine.shutdown().await;
    });
    connection(&folder.journal()).execute_batch("DELETE FROM fact WHERE name = 'key'").unwrap();
    let error = start().unwrap_err().to_string();
    assert!(error.contains("installation's key") && error.contains("backup"), "{error}");

    for form in [0, 1, -1] {
        connection(&folder.journal()).pragma_update(None, "user_version", form).unwrap();
        let error = refused(&folder.journal());
        assert!(matches!(&error, OpenError::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("form {form}")), "{error}");
    }
}

#[test]
fn a_log_whose_file_is_not_there_is_not_deleted() {
    for is_empty in [false, true] {
        let folder = kept();
        let (path, log) = (folder.journal(), folder.file("haryana.journal-wal"));
        std::fs::write(&log, [7; 5_000]).unwrap();
        if is_empty {
            std::fs::write(&path, "").unwrap();
        } else {
            std::fs::remove_file(&path).unwrap();
        }
        let error = refused(&path);
        assert!(matches!(error, OpenError::Damaged { .. }) && error.to_string().contains("log"), "{error}");
        assert_eq!(std::fs::read(&log).unwrap(), [7; 5_000]);
    }
}

#[test]
fn of_an_open_ticket_no_history_is_told_that_lacks_its_end() {
    within(async {
        let (folder, clock) = (Folder::new(), clock());
        let engine = builder(open(&folder.journal()), &clock).start().unwrap();
        let long = resolved(&engine, 1, HISAR).await;
        submitted(&engine, 2, HISAR).await;
        engine.shutdown().await;
        drop(open(&folder.journal()));
        let last = format!("ticket = {} AND version = {}", long.id().number(), long.version().0);
        connection(&folder.journal()).execute_batch(&format!("DELETE FROM history WHERE {last}")).unwrap();
        let engine = builder(open(&folder.journal()), &clock).start().unwrap();
        let told = engine.history(long.id()).await.unwrap_err().to_string();
        assert!(told.contains("not all entries"), "{told}");
        engine.shutdown().await;
        made_anew(&folder);
        let engine = builder(open(&folder.journal()), &clock).start().unwrap();
        assert_eq!(engine.history(long.id()).await.unwrap().len(), long.version().0 as usize);
    });
}
