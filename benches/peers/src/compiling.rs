//! What it costs nivaran to take a table: reading it from a sheet, checking it, compiling it.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::civil::date;
use nivaran::rules::{HitPolicy, Row, Target};
use nivaran::{Roster, Rules};

use crate::clock::time;
use crate::tables::Table;

const ROSTER: &str = include_str!("../../../examples/haryana/roster.toml");
const RUNS: usize = 11;

/// `Rules::read` of a sheet.
#[must_use]
pub fn reading(table: &Table) -> Duration {
    let csv = sheet(&table.rows);
    let trees = || (table.categories.clone(), table.places.clone());
    time(RUNS, trees, |(categories, places)| Rules::read(categories, places, csv.as_bytes()).unwrap())
}

/// `Rules::check` of the same sheet with the example's roster: it reads and compiles the sheet too.
#[must_use]
pub fn checking(table: &Table) -> Duration {
    let csv = sheet(&table.rows);
    let roster = Roster::read(ROSTER).unwrap();
    let trees = || (table.categories.clone(), table.places.clone());
    time(RUNS, trees, |(categories, places)| {
        let checked = Rules::check(categories, places, csv.as_bytes(), Some(&roster), date(2026, 1, 5));
        assert!(checked.rules.is_some(), "a table that is refused");
        checked
    })
}

/// `Rules::new` of rows that are read.
#[must_use]
pub fn compiling(table: &Table) -> Duration {
    let input = || (table.categories.clone(), table.places.clone(), table.rows.clone());
    time(RUNS, input, |(categories, places, rows)| Rules::new(categories, places, HitPolicy::Specific, rows).unwrap())
}

/// The rows as officials keep them.
fn sheet(rows: &[Row]) -> String {
    let mut csv = String::from("id,category,location,channel,language,weekday,time,precedence,");
    csv.push_str("department,level,priority,deadline_hours,note\n");
    for Row { id, when, precedence, target, priority, deadline } in rows {
        let time = when.time.map(|time| time.to_string()).unwrap_or_default();
        let (department, level, priority) = match target {
            Target::Control => ("control", String::new(), String::new()),
            Target::Department(department, level) => (department.as_str(), level.to_string(), priority.to_string()),
        };
        let (category, location, channel, language) = (&when.category, &when.location, &when.channel, &when.language);
        let weekdays = if when.time.is_some() { when.weekdays.to_string() } else { String::new() };
        write!(csv, "{id},{category},{location},{channel},{language},{weekdays},{time},{precedence},").unwrap();
        writeln!(csv, "{department},{level},{priority},{},", deadline.get()).unwrap();
    }
    csv
}
