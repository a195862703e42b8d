//! The journal in an SQLite file: durable, and open to anyone's tools.
//!
//! ```
//! use nivaran::store::sqlite::{Settings, SqliteStore};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = std::env::temp_dir().join(format!("nivaran-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! let store = SqliteStore::open(folder.join("haryana.journal"), Settings::default())?;
//! // Engine::builder().store(store).installation_key(key) ...
//! # drop(store);
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok(())
//! # }
//! ```
//!
//! # The files
//! | file | what it is |
//! |---|---|
//! | `haryana.journal` | the database |
//! | `haryana.journal-wal`, `-shm` | SQLite's log, and its index: **part of the database** while it is in use |
//! | `haryana.journal-lock` | locked while an engine has the database; empty |
//! | `haryana.journal-spare` | room that is freed when the disk is full |
//! | `COPY-nivaran-part` | what is left of a copy in whose making the process was killed: remove it, no erasure reaches it |
//!
//! It has to be on a local disk: SQLite's log does not work over a network. To copy it while it is in use, use
//! [`Engine::backup`](crate::Engine::backup), never `cp`.
//!
//! **To put a backup in the place of a journal** remove all four files first: a log that was left beside it would be written
//! into the backup. A million numbers are passed over, so that none given since is given again: enough for a hundred starts
//! (each sets aside a block); **erasures made since have to be repeated**. **Never delete `-lock` while an engine runs**, and give the file to no two containers under two
//! names: a second engine would be let in. Never move or remove the file or its log meanwhile: the engine notices, and
//! refuses what comes. The files are made with the rights that the process gives to new files, a copy with those of the
//! journal, and hold names and telephone numbers: see to it that they are nobody else's.
//!
//! # The tables
//! ```text
//!  entry(position, hash, text)              the journal: 0, 1, 2, ..., one decision each, as JSON    the truth
//!  personal(position, salt, record)         what can be erased, beside the entry it came with
//!  fact(name, value)                        numbers set aside, the check of the installation's key
//!
//!  source(key, ticket, author)              which ticket came of which post                          made from it
//!  history(ticket, version, position)       the entries of each ticket
//!  open_ticket(ticket, digest, text)        how each open ticket stands
//!  closed_ticket(ticket, at)                closed, with personal records that age
//! ```
//! The lower four lag behind while an engine runs, by [`Settings::index_every`] and
//! [`Limits::keep_every`](crate::Limits::keep_every) entries, and are caught up when the file is opened. So a decision
//! costs one row, and one more where somebody wrote something. A row of `personal` whose record was erased stays, and is
//! empty.
//!
//! If they are missing, or an opening finds them damaged, they are made anew from the journal. It looks at all open tickets
//! and at the end of the indexes, not at all that ever was; before an erasure `source` and `history` are held against a sum (not
//! `closed_ticket`, by which retention goes), and [`Archive::verify`] goes through all tables. `DELETE FROM fact WHERE name = 'kept'` while no engine has the file has them
//! made anew at the next start.
//!
//! ```sql
//! -- the history of a ticket, in a copy or while nobody has the file open (the index `history` may lack the last entries)
//! SELECT text FROM entry WHERE json_extract(text, '$.ticket') = '0000-4727' ORDER BY position;
//! ```
//!
//! # When a write fails
//! Until the commit, and when the disk is full, nothing is written for certain ([`AppendError::Refused`]). Any other
//! error at the commit leaves it open ([`AppendError::Unknown`]): the transaction may appear when the file is opened
//! again, which was seen to happen. The engine then opens it again and looks.

mod append;
mod archive;
mod backup;
#[cfg(feature = "proof")]
mod erasures;
mod error;
mod file;
mod projection;
mod rows;
mod schema;
mod scribe;
mod spare;
mod tally;
#[cfg(feature = "proof")]
mod verify;
mod young;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ffi::ErrorCode;
use rusqlite::{Connection, OptionalExtension, params};

use append::{LastEntries, Perhaps};
pub use archive::{Archive, ArchivedEntry};
use backup::{COPIED, Copies};
pub use error::OpenError;
use file::{LogState, Place, Sentinel};
use projection::NotBroughtUp;
use rows::{RawPage, fact, number, set_fact, ticket};
use scribe::Scribe;
use spare::Spare;
#[cfg(feature = "proof")]
pub use verify::VerifyError;
use young::Young;

use super::{AppendError, BackupJob, Changed, Lifetime, Store, StoreError};
use crate::journal::{Bearings, Entry, Position, Record, Standing};
use crate::personal::{Commitment, KeyCheck, SaltedRecord, SourceKey};
use crate::ticket::{MOST_UNUSED, RequestId, TicketId, Version};

/// How many numbers are passed over in a copy that is put in the journal's place.
const GIVEN_SINCE: u32 = 1_000_000;

/// How the file is used. The defaults were measured; see `BENCHMARKS.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// When a commit counts as durable. Default: [`Synchronous::Full`].
    pub synchronous: Synchronous,
    /// After how many pages (of 4 KiB) the log is brought home. Default: 4,096 (16 MiB).
    pub checkpoint_pages: u32,
    /// To how many bytes the log's file is cut when it begins anew. Default: 64 MiB.
    pub log_bytes: u32,
    /// How much memory SQLite may use for pages, in KiB. Default: 65,536.
    pub cache_kib: u32,
    /// How many bytes are held in reserve for the day on which the disk is full; 0 for none. Twice what the log has where no
    /// reader holds it, so that it can be brought home; behind a long reader it may be longer. Default: 32 MiB.
    pub spare_bytes: u64,
    /// After how many entries the indexes are brought up. Default: 8,192.
    pub index_every: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::Full,
            checkpoint_pages: 4_096,
            log_bytes: 64 << 20,
            cache_kib: 65_536,
            spare_bytes: 32 << 20,
            index_every: 8_192,
        }
    }
}

/// When a commit counts as durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// When the disk says so. The only one with which nothing that was acknowledged is ever lost.
    Full,
    /// When the system has it: **a power cut loses the last commits**. For imports that can be run again.
    Normal,
    /// At once: **a power cut can damage the file**. For tests.
    Off,
}

/// A journal in an SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    settings: Settings,
    /// `None` after it was thrown away and could not be opened again.
    connection: Option<Connection>,
    end: Position,
    young: Young,
    last: LastEntries,
    scribe: Scribe,
    copies: Copies,
    /// How everything stood when the file was opened, until something is written.
    standing: Option<Standing>,
    erased: u64,
    perhaps: Option<Perhaps>,
    /// Where its files are, if that can be told.
    place: Option<Place>,
    /// Whether the log may have copies of what was erased.
    has_copies: bool,
    spare: Spare,
    _sentinel: Sentinel,
}

impl SqliteStore {
    /// Opens a journal, makes it if the file is not there, and brings up what lags behind. While it lives no other
    /// engine can open the file.
    ///
    /// # Errors
    /// [`OpenError`]: the file is in use, not ours, newer than this version, not to be written, or damaged. It is not
    /// touched then, but for what is made from the journal in one that is found damaged only while it is read.
    pub fn open(path: impl AsRef<Path>, settings: Settings) -> Result<Self, OpenError> {
        let path = path.as_ref();
        // SQLite takes some relative names for something else than a file: `:memory:`, `file:...`.
        let path = std::path::absolute(path)
            .map_err(|error| OpenError::Io { path: path.to_owned(), reason: error.to_string() })?;
        file::look(&path)?;
        let sentinel = Sentinel::stand(&path)?;
        let spare = Spare::new(file::place(&path, "-spare"), settings.spare_bytes);
        let (connection, log) = match file::open(&path, &settings) {
            // Perhaps room is all that it needs.
            Err(OpenError::Io { .. }) if spare.free() => file::open(&path, &settings),
            opened => opened,
        }?;
        let mut store = Self {
            path,
            settings,
            connection: Some(connection),
            end: Position::default(),
            young: Young::default(),
            last: LastEntries::default(),
            scribe: Scribe::new(),
            copies: Copies::default(),
            standing: None,
            erased: 0,
            perhaps: None,
            place: None,
            has_copies: log == LogState::HeldByAReader,
            spare,
            _sentinel: sentinel,
        };
        let standing = match store.bring_up() {
            Err(NotBroughtUp::Unwritable(_)) if store.spare.free() => store.bring_up(),
            brought_up => brought_up,
        };
        store.standing = Some(standing.map_err(|error| store.named(error))?);
        store.skip_numbers_given_since().map_err(|error| store.named(NotBroughtUp::Unwritable(error)))?;
        store.place = Place::of(&store.path);
        if let Err(error) = store.spare.lay() {
            tracing::warn!(%error, "no room can be held in reserve");
        }
        Ok(store)
    }

    /// In a copy that is put in the journal's place: numbers that were given since it was made are not given again.
    fn skip_numbers_given_since(&mut self) -> Result<(), StoreError> {
        if fact::<i64>(self.connection()?, COPIED)?.is_some() {
            self.reserve(GIVEN_SINCE)?;
            self.connection()?.execute("DELETE FROM fact WHERE name = ?1", [COPIED])?;
        }
        Ok(())
    }

    fn named(&self, error: NotBroughtUp) -> OpenError {
        let path = self.path.clone();
        match error {
            NotBroughtUp::Unreadable(error) => OpenError::Damaged { path, what: without_mending(error.reason) },
            NotBroughtUp::Unwritable(error) => OpenError::Io { path, reason: error.reason },
        }
    }

    fn connection(&self) -> Result<&Connection, StoreError> {
        self.connection.as_ref().ok_or_else(|| StoreError { reason: "its file could not be opened again".to_owned() })
    }

    /// Entries from a position on, with where they stand.
    fn page(&self, from: Position, limit: usize) -> Result<Vec<(Position, Entry)>, StoreError> {
        self.raw_page(from, limit)?.read()
    }

    /// The same, not read yet.
    fn raw_page(&self, from: Position, limit: usize) -> Result<RawPage, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut select = self
            .connection()?
            .prepare_cached("SELECT position, hash, text FROM entry WHERE position >= ?1 ORDER BY position LIMIT ?2")?;
        let mut found = select.query(params![from.0.cast_signed(), limit])?;
        let mut page = RawPage::default();
        while let Some(row) = found.next()? {
            let position = Position(row.get::<_, i64>(0)?.cast_unsigned());
            let expected = from.plus(page.len() as u64);
            if position != expected {
                let reason = format!("entry {expected} is missing; restore the journal from a backup");
                return Err(StoreError { reason });
            }
            page.take(position, row, 1, 2)?;
        }
        Ok(page)
    }

    /// Where the entries of a ticket stand, in order.
    fn places(&self, ticket: TicketId) -> Result<Vec<(Version, Position)>, StoreError> {
        let mut select = self
            .connection()?
            .prepare_cached("SELECT version, position FROM history WHERE ticket = ?1 ORDER BY version")?;
        let row = |row: &rusqlite::Row<'_>| Ok((Version(row.get(0)?), Position(row.get::<_, i64>(1)?.cast_unsigned())));
        let mut places = select.query_map([number(ticket)], row)?.collect::<rusqlite::Result<Vec<_>>>()?;
        let indexed = places.last().map(|(version, _)| *version);
        places.extend(self.young.entries(ticket).iter().filter(|(version, _)| Some(*version) > indexed));
        let has_all = places.iter().zip(1..).all(|((version, _), expected)| version.0 == expected);
        if has_all { Ok(places) } else { Err(damaged_index(ticket)) }
    }

    /// Whether the file is still where it was. What is written to one that was moved away or removed is lost with the
    /// process, or found by nobody.
    fn is_in_its_place(&self) -> Result<(), StoreError> {
        if self.place.as_ref().is_none_or(Place::is_held) {
            return Ok(());
        }
        Err(self.out_of_place())
    }

    fn out_of_place(&self) -> StoreError {
        let path = self.path.display();
        let what = "or its log (-wal) was moved, replaced or removed while in use";
        StoreError { reason: format!("{path} {what}; put it back as it was") }
    }

    /// Frees the room held in reserve, so that the log can be brought home.
    fn make_room(&mut self) {
        let freed = self.spare.free();
        tracing::error!(freed, "the disk is full");
        if let Some(Err(error)) = self.connection.as_ref().map(file::truncate_log) {
            tracing::warn!(reason = file::reason(error.sqlite_error_code(), &error), "the log cannot be brought home");
        }
    }
}

/// What is wrong; the error that says so of the whole file says how to mend it, too.
fn without_mending(reason: String) -> String {
    reason.strip_suffix("; restore the journal from a backup").map_or(reason.clone(), str::to_owned)
}

fn roll_back(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(error) = connection.execute_batch("ROLLBACK")
    {
        // The connection is thrown away at the next failure; without a commit nothing of it is there then.
        tracing::error!(reason = file::reason(error.sqlite_error_code(), &error), "no rollback");
    }
}

/// The entry, if it is the one that the index says it is.
fn of_ticket(entry: Entry, ticket: TicketId, version: Version) -> Result<Entry, StoreError> {
    match entry.ticket() {
        Some(there) if (there.ticket, there.version) == (ticket, version) => Ok(entry),
        _ => Err(damaged_index(ticket)),
    }
}

/// What is made from the journal says something else than the journal.
fn damaged_index(ticket: TicketId) -> StoreError {
    StoreError { reason: format!("the index of {ticket} is damaged; have it made anew: {MAKE_ANEW}") }
}

/// How whoever looks after the file has made anew what is made from the journal.
const MAKE_ANEW: &str = "stop the engine, DELETE FROM fact WHERE name = 'kept', and start it";

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self { reason: file::reason(error.sqlite_error_code(), &error) }
    }
}

impl Store for SqliteStore {
    fn append(&mut self, batch: &Arc<Vec<Record>>) -> Result<Position, AppendError> {
        self.append_batch(batch)
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        if self.place.as_ref().is_some_and(|place| !place.has_file()) {
            return Err(self.out_of_place());
        }
        // The log has to be brought home, and no copy reads from it then.
        self.copies.break_off();
        // What is open is closed before it is opened again.
        self.connection = None;
        file::look(&self.path)?;
        let (connection, log) = file::open(&self.path, &self.settings)?;
        // What the log has is durable only once it was brought home: a log whose sync failed reads well from memory.
        if log == LogState::HeldByAReader {
            return Err(StoreError { reason: "a reader holds the log; close it".to_owned() });
        }
        self.connection = Some(connection);
        self.place = Place::of(&self.path);
        self.last.clear();
        self.standing = Some(self.bring_up()?);
        if let Some(perhaps) = self.perhaps.take()
            && perhaps.end == self.end
        {
            self.erased += perhaps.erased;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<Position, StoreError> {
        Ok(rows::end(self.connection()?)?)
    }

    fn read(&mut self, from: Position, limit: usize) -> Result<Vec<Entry>, StoreError> {
        Ok(self.page(from, limit)?.into_iter().map(|(_, entry)| entry).collect())
    }

    fn history(&mut self, ticket: TicketId) -> Result<Vec<Entry>, StoreError> {
        let mut select = self.connection()?.prepare_cached("SELECT hash, text FROM entry WHERE position = ?1")?;
        let mut history = Vec::new();
        for (version, position) in self.places(ticket)? {
            let mut found = select.query([position.0.cast_signed()])?;
            let row = found.next()?.ok_or_else(|| StoreError { reason: format!("entry {position} is missing") })?;
            history.push(of_ticket(rows::entry(position, row, 0, 1)?, ticket, version)?);
        }
        Ok(history)
    }

    fn personal(&mut self, ticket: TicketId) -> Result<Vec<(Version, SaltedRecord)>, StoreError> {
        let sql = "SELECT p.salt, p.record, e.hash, e.text FROM personal p JOIN entry e USING (position)
            WHERE position = ?1 AND p.record <> ''";
        let mut select = self.connection()?.prepare_cached(sql)?;
        let mut records = Vec::new();
        for (version, position) in self.places(ticket)? {
            let mut found = select.query([position.0.cast_signed()])?;
            let Some(row) = found.next()? else { continue };
            let entry = of_ticket(rows::entry(position, row, 2, 3)?, ticket, version)?;
            let commitment: Option<Commitment> = entry.ticket().and_then(|entry| entry.personal);
            records.extend(rows::personal(row, commitment)?.map(|record| (version, record)));
        }
        Ok(records)
    }

    fn sources(&mut self, sources: &[SourceKey]) -> Result<Vec<Option<TicketId>>, StoreError> {
        let mut select = self.connection()?.prepare_cached("SELECT ticket FROM source WHERE key = ?1")?;
        let mut find = |source: &SourceKey| -> Result<Option<TicketId>, StoreError> {
            if let Some(known) = self.young.source(source) {
                return Ok(Some(known));
            }
            let found: Option<i64> = select.query_row([source.as_bytes()], |row| row.get(0)).optional()?;
            Ok(found.and_then(ticket))
        };
        sources.iter().map(&mut find).collect()
    }

    fn requests(&mut self, requests: &[(TicketId, RequestId)]) -> Result<Vec<Option<Version>>, StoreError> {
        let mut versions = Vec::with_capacity(requests.len());
        for &(ticket, request) in requests {
            let history = self.history(ticket)?;
            let done = history.iter().filter_map(Entry::ticket).find(|entry| entry.request == Some(request));
            versions.push(done.map(|entry| entry.version));
        }
        Ok(versions)
    }

    fn tickets(&mut self, after: Option<TicketId>, limit: usize) -> Result<Vec<TicketId>, StoreError> {
        let sql = "SELECT ticket FROM history WHERE version = 1 AND ticket > ?1 ORDER BY ticket LIMIT ?2";
        let mut select = self.connection()?.prepare_cached(sql)?;
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = select.query_map(params![after.map_or(0, number), most], |row| row.get::<_, i64>(0))?;
        let mut tickets: Vec<TicketId> =
            found.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().filter_map(ticket).collect();
        tickets.extend(self.young.begun().filter(|id| Some(*id) > after).take(limit));
        tickets.sort_unstable();
        tickets.dedup();
        tickets.truncate(limit);
        Ok(tickets)
    }

    fn reserve(&mut self, count: u32) -> Result<Range<u64>, StoreError> {
        let connection = self.connection()?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let reserved = || -> rusqlite::Result<Option<(i64, i64)>> {
            let known: Option<i64> = fact(connection, "reserved")?;
            // A number that a ticket has was set aside, whatever the file says.
            let used: Option<i64> =
                connection.prepare_cached("SELECT max(ticket) FROM history")?.query_row([], |row| row.get(0))?;
            let used = used.max(self.young.last().map(number)).unwrap_or_default().max(0);
            // Of numbers so far ahead none can be on its way: what nobody was told may be given again.
            let is_near = |known: &i64| known.saturating_sub(used).cast_unsigned() <= MOST_UNUSED;
            let last = known.filter(is_near).unwrap_or_default().max(used);
            let Some(end) = last.checked_add(i64::from(count)) else { return Ok(None) };
            set_fact(connection, "reserved", end)?;
            connection.execute_batch("COMMIT")?;
            Ok(Some((last, end)))
        };
        match reserved() {
            // The first running number is 1.
            Ok(Some((last, end))) => Ok(last.cast_unsigned() + 1..end.cast_unsigned() + 1),
            Ok(None) => {
                roll_back(connection);
                Err(StoreError { reason: "there are no numbers left".to_owned() })
            }
            Err(error) => {
                roll_back(connection);
                if error.sqlite_error_code() == Some(ErrorCode::DiskFull) {
                    self.make_room();
                }
                Err(error.into())
            }
        }
    }

    fn sources_after(&mut self, after: Option<SourceKey>, limit: usize) -> Result<Vec<SourceKey>, StoreError> {
        let mut select =
            self.connection()?.prepare_cached("SELECT key FROM source WHERE key > ?1 ORDER BY key LIMIT ?2")?;
        let from: &[u8] = after.as_ref().map_or(&[], SourceKey::as_bytes);
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = select.query_map(params![from, most], |row| row.get::<_, Vec<u8>>(0))?;
        let keys = found.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut keys: Vec<SourceKey> = keys.iter().filter_map(|key| SourceKey::from_bytes(key)).collect();
        keys.extend(self.young.sources().filter(|key| Some(*key) > after));
        keys.sort_unstable();
        keys.dedup();
        keys.truncate(limit);
        Ok(keys)
    }

    fn standing(&mut self) -> Result<Standing, StoreError> {
        match self.standing.take() {
            Some(standing) => Ok(standing),
            None => Ok(self.bring_up()?),
        }
    }

    fn keep(&mut self, end: Position, bearings: &Bearings, changed: Vec<Changed>) -> Result<(), StoreError> {
        self.is_in_its_place()?;
        if let Err(error) = self.spare.lay() {
            tracing::warn!(%error, "no room can be held in reserve");
        }
        self.keep_changed(end, bearings, changed)
    }

    fn scrub(&mut self) -> Result<u64, StoreError> {
        self.has_copies |= self.erased > 0;
        if self.has_copies && file::truncate_log(self.connection()?)? == LogState::HeldByAReader {
            let reason = "a reader (a copy in the making, or another program) holds the log, where they may be";
            return Err(StoreError { reason: reason.to_owned() });
        }
        self.has_copies = false;
        Ok(std::mem::take(&mut self.erased))
    }

    fn first_key(&mut self, key: KeyCheck) -> Result<KeyCheck, StoreError> {
        let connection = self.connection()?;
        let known: Option<Vec<u8>> = fact(connection, "key")?;
        match known {
            None if self.end == Position::default() => {
                set_fact(connection, "key", key.as_bytes())?;
                Ok(key)
            }
            None => {
                let reason =
                    "there are entries and no check of the installation's key; restore the journal from a backup";
                Err(StoreError { reason: reason.to_owned() })
            }
            Some(known) => KeyCheck::from_bytes(&known)
                .ok_or_else(|| StoreError { reason: "the check of the installation's key is damaged".to_owned() }),
        }
    }

    fn lifetime(&self) -> Lifetime {
        Lifetime::Durable
    }

    fn backup(&mut self, to: PathBuf) -> Result<BackupJob, StoreError> {
        // By its path it would be another file, and the log that stands beside it this one's.
        self.is_in_its_place()?;
        let from = self.path.clone();
        let to = std::path::absolute(to)
            .map_err(|error| StoreError { reason: format!("the place of the copy: {error}") })?;
        let copies = self.copies.clone();
        Ok(Box::new(move || copies.make(&from, &to)))
    }
}
