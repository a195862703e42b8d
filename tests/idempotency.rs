//! A source is one ticket, a request one act: however often, however many at once, and for good.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use nivaran::ticket::{Origin, Reference, StateKind, TicketEvent, Version};
use nivaran::{
    Act, ActError, Engine, Feedback, Limits, MemoryStore, PendingTicket, Receipt, Standing, TicketId, Verdict,
};
use support::*;
use tokio::sync::Barrier;

const TASKS: usize = 64;

/// All at once, from tasks of their own.
async fn at_once<F, E>(call: impl Fn() -> F) -> Vec<Receipt>
where
    F: Future<Output = Result<Receipt, E>> + Send + 'static,
    E: std::error::Error + Send + 'static,
{
    let together = Arc::new(Barrier::new(TASKS));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (call, together) = (call(), Arc::clone(&together));
            tokio::spawn(async move {
                together.wait().await;
                call.await
            })
        })
        .collect();
    let mut receipts = Vec::new();
    for task in tasks {
        receipts.push(task.await.unwrap().unwrap());
    }
    receipts
}

async fn submit_at_once(engine: &Engine, post: u64, to: &str) -> Vec<Receipt> {
    at_once(|| {
        let (engine, grievance) = (engine.clone(), grievance(post, to));
        async move { engine.submit(grievance).await }
    })
    .await
}

/// How many did something; all are about one ticket.
fn done(receipts: &[Receipt]) -> usize {
    assert_eq!(receipts.len(), TASKS);
    assert!(receipts.iter().all(|receipt| receipt.ticket == receipts[0].ticket), "{receipts:?}");
    receipts.iter().filter(|receipt| receipt.standing == Standing::Done).count()
}

#[test]
fn a_source_is_one_ticket_however_many_submit_it_at_once() {
    within(async {
        let store = MemoryStore::new();
        let engine = start(&store);
        for (post, to) in [(1, HISAR), (2, POWER), (3, CONTROL)] {
            assert_eq!(done(&submit_at_once(&engine, post, to).await), 1);
            assert_eq!(done(&submit_at_once(&engine, post, to).await), 0);
            assert_eq!(times_received(&store, post), 1);
        }
        audit(&engine, &store).await;
    });
}

#[test]
fn each_of_those_who_submit_at_once_hears_only_when_it_is_durable() {
    within(async {
        let memory = MemoryStore::new();
        let (store, director) = staged(&memory);
        let engine = builder(store, &clock()).start().unwrap();
        engine.tick().await;
        director.shut();
        let mut submits: Vec<_> = (0..TASKS).map(|_| begun(engine.submit(grievance(1, HISAR)))).collect();
        director.waiting_batch();
        assert!(submits.iter_mut().all(waits));
        director.open();
        let mut receipts = Vec::new();
        for submit in submits {
            receipts.push(submit.await.unwrap());
        }
        assert_eq!(receipts[0].standing, Standing::Done);
        assert_eq!(done(&receipts), 1);
    });
}

#[test]
fn a_source_stays_one_ticket_when_it_closed_long_ago() {
    within(async {
        let store = MemoryStore::new();
        let mut limits = Limits::default();
        limits.closed_in_memory = 1;
        let engine = builder(store.clone(), &clock()).limits(limits).start().unwrap();
        let mut tickets = Vec::new();
        for post in 0..5 {
            tickets.push(closed(&engine, post, BUSY[post as usize]).await);
        }
        // The lookup tables have only the last; for the others the store is asked.
        for (post, ticket) in (0..).zip(&tickets) {
            let receipts = submit_at_once(&engine, post, BUSY[post as usize]).await;
            assert_eq!(done(&receipts), 0);
            assert!(receipts.iter().all(|receipt| receipt.ticket == ticket.id() && receipt.version == Version(2)));
            assert_eq!(&engine.ticket_of(&source(post)).await.unwrap().unwrap(), ticket);
        }
        let many: Vec<_> =
            engine.submit_all(stream::iter(0..5).map(|n| grievance(n, BUSY[n as usize]))).collect().await;
        for (receipt, ticket) in many.into_iter().zip(&tickets) {
            let receipt = receipt.unwrap();
            assert_eq!((receipt.ticket, receipt.standing), (ticket.id(), Standing::AlreadyDone));
        }
        assert_eq!(ticket_entries(&store).len(), 10);
        audit(&engine, &store).await;
    });
}

#[test]
fn a_source_stays_one_ticket_when_the_filter_is_much_too_small() {
    within(async {
        let store = MemoryStore::new();
        let mut limits = Limits::default();
        (limits.closed_in_memory, limits.remembered_sources) = (1, 1);
        let engine = builder(store.clone(), &clock()).limits(limits).start().unwrap();
        for post in 0..200 {
            closed(&engine, post, HISAR).await;
        }
        for post in 0..250 {
            let receipt = engine.submit(grievance(post, HISAR)).await.unwrap();
            assert_eq!(receipt.standing == Standing::AlreadyDone, post < 200, "post {post}");
            assert_eq!(receipt.ticket, id(post + 1));
        }
        audit(&engine, &store).await;
    });
}

#[test]
fn a_source_stays_one_ticket_after_a_restart() {
    within(async {
        let store = MemoryStore::new();
        let mut limits = Limits::default();
        limits.closed_in_memory = 1;
        let engine = builder(store.clone(), &clock()).limits(limits).start().unwrap();
        let open = submitted(&engine, 1, HISAR).await;
        let long_ago = closed(&engine, 2, POWER).await;
        let last = closed(&engine, 3, POWER).await;
        engine.shutdown().await;
        for _ in 0..2 {
            let engine = builder(store.clone(), &clock()).limits(limits).start().unwrap();
            for (post, known) in [(1, &open), (2, &long_ago), (3, &last)] {
                let receipts = submit_at_once(&engine, post, HISAR).await;
                assert_eq!((done(&receipts), receipts[0].ticket), (0, known.id()));
            }
            audit(&engine, &store).await;
            engine.shutdown().await;
        }
        let engine = start(&store);
        // No number is given out twice either.
        assert!(submitted(&engine, 4, HISAR).await.id() > last.id());
    });
}

#[test]
fn the_same_post_on_two_channels_is_two() {
    within(async {
        let engine = start(&MemoryStore::new());
        let twice = |channel| {
            let source = nivaran::Source::new(channel, "1").unwrap();
            nivaran::Grievance::builder(source, "Water stands in our street").build().unwrap()
        };
        let first = engine.submit(twice(nivaran::Channel::X)).await.unwrap();
        let second = engine.submit(twice(nivaran::Channel::Facebook)).await.unwrap();
        assert_ne!(first.ticket, second.ticket);
        assert_eq!((first.standing, second.standing), (Standing::Done, Standing::Done));
    });
}

#[test]
fn an_old_number_is_imported_once() {
    within(async {
        let store = MemoryStore::new();
        let engine = start(&store);
        let pending = |number: u64| PendingTicket {
            old_number: Reference::new(&format!("SMGT-{number}")).unwrap(),
            received_at: at(-2_000),
            // Where the old system kept no source, the post's own may be anything.
            grievance: grievance(1_000 + number, HISAR),
        };
        let twice: Vec<_> = (0..300).chain(0..300).map(pending).collect();
        let receipts: Vec<_> = engine.import(twice).await.into_iter().map(Result::unwrap).collect();
        for n in 0..300 {
            let (first, second) = (receipts[n], receipts[n + 300]);
            assert_eq!((first.standing, second.standing), (Standing::Done, Standing::AlreadyDone));
            assert_eq!(first.ticket, second.ticket);
        }
        let first = ticket(&engine, receipts[0].ticket).await;
        assert_eq!(first.origin(), &Origin::Imported(Reference::new("SMGT-0").unwrap()));
        assert_eq!(first.age(at(0)), SignedDuration::from_hours(2_000));
        engine.shutdown().await;
        let engine = start(&store);
        let again = engine.import(vec![pending(7)]).await.remove(0).unwrap();
        assert_eq!((again.ticket, again.standing), (receipts[7].ticket, Standing::AlreadyDone));
        audit(&engine, &store).await;
    });
}

// ---- requests ------------------------------------------------------------------------------------------------------

/// What can be asked again as it was.
#[derive(Clone)]
enum Call {
    Act(Act),
    Feedback(Feedback),
}

async fn call(engine: Engine, call: Call) -> Result<Receipt, ActError> {
    match call {
        Call::Act(act) => engine.act(act).await,
        Call::Feedback(feedback) => engine.feedback(feedback).await,
    }
}

/// One of each way that an act can take through the engine, on tickets that are made for it.
async fn calls(engine: &Engine) -> Vec<(&'static str, Call)> {
    let (marked, moving, back) =
        (submitted(engine, 1, HISAR).await, submitted(engine, 2, HISAR).await, submitted(engine, 3, HISAR).await);
    let (content, angry, withdrawn) =
        (resolved(engine, 4, POWER).await, resolved(engine, 5, ROHTAK).await, submitted(engine, 6, PHE).await);
    let reopened = closed(engine, 7, POWER).await;
    let holder = back.holder().unwrap().officer.clone();
    let back = Act::by_officer(back.id(), holder, nivaran::Action::Return).statement(words("Not ours."));
    let angry = feedback(angry.id(), 5, Verdict::NotSatisfied).reason(words("It is not done."));
    vec![
        ("acknowledge", Call::Act(acknowledge(&marked).request(request(1)))),
        ("resolve", Call::Act(resolve(&marked).request(request(2)))),
        ("forward", Call::Act(forward(moving.id(), ROHTAK).request(request(1)))),
        ("return", Call::Act(back.request(request(1)))),
        ("satisfied", Call::Feedback(feedback(content.id(), 4, Verdict::Satisfied).request(request(1)))),
        ("not satisfied", Call::Feedback(angry.request(request(1)))),
        ("withdraw", Call::Act(withdraw(withdrawn.id(), 6).request(request(1)))),
        ("reopen", Call::Feedback(feedback(reopened.id(), 7, Verdict::NotSatisfied).request(request(1)))),
    ]
}

/// Each of the calls is made again, after it was carried out once; it counts no second time.
async fn repeated(engine: &Engine, store: &MemoryStore, asked: &[(&'static str, Call)], first: &[Receipt]) {
    let entries = ticket_entries(store).len();
    for ((name, asked), first) in asked.iter().zip(first) {
        let again = call(engine.clone(), asked.clone()).await;
        assert_eq!(again, Ok(Receipt { standing: Standing::AlreadyDone, ..*first }), "{name}");
    }
    assert_eq!(ticket_entries(store).len(), entries);
}

#[test]
fn a_request_is_one_act() {
    within(async {
        let store = MemoryStore::new();
        let engine = start(&store);
        let asked = calls(&engine).await;
        let mut first = Vec::new();
        for (name, asked) in &asked {
            first.push(call(engine.clone(), asked.clone()).await.unwrap());
            let again = call(engine.clone(), asked.clone()).await;
            assert_eq!(again, Ok(Receipt { standing: Standing::AlreadyDone, ..*first.last().unwrap() }), "{name}");
        }
        // What a desk has let go of meanwhile is looked up elsewhere; the answer is the same.
        engine.tick().await;
        repeated(&engine, &store, &asked, &first).await;
        audit(&engine, &store).await;
    });
}

#[test]
fn a_request_is_one_act_after_a_restart() {
    within(async {
        let store = MemoryStore::new();
        let engine = start(&store);
        let asked = calls(&engine).await;
        let mut first = Vec::new();
        for (_, asked) in &asked {
            first.push(call(engine.clone(), asked.clone()).await.unwrap());
        }
        engine.shutdown().await;
        let engine = start(&store);
        repeated(&engine, &store, &asked, &first).await;
        audit(&engine, &store).await;
    });
}

#[test]
fn a_request_is_one_act_however_many_send_it_at_once() {
    within(async {
        let store = MemoryStore::new();
        let engine = start(&store);
        for (name, asked) in calls(&engine).await {
            let entries = ticket_entries(&store).len();
            let receipts = at_once(|| call(engine.clone(), asked.clone())).await;
            assert_eq!(done(&receipts), 1, "{name}");
            assert!(receipts.iter().all(|receipt| receipt.version == receipts[0].version), "{name}");
            assert_eq!(ticket_entries(&store).len(), entries + 1, "{name}");
        }
        audit(&engine, &store).await;
    });
}

#[test]
fn a_request_is_one_act_also_when_the_ticket_has_moved_on() {
    within(async {
        let store = MemoryStore::new();
        let mut limits = Limits::default();
        limits.closed_in_memory = 1;
        let engine = builder(store.clone(), &clock()).limits(limits).start().unwrap();
        let marked = submitted(&engine, 1, HISAR).await;
        let asked = acknowledge(&marked).request(request(1)).expecting(Version(1));
        let first = engine.act(asked.clone()).await.unwrap();
        let again = Ok(Receipt { standing: Standing::AlreadyDone, ..first });
        engine.act(resolve(&marked)).await.unwrap();
        assert_eq!(engine.act(asked.clone()).await, again, "resolved");
        engine.feedback(feedback(marked.id(), 1, Verdict::Satisfied)).await.unwrap();
        assert_eq!(engine.act(asked.clone()).await, again, "closed");
        engine.tick().await;
        assert_eq!(engine.act(asked.clone()).await, again, "closed, and let go by its desk");
        closed(&engine, 2, HISAR).await;
        closed(&engine, 3, HISAR).await;
        assert_eq!(engine.act(asked.clone()).await, again, "closed long ago");
        engine.feedback(feedback(marked.id(), 1, Verdict::NotSatisfied)).await.unwrap();
        assert_eq!(engine.act(asked).await, again, "open again");
        audit(&engine, &store).await;
    });
}

#[test]
fn one_request_on_two_tickets_is_two_acts() {
    within(async {
        let store = MemoryStore::new();
        let engine = start(&store);
        for post in [1, 2] {
            let marked = submitted(&engine, post, HISAR).await;
            let receipt = engine.act(acknowledge(&marked).request(request(1))).await.unwrap();
            assert_eq!(receipt.standing, Standing::Done);
        }
        audit(&engine, &store).await;
    });
}

#[test]
fn an_act_that_was_refused_may_be_sent_again_with_the_same_request() {
    within(async {
        let store = MemoryStore::new();
        let engine = start(&store);
        let marked = submitted(&engine, 1, HISAR).await;
        let early = resolve(&marked).request(request(1)).expecting(Version(2));
        assert!(matches!(engine.act(early.clone()).await, Err(ActError::Refused(_))));
        engine.act(acknowledge(&marked)).await.unwrap();
        assert_eq!(engine.act(early).await.unwrap().standing, Standing::Done);
        audit(&engine, &store).await;
    });
}

#[test]
fn a_complaint_after_the_window_is_one_new_ticket_however_many_send_it() {
    within(async {
        let (store, clock) = (MemoryStore::new(), clock());
        let engine = builder(store.clone(), &clock).start().unwrap();
        let first = closed(&engine, 1, HISAR).await;
        clock.set(at(24 * 30));
        let complaint = Call::Feedback(
            feedback(first.id(), 1, Verdict::NotSatisfied).reason(words("It is back.")).request(request(1)),
        );
        let receipts = at_once(|| call(engine.clone(), complaint.clone())).await;
        assert_eq!(done(&receipts), 1);
        let new: TicketId = receipts[0].ticket;
        assert_ne!(new, first.id());
        let follow_up = ticket(&engine, new).await;
        assert_eq!((follow_up.origin(), follow_up.state().kind()), (&Origin::FollowUp(first.id()), StateKind::Marked));
        assert_eq!(ticket(&engine, first.id()).await, first);
        let received =
            |entry: &&nivaran::journal::TicketEntry| matches!(entry.events.first(), Some(TicketEvent::Received { .. }));
        assert_eq!(ticket_entries(&store).iter().filter(received).count(), 2);
        engine.shutdown().await;
        let engine = builder(store.clone(), &clock).start().unwrap();
        let again = call(engine.clone(), complaint).await.unwrap();
        assert_eq!((again.ticket, again.standing), (new, Standing::AlreadyDone));
        audit(&engine, &store).await;
    });
}
