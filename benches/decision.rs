//! What one decision costs, on one thread: the rules table's lookup, a ticket's first marking, an act.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use nivaran::calendar::Hours;
use nivaran::code::{CategoryPath, DepartmentId, PlacePath, RowId};
use nivaran::rules::{Conditions, Day, Facts, HitPolicy, Level, Moment, Priority, Row, Target};
use nivaran::{CategoryTree, Channel, PlaceTree, Rules};

fn main() {
    divan::main();
}

fn everything_else() -> Row {
    Row {
        id: RowId::new("else").unwrap(),
        when: Conditions::default(),
        precedence: 0,
        target: Target::Control,
        priority: Priority::Normal,
        deadline: Hours::from_days(1),
    }
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
            when: Conditions { category: c.clone().into(), location: p.clone().into(), ..Conditions::default() },
            precedence: 0,
            target: Target::Department(DepartmentId::new(&format!("d{}", i % 45)).unwrap(), Level::District),
            priority: Priority::Normal,
            deadline: Hours::from_days(2),
        })
        .collect();
    table.push(everything_else());
    let categories = CategoryTree::from_paths((0..side).map(category));
    let places = PlaceTree::from_paths((0..side).map(place));
    let asked = (0..1024).map(|i| (category(i * 7 % side), place(i * 13 % side))).collect();
    (Rules::new(categories, places, HitPolicy::Specific, table).unwrap(), asked)
}

/// From the two paths of a grievance to the row: both are looked up in their trees, then one array is read.
#[divan::bench(args = [10, 100, 1_000, 10_000, 100_000])]
fn routing_lookup(bencher: Bencher, rows: usize) {
    let (rules, asked) = table(rows);
    let moment = Moment::new(jiff::civil::date(2026, 1, 5), Day::Working, 720);
    bencher.counter(ItemsCount::new(asked.len())).bench(|| {
        for (category, place) in &asked {
            let facts = Facts {
                category: Some(category),
                place: Some(place),
                channel: Channel::X,
                language: None,
                words: None,
                moment,
            };
            black_box(rules.decide(black_box(&facts)));
        }
    });
}

/// Tables in which every row asks for six things: category, location, channel, language, day of the week, time of day.
mod full {
    use super::*;
    use nivaran::grievance::Language;
    use nivaran::rules::{Minute, TimeSpan, Weekdays};
    use rand::rngs::StdRng;
    use rand::seq::IndexedRandom;
    use rand::{RngExt, SeedableRng};

    const CHANNELS: [Channel; 5] = [Channel::X, Channel::Facebook, Channel::Email, Channel::Counter, Channel::Phone];
    const LANGUAGES: [&str; 4] = ["hi", "en", "pa", "ur"];

    pub struct Asked {
        pub category: CategoryPath,
        pub place: PlacePath,
        pub channel: Channel,
        pub language: Language,
        pub moment: Moment,
    }

    impl Asked {
        pub fn facts(&self) -> Facts<'_> {
            Facts {
                category: Some(&self.category),
                place: Some(&self.place),
                channel: self.channel,
                language: Some(&self.language),
                words: None,
                moment: self.moment,
            }
        }
    }

    /// Over the taxonomy and the gazetteer of the example, as a state has them; the row for everything else is last.
    pub fn rows(count: usize) -> (CategoryTree, PlaceTree, Vec<Row>, Vec<Asked>) {
        let categories = CategoryTree::read(include_bytes!("../examples/haryana/categories.csv")).unwrap();
        let places = PlaceTree::read(include_bytes!("../examples/haryana/places.csv")).unwrap();
        let all_categories: Vec<_> = categories.paths().cloned().collect();
        let all_places: Vec<_> = places.paths().cloned().collect();
        let languages = LANGUAGES.map(|tag| Language::new(tag).unwrap());
        let mut dice = StdRng::seed_from_u64(7);
        let mut row = |n: usize| {
            let week = Weekdays::of((0..5).map(|day| jiff::civil::Weekday::from_monday_zero_offset(day).unwrap()));
            let (from, to) = *[(9, 17), (17, 9)].choose(&mut dice).unwrap();
            let time = TimeSpan { from: Minute::new(from, 0).unwrap(), to: Minute::new(to, 0).unwrap() };
            Row {
                id: RowId::new(&format!("r{n}")).unwrap(),
                when: Conditions {
                    category: all_categories.choose(&mut dice).unwrap().clone().into(),
                    location: all_places.choose(&mut dice).unwrap().clone().into(),
                    channel: (*CHANNELS.choose(&mut dice).unwrap()).into(),
                    language: languages.choose(&mut dice).unwrap().clone().into(),
                    weekdays: week,
                    time: Some(time),
                    ..Conditions::default()
                },
                // Rows that ask for the same differ in it.
                precedence: (n % 60_000) as u16,
                target: Target::Department(DepartmentId::new(&format!("d{}", n % 45)).unwrap(), Level::District),
                priority: Priority::Normal,
                deadline: Hours::from_days(2),
            }
        };
        let mut rows: Vec<Row> = (1..count).map(&mut row).collect();
        rows.push(everything_else());
        let asked = (0..1024).map(|_| Asked {
            category: all_categories.choose(&mut dice).unwrap().clone(),
            place: all_places.choose(&mut dice).unwrap().clone(),
            channel: *CHANNELS.choose(&mut dice).unwrap(),
            language: languages.choose(&mut dice).unwrap().clone(),
            moment: Moment::new(jiff::civil::date(2026, 1, 5), Day::Working, dice.random_range(0..1_440)),
        });
        let asked = asked.collect();
        (categories, places, rows, asked)
    }

    #[divan::bench(args = [10, 100, 1_000, 10_000, 100_000])]
    fn full_lookup(bencher: Bencher, count: usize) {
        let (categories, places, rows, asked) = rows(count);
        let rules = Rules::new(categories, places, HitPolicy::Specific, rows).unwrap();
        bencher.counter(ItemsCount::new(asked.len())).bench(|| {
            for asked in &asked {
                black_box(rules.decide(black_box(&asked.facts())));
            }
        });
    }

    /// Checking and compiling rows that are read.
    #[divan::bench(args = [10_000, 100_000], sample_count = 10)]
    fn compile(bencher: Bencher, count: usize) {
        let (categories, places, rows, _) = rows(count);
        bencher
            .counter(ItemsCount::new(count))
            .with_inputs(|| (categories.clone(), places.clone(), rows.clone()))
            .bench_values(|(categories, places, rows)| {
                Rules::new(categories, places, HitPolicy::Specific, rows).unwrap()
            });
    }
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
        let placement = place(&ticket, None, &world.rules, &world.roster, &world.policy, world.now);
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
