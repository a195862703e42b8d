//! Where a grievance goes, and to whom: the rules table asked, the desk's officer picked.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod haryana;

use haryana::{ROSTER, World, at, desk, roster, start, with_deputy, with_leave};
use nivaran::grievance::Language;
use nivaran::roster::Rung;
use nivaran::rules::{ConditionKind, Facts};
use nivaran::ticket::{MarkReason, StateKind, TicketEvent, TriageReason};
use nivaran::{Action, Channel, Grievance, Outcome, Source, Store, TicketId};

/// Category, place, the row that wins, department, desk, and who there may get it.
type Expected = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const EXPECTED: &[Expected] = &[
    ("water", "hisar", "W-01", "phe", "district:hisar", &["phe-hisar", "phe-hisar-sdo"]),
    ("water", "hansi/narnaund", "W-01", "phe", "district:hansi", &["phe-hansi"]),
    ("water/logging", "hisar/hisar/model-town", "W-04", "ulb", "district:hisar", &["ulb-hisar", "ulb-hisar-xen"]),
    ("water/logging", "gurugram/wazirabad/sector-56", "W-05", "gmda", "department:gmda", &[]),
    ("water/logging/street", "gurugram/gurugram", "W-07", "ulb", "district:gurugram", &[]),
    ("water/logging/underpass", "faridabad/faridabad/nit", "W-10", "fmda", "department:fmda", &[]),
    ("water/logging/underpass", "hansi", "W-08", "pwd", "district:hansi", &["pwd-hansi"]),
    ("water/connection", "karnal/karnal", "W-24", "ulb", "district:karnal", &[]),
    ("water/connection", "karnal", "W-21", "phe", "district:karnal", &[]),
    ("power/outage", "rohtak/rohtak", "P-20", "uhbvn", "district:rohtak", &["uhbvn-rohtak", "uhbvn-rohtak-sdo"]),
    ("power/outage", "hansi/hansi/barsi-gate", "P-12", "dhbvn", "district:hansi", &["dhbvn-hansi"]),
    ("power/transformer", "rohtak", "P-09", "uhbvn", "district:rohtak", &["uhbvn-rohtak", "uhbvn-rohtak-sdo"]),
    ("roads/pothole", "gurugram/manesar/imt-manesar", "R-04", "hsiidc", "department:hsiidc", &[]),
    ("roads/pothole", "gurugram/manesar", "R-05", "ulb", "district:gurugram", &[]),
    ("roads/pothole", "hisar/barwala", "R-03", "pwd", "district:hisar", &["pwd-hisar"]),
    ("roads/pothole", "hisar/hisar/mill-gate", "R-07", "ulb", "district:hisar", &["ulb-hisar", "ulb-hisar-xen"]),
    ("roads/highway", "rohtak", "R-17", "pwd", "department:pwd", &[]),
    ("police/drugs", "sirsa", "PO-06", "police", "department:police", &[]),
    ("police/drugs", "hisar", "PO-05", "police", "district:hisar", &["police-hisar"]),
    ("police/against/custody", "hisar", "PO-12", "home", "department:home", &[]),
    ("revenue/records", "hansi/bass", "T-05", "revenue", "department:revenue", &[]),
    ("transport/bus", "hansi", "TR-02", "transport", "department:transport", &[]),
    ("government/bribe", "", "GV-02", "acb", "department:acb", &[]),
];

#[tokio::test]
async fn the_table_of_haryana_sends_each_matter_to_the_department_desk_and_row_that_officials_expect() {
    let world = World::haryana();
    for &(category, place, row, department, at_desk, officers) in EXPECTED {
        let what = format!("{category} in {place}");
        let ticket = world.ticket(world.submit(category, place).await).await;
        let routing = ticket.routing().expect(&what);
        assert_eq!(routing.row.as_str(), row, "{what}");
        assert_eq!(routing.route.department.as_str(), department, "{what}");
        let holder = ticket.holder().expect(&what);
        assert_eq!(holder.desk, desk(at_desk), "{what}");
        assert_eq!(ticket.state().kind(), StateKind::Marked, "{what}");
        assert!(officers.is_empty() || officers.contains(&holder.officer.as_str()), "{what}: {holder}");
        let hours = routing.route.deadline.get();
        assert_eq!(ticket.state().next_date(), Some(at(hours.into())), "{what} is due after the row's hours");
    }
}

#[tokio::test]
async fn the_first_entry_is_one_decision_that_names_table_row_and_route() {
    let world = World::haryana();
    let id = world.submit("power/outage", "rohtak/rohtak").await;
    let history = world.history(id).await;
    let [first] = history.as_slice() else { panic!("{history:?}") };
    assert!(
        matches!(
            first.events.as_slice(),
            [TicketEvent::Received { .. }, TicketEvent::Routed(_), TicketEvent::Marked { .. }]
        ),
        "{:?}",
        first.events
    );
    assert_eq!(first.table, world.engine.rules().version());
    let TicketEvent::Routed(routing) = &first.events[1] else { panic!() };
    assert_eq!(routing.table, world.engine.rules().version());
    assert!(first.events[1].to_string().contains("P-20"), "{}", first.events[1]);
}

#[tokio::test]
async fn a_category_or_place_that_nobody_knows_is_taken_at_the_nearest_one_that_is_known() {
    let world = World::haryana();
    let taken = |category: &'static str, place: &'static str| {
        let world = &world;
        async move {
            let ticket = world.ticket(world.submit(category, place).await).await;
            let filing = ticket.filing();
            let text = |path: Option<String>| path.unwrap_or_default();
            let row = ticket.routing().map(|routing| routing.row.to_string());
            (
                text(filing.category.as_ref().map(ToString::to_string)),
                text(filing.place.as_ref().map(ToString::to_string)),
                row.unwrap_or_default(),
                ticket.desk().map(ToString::to_string).unwrap_or_default(),
            )
        }
    };
    let row = |category: &str, place: &str, row: &str, desk: &str| {
        (category.to_owned(), place.to_owned(), row.to_owned(), desk.to_owned())
    };
    assert_eq!(
        taken("water/logging/street/lane-7", "gurugram/gurugram/sector-14/house-17").await,
        row("water/logging/street", "gurugram/gurugram/sector-14", "W-07", "district:gurugram")
    );
    assert_eq!(taken("power/flicker", "rohtak").await, row("power", "rohtak", "P-09", "district:rohtak"));
    // A place outside the state is no place; a matter of the district's level is then the department's own.
    assert_eq!(taken("water", "delhi/karol-bagh").await, row("water", "", "W-01", "department:phe"));
    assert_eq!(taken("meteors", "hisar").await, row("", "hisar", "", "control"));
}

#[tokio::test]
async fn what_no_row_routes_is_in_triage_at_the_control_desk_which_forwards_it_on() {
    let world = World::haryana();
    let id = world.submit("", "hisar/hisar").await;
    let ticket = world.ticket(id).await;
    assert_eq!(ticket.state().kind(), StateKind::Triage);
    assert_eq!(ticket.desk(), Some(&desk("control")));
    let events = world.events(id).await;
    let TicketEvent::SentToTriage { why, row, .. } = &events[1] else { panic!("{events:?}") };
    assert_eq!((*why, row.as_ref().map(|row| row.as_str())), (TriageReason::NoRule, Some("ANY")));

    // Any officer of the control desk may, not the one alone who has it.
    world.act(id, "cms-nodal", Action::Forward(Some(desk("district:hisar")))).await;
    let ticket = world.ticket(id).await;
    assert_eq!((ticket.id(), ticket.state().kind()), (id, StateKind::Marked));
    assert_eq!(world.with(id).await, "hisar-ctm at district:hisar", "no department is known, so the district's own");
    assert_eq!(ticket.transfers(), 0, "what the control desk hands out is no transfer between desks");

    let other = world.submit("", "").await;
    world.act(other, "cms-atr", Action::Forward(Some(desk("department:irrigation")))).await;
    assert_eq!(world.ticket(other).await.desk(), Some(&desk("department:irrigation")));
}

#[tokio::test]
async fn the_control_desk_corrects_the_category_of_a_ticket_in_triage_and_the_rules_send_it_on() {
    let world = World::small();
    let id = world.submit("cattle", "rohtak").await;
    assert_eq!(world.state(id).await, StateKind::Triage);
    world.act(id, "cms-triage", Action::ChangeCategory("power/outage".parse().unwrap())).await;
    assert_eq!(world.with(id).await, "power-rohtak at district:rohtak");
    let ticket = world.ticket(id).await;
    assert_eq!(ticket.routing().map(|routing| routing.row.as_str()), Some("P-1"));
    assert_eq!(ticket.state().next_date(), Some(at(24)));
}

async fn officers(world: &World, tickets: &[TicketId]) -> Vec<String> {
    let mut officers = Vec::new();
    for &ticket in tickets {
        officers.push(world.holder(ticket).await.officer.to_string());
    }
    officers
}

#[tokio::test]
async fn equal_officers_get_tickets_in_turn() {
    let world = World::small();
    let mut tickets = Vec::new();
    for _ in 0..6 {
        tickets.push(world.submit("water", "hisar").await);
    }
    let in_turn = ["phe-hisar", "phe-hisar-sdo", "phe-hisar", "phe-hisar-sdo", "phe-hisar", "phe-hisar-sdo"];
    assert_eq!(officers(&world, &tickets).await, in_turn);
}

#[tokio::test]
async fn the_officer_with_the_fewest_open_tickets_gets_the_next() {
    let world = World::small();
    let mut tickets = Vec::new();
    for _ in 0..4 {
        tickets.push(world.submit("water", "hisar").await);
    }
    // Two tickets of the second officer's are answered, so the next two are theirs.
    for &ticket in &[tickets[1], tickets[3]] {
        assert_eq!(world.holder(ticket).await.officer.as_str(), "phe-hisar-sdo");
        world.act(ticket, "phe-hisar-sdo", Action::Resolve(Outcome::Fixed)).await;
    }
    let next = [world.submit("water", "hisar").await, world.submit("water", "hisar").await];
    assert_eq!(officers(&world, &next).await, ["phe-hisar-sdo", "phe-hisar-sdo"]);
}

#[tokio::test]
async fn a_load_counts_what_is_open_at_the_desk_and_not_what_was_forwarded_on() {
    let world = World::small();
    let first = world.submit("water", "hisar").await;
    world.submit("water", "hisar").await;
    world.act(first, "phe-hisar", Action::Forward(Some(desk("department:power")))).await;
    let next = world.submit("water", "hisar").await;
    assert_eq!(world.holder(next).await.officer.as_str(), "phe-hisar");
}

#[tokio::test]
async fn an_officer_who_works_on_a_ticket_does_not_lose_their_turn_by_it() {
    let world = World::small();
    let first = world.submit("water", "hisar").await;
    world.submit("water", "hisar").await;
    // Both have one ticket, and the first officer's last mark is longer ago.
    world.act(first, "phe-hisar", Action::Acknowledge).await;
    let next = world.submit("water", "hisar").await;
    assert_eq!(world.holder(next).await.officer.as_str(), "phe-hisar", "an acknowledgement is no mark");
}

#[tokio::test]
async fn an_officer_on_leave_is_stood_in_for_by_their_deputy_on_the_days_of_the_rosters_time_zone() {
    let text = with_deputy(ROSTER, "power-hisar", "phe-hisar-sdo");
    let world = World::with_roster(&with_leave(&text, "power-hisar", "2022-07-20", "2022-07-21"));
    for (time, officer) in [
        ("2022-07-19T23:59:59+05:30", "power-hisar"),
        ("2022-07-20T00:00:00+05:30", "phe-hisar-sdo"),
        ("2022-07-21T23:59:59+05:30", "phe-hisar-sdo"),
        ("2022-07-22T00:00:00+05:30", "power-hisar"),
    ] {
        world.clock.set(time.parse().unwrap());
        let ticket = world.submit("power", "hisar").await;
        assert_eq!(world.holder(ticket).await.officer.as_str(), officer, "{time}");
    }
}

#[tokio::test]
async fn the_example_of_haryana_has_a_deputy_who_stands_in_in_june() {
    let world = World::haryana_from("2022-06-10T12:00:00+05:30".parse().unwrap());
    for _ in 0..3 {
        let ticket = world.submit("water", "hisar").await;
        assert_eq!(world.holder(ticket).await.officer.as_str(), "phe-hisar-sdo");
    }
}

#[tokio::test]
async fn where_nobody_is_on_duty_a_ticket_begins_a_step_up() {
    let leave = |text: &str, officer| with_leave(text, officer, "2022-07-14", "2022-07-31");
    let marked = |text: String| async move {
        let world = World::with_roster(&text);
        let ticket = world.submit("power", "hisar").await;
        let rung = world.ticket(ticket).await.rung();
        (world.with(ticket).await, rung)
    };
    let text = leave(ROSTER, "power-hisar");
    assert_eq!(marked(text.clone()).await, ("hisar-ctm at district:hisar".to_owned(), Rung::DistrictNodal));
    let text = leave(&text, "hisar-ctm");
    assert_eq!(marked(text.clone()).await, ("power-state at department:power".to_owned(), Rung::Department));
    let text = leave(&text, "power-state");
    assert_eq!(marked(text.clone()).await, ("cms-triage at control".to_owned(), Rung::Control));
    // With everybody away the control desk has it all the same: no ticket is without a holder.
    let text = leave(&leave(&text, "cms"), "cms-triage");
    assert_eq!(marked(text).await, ("cms at control".to_owned(), Rung::Control));
}

#[tokio::test]
async fn where_a_district_has_no_officer_of_the_department_its_nodal_officer_gets_it() {
    let world = World::haryana();
    let ticket = world.submit("roads/sector", "hansi").await;
    assert_eq!(world.with(ticket).await, "hansi-ctm at district:hansi");
    assert_eq!(world.ticket(ticket).await.rung(), Rung::DistrictNodal);
}

#[tokio::test]
async fn a_mark_says_why_when_and_until_when() {
    let world = World::small();
    let id = world.submit("water", "rohtak/meham").await;
    let events = world.events(id).await;
    let Some(TicketEvent::Marked { holder, rung, why, at: when, due }) = events.last() else { panic!("{events:?}") };
    assert_eq!(holder.to_string(), "phe-rohtak (district:rohtak)");
    assert_eq!((*rung, *why, *when, *due), (Rung::Officer, MarkReason::Routed, start(), at(72)));
}

#[test]
fn a_desk_has_its_officers_in_the_order_of_the_roster() {
    let roster = roster(ROSTER);
    let hisar = roster.officers().iter().filter(|officer| *officer.desk() == desk("district:hisar"));
    let ids: Vec<_> = hisar.map(|officer| officer.id().as_str()).collect();
    assert_eq!(ids, ["hisar-ctm", "phe-hisar", "phe-hisar-sdo", "power-hisar"]);
    assert_eq!(roster.nodal(&desk("district:hisar")).map(|officer| officer.id().as_str()), Some("hisar-ctm"));
}

/// The small world's rules with rows that ask for more than category and place.
const MORE: &str =
    "id,category,location,channel,language,words_any,time,weekday,holiday,department,level,priority,deadline_hours,note
W-1,water,,,,,,,,phe,district,high,72,
P-1,power,,,,,,,,power,district,urgent,24,
P-2,power,,phone,,,20:00-08:00,,,power,state,urgent,4,the night line
P-3,power,,,hi,,,,,power,state,urgent,24,
F-1,water,,,,live wire|करंट,,,,power,district,urgent,2,the current first
H-1,cattle|bribe,,,,,,,yes,vigilance,state,low,96,
H-2,cattle|bribe,,,,,,sat|sun,,vigilance,state,low,72,
ELSE,,,,,,,,,control,,normal,24,everything else
";

/// A world whose clock shows this hour of 14 July 2022, a Thursday, and that has the next day off.
fn more_at(hours: i64) -> World {
    let roster = ROSTER.replacen("\ncontrol =", "\nholidays = [2022-07-15]\ncontrol =", 1);
    assert!(roster.contains("holidays"), "the roster's form has changed");
    let world = World::of(haryana::rules(MORE), haryana::roster(&roster), |builder| builder);
    world.clock.set(at(hours));
    world
}

async fn row_of(world: &World, grievance: nivaran::grievance::GrievanceBuilder) -> String {
    let ticket = world.ticket(world.file(grievance).await).await;
    ticket.routing().map_or("control".to_owned(), |routing| routing.row.to_string())
}

#[tokio::test]
async fn channel_language_words_time_weekday_and_holiday_decide_too() {
    let by_day = more_at(0);
    let from = |channel: Channel, category: &str, text: &str| {
        let source = Source::new(channel, format!("{channel}-{category}-{text}")).unwrap();
        Grievance::builder(source, text).category(category.parse().unwrap()).place("hisar".parse().unwrap())
    };
    let hindi = || Language::new("hi-Latn").unwrap();
    assert_eq!(row_of(&by_day, from(Channel::Phone, "power", "dark")).await, "P-1");
    assert_eq!(row_of(&by_day, from(Channel::X, "power", "andhera hai").language(hindi())).await, "P-3");
    assert_eq!(row_of(&by_day, from(Channel::X, "water", "a LIVE wire, in the water")).await, "F-1");
    assert_eq!(row_of(&by_day, from(Channel::X, "water", "पानी में करंट है")).await, "F-1");
    assert_eq!(row_of(&by_day, from(Channel::X, "water", "wires, alive")).await, "W-1");
    assert_eq!(row_of(&by_day, from(Channel::X, "cattle", "a bull")).await, "control");

    // 21:00; the call is more specific by its channel than by its language.
    let by_night = more_at(12);
    let call = from(Channel::Phone, "power", "andhera hai").language(hindi());
    assert_eq!(row_of(&by_night, call).await, "P-2");
    assert_eq!(row_of(&by_night, from(Channel::X, "power", "dark")).await, "P-1");

    assert_eq!(row_of(&more_at(24), from(Channel::X, "cattle", "a bull")).await, "H-1", "on the holiday");
    assert_eq!(row_of(&more_at(48), from(Channel::X, "bribe", "he asked")).await, "H-2", "on Saturday");
    assert_eq!(row_of(&more_at(96), from(Channel::X, "bribe", "he asked")).await, "control", "on Monday");
}

#[tokio::test]
async fn what_held_is_recorded_and_told_and_no_word_of_the_text() {
    let world = more_at(0);
    let builder = Grievance::builder(world.source(), "Live wire by the temple").category("water".parse().unwrap());
    let id = world.file(builder).await;
    let events = world.events(id).await;
    let Some(TicketEvent::Routed(routing)) = events.get(1) else { panic!("{events:?}") };
    assert_eq!(routing.held.category.as_ref().map(|path| path.as_str()), Some("water"));
    assert_eq!((routing.held.location.as_ref(), routing.held.others.as_slice()), (None, &[ConditionKind::Words][..]));
    let told = events[1].to_string();
    assert!(told.contains("F-1") && told.contains("category water, words") && !told.contains("temple"), "{told}");
}

#[tokio::test]
async fn a_journal_tells_which_rows_decided_which_never_did_and_what_no_row_was_for() {
    let world = World::small();
    for (category, place) in [("power", "hisar"), ("power", "rohtak"), ("cattle", "hisar"), ("water", "hisar")] {
        world.submit(category, place).await;
    }
    let rules = world.engine.rules();
    let mut hits = rules.hits();
    for entry in world.journal() {
        let Some(TicketEvent::Received { filing, .. }) = entry.ticket().and_then(|entry| entry.events.first()) else {
            continue;
        };
        let (category, place) = (filing.category.as_ref(), filing.place.as_ref());
        for event in &entry.ticket().unwrap().events {
            let row = match event {
                TicketEvent::Routed(routing) => Some(&routing.row),
                TicketEvent::SentToTriage { row, .. } => row.as_ref(),
                _ => None,
            };
            assert!(row.is_none_or(|row| hits.take(row, category, place)));
        }
    }
    let counts: Vec<(&str, u64)> = hits.rows().map(|(row, count)| (row.id.as_str(), count)).collect();
    assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), 4, "{counts:?}");
    assert!(counts.contains(&("P-1", 2)) && counts.contains(&("ELSE", 1)), "{counts:?}");
    assert!(hits.never().all(|row| counts.contains(&(row.id.as_str(), 0))) && hits.never().count() > 0);
    let unrouted: Vec<String> = hits.unrouted().map(|caught| format!("{:?} {}", caught.place, caught.count)).collect();
    assert_eq!(unrouted.len(), 1, "{unrouted:?}");
    // The same, if what came is decided anew.
    let mut anew = rules.hits();
    for id in world.store.clone().tickets(None, 100).unwrap() {
        let ticket = world.ticket(id).await;
        anew.count(&Facts::of(ticket.filing(), world.engine.roster().moment(ticket.filing().posted_at)));
    }
    assert!(anew.rows().map(|(row, count)| (row.id.as_str(), count)).eq(counts));
}
