//! The engine works from any executor, and from none; a handle may be cloned and sent anywhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::pin::pin;

use futures_util::{StreamExt, stream};
use nivaran::journal::Position;
use nivaran::{Engine, MemoryStore, Standing, TicketFilter, Verdict};
use support::*;

fn is_a_handle<T: Clone + Send + Sync + 'static>(handle: &T) -> &T {
    handle
}

fn may_be_sent<T: Send>(future: T) -> T {
    future
}

/// One call of each kind.
async fn a_bit_of_everything(engine: &Engine, store: &MemoryStore) {
    let marked = submitted(engine, 1, HISAR).await;
    let receipts: Vec<_> = engine.submit_all(stream::iter(1..40).map(any_grievance)).collect().await;
    assert_eq!(receipts.len(), 39);
    assert_eq!(receipts[0].clone().unwrap().standing, Standing::AlreadyDone);
    engine.act(resolve(&marked)).await.unwrap();
    engine.feedback(feedback(marked.id(), 1, Verdict::NotSatisfied)).await.unwrap();
    engine.reload_rules(other_rules(), None).await.unwrap();
    engine.tick().await;
    assert_eq!(engine.history(marked.id()).await.unwrap().len(), 3);
    assert_eq!(listed(engine, &TicketFilter::open()).await.len(), 39);
    let mut feed = pin!(engine.subscribe(Position(0)));
    for (n, entry) in journal(store).into_iter().enumerate() {
        let published = feed.next().await.unwrap().unwrap();
        assert_eq!((published.position, published.entry), (Position(n as u64), entry));
    }
    audit(engine, store).await;
}

async fn from_start_to_stop() {
    let store = MemoryStore::new();
    let engine = start(&store);
    a_bit_of_everything(&engine, &store).await;
    engine.shutdown().await;
    // Dropping the last handle waits for the threads; inside a runtime it does so as well.
    let engine = start(&store);
    audit(&engine, &store).await;
    drop(begun(engine.submit(grievance(100, POWER))));
    drop(engine);
    assert!(journaled(&store, 100).is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_works_inside_a_runtime_of_many_threads() {
    from_start_to_stop().await;
}

#[tokio::test(flavor = "current_thread")]
async fn it_works_inside_a_runtime_of_one_thread() {
    from_start_to_stop().await;
}

#[test]
fn it_works_inside_a_runtime_without_timers_and_on_its_blocking_threads() {
    guarded(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(from_start_to_stop());
        runtime.block_on(async { tokio::task::spawn_blocking(|| block_on(from_start_to_stop())).await.unwrap() });
        let local = tokio::task::LocalSet::new();
        runtime.block_on(local.run_until(async { tokio::task::spawn_local(from_start_to_stop()).await.unwrap() }));
    });
}

#[test]
fn it_works_without_any_runtime() {
    guarded(|| block_on(from_start_to_stop()));
}

#[test]
fn one_engine_serves_several_executors_at_once() {
    guarded(|| {
        let store = MemoryStore::new();
        let engine = start(&store);
        let threads: Vec<_> = (0..4_u64)
            .map(|n| {
                let engine = engine.clone();
                std::thread::spawn(move || {
                    let work = async {
                        for post in 0..100 {
                            // Half of the posts are everybody's.
                            let post = if post % 2 == 0 { post } else { n * 1_000 + post };
                            engine.submit(any_grievance(post)).await.unwrap();
                        }
                    };
                    match n {
                        0 => block_on(work),
                        1 => tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work),
                        _ => tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(work),
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(folded(&store).len(), 250);
        block_on(audit(&engine, &store));
    });
}

#[test]
fn a_handle_may_be_cloned_and_sent_anywhere_and_so_may_its_futures() {
    guarded(|| {
        let store = MemoryStore::new();
        let engine = start(&store);
        let handle = is_a_handle(&engine);
        let marked = block_on(may_be_sent(async { submitted(handle, 1, HISAR).await }));
        block_on(may_be_sent(handle.submit(grievance(2, HISAR)))).unwrap();
        block_on(may_be_sent(handle.try_submit(grievance(3, HISAR)))).unwrap();
        block_on(may_be_sent(handle.act(acknowledge(&marked)))).unwrap();
        assert!(block_on(may_be_sent(handle.feedback(feedback(marked.id(), 1, Verdict::Satisfied)))).is_err());
        block_on(may_be_sent(handle.ticket_of(&source(1)))).unwrap().unwrap();
        assert_eq!(block_on(may_be_sent(handle.import(Vec::new()))), []);
        block_on(may_be_sent(handle.case_file(marked.id(), &officer("cms")))).unwrap();
        let feed = may_be_sent(handle.subscribe(Position(0)));
        let many = may_be_sent(handle.submit_all(stream::iter([grievance(4, HISAR)])));
        // The streams hold no borrow of the handle.
        drop(engine);
        assert_eq!(block_on(many.collect::<Vec<_>>()).len(), 1);
        drop(feed);
    });
}

#[test]
fn the_last_handle_may_be_dropped_anywhere() {
    guarded(|| {
        let store = MemoryStore::new();
        // In a task of a runtime that goes away with it.
        let engine = start(&store);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.spawn(async move {
            engine.submit(grievance(1, HISAR)).await.unwrap();
            std::future::pending::<()>().await;
        });
        until("it is written", || journaled(&store, 1).is_some());
        drop(runtime);
        // On a thread that panics.
        let engine = start(&store);
        let thread = std::thread::spawn(move || {
            block_on(engine.submit(grievance(2, HISAR))).unwrap();
            panic!("a service that goes down");
        });
        assert!(thread.join().is_err());
        let engine = start(&store);
        assert_eq!(block_on(engine.submit(grievance(2, HISAR))).unwrap().standing, Standing::AlreadyDone);
        block_on(audit(&engine, &store));
    });
}
