//! From the door to the journal in memory, beside a raw actix fan-out measured in the same run.
//!
//! Each ticket has a text, a source, three events and its entries in the lookup tables; each raw ping is a message of
//! 128 bytes from one dispatching actor to one of as many actors as the engine has desks.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::sync::atomic::{AtomicU64, Ordering};

use divan::Bencher;
use divan::counter::ItemsCount;
use futures_util::{StreamExt, stream};
use nivaran::{CategoryTree, Channel, Complainant, Engine, Grievance, PlaceTree, Roster, Rules, Source};

fn main() {
    divan::main();
}

/// How many tickets one sample has.
const TICKETS: usize = 200_000;
/// How many of them when callers wait for each.
const WAITED_FOR: usize = 50_000;

fn engine() -> Engine {
    let categories = CategoryTree::read(include_bytes!("../examples/haryana/categories.csv")).unwrap();
    let places = PlaceTree::read(include_bytes!("../examples/haryana/places.csv")).unwrap();
    let rules = Rules::read(categories, places, include_bytes!("../examples/haryana/rules.csv")).unwrap();
    let roster = Roster::read(include_str!("../examples/haryana/roster.toml")).unwrap();
    Engine::builder().rules(rules).roster(roster).start().unwrap()
}

const TEXT: &str = "Water has been standing knee-deep in our street since Monday morning, the drain in front of the \
                    school is blocked and children cannot pass. We called the helpline twice and nobody came.";

fn grievances(count: usize) -> Vec<Grievance> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let categories = ["water/logging", "power/outage", "garbage/collection", "roads/pothole", "police", "revenue"];
    let rules = engine().rules();
    let places: Vec<_> = rules.places().paths().cloned().collect();
    let first = NEXT.fetch_add(count as u64, Ordering::Relaxed);
    (0..count)
        .map(|i| {
            let source = Source::new(Channel::X, (first + i as u64).to_string()).unwrap();
            let handle = Some(format!("@citizen{}", i % 1_000));
            Grievance::builder(source, TEXT)
                .complainant(Complainant { handle, ..Complainant::default() })
                .category(categories[i % categories.len()].parse().unwrap())
                .place(places[i % places.len()].clone())
                .build()
                .unwrap()
        })
        .collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn submit_all(bencher: Bencher) {
    bencher.with_inputs(|| (engine(), grievances(TICKETS))).counter(ItemsCount::new(TICKETS)).bench_local_values(
        |(engine, grievances)| {
            let done =
                runtime().block_on(engine.submit_all(stream::iter(grievances)).fold(0, async |done, receipt| {
                    receipt.unwrap();
                    done + 1
                }));
            assert_eq!(done, TICKETS);
            engine
        },
    );
}

/// Submit to marked and durable, from so many callers that each wait for their answer.
#[divan::bench(args = [1, 256], sample_count = 5, sample_size = 1)]
fn submit(bencher: Bencher, callers: usize) {
    bencher.with_inputs(|| (engine(), grievances(WAITED_FOR))).counter(ItemsCount::new(WAITED_FOR)).bench_local_values(
        |(engine, grievances)| {
            runtime().block_on(
                stream::iter(grievances)
                    .map(|grievance| engine.submit(grievance))
                    .buffer_unordered(callers)
                    .for_each(async |receipt| assert!(receipt.is_ok())),
            );
            engine
        },
    );
}

/// The same fan-out with nothing in it.
mod raw_actix {
    use super::*;
    use actix::prelude::*;

    const DESKS: usize = 72;

    struct Desk(std::sync::Arc<AtomicU64>);
    impl Actor for Desk {
        type Context = Context<Self>;
    }

    #[derive(Message)]
    #[rtype(result = "()")]
    struct Ping([u64; 16]);
    impl Handler<Ping> for Desk {
        type Result = ();
        fn handle(&mut self, ping: Ping, _: &mut Self::Context) {
            self.0.fetch_add(ping.0[0], Ordering::Relaxed);
        }
    }

    struct Dispatcher(Vec<Addr<Desk>>);
    impl Actor for Dispatcher {
        type Context = Context<Self>;
    }

    #[derive(Message)]
    #[rtype(result = "()")]
    struct Arrive(Vec<[u64; 16]>);
    impl Handler<Arrive> for Dispatcher {
        type Result = ();
        fn handle(&mut self, Arrive(pings): Arrive, _: &mut Self::Context) {
            for (i, ping) in pings.into_iter().enumerate() {
                self.0[i % DESKS].do_send(Ping(ping));
            }
        }
    }

    /// Batches of 256 from another thread to the dispatcher, one message each from there to a desk.
    #[divan::bench(sample_count = 10, sample_size = 1)]
    fn ping(bencher: Bencher) {
        bencher.counter(ItemsCount::new(TICKETS)).bench_local(|| {
            let seen = std::sync::Arc::new(AtomicU64::new(0));
            let (ready, started) = std::sync::mpsc::sync_channel(1);
            let counter = std::sync::Arc::clone(&seen);
            let thread = std::thread::spawn(move || {
                let system = System::new();
                system.block_on(async move {
                    let desks = (0..DESKS).map(|_| Desk(std::sync::Arc::clone(&counter)).start()).collect();
                    ready.send((Dispatcher(desks).start(), System::current())).unwrap();
                });
                system.run().unwrap();
            });
            let (dispatcher, system) = started.recv().unwrap();
            for _ in 0..TICKETS / 256 {
                dispatcher.do_send(Arrive(vec![[1; 16]; 256]));
            }
            let all = (TICKETS / 256 * 256) as u64;
            while seen.load(Ordering::Relaxed) < all {
                std::thread::yield_now();
            }
            system.stop();
            thread.join().unwrap();
        });
    }
}
