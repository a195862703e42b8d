//! The rules table: which department gets what, at which level, how urgent, by when.
//!
//! Officials keep it in a spreadsheet, one row a rule:
//!
//! ```csv
//! id,category,location,department,level,priority,deadline_hours,note
//! W-01,water/logging,,phe,district,high,72,water stands in a street
//! W-02,water/logging,gurugram,gmda,state,high,48,the metropolitan authority has the drains
//! ELSE,,,control,,normal,24,everything else: the control desk finds out
//! ```
//!
//! # The columns
//! In any order, each once; `note` may be missing.
//!
//! | column | what stands there |
//! |---|---|
//! | `id` | the row's name, once in the table: letters, digits, `-`, `_`, `.` |
//! | `category`, `location` | a path of the taxonomy, of the gazetteer; empty for any |
//! | `department` | a department's code, or `control` |
//! | `level` | `district` or `state`; empty where the department is `control` |
//! | `priority` | `low`, `normal`, `high` or `urgent`; empty for `normal` |
//! | `deadline_hours` | whole hours, 1 to 87,600. On a row for `control`: how often the control desk is reminded, and the deadline of a desk to which it forwards the ticket |
//! | `note` | for people |
//!
//! A row at the district's level for a grievance whose district is not known, or has no desk, sends it to the
//! department's own desk.
//!
//! # Which row wins
//! A row on a parent category or place covers the children, an empty cell covers everything. Of the rows that cover a
//! grievance **the most specific one wins, wherever it stands**: the deeper category first, then the deeper location.
//! Sorting the sheet changes nothing. Two rows with the same category and location and different routes are refused
//! when the table is compiled. One row with both cells empty is demanded: it takes what no other does, and sends it to
//! the control desk.
//!
//! In the table above a water-logging grievance from Gurugram goes by `W-02` (its location is deeper), one from Hisar
//! by `W-01`, and a grievance about a stray bull by `ELSE`.

mod index;
mod read;
mod table;

pub use read::{MAX_ROWS, RulesError};
pub use table::{Level, Priority, Route, Routing, Row, Target};

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::code::{CategoryPath, DepartmentId, PlacePath};
use crate::tree::{CategoryTree, PlaceTree};
use index::Index;

/// Which table it was: the first 64 bits of a SHA-256 over its rows, in hexadecimal. Equal tables have equal versions,
/// in whatever order their rows stand; notes and the two trees do not count.
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
    categories: CategoryTree,
    places: PlaceTree,
    rows: Vec<Row>,
    /// What each row says, made once: every ticket that goes by it shares it.
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
    /// What the row says of a ticket; `None` where it sends to the control desk.
    pub routing: Option<&'a Arc<Routing>>,
}

impl Rules {
    /// Compiles rows that refer to `categories` and `places`.
    ///
    /// # Errors
    /// [`RulesError`] for an empty table, a row id that stands twice, a category or place that its tree does not know,
    /// two rows that tie with different routes, or no row for everything else.
    pub fn new(categories: CategoryTree, places: PlaceTree, rows: Vec<Row>) -> Result<Self, RulesError> {
        let lines = (1..=rows.len()).collect::<Vec<_>>();
        Self::compile(categories, places, rows, &lines)
    }

    /// Reads a table from CSV (see the [module's page](self)) and compiles it.
    ///
    /// # Errors
    /// [`RulesError`] with line and, where there is one, column: what is malformed, unknown, doubled or missing, and
    /// how to mend it.
    pub fn read(categories: CategoryTree, places: PlaceTree, csv: &[u8]) -> Result<Self, RulesError> {
        let (rows, lines) = read::read(csv)?;
        Self::compile(categories, places, rows, &lines)
    }

    fn compile(
        categories: CategoryTree,
        places: PlaceTree,
        rows: Vec<Row>,
        lines: &[usize],
    ) -> Result<Self, RulesError> {
        let index = Index::build(&categories, &places, &rows, lines)?;
        let table = version_of(&categories, &places, &rows);
        let routing = |row: &Row| row.route().map(|route| Arc::new(Routing { table, row: row.id.clone(), route }));
        let routings = rows.iter().map(routing).collect();
        Ok(Self { version: table, categories, places, rows, routings, index })
    }

    /// The row that wins for a grievance of which `category` and `place` are known. A node that its tree does not
    /// know is taken at the nearest ancestor it does know.
    #[must_use]
    pub fn decide(&self, category: Option<&CategoryPath>, place: Option<&PlacePath>) -> Decision<'_> {
        let category = category.map_or(crate::tree::ROOT, |path| self.categories.nearest_node(path.as_str()));
        let place = place.map_or(crate::tree::ROOT, |path| self.places.nearest_node(path.as_str()));
        let row = self.index.row(&self.categories, &self.places, category, place);
        Decision { table: self.version, row: &self.rows[row], routing: self.routings[row].as_ref() }
    }

    /// Which table this is.
    #[must_use]
    pub fn version(&self) -> TableVersion {
        self.version
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

/// A digest over what the rows say and the trees they refer to.
fn version_of(categories: &CategoryTree, places: &PlaceTree, rows: &[Row]) -> TableVersion {
    let mut lines: Vec<String> = rows.iter().map(Row::canonical).collect();
    lines.extend(categories.paths().map(|path| format!("category\t{path}")));
    lines.extend(places.paths().map(|path| format!("place\t{path}")));
    lines.sort_unstable();
    let digest: [u8; 32] = Sha256::digest(lines.join("\n").as_bytes()).into();
    let (first, _) = digest.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
    TableVersion(u64::from_be_bytes(*first))
}
