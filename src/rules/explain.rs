//! Why a grievance goes by the row by which it goes, and by which it nearly went.

use std::fmt;

use super::condition::{Conditions, Day, Names, Weekdays, Word};
use super::facts::Facts;
use super::meet::holds;
use super::table::{ConditionKind, HitPolicy, Row};
use super::{Rules, TableVersion};
use crate::code::RowId;
use crate::grievance::Language;
use crate::tree::{ROOT, Tree, TreePath};

/// How many rows that lost are shown.
const NEAREST: usize = 5;

/// Why a grievance goes by a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The table.
    pub table: TableVersion,
    /// The row by which it goes.
    pub row: RowId,
    /// Where that sends it.
    pub sends: String,
    /// What the row asks for, all of which holds.
    pub asks: String,
    /// The rows that came nearest to it, the nearest first.
    pub lost: Vec<Lost>,
}

/// A row that lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The row.
    pub row: RowId,
    /// Why.
    pub why: WhyLost,
}

/// Why a row lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyLost {
    /// It holds, and another goes before it: by this condition it is less specific, by its precedence, or it stands
    /// further down.
    Outranked(Outranked),
    /// It does not hold: these conditions failed.
    Failed(Vec<Failed>),
}

/// By what one row that holds goes before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outranked {
    /// In this condition it is less specific.
    By(ConditionKind),
    /// Its precedence is lower.
    ByPrecedence,
    /// Both say the same, and its name sorts behind.
    ByName,
    /// It stands further down.
    ByPlace,
}

/// A condition that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Which.
    pub condition: ConditionKind,
    /// What the row asks for.
    pub asked: String,
    /// What there was.
    pub found: String,
}

impl Rules {
    /// Why a grievance goes by the row by which it goes, and which rows came nearest. It looks at every row.
    #[must_use]
    pub fn explain(&self, facts: &Facts<'_>) -> Explanation {
        let winner = self.decide(facts).row;
        let mut lost: Vec<(usize, std::cmp::Reverse<Rank>, Lost)> = Vec::new();
        for row in self.rows.iter().filter(|row| row.id != winner.id) {
            let failed = self.failed(row, facts);
            let near = (failed.len(), std::cmp::Reverse(self.rank(row, facts)));
            let why = if failed.is_empty() {
                WhyLost::Outranked(match self.policy {
                    HitPolicy::First => Outranked::ByPlace,
                    HitPolicy::Specific => self.outranked(row, winner, facts),
                })
            } else {
                WhyLost::Failed(failed)
            };
            let row = Lost { row: row.id.clone(), why };
            let at = lost.partition_point(|(count, rank, _)| (count, rank) <= (&near.0, &near.1));
            if at < NEAREST {
                lost.insert(at, (near.0, near.1, row));
                lost.truncate(NEAREST);
            }
        }
        let sends = match winner.route() {
            Some(route) => route.to_string(),
            None => "the control desk".to_owned(),
        };
        let lost = lost.into_iter().map(|(_, _, lost)| lost).collect();
        Explanation { table: self.version, row: winner.id.clone(), sends, asks: winner.when.to_string(), lost }
    }

    /// The conditions of a row that do not hold.
    fn failed(&self, row: &Row, facts: &Facts<'_>) -> Vec<Failed> {
        let when = &row.when;
        let mut failed = Vec::new();
        let mut fail = |condition, asked: String, found: String| failed.push(Failed { condition, asked, found });
        if depth(&when.category, facts.category, &self.categories).is_none() {
            fail(ConditionKind::Category, when.category.to_string(), named(facts.category));
        }
        if depth(&when.location, facts.place, &self.places).is_none() {
            fail(ConditionKind::Location, when.location.to_string(), named(facts.place));
        }
        if !holds(&when.channel, &facts.channel, |one, other| one == other) {
            fail(ConditionKind::Channel, when.channel.to_string(), facts.channel.to_string());
        }
        let language = match facts.language {
            Some(language) => holds(&when.language, language, Language::covers),
            None => !matches!(when.language, Names::OneOf(_)),
        };
        if !language {
            fail(ConditionKind::Language, when.language.to_string(), named(facts.language));
        }
        let has = |word: &Word| {
            let number = self.index.dictionary.known(word);
            facts
                .words
                .is_some_and(|found| found.table == self.version && number.is_some_and(|number| found.has(number)))
        };
        let (any, all) = (&when.words.any, &when.words.all);
        if !(any.is_empty() || any.iter().any(has)) || !all.iter().all(has) {
            let words = |words: &[Word]| words.iter().map(Word::as_str).collect::<Vec<_>>().join("|");
            let asked = match (any.is_empty(), all.is_empty()) {
                (false, false) => format!("any of {} and all of {}", words(any), words(all)),
                (false, true) => format!("any of {}", words(any)),
                _ => format!("all of {}", words(all)),
            };
            let found = if facts.words.is_some() { "not in the text" } else { "no text at hand" };
            fail(ConditionKind::Words, asked, found.to_owned());
        }
        let moment = facts.moment;
        if when.day.is_some_and(|day| day != moment.day) {
            let name = |day: Day| if day == Day::Holiday { "a holiday" } else { "a working day" }.to_owned();
            fail(ConditionKind::Holiday, when.day.map(name).unwrap_or_default(), name(moment.day));
        }
        if !when.weekdays.has(moment.weekday) {
            fail(ConditionKind::Weekday, when.weekdays.to_string(), Weekdays::of([moment.weekday]).to_string());
        }
        if let Some(time) = when.time.filter(|time| !time.has(moment.minute)) {
            let found = format!("{:02}:{:02}", moment.minute / 60, moment.minute % 60);
            fail(ConditionKind::Time, time.to_string(), found);
        }
        if !when.dates.has(moment.date) {
            let day = |date: Option<jiff::civil::Date>| date.map_or("always".to_owned(), |date| date.to_string());
            let asked = format!("{} to {}", day(when.dates.from), day(when.dates.until));
            fail(ConditionKind::Dates, asked, moment.date.to_string());
        }
        failed
    }

    /// How specific a row is, as far as it holds.
    fn rank(&self, row: &Row, facts: &Facts<'_>) -> Rank {
        let Conditions { category, location, .. } = &row.when;
        let category = depth(category, facts.category, &self.categories).unwrap_or_default();
        let location = depth(location, facts.place, &self.places).unwrap_or_default();
        let rest = super::index::rank(&row.when, row.precedence);
        Rank { category, location, rest }
    }

    /// By what a row that holds goes before another that does.
    fn outranked(&self, row: &Row, winner: &Row, facts: &Facts<'_>) -> Outranked {
        let (lost, won) = (self.rank(row, facts), self.rank(winner, facts));
        if lost.category != won.category {
            return Outranked::By(ConditionKind::Category);
        }
        if lost.location != won.location {
            return Outranked::By(ConditionKind::Location);
        }
        match super::index::first_difference(lost.rest, won.rest) {
            Some(kind) => Outranked::By(kind),
            None if row.precedence != winner.precedence => Outranked::ByPrecedence,
            None => Outranked::ByName,
        }
    }
}

/// How specific a row is for a grievance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    category: u8,
    location: u8,
    rest: u32,
}

/// How specific a condition on a tree is where it holds; `None` if it does not.
fn depth<P: TreePath>(names: &Names<P>, value: Option<&P>, tree: &Tree<P>) -> Option<u8> {
    let node = value.map_or(ROOT, |value| tree.nearest_node(value.as_ref()));
    let within = |path: &&P| tree.node(path.as_ref()).is_some_and(|above| tree.is_within(node, above));
    match names {
        Names::Any => Some(0),
        Names::NoneOf(names) => (!names.iter().any(|path| within(&path))).then_some(1),
        Names::OneOf(names) => names
            .iter()
            .filter(within)
            .filter_map(|path| tree.node(path.as_ref()))
            .map(|node| tree.depth(node) + 1)
            .max(),
    }
}

fn named<T: fmt::Display>(value: Option<&T>) -> String {
    value.map_or("not known".to_owned(), ToString::to_string)
}

impl fmt::Display for Explanation {
    /// In lines of at most 80 columns, as far as names allow.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "row {} of table {} wins", self.row, self.table)?;
        writeln!(f, "  it asks for {}", self.asks)?;
        writeln!(f, "  it sends to {}", self.sends)?;
        for lost in &self.lost {
            match &lost.why {
                WhyLost::Outranked(by) => writeln!(f, "row {} holds too: {by}", lost.row)?,
                WhyLost::Failed(failed) => {
                    writeln!(f, "row {} fails:", lost.row)?;
                    for Failed { condition, asked, found } in failed {
                        writeln!(f, "  {condition}: asked for {asked}, found {found}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Outranked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::By(kind) => write!(f, "its {kind} is less specific"),
            Self::ByPrecedence => f.write_str("its precedence is lower"),
            Self::ByName => f.write_str("it says the same, and its name sorts behind"),
            Self::ByPlace => f.write_str("it stands further down"),
        }
    }
}
