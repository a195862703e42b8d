//! What is asked on the command line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use nivaran::grievance::Language;
use nivaran::{CategoryPath, Channel, PlacePath};

pub const USAGE: &str = "\
say one of these:
  rules check TABLE [--all] [--allow-warnings]
  rules explain TABLE [--category C] [--place P] [--channel x] [--language hi]
                [--text \"...\"] [--at 2026-01-05T12:00] [--holiday]
  rules diff OLD NEW
  rules import ServiceDefs.json [Department.json] --to FOLDER [--allow-warnings]

  --categories FILE, --places FILE, --roster FILE
                     not those beside the table (categories.csv, places.csv,
                     roster.toml)
  --all              show hints, too
  --allow-warnings   warnings and notes leave the exit status at 0
  --json             one JSON document, for machines
";

/// What to do, and in which form to tell it.
pub struct Options {
    pub command: Command,
    pub json: bool,
}

pub enum Command {
    Check(Check),
    Explain(Explain),
    Diff(Diff),
    Import(Import),
}

/// A table and what is named to go with it.
pub struct TableAt {
    pub table: PathBuf,
    pub beside: Beside,
}

/// What goes with a table, where it is not that which lies beside it.
#[derive(Clone, Default)]
pub struct Beside {
    pub categories: Option<PathBuf>,
    pub places: Option<PathBuf>,
    pub roster: Option<PathBuf>,
}

pub struct Check {
    pub table: TableAt,
    pub all: bool,
    pub allow_warnings: bool,
}

/// A table, and what is known of a grievance.
pub struct Explain {
    pub table: TableAt,
    pub category: Option<CategoryPath>,
    pub place: Option<PlacePath>,
    pub channel: Channel,
    pub language: Option<Language>,
    pub text: Option<String>,
    /// By the clocks of the roster's time zone; `None` for now.
    pub at: Option<DateTime>,
    pub holiday: bool,
}

pub struct Diff {
    pub old: TableAt,
    pub new: TableAt,
}

pub struct Import {
    pub services: PathBuf,
    pub departments: Option<PathBuf>,
    pub to: PathBuf,
    pub allow_warnings: bool,
}

impl Command {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Check(_) => "check",
            Self::Explain(_) => "explain",
            Self::Diff(_) => "diff",
            Self::Import(_) => "import",
        }
    }
}

/// Each option with the commands that have it, and what has to follow it.
const OPTIONS: [(&str, &[&str], Option<&str>); 14] = [
    ("--all", &["check"], None),
    ("--allow-warnings", &["check", "import"], None),
    ("--at", &["explain"], Some("a day and a time like 2026-01-05T12:00")),
    ("--categories", &["check", "explain", "diff"], Some("the file with the taxonomy")),
    ("--category", &["explain"], Some("a category like water/logging")),
    ("--channel", &["explain"], Some("the way by which it came, like x or phone")),
    ("--holiday", &["explain"], None),
    ("--json", &["check", "explain", "diff", "import"], None),
    ("--language", &["explain"], Some("a tag like hi")),
    ("--place", &["explain"], Some("a place like hisar/hansi")),
    ("--places", &["check", "explain", "diff"], Some("the file with the gazetteer")),
    ("--roster", &["check", "explain"], Some("the file with the roster")),
    ("--text", &["explain"], Some("what the grievance says")),
    ("--to", &["import"], Some("the folder for the new files")),
];

impl Options {
    pub fn read(args: Vec<OsString>) -> Result<Self, String> {
        let mut args = args.into_iter();
        let command = args.next().ok_or("what is to be done?")?;
        let command = command.to_str().unwrap_or_default();
        let given = Given::read(command, args)?;
        let command = match (command, given.files.as_slice()) {
            ("check", [table]) => Command::Check(Check {
                table: given.table(table),
                all: given.has("--all"),
                allow_warnings: given.has("--allow-warnings"),
            }),
            ("explain", [table]) => Command::Explain(given.explain(table)?),
            ("diff", [old, new]) => Command::Diff(Diff { old: given.table(old), new: given.table(new) }),
            ("import", [services, departments @ ..]) if departments.len() < 2 => Command::Import(Import {
                services: services.clone(),
                departments: departments.first().cloned(),
                to: given.file("--to").ok_or("name the folder for the new files: --to FOLDER")?,
                allow_warnings: given.has("--allow-warnings"),
            }),
            ("check" | "explain", files) => return Err(format!("{command} takes one table, not {}", files.len())),
            ("diff", files) => return Err(format!("diff takes two tables, not {}", files.len())),
            ("import", files) => return Err(format!("import takes one or two files, not {}", files.len())),
            _ => return Err(format!("there is no command '{command}'")),
        };
        Ok(Self { command, json: given.has("--json") })
    }
}

/// What stands behind the command.
struct Given {
    files: Vec<PathBuf>,
    options: Vec<(&'static str, OsString)>,
}

impl Given {
    fn read(command: &str, mut args: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut given = Self { files: Vec::new(), options: Vec::new() };
        while let Some(arg) = args.next() {
            let Some(name) = arg.to_str().filter(|arg| arg.starts_with("--")) else {
                given.files.push(arg.into());
                continue;
            };
            let option = OPTIONS.iter().find(|(option, of, _)| *option == name && of.contains(&command));
            let (option, _, value) = option.ok_or_else(|| format!("{command} has no option {name}"))?;
            if given.has(option) {
                return Err(format!("{option} stands there twice"));
            }
            let value = match value {
                Some(what) => args.next().ok_or_else(|| format!("give {what} after {option}"))?,
                None => OsString::new(),
            };
            given.options.push((option, value));
        }
        Ok(given)
    }

    fn value(&self, option: &str) -> Option<&OsString> {
        self.options.iter().find(|(name, _)| *name == option).map(|(_, value)| value)
    }

    fn has(&self, option: &str) -> bool {
        self.value(option).is_some()
    }

    fn file(&self, option: &str) -> Option<PathBuf> {
        self.value(option).map(PathBuf::from)
    }

    fn table(&self, table: &Path) -> TableAt {
        let [categories, places, roster] = ["--categories", "--places", "--roster"].map(|option| self.file(option));
        TableAt { table: table.to_path_buf(), beside: Beside { categories, places, roster } }
    }

    fn explain(&self, table: &Path) -> Result<Explain, String> {
        Ok(Explain {
            table: self.table(table),
            category: self.parsed("--category", |text| CategoryPath::new(text).map_err(|error| error.to_string()))?,
            place: self.parsed("--place", |text| PlacePath::new(text).map_err(|error| error.to_string()))?,
            channel: self.parsed("--channel", channel)?.unwrap_or(Channel::X),
            language: self.parsed("--language", |text| Language::new(text).map_err(|error| error.to_string()))?,
            text: self.parsed("--text", |text| Ok(text.to_owned()))?,
            at: self.parsed("--at", |text| text.parse().map_err(|_| "it is no day and time".to_owned()))?,
            holiday: self.has("--holiday"),
        })
    }

    fn parsed<T>(&self, option: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, String> {
        let Some(value) = self.value(option) else { return Ok(None) };
        let text = value.to_str().ok_or_else(|| format!("{option}: it is not UTF-8"))?;
        let what = OPTIONS.iter().find(|(name, ..)| *name == option).and_then(|(.., what)| *what).unwrap_or_default();
        parse(text).map(Some).map_err(|problem| format!("{option} '{text}': {problem}; give {what}"))
    }
}

fn channel(name: &str) -> Result<Channel, String> {
    Channel::named(name).ok_or_else(|| "there is no such channel".to_owned())
}
