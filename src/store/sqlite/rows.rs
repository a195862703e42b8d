//! Single values and rows of the file, read and written.

use std::ops::Range;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use crate::journal::{Entry, EntryHash, Position, unseal};
use crate::personal::{Commitment, Personal, Salt, SaltedRecord};
use crate::store::StoreError;
use crate::ticket::TicketId;

/// A ticket's running number as SQLite has it.
pub(super) fn number(ticket: TicketId) -> i64 {
    ticket.number().cast_signed()
}

/// The ticket of a running number, if it can be one.
pub(super) fn ticket(number: i64) -> Option<TicketId> {
    u64::try_from(number).ok().and_then(TicketId::from_number)
}

/// A time as SQLite has it: nanoseconds since 1970. What lies beyond the year 2262 is that.
pub(super) fn nanoseconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(if time < Timestamp::UNIX_EPOCH { i64::MIN } else { i64::MAX })
}

/// A named value.
pub(super) fn fact<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> rusqlite::Result<Option<T>> {
    connection.prepare_cached("SELECT value FROM fact WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
}

pub(super) fn set_fact(connection: &Connection, name: &str, value: impl ToSql) -> rusqlite::Result<()> {
    let sql = "INSERT INTO fact (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    connection.prepare_cached(sql)?.execute(params![name, value]).map(drop)
}

/// Where the next entry will stand.
pub(super) fn end(connection: &Connection) -> rusqlite::Result<Position> {
    let last: Option<i64> =
        connection.prepare_cached("SELECT max(position) FROM entry")?.query_row([], |row| row.get(0))?;
    Ok(Position(last.map_or(0, |last| last.cast_unsigned().saturating_add(1))))
}

/// The rows of some entries as they stand in the file, not read yet. Their texts are in one piece: so little memory goes
/// from the thread that fetches them to the one that reads them.
#[derive(Default)]
pub(super) struct RawPage {
    texts: String,
    rows: Vec<RawRow>,
}

struct RawRow {
    position: Position,
    /// `None` if what stands there is no hash.
    hash: Option<EntryHash>,
    text: Range<usize>,
}

impl RawPage {
    /// Takes an entry's row, with its hash and its text.
    pub(super) fn take(
        &mut self,
        position: Position,
        row: &Row<'_>,
        hash: usize,
        text: usize,
    ) -> Result<(), StoreError> {
        let begin = self.texts.len();
        self.texts.push_str(row.get_ref(text)?.as_str().map_err(|_| damaged(position, "it is no text"))?);
        let hash = row.get_ref(hash)?.as_blob().ok().and_then(EntryHash::from_bytes);
        self.rows.push(RawRow { position, hash, text: begin..self.texts.len() });
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Reads them, and checks each against its hash.
    pub(super) fn read(&self) -> Result<Vec<(Position, Entry)>, StoreError> {
        let read = |row: &RawRow| {
            let text = &self.texts[row.text.clone()];
            if Some(EntryHash::of(text)) != row.hash {
                return Err(damaged(row.position, "it is not as it was written"));
            }
            let unreadable = |error| StoreError { reason: format!("entry {}: {error}", row.position) };
            Ok((row.position, unseal(text).map_err(unreadable)?))
        };
        self.rows.iter().map(read).collect()
    }
}

/// An entry of the journal, from a row with its hash and its text.
pub(super) fn entry(position: Position, row: &Row<'_>, hash: usize, text: usize) -> Result<Entry, StoreError> {
    let mut page = RawPage::default();
    page.take(position, row, hash, text)?;
    let (_, entry) = page.read()?.pop().ok_or_else(|| damaged(position, "it is missing"))?;
    Ok(entry)
}

fn damaged(position: Position, what: &str) -> StoreError {
    StoreError { reason: format!("entry {position}: {what}; restore the journal from a backup") }
}

/// A personal record, from its row: salt, record; the commitment is that of its entry.
pub(super) fn personal(row: &Row<'_>, commitment: Option<Commitment>) -> Result<Option<SaltedRecord>, StoreError> {
    let damaged = || StoreError { reason: "a personal record is damaged; restore the file from a backup".to_owned() };
    let salt: Vec<u8> = row.get(0).map_err(|_| damaged())?;
    let salt = Salt(salt.try_into().map_err(|_| damaged())?);
    let record: String = row.get(1).map_err(|_| damaged())?;
    let record: Personal = serde_json::from_str(&record).map_err(|_| damaged())?;
    match commitment.map(|commitment| SaltedRecord::kept(salt, record, commitment)) {
        Some(record) if !record.is_genuine() => Err(damaged()),
        record => Ok(record),
    }
}
