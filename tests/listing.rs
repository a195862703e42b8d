//! What can be looked up: tickets by desk, officer, state, age and old number, page by page; and the journal as a feed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod haryana;

use std::pin::pin;

use futures_util::{FutureExt, Stream, StreamExt};
use haryana::{ROSTER, RULES, World, at, desk, officer, roster, rules};
use jiff::SignedDuration;
use nivaran::engine::{PendingTicket, Published, ReadError, SubscriptionError};
use nivaran::journal::Entry;
use nivaran::ticket::{Reference, StateKind, TicketEvent};
use nivaran::{Action, Channel, Limits, Outcome, Page, Position, Source, TicketFilter, TicketId, Verdict};

async fn listed(world: &World, filter: TicketFilter) -> Vec<TicketId> {
    let tickets = world.engine.tickets(&filter, Page::first(Page::MOST)).await.unwrap();
    tickets.iter().map(nivaran::Ticket::id).collect()
}

/// A world with two tickets in Hisar (one acknowledged), one in Rohtak, one in triage, one answered, two closed.
async fn some_tickets() -> (World, [TicketId; 7]) {
    let world = World::small();
    let a = world.submit("power", "hisar").await;
    let b = world.submit("power", "hisar").await;
    let c = world.submit("power", "rohtak").await;
    let d = world.submit("cattle", "rohtak").await;
    let e = world.submit("power", "rohtak").await;
    let f = world.submit("power", "rohtak").await;
    let g = world.submit("power", "hisar").await;
    world.act(b, "power-hisar", Action::Acknowledge).await;
    for id in [e, f, g] {
        world.holder_acts(id, Action::Resolve(Outcome::Fixed)).await;
    }
    for id in [f, g] {
        world.feedback(id, Verdict::Satisfied).await.unwrap();
    }
    (world, [a, b, c, d, e, f, g])
}

#[tokio::test]
async fn the_open_tickets_are_listed_by_number_and_the_closed_ones_only_when_asked_for() {
    let (world, [a, b, c, d, e, f, g]) = some_tickets().await;
    assert_eq!(listed(&world, TicketFilter::open()).await, [a, b, c, d, e]);
    assert_eq!(listed(&world, TicketFilter::open().state(StateKind::Closed)).await, [f, g]);
}

#[tokio::test]
async fn tickets_are_found_by_desk_officer_and_state_and_by_all_of_them_together() {
    let (world, [a, b, c, d, e, f, _]) = some_tickets().await;
    let open = TicketFilter::open;
    assert_eq!(listed(&world, open().desk(desk("district:hisar"))).await, [a, b]);
    assert_eq!(listed(&world, open().desk(desk("control"))).await, [d]);
    assert_eq!(listed(&world, open().desk(desk("department:phe"))).await, []);
    assert_eq!(listed(&world, open().officer(officer("power-rohtak"))).await, [c, e]);
    assert_eq!(listed(&world, open().state(StateKind::Marked)).await, [a, c]);
    assert_eq!(listed(&world, open().state(StateKind::Resolved)).await, [e]);
    assert_eq!(listed(&world, open().desk(desk("district:hisar")).state(StateKind::InProgress)).await, [b]);
    assert_eq!(listed(&world, open().officer(officer("power-rohtak")).state(StateKind::Closed)).await, [f]);
    assert_eq!(listed(&world, open().officer(officer("nobody"))).await, []);
}

#[tokio::test]
async fn what_is_older_than_an_age_is_called_out_counted_from_the_post() {
    let world = World::small();
    let old = world.file(world.grievance("power", "hisar").posted_at(at(-120 * 24))).await;
    let new = world.submit("power", "hisar").await;
    let older = |days: i64| TicketFilter::open().older_than(SignedDuration::from_hours(24 * days));
    assert_eq!(listed(&world, older(120)).await, [], "not a second older yet");
    world.clock.set(at(0) + SignedDuration::from_secs(1));
    assert_eq!(listed(&world, older(120)).await, [old]);
    world.clock.set(at(121 * 24));
    assert_eq!(listed(&world, older(120)).await, [old, new]);
    assert_eq!(listed(&world, older(241)).await, []);
}

#[tokio::test]
async fn an_imported_ticket_is_found_by_its_old_number_open_or_closed() {
    let world = World::small();
    world.submit("power", "hisar").await;
    let number = |text: &str| Reference::new(text).unwrap();
    let pending = |text: &str| PendingTicket {
        old_number: number(text),
        received_at: at(-500),
        grievance: world.grievance("power", "hisar").build().unwrap(),
    };
    let receipts = world.engine.import(vec![pending("CMOFF/N/2022/014253"), pending("CMOFF/N/2022/014254")]).await;
    let [one, two] = [0, 1].map(|i: usize| receipts[i].as_ref().unwrap().ticket);
    let by = |text: &str| TicketFilter::open().old_number(number(text));
    assert_eq!(listed(&world, by("CMOFF/N/2022/014253")).await, [one]);
    assert_eq!(listed(&world, by("CMOFF/N/2022/014254")).await, [two]);
    assert_eq!(listed(&world, by("CMOFF/N/2022/014255")).await, []);
    world.holder_acts(two, Action::Resolve(Outcome::Fixed)).await;
    world.feedback(two, Verdict::Satisfied).await.unwrap();
    assert_eq!(listed(&world, by("CMOFF/N/2022/014254")).await, [two]);
    assert_eq!(listed(&world, by("CMOFF/N/2022/014254").state(StateKind::Closed)).await, [two]);
}

#[tokio::test]
async fn pages_follow_one_another_without_a_gap_or_a_double() {
    let world = World::small();
    let mut all = Vec::new();
    for i in 0..11 {
        all.push(world.submit(if i % 3 == 0 { "power" } else { "water" }, "hisar").await);
    }
    let closed: Vec<_> = all.iter().copied().step_by(2).collect();
    for &id in &closed {
        world.holder_acts(id, Action::Resolve(Outcome::Fixed)).await;
        world.feedback(id, Verdict::Satisfied).await.unwrap();
    }
    let open: Vec<_> = all.iter().copied().filter(|id| !closed.contains(id)).collect();
    for (filter, expected) in [(TicketFilter::open(), open), (TicketFilter::open().state(StateKind::Closed), closed)] {
        for limit in [1, 2, 4, 100] {
            let (mut found, mut page) = (Vec::new(), Page::first(limit));
            loop {
                let tickets = world.engine.tickets(&filter, page).await.unwrap();
                assert!(tickets.len() <= limit);
                let Some(last) = tickets.last() else { break };
                page.after = Some(last.id());
                found.extend(tickets.iter().map(nivaran::Ticket::id));
            }
            assert_eq!(found, expected, "in pages of {limit}");
        }
        let none = world.engine.tickets(&filter, Page::first(0)).await.unwrap();
        assert_eq!(none, []);
    }
}

#[tokio::test]
async fn a_ticket_is_found_by_the_post_it_came_of_also_when_it_is_closed_and_no_longer_in_memory() {
    let mut limits = Limits::default();
    limits.closed_in_memory = 1;
    let world = World::of(rules(RULES), roster(ROSTER), |builder| builder.limits(limits));
    let post = |number: u32| Source::new(Channel::X, format!("post-{number}")).unwrap();
    let mut ids = Vec::new();
    for number in 0..4 {
        let grievance = nivaran::Grievance::builder(post(number), "No light").complainant(nivaran::Complainant {
            handle: Some(haryana::ASHA.to_owned()),
            ..nivaran::Complainant::default()
        });
        let id = world.file(grievance).await;
        world.act(id, "cms", Action::Reject(nivaran::ticket::Grounds::Abuse)).await;
        world.feedback(id, Verdict::Satisfied).await.unwrap();
        ids.push(id);
    }
    for (number, &id) in (0..).zip(&ids) {
        let ticket = world.engine.ticket_of(&post(number)).await.unwrap().unwrap();
        assert_eq!((ticket.id(), ticket.state().kind()), (id, StateKind::Closed));
        assert_eq!(world.engine.ticket(id).await.unwrap(), Some(ticket));
        assert_eq!(world.history(id).await.len(), 3);
    }
    assert_eq!(world.engine.ticket_of(&post(9)).await.unwrap(), None);
    // The same number on another channel is another post.
    let elsewhere = Source::new(Channel::Facebook, "post-0").unwrap();
    assert_eq!(world.engine.ticket_of(&elsewhere).await.unwrap(), None);
    // A post that comes again after all that is no new ticket.
    let grievance = nivaran::Grievance::builder(post(0), "No light").build().unwrap();
    assert_eq!(world.engine.submit(grievance).await.unwrap().ticket, ids[0]);
    assert_eq!(listed(&world, TicketFilter::open().state(StateKind::Closed)).await, ids);
}

#[tokio::test]
async fn the_history_is_every_entry_from_the_first_version_on_each_in_words() {
    let (world, [_, b, .., f, _]) = some_tickets().await;
    let versions = |history: &[nivaran::journal::TicketEntry]| history.iter().map(|e| e.version.0).collect::<Vec<_>>();
    let history = world.history(f).await;
    assert_eq!(versions(&history), [1, 2, 3]);
    assert!(history.iter().all(|entry| entry.ticket == f));
    let words: Vec<_> = history.iter().flat_map(|entry| &entry.events).map(ToString::to_string).collect();
    assert!(words[0].contains("received by x, about power, in rohtak"), "{words:?}");
    assert!(words.last().unwrap().contains("closed: fixed; the complainant is satisfied"), "{words:?}");
    assert_eq!(versions(&world.history(b).await), [1, 2]);
    assert_eq!(world.history(TicketId::from_number(999).unwrap()).await, []);
}

#[tokio::test]
async fn health_counts_what_is_open_at_each_desk_and_where_the_journal_ends() {
    let (world, _) = some_tickets().await;
    // The room of the last act is given back after its answer.
    world.engine.tick().await;
    let health = world.engine.health();
    let open: Vec<_> = health.open.iter().map(|(desk, count)| (desk.to_string(), *count)).collect();
    let expected = [("control", 1), ("district:hisar", 2), ("district:rohtak", 2)];
    assert_eq!(open, expected.map(|(desk, count)| (desk.to_owned(), count)));
    assert_eq!((health.position, health.under_way), (world.end(), 0));
}

// ---- the feed ----------------------------------------------------------------------------------------------------

async fn take(stream: impl Stream<Item = Result<Published, SubscriptionError>>, count: usize) -> Vec<Published> {
    let items: Vec<_> = stream.take(count).collect().await;
    items.into_iter().map(Result::unwrap).collect()
}

fn check(published: &[Published], from: u64, journal: &[Entry]) {
    for (i, item) in published.iter().enumerate() {
        assert_eq!(item.position, Position(from + i as u64));
        assert_eq!(item.entry, journal[from as usize + i]);
    }
}

#[tokio::test]
async fn a_subscriber_from_the_beginning_gets_the_whole_journal_in_order() {
    let (world, _) = some_tickets().await;
    let journal = world.journal();
    let published = take(world.engine.subscribe(Position::default()), journal.len()).await;
    check(&published, 0, &journal);
    assert!(matches!(published[0].entry, Entry::Rules(_)) && matches!(published[1].entry, Entry::Roster(_)));
}

#[tokio::test]
async fn a_subscriber_from_the_middle_gets_the_rest_and_then_what_comes_live() {
    let (world, [a, ..]) = some_tickets().await;
    let mut feed = pin!(world.engine.subscribe(Position(5)));
    let count = world.journal().len() - 5;
    let past = take(feed.by_ref(), count).await;
    check(&past, 5, &world.journal());
    assert!(feed.next().now_or_never().is_none(), "nothing has happened since");
    world.act(a, "power-hisar", Action::Acknowledge).await;
    let live = feed.next().await.unwrap().unwrap();
    assert_eq!(live.position, Position(world.end().0 - 1));
    assert_eq!(live.entry.ticket().unwrap().events, [TicketEvent::Acknowledged]);
}

#[tokio::test]
async fn a_subscriber_from_the_end_gets_only_what_is_new() {
    let (world, [a, ..]) = some_tickets().await;
    let end = world.end();
    let mut feed = pin!(world.engine.subscribe(end));
    world.act(a, "power-hisar", Action::Acknowledge).await;
    world.submit("water", "hisar").await;
    let published = take(feed.by_ref(), 2).await;
    check(&published, end.0, &world.journal());
}

#[tokio::test]
async fn what_a_subscriber_sees_can_be_looked_up_at_once() {
    let world = World::small();
    let mut feed = pin!(world.engine.subscribe(world.end()));
    for _ in 0..20 {
        let (id, published) = futures_util::future::join(world.submit("water", "hisar"), feed.next()).await;
        let entry = published.unwrap().unwrap().entry;
        let entry = entry.ticket().unwrap();
        assert_eq!((entry.ticket, entry.version.0), (id, 1));
        assert_eq!(world.ticket(id).await.version(), entry.version);
    }
}

#[tokio::test]
async fn a_reader_too_slow_for_the_live_feed_is_told_and_then_misses_nothing() {
    let mut limits = Limits::default();
    limits.subscriber_backlog = 2;
    let world = World::of(rules(RULES), roster(ROSTER), |builder| builder.limits(limits));
    let mut feed = pin!(world.engine.subscribe(Position::default()));
    let mut seen = take(feed.by_ref(), 2).await;
    // One batch each, more than the backlog holds.
    for _ in 0..20 {
        world.submit("water", "hisar").await;
    }
    let mut lagged = 0;
    while seen.len() < world.journal().len() {
        match feed.next().await.unwrap() {
            Ok(published) => seen.push(published),
            Err(SubscriptionError::Lagged { next }) => {
                lagged += 1;
                assert_eq!(next, Position(seen.len() as u64), "it says where it reads on");
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(lagged >= 1, "it was told");
    check(&seen, 0, &world.journal());
    // And it is live again.
    world.submit("water", "hisar").await;
    let live = loop {
        match feed.next().await.unwrap() {
            Ok(published) => break published,
            Err(SubscriptionError::Lagged { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(live.position, Position(seen.len() as u64));
}

#[tokio::test]
async fn a_feed_ends_with_the_engine_after_its_last_entry() {
    let world = World::small();
    let mut feed = pin!(world.engine.subscribe(Position::default()));
    world.submit("water", "hisar").await;
    check(&take(feed.by_ref(), 3).await, 0, &world.journal());
    assert!(feed.next().now_or_never().is_none(), "it waits for more");
    world.engine.shutdown().await;
    assert_eq!(feed.next().now_or_never(), Some(None), "nothing more will come");
}

#[tokio::test]
async fn after_the_shutdown_there_is_no_feed_and_nothing_to_be_read_from_the_store() {
    let world = World::small();
    world.engine.shutdown().await;
    let late: Vec<_> = world.engine.subscribe(Position::default()).collect().await;
    assert_eq!(late, []);
    assert_eq!(world.engine.history(TicketId::from_number(1).unwrap()).await, Err(ReadError::Stopped));
}
