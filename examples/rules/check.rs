//! `rules check`: what is wrong with a table, and what may not be meant.

use jiff::civil::Date;
use jiff::{Timestamp, ZonedDateTime};
use nivaran::rules::{Checked, Finding, Severity};
use nivaran::{Roster, Rules};

use crate::files::{self, Table, Without};
use crate::options::Check;
use crate::report::{View, counts, summary};
use crate::wording::{count, folded};
use crate::{Done, Look, Trouble, json};

pub fn check(asked: &Check, look: Look) -> Result<Done, Trouble> {
    let Table { name, csv, categories, places, mut without } = Table::read(&asked.table)?;
    let roster = files::roster(&asked.table, &mut without)?;
    let today = today(roster.as_ref());
    let Checked { rules, findings } = Rules::check(categories, places, &csv, roster.as_ref(), today);
    let status = status(&findings, asked.allow_warnings);
    if look.json {
        let table = json::TableFound::of(&name, &csv, rules.map(|rules| rules.version()), &without, &findings);
        return Ok(json::done(&json::Check { command: "check", table }, status));
    }
    let view = View::of(&name, &csv, look.styled);
    let is_shown = |finding: &&Finding| asked.all || finding.severity() > Severity::Advice;
    let mut text = told(&view, findings.iter().filter(is_shown));
    text.push_str(&told_without(&without));
    let [.., advice] = counts(&findings);
    if advice > 0 && !asked.all {
        let (is, it) = if advice == 1 { ("is", "it") } else { ("are", "them") };
        text.push_str(&format!("{} {is} not shown: see {it} with --all\n", count(advice, "hint")));
    }
    text.push_str(&summary(&findings, view.lines.rows()));
    Ok(Done { text, status })
}

/// What is found in a table that is not taken, with a summary.
pub fn refused(name: &str, csv: &[u8], without: &[Without], findings: &[Finding], look: Look) -> String {
    let view = View::of(name, csv, look.styled);
    told(&view, findings.iter()) + &told_without(without) + &summary(findings, view.lines.rows())
}

fn told_without(without: &[Without]) -> String {
    without.iter().map(|what| folded(&what.to_string())).collect()
}

/// Findings, a blank line behind each.
fn told<'a>(view: &View<'_>, findings: impl Iterator<Item = &'a Finding>) -> String {
    findings.map(|finding| view.shown(finding) + "\n").collect()
}

fn status(findings: &[Finding], allow_warnings: bool) -> u8 {
    match counts(findings) {
        [0, 0, _] => 0,
        [0, ..] if allow_warnings => 0,
        [0, ..] => 1,
        _ => 2,
    }
}

/// The day, by the clocks of the roster's time zone.
fn today(roster: Option<&Roster>) -> Date {
    roster.map_or_else(|| ZonedDateTime::now().date(), |roster| roster.moment(Timestamp::now()).date)
}
