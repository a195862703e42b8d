//! The rows of the mapped file as grievances.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use csv::StringRecord;
use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use nivaran::grievance::Coordinates;
use nivaran::{CategoryPath, Channel, Grievance, PlacePath, Source};

use crate::mapping::{Channels, Mapping};

/// A row that can be submitted.
pub struct Row {
    pub line: u64,
    pub grievance: Grievance,
    /// The agency on record, as a code.
    pub handled_by: String,
}

/// A row that cannot, and why.
pub struct BadRow {
    pub line: u64,
    pub why: String,
}

/// Why nothing of a file can be used.
#[derive(Debug)]
pub enum FileError {
    Unreadable { file: PathBuf, reason: csv::Error },
    NoColumn { file: PathBuf, column: String, mapping: PathBuf, key: &'static str, there: String },
    NoRows { file: PathBuf },
    NoGoodRow { file: PathBuf, line: u64, why: String },
}

impl Error for FileError {}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, reason } if reason.is_io_error() => {
                write!(f, "cannot read {}: {reason}; correct 'path' under [file] in the mapping", file.display())
            }
            Self::Unreadable { file, reason } => {
                write!(f, "{} has no header that can be read: {reason}; save it as CSV in UTF-8", file.display())
            }
            Self::NoColumn { file, column, mapping, key, there } => write!(
                f,
                "{} has no column '{column}', which '{key}' in {} names; its columns are: {there}",
                file.display(),
                mapping.display(),
            ),
            Self::NoRows { file } => {
                write!(f, "{} has no rows; it needs a header and at least one row below it", file.display())
            }
            Self::NoGoodRow { file, line, why } => {
                write!(f, "{}: no row can be read; the first, on line {line}: {why}", file.display(),)
            }
        }
    }
}

/// Reads the file of a mapping. A row that cannot be read is told apart, and the others go on without it.
pub fn read(mapping: &Mapping) -> Result<(Vec<Row>, Vec<BadRow>), FileError> {
    let file = mapping.csv.clone();
    let unreadable = |reason| FileError::Unreadable { file: file.clone(), reason };
    let mut csv = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(&mapping.csv).map_err(unreadable)?;
    let header = csv.headers().map_err(unreadable)?.clone();
    if header.is_empty() {
        return Err(FileError::NoRows { file });
    }
    let form = Form::new(mapping, &header)?;
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for record in csv.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                match form.row(&record) {
                    Ok((grievance, handled_by)) => rows.push(Row { line, grievance, handled_by }),
                    Err(why) => bad.push(BadRow { line, why }),
                }
            }
            Err(error) => bad.push(broken(&error)),
        }
    }
    match (rows.first(), bad.first()) {
        (None, None) => Err(FileError::NoRows { file }),
        (None, Some(BadRow { line, why })) => Err(FileError::NoGoodRow { file, line: *line, why: why.clone() }),
        _ => Ok((rows, bad)),
    }
}

/// A row that is no CSV.
fn broken(error: &csv::Error) -> BadRow {
    let line = error.position().map_or(0, csv::Position::line);
    let why = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} fields where the header has {expected_len}; quote a field that has a comma")
        }
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8; save the file as UTF-8".to_owned(),
        _ => error.to_string(),
    };
    BadRow { line, why }
}

/// Where in a row each field stands.
struct Form<'a> {
    mapping: &'a Mapping,
    source: usize,
    posted: usize,
    category: Vec<usize>,
    place: Vec<usize>,
    text: Vec<usize>,
    point: Option<(usize, usize)>,
    handled_by: usize,
    channel: Option<(usize, &'a Channels)>,
}

impl<'a> Form<'a> {
    fn new(mapping: &'a Mapping, header: &StringRecord) -> Result<Self, FileError> {
        let at = |key, column: &String| {
            header.iter().position(|there| there == column).ok_or_else(|| FileError::NoColumn {
                file: mapping.csv.clone(),
                column: column.clone(),
                mapping: mapping.path().to_owned(),
                key,
                there: header.iter().collect::<Vec<_>>().join(", "),
            })
        };
        let all = |key, columns: &[String]| columns.iter().map(|column| at(key, column)).collect::<Result<Vec<_>, _>>();
        let columns = &mapping.columns;
        let latitude = columns.latitude.as_ref().map(|column| at("latitude", column)).transpose()?;
        let longitude = columns.longitude.as_ref().map(|column| at("longitude", column)).transpose()?;
        let channel = mapping.channels.as_ref().map(|c| Ok((at("column", &c.column)?, c))).transpose()?;
        Ok(Self {
            mapping,
            source: at("source", &columns.source)?,
            posted: at("posted", &columns.posted)?,
            category: all("category", columns.category.names())?,
            place: all("place", columns.place.as_ref().map_or(&[], |place| place.names()))?,
            text: all("text", columns.text.names())?,
            point: latitude.zip(longitude),
            handled_by: at("handled_by", &columns.handled_by)?,
            channel,
        })
    }

    /// A row's grievance and the agency on record, or what is wrong with the row.
    fn row(&self, record: &StringRecord) -> Result<(Grievance, String), String> {
        let cell = |at: usize| record.get(at).unwrap_or_default();
        let text = self.text.iter().map(|&at| cell(at)).find(|text| !text.is_empty()).unwrap_or_default();
        let source = Source::new(self.channel(record)?, cell(self.source)).map_err(|error| error.to_string())?;
        let mut grievance = Grievance::builder(source, text).posted_at(self.posted(cell(self.posted))?);
        if let Some(category) = path(self.category.iter().map(|&at| cell(at))) {
            grievance = grievance.category(CategoryPath::new(&category).map_err(|error| error.to_string())?);
        }
        if let Some(place) = path(self.place.iter().map(|&at| cell(at))) {
            grievance = grievance.place(PlacePath::new(&place).map_err(|error| error.to_string())?);
        }
        if let Some(point) = self.point(record)? {
            grievance = grievance.coordinates(point);
        }
        let handled_by = slug(cell(self.handled_by));
        if handled_by.is_empty() {
            return Err("it does not say who handled it, so there is nothing to compare with".to_owned());
        }
        Ok((grievance.build().map_err(|error| error.to_string())?, handled_by))
    }

    fn channel(&self, record: &StringRecord) -> Result<Channel, String> {
        let Some((at, channels)) = &self.channel else { return Ok(Channel::Web) };
        let value = record.get(*at).unwrap_or_default();
        let channel = channels.by_value.get(value).copied();
        channel.ok_or_else(|| format!("the channel '{value}' is not under [channels]; add a line for it"))
    }

    fn posted(&self, text: &str) -> Result<Timestamp, String> {
        let Mapping { time_format, time_zone, .. } = self.mapping;
        instant(time_format, time_zone, text)
            .map_err(|error| format!("the time '{text}' is not as '{time_format}' says: {error}"))
    }

    fn point(&self, record: &StringRecord) -> Result<Option<Coordinates>, String> {
        let Some((latitude, longitude)) = self.point else { return Ok(None) };
        let degrees = |at: usize| match record.get(at).unwrap_or_default() {
            "" => Ok(None),
            text => text.parse::<f64>().map(Some).map_err(|_| format!("'{text}' is no number of degrees")),
        };
        match degrees(latitude)?.zip(degrees(longitude)?) {
            Some((latitude, longitude)) => {
                Coordinates::new(latitude, longitude).map(Some).map_err(|error| error.to_string())
            }
            None => Ok(None),
        }
    }
}

/// The instant that a text tells: by its own offset if the format has one, else by the file's time zone.
fn instant(format: &str, time_zone: &TimeZone, text: &str) -> Result<Timestamp, jiff::Error> {
    let parts = BrokenDownTime::parse(format, text)?;
    match parts.offset() {
        Some(_) => parts.to_timestamp(),
        None => time_zone.to_timestamp(parts.to_datetime()?),
    }
}

/// A path of slugged levels; an empty level ends it.
fn path<'a>(levels: impl Iterator<Item = &'a str>) -> Option<String> {
    let levels: Vec<String> = levels.map(slug).take_while(|level| !level.is_empty()).collect();
    (!levels.is_empty()).then(|| levels.join("/"))
}

/// Lower case, every run of anything but letters and digits one hyphen, none at the ends.
fn slug(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}
