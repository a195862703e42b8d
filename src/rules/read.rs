//! Reading a rules table from CSV, and what can be wrong with it.

use crate::calendar::Hours;
use crate::code::{CategoryPath, CodeError, DepartmentId, PlacePath, RowId};
use crate::rules::{Level, Priority, Row, Target};
use crate::sheet::{Sheet, SheetError};

/// The most rows of a table.
pub const MAX_ROWS: usize = 200_000;
/// The columns of a table; `note` is for people and may be missing.
const COLUMNS: [&str; 8] = ["id", "category", "location", "department", "level", "priority", "deadline_hours", "note"];

/// Why a rules table is not taken. The one in force stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// The file is no sheet.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// There are too many rows.
    #[error("line {line}: more than {MAX_ROWS} rows; let parents cover their children")]
    TooManyRows {
        /// The first line too many.
        line: usize,
    },
    /// The header lacks a column.
    #[error(
        "line 1: no column '{column}'; the first line has to be id,category,location,department,level,priority,deadline_hours,note"
    )]
    NoColumn {
        /// The column.
        column: &'static str,
    },
    /// The header has a column that means nothing, or one twice.
    #[error(
        "line 1, column {column}: '{name}' {problem}; the columns are id,category,location,department,level,priority,deadline_hours,note"
    )]
    BadColumn {
        /// The column, counted from 1.
        column: usize,
        /// Its name.
        name: String,
        /// `is not known` or `stands twice`.
        problem: &'static str,
    },
    /// A cell is not a code.
    #[error("line {line}, column {column}: {error}")]
    Code {
        /// The line.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What is wrong with it.
        error: CodeError,
    },
    /// A cell has a word that is none of those possible.
    #[error("line {line}, column {column}: '{given}' is no {what}; write {possible}")]
    Word {
        /// The line.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What it was meant to be.
        what: &'static str,
        /// The word, cut to 40 characters.
        given: String,
        /// What is possible.
        possible: &'static str,
    },
    /// There is no row.
    #[error(
        "the table has no row; it needs at least the one for everything else (category and location empty, department control)"
    )]
    Empty,
    /// There is no row for everything else.
    #[error("no row for everything else; add one with category and location empty and department control")]
    NoDefault,
    /// The row for everything else does not go to the control desk.
    #[error("line {line}: row {id} takes everything else, so its department has to be control")]
    DefaultNotToControl {
        /// The row.
        id: RowId,
        /// Its line.
        line: usize,
    },
    /// A row's id stands twice.
    #[error("line {line}: row id {id} stands on line {first} already; give this row another")]
    DuplicateId {
        /// The id.
        id: RowId,
        /// The line where it stood first.
        first: usize,
        /// The line where it stands again.
        line: usize,
    },
    /// Two rows cover the same and send it to different places.
    #[error(
        "line {line}: rows {first} (line {first_line}) and {second} both cover {} and differ; remove one or make one more specific",
        witness(category.as_ref(), location.as_ref())
    )]
    Tie {
        /// The first row.
        first: RowId,
        /// Its line.
        first_line: usize,
        /// The second row.
        second: RowId,
        /// Its line.
        line: usize,
        /// A category that both cover.
        category: Option<CategoryPath>,
        /// A place that both cover.
        location: Option<PlacePath>,
    },
    /// A category that the taxonomy does not have.
    #[error("line {line}: category '{category}' is not in the taxonomy{}", did_you_mean(nearest.as_ref().map(|n| n.as_str())))]
    UnknownCategory {
        /// The category.
        category: CategoryPath,
        /// Its nearest known ancestor.
        nearest: Option<CategoryPath>,
        /// The line.
        line: usize,
    },
    /// A place that the gazetteer does not have.
    #[error("line {line}: location '{place}' is not in the gazetteer{}", did_you_mean(nearest.as_ref().map(|n| n.as_str())))]
    UnknownPlace {
        /// The place.
        place: PlacePath,
        /// Its nearest known ancestor.
        nearest: Option<PlacePath>,
        /// The line.
        line: usize,
    },
    /// A department that the roster does not have (found when table and roster are put together).
    #[error(
        "row {id} names department '{department}', which is not on the roster; correct the row or add the department"
    )]
    UnknownDepartment {
        /// The row.
        id: RowId,
        /// The department.
        department: DepartmentId,
    },
    /// A place's first level that is no district of the roster (found when table and roster are put together).
    #[error("row {id} names district '{district}', which is not on the roster; correct the row or add the district")]
    UnknownDistrict {
        /// The row.
        id: RowId,
        /// The district.
        district: crate::code::DistrictId,
    },
}

fn witness(category: Option<&CategoryPath>, location: Option<&PlacePath>) -> String {
    let category = category.map_or("any category", |c| c.as_str());
    let location = location.map_or("any place", |l| l.as_str());
    format!("a grievance about {category} in {location}")
}

fn did_you_mean(nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("; the nearest that is, is '{nearest}'. Correct the row or add it there"),
        None => "; correct the row or add it there".to_owned(),
    }
}

/// The rows and the line on which each stands.
pub(super) fn read(csv: &[u8]) -> Result<(Vec<Row>, Vec<usize>), RulesError> {
    let mut sheet = Sheet::open(csv)?;
    let columns = Columns::of(sheet.header())?;
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    while let Some((line, record)) = sheet.next_row()? {
        if rows.len() == MAX_ROWS {
            return Err(RulesError::TooManyRows { line });
        }
        rows.push(Cells { columns: &columns, record, line }.row()?);
        lines.push(line);
    }
    Ok((rows, lines))
}

/// Where each of [`COLUMNS`] stands.
struct Columns([Option<usize>; COLUMNS.len()]);

impl Columns {
    fn of(header: &csv::StringRecord) -> Result<Self, RulesError> {
        let mut columns = [None; COLUMNS.len()];
        for (i, name) in header.iter().enumerate() {
            let bad = |problem| {
                let name = name.chars().take(40).collect();
                Err(RulesError::BadColumn { column: i + 1, name, problem })
            };
            match COLUMNS.iter().position(|known| *known == name) {
                None => return bad("is not known"),
                Some(known) if columns[known].is_some() => return bad("stands twice"),
                Some(known) => columns[known] = Some(i),
            }
        }
        match COLUMNS.iter().zip(columns).find(|(name, at)| at.is_none() && **name != "note") {
            Some((column, _)) => Err(RulesError::NoColumn { column }),
            None => Ok(Self(columns)),
        }
    }
}

struct Cells<'a> {
    columns: &'a Columns,
    record: &'a csv::StringRecord,
    line: usize,
}

impl Cells<'_> {
    fn row(&self) -> Result<Row, RulesError> {
        let (department, at) = self.cell("department");
        let target = match department {
            "control" => match self.cell("level") {
                ("", _) => Target::Control,
                (given, column) => return Err(self.word("level for the control desk", given, column, "nothing")),
            },
            _ => {
                let department = DepartmentId::new(department).map_err(|e| self.code(e, at))?;
                Target::Department(department, self.level()?)
            }
        };
        let (id, id_at) = self.cell("id");
        let (category, category_at) = self.cell("category");
        let (location, location_at) = self.cell("location");
        Ok(Row {
            id: RowId::new(id).map_err(|e| self.code(e, id_at))?,
            category: optional(category, CategoryPath::new).map_err(|e| self.code(e, category_at))?,
            location: optional(location, PlacePath::new).map_err(|e| self.code(e, location_at))?,
            target,
            priority: self.priority()?,
            deadline: self.deadline()?,
        })
    }

    fn level(&self) -> Result<Level, RulesError> {
        match self.cell("level") {
            ("district", _) => Ok(Level::District),
            ("state", _) => Ok(Level::State),
            (given, column) => Err(self.word("level", given, column, "district or state")),
        }
    }

    fn priority(&self) -> Result<Priority, RulesError> {
        match self.cell("priority") {
            ("low", _) => Ok(Priority::Low),
            ("" | "normal", _) => Ok(Priority::Normal),
            ("high", _) => Ok(Priority::High),
            ("urgent", _) => Ok(Priority::Urgent),
            (given, column) => Err(self.word("priority", given, column, "low, normal, high or urgent")),
        }
    }

    fn deadline(&self) -> Result<Hours, RulesError> {
        let (given, column) = self.cell("deadline_hours");
        let hours = given.parse().ok().and_then(|hours| Hours::new(hours).ok());
        hours.ok_or_else(|| self.word("deadline", given, column, "whole hours, 1 to 87600"))
    }

    /// A cell's text and its column, counted from 1.
    fn cell(&self, name: &'static str) -> (&str, usize) {
        let known = COLUMNS.iter().position(|column| *column == name);
        match known.and_then(|i| self.columns.0[i]) {
            Some(at) => (self.record.get(at).unwrap_or_default(), at + 1),
            None => ("", 0),
        }
    }

    fn code(&self, error: CodeError, column: usize) -> RulesError {
        RulesError::Code { line: self.line, column, error }
    }

    fn word(&self, what: &'static str, given: &str, column: usize, possible: &'static str) -> RulesError {
        let given = given.chars().take(40).filter(|c| !c.is_control()).collect();
        RulesError::Word { line: self.line, column, what, given, possible }
    }
}

fn optional<T>(text: &str, parse: impl Fn(&str) -> Result<T, CodeError>) -> Result<Option<T>, CodeError> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "id,category,location,department,level,priority,deadline_hours,note\n";

    fn fails(rows: &str) -> RulesError {
        read(format!("{HEADER}{rows}").as_bytes()).expect_err(rows)
    }

    #[test]
    fn reads_what_a_spreadsheet_saves() {
        let csv = "\u{feff}id,category,location,department,level,priority,deadline_hours,note\r\n\
                   W-01,water/logging,hisar,phe,district,high,72,\"knee-deep, नाली\"\r\n\
                   ,,,,,,,\r\n\
                   ELSE,,,control,,,24,\r\n";
        let (rows, lines) = read(csv.as_bytes()).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(lines, [2, 4]);
        assert_eq!(rows[0].route().unwrap().to_string(), "phe at the district's level, high priority, 3 days");
        assert_eq!(rows[1].target, Target::Control);
    }

    #[test]
    fn columns_may_stand_in_any_order_but_not_be_missing_doubled_or_invented() {
        assert!(read(b"deadline_hours,id,level,priority,department,location,category\n").is_ok());
        assert_eq!(read(b"id,category\n").unwrap_err(), RulesError::NoColumn { column: "location" });
        assert!(matches!(read(b"id,id\n").unwrap_err(), RulesError::BadColumn { column: 2, .. }));
        assert!(matches!(read(b"id;category\n").unwrap_err(), RulesError::BadColumn { column: 1, .. }));
    }

    #[test]
    fn a_bad_cell_is_named_by_line_and_column() {
        let word = |rows: &str, at: usize| {
            let error = fails(rows);
            assert!(matches!(error, RulesError::Word { line: 2, column, .. } if column == at), "{error}");
        };
        word("a,,,phe,block,high,24,\n", 5);
        word("a,,,phe,,high,24,\n", 5);
        word("a,,,control,state,high,24,\n", 5);
        word("a,,,phe,state,asap,24,\n", 6);
        for hours in ["", "0", "-3", "1.5", "soon", "99999999999"] {
            word(&format!("a,,,phe,state,high,{hours},\n"), 7);
        }
        assert!(matches!(fails("a,Water,,phe,state,high,24,\n"), RulesError::Code { line: 2, column: 2, .. }));
        assert!(matches!(fails(",,,phe,state,high,24,\n"), RulesError::Code { line: 2, column: 1, .. }));
        assert!(matches!(fails("a,,\n"), RulesError::Sheet(SheetError::Ragged { line: 2, .. })));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let _ = read(&bytes);
            let mut with_header = HEADER.as_bytes().to_vec();
            with_header.extend(&bytes);
            let _ = read(&with_header);
        }
    }
}
