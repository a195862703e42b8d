//! The states of a ticket.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::code::DeskId;
use crate::roster::Rung;
use crate::ticket::event::{ClosedBy, Holder, MarkReason, Outcome, ParkReason};

/// Where a ticket without a holder is bound for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Wherever the rules send it.
    ByRules,
    /// Wherever the rules send it, but not to a desk that had it before.
    ByRulesElsewhere,
    /// A desk that an officer named.
    Desk(DeskId),
    /// The step of the ladder above this one.
    Above(Rung),
    /// The officer who had it last.
    Back(Holder),
    /// The control desk.
    Control,
}

/// The state of a ticket, with the date that ends it: every open state has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// Between desks. It exists only while an entry is being made, never in the journal between two entries.
    Unplaced {
        /// Where it is bound for.
        bound: Bound,
        /// Why it will be marked there.
        why: MarkReason,
    },
    /// With the control desk, since no rule routes it.
    Triage {
        /// When the control desk is reminded.
        due: Timestamp,
    },
    /// Given to an officer who has not acknowledged it.
    Marked {
        /// When silence escalates it.
        due: Timestamp,
    },
    /// The officer is at it.
    InProgress {
        /// When silence escalates it.
        due: Timestamp,
    },
    /// The citizen was asked something; the deadline rests.
    Asked {
        /// Until when an answer is waited for.
        until: Timestamp,
        /// The deadline that rests.
        rest: Rest,
    },
    /// It rests until a date, as does the deadline.
    Parked {
        /// The date.
        until: Timestamp,
        /// Why.
        why: ParkReason,
        /// The deadline that rests.
        rest: Rest,
    },
    /// The report waits for the nodal officer.
    UnderReview {
        /// What the report declares.
        outcome: Outcome,
        /// When silence escalates it.
        due: Timestamp,
    },
    /// Done; the citizen is asked.
    Resolved {
        /// What came of it.
        outcome: Outcome,
        /// When.
        at: Timestamp,
        /// When silence closes it.
        silence_at: Timestamp,
    },
    /// Turned down; the citizen may appeal.
    Rejected {
        /// The grounds, as an outcome.
        outcome: Outcome,
        /// When.
        at: Timestamp,
        /// When silence closes it.
        silence_at: Timestamp,
    },
    /// Closed.
    Closed {
        /// Who declared it.
        by: ClosedBy,
        /// What came of it.
        outcome: Outcome,
        /// When.
        at: Timestamp,
        /// Until when a complaint reopens it; `None` where it is closed for good.
        reopen_until: Option<Timestamp>,
    },
}

/// A deadline that rests: when it would have fallen and since when it rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// When the deadline would have fallen.
    pub due: Timestamp,
    /// Since when it rests.
    pub since: Timestamp,
}

impl Rest {
    /// When the deadline falls once it runs again at `now`: what was left of it is left still, and one hour at least.
    #[must_use]
    pub fn resumed(self, now: Timestamp) -> Timestamp {
        let left = self.due.duration_since(self.since).max(jiff::SignedDuration::from_hours(1));
        now.checked_add(left).unwrap_or(Timestamp::MAX)
    }
}

impl State {
    /// The state without its details.
    #[must_use]
    pub const fn kind(&self) -> StateKind {
        match self {
            Self::Unplaced { .. } => StateKind::Unplaced,
            Self::Triage { .. } => StateKind::Triage,
            Self::Marked { .. } => StateKind::Marked,
            Self::InProgress { .. } => StateKind::InProgress,
            Self::Asked { .. } => StateKind::Asked,
            Self::Parked { .. } => StateKind::Parked,
            Self::UnderReview { .. } => StateKind::UnderReview,
            Self::Resolved { .. } => StateKind::Resolved,
            Self::Rejected { .. } => StateKind::Rejected,
            Self::Closed { .. } => StateKind::Closed,
        }
    }

    /// The date on which something happens by itself; `None` only when closed (or between desks).
    #[must_use]
    pub const fn next_date(&self) -> Option<Timestamp> {
        match self {
            Self::Triage { due }
            | Self::Marked { due }
            | Self::InProgress { due }
            | Self::UnderReview { due, .. }
            | Self::Asked { until: due, .. }
            | Self::Parked { until: due, .. }
            | Self::Resolved { silence_at: due, .. }
            | Self::Rejected { silence_at: due, .. } => Some(*due),
            Self::Unplaced { .. } | Self::Closed { .. } => None,
        }
    }
}

macro_rules! state_kinds {
    ($($(#[$doc:meta])* $name:ident $words:literal),* $(,)?) => {
        /// A state without its details: the columns of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum StateKind { $($(#[$doc])* $name),* }

        impl StateKind {
            /// All of them, in the table's order.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Whether the ticket is neither closed nor between desks.
            #[must_use]
            pub const fn is_open(self) -> bool {
                !matches!(self, Self::Closed | Self::Unplaced)
            }
        }

        impl fmt::Display for StateKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $words),* })
            }
        }
    };
}

state_kinds! {
    /// Between desks.
    Unplaced "between desks",
    /// With the control desk, unrouted.
    Triage "in triage",
    /// Given to an officer.
    Marked "marked",
    /// The officer is at it.
    InProgress "in progress",
    /// The citizen was asked.
    Asked "waiting for the citizen",
    /// It rests until a date.
    Parked "parked",
    /// The report waits for the nodal officer.
    UnderReview "under review",
    /// Done; the citizen is asked.
    Resolved "resolved",
    /// Turned down; the citizen may appeal.
    Rejected "rejected",
    /// Closed.
    Closed "closed",
}
