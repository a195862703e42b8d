//! The rules table: which department gets what, at which level, how urgent, by when.
//!
//! Officials keep it in a spreadsheet, one row a rule:
//!
//! ```csv
//! id,category,location,channel,words_any,time,department,level,priority,deadline_hours,note
//! W-01,water/logging,,,,,phe,district,high,72,water stands in a street
//! W-02,water/logging,gurugram|faridabad,,,,ulb,district,high,48,the municipal corporations have the drains
//! W-03,water/logging,,,live wire|करंट,,power,district,urgent,4,the current first
//! N-01,!police,,phone,,22:00-06:00,control,,,1,the night line
//! ELSE,,,,,,control,,normal,24,everything else: the control desk finds out
//! ```
//!
//! It is what a spreadsheet saves: UTF-8 with or without a mark, separated by commas, semicolons or tabs, cells quoted
//! where they need it.
//!
//! # The columns
//! In any order, each once. The first seven have to be there; a column that is not there asks for nothing.
//!
//! | column | what stands there |
//! |---|---|
//! | `id` | the row's name, once in the table: letters, digits, `-`, `_`, `.` |
//! | `category`, `location` | paths of the taxonomy, of the gazetteer, each with all below it |
//! | `department` | a department's code, or `control` |
//! | `level` | `district` or `state`; empty where the department is `control` |
//! | `priority` | `low`, `normal`, `high` or `urgent`; empty for `normal` |
//! | `deadline_hours` | whole hours, 1 to 87,600. On a row for `control`: how often the control desk is reminded, and the deadline of a desk to which it forwards the ticket |
//! | `channel` | `x`, `facebook`, `email`, `counter`, `phone`, `web`, `open311`, `other` |
//! | `language` | a tag of BCP 47; `hi` covers `hi-Latn` |
//! | `words_any`, `words_all` | words or phrases of which the text has one, has all: whole words, in any case. They are looked for when a grievance comes in; where a ticket is routed anew, its text may be erased, and they do not hold |
//! | `holiday` | `yes` or `no`: whether the roster has the day as a holiday |
//! | `weekday` | `mon` to `sun`, also `mon-fri` |
//! | `time` | a span of the day, the end not in it; `22:00-06:00` goes over midnight |
//! | `valid_from`, `valid_until` | the first and the last day on which the row is in force |
//! | `precedence` | 0 to 65,535, empty for 0; see below |
//! | `note` | for people |
//!
//! No cell but a note may begin with `=`, `+` or `@`: a spreadsheet would run it. Words are found however they are composed,
//! and with or without the joiners of Hindi that are not seen.
//!
//! Days and times are those of the decision, by the clocks of the roster's time zone. In `category`, `location`,
//! `channel` and `language` there may stand nothing (any value will do, an unknown one too), one value, several (`a|b`:
//! one of them), or what it must not be (`!a`, `!a|!b`: none of them; an unknown value is none). All conditions of a row
//! have to hold.
//!
//! A row at the district's level for a grievance whose district is not known, or has no desk, sends it to the
//! department's own desk.
//!
//! # Which row wins
//! Of the rows that hold **the most specific one wins, wherever it stands**. Sorting the sheet changes nothing. Two rows
//! are compared condition by condition, in this order, and the first in which they differ tells:
//!
//! | condition | the more specific goes first |
//! |---|---|
//! | 1. category | the deeper one that holds (of `a|b` that which does), then `!a`, then nothing |
//! | 2. location | the same |
//! | 3. channel, 4. language | named, then `!a`, then nothing |
//! | 5. words | more of `words_all`, then one, then only `words_any`, then nothing |
//! | 6. holiday, 7. weekday, 8. time, 9. dates | one that asks, then one that does not |
//! | 10. precedence | the higher |
//!
//! In the table above a water-logging grievance from Gurugram goes by `W-02` (its location is deeper) also when it speaks
//! of a live wire, since the location comes before the words; one from Hisar that does goes by `W-03`, one that does not
//! by `W-01`. A call about a stray bull at midnight goes by `N-01`, the same on X by `ELSE`.
//!
//! Rows that are equal in all ten, can both win for one grievance and say something else are refused when the table is
//! compiled, with such a grievance. (That `a` and `!a` in other rows together never let them win is not gone after.) One row with all conditions empty is demanded: it takes what no other does, and sends
//! it to the control desk.
//!
//! A table may begin with a line `hit_policy,first` before the header: then the row wins that stands first, as in DMN.
//!
//! A government that has a DIGIT PGR need not begin with an empty sheet: see [`digit`].

mod check;
mod compile;
mod condition;
mod diff;
pub mod digit;
mod explain;
mod facts;
mod finding;
mod hits;
mod index;
mod meet;
mod overlap;
mod read;
#[cfg(test)]
mod reference;
mod region;
mod table;
mod ties;
mod words;
mod written;

pub use check::Checked;
pub use condition::{
    Conditions, Dates, Day, MAX_ALTERNATIVES, MAX_WORD, Minute, Names, TimeSpan, Weekdays, Word, Words,
};
pub use diff::{Answer, Change, Diff, Extent, Part};
pub use explain::{Explanation, Failed, Lost, Outranked, WhyLost};
pub use facts::{Facts, Moment};
pub use finding::{CellAt, Fault, Finding, RulesError, Severity, Witness};
pub use hits::{Hits, Unrouted};
pub use read::{MAX_FINDINGS, MAX_ROWS};
pub use table::{ConditionKind, Held, HitPolicy, Level, Priority, Route, Routing, Row, Target};
pub use words::WordsFound;
pub use written::WrittenTable;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::code::DepartmentId;
use crate::tree::{CategoryTree, PlaceTree};
use index::Index;

/// Which table it was: the first 64 bits of a SHA-256 over its rows, in hexadecimal. Equal tables have equal versions:
/// the same rows, in whatever order they stand unless the first row wins, and the same paths in the two trees. Notes and
/// names do not count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TableVersion(u64);

impl fmt::Display for TableVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for TableVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TableVersion({self})")
    }
}

impl TryFrom<String> for TableVersion {
    type Error = std::num::ParseIntError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        u64::from_str_radix(&text, 16).map(Self)
    }
}

impl From<TableVersion> for String {
    fn from(version: TableVersion) -> String {
        version.to_string()
    }
}

/// A compiled rules table with the trees its rows refer to.
#[derive(Debug, Clone)]
pub struct Rules {
    version: TableVersion,
    policy: HitPolicy,
    categories: CategoryTree,
    places: PlaceTree,
    rows: Vec<Row>,
    /// What each row says at each of its places in the index, made once: every ticket that goes by it shares it.
    routings: Vec<Option<Arc<Routing>>>,
    index: Index,
}

/// A decision of the table: the row that won.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The table.
    pub table: TableVersion,
    /// The row.
    pub row: &'a Row,
    /// What the row says of a ticket, with the conditions that held; `None` where it sends to the control desk.
    pub routing: Option<&'a Arc<Routing>>,
}

impl Rules {
    /// Compiles rows that refer to `categories` and `places`.
    ///
    /// # Errors
    /// [`RulesError`] for an empty table, a row id that stands twice, a category or place that its tree does not know,
    /// a row that can never hold, two rows that tie with different routes, or no row for everything else.
    pub fn new(
        categories: CategoryTree,
        places: PlaceTree,
        policy: HitPolicy,
        rows: Vec<Row>,
    ) -> Result<Self, RulesError> {
        let at = read::Places::of_no_file(rows.len());
        compile::compile(categories, places, policy, rows, &at, Vec::new())
    }

    /// Reads a table from CSV (see the [module's page](self)) and compiles it.
    ///
    /// # Errors
    /// [`RulesError`] with all that is malformed, unknown, doubled or missing, each with its cell and how to mend it.
    pub fn read(categories: CategoryTree, places: PlaceTree, csv: &[u8]) -> Result<Self, RulesError> {
        let read::Draft { policy, rows, places: at, findings } = read::read(csv);
        compile::compile(categories, places, policy, rows, &at, findings)
    }

    /// The row that wins for a grievance. A category or place that its tree does not know is taken at the nearest
    /// ancestor it does know.
    #[must_use]
    pub fn decide(&self, facts: &Facts<'_>) -> Decision<'_> {
        let category = facts.category.map_or(crate::tree::ROOT, |path| self.categories.nearest_node(path.as_str()));
        let place = facts.place.map_or(crate::tree::ROOT, |path| self.places.nearest_node(path.as_str()));
        // What was found by another table's list of words means nothing here.
        let words = facts.words.filter(|found| found.table == self.version);
        let entry = self.index.winner(&Facts { words, ..*facts }, category, place);
        let row = self.index.entries()[entry].row as usize;
        Decision { table: self.version, row: &self.rows[row], routing: self.routings[entry].as_ref() }
    }

    /// Which of the table's words a text has, for [`Facts::words`]; `None` if the table asks for no words.
    #[must_use]
    pub fn words_in(&self, text: &str) -> Option<WordsFound> {
        let dictionary = &self.index.dictionary;
        (!dictionary.is_empty()).then(|| dictionary.found_in(text, self.version))
    }

    /// Which table this is.
    #[must_use]
    pub fn version(&self) -> TableVersion {
        self.version
    }

    /// Which of the rows that hold wins.
    #[must_use]
    pub fn policy(&self) -> HitPolicy {
        self.policy
    }

    /// The taxonomy.
    #[must_use]
    pub fn categories(&self) -> &CategoryTree {
        &self.categories
    }

    /// The gazetteer.
    #[must_use]
    pub fn places(&self) -> &PlaceTree {
        &self.places
    }

    /// The rows, in the order in which they were given.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The departments that some row names, each once, in alphabetical order.
    #[must_use]
    pub fn departments(&self) -> Vec<&DepartmentId> {
        let mut departments: Vec<_> = self.rows.iter().filter_map(|row| row.target.department()).collect();
        departments.sort_unstable();
        departments.dedup();
        departments
    }
}
