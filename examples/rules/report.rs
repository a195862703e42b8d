//! Findings as a person reads them: the cell underlined in its line, why, and what to do.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet, Title};
use nivaran::rules::{CellAt, Fault, Finding, MAX_FINDINGS, Severity};

use crate::cut::{Piece, cut, width_of};
use crate::lines::Lines;
use crate::wording::{WIDTH, count, plain, wrapped};

/// How many further places are shown; the others are told by their lines.
const SHOWN_PLACES: usize = 3;
/// How many lines are told.
const TOLD_LINES: usize = 12;
/// How much of a column's name is told.
const COLUMN_NAME: usize = 20;

/// A table's file as findings are shown in it.
pub struct View<'a> {
    pub file: &'a str,
    pub lines: Lines<'a>,
    pub styled: bool,
}

impl<'a> View<'a> {
    pub fn of(file: &'a str, csv: &'a [u8], styled: bool) -> Self {
        Self { file, lines: Lines::of(csv), styled }
    }

    /// A finding, ending with a line break.
    pub fn shown(&self, finding: &Finding) -> String {
        let renderer = if self.styled { Renderer::styled() } else { Renderer::plain() };
        let gutter = self.gutter(finding);
        let mut group = Group::with_title(self.title(finding));
        for (n, at) in finding.at.iter().take(SHOWN_PLACES + 1).enumerate() {
            group = group.element(self.place(at, n == 0, gutter));
        }
        if finding.at.is_empty() {
            group = group.element(Origin::path(self.file));
        }
        let more: Vec<usize> = finding.at.iter().skip(SHOWN_PLACES + 1).map(|at| at.line).collect();
        let notes = [
            (!more.is_empty()).then(|| ("note", format!("it concerns {}, too", told(&more)))),
            finding.witness.as_ref().map(|witness| ("note", format!("as for {witness}"))),
            // What to do about a file that is no sheet is part of what it is.
            (!matches!(finding.what, Fault::Sheet(_))).then(|| ("help", finding.what.help())),
        ];
        for (name, text) in notes.into_iter().flatten() {
            let level = if name == "help" { Level::HELP } else { Level::NOTE };
            // In front of it stand the gutter, ` = ` and the name with its colon.
            group = group.element(level.message(wrapped(&plain(&text), WIDTH - gutter - 3 - name.len() - 2)));
        }
        renderer.term_width(WIDTH).render(&[group]) + "\n"
    }

    fn title(&self, finding: &Finding) -> Title<'static> {
        let code = finding.what.code();
        let (level, name) = match finding.severity() {
            Severity::Error => (Level::ERROR, "error"),
            Severity::Warning => (Level::WARNING, "warning"),
            Severity::Advice => (Level::INFO.with_name("hint"), "hint"),
        };
        let row = finding.row.as_ref().map(|row| format!("row {row}: ")).unwrap_or_default();
        let text = format!("{row}{}", finding.what);
        level.primary_title(wrapped(&plain(&text), WIDTH - name.len() - code.len() - 4)).id(code)
    }

    /// How wide the line numbers are.
    fn gutter(&self, finding: &Finding) -> usize {
        let lines = finding.at.iter().take(SHOWN_PLACES + 1).map(|at| self.lines.number(self.lines.find(at).start));
        lines.max().unwrap_or_default().checked_ilog10().map_or(1, |digits| digits as usize + 1)
    }

    /// A place: where it is, and its line with the cell underlined.
    fn place(&self, at: &CellAt, is_chief: bool, gutter: usize) -> Snippet<'a, Annotation<'a>> {
        let cell = self.lines.find(at);
        let number = self.lines.number(cell.start);
        let label = at.column.filter(|_| is_chief).map(|column| self.column(at.line, column));
        let (line, cell) = readable(&self.lines, number, cell);
        let behind = label.as_ref().map_or(0, |label| width_of(label) + 1);
        let Piece { text, marked, before } = cut(&line, cell, WIDTH - gutter - 3, behind);
        // The renderer counts the column in what it is given, and this it counts and does not show.
        let unseen = "\u{200d}".repeat(before);
        let marked = marked.start + unseen.len()..marked.end + unseen.len();
        let kind = if is_chief { AnnotationKind::Primary } else { AnnotationKind::Context };
        let mark = kind.span(marked).label(label);
        Snippet::source(unseen + &text).path(self.file).line_start(number).annotation(mark)
    }

    /// `column 2, category`.
    fn column(&self, line: usize, column: usize) -> String {
        let name: String = plain(&self.lines.column_name(column)).chars().take(COLUMN_NAME).collect();
        if name.is_empty() || line <= self.lines.header() {
            format!("column {column}")
        } else {
            format!("column {column}, {name}")
        }
    }
}

/// What is found in all, in a line.
pub fn summary(findings: &[Finding], rows: usize) -> String {
    let [errors, warnings, advice] = counts(findings);
    let rows = count(rows, "row");
    let found = [(errors, "error"), (warnings, "warning"), (advice, "hint")];
    let found: Vec<String> =
        found.into_iter().filter(|(number, _)| *number > 0).map(|(number, what)| count(number, what)).collect();
    let most = if findings.len() >= MAX_FINDINGS { ", and perhaps more: mend these first" } else { "" };
    if found.is_empty() {
        format!("{rows}, nothing to say\n")
    } else {
        format!("{} in {rows}{most}\n", found.join(", "))
    }
}

/// How many errors, warnings and pieces of advice there are.
pub fn counts(findings: &[Finding]) -> [usize; 3] {
    [Severity::Error, Severity::Warning, Severity::Advice]
        .map(|severity| findings.iter().filter(|finding| finding.severity() == severity).count())
}

/// A line as it can be shown, with a cell of it; of a cell with line breaks its first line.
fn readable(lines: &Lines<'_>, number: usize, cell: Range<usize>) -> (String, Range<usize>) {
    let line = lines.line(number);
    let from = cell.start.clamp(line.start, line.end);
    let to = cell.end.clamp(from, line.end);
    let text = |range| shown(lines.text(range));
    let (before, mark, after) = (text(line.start..from), text(from..to), text(to..line.end));
    let marked = before.len()..before.len() + mark.len();
    (before + &mark + &after, marked)
}

/// Bytes as text, character by character, in which a tab is seen.
fn shown(bytes: &[u8]) -> String {
    plain(&String::from_utf8_lossy(bytes).replace('\t', "→"))
}

/// `the lines 3, 5 and 2 more`.
fn told(lines: &[usize]) -> String {
    let named: Vec<String> = lines.iter().take(TOLD_LINES).map(ToString::to_string).collect();
    let more = match lines.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("the {} {}{more}", if lines.len() == 1 { "line" } else { "lines" }, named.join(", "))
}
