//! What one decision costs, on one thread: the rules table's lookup, a ticket's first marking, an act.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use nivaran::calendar::Hours;
use nivaran::code::{CategoryPath, DepartmentId, PlacePath, RowId};
use nivaran::rules::{Level, Priority, Row, Target};
use nivaran::{CategoryTree, PlaceTree, Rules};

fn main() {
    divan::main();
}

/// A table of `rows` rows over trees as large as such a table needs.
fn table(rows: usize) -> (Rules, Vec<(CategoryPath, PlacePath)>) {
    let side = (rows as f64).sqrt().ceil() as usize + 1;
    let category = |i: usize| CategoryPath::new(&format!("c{}/s{}", i / 10, i % 10)).unwrap();
    let place = |i: usize| PlacePath::new(&format!("d{}/t{}", i / 10, i % 10)).unwrap();
    let pairs: Vec<_> =
        (0..side).flat_map(|c| (0..side).map(move |p| (category(c), place(p)))).take(rows - 1).collect();
    let mut table: Vec<Row> = pairs
        .iter()
        .enumerate()
        .map(|(i, (c, p))| Row {
            id: RowId::new(&format!("r{i}")).unwrap(),
            category: Some(c.clone()),
            location: Some(p.clone()),
            target: Target::Department(DepartmentId::new(&format!("d{}", i % 45)).unwrap(), Level::District),
            priority: Priority::Normal,
            deadline: Hours::from_days(2),
        })
        .collect();
    table.push(Row {
        id: RowId::new("else").unwrap(),
        category: None,
        location: None,
        target: Target::Control,
        priority: Priority::Normal,
        deadline: Hours::from_days(1),
    });
    let categories = CategoryTree::from_paths((0..side).map(category));
    let places = PlaceTree::from_paths((0..side).map(place));
    let asked = (0..1024).map(|i| (category(i * 7 % side), place(i * 13 % side))).collect();
    (Rules::new(categories, places, table).unwrap(), asked)
}

/// From the two paths of a grievance to the row: both are looked up in their trees, then one array is read.
#[divan::bench(args = [10, 100, 1_000, 10_000, 100_000])]
fn routing_lookup(bencher: Bencher, rows: usize) {
    let (rules, asked) = table(rows);
    bencher.counter(ItemsCount::new(asked.len())).bench(|| {
        for (category, place) in &asked {
            black_box(rules.decide(Some(black_box(category)), Some(black_box(place))));
        }
    });
}

mod ticket {
    use super::*;
    use jiff::Timestamp;
    use nivaran::grievance::{Channel, Filing};
    use nivaran::personal::InstallationKey;
    use nivaran::placing::place;
    use nivaran::ticket::{Action, Command, Holder, Origin, Outcome, Policy, Roles, TicketEvent};
    use nivaran::{Roster, Source, Ticket, TicketId};
    use std::sync::Arc;

    struct World {
        rules: Rules,
        roster: Roster,
        policy: Policy,
        received: TicketEvent,
        now: Timestamp,
    }

    fn world() -> World {
        let categories = CategoryTree::read(include_bytes!("../examples/haryana/categories.csv")).unwrap();
        let places = PlaceTree::read(include_bytes!("../examples/haryana/places.csv")).unwrap();
        let rules = Rules::read(categories, places, include_bytes!("../examples/haryana/rules.csv")).unwrap();
        let roster = Roster::read(include_str!("../examples/haryana/roster.toml")).unwrap();
        let now: Timestamp = "2022-07-14T09:00:00Z".parse().unwrap();
        let filing = Filing {
            channel: Channel::X,
            source: InstallationKey::new(&[7; 32]).source(&Source::new(Channel::X, "1").unwrap()),
            post: None,
            author: None,
            category: Some("water/logging".parse().unwrap()),
            place: Some("hisar/hisar".parse().unwrap()),
            posted_at: now,
            language: None,
            against: None,
            confidentiality: nivaran::grievance::Confidentiality::Open,
        };
        let ticket = TicketId::from_number(1).unwrap();
        let received = TicketEvent::Received { ticket, filing: Arc::new(filing), origin: Origin::Submitted };
        World { rules, roster, policy: Policy::default(), received, now }
    }

    fn open(world: &World) -> Ticket {
        let mut ticket = Ticket::open(&world.received).unwrap();
        let placement = place(&ticket, &world.rules, &world.roster, &world.policy, world.now);
        ticket.apply(placement.routed.as_ref().unwrap());
        let holder = Holder { desk: placement.desk, officer: "ulb-hisar".parse().unwrap() };
        let marked = ticket.marked(holder, placement.rung, placement.why, &world.policy, world.now);
        ticket.apply(&marked);
        ticket
    }

    /// From the received event to a marked ticket: three events applied, the rules and the ladder asked.
    #[divan::bench]
    fn open_route_mark(bencher: Bencher) {
        let world = world();
        bencher.counter(ItemsCount::new(1usize)).bench(|| open(black_box(&world)));
    }

    /// The decision on an officer's report.
    #[divan::bench]
    fn decide_report(bencher: Bencher) {
        let world = world();
        let ticket = open(&world);
        let command = Command { action: Action::Resolve(Outcome::Fixed), roles: Roles::HOLDER, expected: None };
        bencher
            .counter(ItemsCount::new(1usize))
            .bench(|| black_box(&ticket).decide(black_box(&command), &world.policy, world.now));
    }
}
