//! Whether two rows can hold for one grievance, category and place apart; and such a grievance.

use jiff::civil::{Date, date};

use super::condition::{Conditions, Day, Names, TimeSpan, Word};
use super::facts::Moment;
use crate::grievance::{Channel, Language};

/// What a grievance has to be, category and place apart, so that two rows hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Meeting {
    pub(super) channel: Channel,
    pub(super) language: Option<Language>,
    pub(super) words: Vec<Word>,
    pub(super) moment: Moment,
}

/// The channels that a post may have, the usual ones first.
pub(super) const CHANNELS: [Channel; 8] = [
    Channel::X,
    Channel::Facebook,
    Channel::Email,
    Channel::Counter,
    Channel::Phone,
    Channel::Web,
    Channel::Open311,
    Channel::Other,
];

/// A grievance for which both hold, if there is one. With the same row twice: whether it can hold at all.
pub(super) fn meet(one: &Conditions, other: &Conditions) -> Option<Meeting> {
    let both = [one, other];
    let channel =
        CHANNELS.into_iter().find(|channel| both.iter().all(|row| holds(&row.channel, channel, |a, b| a == b)))?;
    // Whatever a row says of languages, one that it names or none at all shows it.
    let named = both.iter().flat_map(|row| row.language.names()).cloned().map(Some);
    let language = std::iter::once(None).chain(named).find(|language| {
        both.iter().all(|row| match language {
            Some(language) => holds(&row.language, language, Language::covers),
            None => !matches!(row.language, Names::OneOf(_)),
        })
    })?;
    let day = match (one.day, other.day) {
        (Some(one), Some(other)) if one != other => return None,
        (one, other) => one.or(other).unwrap_or(Day::Working),
    };
    let weekdays = one.weekdays.and(other.weekdays);
    let dates = one.dates.and(other.dates)?;
    let date = first_day(dates.from, dates.until, |date| weekdays.has(date.weekday()))?;
    let minute = match (one.time, other.time) {
        (Some(one), Some(other)) => one.shared(other)?,
        (one, other) => one.or(other).map_or(NOON, TimeSpan::begin),
    };
    let mut words: Vec<Word> =
        both.iter().flat_map(|row| row.words.any.first().into_iter().chain(&row.words.all)).cloned().collect();
    words.sort_unstable();
    words.dedup();
    Some(Meeting { channel, language, words, moment: Moment::new(date, day, minute) })
}

const NOON: u16 = 720;
/// A Monday like any other, for rows that ask for no date.
const A_MONDAY: Date = date(2026, 1, 5);

pub(super) fn holds<T>(names: &Names<T>, value: &T, covers: impl Fn(&T, &T) -> bool) -> bool {
    match names {
        Names::Any => true,
        Names::OneOf(names) => names.iter().any(|name| covers(name, value)),
        Names::NoneOf(names) => !names.iter().any(|name| covers(name, value)),
    }
}

/// The first day of a span that `wanted` holds for; a week shows all that there are.
fn first_day(from: Option<Date>, until: Option<Date>, wanted: impl Fn(Date) -> bool) -> Option<Date> {
    let begin = match (from, until) {
        (Some(from), _) => from,
        (None, Some(until)) => until.checked_sub(jiff::Span::new().days(6)).unwrap_or(Date::MIN),
        (None, None) => A_MONDAY,
    };
    begin
        .series(jiff::Span::new().days(1))
        .take(7)
        .take_while(|date| until.is_none_or(|until| *date <= until))
        .find(|date| wanted(*date))
}
