//! A complaint against an officer or a desk never reaches them, by whatever way a ticket moves.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod haryana;

use haryana::{ROSTER, World, at, by, desk, officer, roster, with_deputy, with_leave, without};
use nivaran::engine::ReadError;
use nivaran::grievance::Against;
use nivaran::ticket::{Refusal, StateKind, TriageReason};
use nivaran::{ActError, Action, GrievanceError, Outcome, SubmitError, TicketId, Verdict};

fn against(accused: &str) -> Against {
    match accused.parse() {
        Ok(desk) => Against::Desk(desk),
        Err(_) => Against::Officer(officer(accused)),
    }
}

async fn complain(world: &World, category: &str, place: &str, accused: &str) -> TicketId {
    world.file(world.grievance(category, place).against(against(accused))).await
}

/// Everyone who must not have a ticket against `accused`: they, their deputy, and who sits below them.
fn barred(accused: &str) -> &'static [&'static str] {
    match accused {
        "phe-hisar" => &["phe-hisar"],
        "power-hisar" => &["power-hisar"],
        "cms-triage" => &["cms-triage"],
        "phe-se" => &["phe-se"],
        "hisar-ctm" | "district:hisar" => &["hisar-ctm", "phe-hisar", "phe-hisar-sdo", "power-hisar"],
        "phe-state" | "department:phe" => &["phe-state", "phe-se", "phe-hisar", "phe-hisar-sdo", "phe-rohtak"],
        "vigilance-state" => &["vigilance-state"],
        "cms" | "control" => &["cms", "cms-triage"],
        other => panic!("say who is below {other}"),
    }
}

const ACCUSED: [&str; 11] = [
    "phe-hisar",
    "power-hisar",
    "hisar-ctm",
    "district:hisar",
    "phe-se",
    "phe-state",
    "department:phe",
    "vigilance-state",
    "cms-triage",
    "cms",
    "control",
];
const DESKS: [&str; 6] =
    ["district:hisar", "district:rohtak", "department:phe", "department:power", "department:vigilance", "control"];

/// Checks that nobody barred ever had the ticket, can read it or act on it; how often it was given to somebody.
async fn is_kept_from(world: &World, id: TicketId, accused: &str) -> usize {
    let holders = world.holders(id).await;
    for holder in &holders {
        assert!(!barred(accused).contains(&holder.officer.as_str()), "{accused} accused, and {holder} had it");
    }
    for reader in barred(accused) {
        let file = world.engine.case_file(id, &officer(reader)).await;
        assert_eq!(file, Err(ReadError::NotAllowed { officer: officer(reader) }), "{accused} accused");
    }
    holders.len()
}

#[tokio::test]
async fn a_fresh_complaint_never_goes_to_those_it_is_about() {
    let world = World::small();
    for accused in ACCUSED {
        for category in ["water", "water/sewer", "power", "bribe", "cattle"] {
            for place in ["hisar", "rohtak", ""] {
                let id = complain(&world, category, place, accused).await;
                assert_eq!(is_kept_from(&world, id, accused).await, 1);
            }
        }
    }
}

#[tokio::test]
async fn it_goes_to_the_colleague_or_to_the_desk_above() {
    let world = World::small();
    for (category, accused, with) in [
        ("water", "phe-hisar", "phe-hisar-sdo at district:hisar"),
        ("power", "power-hisar", "hisar-ctm at district:hisar"),
        ("power", "hisar-ctm", "power-state at department:power"),
        ("power", "district:hisar", "power-state at department:power"),
        ("water/sewer", "phe-state", "cms-triage at control"),
        ("water/sewer", "department:phe", "cms-triage at control"),
        ("cattle", "cms-triage", "cms at control"),
        ("cattle", "cms", "vigilance-state at department:vigilance"),
        ("cattle", "control", "vigilance-state at department:vigilance"),
    ] {
        let id = complain(&world, category, "hisar", accused).await;
        assert_eq!(world.with(id).await, with, "{category}, {accused} accused");
    }
}

#[tokio::test]
async fn no_forward_brings_it_to_them_neither_named_nor_by_the_rules_nor_by_the_control_desk() {
    for accused in ACCUSED {
        let world = World::small();
        let mut moved = 0;
        for to in DESKS {
            for forwarder in ["holder", "cms", "cms-triage"] {
                let id = complain(&world, "water", "hisar", accused).await;
                let holder = world.holder(id).await.officer;
                let forwarder = if forwarder == "holder" { holder.as_str() } else { forwarder };
                let result = world.try_act(id, forwarder, Action::Forward(Some(desk(to)))).await;
                if accused == to {
                    // Who may forward it hears that it cannot go there; the accused hear no more than a stranger.
                    let refused = matches!(
                        &result,
                        Err(ActError::Refused(Refusal::AgainstThatDesk { .. } | Refusal::NotYours { .. }))
                    );
                    assert!(refused, "{accused} accused: {result:?}");
                }
                moved += is_kept_from(&world, id, accused).await - 1;
            }
        }
        let id = complain(&world, "water", "hisar", accused).await;
        world.holder_acts(id, Action::Forward(None)).await;
        is_kept_from(&world, id, accused).await;
        assert!(moved >= 4, "{accused} accused, and it was forwarded {moved} times only");
    }
}

#[tokio::test]
async fn no_correction_and_no_return_brings_it_to_them() {
    for accused in ACCUSED {
        let world = World::small();
        for category in ["water/sewer", "power", "bribe", "cattle", "water/logging"] {
            let id = complain(&world, "water", "rohtak", accused).await;
            world.holder_acts(id, Action::ChangeCategory(category.parse().unwrap())).await;
            world.holder_acts(id, Action::ChangePlace("hisar/barwala".parse().unwrap())).await;
            assert_eq!(is_kept_from(&world, id, accused).await, 3);
            // Whoever may return it returns it: to the control desk, or to who stands in for that.
            drop(world.try_act(id, world.holder(id).await.officer.as_str(), Action::Return).await);
            is_kept_from(&world, id, accused).await;
        }
    }
}

#[tokio::test]
async fn no_silence_brings_it_to_them_up_to_the_top_and_there_it_stays() {
    for accused in ACCUSED {
        let world = World::small();
        let mut ids = Vec::new();
        for category in ["water", "water/sewer", "power", "bribe", "cattle"] {
            ids.push(complain(&world, category, "hisar", accused).await);
        }
        for day in 1..=20 {
            world.it_gets(at(24 * day)).await;
        }
        for id in ids {
            is_kept_from(&world, id, accused).await;
            let top = world.ticket(id).await.desk().cloned().unwrap();
            let stand_in = accused == "cms" || accused == "control";
            let expected = if stand_in { "department:vigilance" } else { "control" };
            assert_eq!(top, desk(expected), "{accused} accused");
        }
    }
}

#[tokio::test]
async fn no_dissatisfaction_brings_it_to_them_up_to_the_conclusion() {
    for accused in ACCUSED {
        let world = World::small();
        for category in ["water", "water/sewer", "power"] {
            let id = complain(&world, category, "hisar", accused).await;
            for _ in 0..4 {
                world.holder_acts(id, Action::Resolve(Outcome::Fixed)).await;
                world.feedback(id, Verdict::NotSatisfied).await.unwrap();
                is_kept_from(&world, id, accused).await;
            }
            assert!(world.ticket(id).await.is_concluding());
            world.holder_acts(id, Action::Resolve(Outcome::CannotBeDone)).await;
            let ticket = world.ticket(id).await;
            assert!(haryana::is_closed_for_good(&ticket), "{accused} accused: {:?}", ticket.state());
        }
    }
}

#[tokio::test]
async fn used_up_transfers_do_not_bring_a_complaint_about_the_control_desk_to_it() {
    let mut policy = nivaran::Policy::default();
    policy.most_transfers = 0;
    let world = World::with_policy(policy);
    let id = complain(&world, "power", "hisar", "control").await;
    world.act(id, "power-hisar", Action::Forward(Some(desk("department:phe")))).await;
    assert_eq!(world.with(id).await, "vigilance-state at department:vigilance");
    is_kept_from(&world, id, "control").await;
}

#[tokio::test]
async fn the_accused_do_not_stand_in_for_the_holder_on_leave_and_the_deputy_of_the_accused_gets_nothing() {
    let text = with_deputy(ROSTER, "power-hisar", "phe-hisar");
    // The deputy is the accused: their superior is there until the 20th, then nobody is.
    let world = World::with_roster(&with_leave(&text, "power-hisar", "2022-07-20", "2022-07-25"));
    let id = complain(&world, "power", "hisar", "phe-hisar").await;
    assert_eq!(world.with(id).await, "power-hisar at district:hisar");
    world.clock.set("2022-07-21T09:00:00+05:30".parse().unwrap());
    let id = complain(&world, "power", "hisar", "phe-hisar").await;
    assert_eq!(world.with(id).await, "hisar-ctm at district:hisar");
    // The deputy of the accused, in their own department.
    let id = complain(&world, "water", "hisar", "power-hisar").await;
    assert_eq!(world.with(id).await, "phe-hisar-sdo at district:hisar", "phe-hisar stands in for power-hisar");
}

#[tokio::test]
async fn the_accused_cannot_act_on_it_whatever_their_office() {
    let world = World::small();
    for (accused, officers) in [("hisar-ctm", &["hisar-ctm", "power-hisar"][..]), ("cms", &["cms", "cms-triage"])] {
        let id = complain(&world, "power", "hisar", accused).await;
        for who in officers {
            for action in [Action::Acknowledge, Action::Forward(None), Action::Resolve(Outcome::Fixed), Action::Approve]
            {
                // They hear what any officer hears who does not hold it: not that it is about them.
                let error = world.engine.act(by(id, who, action)).await.unwrap_err();
                let refused = matches!(error, ActError::Refused(Refusal::NotYours { .. } | Refusal::NotNow { .. }));
                assert!(refused, "{error}");
            }
        }
        assert_eq!(world.ticket(id).await.version().0, 1);
    }
}

#[tokio::test]
async fn the_accused_desk_is_not_asked_for_a_part() {
    let world = World::small();
    let id = complain(&world, "power", "hisar", "department:phe").await;
    let error = world.try_act(id, "power-hisar", Action::Assist(desk("department:phe"))).await.unwrap_err();
    assert_eq!(error, ActError::Refused(Refusal::AgainstThatDesk { desk: desk("department:phe") }));
    // Nor does the accused officer read it when a colleague's desk is asked.
    let id = complain(&world, "power", "hisar", "phe-se").await;
    world.act(id, "power-hisar", Action::Assist(desk("department:phe"))).await;
    assert_eq!(is_kept_from(&world, id, "phe-se").await, 1);
    assert_eq!(world.reads(id, "phe-state").await.len(), 2);
}

#[tokio::test]
async fn a_complaint_about_the_control_desk_that_no_row_routes_is_found_a_desk_by_the_oversight() {
    let world = World::small();
    let id = complain(&world, "cattle", "hisar", "control").await;
    let events = world.events(id).await;
    let triage = |event: &nivaran::ticket::TicketEvent| {
        matches!(event, nivaran::ticket::TicketEvent::SentToTriage { why: TriageReason::NoRule, .. })
    };
    assert!(events.iter().any(triage), "{events:?}");
    assert_eq!(world.state(id).await, StateKind::Marked);
    world.act(id, "vigilance-state", Action::Forward(Some(desk("district:hisar")))).await;
    assert_eq!(world.with(id).await, "hisar-ctm at district:hisar");
    is_kept_from(&world, id, "control").await;
}

// ---- the roster changes ------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_ticket_whose_holder_leaves_is_not_handed_over_to_the_accused() {
    let world = World::small();
    let id = complain(&world, "water", "hisar", "phe-hisar").await;
    assert_eq!(world.with(id).await, "phe-hisar-sdo at district:hisar");
    world.engine.reload_roster(roster(&without(ROSTER, "id = \"phe-hisar-sdo\"")), None).await.unwrap();
    assert_eq!(world.with(id).await, "hisar-ctm at district:hisar");
    is_kept_from(&world, id, "phe-hisar").await;
}

#[tokio::test]
async fn a_holder_who_becomes_the_deputy_of_the_accused_does_not_keep_it() {
    let world = World::small();
    let id = complain(&world, "water", "hisar", "phe-hisar").await;
    assert_eq!(world.with(id).await, "phe-hisar-sdo at district:hisar");
    let changed = with_deputy(ROSTER, "phe-hisar", "phe-hisar-sdo");
    world.engine.reload_roster(roster(&changed), None).await.unwrap();
    // As it is for a ticket that comes in now.
    let fresh = complain(&world, "water", "hisar", "phe-hisar").await;
    assert_eq!(world.with(fresh).await, "hisar-ctm at district:hisar");
    assert_eq!(world.with(id).await, "hisar-ctm at district:hisar");
}

#[tokio::test]
async fn when_the_accused_becomes_the_head_of_the_desk_the_ticket_leaves_it() {
    let world = World::small();
    let id = complain(&world, "power", "hisar", "phe-hisar").await;
    assert_eq!(world.with(id).await, "power-hisar at district:hisar");
    let promoted =
        without(ROSTER, "id = \"hisar-ctm\"").replace("nodal = \"hisar-ctm\"", "nodal = \"phe-hisar\"").replace(
            "desk = \"hisar\", department = \"phe\" },\n    { id = \"phe-hisar-sdo\"",
            "desk = \"hisar\" },\n    { id = \"phe-hisar-sdo\"",
        );
    world.engine.reload_roster(roster(&promoted), None).await.unwrap();
    let fresh = complain(&world, "power", "hisar", "phe-hisar").await;
    assert_eq!(world.with(fresh).await, "power-state at department:power", "the accused heads the whole desk now");
    assert_eq!(world.with(id).await, "power-state at department:power");
}

#[tokio::test]
async fn a_complaint_about_somebody_who_is_not_on_the_roster_is_refused_and_named() {
    let world = World::small();
    let end = world.end();
    for (whom, named) in [
        (Against::Officer(officer("ghost")), "officer 'ghost'"),
        (Against::Desk(desk("district:atlantis")), "desk 'district:atlantis'"),
    ] {
        let grievance = world.grievance("water", "hisar").against(whom).build().unwrap();
        let Err(SubmitError::Invalid(error)) = world.engine.submit(grievance).await else { panic!("{named}") };
        assert_eq!(error, GrievanceError::AgainstUnknown { against: named.to_owned() });
    }
    assert_eq!(world.end(), end);
}
