//! One door, one order: what is written follows from what came in, and from nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use nivaran::journal::Entry;
use nivaran::ticket::{ParkReason, Reference, StateKind, TicketEvent, Version};
use nivaran::{Act, Action, Engine, Feedback, Grievance, Limits, ManualClock, MemoryStore, Outcome, Receipt, Standing};
use nivaran::{PendingTicket, TicketId, Verdict};
use support::*;
use tokio::sync::Barrier;

/// The posts of the journal, in its order.
fn received(store: &MemoryStore, posts: std::ops::Range<u64>) -> Vec<u64> {
    let by_key: std::collections::HashMap<_, _> = posts.map(|post| (key().source(&source(post)), post)).collect();
    let post = |entry: nivaran::journal::TicketEntry| match entry.events.first() {
        Some(TicketEvent::Received { filing, .. }) => Some(by_key[&filing.source]),
        _ => None,
    };
    ticket_entries(store).into_iter().filter_map(post).collect()
}

#[test]
fn the_journal_has_the_order_of_the_door() {
    within(async {
        let store = MemoryStore::new();
        let engine = start(&store);
        // Acts on each ticket come right behind it, ahead of its answer.
        let mut acts = Vec::new();
        let mut submits = Vec::new();
        for post in 0..300 {
            submits.push(begun(engine.submit(any_grievance(post))));
            acts.push(begun(engine.act(forward(id(post + 1), BUSY[(post as usize + 2) % 5]))));
        }
        for (post, submit) in (0..).zip(submits) {
            assert_eq!(submit.await.unwrap().ticket, id(post + 1));
        }
        for act in acts {
            assert_eq!(act.await.unwrap().version, Version(2));
        }
        let expected: Vec<_> = (1..=300).flat_map(|n| [(id(n), Version(1)), (id(n), Version(2))]).collect();
        let written: Vec<_> = ticket_entries(&store).iter().map(|entry| (entry.ticket, entry.version)).collect();
        assert_eq!(written, expected);
        assert_eq!(received(&store, 0..300), (0..300).collect::<Vec<_>>());
        audit(&engine, &store).await;
    });
}

#[test]
fn what_is_taken_over_gets_its_numbers_in_the_order_of_the_old_ones() {
    within(async {
        let store = MemoryStore::new();
        let engine = start(&store);
        let pending = |number: u64| PendingTicket {
            old_number: Reference::new(&format!("SMGT-{number}")).unwrap(),
            received_at: at(-2_000),
            grievance: any_grievance(number),
        };
        let receipts = engine.import((0..600).map(pending).collect()).await;
        let numbers: Vec<_> = receipts.into_iter().map(|receipt| receipt.unwrap().ticket.number()).collect();
        assert_eq!(numbers, (1..=600).collect::<Vec<_>>());
        audit(&engine, &store).await;
    });
}

#[test]
fn each_of_many_callers_keeps_its_own_order() {
    within(async {
        let store = MemoryStore::new();
        let engine = start(&store);
        let together = Arc::new(Barrier::new(8));
        let callers: Vec<_> = (0..8_u64)
            .map(|caller| {
                let (engine, together) = (engine.clone(), Arc::clone(&together));
                tokio::spawn(async move {
                    together.wait().await;
                    if caller < 4 {
                        let own = stream::iter(caller * 100..caller * 100 + 100).map(any_grievance);
                        engine.submit_all(own).for_each(async |receipt| assert!(receipt.is_ok())).await;
                    } else {
                        for post in caller * 100..caller * 100 + 100 {
                            drop(begun(engine.submit(any_grievance(post))));
                        }
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
        engine.tick().await;
        let written = received(&store, 0..800);
        assert_eq!(written.len(), 800);
        for caller in 0..8 {
            let own: Vec<_> = written.iter().copied().filter(|post| post / 100 == caller).collect();
            assert!(own.is_sorted(), "caller {caller}: {own:?}");
        }
        // Numbers rise with the order.
        let numbers: Vec<_> = ticket_entries(&store).iter().map(|entry| entry.ticket).collect();
        assert!(numbers.is_sorted());
        audit(&engine, &store).await;
    });
}

fn times(store: &MemoryStore) -> Vec<Timestamp> {
    let at = |entry: Entry| match entry {
        Entry::Ticket(entry) => entry.at,
        Entry::Rules(entry) => entry.at,
        Entry::Roster(entry) => entry.at,
        other => panic!("an entry of a kind that has no time here: {other:?}"),
    };
    journal(store).into_iter().map(at).collect()
}

#[test]
fn time_never_falls() {
    within(async {
        let (store, clock) = (MemoryStore::new(), clock());
        let engine = builder(store.clone(), &clock).start().unwrap();
        let mut last = submitted(&engine, 0, HISAR).await;
        for (post, hours) in [(1, 5), (2, 3), (3, -100), (4, 6), (5, 0)] {
            clock.set(at(hours));
            engine.act(forward(last.id(), BUSY[post as usize % 4 + 1])).await.unwrap();
            last = submitted(&engine, post, HISAR).await;
        }
        engine.reload_rules(other_rules(), None).await.unwrap();
        let times = times(&store);
        assert!(times.is_sorted(), "{times:?}");
        assert_eq!(times.last(), Some(&at(6)));
        // A date does not come twice, and none comes early because the clock fell.
        engine.tick().await;
        audit(&engine, &store).await;
    });
}

#[test]
fn time_never_falls_across_a_restart() {
    within(async {
        let store = MemoryStore::new();
        let engine = builder(store.clone(), &ManualClock::new(at(10))).start().unwrap();
        let first = submitted(&engine, 1, HISAR).await;
        engine.shutdown().await;
        let engine = builder(store.clone(), &ManualClock::new(at(4))).start().unwrap();
        submitted(&engine, 2, POWER).await;
        engine.act(forward(first.id(), ROHTAK)).await.unwrap();
        let times = times(&store);
        assert!(times.is_sorted(), "{times:?}");
    });
}

/// The same posts, sent in five ways.
#[test]
fn batch_boundaries_leave_no_trace() {
    within(async {
        const POSTS: u64 = 120;
        // Some come twice.
        let posts = || (0..POSTS).map(|n| any_grievance(n * 7 % 100));
        let limited = |batch, room| {
            let mut limits = Limits::default();
            (limits.batch, limits.under_way, limits.numbers_at_a_time) = (batch, room, 16);
            limits
        };
        let mut journals = Vec::new();
        for way in 0..5 {
            let store = MemoryStore::new();
            let limits = match way {
                1 => limited(1, 32_768),
                2 => limited(7, 10),
                _ => limited(4_096, 32_768),
            };
            let engine = builder(store.clone(), &clock()).limits(limits).start().unwrap();
            match way {
                0 => {
                    for post in posts() {
                        engine.submit(post).await.unwrap();
                    }
                }
                1 | 2 => {
                    let receipts: Vec<_> = engine.submit_all(stream::iter(posts())).collect().await;
                    assert!(receipts.iter().all(Result::is_ok) && receipts.len() == POSTS as usize);
                }
                3 => {
                    let begun: Vec<_> = posts().map(|post| begun(engine.submit(post))).collect();
                    for receipt in begun {
                        receipt.await.unwrap();
                    }
                }
                _ => {
                    // The input comes in spurts.
                    let spurts = posts().enumerate().map(|(n, post)| async move {
                        if n % 11 == 0 {
                            tokio::task::yield_now().await;
                        }
                        post
                    });
                    let receipts = engine.submit_all(stream::iter(spurts).buffered(1));
                    assert_eq!(receipts.filter(|receipt| std::future::ready(receipt.is_ok())).count().await, 120);
                }
            }
            audit(&engine, &store).await;
            journals.push(written(&store));
        }
        assert_eq!(journals[0].len(), 102);
        for (way, journal) in journals.iter().enumerate() {
            assert_eq!(journal, &journals[0], "way {way}");
        }
    });
}

/// Something that is asked of the engine. Officers are named, so that it can be asked again as it was.
#[derive(Clone)]
enum Ask {
    Submit(Grievance),
    Act(Act),
    Feedback(Feedback),
    Rules(bool),
    Roster(bool),
    /// Set the clock and let the dates pass.
    Time(i64),
}

/// A receipt without the version of a ticket that was there before, which is the one that it has by then.
fn what_was_done(receipt: Receipt) -> (TicketId, Standing, Option<Version>) {
    (receipt.ticket, receipt.standing, (receipt.standing == Standing::Done).then_some(receipt.version))
}

/// Asks and waits for the answer.
async fn answered(engine: &Engine, clock: &ManualClock, ask: Ask) -> String {
    match ask {
        Ask::Submit(grievance) => format!("{:?}", engine.submit(grievance).await.map(what_was_done)),
        Ask::Act(act) => format!("{:?}", engine.act(act).await),
        Ask::Feedback(feedback) => format!("{:?}", engine.feedback(feedback).await.map(what_was_done)),
        Ask::Rules(other) => {
            let rules = if other { other_rules() } else { rules() };
            format!("{:?}", engine.reload_rules(rules, Some(officer("cms"))).await)
        }
        Ask::Roster(smaller) => {
            let roster = if smaller { roster_without("rohtak") } else { roster() };
            // The rules name no district, so every roster will do.
            format!("{:?}", engine.reload_roster(roster, Some(officer("cms"))).await)
        }
        Ask::Time(hours) => {
            clock.set(at(hours));
            engine.tick().await;
            String::new()
        }
    }
}

/// A story of some months in which everything happens. The acts are chosen by what the first run's tickets look like.
async fn first_run(store: &MemoryStore) -> (Vec<Ask>, Vec<String>) {
    let clock = clock();
    let engine = builder(store.clone(), &clock).start().unwrap();
    let (mut asked, mut answers) = (Vec::new(), Vec::new());
    let mut post = 0;
    for round in 0..12_u64 {
        let mut asks: Vec<Ask> = Vec::new();
        for _ in 0..10 {
            asks.push(Ask::Submit(any_grievance(post)));
            post += 1;
        }
        asks.push(Ask::Submit(any_grievance(post / 2)));
        for (number, ticket) in folded(store) {
            let n = number.number();
            let post = n - 1;
            let holder = ticket.holder().unwrap().officer.clone();
            let by_holder = |action| Act::by_officer(number, holder.clone(), action);
            let until = at(200 * round as i64 + 150);
            let request = request(round * 1_000 + n);
            match (ticket.state().kind(), (n + round) % 9) {
                (StateKind::Closed, 0..4) | (StateKind::Resolved, 0..3) | (StateKind::Rejected, 0..6) => {
                    let again = feedback(number, post, Verdict::NotSatisfied).reason(words("It is not done."));
                    asks.push(Ask::Feedback(again.request(request)));
                }
                (StateKind::Resolved | StateKind::Rejected, 6) => {
                    asks.push(Ask::Feedback(feedback(number, post, Verdict::Satisfied)));
                }
                (StateKind::Asked, _) => asks.push(Ask::Act(
                    Act::by_citizen(number, author(post), Action::CitizenAnswers).statement(words("In lane 4.")),
                )),
                (_, 0) => asks.push(Ask::Act(forward(number, DESKS[round as usize % 6]).request(request))),
                (_, 1) => asks.push(Ask::Act(by_holder(Action::Return).statement(words("Not ours.")))),
                (_, 2) => asks.push(Ask::Act(
                    by_holder(Action::Park { until, why: ParkReason::WorkPlanned }).statement(words("Next month.")),
                )),
                (_, 3) => asks.push(Ask::Act(by_holder(Action::AskCitizen { until }).statement(words("Which lane?")))),
                (_, 4) => asks.push(Ask::Act(by_holder(Action::ChangeCategory("power".parse().unwrap())))),
                (_, 5) => asks.push(Ask::Act(withdraw(number, post))),
                (_, 6) => asks.push(Ask::Act(by_holder(Action::Assist(desk(POWER))).statement(words("A pole.")))),
                _ => asks.push(Ask::Act(
                    by_holder(Action::Resolve(Outcome::Fixed)).statement(words("Done.")).request(request),
                )),
            }
        }
        match round {
            3 => asks.insert(4, Ask::Rules(true)),
            5 => asks.insert(9, Ask::Roster(true)),
            7 => asks.insert(2, Ask::Rules(false)),
            9 => asks.insert(6, Ask::Roster(false)),
            _ => {}
        }
        asks.push(Ask::Time(30 * (round as i64 + 1) + if round % 3 == 2 { 100 } else { 0 }));
        for ask in asks {
            answers.push(answered(&engine, &clock, ask.clone()).await);
            asked.push(ask);
        }
    }
    audit(&engine, store).await;
    (asked, answers)
}

#[test]
fn the_same_inputs_in_the_same_order_give_the_same_journal() {
    within(async {
        let store = MemoryStore::new();
        let (asked, answers) = first_run(&store).await;
        let first = written(&store);
        let seen = |words: &str| assert!(first.iter().any(|entry| entry.contains(words)), "the story has no {words}");
        for event in ["escalated", "forwarded", "reopened", "resumed", "category_changed", "closed", "handed_over"] {
            seen(&format!("\"event\":\"{event}\""));
        }
        seen("silence");
        seen("follow_up");

        // Again, one by one.
        let (store, clock) = (MemoryStore::new(), clock());
        let engine = builder(store.clone(), &clock).start().unwrap();
        for (ask, answer) in asked.into_iter().zip(answers) {
            assert_eq!(answered(&engine, &clock, ask).await, answer);
        }
        audit(&engine, &store).await;
        same(&written(&store), &first);
    });
}

/// The same, but nobody waits for an answer before asking the next, except where the clock is set.
#[test]
fn how_fast_the_inputs_come_makes_no_difference() {
    within(async {
        let store = MemoryStore::new();
        let (asked, answers) = first_run(&store).await;
        let first = written(&store);
        for batch in [1, 4_096] {
            let (store, clock) = (MemoryStore::new(), clock());
            let mut limits = Limits::default();
            limits.batch = batch;
            let engine = builder(store.clone(), &clock).limits(limits).start().unwrap();
            let mut under_way = Vec::new();
            for (ask, answer) in asked.iter().cloned().zip(&answers) {
                if matches!(ask, Ask::Time(_)) {
                    for (call, answer) in std::mem::take(&mut under_way) {
                        let call: Begun<'_, String> = call;
                        assert_eq!(call.await, answer);
                    }
                    answered(&engine, &clock, ask).await;
                } else {
                    under_way.push((begun(answered(&engine, &clock, ask)), answer.clone()));
                }
            }
            audit(&engine, &store).await;
            same(&written(&store), &first);
        }
    });
}

fn same(second: &[String], first: &[String]) {
    for (n, (second, first)) in second.iter().zip(first).enumerate() {
        assert_eq!(second, first, "entry {n}");
    }
    assert_eq!(second.len(), first.len());
}

#[test]
fn each_grievance_is_before_or_after_a_change_of_rules_and_never_between() {
    within(async {
        let store = MemoryStore::new();
        let engine = start(&store);
        let before: Vec<_> = (0..50).map(|post| begun(engine.submit(grievance(post, POWER)))).collect();
        let mut change = begun(engine.reload_rules(other_rules(), Some(officer("cms"))));
        let after: Vec<_> = (50..100).map(|post| begun(engine.submit(grievance(post, POWER)))).collect();
        for submit in before {
            let ticket = ticket(&engine, submit.await.unwrap().ticket).await;
            assert_eq!((ticket.desk(), ticket.routing().unwrap().table), (Some(&desk(POWER)), rules().version()));
        }
        for submit in after {
            let ticket = ticket(&engine, submit.await.unwrap().ticket).await;
            assert_eq!((ticket.desk(), ticket.routing().unwrap().table), (Some(&desk(PHE)), other_rules().version()));
        }
        change.as_mut().await.unwrap();
        let mut in_force = None;
        for entry in journal(&store) {
            match entry {
                Entry::Rules(changed) => in_force = Some(changed.table),
                Entry::Ticket(entry) => assert_eq!(Some(entry.table), in_force, "the table of {}", entry.ticket),
                _ => {}
            }
        }
        audit(&engine, &store).await;
    });
}

#[test]
fn dates_pass_in_the_order_of_the_door_too() {
    within(async {
        let (store, clock) = (MemoryStore::new(), clock());
        let engine = builder(store.clone(), &clock).start().unwrap();
        let waiting = submitted(&engine, 1, HISAR).await;
        let due = waiting.state().next_date().unwrap();
        clock.set(due - SignedDuration::from_secs(1));
        engine.tick().await;
        assert_eq!(ticket(&engine, waiting.id()).await, waiting);

        clock.set(due);
        // Whoever acts before the tick is in time.
        let acted = begun(engine.act(acknowledge(&waiting)));
        let passed = begun(engine.tick());
        let late = begun(engine.act(acknowledge(&waiting).expecting(Version(1))));
        assert_eq!(acted.await.unwrap().version, Version(2));
        passed.await;
        assert!(late.await.is_err());
        let history = engine.history(waiting.id()).await.unwrap();
        assert_eq!(history[1].events, [TicketEvent::Acknowledged]);
        assert!(matches!(history[2].events[0], TicketEvent::Escalated { .. }));
        assert_eq!(history.len(), 3);
        audit(&engine, &store).await;
    });
}
