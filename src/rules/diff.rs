//! What another table would change: by what it decides, not by its lines.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use foldhash::fast::FixedState;

use super::condition::Names;
use super::facts::Facts;
use super::finding::Witness;
use super::index::languages;
use super::region::{Region, World, difference, intersection};
use super::table::Row;
use super::{Rules, TableVersion};
use crate::code::{CategoryPath, PlacePath, RowId};
use crate::tree::{CategoryTree, Node, PlaceTree, ROOT, Tree, TreePath};

/// What a new table would decide otherwise than the old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// The old table.
    pub old: TableVersion,
    /// The new one.
    pub new: TableVersion,
    /// What is decided otherwise, in the order of the old table's rows, then of the new one's.
    pub changes: Vec<Change>,
    /// Where the rows are too intricate to tell; empty for tables of any usual kind.
    pub untold: Vec<Part>,
}

/// Grievances that go another way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What the old table says.
    pub was: Answer,
    /// What the new one says.
    pub is: Answer,
    /// The categories and places of which some or all go another way.
    pub parts: Vec<Part>,
    /// One that does.
    pub witness: Witness,
}

/// What a table says: by which row, and where it sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The row.
    pub row: RowId,
    /// Where it sends, in words.
    pub sends: String,
}

/// Some categories at some places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The categories.
    pub categories: Vec<Extent<CategoryPath>>,
    /// The places.
    pub places: Vec<Extent<PlacePath>>,
}

/// A part of a taxonomy or a gazetteer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent<P> {
    /// All of it, and what is not known.
    All,
    /// What is not known.
    Unknown,
    /// This, with all below it.
    Below(P),
    /// This, and what is below it and not known.
    Only(P),
}

impl Rules {
    /// What `new` would decide otherwise than this table: of the same grievance at the same moment another department,
    /// level, priority or deadline. What another row decides the same is no change. There is none exactly when no
    /// decision differs, but for what is told as [`untold`](Diff::untold).
    ///
    /// Both tables are looked at with the taxonomies and gazetteers of both.
    #[must_use]
    pub fn diff(&self, new: &Self) -> Diff {
        let (categories, places) = (union(&self.categories, &new.categories), union(&self.places, &new.places));
        let named = [languages(&self.rows), languages(&new.rows)].concat();
        let mut world = World::new(named);
        let whole = world.whole();
        let regions = [self, new].map(|rules| vec![None; rules.rows.len()]);
        let mut comparing = Comparing { tables: [self, new], world, whole, regions, known: HashMap::default() };
        let mut found: BTreeMap<(usize, usize), Found> = BTreeMap::new();
        let mut untold = Vec::new();
        for category in 0..categories.size() as Node {
            for place in 0..places.size() as Node {
                let at = (categories.path(category), places.path(place));
                let Some(changed) = comparing.at(at.0, at.1) else {
                    untold.push((category, place));
                    continue;
                };
                for (rows, witness) in changed {
                    let found = found.entry(rows).or_insert_with(|| Found { pairs: Vec::new(), witness });
                    found.pairs.push((category, place));
                }
            }
        }
        let parts = |pairs: Vec<(Node, Node)>| parts(&pairs, &categories, &places);
        let change = |((was, is), found): ((usize, usize), Found)| {
            let (was, is) = (Answer::of(&self.rows[was]), Answer::of(&new.rows[is]));
            Change { was, is, parts: parts(found.pairs), witness: found.witness }
        };
        let changes = found.into_iter().map(change).collect();
        Diff { old: self.version, new: new.version, changes, untold: parts(untold) }
    }
}

impl Diff {
    /// Whether every grievance goes the way it went, and this is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.untold.is_empty()
    }
}

impl Answer {
    fn of(row: &Row) -> Self {
        let sends = match row.route() {
            Some(route) => route.to_string(),
            None => format!("the control desk, {}", row.deadline),
        };
        Self { row: row.id.clone(), sends }
    }
}

/// Where two rows give way to each other.
struct Found {
    pairs: Vec<(Node, Node)>,
    witness: Witness,
}

/// The rows of both tables that decide at a pair of category and place, in their order.
type Orders = [Vec<usize>; 2];

struct Comparing<'a> {
    tables: [&'a Rules; 2],
    world: World,
    whole: Vec<Region>,
    /// The situations in which each row holds, made out once.
    regions: [Vec<Option<Vec<Region>>>; 2],
    /// What came of rows that were compared already: many pairs have the same.
    known: HashMap<Orders, Option<Vec<Differing>>, FixedState>,
}

/// A row of each table that decide the same situation, and situations.
#[derive(Clone)]
struct Differing {
    rows: (usize, usize),
    regions: Vec<Region>,
}

impl Comparing<'_> {
    /// The rows that give way to each other at a category and place, each with a grievance that shows it; `None` if it is
    /// too much to say.
    fn at(
        &mut self,
        category: Option<&CategoryPath>,
        place: Option<&PlacePath>,
    ) -> Option<Vec<((usize, usize), Witness)>> {
        let order = |rules: &Rules| {
            let category = category.map_or(ROOT, |path| rules.categories.nearest_node(path.as_str()));
            let place = place.map_or(ROOT, |path| rules.places.nearest_node(path.as_str()));
            rules.index.order_for(&rules.rows, category, place)
        };
        let orders = self.tables.map(order);
        if !self.known.contains_key(&orders) {
            let compared = self.compare(&orders);
            self.known.insert(orders.clone(), compared);
        }
        let differing = self.known.get(&orders)?.as_ref()?;
        let shown = differing.iter().filter_map(|Differing { rows, regions }| {
            // A box may be of words of which one is part of another: no text has only one of these.
            let witness = regions.iter().filter_map(|region| self.witness(category, place, region));
            let witness = witness.into_iter().find(|witness| self.differs(witness))?;
            Some((*rows, witness))
        });
        Some(shown.collect())
    }

    fn witness(&self, category: Option<&CategoryPath>, place: Option<&PlacePath>, region: &Region) -> Option<Witness> {
        let super::meet::Meeting { channel, language, words, moment } = self.world.witness(region)?;
        Some(Witness { category: category.cloned(), place: place.cloned(), channel, language, words, moment })
    }

    fn differs(&self, witness: &Witness) -> bool {
        let [old, new] = self.tables.map(|rules| rules.decide_witness(witness));
        !old.same_answer(new)
    }

    fn compare(&mut self, orders: &Orders) -> Option<Vec<Differing>> {
        let rows = |table: usize| orders[table].iter().map(move |row| (table, *row));
        let of = |tables: [&Rules; 2], (table, row): (usize, usize)| tables[table].rows[row].clone();
        let same = |(one, other)| {
            let (one, other) = (of(self.tables, one), of(self.tables, other));
            one.same_answer(&other) && same_situations(&one, &other)
        };
        if orders[0].len() == orders[1].len() && rows(0).zip(rows(1)).all(same) {
            return Some(Vec::new());
        }
        let [old, new] = [self.decided(0, &orders[0])?, self.decided(1, &orders[1])?];
        let mut differing = Vec::new();
        for (was, old) in &old {
            for (is, new) in &new {
                if self.tables[0].rows[*was].same_answer(&self.tables[1].rows[*is]) {
                    continue;
                }
                let regions = intersection(old, new);
                if !regions.is_empty() {
                    differing.push(Differing { rows: (*was, *is), regions });
                }
            }
        }
        Some(differing)
    }

    /// What each row decides: where it holds, and none before it does.
    fn decided(&mut self, table: usize, order: &[usize]) -> Option<Vec<(usize, Vec<Region>)>> {
        let mut left = self.whole.clone();
        let mut decided = Vec::with_capacity(order.len());
        for row in order {
            let holds =
                self.regions[table][*row].get_or_insert_with(|| self.world.of(&self.tables[table].rows[*row].when));
            decided.push((*row, intersection(&left, holds)));
            left = difference(left, holds)?;
        }
        Some(decided)
    }
}

impl Rules {
    /// The row that wins for a grievance that is told by what the table asks for.
    pub(super) fn decide_witness(&self, witness: &Witness) -> &Row {
        let Witness { category, place, channel, language, words, moment } = witness;
        let words = self.index.dictionary.among(words, self.version);
        let facts = Facts {
            category: category.as_ref(),
            place: place.as_ref(),
            channel: *channel,
            language: language.as_ref(),
            words: Some(&words),
            moment: *moment,
        };
        self.decide(&facts).row
    }
}

/// Whether two rows ask for the same, category and place apart.
fn same_situations(one: &Row, other: &Row) -> bool {
    let bare = |row: &Row| super::Conditions { category: Names::Any, location: Names::Any, ..row.when.clone() };
    bare(one) == bare(other)
}

/// A tree of the paths of both.
fn union<P: TreePath + Clone>(one: &Tree<P>, other: &Tree<P>) -> Tree<P> {
    Tree::from_paths(one.paths().chain(other.paths()).cloned())
}

/// Pairs of category and place in few words.
fn parts(pairs: &[(Node, Node)], categories: &CategoryTree, places: &PlaceTree) -> Vec<Part> {
    let mut by_category: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
    for (category, place) in pairs {
        by_category.entry(*category).or_default().push(*place);
    }
    let mut by_places: BTreeMap<Vec<Node>, Vec<Node>> = BTreeMap::new();
    for (category, places) in by_category {
        by_places.entry(places).or_default().push(category);
    }
    let mut groups: Vec<(Vec<Node>, Vec<Node>)> = by_places.into_iter().collect();
    groups.sort_by(|one, other| one.1.cmp(&other.1));
    let part =
        |(at, of): (Vec<Node>, Vec<Node>)| Part { categories: extents(&of, categories), places: extents(&at, places) };
    groups.into_iter().map(part).collect()
}

/// Nodes in few words: a node of which all below it are there too stands for these.
fn extents<P: TreePath + Clone>(nodes: &[Node], tree: &Tree<P>) -> Vec<Extent<P>> {
    let mut is_in = vec![false; tree.size()];
    nodes.iter().for_each(|node| is_in[*node as usize] = true);
    let mut is_whole = is_in.clone();
    // Children come behind their parents.
    for node in (1..tree.size() as Node).rev() {
        if !is_whole[node as usize] {
            is_whole[tree.parent(node) as usize] = false;
        }
    }
    if is_whole[ROOT as usize] {
        return vec![Extent::All];
    }
    let told = |node: &Node| {
        let node = *node;
        match tree.path(node) {
            None => Some(Extent::Unknown),
            Some(_) if is_whole[tree.parent(node) as usize] => None,
            Some(path) if is_whole[node as usize] => Some(Extent::Below(path.clone())),
            Some(path) => Some(Extent::Only(path.clone())),
        }
    };
    nodes.iter().filter_map(told).collect()
}

/// How many extents are named before the rest is only counted.
const NAMED: usize = 8;

impl fmt::Display for Part {
    /// `water in hisar, rohtak`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_extents(f, &self.categories, "every category", "no known category")?;
        f.write_str(" in ")?;
        write_extents(f, &self.places, "every place", "no known place")
    }
}

fn write_extents<P: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    extents: &[Extent<P>],
    all: &str,
    unknown: &str,
) -> fmt::Result {
    for (n, extent) in extents.iter().take(NAMED).enumerate() {
        f.write_str(if n == 0 { "" } else { ", " })?;
        match extent {
            Extent::All => f.write_str(all),
            Extent::Unknown => f.write_str(unknown),
            Extent::Below(path) => write!(f, "{path}"),
            Extent::Only(path) => write!(f, "{path} itself"),
        }?;
    }
    match extents.len().saturating_sub(NAMED) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            writeln!(f, "{part}")?;
        }
        writeln!(f, "  was: row {}: {}", self.was.row, self.was.sends)?;
        writeln!(f, "  is:  row {}: {}", self.is.row, self.is.sends)?;
        writeln!(f, "  as for {}", self.witness)
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| write!(f, "{change}"))?;
        self.untold.iter().try_for_each(|part| writeln!(f, "too intricate to compare: {part}"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use crate::{CategoryTree, PlaceTree, Rules};

    fn read(rows: &str) -> Rules {
        let categories = "category\nwater\nwater/logging\nwater/supply\nroads\n";
        let places = "place\nhisar\nhisar/hansi\nhisar/adampur\nrohtak\n";
        let table = format!(
            "id,category,location,channel,department,level,priority,deadline_hours,note\n{rows}\nELSE,,,,control,,normal,24,\n"
        );
        let (categories, places) = (CategoryTree::read(categories.as_bytes()), PlaceTree::read(places.as_bytes()));
        Rules::read(categories.unwrap(), places.unwrap(), table.as_bytes()).unwrap()
    }

    fn told(old: &str, new: &str) -> String {
        read(old).diff(&read(new)).to_string()
    }

    #[test]
    fn what_is_said_in_other_rows_with_other_names_is_no_change() {
        let old = "A,water,,,phe,district,normal,24,";
        let new =
            "X,water/logging|water/supply,,,phe,district,normal,24,\nY,water,,,phe,district,normal,24,another note";
        assert_eq!(told(old, new), "");
        assert!(read(old).diff(&read(old)).is_empty());
    }

    #[test]
    fn a_change_is_told_by_the_largest_parts_that_it_takes_whole() {
        let old = "A,water,,,phe,district,normal,24,";
        let new = "A,water,,,phe,district,normal,24,\nB,water,hisar,,ulb,state,high,12,\nC,water,hisar/hansi,,phe,district,normal,24,";
        let expected = "\
water in hisar itself, hisar/adampur
  was: row A: phe at the district's level, normal priority, 24 hours
  is:  row B: ulb at the state's level, high priority, 12 hours
  as for a grievance about water in hisar by x on 2026-01-05 at 12:00
";
        assert_eq!(told(old, new), expected);
    }

    #[test]
    fn what_changes_only_sometimes_is_shown_by_a_grievance_of_that_time_or_way() {
        let old = "A,water,,,phe,district,normal,24,";
        let new = "A,water,,,phe,district,normal,24,\nB,water,,phone,phe,district,normal,48,";
        let told = told(old, new);
        assert!(told.starts_with("water in every place\n") && told.contains("by phone"), "{told}");
    }

    #[test]
    fn without_a_row_it_is_the_control_desk_and_a_deadline_alone_is_a_change() {
        let told_ = told("A,roads,,,pwd,state,low,240,", "");
        assert!(told_.starts_with("roads in every place\n") && told_.contains("the control desk, 24 hours"), "{told_}");
        let told_ = told("A,roads,,,pwd,state,low,240,", "A,roads,,,pwd,state,low,239,");
        assert!(told_.contains("10 days") && told_.contains("239 hours"), "{told_}");
    }
}
