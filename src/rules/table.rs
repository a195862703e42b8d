//! The rows of a rules table, and where they send a grievance.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

use super::TableVersion;
use super::condition::Conditions;
use crate::calendar::Hours;
use crate::code::{CategoryPath, DepartmentId, PlacePath, RowId};

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

/// What a rules table said about a ticket, by which row, and why that one could.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routing {
    /// The table.
    pub table: TableVersion,
    /// The row that won.
    pub row: RowId,
    /// The row's conditions, all of which held.
    pub held: Held,
    /// Where it sends the ticket.
    pub route: Route,
}

/// The conditions of a row that held for a ticket: all that it has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The category of the row, of several that which held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<CategoryPath>,
    /// The place of the row, of several that which held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<PlacePath>,
    /// Which further conditions the row has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<ConditionKind>,
}

/// A kind of condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConditionKind {
    /// What it is about. In [`Held::others`]: it is none of some.
    Category,
    /// Where it is. In [`Held::others`]: it is in none of some.
    Location,
    /// The channel.
    Channel,
    /// The language.
    Language,
    /// Words in the text.
    Words,
    /// A holiday, or none.
    Holiday,
    /// The day of the week.
    Weekday,
    /// The time of day.
    Time,
    /// From when until when.
    Dates,
}

impl fmt::Display for ConditionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Category => "category",
            Self::Location => "location",
            Self::Channel => "channel",
            Self::Language => "language",
            Self::Words => "words",
            Self::Holiday => "holiday",
            Self::Weekday => "day of the week",
            Self::Time => "time of day",
            Self::Dates => "dates",
        })
    }
}

impl fmt::Display for Held {
    /// `category water/logging, location hisar, channel`; `everything else` for none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said: Vec<String> = Vec::new();
        said.extend(self.category.as_ref().map(|category| format!("category {category}")));
        said.extend(self.location.as_ref().map(|location| format!("location {location}")));
        said.extend(self.others.iter().map(ToString::to_string));
        if said.is_empty() { f.write_str("everything else") } else { f.write_str(&said.join(", ")) }
    }
}

/// Which of the rows that hold wins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum HitPolicy {
    /// The most specific one, wherever it stands.
    #[default]
    Specific,
    /// The one that stands first. Source: OMG, Decision Model and Notation 1.5, section 8.2.11 ("First").
    First,
}

/// A rule: conditions, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name in the table.
    pub id: RowId,
    /// What it asks for.
    pub when: Conditions,
    /// Of rows of the same rank that both hold, the one with the higher wins.
    pub precedence: u16,
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

    /// Writes the row as one line of text that never changes its form: what a table's version is made of.
    pub(crate) fn write_canonical(&self, into: &mut String) {
        let Self { id, when, precedence, target, priority, deadline } = self;
        into.push_str(id.as_str());
        into.push('\t');
        when.write_canonical(into);
        match target {
            Target::Control => into.push_str("\tcontrol\t"),
            Target::Department(department, level) => {
                into.push('\t');
                into.push_str(department.as_str());
                into.push_str(match level {
                    Level::District => "\tdistrict\t",
                    Level::State => "\tstate\t",
                });
            }
        }
        // Writing to a text cannot fail.
        let _ = write!(into, "{priority}\t{}\t{precedence}", deadline.get());
    }

    /// Whether both rows say the same, their names apart.
    #[must_use]
    pub(crate) fn same_answer(&self, other: &Self) -> bool {
        if (&self.target, &other.target) == (&Target::Control, &Target::Control) {
            // There the priority says nothing.
            return self.deadline == other.deadline;
        }
        (&self.target, self.priority, self.deadline) == (&other.target, other.priority, other.deadline)
    }
}
