//! What a row asks of a grievance, one condition a column.

use std::fmt::{self, Write as _};

use jiff::civil::{Date, Weekday};

use crate::code::{CategoryPath, PlacePath};
use crate::grievance::{Channel, Language};

/// The most alternatives in one cell.
pub const MAX_ALTERNATIVES: usize = 64;
/// The longest word or phrase that a table looks for, in characters.
pub const MAX_WORD: usize = 60;

/// What a cell of names asks for: nothing, one of some, or none of some.
///
/// In a sheet: an empty cell, `a|b`, `!a|!b`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Names<T> {
    /// Nothing: every value will do, also an unknown one.
    #[default]
    Any,
    /// One of these; an unknown value is none of them.
    OneOf(Vec<T>),
    /// None of these; an unknown value will do.
    NoneOf(Vec<T>),
}

impl<T> Names<T> {
    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }

    /// The names that it has.
    #[must_use]
    pub fn names(&self) -> &[T] {
        match self {
            Self::Any => &[],
            Self::OneOf(names) | Self::NoneOf(names) => names,
        }
    }
}

impl<T> From<T> for Names<T> {
    fn from(name: T) -> Self {
        Self::OneOf(vec![name])
    }
}

impl<T: fmt::Display> fmt::Display for Names<T> {
    /// As it stands in a sheet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if matches!(self, Self::NoneOf(_)) { "!" } else { "" };
        for (i, name) in self.names().iter().enumerate() {
            write!(f, "{}{mark}{name}", if i > 0 { "|" } else { "" })?;
        }
        Ok(())
    }
}

/// The words that a row asks for in the text.
///
/// Whole words in any case: `drain` is in "the Drain, blocked" and not in "drainage". A phrase is found where its words
/// follow each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Words {
    /// At least one of these, if there are any.
    pub any: Vec<Word>,
    /// Each of these.
    pub all: Vec<Word>,
}

impl Words {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.any.is_empty() && self.all.is_empty()
    }
}

/// A word or phrase that is looked for, in its one form: composed (NFC), lower case, one blank between words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Word(pub(super) String);

impl Word {
    /// Takes a word or phrase; `None` when it has no word, or more than [`MAX_WORD`] characters.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let words = super::words::folded(text);
        let phrase = words.join(" ");
        (!phrase.is_empty() && phrase.chars().count() <= MAX_WORD).then_some(Self(phrase))
    }

    /// The word in its one form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Days of the week.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Weekdays(u8);

impl Weekdays {
    /// All seven: no condition.
    pub const ALL: Self = Self(0b111_1111);
    /// None: not a condition that can hold.
    pub(super) const NONE: Self = Self(0);

    /// These days.
    #[must_use]
    pub fn of(days: impl IntoIterator<Item = Weekday>) -> Self {
        Self(days.into_iter().fold(0, |mask, day| mask | bit(day)))
    }

    /// A bit for each day, Monday's the lowest.
    pub(super) const fn bits(self) -> u8 {
        self.0
    }

    /// Whether a day is one of them.
    #[must_use]
    pub fn has(self, day: Weekday) -> bool {
        self.0 & bit(day) != 0
    }

    /// The days that are in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The days that are in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];
const SHORT: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn bit(day: Weekday) -> u8 {
    1 << day.to_monday_zero_offset()
}

/// A day by its short English name.
pub(super) fn weekday(text: &str) -> Option<Weekday> {
    SHORT.iter().position(|short| text.eq_ignore_ascii_case(short)).map(|at| WEEK[at])
}

/// The days from one to another, over the end of the week if need be.
pub(super) fn weekdays_from(first: Weekday, last: Weekday) -> Weekdays {
    let (from, to) = (first.to_monday_zero_offset(), last.to_monday_zero_offset());
    let count = (to - from).rem_euclid(7) + 1;
    Weekdays::of((0..count).map(|n| WEEK[usize::try_from((from + n) % 7).unwrap_or_default()]))
}

impl fmt::Display for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (day, short) in WEEK.into_iter().zip(SHORT) {
            if self.has(day) {
                write!(f, "{separator}{short}")?;
                separator = "|";
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Weekdays({self})")
    }
}

/// A time of day in whole minutes: 0 is midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Minute(u16);

impl Minute {
    /// A time of day; `None` for what is none. 24:00 is one, as an end.
    #[must_use]
    pub const fn new(hour: u16, minute: u16) -> Option<Self> {
        if hour > 24 || minute > 59 || (hour == 24 && minute > 0) { None } else { Some(Self(hour * 60 + minute)) }
    }

    /// Minutes since midnight.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// A span of the day, the end not in it. One that ends before it begins goes over midnight: `22:00-06:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeSpan {
    /// When it begins.
    pub from: Minute,
    /// When it ends.
    pub to: Minute,
}

impl TimeSpan {
    /// Whether a minute of the day is in it.
    #[must_use]
    pub fn has(self, minute: u16) -> bool {
        let (from, to) = (self.from.0, self.to.0);
        if from < to { (from..to).contains(&minute) } else { minute >= from || minute < to }
    }

    /// The first minute of it.
    pub(super) fn begin(self) -> u16 {
        self.from.0
    }

    /// A minute that is in both, if there is one.
    pub(super) fn shared(self, other: Self) -> Option<u16> {
        [self.from.0 % 1_440, other.from.0 % 1_440].into_iter().find(|minute| self.has(*minute) && other.has(*minute))
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from, self.to)
    }
}

/// Whether offices work on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Day {
    /// They do.
    Working,
    /// It is a holiday.
    Holiday,
}

/// The days on which a row holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Dates {
    /// The first of them.
    pub from: Option<Date>,
    /// The last of them.
    pub until: Option<Date>,
}

impl Dates {
    /// Whether a day is one of them.
    #[must_use]
    pub fn has(self, date: Date) -> bool {
        self.from.is_none_or(|from| from <= date) && self.until.is_none_or(|until| date <= until)
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_any(self) -> bool {
        self == Self::default()
    }

    /// The days that are in both; `None` when there is none.
    pub(super) fn and(self, other: Self) -> Option<Self> {
        let from = self.from.max(other.from);
        let until = match (self.until, other.until) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        match (from, until) {
            (Some(from), Some(until)) if from > until => None,
            _ => Some(Self { from, until }),
        }
    }
}

/// All that a row asks for. Each that is left at its default asks for nothing; all have to hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Conditions {
    /// What the grievance is about; a category covers all below it.
    pub category: Names<CategoryPath>,
    /// Where it is; a place covers all below it.
    pub location: Names<PlacePath>,
    /// The way by which it came.
    pub channel: Names<Channel>,
    /// The language of the text; `hi` covers `hi-Latn`.
    pub language: Names<Language>,
    /// Words in the text.
    pub words: Words,
    /// Whether it is a holiday.
    pub day: Option<Day>,
    /// The days of the week.
    pub weekdays: Weekdays,
    /// The time of day.
    pub time: Option<TimeSpan>,
    /// From when until when the row is in force.
    pub dates: Dates,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            category: Names::Any,
            location: Names::Any,
            channel: Names::Any,
            language: Names::Any,
            words: Words::default(),
            day: None,
            weekdays: Weekdays::ALL,
            time: None,
            dates: Dates::default(),
        }
    }
}

impl Conditions {
    /// Whether it asks for nothing but perhaps a category and a location.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let Self { category: _, location: _, channel, language, words, day, weekdays, time, dates } = self;
        channel.is_any()
            && language.is_any()
            && words.is_any()
            && day.is_none()
            && *weekdays == Weekdays::ALL
            && time.is_none()
            && dates.is_any()
    }

    /// Writes what it asks for as text that never changes its form, in whatever order alternatives stand.
    pub(super) fn write_canonical(&self, into: &mut String) {
        let Self { category, location, channel, language, words: Words { any, all }, day, weekdays, time, dates } =
            self;
        write_names(category, CategoryPath::as_str, into);
        write_names(location, PlacePath::as_str, into);
        if self.is_plain() {
            return;
        }
        write_names(channel, |channel| channel.as_str(), into);
        write_names(language, Language::as_str, into);
        write_sorted(any.iter().map(Word::as_str), "", into);
        write_sorted(all.iter().map(Word::as_str), "", into);
        let day = match day {
            None => "-",
            Some(Day::Working) => "working",
            Some(Day::Holiday) => "holiday",
        };
        let (from, to) = time.map_or((0, 0), |time| (time.from.0, time.to.0));
        // Writing to a text cannot fail.
        let _ = write!(into, "{day} {} {from} {to}", weekdays.0);
        for date in [dates.from, dates.until] {
            let _ = match date {
                Some(date) => write!(into, " {}-{}-{}", date.year(), date.month(), date.day()),
                None => write!(into, " -"),
            };
        }
    }

    /// Whether it asks for nothing at all.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.category.is_any() && self.location.is_any() && self.is_plain()
    }
}

impl fmt::Display for Conditions {
    /// What it asks for, in words: `category water, channel x|facebook`; `anything` for nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |words: &[Word]| words.iter().map(Word::as_str).collect::<Vec<_>>().join("|");
        let said = [
            ("category ", self.category.to_string()),
            ("location ", self.location.to_string()),
            ("channel ", self.channel.to_string()),
            ("language ", self.language.to_string()),
            ("any of the words ", list(&self.words.any)),
            ("all of the words ", list(&self.words.all)),
            (
                "",
                self.day
                    .map_or("", |day| if day == Day::Holiday { "on a holiday" } else { "on a working day" })
                    .to_owned(),
            ),
            ("on ", if self.weekdays == Weekdays::ALL { String::new() } else { self.weekdays.to_string() }),
            ("at ", self.time.map(|time| time.to_string()).unwrap_or_default()),
            ("from ", self.dates.from.map(|date| date.to_string()).unwrap_or_default()),
            ("until ", self.dates.until.map(|date| date.to_string()).unwrap_or_default()),
        ];
        let mut separator = "";
        for (what, text) in said.iter().filter(|(_, text)| !text.is_empty()) {
            write!(f, "{separator}{what}{text}")?;
            separator = ", ";
        }
        if separator.is_empty() { f.write_str("anything") } else { Ok(()) }
    }
}

fn write_names<T>(names: &Names<T>, text: impl Fn(&T) -> &str, into: &mut String) {
    let mark = if matches!(names, Names::NoneOf(_)) { "!" } else { "" };
    write_sorted(names.names().iter().map(text), mark, into);
}

fn write_sorted<'a>(texts: impl ExactSizeIterator<Item = &'a str>, mark: &str, into: &mut String) {
    let mut put = |text: &str| {
        into.push_str(mark);
        into.push_str(text);
        into.push('|');
    };
    if texts.len() < 2 {
        texts.for_each(&mut put);
    } else {
        let mut texts: Vec<&str> = texts.collect();
        texts.sort_unstable();
        texts.into_iter().for_each(&mut put);
    }
    into.push('\t');
}
