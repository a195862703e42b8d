//! What happens by itself: a deadline that passes takes a ticket a step up the ladder, each step once.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod haryana;

use haryana::{ROSTER, World, at, desk, with_leave};
use jiff::SignedDuration;
use nivaran::roster::Rung;
use nivaran::ticket::{By, MarkReason, ParkReason, Review, State, StateKind, TicketEvent};
use nivaran::{Action, Outcome, Page, Policy, TicketFilter, TicketId, Verdict};

async fn escalations(world: &World, id: TicketId) -> Vec<Rung> {
    let from = |event| match event {
        TicketEvent::Escalated { from } => Some(from),
        _ => None,
    };
    world.events(id).await.into_iter().filter_map(from).collect()
}

#[tokio::test]
async fn silence_takes_a_ticket_from_the_officer_to_the_district_to_the_department_to_the_control_desk() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let steps = [
        (24, "hisar-ctm at district:hisar", Rung::DistrictNodal),
        (48, "power-state at department:power", Rung::Department),
        (72, "cms-triage at control", Rung::Control),
    ];
    for (number, (hours, with, rung)) in (1..).zip(steps) {
        world.it_gets(at(hours) - SignedDuration::from_secs(1)).await;
        assert_eq!(world.ticket(id).await.escalations(), number - 1, "a second before hour {hours}");
        world.it_gets(at(hours)).await;
        let ticket = world.ticket(id).await;
        assert_eq!((world.with(id).await.as_str(), ticket.rung(), ticket.escalations()), (with, rung, number));
        assert_eq!(ticket.state(), &State::Marked { due: at(hours + 24) });
        let entry = world.history(id).await.pop().unwrap();
        assert_eq!((entry.by, entry.at), (By::System, at(hours)));
        let [TicketEvent::Escalated { .. }, TicketEvent::Marked { why: MarkReason::Escalated, .. }] =
            entry.events.as_slice()
        else {
            panic!("{:?}", entry.events)
        };
    }
    assert_eq!(escalations(&world, id).await, [Rung::Officer, Rung::DistrictNodal, Rung::Department]);

    // At the top it is called to mind, day by day.
    for hours in [96, 120] {
        world.it_gets(at(hours)).await;
        assert_eq!(world.latest(id).await, [TicketEvent::Reminded { due: at(hours + 24) }]);
        assert_eq!(
            (world.with(id).await.as_str(), world.due(id).await),
            ("cms-triage at control", Some(at(hours + 24)))
        );
    }
    assert_eq!(world.ticket(id).await.escalations(), 3);
}

#[tokio::test]
async fn a_second_tick_at_the_same_time_does_nothing() {
    let world = World::small();
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(world.submit("power", "hisar").await);
    }
    world.it_gets(at(24)).await;
    let end = world.end();
    world.engine.tick().await;
    world.engine.tick().await;
    assert_eq!(world.end(), end);
    for id in ids {
        assert_eq!(world.ticket(id).await.escalations(), 1);
    }
}

#[tokio::test]
async fn ticks_at_the_same_time_let_each_date_pass_once() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.clock.set(at(24));
    futures_util::future::join_all((0..8).map(|_| world.engine.tick())).await;
    assert_eq!(world.ticket(id).await.escalations(), 1);
}

#[tokio::test]
async fn after_a_long_silence_of_the_clock_no_rung_is_left_out() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.it_gets(at(24 * 30)).await;
    assert_eq!(
        (world.with(id).await.as_str(), world.due(id).await),
        ("hisar-ctm at district:hisar", Some(at(24 * 31)))
    );
    world.it_gets(at(24 * 60)).await;
    assert_eq!(world.with(id).await, "power-state at department:power");
}

#[tokio::test]
async fn more_dates_than_are_handed_over_at_a_time_all_pass_in_one_tick() {
    let mut limits = nivaran::Limits::default();
    limits.dates_at_a_time = 3;
    let world = World::of(haryana::rules(haryana::RULES), haryana::roster(ROSTER), |builder| builder.limits(limits));
    let mut ids = Vec::new();
    for _ in 0..11 {
        ids.push(world.submit("power", "hisar").await);
    }
    for &id in &ids[..5] {
        world.act(id, "power-hisar", Action::Resolve(Outcome::Fixed)).await;
    }
    world.it_gets(at(24)).await;
    for &id in &ids[5..] {
        assert_eq!(world.with(id).await, "hisar-ctm at district:hisar");
    }
    world.it_gets(at(7 * 24)).await;
    for &id in &ids[..5] {
        assert_eq!(world.state(id).await, StateKind::Closed);
    }
}

#[tokio::test]
async fn an_officer_who_acknowledged_and_does_nothing_loses_the_ticket_too() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.hours_pass(23).await;
    world.act(id, "power-hisar", Action::Acknowledge).await;
    world.it_gets(at(24)).await;
    assert_eq!(world.with(id).await, "hisar-ctm at district:hisar", "an acknowledgement buys no time");
}

#[tokio::test]
async fn a_matter_of_the_states_level_climbs_from_the_department_to_the_control_desk() {
    let world = World::small();
    let id = world.submit("water/sewer", "rohtak").await;
    assert_eq!(world.with(id).await, "phe-se at department:phe");
    world.date_comes(id).await;
    assert_eq!(world.with(id).await, "phe-state at department:phe");
    world.date_comes(id).await;
    assert_eq!(world.with(id).await, "cms-triage at control");
}

#[tokio::test]
async fn a_rung_on_which_nobody_is_on_duty_is_passed_over() {
    let world = World::with_roster(&with_leave(ROSTER, "hisar-ctm", "2022-07-14", "2022-07-31"));
    let id = world.submit("power", "hisar").await;
    world.date_comes(id).await;
    assert_eq!(world.with(id).await, "power-state at department:power");
    assert_eq!(world.ticket(id).await.rung(), Rung::Department);
}

#[tokio::test]
async fn a_report_that_nobody_reviews_goes_above_the_nodal_officer_who_should_have() {
    let mut policy = Policy::default();
    policy.review = Review::NodalOfficer;
    let world = World::with_policy(policy);
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::Resolve(Outcome::Fixed)).await;
    assert_eq!((world.state(id).await, world.due(id).await), (StateKind::UnderReview, Some(at(48))));
    world.it_gets(at(48)).await;
    assert_eq!(world.with(id).await, "power-state at department:power");
    assert_eq!(world.state(id).await, StateKind::Marked);
}

#[tokio::test]
async fn every_open_ticket_has_a_date_whatever_its_state() {
    let mut policy = Policy::default();
    policy.review = Review::NodalOfficer;
    let world = World::with_policy(policy);
    let mut seen = std::collections::BTreeSet::new();
    world.submit("cattle", "hisar").await;
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(world.submit("power", "hisar").await);
    }
    let act = async |id: TicketId, action: Action| world.act(id, "power-hisar", action).await;
    act(ids[1], Action::Acknowledge).await;
    act(ids[2], Action::AskCitizen { until: at(50) }).await;
    act(ids[3], Action::Park { until: at(60), why: ParkReason::PolicyQuestion }).await;
    act(ids[4], Action::Resolve(Outcome::Fixed)).await;
    act(ids[5], Action::Resolve(Outcome::Fixed)).await;
    world.act(ids[5], "hisar-ctm", Action::Approve).await;
    act(ids[6], Action::Reject(nivaran::ticket::Grounds::Abuse)).await;
    act(ids[7], Action::InterimReply { next: at(70) }).await;
    for ticket in world.engine.tickets(&TicketFilter::open(), Page::first(100)).await.unwrap() {
        let due = ticket.state().next_date().unwrap_or_else(|| panic!("{:?} has no date", ticket.state()));
        assert!(due > world.now());
        seen.insert(ticket.state().kind());
    }
    let open: std::collections::BTreeSet<_> = StateKind::ALL.iter().copied().filter(|kind| kind.is_open()).collect();
    assert_eq!(seen, open, "there was a ticket in each open state");
}

#[tokio::test]
async fn a_ticket_in_triage_is_called_to_mind_again_and_again() {
    let world = World::small();
    let id = world.submit("cattle", "hisar").await;
    for hours in [24, 48, 72] {
        world.it_gets(at(hours)).await;
        assert_eq!(world.latest(id).await, [TicketEvent::Reminded { due: at(hours + 24) }]);
        assert_eq!(world.state(id).await, StateKind::Triage);
    }
}

#[tokio::test]
async fn an_asked_or_parked_ticket_goes_on_at_its_date_and_then_up_if_nothing_happens() {
    let world = World::small();
    let asked = world.submit("power", "hisar").await;
    world.act(asked, "power-hisar", Action::AskCitizen { until: at(100) }).await;
    let parked = world.submit("power", "hisar").await;
    world.act(parked, "power-hisar", Action::Park { until: at(100), why: ParkReason::SubJudice }).await;
    world.it_gets(at(100)).await;
    for id in [asked, parked] {
        assert_eq!(world.ticket(id).await.state(), &State::InProgress { due: at(124) });
    }
    world.it_gets(at(124)).await;
    for id in [asked, parked] {
        assert_eq!(world.with(id).await, "hisar-ctm at district:hisar");
    }
}

#[tokio::test]
async fn the_whole_age_never_restarts() {
    let world = World::small();
    let posted_at = at(-240);
    let id = world.file(world.grievance("power", "hisar").posted_at(posted_at)).await;
    let age = async || world.ticket(id).await.age(world.now());
    assert_eq!(age().await.as_hours(), 240);
    assert_eq!(world.due(id).await, Some(at(24)), "the desk's own time counts from the mark");
    world.it_gets(at(24)).await;
    assert_eq!(age().await.as_hours(), 264, "escalated");
    world.act(id, "hisar-ctm", Action::Forward(Some(desk("department:phe")))).await;
    world.hours_pass(1).await;
    assert_eq!(age().await.as_hours(), 265, "forwarded");
    world.act(id, "phe-se", Action::Park { until: at(100), why: ParkReason::WorkPlanned }).await;
    world.it_gets(at(100)).await;
    assert_eq!(age().await.as_hours(), 340, "parked");
    world.act(id, "phe-se", Action::Resolve(Outcome::Fixed)).await;
    world.feedback(id, Verdict::NotSatisfied).await.unwrap();
    assert_eq!(age().await.as_hours(), 340, "marked again");
    world.act(id, "phe-se", Action::Resolve(Outcome::Fixed)).await;
    world.feedback(id, Verdict::Satisfied).await.unwrap();
    world.hours_pass(24).await;
    world.feedback(id, Verdict::NotSatisfied).await.unwrap();
    assert_eq!(age().await.as_hours(), 364, "reopened");
}
