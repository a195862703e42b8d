//! A linear scan: the rows in the order in which they win, and the first that holds.
//!
//! It is fair to what one would write: conditions stand beside each other in one piece of memory, the comparisons of
//! numbers come before those of texts, paths are parsed once, and nothing is allocated for a decision.

use nivaran::grievance::Language;
use nivaran::rules::{Row, TimeSpan, Weekdays};
use nivaran::{CategoryPath, Channel, PlacePath};

use crate::tables::{Asked, only};

/// The rows.
pub struct Scan(Vec<Line>);

struct Line {
    channel: Option<Channel>,
    weekdays: Weekdays,
    time: Option<TimeSpan>,
    category: Option<CategoryPath>,
    location: Option<PlacePath>,
    language: Option<Language>,
}

impl Scan {
    /// Takes rows in the order in which they win.
    #[must_use]
    pub fn new(rows: &[Row]) -> Self {
        let line = |row: &Row| Line {
            channel: only(&row.when.channel).copied(),
            weekdays: row.when.weekdays,
            time: row.when.time,
            category: only(&row.when.category).cloned(),
            location: only(&row.when.location).cloned(),
            language: only(&row.when.language).cloned(),
        };
        Self(rows.iter().map(line).collect())
    }

    /// The place of the first row that holds.
    #[must_use]
    pub fn decide(&self, asked: &Asked) -> Option<usize> {
        self.0.iter().position(|line| line.holds(asked))
    }
}

impl Line {
    fn holds(&self, asked: &Asked) -> bool {
        self.channel.is_none_or(|channel| channel == asked.channel)
            && self.weekdays.has(asked.moment.weekday)
            && self.time.is_none_or(|time| time.has(asked.moment.minute))
            && self.category.as_ref().is_none_or(|above| is_within(asked.category.as_str(), above.as_str()))
            && self.location.as_ref().is_none_or(|above| is_within(asked.place.as_str(), above.as_str()))
            && self.language.as_ref().is_none_or(|language| language.covers(&asked.language))
    }
}

/// Whether a path is another or below it: `water/logging` is within `water`, `waterways` is not.
fn is_within(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
