//! `rules explain`: by which row a grievance goes, and which rows came nearest.

use std::fmt::Display;

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{Timestamp, ZonedDateTime};
use nivaran::rules::{Day, Facts, Moment, Witness};
use nivaran::tree::{Tree, TreePath};
use nivaran::{Roster, Rules, RulesError};

use crate::check::refused;
use crate::files::{self, Table};
use crate::options::Explain;
use crate::wording::folded;
use crate::{Done, Look, Trouble, json};

pub fn explain(asked: &Explain, look: Look) -> Result<Done, Trouble> {
    let Table { name, csv, categories, places, mut without } = Table::read(&asked.table)?;
    let rules = match Rules::read(categories, places, &csv) {
        Ok(rules) => rules,
        Err(RulesError { findings }) if look.json => {
            let refused = vec![json::TableFound::of(&name, &csv, None, &without, &findings)];
            return Ok(json::done(&json::Refused { command: "explain", refused }, 2));
        }
        Err(RulesError { findings }) => {
            return Ok(Done { text: refused(&name, &csv, &without, &findings, look), status: 2 });
        }
    };
    let roster = files::roster(&asked.table, &mut without)?;
    let moment = moment(asked, roster.as_ref());
    let Explain { category, place, channel, language, text, .. } = asked;
    let words = text.as_deref().and_then(|text| rules.words_in(text));
    let explanation = rules.explain(&Facts {
        category: category.as_ref(),
        place: place.as_ref(),
        channel: *channel,
        language: language.as_ref(),
        words: words.as_ref(),
        moment,
    });
    let grievance = Witness {
        category: category.clone(),
        place: place.clone(),
        channel: *channel,
        language: language.clone(),
        words: Vec::new(),
        moment,
    };
    let taken: Vec<String> =
        [taken(category.as_ref(), rules.categories(), "taxonomy"), taken(place.as_ref(), rules.places(), "gazetteer")]
            .into_iter()
            .flatten()
            .collect();
    if look.json {
        return Ok(json::done(&json::Explain::of(&name, &grievance, taken, explanation), 0));
    }
    let taken: String = taken.iter().map(|taken| format!("{taken}\n")).collect();
    Ok(Done { text: folded(&format!("{taken}{grievance}:\n{explanation}")), status: 0 })
}

/// As what a path is taken that its tree does not know.
fn taken<P: TreePath + Display>(path: Option<&P>, tree: &Tree<P>, name: &str) -> Option<String> {
    let path = path.filter(|path| !tree.contains(path.as_ref()))?;
    let nearest = match tree.nearest(path.as_ref()) {
        Some(nearest) => format!("it is taken as '{nearest}', the nearest that is"),
        None => format!("it is taken as a {} that is not known", P::WHAT),
    };
    Some(format!("the {} '{path}' is not in the {name}: {nearest}", P::WHAT))
}

/// The moment that is asked about: now, if none is.
fn moment(asked: &Explain, roster: Option<&Roster>) -> Moment {
    let now = Timestamp::now();
    let mut moment = match (asked.at, roster) {
        (Some(at), _) => at_clock(at, roster.is_some_and(|roster| is_holiday(at.date(), roster))),
        (None, Some(roster)) => roster.moment(now),
        (None, None) => at_clock(ZonedDateTime::now().datetime(), false),
    };
    if asked.holiday {
        moment.day = Day::Holiday;
    }
    moment
}

fn at_clock(at: DateTime, is_holiday: bool) -> Moment {
    let minute = u16::from(at.hour().unsigned_abs()) * 60 + u16::from(at.minute().unsigned_abs());
    Moment::new(at.date(), if is_holiday { Day::Holiday } else { Day::Working }, minute)
}

/// Whether a roster has a day as a holiday. At one of three moments it is that day by its clocks, wherever that is.
fn is_holiday(date: Date, roster: &Roster) -> bool {
    let moments = [-12, 0, 12].into_iter().filter_map(|hours| {
        let at = Offset::from_hours(hours).ok()?.to_timestamp(date.at(12, 0, 0, 0)).ok()?;
        Some(roster.moment(at))
    });
    moments.filter(|moment| moment.date == date).any(|moment| moment.day == Day::Holiday)
}
