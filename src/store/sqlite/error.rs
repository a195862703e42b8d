//! Why a file cannot be opened as a journal.

use std::path::PathBuf;

/// Why a file was not opened. Unless it says otherwise, the file was not touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another engine has it open, in this process or another.
    #[error("{path} is in use by another engine; stop that one first")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Another program is writing to it, e.g. a database browser.
    #[error("{path} is locked by another program; close that")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// It is no journal of ours.
    #[error("{path} is {what}, not a journal; give the path of a journal, or of a file that does not exist yet")]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// A later version of this crate wrote it.
    #[error("{path} has form {found}, this version knows {known}; use the version that wrote it, or a later one")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its form.
        found: i64,
        /// The latest form that is known here.
        known: i64,
    },
    /// It, or its folder, cannot be written.
    #[error(
        "{path} cannot be written; give the process the right to write it, its folder, and what stands beside it \
         (-wal, -shm, -lock)"
    )]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// It is damaged. The journal in it was not touched; what is made from it may have been brought up before the damage
    /// was seen.
    #[error("{path} is damaged: {what}; restore it from a backup, and first remove what stands beside it (-wal, -shm)")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong; nothing personal.
        what: String,
    },
    /// The folder is not there, the disk is full, and the like.
    #[error("{path} cannot be opened: {reason}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// The SQLite that the program was linked with can damage a file when its log begins anew.
    /// Source: <https://sqlite.org/wal.html#walresetbug>.
    #[error("the program runs on SQLite {found}; link it with 3.51.3 or later, which cannot damage the file's log")]
    Library {
        /// The version.
        found: String,
    },
}

impl From<OpenError> for crate::store::StoreError {
    fn from(error: OpenError) -> Self {
        Self { reason: error.to_string() }
    }
}
