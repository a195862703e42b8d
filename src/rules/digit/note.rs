//! What an import left out or changed, and what to do about it.

use std::fmt;

use super::{DEFAULT_HOURS, MAX_TEXT};
use crate::calendar::Hours;
use crate::code::MAX_CODE;

/// Something that was left out or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Of which service.
    pub service: ServiceAt,
    /// What.
    pub what: Change,
}

/// A service of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAt {
    /// Its place in the list, counted from 1.
    pub number: usize,
    /// Its `serviceCode`; empty if it has none.
    pub code: String,
}

/// What was left out or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It has no `serviceCode`, and is left out.
    NoCode,
    /// It is not said to be active, and is left out.
    Inactive,
    /// Its `serviceCode` was there before, and it is left out.
    Twice {
        /// The service that has it.
        first: usize,
    },
    /// It has no department; its row is for the control desk.
    NoDepartment,
    /// `Department.json` has not its department.
    UnknownDepartment {
        /// The department in DIGIT.
        department: String,
    },
    /// In `Department.json` its department is not active.
    InactiveDepartment {
        /// The department in DIGIT.
        department: String,
    },
    /// Its `slaHours` are no deadline; its row has [`DEFAULT_HOURS`].
    Hours {
        /// What stands there; empty if nothing does.
        given: String,
    },
    /// A name of its is not what it would be.
    Renamed {
        /// Which name.
        what: Named,
        /// What was wished.
        wanted: String,
        /// What it is.
        given: String,
        /// Why.
        why: WhyRenamed,
    },
    /// A text began as a formula does; the signs are left out, so that no spreadsheet runs it.
    FormulaSigns {
        /// Which text.
        field: Field,
    },
    /// A text had more than [`MAX_TEXT`] characters, and was cut.
    Shortened {
        /// Which text.
        field: Field,
    },
}

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Named {
    /// The service's category.
    Category,
    /// The category above it: the menu.
    Menu,
    /// The row.
    Row,
    /// The department.
    Department,
}

/// Why a name is not what it would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WhyRenamed {
    /// Another has it.
    Taken,
    /// It had characters that such a name cannot have.
    Characters,
    /// It was too long.
    TooLong,
}

/// A text of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// `name`.
    Name,
    /// `menuPathName`, or `menuPath` where there is none.
    MenuName,
    /// `keywords`.
    Keywords,
}

impl Change {
    /// Whether the service is left out by it: it has no row.
    #[must_use]
    pub fn is_left_out(&self) -> bool {
        matches!(self, Self::NoCode | Self::Inactive | Self::Twice { .. })
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NoCode => "give it one, or remove it".to_owned(),
            Self::Inactive => "write \"active\": true if grievances about it are to be routed".to_owned(),
            Self::Twice { .. } => "remove one of the two, or give it another code".to_owned(),
            Self::NoDepartment => "write a department and a level into its row".to_owned(),
            Self::UnknownDepartment { .. } => "correct it, or see that the roster has it".to_owned(),
            Self::InactiveDepartment { .. } => "write into its row which department has its matters now".to_owned(),
            Self::Hours { .. } => format!("write the hours into its row, 1 to {}", Hours::MOST),
            Self::Renamed { what: Named::Row | Named::Department, .. } => "leave it so, or rename it".to_owned(),
            Self::Renamed { .. } => "leave it so, or rename it in both files".to_owned(),
            Self::FormulaSigns { .. } | Self::Shortened { .. } => "see that it still says what it should".to_owned(),
        }
    }
}

impl fmt::Display for Note {
    /// In one line: which service, what, what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "service {}", self.service.number)?;
        if !self.service.code.is_empty() {
            write!(f, " ({})", cut(&self.service.code))?;
        }
        write!(f, ": {}; {}", self.what, self.what.help())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCode => f.write_str("it has no serviceCode, and is left out"),
            Self::Inactive => f.write_str("it is not said to be active, and left out"),
            Self::Twice { first } => write!(f, "service {first} has its serviceCode, and it is left out"),
            Self::NoDepartment => f.write_str("it has no department, and its row sends to the control desk"),
            Self::UnknownDepartment { department } => {
                write!(f, "its department '{department}' is not in Department.json")
            }
            Self::InactiveDepartment { department } => write!(f, "its department '{department}' is not active"),
            Self::Hours { given } if given.is_empty() => write!(f, "it has no slaHours, and its row {DEFAULT_HOURS}"),
            Self::Hours { given } => {
                write!(f, "its slaHours '{given}' are no deadline, and its row has {DEFAULT_HOURS}")
            }
            Self::Renamed { what, wanted, given, why: WhyRenamed::Taken } => {
                write!(f, "the {what} '{wanted}' is another's already, and it has '{given}'")
            }
            Self::Renamed { what, given, why: WhyRenamed::Characters, .. } => {
                write!(f, "its {what} is '{given}', since it has characters that cannot stand there")
            }
            Self::Renamed { what, given, why: WhyRenamed::TooLong, .. } => {
                write!(f, "its {what} is '{given}', since {MAX_CODE} characters are the most")
            }
            Self::FormulaSigns { field } => {
                write!(f, "its {field} began as a formula does, and the signs are left out")
            }
            Self::Shortened { field } => write!(f, "its {field} was cut to {MAX_TEXT} characters"),
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Category => "category",
            Self::Menu => "menu",
            Self::Row => "row",
            Self::Department => "department",
        })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::MenuName => "menu's name",
            Self::Keywords => "list of keywords",
        })
    }
}

/// What is repeated of a file in a message.
pub(super) fn cut(given: &str) -> String {
    given.chars().take(MAX_CODE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_in_one_line_which_service_what_and_what_to_do() {
        let service = ServiceAt { number: 7, code: "NoLight".to_owned() };
        let told = |what| Note { service: service.clone(), what }.to_string();
        assert_eq!(
            told(Change::Hours { given: "0".to_owned() }),
            "service 7 (NoLight): its slaHours '0' are no deadline, and its row has 336; \
             write the hours into its row, 1 to 87600"
        );
        let renamed = Change::Renamed {
            what: Named::Category,
            wanted: "no-light".to_owned(),
            given: "lights/no-light-2".to_owned(),
            why: WhyRenamed::Taken,
        };
        assert_eq!(
            told(renamed),
            "service 7 (NoLight): the category 'no-light' is another's already, and it has 'lights/no-light-2'; \
             leave it so, or rename it in both files"
        );
    }
}
