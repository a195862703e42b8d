//! Checking a whole file: the journal, what people wrote beside it, and what was made from it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, params};

use super::MAKE_ANEW;
use super::archive::{Archive, ArchivedEntry};
use super::erasures::{Beside, Erasures};
use super::projection::kept;
use super::rows::{self, fact, nanoseconds, number, ticket};
use super::young::Young;
use crate::journal::proof::{Audit, Auditor, Checkpoint, Finding, WrittenEntry};
use crate::journal::{Entry, Erased, Erasure, Position, Standing, TicketEntry, unseal};
use crate::personal::{AuthorKey, SourceKey};
use crate::store::StoreError;
use crate::ticket::{TicketEvent, TicketId, Version};

/// Why a journal is not as it was written, or could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// An entry, or what is between two, is not as it was written: the first of them.
    #[error(transparent)]
    Found(#[from] Finding),
    /// Each entry is as it was written, and a table that is made from them says something else: it was altered, and an
    /// engine would go by it, or entries of different tickets changed places, which only a checkpoint tells.
    #[error(
        "each entry is as it was written, but the tables made from them do not fit: {what}; compare with a checkpoint \
         whether entries were moved, and if not, have the tables made anew: {MAKE_ANEW}"
    )]
    Derived {
        /// What is wrong; nothing personal.
        what: String,
    },
    /// The file cannot be read, or a personal record is another than it was, taken out, emptied or slipped in.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Archive {
    /// Reads the whole journal and checks it: that no entry was altered, removed or slipped in, against itself and
    /// against earlier checkpoints; that each personal record is the one that was written, or empty because of an erasure
    /// that stands in the journal, and that none is left that an erasure took; and that the
    /// tables that are made from it (indexes, open and closed tickets) are what it comes to. `seen` is called with each
    /// entry, e.g. to show how far it is.
    ///
    /// # Errors
    /// [`VerifyError`] names the first entry that is not as it was written, or else what is wrong with the tables.
    pub fn verify(
        &self,
        checkpoints: impl IntoIterator<Item = Checkpoint>,
        seen: impl FnMut(&ArchivedEntry),
    ) -> Result<Audit, VerifyError> {
        let verified = self.read_and_check(checkpoints, seen);
        if self.is_disturbed() {
            let reason = "an engine was started on the file meanwhile; audit it again".to_owned();
            return Err(StoreError { reason }.into());
        }
        verified
    }

    fn read_and_check(
        &self,
        checkpoints: impl IntoIterator<Item = Checkpoint>,
        mut seen: impl FnMut(&ArchivedEntry),
    ) -> Result<Audit, VerifyError> {
        let mut auditor = Auditor::new(checkpoints);
        let mut derived = Derived::begin(&self.connection)?;
        let mut wrong = derived.as_ref().err().cloned();
        let mut erasures = Erasures::default();
        self.each(|written| -> Result<(), VerifyError> {
            auditor.take(WrittenEntry { position: written.position, hash: written.hash, text: &written.text })?;
            // The auditor has found that it can be read.
            let entry = unseal(&written.text).map_err(|error| StoreError { reason: error.to_string() })?;
            let beside = self.look_beside(written.position, &entry)?;
            match &entry {
                Entry::Ticket(entry) => erasures.take(entry, written.position, beside),
                Entry::Erased(erasure) => {
                    if let Some(left) = erasures.account(erasure.of, |position| self.has_record(position))? {
                        let by = written.position;
                        let reason = format!(
                            "entry {left}: its personal record is there, and the erasure at {by} took it; it was put \
                             back, or left by a damaged index: have it erased again"
                        );
                        return Err(StoreError { reason }.into());
                    }
                }
                Entry::Rules(_) | Entry::Roster(_) => {}
            }
            if let (Ok(derived), None) = (&mut derived, &wrong) {
                wrong = derived.take(written.position, &entry)?.err();
            }
            seen(written);
            Ok(())
        })?;
        let audit = auditor.audit()?;
        self.has_no_strays(auditor.next())?;
        if let Some(position) = erasures.unexplained() {
            let reason = format!("entry {position}: its personal record was emptied, and no erasure says so");
            return Err(StoreError { reason }.into());
        }
        if let (Ok(derived), None) = (&derived, &wrong) {
            wrong = derived.has_no_more(&auditor)?.err();
        }
        match wrong {
            None => Ok(audit),
            Some(Wrong(what)) => Err(VerifyError::Derived { what }),
        }
    }
}

impl Archive {
    /// Whether nothing stands where no entry is.
    fn has_no_strays(&self, end: Position) -> Result<(), StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE position < 0) OR EXISTS (SELECT 1 FROM personal
            WHERE position < 0 OR position >= max(?1, coalesce((SELECT max(position) + 1 FROM entry), 0)))";
        if self.connection.query_row(sql, [end.0.cast_signed()], |row| row.get(0))? {
            let reason = "rows were slipped in before the first entry or behind the last".to_owned();
            return Err(StoreError { reason });
        }
        Ok(())
    }

    /// Whether what people wrote stands beside the entry that it came with. What is erased leaves an empty row.
    fn look_beside(&self, position: Position, entry: &Entry) -> Result<Beside, StoreError> {
        if self.personal(position, entry)?.is_some() {
            return Ok(Beside::Record);
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM personal WHERE position = ?1)";
        let mut select = self.connection.prepare_cached(sql)?;
        let is_there: bool = select.query_row([position.0.cast_signed()], |row| row.get(0))?;
        match (is_there, entry.ticket().and_then(|entry| entry.personal)) {
            (false, Some(_)) => {
                Err(StoreError { reason: format!("entry {position}: its personal record was taken out") })
            }
            (true, None) => Err(StoreError { reason: format!("entry {position}: a personal record was slipped in") }),
            (true, Some(_)) => Ok(Beside::Emptied),
            (false, None) => Ok(Beside::Nothing),
        }
    }
}

impl Archive {
    /// Whether a record is there and not empty.
    fn has_record(&self, position: Position) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM personal WHERE position = ?1 AND record <> '')";
        Ok(self.connection.prepare_cached(sql)?.query_row([position.0.cast_signed()], |row| row.get(0))?)
    }
}

/// What is wrong with the tables.
#[derive(Debug, Clone)]
struct Wrong(String);

/// What is made from the journal, held against it. An engine may go on writing meanwhile.
struct Derived<'a> {
    connection: &'a Connection,
    /// Up to where the indexes have to reach.
    indexed: Position,
    /// What came behind that.
    young: Young,
    /// How the tickets stood where it was last kept.
    kept: Standing,
    /// The closed tickets, and up to where that goes: retention brings them up.
    closed: BTreeMap<i64, i64>,
    closed_end: Position,
    /// How they stand by the journal.
    folded: Standing,
}

impl<'a> Derived<'a> {
    fn begin(connection: &'a Connection) -> Result<Result<Self, Wrong>, StoreError> {
        // All of one moment.
        connection.execute_batch("BEGIN")?;
        let read = || -> Result<Result<Self, Wrong>, StoreError> {
            let kept = match kept(connection) {
                Ok(kept) => kept,
                Err(error) => return Ok(Err(Wrong(error.text()))),
            };
            let indexed: Option<i64> = fact(connection, "indexed")?;
            let indexed = Position(indexed.unwrap_or_default().cast_unsigned());
            let mut select = connection.prepare("SELECT ticket, at FROM closed_ticket")?;
            let closed =
                select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
            // An entry that cannot be read is for the auditor to name.
            let closed_end = retained(connection, kept.end).ok().flatten().unwrap_or(kept.end);
            let (young, folded) = (Young::default(), Standing::default());
            Ok(Ok(Self { connection, indexed, young, kept, closed, closed_end, folded }))
        };
        let read = read();
        connection.execute_batch("COMMIT")?;
        read
    }

    /// Looks whether the indexes have an entry, and goes on to how the tickets stand behind it.
    fn take(&mut self, position: Position, entry: &Entry) -> Result<Result<(), Wrong>, StoreError> {
        if let Some(entry) = entry.ticket() {
            match self.place(entry.ticket, entry.version)? {
                Some(place) if place == position => {}
                None if position >= self.indexed => {}
                _ => return Ok(Err(Wrong(format!("the table history does not lead to entry {position}")))),
            }
            for (source, author) in sources(entry) {
                let is_right = match self.ticket_of(source)? {
                    // The first ticket of a post stays the one.
                    Some((first, by)) => {
                        first < number(entry.ticket) || (first == number(entry.ticket) && is(by, author))
                    }
                    None => position >= self.indexed,
                };
                if !is_right {
                    return Ok(Err(Wrong(format!("the table source has a post of {} wrong", entry.ticket))));
                }
            }
            if position >= self.indexed {
                self.young.take(entry, position);
            }
        }
        if position >= self.kept.end.max(self.closed_end) {
            return Ok(Ok(()));
        }
        let history = match self.folded.lacks(entry) {
            Some(ticket) => self.history(ticket, position)?,
            None => Vec::new(),
        };
        if let Err(error) = self.folded.take(entry, history.iter().filter_map(Entry::ticket)) {
            return Ok(Err(Wrong(error.to_string())));
        }
        let is_as_kept = if self.folded.end == self.kept.end { self.stands() } else { Ok(()) };
        Ok(is_as_kept.and_then(|()| if self.folded.end == self.closed_end { self.are_closed() } else { Ok(()) }))
    }

    /// Whether the tickets stand as was kept.
    fn stands(&self) -> Result<(), Wrong> {
        let (kept, folded) = (&self.kept, &self.folded);
        let differs = kept.open.iter().find(|(id, ticket)| folded.open.get(id) != Some(ticket)).map(|(id, _)| id);
        let lacks = folded.open.keys().find(|id| !kept.open.contains_key(id));
        if let Some(id) = differs.or(lacks) {
            return Err(Wrong(format!("the table open_ticket has {id} otherwise than the journal")));
        }
        if kept.bearings != folded.bearings {
            return Err(Wrong("what was kept of whose turn it is, rules and roster".to_owned()));
        }
        Ok(())
    }

    /// Whether those are closed that the table has.
    fn are_closed(&self) -> Result<(), Wrong> {
        let folded = &self.folded;
        let closed: BTreeMap<i64, i64> = folded.closed.iter().map(|(id, at)| (number(*id), nanoseconds(*at))).collect();
        if self.closed != closed {
            return Err(Wrong("the table closed_ticket".to_owned()));
        }
        Ok(())
    }

    /// Whether the indexes have nothing that the journal has not.
    fn has_no_more(&self, auditor: &Auditor) -> Result<Result<(), Wrong>, StoreError> {
        if self.kept.end > auditor.next() {
            let end = self.kept.end;
            return Ok(Err(Wrong(format!(
                "it was kept how tickets stood before entry {end}, which is not there any more"
            ))));
        }
        // What an engine wrote meanwhile is not known here.
        let is_new =
            |place: Position| Ok::<_, StoreError>(place >= auditor.next() && place < rows::end(self.connection)?);
        let mut select = self.connection.prepare("SELECT ticket, version, position FROM history")?;
        let mut found = select.query([])?;
        while let Some(row) = found.next()? {
            let (id, version, position): (i64, Version, i64) = (row.get(0)?, Version(row.get(1)?), row.get(2)?);
            let known = ticket(id).and_then(|id| auditor.head(id)).is_some_and(|head| version <= head.entries);
            if !known && !is_new(Position(position.cast_unsigned()))? {
                return Ok(Err(Wrong(format!("the table history has version {} of a ticket {id}", version.0))));
            }
        }
        let mut select = self.connection.prepare("SELECT key, ticket, author FROM source")?;
        let mut found = select.query([])?;
        while let Some(row) = found.next()? {
            let (key, id, author): (Vec<u8>, i64, Option<Vec<u8>>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let is_there = match ticket(id) {
                Some(id) => match self.place(id, Version(1))? {
                    Some(place) if place >= auditor.next() => is_new(place)?,
                    Some(place) => self.entry(place)?.as_ref().and_then(Entry::ticket).is_some_and(|entry| {
                        sources(entry).any(|(source, by)| source.as_bytes() == key && is(author.clone(), by))
                    }),
                    None => false,
                },
                None => false,
            };
            if !is_there {
                return Ok(Err(Wrong(format!("the table source has a post of {id} that the journal has not"))));
            }
        }
        Ok(Ok(()))
    }

    fn place(&self, ticket: TicketId, version: Version) -> Result<Option<Position>, StoreError> {
        let sql = "SELECT position FROM history WHERE ticket = ?1 AND version = ?2";
        let mut select = self.connection.prepare_cached(sql)?;
        let place: Option<i64> = select.query_row(params![number(ticket), version.0], |row| row.get(0)).optional()?;
        Ok(place.map(|place| Position(place.cast_unsigned())))
    }

    /// Ticket and author of a post, as they stand in the index.
    fn ticket_of(&self, source: SourceKey) -> Result<Option<TicketAndAuthor>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT ticket, author FROM source WHERE key = ?1")?;
        Ok(select.query_row([source.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    fn entry(&self, position: Position) -> Result<Option<Entry>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT hash, text FROM entry WHERE position = ?1")?;
        let mut found = select.query([position.0.cast_signed()])?;
        found.next()?.map(|row| rows::entry(position, row, 0, 1)).transpose()
    }

    /// The entries of a ticket before a position.
    fn history(&self, ticket: TicketId, before: Position) -> Result<Vec<Entry>, StoreError> {
        let sql = "SELECT position FROM history WHERE ticket = ?1 ORDER BY version";
        let mut select = self.connection.prepare_cached(sql)?;
        let places = select.query_map([number(ticket)], |row| row.get::<_, i64>(0))?;
        let mut places: BTreeSet<i64> = places.collect::<rusqlite::Result<_>>()?;
        places.extend(self.young.entries(ticket).iter().map(|(_, place)| place.0.cast_signed()));
        let mut history = Vec::new();
        for place in places.range(..before.0.cast_signed()) {
            history.extend(self.entry(Position(place.cast_unsigned()))?);
        }
        Ok(history)
    }
}

/// Behind the last erasure by age that stands behind this position: it has brought up which tickets are closed.
fn retained(connection: &Connection, from: Position) -> Result<Option<Position>, StoreError> {
    let sql = "SELECT position, hash, text FROM entry
        WHERE position >= ?1 AND json_extract(text, '$.ticket') IS NULL ORDER BY position DESC";
    let mut select = connection.prepare(sql)?;
    let mut found = select.query([from.0.cast_signed()])?;
    while let Some(row) = found.next()? {
        let position = Position(row.get::<_, i64>(0)?.cast_unsigned());
        if let Entry::Erased(Erasure { of: Erased::ClosedBefore(_), .. }) = rows::entry(position, row, 1, 2)? {
            return Ok(Some(position.plus(1)));
        }
    }
    Ok(None)
}

/// As they stand in the index.
type TicketAndAuthor = (i64, Option<Vec<u8>>);

/// The posts that a ticket came of, if this is its first entry, and their author.
fn sources(entry: &TicketEntry) -> impl Iterator<Item = (SourceKey, Option<AuthorKey>)> {
    let filing = match entry.events.first() {
        Some(TicketEvent::Received { filing, .. }) => Some(filing),
        _ => None,
    };
    filing.into_iter().flat_map(|filing| filing.sources().map(|source| (source, filing.author)))
}

fn is(stands: Option<Vec<u8>>, author: Option<AuthorKey>) -> bool {
    stands.as_deref() == author.as_ref().map(AuthorKey::as_bytes)
}
