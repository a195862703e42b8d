//! What a disk holds after its power was cut in the middle of a recording.
//!
//! What a finished sync covers is there. Of everything else any part may be there, each file and the names for
//! themselves ([`Fate`]): the kernel writes back what it likes, when it likes, in sectors. Where POSIX promises less than
//! the usual file systems do, the disk keeps to POSIX:
//!
//! - A new file's name is there after a sync of its directory. That ext4, XFS and btrfs keep it with a sync of the file
//!   alone is not counted on. A removal, too, may be forgotten until then.
//! - Names are not kept in order, nor in the order of the bytes: a file may be renamed before its bytes are there.
//! - What a file grew by may be noise until it is synced.
//!
//! Kinder than POSIX in one thing: a sector is old or new, never unreadable, and bytes that nobody wrote stay what they
//! were. SQLite counts on the second (`SQLITE_POWERSAFE_OVERWRITE`) and on no more than the first.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::path::Path;
use std::{fs, io};

use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::recording::{Change, FileId, Node, Recording, Step, Target};

/// What a disk writes whole or not at all, in bytes.
pub const SECTOR: usize = 512;

/// A power cut: after so many steps of the recording, with this chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    pub after: usize,
    pub seed: u64,
}

/// What becomes of what is not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Nothing,
    Everything,
    /// The first few, the last of them torn.
    Prefix,
    /// Any, in any order, the last of them torn.
    Reordered,
    /// Each sector as it was after any of the writes to it.
    Sectors,
}

const FATES: [Fate; 5] = [Fate::Nothing, Fate::Everything, Fate::Prefix, Fate::Reordered, Fate::Sectors];

#[derive(Default)]
struct File<'a> {
    durable: Vec<u8>,
    /// With the step of each.
    pending: Vec<(usize, &'a Change)>,
    mapped: bool,
}

/// A disk at some step of a recording.
pub struct Disk<'a> {
    steps: &'a [Step],
    done: usize,
    files: Vec<File<'a>>,
    names: BTreeMap<String, Node>,
    pending_names: Vec<(usize, &'a Change)>,
    /// Syncs that have begun and not ended, with the step where each began.
    syncs: HashMap<usize, (usize, &'a Target)>,
    acknowledged: Vec<&'a str>,
}

/// What is left after a cut.
pub struct Remains {
    /// By name; a directory has no bytes.
    pub files: BTreeMap<String, Option<Vec<u8>>>,
    /// What became of each file, for whoever looks into a loss.
    pub story: String,
}

impl<'a> Disk<'a> {
    pub fn new(recording: &'a Recording) -> Disk<'a> {
        Disk {
            steps: &recording.steps,
            done: 0,
            files: Vec::new(),
            names: BTreeMap::new(),
            pending_names: Vec::new(),
            syncs: HashMap::new(),
            acknowledged: Vec::new(),
        }
    }

    /// Runs on until `steps` of the recording are done. It does not run back.
    pub fn run_until(&mut self, steps: usize) {
        while self.done < steps.min(self.steps.len()) {
            let at = self.done;
            match &self.steps[at] {
                Step::Change(change) => self.change(at, change),
                Step::SyncBegan { sync, target } => {
                    self.syncs.insert(*sync, (at, target));
                }
                Step::SyncEnded { sync } => {
                    if let Some((began, target)) = self.syncs.remove(sync) {
                        self.sync(began, target);
                    }
                }
                Step::Mapped(file) => self.file(*file).mapped = true,
                Step::Acknowledged(line) => self.acknowledged.push(line),
            }
            self.done += 1;
        }
    }

    /// What has to have survived a cut here.
    pub fn acknowledged(&self) -> &[&'a str] {
        &self.acknowledged
    }

    fn file(&mut self, file: FileId) -> &mut File<'a> {
        if self.files.len() <= file {
            self.files.resize_with(file + 1, File::default);
        }
        &mut self.files[file]
    }

    fn change(&mut self, at: usize, change: &'a Change) {
        match change {
            Change::Write { file, .. } | Change::Resize { file, .. } => self.file(*file).pending.push((at, change)),
            Change::Link { node, .. } => {
                if let Node::File(file) = node {
                    self.file(*file);
                }
                self.pending_names.push((at, change));
            }
            Change::Unlink { .. } | Change::Rename { .. } => self.pending_names.push((at, change)),
        }
    }

    fn sync(&mut self, began: usize, target: &Target) {
        match target {
            Target::File(file) => {
                let file = self.file(*file);
                let covered = file.pending.partition_point(|(at, _)| *at < began);
                for (_, change) in file.pending.drain(..covered) {
                    apply(&mut file.durable, change);
                }
            }
            Target::Directory(directory) => {
                let covered = |at: usize, change: &Change| at < began && is_in(change, directory);
                let (now, later) = self.pending_names.iter().partition(|(at, change)| covered(*at, change));
                self.pending_names = later;
                let now: Vec<(usize, &Change)> = now;
                for (_, change) in now {
                    rename(&mut self.names, change);
                }
            }
        }
    }

    /// What is left if the power is cut here.
    pub fn cut(&self, seed: u64) -> Remains {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut story = String::new();
        let mut names = self.names.clone();
        let fate = FATES[random.random_range(0..FATES.len())];
        let mut kept = self.pending_names.clone();
        match fate {
            Fate::Nothing => kept.clear(),
            Fate::Everything => {}
            Fate::Prefix => kept.truncate(random.random_range(0..=kept.len())),
            Fate::Reordered | Fate::Sectors => kept.retain(|_| random.random()),
        }
        for (_, change) in &kept {
            rename(&mut names, change);
        }
        let _ = write!(story, "names: {} of {} changes kept", kept.len(), self.pending_names.len());

        let mut files = BTreeMap::new();
        for (name, node) in &names {
            // A name in a directory that is not there is not there either.
            if !parent(name).is_empty() && names.get(parent(name)) != Some(&Node::Directory) {
                continue;
            }
            let bytes = match node {
                Node::Directory => None,
                Node::File(file) => {
                    let (bytes, what) = self.files[*file].cut(&mut random);
                    let _ = write!(story, "; {name}: {what}");
                    Some(bytes)
                }
            };
            files.insert(name.clone(), bytes);
        }
        Remains { files, story }
    }
}

impl File<'_> {
    fn cut(&self, random: &mut SmallRng) -> (Vec<u8>, String) {
        let pending: Vec<&Change> = self.pending.iter().map(|(_, change)| *change).collect();
        if self.mapped {
            let mut bytes =
                vec![0; pending.iter().fold(self.durable.len(), |length, change| length_after(length, change))];
            if random.random() {
                random.fill(&mut bytes[..]);
            }
            return (bytes, "mapped, so anything".to_owned());
        }
        if pending.is_empty() {
            return (self.durable.clone(), "synced".to_owned());
        }
        let mut bytes = self.durable.clone();
        let fate = FATES[random.random_range(0..FATES.len())];
        let noise = random.random();
        let mut kept = pending.clone();
        match fate {
            Fate::Nothing => kept.clear(),
            Fate::Everything => {}
            Fate::Prefix => kept.truncate(random.random_range(0..=kept.len())),
            Fate::Reordered => {
                kept.shuffle(random);
                kept.truncate(random.random_range(0..=kept.len()));
            }
            Fate::Sectors => {
                let bytes = sectors(bytes, &pending, noise, random);
                return (bytes, format!("{} changes, each sector after any of them", pending.len()));
            }
        }
        let mut what = format!("{} of {} changes kept, {fate:?}", kept.len(), pending.len());
        for (index, change) in kept.iter().enumerate() {
            let is_last = index + 1 == kept.len();
            if is_last && matches!(fate, Fate::Prefix | Fate::Reordered) {
                let torn = tear(change, random);
                if let (Change::Write { bytes: torn, .. }, Change::Write { bytes: whole, .. }) = (&torn, change) {
                    let _ = write!(what, ", the last with {} of {} bytes", torn.len(), whole.len());
                }
                apply(&mut bytes, &torn);
            } else {
                apply(&mut bytes, change);
            }
        }
        (bytes, what)
    }
}

fn length_after(length: usize, change: &Change) -> usize {
    match change {
        Change::Write { offset, bytes, .. } => length.max(offset + bytes.len()),
        Change::Resize { length, .. } => *length,
        _ => length,
    }
}

fn apply(file: &mut Vec<u8>, change: &Change) {
    file.resize(length_after(file.len(), change), 0);
    if let Change::Write { offset, bytes, .. } = change {
        file[*offset..offset + bytes.len()].copy_from_slice(bytes);
    }
}

/// The change up to the end of any of its sectors.
fn tear(change: &Change, random: &mut SmallRng) -> Change {
    let Change::Write { file, offset, bytes } = change else { return change.clone() };
    let end = offset + bytes.len();
    let sectors = end.div_ceil(SECTOR) - offset / SECTOR;
    let torn = ((offset / SECTOR + random.random_range(0..=sectors)) * SECTOR).clamp(*offset, end);
    Change::Write { file: *file, offset: *offset, bytes: bytes[..torn - offset].to_vec() }
}

/// Each sector as it was after any of the changes that touch it, and the length after any of the changes. What was
/// never written in the part by which the file grew is zeros or noise.
fn sectors(durable: Vec<u8>, pending: &[&Change], noise: bool, random: &mut SmallRng) -> Vec<u8> {
    let mut length = durable.len();
    let mut lengths = vec![length];
    let mut most = length;
    for change in pending {
        length = length_after(length, change);
        lengths.push(length);
        most = most.max(length);
    }
    let length = lengths[random.random_range(0..lengths.len())];
    let touched = |change: &Change| match change {
        Change::Write { offset, bytes, .. } => offset / SECTOR..(offset + bytes.len()).div_ceil(SECTOR),
        Change::Resize { length, .. } => length / SECTOR..most.div_ceil(SECTOR),
        _ => 0..0,
    };
    let mut touches = vec![0_usize; most.div_ceil(SECTOR)];
    for change in pending {
        touched(change).for_each(|sector| touches[sector] += 1);
    }
    let mut left: Vec<usize> = touches.iter().map(|touches| random.random_range(0..=*touches)).collect();

    let grown = durable.len();
    let mut file = durable;
    file.resize(most, 0);
    if noise {
        random.fill(&mut file[grown..]);
    }
    for change in pending {
        for sector in touched(change) {
            if left[sector] == 0 {
                continue;
            }
            left[sector] -= 1;
            let (from, to) = (sector * SECTOR, ((sector + 1) * SECTOR).min(most));
            match change {
                Change::Write { offset, bytes, .. } => {
                    let (from, to) = (from.max(*offset), to.min(offset + bytes.len()));
                    file[from..to].copy_from_slice(&bytes[from - offset..to - offset]);
                }
                Change::Resize { length, .. } => file[from.max(*length).min(to)..to].fill(0),
                _ => {}
            }
        }
    }
    file.truncate(length);
    file
}

fn parent(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn is_in(change: &Change, directory: &str) -> bool {
    match change {
        Change::Link { name, .. } | Change::Unlink { name } => parent(name) == directory,
        Change::Rename { from, to, .. } => parent(from) == directory || parent(to) == directory,
        Change::Write { .. } | Change::Resize { .. } => false,
    }
}

fn rename(names: &mut BTreeMap<String, Node>, change: &Change) {
    match change {
        Change::Link { name, node } => {
            names.insert(name.clone(), *node);
        }
        Change::Unlink { name } => {
            names.remove(name);
        }
        Change::Rename { from, to, node } => {
            names.remove(from);
            names.insert(to.clone(), *node);
        }
        Change::Write { .. } | Change::Resize { .. } => {}
    }
}

impl Remains {
    /// Writes them into `directory`, which is made.
    ///
    /// # Errors
    /// The file system's.
    pub fn put(&self, directory: &Path) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        // A directory stands before what is in it.
        for (name, bytes) in &self.files {
            match bytes {
                None => fs::create_dir_all(directory.join(name))?,
                Some(bytes) => fs::write(directory.join(name), bytes)?,
            }
        }
        Ok(())
    }
}

/// `count` cuts of a recording from one seed, in the order of their steps. None is before the first step.
pub fn cuts(recording: &Recording, seed: u64, count: usize) -> Vec<Cut> {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut cuts: Vec<Cut> = (0..count).map(|_| cut_of(recording, random.random())).collect();
    cuts.sort_by_key(|cut| cut.after);
    cuts
}

/// The cut that a seed stands for.
pub fn cut_of(recording: &Recording, seed: u64) -> Cut {
    let mut random = SmallRng::seed_from_u64(seed.rotate_left(32));
    Cut { after: random.random_range(1..=recording.steps.len().max(1)), seed }
}

mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn write(file: FileId, offset: usize, bytes: &[u8]) -> Step {
        Step::Change(Change::Write { file, offset, bytes: bytes.to_vec() })
    }

    fn link(name: &str, node: Node) -> Step {
        Step::Change(Change::Link { name: name.to_owned(), node })
    }

    fn synced(sync: usize, target: Target) -> [Step; 2] {
        [Step::SyncBegan { sync, target }, Step::SyncEnded { sync }]
    }

    fn root() -> Target {
        Target::Directory(String::new())
    }

    /// A letter for each sector, `.` for zeros, `#` for anything else.
    fn letters(bytes: &[u8]) -> String {
        let letter = |sector: &[u8]| match sector[0] {
            first if sector.iter().any(|byte| *byte != first) => '#',
            0 => '.',
            first => char::from(first),
        };
        bytes.chunks(SECTOR).map(letter).collect()
    }

    /// Everything that can be left of these steps: the files with their sectors, as `name=letters`.
    fn outcomes(steps: Vec<Step>) -> BTreeSet<String> {
        let recording = Recording { steps };
        let mut disk = Disk::new(&recording);
        disk.run_until(recording.steps.len());
        let show = |remains: &Remains| {
            let file = |(name, bytes): (&String, &Option<Vec<u8>>)| match bytes {
                Some(bytes) => format!("{name}={}", letters(bytes)),
                None => format!("{name}/"),
            };
            remains.files.iter().map(file).collect::<Vec<_>>().join(" ")
        };
        (0..2_000).map(|seed| show(&disk.cut(seed))).collect()
    }

    /// A file `a` with these sectors, synced, and its name too; then more.
    fn after(sectors: &str, more: Vec<Step>) -> Vec<Step> {
        let mut steps = vec![link("a", Node::File(0)), write(0, 0, &sectors_of(sectors))];
        steps.extend(synced(1, Target::File(0)));
        steps.extend(synced(2, root()));
        steps.extend(more);
        steps
    }

    fn sectors_of(letters: &str) -> Vec<u8> {
        letters.bytes().flat_map(|letter| [letter; SECTOR]).collect()
    }

    fn set(outcomes: &[&str]) -> BTreeSet<String> {
        outcomes.iter().map(|outcome| (*outcome).to_owned()).collect()
    }

    #[test]
    fn what_is_synced_is_there() {
        assert_eq!(outcomes(after("xyz", vec![])), set(&["a=xyz"]));
    }

    #[test]
    fn a_write_is_there_or_not_or_in_part() {
        let steps = after("xx", vec![write(0, 0, &sectors_of("BB"))]);
        assert_eq!(outcomes(steps), set(&["a=xx", "a=BB", "a=Bx", "a=xB"]));
        // A sector that it shares with what was there is whole.
        let steps = after("xx", vec![write(0, 256, &[b'x'; 512])]);
        assert_eq!(outcomes(steps), set(&["a=xx"]));
    }

    #[test]
    fn writes_are_there_in_any_order() {
        let steps = after("xx", vec![write(0, 0, &sectors_of("B")), write(0, 512, &sectors_of("C"))]);
        assert_eq!(outcomes(steps), set(&["a=xx", "a=Bx", "a=xC", "a=BC"]));
        let steps = after("x", vec![write(0, 0, &sectors_of("B")), write(0, 0, &sectors_of("C"))]);
        assert_eq!(outcomes(steps), set(&["a=x", "a=B", "a=C"]));
    }

    #[test]
    fn a_sync_covers_what_came_before_it_began() {
        let mut more = vec![write(0, 0, &sectors_of("B")), Step::SyncBegan { sync: 9, target: Target::File(0) }];
        let before_the_end = outcomes(after("xx", more.clone()));
        assert_eq!(before_the_end, set(&["a=xx", "a=Bx"]));
        more.extend([write(0, 512, &sectors_of("C")), Step::SyncEnded { sync: 9 }]);
        assert_eq!(outcomes(after("xx", more)), set(&["a=Bx", "a=BC"]));
    }

    #[test]
    fn what_a_file_grows_by_may_be_zeros_or_noise_until_it_is_synced() {
        let steps = after("x", vec![write(0, 512, &sectors_of("BC"))]);
        let kept = ["a=x", "a=xB", "a=xBC", "a=xB.", "a=x.C", "a=x..", "a=xB#", "a=x#C", "a=x##"];
        assert_eq!(outcomes(steps), set(&kept));
    }

    #[test]
    fn a_file_that_was_cut_short_may_be_long_still() {
        let steps = after("xy", vec![Step::Change(Change::Resize { file: 0, length: 0 })]);
        assert_eq!(outcomes(steps), set(&["a=", "a=xy", "a=x.", "a=.y", "a=.."]));
    }

    #[test]
    fn a_name_is_there_after_a_sync_of_its_directory() {
        let steps = |more: &[Step]| {
            let mut steps = vec![link("a", Node::File(0)), write(0, 0, &sectors_of("x"))];
            steps.extend(synced(1, Target::File(0)));
            steps.extend_from_slice(more);
            steps
        };
        assert_eq!(outcomes(steps(&[])), set(&["", "a=x"]));
        assert_eq!(outcomes(steps(&synced(2, root()))), set(&["a=x"]));
        let other = synced(2, Target::Directory("d".to_owned()));
        assert_eq!(outcomes(steps(&other)), set(&["", "a=x"]));
    }

    #[test]
    fn names_change_for_themselves() {
        let rename = Change::Rename { from: "a".into(), to: "b".into(), node: Node::File(0) };
        let steps = after("x", vec![Step::Change(rename)]);
        assert_eq!(outcomes(steps), set(&["a=x", "b=x"]));
        let steps = after("x", vec![Step::Change(Change::Unlink { name: "a".into() }), link("a", Node::File(1))]);
        assert_eq!(outcomes(steps), set(&["a=x", "", "a="]));
        let steps = after("x", vec![link("d", Node::Directory), link("d/b", Node::File(1))]);
        assert_eq!(outcomes(steps), set(&["a=x", "a=x d/", "a=x d/ d/b="]));
    }

    #[test]
    fn a_mapped_file_is_anything() {
        let steps = after("x", vec![Step::Mapped(0)]);
        assert_eq!(outcomes(steps), set(&["a=.", "a=#"]));
    }

    #[test]
    fn a_seed_is_one_cut() {
        let recording = Recording { steps: after("x", vec![write(0, 0, &sectors_of("BC"))]) };
        let cuts = cuts(&recording, 7, 100);
        assert_eq!(cuts.len(), 100);
        assert!(cuts.is_sorted_by_key(|cut| cut.after));
        assert_eq!(cuts.iter().map(|cut| cut.after).collect::<BTreeSet<_>>(), (1..=7).collect());
        for cut in cuts {
            assert_eq!(cut_of(&recording, cut.seed), cut);
        }
    }

    #[test]
    fn what_is_acknowledged_counts_from_there() {
        let steps = vec![Step::Acknowledged("1".into()), link("a", Node::File(0)), Step::Acknowledged("2".into())];
        let recording = Recording { steps };
        let mut disk = Disk::new(&recording);
        disk.run_until(2);
        assert_eq!(disk.acknowledged(), ["1"]);
        disk.run_until(3);
        assert_eq!(disk.acknowledged(), ["1", "2"]);
    }
}
