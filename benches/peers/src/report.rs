//! The figures as text, at most 100 columns wide.

use std::time::Duration;

/// What is measured, in the order of the columns.
pub const COLUMNS: [&str; 6] = ["nivaran", "with record", "explained", "linear scan", "ZEN", "ZEN traced"];
const NIVARAN: usize = 0;
const RECORD: usize = 1;
const ZEN: usize = 4;
const ZEN_TRACED: usize = 5;

/// The decisions per second at one number of rows.
pub struct Line {
    /// The rows.
    pub rows: usize,
    /// One figure for each of [`COLUMNS`].
    pub rates: [f64; COLUMNS.len()],
}

/// Prints a table, the ratios, and how flat each column is.
pub fn print(title: &str, lines: &[Line]) {
    println!("\n{title}: decisions per second, one thread");
    println!("{}", row("rows", COLUMNS.map(str::to_owned)));
    for Line { rows, rates } in lines {
        println!("{}", row(&grouped(*rows), rates.map(short)));
    }
    if let [first, .., last] = lines {
        let flatness = std::array::from_fn(|column| ratio(first.rates[column] / last.rates[column]));
        println!("{}", row("flatness", flatness));
        println!("(flatness: the rate at {} rows / that at {})", grouped(first.rows), grouped(last.rows));
    }
    println!();
    for Line { rows, rates } in lines {
        let (plain, record) = (rates[NIVARAN] / rates[ZEN], rates[RECORD] / rates[ZEN_TRACED]);
        let rows = grouped(*rows);
        println!("{rows:>8} rows: nivaran / ZEN {:>8}   with record / ZEN traced {:>8}", ratio(plain), ratio(record));
    }
}

/// Prints what was aimed at and what it is.
pub fn print_time(what: &str, took: Duration, aim: Option<u128>) {
    let milliseconds = took.as_secs_f64() * 1e3;
    let aim = aim.map(|aim| format!("   (aim: < {aim} ms: {})", if took.as_millis() < aim { "met" } else { "missed" }));
    println!("{what:<64} {milliseconds:>7.1} ms{}", aim.unwrap_or_default());
}

fn row(head: &str, cells: [String; COLUMNS.len()]) -> String {
    let [a, b, c, d, e, f] = cells;
    format!("{head:>8}{a:>13}{b:>13}{c:>13}{d:>13}{e:>13}{f:>13}")
}

/// Three digits and a unit: `45.2 M`, `981 k`, `47.1`.
fn short(rate: f64) -> String {
    let (value, unit) = match rate {
        1e6.. => (rate / 1e6, " M"),
        1e3.. => (rate / 1e3, " k"),
        _ => (rate, ""),
    };
    format!("{value:.*}{unit}", if value < 10.0 { 2 } else { usize::from(value < 100.0) })
}

/// `1.08`, `38.1`, `1,204`.
fn ratio(ratio: f64) -> String {
    if ratio < 100.0 { short(ratio) } else { grouped(ratio.round() as usize) }
}

/// `100,000`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
