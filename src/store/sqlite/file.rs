//! Opening the file: whose it is, whether it is ours and sound, and with which settings it is used.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::ffi::{self, ErrorCode};
use rusqlite::{Connection, OpenFlags};

use super::error::OpenError;
use super::schema;
use super::{Settings, Synchronous};

/// What a database is that is not marked as a journal.
pub(super) const UNMARKED: &str = "a database without a journal's mark (another program's, or one that was cut off)";

/// The oldest SQLite that does not damage a file when its log begins anew.
/// Source: <https://sqlite.org/wal.html#walresetbug>.
const OLDEST_SQLITE: i32 = 3_051_003;
/// How often it is tried to get the lock of the file, and how long to wait in between.
const LOCK_TRIES: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// How long a lock of another program is waited for.
const BUSY: Duration = Duration::from_secs(5);
/// How long readers are waited for that hold the log: whoever reads longer may read for minutes, and all work waits.
const BRIEFLY: Duration = Duration::from_millis(250);

/// Makes sure that no other engine has the file, as long as it lives.
///
/// A file of its own is locked and not the database: whoever closes any descriptor of that, opened by other means than
/// SQLite's, drops the locks that SQLite holds in this process.
#[derive(Debug)]
pub(super) struct Sentinel {
    _file: File,
}

impl Sentinel {
    pub(super) fn stand(path: &Path) -> Result<Self, OpenError> {
        if let Some(reason) = has_other_names(path) {
            return Err(OpenError::Io { path: path.to_owned(), reason: reason.to_owned() });
        }
        let lock = place(path, "-lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock);
        let file = file.map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                OpenError::ReadOnly { path: path.to_owned() }
            }
            _ if lock.is_dir() || lock.is_symlink() => OpenError::NotOurs { path: lock, what: "no file to be locked" },
            _ => OpenError::Io { path: path.to_owned(), reason: error.to_string() },
        })?;
        // A child that this process is about to start has the lock too, for as long as it takes to become another program.
        let mut tried = 0;
        let locked = loop {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) if tried < LOCK_TRIES => std::thread::sleep(LOCK_PAUSE),
                locked => break locked,
            }
            tried += 1;
        };
        match locked {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => {
                Err(OpenError::Io { path: path.to_owned(), reason: format!("no lock: {error}") })
            }
        }
    }

    /// Whether another engine has the file; nothing is made.
    fn is_held(path: &Path) -> bool {
        let file = OpenOptions::new().write(true).open(place(path, "-lock"));
        file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }
}

/// Beside the file itself, by whatever link it is come to.
pub(super) fn place(path: &Path, suffix: &str) -> PathBuf {
    beside(&std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()), suffix)
}

/// Why a path cannot stand for its file: under each other name an engine would find another lock and another log.
fn has_other_names(path: &Path) -> Option<&'static str> {
    let Ok(there) = std::fs::metadata(path) else {
        let is_link = std::fs::symlink_metadata(path).is_ok_and(|link| link.is_symlink());
        return is_link.then_some("it is a link to nothing; give the file's own path");
    };
    #[cfg(unix)]
    let names = std::os::unix::fs::MetadataExt::nlink(&there);
    #[cfg(not(unix))]
    let names = u64::from(there.is_file());
    (names > 1).then_some("it has several names (hard links); remove the others, or copy it with Engine::backup")
}

/// Which file stands at a path, and which log beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    file: (PathBuf, (u64, u64)),
    log: (PathBuf, (u64, u64)),
}

impl Place {
    /// `None` where there is none, or where it cannot be told.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let home = std::fs::canonicalize(path).ok()?;
        let log = beside(&home, "-wal");
        let (of_file, of_log) = (identity(&home)?, identity(&log)?);
        Some(Self { file: (home, of_file), log: (log, of_log) })
    }

    /// Whether both are still there: it costs two looks at the folder, and is asked before each batch.
    pub(super) fn is_held(&self) -> bool {
        self.has_file() && identity(&self.log.0) == Some(self.log.1)
    }

    /// Whether the file is still there; SQLite may have made another log.
    pub(super) fn has_file(&self) -> bool {
        identity(&self.file.0) == Some(self.file.1)
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|there| (there.dev(), there.ino()))
}

/// Elsewhere an open file can be neither moved nor removed.
#[cfg(not(unix))]
fn identity(_: &Path) -> Option<(u64, u64)> {
    None
}

/// A file that stands beside the journal.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Looks whether there can be a journal at a path, and makes nothing there.
pub(super) fn look(path: &Path) -> Result<(), OpenError> {
    check_library(rusqlite::version_number(), rusqlite::version())?;
    let there = std::fs::metadata(path);
    if there.as_ref().map_or(0, std::fs::Metadata::len) == 0 && has_log(path) {
        // SQLite would take the log of a file that is not there for somebody else's, and delete it.
        let what = "its log (-wal) is there and it is not: put it back beside its log, or remove all files beside it"
            .to_owned();
        return Err(OpenError::Damaged { path: path.to_owned(), what });
    }
    let Ok(there) = there else { return Ok(()) };
    let not_ours = |what| Err(OpenError::NotOurs { path: path.to_owned(), what });
    match there.file_type() {
        kind if kind.is_dir() => not_ours("a folder"),
        kind if !kind.is_file() => not_ours("no file on a disk"),
        _ if there.len() > 0 => peek(path).or_else(|error| {
            if Sentinel::is_held(path) {
                // While another engine makes it, it is not what it will be.
                return Err(OpenError::InUse { path: path.to_owned() });
            }
            // An engine that was cut off while it made the file: SQLite takes that back, and `bring_up` looks again.
            if was_being_made(path) { Ok(()) } else { Err(error) }
        }),
        _ => Ok(()),
    }
}

/// Whether there is a log with something in it.
fn has_log(path: &Path) -> bool {
    std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// Whether an engine stood guard over a file whose first transaction was cut off.
fn was_being_made(path: &Path) -> bool {
    let rollback = std::fs::metadata(beside(path, "-journal"));
    rollback.is_ok_and(|there| there.len() > 0) && beside(path, "-lock").exists()
}

/// Opens the file, makes it if it is not there, and brings an older one to this version; what became of its log.
pub(super) fn open(path: &Path, settings: &Settings) -> Result<(Connection, LogState), OpenError> {
    let named = |error: &rusqlite::Error| named(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| named(&e))?;
    if connection.is_readonly("main").map_err(|e| named(&e))? {
        return Err(OpenError::ReadOnly { path: path.to_owned() });
    }
    connection.busy_timeout(BUSY).map_err(|e| named(&e))?;
    // Erased means erased, also where its page was.
    connection.pragma_update(None, "secure_delete", "ON").map_err(|e| named(&e))?;
    // What is erased is copied in between, in case it has to be taken back: never to a file that nobody looks after.
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(|e| named(&e))?;
    connection.pragma_update(None, "synchronous", settings.synchronous.word()).map_err(|e| named(&e))?;
    connection.pragma_update(None, "cache_size", -i64::from(settings.cache_kib)).map_err(|e| named(&e))?;
    bring_up(&connection, path)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(|e| named(&e))?;
    if !mode.eq_ignore_ascii_case("wal") {
        let reason = "its file system cannot keep a write-ahead log; use a local one".to_owned();
        return Err(OpenError::Io { path: path.to_owned(), reason });
    }
    connection.pragma_update(None, "wal_autocheckpoint", settings.checkpoint_pages).map_err(|e| named(&e))?;
    connection.pragma_update(None, "journal_size_limit", settings.log_bytes).map_err(|e| named(&e))?;
    // What a crash left in the log is brought home before anything is served.
    let log = truncate_log(&connection).map_err(|e| named(&e))?;
    Ok((connection, log))
}

/// Brings the log home and empties it; whether no reader stood in the way.
pub(super) fn truncate_log(connection: &Connection) -> rusqlite::Result<LogState> {
    connection.busy_timeout(BRIEFLY)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    connection.busy_timeout(BUSY)?;
    let busy = busy?;
    Ok(if busy == 0 { LogState::Empty } else { LogState::HeldByAReader })
}

/// What became of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogState {
    Empty,
    HeldByAReader,
}

fn check_library(number: i32, found: &str) -> Result<(), OpenError> {
    if number >= OLDEST_SQLITE { Ok(()) } else { Err(OpenError::Library { found: found.to_owned() }) }
}

/// Looks whether a file is ours without touching it or anything beside it.
///
/// `immutable` reads the file alone, without its log; but what is looked for was there before there was a log.
fn peek(path: &Path) -> Result<(), OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let not_ours = |what| OpenError::NotOurs { path: path.to_owned(), what };
    let connection = Connection::open_with_flags(uri(path), flags).map_err(|error| named(path, &error))?;
    // A crash while the log was brought home leaves a file that is shorter than its first page says. The log has the
    // rest; this only keeps SQLite from calling it malformed without it. Nothing can be written here.
    connection.pragma_update(None, "writable_schema", "ON").map_err(|error| named(path, &error))?;
    let read = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let id = read("application_id").map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => not_ours("no database"),
        _ => named(path, &error),
    })?;
    let version = read("user_version").map_err(|error| named(path, &error))?;
    if id != i64::from(schema::APPLICATION_ID) {
        return Err(not_ours(UNMARKED));
    }
    match version {
        known if known <= schema::VERSION => Ok(()),
        found => Err(OpenError::Newer { path: path.to_owned(), found, known: schema::VERSION }),
    }
}

/// The path as SQLite wants it where it is to be read without its log.
pub(super) fn uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str("?mode=ro&immutable=1");
    uri
}

/// Makes the tables of a new file, brings an older file to this version, and checks those of one that is there: all in
/// one transaction.
fn bring_up(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let named = |error: rusqlite::Error| named(path, &error);
    connection.execute_batch("BEGIN IMMEDIATE").map_err(named)?;
    let read = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let id = read("application_id").map_err(named)?;
    let found = read("user_version").map_err(named)?;
    let tables = schema::tables(connection).map_err(named)?;
    let is_new = id == 0 && tables.is_empty();
    if !is_new && id != i64::from(schema::APPLICATION_ID) {
        return Err(OpenError::NotOurs { path: path.to_owned(), what: UNMARKED });
    }
    if found > schema::VERSION {
        return Err(OpenError::Newer { path: path.to_owned(), found, known: schema::VERSION });
    }
    let other_tables = || {
        let what = format!("its tables are not those of a journal of form {found}");
        OpenError::Damaged { path: path.to_owned(), what }
    };
    if found < schema::VERSION {
        // What a step makes is there already, or what it goes on from is not.
        let migrated = schema::migrate(connection, if is_new { 0 } else { found });
        migrated.map_err(|error| if is_sql(&error) { other_tables() } else { named(error) })?;
    }
    let tables = schema::tables(connection).map_err(named)?;
    if schema::expected().map_err(named)? != tables {
        return Err(other_tables());
    }
    connection.execute_batch("COMMIT").map_err(named)
}

/// What an error of SQLite's means for whoever wants to open the file.
pub(super) fn named(path: &Path, error: &rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotOurs { path, what: "no database" },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => OpenError::ReadOnly { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Locked { path },
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged { path, what: "SQLite finds it malformed".to_owned() },
        Some(ErrorCode::CannotOpen) if is_unwritable(&path) => OpenError::ReadOnly { path },
        code => OpenError::Io { path, reason: reason(code, error) },
    }
}

fn is_unwritable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|there| there.permissions().readonly())
}

/// SQLite's reason in words, without what stood in the statement.
pub(super) fn reason(code: Option<ErrorCode>, error: &rusqlite::Error) -> String {
    match (code, error) {
        (Some(ErrorCode::DiskFull), _) => "the disk is full".to_owned(),
        (_, rusqlite::Error::SqliteFailure(ffi::Error { extended_code, .. }, _)) => {
            format!("SQLite says: {} (code {extended_code})", ffi::code_to_str(*extended_code))
        }
        (_, error) if is_sql(error) => "its tables are not those of a journal".to_owned(),
        _ => "a value has another type than the table says".to_owned(),
    }
}

/// Whether a statement does not fit the tables.
fn is_sql(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqlInputError { .. } => true,
        rusqlite::Error::SqliteFailure(error, _) => error.extended_code == ffi::SQLITE_ERROR,
        _ => false,
    }
}

impl Synchronous {
    fn word(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
            Self::Off => "OFF",
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn an_sqlite_that_can_damage_its_log_is_refused() {
        assert_eq!(check_library(3_051_002, "3.51.2"), Err(OpenError::Library { found: "3.51.2".to_owned() }));
        assert_eq!(check_library(3_051_003, "3.51.3"), Ok(()));
        assert_eq!(check_library(rusqlite::version_number(), rusqlite::version()), Ok(()));
    }

    /// What is read back of an opened file's settings.
    fn settings_of(connection: &Connection) -> [(&'static str, String); 7] {
        let names = [
            "journal_mode",
            "secure_delete",
            "synchronous",
            "wal_autocheckpoint",
            "journal_size_limit",
            "cache_size",
            "temp_store",
        ];
        names.map(|name| {
            let value =
                connection.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0)).unwrap();
            let text = match value {
                rusqlite::types::Value::Text(text) => text,
                rusqlite::types::Value::Integer(number) => number.to_string(),
                other => format!("{other:?}"),
            };
            (name, text)
        })
    }

    #[test]
    fn a_file_is_used_with_the_settings_that_promise_what_is_promised() {
        let folder = tempfile::tempdir().unwrap();
        let (connection, _) = open(&folder.path().join("journal"), &Settings::default()).unwrap();
        let expected = [
            ("journal_mode", "wal"),
            // Wholly: 2 would be FAST, which leaves copies in what is free.
            ("secure_delete", "1"),
            ("synchronous", "2"),
            ("wal_autocheckpoint", "4096"),
            ("journal_size_limit", "67108864"),
            ("cache_size", "-65536"),
            ("temp_store", "2"),
        ];
        assert_eq!(settings_of(&connection), expected.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn what_a_crash_left_in_the_log_is_brought_home_before_anything_is_served() {
        let (folder, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (connection, _) = open(&folder.path().join("journal"), &Settings::default()).unwrap();
        connection.execute_batch("INSERT INTO fact VALUES ('name', 1)").unwrap();
        for file in ["journal", "journal-wal"] {
            std::fs::copy(folder.path().join(file), crashed.path().join(file)).unwrap();
        }
        let path = crashed.path().join("journal");
        assert!(std::fs::metadata(beside(&path, "-wal")).unwrap().len() > 0);
        let (_connection, log) = open(&path, &Settings::default()).unwrap();
        assert_eq!((log, std::fs::metadata(beside(&path, "-wal")).unwrap().len()), (LogState::Empty, 0));
        let alone =
            Connection::open_with_flags(uri(&path), OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_READ_ONLY);
        let there =
            alone.unwrap().query_row("SELECT value FROM fact WHERE name = 'name'", [], |row| row.get::<_, i64>(0));
        assert_eq!(there, Ok(1), "it is in the log only");
    }

    #[test]
    fn a_path_with_signs_of_its_own_stays_that_path() {
        assert_eq!(uri(Path::new("/a b/#1?.db")), "file:/a%20b/%231%3F.db?mode=ro&immutable=1");
    }
}
