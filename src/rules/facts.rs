//! What a decision is about: what is known of a grievance, and when it is decided.

use jiff::civil::{Date, Weekday};

use super::condition::Day;
use super::words::WordsFound;
use crate::code::{CategoryPath, PlacePath};
use crate::grievance::{Channel, Filing, Grievance, Language};

/// What is known of a grievance.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// What it is about.
    pub category: Option<&'a CategoryPath>,
    /// Where it is.
    pub place: Option<&'a PlacePath>,
    /// The way by which it came.
    pub channel: Channel,
    /// The language of its text.
    pub language: Option<&'a Language>,
    /// Which of the table's words its text has: [`Rules::words_in`](super::Rules::words_in). `None` where the text is not
    /// at hand; then no condition on words holds.
    pub words: Option<&'a WordsFound>,
    /// When it is decided.
    pub moment: Moment,
}

impl<'a> Facts<'a> {
    /// What the journal knows of a grievance; the text is not in it.
    #[must_use]
    pub fn of(filing: &'a Filing, moment: Moment) -> Self {
        let Filing { category, place, channel, language, .. } = filing;
        let (category, place, language) = (category.as_ref(), place.as_ref(), language.as_ref());
        Self { category, place, channel: *channel, language, words: None, moment }
    }
}

impl<'a> Facts<'a> {
    /// What is known of a grievance that came in just now, its words apart.
    #[must_use]
    pub fn about(grievance: &'a Grievance, moment: Moment) -> Self {
        let (category, place) = (grievance.category.as_ref(), grievance.location.place.as_ref());
        let (channel, language) = (grievance.source.channel(), grievance.language.as_ref());
        Self { category, place, channel, language, words: None, moment }
    }
}

/// A moment as a rule sees it: day, time and whether offices work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    /// The day.
    pub date: Date,
    /// Its place in the week.
    pub weekday: Weekday,
    /// Whether offices work.
    pub day: Day,
    /// Minutes since midnight, 0 to 1,439.
    pub minute: u16,
}

impl Moment {
    /// A moment of a day.
    #[must_use]
    pub fn new(date: Date, day: Day, minute: u16) -> Self {
        Self { date, weekday: date.weekday(), day, minute }
    }
}
