//! Looks rules tables over for whoever keeps them: what is wrong and where, why a row wins, what a new table would
//! change, and a first table from what a DIGIT PGR has.
//!
//! ```text
//! rules check TABLE                       what is wrong with a table, what may not be meant, and what to do about it
//! rules explain TABLE --category C --place P    by which row a grievance goes, and which rows came nearest
//! rules diff OLD NEW                      what NEW would decide otherwise, each change with a grievance that shows it
//! rules import ServiceDefs.json [Department.json] --to FOLDER    a taxonomy and a table from DIGIT's masters
//! ```
//! `rules --help` lists the options. The taxonomy, the gazetteer and the roster are those beside the table
//! (`categories.csv`, `places.csv`, `roster.toml`), or those named with `--categories`, `--places` and `--roster`.
//!
//! # Exit status
//! | status | check | explain | diff | import |
//! |---|---|---|---|---|
//! | 0 | no error, no warning | always | nothing differs | no note |
//! | 1 | warnings | | something differs | notes |
//! | 2 | errors | the table has errors | a table has errors | |
//!
//! With `--allow-warnings`, warnings and notes leave 0. Status 2 also says that a file cannot be read or written, or that
//! the command line is wrong.
//!
//! # For machines
//! With `--json` there is one JSON document on the standard output, with the same exit status. Each has `form` (1; another
//! number when a field changes its meaning or goes) and `command`. A field that has nothing is `null`.
//!
//! * **check**: `file`; `rows`, how many; `table`, its version, `null` if it has errors; how many `errors`, `warnings` and
//!   `advice`; `without`, which of `categories`, `places` and `roster` it was read without; `findings`, a list, advice among
//!   them also without `--all`.
//! * **explain**: `file`, `table`; `grievance`, a witness without words; `taken`, a list of texts: what is not known, and
//!   as what it is taken; `row`, `sends`, `asks`; `lost`, a list of `row`, `holds`, `outranked` (why, if it holds), `failed`
//!   (a list of `condition`, `asked`, `found`).
//! * **diff**: `old` and `new` (each `file`, `table`); `changes`, a list of `was` and `is` (each `row`, `sends`), `parts`,
//!   `witness`; `untold`, the parts that are too intricate to compare. A part has `categories` and `places`, lists of
//!   `extent` and `path`. The extent is `all`, `unknown`, `below` (the path with all below it) or `only` (the path itself).
//! * **import**: `categories` and `rules`, the files written; `rows`; `departments`, a list of `code`, `in_digit`, `name`;
//!   `notes`, a list of `service` (its number in the list), `service_code`, `left_out`, `message`.
//! * A table with errors makes of **explain** and **diff** a document with `refused`, a list of what check tells: `file`,
//!   `rows`, `table`, `errors`, `warnings`, `advice`, `without`, `findings`.
//! * What cannot be read or written makes a document with `trouble`, a text. A wrong command line makes none.
//!
//! A finding has `code`; `severity` (`error`, `warning`, `advice`); `row`, its id; `message`; `help`; `places`, the chief one
//! first: `line` and `column` as an editor and a spreadsheet count them, from 1 (`column` is `null` for a whole row), `start`
//! and `end` in bytes of the file; `witness`. A witness has `category`, `place`, `channel`, `language`, `words`, `date`,
//! `time`, `holiday`.

mod check;
mod cut;
mod diff;
mod explain;
mod files;
mod import;
mod json;
mod lines;
mod options;
mod report;
mod wording;

use std::ffi::OsString;
use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use options::{Command, Options};

/// What to print, and the exit status.
struct Done {
    text: String,
    status: u8,
}

/// What cannot be read or written, in words.
struct Trouble(String);

impl<E: std::error::Error> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    if args.iter().any(|arg| arg == "--help") {
        return print(&Done { text: options::USAGE.to_owned(), status: 0 });
    }
    let options = match Options::read(args) {
        Ok(options) => options,
        Err(problem) => return complain(&format!("{problem}\n\n{}", options::USAGE)),
    };
    match run(&options) {
        Ok(done) => print(&done),
        Err(Trouble(trouble)) if options.json => {
            print(&json::done(&json::Trouble { command: options.command.name(), trouble }, 2))
        }
        Err(Trouble(trouble)) => complain(&trouble),
    }
}

fn run(options: &Options) -> Result<Done, Trouble> {
    let look = Look { json: options.json, styled: is_styled() };
    match &options.command {
        Command::Check(asked) => check::check(asked, look),
        Command::Explain(asked) => explain::explain(asked, look),
        Command::Diff(asked) => diff::diff(asked, look),
        Command::Import(asked) => import::import(asked, look),
    }
}

/// In which form it is told.
#[derive(Clone, Copy)]
struct Look {
    json: bool,
    styled: bool,
}

/// Whether colours are wished: the form of <https://no-color.org>.
fn is_styled() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn print(done: &Done) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(done.text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever does not read to the end has read enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => complain(&error.to_string()),
        _ => ExitCode::from(done.status),
    }
}

fn complain(trouble: &str) -> ExitCode {
    // If that cannot be told either, the status tells.
    let _ = write!(std::io::stderr(), "{}", wording::folded(&format!("rules: {trouble}")));
    ExitCode::from(2)
}
