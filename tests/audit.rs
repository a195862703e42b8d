//! A file is audited without an engine: a journal that is as it was written passes, with all that is made from it, and
//! whatever somebody did to either is found and named.
#![cfg(all(feature = "sqlite", feature = "proof"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod journals;
mod support;

use std::path::Path;

use jiff::SignedDuration;
use journals::*;
use nivaran::calendar::Hours;
use nivaran::journal::proof::{Audit, Checkpoint, JournalName, SigningKey};
use nivaran::journal::{Entry, Position};
use nivaran::store::sqlite::{Archive, VerifyError};
use nivaran::{Engine, Limits, Policy, Store};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::*;

fn verify(path: &Path, checkpoints: &[Checkpoint]) -> Result<Audit, VerifyError> {
    let mut seen = 0;
    let archive = Archive::open(path).unwrap();
    let audit = archive.verify(checkpoints.iter().cloned(), |_| seen += 1)?;
    assert_eq!((audit.entries.size, archive.len()), (seen, Ok(seen)));
    Ok(audit)
}

/// A journal that was written by a busy engine and stopped.
fn stopped(path: &Path, seed: u64) -> Audit {
    append(&mut open(path), &busy(seed, 220), 7);
    drop(open(path));
    verify(path, &[]).unwrap()
}

#[test]
fn a_journal_passes_while_an_engine_works_on_it_after_each_stop_and_as_a_copy_that_lags_behind() {
    within(async {
        let folder = Folder::new();
        let (clock, mut rng, mut now) = (clock(), StdRng::seed_from_u64(3), at(0));
        let mut limits = Limits::default();
        (limits.keep_every, limits.numbers_at_a_time) = (11, 2);
        let mut policy = Policy::default();
        policy.keep_personal_after_closing = Some(Hours::from_days(9));
        let start = || -> Engine {
            let builder = builder(open(&folder.journal()), &clock).limits(limits);
            builder.policy(policy.clone()).start().unwrap()
        };
        let mut engine = start();
        let mut audits: Vec<Audit> = Vec::new();
        for step in 0..240 {
            now += SignedDuration::from_nanos(rng.random_range(0..20_000_000_000_000));
            clock.set(now);
            any_step(&engine, &mut rng, step, now, [roster(), roster_without("phe-je-hisar")]).await;
            if step % 20 == 7 {
                audits.push(verify(&folder.journal(), &[]).unwrap());
            }
            if step % 40 == 19 {
                let copy = folder.file(&format!("copy-{step}"));
                engine.backup(&copy).await.unwrap();
                audits.push(verify(&copy, &[]).unwrap());
            }
            if step % 60 == 59 {
                engine.erase(&author(step % 5), None).await.unwrap();
                engine.shutdown().await;
                audits.push(verify(&folder.journal(), &[]).unwrap());
                engine = start();
            }
        }
        engine.shutdown().await;
        let name = || JournalName::new("example.in/test").unwrap();
        let key = SigningKey::from_seed(name(), &[7; 32]);
        let signed = |audit: &Audit| audit.checkpoint(name(), now).sign([&key]).unwrap().to_string();
        let opened = |note: String| Checkpoint::open(&note, [key.verifier()]).unwrap();
        let checkpoints: Vec<Checkpoint> = audits.iter().map(signed).map(opened).collect();
        let last = verify(&folder.journal(), &checkpoints).unwrap();
        let erased = open(&folder.journal()).read(Position(0), usize::MAX).unwrap();
        let by_age = |entry: &Entry| matches!(entry, Entry::Erased(erasure) if erasure.by.is_none());
        assert!(erased.iter().any(by_age), "nothing came of age");
        assert!(last.entries.size > 150 && last.tickets.size > 40, "{last:?}");
    });
}

/// What somebody may do to the tables that are made from the journal; each is to be found.
const ON_TABLES: [(&str, &str); 15] = [
    ("a post leads to another ticket", "UPDATE source SET ticket = ticket % 5 + 1 WHERE rowid_ = 3"),
    ("a post is known to be somebody else's", "UPDATE source SET author = zeroblob(16) WHERE rowid_ = 3"),
    ("a post is nobody's", "UPDATE source SET author = NULL WHERE rowid_ = 3"),
    ("a post is forgotten", "DELETE FROM source WHERE rowid_ = 2"),
    ("a post is invented", "INSERT INTO source VALUES (zeroblob(16), 2, NULL)"),
    ("a post leads to no ticket", "INSERT INTO source VALUES (zeroblob(16), 99999, NULL)"),
    ("two entries of a ticket change places", "UPDATE history SET position = 40 - position WHERE position IN (19, 21)"),
    ("an entry is hidden from its ticket", "DELETE FROM history WHERE position = 20"),
    ("a ticket gets an entry too many", "INSERT INTO history VALUES (3, 77, 20)"),
    ("a ticket is invented", "INSERT INTO history VALUES (9999, 1, 0)"),
    ("a ticket is no longer open", "DELETE FROM open_ticket WHERE ticket = (SELECT min(ticket) FROM open_ticket)"),
    ("a ticket stands otherwise", "UPDATE open_ticket SET text = replace(text, '\"remarks\":', '\"remarks\":1')"),
    (
        "all tickets are forgotten",
        "DELETE FROM open_ticket; DELETE FROM closed_ticket; DELETE FROM fact WHERE name = 'kept'",
    ),
    ("a ticket closed long ago", "UPDATE closed_ticket SET at = 5"),
    (
        "a closed ticket is forgotten",
        "DELETE FROM closed_ticket WHERE ticket = (SELECT min(ticket) FROM closed_ticket)",
    ),
];

#[test]
fn whatever_is_done_to_the_tables_made_from_the_journal_is_found_named_and_mended_as_the_error_says() {
    let folder = Folder::new();
    let path = folder.journal();
    let audit = stopped(&path, 1);
    let sound = Everything::of(&mut open(&path));
    for (n, (what, sql)) in ON_TABLES.into_iter().enumerate() {
        let file = folder.file(&format!("{n}"));
        std::fs::copy(&path, &file).unwrap();
        let number = |n: u32| format!("key = (SELECT key FROM source ORDER BY key LIMIT 1 OFFSET {n})");
        let sql = sql.replace("rowid_ = 3", &number(3)).replace("rowid_ = 2", &number(2));
        connection(&file).execute_batch(&sql).unwrap();
        let found = verify(&file, &[]);
        let Err(error @ VerifyError::Derived { .. }) = found else { panic!("{what}: {found:?}") };
        let error = error.to_string();
        assert!(error.contains("each entry is as it was written"), "{what}: {error}");
        let mend = error.split_once("DELETE").map(|(_, sql)| format!("DELETE{}", sql.split_once(',').unwrap().0));
        connection(&file).execute_batch(&mend.unwrap()).unwrap();
        let mut store = open(&file);
        assert!(Everything::of(&mut store) == sound, "{what}");
        drop(store);
        assert_eq!(verify(&file, &[]), Ok(audit), "{what}");
    }
}

/// What somebody may do to the journal itself.
const ON_ENTRIES: [(&str, &str); 15] = [
    (
        "an entry is slipped in before the first",
        "INSERT INTO entry SELECT -1, hash, text FROM entry WHERE position = 4",
    ),
    ("a text is altered", "UPDATE entry SET text = replace(text, '2022', '2021') WHERE position = 12"),
    ("a hash is altered", "UPDATE entry SET hash = zeroblob(32) WHERE position = 12"),
    ("an entry is taken out", "DELETE FROM entry WHERE position = 12"),
    (
        "two entries change places",
        "UPDATE entry SET position = -1 WHERE position = 12;
         UPDATE entry SET position = 12 WHERE position = 13; UPDATE entry SET position = 13 WHERE position = -1",
    ),
    (
        "an entry is slipped in",
        "UPDATE entry SET position = -position - 1 WHERE position >= 12;
         UPDATE entry SET position = -position WHERE position < 0;
         INSERT INTO entry SELECT 12, hash, text FROM entry WHERE position = 5",
    ),
    (
        "the first is taken out and the others move up",
        "DELETE FROM entry WHERE position = 0;
         UPDATE entry SET position = position - 1",
    ),
    (
        "the last entries are cut off",
        "DELETE FROM entry WHERE position >= 200; DELETE FROM personal WHERE position >= 200",
    ),
    ("a personal record says something else", "UPDATE personal SET record = replace(record, 'citizen', 'denizen')"),
    (
        "a personal record is slipped in where no entry is",
        "INSERT INTO personal SELECT 99999, salt, record FROM personal LIMIT 1",
    ),
    ("a personal record is taken out", "DELETE FROM personal WHERE position = (SELECT min(position) FROM personal)"),
    (
        "the first personal record is emptied",
        "UPDATE personal SET salt = x'', record = '' WHERE position = (SELECT min(position) FROM personal)",
    ),
    (
        "the last personal record is emptied",
        "UPDATE personal SET salt = x'', record = '' WHERE position = (SELECT max(position) FROM personal)",
    ),
    (
        "a personal record is slipped in",
        "INSERT INTO personal SELECT 0, salt, record FROM personal WHERE record <> '' LIMIT 1",
    ),
    (
        "a personal record stands beside another entry",
        "UPDATE personal SET position = -1 WHERE position = 1;
         UPDATE personal SET position = 1 WHERE position = 2; UPDATE personal SET position = 2 WHERE position = -1",
    ),
];

#[test]
fn whatever_is_done_to_the_journal_or_what_was_written_beside_it_is_found() {
    let folder = Folder::new();
    let path = folder.journal();
    stopped(&path, 2);
    for (n, (what, sql)) in ON_ENTRIES.into_iter().enumerate() {
        let file = folder.file(&format!("{n}"));
        std::fs::copy(&path, &file).unwrap();
        connection(&file).execute_batch(sql).unwrap();
        let found = verify(&file, &[]);
        let named = match (&found, what.contains("personal")) {
            (Err(VerifyError::Found(_)), false) => true,
            // Each links to its own ticket's: without a checkpoint only the index tells.
            (Err(VerifyError::Derived { .. }), false) => {
                ["two entries change places", "the last entries are cut off"].contains(&what)
            }
            // The first is about no ticket, and no other links to it: what stands beside them tells.
            (Err(VerifyError::Store(_)), false) => {
                ["the first is taken out and the others move up", "an entry is slipped in before the first"]
                    .contains(&what)
            }
            (Err(VerifyError::Store(error)), true) => {
                ["personal record", "rows were slipped in"].iter().any(|part| error.reason.contains(part))
            }
            _ => false,
        };
        assert!(named, "{what}: {found:?}");
        let said = found.unwrap_err().to_string();
        assert!(!said.contains("citizen-") && !said.contains("denizen"), "{what}: {said}");
    }
}

/// Three tickets, one of Savitri's who is then erased, and closed ones of which retention took the records.
fn erased_and_expired(folder: &Folder, before_erasing: &Path) {
    block_on(async {
        let clock = clock();
        let mut policy = Policy::default();
        policy.keep_personal_after_closing = Some(Hours::from_days(2));
        let engine = builder(open(&folder.journal()), &clock).policy(policy).start().unwrap();
        closed(&engine, 1, HISAR).await;
        submitted(&engine, 2, HISAR).await;
        submitted(&engine, 3, HISAR).await;
        engine.backup(before_erasing).await.unwrap();
        engine.erase(&author(2), None).await.unwrap();
        clock.set(at(24 * 4));
        engine.tick().await;
        engine.shutdown().await;
    });
}

#[test]
fn a_file_whose_tables_were_made_anew_after_an_erasure_by_age_passes() {
    let folder = Folder::new();
    erased_and_expired(&folder, &folder.file("before"));
    let audit = verify(&folder.journal(), &[]).unwrap();
    for sql in ["DELETE FROM fact WHERE name = 'kept'", "UPDATE fact SET value = 'garbage' WHERE name = 'indexed'"] {
        connection(&folder.journal()).execute_batch(sql).unwrap();
        drop(open(&folder.journal()));
        assert_eq!(verify(&folder.journal(), &[]), Ok(audit), "{sql}");
    }
}

#[test]
fn a_record_that_was_erased_and_put_back_is_found() {
    for position in ["(SELECT min(position) FROM personal)", "(SELECT min(position) + 2 FROM personal)"] {
        let folder = Folder::new();
        erased_and_expired(&folder, &folder.file("before"));
        let other = connection(&folder.journal());
        let attach = format!("ATTACH '{}' AS before", folder.file("before").display());
        let put_back = "UPDATE personal SET
            salt = (SELECT salt FROM before.personal p WHERE p.position = personal.position),
            record = (SELECT record FROM before.personal p WHERE p.position = personal.position)
            WHERE record = '' AND position >= ";
        other.execute_batch(&format!("{attach}; {put_back} {position}")).unwrap();
        drop(other);
        let found = verify(&folder.journal(), &[]).unwrap_err().to_string();
        assert!(found.contains("personal record is there") && found.contains("erasure at"), "{found}");
    }
}
