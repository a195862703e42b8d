//! Rows that cut across each other: each holds where the other does not, both hold for some grievances, and they say
//! something else of these. Which one wins is told by the order of the conditions, which not everybody has in mind.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;

use super::Rules;
use super::finding::Witness;
use super::index::{RowsAt, languages};
use super::meet::{Meeting, meet};
use super::region::{World, difference};
use super::table::Row;
use crate::tree::{Node, ROOT};

/// How many pairs of rows are looked at, at most.
const MOST_PAIRS: usize = 2_000_000;
/// Of how many winning rows it is told, at most.
const MOST_WINNERS: usize = 500;
/// How many rows are named that one row cuts across, before the rest is only known to be there.
pub(super) const NAMED: usize = 6;

/// A row that wins over others that it cuts across, and a grievance for which it does.
pub(super) struct Overlap {
    pub(super) winner: usize,
    /// One more than [`NAMED`] where there are more.
    pub(super) losers: BTreeSet<usize>,
    pub(super) witness: Witness,
}

/// Finds them where the most specific row wins, among rows that name categories and places or ask for none of them; those
/// that another row takes away from both are left out.
pub(super) fn find(rules: &Rules) -> Vec<Overlap> {
    // The steps for what a row says it is not are behind all nodes.
    let is_node = |list: &RowsAt| {
        (list.category as usize) < rules.categories.size() && (list.place as usize) < rules.places.size()
    };
    let lists: Vec<RowsAt> = rules.index.rows_at().filter(is_node).collect();
    let mut by_category: HashMap<Node, Vec<&RowsAt>, FixedState> = HashMap::default();
    lists.iter().for_each(|list| by_category.entry(list.category).or_default().push(list));
    let world = World::new(languages(&rules.rows));
    let mut search = Search { rules, world, found: BTreeMap::new(), pairs: 0 };
    for list in &lists {
        search.within(list);
        // A deeper category goes before a deeper place.
        let parent = |node: Node| (node != ROOT).then(|| rules.categories.parent(node));
        for above in std::iter::successors(parent(list.category), |node| parent(*node)) {
            for other in by_category.get(&above).into_iter().flatten() {
                let is_deeper = other.place != list.place && rules.places.is_within(other.place, list.place);
                if is_deeper && !search.is_over() {
                    search.between(list, other);
                }
            }
        }
    }
    search.found.into_values().collect()
}

struct Search<'a> {
    rules: &'a Rules,
    world: World,
    found: BTreeMap<usize, Overlap>,
    pairs: usize,
}

impl Search<'_> {
    fn is_over(&self) -> bool {
        self.pairs >= MOST_PAIRS || self.found.len() >= MOST_WINNERS
    }

    /// Rows of one pair of nodes that cut across each other by their other conditions.
    fn within(&mut self, list: &RowsAt) {
        for (at, winner) in list.rows.iter().enumerate() {
            for loser in &list.rows[at + 1..] {
                let (one, other) = (&self.rules.rows[*winner], &self.rules.rows[*loser]);
                if self.is_over() || other.when.is_plain() {
                    return;
                }
                let (is_narrower, is_wider) = (self.is_within(one, other), self.is_within(other, one));
                if !is_narrower && !is_wider {
                    self.look(*winner, *loser, (list.category, list.place));
                }
            }
        }
    }

    fn is_within(&mut self, one: &Row, other: &Row) -> bool {
        let (one, other) = (self.world.of(&one.when), self.world.of(&other.when));
        difference(one, &other).is_none_or(|rest| rest.is_empty())
    }

    /// Rows of which one has the deeper category and the other the deeper place.
    fn between(&mut self, winners: &RowsAt, losers: &RowsAt) {
        // One that names the category of the other, too, is met where it does.
        let names = |winner: &usize| {
            let categories = &self.rules.categories;
            let named = self.rules.rows[*winner].when.category.names().iter();
            named
                .filter_map(|path| categories.node(path.as_str()))
                .any(|node| categories.is_within(losers.category, node))
        };
        let winners_alone: Vec<usize> = winners.rows.iter().copied().filter(|winner| !names(winner)).collect();
        for winner in &winners_alone {
            for loser in &losers.rows {
                self.look(*winner, *loser, (winners.category, losers.place));
            }
        }
    }

    fn look(&mut self, winner: usize, loser: usize, at: (Node, Node)) {
        self.pairs += 1;
        let (one, other) = (&self.rules.rows[winner], &self.rules.rows[loser]);
        let is_told = self.found.get(&winner).is_some_and(|found| found.losers.len() > NAMED);
        if is_told || one.same_answer(other) {
            return;
        }
        let Some(Meeting { channel, language, words, moment }) = meet(&one.when, &other.when) else { return };
        let (category, place) = (self.rules.categories.path(at.0).cloned(), self.rules.places.path(at.1).cloned());
        let witness = Witness { category, place, channel, language, words, moment };
        if self.rules.decide_witness(&witness).id != one.id {
            return;
        }
        let overlap = self.found.entry(winner).or_insert_with(|| Overlap { winner, losers: BTreeSet::new(), witness });
        overlap.losers.insert(loser);
    }
}
