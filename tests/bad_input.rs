//! What is wrong is told: what, where and how to mend it, each with an error of its own. And nothing changes by it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod haryana;

use futures_util::{StreamExt, stream};
use haryana::{ASHA, CATEGORIES, PLACES, ROSTER, RULES, World, asha, at, by, desk, officer, said, start, without};
use jiff::{SignedDuration, Timestamp};
use nivaran::engine::{Failure, PendingTicket, ReadError, ReloadError, StartError, StatementMisfit};
use nivaran::grievance::{Coordinates, Field, GrievanceError, Language, MAX_AHEAD, MAX_FIELD, MAX_MEDIA, MAX_TEXT};
use nivaran::rules::Fault;
use nivaran::sheet::SheetError;
use nivaran::ticket::{ActionKind, Grounds, ParkReason, Reference, Refusal, StateKind, TicketIdError};
use nivaran::tree::TreeError;
use nivaran::{Act, ActError, Action, Author, CategoryPath, CategoryTree, Channel, Complainant, Engine, Feedback};
use nivaran::{Grievance, Limits, Outcome, PlaceTree, Roster, RosterError, Rules, RulesError, Source, Statement};
use nivaran::{SubmitError, TicketFilter, TicketId, Verdict};

/// An error's words, checked for those that they have to contain.
fn words(error: &impl std::error::Error, expected: &[&str]) -> String {
    let words = error.to_string();
    for part in expected {
        assert!(words.contains(part), "{part:?} is missing in: {words}");
    }
    assert!(!words.contains('\n'), "one line: {words}");
    words
}

// ---- the rules table ---------------------------------------------------------------------------------------------

fn read_rules(csv: &str) -> Result<Rules, RulesError> {
    let categories = CategoryTree::read(CATEGORIES.as_bytes()).unwrap();
    let places = PlaceTree::read(PLACES.as_bytes()).unwrap();
    Rules::read(categories, places, csv.as_bytes())
}

/// The error of the small table with one row more, on line 7.
fn row(row: &str) -> RulesError {
    read_rules(&format!("{RULES}{row}\n")).expect_err(row)
}

/// The one thing that was found, and its line and column.
fn found(error: &RulesError) -> (&Fault, Option<usize>, Option<usize>) {
    let [finding] = &error.findings[..] else { panic!("{error:?}") };
    let at = finding.at.first();
    (&finding.what, at.map(|at| at.line), at.and_then(|at| at.column))
}

#[test]
fn a_row_with_a_comma_too_many_is_told_with_its_line() {
    let error = row("X-1,cattle,,phe,state,low,96,,extra");
    let ragged = Fault::Sheet(SheetError::Ragged { line: 7, cells: 9, columns: 8 });
    assert_eq!(found(&error), (&ragged, Some(7), None));
    words(&error, &["line 7", "9 cells", "8", "a comma too many or too few"]);
}

#[test]
fn a_word_that_is_none_is_told_with_line_column_and_what_is_possible() {
    for (bad, column, parts) in [
        ("X-1,cattle,,phe,village,low,96,", 5, ["'village'", "level", "district or state"]),
        ("X-1,cattle,,phe,state,asap,96,", 6, ["'asap'", "priority", "low, normal, high or urgent"]),
        ("X-1,cattle,,phe,state,low,0,", 7, ["'0'", "deadline", "whole hours, 1 to 87600"]),
        ("X-1,cattle,,phe,state,low,3 days,", 7, ["'3 days'", "deadline", "whole hours, 1 to 87600"]),
        ("X-1,cattle,,phe,state,low,87601,", 7, ["'87601'", "deadline", "whole hours, 1 to 87600"]),
        ("X-1,cattle,,control,state,low,96,", 5, ["'state'", "level for the control desk", "nothing"]),
    ] {
        let error = row(bad);
        assert!(matches!(found(&error), (Fault::Word { .. }, Some(7), Some(at)) if at == column), "{error:?}");
        words(&error, &["line 7", &format!("column {column}"), parts[0], parts[1], parts[2]]);
    }
}

#[test]
fn a_malformed_code_is_told_with_line_column_and_the_character() {
    for (bad, column, part) in [
        ("X-1,Cattle,,phe,state,low,96,", 2, "'C' at character 1"),
        ("X-1,cattle,hisar//x,phe,state,low,96,", 3, "empty level"),
        ("X-1,cattle,,p h e,state,low,96,", 4, "' ' at character 2"),
        ("X 1,cattle,,phe,state,low,96,", 1, "' ' at character 2"),
        (",cattle,,phe,state,low,96,", 1, "is empty"),
    ] {
        let error = row(bad);
        assert!(matches!(found(&error), (Fault::Code(_), Some(7), Some(at)) if at == column), "{error:?}");
        words(&error, &["line 7", &format!("column {column}"), part]);
    }
}

#[test]
fn an_unknown_category_or_place_is_told_with_the_nearest_that_is_known() {
    let error = row("X-1,water/tank,,phe,state,low,96,");
    assert!(matches!(found(&error), (Fault::UnknownCategory { .. }, Some(7), Some(2))), "{error:?}");
    words(&error, &["line 7", "'water/tank'", "not in the taxonomy", "'water'", "add it to"]);
    let error = row("X-1,cattle,delhi,phe,state,low,96,");
    assert!(matches!(found(&error), (Fault::UnknownPlace { .. }, Some(7), Some(3))), "{error:?}");
    words(&error, &["line 7", "'delhi'", "not in the gazetteer", "add it to"]);
}

#[test]
fn a_row_id_that_stands_twice_is_told_with_both_lines() {
    let error = row("W-1,cattle,,phe,state,low,96,");
    assert!(matches!(found(&error), (Fault::DuplicateId { .. }, Some(7), Some(1))), "{error:?}");
    assert_eq!(error.findings[0].at[1].line, 2);
    words(&error, &["W-1", "line 7", "another"]);
}

#[test]
fn two_rows_that_send_the_same_to_different_places_are_told_with_such_a_grievance() {
    let error = row("X-1,power,,phe,state,low,96,");
    assert!(matches!(found(&error), (Fault::Tie { .. }, Some(7), None)), "{error:?}");
    assert_eq!(error.findings[0].at[1].line, 4);
    words(&error, &["P-1", "X-1", "about power of no known place", "more specific"]);
}

#[test]
fn an_empty_table_and_one_without_a_row_for_everything_else_are_told_what_they_lack() {
    let header = RULES.lines().next().unwrap();
    let error = read_rules(&format!("{header}\n")).unwrap_err();
    assert_eq!(found(&error), (&Fault::Empty, None, None));
    words(&error, &["no row", "everything else", "control"]);
    let error = read_rules("").unwrap_err();
    words(&error, &["line 1", "column"]);
    let error = read_rules(&without(RULES, "ELSE")).unwrap_err();
    assert_eq!(found(&error), (&Fault::NoDefault, None, None));
    words(&error, &["everything else", "all conditions empty"]);
    let error = read_rules(&RULES.replace("ELSE,,,control,,", "ELSE,,,phe,state,")).unwrap_err();
    assert_eq!(found(&error), (&Fault::DefaultNotToControl, Some(6), Some(4)));
    words(&error, &["line 6", "ELSE", "control"]);
}

#[test]
fn a_header_that_lacks_a_column_or_has_a_strange_one_is_told() {
    let error = read_rules(&RULES.replacen("deadline_hours", "deadline", 1)).unwrap_err();
    words(&error, &["line 1", "column 7", "'deadline'", "deadline_hours"]);
    let error = read_rules("id,category,location,department,level,priority\n").unwrap_err();
    assert_eq!(found(&error), (&Fault::NoColumn { column: "deadline_hours" }, Some(1), None));
    words(&error, &["line 1", "'deadline_hours'"]);
    let error = read_rules("id,id,category,location,department,level,priority,deadline_hours\n").unwrap_err();
    words(&error, &["line 1", "column 2", "'id'", "twice"]);
}

#[test]
fn a_sheet_in_another_encoding_is_told_how_to_save_it() {
    let categories = || CategoryTree::read(CATEGORIES.as_bytes()).unwrap();
    let places = || PlaceTree::read(PLACES.as_bytes()).unwrap();
    let mut bytes = RULES.as_bytes().to_vec();
    bytes.extend(b"X-1,cattle,,phe,state,low,96,caf\xe9\n");
    let error = Rules::read(categories(), places(), &bytes).unwrap_err();
    let encoding = Fault::Sheet(SheetError::NotUtf8 { line: 7, column: 8 });
    assert_eq!(found(&error), (&encoding, Some(7), Some(8)));
    words(&error, &["line 7", "column 8", "CSV UTF-8"]);
}

#[test]
fn a_taxonomy_is_told_its_line_and_what_to_add() {
    let read = |csv: &str| CategoryTree::read(csv.as_bytes()).unwrap_err();
    let error = read("category,name\nwater,Water\nroads/pothole,Potholes\n");
    assert!(matches!(error, TreeError::NoParent { line: 3, .. }), "{error:?}");
    words(&error, &["line 3", "'roads/pothole'", "'roads'", "add a row"]);
    let error = read("category,name\nwater,Water\nwater,Water again\n");
    assert!(matches!(error, TreeError::Twice { line: 3, .. }), "{error:?}");
    words(&error, &["line 3", "'water'", "remove one"]);
    let error = read("category,name\nWater,Water\n");
    words(&error, &["line 2", "'W' at character 1"]);
    let error = read("name\nWater\n");
    words(&error, &["line 1", "'category'"]);
}

// ---- the roster --------------------------------------------------------------------------------------------------

fn read_roster(text: &str) -> RosterError {
    Roster::read(text).expect_err("it is wrong")
}

/// The line on which a text stands.
fn line_of(text: &str, word: &str) -> usize {
    text.lines().position(|line| line.contains(word)).expect(word) + 1
}

#[test]
fn malformed_toml_is_told_with_line_and_column() {
    let broken = ROSTER.replace("{ id = \"cms-triage\", name", "{ id = \"cms-triage\" name");
    let error = read_roster(&broken);
    let RosterError::Toml { line, column, .. } = error else { panic!("{error:?}") };
    assert_eq!(line, line_of(ROSTER, "cms-triage"));
    assert!(column > 5, "{error}");
    words(&error, &[&format!("line {line}, column {column}")]);

    let unknown = ROSTER.replace("{ id = \"cms-triage\",", "{ id = \"cms-triage\", phone = \"0172\",");
    let error = read_roster(&unknown);
    words(&error, &[&format!("line {}", line_of(ROSTER, "cms-triage")), "phone"]);
    let error = read_roster(&without(ROSTER, "time_zone"));
    words(&error, &["line 1", "time_zone"]);
}

#[test]
fn an_officer_on_two_desks_is_told_with_both_lines_and_desks() {
    let again = "    { id = \"phe-se\", name = \"\", desk = \"rohtak\", department = \"phe\" },\n]";
    let (head, _) = ROSTER.trim_end().rsplit_once(']').unwrap();
    let text = format!("{head}{again}\n");
    let error = read_roster(&text);
    let first = line_of(ROSTER, "\"phe-se\"");
    let RosterError::OfficerOnTwoDesks { first: found, .. } = error else { panic!("{error:?}") };
    assert_eq!(found, first);
    let line = text.lines().count() - 1;
    let lines = [format!("line {line}"), format!("line {first}")];
    words(&error, &["'phe-se'", "department:phe", "district:rohtak", &lines[0], &lines[1], "an id of its own"]);
}

#[test]
fn a_desk_without_a_nodal_officer_or_with_one_from_elsewhere_is_told_with_its_line() {
    let error = read_roster(&ROSTER.replace(", nodal = \"hisar-ctm\"", ""));
    let line = line_of(ROSTER, "code = \"hisar\"");
    assert_eq!(error, RosterError::NoNodal { line, desk: desk("district:hisar") });
    words(&error, &[&format!("line {line}"), "district:hisar", "nodal = "]);
    let error = read_roster(&ROSTER.replace("nodal = \"hisar-ctm\"", "nodal = \"rohtak-ctm\""));
    assert!(matches!(error, RosterError::NodalElsewhere { .. }), "{error:?}");
    words(&error, &[&format!("line {line}"), "'rohtak-ctm'", "district:hisar", "does not sit there"]);
}

#[test]
fn what_a_roster_names_and_does_not_have_is_told_with_its_line() {
    let line = line_of(ROSTER, "\"phe-rohtak\"");
    for (from, to, parts) in [
        ("desk = \"rohtak\", department = \"phe\"", "desk = \"jind\", department = \"phe\"", ["'jind'", "no desk"]),
        (
            "desk = \"rohtak\", department = \"phe\"",
            "desk = \"rohtak\", department = \"roads\"",
            ["'roads'", "no department"],
        ),
        ("desk = \"rohtak\", department = \"phe\"", "desk = \"rohtak\"", ["'phe-rohtak'", "say of which department"]),
        (
            "{ id = \"phe-rohtak\",",
            "{ id = \"phe-rohtak\", deputy = \"phe-hisar\",",
            ["'phe-hisar'", "on the same desk"],
        ),
        (
            "{ id = \"phe-rohtak\",",
            "{ id = \"phe-rohtak\", deputy = \"phe-rohtak\",",
            ["'phe-rohtak'", "another officer"],
        ),
        ("{ id = \"phe-rohtak\",", "{ id = \"PHE Rohtak\",", ["'PHE Rohtak'", "'P' at character 1"]),
        ("{ id = \"phe-rohtak\",", "{ id = \"power-rohtak\",", ["'power-rohtak'", "remove one of the two"]),
    ] {
        assert!(ROSTER.contains(from));
        let error = read_roster(&ROSTER.replacen(from, to, 1));
        let text = words(&error, &parts);
        let second = line_of(ROSTER, "\"power-rohtak\"");
        assert!(text.contains(&format!("line {line}:")) || text.contains(&format!("line {second}:")), "{text}");
    }
    let error = read_roster(&ROSTER.replace("Asia/Kolkata", "Asia/Hisar"));
    assert_eq!(error, RosterError::TimeZone { line: 1, zone: "Asia/Hisar".to_owned() });
    words(&error, &["line 1", "'Asia/Hisar'", "Asia/Kolkata"]);
    let error = read_roster(&ROSTER.replace("oversight = \"vigilance\"", "oversight = \"acb\""));
    words(&error, &["line 2", "'acb'", "no department"]);
    let backwards = haryana::with_leave(ROSTER, "phe-rohtak", "2022-07-20", "2022-07-10");
    words(&read_roster(&backwards), &[&format!("line {line}"), "'phe-rohtak'", "leave"]);
}

#[test]
fn a_desk_code_that_stands_twice_is_told_with_both_lines() {
    let error = read_roster(&ROSTER.replace("code = \"rohtak\"", "code = \"phe\""));
    let (first, line) = (line_of(ROSTER, "code = \"phe\""), line_of(ROSTER, "code = \"rohtak\""));
    assert_eq!(error, RosterError::DuplicateDesk { code: "phe".to_owned(), first, line });
    words(&error, &[&format!("line {first}"), &format!("line {line}"), "another"]);
}

// ---- rules and roster together, limits ---------------------------------------------------------------------------

#[test]
fn an_engine_without_rules_or_roster_or_with_two_that_do_not_fit_does_not_start() {
    let error = Engine::builder().start().unwrap_err();
    words(&error, &["a rules table", "the builder"]);
    let error = Engine::builder().rules(haryana::rules(RULES)).start().unwrap_err();
    words(&error, &["a roster", "the builder"]);

    let start = |row: &str| {
        let rules = haryana::rules(&format!("{RULES}{row}\n"));
        Engine::builder().rules(rules).roster(haryana::roster(ROSTER)).start().unwrap_err()
    };
    let error = start("X-1,cattle,,animals,state,low,96,");
    let StartError::Rules(rules) = &error else { panic!("{error:?}") };
    assert!(matches!(found(rules), (Fault::UnknownDepartment { .. }, None, None)), "{error:?}");
    words(&error, &["row X-1", "'animals'", "correct it, or add it to the roster"]);
    let error = start("X-1,cattle,hansi,phe,state,low,96,");
    let StartError::Rules(rules) = &error else { panic!("{error:?}") };
    assert!(matches!(found(rules), (Fault::UnknownDistrict { .. }, None, None)), "{error:?}");
    words(&error, &["row X-1", "'hansi'", "correct it, or add it to the roster"]);
}

#[test]
fn a_limit_of_nothing_is_refused_by_name() {
    type Set = fn(&mut Limits);
    let limits: [(&str, Set); 8] = [
        ("under_way", |limits| limits.under_way = 0),
        ("share_of_a_desk", |limits| limits.share_of_a_desk = 0),
        ("batch", |limits| limits.batch = 0),
        ("closed_in_memory", |limits| limits.closed_in_memory = 0),
        ("subscriber_backlog", |limits| limits.subscriber_backlog = 0),
        ("dates_at_a_time", |limits| limits.dates_at_a_time = 0),
        ("numbers_at_a_time", |limits| limits.numbers_at_a_time = 0),
        ("remembered_sources", |limits| limits.remembered_sources = 0),
    ];
    for (name, set) in limits {
        let mut limits = Limits::default();
        set(&mut limits);
        let builder = Engine::builder().rules(haryana::rules(RULES)).roster(haryana::roster(ROSTER));
        let error = builder.limits(limits).start().unwrap_err();
        assert!(matches!(error, StartError::Limit { limit, given: 0, .. } if limit == name), "{error:?}");
        words(&error, &[name, "0", "1 to"]);
    }
    let mut limits = Limits::default();
    limits.under_way = usize::MAX;
    let builder = Engine::builder().rules(haryana::rules(RULES)).roster(haryana::roster(ROSTER));
    assert!(matches!(builder.limits(limits).start(), Err(StartError::Limit { limit: "under_way", .. })));
}

#[tokio::test]
async fn what_cannot_be_reloaded_leaves_everything_as_it_was() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let before = (world.end(), world.ticket(id).await, world.engine.rules().version(), world.engine.roster().version());
    let rules = haryana::rules(&format!("{RULES}X-1,cattle,,animals,state,low,96,\n"));
    let error = world.engine.reload_rules(rules, Some(officer("cms"))).await.unwrap_err();
    let ReloadError::Rules(refused) = &error else { panic!("{error:?}") };
    assert!(matches!(found(refused), (Fault::UnknownDepartment { .. }, None, None)), "{error:?}");
    words(&error, &["row X-1", "'animals'"]);
    let smaller = without(&without(ROSTER, "code = \"vigilance\""), "vigilance-state");
    let roster = haryana::roster(&smaller.replace("oversight = \"vigilance\"", "oversight = \"power\""));
    let error = world.engine.reload_roster(roster, None).await.unwrap_err();
    words(&error, &["row V-1", "'vigilance'", "add it to the roster"]);
    world.engine.tick().await;
    let after = (world.end(), world.ticket(id).await, world.engine.rules().version(), world.engine.roster().version());
    assert_eq!(before, after);
}

// ---- a grievance -------------------------------------------------------------------------------------------------

fn post() -> Source {
    Source::new(Channel::X, "7700").unwrap()
}

fn build(text: &str) -> Result<Grievance, GrievanceError> {
    Grievance::builder(post(), text).build()
}

#[test]
fn a_text_that_is_empty_too_long_or_has_control_characters_is_told_and_never_repeated() {
    for empty in ["", " \n\t "] {
        let error = build(empty).unwrap_err();
        assert_eq!(error, GrievanceError::Empty { field: Field::Text });
        words(&error, &["text is empty", "say something"]);
    }
    // Characters count, not bytes.
    assert!(build(&"अ".repeat(MAX_TEXT)).is_ok());
    let error = build(&"अ".repeat(MAX_TEXT + 1)).unwrap_err();
    assert_eq!(error, GrievanceError::TooLong { field: Field::Text, length: MAX_TEXT + 1, limit: MAX_TEXT });
    words(&error, &["text has 20001 characters", "20000", "shorten it"]);
    let error = build("secret\u{7}word").unwrap_err();
    assert_eq!(error, GrievanceError::ControlCharacter { field: Field::Text, code: 7, at: 7 });
    let text = words(&error, &["U+0007", "character 7", "remove it"]);
    assert!(!text.contains("secret"), "{text}");
    assert!(build("line\nbreak\tand tab\r\n").is_ok());
}

#[test]
fn every_field_of_a_person_is_checked_and_named() {
    let person = |handle: Option<&str>, name: Option<&str>, contact: Option<&str>| {
        let own = |text: Option<&str>| text.map(ToOwned::to_owned);
        let complainant = Complainant { handle: own(handle), name: own(name), contact: own(contact) };
        Grievance::builder(post(), "No supply").complainant(complainant).build().unwrap_err()
    };
    let long = "x".repeat(MAX_FIELD + 1);
    assert_eq!(person(Some(""), None, None), GrievanceError::Empty { field: Field::Handle });
    let too_long = GrievanceError::TooLong { field: Field::Name, length: MAX_FIELD + 1, limit: MAX_FIELD };
    assert_eq!(person(None, Some(&long), None), too_long);
    let control = GrievanceError::ControlCharacter { field: Field::Contact, code: 10, at: 4 };
    assert_eq!(person(None, None, Some("999\n1")), control);
    assert_eq!(Source::new(Channel::X, " ").unwrap_err(), GrievanceError::Empty { field: Field::Source });
    let too_long = GrievanceError::TooLong { field: Field::Source, length: MAX_FIELD + 1, limit: MAX_FIELD };
    assert_eq!(Source::new(Channel::X, long.clone()).unwrap_err(), too_long);
    let conversation = Grievance::builder(post(), "No supply").conversation("").build().unwrap_err();
    assert_eq!(conversation, GrievanceError::Empty { field: Field::Conversation });
}

#[test]
fn a_link_that_is_none_and_too_many_links_are_told_by_number() {
    let builder = || Grievance::builder(post(), "See the picture").media("https://example.org/1.jpg");
    for bad in ["example.org/2.jpg", "https://", "file:///etc/passwd", "https://a b"] {
        let error = builder().media(bad).build().unwrap_err();
        assert_eq!(error, GrievanceError::NotALink { number: 2 }, "{bad}");
        words(&error, &["media link 2", "https://"]);
    }
    let many = (0..MAX_MEDIA).fold(builder(), |builder, _| builder.media("https://example.org/x"));
    assert_eq!(many.build().unwrap_err(), GrievanceError::TooManyLinks { count: MAX_MEDIA + 1 });
    let error = said("Done").with_evidence(["photo.jpg".to_owned()]).unwrap_err();
    assert_eq!(error, GrievanceError::NotALink { number: 1 });
}

#[test]
fn coordinates_that_are_not_on_the_earth_are_told_with_the_range() {
    for (latitude, longitude) in [(90.1, 0.0), (-90.1, 0.0), (0.0, 180.1), (0.0, -180.1), (175.0, 29.0)] {
        let error = Coordinates::new(latitude, longitude).unwrap_err();
        assert_eq!(error, GrievanceError::Coordinates { latitude, longitude });
        words(&error, &[&latitude.to_string(), "latitude is -90 to 90, longitude -180 to 180", "swapped?"]);
    }
    for not_a_number in [f64::NAN, f64::INFINITY] {
        assert!(Coordinates::new(not_a_number, 0.0).is_err());
        assert!(Coordinates::new(0.0, not_a_number).is_err());
    }
    assert!(Coordinates::new(90.0, -180.0).is_ok());
}

#[test]
fn a_language_that_is_no_tag_is_told() {
    for bad in ["", "Hindi", "h", "hi_Latn", "hi-", "हि", "hi-latn-latn-latn-latn"] {
        let error = Language::new(bad).expect_err(bad);
        assert_eq!(error, GrievanceError::Language);
        words(&error, &["'hi-Latn'", "leave it out"]);
    }
}

#[test]
fn statements_are_checked_like_texts() {
    assert_eq!(Statement::new("  ").unwrap_err(), GrievanceError::Empty { field: Field::Text });
    let error = Statement::new("x".repeat(MAX_TEXT + 1)).unwrap_err();
    assert_eq!(error, GrievanceError::TooLong { field: Field::Text, length: MAX_TEXT + 1, limit: MAX_TEXT });
    let error = Statement::new("done\u{1b}[31m").unwrap_err();
    assert_eq!(error, GrievanceError::ControlCharacter { field: Field::Text, code: 0x1b, at: 5 });
}

#[tokio::test]
async fn a_post_from_the_future_is_refused_with_both_times_and_clocks_may_differ_a_little() {
    let world = World::small();
    let end = world.end();
    let latest = start() + MAX_AHEAD;
    for posted_at in [latest + SignedDuration::from_nanos(1), at(24 * 365), Timestamp::MAX] {
        let grievance = world.grievance("power", "hisar").posted_at(posted_at).build().unwrap();
        let future = GrievanceError::FromTheFuture { posted_at, now: start() };
        let error = world.engine.submit(grievance.clone()).await.unwrap_err();
        assert_eq!(error, SubmitError::Invalid(future.clone()));
        words(&error, &["2022-07-14T03:30:00Z", "correct the sender's clock or time zone"]);
        assert_eq!(world.engine.try_submit(grievance.clone()).await, Err(SubmitError::Invalid(future.clone())));
        let streamed: Vec<_> = world.engine.submit_all(stream::iter([grievance])).collect().await;
        assert_eq!(streamed, [Err(SubmitError::Invalid(future))]);
    }
    world.engine.tick().await;
    assert_eq!(world.end(), end);
    world.file(world.grievance("power", "hisar").posted_at(latest)).await;
    world.file(world.grievance("power", "hisar").posted_at(Timestamp::MIN)).await;
}

// ---- ticket numbers ----------------------------------------------------------------------------------------------

#[test]
fn a_ticket_number_that_was_misread_is_told_what_is_wrong_with_it() {
    let right = TicketId::from_number(4_242).unwrap().to_string();
    assert_eq!(right.parse::<TicketId>().unwrap().number(), 4_242);
    let (head, check) = right.split_at(right.len() - 1);
    for wrong in ('0'..='9').filter(|digit| !check.contains(*digit)) {
        let error = format!("{head}{wrong}").parse::<TicketId>().unwrap_err();
        assert_eq!(error, TicketIdError::CheckDigit);
        words(&error, &["check digit", "read the number out again"]);
    }
    let error = "0012-345".parse::<TicketId>().unwrap_err();
    assert_eq!(error, TicketIdError::Length { digits: 7 });
    words(&error, &["7 digits", "8 to 15"]);
    let error = "0012-34S6".parse::<TicketId>().unwrap_err();
    assert_eq!(error, TicketIdError::NotADigit { found: 'S', at: 8 });
    words(&error, &["'S'", "character 8", "digits only"]);
    assert_eq!("0000-0000".parse::<TicketId>().unwrap_err(), TicketIdError::Zero);
    assert_eq!("9".repeat(16).parse::<TicketId>().unwrap_err(), TicketIdError::Length { digits: 16 });
    assert!("".parse::<TicketId>().is_err());
}

// ---- acts --------------------------------------------------------------------------------------------------------

/// That an act is refused, with these words, and that nothing changes by it.
async fn refused(world: &World, act: Act, expected: &[&str]) -> ActError {
    let open = TicketFilter::open();
    let before = world.engine.tickets(&open, nivaran::Page::first(100)).await.unwrap();
    let end = world.end();
    let error = world.engine.act(act).await.expect_err("it is refused");
    words(&error, expected);
    world.engine.tick().await;
    assert_eq!(world.end(), end, "{error}");
    assert_eq!(world.engine.tickets(&open, nivaran::Page::first(100)).await.unwrap(), before, "{error}");
    error
}

#[tokio::test]
async fn an_act_on_an_unknown_ticket_is_refused() {
    let world = World::small();
    world.submit("power", "hisar").await;
    let unknown = TicketId::from_number(4_711).unwrap();
    let error =
        refused(&world, by(unknown, "cms", Action::Acknowledge), &[&unknown.to_string(), "read the number"]).await;
    assert_eq!(error, ActError::UnknownTicket { ticket: unknown });
    let error = refused(&world, by(unknown, "cms", Action::Forward(None)), &[&unknown.to_string()]).await;
    assert_eq!(error, ActError::UnknownTicket { ticket: unknown });
    let error = world.feedback(unknown, Verdict::NotSatisfied).await.unwrap_err();
    assert_eq!(error, ActError::UnknownTicket { ticket: unknown });
    assert_eq!(world.engine.ticket(unknown).await.unwrap(), None);
    let error = world.engine.case_file(unknown, &officer("cms")).await.unwrap_err();
    assert_eq!(error, ReadError::UnknownTicket { ticket: unknown });
    words(&error, &[&unknown.to_string(), "read the number out again"]);
}

#[tokio::test]
async fn an_officer_who_does_not_hold_the_ticket_is_told_whose_it_is() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    for stranger in ["phe-hisar", "power-rohtak", "power-state", "cms"] {
        let error =
            refused(&world, by(id, stranger, Action::Acknowledge), &["the officer who holds it", "marked"]).await;
        let ActError::Refused(Refusal::NotYours { action, state, .. }) = error else { panic!("{error:?}") };
        assert_eq!((action, state), (ActionKind::Acknowledge, StateKind::Marked));
        let resolve = by(id, stranger, Action::Resolve(Outcome::Fixed));
        assert!(matches!(refused(&world, resolve, &["resolve"]).await, ActError::Refused(Refusal::NotYours { .. })));
    }
    let forward = by(id, "phe-hisar", Action::Forward(Some(desk("control"))));
    refused(&world, forward, &["the desk's nodal officer", "the control desk", "forward"]).await;
}

#[tokio::test]
async fn an_officer_who_is_not_on_the_roster_is_refused_by_id() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let error = refused(&world, by(id, "power-hisr", Action::Acknowledge), &["'power-hisr'", "correct the id"]).await;
    assert_eq!(error, ActError::UnknownOfficer { officer: officer("power-hisr") });
}

#[tokio::test]
async fn an_officer_does_not_speak_for_the_citizen_nor_the_citizen_for_an_officer() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    refused(&world, by(id, "power-hisar", Action::Withdraw), &["only the complainant", "withdraw"]).await;
    let resolve = Act::by_citizen(id, asha(), Action::Resolve(Outcome::Fixed)).statement(said("All is well"));
    refused(&world, resolve, &["only the officer who holds it", "resolve"]).await;
    let stranger = Author::new(Channel::X, "@neighbour");
    let error =
        refused(&world, Act::by_citizen(id, stranger, Action::Withdraw), &["only the complainant on record"]).await;
    assert_eq!(error, ActError::NotTheComplainant);
    // Of whom nothing is known, nobody speaks.
    let anonymous = world.file(Grievance::builder(post(), "No supply").category("power".parse().unwrap())).await;
    let error = refused(&world, Act::by_citizen(anonymous, asha(), Action::Withdraw), &["complainant"]).await;
    assert_eq!(error, ActError::NotTheComplainant);
}

#[tokio::test]
async fn an_act_that_the_state_forbids_is_refused_with_the_state_and_what_would_be_possible() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::Park { until: at(48), why: ParkReason::WorkPlanned }).await;
    let error =
        refused(&world, by(id, "power-hisar", Action::Resolve(Outcome::Fixed)), &["resolve", "parked", "forward"])
            .await;
    let ActError::Refused(Refusal::NotNow { action, state, possible }) = error else { panic!("{error:?}") };
    assert_eq!((action, state), (ActionKind::Resolve, StateKind::Parked));
    assert!(possible.contains(&ActionKind::Park) && !possible.contains(&ActionKind::Resolve), "{possible:?}");
    assert!(!possible.contains(&ActionKind::DatePasses), "what people can do: {possible:?}");
    refused(&world, by(id, "hisar-ctm", Action::Approve), &["approve the report", "parked"]).await;
    let answer = Act::by_citizen(id, asha(), Action::CitizenAnswers).statement(said("Which question?"));
    refused(&world, answer, &["answer", "parked"]).await;

    let triage = world.submit("cattle", "hisar").await;
    for action in [Action::Acknowledge, Action::Resolve(Outcome::Fixed), Action::Return] {
        refused(&world, by(triage, "cms-triage", action), &["in triage", "reject, forward"]).await;
    }
    world.engine.act(Act::by_citizen(id, asha(), Action::Withdraw)).await.unwrap();
    let error = refused(&world, by(id, "power-hisar", Action::Acknowledge), &["closed", "not satisfied"]).await;
    assert!(matches!(error, ActError::Refused(Refusal::NotNow { state: StateKind::Closed, .. })), "{error:?}");
}

#[tokio::test]
async fn an_act_without_the_words_that_belong_to_it_is_refused() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let needs = [
        Action::Resolve(Outcome::Fixed),
        Action::Reject(Grounds::Abuse),
        Action::Forward(None),
        Action::Return,
        Action::AskCitizen { until: at(9) },
        Action::Park { until: at(9), why: ParkReason::WorkPlanned },
        Action::InterimReply { next: at(9) },
        Action::Assist(desk("department:phe")),
        Action::SendBack,
    ];
    for action in needs {
        let kind = action.kind();
        let act = Act::by_officer(id, officer("power-hisar"), action);
        let error = refused(&world, act, &[&kind.to_string(), "add a statement"]).await;
        assert_eq!(error, ActError::Statement(StatementMisfit::Missing { action: kind }));
    }
    let answer = Act::by_citizen(id, asha(), Action::CitizenAnswers);
    let error = refused(&world, answer, &["answer", "add a statement"]).await;
    assert_eq!(error, ActError::Statement(StatementMisfit::Missing { action: ActionKind::CitizenAnswers }));
}

#[tokio::test]
async fn feedback_is_no_act_and_nobody_outside_says_that_a_date_has_passed() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.act(id, "power-hisar", Action::Resolve(Outcome::Fixed)).await;
    for action in [Action::Satisfied, Action::NotSatisfied] {
        let error = refused(&world, Act::by_citizen(id, asha(), action.clone()), &["by feedback"]).await;
        assert_eq!(error, ActError::UseFeedback);
        assert_eq!(refused(&world, by(id, "cms", action), &["feedback"]).await, ActError::UseFeedback);
    }
    for act in [by(id, "cms", Action::DatePasses), Act::by_citizen(id, asha(), Action::DatePasses)] {
        assert_eq!(refused(&world, act, &["clock"]).await, ActError::NotForCallers);
    }
}

#[tokio::test]
async fn desks_categories_and_places_that_do_not_exist_are_refused_by_name() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    for action in [Action::Forward(Some(desk("district:hansi"))), Action::Assist(desk("district:hansi"))] {
        let error = refused(&world, by(id, "power-hisar", action), &["district:hansi", "on the roster"]).await;
        assert_eq!(error, ActError::UnknownDesk { desk: desk("district:hansi") });
    }
    let category: CategoryPath = "power/sparks".parse().unwrap();
    let error =
        refused(&world, by(id, "power-hisar", Action::ChangeCategory(category.clone())), &["'power/sparks'"]).await;
    assert_eq!(error, ActError::UnknownCategory { category });
    let change = Action::ChangePlace("hisar/mars".parse().unwrap());
    let error = refused(&world, by(id, "power-hisar", change), &["'hisar/mars'", "gazetteer"]).await;
    assert_eq!(error, ActError::UnknownPlace { place: "hisar/mars".parse().unwrap() });
    let error = "districts:hisar".parse::<nivaran::DeskId>().unwrap_err();
    words(&error, &["district:CODE", "'districts:hisar'"]);
}

#[tokio::test]
async fn dates_gone_by_and_dates_too_far_ahead_are_refused_with_the_latest_possible() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let actions = |date| {
        [
            Action::AskCitizen { until: date },
            Action::Park { until: date, why: ParkReason::SubJudice },
            Action::InterimReply { next: date },
        ]
    };
    for date in [start(), at(-1), Timestamp::MIN] {
        for action in actions(date) {
            let error = refused(&world, by(id, "power-hisar", action), &["does not lie ahead", "later date"]).await;
            assert_eq!(error, ActError::Refused(Refusal::DatePast { date, now: start() }));
        }
    }
    let latest = at(180 * 24);
    for date in [latest + SignedDuration::from_secs(1), Timestamp::MAX] {
        for action in actions(date) {
            let error = refused(&world, by(id, "power-hisar", action), &["too far ahead", &latest.to_string()]).await;
            assert_eq!(error, ActError::Refused(Refusal::DateTooFar { date, latest }));
        }
    }
}

#[test]
fn references_of_other_offices_are_numbers_and_no_sentences() {
    for bad in ["", "see the letter", "पत्र", &"7".repeat(65)] {
        let error = Reference::new(bad).unwrap_err();
        words(&error, &["reference"]);
    }
}

// ---- after the end -----------------------------------------------------------------------------------------------

#[tokio::test]
async fn after_the_shutdown_everything_is_refused_and_a_grievance_is_handed_back() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    world.engine.shutdown().await;
    let end = world.end();
    let grievance = world.grievance("power", "hisar").build().unwrap();
    for error in [
        world.engine.submit(grievance.clone()).await.unwrap_err(),
        world.engine.try_submit(grievance.clone()).await.unwrap_err(),
        world.engine.submit_all(stream::iter([grievance.clone()])).collect::<Vec<_>>().await.remove(0).unwrap_err(),
    ] {
        words(&error, &["shut down", "send it again when the service is up"]);
        let SubmitError::Stopped(back) = error else { panic!("{error:?}") };
        assert_eq!(*back, grievance);
    }
    let acted = world.try_act(id, "power-hisar", Action::Acknowledge).await.unwrap_err();
    assert_eq!(acted, ActError::Stopped);
    words(&acted, &["shut down", "when the service is up"]);
    assert_eq!(world.feedback(id, Verdict::Satisfied).await, Err(ActError::Stopped));
    let pending =
        PendingTicket { old_number: Reference::new("A-1").unwrap(), received_at: at(-1), grievance: grievance.clone() };
    let imported = world.engine.import(vec![pending]).await;
    let [Err(SubmitError::Failed(Failure::Stopped) | SubmitError::Stopped(_))] = imported.as_slice() else {
        panic!("{imported:?}")
    };
    // Again, and a tick: no harm.
    world.engine.shutdown().await;
    world.engine.tick().await;
    assert_eq!(world.end(), end);
}

#[tokio::test]
async fn no_error_repeats_who_complained_or_what_was_written() {
    let world = World::small();
    let id = world.submit("power", "hisar").await;
    let feedback = Feedback::new(id, asha(), Verdict::Satisfied).reason(said("my secret reason"));
    let act = by(id, "phe-hisar", Action::Resolve(Outcome::Fixed)).statement(said("my secret report"));
    world.engine.shutdown().await;
    let grievance = world.grievance("power", "hisar").build().unwrap();
    let errors = [
        format!("{:?}", world.engine.submit(grievance.clone()).await.unwrap_err()),
        format!("{grievance:?}"),
        format!("{feedback:?}"),
        format!("{act:?}"),
        format!("{:?}", world.engine.feedback(feedback).await.unwrap_err()),
    ];
    for error in errors {
        for personal in [ASHA, "asha", "Nobody has come", "my secret", "15478"] {
            assert!(!error.contains(personal), "{personal} in {error}");
        }
    }
}
