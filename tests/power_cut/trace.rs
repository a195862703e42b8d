//! Reads what `strace -f -y -xx -o` wrote: one value per system call, with the lines where it began and ended.
//!
//! `-xx` writes each path and each buffer in hexadecimal, so that no bracket, comma or quotation mark in a line is
//! content. Calls that say nothing of the paths of interest are checked for their shape and left out.

use std::collections::HashMap;
use std::fmt::{self, Display};

/// A system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub name: String,
    pub args: Vec<String>,
    /// What it returned; nothing if the process ended in it.
    pub returned: Option<i64>,
    /// The line (from 0) where it was entered.
    pub began: usize,
    /// The line where it came back; the same if no other thread spoke in between.
    pub ended: Option<usize>,
}

/// A line that is not understood.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// From 1, as an editor counts.
    pub line: usize,
    pub why: String,
    pub text: String,
}

impl Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.text.chars().take(400).collect();
        write!(f, "line {} of the trace: {}: {text}", self.line, self.why)
    }
}

/// The calls that mention one of `paths`, in the order in which they began.
///
/// # Errors
/// The first line that is not understood.
pub fn calls(trace: &str, paths: &[&str]) -> Result<Vec<Call>, Unreadable> {
    let wanted: Vec<String> = paths.iter().map(|path| hex(path.as_bytes())).collect();
    let mut calls = Vec::new();
    let mut unfinished: HashMap<&str, (usize, &str)> = HashMap::new();
    for (at, line) in trace.lines().enumerate() {
        let unreadable = |why: &str| Unreadable { line: at + 1, why: why.to_owned(), text: line.to_owned() };
        let (thread, rest) = line.split_once(' ').ok_or_else(|| unreadable("no thread before it"))?;
        if thread.is_empty() || !thread.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(unreadable("no thread before it"));
        }
        let rest = rest.trim_start();
        if rest.starts_with("+++ ") || rest.starts_with("--- ") {
            continue;
        }
        let (began, whole) = if let Some(resumed) = rest.strip_prefix("<... ") {
            let (name, tail) = resumed.split_once(" resumed>").ok_or_else(|| unreadable("resumed, but what?"))?;
            let (began, head) = unfinished.remove(thread).ok_or_else(|| unreadable("resumed, but never begun"))?;
            if name_of(head) != Some(name) {
                return Err(unreadable("resumed, but another was begun"));
            }
            (began, format!("{head}{tail}"))
        } else if let Some(head) = rest.strip_suffix("<unfinished ...>") {
            if name_of(head).is_none() {
                return Err(unreadable("not a call"));
            }
            if unfinished.insert(thread, (at, head.trim_end_matches(' '))).is_some() {
                return Err(unreadable("a second call of a thread that is still in one"));
            }
            continue;
        } else {
            (at, rest.to_owned())
        };
        let name = name_of(&whole).ok_or_else(|| unreadable("not a call"))?;
        if starts_a_process(name, &whole) {
            return Err(unreadable("another process is started, and its files are not followed"));
        }
        if name == "io_uring_setup" {
            return Err(unreadable("what goes through an io_uring is not in the trace"));
        }
        let wants = wanted.iter().any(|path| whole.contains(path.as_str()));
        if !wants {
            if !whole.contains(')') || !whole.contains("= ") {
                return Err(unreadable("a call without an end"));
            }
            continue;
        }
        let (args, returned) = take_apart(&whole[name.len() + 1..]).ok_or_else(|| unreadable("not a call"))?;
        let ended = returned.is_some().then_some(at);
        calls.push(Call { name: name.to_owned(), args, returned, began, ended });
    }
    // What never came back is what the process ended in: it promised nothing to anybody.
    calls.sort_by_key(|call| call.began);
    Ok(calls)
}

/// As `strace -xx` writes it, without the quotation marks.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

/// What stands in hexadecimal between `open` and `close` at the start of `arg`.
fn unhex(arg: &str, open: char, close: char) -> Option<Vec<u8>> {
    let (text, rest) = arg.strip_prefix(open)?.split_once(close)?;
    // Dots: there was more than `-s` allows.
    if rest.starts_with("...") {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (escapes, rest) = text.as_bytes().as_chunks::<4>();
    let bytes = escapes.iter().map(|escape| match escape {
        [b'\\', b'x', high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    if rest.is_empty() { bytes.collect() } else { None }
}

/// A buffer.
pub fn bytes(arg: &str) -> Option<Vec<u8>> {
    unhex(arg, '"', '"')
}

/// A path as it was handed in.
pub fn path(arg: &str) -> Option<String> {
    String::from_utf8(bytes(arg)?).ok()
}

/// The buffers of a `writev`, one behind the other.
pub fn buffers(arg: &str) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    for part in arg.split("iov_base=").skip(1) {
        whole.extend(bytes(part)?);
    }
    Some(whole)
}

/// A number, or the number before what `-y` says of it.
pub fn number(arg: &str) -> Option<i64> {
    arg.split(['<', ' ']).next()?.parse().ok()
}

/// What `-y` says of a descriptor: the path behind it.
pub fn annotation(arg: &str) -> Option<String> {
    String::from_utf8(unhex(&arg[arg.find('<')?..], '<', '>')?).ok()
}

fn name_of(call: &str) -> Option<&str> {
    let (name, _) = call.split_once('(')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!name.is_empty() && name.bytes().all(plain)).then_some(name)
}

/// A thread shares its descriptors with the others; a process has its own.
fn starts_a_process(name: &str, call: &str) -> bool {
    match name {
        "fork" | "vfork" => true,
        "clone" | "clone3" => !call.contains("CLONE_FILES"),
        _ => false,
    }
}

/// Arguments and return value, from what stands behind the opening bracket.
fn take_apart(call: &str) -> Option<(Vec<String>, Option<i64>)> {
    let (mut args, mut from, mut depth) = (Vec::new(), 0, 0_u32);
    let mut end = None;
    for (at, byte) in call.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' if depth == 0 => {
                end = Some(at);
                break;
            }
            b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => {
                args.push(call[from..at].trim().to_owned());
                from = at + 1;
            }
            _ => {}
        }
    }
    let end = end?;
    // strace writes this where a thread ended in its call.
    let last = call[from..end].trim_end_matches("<unfinished ...>").trim();
    if !(last.is_empty() && args.is_empty()) {
        args.push(last.to_owned());
    }
    let returned = call[end + 1..].trim_start().strip_prefix("= ")?;
    match returned.split(['<', ' ']).next()? {
        "?" => Some((args, None)),
        address if address.starts_with("0x") => Some((args, Some(0))),
        value => Some((args, Some(value.parse().ok()?))),
    }
}

mod tests {
    use super::*;

    fn line(thread: u32, text: &str) -> String {
        // The tests write paths and buffers in clear between curly quotation marks.
        let mut line = format!("{thread} ");
        for (at, part) in text.split(['‘', '’']).enumerate() {
            line += &if at % 2 == 0 { part.to_owned() } else { hex(part.as_bytes()) };
        }
        line + "\n"
    }

    #[test]
    fn a_call_is_read_with_its_arguments_and_what_it_returned() {
        let trace = line(7, "openat(AT_FDCWD<‘/’>, \"‘/d/a b’\", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 3<‘/d/a b’>")
            + &line(7, "pwrite64(3<‘/d/a b’>, \"‘x, (\"y’\", 7, 4096) = 7")
            + &line(7, "writev(3<‘/d/a b’>, [{iov_base=\"‘ab’\", iov_len=2}, {iov_base=\"‘c’\", iov_len=1}], 2) = 3")
            + &line(7, "mmap(NULL, 32768, PROT_READ|PROT_WRITE, MAP_SHARED, 3<‘/d/a b’>, 0) = 0x7ff054004000")
            + &line(7, "unlink(\"‘/d/none’\")       = -1 ENOENT (No such file or directory)")
            + &line(7, "fsync(3<‘/d/a b’>(deleted)) = 0");
        let calls = calls(&trace, &["/d"]).unwrap();
        let names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
        assert_eq!(names, ["openat", "pwrite64", "writev", "mmap", "unlink", "fsync"]);
        let returned: Vec<Option<i64>> = calls.iter().map(|call| call.returned).collect();
        assert_eq!(returned, [Some(3), Some(7), Some(3), Some(0), Some(-1), Some(0)]);
        assert_eq!(annotation(&calls[0].args[0]).unwrap(), "/");
        assert_eq!(path(&calls[0].args[1]).unwrap(), "/d/a b");
        assert_eq!(calls[0].args[2..], ["O_RDWR|O_CREAT|O_CLOEXEC", "0644"]);
        assert_eq!(number(&calls[1].args[0]), Some(3));
        assert_eq!(bytes(&calls[1].args[1]).unwrap(), b"x, (\"y");
        assert_eq!(buffers(&calls[2].args[1]).unwrap(), b"abc");
        assert_eq!(annotation(&calls[5].args[0]).unwrap(), "/d/a b");
    }

    #[test]
    fn a_call_that_others_interrupt_is_one_call_with_two_lines() {
        let trace = line(7, "fdatasync(3<‘/d/a’> <unfinished ...>")
            + &line(8, "pwrite64(3<‘/d/a’>, \"‘q’\", 1, 0 <unfinished ...>")
            + &line(9, "futex(0x7f, FUTEX_WAKE, 1) = 0")
            + &line(7, "<... fdatasync resumed>)   = 0")
            + &line(8, "<... pwrite64 resumed>)    = 1")
            + &line(8, "fsync(3<‘/d/a’> <unfinished ...>")
            + &line(8, "<... fsync resumed> <unfinished ...>) = ?")
            + &line(8, "+++ exited with 0 +++")
            + &line(7, "--- SIGCHLD {si_signo=SIGCHLD} ---")
            + &line(7, "close(3<‘/d/a’> <unfinished ...>");
        let calls = calls(&trace, &["/d"]).unwrap();
        let lines: Vec<_> = calls.iter().map(|call| (call.name.as_str(), call.began, call.ended)).collect();
        assert_eq!(lines, [("fdatasync", 0, Some(3)), ("pwrite64", 1, Some(4)), ("fsync", 5, None)]);
        assert_eq!(calls[1].args[1..], [format!("\"{}\"", hex(b"q")), "1".into(), "0".into()]);
        assert_eq!(calls[2].args.len(), 1);
    }

    #[test]
    fn what_says_nothing_of_the_paths_is_left_out() {
        let trace = line(7, "openat(AT_FDCWD<‘/’>, \"‘/etc/passwd’\", O_RDONLY) = 3<‘/etc/passwd’>")
            + &line(7, "clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD} => {parent_tid=[8]}, 88) = 8")
            + &line(7, "exit_group(0)          = ?");
        assert_eq!(calls(&trace, &["/d"]).unwrap(), []);
    }

    #[test]
    fn a_line_that_is_not_understood_is_named() {
        for (text, why) in [
            ("7 something else", "not a call"),
            ("write(3, \"\", 0) = 0", "no thread before it"),
            ("7 <... write resumed>) = 0", "resumed, but never begun"),
            ("7 write(3<‘/d/a’>, \"\", 0", "not a call"),
            ("7 write(3<‘/d/a’>, \"\", 0) = many", "not a call"),
            ("7 futex(0x7f, FUTEX_WA", "a call without an end"),
            ("7 vfork() = 8", "another process is started, and its files are not followed"),
        ] {
            let trace = line(7, "close(9) = 0") + line(0, text).strip_prefix("0 ").unwrap();
            let unreadable = calls(&trace, &["/d"]).unwrap_err();
            assert_eq!((unreadable.line, unreadable.why.as_str()), (2, why), "{text}");
        }
        // A buffer that strace shortened would be replayed short.
        assert_eq!(bytes("\"\\x41\"..."), None);
        assert_eq!(bytes("\"A\""), None);
    }
}
