//! What is erased is gone: from the answers and from every byte of the files; what was decided stays.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod journals;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use futures_util::{StreamExt, stream};
use journals::*;
use nivaran::calendar::Hours;
use nivaran::engine::{EngineBuilder, EraseError, SecretSource, SeededSecrets};
use nivaran::journal::{Entry, Erased};
use nivaran::personal::{Personal, Salt};
use nivaran::ticket::{Origin, Version};
use nivaran::{
    Act, Action, Author, Channel, Complainant, Engine, Feedback, Grievance, InstallationKey, ManualClock, MemoryStore,
    Outcome, Policy, Source, Standing, Store, Ticket, TicketId, Verdict,
};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use support::*;

// ---- one citizen, and everything that is theirs --------------------------------------------------------------------

/// What is Savitri's, each once and nowhere else, so that it can be looked for.
const SAVITRIS: [&str; 14] = [
    "@savitri_devi_77",
    "Savitri Devi",
    "98120-45617",
    "1601234567890123456",
    "The sewer in front of my door overflows",
    "thread-887766",
    "https://pic.example/abc123",
    "house-42-gali-7",
    "Which manhole do you mean",
    "The one beside the temple of Durga",
    "Pumped at 16:40 by Mohan Lal",
    "https://evidence.example/77",
    "It overflows again since Tuesday",
    "And again, now in the yard",
];

/// What others wrote.
const OTHERS: [&str; 3] = ["@ramesh_k", "Ramesh Kumar", "My street lamp is dark"];

fn savitri() -> Author {
    Author::new(Channel::X, "@savitri_devi_77")
}

fn savitris_post() -> Grievance {
    let complainant = Complainant {
        handle: Some("@savitri_devi_77".to_owned()),
        name: Some("Savitri Devi".to_owned()),
        contact: Some("98120-45617".to_owned()),
    };
    let post = Source::new(Channel::X, "1601234567890123456").unwrap();
    Grievance::builder(post, "The sewer in front of my door overflows")
        .complainant(complainant)
        .category("water/logging".parse().unwrap())
        .place("hisar/hansi/house-42-gali-7".parse().unwrap())
        .conversation("thread-887766")
        .media("https://pic.example/abc123")
        .build()
        .unwrap()
}

fn rameshs_post() -> Grievance {
    let complainant = Complainant {
        handle: Some("@ramesh_k".to_owned()),
        name: Some("Ramesh Kumar".to_owned()),
        ..Complainant::default()
    };
    let post = Source::new(Channel::X, "177").unwrap();
    let builder = Grievance::builder(post, "My street lamp is dark").complainant(complainant);
    builder.category("power".parse().unwrap()).build().unwrap()
}

/// Secrets that are noted, so that they can be looked for.
#[derive(Clone, Default)]
struct Noted(Arc<Mutex<Vec<Salt>>>);

impl SecretSource for Noted {
    fn salt(&self, occasion: &[u8]) -> Salt {
        let salt = SeededSecrets(1).salt(occasion);
        self.0.lock().unwrap().push(salt);
        salt
    }

    fn key(&self) -> InstallationKey {
        key()
    }
}

/// An engine that has seen everything of Savitri and something of Ramesh: her ticket, its follow-up, and his ticket;
/// and her salts.
async fn known(builder: EngineBuilder, clock: &ManualClock) -> (Engine, [TicketId; 3], Vec<Salt>) {
    let secrets = Noted::default();
    let engine = builder.secrets(secrets.clone()).start().unwrap();
    let first = engine.submit(savitris_post()).await.unwrap().ticket;
    let holder = ticket(&engine, first).await.holder().unwrap().officer.clone();
    let act = |action| Act::by_officer(first, holder.clone(), action);
    let ask = act(Action::AskCitizen { until: at(10) }).statement(words("Which manhole do you mean"));
    engine.act(ask).await.unwrap();
    let answer = Act::by_citizen(first, savitri(), Action::CitizenAnswers);
    engine.act(answer.statement(words("The one beside the temple of Durga"))).await.unwrap();
    let report = words("Pumped at 16:40 by Mohan Lal").with_evidence(["https://evidence.example/77".to_owned()]);
    engine.act(act(Action::Resolve(Outcome::Fixed)).statement(report.unwrap())).await.unwrap();
    let unhappy = |words| Feedback::new(first, savitri(), Verdict::NotSatisfied).reason(words);
    engine.feedback(unhappy(words("It overflows again since Tuesday"))).await.unwrap();
    engine.act(resolve(&ticket(&engine, first).await)).await.unwrap();
    engine.feedback(Feedback::new(first, savitri(), Verdict::Satisfied)).await.unwrap();
    clock.set(at(24 * 30));
    let follow_up = engine.feedback(unhappy(words("And again, now in the yard"))).await.unwrap().ticket;
    assert_eq!(ticket(&engine, follow_up).await.origin(), &Origin::FollowUp(first));
    let hers = secrets.0.lock().unwrap().clone();
    let other = engine.submit(rameshs_post()).await.unwrap().ticket;
    (engine, [first, follow_up, other], hers)
}

/// What the engine tells of tickets, without their records.
async fn decided(engine: &Engine, tickets: &[TicketId]) -> Vec<(Ticket, Vec<nivaran::TicketEntry>)> {
    let mut decided = Vec::new();
    for id in tickets {
        decided.push((ticket(engine, *id).await, engine.history(*id).await.unwrap()));
    }
    decided
}

/// The records of a ticket's case.
async fn records_of(engine: &Engine, id: TicketId) -> BTreeMap<Version, Personal> {
    engine.case_file(id, &officer("cms")).await.unwrap().records.into_iter().collect()
}

#[track_caller]
fn nothing_of_hers(folder: &Folder, salts: &[Salt]) {
    for needle in SAVITRIS {
        assert_eq!(folder.holding(needle.as_bytes()), BTreeSet::new(), "{needle}");
    }
    for salt in salts {
        assert_eq!(folder.holding(&salt.0), BTreeSet::new(), "a salt");
    }
}

#[test]
fn after_an_erasure_no_byte_of_an_author_is_in_any_file_and_what_was_decided_stays() {
    within(async {
        let (folder, clock) = (Folder::new(), clock());
        let builder = |clock| builder(open(&folder.journal()), clock);
        let (engine, tickets, salts) = known(builder(&clock), &clock).await;
        // Otherwise the search would prove nothing.
        for needle in SAVITRIS.iter().chain(&OTHERS) {
            assert!(!folder.holding(needle.as_bytes()).is_empty(), "{needle} was never there");
        }
        assert!(salts.len() >= 7 && salts.iter().all(|salt| !folder.holding(&salt.0).is_empty()));
        let before = decided(&engine, &tickets).await;
        let his = records_of(&engine, tickets[2]).await;
        let here = engine.position();

        let count = engine.erase(&savitri(), Some(officer("cms"))).await.unwrap();
        assert_eq!(
            count,
            before[..2].iter().flat_map(|(_, entries)| entries).filter(|e| e.personal.is_some()).count() as u64
        );
        nothing_of_hers(&folder, &salts);
        for needle in OTHERS {
            assert!(!folder.holding(needle.as_bytes()).is_empty(), "{needle} is not hers");
        }
        assert!(decided(&engine, &tickets).await == before, "what was decided, and the commitments, stay");
        assert_eq!(records_of(&engine, tickets[2]).await, his);
        for id in &tickets[..2] {
            assert_eq!(records_of(&engine, *id).await, BTreeMap::new());
        }
        assert_eq!(engine.position(), here.plus(1));

        // The same post is still known, and she may still speak.
        let again = engine.submit(savitris_post()).await.unwrap();
        assert_eq!((again.ticket, again.standing), (tickets[0], Standing::AlreadyDone));
        engine.shutdown().await;
        nothing_of_hers(&folder, &salts);

        let mut store = open(&folder.journal());
        let Entry::Erased(erasure) = store.read(here, 1).unwrap().remove(0) else { panic!("it is not on record") };
        assert_eq!((erasure.of, erasure.by), (Erased::Author(key().author(&savitri())), Some(officer("cms"))));
        drop(store);
        let engine = builder(&clock).start().unwrap();
        assert!(decided(&engine, &tickets).await == before);
        let again = engine.submit(savitris_post()).await.unwrap();
        assert_eq!((again.ticket, again.standing), (tickets[0], Standing::AlreadyDone));
        let copy = folder.file("copy.journal");
        engine.backup(&copy).await.unwrap();
        nothing_of_hers(&folder, &salts);
        assert!(folder.holding(OTHERS[0].as_bytes()).contains("copy.journal"));

        // What she writes afterwards is a record like any other, and goes the same way.
        engine.act(resolve(&ticket(&engine, tickets[1]).await)).await.unwrap();
        let words = words("It overflows again since Tuesday");
        let unhappy = Feedback::new(tickets[1], savitri(), Verdict::NotSatisfied).reason(words);
        engine.feedback(unhappy).await.unwrap();
        assert_eq!(records_of(&engine, tickets[1]).await.len(), 2);
        assert_eq!(engine.erase(&savitri(), None).await, Ok(2));
        nothing_of_hers(&folder, &salts);
        assert_eq!(engine.erase(&savitri(), None).await, Ok(0), "there is nothing left");
    });
}

#[test]
fn an_erasure_answers_the_same_in_memory_and_in_a_file() {
    within(async {
        let folder = Folder::new();
        let mut answers = Vec::new();
        let memory = MemoryStore::new();
        for in_file in [false, true] {
            let clock = clock();
            let builder = match in_file {
                false => builder(memory.clone(), &clock),
                true => builder(open(&folder.journal()), &clock),
            };
            let (engine, tickets, _) = known(builder, &clock).await;
            let stranger = Author::new(Channel::X, "nobody");
            assert_eq!(engine.erase(&stranger, None).await, Ok(0));
            let unknown = engine.erase(&savitri(), Some(officer("nobody"))).await;
            assert_eq!(unknown, Err(EraseError::UnknownOfficer { officer: officer("nobody") }));
            assert!(!records_of(&engine, tickets[0]).await.is_empty());
            let counts = [engine.erase(&savitri(), None).await, engine.erase(&savitri(), None).await];
            let mut records = Vec::new();
            for id in tickets {
                records.push(records_of(&engine, id).await);
            }
            engine.shutdown().await;
            assert_eq!(engine.erase(&savitri(), None).await, Err(EraseError::Stopped));
            answers.push((counts, records));
        }
        assert_eq!(answers[0], answers[1]);
        assert!(answers[0].0[0].as_ref().is_ok_and(|count| *count >= 7));
        assert_eq!(answers[0].0[1], Ok(0));
        let mut file = open(&folder.journal());
        assert!(Everything::of(&mut file) == Everything::of(&mut memory.clone()));
    });
}

#[test]
fn what_is_submitted_while_it_is_erased_is_erased_or_comes_after_it() {
    within(async {
        let folder = Folder::new();
        let engine = builder(open(&folder.journal()), &clock()).start().unwrap();
        let mut erased = 0;
        let submits = tokio::spawn({
            let engine = engine.clone();
            async move {
                engine.submit_all(stream::iter((0..600).map(|post| marked(7, post, 100)))).collect::<Vec<_>>().await
            }
        });
        let author = Author::new(Channel::X, "zq[0007]");
        while !submits.is_finished() {
            erased += engine.erase(&author, None).await.unwrap();
        }
        assert!(submits.await.unwrap().iter().all(Result::is_ok));
        // Of each, all or nothing is left: what stands before the last erasure is gone.
        let mut left = 0;
        for number in 1..=600 {
            left += records_of(&engine, id(number)).await.len() as u64;
        }
        assert_eq!(erased + left, 600);
        assert_eq!(engine.erase(&author, None).await, Ok(left));
        assert_eq!(marks(&folder), BTreeSet::new());
        engine.shutdown().await;
        assert_eq!(marks(&folder), BTreeSet::new());
    });
}

#[test]
fn a_reader_that_holds_the_log_is_told_and_when_it_is_gone_it_is_erased_for_good() {
    within(async {
        for restarts in [false, true] {
            let (folder, clock) = (Folder::new(), clock());
            let start = || builder(open(&folder.journal()), &clock).start().unwrap();
            let mut engine = start();
            engine.submit(marked(7, 1, 100)).await.unwrap();
            let reader = connection(&folder.journal());
            reader.execute_batch("BEGIN; SELECT count(*) FROM entry").unwrap();
            let author = Author::new(Channel::X, "zq[0007]");
            let told = engine.erase(&author, None).await;
            assert!(matches!(&told, Err(EraseError::NotScrubbed { .. })), "{told:?}");
            assert_eq!(records_of(&engine, id(1)).await.len(), 0, "it is erased for all that");
            if restarts {
                // A start does not make copies go that a reader holds.
                engine.shutdown().await;
                engine = start();
                assert_ne!(marks(&folder), BTreeSet::new());
                let told = engine.erase(&author, None).await;
                assert!(matches!(&told, Err(EraseError::NotScrubbed { .. })), "{told:?}");
            }
            drop(reader);
            engine.erase(&author, None).await.unwrap();
            assert_eq!(marks(&folder), BTreeSet::new());
        }
    });
}

#[test]
fn copies_that_a_reader_kept_alive_go_by_themselves_when_it_is_gone() {
    guarded(|| {
        let folder = Folder::new();
        let engine = builder(open(&folder.journal()), &clock()).start().unwrap();
        block_on(engine.submit(marked(7, 1, 100))).unwrap();
        let reader = connection(&folder.journal());
        reader.execute_batch("BEGIN; SELECT count(*) FROM entry").unwrap();
        let told = block_on(engine.erase(&Author::new(Channel::X, "zq[0007]"), None));
        assert!(matches!(&told, Err(EraseError::NotScrubbed { .. })), "{told:?}");
        drop(reader);
        until("no copy is left", || marks(&folder).is_empty());
        block_on(engine.shutdown());
    });
}

#[test]
fn by_an_index_that_lacks_rows_nothing_is_erased_and_it_is_said_how_to_mend_it() {
    for sql in [
        "DELETE FROM history WHERE ticket = 1 AND version = 1",
        "DELETE FROM history WHERE ticket < 3",
        "UPDATE source SET author = NULL WHERE ticket = 1",
        "UPDATE source SET ticket = 3 WHERE ticket = 1",
        "DELETE FROM source WHERE ticket = 1",
    ] {
        within(async move {
            let (folder, clock) = (Folder::new(), clock());
            let start = || builder(open(&folder.journal()), &clock).start().unwrap();
            let engine = start();
            for post in [1, 2, 3] {
                engine.submit(marked(if post == 1 { 7 } else { 8 }, post, 100)).await.unwrap();
            }
            engine.shutdown().await;
            drop(open(&folder.journal()));
            connection(&folder.journal()).execute_batch(sql).unwrap();
            let engine = start();
            let author = Author::new(Channel::X, "zq[0007]");
            let told = engine.erase(&author, None).await.unwrap_err().to_string();
            assert!(told.contains("indexes are damaged") && told.contains("DELETE FROM fact"), "{sql}: {told}");
            assert!(marks(&folder).contains(&7));
            engine.shutdown().await;
            connection(&folder.journal()).execute_batch("DELETE FROM fact WHERE name = 'kept'").unwrap();
            let engine = start();
            assert_eq!(engine.erase(&author, None).await, Ok(1), "{sql}");
            engine.shutdown().await;
            assert!(!marks(&folder).contains(&7), "{sql}");
        });
    }
}

// ---- by age --------------------------------------------------------------------------------------------------------

fn keeping(days: u16) -> Policy {
    let mut policy = Policy::default();
    policy.keep_personal_after_closing = Some(Hours::from_days(days));
    policy
}

#[test]
fn what_is_closed_long_enough_loses_its_records_and_what_is_open_again_keeps_them() {
    for in_file in [false, true] {
        within(async move {
            let (folder, clock, memory) = (Folder::new(), clock(), MemoryStore::new());
            let start = || match in_file {
                false => builder(memory.clone(), &clock).policy(keeping(3)).start().unwrap(),
                true => builder(open(&folder.journal()), &clock).policy(keeping(3)).start().unwrap(),
            };
            let mut engine = start();
            let withdrawn = closed(&engine, 1, HISAR).await;
            let again = resolved(&engine, 2, POWER).await;
            engine.feedback(feedback(again.id(), 2, Verdict::Satisfied)).await.unwrap();
            let open = submitted(&engine, 3, CONTROL).await;
            engine.tick().await;
            clock.set(at(24));
            let late = closed(&engine, 4, PHE).await;
            clock.set(at(48));
            let unhappy = feedback(again.id(), 2, Verdict::NotSatisfied).reason(words("It is dark again."));
            engine.feedback(unhappy).await.unwrap();
            let before = decided(&engine, &[withdrawn.id(), late.id()]).await;
            // Three days after the first was closed, to the hour, and then one more.
            for (hours, left) in [(72, 1), (73, 1), (96, 0)] {
                clock.set(at(hours));
                engine.tick().await;
                assert_eq!(records_of(&engine, withdrawn.id()).await.len(), left, "after {hours} hours");
                engine.shutdown().await;
                engine = start();
            }
            assert_eq!(records_of(&engine, late.id()).await.len(), 1);
            assert_eq!(records_of(&engine, again.id()).await.len(), 3);
            assert_eq!(records_of(&engine, open.id()).await.len(), 1);
            clock.set(at(24 * 6));
            engine.tick().await;
            assert_eq!(records_of(&engine, late.id()).await.len(), 0);
            assert_eq!(records_of(&engine, again.id()).await.len(), 3, "it is open");
            assert!(decided(&engine, &[withdrawn.id(), late.id()]).await == before);
            if in_file {
                for post in [1, 4] {
                    let text = format!("This is post {post}");
                    assert_eq!(folder.holding(text.as_bytes()), BTreeSet::new(), "{text}");
                }
                assert!(!folder.holding(b"This is post 2").is_empty());
            }
        });
    }
}

// ---- many ----------------------------------------------------------------------------------------------------------

/// The numbers of all marks like `zq[0042]` in the files of a folder.
fn marks(folder: &Folder) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    for bytes in folder.bytes().values() {
        // Every third byte is enough to see the beginning, which is three bytes long.
        for at in (2..bytes.len()).step_by(3).filter(|at| b"zq[".contains(&bytes[*at])) {
            let begin = at - 2;
            let Some(start) = (begin..=at).find(|start| bytes[*start..].starts_with(b"zq[")) else { continue };
            let digits = bytes.get(start + 3..start + 7).and_then(|digits| std::str::from_utf8(digits).ok());
            found.extend(digits.and_then(|digits| digits.parse::<u32>().ok()));
        }
    }
    found
}

fn marked(author: u32, post: u64, length: usize) -> Grievance {
    let mark = format!("zq[{author:04}]");
    let complainant = Complainant { handle: Some(format!("@{mark}")), ..Complainant::default() };
    Grievance::builder(source(post), mark.repeat(1 + length / 8))
        .complainant(complainant)
        .category("water".parse().unwrap())
        .build()
        .unwrap()
}

#[test]
fn of_many_authors_none_leaves_a_byte_however_the_pages_were_moved() {
    guarded(|| {
        for seed in 0..1 {
            let mut rng = StdRng::seed_from_u64(seed);
            let folder = Folder::new();
            let engine: Engine = builder(open(&folder.journal()), &clock()).start().unwrap();
            let posts: Vec<_> =
                (0..1_500).map(|post| marked(rng.random_range(0..40), post, rng.random_range(1..400))).collect();
            let mut left: BTreeSet<u32> = (0..40).collect();
            let receipts = block_on(engine.submit_all(stream::iter(posts)).collect::<Vec<_>>());
            assert!(receipts.iter().all(Result::is_ok));
            let mut order: Vec<u32> = (0..40).collect();
            order.shuffle(&mut rng);
            for author in order {
                left.remove(&author);
                let author = Author::new(Channel::X, &format!("zq[{author:04}]"));
                block_on(engine.erase(&author, None)).unwrap();
                let found = marks(&folder);
                let leaks: Vec<_> = found.difference(&left).collect();
                assert!(leaks.is_empty(), "seed {seed}, {} left: {leaks:?}", left.len());
            }
        }
    });
}
