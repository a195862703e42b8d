//! What the indexes come to: how many rows they have, and a sum over them. It is kept beside them, and held against them
//! before something is done by them that cannot be undone.

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::rows::{fact, set_fact};
use crate::store::StoreError;

/// Rows of one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sum {
    rows: u64,
    sum: u64,
}

impl Sum {
    fn add(&mut self, row: u64) {
        self.rows += 1;
        // In whatever order they came.
        self.sum = self.sum.wrapping_add(row);
    }
}

/// What `history` and `source` come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    history: Sum,
    source: Sum,
}

impl Tally {
    pub(super) fn add_history(&mut self, ticket: i64, version: i64, position: i64) {
        let row = [ticket, version, position].map(i64::to_be_bytes);
        self.history.add(hash(row.as_flattened()));
    }

    pub(super) fn add_source(&mut self, key: &[u8], ticket: i64, author: Option<&[u8]>) {
        self.source.add(hash(&[key, &ticket.to_be_bytes(), author.unwrap_or_default()].concat()));
    }

    /// What was kept; `None` where nothing was.
    pub(super) fn kept(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let text: Option<String> = fact(connection, "tally")?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Keeps it, inside the caller's transaction.
    pub(super) fn keep(&self, connection: &Connection) -> Result<(), StoreError> {
        let text = serde_json::to_string(self).map_err(|error| StoreError { reason: error.to_string() })?;
        Ok(set_fact(connection, "tally", text)?)
    }

    /// What they do come to: it takes about a fifth of a second for a million rows.
    fn counted(connection: &Connection) -> rusqlite::Result<Self> {
        let mut tally = Self::default();
        let mut select = connection.prepare_cached("SELECT ticket, version, position FROM history")?;
        let mut found = select.query([])?;
        while let Some(row) = found.next()? {
            tally.add_history(row.get(0)?, row.get(1)?, row.get(2)?);
        }
        let mut select = connection.prepare_cached("SELECT key, ticket, author FROM source")?;
        let mut found = select.query([])?;
        while let Some(row) = found.next()? {
            tally.add_source(row.get_ref(0)?.as_bytes()?, row.get(1)?, row.get_ref(2)?.as_bytes_or_null()?);
        }
        Ok(tally)
    }

    /// Whether the indexes are what was kept of them.
    ///
    /// # Errors
    /// [`StoreError`] if they are not, or cannot be read.
    pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
        // Damage may also show as a row of other types.
        let counted = Self::counted(connection).optional().unwrap_or_default();
        if counted.is_some() && Self::kept(connection)?.unwrap_or_default() == counted.unwrap_or_default() {
            return Ok(());
        }
        let reason = format!("the indexes are damaged; have them made anew: {}", super::MAKE_ANEW);
        Err(StoreError { reason })
    }
}

/// FNV-1a: it finds damage, and stays the same for good. Against whoever alters rows on purpose there is the audit.
/// Source: Fowler, Noll, Vo; draft-eastlake-fnv.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
