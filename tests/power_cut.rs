//! A power cut loses nothing that was acknowledged.
//!
//! A child does its work while `strace` writes down what it does to its files and what it acknowledges. Then the power
//! is cut, on paper and as often as one likes: the recording is replayed up to a random step, the disk is made to hold
//! what it may hold then (`power_cut/disk.rs`), and the journal is opened again and checked (`power_cut/load.rs`).
//! Controls that must lose something show that a loss is seen. Without `strace` all of them are skipped, and say so.
//!
//! - `NIVARAN_POWER_CUTS`: how many cuts, instead of the 300 of an ordinary run.
//! - `NIVARAN_POWER_CUT_SEED`: this one cut. A failure names it.
//! - `NIVARAN_POWER_CUT_RECORDING`: in this recording, which a failure leaves behind. Threads take turns differently in
//!   each recording, so a seed alone is not always the same cut.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "power_cut/disk.rs"]
mod disk;
#[path = "power_cut/load.rs"]
mod load;
#[path = "power_cut/recording.rs"]
mod recording;
mod support;
#[path = "power_cut/trace.rs"]
mod trace;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, io, process, thread};

use disk::{Cut, Disk, cut_of, cuts};
use load::{Ack, Loss};
use nivaran::store::sqlite::Synchronous;
use recording::{Recording, Step, record, strace_is_missing};

/// Cuts of an ordinary run.
const CUTS: usize = 300;
/// Any will do; it is the same in each run so that a run can be compared with another.
const SEED: u64 = 0x6e69_7661_7261_6e00;

const RECORDING: &str = "NIVARAN_POWER_CUT_RECORDING";
const CHILD: &str = "NIVARAN_POWER_CUT_CHILD";
const SYNCHRONOUS: &str = "NIVARAN_POWER_CUT_SYNCHRONOUS";

// ---- the promise and its controls ----------------------------------------------------------------------------------

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let Some(recorded) = recorded(Synchronous::Full) else { return };
    let cuts = match number("NIVARAN_POWER_CUT_SEED") {
        Some(seed) => vec![cut_of(&recorded.recording, seed)],
        None => cuts(&recorded.recording, SEED, count()),
    };
    let made = cuts.len();
    let lost = losses(&recorded.recording, cuts);
    say(&format!("{made} power cuts with synchronous=FULL: {} lost", lost.len()));
    if let Some(first) = lost.first() {
        let kept = recorded.keep();
        panic!(
            "{} of {made} power cuts lost something; the first after step {} of {}: {}\n  left: {}\n  again: \
             NIVARAN_POWER_CUT_SEED={} {RECORDING}={} cargo test --test power_cut a_power_cut",
            lost.len(),
            first.cut.after,
            recorded.recording.steps.len(),
            first.loss,
            first.story,
            first.cut.seed,
            kept.display(),
        );
    }
}

#[test]
fn with_synchronous_normal_the_test_sees_a_loss() {
    let lost = the_test_sees_a_loss(Synchronous::Normal);
    // SQLite promises that the end is lost and nothing else. If something else is, the disk is worse than a disk can be.
    if let Some(other) = lost.iter().find(|lost| !is_lost(&lost.loss)) {
        panic!("with synchronous=NORMAL, after step {}: {}\n  left: {}", other.cut.after, other.loss, other.story);
    }
}

#[test]
fn with_synchronous_off_the_test_sees_a_loss() {
    the_test_sees_a_loss(Synchronous::Off);
}

/// The log, the database and the directory: a replay that is blind to one of them would pass all the rest.
#[test]
fn on_a_disk_that_leaves_out_a_sync_the_test_sees_a_loss() {
    let Some(recorded) = recorded(Synchronous::Full) else { return };
    for (what, is_called_so) in load::NEEDED_SYNCS {
        let recording = recorded.recording.without_syncs(is_called_so);
        assert!(recording.steps.len() < recorded.recording.steps.len(), "{what} is never synced");
        let lost = losses(&recording, cuts(&recording, SEED, CUTS));
        say(&format!("{CUTS} power cuts without the syncs of {what}: {} lost", lost.len()));
        assert!(!lost.is_empty(), "{CUTS} power cuts without the syncs of {what}, and no loss was seen");
    }
}

fn the_test_sees_a_loss(synchronous: Synchronous) -> Vec<Lost> {
    let Some(recorded) = recorded(synchronous) else { return Vec::new() };
    let made = count();
    let lost = losses(&recorded.recording, cuts(&recorded.recording, SEED, made));
    say(&format!("{made} power cuts with synchronous={}: {} lost", name(synchronous), lost.len()));
    assert!(
        lost.iter().any(|lost| is_lost(&lost.loss)),
        "{made} power cuts, and nothing acknowledged was seen to be lost"
    );
    lost
}

// ---- the child -----------------------------------------------------------------------------------------------------

/// The other tests start this one, alone and under `strace`. For whoever starts it otherwise it is empty.
#[test]
fn the_child_that_is_recorded() {
    let Some(root) = env::var_os(CHILD).map(PathBuf::from) else { return };
    let wanted = env::var(SYNCHRONOUS).unwrap();
    let known = [Synchronous::Full, Synchronous::Normal, Synchronous::Off];
    let synchronous = known.into_iter().find(|known| name(*known) == wanted).unwrap();
    // The trace has these writes between the syncs, which gives them their order. A file, as stdout is also libtest's.
    let mut said = OpenOptions::new().create(true).append(true).open(root.join("acknowledged")).unwrap();
    load::child(&root.join("disk"), synchronous, &mut |ack| {
        said.write_all(format!("{ack}\n").as_bytes()).unwrap();
    });
}

// ---- recording and cutting -----------------------------------------------------------------------------------------

struct Recorded {
    recording: Recording,
    trace: String,
    root: PathBuf,
}

/// A child's recording; none where there is no strace.
fn recorded(synchronous: Synchronous) -> Option<Recorded> {
    if let Some(kept) = env::var_os(RECORDING).map(PathBuf::from) {
        let trace = fs::read_to_string(kept.join("trace")).unwrap();
        let root = PathBuf::from(fs::read_to_string(kept.join("root")).unwrap());
        return Some(Recorded::read(trace, root));
    }
    if let Some(why) = strace_is_missing() {
        say(&format!("skipped: strace is not to be had ({why})"));
        return None;
    }
    let (scratch, large) = (Scratch::in_memory(), Scratch::on_disk());
    let root = scratch.0.canonicalize().unwrap();
    fs::create_dir(root.join("disk")).unwrap();
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "the_child_that_is_recorded", "--nocapture", "--test-threads=1"]);
    child.env(CHILD, &root).env(SYNCHRONOUS, name(synchronous));
    let trace = record(&child, &large.0.join("trace")).unwrap_or_else(|why| panic!("{why}"));
    Some(Recorded::read(trace, root))
}

impl Recorded {
    fn read(trace: String, root: PathBuf) -> Recorded {
        let recording = Recording::read(&trace, &root).unwrap_or_else(|why| panic!("{why}"));
        let told = recording.steps.iter().filter(|step| matches!(step, Step::Acknowledged(_))).count();
        assert!(told > 0, "the recorded child acknowledged nothing");
        Recorded { recording, trace, root }
    }

    /// Leaves the recording behind, so that a failed cut can be made again.
    fn keep(&self) -> PathBuf {
        if let Some(kept) = env::var_os(RECORDING) {
            return kept.into();
        }
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("power-cut-lost-{}", process::id()));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("trace"), &self.trace).unwrap();
        fs::write(directory.join("root"), self.root.to_str().unwrap()).unwrap();
        directory
    }
}

struct Lost {
    cut: Cut,
    loss: Loss,
    story: String,
}

fn name(synchronous: Synchronous) -> &'static str {
    match synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
        Synchronous::Off => "OFF",
    }
}

fn is_lost(loss: &Loss) -> bool {
    matches!(loss, Loss::Lost(_))
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

fn count() -> usize {
    number("NIVARAN_POWER_CUTS").map_or(CUTS, |count| usize::try_from(count).unwrap())
}

/// Makes the cuts, on as many threads as there are processors. Those that lost something, in the order of their steps.
fn losses(recording: &Recording, cuts: Vec<Cut>) -> Vec<Lost> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut lost: Vec<Lost> = thread::scope(|scope| {
        let part = |first: usize| cuts.iter().copied().skip(first).step_by(threads);
        let parts: Vec<_> = (0..threads).map(|first| scope.spawn(move || losses_of(recording, part(first)))).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    lost.sort_by_key(|lost| lost.cut.after);
    lost
}

/// `cuts` are in the order of their steps.
fn losses_of(recording: &Recording, cuts: impl Iterator<Item = Cut>) -> Vec<Lost> {
    let scratch = Scratch::in_memory();
    let mut disk = Disk::new(recording);
    let mut lost = Vec::new();
    for cut in cuts {
        disk.run_until(cut.after);
        let remains = disk.cut(cut.seed);
        let directory = scratch.0.join(cut.seed.to_string());
        remains.put(&directory).unwrap();
        let acknowledged: Vec<Ack> = disk.acknowledged().iter().map(|line| line.parse().unwrap()).collect();
        if let Err(loss) = load::check(&directory, &acknowledged) {
            lost.push(Lost { cut, loss, story: remains.story });
        }
        fs::remove_dir_all(&directory).unwrap();
    }
    lost
}

/// A directory that goes with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(parent: &Path) -> io::Result<Scratch> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = parent.join(format!("nivaran-power-cut-{}-{number}", process::id()));
        fs::create_dir_all(&directory)?;
        Ok(Scratch(directory))
    }

    /// For a trace, which has megabytes.
    fn on_disk() -> Scratch {
        Scratch::new(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap()
    }

    /// For what is small and made often, or synced often. Nothing in it has to survive.
    fn in_memory() -> Scratch {
        Scratch::new(Path::new("/dev/shm")).or_else(|_| Scratch::new(&env::temp_dir())).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Past libtest, which keeps what a test that passes has printed to itself.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "power_cut: {text}");
}
