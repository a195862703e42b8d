//! nivaran itself: what is kept of a decision.

use std::sync::Arc;

use nivaran::rules::{Decision, Routing, TableVersion};
use nivaran::{RowId, Rules};

use crate::tables::Asked;

/// What the journal keeps of a decision, as `placing.rs` makes it out: what the table said of a ticket that it routes
/// (table, row, conditions that held, route: made once, when the table is compiled), or the row by which the control
/// desk has it. Writing it to a disk is not part of it, as it is none of ZEN's trace.
pub enum Record {
    /// A desk has it.
    Routed(TableVersion, Arc<Routing>),
    /// The control desk has it.
    ToControl(TableVersion, RowId),
}

impl Record {
    /// The row.
    #[must_use]
    pub fn row(&self) -> &RowId {
        match self {
            Self::Routed(_, routing) => &routing.row,
            Self::ToControl(_, row) => row,
        }
    }
}

/// Decides, and makes the record.
#[must_use]
#[inline]
pub fn recorded(rules: &Rules, asked: &Asked) -> Record {
    let Decision { table, row, routing } = rules.decide(&asked.facts());
    match routing {
        Some(routing) => Record::Routed(table, Arc::clone(routing)),
        None => Record::ToControl(table, row.id.clone()),
    }
}
