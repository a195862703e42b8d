//! Which rows decide how much: those that never do, and what only the row for everything else takes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;

use super::Rules;
use super::facts::Facts;
use super::table::Row;
use crate::code::{CategoryPath, PlacePath, RowId};
use crate::tree::{Node, ROOT};

/// How often each row of a table decided. It stays as large as the table and its trees, whatever is counted.
///
/// ```
/// # use nivaran::{CategoryTree, PlaceTree, Rules};
/// # use nivaran::rules::{Day, Facts, Moment};
/// # use nivaran::Channel;
/// # let categories = CategoryTree::read(b"category\nwater\nroads\n")?;
/// # let csv = b"id,category,location,department,level,priority,deadline_hours\n\
/// #     W,water,,phe,district,high,72\nR,roads,,pwd,district,low,240\nELSE,,,control,,,24\n";
/// # let rules = Rules::read(categories, PlaceTree::from_paths([]), csv)?;
/// # let moment = Moment::new(jiff::civil::date(2026, 1, 5), Day::Working, 720);
/// # let (water, other) = ("water".parse()?, "lost dogs".replace(' ', "-").parse()?);
/// let mut hits = rules.hits();
/// for category in [&water, &water, &other] {
///     hits.count(&Facts { category: Some(category), place: None, channel: Channel::X, language: None, words: None, moment });
/// }
/// assert_eq!(hits.never().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["R"]);
/// assert_eq!(hits.unrouted().map(|caught| caught.count).collect::<Vec<_>>(), [1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Hits<'a> {
    rules: &'a Rules,
    rows: Vec<u64>,
    by_id: HashMap<&'a RowId, usize, FixedState>,
    unrouted: BTreeMap<(Node, Node), u64>,
}

/// Grievances that only the row for everything else took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unrouted<'a> {
    /// What they were about, as far as the taxonomy knows it.
    pub category: Option<&'a CategoryPath>,
    /// Where, as far as the gazetteer knows it.
    pub place: Option<&'a PlacePath>,
    /// How many they were.
    pub count: u64,
}

impl Rules {
    /// Begins to count which rows decide.
    #[must_use]
    pub fn hits(&self) -> Hits<'_> {
        let by_id = self.rows.iter().enumerate().map(|(at, row)| (&row.id, at)).collect();
        Hits { rules: self, rows: vec![0; self.rows.len()], by_id, unrouted: BTreeMap::new() }
    }
}

impl<'a> Hits<'a> {
    /// Counts what the table decides about a grievance.
    pub fn count(&mut self, facts: &Facts<'_>) {
        let row = self.rules.decide(facts).row;
        self.take(&row.id, facts.category, facts.place);
    }

    /// Counts that a row of this table decided, e.g. as a ticket's history says; whether the table has such a row.
    pub fn take(&mut self, row: &RowId, category: Option<&CategoryPath>, place: Option<&PlacePath>) -> bool {
        let Some(&at) = self.by_id.get(row) else { return false };
        self.rows[at] += 1;
        if self.rules.rows[at].when.is_any() {
            let category = category.map_or(ROOT, |path| self.rules.categories.nearest_node(path.as_str()));
            let place = place.map_or(ROOT, |path| self.rules.places.nearest_node(path.as_str()));
            *self.unrouted.entry((category, place)).or_default() += 1;
        }
        true
    }

    /// How often each row decided, in the order of the table.
    pub fn rows(&self) -> impl Iterator<Item = (&'a Row, u64)> + '_ {
        self.rules.rows.iter().zip(self.rows.iter().copied())
    }

    /// The rows that never did, in the order of the table.
    pub fn never(&self) -> impl Iterator<Item = &'a Row> + '_ {
        self.rows().filter(|(_, count)| *count == 0).map(|(row, _)| row)
    }

    /// What only the row for everything else took, the most frequent first.
    pub fn unrouted(&self) -> impl Iterator<Item = Unrouted<'a>> + '_ {
        let mut unrouted: Vec<_> = self.unrouted.iter().collect();
        unrouted.sort_by_key(|(_, count)| Reverse(**count));
        unrouted.into_iter().map(|(&(category, place), &count)| Unrouted {
            category: self.rules.categories.path(category),
            place: self.rules.places.path(place),
            count,
        })
    }
}
