//! Looking a table over before it is used: what would surprise whoever keeps it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use jiff::civil::Date;

use super::condition::{Conditions, Day, Names};
use super::facts::{Facts, Moment};
use super::finding::{Fault, Finding, RulesError, Witness};
use super::index::languages;
use super::overlap::{self, NAMED, Overlap};
use super::read::{Column, Draft, MAX_FINDINGS, Places, read};
use super::region::{World, difference};
use super::table::{HitPolicy, Level, Row, Target};
use super::ties::is_wherever;
use super::{Rules, compile};
use crate::code::{CategoryPath, DepartmentId, DeskId, DistrictId, PlacePath};
use crate::grievance::Channel;
use crate::roster::Roster;
use crate::tree::{CategoryTree, PlaceTree};

/// How many pairs of rows are looked at, at most, for rows that never win.
const MOST_PAIRS: usize = 20_000_000;
/// How many names are listed before the rest is only counted.
const LISTED: usize = 6;

/// A table that was read and looked over.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The table, if it has no error.
    pub rules: Option<Rules>,
    /// All that was found, errors and warnings, in the order of the file.
    pub findings: Vec<Finding>,
}

impl Rules {
    /// Reads a table as [`Rules::read`] does, and looks it over: besides what is wrong, rows that never win, rows that say
    /// the same, rows no longer in force, categories that only the row for everything else takes, and with a roster,
    /// departments that have nobody where a row sends matters, and rows that cut across each other.
    #[must_use]
    pub fn check(
        categories: CategoryTree,
        places: PlaceTree,
        csv: &[u8],
        roster: Option<&Roster>,
        today: Date,
    ) -> Checked {
        let Draft { policy, rows, places: at, findings } = read(csv);
        let rules = match compile::compile(categories, places, policy, rows, &at, findings) {
            Ok(rules) => rules,
            Err(RulesError { findings }) => return Checked { rules: None, findings },
        };
        let not_on_roster = roster.map(|roster| Looking { rules: &rules, at: &at }.not_on_roster(roster));
        if let Some(findings) = not_on_roster.filter(|findings| !findings.is_empty()) {
            return Checked { rules: None, findings };
        }
        let mut findings = rules.look_over(&at, roster, today);
        // The worst are told for certain.
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
        findings.truncate(MAX_FINDINGS);
        findings.sort_by_key(|finding| finding.at.first().map(|at| (at.line, at.column)));
        Checked { rules: Some(rules), findings }
    }

    /// Whether every department and district that the rows name is on a roster. An engine takes the two together only then.
    ///
    /// # Errors
    /// [`RulesError`] with each that is not, by its first row.
    pub fn fit(&self, roster: &Roster) -> Result<(), RulesError> {
        let mut findings = Looking { rules: self, at: &Places::of_no_file(self.rows.len()) }.not_on_roster(roster);
        // Where the rows stood in a file is not known any more.
        findings.iter_mut().for_each(|finding| finding.at.clear());
        if findings.is_empty() { Ok(()) } else { Err(RulesError { findings }) }
    }

    /// What is not wrong and may not be meant.
    pub(super) fn look_over(&self, at: &Places<'_>, roster: Option<&Roster>, today: Date) -> Vec<Finding> {
        let looking = Looking { rules: self, at };
        let mut findings = looking.past(today);
        findings.extend(looking.duplicates());
        findings.extend(looking.never_win());
        findings.extend(looking.gaps(today));
        findings.extend(looking.overlaps());
        findings.extend(roster.into_iter().flat_map(|roster| looking.without_officers(roster)));
        findings
    }
}

struct Looking<'a> {
    rules: &'a Rules,
    at: &'a Places<'a>,
}

impl Looking<'_> {
    fn found(&self, row: usize, column: Option<Column>, what: Fault) -> Finding {
        let at = column.map_or_else(|| self.at.row(row), |column| self.at.cell(row, column));
        Finding { at: vec![at], ..Finding::of(self.rules.rows[row].id.clone(), what) }
    }

    fn not_on_roster(&self, roster: &Roster) -> Vec<Finding> {
        let (mut departments, mut districts) = (BTreeSet::new(), BTreeSet::new());
        let mut found = Vec::new();
        for (at, row) in self.rules.rows.iter().enumerate() {
            if let Some(department) = row.target.department()
                && !roster.has_department(department)
                && departments.insert(department)
            {
                let what = Fault::UnknownDepartment { department: department.clone() };
                found.push(self.found(at, Some(Column::Department), what));
            }
            for district in row.when.location.names().iter().map(PlacePath::district) {
                if !roster.has_district(&district) && districts.insert(district.clone()) {
                    found.push(self.found(at, Some(Column::Location), Fault::UnknownDistrict { district }));
                }
            }
        }
        found
    }

    fn past(&self, today: Date) -> Vec<Finding> {
        let rows = self.rules.rows.iter().enumerate();
        let over = rows.filter_map(|(at, row)| Some((at, row.when.dates.until.filter(|until| *until < today)?)));
        over.map(|(at, until)| self.found(at, Some(Column::ValidUntil), Fault::Past { until })).collect()
    }

    fn duplicates(&self) -> Vec<Finding> {
        let mut first: HashMap<(&Conditions, u16), usize, FixedState> = HashMap::default();
        let mut found = Vec::new();
        for (at, row) in self.rules.rows.iter().enumerate() {
            let earlier = *first.entry((&row.when, row.precedence)).or_insert(at);
            if earlier != at && row.same_answer(&self.rules.rows[earlier]) {
                let what = Fault::Duplicate { first: self.rules.rows[earlier].id.clone(), second: row.id.clone() };
                let mut finding = self.found(at, None, what);
                finding.at.push(self.at.row(earlier));
                found.push(finding);
            }
        }
        found
    }

    /// Rows that never win, since others do wherever they hold. A row has the fewest rivals at its own pair of nodes: if
    /// it cannot win there, it can nowhere.
    fn never_win(&self) -> Vec<Finding> {
        let rows = &self.rules.rows;
        let mut world = World::new(languages(rows));
        let mut wins = vec![false; rows.len()];
        let mut rivals: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        let mut pairs = 0;
        for (own, before) in self.rules.index.rivals() {
            pairs += before.len();
            if pairs > MOST_PAIRS {
                let finding = Finding { at: vec![self.at.row(own)], ..Finding::new(Fault::TooAlike) };
                return vec![finding];
            }
            if wins[own] {
                continue;
            }
            let when = &rows[own].when;
            let is_rival = |row: &usize| {
                let same = rows[*row].when == *when && rows[own].same_answer(&rows[*row]);
                // What says the same is told as that.
                !same && is_wherever(&rows[*row].when, when, when)
            };
            let before: Vec<usize> = before.into_iter().filter(is_rival).collect();
            let mut left = world.of(when);
            let mut by = BTreeSet::new();
            for row in before {
                let Some(rest) = difference(left.clone(), &world.of(&rows[row].when)) else { break };
                if rest != left {
                    by.insert(row);
                }
                left = rest;
                if left.is_empty() {
                    break;
                }
            }
            if left.is_empty() {
                rivals.entry(own).or_default().extend(by);
            } else {
                wins[own] = true;
            }
        }
        let never = rivals.into_iter().filter(|(row, by)| !wins[*row] && !by.is_empty());
        let tell = |(row, by): (usize, BTreeSet<usize>)| {
            let at: Vec<_> = by.iter().map(|row| self.at.row(*row)).collect();
            let mut ids = by.iter().map(|row| rows[*row].id.clone());
            let what = match (by.len(), ids.next()) {
                (1, Some(by)) => Fault::Unreachable { by },
                (_, first) => Fault::Covered { by: first.into_iter().chain(ids).collect() },
            };
            let mut finding = self.found(row, None, what);
            finding.at.extend(at);
            finding
        };
        never.map(tell).collect()
    }

    /// Rows that cut across each other. Where the first row wins, whoever keeps the table has put them in their order.
    fn overlaps(&self) -> Vec<Finding> {
        if self.rules.policy == HitPolicy::First {
            return Vec::new();
        }
        let tell = |Overlap { winner, losers, witness }: Overlap| {
            let at = losers.iter().take(NAMED).map(|row| self.at.row(*row));
            let ids: Vec<&str> = losers.iter().take(NAMED).map(|row| self.rules.rows[*row].id.as_str()).collect();
            let more = if losers.len() > NAMED { " and others" } else { "" };
            let mut finding = self.found(winner, None, Fault::Overlap { before: format!("{}{more}", ids.join(", ")) });
            finding.at.extend(at);
            finding.witness = Some(Box::new(witness));
            finding
        };
        overlap::find(self.rules).into_iter().map(tell).collect()
    }

    /// Categories in districts that only the row for everything else takes, each with the categories below it.
    fn gaps(&self, today: Date) -> Vec<Finding> {
        let (categories, places) = (&self.rules.categories, &self.rules.places);
        let districts: Vec<_> = places.paths().filter(|place| !place.as_str().contains('/')).collect();
        let is_gap = |category: &CategoryPath, place: &PlacePath| {
            let (category, place) = (categories.nearest_node(category.as_str()), places.nearest_node(place.as_str()));
            self.rules.index.all_for(category, place).into_iter().all(|row| self.rules.rows[row].when.is_any())
        };
        let mut gaps: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut found = Vec::new();
        for category in categories.paths() {
            let of: Vec<usize> = (0..districts.len()).filter(|at| is_gap(category, districts[*at])).collect();
            let above = category.as_str().rsplit_once('/').and_then(|(above, _)| gaps.get(above));
            if let (Some(first), true) = (of.first(), above != Some(&of)) {
                let names = of.iter().map(|at| districts[*at].to_string());
                let all = of.len() == districts.len();
                let places = if all { "every district".to_owned() } else { listed(names) };
                let witness = Witness {
                    category: Some(category.clone()),
                    place: Some(districts[*first].clone()),
                    channel: Channel::X,
                    language: None,
                    words: Vec::new(),
                    moment: Moment::new(today, Day::Working, 720),
                };
                let what = Fault::Gap { category: category.clone(), places };
                found.push(Finding { witness: Some(Box::new(witness)), ..Finding::new(what) });
            }
            gaps.insert(category.as_str(), of);
        }
        found
    }

    /// Whether a row may win in a district. Of one that asks for category and location only it is known, else it may.
    fn may_win_in(&self, row: &Row, district: &DistrictId) -> bool {
        let Ok(whole) = PlacePath::new(district.as_str()) else { return true };
        let places: Vec<&PlacePath> = match &row.when.location {
            Names::OneOf(places) => places.iter().filter(|place| place.district() == *district).collect(),
            _ => vec![&whole],
        };
        let categories: Vec<Option<&CategoryPath>> = match &row.when.category {
            Names::OneOf(categories) => categories.iter().map(Some).collect(),
            _ => vec![None],
        };
        let moment = Moment::new(Date::constant(2026, 1, 5), Day::Working, 720);
        let (channel, language, words) = (Channel::X, None, None);
        let wins = |category, place| {
            let facts = Facts { category, place: Some(place), channel, language, words, moment };
            self.rules.decide(&facts).row.id == row.id
        };
        let wins_with = |category| places.iter().any(|place| wins(category, *place));
        !row.when.is_plain() || categories.into_iter().any(wins_with)
    }

    /// Departments to which rows send matters of a district that has no officer of theirs, each told once.
    fn without_officers(&self, roster: &Roster) -> Vec<Finding> {
        let seated: BTreeSet<(&DepartmentId, DistrictId)> = roster
            .officers()
            .iter()
            .filter_map(|officer| match officer.desk() {
                DeskId::District(district) => Some((officer.department()?, district.clone())),
                _ => None,
            })
            .collect();
        let districts = roster.desks().iter().filter_map(|desk| match desk.id() {
            DeskId::District(district) => Some(district.clone()),
            _ => None,
        });
        let all: Vec<DistrictId> = districts.collect();
        let mut lacks: BTreeMap<&DepartmentId, (usize, BTreeSet<DistrictId>)> = BTreeMap::new();
        for (at, row) in self.rules.rows.iter().enumerate() {
            let Some((department, Level::District)) = of_department(row) else { continue };
            let named: Vec<DistrictId> = match &row.when.location {
                Names::OneOf(places) => places.iter().map(|place| place.district()).collect(),
                _ => all.clone(),
            };
            let missing = named
                .into_iter()
                .filter(|district| !seated.contains(&(department, district.clone())) && self.may_win_in(row, district));
            let missing: BTreeSet<DistrictId> = missing.collect();
            if !missing.is_empty() {
                lacks.entry(department).or_insert((at, BTreeSet::new())).1.extend(missing);
            }
        }
        let tell = |(department, (row, districts)): (&DepartmentId, (usize, BTreeSet<DistrictId>))| {
            let of_all = districts.len() == all.len();
            let names = districts.iter().map(ToString::to_string);
            let districts = if of_all { "every district".to_owned() } else { listed(names) };
            let what = Fault::NoOfficer { department: department.clone(), districts };
            self.found(row, Some(Column::Department), what)
        };
        lacks.into_iter().map(tell).collect()
    }
}

fn of_department(row: &Row) -> Option<(&DepartmentId, Level)> {
    match &row.target {
        Target::Department(department, level) => Some((department, *level)),
        Target::Control => None,
    }
}

/// `a, b, c and 4 more`.
fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let count = names.len();
    let names: Vec<String> = names.take(LISTED).collect();
    match count - names.len() {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
