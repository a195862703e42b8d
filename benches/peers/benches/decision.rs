//! The rules table beside its peers: first whether they agree, then how many decisions each makes in a second. See the
//! crate's page for what is compared.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a bench: whatever fails ends it")]

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use nivaran::rules::Row;
use nivaran::{RowId, Rules};
use nivaran_peers::clock::rate;
use nivaran_peers::linear::Scan;
use nivaran_peers::report::{COLUMNS, Line, print, print_time};
use nivaran_peers::tables::{Asked, Table};
use nivaran_peers::zen::{Zen, input, row_of};
use nivaran_peers::{compiling, ours};
use zen_engine::Variable;

const SIZES: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];

/// Makes a table of so many rows.
type Make = fn(usize) -> Table;

fn main() {
    let bar = progress(2 * SIZES.len() * (2 + COLUMNS.len()));
    let tables: [(&str, Make); 2] = [
        ("two-column (category, location)", Table::two_columns),
        ("full (category, location, channel, language, weekday, time)", Table::full),
    ];
    for (title, table) in tables {
        let lines = SIZES.map(|rows| measure(table(rows), rows, &bar));
        bar.suspend(|| print(title, &lines));
    }
    bar.finish_and_clear();
    print_compiling();
}

/// Silent where nobody looks.
fn progress(steps: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}  {elapsed}").unwrap();
    ProgressBar::new(steps as u64).with_style(style)
}

/// All that decide by one table, each with the same grievances in its own form.
struct Peers {
    rows: Vec<Row>,
    rules: Rules,
    scan: Scan,
    zen: Zen,
    asked: Vec<Asked>,
    inputs: Vec<Variable>,
    /// How many grievances those are asked that look at every row: fewer of a long table.
    few: usize,
}

impl Peers {
    fn of(table: Table) -> Self {
        let rows = table.in_winning_order();
        let (rules, scan, zen) = (table.compiled(), Scan::new(&rows), Zen::new(&rows));
        let inputs = table.asked.iter().map(input).collect();
        let few = (1_000_000 / rows.len()).clamp(32, table.asked.len());
        Self { rows, rules, scan, zen, asked: table.asked, inputs, few }
    }

    /// Whoever is measured with a grievance has named the same row for it before.
    fn agree(&self) {
        for (n, (asked, input)) in self.asked.iter().zip(&self.inputs).enumerate() {
            let expected = &self.rules.decide(&asked.facts()).row.id;
            let same = |who: &str, found: Option<&RowId>| assert_eq!(found, Some(expected), "{who}, grievance {n}");
            let at = |place: Option<usize>| place.and_then(|place| self.rows.get(place)).map(|row| &row.id);
            same("the record", Some(ours::recorded(&self.rules, asked).row()));
            same("the linear scan", at(self.scan.decide(asked)));
            same("ZEN", at(row_of(&self.zen.decide(input, false))));
            if n < self.few {
                same("the explanation", Some(&self.rules.explain(&asked.facts()).row));
                same("ZEN with a trace", at(row_of(&self.zen.decide(input, true))));
            }
        }
    }

    /// What one of [`COLUMNS`] does in a second.
    fn rate(&self, column: usize) -> f64 {
        let Self { rules, scan, zen, asked, inputs, few, .. } = self;
        match column {
            0 => rate(asked, |asked| rules.decide(&asked.facts())),
            1 => rate(asked, |asked| ours::recorded(rules, asked)),
            2 => rate(&asked[..*few], |asked| rules.explain(&asked.facts())),
            3 => rate(asked, |asked| scan.decide(asked)),
            4 => rate(inputs, |input| zen.decide(input, false)),
            _ => rate(&inputs[..*few], |input| zen.decide(input, true)),
        }
    }
}

fn measure(table: Table, rows: usize, bar: &ProgressBar) -> Line {
    let step = |what: &str| {
        bar.set_message(format!("{rows} rows: {what}"));
        bar.inc(1);
    };
    step("compiling");
    let peers = Peers::of(table);
    step("do all agree?");
    peers.agree();
    let rates = std::array::from_fn(|column| {
        step(COLUMNS[column]);
        peers.rate(column)
    });
    Line { rows, rates }
}

fn print_compiling() {
    println!("\nnivaran takes a table of six conditions (medians)");
    let (some, many) = (Table::full(10_000), Table::full(100_000));
    let (reading, checking) = (compiling::reading(&some), compiling::checking(&some));
    print_time("Rules::read, 10,000 rows: read, compile", reading, None);
    print_time("Rules::check, 10,000 rows and a roster: read, compile, check", checking, Some(50));
    print_time("both, one after the other", reading + checking, Some(50));
    print_time("Rules::new, 100,000 rows: compile", compiling::compiling(&many), Some(100));
}
