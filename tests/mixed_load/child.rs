//! A load in a process of its own, so that it can be killed: the test's own program, started again, which tells what it
//! was answered on a pipe.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::Told;

/// Where a child finds what it is to do.
const ORDERS: &str = "NIVARAN_TEST_ORDERS";

/// What a load in a child needs to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Orders<T> {
    pub path: PathBuf,
    pub seed: u64,
    /// Its posts are numbered from here on.
    pub first_post: u64,
    /// Posts that are tickets already.
    pub known: Vec<u64>,
    /// How many answers to wait for before it shuts down by itself.
    pub answers: u64,
    /// What the test has to say besides.
    pub more: T,
}

/// The orders of this process, if it is a child.
pub fn orders<T: DeserializeOwned>() -> Option<Orders<T>> {
    let orders = std::env::var(ORDERS).ok()?;
    Some(serde_json::from_str(&orders).unwrap())
}

/// Tells the parent. The line is in the pipe when this returns, whole: it is shorter than a pipe takes at once, and
/// what writes it keeps nothing back of a line that is complete.
pub fn tell(told: &Told) {
    let line = told.line();
    let mut out = std::io::stdout().lock();
    if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
        // Nobody listens any more.
        std::process::exit(1);
    }
}

/// A child that runs. It is killed at the latest when this is dropped.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Starts this program again, to run the ignored test `name` only. `before` are a program and its arguments to run
    /// it under, if any.
    pub fn start<T: Serialize>(name: &str, orders: &Orders<T>, before: &[&str]) -> std::io::Result<Self> {
        let program = std::env::current_exe()?;
        let mut command = match before {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        let mut child = command
            .args([name, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
            .env(ORDERS, serde_json::to_string(orders)?)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().expect("it has a pipe");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // A last line that breaks off is none.
            for line in BufReader::new(out).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, lines })
    }

    /// The next that it tells; `None` when it has come to its end.
    ///
    /// # Panics
    /// When it tells nothing for so long that it has to hang.
    pub fn next(&self, guard: Duration) -> Option<Told> {
        loop {
            match self.lines.recv_timeout(guard) {
                Ok(line) => {
                    if let Some(told) = Told::of(&line) {
                        return Some(told);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the child told nothing for {guard:?}: something waits for good")
                }
            }
        }
    }

    /// Kills it with SIGKILL; answers what it had told that was not heard yet.
    pub fn kill(mut self, guard: Duration) -> Vec<Told> {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
        std::iter::from_fn(|| self.next(guard)).collect()
    }

    /// Whether it ended well; it has to have come to its end.
    pub fn ended_well(&mut self) -> bool {
        self.child.wait().is_ok_and(|status| status.success())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A folder of its own for a test's files, which is removed when the test passed.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("what was found is left in {}", self.0.display());
        } else {
            drop(std::fs::remove_dir_all(&self.0));
        }
    }
}
