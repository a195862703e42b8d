//! The mapping: which of a file's columns is which field of a grievance.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use nivaran::Channel;
use serde::Deserialize;

/// A mapping, checked as far as that can be done without the file it maps.
#[derive(Debug)]
pub struct Mapping {
    path: PathBuf,
    pub csv: PathBuf,
    pub time_format: String,
    pub time_zone: TimeZone,
    pub columns: Columns,
    pub channels: Option<Channels>,
}

/// Our fields, and the file's column or columns for each.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    pub source: String,
    pub posted: String,
    pub category: OneOrMore,
    pub place: Option<OneOrMore>,
    pub text: OneOrMore,
    pub latitude: Option<String>,
    pub longitude: Option<String>,
    pub handled_by: String,
}

/// One column, or several in an order.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "this field takes a column's name, or a list of names")]
pub enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::More(names) => names,
        }
    }
}

/// The column that tells the channel, and which of ours each of its values is.
#[derive(Debug)]
pub struct Channels {
    pub column: String,
    pub by_value: BTreeMap<String, Channel>,
}

/// A mapping as its file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    file: File,
    columns: Columns,
    channels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    path: PathBuf,
    time_format: String,
    time_zone: String,
}

/// What is wrong with a mapping.
#[derive(Debug)]
pub struct MappingError {
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    Unreadable(std::io::Error),
    /// No TOML, or a key that is missing, unknown or of the wrong kind: the reason says which, and where.
    Toml(toml::de::Error),
    TimeZone(String),
    HalfAPoint,
    NoChannelColumn,
    Channel {
        value: String,
        given: String,
    },
}

impl Error for MappingError {}

impl fmt::Display for MappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.problem {
            Problem::Unreadable(reason) => {
                write!(f, "cannot read the mapping {path}: {reason}; give the path of a TOML file like nyc311.toml")
            }
            Problem::Toml(reason) => write!(f, "{path}: {reason}mend it as examples/replay/README.md says"),
            Problem::TimeZone(zone) => {
                write!(f, "{path}: time_zone '{zone}' is none; write an IANA name such as \"Asia/Kolkata\" or \"UTC\"")
            }
            Problem::HalfAPoint => {
                write!(f, "{path}: [columns] has one of 'latitude' and 'longitude'; give both, or neither")
            }
            Problem::NoChannelColumn => {
                write!(f, "{path}: [channels] has no 'column'; name the file's column that tells the channel")
            }
            Problem::Channel { value, given } => {
                let ours = CHANNELS.map(|(name, _)| name).join(", ");
                write!(f, "{path}: [channels] makes {value} '{given}', which is no channel; take one of {ours}")
            }
        }
    }
}

/// The channels by the names that a mapping uses. What came by no channel of ours counts as a web form.
const CHANNELS: [(&str, Channel); 8] = [
    ("x", Channel::X),
    ("facebook", Channel::Facebook),
    ("email", Channel::Email),
    ("counter", Channel::Counter),
    ("phone", Channel::Phone),
    ("web", Channel::Web),
    ("open311", Channel::Open311),
    ("other", Channel::Other),
];

impl Mapping {
    /// Reads a mapping from a TOML file.
    pub fn read(path: &Path) -> Result<Self, MappingError> {
        let fail = |problem| MappingError { path: path.to_owned(), problem };
        let text = std::fs::read_to_string(path).map_err(|error| fail(Problem::Unreadable(error)))?;
        let Written { file, columns, channels } = toml::from_str(&text).map_err(|error| fail(Problem::Toml(error)))?;
        if columns.latitude.is_some() != columns.longitude.is_some() {
            return Err(fail(Problem::HalfAPoint));
        }
        Ok(Self {
            csv: path.with_file_name(file.path),
            time_zone: TimeZone::get(&file.time_zone).map_err(|_| fail(Problem::TimeZone(file.time_zone)))?,
            time_format: file.time_format,
            columns,
            channels: channels.map(Channels::check).transpose().map_err(fail)?,
            path: path.to_owned(),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the tables lie.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}

impl Channels {
    fn check(mut written: BTreeMap<String, String>) -> Result<Self, Problem> {
        let column = written.remove("column").ok_or(Problem::NoChannelColumn)?;
        let channel = |(value, given): (String, String)| match CHANNELS.iter().find(|(name, _)| *name == given) {
            Some((_, channel)) => Ok((value, *channel)),
            None => Err(Problem::Channel { value, given }),
        };
        Ok(Self { column, by_value: written.into_iter().map(channel).collect::<Result<_, _>>()? })
    }
}
