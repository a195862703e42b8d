//! What is told to machines. The form is on the page of `main.rs`.

use nivaran::rules::digit::{Department, Imported, Note};
use nivaran::rules::{
    Answer, Change, ConditionKind, Day, Explanation, Extent, Failed, Finding, Lost, Part, Severity, TableVersion,
    WhyLost, Witness,
};
use serde::Serialize;

use crate::Done;
use crate::files::Without;
use crate::lines::Lines;
use crate::report::counts;

/// The number of the form in which all this is told.
const FORM: u8 = 1;

/// A document, printed.
pub fn done(document: &impl Serialize, status: u8) -> Done {
    #[derive(Serialize)]
    struct Document<'a, T> {
        form: u8,
        #[serde(flatten)]
        rest: &'a T,
    }
    // Texts, numbers and lists can always be written.
    let text = serde_json::to_string_pretty(&Document { form: FORM, rest: document }).unwrap_or_default();
    Done { text: text + "\n", status }
}

#[derive(Serialize)]
pub struct Trouble {
    pub command: &'static str,
    pub trouble: String,
}

#[derive(Serialize)]
pub struct Check {
    pub command: &'static str,
    #[serde(flatten)]
    pub table: TableFound,
}

/// Tables that were not taken.
#[derive(Serialize)]
pub struct Refused {
    pub command: &'static str,
    pub refused: Vec<TableFound>,
}

#[derive(Serialize)]
pub struct TableFound {
    file: String,
    rows: usize,
    table: Option<String>,
    errors: usize,
    warnings: usize,
    advice: usize,
    without: Vec<&'static str>,
    findings: Vec<Found>,
}

impl TableFound {
    pub fn of(file: &str, csv: &[u8], table: Option<TableVersion>, without: &[Without], findings: &[Finding]) -> Self {
        let lines = Lines::of(csv);
        let [errors, warnings, advice] = counts(findings);
        Self {
            file: file.to_owned(),
            rows: lines.rows(),
            table: table.map(|table| table.to_string()),
            errors,
            warnings,
            advice,
            without: without.iter().map(|what| what.name()).collect(),
            findings: findings.iter().map(|finding| Found::of(finding, &lines)).collect(),
        }
    }
}

#[derive(Serialize)]
struct Found {
    code: &'static str,
    severity: &'static str,
    row: Option<String>,
    message: String,
    help: String,
    places: Vec<Place>,
    witness: Option<Grievance>,
}

#[derive(Serialize)]
struct Place {
    line: usize,
    column: Option<usize>,
    start: usize,
    end: usize,
}

impl Found {
    fn of(finding: &Finding, lines: &Lines<'_>) -> Self {
        let places = finding.at.iter().map(|at| {
            let bytes = lines.find(at);
            Place { line: at.line, column: at.column, start: bytes.start, end: bytes.end }
        });
        Self {
            code: finding.what.code(),
            severity: match finding.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Advice => "advice",
            },
            row: finding.row.as_ref().map(ToString::to_string),
            message: finding.what.to_string(),
            help: finding.what.help(),
            places: places.collect(),
            witness: finding.witness.as_deref().map(Grievance::of),
        }
    }
}

/// A witness.
#[derive(Serialize)]
pub struct Grievance {
    category: Option<String>,
    place: Option<String>,
    channel: &'static str,
    language: Option<String>,
    words: Vec<String>,
    date: String,
    time: String,
    holiday: bool,
}

impl Grievance {
    pub fn of(witness: &Witness) -> Self {
        let Witness { category, place, channel, language, words, moment } = witness;
        Self {
            category: category.as_ref().map(ToString::to_string),
            place: place.as_ref().map(ToString::to_string),
            channel: channel.as_str(),
            language: language.as_ref().map(|language| language.as_str().to_owned()),
            words: words.iter().map(ToString::to_string).collect(),
            date: moment.date.to_string(),
            time: format!("{:02}:{:02}", moment.minute / 60, moment.minute % 60),
            holiday: moment.day == Day::Holiday,
        }
    }
}

#[derive(Serialize)]
pub struct Explain {
    command: &'static str,
    file: String,
    table: String,
    grievance: Grievance,
    taken: Vec<String>,
    row: String,
    sends: String,
    asks: String,
    lost: Vec<LostRow>,
}

#[derive(Serialize)]
struct LostRow {
    row: String,
    holds: bool,
    outranked: Option<String>,
    failed: Vec<FailedCondition>,
}

#[derive(Serialize)]
struct FailedCondition {
    condition: ConditionKind,
    asked: String,
    found: String,
}

impl Explain {
    pub fn of(file: &str, witness: &Witness, taken: Vec<String>, explanation: Explanation) -> Self {
        let Explanation { table, row, sends, asks, lost } = explanation;
        Self {
            command: "explain",
            file: file.to_owned(),
            table: table.to_string(),
            grievance: Grievance::of(witness),
            taken,
            row: row.to_string(),
            sends,
            asks,
            lost: lost.into_iter().map(LostRow::of).collect(),
        }
    }
}

impl LostRow {
    fn of(Lost { row, why }: Lost) -> Self {
        let (outranked, failed) = match why {
            WhyLost::Outranked(by) => (Some(by.to_string()), Vec::new()),
            WhyLost::Failed(failed) => (None, failed),
        };
        let condition = |Failed { condition, asked, found }| FailedCondition { condition, asked, found };
        let (row, holds) = (row.to_string(), outranked.is_some());
        Self { row, holds, outranked, failed: failed.into_iter().map(condition).collect() }
    }
}

#[derive(Serialize)]
pub struct Diff {
    command: &'static str,
    old: Compared,
    new: Compared,
    changes: Vec<Changed>,
    untold: Vec<Region>,
}

#[derive(Serialize)]
struct Compared {
    file: String,
    table: String,
}

#[derive(Serialize)]
struct Changed {
    was: Says,
    is: Says,
    parts: Vec<Region>,
    witness: Grievance,
}

#[derive(Serialize)]
struct Says {
    row: String,
    sends: String,
}

#[derive(Serialize)]
struct Region {
    categories: Vec<Covered>,
    places: Vec<Covered>,
}

#[derive(Serialize)]
struct Covered {
    extent: &'static str,
    path: Option<String>,
}

impl Diff {
    pub fn of(old: &str, new: &str, diff: &nivaran::rules::Diff) -> Self {
        let compared = |file: &str, table: TableVersion| Compared { file: file.to_owned(), table: table.to_string() };
        Self {
            command: "diff",
            old: compared(old, diff.old),
            new: compared(new, diff.new),
            changes: diff.changes.iter().map(Changed::of).collect(),
            untold: diff.untold.iter().map(Region::of).collect(),
        }
    }
}

impl Changed {
    fn of(change: &Change) -> Self {
        let says = |Answer { row, sends }: &Answer| Says { row: row.to_string(), sends: sends.clone() };
        Self {
            was: says(&change.was),
            is: says(&change.is),
            parts: change.parts.iter().map(Region::of).collect(),
            witness: Grievance::of(&change.witness),
        }
    }
}

impl Region {
    fn of(part: &Part) -> Self {
        Self {
            categories: part.categories.iter().map(Covered::of).collect(),
            places: part.places.iter().map(Covered::of).collect(),
        }
    }
}

impl Covered {
    fn of<P: ToString>(extent: &Extent<P>) -> Self {
        let (extent, path) = match extent {
            Extent::All => ("all", None),
            Extent::Unknown => ("unknown", None),
            Extent::Below(path) => ("below", Some(path.to_string())),
            Extent::Only(path) => ("only", Some(path.to_string())),
        };
        Self { extent, path }
    }
}

#[derive(Serialize)]
pub struct Import {
    command: &'static str,
    categories: String,
    rules: String,
    rows: usize,
    departments: Vec<Needed>,
    notes: Vec<Noted>,
}

#[derive(Serialize)]
struct Needed {
    code: String,
    in_digit: String,
    name: Option<String>,
}

#[derive(Serialize)]
struct Noted {
    service: usize,
    service_code: String,
    left_out: bool,
    message: String,
}

impl Import {
    pub fn of(categories: String, rules: String, rows: usize, imported: &Imported) -> Self {
        let department = |department: &Department| Needed {
            code: department.code.to_string(),
            in_digit: department.in_digit.clone(),
            name: department.name.clone(),
        };
        let note = |note: &Note| Noted {
            service: note.service.number,
            service_code: note.service.code.clone(),
            left_out: note.what.is_left_out(),
            message: note.to_string(),
        };
        Self {
            command: "import",
            categories,
            rules,
            rows,
            departments: imported.departments.iter().map(department).collect(),
            notes: imported.notes.iter().map(note).collect(),
        }
    }
}
