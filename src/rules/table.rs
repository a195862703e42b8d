//! The rows of a rules table, and where they send a grievance.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::calendar::Hours;
use crate::code::{CategoryPath, DepartmentId, PlacePath, RowId};
use crate::rules::TableVersion;

/// The level at which a department takes a matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The department's officers at the district's desk.
    District,
    /// The department's own desk in the state capital.
    State,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::District => "district",
            Self::State => "state",
        })
    }
}

/// How urgent it is, for people and for the embedding service. The engine orders nothing by it: deadlines escalate,
/// priorities do not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// It can wait.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Before others.
    High,
    /// At once: danger to life or health.
    Urgent,
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        })
    }
}

/// A row's answer: who takes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// The control desk finds out.
    Control,
    /// A department, at a level.
    Department(DepartmentId, Level),
}

impl Target {
    /// The department, if it is one.
    #[must_use]
    pub fn department(&self) -> Option<&DepartmentId> {
        match self {
            Self::Control => None,
            Self::Department(department, _) => Some(department),
        }
    }
}

/// Where a ticket is sent: department, level, priority and deadline.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Route {
    /// The department.
    pub department: DepartmentId,
    /// The level.
    pub level: Level,
    /// How urgent it is.
    pub priority: Priority,
    /// How long the desk has; then silence escalates.
    pub deadline: Hours,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at the {}'s level, {} priority, {}", self.department, self.level, self.priority, self.deadline)
    }
}

/// What a rules table said about a ticket, and by which row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routing {
    /// The table.
    pub table: TableVersion,
    /// The row that won.
    pub row: RowId,
    /// Where it sends the ticket.
    pub route: Route,
}

/// A rule: conditions on category and location, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name in the table.
    pub id: RowId,
    /// The category it covers, with all below; `None` covers every category and none.
    pub category: Option<CategoryPath>,
    /// The place it covers, with all below; `None` covers every place and none.
    pub location: Option<PlacePath>,
    /// Who takes it.
    pub target: Target,
    /// How urgent it is. Without effect where the row sends to the control desk.
    pub priority: Priority,
    /// How long the desk has. Where the row sends to the control desk: how often that is reminded, and the deadline of
    /// a desk to which it forwards the ticket.
    pub deadline: Hours,
}

impl Row {
    /// The route, unless the row sends to the control desk.
    #[must_use]
    pub fn route(&self) -> Option<Route> {
        let Target::Department(department, level) = &self.target else { return None };
        Some(Route { department: department.clone(), level: *level, priority: self.priority, deadline: self.deadline })
    }

    /// The row as one line of text that never changes its form: what a table's version is made of.
    pub(crate) fn canonical(&self) -> String {
        let category = self.category.as_ref().map_or("", CategoryPath::as_str);
        let location = self.location.as_ref().map_or("", PlacePath::as_str);
        let target = match &self.target {
            Target::Control => "control\t".to_owned(),
            Target::Department(department, level) => format!("{department}\t{level}"),
        };
        let Self { id, priority, deadline, .. } = self;
        format!("row\t{id}\t{category}\t{location}\t{target}\t{priority}\t{}", deadline.get())
    }

    /// Whether both rows say the same, their names apart.
    #[must_use]
    pub(crate) fn same_answer(&self, other: &Self) -> bool {
        (&self.target, self.priority, self.deadline) == (&other.target, other.priority, other.deadline)
    }
}
