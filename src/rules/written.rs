//! A table as it is written down: so that whoever asks which table a ticket was routed by can have it back.

use serde::{Deserialize, Serialize};

use super::condition::{Day, Weekdays, Word};
use super::finding::RulesError;
use super::read::{COLUMNS, Column};
use super::table::{HitPolicy, Row, Target};
use super::{Rules, TableVersion};
use crate::code::{CategoryPath, PlacePath};
use crate::tree::{CategoryTree, PlaceTree};

/// All that a table decides by, as text; notes and names for people are not in it.
///
/// ```
/// # use nivaran::{CategoryTree, PlaceTree, Rules};
/// # let categories = CategoryTree::read(b"category\nwater\n")?;
/// # let places = PlaceTree::read(b"place\nhisar\n")?;
/// # let csv = b"id,category,location,department,level,priority,deadline_hours\n\
/// #     W,water,hisar,phe,district,high,72\nELSE,,,control,,,24\n";
/// let rules = Rules::read(categories, places, csv)?;
/// let again = rules.written().read()?;
/// assert_eq!(again.version(), rules.version());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenTable {
    /// The rows, as CSV that [`Rules::read`] reads.
    pub rows: String,
    /// The taxonomy.
    pub categories: Vec<CategoryPath>,
    /// The gazetteer.
    pub places: Vec<PlacePath>,
}

impl WrittenTable {
    /// The table.
    ///
    /// # Errors
    /// [`RulesError`] if it is not as a table wrote it.
    pub fn read(&self) -> Result<Rules, RulesError> {
        let categories = CategoryTree::from_paths(self.categories.iter().cloned());
        let places = PlaceTree::from_paths(self.places.iter().cloned());
        Rules::read(categories, places, self.rows.as_bytes())
    }

    /// Whether it is the table of a version.
    #[must_use]
    pub fn is(&self, version: TableVersion) -> bool {
        self.read().is_ok_and(|rules| rules.version() == version)
    }
}

impl Rules {
    /// The table as text.
    #[must_use]
    pub fn written(&self) -> WrittenTable {
        let mut rows = csv::Writer::from_writer(Vec::new());
        let columns = || COLUMNS.iter().filter(|(column, ..)| *column != Column::Note);
        // Writing into memory cannot fail, and each row has as many cells as the header.
        let _ = rows.write_record(columns().map(|(_, name, _)| name));
        for row in &self.rows {
            let _ = rows.write_record(columns().map(|(column, ..)| cell(row, *column)));
        }
        let rows = rows.into_inner().unwrap_or_default();
        let first = if self.policy == HitPolicy::First { "hit_policy,first\n" } else { "" };
        let rows = format!("{first}{}", String::from_utf8_lossy(&rows));
        let (categories, places) = (self.categories.paths().cloned().collect(), self.places.paths().cloned().collect());
        WrittenTable { rows, categories, places }
    }
}

fn cell(row: &Row, column: Column) -> String {
    let Row { id, when, precedence, target, priority, deadline } = row;
    let list = |words: &[Word]| words.iter().map(Word::as_str).collect::<Vec<_>>().join("|");
    let date = |date: Option<jiff::civil::Date>| date.map(|date| date.to_string()).unwrap_or_default();
    let word = |word: &str| word.to_owned();
    match column {
        Column::Id => id.to_string(),
        Column::Category => when.category.to_string(),
        Column::Location => when.location.to_string(),
        Column::Channel => when.channel.to_string(),
        Column::Language => when.language.to_string(),
        Column::WordsAny => list(&when.words.any),
        Column::WordsAll => list(&when.words.all),
        Column::Time => when.time.map(|time| time.to_string()).unwrap_or_default(),
        Column::Weekday if when.weekdays == Weekdays::ALL => String::new(),
        Column::Weekday => when.weekdays.to_string(),
        Column::Holiday => word(match when.day {
            None => "",
            Some(Day::Working) => "no",
            Some(Day::Holiday) => "yes",
        }),
        Column::ValidFrom => date(when.dates.from),
        Column::ValidUntil => date(when.dates.until),
        Column::Department => target.department().map_or(word("control"), ToString::to_string),
        Column::Level => match target {
            Target::Control => String::new(),
            Target::Department(_, level) => level.to_string(),
        },
        Column::Priority => priority.to_string(),
        Column::DeadlineHours => deadline.get().to_string(),
        Column::Precedence => precedence.to_string(),
        Column::Note => String::new(),
    }
}
