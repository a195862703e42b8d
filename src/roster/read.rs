//! Reading a roster from TOML, and what can be wrong with it.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

use foldhash::fast::FixedState;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::{Desk, Leave, Officer, Roster, RosterVersion, Seat};
use crate::code::{CodeError, DepartmentId, DeskId, DistrictId, OfficerId};
use crate::sheet::MAX_BYTES;

/// The most officers a roster may have.
pub const MAX_OFFICERS: usize = 100_000;

/// The roster as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    time_zone: Spanned<String>,
    #[serde(default)]
    holidays: Vec<Spanned<toml::value::Datetime>>,
    control: Spanned<ControlTable>,
    #[serde(default)]
    department: Vec<Spanned<DeskTable>>,
    #[serde(default)]
    district: Vec<Spanned<DeskTable>>,
    #[serde(default)]
    officer: Vec<Spanned<OfficerTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ControlTable {
    name: String,
    name_hi: Option<String>,
    nodal: Option<String>,
    oversight: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeskTable {
    code: Spanned<String>,
    name: String,
    name_hi: Option<String>,
    nodal: Option<String>,
}

impl DeskTable {
    fn names(&self) -> (&str, Option<&str>) {
        (&self.name, self.name_hi.as_deref())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfficerTable {
    id: Spanned<String>,
    name: String,
    desk: Spanned<String>,
    department: Option<Spanned<String>>,
    deputy: Option<Spanned<String>>,
    #[serde(default)]
    leave: Vec<Spanned<LeaveTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LeaveTable {
    from: toml::value::Datetime,
    to: toml::value::Datetime,
}

/// Why a roster is not taken. The one in force stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RosterError {
    /// A holiday that is no day.
    #[error("line {line}: a holiday is a day like 2022-08-15")]
    Holiday {
        /// The line.
        line: usize,
    },
    /// The file is not TOML of the roster's shape.
    #[error("line {line}, column {column}: {problem}")]
    Toml {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What is wrong.
        problem: String,
    },
    /// A code is malformed.
    #[error("line {line}: {error}")]
    Code {
        /// The line.
        line: usize,
        /// What is wrong with it.
        error: CodeError,
    },
    /// The time zone is not known.
    #[error("line {line}: time zone '{zone}' is not known; give a name like Asia/Kolkata")]
    TimeZone {
        /// The line.
        line: usize,
        /// The zone.
        zone: String,
    },
    /// A department's or district's code stands twice, or a department and a district share one.
    #[error("line {line}: desk code '{code}' stands on line {first} already; give this desk another")]
    DuplicateDesk {
        /// The code.
        code: String,
        /// The first line.
        first: usize,
        /// The second line.
        line: usize,
    },
    /// An officer stands twice on the same desk.
    #[error("line {line}: officer '{officer}' stands on line {first} already; remove one of the two")]
    DuplicateOfficer {
        /// The officer.
        officer: OfficerId,
        /// The first line.
        first: usize,
        /// The second line.
        line: usize,
    },
    /// An officer stands on two desks.
    #[error(
        "line {line}: officer '{officer}' is on {second}, but on line {first} on {desk}; one officer sits on one desk, so give the second post an id of its own"
    )]
    OfficerOnTwoDesks {
        /// The officer.
        officer: OfficerId,
        /// The first desk.
        desk: DeskId,
        /// Its line.
        first: usize,
        /// The second desk.
        second: DeskId,
        /// Its line.
        line: usize,
    },
    /// An officer sits on a desk that does not exist.
    #[error("line {line}: there is no desk '{desk}'; add a department or district with that code or correct it")]
    UnknownDesk {
        /// The line.
        line: usize,
        /// The desk's code.
        desk: String,
    },
    /// A department that does not exist is named.
    #[error("line {line}: there is no department '{department}'; add it or correct the code")]
    UnknownDepartment {
        /// The line.
        line: usize,
        /// The department's code.
        department: String,
    },
    /// An officer of a district's desk who is not its nodal officer belongs to no department.
    #[error("line {line}: officer '{officer}' sits on a district's desk; say of which department")]
    NoDepartment {
        /// The line.
        line: usize,
        /// The officer.
        officer: OfficerId,
    },
    /// An officer who does not sit on a district's desk, or heads it, is given a department.
    #[error(
        "line {line}: officer '{officer}' needs no department; only those on a district's desk below its nodal officer do"
    )]
    DepartmentNotWanted {
        /// The line.
        line: usize,
        /// The officer.
        officer: OfficerId,
    },
    /// A desk has no nodal officer.
    #[error("line {line}: {desk} has no nodal officer; name one with nodal = \"…\"")]
    NoNodal {
        /// The line.
        line: usize,
        /// The desk.
        desk: DeskId,
    },
    /// A desk's nodal officer does not sit on it.
    #[error("line {line}: nodal officer '{officer}' of {desk} does not sit there; add the officer with that desk")]
    NodalElsewhere {
        /// The line.
        line: usize,
        /// The desk.
        desk: DeskId,
        /// The officer.
        officer: String,
    },
    /// A deputy is unknown, sits on another desk, or is the officer.
    #[error("line {line}: '{deputy}' cannot stand in for '{officer}'; a deputy is another officer on the same desk")]
    Deputy {
        /// The line.
        line: usize,
        /// The officer.
        officer: OfficerId,
        /// The deputy.
        deputy: String,
    },
    /// Leave that ends before it begins, or has a time of day.
    #[error(
        "line {line}: the leave of '{officer}' is not from a day to the same or a later day, like {{ from = 2022-06-06, to = 2022-06-17 }}"
    )]
    Leave {
        /// The line.
        line: usize,
        /// The officer.
        officer: OfficerId,
    },
    /// The file is larger than is read.
    #[error("the roster has {bytes} bytes, {MAX_BYTES} are the most")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// There are too many officers.
    #[error("{count} officers, {MAX_OFFICERS} are the most")]
    TooMany {
        /// How many there are.
        count: usize,
    },
}

impl Roster {
    /// Reads a roster.
    ///
    /// ```
    /// let roster = nivaran::Roster::read(r#"
    ///     time_zone = "Asia/Kolkata"
    ///     [control]
    ///     name = "Chief Minister's Secretariat"
    ///     nodal = "cms"
    ///     oversight = "vigilance"
    ///     [[department]]
    ///     code = "vigilance"
    ///     name = "Vigilance Department"
    ///     nodal = "vigilance-state"
    ///     [[officer]]
    ///     id = "cms"
    ///     name = "State Nodal Officer"
    ///     desk = "control"
    ///     [[officer]]
    ///     id = "vigilance-state"
    ///     name = "Director, Vigilance"
    ///     desk = "vigilance"
    ///     leave = [{ from = 2022-06-06, to = 2022-06-17 }]
    /// "#)?;
    /// assert_eq!(roster.desks().len(), 2);
    /// # Ok::<(), nivaran::RosterError>(())
    /// ```
    ///
    /// # Errors
    /// [`RosterError`] with the line: what is malformed, doubled, unknown or missing, and how to mend it.
    pub fn read(text: &str) -> Result<Self, RosterError> {
        if text.len() > MAX_BYTES {
            return Err(RosterError::TooLarge { bytes: text.len() });
        }
        let lines = Lines::new(text);
        let file: File = toml::from_str(text).map_err(|error| lines.toml(&error))?;
        if file.officer.len() > MAX_OFFICERS {
            return Err(RosterError::TooMany { count: file.officer.len() });
        }
        let zone = TimeZone::get(file.time_zone.get_ref()).map_err(|_| RosterError::TimeZone {
            line: lines.of(file.time_zone.span()),
            zone: file.time_zone.get_ref().clone(),
        })?;
        let mut draft = Draft { lines, ..Draft::default() };
        draft.desks(&file)?;
        draft.officers(&file, &zone)?;
        draft.nodal_officers(&file)?;
        draft.deputies(&file)?;
        let oversight = draft.oversight(&file)?;
        let holiday = |written: &Spanned<toml::value::Datetime>| {
            let line = draft.lines.of(written.span());
            day(written.get_ref()).ok_or(RosterError::Holiday { line })
        };
        let holidays = file.holidays.iter().map(holiday).collect::<Result<_, _>>()?;
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let (first, _) = digest.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        Ok(Self {
            version: RosterVersion(u64::from_be_bytes(*first)),
            department_desks: by_code(&draft.desks, |id| match id {
                DeskId::Department(department) => Some(department),
                _ => None,
            }),
            district_desks: by_code(&draft.desks, |id| match id {
                DeskId::District(district) => Some(district),
                _ => None,
            }),
            desks: draft.desks,
            officers: draft.officers,
            officer_by_id: draft.officer_by_id.into_iter().map(|(id, (seat, _))| (id, seat)).collect(),
            oversight,
            zone,
            holidays,
        })
    }
}

/// The desks that `code` gives one for, by it.
fn by_code<K: Clone + Eq + Hash>(
    desks: &[Desk],
    code: impl Fn(&DeskId) -> Option<&K>,
) -> HashMap<K, usize, FixedState> {
    desks.iter().enumerate().filter_map(|(at, desk)| Some((code(&desk.id)?.clone(), at))).collect()
}

/// A seat that no officer has: a desk's nodal officer before they are found.
const NOBODY: Seat = Seat::MAX;

/// A roster in the making.
#[derive(Default)]
struct Draft<'a> {
    lines: Lines<'a>,
    desks: Vec<Desk>,
    /// Desk by its bare code, with the line it stands on.
    desk_by_code: HashMap<&'a str, (usize, usize)>,
    officers: Vec<Officer>,
    /// Officer by id, with the line they stand on.
    officer_by_id: HashMap<OfficerId, (Seat, usize)>,
}

impl<'a> Draft<'a> {
    fn desks(&mut self, file: &'a File) -> Result<(), RosterError> {
        let control = file.control.get_ref();
        let names = (control.name.as_str(), control.name_hi.as_deref());
        self.add_desk("control", file.control.span(), DeskId::Control, names)?;
        for table in &file.department {
            let (code, span) = (table.get_ref().code.get_ref(), table.get_ref().code.span());
            let id = DepartmentId::new(code).map_err(|e| self.lines.code(span.clone(), e))?;
            self.add_desk(code, span, DeskId::Department(id), table.get_ref().names())?;
        }
        for table in &file.district {
            let (code, span) = (table.get_ref().code.get_ref(), table.get_ref().code.span());
            let id = DistrictId::new(code).map_err(|e| self.lines.code(span.clone(), e))?;
            self.add_desk(code, span, DeskId::District(id), table.get_ref().names())?;
        }
        Ok(())
    }

    fn add_desk(
        &mut self,
        code: &'a str,
        span: Range<usize>,
        id: DeskId,
        (name, name_hi): (&str, Option<&str>),
    ) -> Result<(), RosterError> {
        let line = self.lines.of(span);
        if let Some((_, first)) = self.desk_by_code.insert(code, (self.desks.len(), line)) {
            return Err(RosterError::DuplicateDesk { code: code.to_owned(), first, line });
        }
        self.desks.push(Desk {
            id,
            name: name.to_owned(),
            name_hi: name_hi.map(str::to_owned),
            nodal: NOBODY,
            officers: Vec::new(),
            by_department: HashMap::default(),
        });
        Ok(())
    }

    fn officers(&mut self, file: &'a File, zone: &TimeZone) -> Result<(), RosterError> {
        for table in &file.officer {
            let table = table.get_ref();
            let line = self.lines.of(table.id.span());
            let id = OfficerId::new(table.id.get_ref()).map_err(|error| RosterError::Code { line, error })?;
            let desk = match self.desk_by_code.get(table.desk.get_ref().as_str()) {
                Some(&(desk, _)) => &self.desks[desk].id,
                None => {
                    let (line, desk) = (self.lines.of(table.desk.span()), table.desk.get_ref().clone());
                    return Err(RosterError::UnknownDesk { line, desk });
                }
            };
            if let Some(&(seat, first)) = self.officer_by_id.get(&id) {
                let before = &self.officers[seat as usize].desk;
                return Err(if before == desk {
                    RosterError::DuplicateOfficer { officer: id, first, line }
                } else {
                    let (desk, second) = (before.clone(), desk.clone());
                    RosterError::OfficerOnTwoDesks { officer: id, desk, first, second, line }
                });
            }
            let leave = table.leave.iter().map(|days| {
                leave(days.get_ref(), zone)
                    .ok_or_else(|| RosterError::Leave { line: self.lines.of(days.span()), officer: id.clone() })
            });
            let officer = Officer {
                leave: leave.collect::<Result<_, _>>()?,
                name: table.name.clone(),
                desk: desk.clone(),
                department: self.department_of(table, desk)?,
                deputy: None,
                id: id.clone(),
            };
            self.officer_by_id.insert(id, (self.officers.len() as Seat, line));
            self.officers.push(officer);
        }
        Ok(())
    }

    fn department_of(&self, table: &OfficerTable, desk: &DeskId) -> Result<Option<DepartmentId>, RosterError> {
        let Some(named) = &table.department else {
            return Ok(match desk {
                DeskId::Department(department) => Some(department.clone()),
                _ => None,
            });
        };
        let line = self.lines.of(named.span());
        let department = DepartmentId::new(named.get_ref()).map_err(|error| RosterError::Code { line, error })?;
        if self.desks.iter().any(|d| d.id == DeskId::Department(department.clone())) {
            Ok(Some(department))
        } else {
            Err(RosterError::UnknownDepartment { line, department: named.get_ref().clone() })
        }
    }

    fn nodal_officers(&mut self, file: &File) -> Result<(), RosterError> {
        let control = std::iter::once((&file.control.get_ref().nodal, file.control.span()));
        let others = file.department.iter().chain(&file.district);
        let named: Vec<_> = control.chain(others.map(|t| (&t.get_ref().nodal, t.get_ref().code.span()))).collect();
        for (desk, (nodal, span)) in self.desks.iter_mut().zip(named) {
            let line = self.lines.of(span);
            let Some(nodal) = nodal else { return Err(RosterError::NoNodal { line, desk: desk.id.clone() }) };
            let seat = self.officer_by_id.get(nodal.as_str()).map(|(seat, _)| *seat);
            desk.nodal = seat
                .filter(|&seat| self.officers[seat as usize].desk == desk.id)
                .ok_or_else(|| RosterError::NodalElsewhere { line, desk: desk.id.clone(), officer: nodal.clone() })?;
        }
        for (seat, table) in (0..).zip(&file.officer) {
            let officer = &self.officers[seat as usize];
            let Some(&(desk, _)) = self.desk_by_code.get(table.get_ref().desk.get_ref().as_str()) else { continue };
            let desk = &mut self.desks[desk];
            let on_district = matches!(desk.id, DeskId::District(_));
            let (line, heads) = (self.lines.of(table.get_ref().id.span()), desk.nodal == seat);
            if table.get_ref().department.is_some() && (!on_district || heads) {
                return Err(RosterError::DepartmentNotWanted { line, officer: officer.id.clone() });
            }
            if heads {
                continue;
            }
            desk.officers.push(seat);
            match &officer.department {
                Some(department) if on_district => {
                    desk.by_department.entry(department.clone()).or_default().push(seat);
                }
                None if on_district => return Err(RosterError::NoDepartment { line, officer: officer.id.clone() }),
                _ => {}
            }
        }
        Ok(())
    }

    fn deputies(&mut self, file: &File) -> Result<(), RosterError> {
        for (seat, table) in file.officer.iter().enumerate() {
            let Some(named) = &table.get_ref().deputy else { continue };
            let officer = &self.officers[seat];
            let deputy = self.officer_by_id.get(named.get_ref().as_str()).map(|(deputy, _)| *deputy);
            let fits = |&deputy: &Seat| deputy as usize != seat && self.officers[deputy as usize].desk == officer.desk;
            let deputy = deputy.filter(fits).ok_or_else(|| RosterError::Deputy {
                line: self.lines.of(named.span()),
                officer: officer.id.clone(),
                deputy: named.get_ref().clone(),
            })?;
            self.officers[seat].deputy = Some(deputy);
        }
        Ok(())
    }

    fn oversight(&self, file: &File) -> Result<DepartmentId, RosterError> {
        let named = &file.control.get_ref().oversight;
        let line = self.lines.of(named.span());
        let id = DepartmentId::new(named.get_ref()).map_err(|error| RosterError::Code { line, error })?;
        if self.desks.iter().any(|desk| desk.id == DeskId::Department(id.clone())) {
            Ok(id)
        } else {
            Err(RosterError::UnknownDepartment { line, department: named.get_ref().clone() })
        }
    }
}

/// A day, if no time stands with it.
fn day(written: &toml::value::Datetime) -> Option<Date> {
    match (written.date, written.time) {
        (Some(date), None) => {
            Date::new(i16::try_from(date.year).ok()?, i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?).ok()
        }
        _ => None,
    }
}

fn leave(table: &LeaveTable, zone: &TimeZone) -> Option<Leave> {
    let days = (day(&table.from)?, day(&table.to)?);
    let begins = days.0.to_zoned_datetime(zone.clone()).ok()?.timestamp();
    let ends = days.1.tomorrow().ok()?.to_zoned_datetime(zone.clone()).ok()?.timestamp();
    (days.0 <= days.1).then_some(Leave { days, begins, ends })
}

/// The text and where its lines begin, to tell a span's line.
#[derive(Default)]
struct Lines<'a> {
    text: &'a str,
    begins: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let begins = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, begins }
    }

    fn of(&self, span: Range<usize>) -> usize {
        self.begins.partition_point(|begin| *begin <= span.start)
    }

    fn position(&self, at: usize) -> (usize, usize) {
        let line = self.of(at..at);
        let begins = line.checked_sub(1).and_then(|i| self.begins.get(i)).copied().unwrap_or_default();
        (line, self.text.get(begins..at).map_or(0, |before| before.chars().count()) + 1)
    }

    fn toml(&self, error: &toml::de::Error) -> RosterError {
        let (line, column) = self.position(error.span().map_or(0, |span| span.start));
        RosterError::Toml { line, column, problem: error.message().replace('\n', " ") }
    }

    fn code(&self, span: Range<usize>, error: CodeError) -> RosterError {
        RosterError::Code { line: self.of(span), error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small roster in the shape of Haryana's.
    const GOOD: &str = r#"time_zone = "Asia/Kolkata"

[control]
name = "Chief Minister's Secretariat"
nodal = "cms"
oversight = "vigilance"

[[department]]
code = "phe"
name = "Public Health Engineering"
name_hi = "जन स्वास्थ्य अभियांत्रिकी"
nodal = "phe-state"

[[department]]
code = "vigilance"
name = "Vigilance"
nodal = "vigilance-state"

[[district]]
code = "hisar"
name = "Hisar"
nodal = "cm-hisar"

[[officer]]
id = "cms"
name = "State Nodal Officer"
desk = "control"

[[officer]]
id = "phe-state"
name = "Engineer-in-Chief"
desk = "phe"
deputy = "phe-se"

[[officer]]
id = "phe-se"
name = "Superintending Engineer"
desk = "phe"

[[officer]]
id = "vigilance-state"
name = "Director, Vigilance"
desk = "vigilance"

[[officer]]
id = "cm-hisar"
name = "City Magistrate"
desk = "hisar"

[[officer]]
id = "phe-hisar"
name = "Executive Engineer"
desk = "hisar"
department = "phe"
leave = [{ from = 2022-06-06, to = 2022-06-07 }]
"#;

    /// The good roster with one text in it replaced.
    fn with(old: &str, new: &str) -> Result<Roster, RosterError> {
        assert_eq!(GOOD.matches(old).count(), 1, "{old}");
        Roster::read(&GOOD.replace(old, new))
    }

    /// The error of the good roster with one text in it replaced; its words name the line, too.
    fn error(old: &str, new: &str) -> RosterError {
        let error = with(old, new).unwrap_err();
        assert!(error.to_string().starts_with("line "), "{error}");
        error
    }

    /// The line of the good roster on which a text stands first.
    fn line(text: &str) -> usize {
        GOOD.lines().position(|line| line.contains(text)).unwrap() + 1
    }

    fn officer(id: &str) -> OfficerId {
        OfficerId::new(id).unwrap()
    }

    fn desk(id: &str) -> DeskId {
        id.parse().unwrap()
    }

    #[test]
    fn reads_desks_officers_deputies_and_leave() {
        let roster = Roster::read(GOOD).unwrap();
        let desks: Vec<_> = roster.desks().iter().map(|desk| desk.id().to_string()).collect();
        assert_eq!(desks, ["control", "department:phe", "department:vigilance", "district:hisar"]);
        assert_eq!(roster.desk(&desk("district:hisar")).unwrap().name(), "Hisar");
        assert_eq!(roster.officers().len(), 6);
        assert_eq!(roster.nodal(&desk("department:phe")).unwrap().id(), &officer("phe-state"));
        assert_eq!(roster.oversight().as_str(), "vigilance");

        let department = |id: &str| roster.officer(&officer(id)).unwrap().department().map(|d| d.as_str());
        assert_eq!(department("phe-hisar"), Some("phe"));
        assert_eq!(department("phe-se"), Some("phe"));
        assert_eq!((department("cm-hisar"), department("cms")), (None, None));
        let deputy = roster.officer(&officer("phe-state")).unwrap().deputy.unwrap();
        assert_eq!(roster.at(deputy).id(), &officer("phe-se"));
    }

    #[test]
    fn leave_is_whole_days_of_the_rosters_time_zone() {
        let roster = Roster::read(GOOD).unwrap();
        let engineer = roster.officer(&officer("phe-hisar")).unwrap();
        let on_leave = |time: &str| engineer.on_leave(time.parse().unwrap());
        assert!(!on_leave("2022-06-05T23:59:59+05:30"));
        assert!(on_leave("2022-06-06T00:00:00+05:30"));
        assert!(on_leave("2022-06-07T23:59:59+05:30"));
        assert!(!on_leave("2022-06-08T00:00:00+05:30"));
        let days = (jiff::civil::date(2022, 6, 6), jiff::civil::date(2022, 6, 7));
        assert_eq!(engineer.leave().collect::<Vec<_>>(), [days]);
    }

    #[test]
    fn another_text_is_another_version() {
        let version = |roster: Roster| roster.version();
        assert_eq!(version(Roster::read(GOOD).unwrap()), version(Roster::read(GOOD).unwrap()));
        assert_ne!(version(Roster::read(GOOD).unwrap()), version(with("Director, Vigilance", "Director").unwrap()));
    }

    #[test]
    fn an_officer_on_a_districts_desk_is_of_some_department() {
        let error = error("department = \"phe\"\n", "");
        assert_eq!(
            error,
            RosterError::NoDepartment { line: line("id = \"phe-hisar\""), officer: officer("phe-hisar") }
        );
    }

    #[test]
    fn what_is_not_toml_of_the_rosters_shape_is_named_by_line_and_column() {
        for (old, new, at) in [
            ("[control]", "[control", (line("[control]"), 9)),
            ("name = \"Hisar\"", "name = 7", (line("name = \"Hisar\""), 8)),
            ("name = \"Hisar\"", "nmae = \"Hisar\"", (line("name = \"Hisar\""), 1)),
            ("name = \"Hisar\"\n", "", (line("[[district]]"), 1)),
            ("oversight = \"vigilance\"\n", "", (line("[control]"), 1)),
        ] {
            match error(old, new) {
                RosterError::Toml { line, column, problem } => {
                    assert_eq!((line, column), at, "{new}: {problem}");
                    assert!(!problem.contains('\n'), "{problem}");
                }
                other => panic!("{new}: {other}"),
            }
        }
        assert!(matches!(Roster::read(""), Err(RosterError::Toml { line: 1, .. })));
    }

    #[test]
    fn a_malformed_code_is_named_wherever_it_stands() {
        for (old, new) in [
            ("code = \"phe\"", "code = \"PHE\""),
            ("code = \"hisar\"", "code = \"hisar/hansi\""),
            ("id = \"phe-se\"", "id = \"phe se\""),
            ("department = \"phe\"", "department = \"\""),
            ("oversight = \"vigilance\"", "oversight = \"vigilance-\""),
        ] {
            assert!(matches!(error(old, new), RosterError::Code { line: at, .. } if at == line(old)), "{new}");
        }
    }

    #[test]
    fn a_time_zone_has_a_known_name() {
        let zone = "Asia/Hisar".to_owned();
        assert_eq!(error("Asia/Kolkata", "Asia/Hisar"), RosterError::TimeZone { line: 1, zone });
    }

    #[test]
    fn a_desks_code_stands_once_also_across_departments_and_districts() {
        let code = "phe".to_owned();
        assert_eq!(
            error("code = \"hisar\"", "code = \"phe\""),
            RosterError::DuplicateDesk { code, first: line("code = \"phe\""), line: line("code = \"hisar\"") }
        );
        let code = "control".to_owned();
        assert_eq!(
            error("code = \"hisar\"", "code = \"control\""),
            RosterError::DuplicateDesk { code, first: line("[control]"), line: line("code = \"hisar\"") }
        );
    }

    #[test]
    fn an_officer_stands_once_and_sits_on_one_desk() {
        assert_eq!(
            error("id = \"phe-se\"", "id = \"phe-state\""),
            RosterError::DuplicateOfficer {
                officer: officer("phe-state"),
                first: line("id = \"phe-state\""),
                line: line("id = \"phe-se\"")
            }
        );
        assert_eq!(
            error("id = \"phe-hisar\"", "id = \"phe-state\""),
            RosterError::OfficerOnTwoDesks {
                officer: officer("phe-state"),
                desk: desk("department:phe"),
                first: line("id = \"phe-state\""),
                second: desk("district:hisar"),
                line: line("id = \"phe-hisar\""),
            }
        );
    }

    #[test]
    fn a_desk_or_department_that_is_named_has_to_exist() {
        assert_eq!(
            error("desk = \"vigilance\"", "desk = \"vigilanse\""),
            RosterError::UnknownDesk { line: line("desk = \"vigilance\""), desk: "vigilanse".to_owned() }
        );
        let department = "roads".to_owned();
        assert_eq!(
            error("department = \"phe\"", "department = \"roads\""),
            RosterError::UnknownDepartment { line: line("department = \"phe\""), department: department.clone() }
        );
        assert_eq!(
            error("oversight = \"vigilance\"", "oversight = \"roads\""),
            RosterError::UnknownDepartment { line: line("oversight"), department }
        );
    }

    #[test]
    fn only_those_on_a_districts_desk_below_its_nodal_officer_name_a_department() {
        let not_wanted =
            |id: &str| RosterError::DepartmentNotWanted { line: line(&format!("id = \"{id}\"")), officer: officer(id) };
        let with_department = |desk: &str| format!("{desk}\ndepartment = \"phe\"");
        let control = "desk = \"control\"";
        assert_eq!(error(control, &with_department(control)), not_wanted("cms"));
        let magistrate = "name = \"City Magistrate\"\ndesk = \"hisar\"";
        assert_eq!(error(magistrate, &with_department(magistrate)), not_wanted("cm-hisar"));
        let own = "name = \"Superintending Engineer\"\ndesk = \"phe\"";
        assert_eq!(error(own, &with_department(own)), not_wanted("phe-se"));
    }

    #[test]
    fn every_desk_has_a_nodal_officer_who_sits_on_it() {
        assert_eq!(
            error("nodal = \"cm-hisar\"\n", ""),
            RosterError::NoNodal { line: line("code = \"hisar\""), desk: desk("district:hisar") }
        );
        assert_eq!(
            error("nodal = \"cms\"\n", ""),
            RosterError::NoNodal { line: line("[control]"), desk: DeskId::Control }
        );
        for elsewhere in ["phe-hisar", "nobody"] {
            let (line, desk, officer) = (line("code = \"phe\""), desk("department:phe"), elsewhere.to_owned());
            assert_eq!(
                error("nodal = \"phe-state\"", &format!("nodal = \"{elsewhere}\"")),
                RosterError::NodalElsewhere { line, desk, officer }
            );
        }
    }

    #[test]
    fn a_deputy_is_another_officer_on_the_same_desk() {
        for deputy in ["phe-state", "phe-hisar", "nobody"] {
            assert_eq!(
                error("deputy = \"phe-se\"", &format!("deputy = \"{deputy}\"")),
                RosterError::Deputy { line: line("deputy"), officer: officer("phe-state"), deputy: deputy.to_owned() }
            );
        }
    }

    #[test]
    fn leave_ends_no_earlier_than_it_begins_and_has_no_time_of_day() {
        for bad in [
            "from = 2022-06-08, to = 2022-06-07",
            "from = 2022-06-06T09:00:00, to = 2022-06-07",
            "from = 2022-06-06, to = 17:00:00",
            "from = 2022-06-06, to = 9999-12-31",
        ] {
            assert_eq!(
                error("from = 2022-06-06, to = 2022-06-07", bad),
                RosterError::Leave { line: line("leave"), officer: officer("phe-hisar") },
                "{bad}"
            );
        }
        with("to = 2022-06-07", "to = 2022-06-06").expect("a single day");
    }

    #[test]
    fn more_officers_than_the_limit_are_refused() {
        let one = "{id=\"a\",name=\"\",desk=\"control\"},";
        let officers = one.repeat(MAX_OFFICERS + 1);
        let text = format!("time_zone=\"UTC\"\nofficer=[{officers}]\n[control]\nname=\"\"\noversight=\"a\"\n");
        assert_eq!(Roster::read(&text).unwrap_err(), RosterError::TooMany { count: MAX_OFFICERS + 1 });
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".*", cut in 0..GOOD.len(), insert in "[\\[\\]=\",{}a-z0-9 \n]{0,5}") {
            let _ = Roster::read(&text);
            let at = (0..=cut).rev().find(|&at| GOOD.is_char_boundary(at)).unwrap_or(0);
            let _ = Roster::read(&format!("{}{insert}{}", &GOOD[..at], &GOOD[at..]));
        }
    }
}
