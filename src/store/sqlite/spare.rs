//! A file that only takes up room: freed when the disk is full, so that SQLite can tidy up and go on for a while.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::PathBuf;

/// What is written there.
const FILLING: u8 = 0x5a;
static BLOCK: [u8; 65_536] = [FILLING; 65_536];

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
        if self.bytes == 0 {
            return Ok(());
        }
        if let Ok(there) = fs::symlink_metadata(&self.path) {
            if !self.is_ours(&there) {
                return Err(io::Error::other("a file of its name is somebody else's; give that another name"));
            }
            if there.len() >= self.bytes {
                return Ok(());
            }
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
        let mut left = self.bytes;
        while left > 0 {
            let now = left.min(BLOCK.len() as u64);
            file.write_all(&BLOCK[..usize::try_from(now).unwrap_or(BLOCK.len())])?;
            left -= now;
        }
        file.sync_all()
    }

    /// Gives the room back; whether there was some.
    pub(super) fn free(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|there| self.is_ours(&there)) && fs::remove_file(&self.path).is_ok()
    }

    /// Whether it is a file with nothing but what is written there.
    fn is_ours(&self, there: &Metadata) -> bool {
        let begins = || -> io::Result<bool> {
            let mut begin = Vec::new();
            File::open(&self.path)?.take(BLOCK.len() as u64).read_to_end(&mut begin)?;
            Ok(begin.iter().all(|byte| *byte == FILLING))
        };
        there.is_file() && begins().unwrap_or_default()
    }
}
