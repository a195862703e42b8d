//! The year 2022 on the clock on the wall in Haryana, by day and minute.

use jiff::{SignedDuration, Timestamp};

use crate::dice::Dice;

/// 1 January, 0:00 in India, which has no summer time.
const YEAR_BEGINS: Timestamp = Timestamp::constant(1_640_975_400, 0);
/// 1 January 2022 was a Saturday: so many days after a Monday.
const FIRST_WEEKDAY: i64 = 5;
const MONTH_ENDS: [i64; 12] = [31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

pub const DAYS: i64 = 365;
pub const MINUTES_A_DAY: i64 = 24 * 60;
pub const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Office hours, in minutes of the day.
const OPENS: i64 = 9 * 60 + 30;
const CLOSES: i64 = 17 * 60 + 30;

/// A minute of a day of the year, both from 0.
pub fn instant(day: i64, minute: i64) -> Timestamp {
    YEAR_BEGINS + SignedDuration::from_mins(day * MINUTES_A_DAY + minute)
}

/// The month of a day, from 0.
pub fn month(day: i64) -> usize {
    MONTH_ENDS.iter().position(|end| day < *end).unwrap_or(11)
}

/// A day as people write it, e.g. `15 Jul`.
pub fn date(day: i64) -> String {
    let month = month(day);
    let before = if month == 0 { 0 } else { MONTH_ENDS[month - 1] };
    format!("{} {}", day - before + 1, MONTHS[month])
}

/// Whether a day is the last of its month.
pub fn ends_month(day: i64) -> bool {
    MONTH_ENDS.contains(&(day + 1))
}

/// The day of the week, Monday 0.
pub fn weekday(day: i64) -> usize {
    ((day + FIRST_WEEKDAY) % 7) as usize
}

/// July, August and September.
pub fn is_monsoon(at: Timestamp) -> bool {
    let day = at.duration_since(YEAR_BEGINS).as_hours() / 24;
    (6..=8).contains(&month(day))
}

pub fn is_working(day: i64) -> bool {
    weekday(day) < 5
}

/// The instant itself in office hours, else some time in the morning when the office is open again.
pub fn in_office(at: Timestamp, dice: &mut Dice) -> Timestamp {
    let minutes = at.duration_since(YEAR_BEGINS).as_mins();
    let (mut day, minute) = (minutes / MINUTES_A_DAY, minutes % MINUTES_A_DAY);
    if is_working(day) && (OPENS..CLOSES).contains(&minute) {
        return at;
    }
    if minute >= OPENS {
        day += 1;
    }
    while !is_working(day) {
        day += 1;
    }
    instant(day, OPENS + dice.between(0, 180))
}
