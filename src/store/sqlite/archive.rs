//! Reading a journal's file without an engine: to audit it, to prove something, to tell a ticket's story. Nothing is
//! written.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::error::OpenError;
use super::{file, rows, schema};
use crate::journal::{Entry, EntryHash, Position};
use crate::personal::SaltedRecord;
use crate::store::StoreError;

/// How many entries are read at a time: no reading is so long that it holds up the log of an engine that has the file.
const PAGE: i64 = 1_024;

/// A journal's file, for reading: best a copy made by [`Engine::backup`](crate::Engine::backup), else one that is
/// stopped. It may be read while an engine has it, too. A copy and a journal that was stopped are only read, and nothing is
/// made beside them. Beside one that was killed SQLite keeps its log's index; read it as the user whose it is.
#[derive(Debug)]
pub struct Archive {
    pub(super) connection: Connection,
    /// Where its log would stand, if it was read without one.
    log: Option<PathBuf>,
}

/// An entry as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedEntry {
    /// Where it stands.
    pub position: Position,
    /// The hash that stands beside it.
    pub hash: EntryHash,
    /// Its text.
    pub text: String,
}

/// A connection that only reads, and the mark of what it reads: only then is the file really opened.
fn open_beside_its_log(path: &Path) -> rusqlite::Result<(Connection, i64)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    marked(Connection::open_with_flags(path, flags)?)
}

/// The same, of a file that has no log.
fn open_alone(path: &Path) -> rusqlite::Result<(Connection, i64)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    marked(Connection::open_with_flags(file::uri(path), flags)?)
}

fn marked(connection: Connection) -> rusqlite::Result<(Connection, i64)> {
    let id = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    Ok((connection, id))
}

impl Archive {
    /// Opens a file.
    ///
    /// # Errors
    /// [`OpenError`]: it is not there, not ours, newer than this version, or damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let io = |path: &Path, reason: String| OpenError::Io { path: path.to_owned(), reason };
        let path: PathBuf = std::path::absolute(path).map_err(|error| io(path, error.to_string()))?;
        if let Err(error) = std::fs::metadata(&path) {
            return Err(io(&path, error.to_string()));
        }
        file::look(&path)?;
        let named = |error: rusqlite::Error| file::named(&path, &error);
        // Where there is no log the file has everything and nobody is writing; and none is made, which whoever has the
        // file could perhaps not write to.
        let log = Some(file::place(&path, "-wal")).filter(|log| !log.exists());
        let opened = if log.is_some() { open_alone(&path) } else { open_beside_its_log(&path) };
        let (connection, id) = opened.map_err(named)?;
        if id != i64::from(schema::APPLICATION_ID) {
            return Err(OpenError::NotOurs { path, what: file::UNMARKED });
        }
        let found = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).map_err(named)?;
        if found > schema::VERSION {
            return Err(OpenError::Newer { path, found, known: schema::VERSION });
        }
        Ok(Self { connection, log })
    }

    /// Whether an engine was started on a file that is read without a log: what was read may be half of the one and half of
    /// the other.
    pub(super) fn is_disturbed(&self) -> bool {
        self.log.as_ref().is_some_and(|log| log.exists())
    }

    /// How many entries there are.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn len(&self) -> Result<u64, StoreError> {
        Ok(rows::end(&self.connection)?.0)
    }

    /// Whether there is no entry.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.len()? == 0)
    }

    /// The entries as they stand in the file, from a position on, in order; fewer than a thousand only at the end. What
    /// is wrong with them is for an audit to say.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read, or a row is none of an entry.
    pub fn entries(&self, from: Position) -> Result<Vec<ArchivedEntry>, StoreError> {
        let sql = "SELECT position, hash, text FROM entry WHERE position >= ?1 ORDER BY position LIMIT ?2";
        let mut select = self.connection.prepare_cached(sql)?;
        let mut found = select.query([from.0.cast_signed(), PAGE])?;
        let mut entries = Vec::new();
        while let Some(row) = found.next()? {
            let position = Position(row.get::<_, i64>(0)?.cast_unsigned());
            let hash: Vec<u8> = row.get(1)?;
            let damaged = || StoreError { reason: format!("the hash of entry {position} is damaged") };
            let hash = EntryHash::from_bytes(&hash).ok_or_else(damaged)?;
            entries.push(ArchivedEntry { position, hash, text: row.get(2)? });
        }
        Ok(entries)
    }

    /// The personal record that stands beside an entry; `None` where there never was one, or it is erased.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read, or is not what the entry has the commitment of.
    pub fn personal(&self, position: Position, entry: &Entry) -> Result<Option<SaltedRecord>, StoreError> {
        let sql = "SELECT salt, record FROM personal WHERE position = ?1 AND record <> ''";
        let commitment = entry.ticket().and_then(|entry| entry.personal);
        let mut select = self.connection.prepare_cached(sql)?;
        let read = |row: &rusqlite::Row<'_>| Ok(rows::personal(row, commitment));
        let record = select.query_row([position.0.cast_signed()], read).optional()?.transpose();
        let named = |error: StoreError| StoreError { reason: format!("entry {position}: {}", error.reason) };
        Ok(record.map_err(named)?.flatten())
    }

    /// Shows each entry in order.
    ///
    /// # Errors
    /// The first error of `take`, or [`StoreError`] when the file cannot be read.
    pub fn each<E: From<StoreError>>(&self, mut take: impl FnMut(&ArchivedEntry) -> Result<(), E>) -> Result<(), E> {
        let mut next = Position::default();
        loop {
            let page = self.entries(next)?;
            let Some(last) = page.last() else { return Ok(()) };
            next = last.position.plus(1);
            page.iter().try_for_each(&mut take)?;
        }
    }
}
