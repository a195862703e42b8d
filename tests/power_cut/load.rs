//! The load that is recorded, and the check of what a power cut left of it.
//!
//! A stand-in on plain SQLite. What the machine around it asks for is all here: [`Ack`], [`child`], [`check`], [`Loss`].

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::str::FromStr;
use std::thread;

use rusqlite::{Connection, TransactionBehavior, params};

/// How often SQLite syncs: `Full` is what is promised, the others are controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronous {
    Full,
    Normal,
    Off,
}

impl Synchronous {
    pub fn name(self) -> &'static str {
        match self {
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
            Synchronous::Off => "OFF",
        }
    }
}

type IsCalledSo = fn(&str) -> bool;

/// Whose syncs the store cannot do without, in words and by the name of the file; the recorded directory has none.
pub const NEEDED_SYNCS: [(&str, IsCalledSo); 3] = [
    ("the log", |name| name.ends_with("-wal")),
    ("the database", |name| name.ends_with(".db")),
    ("the directory", str::is_empty),
];

/// What the child was told that is durable: the number of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ack(pub u32);

/// What a cut took that it must not take.
#[derive(Debug, PartialEq, Eq)]
pub enum Loss {
    /// Acknowledged and not there.
    Lost(Ack),
    /// Acknowledged or not, it is there in part or with another content.
    Half(Ack),
    Twice(Ack),
    /// There, but one before it is not.
    Gap(Ack),
    /// It does not open, or not all of it can be read.
    Damaged(String),
}

impl Display for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Ack {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Ack, Self::Err> {
        text.parse().map(Ack)
    }
}

impl Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loss::Lost(ack) => write!(f, "{ack} was acknowledged and is lost"),
            Loss::Half(ack) => write!(f, "{ack} is there in part"),
            Loss::Twice(ack) => write!(f, "{ack} is there twice"),
            Loss::Gap(ack) => write!(f, "{ack} is there, and one before it is not"),
            Loss::Damaged(why) => write!(f, "the journal is damaged: {why}"),
        }
    }
}

impl From<rusqlite::Error> for Loss {
    fn from(error: rusqlite::Error) -> Loss {
        Loss::Damaged(error.to_string())
    }
}

/// Transactions of a run; the child runs twice on the same file.
const TRANSACTIONS: u32 = 40;

/// Frames after which the log is checkpointed: often within a run.
const CHECKPOINT: u32 = 24;

/// Rows of a transaction, so that some fill more than a page and some do not.
fn rows(transaction: u32) -> Vec<String> {
    (0..transaction % 4 + 1)
        .map(|row| {
            let length = 60 + (transaction * 7_919 + row * 104_729) % 1_900;
            format!("{transaction:06}.{row} ").repeat(length as usize / 9)
        })
        .collect()
}

fn open(directory: &Path, synchronous: Synchronous) -> rusqlite::Result<Connection> {
    let connection = Connection::open(directory.join("journal.db"))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", synchronous.name())?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT)?;
    // Without a key: what is written twice would be there twice.
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS entry (tx INTEGER NOT NULL, row INTEGER NOT NULL, text TEXT NOT NULL);
         CREATE INDEX IF NOT EXISTS entry_by_tx ON entry (tx, row);",
    )?;
    Ok(connection)
}

fn write(connection: &mut Connection, transaction: u32) -> rusqlite::Result<()> {
    let batch = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (row, text) in (0_u32..).zip(rows(transaction)) {
        batch.execute("INSERT INTO entry (tx, row, text) VALUES (?1, ?2, ?3)", params![transaction, row, text])?;
    }
    batch.commit()
}

/// Works in `directory` and tells `acknowledge` of each transaction as soon as it is durable.
pub fn child(directory: &Path, synchronous: Synchronous, acknowledge: &mut dyn FnMut(Ack)) {
    let lock = File::create(directory.join("journal.lock")).unwrap();
    lock.try_lock().unwrap();
    let spare = directory.join("journal.spare");
    thread::scope(|scope| {
        // Beside the commits: threads that sync other files, as those of a service do.
        scope.spawn(|| {
            for _ in 0..10 {
                let mut file = File::create(&spare).unwrap();
                file.write_all(&[b's'; 4_096]).unwrap();
                file.sync_all().unwrap();
                fs::remove_file(&spare).unwrap();
            }
        });
        let mut connection = open(directory, synchronous).unwrap();
        for transaction in 1..=TRANSACTIONS {
            write(&mut connection, transaction).unwrap();
            acknowledge(Ack(transaction));
            if transaction == TRANSACTIONS / 2 {
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
            }
        }
        connection.close().unwrap();
    });
    let mut connection = open(directory, synchronous).unwrap();
    for transaction in TRANSACTIONS + 1..=2 * TRANSACTIONS {
        write(&mut connection, transaction).unwrap();
        acknowledge(Ack(transaction));
    }
    // The process ends without a word.
    std::mem::forget(connection);
}

/// Opens what is left in `directory`, as the next start would, and looks whether it holds what it must.
///
/// # Errors
/// What is missing, there in part or there twice.
pub fn check(directory: &Path, acknowledged: &[Ack]) -> Result<(), Loss> {
    let mut connection = open(directory, Synchronous::Full)?;
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(Loss::Damaged(verdict));
    }
    let there = holds(&connection)?;
    if let Some(lost) = acknowledged.iter().find(|ack| !there.contains_key(&ack.0)) {
        return Err(Loss::Lost(*lost));
    }
    // It goes on where it was left.
    let next = u32::try_from(there.len()).unwrap() + 1;
    write(&mut connection, next)?;
    if holds(&connection)?.len() != next as usize {
        return Err(Loss::Lost(Ack(next)));
    }
    Ok(())
}

/// The transactions that are there, each whole and once, the first to the last without a gap.
fn holds(connection: &Connection) -> Result<BTreeMap<u32, Vec<String>>, Loss> {
    let mut there: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let mut entries = connection.prepare("SELECT tx, text FROM entry NOT INDEXED ORDER BY rowid")?;
    let mut entries = entries.query([])?;
    while let Some(entry) = entries.next()? {
        there.entry(entry.get(0)?).or_default().push(entry.get(1)?);
    }
    for (expected, (transaction, texts)) in (1_u32..).zip(&there) {
        let whole = rows(*transaction);
        if *transaction != expected {
            return Err(Loss::Gap(Ack(*transaction)));
        }
        if *texts != whole {
            let twice = texts.len() > whole.len() && whole.iter().all(|row| texts.contains(row));
            return Err(if twice { Loss::Twice } else { Loss::Half }(Ack(*transaction)));
        }
    }
    Ok(there)
}

mod tests {
    use super::*;

    /// What the check says of the first three transactions and then this.
    fn after(sql: &str, acknowledged: u32) -> Result<(), Loss> {
        let directory = tempdir();
        let mut connection = open(&directory.0, Synchronous::Off).unwrap();
        (1..=3).for_each(|transaction| write(&mut connection, transaction).unwrap());
        connection.execute_batch(sql).unwrap();
        connection.close().unwrap();
        check(&directory.0, &(1..=acknowledged).map(Ack).collect::<Vec<_>>())
    }

    struct Directory(std::path::PathBuf);

    fn tempdir() -> Directory {
        let name = format!("nivaran-power-cut-{}-{:?}", std::process::id(), thread::current().id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        Directory(directory)
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_check_finds_what_is_lost_or_half_or_twice() {
        assert_eq!(after("", 3), Ok(()));
        assert_eq!(after("", 2), Ok(()));
        assert_eq!(after("", 4), Err(Loss::Lost(Ack(4))));
        assert_eq!(after("DELETE FROM entry WHERE tx = 3", 3), Err(Loss::Lost(Ack(3))));
        assert_eq!(after("DELETE FROM entry WHERE tx = 3", 2), Ok(()));
        assert_eq!(after("DELETE FROM entry WHERE tx = 2", 1), Err(Loss::Gap(Ack(3))));
        assert_eq!(after("DELETE FROM entry WHERE tx = 3 AND row = 1", 2), Err(Loss::Half(Ack(3))));
        assert_eq!(after("UPDATE entry SET text = '' WHERE tx = 3", 2), Err(Loss::Half(Ack(3))));
        let twice = "INSERT INTO entry SELECT * FROM entry WHERE tx = 3";
        assert_eq!(after(twice, 2), Err(Loss::Twice(Ack(3))));
    }
}
