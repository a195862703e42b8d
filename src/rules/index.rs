//! The compiled table: from a node of each tree to the row that wins.
//!
//! Where the product of the trees is small the answer for each pair of nodes is worked out beforehand and stands in
//! one dense array; where it is not, the rows stand in a hash map by their own pair and the ancestors of both nodes are
//! tried, deepest first. Either way the cost does not depend on the number of rows.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::read::RulesError;
use super::table::{Row, Target};
use crate::tree::{CategoryTree, Node, PlaceTree, ROOT};

/// The most cells of the dense array: 16 MiB.
const MAX_CELLS: usize = 4 << 20;

#[derive(Debug, Clone)]
pub(super) enum Index {
    Dense { places: usize, rows: Vec<u32> },
    Sparse(Pairs),
}

type Pairs = HashMap<(Node, Node), u32, FixedState>;

impl Index {
    pub(super) fn build(
        categories: &CategoryTree,
        places: &PlaceTree,
        rows: &[Row],
        lines: &[usize],
    ) -> Result<Self, RulesError> {
        let pairs = pairs(categories, places, rows, lines)?;
        if categories.size().saturating_mul(places.size()) <= MAX_CELLS {
            Ok(Self::dense(categories, places, &pairs))
        } else {
            Ok(Self::Sparse(pairs))
        }
    }

    /// Parents come before children in both trees, so each cell is its own row or the better of two neighbours that
    /// are worked out already: the one above in the places, the one above in the categories.
    fn dense(categories: &CategoryTree, places: &PlaceTree, pairs: &Pairs) -> Self {
        let width = places.size();
        let mut cells: Vec<Cell> = Vec::with_capacity(categories.size() * width);
        for category in 0..categories.size() as Node {
            for place in 0..width as Node {
                let cell = match pairs.get(&(category, place)) {
                    Some(&row) => Cell { depths: (categories.depth(category), places.depth(place)), row },
                    None => {
                        let at = |c: Node, p: Node| cells[c as usize * width + p as usize];
                        let left = (place != ROOT).then(|| at(category, places.parent(place)));
                        let above = (category != ROOT).then(|| at(categories.parent(category), place));
                        // The row for everything else stands at the two roots, so one of them is there.
                        left.max(above).unwrap_or_default()
                    }
                };
                cells.push(cell);
            }
        }
        Self::Dense { places: width, rows: cells.into_iter().map(|cell| cell.row).collect() }
    }

    pub(super) fn row(&self, categories: &CategoryTree, places: &PlaceTree, category: Node, place: Node) -> usize {
        let row = match self {
            Self::Dense { places, rows } => rows[category as usize * places + place as usize],
            Self::Sparse(pairs) => categories
                .ancestry(category)
                .find_map(|c| places.ancestry(place).find_map(|p| pairs.get(&(c, p))))
                .copied()
                // The row for everything else is among the pairs, or the table would not have compiled.
                .unwrap_or_default(),
        };
        row as usize
    }
}

/// A row that wins somewhere, by how deep its two conditions are: the larger is the more specific.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    depths: (u8, u8),
    row: u32,
}

/// The rows by their own pair of nodes, checked.
fn pairs(categories: &CategoryTree, places: &PlaceTree, rows: &[Row], lines: &[usize]) -> Result<Pairs, RulesError> {
    let line = |row: usize| lines.get(row).copied().unwrap_or_default();
    let mut by_id: HashMap<&str, usize, FixedState> = HashMap::default();
    let mut pairs: Pairs = HashMap::default();
    for (i, row) in rows.iter().enumerate() {
        if let Some(&first) = by_id.get(row.id.as_str()) {
            return Err(RulesError::DuplicateId { id: row.id.clone(), first: line(first), line: line(i) });
        }
        by_id.insert(row.id.as_str(), i);
        let category = match &row.category {
            None => ROOT,
            Some(path) => categories.node(path.as_str()).ok_or_else(|| RulesError::UnknownCategory {
                category: path.clone(),
                nearest: categories.nearest(path.as_str()).cloned(),
                line: line(i),
            })?,
        };
        let place = match &row.location {
            None => ROOT,
            Some(path) => places.node(path.as_str()).ok_or_else(|| RulesError::UnknownPlace {
                place: path.clone(),
                nearest: places.nearest(path.as_str()).cloned(),
                line: line(i),
            })?,
        };
        if (category, place) == (ROOT, ROOT) && row.target != Target::Control {
            return Err(RulesError::DefaultNotToControl { id: row.id.clone(), line: line(i) });
        }
        match pairs.entry((category, place)) {
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(i as u32);
            }
            std::collections::hash_map::Entry::Occupied(mut taken) => {
                let first = *taken.get() as usize;
                if !row.same_answer(&rows[first]) {
                    return Err(RulesError::Tie {
                        first: rows[first].id.clone(),
                        first_line: line(first),
                        second: row.id.clone(),
                        line: line(i),
                        category: row.category.clone(),
                        location: row.location.clone(),
                    });
                }
                // Of two that say the same, the name that sorts first is given, in whatever order they stand.
                if row.id < rows[first].id {
                    taken.insert(i as u32);
                }
            }
        }
    }
    if rows.is_empty() {
        return Err(RulesError::Empty);
    }
    if !pairs.contains_key(&(ROOT, ROOT)) {
        return Err(RulesError::NoDefault);
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Hours;
    use crate::code::{CategoryPath, DepartmentId, PlacePath, RowId};
    use crate::rules::{Level, Priority, Rules};
    use crate::tree::Tree;
    use proptest::prelude::*;

    fn path(levels: &[u8]) -> Option<String> {
        (!levels.is_empty()).then(|| levels.iter().map(|l| format!("n{l}")).collect::<Vec<_>>().join("/"))
    }

    fn row(n: usize, category: &[u8], place: &[u8], department: u8) -> Row {
        Row {
            id: RowId::new(&format!("r{n:03}")).unwrap(),
            category: path(category).map(|p| CategoryPath::new(&p).unwrap()),
            location: path(place).map(|p| PlacePath::new(&p).unwrap()),
            target: Target::Department(DepartmentId::new(&format!("d{department}")).unwrap(), Level::State),
            priority: Priority::Normal,
            deadline: Hours::from_days(1),
        }
    }

    fn default_row() -> Row {
        Row { target: Target::Control, ..row(999, &[], &[], 0) }
    }

    /// Paths of up to three levels out of three names each: small enough that rows meet.
    fn levels() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(0u8..3, 0..4)
    }

    fn table() -> impl Strategy<Value = Vec<Row>> {
        prop::collection::vec((levels(), levels(), 0u8..4), 0..40).prop_map(|rows| {
            let mut taken = std::collections::HashSet::from([(vec![], vec![])]);
            let mut table: Vec<Row> = rows
                .into_iter()
                .filter(|(c, p, _)| taken.insert((c.clone(), p.clone())))
                .enumerate()
                .map(|(n, (c, p, d))| row(n, &c, &p, d))
                .collect();
            table.push(default_row());
            table
        })
    }

    fn trees() -> (CategoryTree, PlaceTree) {
        let all = || (0..27u8).filter_map(|n| path(&[n / 9, n / 3 % 3, n % 3]));
        (
            Tree::from_paths(all().map(|p| CategoryPath::new(&p).unwrap())),
            Tree::from_paths(all().map(|p| PlacePath::new(&p).unwrap())),
        )
    }

    /// What the module's page says, written down as plainly as can be.
    fn scan<'a>(rows: &'a [Row], category: Option<&str>, place: Option<&str>) -> &'a Row {
        fn covers(condition: Option<&str>, value: Option<&str>) -> Option<usize> {
            match (condition, value) {
                (None, _) => Some(0),
                (Some(c), Some(v)) if v == c || v.starts_with(&format!("{c}/")) => Some(c.split('/').count()),
                _ => None,
            }
        }
        rows.iter()
            .filter_map(|row| {
                let category = covers(row.category.as_ref().map(|p| p.as_str()), category)?;
                let place = covers(row.location.as_ref().map(|p| p.as_str()), place)?;
                Some(((category, place), row))
            })
            .max_by_key(|(depths, _)| *depths)
            .unwrap()
            .1
    }

    proptest! {
        #[test]
        fn dense_sparse_and_a_linear_scan_agree(rows in table(), asked in prop::collection::vec((levels(), levels()), 50)) {
            let (categories, places) = trees();
            let pairs = pairs(&categories, &places, &rows, &[]).unwrap();
            let dense = Index::dense(&categories, &places, &pairs);
            let sparse = Index::Sparse(pairs);
            for (category, place) in asked {
                let (category, place) = (path(&category), path(&place));
                let winner = scan(&rows, category.as_deref(), place.as_deref());
                let c = category.map_or(ROOT, |p| categories.node(&p).unwrap());
                let p = place.map_or(ROOT, |p| places.node(&p).unwrap());
                prop_assert_eq!(&rows[dense.row(&categories, &places, c, p)].id, &winner.id);
                prop_assert_eq!(&rows[sparse.row(&categories, &places, c, p)].id, &winner.id);
            }
        }

        #[test]
        fn shuffling_the_rows_changes_no_decision(
            (rows, shuffled) in table().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
            asked in prop::collection::vec((levels(), levels()), 20),
        ) {
            let (categories, places) = trees();
            let one = Rules::new(categories.clone(), places.clone(), rows).unwrap();
            let other = Rules::new(categories, places, shuffled).unwrap();
            prop_assert_eq!(one.version(), other.version());
            for (category, place) in asked {
                let category = path(&category).map(|p| CategoryPath::new(&p).unwrap());
                let place = path(&place).map(|p| PlacePath::new(&p).unwrap());
                let ids = [&one, &other].map(|rules| rules.decide(category.as_ref(), place.as_ref()).row.id.clone());
                prop_assert_eq!(&ids[0], &ids[1]);
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_table_is_named_with_its_line() {
        let (categories, places) = trees();
        let compile = |rows: Vec<Row>| Rules::new(categories.clone(), places.clone(), rows).unwrap_err();
        assert_eq!(compile(vec![]), RulesError::Empty);
        assert_eq!(compile(vec![row(1, &[0], &[], 0)]), RulesError::NoDefault);
        let twice = Row { category: None, ..row(1, &[0], &[1], 0) };
        assert!(matches!(
            compile(vec![row(1, &[0], &[], 0), twice, default_row()]),
            RulesError::DuplicateId { first: 1, line: 2, .. }
        ));
        assert!(matches!(
            compile(vec![row(1, &[0], &[], 0), row(2, &[0], &[], 1), default_row()]),
            RulesError::Tie { first_line: 1, line: 2, .. }
        ));
        assert!(matches!(
            compile(vec![row(1, &[9], &[], 0), default_row()]),
            RulesError::UnknownCategory { line: 1, nearest: None, .. }
        ));
        assert!(matches!(
            compile(vec![row(1, &[], &[0, 9], 0), default_row()]),
            RulesError::UnknownPlace { line: 1, nearest: Some(_), .. }
        ));
        assert!(matches!(compile(vec![row(1, &[], &[], 0)]), RulesError::DefaultNotToControl { line: 1, .. }));
    }

    #[test]
    fn two_rows_that_say_the_same_are_one() {
        let (categories, places) = trees();
        let rows = vec![row(2, &[0], &[], 0), row(1, &[0], &[], 0), default_row()];
        let rules = Rules::new(categories, places, rows).unwrap();
        let category = CategoryPath::new("n0").unwrap();
        assert_eq!(rules.decide(Some(&category), None).row.id.as_str(), "r001");
    }
}
