//! The tables of the file, step by step from the first version to this one.

use rusqlite::Connection;

/// What marks a file as ours: "nvrn" in ASCII, in the file's header as SQLite's `application_id`.
pub(super) const APPLICATION_ID: i32 = 0x6e76_726e;

/// A step brings a file from the version of its place in this list to the next; `user_version` says where a file is.
/// A step that has been released is never changed: what is new is a new step.
const STEPS: [&str; 2] = [
    // The journal. It is the whole truth; what follows in later steps is made from it.
    "CREATE TABLE entry (
         position INTEGER PRIMARY KEY,  -- 0, 1, 2, ..., none missing
         hash     BLOB NOT NULL,        -- SHA-256 of the text
         text     TEXT NOT NULL         -- one decision, as JSON
     ) STRICT;
     CREATE TABLE personal (            -- what can be erased
         position INTEGER PRIMARY KEY,  -- of the entry that has its commitment
         salt     BLOB NOT NULL,
         record   TEXT NOT NULL         -- as JSON
     ) STRICT;
     CREATE TABLE fact (
         name     TEXT PRIMARY KEY,
         value    ANY NOT NULL
     ) STRICT, WITHOUT ROWID;",
    // What makes it quick, written now and then and caught up at each start.
    "CREATE TABLE source (              -- which ticket came of which post
         key      BLOB PRIMARY KEY,
         ticket   INTEGER NOT NULL,     -- its running number
         author   BLOB
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE history (             -- the entries of each ticket
         ticket   INTEGER NOT NULL,
         version  INTEGER NOT NULL,
         position INTEGER NOT NULL,
         PRIMARY KEY (ticket, version)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE open_ticket (         -- how each open ticket stands
         ticket   INTEGER PRIMARY KEY,
         digest   INTEGER NOT NULL,
         text     TEXT NOT NULL         -- as JSON
     ) STRICT;
     CREATE TABLE closed_ticket (       -- closed tickets that may have personal records
         ticket   INTEGER PRIMARY KEY,
         at       INTEGER NOT NULL      -- nanoseconds since 1970
     ) STRICT;",
];

/// The version of the tables that this crate writes.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// Brings the tables to this version, inside the caller's transaction.
pub(super) fn migrate(connection: &Connection, from: i64) -> rusqlite::Result<()> {
    let done = usize::try_from(from).unwrap_or_default();
    for step in STEPS.iter().skip(done) {
        connection.execute_batch(step)?;
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", VERSION)
}

/// Empties all that is made from the journal.
pub(super) fn forget_indexes(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "DELETE FROM source; DELETE FROM history; DELETE FROM open_ticket; DELETE FROM closed_ticket;
         DELETE FROM fact WHERE name IN ('kept', 'indexed', 'tally');",
    )
}

/// What the tables look like in a file of this version, to be compared with a file's own.
pub(super) fn expected() -> rusqlite::Result<Vec<(String, String)>> {
    let connection = Connection::open_in_memory()?;
    STEPS.iter().try_for_each(|step| connection.execute_batch(step))?;
    tables(&connection)
}

/// The tables of a file, by name, as they were created.
pub(super) fn tables(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    // A trigger would do something else than what was asked for.
    let sql = "SELECT name, sql FROM sqlite_schema
        WHERE type IN ('table', 'trigger') AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}
