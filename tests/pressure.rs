//! Nothing grows without a bound, and a flooded desk holds nobody else up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use nivaran::engine::{Failure, StartError};
use nivaran::{ActError, Engine, Limits, ManualClock, MemoryStore, Standing, SubmitError};
use support::*;

fn limits(under_way: usize, share: usize) -> Limits {
    let mut limits = Limits::default();
    (limits.under_way, limits.share_of_a_desk) = (under_way, share);
    limits
}

/// An engine whose store waits.
async fn blocked(limits: Limits) -> (Engine, MemoryStore, Director) {
    let memory = MemoryStore::new();
    let (store, director) = staged(&memory);
    let engine = builder(store, &clock()).limits(limits).start().unwrap();
    engine.tick().await;
    director.shut();
    (engine, memory, director)
}

#[test]
fn without_room_try_submit_hands_the_grievance_back_and_submit_waits() {
    within(async {
        let (engine, store, director) = blocked(limits(8, 8)).await;
        let under_way: Vec<_> = (0..8).map(|post| begun(engine.try_submit(any_grievance(post)))).collect();
        assert_eq!(engine.health().under_way, 8);
        for post in 8..12 {
            assert_eq!(given_back(engine.try_submit(any_grievance(post)).await), any_grievance(post));
        }
        let mut waiting: Vec<_> = (20..40).map(|post| begun(engine.submit(any_grievance(post)))).collect();
        let mut act = begun(engine.act(forward(id(1), PHE)));
        assert!(waiting.iter_mut().all(waits) && waits(&mut act));
        assert_eq!(engine.health().under_way, 8);

        director.open();
        for submit in under_way {
            submit.await.unwrap();
        }
        for submit in waiting {
            assert_eq!(submit.await.unwrap().standing, Standing::Done);
        }
        act.await.unwrap();
        all_room_is_back(&engine);
        engine.try_submit(any_grievance(8)).await.unwrap();
        audit(&engine, &store).await;
    });
}

#[test]
fn a_flooded_desk_leaves_room_for_the_others() {
    within(async {
        let (engine, store, director) = blocked(limits(100, 10)).await;
        let flood: Vec<_> = (0..10).map(|post| begun(engine.try_submit(grievance(post, HISAR)))).collect();
        assert_eq!(given_back(engine.try_submit(grievance(10, HISAR)).await), grievance(10, HISAR));
        // Those who wait for the flooded desk hold no room of anybody else's.
        let mut waiting: Vec<_> = (11..400).map(|post| begun(engine.submit(grievance(post, HISAR)))).collect();
        assert_eq!(engine.health().under_way, 10);
        let mut others = Vec::new();
        for (n, to) in (500..).zip([ROHTAK, POWER, PHE, CONTROL].into_iter().cycle().take(40)) {
            let mut other = begun(engine.try_submit(grievance(n, to)));
            assert!(waits(&mut other), "{to} has no room");
            others.push(other);
        }
        assert_eq!(engine.health().under_way, 50);
        assert!(waiting.iter_mut().all(waits));
        director.open();
        for submit in others.into_iter().chain(flood).chain(waiting) {
            submit.await.unwrap();
        }
        all_room_is_back(&engine);
        audit(&engine, &store).await;
    });
}

#[test]
fn acts_on_a_flooded_desk_wait_and_those_on_others_do_not() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        let engine = builder(store, &clock()).limits(limits(100, 5)).start().unwrap();
        let (at_hisar, at_power) = (submitted(&engine, 1, HISAR).await, submitted(&engine, 2, POWER).await);
        all_room_is_back(&engine);
        director.shut();
        let flood: Vec<_> = (10..15).map(|post| begun(engine.submit(grievance(post, HISAR)))).collect();
        let mut late = begun(engine.act(acknowledge(&at_hisar)));
        let mut in_time = begun(engine.act(acknowledge(&at_power)));
        assert!(waits(&mut late) && waits(&mut in_time));
        assert_eq!(engine.health().under_way, 6);
        director.open();
        late.await.unwrap();
        in_time.await.unwrap();
        for submit in flood {
            submit.await.unwrap();
        }
        audit(&engine, &memory).await;
    });
}

#[test]
fn other_desks_are_served_while_one_is_flooded_from_many_tasks() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        // A slow disk: each batch takes a while, however small.
        director.plan(|_, _| {
            std::thread::sleep(Duration::from_millis(1));
            Fate::Write
        });
        let mut limits = limits(64, 16);
        limits.batch = 8;
        let engine = builder(store, &clock()).limits(limits).start().unwrap();
        let (stop, flooded) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let flood: Vec<_> = (0..32_u64)
            .map(|task| {
                let (engine, stop, flooded) = (engine.clone(), Arc::clone(&stop), Arc::clone(&flooded));
                tokio::spawn(async move {
                    let mut post = task * 100_000;
                    while !stop.load(Ordering::Relaxed) {
                        engine.submit(grievance(post, HISAR)).await.unwrap();
                        flooded.fetch_add(1, Ordering::Relaxed);
                        post += 1;
                    }
                })
            })
            .collect();
        until("the desk is flooded", || flooded.load(Ordering::Relaxed) > 50);
        let mut slowest = Duration::ZERO;
        for post in 0..30 {
            let begun = Instant::now();
            engine.submit(grievance(10_000_000 + post, POWER)).await.unwrap();
            slowest = slowest.max(begun.elapsed());
            assert!(engine.health().under_way <= 64);
        }
        let meanwhile = flooded.load(Ordering::Relaxed);
        stop.store(true, Ordering::Relaxed);
        for task in flood {
            task.await.unwrap();
        }
        assert!(meanwhile > 100, "the flood stood still: {meanwhile}");
        // At most the share of the flooded desk is ahead of it: two batches or three, a few milliseconds.
        assert!(slowest < Duration::from_secs(2), "a submit to an idle desk took {slowest:?}");
    });
}

#[test]
fn what_is_under_way_stays_within_its_bound_however_many_come() {
    within(async {
        let store = MemoryStore::new();
        let engine = builder(store.clone(), &clock()).limits(limits(16, 4)).start().unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let watcher = std::thread::spawn({
            let (engine, done) = (engine.clone(), Arc::clone(&done));
            move || {
                let mut most = 0;
                while !done.load(Ordering::Relaxed) {
                    most = most.max(engine.health().under_way);
                    std::thread::yield_now();
                }
                most
            }
        });
        let singles: Vec<_> = (0..20_u64)
            .map(|task| {
                let engine = engine.clone();
                tokio::spawn(async move {
                    for n in 0..20 {
                        engine.submit(any_grievance(task * 100 + n)).await.unwrap();
                    }
                })
            })
            .collect();
        let many = stream::iter(10_000..10_600).map(any_grievance);
        assert!(engine.submit_all(many).all(async |receipt| receipt.is_ok()).await);
        for task in singles {
            task.await.unwrap();
        }
        done.store(true, Ordering::Relaxed);
        let most = watcher.join().unwrap();
        assert!((1..=16).contains(&most), "{most} were under way");
        assert_eq!(folded(&store).len(), 1_000);
        audit(&engine, &store).await;
        all_room_is_back(&engine);
    });
}

#[test]
fn a_stream_takes_no_more_of_its_input_than_there_is_room_for_and_one_batch() {
    within(async {
        let (engine, store, director) = blocked(limits(10, 10)).await;
        let read = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&read);
        let posts = stream::iter(0..500).map(any_grievance).inspect(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let mut receipts = Box::pin(engine.submit_all(posts));
        for _ in 0..5 {
            assert!(poll_once(pin!(receipts.next())).is_pending());
        }
        // One batch more than there is room for: gathered, so that it goes off together.
        assert!(read.load(Ordering::Relaxed) <= 10 + 256, "{} were read", read.load(Ordering::Relaxed));
        assert_eq!(engine.health().under_way, 10);
        director.open();
        assert_eq!(receipts.filter(|receipt| std::future::ready(receipt.is_ok())).count().await, 500);
        audit(&engine, &store).await;
    });
}

#[test]
fn room_comes_back_whatever_became_of_what_had_it() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        let pranks = Pranks::default();
        let engine = builder(store, &clock()).limits(limits(4, 2)).drill(pranks.clone()).start().unwrap();
        let marked = submitted(&engine, 1, HISAR).await;
        for round in 0..10 {
            let post = 100 + round * 10;
            // Refused by the state, unknown, done before, given up by the caller, refused by the store, panicked on.
            assert!(engine.act(withdraw(marked.id(), 99)).await.is_err());
            assert!(engine.act(forward(id(9_999_999), PHE)).await.is_err());
            assert_eq!(engine.submit(grievance(1, HISAR)).await.unwrap().standing, Standing::AlreadyDone);
            drop(begun(engine.submit(grievance(post, POWER))));
            all_room_is_back(&engine);
            director.next(Fate::Refuse);
            assert!(engine.submit(grievance(post + 1, HISAR)).await.is_err());
            pranks.panic(&desk_actor(HISAR), 2);
            let internal = Err(ActError::Failed(Failure::Internal));
            until("it recovered", || engine.health().mode == nivaran::engine::Mode::Serving);
            assert_eq!(engine.act(acknowledge(&marked)).await, internal);
            all_room_is_back(&engine);
        }
        // All of it is there: four of two desks.
        director.shut();
        let full: Vec<_> = [HISAR, HISAR, POWER, POWER]
            .into_iter()
            .zip(1_000..)
            .map(|(to, post)| begun(engine.try_submit(grievance(post, to))))
            .collect();
        assert_eq!(engine.health().under_way, 4);
        director.open();
        for submit in full {
            submit.await.unwrap();
        }
        audit(&engine, &memory).await;
    });
}

#[test]
fn dates_that_come_by_the_thousand_let_submits_through() {
    within(async {
        let (store, clock) = (MemoryStore::new(), ManualClock::new(at(0)));
        let mut limits = Limits::default();
        limits.dates_at_a_time = 10;
        let engine = builder(store.clone(), &clock).limits(limits).start().unwrap();
        let posts = stream::iter(0..300).map(|post| grievance(post, HISAR));
        assert!(engine.submit_all(posts).all(async |receipt| receipt.is_ok()).await);
        clock.set(at(24 * 4));
        engine.tick().await;
        assert!(folded(&store).values().all(|ticket| ticket.escalations() == 1));
        audit(&engine, &store).await;
    });
}

#[test]
fn a_limit_of_nothing_or_of_too_much_is_refused_by_name() {
    let with = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        builder(MemoryStore::new(), &clock()).limits(limits).start().err()
    };
    type Change = fn(&mut Limits);
    let refused: [(&str, Change); 8] = [
        ("under_way", |limits| limits.under_way = 0),
        ("share_of_a_desk", |limits| limits.share_of_a_desk = 0),
        ("batch", |limits| limits.batch = 0),
        ("closed_in_memory", |limits| limits.closed_in_memory = 0),
        ("subscriber_backlog", |limits| limits.subscriber_backlog = usize::MAX),
        ("dates_at_a_time", |limits| limits.dates_at_a_time = 0),
        ("numbers_at_a_time", |limits| limits.numbers_at_a_time = u32::MAX),
        ("remembered_sources", |limits| limits.remembered_sources = 0),
    ];
    for (name, change) in refused {
        match with(change) {
            Some(StartError::Limit { limit, .. }) => assert_eq!(limit, name),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(with(|limits| limits.under_way = 1), None);
}

#[test]
fn overloaded_is_no_stop() {
    within(async {
        let (engine, _, director) = blocked(limits(1, 1)).await;
        let first = begun(engine.submit(grievance(1, HISAR)));
        assert!(matches!(engine.try_submit(grievance(2, HISAR)).await, Err(SubmitError::Overloaded(_))));
        director.open();
        first.await.unwrap();
        all_room_is_back(&engine);
        engine.try_submit(grievance(2, HISAR)).await.unwrap();
    });
}

#[test]
fn a_stream_whose_reader_is_idle_holds_no_room() {
    within(async {
        let engine = builder(MemoryStore::new(), &clock()).limits(limits(64, 64)).start().unwrap();
        let mut receipts = Box::pin(engine.submit_all(stream::iter(0..1_000).map(|post| grievance(post, HISAR))));
        for _ in 0..3 {
            receipts.next().await.unwrap().unwrap();
        }
        // What it sent is written meanwhile; what it only read has no room.
        until("its room is back", || engine.health().under_way == 0);
        engine.try_submit(grievance(5_000, HISAR)).await.unwrap();
        assert_eq!(receipts.count().await, 997);
    });
}

#[test]
fn whoever_is_overtaken_by_the_shutdown_is_told_so() {
    within(async {
        let engine = builder(MemoryStore::new(), &clock()).limits(limits(64, 64)).start().unwrap();
        let mut receipts = Box::pin(engine.submit_all(stream::iter(0..1_000).map(|post| grievance(post, HISAR))));
        receipts.next().await.unwrap().unwrap();
        engine.shutdown().await;
        while let Some(receipt) = receipts.next().await {
            let told = matches!(
                receipt,
                Ok(_) | Err(SubmitError::Stopped(_) | SubmitError::Failed(nivaran::Failure::Stopped))
            );
            assert!(told, "{receipt:?}");
        }
    });
}
