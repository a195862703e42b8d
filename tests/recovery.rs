//! Serving, recovering, serving: whatever a store does, callers hear the truth and the memory equals the journal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use nivaran::engine::{ActorName, Failure, Mishap, Mode, ReadError, Step};
use nivaran::journal::{Entry, Record};
use nivaran::ticket::StateKind;
use nivaran::{
    ActError, Engine, MemoryStore, Receipt, Standing, StartError, Store, SubmitError, Ticket, TicketId, Verdict,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::*;

fn staged_engine() -> (Engine, MemoryStore, Director) {
    let memory = MemoryStore::new();
    let (store, director) = staged(&memory);
    let engine = builder(store, &clock()).start().unwrap();
    block_on(engine.tick());
    (engine, memory, director)
}

/// The engine serves, and takes what comes.
async fn serves(engine: &Engine, store: &MemoryStore, post: u64) {
    for to in BUSY {
        let mut tried = 0;
        while let Err(error) = engine.submit(grievance(post, to)).await {
            // It may not have found its feet yet.
            assert_eq!(error, SubmitError::Failed(Failure::Recovering));
            tried += 1;
            assert!(tried < 1_000, "it recovers for good");
            tokio::task::yield_now().await;
        }
    }
    until("it serves", || engine.health().mode == Mode::Serving);
    audit(engine, store).await;
}

#[test]
fn a_batch_that_is_refused_refuses_all_that_stands_behind_it() {
    within(async {
        let (engine, store, director) = staged_engine();
        let marked = submitted(&engine, 1, HISAR).await;
        let answered = resolved(&engine, 2, POWER).await;
        director.shut();
        let first = begun(engine.submit(grievance(3, HISAR)));
        let number = director.waiting_batch()[0].entry.ticket().unwrap().ticket;
        // Each of these is decided on what is not written.
        let second = begun(engine.submit(grievance(4, ROHTAK)));
        let act = begun(engine.act(forward(number, PHE)));
        let known = begun(engine.act(acknowledge(&marked).request(request(1))));
        let said = begun(engine.feedback(feedback(answered.id(), 2, Verdict::Satisfied)));
        let same = begun(engine.submit(grievance(3, HISAR)));
        director.next(Fate::Refuse);
        director.open();

        let Err(SubmitError::Failed(Failure::NotStored { reason })) = first.await else { panic!("it was not refused") };
        assert!(reason.contains("the disk is full"), "{reason}");
        assert_eq!(second.await, Err(SubmitError::Failed(Failure::Recovering)));
        assert_eq!(known.await, Err(ActError::Failed(Failure::Recovering)));
        assert_eq!(said.await, Err(ActError::Failed(Failure::Recovering)));
        assert!(matches!(act.await, Err(ActError::Failed(_) | ActError::UnknownTicket { .. })));
        // The repetition of what was not written is either refused as well or carried out instead.
        let same = same.await;
        assert_eq!(times_received(&store, 3), usize::from(same.is_ok()), "{same:?}");

        assert_eq!(ticket(&engine, marked.id()).await, marked);
        assert_eq!(ticket(&engine, answered.id()).await, answered);
        serves(&engine, &store, 5).await;
        // What was refused can be sent again.
        engine.submit(grievance(3, HISAR)).await.unwrap();
        assert_eq!(engine.submit(grievance(4, ROHTAK)).await.unwrap().standing, Standing::Done);
        assert_eq!(engine.act(acknowledge(&marked).request(request(1))).await.unwrap().standing, Standing::Done);
        engine.feedback(feedback(answered.id(), 2, Verdict::Satisfied)).await.unwrap();
        audit(&engine, &store).await;
        all_room_is_back(&engine);
    });
}

#[test]
fn a_full_disk_resumes_by_itself_when_there_is_room() {
    within(async {
        let (engine, store, director) = staged_engine();
        director.plan(|_, _| Fate::Refuse);
        for post in 0..20 {
            let error = engine.submit(any_grievance(post)).await.unwrap_err();
            assert!(matches!(error, SubmitError::Failed(Failure::NotStored { .. } | Failure::Recovering)), "{error:?}");
        }
        assert_eq!(ticket_entries(&store), []);
        director.plan(|_, _| Fate::Write);
        serves(&engine, &store, 5).await;
        for post in 0..20 {
            engine.submit(any_grievance(post)).await.unwrap();
        }
        audit(&engine, &store).await;
        all_room_is_back(&engine);
    });
}

/// One call on a batch that meets a fate: what the caller hears.
async fn met(fate: Fate) -> (Result<Receipt, SubmitError>, Engine, MemoryStore, Director) {
    let (engine, store, director) = staged_engine();
    submitted(&engine, 1, HISAR).await;
    director.next(fate);
    let answer = engine.submit(grievance(2, POWER)).await;
    (answer, engine, store, director)
}

#[test]
fn an_unknown_outcome_that_is_there_is_told_as_done() {
    within(async {
        for fate in [Fate::UnknownAndThere, Fate::PanicAfter] {
            let (answer, engine, store, _) = met(fate).await;
            assert_eq!(answer.map(|receipt| receipt.standing), Ok(Standing::Done), "{fate:?}");
            assert_eq!(times_received(&store, 2), 1);
            serves(&engine, &store, 3).await;
            assert_eq!(engine.submit(grievance(2, POWER)).await.unwrap().standing, Standing::AlreadyDone);
        }
    });
}

#[test]
fn an_unknown_outcome_that_is_not_there_is_told_as_refused() {
    within(async {
        for fate in [Fate::UnknownAndGone, Fate::PanicBefore] {
            let (answer, engine, store, _) = met(fate).await;
            assert!(matches!(answer, Err(SubmitError::Failed(Failure::NotStored { .. }))), "{fate:?}: {answer:?}");
            assert_eq!(times_received(&store, 2), 0);
            serves(&engine, &store, 3).await;
            assert_eq!(engine.submit(grievance(2, POWER)).await.unwrap().standing, Standing::Done);
        }
    });
}

#[test]
fn a_store_that_panics_is_on_record() {
    within(async {
        let (_, engine, _, _) = met(Fate::PanicBefore).await;
        let health = engine.health();
        assert_eq!(panics(&health, &ActorName::Journal), 1);
        assert_eq!(health.last_fault.unwrap().actor, ActorName::Journal);
    });
}

#[test]
fn acts_and_feedback_hear_the_truth_of_an_unknown_outcome_too() {
    within(async {
        for (fate, there) in [(Fate::UnknownAndThere, true), (Fate::UnknownAndGone, false), (Fate::Refuse, false)] {
            let (engine, store, director) = staged_engine();
            let (moving, answered) = (submitted(&engine, 1, HISAR).await, resolved(&engine, 2, POWER).await);
            director.next(fate);
            let forwarded = engine.act(forward(moving.id(), ROHTAK).request(request(1))).await;
            assert_eq!(forwarded.is_ok(), there, "{fate:?}: {forwarded:?}");
            let desk_now = if there { ROHTAK } else { HISAR };
            assert_eq!(ticket(&engine, moving.id()).await.desk(), Some(&desk(desk_now)));
            serves(&engine, &store, 3).await;
            director.next(fate);
            let judged = engine.feedback(feedback(answered.id(), 2, Verdict::NotSatisfied).request(request(1))).await;
            assert_eq!(judged.is_ok(), there, "{fate:?}: {judged:?}");
            assert_eq!(ticket(&engine, answered.id()).await.remarks() == 1, there);
            serves(&engine, &store, 4).await;
            // Sent again with the same request, each has happened once.
            let standing = if there { Standing::AlreadyDone } else { Standing::Done };
            let again = engine.act(forward(moving.id(), ROHTAK).request(request(1))).await.unwrap();
            assert_eq!(again.standing, standing);
            audit(&engine, &store).await;
        }
    });
}

#[test]
fn a_store_that_opens_again_only_after_a_while_is_waited_for() {
    within(async {
        let (engine, store, director) = staged_engine();
        director.fail_reopens(2);
        director.next(Fate::UnknownAndThere);
        let mut submit = begun(engine.submit(grievance(1, HISAR)));
        until("it recovers", || matches!(engine.health().mode, Mode::Recovering { .. }));
        assert!(waits(&mut submit));
        assert_eq!(submit.await.unwrap().standing, Standing::Done);
        serves(&engine, &store, 2).await;
    });
}

#[test]
fn what_cannot_be_told_is_told_as_unknown_and_the_engine_stops() {
    within(async {
        let (engine, store, director) = staged_engine();
        submitted(&engine, 1, HISAR).await;
        // Somebody else wrote into the journal.
        director.strays(5);
        director.next(Fate::UnknownAndGone);
        let answer = engine.submit(grievance(2, POWER)).await;
        assert!(matches!(answer, Err(SubmitError::Failed(Failure::Unknown { .. }))), "{answer:?}");
        let Mode::Stopped { reason } = engine.health().mode else { panic!("it goes on in a journal of others") };
        assert!(reason.contains("where nobody wrote"), "{reason}");
        // Nothing more is written, nobody is told otherwise, and nothing hangs.
        let later = engine.submit(grievance(3, POWER)).await;
        assert!(matches!(later, Err(SubmitError::Failed(_) | SubmitError::Stopped(_))), "{later:?}");
        assert!(engine.act(forward(id(1), ROHTAK)).await.is_err());
        engine.tick().await;
        assert_eq!(folded(&store).len(), 1);
        all_room_is_back(&engine);
        engine.shutdown().await;
    });
}

#[test]
fn an_engine_whose_first_batch_is_refused_says_later_which_rules_and_roster_it_goes_by() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        director.next(Fate::Refuse);
        let engine = builder(store, &clock()).start().unwrap();
        engine.tick().await;
        serves(&engine, &memory, 1).await;
        let tables: Vec<_> = journal(&memory)
            .iter()
            .filter_map(|entry| if let Entry::Rules(entry) = entry { Some(entry.table) } else { None })
            .collect();
        let used = ticket_entries(&memory).first().unwrap().table;
        assert!(tables.contains(&used), "the journal goes by a table that it does not name");
        assert!(journal(&memory).iter().any(|entry| matches!(entry, Entry::Roster(_))));
    });
}

#[test]
fn rules_that_are_not_stored_do_not_come_into_force() {
    within(async {
        for fate in [Fate::Refuse, Fate::UnknownAndGone] {
            let (engine, store, director) = staged_engine();
            director.next(fate);
            let answer = engine.reload_rules(other_rules(), None).await;
            assert!(answer.is_err(), "{fate:?}: it says that rules are in force that are not in the journal");
            assert_eq!(engine.rules().version(), rules().version(), "{fate:?}: the table in force stays");
            serves(&engine, &store, 1).await;
            assert_eq!(ticket_entries(&store)[0].table, rules().version());
            engine.reload_rules(other_rules(), None).await.unwrap();
            assert_eq!(engine.rules().version(), other_rules().version());
            audit(&engine, &store).await;
        }
    });
}

#[test]
fn a_roster_that_is_not_stored_does_not_come_into_force() {
    within(async {
        for fate in [Fate::Refuse, Fate::UnknownAndGone] {
            let (engine, store, director) = staged_engine();
            let at_rohtak = submitted(&engine, 1, ROHTAK).await;
            director.next(fate);
            let answer = engine.reload_roster(roster_without("rohtak"), None).await;
            assert!(answer.is_err(), "{fate:?}: it says that a roster is in force that is not in the journal");
            assert_eq!(engine.roster().version(), roster().version(), "{fate:?}: the roster in force stays");
            assert_eq!(ticket(&engine, at_rohtak.id()).await, at_rohtak);
            serves(&engine, &store, 2).await;
            engine.reload_roster(roster_without("rohtak"), None).await.unwrap();
            assert_ne!(ticket(&engine, at_rohtak.id()).await.desk(), at_rohtak.desk());
            audit(&engine, &store).await;
        }
    });
}

#[test]
fn without_numbers_a_submit_is_refused_and_nothing_else() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        director.fail_reserves(2);
        let engine = builder(store, &clock()).start().unwrap();
        for _ in 0..2 {
            let answer = engine.submit(grievance(1, HISAR)).await;
            assert!(matches!(answer, Err(SubmitError::Failed(Failure::NotStored { .. }))), "{answer:?}");
        }
        serves(&engine, &memory, 1).await;
        all_room_is_back(&engine);
    });
}

#[test]
fn a_store_that_panics_when_it_is_asked_something_goes_on() {
    within(async {
        let (engine, store, director) = staged_engine();
        let marked = submitted(&engine, 1, HISAR).await;
        director.panic_on_reads(1);
        let error = engine.history(marked.id()).await.unwrap_err();
        assert_ne!(error, ReadError::Stopped, "it is not stopped");
        assert_eq!(engine.history(marked.id()).await.unwrap().len(), 1);
        serves(&engine, &store, 2).await;
        assert_eq!(panics(&engine.health(), &ActorName::Journal), 1);
    });
}

#[test]
fn a_store_that_panics_at_the_start_is_an_error_of_the_start() {
    let (store, director) = staged(&MemoryStore::new());
    director.panic_on_reads(1);
    let error = builder(store, &clock()).start().unwrap_err();
    assert!(matches!(error, StartError::Store(_)), "{error}");
}

#[test]
fn a_stream_of_submits_goes_on_over_refused_batches_and_each_receipt_is_its_own_grievances() {
    within(async {
        let (engine, store, director) = staged_engine();
        director.plan(|n, _| if n % 3 == 1 { Fate::Refuse } else { Fate::Write });
        let receipts: Vec<_> = engine.submit_all(stream::iter(0..3_000).map(any_grievance)).collect().await;
        assert_eq!(receipts.len(), 3_000);
        for (post, receipt) in (0..).zip(&receipts) {
            match receipt {
                Ok(receipt) => assert_eq!(journaled(&store, post), Some(receipt.ticket)),
                Err(_) => assert_eq!(journaled(&store, post), None),
            }
        }
        director.plan(|_, _| Fate::Write);
        serves(&engine, &store, 4_000).await;
    });
}

// ---- while a batch is refused, something waits for it ----------------------------------------------------------------

/// A batch waits at the disk, another submit stands behind it, then comes what `behind` sends on its way; then the
/// batch is refused. All of it has to come to an end.
async fn behind_a_refused_batch<T: Send>(what: &str, behind: impl AsyncFnOnce(&Engine, &Pranks) -> T) -> T {
    let memory = MemoryStore::new();
    let (store, director) = staged(&memory);
    let pranks = Pranks::default();
    let engine = builder(store, &clock()).drill(pranks.clone()).start().unwrap();
    engine.tick().await;
    director.shut();
    let first = begun(engine.submit(grievance(1, POWER)));
    director.waiting_batch();
    let second = begun(engine.submit(grievance(2, HISAR)));
    director.next(Fate::Refuse);
    let opener = std::thread::spawn({
        let director = director.clone();
        move || {
            // Long enough for what was sent to stand in the queue; were it too short, the test would ask less.
            std::thread::sleep(Duration::from_millis(50));
            director.open();
        }
    });
    let result = tokio::time::timeout(GUARD / 3, behind(&engine, &pranks)).await;
    let result = result.unwrap_or_else(|_| panic!("{what} waits for good"));
    opener.join().unwrap();
    assert!(first.await.is_err() && second.await.is_err());
    if !matches!(engine.health().mode, Mode::Stopped { .. }) {
        serves(&engine, &memory, 3).await;
    }
    result
}

#[test]
fn a_tick_behind_a_refused_batch_comes_to_an_end() {
    within(behind_a_refused_batch("the tick", async |engine, _| engine.tick().await));
}

#[test]
fn an_engine_that_is_shut_down_behind_a_refused_batch_stops() {
    within(behind_a_refused_batch("the shutdown", async |engine, _| engine.shutdown().await));
}

#[test]
fn a_desk_that_panics_behind_a_refused_batch_comes_back() {
    within(async {
        let answer = behind_a_refused_batch("the desk", async |engine, pranks| {
            pranks.panic(&desk_actor(HISAR), 1);
            engine.submit(grievance(7, HISAR)).await
        })
        .await;
        assert!(matches!(answer, Ok(_) | Err(SubmitError::Failed(Failure::Recovering))), "{answer:?}");
    });
}

#[test]
fn a_dispatcher_that_panics_behind_a_refused_batch_comes_back() {
    within(async {
        let answer = behind_a_refused_batch("the dispatcher", async |engine, pranks| {
            pranks.panic(&ActorName::Dispatcher, 1);
            engine.submit(grievance(7, HISAR)).await
        })
        .await;
        assert!(matches!(answer, Ok(_) | Err(SubmitError::Failed(Failure::Recovering))), "{answer:?}");
    });
}

#[test]
fn a_reload_behind_a_refused_batch_is_taken_or_refused() {
    within(async {
        behind_a_refused_batch("the reload", async |engine, _| {
            let answer = engine.reload_rules(other_rules(), None).await;
            let bearings = if answer.is_ok() { other_rules() } else { rules() };
            assert_eq!(engine.rules().version(), bearings.version(), "{answer:?}");
        })
        .await;
        behind_a_refused_batch("the reload", async |engine, _| {
            let smaller = roster_without("phe-se");
            let answer = engine.reload_roster(smaller.clone(), None).await;
            let bearings = if answer.is_ok() { smaller } else { roster() };
            assert_eq!(engine.roster().version(), bearings.version(), "{answer:?}");
        })
        .await;
    });
}

// ---- random faults under load --------------------------------------------------------------------------------------

/// What a task remembers of what it was told.
#[derive(Default)]
struct Told {
    /// Posts: what each of the submits was answered.
    posts: BTreeMap<u64, Vec<Result<Receipt, SubmitError>>>,
    /// Acts by ticket and request.
    acts: BTreeMap<(TicketId, u64), Vec<Result<Receipt, ActError>>>,
}

async fn some_of_everything(engine: Engine, task: u64, seed: u64) -> Told {
    let mut rng = StdRng::seed_from_u64(seed ^ task << 32);
    let mut told = Told::default();
    let mut known: Vec<(u64, Ticket)> = Vec::new();
    let mut requests = 0;
    for n in 0..60 {
        if known.is_empty() || rng.random_bool(0.5) {
            let post = task * 1_000 + rng.random_range(0..=n);
            let answer = engine.submit(any_grievance(post)).await;
            if let Ok(receipt) = &answer {
                let ticket = engine.ticket(receipt.ticket).await.unwrap().expect("what was acknowledged is there");
                known.push((post, ticket));
            }
            told.posts.entry(post).or_default().push(answer);
        } else {
            let (post, ticket) = known[rng.random_range(0..known.len())].clone();
            // Now and then the last request comes again.
            requests += u64::from(rng.random_bool(0.8));
            let id = request(requests);
            let answer = match rng.random_range(0..5) {
                0 => engine.act(resolve(&ticket).request(id)).await,
                1 => engine.act(withdraw(ticket.id(), post).request(id)).await,
                2 => engine.act(acknowledge(&ticket).request(id)).await,
                3 => engine.feedback(feedback(ticket.id(), post, Verdict::NotSatisfied).request(id)).await,
                _ => engine.act(forward(ticket.id(), BUSY[rng.random_range(0..5)]).request(id)).await,
            };
            told.acts.entry((ticket.id(), requests)).or_default().push(answer);
        }
    }
    told
}

/// `every`: a panic at every so many steps of the actors, on top of what the store does.
async fn random_faults(seed: u64, every: Option<u64>) {
    let store = MemoryStore::new();
    let (faulty, director) = staged(&store);
    let (steps, calm) = (AtomicU64::new(0), Arc::new(AtomicBool::new(true)));
    let quiet = Arc::clone(&calm);
    let drill = move |_: &Step<'_>| {
        let n = steps.fetch_add(1, Ordering::Relaxed);
        let panics = !quiet.load(Ordering::Relaxed) && every.is_some_and(|every| n % every < 1 + n / every % 2);
        panics.then_some(Mishap::Panic)
    };
    let engine = builder(faulty, &clock()).drill(drill).start().unwrap();
    engine.tick().await;
    calm.store(false, Ordering::Relaxed);
    let mut rng = StdRng::seed_from_u64(seed);
    director.plan(move |_, _: &[Record]| match rng.random_range(0..14) {
        0 | 1 => Fate::Refuse,
        2 => Fate::UnknownAndGone,
        3 => Fate::UnknownAndThere,
        4 => Fate::PanicBefore,
        5 => Fate::PanicAfter,
        _ => Fate::Write,
    });
    let tasks: Vec<_> = (0..5).map(|task| tokio::spawn(some_of_everything(engine.clone(), task, seed))).collect();
    let mut told = Vec::new();
    for task in tasks {
        told.push(task.await.unwrap());
    }
    director.plan(|_, _| Fate::Write);
    calm.store(true, Ordering::Relaxed);
    serves(&engine, &store, 90_000).await;

    let entries = ticket_entries(&store);
    let mut failed = 0;
    for Told { posts, acts } in told {
        for (post, answers) in posts {
            let done = answers.iter().flatten().filter(|receipt| receipt.standing == Standing::Done).count();
            assert_eq!(times_received(&store, post), done, "seed {seed}, post {post}: {answers:?}");
            assert!(answers.iter().flatten().all(|receipt| Some(receipt.ticket) == journaled(&store, post)));
            failed += answers.iter().filter(|answer| answer.is_err()).count();
        }
        for ((ticket, n), answers) in acts {
            let there = entries.iter().filter(|entry| entry.ticket == ticket && entry.request == Some(request(n)));
            let there: Vec<_> = there.map(|entry| entry.version).collect();
            let done: Vec<_> = answers.iter().flatten().filter(|r| r.standing == Standing::Done).collect();
            let versions: Vec<_> = done.iter().map(|receipt| receipt.version).collect();
            // A complaint that became a ticket of its own has no request there.
            assert!(done.iter().all(|receipt| receipt.ticket == ticket));
            assert_eq!(there, versions, "seed {seed}, request {n} of {ticket}: {answers:?}");
            let unknown = |answer: &Result<_, _>| matches!(answer, Err(ActError::Failed(Failure::Unknown { .. })));
            assert!(!answers.iter().any(unknown), "the store always opens again");
        }
    }
    assert!(failed > 5, "seed {seed}: nothing failed");

    // The disk's own view is the memory's, ticket by ticket.
    for id in store.clone().tickets(None, usize::MAX).unwrap() {
        let history: Vec<_> = engine.history(id).await.unwrap();
        assert_eq!(nivaran::journal::fold(&history).unwrap(), engine.ticket(id).await.unwrap());
    }
    all_room_is_back(&engine);
    engine.shutdown().await;
    let again = start(&store);
    audit(&again, &store).await;
    assert!(in_state(&store, StateKind::Closed) > 0);
}

#[test]
fn random_faults_under_load_leave_the_truth() {
    within(async {
        for seed in 0..6 {
            random_faults(seed, None).await;
        }
    });
}

#[test]
fn random_faults_and_panics_at_once_leave_the_truth() {
    within(async {
        for seed in 0..4 {
            random_faults(seed, Some(31)).await;
        }
    });
}

#[test]
fn a_store_that_panics_when_the_writer_asks_it_is_noted_and_the_engine_goes_on() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        let mut limits = nivaran::Limits::default();
        limits.closed_in_memory = 1;
        let engine = builder(store, &clock()).limits(limits).start().unwrap();
        for post in 1..4 {
            let marked = submitted(&engine, post, HISAR).await;
            engine.act(withdraw(marked.id(), post)).await.unwrap();
        }
        engine.tick().await;
        // Known, closed and not in memory: the store is asked which ticket it is, and then for its version.
        director.panic_on_reads(2);
        for _ in 0..3 {
            drop(engine.submit(grievance(1, HISAR)).await);
        }
        let again = engine.submit(grievance(1, HISAR)).await.unwrap();
        assert_eq!((again.ticket, again.standing), (id(1), Standing::AlreadyDone));
        assert!(panics(&engine.health(), &ActorName::Journal) >= 1);
        serves(&engine, &memory, 50).await;
        all_room_is_back(&engine);
    });
}

// ---- a ticket that left memory comes to life ---------------------------------------------------------------------------

#[test]
fn a_ticket_that_left_memory_comes_to_life_and_is_acted_on_in_one_batch() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        let pranks = Pranks::default();
        let mut limits = nivaran::Limits::default();
        limits.closed_in_memory = 1;
        let engine = builder(store, &clock()).drill(pranks.clone()).limits(limits).start().unwrap();
        let (second, elsewhere) = (submitted(&engine, 2, HISAR).await, submitted(&engine, 3, POWER).await);
        let first = closed(&engine, 1, HISAR).await;

        // While this waits at the disk the first ticket is in memory; when it is written, no longer.
        director.shut();
        let closing = begun(engine.act(withdraw(second.id(), 2)));
        director.waiting_batch();
        let power = pranks.hold(&desk_actor(POWER));
        let complaint = begun(engine.feedback(feedback(first.id(), 1, Verdict::NotSatisfied)));
        let acted = begun(engine.act(acknowledge(&first)));
        // A move is waited for: when the other desk has it, all before it is with the journal's writer.
        let moved = begun(engine.act(forward(elsewhere.id(), ROHTAK)));
        power.held();
        director.open();
        power.let_go();
        closing.await.unwrap();
        complaint.await.unwrap();
        acted.await.unwrap();
        moved.await.unwrap();
        assert_eq!(engine.health().mode, Mode::Serving);
        serves(&engine, &memory, 5).await;
    });
}
