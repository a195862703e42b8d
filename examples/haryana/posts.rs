//! What citizens write: how many a day, about what, from where, through the seasons.

use std::error::Error;

use jiff::Timestamp;
use nivaran::{CategoryPath, Channel, Complainant, Grievance, PlacePath, PlaceTree, Source};

use crate::calendar::{DAYS, instant, month, weekday};
use crate::case::Case;
use crate::dice::Dice;

/// In the year 2022 there were about 70,000, 180 to 200 a day.
const A_YEAR: f64 = 70_000.0;
/// How much of a full day there is on each day of the week, from Monday.
const BY_WEEKDAY: [f64; 7] = [1.02, 1.0, 1.0, 1.0, 1.0, 0.93, 0.87];
/// How much more there is in the monsoon.
const BY_MONTH: [f64; 12] = [0.97, 0.97, 0.97, 0.98, 1.0, 1.02, 1.07, 1.08, 1.05, 0.97, 0.96, 0.96];

/// How often something is written about in each month; 10 is the usual.
type Season = [u64; 12];
const ALL_YEAR: Season = [10; 12];
const MONSOON: Season = [1, 1, 1, 1, 2, 10, 40, 45, 30, 4, 1, 1];
const SUMMER: Season = [5, 5, 6, 10, 25, 30, 25, 12, 10, 6, 5, 5];
const HARVEST: Season = [1, 1, 1, 40, 20, 2, 1, 1, 1, 40, 30, 2];

/// Category, how often, when, and what such a post says.
#[rustfmt::skip]
const KINDS: &[(&str, u64, Season, &str)] = &[
    ("water/logging/street",         55, MONSOON,  "Water stands knee-deep in our street since the rain"),
    ("water/logging",                15, MONSOON,  "Whole colony under water, no pump has come"),
    ("water/logging/underpass",       9, MONSOON,  "Underpass flooded, cars stuck"),
    ("water/logging/fields",         10, MONSOON,  "Standing water in the fields, paddy is rotting"),
    ("sewerage/storm-drain",         10, MONSOON,  "Drain was not cleaned before the monsoon"),
    ("water/no-supply",              40, SUMMER,   "No water for four days"),
    ("power/outage",                 60, SUMMER,   "No electricity since last night"),
    ("power/hazard",                 14, SUMMER,   "Wire hanging low over the street, sparks"),
    ("power/transformer",            14, SUMMER,   "Transformer burnt, third time this month"),
    ("farm/procurement",             10, HARVEST,  "Crop sold in the mandi, payment has not come"),
    ("farm/stubble",                  4, HARVEST,  "Fields burning, smoke all over the village"),
    ("garbage/collection",           60, ALL_YEAR, "Garbage was not collected for a week"),
    ("garbage/burning",               8, ALL_YEAR, "Garbage is burnt behind the school every evening"),
    ("garbage/dead-animal",           7, ALL_YEAR, "Dead cow by the road"),
    ("garbage/construction-waste",    6, ALL_YEAR, "Malba dumped on the road"),
    ("roads/pothole",                55, ALL_YEAR, "Potholes, two accidents this week"),
    ("roads/street",                 28, ALL_YEAR, "Our street is broken since the pipe was laid"),
    ("roads/streetlight",            24, ALL_YEAR, "Street lights do not work"),
    ("roads/dug-up",                 14, ALL_YEAR, "Road dug up and left open"),
    ("roads/encroachment",           12, ALL_YEAR, "Footpath taken over by shops"),
    ("roads/rural-link",              8, ALL_YEAR, "Link road to the village is gone"),
    ("sewerage/blocked",             45, ALL_YEAR, "Sewer overflows in front of the house"),
    ("sewerage/manhole",              9, ALL_YEAR, "Open manhole, a child fell in"),
    ("water/dirty",                  20, ALL_YEAR, "Tap water is black and smells"),
    ("water/leakage",                15, ALL_YEAR, "Pipe leaks, water runs day and night"),
    ("power/bill",                   30, ALL_YEAR, "Bill of 48,000 for two rooms"),
    ("power/connection",             12, ALL_YEAR, "Applied for a connection in March, nothing"),
    ("police/fir",                   45, ALL_YEAR, "FIR is not registered, they send me away"),
    ("police/cyber",                 20, ALL_YEAR, "Money taken from my account by a fraud call"),
    ("police/women",                  8, ALL_YEAR, "Girls are harassed at the bus stop"),
    ("police/drugs",                  8, ALL_YEAR, "Chitta is sold openly in our colony"),
    ("police/against",                7, ALL_YEAR, "Constable asked for money to drop the challan"),
    ("police/travel-agent",           6, ALL_YEAR, "Agent took 12 lakh for Canada and is gone"),
    ("revenue/registry",             18, ALL_YEAR, "Registry is refused without a reason"),
    ("revenue/mutation",             22, ALL_YEAR, "Mutation pending for eight months"),
    ("revenue/records",              14, ALL_YEAR, "Name is wrong in the jamabandi"),
    ("revenue/demarcation",          14, ALL_YEAR, "Applied for nishandehi, nobody comes"),
    ("revenue/certificate",          14, ALL_YEAR, "Caste certificate is not issued"),
    ("health/hospital",              12, ALL_YEAR, "No doctor in the emergency ward"),
    ("health/medicine",               8, ALL_YEAR, "Medicines are out of stock in the civil hospital"),
    ("health/ayushman",               8, ALL_YEAR, "Hospital refuses the Ayushman card"),
    ("education/teacher",             8, ALL_YEAR, "No maths teacher since April"),
    ("education/private-school",     10, ALL_YEAR, "School raised the fees by 40 per cent"),
    ("welfare/ration",               14, ALL_YEAR, "Depot gives two kilos less"),
    ("welfare/ration-card",          16, ALL_YEAR, "BPL card was cut although nothing changed"),
    ("welfare/old-age-pension",      22, ALL_YEAR, "Pension stopped three months ago"),
    ("welfare/family-id",            28, ALL_YEAR, "Income in the Family ID is wrong"),
    ("village/street",               16, ALL_YEAR, "Village street is a swamp"),
    ("village/pond",                  8, ALL_YEAR, "Pond overflows into the houses"),
    ("planning/illegal-construction",14, ALL_YEAR, "Fourth floor without a permit"),
    ("planning/illegal-colony",       8, ALL_YEAR, "Plots are sold in an unauthorised colony"),
    ("planning/property-id",         18, ALL_YEAR, "Property ID shows someone else's name"),
    ("planning/builder",             10, ALL_YEAR, "Builder has not given possession since 2017"),
    ("planning/hsvp",                 8, ALL_YEAR, "Enhancement notice for a plot paid in full"),
    ("transport/bus",                12, ALL_YEAR, "Bus does not stop at our village"),
    ("transport/licence",             6, ALL_YEAR, "Licence has not arrived"),
    ("farm/crop-insurance",           8, ALL_YEAR, "Insurance claim rejected without a survey"),
    ("farm/canal",                    6, ALL_YEAR, "Canal water does not reach the tail"),
    ("environment/stray-animals",    14, ALL_YEAR, "Stray bulls in the market, a man is hurt"),
    ("environment/air",               5, ALL_YEAR, "Factory lets off smoke at night"),
    ("labour/wages",                  6, ALL_YEAR, "Contractor has not paid for two months"),
    ("labour/recruitment",            8, ALL_YEAR, "Result is pending for a year"),
    ("government/bribe",              5, ALL_YEAR, "Clerk wants 5,000 for the file"),
    ("government/portal",            10, ALL_YEAR, "Saral portal rejects the form"),
];

/// How much of it comes from each district.
const DISTRICTS: &[(&str, u64)] = &[
    ("gurugram", 150),
    ("faridabad", 120),
    ("hisar", 70),
    ("sonipat", 60),
    ("panipat", 55),
    ("karnal", 55),
    ("ambala", 50),
    ("rohtak", 50),
    ("yamunanagar", 45),
    ("panchkula", 40),
    ("bhiwani", 40),
    ("sirsa", 40),
    ("jind", 40),
    ("jhajjar", 35),
    ("rewari", 35),
    ("palwal", 30),
    ("kaithal", 35),
    ("kurukshetra", 35),
    ("fatehabad", 25),
    ("mahendragarh", 25),
    ("nuh", 25),
    ("hansi", 15),
    ("charkhi-dadri", 15),
];

const CHANNELS: [(Channel, u64); 4] =
    [(Channel::X, 55), (Channel::Facebook, 20), (Channel::Email, 10), (Channel::Counter, 15)];

/// A post: when, what the engine gets of it, and what is behind it.
pub struct Post {
    pub at: Timestamp,
    pub grievance: Grievance,
    pub case: Case,
}

/// All posts of the year, made day by day.
pub struct Posts {
    seed: u64,
    kinds: Vec<(CategoryPath, u64, Season, &'static str)>,
    /// How much comes from each district, and its places.
    districts: Vec<(u64, Vec<PlacePath>)>,
    by_day: Vec<usize>,
}

impl Posts {
    pub fn new(seed: u64, places: &PlaceTree) -> Result<Self, Box<dyn Error>> {
        let kind = |&(category, weight, season, text): &(&str, u64, Season, &'static str)| {
            Ok((CategoryPath::new(category)?, weight, season, text))
        };
        let district = |&(district, weight): &(&str, u64)| {
            let inside = |place: &&PlacePath| place.district().as_str() == district && place.as_str() != district;
            (weight, places.paths().filter(inside).cloned().collect())
        };
        Ok(Self {
            seed,
            kinds: KINDS.iter().map(kind).collect::<Result<_, Box<dyn Error>>>()?,
            districts: DISTRICTS
                .iter()
                .map(district)
                .filter(|(_, places): &(u64, Vec<_>)| !places.is_empty())
                .collect(),
            by_day: by_day(seed),
        })
    }

    /// How many there are on some days.
    pub fn count(&self, days: std::ops::Range<i64>) -> usize {
        days.filter_map(|day| self.by_day.get(day as usize)).sum()
    }

    /// The posts of a day, in the order of their times.
    pub fn of(&self, day: i64) -> Result<Vec<Post>, Box<dyn Error>> {
        let count = self.count(day..day + 1);
        let mut posts: Vec<Post> = (0..count).map(|number| self.post(day, number)).collect::<Result<_, _>>()?;
        posts.sort_by_key(|post| post.at);
        Ok(posts)
    }

    fn post(&self, day: i64, number: usize) -> Result<Post, Box<dyn Error>> {
        let name = day as u64 * 10_000 + number as u64;
        let mut dice = Dice::new(self.seed, name);
        let at = instant(day, minute_of_day(&mut dice));
        let (category, text) = self.kind(day, &mut dice);
        let place = self.place(&mut dice);

        let (channel, _) = CHANNELS[dice.pick(CHANNELS.iter().map(|(_, weight)| *weight))];
        let complainant = complainant(channel, name);
        let author = complainant.author(channel).ok_or("a complainant without handle and contact")?;
        let source = Source::new(channel, name.to_string())?;
        let mut grievance = Grievance::builder(source, text).complainant(complainant).posted_at(at);
        // Not everything is sorted rightly when it comes in, and sometimes it is not known what or where it is.
        match dice.between(0, 999) {
            0..60 => grievance = grievance.category(self.kind(day, &mut dice).0),
            60..95 => {}
            _ => grievance = grievance.category(category.clone()),
        }
        match dice.between(0, 999) {
            0..25 => {}
            25..35 => grievance = grievance.place(self.place(&mut dice)),
            _ => grievance = grievance.place(place.clone()),
        }
        Ok(Post { at, grievance: grievance.build()?, case: Case::new(author, category, place, dice) })
    }

    fn kind(&self, day: i64, dice: &mut Dice) -> (CategoryPath, &'static str) {
        let month = month(day);
        let (category, _, _, text) = &self.kinds[dice.pick(self.kinds.iter().map(|kind| kind.1 * kind.2[month]))];
        (category.clone(), text)
    }

    fn place(&self, dice: &mut Dice) -> PlacePath {
        let (_, places) = &self.districts[dice.pick(self.districts.iter().map(|(weight, _)| *weight))];
        places[dice.pick(places.iter().map(|_| 1))].clone()
    }
}

/// How many posts there are on each day, so that the year has [`A_YEAR`].
fn by_day(seed: u64) -> Vec<usize> {
    let mut dice = Dice::new(seed, u64::MAX);
    let weight = |day: i64| {
        let chance = 0.97 + 0.06 * dice.between(0, 100) as f64 / 100.0;
        BY_WEEKDAY[weekday(day)] * BY_MONTH[month(day)] * chance
    };
    let weights: Vec<f64> = (0..DAYS).map(weight).collect();
    let all: f64 = weights.iter().sum();
    let mut so_far = 0.0;
    let mut given = 0;
    let count = |weight: &f64| {
        so_far += weight;
        let until = (A_YEAR * so_far / all).round() as usize;
        until - std::mem::replace(&mut given, until)
    };
    weights.iter().map(count).collect()
}

/// People write in the morning and, most of all, in the evening.
fn minute_of_day(dice: &mut Dice) -> i64 {
    const BY_HOUR: [u64; 24] = [2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11, 10, 9, 8, 8, 9, 10, 12, 13, 13, 11, 8, 4];
    dice.pick(BY_HOUR.into_iter()) as i64 * 60 + dice.between(0, 59)
}

fn complainant(channel: Channel, name: u64) -> Complainant {
    let mut complainant = Complainant::default();
    match channel {
        Channel::X | Channel::Facebook => complainant.handle = Some(format!("@citizen_{name}")),
        Channel::Email => complainant.contact = Some(format!("citizen.{name}@example.org")),
        _ => complainant.contact = Some(format!("98{name:08}")),
    }
    complainant
}
