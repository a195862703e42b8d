//! Replays a complaint file through the engine and tells how many rows went to the agency that really handled them.
//!
//! ```text
//! cargo run --release --example replay                       # the file that comes with it
//! cargo run --release --example replay -- path/mapping.toml  # another one; see examples/replay/README.md
//! ```

mod mapping;
mod rows;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use futures_util::{StreamExt, stream};
use indicatif::ProgressBar;
use nivaran::ticket::TicketEvent;
use nivaran::{CategoryTree, Engine, PlaceTree, Roster, Rules, TicketId};

use mapping::Mapping;
use rows::{BadRow, Row};

/// How many unreadable rows are listed; a wrong time format makes all of them so.
const MOST_LISTED: usize = 20;

#[tokio::main]
async fn main() -> ExitCode {
    let comes_with_it = || Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/replay/nyc311.toml");
    let mapping = std::env::args_os().nth(1).map_or_else(comes_with_it, PathBuf::from);
    match replay(&mapping).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("replay: {error}");
            ExitCode::from(2)
        }
    }
}

async fn replay(mapping: &Path) -> Result<(), Box<dyn Error>> {
    let mapping = Mapping::read(mapping)?;
    let (rows, mut bad) = rows::read(&mapping)?;
    let engine = start(mapping.folder())?;
    let routed = submit(&engine, rows, &mut bad).await?;
    engine.shutdown().await;

    print_by_rule(&routed);
    print_elsewhere(&routed);
    bad.sort_unstable_by_key(|row| row.line);
    print_bad(&bad);
    let right = routed.iter().filter(|row| row.is_right()).count();
    let percent = 100.0 * right as f64 / routed.len().max(1) as f64;
    println!("replay: {right} of {} rows went to the agency that handled them ({percent:.1} %)", routed.len());
    Ok(())
}

/// Starts an engine by the tables that lie beside the mapping.
fn start(folder: &Path) -> Result<Engine, Box<dyn Error>> {
    let categories = read(folder, "categories.csv", |text| CategoryTree::read(text.as_bytes()))?;
    let places = read(folder, "places.csv", |text| PlaceTree::read(text.as_bytes()))?;
    let rules = read(folder, "rules.csv", |text| Rules::read(categories, places, text.as_bytes()))?;
    let roster = read(folder, "roster.toml", Roster::read)?;
    Ok(Engine::builder().rules(rules).roster(roster).start()?)
}

fn read<T, E: Error>(folder: &Path, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, Box<dyn Error>> {
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}; it has to lie beside the mapping", path.display()))?;
    parse(&text).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// A row and where the engine sent it.
struct Routed {
    row: Row,
    /// The department's code, or `control` where no rule routes it.
    sent_to: String,
    rule: String,
}

impl Routed {
    fn is_right(&self) -> bool {
        self.sent_to == self.row.handled_by
    }
}

async fn submit(engine: &Engine, rows: Vec<Row>, bad: &mut Vec<BadRow>) -> Result<Vec<Routed>, Box<dyn Error>> {
    // It draws nothing where the output is no terminal.
    let bar = ProgressBar::new(rows.len() as u64);
    let grievances: Vec<_> = rows.iter().map(|row| row.grievance.clone()).collect();
    let mut receipts = std::pin::pin!(engine.submit_all(stream::iter(grievances)));
    let mut routed = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(receipt) = receipts.next().await else { break };
        match receipt {
            Ok(receipt) => {
                let (sent_to, rule) = route(engine, receipt.ticket).await?;
                routed.push(Routed { row, sent_to, rule });
            }
            Err(error) => bad.push(BadRow { line: row.line, why: error.to_string() }),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(routed)
}

/// Where the rules sent a ticket first, and by which row.
async fn route(engine: &Engine, id: TicketId) -> Result<(String, String), Box<dyn Error>> {
    if let Some(routing) = engine.ticket(id).await?.as_ref().and_then(|ticket| ticket.routing()) {
        return Ok((routing.route.department.to_string(), routing.row.to_string()));
    }
    let history = engine.history(id).await?;
    let row = history.iter().flat_map(|entry| &entry.events).find_map(|event| match event {
        TicketEvent::SentToTriage { row, .. } => row.as_ref(),
        _ => None,
    });
    Ok(("control".to_owned(), row.map_or_else(|| "-".to_owned(), ToString::to_string)))
}

fn print_by_rule(routed: &[Routed]) {
    let mut by_rule: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    for row in routed {
        let (rows, right) = by_rule.entry((&row.rule, &row.sent_to)).or_default();
        *rows += 1;
        *right += usize::from(row.is_right());
    }
    println!("{:<12} {:<10} {:>6} {:>6} {:>6}", "rule", "agency", "rows", "right", "wrong");
    for ((rule, agency), (rows, right)) in by_rule {
        println!("{rule:<12} {agency:<10} {rows:>6} {right:>6} {:>6}", rows - right);
    }
}

fn print_elsewhere(routed: &[Routed]) {
    for Routed { row, sent_to, rule } in routed.iter().filter(|row| !row.is_right()) {
        let category = row.grievance.category().map_or("no category", |category| category.as_str());
        let Row { line, handled_by, .. } = row;
        println!("line {line}: {category} was handled by {handled_by}; rule {rule} sent it to {sent_to}");
    }
}

fn print_bad(bad: &[BadRow]) {
    if bad.is_empty() {
        return;
    }
    println!("{} rows could not be read and are not counted:", bad.len());
    bad.iter().take(MOST_LISTED).for_each(|row| println!("line {}: {}", row.line, row.why));
    if let Some(more) = bad.len().checked_sub(MOST_LISTED).filter(|more| *more > 0) {
        println!("… and {more} more");
    }
}
