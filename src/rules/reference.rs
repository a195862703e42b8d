//! What the module's page says, written down a second time as plainly as can be, and held against the compiled table.

use std::sync::LazyLock;

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::condition::weekday;
use super::*;
use crate::calendar::Hours;
use crate::code::{CategoryPath, PlacePath, RowId};
use crate::grievance::{Channel, Language};
use crate::tree::Tree;

/// A grievance of a small world.
#[derive(Debug, Clone)]
struct Asked {
    category: Option<CategoryPath>,
    place: Option<PlacePath>,
    channel: Channel,
    language: Option<Language>,
    text: Option<&'static str>,
    moment: Moment,
}

const CHANNELS: [Channel; 3] = [Channel::X, Channel::Phone, Channel::Web];
/// A channel that no row names.
const ANOTHER: Channel = Channel::Email;
const LANGUAGES: [&str; 3] = ["hi", "hi-Latn", "en"];
const WORDS: [&str; 3] = ["fire", "dead animal", "नाली"];
const TEXTS: [Option<&str>; 5] =
    [None, Some(""), Some("A dead animal."), Some("Fire! नाली."), Some("fire, dead animal")];
/// Monday to Wednesday.
const DATES: [Date; 3] = [date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)];
/// Each span of the rows has one of these, and so has what two of them share.
const MINUTES: [u16; 4] = [0, 600, 720, 1_380];

fn path(levels: &[u8]) -> Option<String> {
    (!levels.is_empty()).then(|| levels.iter().map(|l| format!("n{l}")).collect::<Vec<_>>().join("/"))
}

/// Paths of up to two levels out of two names each: small enough that rows meet.
fn paths() -> Vec<String> {
    (0..2u8).flat_map(|one| [path(&[one]), path(&[one, 0]), path(&[one, 1])]).flatten().collect()
}

fn trees() -> (CategoryTree, PlaceTree) {
    let categories = paths().into_iter().map(|path| CategoryPath::new(&path).unwrap());
    let places = paths().into_iter().map(|path| PlacePath::new(&path).unwrap());
    (CategoryTree::from_paths(categories), PlaceTree::from_paths(places))
}

fn names<T: Clone + std::fmt::Debug + 'static>(all: Vec<T>) -> impl Strategy<Value = Names<T>> {
    let some = prop::collection::vec(prop::sample::select(all), 1..3);
    (0u8..6, some).prop_map(|(kind, some)| match kind {
        0..3 => Names::Any,
        3..5 => Names::OneOf(some),
        _ => Names::NoneOf(some),
    })
}

fn seldom<T: Clone + std::fmt::Debug + 'static>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    prop::option::weighted(0.1, value)
}

fn conditions() -> impl Strategy<Value = Conditions> {
    let categories = names(paths().iter().map(|path| CategoryPath::new(path).unwrap()).collect());
    let locations = names(paths().iter().map(|path| PlacePath::new(path).unwrap()).collect());
    let words = || seldom(prop::sample::subsequence(WORDS.map(|word| Word::new(word).unwrap()).to_vec(), 1..3));
    let weekdays = prop::sample::subsequence(vec!["mon", "tue", "wed"], 1..3);
    let weekdays = seldom(weekdays.prop_map(|days| Weekdays::of(days.into_iter().map(|day| weekday(day).unwrap()))));
    let times = prop::sample::select(vec![(0, 12), (12, 24), (22, 6), (9, 17)]);
    let time = seldom(
        times.prop_map(|(from, to)| TimeSpan { from: Minute::new(from, 0).unwrap(), to: Minute::new(to, 0).unwrap() }),
    );
    let date = || seldom(prop::sample::select(DATES.to_vec()));
    let channels = (0u8..4, names(CHANNELS.to_vec()));
    let languages = (0u8..4, names(LANGUAGES.iter().map(|tag| Language::new(tag).unwrap()).collect()));
    let day = seldom(prop::sample::select(vec![Day::Working, Day::Holiday]));
    let narrow = (channels, languages, words(), words(), day, weekdays, time, date(), date());
    (categories, locations, narrow).prop_map(|(category, location, narrow)| {
        let (channel, language, any, all, day, weekdays, time, from, until) = narrow;
        Conditions {
            category,
            location,
            channel: if channel.0 == 0 { channel.1 } else { Names::Any },
            language: if language.0 == 0 { language.1 } else { Names::Any },
            words: Words { any: any.unwrap_or_default(), all: all.unwrap_or_default() },
            day,
            // Days before and after the three are not asked for.
            weekdays: weekdays.filter(|_| (from, until) == (None, None)).unwrap_or(Weekdays::ALL),
            time,
            dates: Dates { from, until },
        }
    })
}

fn row(n: usize, when: Conditions, department: u8, precedence: u16) -> Row {
    Row {
        id: RowId::new(&format!("r{n:03}")).unwrap(),
        when,
        precedence,
        target: Target::Department(format!("d{department}").parse().unwrap(), Level::State),
        priority: Priority::Normal,
        deadline: Hours::from_days(1),
    }
}

fn everything_else() -> Row {
    Row { target: Target::Control, ..row(999, Conditions::default(), 0, 0) }
}

fn table() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((conditions(), 0u8..2, prop_oneof![6 => Just(0u16), 1 => Just(1)]), 0..24).prop_map(|rows| {
        let rows = rows.into_iter().filter(|(when, ..)| !when.is_any());
        let rows = rows.enumerate().map(|(n, (when, department, precedence))| row(n, when, department, precedence));
        rows.chain([everything_else()]).collect()
    })
}

fn asked() -> impl Strategy<Value = Asked> {
    let category = prop::option::of(prop::sample::select(paths()));
    let place = prop::option::of(prop::sample::select(paths()));
    let channel = prop::sample::select([CHANNELS.as_slice(), &[ANOTHER]].concat());
    let language = prop::option::of(prop::sample::select(LANGUAGES.to_vec()));
    let text = prop::sample::select(TEXTS.to_vec());
    let day = prop::sample::select(vec![Day::Working, Day::Holiday]);
    let moment = (prop::sample::select(DATES.to_vec()), day, prop::sample::select(MINUTES.to_vec()));
    (category, place, channel, language, text, moment).prop_map(|(category, place, channel, language, text, moment)| {
        Asked {
            category: category.map(|path| CategoryPath::new(&path).unwrap()),
            place: place.map(|path| PlacePath::new(&path).unwrap()),
            channel,
            language: language.map(|tag| Language::new(tag).unwrap()),
            text,
            moment: Moment::new(moment.0, moment.1, moment.2),
        }
    })
}

fn decide<'a>(rules: &'a Rules, asked: &Asked) -> &'a Row {
    let Asked { category, place, channel, language, text, moment } = asked;
    let words = text.and_then(|text| rules.words_in(text));
    let facts = Facts {
        category: category.as_ref(),
        place: place.as_ref(),
        channel: *channel,
        language: language.as_ref(),
        words: words.as_ref(),
        moment: *moment,
    };
    rules.decide(&facts).row
}

/// How specific a cell of a tree is where it holds: the deepest alternative, then what it is not, then nothing.
fn depth(cell: &[&str], is_none_of: bool, value: Option<&str>) -> Option<usize> {
    let covers = |path: &&&str| value.is_some_and(|value| value == **path || value.starts_with(&format!("{path}/")));
    match (cell, is_none_of) {
        ([], _) => Some(0),
        (some, true) => (!some.iter().any(|path| covers(&path))).then_some(1),
        (some, false) => some.iter().filter(covers).map(|path| 1 + path.split('/').count()).max(),
    }
}

fn listed<T>(names: &Names<T>, covers: impl Fn(&T) -> bool) -> Option<usize> {
    match names {
        Names::Any => Some(0),
        Names::NoneOf(names) => (!names.iter().any(covers)).then_some(1),
        Names::OneOf(names) => names.iter().any(covers).then_some(2),
    }
}

/// How specific a row is for a grievance, one figure a condition; `None` if it does not hold.
fn rank(row: &Row, asked: &Asked) -> Option<Vec<usize>> {
    let when = &row.when;
    let categories: Vec<&str> = when.category.names().iter().map(|path| path.as_str()).collect();
    let places: Vec<&str> = when.location.names().iter().map(|path| path.as_str()).collect();
    let mut rank = vec![
        depth(
            &categories,
            matches!(when.category, Names::NoneOf(_)),
            asked.category.as_ref().map(|path| path.as_str()),
        )?,
        depth(&places, matches!(when.location, Names::NoneOf(_)), asked.place.as_ref().map(|path| path.as_str()))?,
        listed(&when.channel, |channel| *channel == asked.channel)?,
        listed(&when.language, |tag| {
            let asked = asked.language.as_ref().map_or("", |language| language.as_str());
            asked == tag.as_str() || asked.starts_with(&format!("{tag}-"))
        })?,
    ];
    let has = |word: &Word| match word.as_str() {
        "fire" => asked.text.is_some_and(|text| text.contains("ire")),
        "dead animal" => asked.text.is_some_and(|text| text.contains("dead")),
        _ => asked.text.is_some_and(|text| text.contains("नाली")),
    };
    let Words { any, all } = &when.words;
    if !(any.is_empty() || any.iter().any(has)) || !all.iter().all(has) {
        return None;
    }
    rank.push(if all.is_empty() { usize::from(!any.is_empty()) } else { 1 + all.len() });
    let Moment { date, weekday, day, minute } = asked.moment;
    let holds = [
        (when.day.is_some(), when.day.is_none_or(|wanted| wanted == day)),
        (when.weekdays != Weekdays::ALL, when.weekdays.has(weekday)),
        (when.time.is_some(), when.time.is_none_or(|time| time.has(minute))),
        (!when.dates.is_any(), when.dates.has(date)),
    ];
    if holds.iter().any(|(_, holds)| !holds) {
        return None;
    }
    rank.extend(holds.iter().map(|(is_set, _)| usize::from(*is_set)));
    rank.push(usize::from(row.precedence));
    Some(rank)
}

fn scan<'a>(rows: &'a [Row], policy: HitPolicy, asked: &Asked) -> &'a Row {
    let mut holding = rows.iter().filter_map(|row| Some((rank(row, asked)?, row)));
    match policy {
        HitPolicy::First => holding.next().unwrap().1,
        // Of rows of one rank that say the same, the name that sorts first.
        HitPolicy::Specific => {
            holding.max_by(|one, other| one.0.cmp(&other.0).then(other.1.id.cmp(&one.1.id))).unwrap().1
        }
    }
}

/// Whether of the rows that hold for a grievance two of the highest rank differ.
fn is_tied(rows: &[Row], asked: &Asked) -> bool {
    let holding: Vec<_> = rows.iter().filter_map(|row| Some((rank(row, asked)?, row))).collect();
    let Some(highest) = holding.iter().map(|(rank, _)| rank).max() else { return false };
    let mut best = holding.iter().filter(|(rank, _)| rank == highest).map(|(_, row)| row);
    let first = best.next().unwrap();
    best.any(|row| !row.same_answer(first))
}

/// Every grievance of the small world.
static ALL: LazyLock<Vec<Asked>> = LazyLock::new(all_asked);

fn all_asked() -> Vec<Asked> {
    let mut all = Vec::new();
    let known: Vec<Option<String>> = std::iter::once(None).chain(paths().into_iter().map(Some)).collect();
    for (category, place) in known.iter().flat_map(|category| known.iter().map(move |place| (category, place))) {
        for channel in CHANNELS.into_iter().chain([ANOTHER]) {
            for language in [None, Some("hi"), Some("hi-Latn"), Some("en")] {
                for (text, day) in TEXTS.iter().flat_map(|text| [(text, Day::Working), (text, Day::Holiday)]) {
                    for (date, minute) in DATES.iter().flat_map(|date| MINUTES.map(|minute| (*date, minute))) {
                        all.push(Asked {
                            category: category.as_ref().map(|path| CategoryPath::new(path).unwrap()),
                            place: place.as_ref().map(|path| PlacePath::new(path).unwrap()),
                            channel,
                            language: language.map(|tag| Language::new(tag).unwrap()),
                            text: *text,
                            moment: Moment::new(date, day, minute),
                        });
                    }
                }
            }
        }
    }
    all
}

fn compile(policy: HitPolicy, rows: &[Row]) -> Result<Rules, RulesError> {
    let (categories, places) = trees();
    Rules::new(categories, places, policy, rows.to_vec())
}

fn drop_row(rows: &mut Vec<Row>, at: usize) {
    rows.remove(at);
}

/// Whether a part of a tree has a path of it, or what is not known.
fn covers<P: AsRef<str>>(extents: &[Extent<P>], path: Option<&P>) -> bool {
    extents.iter().any(|extent| match (extent, path) {
        (Extent::All, _) | (Extent::Unknown, None) => true,
        (Extent::Below(above), Some(path)) => {
            format!("{}/", path.as_ref()).starts_with(&format!("{}/", above.as_ref()))
        }
        (Extent::Only(only), Some(path)) => only.as_ref() == path.as_ref(),
        _ => false,
    })
}

/// The rows without those that can never hold, which are refused.
fn possible(rows: Vec<Row>) -> Vec<Row> {
    rows.into_iter().filter(|row| super::meet::meet(&row.when, &row.when).is_some()).collect()
}

/// So many cases, or as many as `PROPTEST_CASES` says.
fn cases(usual: u32) -> ProptestConfig {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: wanted.unwrap_or(usual), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(80))]

    #[test]
    fn the_compiled_table_and_a_linear_scan_agree(
        rows in table().prop_map(possible),
        asked in prop::collection::vec(asked(), 60),
    ) {
        for policy in [HitPolicy::Specific, HitPolicy::First] {
            match compile(policy, &rows) {
                Ok(rules) => {
                    for asked in &asked {
                        prop_assert_eq!(&decide(&rules, asked).id, &scan(&rows, policy, asked).id, "{:?} {:?}", policy, asked);
                    }
                }
                Err(error) => {
                    prop_assert_eq!(policy, HitPolicy::Specific);
                    prop_assert!(error.errors().all(|found| matches!(found.what, Fault::Tie { .. })), "{}", error);
                }
            }
        }
    }

    #[test]
    fn a_tie_is_shown_by_a_grievance_for_which_two_rows_hold_that_differ(rows in table().prop_map(possible)) {
        let Err(error) = compile(HitPolicy::Specific, &rows) else { return Ok(()) };
        for found in &error.findings {
            let (Fault::Tie { first, second }, Some(witness)) = (&found.what, &found.witness) else { panic!("{found}") };
            let text = witness.words.iter().map(Word::as_str).collect::<Vec<_>>().join(", ");
            let asked = Asked {
                category: witness.category.clone(),
                place: witness.place.clone(),
                channel: witness.channel,
                language: witness.language.clone(),
                text: Some(Box::leak(text.into_boxed_str())),
                moment: witness.moment,
            };
            let of = |id: &RowId| rows.iter().find(|row| row.id == *id).unwrap();
            let (first, second) = (of(first), of(second));
            prop_assert!(!first.same_answer(second));
            prop_assert!(rank(first, &asked).is_some(), "{} does not hold for {}", first.id, witness);
            prop_assert_eq!(rank(first, &asked), rank(second, &asked), "{}", witness);
        }
    }

    #[test]
    fn a_diff_names_every_decision_that_differs_and_shows_one_of_each(
        rows in table().prop_map(possible),
        other in table().prop_map(possible),
        (drop, department) in (any::<prop::sample::Index>(), 0u8..3),
        asked in prop::collection::vec(asked(), 400),
    ) {
        // Mostly alike, as a table is after an afternoon's work.
        let mut edited = rows.clone();
        let at = drop.index(edited.len());
        match department {
            0 if edited[at].id != everything_else().id => drop_row(&mut edited, at),
            1 if !edited[at].when.is_any() => edited[at].target = Target::Department("d7".parse().unwrap(), Level::State),
            2 => edited[at].deadline = Hours::from_days(3),
            _ => {}
        }
        for policy in [HitPolicy::Specific, HitPolicy::First] {
            for (old, new) in [(&rows, &edited), (&edited, &rows), (&rows, &other)] {
                let (Ok(old), Ok(new)) = (compile(policy, old), compile(policy, new)) else { continue };
                let diff = old.diff(&new);
                prop_assert_eq!(&diff.untold, &[]);
                prop_assert!(old.diff(&old).is_empty());
                for change in &diff.changes {
                    let (was, is) = (old.decide_witness(&change.witness), new.decide_witness(&change.witness));
                    prop_assert_eq!((&was.id, &is.id), (&change.was.row, &change.is.row));
                    prop_assert!(!was.same_answer(is), "{}", change);
                }
                for asked in &asked {
                    let (was, is) = (decide(&old, asked), decide(&new, asked));
                    let is_in = |change: &Change| {
                        let of = (&change.was.row, &change.is.row) == (&was.id, &is.id);
                        of && change.parts.iter().any(|part| {
                            covers(&part.categories, asked.category.as_ref()) && covers(&part.places, asked.place.as_ref())
                        })
                    };
                    prop_assert!(
                        was.same_answer(is) || diff.changes.iter().any(is_in),
                        "{:?} goes by {} and not by {}, and the diff is\n{}", asked, is.id, was.id, diff
                    );
                }
            }
        }
    }

    #[test]
    fn an_overlap_is_shown_by_a_grievance_for_which_both_rows_hold_and_neither_is_within_the_other(
        rows in table().prop_map(possible),
    ) {
        let Ok(rules) = compile(HitPolicy::Specific, &rows) else { return Ok(()) };
        for overlap in super::overlap::find(&rules) {
            let witness = &overlap.witness;
            prop_assert_eq!(&rules.decide_witness(witness).id, &rows[overlap.winner].id);
            for loser in overlap.losers {
                prop_assert!(!rows[loser].same_answer(&rows[overlap.winner]));
                // Some grievance that is the loser's alone. Not every text is in the small world.
                let alone = !rows[loser].when.words.is_any() || ALL.iter().any(|asked| {
                    rank(&rows[loser], asked).is_some() && rank(&rows[overlap.winner], asked).is_none()
                });
                prop_assert!(alone, "{:?} is within {:?}", rows[loser], rows[overlap.winner]);
            }
        }
    }

    #[test]
    fn a_table_that_is_written_down_is_read_back_as_the_same(rows in table().prop_map(possible)) {
        for policy in [HitPolicy::Specific, HitPolicy::First] {
            let Ok(rules) = compile(policy, &rows) else { continue };
            let written = rules.written();
            let again = written.read().unwrap();
            prop_assert_eq!((again.version(), again.policy()), (rules.version(), policy));
            prop_assert_eq!(again.rows(), rules.rows());
            prop_assert_eq!(again.written(), written);
        }
    }

    #[test]
    fn shuffling_the_rows_changes_no_decision_and_not_the_version(
        (rows, shuffled) in table().prop_map(possible).prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        asked in prop::collection::vec(asked(), 20),
    ) {
        let (one, other) = (compile(HitPolicy::Specific, &rows), compile(HitPolicy::Specific, &shuffled));
        prop_assert_eq!(one.is_ok(), other.is_ok());
        let (Ok(one), Ok(other)) = (one, other) else { return Ok(()) };
        prop_assert_eq!(one.version(), other.version());
        for asked in &asked {
            prop_assert_eq!(&decide(&one, asked).id, &decide(&other, asked).id);
        }
    }
}

proptest! {
    #![proptest_config(cases(6))]

    #[test]
    fn a_row_that_is_said_never_to_win_wins_for_no_grievance(rows in table().prop_map(possible)) {
        for policy in [HitPolicy::Specific, HitPolicy::First] {
            let Ok(rules) = compile(policy, &rows) else { continue };
            let at = super::read::Places::of_no_file(rows.len());
            let never = |finding: Finding| match finding.what {
                Fault::Unreachable { .. } | Fault::Covered { .. } => finding.row,
                _ => None,
            };
            let never: Vec<RowId> = rules.look_over(&at, None, DATES[0]).into_iter().filter_map(never).collect();
            if !never.is_empty() {
                for asked in ALL.iter() {
                    let row = decide(&rules, asked);
                    prop_assert!(!never.contains(&row.id), "{:?} {} wins for {:?}", policy, row.id, asked);
                }
            }
        }
    }

    #[test]
    fn a_table_that_compiles_has_exactly_one_winner_for_every_grievance_and_no_other_is_refused(
        rows in table().prop_map(possible),
    ) {
        let is_tied = ALL.iter().any(|asked| is_tied(&rows, asked));
        let excludes = |row: &Row| matches!(row.when.category, Names::NoneOf(_)) || matches!(row.when.location, Names::NoneOf(_));
        // What `!a` and `a` together keep from winning is not gone after; such a table may be refused.
        if is_tied || !rows.iter().any(excludes) {
            prop_assert_eq!(compile(HitPolicy::Specific, &rows).is_err(), is_tied);
        }
    }
}

/// What is found in a table beside errors, as `code row`.
fn found(csv: &str, roster: Option<&crate::roster::Roster>) -> Vec<String> {
    let categories = ["water", "water/logging", "power", "cattle"].map(|path| CategoryPath::new(path).unwrap());
    let places = ["hisar", "hisar/hansi", "rohtak"].map(|path| PlacePath::new(path).unwrap());
    let checked =
        Rules::check(Tree::from_paths(categories), Tree::from_paths(places), csv.as_bytes(), roster, DATES[0]);
    let is_in_order = checked.findings.iter().all(|finding| finding.severity() < Severity::Error);
    assert_eq!(checked.rules.is_some(), is_in_order, "{:?}", checked.findings);
    let row = |finding: &Finding| finding.row.as_ref().map(|row| format!(" {row}")).unwrap_or_default();
    checked.findings.iter().map(|finding| format!("{}{}", finding.what.code(), row(finding))).collect()
}

const CHECKED: &str =
    "id,category,location,channel,holiday,valid_until,department,level,priority,deadline_hours,precedence
W-1,water,,,,,phe,district,,72,
P-1,power,,,,,power,state,,24,
C-1,cattle,,,,,phe,state,,24,
";

#[test]
fn a_table_in_order_has_nothing_to_tell() {
    assert!(found(&format!("{CHECKED}ELSE,,,,,,control,,,24,\n"), None).is_empty());
}

#[test]
fn rows_that_never_win_are_found_with_those_that_do() {
    let more = |rows: &str| found(&format!("{CHECKED}{rows}ELSE,,,,,,control,,,24,\n"), None);
    // One that asks for less and goes before; two that share it; one that is kept up by a channel that is left.
    assert_eq!(more("A,water,hisar,x|web,,,phe,state,,24,2\nB,water,hisar,x,,,phe,state,,48,1\n"), ["unreachable B"]);
    let both = "A,water,hisar,x,,,phe,state,,24,2\nB,water,hisar,web,,,phe,state,,48,2\nC,water,hisar,x|web,,,phe,state,,9,1\n";
    assert_eq!(more(both), ["covered C"]);
    assert!(more(&both.replace("C,water,hisar,x|web", "C,water,hisar,x|web|phone")).is_empty());
    assert_eq!(more("A,power,,,yes,,phe,state,,24,3\nB,power,,,yes,,phe,state,,24,3\n"), ["duplicate B"]);
    assert_eq!(more("A,power,hisar,,,2025-12-31,phe,state,,24,\n"), ["past A"]);
}

#[test]
fn where_the_first_row_wins_what_stands_below_one_that_asks_for_less_never_does() {
    let csv = format!(
        "hit_policy,first,,,,,,,,,\n{CHECKED}D,water/logging,hisar,x,,,phe,state,,24,\nELSE,,,,,,control,,,24,\n"
    );
    assert_eq!(found(&csv, None), ["unreachable D"]);
}

#[test]
fn categories_that_only_the_row_for_everything_else_takes_are_found_and_told_once() {
    let csv = format!("{CHECKED}ELSE,,,,,,control,,,24,\n");
    assert_eq!(found(&csv.replace("C-1,cattle,,", "C-1,cattle,hisar,"), None), ["gap"]);
    assert_eq!(found(&csv.replace("W-1,water,,", "W-1,water/logging,,"), None), ["gap"]);
    assert_eq!(
        found(&csv.replace("W-1,water,,", "W-1,power,hisar,"), None),
        ["gap"],
        "water, and not its children again"
    );
}

#[test]
fn a_department_with_nobody_where_its_rows_win_is_found_and_one_whose_rows_lose_there_is_not() {
    let roster = crate::roster::Roster::read(
        r#"
        time_zone = "UTC"
        control = { name = "", nodal = "cms", oversight = "phe" }
        department = [{ code = "phe", name = "", nodal = "phe-state" }, { code = "ulb", name = "", nodal = "ulb-state" }]
        district = [{ code = "hisar", name = "", nodal = "ctm-h" }, { code = "rohtak", name = "", nodal = "ctm-r" }]
        officer = [
            { id = "cms", name = "", desk = "control" },
            { id = "phe-state", name = "", desk = "phe" },
            { id = "ulb-state", name = "", desk = "ulb" },
            { id = "ctm-h", name = "", desk = "hisar" },
            { id = "ctm-r", name = "", desk = "rohtak" },
            { id = "phe-hisar", name = "", desk = "hisar", department = "phe" },
            { id = "ulb-rohtak", name = "", desk = "rohtak", department = "ulb" },
        ]
        "#,
    )
    .unwrap();
    let rest = "power,,,,,phe,state,,24,\nC-1,cattle,,,,,phe,state,,24,\nELSE,,,,,,control,,,24,\n";
    let header = CHECKED.lines().next().unwrap();
    let rows =
        |water: &str| found(&format!("{header}\nW-1,water,,,,,phe,district,,72,\n{water}P-1,{rest}"), Some(&roster));
    assert_eq!(rows(""), ["no-officer W-1"]);
    assert!(rows("W-2,water,rohtak,,,,ulb,district,,72,\n").is_empty());
    assert_eq!(rows("W-2,water,rohtak|hisar/hansi,,,,ulb,district,,72,\n"), ["no-officer W-2"]);
    // What an engine would refuse is an error here, too.
    assert_eq!(rows("W-2,water,hisar,,,,tpc,state,,72,\n"), ["unknown-department W-2"]);
}

const EXPLAINED: &str = "id,category,location,channel,words_any,department,level,priority,deadline_hours
W-1,water,,,,phe,state,,72
W-2,water,hisar,phone,,phe,state,,48
F-1,water,,,fire,phe,state,,2
ELSE,,,,,control,,,24
";

fn explained(csv: &str) -> Rules {
    let categories = CategoryTree::from_paths([CategoryPath::new("water").unwrap()]);
    let places = PlaceTree::from_paths([PlacePath::new("hisar").unwrap()]);
    Rules::read(categories, places, csv.as_bytes()).unwrap()
}

#[test]
fn an_explanation_names_the_row_that_won_and_why_the_nearest_lost() {
    let rules = explained(EXPLAINED);
    let (water, hisar) = (CategoryPath::new("water").unwrap(), PlacePath::new("hisar").unwrap());
    let words = rules.words_in("no smoke");
    let facts = Facts {
        category: Some(&water),
        place: Some(&hisar),
        channel: Channel::X,
        language: None,
        words: words.as_ref(),
        moment: Moment::new(DATES[0], Day::Working, 720),
    };
    let explanation = rules.explain(&facts);
    assert_eq!((explanation.row.as_str(), explanation.asks.as_str()), ("W-1", "category water"));
    let lost: Vec<&str> = explanation.lost.iter().map(|lost| lost.row.as_str()).collect();
    assert_eq!(lost, ["ELSE", "W-2", "F-1"]);
    assert_eq!(explanation.lost[0].why, WhyLost::Outranked(Outranked::By(ConditionKind::Category)));
    let told = explanation.to_string();
    for said in
        ["row W-1 of table", "channel: asked for phone, found x", "words: asked for any of fire, found not in the text"]
    {
        assert!(told.contains(said), "{told}");
    }
    assert!(told.lines().all(|line| line.len() <= 80), "{told}");
}

#[test]
fn words_that_another_table_looked_for_are_none_of_this_ones() {
    let (rules, other) = (explained(EXPLAINED), explained(&EXPLAINED.replace("fire", "smoke")));
    let (words, water) = (other.words_in("smoke"), CategoryPath::new("water").unwrap());
    let moment = Moment::new(DATES[0], Day::Working, 720);
    let facts = |rules: &Rules| {
        let facts = Facts {
            category: Some(&water),
            place: None,
            channel: Channel::X,
            language: None,
            words: words.as_ref(),
            moment,
        };
        rules.decide(&facts).row.id.clone()
    };
    assert_eq!((facts(&other).as_str(), facts(&rules).as_str()), ("F-1", "W-1"));
}
