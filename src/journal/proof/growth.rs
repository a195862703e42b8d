//! The proof that a journal only grew between two checkpoints.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::key::JournalName;
use super::tree::TreeHash;

/// What shows that all entries of an older checkpoint are the first entries of a newer one, unchanged. Written and read
/// as JSON ([`Display`](fmt::Display), [`FromStr`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrowthProof {
    pub(super) proof: Form,
    /// How many entries the older one has.
    pub(super) from: u64,
    /// How many the newer one has.
    pub(super) to: u64,
    pub(super) path: Vec<TreeHash>,
}

/// The form of the proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Form {
    #[serde(rename = "nivaran growth 1")]
    One,
}

impl GrowthProof {
    /// Checks it against two checkpoints of one journal that the caller has from somewhere else.
    ///
    /// # Errors
    /// [`GrowthError`]. With [`GrowthError::Rewritten`], and two checkpoints that are signed, it is worth asking for
    /// another proof; if there is none, what was in the journal was changed.
    pub fn check(&self, older: &Checkpoint, newer: &Checkpoint) -> Result<(), GrowthError> {
        if older.journal() != newer.journal() {
            let (older, newer) = (older.journal().clone(), newer.journal().clone());
            return Err(GrowthError::OtherJournal { older, newer });
        }
        let sizes = (older.entries().size, newer.entries().size);
        if (self.from, self.to) != sizes {
            return Err(GrowthError::OtherCheckpoints { proof: (self.from, self.to), checkpoints: sizes });
        }
        if older.tickets().size > newer.tickets().size || sizes.0 > sizes.1 {
            return Err(GrowthError::Shrunk);
        }
        // Which number is the highest, and each head, follows from the entries.
        if sizes.0 == sizes.1 && older.tickets() != newer.tickets() {
            return Err(GrowthError::OtherHeads { entries: sizes.0 });
        }
        if !newer.entries().grew_from(&older.entries(), &self.path) {
            return Err(GrowthError::Rewritten { from: self.from, to: self.to });
        }
        Ok(())
    }
}

impl fmt::Display for GrowthProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string_pretty(self).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for GrowthProof {
    type Err = GrowthError;

    fn from_str(json: &str) -> Result<Self, GrowthError> {
        serde_json::from_str(json).map_err(|error| GrowthError::Form { line: error.line(), column: error.column() })
    }
}

/// Why it is not shown that a journal only grew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrowthError {
    /// It is no proof of growth, or one in a form that this version does not know.
    #[error("line {line}, column {column}: it is no proof of growth in form 1; copy it whole, or use a later version")]
    Form {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// The checkpoints are of two journals.
    #[error("the checkpoints are of {older} and of {newer}; take two of one journal")]
    OtherJournal {
        /// The name in the older one.
        older: JournalName,
        /// The name in the newer one.
        newer: JournalName,
    },
    /// The proof is for two others.
    #[error("the proof is from {} entries to {}, the checkpoints from {} to {}; take those it is for",
        .proof.0, .proof.1, .checkpoints.0, .checkpoints.1)]
    OtherCheckpoints {
        /// The sizes that it was made for.
        proof: (u64, u64),
        /// Those of the checkpoints.
        checkpoints: (u64, u64),
    },
    /// The newer one has fewer entries, or a lower highest number.
    #[error(
        "the newer checkpoint has fewer entries or ticket numbers than the older; perhaps they are the wrong way round"
    )]
    Shrunk,
    /// Two checkpoints of the same entries have different heads of tickets: one of them is wrong, and both were signed.
    #[error("the two checkpoints of {entries} entries have different heads of tickets; one of them is false")]
    OtherHeads {
        /// Their size.
        entries: u64,
    },
    /// The path does not lead from one root to the other.
    #[error(
        "it is not shown that the journal of {to} entries grew from that of {from}; the proof or the journal was altered"
    )]
    Rewritten {
        /// The size of the older.
        from: u64,
        /// The size of the newer.
        to: u64,
    },
}
