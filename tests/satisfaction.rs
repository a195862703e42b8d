//! After the answer: the complainant is asked, and what they say, or do not say, closes the ticket or marks it again.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod haryana;

use haryana::{ROSTER, World, asha, at, desk, is_closed_for_good, officer, said, start, with_leave};
use nivaran::engine::ReadError;
use nivaran::roster::Rung;
use nivaran::ticket::{
    ActionKind, By, ClosedBy, Grounds, MarkReason, Notice, Origin, Refusal, Remark, State, StateKind,
};
use nivaran::ticket::{TicketEvent, Version};
use nivaran::{Act, ActError, Action, Author, Channel, Feedback, Outcome, Policy, Receipt, RemarkPolicy, RequestId};
use nivaran::{Standing, TicketId, Verdict};

/// A ticket about power in Hisar that is answered.
async fn resolved(world: &World) -> TicketId {
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::Resolve(Outcome::Fixed)).await;
    id
}

async fn not_satisfied(world: &World, id: TicketId) -> Receipt {
    world.feedback(id, Verdict::NotSatisfied).await.unwrap()
}

fn refused(result: Result<Receipt, ActError>) -> Refusal {
    match result {
        Err(ActError::Refused(refusal)) => refusal,
        other => panic!("a refusal was expected: {other:?}"),
    }
}

#[tokio::test]
async fn satisfied_closes_and_says_who_declared_it() {
    let world = World::small();
    let id = resolved(&world).await;
    world.hours_pass(3).await;
    world.feedback(id, Verdict::Satisfied).await.unwrap();
    let closed = State::Closed {
        by: ClosedBy::Satisfied,
        outcome: Outcome::Fixed,
        at: at(3),
        reopen_until: Some(at(3 + 5 * 24)),
    };
    assert_eq!(world.ticket(id).await.state(), &closed);
    let entry = world.history(id).await.pop().unwrap();
    assert_eq!(entry.by, By::Citizen);
    assert!(
        matches!(entry.events.as_slice(), [TicketEvent::Satisfied, TicketEvent::Closed { .. }]),
        "{:?}",
        entry.events
    );
}

#[tokio::test]
async fn silence_closes_at_its_date_by_an_event_of_its_own_and_once() {
    let world = World::small();
    let id = resolved(&world).await;
    world.it_gets(at(7 * 24) - jiff::SignedDuration::from_secs(1)).await;
    assert_eq!(world.state(id).await, StateKind::Resolved);
    world.it_gets(at(7 * 24)).await;
    let entry = world.history(id).await.pop().unwrap();
    assert_eq!(entry.by, By::System);
    let [TicketEvent::Closed { by: ClosedBy::Silence, outcome: Outcome::Fixed, reopen_until: Some(until), .. }] =
        entry.events.as_slice()
    else {
        panic!("{:?}", entry.events)
    };
    assert_eq!(*until, at(12 * 24));
    let end = world.end();
    world.engine.tick().await;
    world.hours_pass(1_000).await;
    assert_eq!(world.end(), end, "what is closed has no dates");
}

#[tokio::test]
async fn silence_closes_a_rejection_too() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::Reject(Grounds::Incomprehensible)).await;
    world.date_comes(id).await;
    let ticket = world.ticket(id).await;
    let State::Closed { by, outcome, .. } = ticket.state() else { panic!("{:?}", ticket.state()) };
    assert_eq!((*by, outcome), (ClosedBy::Silence, &Outcome::Rejected(Grounds::Incomprehensible)));
}

#[tokio::test]
async fn the_date_of_an_earlier_answer_does_not_close_a_later_one() {
    let world = World::small();
    let id = resolved(&world).await;
    world.hours_pass(24).await;
    not_satisfied(&world, id).await;
    world.hours_pass(10).await;
    world.act(id, "power-hisar", Action::Resolve(Outcome::Fixed)).await;
    world.it_gets(at(7 * 24)).await;
    assert_eq!(world.state(id).await, StateKind::Resolved, "the first answer's date");
    world.it_gets(at(34 + 7 * 24)).await;
    assert_eq!(world.state(id).await, StateKind::Closed);
}

#[tokio::test]
async fn not_satisfied_goes_back_to_the_officer_then_up_step_by_step_until_the_control_desk_concludes_for_good() {
    let world = World::small();
    let id = resolved(&world).await;
    let steps = [
        ("power-hisar at district:hisar", Rung::Officer, Remark::Back(1)),
        ("hisar-ctm at district:hisar", Rung::DistrictNodal, Remark::StepUp(2)),
        ("power-state at department:power", Rung::Department, Remark::StepUp(3)),
    ];
    for (number, (with, rung, remark)) in (1..).zip(steps) {
        let receipt = not_satisfied(&world, id).await;
        assert_eq!(receipt.ticket, id, "the same number");
        let ticket = world.ticket(id).await;
        assert_eq!((world.with(id).await.as_str(), ticket.rung(), ticket.remarks()), (with, rung, number));
        assert_eq!(ticket.state(), &State::Marked { due: at(24) });
        let latest = world.latest(id).await;
        let [TicketEvent::NotSatisfied { remark: said }, TicketEvent::Marked { why, .. }] = latest.as_slice() else {
            panic!("{latest:?}")
        };
        assert_eq!((*said, *why), (remark, MarkReason::NotSatisfied));
        world.holder_acts(id, Action::Resolve(Outcome::Fixed)).await;
        assert!(!world.ticket(id).await.is_concluding());
    }

    not_satisfied(&world, id).await;
    assert_eq!(world.with(id).await, "cms-triage at control");
    let ticket = world.ticket(id).await;
    assert!(ticket.is_concluding());
    assert_eq!((ticket.state().kind(), ticket.remarks()), (StateKind::Marked, 3));
    let latest = world.latest(id).await;
    assert!(matches!(latest.last(), Some(TicketEvent::Marked { why: MarkReason::UsedUp, .. })), "{latest:?}");

    world.act(id, "cms-triage", Action::Resolve(Outcome::CannotBeDone)).await;
    let ticket = world.ticket(id).await;
    let State::Closed { by, outcome, .. } = ticket.state() else { panic!("{:?}", ticket.state()) };
    assert_eq!((*by, outcome), (ClosedBy::ControlDesk, &Outcome::CannotBeDone));
    assert!(is_closed_for_good(&ticket));
    let notices: Vec<_> = world.latest(id).await.iter().filter_map(|event| event.notice(id)).collect();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(notices[0].1, Notice::Closed(id, ClosedBy::ControlDesk, None));
    let end = world.end();
    assert_eq!(refused(world.feedback(id, Verdict::NotSatisfied).await), Refusal::ClosedForGood);
    world.hours_pass(1_000).await;
    assert_eq!(refused(world.feedback(id, Verdict::NotSatisfied).await), Refusal::ClosedForGood);
    assert_eq!(world.end(), end);
}

#[tokio::test]
async fn how_often_it_goes_back_and_up_is_the_policys() {
    let mut policy = Policy::default();
    policy.remarks = RemarkPolicy { to_same_officer: 0, steps_up: 1 };
    let world = World::with_policy(policy);
    let id = resolved(&world).await;
    not_satisfied(&world, id).await;
    assert_eq!(world.with(id).await, "hisar-ctm at district:hisar");
    world.holder_acts(id, Action::Resolve(Outcome::Fixed)).await;
    not_satisfied(&world, id).await;
    assert_eq!(world.with(id).await, "cms-triage at control");
    assert!(world.ticket(id).await.is_concluding());
}

#[tokio::test]
async fn the_officer_concerned_gets_it_again_though_another_has_less_to_do() {
    let world = World::small();
    let id = world.submit("water", "hisar").await;
    assert_eq!(world.holder(id).await.officer, officer("phe-hisar"));
    world.act(id, "phe-hisar", Action::Resolve(Outcome::Fixed)).await;
    // phe-hisar has two more now, phe-hisar-sdo one.
    for _ in 0..3 {
        world.submit("water", "hisar").await;
    }
    not_satisfied(&world, id).await;
    assert_eq!(world.with(id).await, "phe-hisar at district:hisar");
}

#[tokio::test]
async fn when_the_officer_concerned_is_on_leave_a_colleague_gets_it_again() {
    let world = World::with_roster(&with_leave(ROSTER, "phe-hisar", "2022-07-20", "2022-07-25"));
    let id = world.submit("water", "hisar").await;
    assert_eq!(world.holder(id).await.officer, officer("phe-hisar"));
    world.act(id, "phe-hisar", Action::Resolve(Outcome::Fixed)).await;
    world.hours_pass(6 * 24).await;
    not_satisfied(&world, id).await;
    assert_eq!(world.with(id).await, "phe-hisar-sdo at district:hisar");
}

#[tokio::test]
async fn within_the_window_a_complaint_reopens_the_same_ticket_to_the_last_second() {
    for closed_by_silence in [false, true] {
        let world = World::small();
        let id = resolved(&world).await;
        if closed_by_silence {
            world.date_comes(id).await;
        } else {
            world.feedback(id, Verdict::Satisfied).await.unwrap();
        }
        let ticket = world.ticket(id).await;
        let State::Closed { reopen_until: Some(until), .. } = *ticket.state() else { panic!("{:?}", ticket.state()) };
        world.it_gets(until).await;
        let receipt = not_satisfied(&world, id).await;
        assert_eq!((receipt.ticket, receipt.standing), (id, Standing::Done));
        assert_eq!(world.with(id).await, "power-hisar at district:hisar");
        let latest = world.latest(id).await;
        assert!(
            matches!(
                latest.as_slice(),
                [TicketEvent::Reopened, TicketEvent::NotSatisfied { .. }, TicketEvent::Marked { .. }]
            ),
            "{latest:?}"
        );
        let ticket = world.ticket(id).await;
        assert_eq!(ticket.age(world.now()), until.duration_since(start()), "its age never began anew");
        assert_eq!(ticket.state().next_date(), Some(until + jiff::SignedDuration::from_hours(24)));
        // And it can be worked on like any other.
        world.act(id, "power-hisar", Action::Resolve(Outcome::Fixed)).await;
    }
}

#[tokio::test]
async fn after_the_window_a_complaint_becomes_a_new_ticket_that_is_linked_to_the_old_one() {
    let world = World::small();
    let id = resolved(&world).await;
    world.feedback(id, Verdict::Satisfied).await.unwrap();
    let before = world.ticket(id).await;
    world.hours_pass(5 * 24 + 1).await;
    let reason = || Feedback::new(id, asha(), Verdict::NotSatisfied).reason(said("The pole leans again"));
    let receipt = world.engine.feedback(reason()).await.unwrap();
    assert_ne!(receipt.ticket, id);
    assert_eq!((receipt.version, receipt.standing), (Version(1), Standing::Done));
    let follow_up = world.ticket(receipt.ticket).await;
    assert_eq!(follow_up.origin(), &Origin::FollowUp(id));
    assert_eq!((follow_up.age(world.now()).as_hours(), follow_up.remarks()), (0, 0));
    assert_eq!(
        world.with(receipt.ticket).await,
        "power-hisar at district:hisar",
        "routed by what the old one is about"
    );
    assert_eq!(world.ticket(id).await, before, "the old one stays closed as it was");

    // Said again while that is worked on, it is refused with its number: no second follow-up, and no words lost.
    let open = Err(ActError::FollowUpOpen { follow_up: receipt.ticket });
    assert_eq!(world.engine.feedback(reason()).await, open);
    assert_eq!(world.engine.feedback(reason().request(RequestId(9))).await, open);

    // The officer reads the matter, and the reason.
    let reads = world.reads(receipt.ticket, "power-hisar").await;
    assert_eq!(reads, ["Nobody has come since Monday", "The pole leans again"]);
    // And the complainant is known as the complainant of the new one.
    world.act(receipt.ticket, "power-hisar", Action::Resolve(Outcome::Fixed)).await;
    world.feedback(receipt.ticket, Verdict::Satisfied).await.unwrap();
}

#[tokio::test]
async fn the_follow_up_of_a_follow_up_still_shows_the_officer_what_it_is_about() {
    let world = World::small();
    let mut id = resolved(&world).await;
    for reason in ["It leans again", "And again"] {
        world.feedback(id, Verdict::Satisfied).await.unwrap();
        world.hours_pass(5 * 24 + 1).await;
        let feedback = Feedback::new(id, asha(), Verdict::NotSatisfied).reason(said(reason));
        id = world.engine.feedback(feedback).await.unwrap().ticket;
        world.holder_acts(id, Action::Resolve(Outcome::Fixed)).await;
    }
    let reads = world.reads(id, "power-hisar").await;
    assert!(reads.contains(&"Nobody has come since Monday".to_owned()), "the grievance itself is missing: {reads:?}");
    assert!(reads.contains(&"And again".to_owned()), "{reads:?}");
}

#[tokio::test]
async fn many_complaints_at_once_after_the_window_are_one_follow_up() {
    let world = World::small();
    let id = resolved(&world).await;
    world.feedback(id, Verdict::Satisfied).await.unwrap();
    world.hours_pass(5 * 24 + 1).await;
    let complaints = (0..16).map(|_| world.feedback(id, Verdict::NotSatisfied));
    let receipts = futures_util::future::join_all(complaints).await;
    let done: Vec<_> = receipts.iter().flatten().collect();
    assert_eq!((done.len(), done[0].standing), (1, Standing::Done));
    let follow_up = done[0].ticket;
    let told = |receipt: &&Result<_, _>| **receipt == Err(ActError::FollowUpOpen { follow_up });
    assert_eq!(receipts.iter().filter(told).count(), 15, "the others are told its number");
}

#[tokio::test]
async fn thank_you_never_reopens_a_closed_ticket() {
    let world = World::small();
    let id = resolved(&world).await;
    world.date_comes(id).await;
    let (before, end) = (world.ticket(id).await, world.end());
    assert_eq!(before.state().kind(), StateKind::Closed);
    for hours in [0, 24, 24 * 30] {
        world.hours_pass(hours).await;
        let refusal = refused(world.feedback(id, Verdict::Satisfied).await);
        assert!(matches!(refusal, Refusal::NotNow { action: ActionKind::Satisfied, state: StateKind::Closed, .. }));
    }
    assert_eq!((world.ticket(id).await, world.end()), (before, end));
}

#[tokio::test]
async fn feedback_on_what_is_not_answered_yet_is_refused_with_the_state_and_what_is_possible() {
    let world = World::small();
    let triage = world.submit("cattle", "hisar").await;
    let marked = world.submit("power", "hisar").await;
    let in_progress = world.submit("power", "hisar").await;
    world.act(in_progress, "power-hisar", Action::Acknowledge).await;
    let asked = world.submit("power", "hisar").await;
    world.act(asked, "power-hisar", Action::AskCitizen { until: at(50) }).await;
    let end = world.end();
    for (id, state) in [
        (triage, StateKind::Triage),
        (marked, StateKind::Marked),
        (in_progress, StateKind::InProgress),
        (asked, StateKind::Asked),
    ] {
        for (verdict, action) in
            [(Verdict::Satisfied, ActionKind::Satisfied), (Verdict::NotSatisfied, ActionKind::NotSatisfied)]
        {
            let refusal = refused(world.feedback(id, verdict).await);
            let Refusal::NotNow { action: asked_for, state: found, ref possible } = refusal else {
                panic!("{refusal}")
            };
            assert_eq!((asked_for, found), (action, state));
            assert!(possible.contains(&ActionKind::Withdraw), "{refusal}");
            assert!(refusal.to_string().contains(&state.to_string()), "{refusal}");
        }
        assert_eq!(world.state(id).await, state);
    }
    assert_eq!(world.end(), end);
}

#[tokio::test]
async fn feedback_of_someone_else_is_refused() {
    let world = World::small();
    let id = resolved(&world).await;
    let end = world.end();
    for author in [Author::new(Channel::X, "@neighbour"), Author::new(Channel::Facebook, haryana::ASHA)] {
        for verdict in [Verdict::Satisfied, Verdict::NotSatisfied] {
            let error = world.engine.feedback(Feedback::new(id, author.clone(), verdict)).await.unwrap_err();
            assert_eq!(error, ActError::NotTheComplainant);
        }
    }
    assert_eq!((world.state(id).await, world.end()), (StateKind::Resolved, end));
    let unknown = TicketId::from_number(77).unwrap();
    let error = world.feedback(unknown, Verdict::Satisfied).await.unwrap_err();
    assert_eq!(error, ActError::UnknownTicket { ticket: unknown });
}

#[tokio::test]
async fn the_same_feedback_twice_counts_once() {
    let world = World::small();
    let id = resolved(&world).await;
    not_satisfied(&world, id).await;
    let refusal = refused(world.feedback(id, Verdict::NotSatisfied).await);
    assert!(matches!(refusal, Refusal::NotNow { state: StateKind::Marked, .. }), "{refusal}");
    assert_eq!(world.ticket(id).await.remarks(), 1);

    // With a request id it is no error but the answer of the first time.
    world.act(id, "power-hisar", Action::Resolve(Outcome::Fixed)).await;
    let feedback = || Feedback::new(id, asha(), Verdict::NotSatisfied).request(RequestId::named("post 5"));
    let first = world.engine.feedback(feedback()).await.unwrap();
    let again = world.engine.feedback(feedback()).await.unwrap();
    assert_eq!((first.standing, again.standing, again.version), (Standing::Done, Standing::AlreadyDone, first.version));
    assert_eq!(world.ticket(id).await.remarks(), 2);
}

#[tokio::test]
async fn satisfaction_sent_twice_with_its_request_id_is_answered_the_same() {
    let world = World::small();
    let id = resolved(&world).await;
    let feedback = || Feedback::new(id, asha(), Verdict::Satisfied).request(RequestId::named("post 6"));
    let first = world.engine.feedback(feedback()).await.unwrap();
    world.hours_pass(24 * 30).await;
    let again = world.engine.feedback(feedback()).await.unwrap();
    assert_eq!((again.ticket, again.version, again.standing), (id, first.version, Standing::AlreadyDone));
}

#[tokio::test]
async fn the_reason_reaches_the_officer_and_whoever_has_it_next() {
    let world = World::small();
    let id = resolved(&world).await;
    let feedback = Feedback::new(id, asha(), Verdict::NotSatisfied).reason(said("Only the cover was replaced"));
    world.engine.feedback(feedback).await.unwrap();
    assert!(world.reads(id, "power-hisar").await.contains(&"Only the cover was replaced".to_owned()));
    world.act(id, "power-hisar", Action::Resolve(Outcome::Fixed)).await;
    let feedback = Feedback::new(id, asha(), Verdict::NotSatisfied).reason(said("Nobody came at all"));
    world.engine.feedback(feedback).await.unwrap();
    let reads = world.reads(id, "hisar-ctm").await;
    assert_eq!(
        reads,
        [
            "Nobody has come since Monday",
            "As the file shows",
            "Only the cover was replaced",
            "As the file shows",
            "Nobody came at all"
        ]
    );
    let error = world.engine.case_file(id, &officer("phe-hisar")).await.unwrap_err();
    assert_eq!(error, ReadError::NotAllowed { officer: officer("phe-hisar") });
}

#[tokio::test]
async fn a_withdrawn_ticket_is_closed_by_the_complainant_and_can_be_reopened_by_them() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.engine.act(Act::by_citizen(id, asha(), Action::Withdraw)).await.unwrap();
    not_satisfied(&world, id).await;
    assert_eq!(
        (world.state(id).await, world.ticket(id).await.desk()),
        (StateKind::Marked, Some(&desk("district:hisar")))
    );
}

#[tokio::test]
async fn a_complaint_behind_a_closed_follow_up_is_about_that_however_little_is_in_memory() {
    for closed_in_memory in [1_000, 1] {
        let mut limits = nivaran::Limits::default();
        limits.closed_in_memory = closed_in_memory;
        let world = World::of(haryana::rules(haryana::RULES), haryana::roster(haryana::ROSTER), |builder| {
            builder.limits(limits)
        });
        let first = resolved(&world).await;
        world.feedback(first, Verdict::Satisfied).await.unwrap();
        world.hours_pass(24 * 30).await;
        let follow_up = world.feedback(first, Verdict::NotSatisfied).await.unwrap().ticket;
        world.holder_acts(follow_up, Action::Resolve(Outcome::Fixed)).await;
        world.feedback(follow_up, Verdict::Satisfied).await.unwrap();
        // Others close meanwhile.
        for _ in 0..3 {
            let other = resolved(&world).await;
            world.feedback(other, Verdict::Satisfied).await.unwrap();
        }
        world.engine.tick().await;
        let again = world.feedback(first, Verdict::NotSatisfied).await.unwrap();
        assert_eq!((again.ticket, again.standing), (follow_up, Standing::Done), "{closed_in_memory} in memory");
        assert_eq!(world.state(follow_up).await, StateKind::Marked);
    }
}

#[tokio::test]
async fn a_complaint_that_became_a_follow_up_counts_once_by_its_request_id_whatever_came_of_it() {
    let world = World::small();
    let first = resolved(&world).await;
    world.feedback(first, Verdict::Satisfied).await.unwrap();
    world.hours_pass(24 * 30).await;
    let complaint = || Feedback::new(first, asha(), Verdict::NotSatisfied).request(RequestId(4));
    let follow_up = world.engine.feedback(complaint()).await.unwrap().ticket;
    for _ in 0..3 {
        let again = world.engine.feedback(complaint()).await.unwrap();
        assert_eq!((again.ticket, again.standing), (follow_up, Standing::AlreadyDone));
        if world.state(follow_up).await == StateKind::Marked {
            world.holder_acts(follow_up, Action::Resolve(Outcome::Fixed)).await;
        } else if world.state(follow_up).await == StateKind::Resolved {
            world.feedback(follow_up, Verdict::Satisfied).await.unwrap();
        }
    }
    assert_eq!((world.state(follow_up).await, world.ticket(follow_up).await.remarks()), (StateKind::Closed, 0));
}
