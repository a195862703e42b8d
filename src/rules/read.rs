//! Reading a rules table from a sheet.

use jiff::civil::Date;

use super::condition::{Conditions, Dates, Day, MAX_ALTERNATIVES, Minute, Names, TimeSpan, Weekdays, Word, Words};
use super::condition::{weekday, weekdays_from};
use super::finding::{CellAt, Fault, Finding};
use super::table::{HitPolicy, Level, Priority, Row, Target};
use crate::calendar::Hours;
use crate::code::{CategoryPath, CodeError, DepartmentId, PlacePath, RowId};
use crate::grievance::{Channel, Language};
use crate::sheet::{CellFinder, Sheet};

/// The most rows of a table.
pub const MAX_ROWS: usize = 200_000;
/// The most findings that are collected.
pub const MAX_FINDINGS: usize = 1_000;

/// The columns as an error lists them.
pub(super) const COLUMN_NAMES: &str = "id,category,location,channel,language,words_any,words_all,time,weekday,holiday,valid_from,\
     valid_until,department,level,priority,deadline_hours,precedence,note";

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Id,
    Category,
    Location,
    Channel,
    Language,
    WordsAny,
    WordsAll,
    Time,
    Weekday,
    Holiday,
    ValidFrom,
    ValidUntil,
    Department,
    Level,
    Priority,
    DeadlineHours,
    Precedence,
    Note,
}

/// All of them with their names, in the order of their numbers, and whether a table has to have them.
pub(super) const COLUMNS: [(Column, &str, Need); 18] = [
    (Column::Id, "id", Need::Required),
    (Column::Category, "category", Need::Required),
    (Column::Location, "location", Need::Required),
    (Column::Channel, "channel", Need::Optional),
    (Column::Language, "language", Need::Optional),
    (Column::WordsAny, "words_any", Need::Optional),
    (Column::WordsAll, "words_all", Need::Optional),
    (Column::Time, "time", Need::Optional),
    (Column::Weekday, "weekday", Need::Optional),
    (Column::Holiday, "holiday", Need::Optional),
    (Column::ValidFrom, "valid_from", Need::Optional),
    (Column::ValidUntil, "valid_until", Need::Optional),
    (Column::Department, "department", Need::Required),
    (Column::Level, "level", Need::Required),
    (Column::Priority, "priority", Need::Required),
    (Column::DeadlineHours, "deadline_hours", Need::Required),
    (Column::Precedence, "precedence", Need::Optional),
    (Column::Note, "note", Need::Optional),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

/// A table as it stands in a file, read and not checked yet.
pub(super) struct Draft<'a> {
    pub(super) policy: HitPolicy,
    pub(super) rows: Vec<Row>,
    pub(super) places: Places<'a>,
    pub(super) findings: Vec<Finding>,
}

/// Where the rows of a table stand.
#[derive(Debug, Clone)]
pub(super) struct Places<'a> {
    /// `None` for rows that come from no file.
    file: Option<CellFinder<'a>>,
    columns: Columns,
    /// Line and first byte of each row.
    rows: Vec<(usize, usize)>,
}

impl Places<'_> {
    /// Of rows that come from no file: each is a line.
    pub(super) fn of_no_file(rows: usize) -> Self {
        Self { file: None, columns: Columns([None; COLUMNS.len()]), rows: (1..=rows).map(|line| (line, 0)).collect() }
    }

    /// A cell of a row.
    pub(super) fn cell(&self, row: usize, column: Column) -> CellAt {
        let at = self.columns.0[column as usize];
        let (line, begins) = self.rows.get(row).copied().unwrap_or_default();
        let column = at.filter(|_| self.file.is_some());
        CellAt { line, column: column.map(|at| at + 1), bytes: self.file.map(|file| file.cell(begins, column)) }
    }

    /// A whole row.
    pub(super) fn row(&self, row: usize) -> CellAt {
        let (line, begins) = self.rows.get(row).copied().unwrap_or_default();
        CellAt { line, column: None, bytes: self.file.map(|file| file.cell(begins, None)) }
    }
}

/// Reads a table. What is wrong with single rows is collected; they are left out.
pub(super) fn read(csv: &[u8]) -> Draft<'_> {
    let find = CellFinder::new(csv);
    let places = Places { file: Some(find), columns: Columns([None; COLUMNS.len()]), rows: Vec::new() };
    let mut draft = Draft { policy: HitPolicy::Specific, rows: Vec::new(), places, findings: Vec::new() };
    if let Err(finding) = draft.read(csv, find) {
        draft.findings.push(finding);
    }
    draft
}

impl Draft<'_> {
    /// Goes through the file; what is answered is why it could not be read on.
    fn read(&mut self, csv: &[u8], find: CellFinder<'_>) -> Result<(), Finding> {
        let mut sheet = Sheet::open(csv).map_err(no_sheet)?;
        let mut header_line = 1;
        if sheet.header().get(0) == Some("hit_policy") {
            self.policy = policy(sheet.header().get(1).unwrap_or_default(), find)?;
            sheet.header_is_next().map_err(no_sheet)?;
            header_line = 2;
        }
        self.places.columns = Columns::of(sheet.header(), header_line)?;
        loop {
            let (line, record) = match sheet.next_row() {
                Ok(None) => return Ok(()),
                Ok(Some(row)) => row,
                Err(error) => return Err(no_sheet(error)),
            };
            if self.rows.len() == MAX_ROWS {
                // What is not taken in any case is not looked through.
                self.rows.clear();
                self.places.rows.clear();
                let at = vec![CellAt { line, column: None, bytes: None }];
                return Err(Finding { at, ..Finding::new(Fault::TooManyRows) });
            }
            let read = Cells { columns: &self.places.columns, record }.row();
            let begins = sheet.begins();
            match read {
                Ok(row) => {
                    self.rows.push(row);
                    self.places.rows.push((line, begins));
                }
                Err(Misread { column, what }) => {
                    let at = self.places.columns.0[column as usize];
                    let bytes = Some(find.cell(begins, at));
                    let at = vec![CellAt { line, column: at.map(|at| at + 1), bytes }];
                    self.findings.push(Finding { at, ..Finding::new(what) });
                    if self.findings.len() == MAX_FINDINGS {
                        return Ok(());
                    }
                }
            }
        }
    }
}

fn no_sheet(error: crate::sheet::SheetError) -> Finding {
    use crate::sheet::SheetError as E;
    let (line, column) = match &error {
        E::TooLarge { .. } => (1, None),
        E::CellTooLong { line, column, .. }
        | E::NotUtf8 { line, column }
        | E::Quote { line, column }
        | E::Nul { line, column } => (*line, Some(*column)),
        E::Ragged { line, .. } | E::HeaderAgain { line } => (*line, None),
    };
    Finding { at: vec![CellAt { line, column, bytes: None }], ..Finding::new(Fault::Sheet(error)) }
}

fn policy(given: &str, find: CellFinder<'_>) -> Result<HitPolicy, Finding> {
    match given {
        "specific" => Ok(HitPolicy::Specific),
        "first" => Ok(HitPolicy::First),
        _ => {
            let at = vec![CellAt { line: 1, column: Some(2), bytes: Some(find.cell(0, Some(1))) }];
            Err(Finding { at, ..Finding::new(Fault::HitPolicy { given: cut(given) }) })
        }
    }
}

/// Where each of [`COLUMNS`] stands.
#[derive(Debug, Clone)]
struct Columns([Option<usize>; COLUMNS.len()]);

impl Columns {
    fn of(header: &csv::StringRecord, line: usize) -> Result<Self, Finding> {
        let mut columns = [None; COLUMNS.len()];
        for (i, name) in header.iter().enumerate() {
            let bad = |what| {
                let at = vec![CellAt { line, column: Some(i + 1), bytes: None }];
                Err(Finding { at, ..Finding::new(what) })
            };
            match COLUMNS.iter().find(|(_, known, _)| *known == name) {
                None => {
                    let nearest = nearest(name, COLUMNS.iter().map(|(_, known, _)| *known));
                    return bad(Fault::UnknownColumn { name: cut(name), nearest });
                }
                Some((column, name, _)) if columns[*column as usize].is_some() => {
                    return bad(Fault::ColumnTwice { name });
                }
                Some((column, ..)) => columns[*column as usize] = Some(i),
            }
        }
        let lacks =
            COLUMNS.iter().find(|(column, _, need)| *need == Need::Required && columns[*column as usize].is_none());
        match lacks {
            Some((_, column, _)) => {
                let at = vec![CellAt { line, column: None, bytes: None }];
                Err(Finding { at, ..Finding::new(Fault::NoColumn { column }) })
            }
            None => Ok(Self(columns)),
        }
    }
}

/// The known name that is most like a given one, if any is at all.
pub(super) fn nearest<T: AsRef<str>>(given: &str, known: impl Iterator<Item = T>) -> Option<T> {
    const ALIKE: f64 = 0.7;
    let like = |name: T| {
        let likeness = strsim::normalized_damerau_levenshtein(given, name.as_ref());
        (likeness >= ALIKE).then_some((likeness, name))
    };
    let better = |best: (f64, T), other: (f64, T)| if other.0 > best.0 { other } else { best };
    known.filter_map(like).reduce(better).map(|(_, name)| name)
}

fn cut(given: &str) -> String {
    given.chars().take(40).filter(|c| !c.is_control()).collect()
}

/// What is wrong with a row, and in which cell.
struct Misread {
    column: Column,
    what: Fault,
}

struct Cells<'a> {
    columns: &'a Columns,
    record: &'a csv::StringRecord,
}

impl Cells<'_> {
    fn row(&self) -> Result<Row, Misread> {
        let is_formula = |column: Column| column != Column::Note && self.cell(column).starts_with(FORMULA_SIGNS);
        if let Some((column, ..)) = COLUMNS.iter().find(|(column, ..)| is_formula(*column)) {
            return Err(Misread { column: *column, what: Fault::Formula });
        }
        let target = match self.cell(Column::Department) {
            "control" => match self.cell(Column::Level) {
                "" => Target::Control,
                _ => return Err(self.word(Column::Level, "level for the control desk", "nothing")),
            },
            department => {
                let department = DepartmentId::new(department).map_err(code(Column::Department))?;
                Target::Department(department, self.level()?)
            }
        };
        Ok(Row {
            id: RowId::new(self.cell(Column::Id)).map_err(code(Column::Id))?,
            when: self.conditions()?,
            precedence: self.precedence()?,
            target,
            priority: self.priority()?,
            deadline: self.deadline()?,
        })
    }

    fn conditions(&self) -> Result<Conditions, Misread> {
        let channel = |name: &str| {
            Channel::named(name).ok_or_else(|| Fault::Word { what: "channel", given: cut(name), possible: CHANNELS })
        };
        let language = |tag: &str| {
            let possible = "a tag like hi, en or hi-Latn";
            Language::new(tag).map_err(|_| Fault::Word { what: "language", given: cut(tag), possible })
        };
        Ok(Conditions {
            category: self.names(Column::Category, |path| CategoryPath::new(path).map_err(Fault::Code))?,
            location: self.names(Column::Location, |path| PlacePath::new(path).map_err(Fault::Code))?,
            channel: self.names(Column::Channel, channel)?,
            language: self.names(Column::Language, language)?,
            words: Words { any: self.words(Column::WordsAny)?, all: self.words(Column::WordsAll)? },
            day: match self.cell(Column::Holiday) {
                "" => None,
                "yes" => Some(Day::Holiday),
                "no" => Some(Day::Working),
                _ => return Err(self.word(Column::Holiday, "answer", "yes, no or nothing")),
            },
            weekdays: self.weekdays()?,
            time: self.time()?,
            dates: Dates { from: self.date(Column::ValidFrom)?, until: self.date(Column::ValidUntil)? },
        })
    }

    /// A cell's alternatives.
    fn names<T: PartialEq>(
        &self,
        column: Column,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Result<Names<T>, Misread> {
        let cell = self.cell(column);
        if cell.is_empty() {
            return Ok(Names::Any);
        }
        let misread = |what| Misread { column, what };
        let (mut names, mut negated) = (Vec::new(), 0);
        for text in cell.split('|').map(str::trim) {
            let name = match text.strip_prefix('!') {
                Some(rest) => {
                    negated += 1;
                    rest.trim()
                }
                None => text,
            };
            let name = parse(name).map_err(misread)?;
            if names.len() == MAX_ALTERNATIVES {
                return Err(misread(Fault::TooManyAlternatives));
            }
            names.push(name);
        }
        match negated {
            0 => Ok(Names::OneOf(names)),
            all if all == names.len() => Ok(Names::NoneOf(names)),
            _ => Err(misread(Fault::Mixed)),
        }
    }

    fn words(&self, column: Column) -> Result<Vec<Word>, Misread> {
        let cell = self.cell(column);
        let alternatives: Vec<&str> = if cell.is_empty() { Vec::new() } else { cell.split('|').collect() };
        if alternatives.len() > MAX_ALTERNATIVES {
            return Err(Misread { column, what: Fault::TooManyAlternatives });
        }
        let word = |text: &&str| {
            Word::new(text).ok_or_else(|| {
                self.word(column, "word", "words of letters, 'a|b' for several, at most 60 characters each")
            })
        };
        alternatives.iter().map(word).collect()
    }

    fn weekdays(&self) -> Result<Weekdays, Misread> {
        let cell = self.cell(Column::Weekday);
        if cell.is_empty() {
            return Ok(Weekdays::ALL);
        }
        let days = |part: &str| match part.split_once('-') {
            Some((first, last)) => Some(weekdays_from(weekday(first.trim())?, weekday(last.trim())?)),
            None => weekday(part).map(|day| Weekdays::of([day])),
        };
        let all =
            cell.split('|').map(|part| days(part.trim())).try_fold(Weekdays::NONE, |all, days| Some(all.or(days?)));
        all.ok_or_else(|| self.word(Column::Weekday, "day of the week", "mon to sun, as in sat|sun or mon-fri"))
    }

    fn time(&self) -> Result<Option<TimeSpan>, Misread> {
        let cell = self.cell(Column::Time);
        if cell.is_empty() {
            return Ok(None);
        }
        let minute = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            Minute::new(hour.parse().ok()?, minute.parse().ok()?)
        };
        let span = cell.split_once('-').and_then(|(from, to)| Some(TimeSpan { from: minute(from)?, to: minute(to)? }));
        let span = span.filter(|span| span.from != span.to && span.from.get() < 1_440);
        span.map(Some).ok_or_else(|| {
            self.word(Column::Time, "time of day", "a span like 09:00-17:00; 22:00-06:00 goes over midnight")
        })
    }

    fn date(&self, column: Column) -> Result<Option<Date>, Misread> {
        match self.cell(column) {
            "" => Ok(None),
            text => match text.parse() {
                Ok(date) => Ok(Some(date)),
                Err(_) => Err(self.word(column, "date", "it like 2026-01-31")),
            },
        }
    }

    fn level(&self) -> Result<Level, Misread> {
        match self.cell(Column::Level) {
            "district" => Ok(Level::District),
            "state" => Ok(Level::State),
            _ => Err(self.word(Column::Level, "level", "district or state")),
        }
    }

    fn priority(&self) -> Result<Priority, Misread> {
        match self.cell(Column::Priority) {
            "low" => Ok(Priority::Low),
            "" | "normal" => Ok(Priority::Normal),
            "high" => Ok(Priority::High),
            "urgent" => Ok(Priority::Urgent),
            _ => Err(self.word(Column::Priority, "priority", "low, normal, high or urgent")),
        }
    }

    fn deadline(&self) -> Result<Hours, Misread> {
        let hours = self.cell(Column::DeadlineHours).parse().ok().and_then(|hours| Hours::new(hours).ok());
        hours.ok_or_else(|| self.word(Column::DeadlineHours, "deadline", "whole hours, 1 to 87600"))
    }

    fn precedence(&self) -> Result<u16, Misread> {
        let given = self.cell(Column::Precedence);
        let precedence = if given.is_empty() { Some(0) } else { given.parse().ok() };
        precedence.ok_or_else(|| {
            self.word(Column::Precedence, "precedence", "a whole number, 0 to 65535; the higher goes before")
        })
    }

    fn cell(&self, column: Column) -> &str {
        self.columns.0[column as usize].and_then(|at| self.record.get(at)).unwrap_or_default()
    }

    fn word(&self, column: Column, what: &'static str, possible: &'static str) -> Misread {
        Misread { column, what: Fault::Word { what, given: cut(self.cell(column)), possible } }
    }
}

/// What a cell begins with that a spreadsheet reads as a formula, and that nothing else here begins with.
const FORMULA_SIGNS: [char; 3] = ['=', '+', '@'];

/// The channels as an error lists them.
const CHANNELS: &str = "x, facebook, email, counter, phone, web, open311 or other";

fn code(column: Column) -> impl Fn(CodeError) -> Misread {
    move |error| Misread { column, what: Fault::Code(error) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Weekday, date};

    use super::*;

    const HEADER: &str = "id,category,location,channel,language,words_any,words_all,time,weekday,holiday,valid_from,valid_until,\
                          department,level,priority,deadline_hours,precedence,note\n";

    fn draft(rows: &str) -> String {
        format!("{HEADER}{rows}")
    }

    /// The rows of a table that has nothing wrong.
    fn rows(csv: &str) -> Vec<Row> {
        let draft = read(csv.as_bytes());
        assert!(draft.findings.is_empty(), "{:?}", draft.findings);
        draft.rows
    }

    /// The one thing wrong with a row, and the text of the cell that is pointed at.
    fn fault(row: &str) -> (&'static str, String) {
        let csv = draft(row);
        let findings = read(csv.as_bytes()).findings;
        let [finding] = &findings[..] else { panic!("{row}: {findings:?}") };
        (finding.what.code(), csv[finding.at[0].bytes.clone().unwrap()].to_owned())
    }

    #[test]
    fn every_condition_is_read_from_its_cell() {
        let rows = rows(&draft(
            "A,water|power,!hisar|!rohtak,x|facebook,hi,live wire|करंट,fire,22:00-06:00,sat-mon|wed,yes,2026-01-01,2026-03-31,\
             phe,district,high,72,3,\"knee-deep, नाली\"\n",
        ));
        let [row] = &rows[..] else { panic!("{rows:?}") };
        let when = &row.when;
        assert_eq!(
            when.to_string(),
            "category water|power, location !hisar|!rohtak, channel x|facebook, language hi, \
             any of the words live wire|करंट, all of the words fire, on a holiday, on mon|wed|sat|sun, at 22:00-06:00, \
             from 2026-01-01, until 2026-03-31"
        );
        assert!(when.weekdays.has(Weekday::Sunday) && !when.weekdays.has(Weekday::Friday));
        let time = when.time.unwrap();
        assert!(time.has(1_320) && time.has(0) && time.has(359) && !time.has(360) && !time.has(720));
        assert!(when.dates.has(date(2026, 3, 31)) && !when.dates.has(date(2026, 4, 1)));
        assert_eq!((row.precedence, row.deadline.get()), (3, 72));
        assert_eq!(row.route().unwrap().to_string(), "phe at the district's level, high priority, 3 days");
    }

    #[test]
    fn what_a_spreadsheet_saves_is_read_in_any_order_of_columns_and_with_any_separator() {
        for separator in [",", ";", "\t"] {
            let csv =
                ["deadline_hours,id,level,priority,department,location,category", "24,ELSE,,,control,,", ",,,,,,"];
            let csv = csv.join("\r\n").replace(',', separator);
            assert_eq!(rows(&format!("\u{feff}{csv}"))[0].target, Target::Control);
        }
    }

    #[test]
    fn a_table_says_before_its_header_which_row_wins() {
        let csv = format!("hit_policy,first,,,\n{}", draft("A,,,,,,,,,,,,control,,,24,,\n"));
        assert_eq!(read(csv.as_bytes()).policy, HitPolicy::First);
        assert_eq!(read(draft("").as_bytes()).policy, HitPolicy::Specific);
        let csv = csv.replace("first", "best");
        let findings = read(csv.as_bytes()).findings;
        assert_eq!(findings[0].what, Fault::HitPolicy { given: "best".to_owned() });
        assert_eq!(&csv[findings[0].at[0].bytes.clone().unwrap()], "best");
    }

    #[test]
    fn a_cell_that_cannot_be_read_is_pointed_at() {
        let bad = |code: &'static str, cell: &str| (code, cell.to_owned());
        for (row, code, cell) in [
            ("A,Water,,,,,,,,,,,phe,state,,24,,", "malformed-code", "Water"),
            ("A,a|!b,,,,,,,,,,,phe,state,,24,,", "mixed-negation", "a|!b"),
            ("A,a|,,,,,,,,,,,phe,state,,24,,", "malformed-code", "a|"),
            ("A,,,twitter,,,,,,,,,phe,state,,24,,", "malformed-cell", "twitter"),
            ("A,,,,Hindi,,,,,,,,phe,state,,24,,", "malformed-cell", "Hindi"),
            ("A,,,,,a||b,,,,,,,phe,state,,24,,", "malformed-cell", "a||b"),
            ("A,,,,,,!!,,,,,,phe,state,,24,,", "malformed-cell", "!!"),
            ("A,,,,,,,9-17,,,,,phe,state,,24,,", "malformed-cell", "9-17"),
            ("A,,,,,,,09:00-09:00,,,,,phe,state,,24,,", "malformed-cell", "09:00-09:00"),
            ("A,,,,,,,24:00-06:00,,,,,phe,state,,24,,", "malformed-cell", "24:00-06:00"),
            ("A,,,,,,,,monday,,,,phe,state,,24,,", "malformed-cell", "monday"),
            ("A,,,,,,,,,maybe,,,phe,state,,24,,", "malformed-cell", "maybe"),
            ("A,,,,,,,,,,31.1.2026,,phe,state,,24,,", "malformed-cell", "31.1.2026"),
            ("A,,,,,,,,,,,2026-02-30,phe,state,,24,,", "malformed-cell", "2026-02-30"),
            ("A,,,,,,,,,,,,phe,block,,24,,", "malformed-cell", "block"),
            ("A,,,,,,,,,,,,phe,,,24,,", "malformed-cell", ""),
            ("A,,,,,,,,,,,,control,state,,24,,", "malformed-cell", "state"),
            ("A,,,,,,,,,,,,phe,state,asap,24,,", "malformed-cell", "asap"),
            ("A,,,,,,,,,,,,phe,state,,soon,,", "malformed-cell", "soon"),
            ("A,,,,,,,,,,,,phe,state,,24,70000,", "malformed-cell", "70000"),
            ("A,,,,,,,,,,,,phe,state,,=B2*24,,", "formula", "=B2*24"),
            (",,,,,,,,,,,,phe,state,,24,,", "malformed-code", ""),
        ] {
            assert_eq!(fault(row), bad(code, cell), "{row}");
        }
        assert!(read(draft("A,,,,,,,,,,,,phe,state,,24,,=note is free\n").as_bytes()).findings.is_empty());
    }

    #[test]
    fn all_rows_that_are_wrong_are_told_at_once_and_the_others_are_read() {
        let draft =
            draft("A,Bad,,,,,,,,,,,phe,state,,24,,\nB,,,,,,,,,,,,phe,state,,24,,\nC,,,,,,,,,,,,phe,state,,x,,\n");
        let draft = read(draft.as_bytes());
        assert_eq!(draft.findings.iter().map(|finding| finding.at[0].line).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(draft.rows.len(), 1);
    }

    #[test]
    fn a_header_is_told_what_it_lacks_doubles_or_invents_and_the_nearest_known_name() {
        let fault = |csv: &str| read(csv.as_bytes()).findings.remove(0).what;
        assert_eq!(fault("id,category\n"), Fault::NoColumn { column: "location" });
        assert_eq!(fault("id,id\n"), Fault::ColumnTwice { name: "id" });
        let unknown = Fault::UnknownColumn { name: "catagory".to_owned(), nearest: Some("category") };
        assert_eq!(fault("id,catagory\n"), unknown);
        let piped = Fault::UnknownColumn { name: "id|category|location".to_owned(), nearest: None };
        assert_eq!(fault("id|category|location\n"), piped);
    }

    #[test]
    fn a_cell_has_no_more_alternatives_than_it_may() {
        let many = (0..=MAX_ALTERNATIVES).map(|n| format!("c{n}")).collect::<Vec<_>>().join("|");
        assert_eq!(fault(&format!("A,{many},,,,,,,,,,,phe,state,,24,,")).0, "too-many-alternatives");
        assert_eq!(fault(&format!("A,,,,,{many},,,,,,,phe,state,,24,,")).0, "too-many-alternatives");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            read(&bytes);
            let mut with_header = HEADER.as_bytes().to_vec();
            with_header.extend(&bytes);
            read(&with_header);
        }

        #[test]
        fn no_cells_panic(cells in proptest::collection::vec("[ -~\u{900}-\u{97f}]{0,12}", 18)) {
            read(draft(&format!("{}\n", cells.join(","))).as_bytes());
        }
    }
}
