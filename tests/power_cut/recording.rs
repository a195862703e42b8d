//! What a child did to its files and whom it told, in order: recorded by `strace`, read into steps.
//!
//! The child is not modified. Everything that it does to the recorded directory is in the trace; what this file cannot
//! follow (a process of its own, a writable mapping, a call that it does not know) fails the reading and is never
//! passed over, as a replay without it would show nothing.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::trace::{self, Call, annotation, number};

/// Everything is recorded but a few calls that change no file, so that nothing is missed because nobody thought of it.
/// `read` is recorded too: it moves the place where the next `write` goes.
const OPTIONS: [&str; 9] = [
    "-f",
    "--seccomp-bpf",
    "-y",
    "-xx",
    "-s",
    "1000000000",
    "-e",
    "trace=!pread64,preadv,preadv2,futex,mprotect,madvise,brk,munmap,rt_sigaction,rt_sigprocmask,sched_yield,\
     clock_nanosleep,?epoll_wait,epoll_pwait,getrandom",
    "-o",
];

/// Calls on the recorded files after which they are what they were before.
const CHANGE_NOTHING: [&str; 27] = [
    "access",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fchmod",
    "fchmodat",
    "fchown",
    "fcntl",
    "fgetxattr",
    "flock",
    "fstat",
    "fstatfs",
    "getdents64",
    "getxattr",
    "lgetxattr",
    "lstat",
    "newfstatat",
    "pread64",
    "preadv",
    "readahead",
    "readlink",
    "readlinkat",
    "stat",
    "statfs",
    "statx",
    // Neither promises anything that a power cut keeps.
    "msync",
    "sync_file_range",
];

/// A file as the disk knows it, whatever its names: a count from 0.
pub type FileId = usize;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    File(FileId),
    Directory,
}

/// A change that is on the disk after the next sync of its file or directory, and perhaps before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Write { file: FileId, offset: usize, bytes: Vec<u8> },
    Resize { file: FileId, length: usize },
    Link { name: String, node: Node },
    Unlink { name: String },
    Rename { from: String, to: String, node: Node },
}

/// What a sync is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    File(FileId),
    Directory(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It came back from the kernel.
    Change(Change),
    /// What came back before this is covered by it.
    SyncBegan { sync: usize, target: Target },
    /// What it covers is on the disk.
    SyncEnded { sync: usize },
    /// The file is written through a mapping from here on: the trace does not show what.
    Mapped(FileId),
    /// The child begins to tell: what this line speaks of has to survive.
    Acknowledged(String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    pub steps: Vec<Step>,
}

/// Runs `child` under `strace`, which writes what it sees into the file `trace`.
///
/// # Errors
/// The child, or `strace`, ended with an error.
pub fn record(child: &Command, trace: &Path) -> Result<String, String> {
    let mut strace = Command::new("strace");
    // A relative path in the trace would be one from `/`, and no recorded file is.
    strace.args(OPTIONS).arg(trace).arg("--").arg(child.get_program()).args(child.get_args()).current_dir("/");
    strace.envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let Output { status, stdout, stderr } =
        strace.stdin(Stdio::null()).output().map_err(|error| format!("strace: {error}"))?;
    if !status.success() {
        let said = [String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)].concat();
        return Err(format!("the recorded child ended with {status}: {said}"));
    }
    fs::read_to_string(trace).map_err(|error| format!("the trace: {error}"))
}

/// Why nothing can be recorded on this machine, if so: there is no strace, or a container forbids what it rests on.
pub fn strace_is_missing() -> Option<String> {
    match Command::new("strace").args(OPTIONS).args(["/dev/null", "--", "true"]).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(error.to_string()),
    }
}

impl Recording {
    /// Reads the trace of a child that worked in `root`: in `disk`, which loses its power, and in `acknowledged`, where
    /// it says what is durable, a line each.
    ///
    /// # Errors
    /// The first line that cannot be followed.
    pub fn read(trace: &str, root: &Path) -> Result<Recording, String> {
        let (disk, acknowledged) = (root.join("disk"), root.join("acknowledged"));
        let paths = [&disk, &acknowledged].map(|path| path.to_str().unwrap_or_default());
        let calls = trace::calls(trace, &paths).map_err(|unreadable| unreadable.to_string())?;
        let mut reader = Reader { disk, acknowledged, ..Reader::default() };
        // A call takes effect where it ends. A sync covers what ended before it began, a descriptor is free from where
        // its close begins, and an acknowledgement counts from where it begins.
        let mut moments: Vec<(usize, bool, usize)> = Vec::new();
        for (index, call) in calls.iter().enumerate() {
            moments.push((call.began, false, index));
            moments.extend(call.ended.map(|ended| (ended, true, index)));
        }
        moments.sort_unstable();
        for (_, is_end, index) in moments {
            let call = &calls[index];
            let followed = if is_end { reader.ended(index, call) } else { reader.began(index, call) };
            followed.map_err(|why| {
                let line = trace.lines().nth(call.began).unwrap_or_default();
                let text: String = line.chars().take(400).collect();
                format!("line {} of the trace: {why}: {text}", call.began + 1)
            })?;
        }
        Ok(Recording { steps: reader.steps })
    }

    /// The same on a disk that only says that it has synced what is called so: a file, or a directory (the recorded one
    /// has no name).
    pub fn without_syncs(&self, is_called_so: impl Fn(&str) -> bool) -> Recording {
        let is_named = |file: FileId, step: &Step| match step {
            Step::Change(Change::Link { name, node } | Change::Rename { to: name, node, .. }) => {
                *node == Node::File(file) && is_called_so(name)
            }
            _ => false,
        };
        let is_meant = |step: &Step| match step {
            Step::SyncBegan { target: Target::File(file), .. } => self.steps.iter().any(|step| is_named(*file, step)),
            Step::SyncBegan { target: Target::Directory(name), .. } => is_called_so(name),
            _ => false,
        };
        Recording { steps: self.steps.iter().filter(|step| !is_meant(step)).cloned().collect() }
    }
}

/// What an open descriptor stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Open {
    File { file: FileId, name: String, append: bool },
    Directory(String),
    Acknowledgements,
}

#[derive(Debug)]
struct Description {
    open: Open,
    at: usize,
}

/// Follows descriptors, names and sizes as the kernel has them.
#[derive(Default)]
struct Reader {
    disk: PathBuf,
    acknowledged: PathBuf,
    descriptions: Vec<Description>,
    descriptors: HashMap<i64, usize>,
    names: BTreeMap<String, Node>,
    sizes: Vec<usize>,
    said: String,
    steps: Vec<Step>,
}

type Followed = Result<(), &'static str>;

const WHAT_ARGUMENTS: &str = "its arguments are not understood";
const NOBODY_OPENED: &str = "a descriptor that nobody opened";

impl Reader {
    fn began(&mut self, index: usize, call: &Call) -> Followed {
        let Some(descriptor) = call.args.first().and_then(|arg| number(arg)) else { return Ok(()) };
        let description = self.descriptors.get(&descriptor).map(|description| &self.descriptions[*description]);
        match (call.name.as_str(), description.map(|description| &description.open)) {
            ("close", Some(_)) => {
                self.descriptors.remove(&descriptor);
            }
            ("close", None) => return Err(NOBODY_OPENED),
            ("write", Some(Open::Acknowledgements)) => {
                let text = trace::path(&call.args[1]).ok_or(WHAT_ARGUMENTS)?;
                self.said += &text;
                while let Some((line, rest)) = self.said.split_once('\n') {
                    self.steps.push(Step::Acknowledged(line.to_owned()));
                    self.said = rest.to_owned();
                }
            }
            ("fsync" | "fdatasync", Some(open)) => {
                let target = match open {
                    Open::File { file, .. } => Target::File(*file),
                    Open::Directory(name) => Target::Directory(name.clone()),
                    Open::Acknowledgements => return Ok(()),
                };
                self.steps.push(Step::SyncBegan { sync: index, target });
            }
            ("fsync" | "fdatasync", None) => return Err(NOBODY_OPENED),
            _ => {}
        }
        Ok(())
    }

    fn ended(&mut self, index: usize, call: &Call) -> Followed {
        let returned = call.returned.unwrap_or(-1);
        let Ok(returned) = usize::try_from(returned) else { return Ok(()) };
        let arg = |at: usize| call.args.get(at).map(String::as_str).ok_or(WHAT_ARGUMENTS);
        let size = |at: usize| number(arg(at)?).and_then(|number| usize::try_from(number).ok()).ok_or(WHAT_ARGUMENTS);
        let here = "AT_FDCWD";
        match call.name.as_str() {
            "open" => self.open(returned, here, arg(0)?, arg(1)?),
            "creat" => self.open(returned, here, arg(0)?, "O_WRONLY|O_CREAT|O_TRUNC"),
            "openat" => self.open(returned, arg(0)?, arg(1)?, arg(2)?),
            "dup" | "dup2" | "dup3" => self.duplicate(arg(0)?, returned),
            "fcntl" if arg(1)?.starts_with("F_DUPFD") => self.duplicate(arg(0)?, returned),
            "fcntl" if arg(1)? == "F_SETFL" => Err("a descriptor is changed"),
            "lseek" | "read" | "readv" => {
                let moved = self.description(arg(0)?)?;
                moved.at = if call.name == "lseek" { returned } else { moved.at + returned };
                Ok(())
            }
            "write" => self.write(arg(0)?, trace::bytes(arg(1)?), None, returned),
            "writev" => self.write(arg(0)?, trace::buffers(arg(1)?), None, returned),
            "pwrite64" => self.write(arg(0)?, trace::bytes(arg(1)?), Some(size(3)?), returned),
            "pwritev" => self.write(arg(0)?, trace::buffers(arg(1)?), Some(size(3)?), returned),
            "ftruncate" => {
                let file = self.file(arg(0)?)?;
                self.resize(file, size(1)?);
                Ok(())
            }
            "truncate" => match self.names.get(&self.name(here, arg(0)?)?) {
                Some(Node::File(file)) => {
                    self.resize(*file, size(1)?);
                    Ok(())
                }
                _ => Err("no such file"),
            },
            "fallocate" => match arg(1)? {
                "0" => {
                    let file = self.file(arg(0)?)?;
                    let length = self.sizes[file].max(size(2)? + size(3)?);
                    self.resize(file, length);
                    Ok(())
                }
                "FALLOC_FL_KEEP_SIZE" => Ok(()),
                _ => Err("room is given back or moved"),
            },
            "fsync" | "fdatasync" => {
                self.steps.push(Step::SyncEnded { sync: index });
                Ok(())
            }
            "rename" => self.rename(self.name(here, arg(0)?)?, self.name(here, arg(1)?)?),
            "renameat" => self.rename(self.name(arg(0)?, arg(1)?)?, self.name(arg(2)?, arg(3)?)?),
            "renameat2" if ["0", "RENAME_NOREPLACE"].contains(&arg(4)?) => {
                self.rename(self.name(arg(0)?, arg(1)?)?, self.name(arg(2)?, arg(3)?)?)
            }
            "mkdir" => self.link(self.name(here, arg(0)?)?, Node::Directory),
            "mkdirat" => self.link(self.name(arg(0)?, arg(1)?)?, Node::Directory),
            "unlink" | "rmdir" => self.unlink(self.name(here, arg(0)?)?),
            "unlinkat" => self.unlink(self.name(arg(0)?, arg(1)?)?),
            "mmap" => self.map(arg(2)?, arg(3)?, arg(4)?),
            "close" => Ok(()),
            name if CHANGE_NOTHING.contains(&name) => Ok(()),
            _ => Err("a call that the replay does not know"),
        }
    }

    /// A path under the recorded directory, as it is called from there; empty for the directory itself.
    fn name(&self, directory: &str, path: &str) -> Result<String, &'static str> {
        let path = trace::path(path).ok_or(WHAT_ARGUMENTS)?;
        let path = match annotation(directory) {
            Some(directory) => Path::new(&directory).join(path),
            None => PathBuf::from(path),
        };
        let outside = "a path that is not under the recorded directory";
        let name = path.strip_prefix(&self.disk).ok().and_then(Path::to_str).ok_or(outside)?;
        if name.split('/').any(|part| part == "..") { Err(outside) } else { Ok(name.to_owned()) }
    }

    fn open(&mut self, descriptor: usize, directory: &str, path: &str, flags: &str) -> Followed {
        let has = |flag: &str| flags.split('|').any(|other| other == flag);
        if ["O_SYNC", "O_DSYNC", "O_TMPFILE"].into_iter().any(has) {
            return Err("a way of opening that the replay does not know");
        }
        let open = if trace::path(path).is_some_and(|path| Path::new(&path) == self.acknowledged) {
            Open::Acknowledgements
        } else {
            let name = self.name(directory, path)?;
            let known = if name.is_empty() { Some(Node::Directory) } else { self.names.get(&name).copied() };
            match known {
                Some(Node::Directory) => Open::Directory(name),
                Some(Node::File(file)) => {
                    if has("O_TRUNC") {
                        self.resize(file, 0);
                    }
                    Open::File { file, name, append: has("O_APPEND") }
                }
                None if has("O_CREAT") => {
                    let file = self.sizes.len();
                    self.sizes.push(0);
                    self.link(name.clone(), Node::File(file))?;
                    Open::File { file, name, append: has("O_APPEND") }
                }
                None => return Err("a file that was there before the recording"),
            }
        };
        self.descriptions.push(Description { open, at: 0 });
        self.descriptors.insert(i64::try_from(descriptor).unwrap_or(-1), self.descriptions.len() - 1);
        Ok(())
    }

    fn duplicate(&mut self, from: &str, to: usize) -> Followed {
        let to = i64::try_from(to).unwrap_or(-1);
        match number(from).and_then(|from| self.descriptors.get(&from).copied()) {
            Some(description) => self.descriptors.insert(to, description),
            // The line names a recorded file, so it is the other one that was overwritten.
            None => self.descriptors.remove(&to),
        };
        Ok(())
    }

    fn description(&mut self, descriptor: &str) -> Result<&mut Description, &'static str> {
        let description = number(descriptor).and_then(|descriptor| self.descriptors.get(&descriptor));
        let description = description.ok_or(NOBODY_OPENED)?;
        Ok(&mut self.descriptions[*description])
    }

    fn file(&mut self, descriptor: &str) -> Result<FileId, &'static str> {
        match self.description(descriptor)?.open {
            Open::File { file, .. } => Ok(file),
            _ => Err("it is no recorded file"),
        }
    }

    fn write(&mut self, descriptor: &str, bytes: Option<Vec<u8>>, at: Option<usize>, written: usize) -> Followed {
        let mut bytes = bytes.ok_or(WHAT_ARGUMENTS)?;
        if bytes.len() < written {
            return Err("more was written than the trace shows");
        }
        bytes.truncate(written);
        let description = self.description(descriptor)?;
        let position = description.at;
        let (file, append) = match &description.open {
            Open::File { file, append, .. } => (*file, *append),
            Open::Acknowledgements => return Ok(()),
            Open::Directory(_) => return Err("it is no recorded file"),
        };
        let offset = if append { self.sizes[file] } else { at.unwrap_or(position) };
        if at.is_none() {
            self.description(descriptor)?.at = offset + written;
        }
        self.sizes[file] = self.sizes[file].max(offset + written);
        self.steps.push(Step::Change(Change::Write { file, offset, bytes }));
        Ok(())
    }

    fn resize(&mut self, file: FileId, length: usize) {
        self.sizes[file] = length;
        self.steps.push(Step::Change(Change::Resize { file, length }));
    }

    fn link(&mut self, name: String, node: Node) -> Followed {
        self.names.insert(name.clone(), node);
        self.steps.push(Step::Change(Change::Link { name, node }));
        Ok(())
    }

    fn unlink(&mut self, name: String) -> Followed {
        self.names.remove(&name).ok_or("no such file")?;
        self.steps.push(Step::Change(Change::Unlink { name }));
        Ok(())
    }

    fn rename(&mut self, from: String, to: String) -> Followed {
        let node = self.names.remove(&from).ok_or("no such file")?;
        if node == Node::Directory {
            return Err("a directory gets another name");
        }
        self.names.insert(to.clone(), node);
        self.steps.push(Step::Change(Change::Rename { from, to, node }));
        Ok(())
    }

    fn map(&mut self, protection: &str, flags: &str, descriptor: &str) -> Followed {
        if !flags.contains("MAP_SHARED") || !protection.contains("PROT_WRITE") {
            return Ok(());
        }
        match self.description(descriptor)?.open.clone() {
            // SQLite's index of the log: it is made anew from the log by the first that opens the database.
            Open::File { file, name, .. } if name.ends_with("-shm") => {
                self.steps.push(Step::Mapped(file));
                Ok(())
            }
            _ => Err("a file is written through a mapping, which the trace does not show"),
        }
    }
}

mod tests {
    use super::*;
    use crate::trace::hex;

    /// A trace of one thread at `/r`, with `‘…’` around what strace writes in hexadecimal.
    fn trace(lines: &[&str]) -> String {
        let mut trace = String::new();
        for line in lines {
            let line = if line.starts_with(|first: char| first.is_ascii_digit()) {
                (*line).to_owned()
            } else {
                format!("7 {line}")
            };
            for (at, part) in line.split(['‘', '’']).enumerate() {
                trace += &if at % 2 == 0 { part.to_owned() } else { hex(part.as_bytes()) };
            }
            trace.push('\n');
        }
        trace
    }

    fn read(lines: &[&str]) -> Result<Vec<Step>, String> {
        Recording::read(&trace(lines), Path::new("/r")).map(|recording| recording.steps)
    }

    fn write(offset: usize, text: &str) -> Step {
        Step::Change(Change::Write { file: 0, offset, bytes: text.as_bytes().to_vec() })
    }

    const OPENED: &str = "openat(AT_FDCWD<‘/’>, \"‘/r/disk/a’\", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 3<‘/r/disk/a’>";

    fn link(name: &str, file: FileId) -> Step {
        Step::Change(Change::Link { name: name.to_owned(), node: Node::File(file) })
    }

    #[test]
    fn writes_go_where_the_descriptor_stands() {
        let steps = read(&[
            OPENED,
            "write(3<‘/r/disk/a’>, \"‘hello’\", 5) = 5",
            "pwrite64(3<‘/r/disk/a’>, \"‘there’\", 5, 100) = 5",
            "lseek(3<‘/r/disk/a’>, 1, SEEK_SET) = 1",
            "fcntl(3<‘/r/disk/a’>, F_DUPFD_CLOEXEC, 0) = 4<‘/r/disk/a’>",
            "read(4<‘/r/disk/a’>, \"‘el’\", 2) = 2",
            "writev(3<‘/r/disk/a’>, [{iov_base=\"‘ab’\", iov_len=2}, {iov_base=\"‘cd’\", iov_len=2}], 2) = 3",
            "close(4<‘/r/disk/a’>) = 0",
            "openat(AT_FDCWD<‘/r/disk’>, \"‘a’\", O_WRONLY|O_APPEND) = 4<‘/r/disk/a’>",
            "write(4<‘/r/disk/a’>, \"‘!’\", 1) = 1",
            "ftruncate(3<‘/r/disk/a’>, 2) = 0",
            "write(4<‘/r/disk/a’>, \"‘?’\", 1) = 1",
        ]);
        let resize = Step::Change(Change::Resize { file: 0, length: 2 });
        let writes = [write(0, "hello"), write(100, "there"), write(3, "abc"), write(105, "!"), resize, write(2, "?")];
        assert_eq!(steps.unwrap(), [&[link("a", 0)], &writes[..]].concat());
    }

    #[test]
    fn names_are_those_of_the_recorded_directory() {
        let steps = read(&[
            OPENED,
            "rename(\"‘/r/disk/a’\", \"‘/r/disk/b’\") = 0",
            "openat(AT_FDCWD<‘/’>, \"‘/r/disk/a’\", O_RDWR|O_CREAT, 0644) = 4<‘/r/disk/a’>",
            "unlink(\"‘/r/disk/b’\") = 0",
            "unlink(\"‘/r/disk/b’\") = -1 ENOENT (No such file or directory)",
            "write(3<‘/r/disk/b’>(deleted), \"‘x’\", 1) = 1",
            "openat(AT_FDCWD<‘/’>, \"‘/r/disk’\", O_RDONLY|O_CLOEXEC) = 5<‘/r/disk’>",
            "fsync(5<‘/r/disk’>) = 0",
        ]);
        let expected = [
            link("a", 0),
            Step::Change(Change::Rename { from: "a".into(), to: "b".into(), node: Node::File(0) }),
            link("a", 1),
            Step::Change(Change::Unlink { name: "b".into() }),
            write(0, "x"),
            Step::SyncBegan { sync: 7, target: Target::Directory(String::new()) },
            Step::SyncEnded { sync: 7 },
        ];
        assert_eq!(steps.unwrap(), expected);
    }

    #[test]
    fn an_acknowledgement_is_after_the_sync_that_it_waited_for() {
        let steps = read(&[
            OPENED,
            "openat(AT_FDCWD<‘/’>, \"‘/r/acknowledged’\", O_WRONLY|O_CREAT|O_APPEND, 0644) = 5<‘/r/acknowledged’>",
            "pwrite64(3<‘/r/disk/a’>, \"‘1’\", 1, 0) = 1",
            "7 fdatasync(3<‘/r/disk/a’> <unfinished ...>",
            "8 pwrite64(3<‘/r/disk/a’>, \"‘2’\", 1, 1) = 1",
            "7 <... fdatasync resumed>) = 0",
            "7 write(5<‘/r/acknowledged’>, \"‘first\n’\", 6 <unfinished ...>",
            "8 pwrite64(3<‘/r/disk/a’>, \"‘3’\", 1, 2) = 1",
            "7 <... write resumed>) = 6",
        ]);
        let expected = [
            link("a", 0),
            write(0, "1"),
            Step::SyncBegan { sync: 3, target: Target::File(0) },
            write(1, "2"),
            Step::SyncEnded { sync: 3 },
            Step::Acknowledged("first".into()),
            write(2, "3"),
        ];
        assert_eq!(steps.unwrap(), expected);
    }

    #[test]
    fn a_descriptor_is_free_from_where_its_close_begins() {
        let steps = read(&[
            OPENED,
            "7 close(3<‘/r/disk/a’> <unfinished ...>",
            "8 openat(AT_FDCWD<‘/’>, \"‘/r/disk/b’\", O_RDWR|O_CREAT, 0644) = 3<‘/r/disk/b’>",
            "7 <... close resumed>) = 0",
            "8 write(3<‘/r/disk/b’>, \"‘x’\", 1) = 1",
        ]);
        let to_b = Step::Change(Change::Write { file: 1, offset: 0, bytes: b"x".to_vec() });
        assert_eq!(steps.unwrap(), [link("a", 0), link("b", 1), to_b]);
    }

    #[test]
    fn a_disk_without_some_syncs_has_the_others() {
        let [a, directory] = [Target::File(0), Target::Directory(String::new())];
        let began = |sync, target: &Target| Step::SyncBegan { sync, target: target.clone() };
        let recording = Recording { steps: vec![link("a", 0), began(1, &a), began(2, &directory), began(3, &a)] };
        assert_eq!(recording.without_syncs(|name| name == "a").steps, [link("a", 0), began(2, &directory)]);
        assert_eq!(recording.without_syncs(str::is_empty).steps, [link("a", 0), began(1, &a), began(3, &a)]);
    }

    #[test]
    fn what_cannot_be_followed_is_refused_with_its_line() {
        for line in [
            "copy_file_range(3<‘/r/disk/a’>, NULL, 4<‘/x’>, NULL, 10, 0) = 10",
            "pwritev2(3<‘/r/disk/a’>, [{iov_base=\"‘ab’\", iov_len=2}], 1, 0, RWF_DSYNC) = 2",
            "mmap(NULL, 50, PROT_READ|PROT_WRITE, MAP_SHARED, 3<‘/r/disk/a’>, 0) = 0x7ff054004000",
            "write(9<‘/r/disk/a’>, \"‘x’\", 1) = 1",
            "fsync(9<‘/r/disk/a’>) = 0",
            "write(3<‘/r/disk/a’>, \"‘x’\"..., 100) = 100",
            "openat(AT_FDCWD<‘/’>, \"‘/r/disk/old’\", O_RDWR) = 4<‘/r/disk/old’>",
            "openat(AT_FDCWD<‘/’>, \"‘/r/disk/../a’\", O_RDWR|O_CREAT) = 4<‘/r/a’>",
            "openat(AT_FDCWD<‘/’>, \"‘/r/disk/b’\", O_RDWR|O_CREAT|O_DSYNC) = 4<‘/r/disk/b’>",
            "link(\"‘/r/disk/a’\", \"‘/r/disk/b’\") = 0",
        ] {
            let error = read(&[OPENED, line]).unwrap_err();
            assert!(error.starts_with("line 2 of the trace: "), "{line}: {error}");
        }
        let private = "mmap(NULL, 50, PROT_READ|PROT_WRITE, MAP_PRIVATE, 3<‘/r/disk/a’>, 0) = 0x7ff054004000";
        assert_eq!(read(&[OPENED, private]).unwrap(), [link("a", 0)]);
    }
}
