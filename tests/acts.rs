//! What officers and the complainant do to a ticket, through the engine: each act, what it leads to, who may read.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod haryana;

use haryana::{ASHA, ROSTER, RULES, World, asha, at, by, desk, officer, roster, rules, said, start};
use haryana::{with_deputy, with_leave};
use nivaran::engine::{CaseFile, ReadError};
use nivaran::grievance::{Against, Confidentiality};
use nivaran::personal::Personal;
use nivaran::ticket::{
    ActionKind, By, ClosedBy, Grounds, MarkReason, Notice, ParkReason, Recipient, Refusal, Review, State, StateKind,
    TicketEvent, Version,
};
use nivaran::{Act, ActError, Action, Author, Channel, Complainant, Grievance, Outcome, Policy, Receipt, RequestId};
use nivaran::{Source, Standing, TicketId, Verdict};

fn reviewing() -> Policy {
    let mut policy = Policy::default();
    policy.review = Review::NodalOfficer;
    policy
}

fn refused(result: Result<Receipt, ActError>) -> Refusal {
    match result {
        Err(ActError::Refused(refusal)) => refusal,
        other => panic!("a refusal was expected: {other:?}"),
    }
}

/// Who is told what because of the events of the latest entry.
async fn told(world: &World, ticket: TicketId) -> Vec<Notice> {
    let notices = world.latest(ticket).await.into_iter().filter_map(|event| event.notice(ticket));
    notices.map(|(_, notice)| notice).collect()
}

// ---- acknowledge, resolve, review, reject ------------------------------------------------------------------------

#[tokio::test]
async fn the_officer_acknowledges_and_the_deadline_stays() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.hours_pass(5).await;
    let receipt = world.act(id, "power-hisar", Action::Acknowledge).await;
    assert_eq!((receipt.version, receipt.standing), (Version(2), Standing::Done));
    assert_eq!(world.ticket(id).await.state(), &State::InProgress { due: at(24) });
    let entry = world.history(id).await.pop().unwrap();
    assert_eq!((entry.by, entry.at), (By::Officer(officer("power-hisar")), at(5)));
    assert_eq!(entry.events, [TicketEvent::Acknowledged]);
}

#[tokio::test]
async fn a_report_on_a_marked_ticket_acknowledges_it_too_and_asks_the_complainant() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::Resolve(Outcome::PartlyFixed)).await;
    let ticket = world.ticket(id).await;
    let silence_at = at(7 * 24);
    assert_eq!(ticket.state(), &State::Resolved { outcome: Outcome::PartlyFixed, at: start(), silence_at });
    let kinds: Vec<_> = world.latest(id).await.iter().map(ToString::to_string).collect();
    assert_eq!(kinds[0], "acknowledged");
    assert!(kinds[1].contains("report filed") && kinds[2].contains("the complainant is asked"), "{kinds:?}");
    assert_eq!(told(&world, id).await, [Notice::Answered(id, Outcome::PartlyFixed, silence_at)]);
}

#[tokio::test]
async fn under_review_the_nodal_officer_approves_before_the_citizen_sees_the_report() {
    let world = World::with_policy(reviewing());
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::Resolve(Outcome::Fixed)).await;
    assert_eq!(world.ticket(id).await.state(), &State::UnderReview { outcome: Outcome::Fixed, due: at(48) });
    assert_eq!(told(&world, id).await, [], "it is not the citizen's yet");
    // The one who wrote it does not approve it.
    let refusal = refused(world.try_act(id, "power-hisar", Action::Approve).await);
    assert!(matches!(refusal, Refusal::NotYours { action: ActionKind::Approve, .. }), "{refusal}");
    world.act(id, "hisar-ctm", Action::Approve).await;
    assert_eq!(world.state(id).await, StateKind::Resolved);
    assert_eq!(told(&world, id).await, [Notice::Answered(id, Outcome::Fixed, at(7 * 24))]);
}

#[tokio::test]
async fn under_review_the_nodal_officer_sends_a_report_back_with_a_fresh_deadline_and_the_reason() {
    let world = World::with_policy(reviewing());
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::Resolve(Outcome::Fixed)).await;
    world.hours_pass(10).await;
    let back = by(id, "hisar-ctm", Action::SendBack).statement(said("No photograph of the new pole"));
    world.engine.act(back).await.unwrap();
    assert_eq!(world.ticket(id).await.state(), &State::InProgress { due: at(10 + 24) });
    assert!(world.reads(id, "power-hisar").await.contains(&"No photograph of the new pole".to_owned()));
    world.act(id, "power-hisar", Action::Resolve(Outcome::Fixed)).await;
    world.act(id, "cms", Action::Approve).await;
    assert_eq!(world.state(id).await, StateKind::Resolved, "the control desk may approve as well");
}

#[tokio::test]
async fn the_deputy_of_a_nodal_officer_on_leave_reviews_in_their_place_and_only_then() {
    let text = with_leave(&with_deputy(ROSTER, "hisar-ctm", "phe-hisar"), "hisar-ctm", "2022-07-15", "2022-07-15");
    let world = World::of(rules(RULES), roster(&text), |builder| builder.policy(reviewing()));
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::Resolve(Outcome::Fixed)).await;
    let refusal = refused(world.try_act(id, "phe-hisar", Action::Approve).await);
    assert!(matches!(refusal, Refusal::NotYours { .. }), "{refusal}");
    world.hours_pass(24).await;
    world.act(id, "phe-hisar", Action::Approve).await;
    assert_eq!(world.state(id).await, StateKind::Resolved);
}

#[tokio::test]
async fn a_report_declares_no_rejection_and_no_withdrawal_and_a_ticket_is_no_duplicate_of_itself() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    for outcome in [Outcome::Rejected(Grounds::Abuse), Outcome::Withdrawn] {
        let refusal = refused(world.try_act(id, "power-hisar", Action::Resolve(outcome.clone())).await);
        assert_eq!(refusal, Refusal::NotForReports { outcome });
    }
    let refusal = refused(world.try_act(id, "power-hisar", Action::Resolve(Outcome::Duplicate(id))).await);
    assert_eq!(refusal, Refusal::DuplicateOfItself);
    assert_eq!(world.state(id).await, StateKind::Marked);
    let other = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::Resolve(Outcome::Duplicate(other))).await;
}

#[tokio::test]
async fn a_nodal_officers_own_report_needs_no_review() {
    let world = World::with_policy(reviewing());
    let id = world.submit("bribe", "hisar").await;
    assert_eq!(world.with(id).await, "hisar-ctm at district:hisar");
    world.act(id, "hisar-ctm", Action::Resolve(Outcome::CannotBeDone)).await;
    assert_eq!(world.state(id).await, StateKind::Resolved);
}

#[tokio::test]
async fn a_rejection_has_grounds_and_can_be_appealed() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::Reject(Grounds::SubJudice)).await;
    let outcome = Outcome::Rejected(Grounds::SubJudice);
    assert_eq!(world.ticket(id).await.state(), &State::Rejected { outcome, at: start(), silence_at: at(7 * 24) });
    world.feedback(id, Verdict::NotSatisfied).await.unwrap();
    assert_eq!(
        (world.state(id).await, world.with(id).await.as_str()),
        (StateKind::Marked, "power-hisar at district:hisar")
    );
}

#[tokio::test]
async fn the_control_desk_rejects_what_is_no_grievance_out_of_triage() {
    let world = World::small();
    let id = world.submit("cattle", "hisar").await;
    world.act(id, "cms", Action::Reject(Grounds::NotAGrievance)).await;
    assert_eq!(world.state(id).await, StateKind::Rejected);
}

// ---- forward, return, correct ------------------------------------------------------------------------------------

#[tokio::test]
async fn an_officer_forwards_to_a_named_desk_with_a_reason_and_the_deadline_restarts() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.hours_pass(20).await;
    let forward = by(id, "power-hisar", Action::Forward(Some(desk("department:phe"))));
    world.engine.act(forward.statement(said("The pump is theirs"))).await.unwrap();
    let ticket = world.ticket(id).await;
    assert_eq!(world.with(id).await, "phe-se at department:phe");
    assert_eq!(ticket.state(), &State::Marked { due: at(20 + 24) });
    assert_eq!((ticket.transfers(), ticket.earlier_desks()), (1, &[desk("district:hisar")][..]));
    assert_eq!(ticket.age(world.now()).as_hours(), 20, "the whole age goes on");
    assert!(world.reads(id, "phe-se").await.contains(&"The pump is theirs".to_owned()));
    let now_with = Notice::NowWith(id, world.holder(id).await, MarkReason::Forwarded);
    assert_eq!(told(&world, id).await, [now_with]);
}

#[tokio::test]
async fn a_ticket_is_never_forwarded_in_a_circle() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::Forward(Some(desk("department:phe")))).await;
    let here = refused(world.try_act(id, "phe-se", Action::Forward(Some(desk("department:phe")))).await);
    assert_eq!(here, Refusal::HadItAlready { desk: desk("department:phe") });
    let back = refused(world.try_act(id, "phe-se", Action::Forward(Some(desk("district:hisar")))).await);
    assert_eq!(back, Refusal::HadItAlready { desk: desk("district:hisar") });
    assert_eq!(world.with(id).await, "phe-se at department:phe");
    // Only the control desk may send it back to where it was.
    world.act(id, "cms-triage", Action::Forward(Some(desk("district:hisar")))).await;
    assert_eq!(world.with(id).await, "power-hisar at district:hisar");
}

#[tokio::test]
async fn forwarded_by_the_rules_it_goes_where_they_say_unless_it_was_there_and_then_to_the_control_desk() {
    let world = World::small();
    let id = world.submit("water", "hisar").await;
    world.holder_acts(id, Action::Forward(Some(desk("department:power")))).await;
    // The rules say Hisar, which had it.
    world.act(id, "power-state", Action::Forward(None)).await;
    assert_eq!(world.with(id).await, "cms-triage at control");

    let other = world.submit("cattle", "rohtak").await;
    world.act(other, "cms", Action::Forward(Some(desk("department:power")))).await;
    world.act(other, "power-state", Action::ChangeCategory("water".parse().unwrap())).await;
    assert_eq!(world.with(other).await, "phe-rohtak at district:rohtak");
}

#[tokio::test]
async fn when_the_transfers_are_used_up_the_next_goes_to_the_control_desk() {
    let mut policy = Policy::default();
    policy.most_transfers = 1;
    let world = World::with_policy(policy);
    let id = world.submit("water", "hisar").await;
    world.holder_acts(id, Action::Forward(Some(desk("department:power")))).await;
    world.act(id, "power-state", Action::Forward(Some(desk("district:rohtak")))).await;
    assert_eq!(world.with(id).await, "cms-triage at control");
    let latest = world.latest(id).await;
    assert!(matches!(latest.last(), Some(TicketEvent::Marked { why: MarkReason::UsedUp, .. })), "{latest:?}");
}

#[tokio::test]
async fn an_officer_returns_in_time_what_is_not_theirs_and_too_late_is_told_until_when_it_was_possible() {
    let mut policy = Policy::default();
    policy.return_within = nivaran::calendar::Hours::new(20).unwrap();
    let world = World::with_policy(policy);
    let [in_time, too_late] = [world.submit("power", "hisar").await, world.submit("power", "hisar").await];
    world.hours_pass(20).await;
    world.act(in_time, "power-hisar", Action::Return).await;
    assert_eq!(world.with(in_time).await, "cms-triage at control");
    assert_eq!(world.ticket(in_time).await.transfers(), 0);
    world.clock.set(at(21));
    let refusal = refused(world.try_act(too_late, "power-hisar", Action::Return).await);
    assert!(matches!(refusal, Refusal::TooLateToReturn { until, .. } if until == at(20)), "{refusal}");
    assert!(refusal.to_string().contains("forward it instead"), "{refusal}");
    assert_eq!(world.with(too_late).await, "power-hisar at district:hisar");
}

#[tokio::test]
async fn a_corrected_category_keeps_number_and_history_is_routed_again_and_tells_the_complainant() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let before = world.history(id).await;
    world.hours_pass(2).await;
    let receipt = world.act(id, "power-hisar", Action::ChangeCategory("water/sewer".parse().unwrap())).await;
    assert_eq!(receipt.ticket, id);
    let ticket = world.ticket(id).await;
    assert_eq!((ticket.id(), ticket.version()), (id, Version(2)));
    assert_eq!(ticket.filing().category.as_ref().map(ToString::to_string).as_deref(), Some("water/sewer"));
    assert_eq!(ticket.routing().map(|routing| routing.row.as_str()), Some("W-2"));
    assert_eq!(world.with(id).await, "phe-se at department:phe");
    assert_eq!(ticket.state(), &State::Marked { due: at(2 + 48) }, "the new row's hours");
    assert_eq!(ticket.age(world.now()).as_hours(), 2);
    let after = world.history(id).await;
    assert_eq!(after[..1], before[..], "what was before is there still");
    let events = world.latest(id).await;
    let [TicketEvent::CategoryChanged { from: Some(from), to }, TicketEvent::Routed(_), TicketEvent::Marked { .. }] =
        events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!((from.as_str(), to.as_str()), ("power", "water/sewer"));
    let notices = events.iter().filter_map(|event| event.notice(id)).collect::<Vec<_>>();
    let [(Recipient::Complainant, notice)] = notices.as_slice() else { panic!("{notices:?}") };
    assert_eq!(*notice, Notice::NowWith(id, world.holder(id).await, MarkReason::CategoryChanged));
    let words = notice.to_string();
    for said in [id.to_string().as_str(), "phe-se", "department:phe", "category was corrected"] {
        assert!(words.contains(said), "{said} in {words}");
    }
}

#[tokio::test]
async fn a_corrected_place_moves_the_ticket_to_that_districts_desk() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::ChangePlace("rohtak/meham".parse().unwrap())).await;
    let ticket = world.ticket(id).await;
    assert_eq!((ticket.id(), ticket.version()), (id, Version(2)));
    assert_eq!(world.with(id).await, "power-rohtak at district:rohtak");
    let now_with = Notice::NowWith(id, world.holder(id).await, MarkReason::PlaceChanged);
    assert!(now_with.to_string().contains("because its place was corrected"), "{now_with}");
    assert_eq!(told(&world, id).await, [now_with]);
    let same = refused(world.try_act(id, "power-rohtak", Action::ChangePlace("rohtak/meham".parse().unwrap())).await);
    assert_eq!(same, Refusal::NothingChanges);
}

#[tokio::test]
async fn a_correction_after_which_the_ticket_stays_at_its_desk_wins_no_time() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.hours_pass(20).await;
    world.act(id, "power-hisar", Action::ChangeCategory("power/outage".parse().unwrap())).await;
    assert_eq!((world.with(id).await.as_str(), world.due(id).await), ("power-hisar at district:hisar", Some(at(24))));
}

#[tokio::test]
async fn a_category_corrected_to_what_no_row_routes_puts_the_ticket_into_triage() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::ChangeCategory("cattle".parse().unwrap())).await;
    assert_eq!((world.state(id).await, world.with(id).await.as_str()), (StateKind::Triage, "cms-triage at control"));
}

// ---- waiting -----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_citizen_is_asked_and_answers_and_what_was_left_of_the_deadline_is_left_still() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.hours_pass(4).await;
    let ask = by(id, "power-hisar", Action::AskCitizen { until: at(4 + 72) }).statement(said("Which pole is it?"));
    world.engine.act(ask).await.unwrap();
    assert_eq!((world.state(id).await, world.due(id).await), (StateKind::Asked, Some(at(76))));
    assert_eq!(told(&world, id).await, [Notice::Question(id, at(76))]);
    world.hours_pass(30).await;
    assert_eq!(world.state(id).await, StateKind::Asked, "the deadline of 24 hours rests");
    let answer = Act::by_citizen(id, asha(), Action::CitizenAnswers).statement(said("The one at the temple"));
    world.engine.act(answer).await.unwrap();
    assert_eq!(world.ticket(id).await.state(), &State::InProgress { due: at(34 + 20) }, "20 of 24 hours were left");
    assert!(world.reads(id, "power-hisar").await.contains(&"The one at the temple".to_owned()));
    assert_eq!(world.history(id).await.pop().unwrap().by, By::Citizen);
}

#[tokio::test]
async fn a_citizen_who_does_not_answer_does_not_hold_the_ticket_up() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::AskCitizen { until: at(72) }).await;
    world.date_comes(id).await;
    assert_eq!(world.ticket(id).await.state(), &State::InProgress { due: at(72 + 24) });
}

#[tokio::test]
async fn a_parked_ticket_rests_until_its_date_and_then_goes_on() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.hours_pass(14).await;
    world.act(id, "power-hisar", Action::Park { until: at(500), why: ParkReason::WorkPlanned }).await;
    assert_eq!(told(&world, id).await, [Notice::Rests(id, at(500))]);
    world.it_gets(at(499)).await;
    assert_eq!(world.state(id).await, StateKind::Parked);
    // Parked again, the date moves, and the deadline goes on resting from the first time.
    world.act(id, "power-hisar", Action::Park { until: at(600), why: ParkReason::AwaitingFunds }).await;
    world.it_gets(at(599)).await;
    assert_eq!((world.state(id).await, world.due(id).await), (StateKind::Parked, Some(at(600))));
    world.it_gets(at(600)).await;
    assert_eq!(world.ticket(id).await.state(), &State::InProgress { due: at(600 + 10) });
    assert_eq!(world.history(id).await.pop().unwrap().by, By::System);
}

#[tokio::test]
async fn a_ticket_rests_for_no_longer_than_the_policy_lets_it_and_never_until_a_date_gone_by() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let park = |until| Action::Park { until, why: ParkReason::WorkPlanned };
    let refusal = refused(world.try_act(id, "power-hisar", park(at(180 * 24 + 1))).await);
    assert_eq!(refusal, Refusal::DateTooFar { date: at(180 * 24 + 1), latest: at(180 * 24) });
    let refusal = refused(world.try_act(id, "power-hisar", park(start())).await);
    assert_eq!(refusal, Refusal::DatePast { date: start(), now: start() });
    world.act(id, "power-hisar", park(at(180 * 24))).await;
}

#[tokio::test]
async fn an_interim_reply_moves_the_deadline_to_its_date_and_only_so_often() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    for next in [40, 50, 60] {
        world.act(id, "power-hisar", Action::InterimReply { next: at(next) }).await;
        assert_eq!(world.ticket(id).await.state(), &State::InProgress { due: at(next) });
        assert_eq!(told(&world, id).await, [Notice::Interim(id, at(next))]);
    }
    let refusal = refused(world.try_act(id, "power-hisar", Action::InterimReply { next: at(70) }).await);
    assert_eq!(refusal, Refusal::InterimRepliesUsedUp { limit: 3 });
    assert_eq!(world.due(id).await, Some(at(60)));
}

// ---- parts -------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn several_departments_work_on_one_number_and_only_the_lead_resolves_when_the_parts_are_done() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::Assist(desk("department:phe"))).await;
    assert_eq!(
        (world.state(id).await, world.with(id).await.as_str()),
        (StateKind::InProgress, "power-hisar at district:hisar")
    );
    let latest = world.latest(id).await;
    let notice = latest.iter().find_map(|event| event.notice(id));
    assert_eq!(notice, Some((Recipient::Desk(desk("department:phe")), Notice::PartAsked(id, 1))));

    let refusal = refused(world.try_act(id, "power-hisar", Action::Resolve(Outcome::Fixed)).await);
    assert_eq!(refusal, Refusal::PartsOpen { open: 1 });
    let refusal = refused(world.try_act(id, "power-hisar", Action::Assist(desk("department:phe"))).await);
    assert_eq!(refusal, Refusal::AlreadyAsked { desk: desk("department:phe") });
    let refusal = refused(world.try_act(id, "phe-se", Action::Resolve(Outcome::Fixed)).await);
    assert!(matches!(refusal, Refusal::NotYours { .. }), "who does a part is not the lead: {refusal}");
    let refusal = refused(world.try_act(id, "phe-se", Action::PartDone(2)).await);
    assert_eq!(refusal, Refusal::NoSuchPart { part: 2 });

    // Any officer of the desk that was asked may report it, and read the case for it.
    assert_eq!(world.reads(id, "phe-state").await.len(), 2);
    world.act(id, "phe-se", Action::PartDone(1)).await;
    assert_eq!(world.ticket(id).await.open_parts(), []);
    world.act(id, "power-hisar", Action::Resolve(Outcome::Fixed)).await;
    assert_eq!(world.state(id).await, StateKind::Resolved);
}

#[tokio::test]
async fn a_part_is_reported_done_by_the_desk_that_was_asked_for_it_and_not_by_another_one() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::Assist(desk("department:phe"))).await;
    world.act(id, "power-hisar", Action::Assist(desk("department:vigilance"))).await;
    let others = world.try_act(id, "vigilance-state", Action::PartDone(1)).await;
    assert!(others.is_err(), "part 1 was asked of department:phe, and {others:?}");
    assert_eq!(world.ticket(id).await.open_parts().len(), 2);
}

// ---- the complainant ---------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_complainant_withdraws_whatever_the_state() {
    let world = World::small();
    let ids = [world.submit("power", "hisar").await, world.submit("cattle", "hisar").await];
    for id in ids {
        world.engine.act(Act::by_citizen(id, asha(), Action::Withdraw)).await.unwrap();
        let ticket = world.ticket(id).await;
        let State::Closed { by, outcome, .. } = ticket.state() else { panic!("{:?}", ticket.state()) };
        assert_eq!((*by, outcome), (ClosedBy::Withdrawn, &Outcome::Withdrawn));
    }
}

#[tokio::test]
async fn only_the_complainant_speaks_for_the_complainant() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let stranger = Author::new(Channel::X, "@someone_else");
    let error = world.engine.act(Act::by_citizen(id, stranger, Action::Withdraw)).await.unwrap_err();
    assert_eq!(error, ActError::NotTheComplainant);
    // The same name on another channel is another person.
    let elsewhere = Author::new(Channel::Facebook, ASHA);
    let error = world.engine.act(Act::by_citizen(id, elsewhere, Action::Withdraw)).await.unwrap_err();
    assert_eq!(error, ActError::NotTheComplainant);
    // However the handle is written.
    world.engine.act(Act::by_citizen(id, Author::new(Channel::X, " Asha_Hisar "), Action::Withdraw)).await.unwrap();
}

#[tokio::test]
async fn a_complainant_without_a_handle_is_known_by_their_contact() {
    let world = World::small();
    let complainant = Complainant { contact: Some("99911-22333".to_owned()), ..Complainant::default() };
    let source = Source::new(Channel::Counter, "CMW/7").unwrap();
    let grievance = Grievance::builder(source, "No supply").complainant(complainant).build().unwrap();
    let id = world.engine.submit(grievance).await.unwrap().ticket;
    let known = Author::new(Channel::Counter, "99911-22333");
    world.engine.act(Act::by_citizen(id, known, Action::Withdraw)).await.unwrap();
    assert_eq!(world.state(id).await, StateKind::Closed);
}

// ---- versions and request ids ------------------------------------------------------------------------------------

#[tokio::test]
async fn an_act_that_expects_another_version_changes_nothing() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::Acknowledge).await;
    let stale = by(id, "power-hisar", Action::Resolve(Outcome::Fixed)).expecting(Version(1));
    let refusal = refused(world.engine.act(stale).await);
    assert_eq!(refusal, Refusal::Stale { expected: Version(1), actual: Version(2) });
    assert_eq!(world.state(id).await, StateKind::InProgress);
    let right = by(id, "power-hisar", Action::Resolve(Outcome::Fixed)).expecting(Version(2));
    assert_eq!(world.engine.act(right).await.unwrap().version, Version(3));
}

#[tokio::test]
async fn an_act_sent_twice_with_its_request_id_happens_once() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let request = RequestId::named("app 7731");
    let park = || by(id, "power-hisar", Action::Park { until: at(90), why: ParkReason::WorkPlanned }).request(request);
    let first = world.engine.act(park()).await.unwrap();
    assert_eq!((first.version, first.standing), (Version(2), Standing::Done));
    let end = world.end();
    let again = world.engine.act(park()).await.unwrap();
    assert_eq!((again.version, again.standing), (Version(2), Standing::AlreadyDone));
    assert_eq!(world.end(), end);
    // Another id is another act.
    let other = world.engine.act(park().request(RequestId::named("app 7732"))).await.unwrap();
    assert_eq!((other.version, other.standing), (Version(3), Standing::Done));
}

#[tokio::test]
async fn a_forward_sent_twice_happens_once_though_another_desk_has_the_ticket_now() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let request = RequestId::named("app 7731");
    let forward = || by(id, "power-hisar", Action::Forward(Some(desk("department:phe")))).request(request);
    world.engine.act(forward()).await.unwrap();
    let again = world.engine.act(forward()).await.unwrap();
    assert_eq!((again.version, again.standing), (Version(2), Standing::AlreadyDone));
    assert_eq!(world.ticket(id).await.version(), Version(2));
}

#[tokio::test]
async fn a_withdrawal_sent_twice_happens_once_though_the_ticket_is_closed_by_it() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let withdraw = || Act::by_citizen(id, asha(), Action::Withdraw).request(RequestId::named("post 17"));
    world.engine.act(withdraw()).await.unwrap();
    // So that the desk has let go of the closed ticket.
    world.engine.tick().await;
    let again = world.engine.act(withdraw()).await.map(|receipt| (receipt.version, receipt.standing));
    assert_eq!(again, Ok((Version(2), Standing::AlreadyDone)));
}

// ---- the case file -----------------------------------------------------------------------------------------------

fn complainant(file: &CaseFile) -> &Complainant {
    let Some((_, Personal::Grievance(grievance))) = file.records.first() else { panic!("{file:?}") };
    &grievance.complainant
}

#[tokio::test]
async fn the_case_file_shows_grievance_and_statements_in_order_to_those_who_may_read_it() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let park = Action::Park { until: at(48), why: ParkReason::WorkPlanned };
    world.engine.act(by(id, "power-hisar", park).statement(said("A crane comes on Saturday"))).await.unwrap();
    let expected = ["Nobody has come since Monday", "A crane comes on Saturday"];
    // The holder, the desk's nodal officer, the control desk.
    for reader in ["power-hisar", "hisar-ctm", "cms", "cms-triage"] {
        assert_eq!(world.reads(id, reader).await, expected, "{reader}");
    }
    let file = world.engine.case_file(id, &officer("power-hisar")).await.unwrap();
    let versions: Vec<_> = file.records.iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, [Version(1), Version(2)]);
    assert_eq!(complainant(&file).handle.as_deref(), Some(ASHA));
}

#[tokio::test]
async fn the_case_file_is_closed_to_strangers() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    for stranger in ["phe-hisar", "power-rohtak", "rohtak-ctm", "power-state", "nobody-at-all"] {
        let error = world.engine.case_file(id, &officer(stranger)).await.unwrap_err();
        assert_eq!(error, ReadError::NotAllowed { officer: officer(stranger) });
    }
    // Who had it and forwarded it is a stranger now.
    world.act(id, "power-hisar", Action::Forward(Some(desk("department:phe")))).await;
    let error = world.engine.case_file(id, &officer("power-hisar")).await.unwrap_err();
    assert_eq!(error, ReadError::NotAllowed { officer: officer("power-hisar") });
    let unknown = TicketId::from_number(4_711).unwrap();
    let error = world.engine.case_file(unknown, &officer("cms")).await.unwrap_err();
    assert_eq!(error, ReadError::UnknownTicket { ticket: unknown });
}

#[tokio::test]
async fn in_a_confidential_case_only_the_holder_sees_who_complained() {
    let world = World::small();
    let grievance = world.grievance("power", "hisar").conversation("thread 9");
    let id = world.file(grievance.confidentiality(Confidentiality::Confidential)).await;
    let holder = world.engine.case_file(id, &officer("power-hisar")).await.unwrap();
    assert_eq!(complainant(&holder).handle.as_deref(), Some(ASHA));
    for reader in ["hisar-ctm", "cms"] {
        let file = world.engine.case_file(id, &officer(reader)).await.unwrap();
        let Some((_, Personal::Grievance(grievance))) = file.records.first() else { panic!() };
        assert_eq!(grievance.text, "Nobody has come since Monday", "the matter itself is theirs to read");
        assert_eq!(grievance.complainant, Complainant::default(), "{reader}");
        assert_eq!((grievance.source_id.as_str(), &grievance.conversation), ("", &None), "{reader}");
    }
    // With the next holder it is the next holder's to know.
    world.date_comes(id).await;
    assert_eq!(world.with(id).await, "hisar-ctm at district:hisar");
    let file = world.engine.case_file(id, &officer("hisar-ctm")).await.unwrap();
    assert_eq!(complainant(&file).handle.as_deref(), Some(ASHA));
}

#[tokio::test]
async fn nobody_reads_a_complaint_about_themselves_whatever_their_office() {
    let world = World::small();
    let about_magistrate = Against::Officer(officer("hisar-ctm"));
    let id = world.file(world.grievance("power", "hisar").against(about_magistrate)).await;
    let about_control = world.file(world.grievance("power", "hisar").against(Against::Officer(officer("cms")))).await;
    for (id, accused) in [(id, "hisar-ctm"), (about_control, "cms"), (about_control, "cms-triage")] {
        let error = world.engine.case_file(id, &officer(accused)).await.unwrap_err();
        assert_eq!(error, ReadError::NotAllowed { officer: officer(accused) });
    }
}

#[tokio::test]
async fn a_request_id_names_one_act_of_one_party() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let request = RequestId::named("app 7731");
    world.engine.act(by(id, "power-hisar", Action::Acknowledge).request(request)).await.unwrap();
    let refused = Err(ActError::Refused(Refusal::RequestUsed { request }));
    let resolve = by(id, "power-hisar", Action::Resolve(Outcome::Fixed)).request(request);
    assert_eq!(world.engine.act(resolve).await, refused, "the report was not filed, and that is said");
    assert_eq!(world.engine.act(by(id, "ghost", Action::Acknowledge).request(request)).await, refused);
    assert_eq!(world.ticket(id).await.version(), Version(2));
}

#[tokio::test]
async fn a_duplicate_is_of_a_ticket_that_was_there() {
    let world = World::small();
    let first = world.submit("power", "hisar").await;
    let second = world.submit("power", "hisar").await;
    let nobody = TicketId::from_number(777_777).unwrap();
    let holder = world.holder(second).await.officer;
    let of = |ticket| Action::Resolve(Outcome::Duplicate(ticket));
    let unknown = world.try_act(second, holder.as_str(), of(nobody)).await;
    assert_eq!(unknown, Err(ActError::UnknownTicket { ticket: nobody }));
    assert_eq!(world.ticket(second).await.version(), Version(1));
    world.act(second, holder.as_str(), of(first)).await;
    assert_eq!(world.state(second).await, StateKind::Resolved);
}

#[tokio::test]
async fn nobody_reviews_their_own_report() {
    let mut policy = Policy::default();
    policy.review = Review::NodalOfficer;
    let world = World::with_policy(policy);
    let id = world.submit("power", "hisar").await;
    world.act(id, "cms", Action::Forward(Some(desk("control")))).await;
    let holder = world.holder(id).await.officer;
    assert_ne!(holder.as_str(), "cms", "an officer of the control desk who is not its nodal officer");
    world.act(id, holder.as_str(), Action::Resolve(Outcome::Fixed)).await;
    assert_eq!(world.state(id).await, StateKind::UnderReview);
    for action in [Action::Approve, Action::SendBack] {
        let own = world.try_act(id, holder.as_str(), action).await;
        assert_eq!(own, Err(ActError::Refused(Refusal::OwnReport)));
    }
    world.act(id, "cms", Action::Approve).await;
    assert_eq!(world.state(id).await, StateKind::Resolved);
}

#[tokio::test]
async fn an_interim_reply_lets_a_parked_ticket_rest_no_longer_than_parking_does() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let days = |days: i64| at(24 * days);
    world.holder_acts(id, Action::Park { until: days(180), why: ParkReason::SubJudice }).await;
    world.hours_pass(24 * 100).await;
    let holder = world.holder(id).await.officer;
    let reply = world.try_act(id, holder.as_str(), Action::InterimReply { next: days(279) }).await;
    assert_eq!(reply, Err(ActError::Refused(Refusal::DateTooFar { date: days(279), latest: days(180) })));
}
