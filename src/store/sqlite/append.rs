//! A batch on its way into the file: one transaction, its rows, and what the store knows of it afterwards.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;
use rusqlite::ffi::ErrorCode;
use rusqlite::{Connection, params};

use super::rows::{nanoseconds, set_fact};
use super::scribe::{Texts, parts};
use super::tally::Tally;
use super::young::Young;
use super::{SqliteStore, file, roll_back};
use crate::journal::{Entry, EntryHash, Erased, FoldError, Position, Record, TicketEntry, Unwritable, link};
use crate::store::{AppendError, StoreError};
use crate::ticket::{TicketId, Version};

/// Of how many tickets the last entry's hash is remembered; of others it is read again.
const REMEMBERED: usize = 1 << 18;

/// Version and hash of the last entry of tickets.
pub(super) type LastEntries = HashMap<TicketId, (Version, EntryHash), FixedState>;

/// What a batch of unknown outcome has done, if it turns out to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Perhaps {
    /// Where the journal ends then.
    pub(super) end: Position,
    pub(super) erased: u64,
}

impl SqliteStore {
    /// Appends a batch in one transaction. Every so many entries the indexes are brought up with it.
    pub(super) fn append_batch(&mut self, batch: &Arc<Vec<Record>>) -> Result<Position, AppendError> {
        self.standing = None;
        self.is_in_its_place().map_err(|error| self.refused(error))?;
        let begun = self.connection().and_then(|connection| Ok(connection.execute_batch("BEGIN IMMEDIATE")?));
        begun.map_err(|error| self.refused(error))?;
        let first = self.end;
        let end = first.plus(batch.len() as u64);
        let new = self.write(batch).map_err(|error| self.refused(error))?;
        let young = new.young(batch, first);
        let is_due = self.young.len() + young.len() >= self.settings.index_every;
        let finish = || {
            let connection = self.connection()?;
            if is_due {
                self.young.write(connection)?;
                young.write(connection)?;
                set_fact(connection, "indexed", end.0.cast_signed())?;
            }
            Ok(())
        };
        if let Err(error) = finish() {
            return Err(self.refused(error));
        }
        if let Err(error) = self.commit() {
            if let AppendError::Unknown { .. } = error {
                self.perhaps = Some(Perhaps { end, erased: new.erased });
            }
            return Err(error);
        }
        self.end = end;
        self.erased += new.erased;
        if self.last.len() + new.last.len() > REMEMBERED {
            self.last.clear();
        }
        self.last.extend(new.last);
        if is_due {
            self.young = Young::default();
        } else {
            self.young.join(young);
        }
        Ok(first)
    }

    /// Writes a batch, inside a transaction.
    fn write(&self, batch: &Arc<Vec<Record>>) -> Result<Batch, StoreError> {
        let connection = self.connection()?;
        let mut new = Batch::default();
        let mut insert = connection.prepare_cached("INSERT INTO entry (position, hash, text) VALUES (?1, ?2, ?3)")?;
        let mut insert_personal =
            connection.prepare_cached("INSERT INTO personal (position, salt, record) VALUES (?1, ?2, ?3)")?;
        let mut records = batch.iter().zip(self.end.0..);
        for texts in self.scribe.make(parts(batch), Texts::of) {
            let texts = texts?;
            for (text, (record, position)) in texts.iter().zip(&mut records) {
                let before = match record.entry.ticket() {
                    Some(entry) => self.before(entry, &new)?,
                    None => None,
                };
                let hash = match before {
                    Some(before) => {
                        let linked = link(text.entry, before);
                        insert.execute(params![position.cast_signed(), linked.hash.as_bytes(), linked.text])?;
                        linked.hash
                    }
                    None => {
                        let hash = text.hash.unwrap_or_else(|| EntryHash::of(text.entry));
                        insert.execute(params![position.cast_signed(), hash.as_bytes(), text.entry])?;
                        hash
                    }
                };
                if let (Some(personal), Some(text)) = (&record.personal, text.personal) {
                    insert_personal.execute(params![position.cast_signed(), personal.salt().0, text])?;
                }
                match &record.entry {
                    Entry::Ticket(entry) => {
                        new.last.insert(entry.ticket, (entry.version, hash));
                        new.places.push(Position(position));
                    }
                    Entry::Erased(erasure) => {
                        // The indexes have to know whose records there are.
                        self.young.write(connection)?;
                        new.young(batch, self.end).write(connection)?;
                        // By an index that lacks rows, something would be left that is said to be erased.
                        Tally::check(connection)?;
                        if let Erased::ClosedBefore(_) = erasure.of {
                            self.bring_up_closed(Position(position))?;
                        }
                        new.erased += erase(connection, erasure.of, Position(position))?;
                    }
                    Entry::Rules(_) | Entry::Roster(_) => {}
                }
            }
        }
        Ok(new)
    }

    /// The hash of the entry before this one, which has to be the ticket's next.
    fn before(&self, entry: &TicketEntry, new: &Batch) -> Result<Option<EntryHash>, StoreError> {
        let ticket = entry.ticket;
        let last = match new.last.get(&ticket).or_else(|| self.last.get(&ticket)) {
            Some(last) => Some(*last),
            // A first entry is of a number that was just set aside.
            None if entry.version == Version(1) => None,
            None => self.last_of(ticket)?,
        };
        let expected = last.map_or(Version(1), |(version, _)| version.next());
        if expected != entry.version {
            let found = entry.version;
            return Err(FoldError::Gap { ticket, expected, found }.into());
        }
        Ok(last.map(|(_, hash)| hash))
    }

    /// The last entry of a ticket: its version and hash.
    fn last_of(&self, ticket: TicketId) -> Result<Option<(Version, EntryHash)>, StoreError> {
        let Some((version, position)) = self.places(ticket)?.last().copied() else { return Ok(None) };
        let mut select = self.connection()?.prepare_cached("SELECT hash FROM entry WHERE position = ?1")?;
        let hash: Vec<u8> = select.query_row([position.0.cast_signed()], |row| row.get(0))?;
        let hash = EntryHash::from_bytes(&hash)
            .ok_or_else(|| StoreError { reason: format!("the hash of entry {position} is damaged") })?;
        Ok(Some((version, hash)))
    }

    /// Commits. A full disk is known to have written nothing; of any other error it is not known.
    fn commit(&mut self) -> Result<(), AppendError> {
        let connection = self.connection().map_err(|error| AppendError::Unknown { reason: error.reason })?;
        let Err(error) = connection.execute_batch("COMMIT") else { return Ok(()) };
        let code = error.sqlite_error_code();
        let reason = file::reason(code, &error);
        roll_back(connection);
        if code == Some(ErrorCode::DiskFull) {
            self.make_room();
            return Err(AppendError::Refused { reason });
        }
        Err(AppendError::Unknown { reason })
    }

    /// What a failed statement means before the commit: nothing is written.
    fn refused(&mut self, error: StoreError) -> AppendError {
        if let Some(connection) = &self.connection {
            roll_back(connection);
        }
        AppendError::Refused { reason: error.reason }
    }
}

/// What a batch adds, to be taken over when it is committed.
#[derive(Debug, Default)]
struct Batch {
    last: HashMap<TicketId, (Version, EntryHash), FixedState>,
    places: Vec<Position>,
    erased: u64,
}

impl Batch {
    /// The part of the batch that is written, for the indexes.
    fn young(&self, batch: &[Record], first: Position) -> Young {
        let mut young = Young::default();
        for position in &self.places {
            let at = usize::try_from(position.0 - first.0).unwrap_or(usize::MAX);
            if let Some(entry) = batch.get(at).and_then(|record| record.entry.ticket()) {
                young.take(entry, *position);
            }
        }
        young
    }
}

/// Takes the personal records that stand before `end`; answers how many.
///
/// Their rows are emptied and stay. Were they deleted, SQLite would join pages that have become empty, and leave copies
/// of the rows that it moves where these were; those it would not overwrite when the rows are erased later.
fn erase(connection: &Connection, of: Erased, end: Position) -> rusqlite::Result<u64> {
    const RECORDS: &str = "UPDATE personal SET salt = x'', record = '' WHERE record <> '' AND position < ?2
        AND position IN (SELECT position FROM history WHERE ticket IN";
    let end = end.0.cast_signed();
    match of {
        Erased::Author(author) => connection
            .prepare_cached(&format!("{RECORDS} (SELECT ticket FROM source WHERE author = ?1))"))?
            .execute(params![author.as_bytes(), end])
            .map(|count| count as u64),
        Erased::ClosedBefore(time) => {
            let time = nanoseconds(time);
            let erased = connection
                .prepare_cached(&format!("{RECORDS} (SELECT ticket FROM closed_ticket WHERE at < ?1))"))?
                .execute(params![time, end])?;
            connection.prepare_cached("DELETE FROM closed_ticket WHERE at < ?1")?.execute([time])?;
            Ok(erased as u64)
        }
    }
}

impl From<Unwritable> for StoreError {
    fn from(error: Unwritable) -> Self {
        Self { reason: error.to_string() }
    }
}
