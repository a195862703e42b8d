//! Rows of one rank that can both win for one grievance, and say something else.

use std::collections::BTreeSet;

use super::condition::{Conditions, Names};
use super::finding::{Fault, Finding};
use super::index::{Placed, languages};
use super::meet::meet;
use super::read::{MAX_FINDINGS, Places};
use super::region::{World, difference, intersection};
use super::table::Row;

/// Finds them among rows that are placed pair by pair, in each by their rank; `witness` makes a grievance of what two rows
/// have in common at a pair.
pub(super) fn find(
    rows: &[Row],
    placed: &[Placed],
    at: &Places<'_>,
    witness: impl Fn(&Placed, super::meet::Meeting) -> super::finding::Witness,
) -> Vec<Finding> {
    let mut world = World::new(languages(rows));
    let (mut found, mut told, mut pairs) = (Vec::new(), BTreeSet::new(), 0);
    let row = |placed: &Placed| &rows[placed.row as usize];
    for pair in placed.chunk_by(|one, other| (one.category, one.place) == (other.category, other.place)) {
        let mut begin = 0;
        for equals in pair.chunk_by(|one, other| one.rank == other.rank) {
            let higher = &pair[..begin];
            begin += equals.len();
            for (one, other) in together(equals, rows) {
                pairs += 1;
                if pairs > MOST_PAIRS {
                    let at = vec![at.row(one.row as usize)];
                    found.push(Finding { at, ..Finding::new(Fault::TooManyRivals) });
                    return found;
                }
                let of = (one.row.min(other.row), one.row.max(other.row));
                if told.contains(&of) {
                    continue;
                }
                if meet(&row(one).when, &row(other).when).is_none() {
                    continue;
                }
                // Where a row of a higher rank holds too, neither wins.
                let both = intersection(&world.of(&row(one).when), &world.of(&row(other).when));
                let higher =
                    higher.iter().map(row).filter(|higher| is_wherever(&higher.when, &row(one).when, &row(other).when));
                let taken: Vec<_> = higher.flat_map(|higher| world.of(&higher.when)).collect();
                // What is too much to say is told as a tie, with a grievance for which both hold.
                let left = difference(both.clone(), &taken).unwrap_or(both);
                let Some(meeting) = left.first().and_then(|region| world.witness(region)) else { continue };
                told.insert(of);
                let (first, second) = (&rows[of.0 as usize], &rows[of.1 as usize]);
                let what = Fault::Tie { first: first.id.clone(), second: second.id.clone() };
                let at = vec![at.row(of.1 as usize), at.row(of.0 as usize)];
                found.push(Finding { what, row: None, at, witness: Some(Box::new(witness(one, meeting))) });
                if found.len() >= MAX_FINDINGS {
                    return found;
                }
            }
        }
    }
    found
}

/// How many pairs of rows are looked at, at most.
const MOST_PAIRS: usize = 10_000_000;

/// The pairs of rows that say something else and are in force on one day.
fn together<'a>(equals: &'a [Placed], rows: &'a [Row]) -> impl Iterator<Item = (&'a Placed, &'a Placed)> {
    let dates = |placed: &Placed| rows[placed.row as usize].when.dates;
    let mut by_begin: Vec<&Placed> = equals.iter().collect();
    by_begin.sort_by_key(|placed| dates(placed).from);
    // Those that are still in force when the next comes into force, by what they say: mostly all say the same.
    let mut in_force: Vec<Vec<&Placed>> = Vec::new();
    by_begin.into_iter().flat_map(move |placed| {
        let from = dates(placed).from;
        let says = |other: &Placed| rows[other.row as usize].same_answer(&rows[placed.row as usize]);
        let same = in_force.iter().position(|same| same.first().is_some_and(|other| says(other)));
        let mut pairs = Vec::new();
        for (_, others) in in_force.iter_mut().enumerate().filter(|(at, _)| Some(*at) != same) {
            others.retain(|earlier| dates(earlier).until.is_none_or(|until| from.is_none_or(|from| from <= until)));
            pairs.extend(others.iter().map(|earlier| (*earlier, placed)));
        }
        match same {
            Some(same) => in_force[same].push(placed),
            None => in_force.push(vec![placed]),
        }
        pairs
    })
}

/// Whether a row is nowhere kept out, by what it must not be, where two others hold.
pub(super) fn is_wherever(row: &Conditions, one: &Conditions, other: &Conditions) -> bool {
    fn within<T: PartialEq>(row: &Names<T>, one: &Names<T>, other: &Names<T>) -> bool {
        let Names::NoneOf(kept_out) = row else { return true };
        let keeps_out = |row: &Names<T>, name| matches!(row, Names::NoneOf(names) if names.contains(name));
        kept_out.iter().all(|name| keeps_out(one, name) || keeps_out(other, name))
    }
    within(&row.category, &one.category, &other.category) && within(&row.location, &one.location, &other.location)
}
