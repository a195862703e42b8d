//! What is found in a table: what it is, how bad, in which cell, and what to do about it.

use std::fmt;
use std::ops::Range;

use jiff::civil::Date;

use super::facts::Moment;
use super::read::{COLUMN_NAMES, MAX_ROWS};
use crate::code::{CategoryPath, CodeError, DepartmentId, DistrictId, PlacePath, RowId};
use crate::grievance::{Channel, Language};
use crate::sheet::SheetError;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong; somebody may want to know.
    Advice,
    /// The table may be used, and somebody should look at it.
    Warning,
    /// The table is not used; the one in force stays.
    Error,
}

/// A cell of the file, or a whole line of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CellAt {
    /// The line on which its row begins, counted from 1 as an editor counts.
    pub line: usize,
    /// Its place in the row, counted from 1; `None` for the whole row.
    pub column: Option<usize>,
    /// Its bytes in the file, with its quotes; `None` for rows that come from no file.
    pub bytes: Option<Range<usize>>,
}

/// Something found in a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is.
    pub what: Fault,
    /// The row, where it is one row's.
    pub row: Option<RowId>,
    /// Where, the chief place first.
    pub at: Vec<CellAt>,
    /// A grievance that shows it.
    pub witness: Option<Box<Witness>>,
}

/// A grievance that shows a finding, and the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// What it is about; `None` where that is not known.
    pub category: Option<CategoryPath>,
    /// Where it is.
    pub place: Option<PlacePath>,
    /// The way by which it came.
    pub channel: Channel,
    /// The language of its text.
    pub language: Option<Language>,
    /// The words of the table that its text has.
    pub words: Vec<super::condition::Word>,
    /// When it is decided.
    pub moment: Moment,
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { category, place, channel, language, words, moment } = self;
        f.write_str("a grievance about ")?;
        match category {
            Some(category) => write!(f, "{category}")?,
            None => f.write_str("nothing known")?,
        }
        match place {
            Some(place) => write!(f, " in {place}")?,
            None => f.write_str(" of no known place")?,
        }
        write!(f, " by {channel}")?;
        if let Some(language) = language {
            write!(f, " in the language {}", language.as_str())?;
        }
        for (i, word) in words.iter().enumerate() {
            write!(f, "{} '{word}'", if i == 0 { " with" } else { " and" })?;
        }
        let (hour, minute) = (moment.minute / 60, moment.minute % 60);
        let day = if moment.day == super::condition::Day::Holiday { ", a holiday," } else { "" };
        write!(f, " on {}{day} at {hour:02}:{minute:02}", moment.date)
    }
}

/// What may be found.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The file is no sheet.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// There are too many rows.
    #[error("more than {MAX_ROWS} rows")]
    TooManyRows,
    /// The header lacks a column.
    #[error("no column '{column}'")]
    NoColumn {
        /// The column.
        column: &'static str,
    },
    /// The header has a column that means nothing.
    #[error("the column '{name}' is not known")]
    UnknownColumn {
        /// Its name, cut to 40 characters.
        name: String,
        /// The known one that is most like it.
        nearest: Option<&'static str>,
    },
    /// The header has a column twice.
    #[error("the column '{name}' stands twice")]
    ColumnTwice {
        /// Its name.
        name: &'static str,
    },
    /// What is declared of the table is not known.
    #[error("'{given}' is no hit policy")]
    HitPolicy {
        /// What stands there, cut to 40 characters.
        given: String,
    },
    /// A cell has a spreadsheet's formula, not its result.
    #[error("a formula stands there, not what it comes to")]
    Formula,
    /// A cell is not a code.
    #[error(transparent)]
    Code(CodeError),
    /// A cell has something that its column cannot have.
    #[error("'{given}' is no {what}")]
    Word {
        /// What it was meant to be.
        what: &'static str,
        /// What stands there, cut to 40 characters.
        given: String,
        /// What is possible.
        possible: &'static str,
    },
    /// A cell has names with and without `!`.
    #[error("some names have a '!' and some have none")]
    Mixed,
    /// A cell has more alternatives than a cell may.
    #[error("more than {} alternatives in one cell", super::condition::MAX_ALTERNATIVES)]
    TooManyAlternatives,
    /// A table has more languages than it may.
    #[error("more than 62 languages in one table")]
    TooManyLanguages,
    /// A category that the taxonomy does not have.
    #[error("the category '{category}' is not in the taxonomy")]
    UnknownCategory {
        /// The category.
        category: CategoryPath,
        /// The known one that is most like it.
        nearest: Option<CategoryPath>,
    },
    /// A place that the gazetteer does not have.
    #[error("the place '{place}' is not in the gazetteer")]
    UnknownPlace {
        /// The place.
        place: PlacePath,
        /// The known one that is most like it.
        nearest: Option<PlacePath>,
    },
    /// A department that the roster does not have.
    #[error("the department '{department}' is not on the roster")]
    UnknownDepartment {
        /// The department.
        department: DepartmentId,
    },
    /// A place's first level that is no district of the roster.
    #[error("the district '{district}' is not on the roster")]
    UnknownDistrict {
        /// The district.
        district: DistrictId,
    },
    /// A department to which a row sends matters of districts has no officer there.
    #[error("the department '{department}' has no officer in {districts}")]
    NoOfficer {
        /// The department.
        department: DepartmentId,
        /// `every district`, or which.
        districts: String,
    },
    /// Too many rows share a category and location to look for those that never win.
    #[error("too many rows have the same category and location to look for rows that never win")]
    TooAlike,
    /// There is no row.
    #[error("the table has no row")]
    Empty,
    /// There is no row for everything else.
    #[error("no row for everything else")]
    NoDefault,
    /// The row for everything else does not go to the control desk.
    #[error("this row takes everything else, and does not send it to the control desk")]
    DefaultNotToControl,
    /// A row's id stands twice.
    #[error("the id '{id}' stands twice")]
    DuplicateId {
        /// The id.
        id: RowId,
    },
    /// What a row asks for never holds.
    #[error("this row can never win: {why}")]
    Contradiction {
        /// Why.
        why: &'static str,
    },
    /// Two rows of the same rank that can both win, and differ.
    #[error("the rows {first} and {second} can both win, and differ")]
    Tie {
        /// The row that stands first.
        first: RowId,
        /// The other.
        second: RowId,
    },
    /// Too many rows of one category, location and rank to look for two that can both win.
    #[error("too many rows have the same category, location and rank to look for two that can both win")]
    TooManyRivals,
    /// Two rows that ask for the same and say the same.
    #[error("the rows {first} and {second} ask for the same and say the same")]
    Duplicate {
        /// The row that stands first.
        first: RowId,
        /// The other.
        second: RowId,
    },
    /// A row that never wins, since another wins wherever it holds.
    #[error("this row never wins: wherever it holds, {by} does")]
    Unreachable {
        /// The row that wins.
        by: RowId,
    },
    /// A row that never wins, since others win wherever it holds.
    #[error("this row never wins: wherever it holds, one of {} other rows does", .by.len())]
    Covered {
        /// The rows that win.
        by: Vec<RowId>,
    },
    /// A row cuts across others, and wins for what they have in common.
    #[error("this row goes before {before} for what both ask for")]
    Overlap {
        /// The rows that lose, the first of them by name.
        before: String,
    },
    /// A category in some districts that only the row for everything else takes.
    #[error("{category} in {places} goes by the row for everything else")]
    Gap {
        /// The category, with all below it.
        category: CategoryPath,
        /// `every district`, or which.
        places: String,
    },
    /// The row is no longer in force.
    #[error("this row was in force until {until}")]
    Past {
        /// Its last day.
        until: Date,
    },
}

impl Fault {
    /// Its code: what machines and manuals call it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sheet(_) => "no-sheet",
            Self::TooManyRows => "too-many-rows",
            Self::NoColumn { .. } => "column-missing",
            Self::UnknownColumn { .. } => "column-unknown",
            Self::ColumnTwice { .. } => "column-twice",
            Self::HitPolicy { .. } => "hit-policy",
            Self::Formula => "formula",
            Self::Code(_) => "malformed-code",
            Self::Word { .. } => "malformed-cell",
            Self::Mixed => "mixed-negation",
            Self::TooManyAlternatives => "too-many-alternatives",
            Self::TooManyLanguages => "too-many-languages",
            Self::UnknownCategory { .. } => "unknown-category",
            Self::UnknownPlace { .. } => "unknown-place",
            Self::UnknownDepartment { .. } => "unknown-department",
            Self::UnknownDistrict { .. } => "unknown-district",
            Self::NoOfficer { .. } => "no-officer",
            Self::TooAlike => "too-alike",
            Self::Empty => "empty",
            Self::NoDefault => "no-default",
            Self::DefaultNotToControl => "default-not-control",
            Self::DuplicateId { .. } => "id-twice",
            Self::Contradiction { .. } => "contradiction",
            Self::Tie { .. } => "tie",
            Self::TooManyRivals => "too-many-rivals",
            Self::Duplicate { .. } => "duplicate",
            Self::Unreachable { .. } => "unreachable",
            Self::Covered { .. } => "covered",
            Self::Overlap { .. } => "overlap",
            Self::Gap { .. } => "gap",
            Self::Past { .. } => "past",
        }
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Overlap { .. } => Severity::Advice,
            Self::NoOfficer { .. }
            | Self::TooAlike
            | Self::Duplicate { .. }
            | Self::Unreachable { .. }
            | Self::Covered { .. }
            | Self::Gap { .. }
            | Self::Past { .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        let known = |nearest: Option<&str>, list: &str| match nearest {
            Some(nearest) => format!("did you mean '{nearest}'? If not, add it to the {list}"),
            None => format!("correct it, or add it to the {list}"),
        };
        match self {
            Self::Sheet(SheetError::NotUtf8 { .. } | SheetError::Nul { .. }) => {
                "save the sheet as 'CSV UTF-8' from the spreadsheet".to_owned()
            }
            Self::Sheet(_) => "mend that in the spreadsheet, and save the sheet again".to_owned(),
            Self::TooManyRows => "let a parent's row cover its children".to_owned(),
            Self::NoColumn { .. } => format!("the columns are {COLUMN_NAMES}; is the header missing?"),
            Self::UnknownColumn { nearest: Some(nearest), .. } => format!("did you mean '{nearest}'?"),
            Self::UnknownColumn { nearest: None, name } if !name.chars().all(|c| c.is_alphanumeric() || c == '_') => {
                format!("if it is several, separate them by commas, semicolons or tabs; the columns are {COLUMN_NAMES}")
            }
            Self::UnknownColumn { nearest: None, .. } => format!("the columns are {COLUMN_NAMES}"),
            Self::ColumnTwice { .. } => "remove one of the two".to_owned(),
            Self::HitPolicy { .. } => "write 'specific' or 'first'".to_owned(),
            Self::Formula => "paste values, not formulas, before saving".to_owned(),
            Self::Code(_) => "correct it".to_owned(),
            Self::Word { possible, .. } => format!("write {possible}"),
            Self::Mixed => "write 'a|b' for one of them, or '!a|!b' for none of them".to_owned(),
            Self::TooManyAlternatives => "name a parent, or make two rows of it".to_owned(),
            Self::TooManyLanguages => "name the main language: 'hi' covers 'hi-Latn'".to_owned(),
            Self::UnknownCategory { nearest, .. } => known(nearest.as_ref().map(|n| n.as_str()), "taxonomy"),
            Self::UnknownPlace { nearest, .. } => known(nearest.as_ref().map(|n| n.as_str()), "gazetteer"),
            Self::UnknownDepartment { .. } | Self::UnknownDistrict { .. } => known(None, "roster"),
            Self::NoOfficer { .. } => "such a ticket climbs to the next rung at once; put an officer there".to_owned(),
            Self::TooManyRivals => {
                "give them deeper categories or locations, or other numbers in precedence".to_owned()
            }
            Self::TooAlike => "give them deeper categories or locations".to_owned(),
            Self::Empty | Self::NoDefault => {
                "add a row for everything else: all conditions empty, and the department 'control'".to_owned()
            }
            Self::DefaultNotToControl => "write 'control' as its department".to_owned(),
            Self::DuplicateId { .. } => "give one of them another id".to_owned(),
            Self::Contradiction { .. } => "correct its conditions, or remove it".to_owned(),
            Self::Tie { .. } => {
                "remove one, make one more specific, or say in the column precedence which goes before".to_owned()
            }
            Self::Duplicate { .. } | Self::Unreachable { .. } | Self::Covered { .. } => "remove it".to_owned(),
            Self::Overlap { .. } => {
                "if it should not, give the other a row of its own for what both ask for".to_owned()
            }
            Self::Gap { .. } => "add a row, if somebody but the control desk should have these".to_owned(),
            Self::Past { .. } => "remove it, or give it another last day".to_owned(),
        }
    }
}

impl Finding {
    pub(super) fn new(what: Fault) -> Self {
        Self { what, row: None, at: Vec::new(), witness: None }
    }

    /// Of a row, wherever that stands.
    pub(crate) fn of(row: RowId, what: Fault) -> Self {
        Self { row: Some(row), ..Self::new(what) }
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.what.severity()
    }
}

impl fmt::Display for Finding {
    /// In one line: where, what, a grievance that shows it, what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.at.first() {
            write!(f, "line {}", at.line)?;
            if let Some(column) = at.column {
                write!(f, ", column {column}")?;
            }
            f.write_str(": ")?;
        }
        if let Some(row) = &self.row {
            write!(f, "row {row}: ")?;
        }
        write!(f, "{}", self.what)?;
        if let Some(witness) = &self.witness {
            write!(f, ", as for {witness}")?;
        }
        write!(f, "; {}", self.what.help())
    }
}

/// Why a table is not taken: what was found in it, with at least one error. The one in force stays.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", told(.findings))]
pub struct RulesError {
    /// All that was found, in the order of the file.
    pub findings: Vec<Finding>,
}

impl RulesError {
    /// The errors among the findings.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity() == Severity::Error)
    }
}

impl From<Finding> for RulesError {
    fn from(finding: Finding) -> Self {
        Self { findings: vec![finding] }
    }
}

fn told(findings: &[Finding]) -> String {
    let mut errors = findings.iter().filter(|finding| finding.severity() == Severity::Error);
    let first = errors.next().map(ToString::to_string).unwrap_or_default();
    match errors.count() {
        0 => first,
        more => format!("{first} (and {more} more)"),
    }
}
