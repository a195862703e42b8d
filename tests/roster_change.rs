//! Rules and roster change while the engine runs: desks open and leave, officers come and go, and no ticket is lost.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod haryana;

use std::sync::{Arc, Condvar, Mutex};

use futures_util::future;
use haryana::{CATEGORIES, PLACES, ROSTER, RULES, World, asha, at, by, desk, officer, roster, rules, start};
use haryana::{with_hansi, with_leave, without};
use nivaran::engine::{ActorName, ReloadError, SeededSecrets, Step};
use nivaran::journal::{Entry, RosterChanged, RulesChanged};
use nivaran::roster::Rung;
use nivaran::rules::{Facts, Fault, TableVersion};
use nivaran::ticket::{By, MarkReason, Notice, ParkReason, Recipient, Review, State, StateKind, TicketEvent};
use nivaran::{Act, Action, CategoryTree, Engine, Outcome, PlaceTree, Policy, Roster, Rules, Ticket};
use nivaran::{TicketFilter, TicketId, Verdict};

async fn reload(world: &World, text: &str) {
    world.engine.reload_roster(roster(text), None).await.unwrap();
}

fn roster_changes(world: &World) -> Vec<RosterChanged> {
    let roster = |entry| match entry {
        Entry::Roster(changed) => Some(changed),
        _ => None,
    };
    world.journal().into_iter().filter_map(roster).collect()
}

fn rules_changes(world: &World) -> Vec<RulesChanged> {
    let rules = |entry| match entry {
        Entry::Rules(changed) => Some(changed),
        _ => None,
    };
    world.journal().into_iter().filter_map(rules).collect()
}

// ---- desks -------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_new_district_is_opened_and_takes_what_comes_from_then_on() {
    let world = World::small();
    let before = world.submit("water", "hansi").await;
    assert_eq!(world.with(before).await, "phe-se at department:phe", "Hansi has no desk yet");
    world.engine.reload_roster(roster(&with_hansi(ROSTER)), Some(officer("cms"))).await.unwrap();
    let after = world.submit("water", "hansi").await;
    assert_eq!(world.with(after).await, "phe-hansi at district:hansi");
    assert_eq!(world.with(before).await, "phe-se at department:phe", "who had it has it still");
    // The new desk is a desk like any other: it forwards, and dates come to it.
    world.act(before, "phe-se", Action::Forward(Some(desk("district:hansi")))).await;
    assert_eq!(world.with(before).await, "phe-hansi at district:hansi");
    world.it_gets(at(72)).await;
    assert_eq!(world.with(after).await, "hansi-ctm at district:hansi");
    assert_eq!(world.engine.roster().desks().len(), 7);
}

#[tokio::test]
async fn the_journal_says_which_roster_is_in_force_who_changed_it_and_which_desks_opened_and_left() {
    let world = World::small();
    world.hours_pass(3).await;
    let with_hansi = with_hansi(ROSTER);
    world.engine.reload_roster(roster(&with_hansi), Some(officer("cms"))).await.unwrap();
    let smaller = without(&with_hansi, "rohtak");
    world.engine.reload_roster(roster(&smaller), None).await.unwrap();
    let changes = roster_changes(&world);
    let [begin, opened, left] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!((begin.roster, begin.at, &begin.by), (roster(ROSTER).version(), start(), &None));
    assert_eq!((opened.roster, opened.at), (roster(&with_hansi).version(), at(3)));
    assert_eq!(opened.by, Some(officer("cms")));
    assert_eq!((opened.opened.as_slice(), opened.left.as_slice()), (&[desk("district:hansi")][..], &[][..]));
    assert_eq!((left.opened.as_slice(), left.left.as_slice()), (&[][..], &[desk("district:rohtak")][..]));
    assert_eq!(world.engine.roster().version(), roster(&smaller).version());
}

#[tokio::test]
async fn a_desk_that_leaves_hands_its_open_tickets_on_as_they_are() {
    let mut policy = Policy::default();
    policy.review = Review::NodalOfficer;
    let world = World::with_policy(policy);
    let mut ids: Vec<TicketId> = Vec::new();
    for _ in 0..6 {
        ids.push(world.submit("power", "rohtak").await);
    }
    let act = async |id: TicketId, action: Action| world.act(id, "power-rohtak", action).await;
    act(ids[1], Action::Acknowledge).await;
    act(ids[2], Action::AskCitizen { until: at(100) }).await;
    act(ids[3], Action::Park { until: at(200), why: ParkReason::WorkPlanned }).await;
    act(ids[4], Action::Resolve(Outcome::Fixed)).await;
    act(ids[5], Action::Resolve(Outcome::Fixed)).await;
    world.act(ids[5], "rohtak-ctm", Action::Approve).await;
    let elsewhere = world.submit("power", "hisar").await;
    let mut before = Vec::new();
    for &id in &ids {
        before.push(world.ticket(id).await);
    }
    let states: std::collections::BTreeSet<_> = before.iter().map(|ticket| ticket.state().kind()).collect();
    assert_eq!(states.len(), 6, "each in another state");

    world.hours_pass(1).await;
    let untouched = world.ticket(elsewhere).await;
    reload(&world, &without(ROSTER, "rohtak")).await;
    for before in before {
        let ticket = world.ticket(before.id()).await;
        let holder = ticket.holder().unwrap();
        assert_eq!(holder.to_string(), "power-state (department:power)", "{:?}", before.state());
        assert_eq!(ticket.state(), before.state(), "state and dates are kept");
        assert_eq!(ticket.transfers(), before.transfers());
        assert_eq!(ticket.earlier_desks(), [desk("district:rohtak")]);
        let entry = world.history(ticket.id()).await.pop().unwrap();
        assert_eq!((entry.by, entry.at), (By::System, at(1)));
        let [event @ TicketEvent::HandedOver { .. }] = entry.events.as_slice() else { panic!("{:?}", entry.events) };
        let notice = Notice::NowWith(ticket.id(), holder.clone(), MarkReason::RosterChanged);
        assert_eq!(event.notice(ticket.id()), Some((Recipient::Complainant, notice)));
    }
    assert_eq!(world.ticket(elsewhere).await, untouched);
    assert_eq!(world.engine.health().open.get(&desk("district:rohtak")), None);

    // They go on where they are: acts, answers, dates, feedback.
    world.act(ids[0], "power-state", Action::Acknowledge).await;
    let answer = Act::by_citizen(ids[2], asha(), Action::CitizenAnswers).statement(haryana::said("At the mill"));
    world.engine.act(answer).await.unwrap();
    world.act(ids[4], "power-state", Action::Approve).await;
    world.feedback(ids[5], Verdict::NotSatisfied).await.unwrap();
    world.it_gets(at(24)).await;
    assert_eq!(world.with(ids[1]).await, "cms-triage at control", "the deadline of a day ago, a step above");
    world.it_gets(at(1 + 7 * 24)).await;
    assert_eq!(world.state(ids[4]).await, StateKind::Closed, "by silence");
    world.it_gets(at(200)).await;
    assert_eq!(world.state(ids[3]).await, StateKind::InProgress);
}

#[tokio::test]
async fn a_ticket_that_was_closed_at_a_desk_that_left_can_be_reopened() {
    let world = World::small();
    let id = world.submit("power", "rohtak").await;
    world.act(id, "power-rohtak", Action::Resolve(Outcome::Fixed)).await;
    world.feedback(id, Verdict::Satisfied).await.unwrap();
    reload(&world, &without(ROSTER, "rohtak")).await;
    assert_eq!(world.state(id).await, StateKind::Closed, "a closed ticket is handed to nobody");
    world.feedback(id, Verdict::NotSatisfied).await.unwrap();
    assert_eq!(world.with(id).await, "power-state at department:power");
}

#[tokio::test]
async fn a_desk_that_left_and_comes_back_takes_tickets_again() {
    let world = World::small();
    reload(&world, &without(ROSTER, "rohtak")).await;
    let meanwhile = world.submit("power", "rohtak").await;
    assert_eq!(world.with(meanwhile).await, "power-state at department:power");
    reload(&world, ROSTER).await;
    let after = world.submit("power", "rohtak").await;
    assert_eq!(world.with(after).await, "power-rohtak at district:rohtak");
    world.act(after, "power-rohtak", Action::Acknowledge).await;
}

#[tokio::test]
async fn what_is_sent_while_the_roster_changes_is_carried_out_before_or_after_it() {
    let world = World::small();
    let submit = |place: &'static str| world.submit("power", place);
    let (before, reloaded, after) = future::join3(
        submit("rohtak"),
        world.engine.reload_roster(roster(&without(ROSTER, "rohtak")), None),
        submit("rohtak"),
    )
    .await;
    reloaded.unwrap();
    for id in [before, after] {
        assert_eq!(world.with(id).await, "power-state at department:power");
    }
    let first = world.holders(before).await;
    assert_eq!(first[0].to_string(), "power-rohtak (district:rohtak)", "it came before the change");
    assert_eq!(world.holders(after).await.len(), 1, "it came after the change");
}

// ---- officers ----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_tickets_of_an_officer_who_left_are_handed_to_a_colleague_in_their_state() {
    let world = World::small();
    let id = world.submit("water", "hisar").await;
    world.act(id, "phe-hisar", Action::Park { until: at(90), why: ParkReason::AwaitingFunds }).await;
    let before = world.ticket(id).await;
    reload(&world, &without(ROSTER, "id = \"phe-hisar\"")).await;
    let ticket = world.ticket(id).await;
    assert_eq!(world.with(id).await, "phe-hisar-sdo at district:hisar");
    assert_eq!((ticket.state(), ticket.rung()), (before.state(), Rung::Officer));
    assert_eq!(ticket.earlier_desks(), [], "it did not leave the desk");
    let error = world.try_act(id, "phe-hisar", Action::InterimReply { next: at(50) }).await.unwrap_err();
    assert_eq!(error, nivaran::ActError::UnknownOfficer { officer: officer("phe-hisar") });
    world.act(id, "phe-hisar-sdo", Action::InterimReply { next: at(95) }).await;
}

#[tokio::test]
async fn many_tickets_of_an_officer_who_left_are_spread_over_those_who_stay() {
    let third = "{ id = \"phe-hisar-jen\", name = \"Junior Engineer\", desk = \"hisar\", department = \"phe\" },";
    let text = ROSTER.replace("officer = [", &format!("officer = [\n    {third}"));
    let world = World::with_roster(&text);
    for _ in 0..9 {
        world.submit("water", "hisar").await;
    }
    let of = async |id: &str| {
        let filter = TicketFilter::open().officer(officer(id));
        world.engine.tickets(&filter, nivaran::Page::first(100)).await.unwrap().len()
    };
    assert_eq!((of("phe-hisar-jen").await, of("phe-hisar").await, of("phe-hisar-sdo").await), (3, 3, 3));
    reload(&world, &without(&text, "id = \"phe-hisar\"")).await;
    let (one, other) = (of("phe-hisar-jen").await, of("phe-hisar-sdo").await);
    assert_eq!((of("phe-hisar").await, one + other, one.abs_diff(other)), (0, 9, 1));
}

#[tokio::test]
async fn an_officer_who_moved_to_another_desk_leaves_their_tickets_where_they_were() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let here = "{ id = \"power-hisar\", name = \"Executive Engineer (Operation), Hisar\", desk = \"hisar\"";
    assert!(ROSTER.contains(here));
    reload(&world, &ROSTER.replace(here, &here.replace("desk = \"hisar\"", "desk = \"rohtak\""))).await;
    assert_eq!(world.with(id).await, "hisar-ctm at district:hisar", "nobody else of that department is there");
    assert_eq!(world.state(id).await, StateKind::Marked);
}

#[tokio::test]
async fn an_escalated_ticket_keeps_its_step_of_the_ladder_when_the_nodal_officer_is_replaced() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.date_comes(id).await;
    assert_eq!(world.with(id).await, "hisar-ctm at district:hisar");
    reload(&world, &ROSTER.replace("hisar-ctm", "hisar-adc")).await;
    let ticket = world.ticket(id).await;
    assert_eq!(world.with(id).await, "hisar-adc at district:hisar", "and not the officer who let the deadline pass");
    assert_eq!((ticket.rung(), ticket.escalations()), (Rung::DistrictNodal, 1));
}

#[tokio::test]
async fn an_officer_who_goes_on_leave_gets_nothing_new() {
    let world = World::small();
    for expected in ["phe-hisar", "phe-hisar-sdo"] {
        let id = world.submit("water", "hisar").await;
        assert_eq!(world.holder(id).await.officer, officer(expected));
    }
    reload(&world, &with_leave(ROSTER, "phe-hisar", "2022-07-14", "2022-07-20")).await;
    for _ in 0..3 {
        let id = world.submit("water", "hisar").await;
        assert_eq!(world.holder(id).await.officer, officer("phe-hisar-sdo"));
    }
    // Back from leave, they have the fewest.
    world.it_gets("2022-07-21T00:00:00+05:30".parse().unwrap()).await;
    let id = world.submit("water", "hisar").await;
    assert_eq!(world.holder(id).await.officer, officer("phe-hisar"));
}

// ---- what does not fit stays out ---------------------------------------------------------------------------------

#[tokio::test]
async fn a_roster_that_lacks_what_the_rules_name_is_not_taken() {
    let named = RULES.replace("P-1,power,,power,", "P-2,power,rohtak,power,state,low,96,\nP-1,power,,power,");
    let world = World::of(rules(&named), roster(ROSTER), |builder| builder);
    let (end, version) = (world.end(), world.engine.roster().version());
    let smaller = roster(&without(ROSTER, "rohtak"));
    let error = world.engine.reload_roster(smaller, None).await.unwrap_err();
    let ReloadError::Rules(refused) = &error else { panic!("{error:?}") };
    let district = Fault::UnknownDistrict { district: "rohtak".parse().unwrap() };
    assert_eq!((&refused.findings[0].what, refused.findings[0].row.as_ref().unwrap().as_str()), (&district, "P-2"));
    assert!(error.to_string().contains("correct it, or add it to the roster"), "{error}");

    let departments = without(&without(ROSTER, "department = \"power\""), "power-state");
    let error = world.engine.reload_roster(roster(&departments), None).await.unwrap_err();
    let ReloadError::Rules(refused) = &error else { panic!("{error:?}") };
    assert_eq!(refused.findings[0].what, Fault::UnknownDepartment { department: "power".parse().unwrap() });

    assert_eq!((world.end(), world.engine.roster().version()), (end, version));
    let id = world.submit("bribe", "rohtak").await;
    assert_eq!(world.with(id).await, "rohtak-ctm at district:rohtak", "the old roster is in force");
}

#[tokio::test]
async fn rules_that_name_what_the_roster_lacks_are_not_taken() {
    let world = World::small();
    let (mut end, version) = (world.end(), world.engine.rules().version());
    for (row, place) in [("X-1,cattle,,animals,state,low,96,", ""), ("X-1,cattle,hansi,phe,state,low,96,", "hansi")] {
        let error = world.engine.reload_rules(rules(&format!("{RULES}{row}\n")), None).await.unwrap_err();
        assert!(matches!(error, ReloadError::Rules(_)) && error.to_string().contains("X-1"), "{error}");
        assert_eq!((world.end(), world.engine.rules().version()), (end, version));
        let id = world.submit("cattle", place).await;
        assert_eq!(world.state(id).await, StateKind::Triage, "the old rules are in force");
        end = world.end();
    }
}

#[tokio::test]
async fn nothing_is_reloaded_after_the_shutdown() {
    let world = World::small();
    world.engine.shutdown().await;
    assert_eq!(world.engine.reload_rules(rules(RULES), None).await, Err(ReloadError::Stopped));
    assert_eq!(world.engine.reload_roster(roster(ROSTER), None).await, Err(ReloadError::Stopped));
}

// ---- rules -------------------------------------------------------------------------------------------------------

const OTHER_RULES: &str = "id,category,location,department,level,priority,deadline_hours,note
P-9,power,,power,state,low,96,
C-1,cattle,,vigilance,state,low,96,
ELSE,,,control,,normal,24,
";

#[tokio::test]
async fn a_grievance_is_before_or_after_a_change_of_the_rules_and_never_between() {
    let world = World::small();
    let (old, new) = (rules(RULES).version(), rules(OTHER_RULES).version());
    let submits = async || future::join_all((0..20).map(|_| world.submit("power", "hisar"))).await;
    let (before, reloaded, after) =
        future::join3(submits(), world.engine.reload_rules(rules(OTHER_RULES), Some(officer("cms"))), submits()).await;
    reloaded.unwrap();
    for (ids, table, row, at_desk) in [(before, old, "P-1", "district:hisar"), (after, new, "P-9", "department:power")]
    {
        for id in ids {
            let ticket = world.ticket(id).await;
            let routing = ticket.routing().unwrap();
            assert_eq!((routing.row.as_str(), routing.table), (row, table));
            assert_eq!(ticket.desk(), Some(&desk(at_desk)));
            assert_eq!(world.history(id).await[0].table, table);
        }
    }
    // And so it stands in the journal: old, then the change, then new.
    let tables: Vec<_> = world.journal().iter().filter_map(|entry| entry.ticket().map(|entry| entry.table)).collect();
    assert_eq!(tables, [vec![old; 20], vec![new; 20]].concat());
    let changes = rules_changes(&world);
    let [begin, change] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!((begin.table, begin.rows, &begin.by), (old, 5, &None));
    assert_eq!((change.table, change.rows, &change.by), (new, 3, &Some(officer("cms"))));
    assert_eq!(world.engine.rules().version(), new);
}

#[tokio::test]
async fn whichever_table_a_ticket_was_routed_by_can_be_read_back_and_decides_what_it_decided() {
    let world = World::small();
    let before = world.submit("power", "hisar").await;
    world.hours_pass(2).await;
    world.engine.reload_rules(rules(OTHER_RULES), Some(officer("cms"))).await.unwrap();
    let after = world.submit("power", "hisar").await;
    for (id, by, at_) in [(before, None, start()), (after, Some(officer("cms")), at(2))] {
        let ticket = world.ticket(id).await;
        let routing = ticket.routing().unwrap();
        let changed = world.engine.rules_of(routing.table).await.unwrap().unwrap();
        assert_eq!((changed.table, &changed.by, changed.at), (routing.table, &by, at_));
        let again = changed.content.read().unwrap();
        assert_eq!((again.version(), again.rows().len()), (routing.table, changed.rows));
        let filing = ticket.filing();
        let moment = world.engine.roster().moment(filing.posted_at);
        assert_eq!(again.decide(&Facts::of(filing, moment)).row.id, routing.row);
    }
    let never: TableVersion = "0123456789abcdef".to_owned().try_into().unwrap();
    assert_eq!(world.engine.rules_of(never).await, Ok(None));
}

#[tokio::test]
async fn open_tickets_stay_where_they_are_when_the_rules_change_and_are_asked_anew_on_the_next_correction() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let before = world.ticket(id).await;
    world.engine.reload_rules(rules(OTHER_RULES), None).await.unwrap();
    assert_eq!(world.ticket(id).await, before);
    world.act(id, "power-hisar", Action::ChangeCategory("cattle".parse().unwrap())).await;
    assert_eq!(world.with(id).await, "vigilance-state at department:vigilance");
    assert_eq!(world.due(id).await, Some(at(96)));
}

/// Holds the dispatcher up at its first errand until it is opened.
#[derive(Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }

    fn wait(&self) {
        drop(self.1.wait_while(self.0.lock().unwrap(), |open| !*open).unwrap());
    }
}

#[tokio::test]
async fn a_grievance_after_the_change_is_taken_by_the_new_taxonomy_and_gazetteer_too() {
    let gate = Arc::new(Gate::default());
    let held_up = Arc::clone(&gate);
    let drill = move |step: &Step<'_>| {
        if *step.actor == ActorName::Dispatcher {
            held_up.wait();
        }
        None
    };
    let world = World::of(rules(RULES), roster(ROSTER), |builder| builder.drill(drill));
    let categories = CategoryTree::read(format!("{CATEGORIES}cattle/bull,Stray bull\n").as_bytes()).unwrap();
    let places = PlaceTree::read(PLACES.as_bytes()).unwrap();
    let csv = format!("{RULES}C-1,cattle/bull,,vigilance,state,urgent,12,\n");
    let new = Rules::read(categories, places, csv.as_bytes()).unwrap();
    // All three are through the door before the dispatcher looks at the first.
    let (before, reloaded, after, ()) = future::join4(
        world.submit("cattle/bull", "hisar"),
        world.engine.reload_rules(new, None),
        world.submit("cattle/bull", "hisar"),
        async { gate.open() },
    )
    .await;
    reloaded.unwrap();
    let category = |ticket: &Ticket| ticket.filing().category.as_ref().map(ToString::to_string);
    let ticket = world.ticket(before).await;
    assert_eq!((category(&ticket).as_deref(), ticket.state().kind()), (Some("cattle"), StateKind::Triage));
    let ticket = world.ticket(after).await;
    assert_eq!(world.history(after).await[0].table, world.engine.rules().version(), "it came after the change");
    assert_eq!(category(&ticket).as_deref(), Some("cattle/bull"));
    assert_eq!(ticket.routing().map(|routing| routing.row.as_str()), Some("C-1"));
}

#[tokio::test]
async fn a_new_district_gets_its_own_row_after_its_desk_is_there() {
    let world = World::small();
    let csv = format!("{RULES}W-9,water,hansi,phe,state,urgent,12,\n");
    assert!(world.engine.reload_rules(rules(&csv), None).await.is_err(), "Hansi has no desk yet");
    reload(&world, &with_hansi(ROSTER)).await;
    world.engine.reload_rules(rules(&csv), None).await.unwrap();
    let id = world.submit("water", "hansi").await;
    assert_eq!(world.ticket(id).await.routing().map(|routing| routing.row.as_str()), Some("W-9"));
}

// ---- a start with another roster ---------------------------------------------------------------------------------

#[tokio::test]
async fn an_engine_started_with_a_smaller_roster_hands_over_what_the_journal_left_without_a_holder() {
    let world = World::small();
    let [gone, stays] = [world.submit("power", "rohtak").await, world.submit("power", "hisar").await];
    let before = world.ticket(gone).await;
    world.engine.shutdown().await;

    let smaller: Roster = roster(&without(ROSTER, "rohtak"));
    let version = smaller.version();
    let builder = Engine::builder().rules(rules(RULES)).roster(smaller).store(world.store.clone());
    let engine = builder.clock(world.clock.clone()).secrets(SeededSecrets(7)).start().unwrap();
    // Whoever asks first waits until it is done.
    engine.tick().await;
    let ticket = engine.ticket(gone).await.unwrap().unwrap();
    assert_eq!(ticket.holder().unwrap().to_string(), "power-state (department:power)");
    assert_eq!(ticket.state(), before.state());
    assert_eq!(engine.ticket(stays).await.unwrap().unwrap().holder().unwrap().officer, officer("power-hisar"));
    engine.act(by(gone, "power-state", Action::Acknowledge)).await.unwrap();
    assert!(matches!(engine.ticket(gone).await.unwrap().unwrap().state(), State::InProgress { .. }));
    assert_eq!(roster_changes(&world).last().map(|changed| changed.roster), Some(version));
}

#[tokio::test]
async fn nobody_who_is_not_on_the_roster_changes_rules_or_roster() {
    let world = World::small();
    let end = world.end();
    let ghost = || Some(officer("ghost"));
    let unknown = Err(ReloadError::UnknownOfficer { officer: officer("ghost") });
    assert_eq!(world.engine.reload_rules(haryana::rules(haryana::RULES), ghost()).await, unknown);
    assert_eq!(world.engine.reload_roster(haryana::roster(haryana::ROSTER), ghost()).await, unknown);
    assert_eq!(world.end(), end);
}
