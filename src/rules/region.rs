//! Sets of situations: all that a grievance may be, and when it is decided, category and place apart. A difference of such
//! sets is such a set again, so that what no row takes, or two tables take differently, is known exactly.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use jiff::civil::{Date, date};

use super::condition::{Conditions, Day, Names, Weekdays, Word};
use super::facts::Moment;
use super::meet::{CHANNELS, Meeting, holds};
use crate::grievance::Language;

/// A box of situations: each of its sides is a set, and all in all of them are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region {
    channels: u8,
    /// By their place in the [`World`]; the lowest bit is for none and for any that is not in it. Two tables may name
    /// twice [`MAX_LANGUAGES`](super::index::MAX_LANGUAGES).
    languages: u128,
    days: u8,
    weekdays: u8,
    /// The end not in it.
    minutes: (u16, u16),
    /// Days since 1970, the last in it.
    dates: (i32, i32),
    /// Words that the text has.
    with: Vec<u32>,
    /// Words that it has not.
    without: Vec<u32>,
}

/// The languages and words of the tables that are looked at.
#[derive(Debug, Default)]
pub(super) struct World {
    languages: Vec<Language>,
    words: HashMap<Word, u32, FixedState>,
    by_number: Vec<Word>,
}

/// The first and last day that there is.
const ALL_DATES: (i32, i32) = (-4_000_000, 4_000_000);
const EPOCH: Date = date(1970, 1, 1);

impl World {
    pub(super) fn new(languages: Vec<Language>) -> Self {
        Self { languages, ..Self::default() }
    }

    /// All situations.
    pub(super) fn whole(&mut self) -> Vec<Region> {
        self.of(&Conditions::default())
    }

    /// The situations in which a row holds: boxes that may overlap.
    pub(super) fn of(&mut self, when: &Conditions) -> Vec<Region> {
        let bit = |at: usize, holds: bool| u128::from(holds) << at;
        let channels =
            CHANNELS.iter().enumerate().map(|(at, channel)| bit(at, holds(&when.channel, channel, |a, b| a == b)));
        let languages = self.languages.iter().enumerate();
        let languages = languages.map(|(at, language)| bit(at + 1, holds(&when.language, language, Language::covers)));
        let unknown = bit(0, !matches!(when.language, Names::OneOf(_)));
        let whole = Region {
            channels: channels.fold(0, |bits, bit| bits | bit as u8),
            languages: languages.fold(unknown, |bits, bit| bits | bit),
            days: match when.day {
                None => 0b11,
                Some(Day::Working) => 0b01,
                Some(Day::Holiday) => 0b10,
            },
            weekdays: when.weekdays.bits(),
            minutes: (0, 1_440),
            dates: (when.dates.from.map_or(ALL_DATES.0, day_number), when.dates.until.map_or(ALL_DATES.1, day_number)),
            with: when.words.all.iter().map(|word| self.number(word)).collect(),
            without: Vec::new(),
        };
        let times = match when.time.map(|time| (time.from.get(), time.to.get())) {
            None => vec![(0, 1_440)],
            Some((from, to)) if from < to => vec![(from, to)],
            // Over midnight.
            Some((from, to)) => vec![(0, to), (from, 1_440)],
        };
        let any: Vec<u32> = when.words.any.iter().map(|word| self.number(word)).collect();
        let of_words = match any.as_slice() {
            [] => vec![whole],
            any => any
                .iter()
                .map(|word| Region { with: [whole.with.as_slice(), &[*word]].concat(), ..whole.clone() })
                .collect(),
        };
        let boxes = of_words
            .into_iter()
            .flat_map(|region| times.iter().map(move |minutes| Region { minutes: *minutes, ..region.clone() }));
        boxes.filter(|region| !region.is_empty()).collect()
    }

    fn number(&mut self, word: &Word) -> u32 {
        if let Some(number) = self.words.get(word) {
            return *number;
        }
        let number = self.by_number.len() as u32;
        self.words.insert(word.clone(), number);
        self.by_number.push(word.clone());
        number
    }

    /// A situation out of a box that is not empty.
    pub(super) fn witness(&self, region: &Region) -> Option<Meeting> {
        let channel = CHANNELS.get(region.channels.trailing_zeros() as usize).copied()?;
        let language = match region.languages.trailing_zeros() {
            0 => None,
            at => Some(self.languages.get(at as usize - 1)?.clone()),
        };
        let date = region.first_day()?;
        let day = if region.days & 1 != 0 { Day::Working } else { Day::Holiday };
        // Noon, if it is in it, is what people would choose.
        let (from, to) = region.minutes;
        let minute = if (from..to).contains(&720) { 720 } else { from };
        let mut words: Vec<Word> =
            region.with.iter().filter_map(|word| self.by_number.get(*word as usize)).cloned().collect();
        words.sort_unstable();
        words.dedup();
        let date = EPOCH.checked_add(jiff::Span::new().try_days(date).ok()?).ok()?;
        Some(Meeting { channel, language, words, moment: Moment::new(date, day, minute) })
    }
}

fn day_number(date: Date) -> i32 {
    date.since((jiff::Unit::Day, EPOCH)).map_or(0, |span| span.get_days())
}

/// The day of the week of a day since 1970, Monday 0.
fn weekday(day: i32) -> i32 {
    (day + 3).rem_euclid(7)
}

impl Region {
    fn is_empty(&self) -> bool {
        self.channels == 0
            || self.languages == 0
            || self.days == 0
            || self.minutes.0 >= self.minutes.1
            || self.with.iter().any(|word| self.without.contains(word))
            || self.first_day().is_none()
    }

    /// A day that is in it: if it can be, one of 2026 or later.
    fn first_day(&self) -> Option<i32> {
        let (from, until) = self.dates;
        let begin = from.max(20_458.min(until.saturating_sub(6)));
        (begin..=until.min(begin.saturating_add(6))).find(|day| self.weekdays >> weekday(*day) & 1 != 0)
    }

    fn meets(&self, other: &Self) -> bool {
        self.channels & other.channels != 0
            && self.languages & other.languages != 0
            && self.days & other.days != 0
            && self.weekdays & other.weekdays != 0
            && self.minutes.0.max(other.minutes.0) < self.minutes.1.min(other.minutes.1)
            && self.dates.0.max(other.dates.0) <= self.dates.1.min(other.dates.1)
            && !self.with.iter().any(|word| other.without.contains(word))
            && !other.with.iter().any(|word| self.without.contains(word))
    }

    /// What is in both.
    fn and(&self, other: &Self) -> Self {
        let both = |one: &[u32], other: &[u32]| {
            let mut both = [one, other].concat();
            both.sort_unstable();
            both.dedup();
            both
        };
        Self {
            channels: self.channels & other.channels,
            languages: self.languages & other.languages,
            days: self.days & other.days,
            weekdays: self.weekdays & other.weekdays,
            minutes: (self.minutes.0.max(other.minutes.0), self.minutes.1.min(other.minutes.1)),
            dates: (self.dates.0.max(other.dates.0), self.dates.1.min(other.dates.1)),
            with: both(&self.with, &other.with),
            without: both(&self.without, &other.without),
        }
    }

    /// What is in this and not in the other: one side after the other is cut off.
    fn minus(&self, other: &Self, into: &mut Vec<Self>) {
        if !self.meets(other) {
            return into.push(self.clone());
        }
        let mut rest = self.clone();
        let mut cut = |piece: Self| {
            if !piece.is_empty() {
                into.push(piece);
            }
        };
        cut(Self { channels: rest.channels & !other.channels, ..rest.clone() });
        rest.channels &= other.channels;
        cut(Self { languages: rest.languages & !other.languages, ..rest.clone() });
        rest.languages &= other.languages;
        cut(Self { days: rest.days & !other.days, ..rest.clone() });
        rest.days &= other.days;
        cut(Self { weekdays: rest.weekdays & !other.weekdays, ..rest.clone() });
        rest.weekdays &= other.weekdays;
        cut(Self { minutes: (rest.minutes.0, other.minutes.0.min(rest.minutes.1)), ..rest.clone() });
        cut(Self { minutes: (other.minutes.1.max(rest.minutes.0), rest.minutes.1), ..rest.clone() });
        rest.minutes = (rest.minutes.0.max(other.minutes.0), rest.minutes.1.min(other.minutes.1));
        cut(Self { dates: (rest.dates.0, rest.dates.1.min(other.dates.0 - 1)), ..rest.clone() });
        cut(Self { dates: (rest.dates.0.max(other.dates.1 + 1), rest.dates.1), ..rest.clone() });
        rest.dates = (rest.dates.0.max(other.dates.0), rest.dates.1.min(other.dates.1));
        for word in &other.with {
            if !rest.with.contains(word) {
                cut(Self { without: [rest.without.as_slice(), &[*word]].concat(), ..rest.clone() });
                rest.with.push(*word);
            }
        }
        for word in &other.without {
            if !rest.without.contains(word) {
                cut(Self { with: [rest.with.as_slice(), &[*word]].concat(), ..rest.clone() });
                rest.without.push(*word);
            }
        }
    }
}

/// The most boxes that one set is made of before it is given up: words can make it grow without end.
const MOST_BOXES: usize = 4_096;

/// What is in the first and in none of the second; `None` if that is too much to say.
pub(super) fn difference(mut left: Vec<Region>, taken: &[Region]) -> Option<Vec<Region>> {
    for taken in taken {
        if left.is_empty() {
            break;
        }
        let mut rest = Vec::with_capacity(left.len());
        left.iter().for_each(|region| region.minus(taken, &mut rest));
        if rest.len() > MOST_BOXES {
            return None;
        }
        left = rest;
    }
    Some(left)
}

/// What is in both.
pub(super) fn intersection(one: &[Region], other: &[Region]) -> Vec<Region> {
    let pairs = one.iter().flat_map(|one| other.iter().map(move |other| (one, other)));
    pairs
        .filter(|(one, other)| one.meets(other))
        .map(|(one, other)| one.and(other))
        .filter(|both| !both.is_empty())
        .collect()
}

/// All days of the week as bits.
const _: () = assert!(Weekdays::ALL.bits() == 0b111_1111);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::condition::{Dates, Minute, TimeSpan, Words};

    fn has(regions: &[Region], day: i32, minute: u16, words: &[u32]) -> bool {
        regions.iter().any(|region| {
            (region.dates.0..=region.dates.1).contains(&day)
                && region.weekdays >> weekday(day) & 1 != 0
                && (region.minutes.0..region.minutes.1).contains(&minute)
                && region.with.iter().all(|word| words.contains(word))
                && !region.without.iter().any(|word| words.contains(word))
        })
    }

    /// The first two weeks of 2026 as days since 1970.
    const DAYS: std::ops::Range<i32> = 20_454..20_468;

    fn conditions() -> impl Strategy<Value = Conditions> {
        let date = || prop::option::of((0..14i8).prop_map(|day| date(2026, 1, 1 + day)));
        let words = || prop::sample::subsequence(["a", "b", "c"].map(|word| Word::new(word).unwrap()).to_vec(), 0..3);
        let hour = || 0..24u16;
        let time = prop::option::of((hour(), hour()).prop_filter("a span", |(from, to)| from != to));
        (date(), date(), 1..128u8, words(), words(), time).prop_map(|(from, until, weekdays, any, all, time)| {
            let minute = |hour| Minute::new(hour, 0).unwrap();
            let week = (0..7i8).filter(|day| weekdays >> day & 1 != 0);
            Conditions {
                dates: Dates { from, until },
                weekdays: Weekdays::of(week.map(|day| jiff::civil::Weekday::from_monday_zero_offset(day).unwrap())),
                words: Words { any, all },
                time: time.map(|(from, to)| TimeSpan { from: minute(from), to: minute(to) }),
                ..Conditions::default()
            }
        })
    }

    proptest! {
        #[test]
        fn a_difference_has_what_is_in_the_one_and_not_in_the_other(one in conditions(), other in conditions()) {
            let mut world = World::new(Vec::new());
            let (a, b) = (world.of(&one), world.of(&other));
            let left = difference(a.clone(), &b).unwrap();
            let both = intersection(&a, &b);
            for day in DAYS {
                for minute in [0, 359, 360, 720, 1_439] {
                    for words in [&[][..], &[0], &[1], &[0, 1], &[0, 1, 2]] {
                        let is_in = |regions: &[Region]| has(regions, day, minute, words);
                        prop_assert_eq!(is_in(&left), is_in(&a) && !is_in(&b));
                        prop_assert_eq!(is_in(&both), is_in(&a) && is_in(&b));
                    }
                }
            }
            for region in left.iter().chain(&both) {
                let meeting = world.witness(region).expect("what is left is not empty");
                prop_assert!(one.dates.has(meeting.moment.date) && one.weekdays.has(meeting.moment.weekday));
                prop_assert!(one.time.is_none_or(|time| time.has(meeting.moment.minute)));
            }
        }
    }

    #[test]
    fn days_are_counted_from_1970_on_a_thursday() {
        assert_eq!((day_number(EPOCH), weekday(0)), (0, 3));
        assert_eq!(day_number(date(2026, 1, 1)), DAYS.start);
        assert_eq!(weekday(DAYS.start), i32::from(date(2026, 1, 1).weekday().to_monday_zero_offset()));
    }
}
