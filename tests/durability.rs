//! Desks run ahead of the disk and nobody outside does; a dropped future cancels nothing; stop drains.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use futures_util::{StreamExt, stream};
use nivaran::engine::{Mode, ReadError, ReloadError};
use nivaran::journal::{Entry, Position};
use nivaran::ticket::{StateKind, TicketEvent, Version};
use nivaran::{Act, ActError, Action, Limits, MemoryStore, Page, Standing, SubmitError, TicketFilter, Verdict};
use support::*;

#[test]
fn desks_run_ahead_of_the_disk_and_nobody_outside_does() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        let engine = builder(store, &clock()).start().unwrap();
        engine.tick().await;
        let mut feed = pin!(engine.subscribe(Position(0)));
        for _ in 0..2 {
            assert!(!matches!(feed.next().await.unwrap().unwrap().entry, Entry::Ticket(_)));
        }
        let before = engine.health();

        director.shut();
        let mut submit = begun(engine.submit(grievance(1, HISAR)));
        // The desk has decided: its entry waits at the disk.
        let batch = director.waiting_batch();
        let entry = batch[0].entry.ticket().unwrap().clone();
        assert!(matches!(entry.events.last(), Some(TicketEvent::Marked { .. })));
        let number = entry.ticket;
        let TicketEvent::Marked { holder, .. } = entry.events.last().unwrap() else { unreachable!() };

        // The desk goes on with what is not written: an act is decided on the version that only it knows.
        let acknowledge = Act::by_officer(number, holder.officer.clone(), Action::Acknowledge);
        let mut act = begun(engine.act(acknowledge.expecting(Version(1))));
        let mut again = begun(engine.submit(grievance(1, HISAR)));

        // Nobody outside sees anything.
        let mut by_number = begun(engine.ticket(number));
        let source = source(1);
        let mut by_source = begun(engine.ticket_of(&source));
        let mut history = begun(engine.history(number));
        assert_eq!(engine.tickets(&TicketFilter::open(), Page::first(10)).await.unwrap(), []);
        let closed = TicketFilter::open().state(StateKind::Closed);
        let mut listing = begun(engine.tickets(&closed, Page::first(10)));
        let health = engine.health();
        assert_eq!((health.position, &health.open), (before.position, &before.open));
        assert!(poll_once(pin!(feed.next())).is_pending());
        assert!(waits(&mut submit) && waits(&mut again) && waits(&mut act));
        assert!(waits(&mut by_number) && waits(&mut by_source) && waits(&mut history) && waits(&mut listing));

        // The first batch is written; the act of the second is still nobody's to see.
        director.let_one_through();
        assert_eq!(submit.await.unwrap().version, Version(1));
        let batch = director.waiting_batch();
        assert_eq!(batch[0].entry.ticket().unwrap().events, [TicketEvent::Acknowledged]);
        assert_eq!(ticket(&engine, number).await.version(), Version(1));
        assert_eq!(ticket(&engine, number).await.state().kind(), StateKind::Marked);
        assert_eq!(feed.next().await.unwrap().unwrap().entry, Entry::Ticket(entry));
        assert!(poll_once(pin!(feed.next())).is_pending());
        assert!(waits(&mut act));

        director.open();
        assert_eq!(act.await.unwrap().version, Version(2));
        assert_eq!(again.await.unwrap().standing, Standing::AlreadyDone);
        assert_eq!(ticket(&engine, number).await.state().kind(), StateKind::InProgress);
        assert_eq!(feed.next().await.unwrap().unwrap().position, Position(3));
        // What was asked meanwhile is answered by what is written, no earlier.
        assert!(by_number.await.unwrap().is_some());
        assert!(by_source.await.unwrap().is_some());
        assert!(!history.await.unwrap().is_empty());
        assert_eq!(listing.await.unwrap(), []);
        audit(&engine, &memory).await;
    });
}

#[test]
fn an_act_is_answered_only_when_it_is_durable() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        let engine = builder(store, &clock()).start().unwrap();
        let marked = submitted(&engine, 1, HISAR).await;
        let answered = resolved(&engine, 2, POWER).await;

        director.shut();
        let mut forwarded = begun(engine.act(forward(marked.id(), ROHTAK)));
        director.waiting_batch();
        let mut satisfied = begun(engine.feedback(feedback(answered.id(), 2, Verdict::Satisfied)));
        let mut refused = begun(engine.act(acknowledge(&answered)));
        assert!(waits(&mut forwarded) && waits(&mut satisfied) && waits(&mut refused));
        assert_eq!(ticket(&engine, marked.id()).await, marked);
        assert_eq!(ticket(&engine, answered.id()).await, answered);

        director.let_one_through();
        forwarded.await.unwrap();
        director.waiting_batch();
        // A refusal, too, waits for what it was decided on.
        assert!(waits(&mut satisfied) && waits(&mut refused));
        assert_eq!(ticket(&engine, answered.id()).await, answered);
        director.open();
        satisfied.await.unwrap();
        assert!(matches!(refused.await, Err(ActError::Refused(_))));
        audit(&engine, &memory).await;
    });
}

#[test]
fn subscribers_get_every_entry_once_in_order_also_when_they_are_slow() {
    within(async {
        let memory = MemoryStore::new();
        let mut limits = Limits::default();
        (limits.subscriber_backlog, limits.batch) = (2, 1);
        let engine = builder(memory.clone(), &clock()).limits(limits).start().unwrap();
        let mut feed = pin!(engine.subscribe(Position(1)));
        assert!(feed.next().await.unwrap().is_ok());
        for post in 0..1_500 {
            drop(begun(engine.submit(any_grievance(post))));
        }
        engine.tick().await;
        let mut got = Vec::new();
        let mut lagged = 0;
        while got.len() < 1_500 {
            match feed.next().await.unwrap() {
                Ok(published) => got.push(published),
                Err(_) => lagged += 1,
            }
        }
        assert!(lagged > 0, "a backlog of two batches was never too small");
        let entries = journal(&memory);
        for (n, published) in got.iter().enumerate() {
            assert_eq!(published.position, Position(n as u64 + 2));
            assert_eq!(published.entry, entries[n + 2]);
        }
    });
}

#[test]
fn a_dropped_future_cancels_nothing() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        let engine = builder(store, &clock()).start().unwrap();
        let to_act = submitted(&engine, 1, HISAR).await;
        let to_forward = submitted(&engine, 2, HISAR).await;
        let to_judge = resolved(&engine, 3, HISAR).await;

        director.shut();
        drop(begun(engine.submit(grievance(4, POWER))));
        drop(begun(engine.act(acknowledge(&to_act).request(request(1)))));
        drop(begun(engine.act(forward(to_forward.id(), ROHTAK).request(request(2)))));
        drop(begun(engine.feedback(feedback(to_judge.id(), 3, Verdict::NotSatisfied).request(request(3)))));
        drop(begun(engine.reload_rules(other_rules(), None)));
        director.open();
        engine.tick().await;

        let submitted = engine.ticket_of(&source(4)).await.unwrap().expect("the submit was carried out");
        assert_eq!(ticket(&engine, to_act.id()).await.state().kind(), StateKind::InProgress);
        assert_eq!(ticket(&engine, to_forward.id()).await.desk(), Some(&desk(ROHTAK)));
        assert_eq!(ticket(&engine, to_judge.id()).await.remarks(), 1);
        assert_eq!(engine.rules().version(), other_rules().version());

        // Repeating it gives the answer.
        let repeated = engine.submit(grievance(4, POWER)).await.unwrap();
        assert_eq!((repeated.ticket, repeated.standing), (submitted.id(), Standing::AlreadyDone));
        let repeated = engine.act(acknowledge(&to_act).request(request(1))).await.unwrap();
        assert_eq!((repeated.version, repeated.standing), (Version(2), Standing::AlreadyDone));
        let repeated = engine.act(forward(to_forward.id(), ROHTAK).request(request(2))).await.unwrap();
        assert_eq!((repeated.version, repeated.standing), (Version(2), Standing::AlreadyDone));
        let repeated = feedback(to_judge.id(), 3, Verdict::NotSatisfied).request(request(3));
        let repeated = engine.feedback(repeated).await.unwrap();
        assert_eq!((repeated.version, repeated.standing), (Version(3), Standing::AlreadyDone));
        audit(&engine, &memory).await;
    });
}

#[test]
fn a_dropped_stream_of_receipts_cancels_nothing_that_was_accepted() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        let engine = builder(store, &clock()).start().unwrap();
        engine.tick().await;
        director.shut();
        let read = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&read);
        let posts = stream::iter(0..300).map(any_grievance).inspect(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        // The input goes on after these, but not at once.
        let mut receipts = Box::pin(engine.submit_all(posts.chain(stream::pending())));
        assert!(poll_once(pin!(receipts.next())).is_pending());
        drop(receipts);
        director.open();
        engine.tick().await;
        assert_eq!(read.load(Ordering::Relaxed), 300);
        for post in 0..300 {
            assert!(journaled(&memory, post).is_some(), "post {post} is lost");
        }
        audit(&engine, &memory).await;
    });
}

#[test]
fn what_was_not_accepted_yet_is_not_carried_out_when_it_is_dropped() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        let mut limits = Limits::default();
        limits.under_way = 1;
        let engine = builder(store, &clock()).limits(limits).start().unwrap();
        engine.tick().await;
        director.shut();
        let first = begun(engine.submit(grievance(1, HISAR)));
        drop(begun(engine.submit(grievance(2, HISAR))));
        let third = begun(engine.submit(grievance(3, HISAR)));
        director.open();
        assert_eq!(first.await.unwrap().ticket, id(1));
        // Whoever gave up waiting holds no room.
        assert_eq!(third.await.unwrap().ticket, id(2));
        assert_eq!(engine.ticket_of(&source(2)).await.unwrap(), None);
        all_room_is_back(&engine);
    });
}

#[test]
fn stop_drains() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        let engine = builder(store, &clock()).start().unwrap();
        let tickets = [submitted(&engine, 1_000, HISAR).await, submitted(&engine, 1_001, POWER).await];
        let answered = resolved(&engine, 1_002, ROHTAK).await;

        director.shut();
        let submits: Vec<_> = (0..400).map(|post| begun(engine.submit(any_grievance(post)))).collect();
        let acts: Vec<_> = tickets.iter().map(|ticket| begun(engine.act(forward(ticket.id(), ROHTAK)))).collect();
        let satisfied = begun(engine.feedback(feedback(answered.id(), 1_002, Verdict::Satisfied)));
        let mut many = Box::pin(engine.submit_all(stream::iter(500..700).map(any_grievance)));
        assert!(poll_once(pin!(many.next())).is_pending());
        let stopping = tokio::spawn({
            let engine = engine.clone();
            async move { engine.shutdown().await }
        });

        // The door is closed at once, and what comes is handed back.
        until("the door is closed", || {
            matches!(poll_once(pin!(engine.act(forward(id(99_999), HISAR)))), Poll::Ready(Err(ActError::Stopped)))
        });
        assert_eq!(given_back(engine.submit(grievance(2_001, HISAR)).await), grievance(2_001, HISAR));
        assert_eq!(given_back(engine.try_submit(grievance(2_002, HISAR)).await), grievance(2_002, HISAR));
        assert_eq!(engine.act(forward(tickets[0].id(), PHE)).await, Err(ActError::Stopped));
        let late = feedback(answered.id(), 1_002, Verdict::NotSatisfied);
        assert_eq!(engine.feedback(late).await, Err(ActError::Stopped));
        let late: Vec<_> = engine.submit_all(stream::iter([grievance(2_003, HISAR)])).collect().await;
        assert!(matches!(&late[..], [Err(SubmitError::Stopped(_))]));
        assert!(!stopping.is_finished(), "it stopped before what was accepted was written");

        director.open();
        stopping.await.unwrap();
        for (post, submit) in submits.into_iter().enumerate() {
            assert_eq!(journaled(&memory, post as u64), Some(submit.await.unwrap().ticket));
        }
        for (act, ticket) in acts.into_iter().zip(&tickets) {
            act.await.unwrap();
            assert_eq!(folded(&memory)[&ticket.id()].desk(), Some(&desk(ROHTAK)));
        }
        satisfied.await.unwrap();
        assert_eq!(in_state(&memory, StateKind::Closed), 1);
        let many: Vec<_> = many.collect().await;
        assert_eq!(many.len(), 200);
        for (post, receipt) in (500..).zip(many) {
            assert_eq!(journaled(&memory, post), Some(receipt.unwrap().ticket));
        }
        assert!((2_001..2_004).all(|post| journaled(&memory, post).is_none()));
        assert_eq!(engine.health().under_way, 0);
        assert!(matches!(engine.health().mode, Mode::Stopped { .. }));
    });
}

#[test]
fn whoever_waits_at_the_door_when_it_closes_gets_their_grievance_back() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        let mut limits = Limits::default();
        (limits.under_way, limits.share_of_a_desk) = (6, 2);
        let engine = builder(store, &clock()).limits(limits).start().unwrap();
        engine.tick().await;
        director.shut();
        // Some have room, some wait for a share of their desk, some for room at all.
        let submits: Vec<_> = (0..50).map(|post| begun(engine.submit(any_grievance(post)))).collect();
        let stopping = tokio::spawn({
            let engine = engine.clone();
            async move { engine.shutdown().await }
        });
        until("the door is closed", || {
            matches!(poll_once(pin!(engine.act(forward(id(99), HISAR)))), Poll::Ready(Err(ActError::Stopped)))
        });
        director.open();
        stopping.await.unwrap();
        let mut done = 0;
        for (post, submit) in (0..).zip(submits) {
            match submit.await {
                Ok(receipt) => {
                    assert_eq!(journaled(&memory, post), Some(receipt.ticket));
                    done += 1;
                }
                Err(SubmitError::Stopped(back)) => {
                    assert_eq!(*back, any_grievance(post));
                    assert_eq!(journaled(&memory, post), None);
                }
                Err(other) => panic!("post {post}: {other}"),
            }
        }
        assert!(done >= 6, "those who had room were served: {done}");
    });
}

#[test]
fn an_engine_that_stopped_says_so_and_still_shows_what_is_open() {
    within(async {
        let store = MemoryStore::new();
        let engine = start(&store);
        let open = submitted(&engine, 1, HISAR).await;
        let other = engine.clone();
        engine.shutdown().await;
        other.shutdown().await;
        engine.shutdown().await;

        assert_eq!(ticket(&engine, open.id()).await, open);
        assert_eq!(engine.history(open.id()).await, Err(ReadError::Stopped));
        assert_eq!(engine.ticket(id(77)).await, Err(ReadError::Stopped));
        assert_eq!(engine.reload_rules(other_rules(), None).await, Err(ReloadError::Stopped));
        assert_eq!(engine.reload_roster(roster_without("phe-se"), None).await, Err(ReloadError::Stopped));
        engine.tick().await;
        let import = nivaran::PendingTicket {
            old_number: nivaran::ticket::Reference::new("SMGT-1").unwrap(),
            received_at: at(-5),
            grievance: grievance(9, HISAR),
        };
        assert_eq!(engine.import(vec![import]).await, [Err(SubmitError::Stopped(Box::new(grievance(9, HISAR))))]);
        assert!(pin!(engine.subscribe(Position(0))).next().await.is_none());
    });
}

#[test]
fn a_subscription_ends_when_the_engine_stops() {
    within(async {
        let store = MemoryStore::new();
        let engine = start(&store);
        submitted(&engine, 1, HISAR).await;
        let mut feed = Box::pin(engine.subscribe(Position(0)));
        // It has begun before the engine stops.
        feed.next().await.unwrap().unwrap();
        let reader = tokio::spawn(feed.map(Result::unwrap).collect::<Vec<_>>());
        let stopping = begun(engine.submit(grievance(2, HISAR)));
        engine.shutdown().await;
        stopping.await.unwrap();
        // A handle is still there, but nothing will ever come of it.
        let read = tokio::time::timeout(GUARD / 3, reader).await.expect("the subscription waits for good").unwrap();
        assert_eq!(1 + read.len(), journal(&store).len());
        drop(engine);
    });
}

#[test]
fn dropping_the_last_handle_drains_as_well() {
    guarded(|| {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        let engine = builder(store, &clock()).start().unwrap();
        block_on(engine.tick());
        director.shut();
        for post in 0..300 {
            drop(begun(engine.submit(any_grievance(post))));
        }
        let other = engine.clone();
        drop(engine);
        // A handle is left, so the engine goes on.
        assert!(!matches!(other.health().mode, Mode::Stopped { .. }));
        drop(begun(other.submit(grievance(300, POWER))));
        director.open();
        drop(other);
        let posts: BTreeSet<u64> = (0..=300).filter(|&post| journaled(&memory, post).is_some()).collect();
        assert_eq!(posts.len(), 301);

        // The journal is free for the next engine.
        let engine = start(&memory);
        block_on(audit(&engine, &memory));
    });
}
