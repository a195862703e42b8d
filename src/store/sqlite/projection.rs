//! What is made from the journal and kept ready beside it: the indexes, and how the tickets stand. It lags behind, is
//! caught up when the file is opened, and made anew where it cannot be used.

use std::collections::BTreeSet;
use std::sync::mpsc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::rows::{self, RawPage, fact, nanoseconds, number, set_fact};
use super::tally::Tally;
use super::young::Young;
use super::{SqliteStore, roll_back, schema, scribe};
use crate::journal::{Bearings, Entry, FoldError, Position, Standing};
use crate::store::{Changed, Store, StoreError};
use crate::ticket::{Ticket, TicketEvent, TicketId, Version};

/// How many entries are read at a time.
const PAGE: usize = 2_048;

/// How many such pages are under way between two threads, at most: as many as are read while a lot is indexed.
const AHEAD: usize = 12;

/// In lots of how many entries the indexes are caught up, at least: larger ones are quicker, smaller ones take less memory.
const LOT: usize = 32_768;

/// How many are read where one is looked for that is nearly always the first.
const FEW: u64 = 8;

const INSERT_CLOSED: &str = "INSERT OR REPLACE INTO closed_ticket (ticket, at) VALUES (?1, ?2)";
const DELETE_CLOSED: &str = "DELETE FROM closed_ticket WHERE ticket = ?1";

/// Up to where it is kept how the tickets stand, and what that has to come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    end: Position,
    bearings: Bearings,
    tickets: u64,
    /// The sum of all digests.
    sum: i64,
    /// The digest of the other fields.
    check: i64,
}

impl SqliteStore {
    /// Catches up with the journal's end: indexes, and how the tickets stand.
    pub(super) fn bring_up(&mut self) -> Result<Standing, NotBroughtUp> {
        self.end = rows::end(self.connection()?).map_err(StoreError::from)?;
        let standing = self.catch_up_or_make_anew()?;
        // The pages that were read for it are not needed soon.
        self.connection()?.release_memory().map_err(StoreError::from)?;
        Ok(standing)
    }

    fn catch_up_or_make_anew(&mut self) -> Result<Standing, NotBroughtUp> {
        match self.catch_up() {
            Ok(standing) => Ok(standing),
            Err(CatchUp::Store(error)) => Err(error),
            Err(why @ (CatchUp::Projection(_) | CatchUp::Fold(_))) => {
                tracing::warn!(why = why.text(), "what is kept ready is made anew from the journal");
                self.forget().map_err(NotBroughtUp::Unwritable)?;
                self.catch_up().map_err(|error| match error {
                    CatchUp::Store(error) => error,
                    error => StoreError { reason: error.text() }.into(),
                })
            }
        }
    }

    /// Empties all that is made from the journal.
    fn forget(&self) -> Result<(), StoreError> {
        let connection = self.connection()?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let forgotten = schema::forget_indexes(connection).and_then(|()| connection.execute_batch("COMMIT"));
        forgotten.inspect_err(|_| roll_back(connection))?;
        Ok(())
    }

    fn catch_up(&mut self) -> Result<Standing, CatchUp> {
        self.young = Young::default();
        let mut standing = kept(self.connection()?)?;
        if standing.end > self.end {
            let missing = standing.end.0 - self.end.0;
            let reason = format!("{missing} entries are missing at its end; restore the journal from a backup");
            return Err(StoreError { reason }.into());
        }
        let indexed: Option<i64> = fact(self.connection()?, "indexed")
            .map_err(|_| CatchUp::Projection("up to where the indexes reach is unreadable"))?;
        let indexed = Position(indexed.unwrap_or_default().cast_unsigned());
        let is_tallied = indexed == Position::default() || Tally::kept(self.connection()?).is_ok_and(|it| it.is_some());
        if indexed > self.end || !is_tallied || !self.is_indexed(indexed)? {
            return Err(CatchUp::Projection("the indexes do not reach as far as they say"));
        }
        let kept_end = standing.end;
        let mut changed = BTreeSet::new();
        self.read_on(indexed.min(kept_end), |store, position, entry| {
            if let Some(entry) = entry.ticket().filter(|_| position >= indexed) {
                store.young.take(entry, position);
                if store.young.len() >= store.settings.index_every.max(LOT) {
                    store.index(position.plus(1)).map_err(NotBroughtUp::Unwritable)?;
                }
            }
            if position < kept_end {
                return Ok(());
            }
            let history = match standing.lacks(entry) {
                // If it is the journal that cannot be read, making anew will say so.
                Some(ticket) => store.history(ticket).map_err(|_| CatchUp::Projection("an index is damaged"))?,
                None => Vec::new(),
            };
            changed.extend(entry.ticket().map(|entry| entry.ticket));
            standing.take(entry, history.iter().filter_map(Entry::ticket)).map_err(CatchUp::Fold)
        })?;
        if self.young.len() > 0 {
            self.index(self.end).map_err(NotBroughtUp::Unwritable)?;
        }
        if kept_end < self.end {
            let changed: Vec<Changed> = changed.into_iter().map(|id| as_it_stands(id, &standing)).collect();
            self.keep_changed(self.end, &standing.bearings, changed).map_err(NotBroughtUp::Unwritable)?;
        }
        Ok(standing)
    }

    /// Goes through the entries from a position to the end. They are read on this thread, made out on another, and taken
    /// on this one again: making them out takes as long as the rest.
    fn read_on(
        &mut self,
        from: Position,
        mut take: impl FnMut(&mut Self, Position, &Entry) -> Result<(), CatchUp>,
    ) -> Result<(), CatchUp> {
        std::thread::scope(|scope| {
            let (to_make_out, raw) = mpsc::sync_channel::<RawPage>(AHEAD);
            let (made_out, entries) = mpsc::sync_channel(AHEAD);
            let (let_go, taken) = mpsc::channel::<Vec<(Position, Entry)>>();
            scope.spawn(move || {
                for page in raw {
                    // Whoever no longer wants it has met an error.
                    if made_out.send(page.read()).is_err() {
                        return;
                    }
                    // Memory goes back where it came from: two threads at one heap wait for each other.
                    taken.try_iter().for_each(drop);
                }
            });
            let (mut next, mut ahead) = (from, 0);
            loop {
                while ahead < AHEAD && next < self.end {
                    let page = self.raw_page(next, PAGE)?;
                    if page.len() == 0 {
                        return Err(StoreError { reason: format!("entry {next} is missing") }.into());
                    }
                    next = next.plus(page.len() as u64);
                    ahead += 1;
                    // The other thread ends only when this one lets go of it.
                    drop(to_make_out.send(page));
                }
                if ahead == 0 {
                    return Ok(());
                }
                let page = entries.recv().map_err(|_| StoreError { reason: "reading it failed".to_owned() })??;
                ahead -= 1;
                for (position, entry) in &page {
                    take(self, *position, entry)?;
                }
                // When the other thread has ended, it is dropped here.
                drop(let_go.send(page));
            }
        })
    }

    /// Whether the last entry about a ticket before `end` is in the indexes, and the posts that its ticket came of. The
    /// rest is not gone through: a start would then cost what ever was.
    fn is_indexed(&self, end: Position) -> Result<bool, StoreError> {
        let sql = "SELECT position FROM history WHERE ticket = ?1 AND version = ?2";
        let mut select = self.connection()?.prepare_cached(sql)?;
        let mut place = |ticket: TicketId, version: Version| -> Result<Option<Position>, StoreError> {
            let row = |row: &rusqlite::Row<'_>| row.get(0).map(i64::cast_unsigned).map(Position);
            Ok(select.query_row(params![number(ticket), version.0], row).optional()?)
        };
        let mut to = end.0;
        while to > 0 {
            let from = to.saturating_sub(FEW);
            let page = self.page(Position(from), usize::try_from(to - from).unwrap_or_default())?;
            let last = page.iter().rev().find_map(|(position, entry)| Some((*position, entry.ticket()?)));
            if let Some((position, entry)) = last {
                let is_there = place(entry.ticket, entry.version)? == Some(position);
                return Ok(is_there
                    && match place(entry.ticket, Version(1))? {
                        Some(first) => self.has_sources_of(first)?,
                        None => false,
                    });
            }
            to = from;
        }
        Ok(true)
    }

    /// Whether the posts that the entry at a position came of are in the index.
    fn has_sources_of(&self, position: Position) -> Result<bool, StoreError> {
        let mut select = self.connection()?.prepare_cached("SELECT EXISTS (SELECT 1 FROM source WHERE key = ?1)")?;
        let page = self.page(position, 1)?;
        let Some(entry) = page.first().and_then(|(_, entry)| entry.ticket()) else { return Ok(false) };
        let Some(TicketEvent::Received { filing, .. }) = entry.events.first() else { return Ok(false) };
        for source in filing.sources() {
            if !select.query_row([source.as_bytes()], |row| row.get::<_, bool>(0))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes what the indexes lack, and that they reach up to `end`.
    fn index(&mut self, end: Position) -> Result<(), StoreError> {
        let connection = self.connection()?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let written = self.young.write(connection).and_then(|()| {
            set_fact(connection, "indexed", end.0.cast_signed())?;
            Ok(connection.execute_batch("COMMIT")?)
        });
        written.inspect_err(|_| roll_back(connection))?;
        self.young = Young::default();
        Ok(())
    }

    /// Brings up which tickets were closed before `end`, by what was written since it was last kept, inside the
    /// caller's transaction. Without it those would be erased that are open again, and others not.
    pub(super) fn bring_up_closed(&self, end: Position) -> Result<(), StoreError> {
        let connection = self.connection()?;
        // Nothing guards these rows against damage as the digests do the open tickets.
        connection.execute("DELETE FROM closed_ticket WHERE ticket IN (SELECT ticket FROM open_ticket)", [])?;
        let text: Option<String> = fact(connection, "kept").unwrap_or_default();
        let kept: Option<Kept> = text.and_then(|text| serde_json::from_str(&text).ok());
        let mut from = kept.map_or(Position::default(), |kept| kept.end);
        let mut closed = connection.prepare_cached(INSERT_CLOSED)?;
        let mut open = connection.prepare_cached(DELETE_CLOSED)?;
        while from < end {
            let page = self.page(from, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            from = last.plus(1);
            for (_, entry) in page.iter().filter(|(position, _)| *position < end) {
                let Some(entry) = entry.ticket() else { continue };
                match entry.events.last() {
                    Some(TicketEvent::Closed { at, .. }) => {
                        closed.execute(params![number(entry.ticket), nanoseconds(*at)])?
                    }
                    _ => open.execute([number(entry.ticket)])?,
                };
            }
        }
        Ok(())
    }

    /// Keeps how everything stands, by what changed.
    pub(super) fn keep_changed(
        &self,
        end: Position,
        bearings: &Bearings,
        changed: Vec<Changed>,
    ) -> Result<(), StoreError> {
        let connection = self.connection()?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let rows = self.scribe.make(lots(changed).into_iter(), rows_of);
        let written = keep(connection, end, bearings, rows).and_then(|()| Ok(connection.execute_batch("COMMIT")?));
        written.inspect_err(|_| roll_back(connection))
    }
}

/// A ticket that changed, as it stands now.
fn as_it_stands(id: TicketId, standing: &Standing) -> Changed {
    match standing.open.get(&id) {
        Some(ticket) => Changed::Open(Box::new(ticket.clone())),
        None => match standing.closed.get(&id) {
            Some(at) => Changed::Closed(id, *at),
            // One that is not even among the closed has had its records erased because of its age.
            None => Changed::Expired(id),
        },
    }
}

/// Why the file could not be brought up.
#[derive(Debug)]
pub(super) enum NotBroughtUp {
    /// The journal cannot be read.
    Unreadable(StoreError),
    /// It can be read, but what is made from it cannot be written: the disk is full, or fails. Nothing is damaged.
    Unwritable(StoreError),
}

impl From<StoreError> for NotBroughtUp {
    fn from(error: StoreError) -> Self {
        Self::Unreadable(error)
    }
}

impl From<NotBroughtUp> for StoreError {
    fn from(error: NotBroughtUp) -> Self {
        match error {
            NotBroughtUp::Unreadable(error) | NotBroughtUp::Unwritable(error) => error,
        }
    }
}

/// Why it could not be caught up.
pub(super) enum CatchUp {
    Store(NotBroughtUp),
    /// What is kept ready cannot be used.
    Projection(&'static str),
    /// An entry does not follow: on what is kept ready, or at all.
    Fold(FoldError),
}

impl CatchUp {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Store(NotBroughtUp::Unreadable(error) | NotBroughtUp::Unwritable(error)) => error.reason.clone(),
            Self::Projection(why) => (*why).to_owned(),
            Self::Fold(error) => error.to_string(),
        }
    }
}

impl<E: Into<NotBroughtUp>> From<E> for CatchUp {
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

/// What is kept ready: read and checked.
pub(super) fn kept(connection: &Connection) -> Result<Standing, CatchUp> {
    let text: Option<String> = fact(connection, "kept").map_err(|_| CatchUp::Projection("its extent is unreadable"))?;
    let Some(text) = text else {
        let sql = "SELECT EXISTS (SELECT 1 FROM open_ticket) OR EXISTS (SELECT 1 FROM closed_ticket)
            OR EXISTS (SELECT 1 FROM history) OR EXISTS (SELECT 1 FROM source)";
        return match connection.query_row(sql, [], |row| row.get(0)) {
            Ok(false) => Ok(Standing::default()),
            _ => Err(CatchUp::Projection("nothing says up to where it reaches")),
        };
    };
    let kept: Kept = serde_json::from_str(&text).map_err(|_| CatchUp::Projection("its extent is unreadable"))?;
    if kept_text(&kept)? != text {
        return Err(CatchUp::Projection("its extent is not as it was written"));
    }
    let mut standing = Standing { end: kept.end, bearings: kept.bearings, ..Standing::default() };
    let mut sum = 0_i64;
    let mut read = || -> rusqlite::Result<bool> {
        let mut select = connection.prepare("SELECT digest, text, ticket FROM open_ticket")?;
        let mut found = select.query([])?;
        while let Some(row) = found.next()? {
            let digest: i64 = row.get(0)?;
            let text: &str = row.get_ref(1)?.as_str()?;
            if digest_of(text) != digest {
                return Ok(false);
            }
            let Ok(ticket) = serde_json::from_str::<Ticket>(text) else { return Ok(false) };
            if row.get::<_, i64>(2)? != number(ticket.id()) {
                return Ok(false);
            }
            sum = sum.wrapping_add(digest);
            standing.open.insert(ticket.id(), ticket);
        }
        Ok(true)
    };
    match read() {
        Ok(true) if (standing.open.len() as u64, sum) == (kept.tickets, kept.sum) => Ok(standing),
        Ok(true) => Err(CatchUp::Projection("tickets are missing or too many")),
        Ok(false) => Err(CatchUp::Projection("a ticket is not as it was written")),
        Err(_) => Err(CatchUp::Projection("it is unreadable")),
    }
}

fn kept_text(kept: &Kept) -> Result<String, StoreError> {
    let text = |kept: &Kept| serde_json::to_string(kept).map_err(|error| StoreError { reason: error.to_string() });
    let mut kept = Kept { check: 0, ..kept.clone() };
    kept.check = digest_of(&text(&kept)?);
    text(&kept)
}

/// The first eight bytes of a text's SHA-256: enough to see that it is as it was written.
fn digest_of(text: &str) -> i64 {
    let digest = Sha256::digest(text.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}

/// What is to be written of a ticket that changed.
enum OpenOrClosed {
    Open { id: TicketId, version: Version, digest: i64, text: String },
    Closed { id: TicketId, at: Timestamp },
    Expired { id: TicketId },
}

/// The same, a few at a time.
fn lots(changed: Vec<Changed>) -> Vec<Vec<Changed>> {
    let mut lots = Vec::with_capacity(changed.len().div_ceil(scribe::LOT));
    let mut changed = changed.into_iter().peekable();
    while changed.peek().is_some() {
        lots.push(changed.by_ref().take(scribe::LOT).collect());
    }
    lots
}

fn rows_of(changed: Vec<Changed>) -> Result<Vec<OpenOrClosed>, StoreError> {
    let row = |change| match change {
        Changed::Closed(id, at) => Ok(OpenOrClosed::Closed { id, at }),
        Changed::Expired(id) => Ok(OpenOrClosed::Expired { id }),
        Changed::Open(ticket) => {
            let text = serde_json::to_string(&ticket).map_err(|error| StoreError { reason: error.to_string() })?;
            let (id, version) = (ticket.id(), ticket.version());
            Ok(OpenOrClosed::Open { id, version, digest: digest_of(&text), text })
        }
    };
    changed.into_iter().map(row).collect()
}

/// Writes how tickets stand that changed, and what it comes to.
fn keep(
    connection: &Connection,
    end: Position,
    bearings: &Bearings,
    rows: impl Iterator<Item = Result<Vec<OpenOrClosed>, StoreError>>,
) -> Result<(), StoreError> {
    let text: Option<String> = fact(connection, "kept")?;
    let known = text.as_deref().map(serde_json::from_str::<Kept>).transpose();
    let mut kept = known.map_err(|error| StoreError { reason: error.to_string() })?.unwrap_or_default();
    (kept.end, kept.bearings) = (end, bearings.clone());
    let highest: Option<i64> =
        connection.prepare_cached("SELECT max(ticket) FROM open_ticket")?.query_row([], |row| row.get(0))?;
    let mut old = connection.prepare_cached("SELECT digest FROM open_ticket WHERE ticket = ?1")?;
    let mut insert =
        connection.prepare_cached("INSERT OR REPLACE INTO open_ticket (ticket, digest, text) VALUES (?1, ?2, ?3)")?;
    let mut delete = connection.prepare_cached("DELETE FROM open_ticket WHERE ticket = ?1")?;
    let mut closed = connection.prepare_cached(INSERT_CLOSED)?;
    let mut reopened = connection.prepare_cached(DELETE_CLOSED)?;
    let mut take_away = |kept: &mut Kept, id: TicketId| -> Result<bool, StoreError> {
        let before: Option<i64> = match highest {
            // Most are new.
            Some(highest) if number(id) <= highest => old.query_row([number(id)], |row| row.get(0)).optional()?,
            _ => None,
        };
        if let Some(before) = before {
            kept.sum = kept.sum.wrapping_sub(before);
            kept.tickets = kept.tickets.saturating_sub(1);
        }
        Ok(before.is_some())
    };
    for lot in rows {
        for row in lot? {
            match row {
                OpenOrClosed::Open { id, version, digest, text } => {
                    let was_open = take_away(&mut kept, id)?;
                    insert.execute(params![number(id), digest, text])?;
                    kept.sum = kept.sum.wrapping_add(digest);
                    kept.tickets += 1;
                    if !was_open && version > Version(1) {
                        reopened.execute([number(id)])?;
                    }
                }
                OpenOrClosed::Closed { id, at } => {
                    if take_away(&mut kept, id)? {
                        delete.execute([number(id)])?;
                    }
                    closed.execute(params![number(id), nanoseconds(at)])?;
                }
                OpenOrClosed::Expired { id } => {
                    if take_away(&mut kept, id)? {
                        delete.execute([number(id)])?;
                    }
                    reopened.execute([number(id)])?;
                }
            }
        }
    }
    Ok(set_fact(connection, "kept", kept_text(&kept)?)?)
}
