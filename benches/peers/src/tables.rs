//! The tables and the grievances that are asked: made by dice that always fall the same.

use std::cmp::Reverse;

use jiff::civil::{Weekday, date};
use nivaran::calendar::Hours;
use nivaran::grievance::Language;
use nivaran::rules::{Conditions, Day, Facts, HitPolicy, Level, Minute, Moment, Names, Priority, Row};
use nivaran::rules::{Target, TimeSpan, Weekdays};
use nivaran::{CategoryPath, CategoryTree, Channel, PlacePath, PlaceTree, RowId, Rules};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

const CATEGORIES: &[u8] = include_bytes!("../../../examples/haryana/categories.csv");
const PLACES: &[u8] = include_bytes!("../../../examples/haryana/places.csv");
const RULES: &[u8] = include_bytes!("../../../examples/haryana/rules.csv");
const CHANNELS: [Channel; 5] = [Channel::X, Channel::Facebook, Channel::Email, Channel::Counter, Channel::Phone];
const LANGUAGES: [&str; 4] = ["hi", "en", "pa", "ur"];
const WEEK: [&[Weekday]; 2] = [
    &[Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday],
    &[Weekday::Saturday, Weekday::Sunday],
];
/// In and out of office hours; the second goes over midnight.
const HOURS: [(u16, u16); 2] = [(9, 17), (17, 9)];
/// How many grievances are asked.
const ASKED: usize = 1_024;

/// What a grievance is asked with.
pub struct Asked {
    /// What it is about.
    pub category: CategoryPath,
    /// Where it is.
    pub place: PlacePath,
    /// By which way it came.
    pub channel: Channel,
    /// In which language.
    pub language: Language,
    /// When it is decided.
    pub moment: Moment,
}

impl Asked {
    /// The same, as nivaran takes it.
    #[must_use]
    #[inline]
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

/// A table before anyone compiles it, and what it is asked.
pub struct Table {
    /// The taxonomy.
    pub categories: CategoryTree,
    /// The gazetteer.
    pub places: PlaceTree,
    /// The rows, in no order.
    pub rows: Vec<Row>,
    /// The grievances.
    pub asked: Vec<Asked>,
}

impl Table {
    /// Rows that ask for a category and a location, as in `benches/decision.rs`.
    #[must_use]
    pub fn two_columns(count: usize) -> Self {
        let side = (count as f64).sqrt().ceil() as usize + 1;
        let category = |i: usize| -> CategoryPath { format!("c{}/s{}", i / 10, i % 10).parse().unwrap() };
        let place = |i: usize| -> PlacePath { format!("d{}/t{}", i / 10, i % 10).parse().unwrap() };
        let pairs = (0..side).flat_map(|c| (0..side).map(move |p| (category(c), place(p))));
        let when = pairs.map(|(category, place)| Conditions {
            category: category.into(),
            location: place.into(),
            ..Conditions::default()
        });
        let mut dice = StdRng::seed_from_u64(7);
        let asked = (0..ASKED).map(|i| ask(&mut dice, category(i * 7 % side), place(i * 13 % side))).collect();
        Self {
            categories: CategoryTree::from_paths((0..side).map(category)),
            places: PlaceTree::from_paths((0..side).map(place)),
            rows: rows(count, when),
            asked,
        }
    }

    /// Rows that ask for six things, over the taxonomy and the gazetteer of the example.
    #[must_use]
    pub fn full(count: usize) -> Self {
        let categories = CategoryTree::read(CATEGORIES).unwrap();
        let places = PlaceTree::read(PLACES).unwrap();
        let all_categories: Vec<_> = categories.paths().cloned().collect();
        let all_places: Vec<_> = places.paths().cloned().collect();
        let languages = LANGUAGES.map(|tag| Language::new(tag).unwrap());
        let mut dice = StdRng::seed_from_u64(7);
        let when = std::iter::repeat_with(|| {
            let (from, to) = one_of(&mut dice, &HOURS);
            Conditions {
                category: one_of(&mut dice, &all_categories).into(),
                location: one_of(&mut dice, &all_places).into(),
                channel: one_of(&mut dice, &CHANNELS).into(),
                language: one_of(&mut dice, &languages).into(),
                weekdays: Weekdays::of(one_of(&mut dice, &WEEK).iter().copied()),
                time: Some(TimeSpan { from: Minute::new(from, 0).unwrap(), to: Minute::new(to, 0).unwrap() }),
                ..Conditions::default()
            }
        });
        let rows = rows(count, when);
        let mut asking = || {
            let (category, place) = (one_of(&mut dice, &all_categories), one_of(&mut dice, &all_places));
            ask(&mut dice, category, place)
        };
        let asked = (0..ASKED).map(|_| asking()).collect();
        Self { categories, places, rows, asked }
    }

    /// The rows compiled by nivaran.
    #[must_use]
    pub fn compiled(&self) -> Rules {
        let (categories, places) = (self.categories.clone(), self.places.clone());
        Rules::new(categories, places, HitPolicy::Specific, self.rows.clone()).unwrap()
    }

    /// The rows in an order in which the first that holds is the one that wins. There is such an order since no row has
    /// alternatives: each is as specific wherever it holds.
    #[must_use]
    pub fn in_winning_order(&self) -> Vec<Row> {
        let mut rows = self.rows.clone();
        rows.sort_by(|one, other| (rank(one), &one.id).cmp(&(rank(other), &other.id)));
        rows
    }
}

/// What a cell asks for; the tables have neither alternatives nor negations.
///
/// # Panics
/// If a table has.
pub fn only<T>(names: &Names<T>) -> Option<&T> {
    match names {
        Names::Any => None,
        Names::OneOf(names) if names.len() == 1 => names.first(),
        _ => panic!("a row with alternatives or negations"),
    }
}

/// How many levels a path has.
#[must_use]
pub fn levels(path: &str) -> usize {
    path.split('/').count()
}

/// Sorts the more specific rows to the front: see "Which row wins" on the page of `nivaran::rules`.
fn rank(row: &Row) -> Reverse<(usize, usize, [bool; 4], u16)> {
    let Conditions { category, location, channel, language, weekdays, time, .. } = &row.when;
    let category = only(category).map_or(0, |path| levels(path.as_str()));
    let location = only(location).map_or(0, |path| levels(path.as_str()));
    let others = [!channel.is_any(), !language.is_any(), *weekdays != Weekdays::ALL, time.is_some()];
    Reverse((category, location, others, row.precedence))
}

/// A table of `count` rows: these, and the one for everything else.
fn rows(count: usize, when: impl Iterator<Item = Conditions>) -> Vec<Row> {
    // Departments that the roster knows, so that checking finds officers for them.
    let (categories, places) = (CategoryTree::read(CATEGORIES).unwrap(), PlaceTree::read(PLACES).unwrap());
    let example = Rules::read(categories, places, RULES).unwrap();
    let departments = example.departments();
    let mut rows: Vec<Row> = when
        .take(count - 1)
        .enumerate()
        .map(|(n, when)| Row {
            id: RowId::new(&format!("r{n}")).unwrap(),
            when,
            // Rows that ask for the same differ in it.
            precedence: (n % 65_536) as u16,
            target: Target::Department(departments[n % departments.len()].clone(), Level::District),
            priority: Priority::Normal,
            deadline: Hours::from_days(2),
        })
        .collect();
    rows.push(everything_else());
    rows
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

fn ask(dice: &mut StdRng, category: CategoryPath, place: PlacePath) -> Asked {
    let day = date(2026, 1, dice.random_range(5..12));
    Asked {
        category,
        place,
        channel: one_of(dice, &CHANNELS),
        language: Language::new(one_of(dice, &LANGUAGES)).unwrap(),
        moment: Moment::new(day, Day::Working, dice.random_range(0..1_440)),
    }
}

fn one_of<T: Clone>(dice: &mut StdRng, some: &[T]) -> T {
    some.choose(dice).unwrap().clone()
}
