//! The codes by which officials name departments, districts, officers, rows, categories and places.
//!
//! A code is short, lower-case and plain ASCII, so that it can be typed in a spreadsheet, read out and put
//! in a journal entry without ever carrying a sentence. Codes are checked once, where they come in; behind
//! that point a [`DepartmentId`] or a [`CategoryPath`] is known to be well formed.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The longest code, in characters.
pub const MAX_CODE: usize = 64;

/// The most levels a category or a place may have.
pub const MAX_DEPTH: usize = 8;

/// Why a text is not a code or a path of codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} '{given}' {problem}")]
pub struct CodeError {
    /// What the text was meant to be, e.g. `department`.
    pub what: &'static str,
    /// The text as given, cut to [`MAX_CODE`] characters.
    pub given: String,
    /// What is wrong with it and what would be right.
    pub problem: CodeProblem,
}

/// What is wrong with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeProblem {
    /// There is nothing there.
    #[error("is empty; write at least one of a-z, 0-9")]
    Empty,
    /// It has too many characters.
    #[error("is longer than {MAX_CODE} characters; shorten it")]
    TooLong,
    /// It has too many levels.
    #[error("has more than {MAX_DEPTH} levels; name a parent instead")]
    TooDeep,
    /// It has a character that no code has.
    #[error("has {found:?} at character {at}; only a-z, 0-9 and single '-' between them make a code")]
    Character {
        /// The character.
        found: char,
        /// Where it stands, counted from 1.
        at: usize,
    },
    /// A level of a path is empty.
    #[error("has an empty level at character {at}; write it as 'parent/child'")]
    EmptyLevel {
        /// Where it stands, counted from 1.
        at: usize,
    },
}

fn check(what: &'static str, text: &str, separator: Option<char>) -> Result<(), CodeError> {
    let fail = |problem| {
        let given = text.chars().take(MAX_CODE).filter(|c| !c.is_control()).collect();
        Err(CodeError { what, given, problem })
    };
    if text.is_empty() {
        return fail(CodeProblem::Empty);
    }
    let longest = if separator.is_some() { MAX_CODE * MAX_DEPTH } else { MAX_CODE };
    if text.len() > longest {
        return fail(CodeProblem::TooLong);
    }
    let mut levels = 1;
    let mut length = 0;
    let mut before = None;
    for (at, found) in text.chars().enumerate().map(|(i, c)| (i + 1, c)) {
        match found {
            'a'..='z' | '0'..='9' => length += 1,
            '-' if before.is_some_and(|c| c != '-' && Some(c) != separator) => length += 1,
            _ if Some(found) == separator => {
                match before {
                    Some('-') => return fail(CodeProblem::Character { found: '-', at: at - 1 }),
                    None | Some('/') => return fail(CodeProblem::EmptyLevel { at }),
                    Some(_) => {}
                }
                levels += 1;
                length = 0;
            }
            _ => return fail(CodeProblem::Character { found, at }),
        }
        if length > MAX_CODE {
            return fail(CodeProblem::TooLong);
        }
        before = Some(found);
    }
    match before {
        Some('-') => fail(CodeProblem::Character { found: '-', at: text.len() }),
        Some('/') => fail(CodeProblem::EmptyLevel { at: text.len() }),
        _ if levels > MAX_DEPTH => fail(CodeProblem::TooDeep),
        _ => Ok(()),
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident, $what:literal, $separator:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "SmolStr", into = "SmolStr")]
        pub struct $name(SmolStr);

        impl $name {
            /// Checks and takes a code.
            ///
            /// # Errors
            /// [`CodeError`] names the character that no code has, or the length that is too much.
            pub fn new(text: &str) -> Result<Self, CodeError> {
                check($what, text, $separator)?;
                Ok(Self(SmolStr::new(text)))
            }

            /// The code as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = CodeError;
            fn from_str(text: &str) -> Result<Self, CodeError> {
                Self::new(text)
            }
        }

        impl TryFrom<SmolStr> for $name {
            type Error = CodeError;
            fn try_from(text: SmolStr) -> Result<Self, CodeError> {
                check($what, &text, $separator)?;
                Ok(Self(text))
            }
        }

        impl From<$name> for SmolStr {
            fn from(code: $name) -> SmolStr {
                code.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

codes! {
    /// A department of the state, e.g. `phe` (Public Health Engineering).
    DepartmentId, "department", None;
    /// A district, e.g. `hisar`.
    DistrictId, "district", None;
    /// An officer on the roster, e.g. `phe-hisar`: a post, not a person's name.
    OfficerId, "officer", None;
    /// What a grievance is about: a path in the taxonomy, e.g. `water/logging`, parent `water`.
    CategoryPath, "category", Some('/');
    /// Where it is: `district/tehsil/place`, or any prefix of it that is known, e.g. `hisar/hansi`.
    PlacePath, "place", Some('/');
}

impl PlacePath {
    /// The district: the first level of the path.
    #[must_use]
    pub fn district(&self) -> DistrictId {
        let first = self.0.split('/').next().unwrap_or_default();
        DistrictId(SmolStr::new(first))
    }
}

/// The rule's own name in its table, e.g. `W-01`: what a decision refers to.
///
/// Letters, digits, `-`, `_` and `.`, at most [`MAX_CODE`] of them; officials choose it and upper case is kept.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "SmolStr", into = "SmolStr")]
pub struct RowId(SmolStr);

impl RowId {
    /// Checks and takes a row's name.
    ///
    /// # Errors
    /// [`CodeError`] when it is empty, too long or has another character.
    pub fn new(text: &str) -> Result<Self, CodeError> {
        let fail = |problem| {
            let given = text.chars().take(MAX_CODE).filter(|c| !c.is_control()).collect();
            Err(CodeError { what: "row id", given, problem })
        };
        if text.is_empty() {
            return fail(CodeProblem::Empty);
        }
        if text.len() > MAX_CODE {
            return fail(CodeProblem::TooLong);
        }
        match text.chars().enumerate().find(|(_, c)| !c.is_ascii_alphanumeric() && !"-_.".contains(*c)) {
            Some((at, found)) => fail(CodeProblem::Character { found, at: at + 1 }),
            None => Ok(Self(SmolStr::new(text))),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowId({})", self.0)
    }
}

impl TryFrom<SmolStr> for RowId {
    type Error = CodeError;
    fn try_from(text: SmolStr) -> Result<Self, CodeError> {
        Self::new(&text)
    }
}

impl From<RowId> for SmolStr {
    fn from(row: RowId) -> SmolStr {
        row.0
    }
}

/// Where open tickets are owned: the control desk, a department (state level) or a district.
///
/// Written `control`, `department:phe`, `district:hisar`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeskId {
    /// The chief minister's secretariat: triage, and the top of the ladder.
    Control,
    /// A department's desk at the state's level.
    Department(DepartmentId),
    /// A district's desk, on which the departments' officers of that district sit.
    District(DistrictId),
}

impl fmt::Display for DeskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control => f.write_str("control"),
            Self::Department(id) => write!(f, "department:{id}"),
            Self::District(id) => write!(f, "district:{id}"),
        }
    }
}

impl fmt::Debug for DeskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeskId({self})")
    }
}

impl FromStr for DeskId {
    type Err = CodeError;
    fn from_str(text: &str) -> Result<Self, CodeError> {
        match text.split_once(':') {
            None if text == "control" => Ok(Self::Control),
            Some(("department", id)) => DepartmentId::new(id).map(Self::Department),
            Some(("district", id)) => DistrictId::new(id).map(Self::District),
            _ => {
                let found = text.chars().next().unwrap_or(' ');
                let given = text.chars().take(MAX_CODE).filter(|c| !c.is_control()).collect();
                Err(CodeError {
                    what: "desk (control, department:CODE or district:CODE)",
                    given,
                    problem: CodeProblem::Character { found, at: 1 },
                })
            }
        }
    }
}

impl TryFrom<String> for DeskId {
    type Error = CodeError;
    fn try_from(text: String) -> Result<Self, CodeError> {
        text.parse()
    }
}

impl From<DeskId> for String {
    fn from(desk: DeskId) -> String {
        desk.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_lower_case_words_with_single_hyphens() {
        for good in ["phe", "charkhi-dadri", "sector-14", "7"] {
            assert!(DepartmentId::new(good).is_ok(), "{good}");
        }
        for (bad, at) in [("PHE", 1), ("a--b", 3), ("-a", 1), ("a-", 2), ("a b", 2), ("a/b", 2), ("पानी", 1)] {
            let problem = DepartmentId::new(bad).expect_err(bad).problem;
            assert!(matches!(problem, CodeProblem::Character { at: found, .. } if found == at), "{bad}: {problem}");
        }
        assert_eq!(DepartmentId::new("").unwrap_err().problem, CodeProblem::Empty);
        assert_eq!(DepartmentId::new(&"a".repeat(65)).unwrap_err().problem, CodeProblem::TooLong);
    }

    #[test]
    fn a_path_has_no_empty_level_and_a_limited_depth() {
        assert!(CategoryPath::new("water/logging").is_ok());
        for bad in ["/water", "water/", "water//logging"] {
            assert!(matches!(CategoryPath::new(bad).expect_err(bad).problem, CodeProblem::EmptyLevel { .. }), "{bad}");
        }
        assert!(CategoryPath::new("water-/logging").is_err());
        assert_eq!(CategoryPath::new("a/a/a/a/a/a/a/a/a").unwrap_err().problem, CodeProblem::TooDeep);
    }

    #[test]
    fn a_place_knows_its_district() {
        assert_eq!(PlacePath::new("hisar/hansi").unwrap().district(), DistrictId::new("hisar").unwrap());
    }

    #[test]
    fn a_desk_reads_back_as_written() {
        for text in ["control", "department:phe", "district:hisar"] {
            assert_eq!(text.parse::<DeskId>().unwrap().to_string(), text);
        }
        assert!("districts:hisar".parse::<DeskId>().is_err());
        assert!("district:".parse::<DeskId>().is_err());
    }
}
