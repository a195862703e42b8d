//! Copying the file while an engine has it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi::ErrorCode;
use rusqlite::{Connection, InterruptHandle, OpenFlags};

use super::file::beside;
use super::rows::set_fact;
use crate::store::StoreError;

/// The fact by which a copy is known.
pub(super) const COPIED: &str = "copied";

/// The copies of a journal that are under way. Each reads from the log, which cannot be brought home meanwhile.
#[derive(Clone, Default)]
pub(super) struct Copies(Arc<Mutex<BTreeMap<PathBuf, InterruptHandle>>>);

impl Copies {
    /// Breaks them off.
    pub(super) fn break_off(&self) {
        self.all().values().for_each(InterruptHandle::interrupt);
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<PathBuf, InterruptHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies the journal at `from` to a new file, durably; a copy that breaks off leaves nothing under that name.
    pub(super) fn make(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        let place = Place::take(to)?;
        let made = back_up(from, to, |handle| drop(self.all().insert(to.to_owned(), handle)));
        self.all().remove(to);
        drop(place);
        made
    }
}

impl std::fmt::Debug for Copies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.all().keys()).finish()
    }
}

fn back_up(from: &Path, to: &Path, begins: impl FnOnce(InterruptHandle)) -> Result<(), StoreError> {
    let io = |what: &str, error: std::io::Error| StoreError { reason: format!("{what} {}: {error}", to.display()) };
    if to.try_exists().map_err(|error| io("the place of the copy", error))? {
        let reason = format!("{} is there already; give the copy another name", to.display());
        return Err(StoreError { reason });
    }
    if let Some(log) = ["-wal", "-journal"].map(|log| beside(to, log)).into_iter().find(|log| log.exists()) {
        // SQLite would take it for the copy's own, and write what it has into the copy.
        let reason = format!("{} is left of another file of that name; remove it first", log.display());
        return Err(StoreError { reason });
    }
    let part = beside(to, "-nivaran-part");
    for left in [part.clone(), beside(&part, "-journal")] {
        if let Err(error) = std::fs::remove_file(&left)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(io("what is left of an earlier copy to", error));
        }
    }
    let copy = || -> Result<(), StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(from, flags)?;
        let name = part.to_str().ok_or_else(|| StoreError { reason: "the copy's name is no UTF-8".to_owned() })?;
        begins(connection.get_interrupt_handle());
        make_empty(from, &part).map_err(|error| io("the copy", error))?;
        connection.execute("VACUUM INTO ?1", [name]).map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => {
                let reason = "the copy was broken off, since the journal had to be opened again; make it anew";
                StoreError { reason: reason.to_owned() }
            }
            _ => error.into(),
        })?;
        set_fact(&Connection::open(&part)?, COPIED, 1)?;
        // The copy is nobody's yet, so it may be opened by other means.
        std::fs::File::open(&part).and_then(|file| file.sync_all()).map_err(|error| io("the copy", error))?;
        give_name(&part, to).map_err(|error| io("the copy", error))?;
        sync_folder(to).map_err(|error| io("the folder of the copy", error))
    };
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(StoreError { reason: format!("there is no folder {}; make it first", folder.display()) });
    }
    copy().inspect_err(|_| drop(std::fs::remove_file(&part)))
}

/// Makes an empty file that whoever may read the journal may read, and nobody else.
fn make_empty(from: &Path, part: &Path) -> std::io::Result<()> {
    let rights = std::fs::metadata(from)?.permissions();
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(part)?;
    file.set_permissions(rights)
}

/// Gives the copy its name, unless a file of that name has come meanwhile.
fn give_name(part: &Path, to: &Path) -> std::io::Result<()> {
    match std::fs::hard_link(part, to) {
        Ok(()) => std::fs::remove_file(part),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(error),
        // Not every file system knows links.
        Err(_) => std::fs::rename(part, to),
    }
}

/// The places to which copies are under way in this process: two of one name would write over each other.
static UNDER_WAY: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A place that no other copy of this process can have, as long as this lives.
struct Place(PathBuf);

impl Place {
    fn take(to: &Path) -> Result<Self, StoreError> {
        if Self::all().insert(to.to_owned()) {
            Ok(Self(to.to_owned()))
        } else {
            let reason = format!("another copy to {} is under way; give another name", to.display());
            Err(StoreError { reason })
        }
    }

    fn all() -> MutexGuard<'static, BTreeSet<PathBuf>> {
        UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        Self::all().remove(&self.0);
    }
}

#[cfg(unix)]
fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened to be synced; renaming is durable by itself there.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}
