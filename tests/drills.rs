//! A panic loses nothing: fire drills for desks, dispatcher and satisfaction actor, alone and under load.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use nivaran::engine::{ActorName, Failure, Health, Mishap, Mode, Step};
use nivaran::ticket::{StateKind, TicketEvent, TriageReason, Version};
use nivaran::{Act, ActError, Action, Engine, MemoryStore, Standing, SubmitError, Ticket, TicketId, Verdict};
use support::*;

/// An engine in which things go wrong as planned.
fn drilled(store: &MemoryStore) -> (Engine, Pranks) {
    let pranks = Pranks::default();
    (builder(store.clone(), &clock()).drill(pranks.clone()).start().unwrap(), pranks)
}

fn hisar() -> ActorName {
    desk_actor(HISAR)
}

/// Whether the ticket is with the control desk because the engine met a fault on it.
fn is_in_triage_for_a_fault(store: &MemoryStore, ticket: &Ticket) -> bool {
    let about_fault = |event: &TicketEvent| matches!(event, TicketEvent::SentToTriage { why: TriageReason::Fault, .. });
    let entries = ticket_entries(store);
    let mut events = entries.iter().filter(|entry| entry.ticket == ticket.id()).flat_map(|entry| &entry.events);
    ticket.desk() == Some(&desk(CONTROL)) && ticket.state().kind() == StateKind::Triage && events.any(about_fault)
}

fn assert_fault(health: &Health, actor: &ActorName, ticket: Option<TicketId>) {
    let fault = health.last_fault.as_ref().expect("the fault is on record");
    assert_eq!((&fault.actor, fault.ticket, fault.message.as_str()), (actor, ticket, "a drill"));
    assert_eq!(health.mode, Mode::Serving);
}

// ---- desks ---------------------------------------------------------------------------------------------------------

#[test]
fn a_desk_that_panics_once_tries_again_and_nobody_notices() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        let marked = submitted(&engine, 1, HISAR).await;
        pranks.panic(&hisar(), 1);
        let second = submitted(&engine, 2, HISAR).await;
        assert_eq!(second.desk(), Some(&desk(HISAR)));
        assert_fault(&engine.health(), &hisar(), Some(second.id()));
        pranks.panic(&hisar(), 1);
        assert_eq!(engine.act(acknowledge(&marked)).await.unwrap().version, Version(2));
        pranks.panic(&hisar(), 1);
        engine.act(forward(second.id(), ROHTAK)).await.unwrap();
        assert_eq!(ticket(&engine, second.id()).await.desk(), Some(&desk(ROHTAK)));
        let health = engine.health();
        assert_eq!((panics(&health, &hisar()), rebuilt(&health, &hisar())), (3, 3));
        audit(&engine, &store).await;
    });
}

#[test]
fn a_grievance_on_which_a_desk_panics_twice_goes_to_the_control_desk() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        pranks.panic(&hisar(), 2);
        let receipt = engine.submit(grievance(1, HISAR)).await.unwrap();
        let culprit = ticket(&engine, receipt.ticket).await;
        assert!(is_in_triage_for_a_fault(&store, &culprit), "{culprit:?}");
        let health = engine.health();
        assert_eq!(panics(&health, &hisar()), 2);
        assert!(rebuilt(&health, &hisar()) >= 1);
        assert_fault(&health, &hisar(), Some(culprit.id()));

        // The desk goes on working, and the control desk can send the culprit back.
        assert_eq!(submitted(&engine, 2, HISAR).await.desk(), Some(&desk(HISAR)));
        engine.act(forward(culprit.id(), HISAR)).await.unwrap();
        assert_eq!(ticket(&engine, culprit.id()).await.desk(), Some(&desk(HISAR)));
        assert_eq!(engine.submit(grievance(1, HISAR)).await.unwrap().standing, Standing::AlreadyDone);
        audit(&engine, &store).await;
    });
}

#[test]
fn an_act_on_which_a_desk_panics_twice_gets_internal_and_changes_nothing() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        let marked = submitted(&engine, 1, HISAR).await;
        let internal = Err(ActError::Failed(Failure::Internal));
        for act in [acknowledge(&marked), forward(marked.id(), ROHTAK), withdraw(marked.id(), 1)] {
            let act = act.request(request(1));
            pranks.panic(&hisar(), 2);
            assert_eq!(engine.act(act).await, internal);
            assert_eq!(ticket(&engine, marked.id()).await, marked);
            audit(&engine, &store).await;
        }
        // Nothing stands against it once the fault is gone.
        engine.act(acknowledge(&marked).request(request(1))).await.unwrap();
        assert_eq!(panics(&engine.health(), &hisar()), 6);
    });
}

#[test]
fn a_forward_on_which_the_next_desk_panics_twice_goes_to_the_control_desk() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        let marked = submitted(&engine, 1, ROHTAK).await;
        pranks.panic(&hisar(), 2);
        engine.act(forward(marked.id(), HISAR).request(request(1))).await.unwrap();
        let culprit = ticket(&engine, marked.id()).await;
        assert!(is_in_triage_for_a_fault(&store, &culprit), "{culprit:?}");
        assert_eq!(culprit.version(), Version(2));
        let again = engine.act(forward(marked.id(), HISAR).request(request(1))).await.unwrap();
        assert_eq!((again.version, again.standing), (Version(2), Standing::AlreadyDone));
        audit(&engine, &store).await;
    });
}

#[test]
fn a_grievance_gets_to_the_control_desk_although_that_desk_is_busy_or_failing() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        let pranks = Pranks::default();
        let engine = builder(store, &clock()).drill(pranks.clone()).start().unwrap();
        engine.tick().await;
        let culprit = id(2);
        pranks.panic_on(&hisar(), culprit, 2);
        // While the disk is busy the desk cannot try again, and the control desk is at something else.
        director.shut();
        let at_the_disk = begun(engine.submit(grievance(1, POWER)));
        director.waiting_batch();
        let latch = pranks.hold_after(&desk_actor(CONTROL), 4);
        let submit = begun(engine.submit(grievance(2, HISAR)));
        let others: Vec<_> = (10..15).map(|post| begun(engine.submit(grievance(post, CONTROL)))).collect();
        latch.held();
        pranks.panic(&desk_actor(CONTROL), 2);
        latch.let_go();
        director.open();
        at_the_disk.await.unwrap();
        assert_eq!(submit.await.unwrap().ticket, culprit);
        for other in others {
            drop(other.await);
        }
        let ticket = ticket(&engine, culprit).await;
        assert_eq!(ticket.desk().map(ToString::to_string).as_deref(), Some(CONTROL));
        assert_eq!(ticket.state().kind(), StateKind::Triage);
        audit(&engine, &memory).await;
        all_room_is_back(&engine);
    });
}

#[test]
fn acts_that_follow_a_grievance_to_the_control_desk_find_it_there() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        pranks.panic(&hisar(), 2);
        let latch = pranks.hold(&hisar());
        let submit = begun(engine.submit(grievance(1, HISAR)));
        latch.held();
        // They come before anyone knows that the desk will fail on it.
        let category = Action::ChangeCategory("cattle".parse().unwrap());
        let change = begun(engine.act(Act::by_officer(id(1), officer("cms"), category)));
        let stay = begun(engine.act(Act::by_citizen(id(1), author(1), Action::Withdraw)));
        latch.let_go();
        assert_eq!(submit.await.unwrap().version, Version(1));
        assert_eq!(change.await.unwrap().version, Version(2));
        assert_eq!(stay.await.unwrap().version, Version(3));
        audit(&engine, &store).await;
    });
}

#[test]
fn a_ticket_that_left_the_control_desk_again_is_found_where_it_is() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        let marked = submitted(&engine, 1, ROHTAK).await;
        pranks.panic_on(&hisar(), marked.id(), 2);
        let latch = pranks.hold(&hisar());
        let forwarded = begun(engine.act(forward(marked.id(), HISAR)));
        latch.held();
        // Before the desk has failed on it, it is sent on again.
        let sent_on = begun(engine.act(forward(marked.id(), POWER)));
        latch.let_go();
        forwarded.await.unwrap();
        sent_on.await.unwrap();
        let there = ticket(&engine, marked.id()).await;
        assert_eq!(there.desk(), Some(&desk(POWER)));
        at_its_desk(&engine, &there).await;
        engine.act(acknowledge(&there)).await.unwrap();
        audit(&engine, &store).await;
    });
}

#[test]
fn a_ticket_closed_just_before_its_desk_panics_can_still_be_reopened() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        let pranks = Pranks::default();
        let engine = builder(store, &clock()).drill(pranks.clone()).start().unwrap();
        let marked = submitted(&engine, 1, HISAR).await;
        pranks.panic_after(&hisar(), 1, 1);
        director.shut();
        let withdrawn = begun(engine.act(withdraw(marked.id(), 1)));
        let second = begun(engine.submit(grievance(2, HISAR)));
        director.waiting_batch();
        director.open();
        withdrawn.await.unwrap();
        second.await.unwrap();
        engine.tick().await;
        assert_eq!(panics(&engine.health(), &hisar()), 1);
        audit(&engine, &memory).await;
        let reopened = engine.feedback(feedback(marked.id(), 1, Verdict::NotSatisfied)).await.unwrap();
        assert_eq!((reopened.ticket, reopened.version), (marked.id(), Version(3)));
        audit(&engine, &memory).await;
    });
}

#[test]
fn silence_still_closes_a_ticket_that_was_answered_just_before_its_desk_panicked() {
    within(async {
        let (store, clock, pranks) = (MemoryStore::new(), clock(), Pranks::default());
        let engine = builder(store.clone(), &clock).drill(pranks.clone()).start().unwrap();
        let marked = submitted(&engine, 1, HISAR).await;
        // The desk gets three jobs at once and panics on the third.
        let latch = pranks.hold(&hisar());
        let first = begun(engine.act(acknowledge(&marked)));
        latch.held();
        pranks.panic_after(&hisar(), 2, 1);
        let answered = begun(engine.act(resolve(&marked)));
        let last = begun(engine.submit(grievance(2, HISAR)));
        latch.let_go();
        first.await.unwrap();
        answered.await.unwrap();
        last.await.unwrap();
        assert_eq!(panics(&engine.health(), &hisar()), 1);
        let silence = ticket(&engine, marked.id()).await.state().next_date().unwrap();
        clock.set(silence);
        engine.tick().await;
        assert_eq!(ticket(&engine, marked.id()).await.state().kind(), StateKind::Closed);
        audit(&engine, &store).await;
    });
}

#[test]
fn a_ticket_that_was_on_its_way_to_another_desk_does_not_come_back_by_a_panic() {
    within(async {
        for (left, to) in [(HISAR, ROHTAK), (ROHTAK, HISAR)] {
            let memory = MemoryStore::new();
            let (store, director) = staged(&memory);
            let pranks = Pranks::default();
            let engine = builder(store, &clock()).drill(pranks.clone()).start().unwrap();
            let marked = submitted(&engine, 1, left).await;
            director.shut();
            // The forward is not written when the desk that the ticket left begins again from what is.
            let latch = pranks.hold(&ActorName::Dispatcher);
            let forwarded = begun(engine.act(forward(marked.id(), to)));
            latch.held();
            pranks.panic_after(&desk_actor(left), 1, 1);
            let culprit = begun(engine.submit(grievance(3, left)));
            latch.let_go();
            director.waiting_batch();
            until("the desk panicked", || panics(&engine.health(), &desk_actor(left)) == 1);
            // It may as well wait until everything is written.
            let patience = std::time::Instant::now() + Duration::from_millis(200);
            while rebuilt(&engine.health(), &desk_actor(left)) == 0 && std::time::Instant::now() < patience {
                std::thread::yield_now();
            }
            director.open();
            forwarded.await.unwrap();
            culprit.await.unwrap();
            audit(&engine, &memory).await;
            assert_eq!(ticket(&engine, marked.id()).await.desk(), Some(&desk(to)));

            // The desk that it left hands over all that it has: the ticket is not among it.
            engine.reload_roster(roster_without(left.trim_start_matches("district:")), None).await.unwrap();
            let moved = ticket(&engine, marked.id()).await;
            assert_eq!(
                (moved.desk(), moved.version(), engine.health().mode),
                (Some(&desk(to)), Version(2), Mode::Serving)
            );
            audit(&engine, &memory).await;
        }
    });
}

#[test]
fn a_date_on_which_a_desk_panics_again_and_again_holds_nobody_up() {
    within(async {
        let (store, clock, pranks) = (MemoryStore::new(), clock(), Pranks::default());
        let engine = builder(store.clone(), &clock).drill(pranks.clone()).start().unwrap();
        let cursed = submitted(&engine, 1, HISAR).await;
        let other = submitted(&engine, 2, HISAR).await;
        pranks.panic_on(&hisar(), cursed.id(), 1_000);
        clock.set(at(24 * 4));
        let mut passed = begun(engine.tick());
        tokio::time::timeout(GUARD / 3, &mut passed).await.expect("the tick never comes to an end");
        assert!(ticket(&engine, other.id()).await.escalations() > 0, "the other's date passed");
        assert_eq!(ticket(&engine, cursed.id()).await, cursed);
        let panics = panics(&engine.health(), &hisar());
        assert!((2..=4).contains(&panics), "it panicked {panics} times on one date");
        submitted(&engine, 3, HISAR).await;
    });
}

#[test]
fn dates_pass_although_a_desk_panics_on_the_way() {
    within(async {
        let (store, clock, pranks) = (MemoryStore::new(), clock(), Pranks::default());
        let engine = builder(store.clone(), &clock).drill(pranks.clone()).start().unwrap();
        for post in 0..40 {
            submitted(&engine, post, HISAR).await;
        }
        pranks.panic_after(&hisar(), 7, 1);
        pranks.panic_after(&hisar(), 9, 2);
        pranks.panic_after(&ActorName::Dispatcher, 3, 1);
        clock.set(at(24 * 4));
        engine.tick().await;
        for number in 1..=40 {
            assert!(ticket(&engine, id(number)).await.escalations() > 0, "the date of {number} was lost");
        }
        assert_eq!(panics(&engine.health(), &hisar()), 3);
        audit(&engine, &store).await;
    });
}

// ---- death ---------------------------------------------------------------------------------------------------------

/// Told the truth: what was acknowledged is there once, what was refused is not there.
fn truth(store: &MemoryStore, post: u64, answer: &Result<nivaran::Receipt, SubmitError>) {
    match answer {
        Ok(receipt) => {
            assert_eq!(journaled(store, post), Some(receipt.ticket), "post {post} was acknowledged");
            assert_eq!(times_received(store, post), 1);
        }
        Err(SubmitError::Failed(Failure::Unknown { .. })) => assert!(times_received(store, post) <= 1),
        Err(error) => assert_eq!(times_received(store, post), 0, "post {post} was refused: {error}"),
    }
}

#[test]
fn a_desk_that_dies_is_replaced_and_nothing_acknowledged_is_lost() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        for post in 1_000..1_010 {
            submitted(&engine, post, HISAR).await;
        }
        let mut refused = 0;
        for round in 0..5 {
            pranks.death_after(&hisar(), 10);
            let posts = round * 100..round * 100 + 100;
            let calls: Vec<_> = posts.clone().map(|post| begun(engine.submit(any_grievance(post)))).collect();
            for (post, call) in posts.zip(calls) {
                let answer = call.await;
                truth(&store, post, &answer);
                if answer.is_err() {
                    refused += 1;
                    // It may be sent again, as often as it takes.
                    let mut again = engine.submit(any_grievance(post)).await;
                    while again.is_err() {
                        again = engine.submit(any_grievance(post)).await;
                    }
                    truth(&store, post, &again);
                }
            }
        }
        assert!(refused > 0, "a death that nobody noticed");
        assert_eq!(folded(&store).len(), 510);
        let health = engine.health();
        assert!(rebuilt(&health, &hisar()) >= 5, "{:?}", health.rebuilt);
        assert_eq!(health.mode, Mode::Serving);
        audit(&engine, &store).await;
        all_room_is_back(&engine);
    });
}

#[test]
fn a_stream_of_submits_goes_on_over_a_death_and_each_receipt_is_its_own_grievances() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        pranks.death_after(&hisar(), 20);
        let receipts = engine.submit_all(stream::iter(0..300).map(any_grievance)).collect::<Vec<_>>();
        let receipts = tokio::time::timeout(GUARD / 3, receipts).await.expect("a receipt of the stream never comes");
        assert_eq!(receipts.len(), 300);
        assert!(receipts.iter().any(Result::is_err), "a death that nobody noticed");
        for (post, receipt) in (0..).zip(&receipts) {
            truth(&store, post, receipt);
        }
        let again: Vec<_> = engine.submit_all(stream::iter(0..300).map(any_grievance)).collect().await;
        for (post, receipt) in (0..).zip(&again) {
            assert!(receipt.is_ok(), "post {post}: {receipt:?}");
            truth(&store, post, receipt);
        }
        audit(&engine, &store).await;
        all_room_is_back(&engine);
    });
}

#[test]
fn after_the_control_desk_died_it_still_gets_what_others_fail_on() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        pranks.death_after(&desk_actor(CONTROL), 0);
        assert!(engine.submit(grievance(1, CONTROL)).await.is_err());
        let mut again = engine.submit(grievance(1, CONTROL)).await;
        while again.is_err() {
            again = engine.submit(grievance(1, CONTROL)).await;
        }
        pranks.panic(&hisar(), 2);
        let receipt = engine.submit(grievance(2, HISAR)).await.unwrap();
        let culprit = ticket(&engine, receipt.ticket).await;
        assert!(is_in_triage_for_a_fault(&store, &culprit), "{culprit:?}");
        audit(&engine, &store).await;
    });
}

#[test]
fn an_act_whose_desk_dies_gets_an_error_and_can_be_sent_again() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        let marked = submitted(&engine, 1, HISAR).await;
        let answered = resolved(&engine, 2, HISAR).await;
        for (n, act) in [(1, acknowledge(&marked)), (2, forward(marked.id(), ROHTAK))] {
            pranks.death_after(&hisar(), 0);
            let act = act.request(request(n));
            assert!(matches!(engine.act(act.clone()).await, Err(ActError::Failed(_))));
            while engine.act(act.clone()).await.is_err() {}
        }
        pranks.death_after(&hisar(), 0);
        let satisfied = feedback(answered.id(), 2, Verdict::Satisfied);
        assert!(matches!(engine.feedback(satisfied.clone()).await, Err(ActError::Failed(_))));
        while matches!(engine.feedback(satisfied.clone()).await, Err(ActError::Failed(_))) {}
        assert_eq!(ticket(&engine, marked.id()).await.version(), Version(3));
        assert_eq!(ticket(&engine, answered.id()).await.state().kind(), StateKind::Closed);
        assert!(rebuilt(&engine.health(), &hisar()) >= 3);
        audit(&engine, &store).await;
    });
}

#[test]
fn a_tick_right_behind_a_death_comes_to_an_end() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        let latch = pranks.hold(&hisar());
        pranks.death_after(&hisar(), 0);
        let submit = begun(engine.submit(grievance(1, HISAR)));
        latch.held();
        let mut ticked = begun(engine.tick());
        latch.let_go();
        assert!(submit.await.is_err());
        tokio::time::timeout(GUARD / 3, &mut ticked).await.expect("the tick waits for good");
        while engine.submit(grievance(1, HISAR)).await.is_err() {}
        audit(&engine, &store).await;
    });
}

#[test]
fn a_dispatcher_that_panics_right_behind_a_death_comes_back() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        let latch = pranks.hold(&hisar());
        pranks.death_after(&hisar(), 0);
        let submit = begun(engine.submit(grievance(1, HISAR)));
        latch.held();
        pranks.panic(&ActorName::Dispatcher, 1);
        let mut second = begun(engine.submit(grievance(2, POWER)));
        latch.let_go();
        assert!(submit.await.is_err());
        let answer = tokio::time::timeout(GUARD / 3, &mut second).await.expect("the dispatcher waits for good");
        truth(&store, 2, &answer);
        while engine.submit(grievance(1, HISAR)).await.is_err() {}
        audit(&engine, &store).await;
    });
}

#[test]
fn a_reload_right_behind_a_death_comes_to_an_end() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        let latch = pranks.hold(&hisar());
        pranks.death_after(&hisar(), 0);
        let submit = begun(engine.submit(grievance(1, HISAR)));
        latch.held();
        let mut reloaded = begun(engine.reload_roster(roster_without("rohtak"), None));
        latch.let_go();
        assert!(submit.await.is_err());
        let answer = tokio::time::timeout(GUARD / 3, &mut reloaded).await.expect("the reload waits for good");
        let in_force = if answer.is_ok() { roster_without("rohtak") } else { roster() };
        assert_eq!(engine.roster().version(), in_force.version(), "{answer:?}");
        while engine.submit(grievance(1, HISAR)).await.is_err() {}
        audit(&engine, &store).await;
    });
}

#[test]
fn a_death_while_the_engine_stops_does_not_keep_it_from_stopping() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        submitted(&engine, 0, HISAR).await;
        let latch = pranks.hold(&hisar());
        pranks.death_after(&hisar(), 0);
        let submits: Vec<_> = (1..20).map(|post| begun(engine.submit(any_grievance(post)))).collect();
        latch.held();
        let mut stopping = begun(engine.shutdown());
        latch.let_go();
        tokio::time::timeout(GUARD / 3, &mut stopping).await.expect("the engine never stops");
        for (post, submit) in (1..).zip(submits) {
            truth(&store, post, &submit.await);
        }
        let engine = start(&store);
        audit(&engine, &store).await;
    });
}

// ---- dispatcher ----------------------------------------------------------------------------------------------------

#[test]
fn a_dispatcher_that_panics_once_tries_again_and_nobody_notices() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        let marked = submitted(&engine, 1, HISAR).await;
        let answered = resolved(&engine, 2, POWER).await;
        pranks.panic(&ActorName::Dispatcher, 1);
        submitted(&engine, 3, HISAR).await;
        assert_fault(&engine.health(), &ActorName::Dispatcher, None);
        pranks.panic(&ActorName::Dispatcher, 1);
        engine.act(forward(marked.id(), ROHTAK)).await.unwrap();
        pranks.panic(&ActorName::Dispatcher, 1);
        engine.feedback(feedback(answered.id(), 2, Verdict::NotSatisfied)).await.unwrap();
        let health = engine.health();
        assert_eq!((panics(&health, &ActorName::Dispatcher), rebuilt(&health, &ActorName::Dispatcher)), (3, 3));
        audit(&engine, &store).await;
    });
}

#[test]
fn a_grievance_on_which_the_dispatcher_panics_twice_goes_to_the_control_desk() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        submitted(&engine, 1, HISAR).await;
        pranks.panic(&ActorName::Dispatcher, 2);
        let receipt = engine.submit(grievance(2, HISAR)).await.expect("it goes to the control desk");
        let culprit = ticket(&engine, receipt.ticket).await;
        assert!(is_in_triage_for_a_fault(&store, &culprit), "{culprit:?}");
        assert_eq!(panics(&engine.health(), &ActorName::Dispatcher), 2);
        assert_eq!(submitted(&engine, 3, HISAR).await.desk(), Some(&desk(HISAR)));
        audit(&engine, &store).await;
    });
}

#[test]
fn the_same_post_again_is_no_second_ticket_although_the_dispatcher_panics_twice_on_it() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        let first = submitted(&engine, 1, HISAR).await;
        pranks.panic(&ActorName::Dispatcher, 2);
        match engine.submit(grievance(1, HISAR)).await {
            Ok(again) => assert_eq!((again.ticket, again.standing), (first.id(), Standing::AlreadyDone)),
            Err(error) => assert_eq!(error, SubmitError::Failed(Failure::Internal)),
        }
        assert_eq!(times_received(&store, 1), 1);
        audit(&engine, &store).await;
    });
}

#[test]
fn an_act_on_which_the_dispatcher_panics_twice_gets_internal_and_changes_nothing() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        let marked = submitted(&engine, 1, HISAR).await;
        let answered = resolved(&engine, 2, POWER).await;
        let internal = Err(ActError::Failed(Failure::Internal));
        pranks.panic(&ActorName::Dispatcher, 2);
        assert_eq!(engine.act(forward(marked.id(), ROHTAK)).await, internal);
        pranks.panic(&ActorName::Dispatcher, 2);
        assert_eq!(engine.feedback(feedback(answered.id(), 2, Verdict::Satisfied)).await, internal);
        assert_eq!(ticket(&engine, marked.id()).await, marked);
        assert_eq!(ticket(&engine, answered.id()).await, answered);
        audit(&engine, &store).await;
    });
}

// ---- satisfaction --------------------------------------------------------------------------------------------------

#[test]
fn feedback_counts_although_the_satisfaction_actor_panics_on_it_once() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        let answered = resolved(&engine, 1, HISAR).await;
        pranks.panic(&ActorName::Satisfaction, 1);
        engine.feedback(feedback(answered.id(), 1, Verdict::NotSatisfied)).await.unwrap();
        assert_eq!(ticket(&engine, answered.id()).await.remarks(), 1);
        let health = engine.health();
        assert_fault(&health, &ActorName::Satisfaction, Some(answered.id()));
        assert_eq!((panics(&health, &ActorName::Satisfaction), rebuilt(&health, &ActorName::Satisfaction)), (1, 1));
        audit(&engine, &store).await;
    });
}

#[test]
fn feedback_on_which_it_panics_twice_gets_internal_and_changes_nothing() {
    within(async {
        let store = MemoryStore::new();
        let (engine, pranks) = drilled(&store);
        let answered = resolved(&engine, 1, HISAR).await;
        pranks.panic(&ActorName::Satisfaction, 2);
        let said = feedback(answered.id(), 1, Verdict::Satisfied).request(request(1));
        assert_eq!(engine.feedback(said.clone()).await, Err(ActError::Failed(Failure::Internal)));
        assert_eq!(ticket(&engine, answered.id()).await, answered);
        engine.feedback(said).await.unwrap();
        assert_eq!(ticket(&engine, answered.id()).await.state().kind(), StateKind::Closed);
        audit(&engine, &store).await;
    });
}

#[test]
fn silence_still_closes_what_was_answered_but_not_written_when_the_satisfaction_actor_panicked() {
    within(async {
        let (memory, clock, pranks) = (MemoryStore::new(), clock(), Pranks::default());
        let (store, director) = staged(&memory);
        let engine = builder(store, &clock).drill(pranks.clone()).start().unwrap();
        let marked = submitted(&engine, 1, HISAR).await;
        let answered = resolved(&engine, 2, POWER).await;
        director.shut();
        let resolving = begun(engine.act(resolve(&marked)));
        director.waiting_batch();
        pranks.panic(&ActorName::Satisfaction, 1);
        let judged = begun(engine.feedback(feedback(answered.id(), 2, Verdict::Satisfied)));
        until("it panicked", || panics(&engine.health(), &ActorName::Satisfaction) == 1);
        director.open();
        resolving.await.unwrap();
        judged.await.unwrap();
        clock.set(ticket(&engine, marked.id()).await.state().next_date().unwrap());
        engine.tick().await;
        assert_eq!(ticket(&engine, marked.id()).await.state().kind(), StateKind::Closed);
        audit(&engine, &memory).await;
    });
}

// ---- under load ----------------------------------------------------------------------------------------------------

/// Hundreds of submits, acts and feedbacks from several tasks while `drill` is at work. Everybody is told the truth,
/// and in the end everything is in order.
async fn load(drill: impl Fn(&Step<'_>) -> Option<Mishap> + Send + Sync + 'static, calm: Arc<AtomicU64>) -> Health {
    const CALM: u64 = u64::MAX;
    let store = MemoryStore::new();
    let quiet = Arc::clone(&calm);
    let drill = move |step: &Step<'_>| if quiet.load(Ordering::Relaxed) == CALM { None } else { drill(step) };
    let engine = builder(store.clone(), &clock()).drill(drill).start().unwrap();
    let tasks: Vec<_> = (0..6_u64)
        .map(|task| {
            let engine = engine.clone();
            tokio::spawn(async move {
                let mut told = Vec::new();
                let mut acted = BTreeSet::new();
                for n in 0..60 {
                    let post = task * 1_000 + n;
                    let answer = engine.submit(any_grievance(post)).await;
                    if let Ok(receipt) = &answer {
                        let ticket = ticket(&engine, receipt.ticket).await;
                        let said = match n % 3 {
                            0 => engine.act(resolve(&ticket).request(request(n))).await,
                            1 => engine.act(forward(ticket.id(), BUSY[(n as usize + 1) % 5]).request(request(n))).await,
                            _ => engine.act(withdraw(ticket.id(), post).request(request(n))).await,
                        };
                        acted.insert((ticket.id(), n, said.is_ok()));
                        if n % 3 == 0 && said.is_ok() {
                            let verdict = if n % 2 == 0 { Verdict::Satisfied } else { Verdict::NotSatisfied };
                            let said = engine.feedback(feedback(ticket.id(), post, verdict).request(request(n + 500)));
                            acted.insert((ticket.id(), n + 500, said.await.is_ok()));
                        }
                    }
                    told.push((post, answer));
                }
                (told, acted)
            })
        })
        .collect();
    let mut acknowledged = 0;
    for task in tasks {
        let (told, acted) = task.await.unwrap();
        for (post, answer) in told {
            truth(&store, post, &answer);
            acknowledged += u64::from(answer.is_ok());
        }
        let entries = ticket_entries(&store);
        for (ticket, n, ok) in acted {
            let there = entries.iter().filter(|entry| entry.ticket == ticket && entry.request == Some(request(n)));
            assert_eq!(there.count(), usize::from(ok), "request {n} of {ticket}");
        }
    }
    assert!(acknowledged > 200, "only {acknowledged} of 360 were taken");
    calm.store(CALM, Ordering::Relaxed);
    audit(&engine, &store).await;
    all_room_is_back(&engine);
    for post in 9_000..9_020 {
        submitted(&engine, post, BUSY[post as usize % 5]).await;
    }
    let health = engine.health();
    assert_eq!(health.mode, Mode::Serving);
    engine.shutdown().await;
    let again = start(&store);
    audit(&again, &store).await;
    health
}

/// Every so many steps of those that are meant, something happens, so many times in a row.
fn now_and_then(
    every: u64,
    in_a_row: u64,
    mishap: Mishap,
    calm: &Arc<AtomicU64>,
    meant: impl Fn(&ActorName) -> bool + Send + Sync + 'static,
) -> impl Fn(&Step<'_>) -> Option<Mishap> + Send + Sync + 'static {
    let steps = Arc::clone(calm);
    move |step: &Step<'_>| {
        let count = || steps.fetch_add(1, Ordering::Relaxed) % every;
        (meant(step.actor) && count() >= every - in_a_row).then_some(mishap)
    }
}

#[test]
fn desks_that_panic_under_load_lose_nothing() {
    within(async {
        for in_a_row in [1, 2] {
            let calm = Arc::new(AtomicU64::new(0));
            let desks = |actor: &ActorName| matches!(actor, ActorName::Desk(_));
            let health = load(now_and_then(23, in_a_row, Mishap::Panic, &calm, desks), calm).await;
            let panics: u64 = health.panics.values().sum();
            assert!(panics >= 20, "{panics} panics");
            assert!(health.rebuilt.keys().all(|actor| matches!(actor, ActorName::Desk(_))));
        }
    });
}

#[test]
fn a_dispatcher_that_panics_under_load_loses_nothing() {
    within(async {
        for in_a_row in [1, 2] {
            let calm = Arc::new(AtomicU64::new(0));
            let dispatcher = |actor: &ActorName| *actor == ActorName::Dispatcher;
            let health = load(now_and_then(29, in_a_row, Mishap::Panic, &calm, dispatcher), calm).await;
            assert!(panics(&health, &ActorName::Dispatcher) >= 20);
            assert!(rebuilt(&health, &ActorName::Dispatcher) >= 10);
        }
    });
}

#[test]
fn a_satisfaction_actor_that_panics_under_load_loses_nothing() {
    within(async {
        for in_a_row in [1, 2] {
            let calm = Arc::new(AtomicU64::new(0));
            let satisfaction = |actor: &ActorName| *actor == ActorName::Satisfaction;
            let health = load(now_and_then(5, in_a_row, Mishap::Panic, &calm, satisfaction), calm).await;
            assert!(panics(&health, &ActorName::Satisfaction) >= 10);
        }
    });
}

#[test]
fn desks_that_die_under_load_lose_nothing_acknowledged() {
    within(async {
        let calm = Arc::new(AtomicU64::new(0));
        let desks = |actor: &ActorName| matches!(actor, ActorName::Desk(_));
        let health = load(now_and_then(97, 1, Mishap::Death, &calm, desks), calm).await;
        let rebuilt: u64 = health.rebuilt.values().sum();
        assert!(rebuilt >= 5, "{rebuilt} were rebuilt");
        assert!(health.panics.is_empty());
    });
}

#[test]
fn everything_that_goes_wrong_at_once_loses_nothing_acknowledged() {
    within(async {
        let calm = Arc::new(AtomicU64::new(0));
        let steps = Arc::clone(&calm);
        let drill = move |step: &Step<'_>| {
            let n = steps.fetch_add(1, Ordering::Relaxed);
            match (step.actor, n % 101) {
                (_, 7 | 40 | 41) => Some(Mishap::Panic),
                (ActorName::Desk(_), 77) => Some(Mishap::Death),
                _ => None,
            }
        };
        load(drill, calm).await;
    });
}

#[test]
fn nobody_outside_sees_anything_of_a_panic_before_it_is_durable() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        let pranks = Pranks::default();
        let engine = builder(store, &clock()).drill(pranks.clone()).start().unwrap();
        engine.tick().await;
        director.shut();
        pranks.panic(&hisar(), 2);
        let mut submit = begun(engine.submit(grievance(1, HISAR)));
        director.waiting_batch();
        assert!(waits(&mut submit));
        assert!(engine.health().open.is_empty());
        assert!(matches!(poll_once(pin!(engine.ticket_of(&source(1)))), Poll::Pending));
        director.open();
        submit.await.unwrap();
        audit(&engine, &memory).await;
    });
}
