//! From rows to a table that decides: names are looked up, rows placed by their rank, and what cannot be is refused.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;
use sha2::{Digest, Sha256};

use super::condition::{Conditions, Dates, Names, Weekdays};
use super::finding::{Fault, Finding, RulesError, Severity, Witness};
use super::index::{Index, MAX_LANGUAGES, Placed, languages, rank};
use super::meet::{Meeting, meet};
use super::read::{Column, MAX_FINDINGS, Places, nearest};
use super::table::{ConditionKind, Held, HitPolicy, Routing, Row, Target};
use super::{Rules, TableVersion, ties};
use crate::code::RowId;
use crate::tree::{CategoryTree, Node, PlaceTree, ROOT, Tree, TreePath};

/// The most pairs of category and place that all rows together may name.
const MAX_PLACED: usize = 4_000_000;

/// Compiles a table; `findings` has what was found when it was read.
pub(super) fn compile(
    categories: CategoryTree,
    places: PlaceTree,
    policy: HitPolicy,
    rows: Vec<Row>,
    at: &Places<'_>,
    findings: Vec<Finding>,
) -> Result<Rules, RulesError> {
    let mut table = Compiling { categories: &categories, places: &places, policy, rows: &rows, at, findings };
    table.look_at_rows();
    let placed = table.place();
    if policy == HitPolicy::Specific {
        table.find_ties(&placed);
    }
    let Compiling { mut findings, .. } = table;
    if findings.iter().any(|finding| finding.severity() == Severity::Error) {
        findings.sort_by_key(|finding| finding.at.first().map(|at| (at.line, at.column)));
        return Err(RulesError { findings });
    }
    let index = Index::build(&categories, &places, &rows, policy, &placed);
    let version = version_of(&categories, &places, policy, &rows);
    let routings =
        placed.iter().map(|placed| routing(placed, &rows[placed.row as usize], &categories, &places, version));
    let routings = routings.collect();
    Ok(Rules { version, policy, rows, routings, index, categories, places })
}

struct Compiling<'a> {
    categories: &'a CategoryTree,
    places: &'a PlaceTree,
    policy: HitPolicy,
    rows: &'a [Row],
    at: &'a Places<'a>,
    findings: Vec<Finding>,
}

impl Compiling<'_> {
    fn found(&mut self, row: usize, column: Option<Column>, what: Fault) {
        if self.findings.len() < MAX_FINDINGS {
            let at = column.map_or_else(|| self.at.row(row), |column| self.at.cell(row, column));
            let row = self.rows.get(row).map(|row| row.id.clone());
            self.findings.push(Finding { row, at: vec![at], ..Finding::new(what) });
        }
    }

    /// What is wrong with single rows, and with the table as a whole.
    fn look_at_rows(&mut self) {
        let rows = self.rows;
        // The row for everything else may be one of those that could not be read.
        let are_all_rows = self.findings.is_empty();
        let mut by_id: HashMap<&RowId, usize, FixedState> = HashMap::default();
        for (i, row) in rows.iter().enumerate() {
            if let Some(first) = by_id.insert(&row.id, i) {
                by_id.insert(&row.id, first);
                self.found(i, Some(Column::Id), Fault::DuplicateId { id: row.id.clone() });
                let first = self.at.cell(first, Column::Id);
                self.findings.last_mut().into_iter().for_each(|finding| finding.at.push(first.clone()));
            }
            for category in row.when.category.names() {
                if !self.categories.contains(category.as_str()) {
                    let nearest = nearest_path(self.categories, category);
                    let what = Fault::UnknownCategory { category: category.clone(), nearest };
                    self.found(i, Some(Column::Category), what);
                }
            }
            for place in row.when.location.names() {
                if !self.places.contains(place.as_str()) {
                    let what = Fault::UnknownPlace { place: place.clone(), nearest: nearest_path(self.places, place) };
                    self.found(i, Some(Column::Location), what);
                }
            }
            if may_never_hold(&row.when) && meet(&row.when, &row.when).is_none() {
                let (column, why) = never(&row.when);
                self.found(i, Some(column), Fault::Contradiction { why });
            }
            if row.when.is_any() && row.target != Target::Control {
                self.found(i, Some(Column::Department), Fault::DefaultNotToControl);
            }
        }
        if rows.is_empty() && self.findings.is_empty() {
            self.findings.push(Finding::new(Fault::Empty));
        } else if are_all_rows && !rows.is_empty() && !rows.iter().any(|row| row.when.is_any()) {
            self.findings.push(Finding::new(Fault::NoDefault));
        }
        if languages(rows).len() > MAX_LANGUAGES {
            self.findings.push(Finding::new(Fault::TooManyLanguages));
        }
    }

    /// Each row at each of its pairs, pair by pair, in each by its rank.
    fn place(&mut self) -> Vec<Placed> {
        let mut placed = Vec::with_capacity(self.rows.len());
        for (i, Row { when, precedence, .. }) in self.rows.iter().enumerate() {
            let rank = rank(when, *precedence);
            let (categories, places) = (nodes(&when.category, self.categories), nodes(&when.location, self.places));
            if placed.len() + categories.len() * places.len() > MAX_PLACED {
                self.found(i, None, Fault::TooManyAlternatives);
                break;
            }
            for &category in &categories {
                placed.extend(places.iter().map(|&place| Placed { category, place, row: i as u32, rank }));
            }
        }
        let rows = self.rows;
        match self.policy {
            // Of two that say the same, the name that sorts first is given, in whatever order they stand.
            HitPolicy::Specific => placed.sort_unstable_by(|one, other| {
                let id = |placed: &Placed| &rows[placed.row as usize].id;
                (one.category, one.place, other.rank)
                    .cmp(&(other.category, other.place, one.rank))
                    .then_with(|| id(one).cmp(id(other)))
            }),
            HitPolicy::First => placed.sort_unstable_by_key(|placed| (placed.category, placed.place, placed.row)),
        }
        placed
    }

    /// Rows of one rank that can both win, and differ.
    fn find_ties(&mut self, placed: &[Placed]) {
        let witness = |placed: &Placed, meeting| self.witness(placed.category, placed.place, meeting);
        let ties = ties::find(self.rows, placed, self.at, witness);
        self.findings.extend(ties);
    }

    fn witness(&self, category: Node, place: Node, meeting: Meeting) -> Witness {
        let Meeting { channel, language, words, moment } = meeting;
        let (category, place) = (self.categories.path(category).cloned(), self.places.path(place).cloned());
        Witness { category, place, channel, language, words, moment }
    }
}

/// The known path that is most like an unknown one, else its nearest known ancestor.
fn nearest_path<P: TreePath>(tree: &Tree<P>, path: &P) -> Option<P> {
    let text: &str = path.as_ref();
    nearest(text, tree.paths()).or_else(|| tree.nearest(text)).cloned()
}

/// Whether it has to be looked at closely if a row can hold at all.
fn may_never_hold(when: &Conditions) -> bool {
    let Dates { from, until } = when.dates;
    (from.is_some() && until.is_some())
        || matches!(when.channel, Names::NoneOf(_))
        || matches!(when.language, Names::NoneOf(_))
}

/// Why a row can never hold, and the cell to look at.
fn never(when: &Conditions) -> (Column, &'static str) {
    match (when.dates.from, when.dates.until) {
        (Some(from), Some(until)) if from > until => (Column::ValidUntil, "it ends before it begins"),
        (Some(_), Some(_)) if when.weekdays != Weekdays::ALL => {
            (Column::Weekday, "there is no such day between its dates")
        }
        _ if matches!(when.channel, Names::NoneOf(_)) => (Column::Channel, "it excludes every channel"),
        _ => (Column::Language, "it excludes every language"),
    }
}

/// The nodes at which a row stands for its alternatives.
fn nodes<P: TreePath>(names: &Names<P>, tree: &Tree<P>) -> Vec<Node> {
    match names {
        Names::Any => vec![ROOT],
        // Behind the last node is the step for those.
        Names::NoneOf(_) => vec![tree.size() as Node],
        Names::OneOf(names) => {
            let mut nodes: Vec<Node> = names.iter().filter_map(|path| tree.node(path.as_ref())).collect();
            nodes.sort_unstable();
            nodes.dedup();
            nodes
        }
    }
}

/// What a row says at one of its places.
fn routing(
    placed: &Placed,
    row: &Row,
    categories: &CategoryTree,
    places: &PlaceTree,
    table: TableVersion,
) -> Option<Arc<Routing>> {
    let route = row.route()?;
    let category = categories.path(placed.category).cloned();
    let location = places.path(placed.place).cloned();
    let held = Held { category, location, others: kinds(&row.when) };
    Some(Arc::new(Routing { table, row: row.id.clone(), held, route }))
}

/// The conditions that a row has, besides those that name a category or a place.
fn kinds(when: &Conditions) -> Vec<ConditionKind> {
    let has = [
        (ConditionKind::Category, matches!(when.category, Names::NoneOf(_))),
        (ConditionKind::Location, matches!(when.location, Names::NoneOf(_))),
        (ConditionKind::Channel, !when.channel.is_any()),
        (ConditionKind::Language, !when.language.is_any()),
        (ConditionKind::Words, !when.words.is_any()),
        (ConditionKind::Holiday, when.day.is_some()),
        (ConditionKind::Weekday, when.weekdays != Weekdays::ALL),
        (ConditionKind::Time, when.time.is_some()),
        (ConditionKind::Dates, !when.dates.is_any()),
    ];
    has.into_iter().filter(|(_, has)| *has).map(|(kind, _)| kind).collect()
}

/// A digest over what the rows say and the trees they refer to. Where the most specific row wins, their order does not
/// count.
fn version_of(categories: &CategoryTree, places: &PlaceTree, policy: HitPolicy, rows: &[Row]) -> TableVersion {
    let mut line = String::new();
    let digest = |row: &Row| -> [u8; 32] {
        line.clear();
        row.write_canonical(&mut line);
        Sha256::digest(line.as_bytes()).into()
    };
    let mut lines: Vec<[u8; 32]> = rows.iter().map(digest).collect();
    if policy == HitPolicy::Specific {
        lines.sort_unstable();
    }
    let mut all = Sha256::new();
    all.update(format!("{policy:?}\n"));
    lines.iter().for_each(|line| all.update(line));
    let mut paths: Vec<String> = categories.paths().map(|path| format!("category\t{path}\n")).collect();
    paths.extend(places.paths().map(|path| format!("place\t{path}\n")));
    paths.sort_unstable();
    paths.iter().for_each(|path| all.update(path));
    let digest: [u8; 32] = all.finalize().into();
    let (first, _) = digest.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
    TableVersion(u64::from_be_bytes(*first))
}
