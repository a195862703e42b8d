//! A file that only takes up room: freed when the disk is full, so that SQLite can tidy up and go on for a while.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

/// The spare file beside a journal.
#[derive(Debug)]
pub(super) struct Spare {
    path: PathBuf,
    bytes: u64,
}

impl Spare {
    pub(super) fn new(path: PathBuf, bytes: u64) -> Self {
        Self { path, bytes }
    }

    /// Takes up the room, if it is not taken up already.
    pub(super) fn lay(&self) -> io::Result<()> {
        if self.bytes == 0 || fs::metadata(&self.path).is_ok_and(|there| there.len() >= self.bytes) {
            return Ok(());
        }
        let laid = self.write();
        if laid.is_err() {
            // Half of it would be in the way.
            self.free();
        }
        laid
    }

    fn write(&self) -> io::Result<()> {
        let mut file = File::create(&self.path)?;
        // Written and not only made long: a hole takes up no room.
        let block = [0x5a; 65_536];
        let mut left = self.bytes;
        while left > 0 {
            let now = left.min(block.len() as u64);
            file.write_all(&block[..usize::try_from(now).unwrap_or(block.len())])?;
            left -= now;
        }
        file.sync_all()
    }

    /// Gives the room back; whether there was some.
    pub(super) fn free(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }
}
