//! `rules diff`: what a new table would decide otherwise.

use nivaran::{Rules, RulesError};

use crate::check::refused;
use crate::files::{Table, Without};
use crate::options::{Diff, TableAt};
use crate::wording::{count, folded};
use crate::{Done, Look, Trouble, json};

pub fn diff(asked: &Diff, look: Look) -> Result<Done, Trouble> {
    let (old, new) = match (read(&asked.old)?, read(&asked.new)?) {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => return Ok(not_taken(&[old, new], look)),
    };
    let diff = old.rules.diff(&new.rules);
    let status = u8::from(!diff.is_empty());
    if look.json {
        return Ok(json::done(&json::Diff::of(&old.name, &new.name, &diff), status));
    }
    let changes = diff.changes.iter().map(|change| folded(&change.to_string()) + "\n");
    let untold = diff.untold.iter().map(|part| folded(&format!("too intricate to compare: {part}")));
    let summary = match (diff.changes.len(), diff.untold.len()) {
        (0, 0) => "nothing is decided otherwise\n".to_owned(),
        (changes, 0) => format!("{}\n", count(changes, "change")),
        (changes, untold) => {
            format!("{}, and {} too intricate to compare\n", count(changes, "change"), count(untold, "part"))
        }
    };
    Ok(Done { text: changes.chain(untold).chain([summary]).collect(), status })
}

/// A table that was taken.
struct Taken {
    name: String,
    rules: Rules,
}

/// One that was not.
struct NotTaken {
    name: String,
    csv: Vec<u8>,
    without: Vec<Without>,
    error: RulesError,
}

fn read(at: &TableAt) -> Result<Result<Taken, NotTaken>, Trouble> {
    let Table { name, csv, categories, places, without } = Table::read(at)?;
    Ok(match Rules::read(categories, places, &csv) {
        Ok(rules) => Ok(Taken { name, rules }),
        Err(error) => Err(NotTaken { name, csv, without, error }),
    })
}

fn not_taken(tables: &[Result<Taken, NotTaken>], look: Look) -> Done {
    let tables = tables.iter().filter_map(|table| table.as_ref().err());
    if look.json {
        let found = |NotTaken { name, csv, without, error }: &NotTaken| {
            json::TableFound::of(name, csv, None, without, &error.findings)
        };
        return json::done(&json::Refused { command: "diff", refused: tables.map(found).collect() }, 2);
    }
    let told = |NotTaken { name, csv, without, error }: &NotTaken| refused(name, csv, without, &error.findings, look);
    Done { text: tables.map(told).collect(), status: 2 }
}
