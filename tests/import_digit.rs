//! The masters of a DIGIT PGR become a taxonomy and a rules table that can be read, and route.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use jiff::civil::date;
use nivaran::rules::digit::{self, Change, DEFAULT_HOURS, DigitError, DigitFile, Imported};
use nivaran::rules::{Day, Decision, Facts, Moment};
use nivaran::{CategoryPath, CategoryTree, Channel, PlacePath, PlaceTree, Rules};

const SERVICES: &[u8] = include_bytes!("digit/ServiceDefs.json");
const DEPARTMENTS: &[u8] = include_bytes!("digit/Department.json");

fn imported() -> Imported {
    digit::import(SERVICES, Some(DEPARTMENTS)).unwrap()
}

fn rules(imported: &Imported) -> Rules {
    let categories = CategoryTree::read(imported.categories.as_bytes()).unwrap();
    let places = PlaceTree::from_paths([PlacePath::new("ludhiana").unwrap()]);
    Rules::read(categories, places, imported.rules.as_bytes()).unwrap()
}

fn decided<'a>(rules: &'a Rules, category: &str) -> Decision<'a> {
    let (category, place) = (CategoryPath::new(category).unwrap(), PlacePath::new("ludhiana").unwrap());
    rules.decide(&Facts {
        category: Some(&category),
        place: Some(&place),
        channel: Channel::Web,
        language: None,
        words: None,
        moment: Moment::new(date(2026, 1, 5), Day::Working, 600),
    })
}

#[test]
fn each_active_service_is_a_category_and_a_row_that_routes_to_its_department() {
    let rules = rules(&imported());
    assert_eq!(rules.rows().len(), 9, "eight services and the row for everything else");
    assert_eq!(rules.categories().name("waterand-sewage/no-water-supply"), Some("No Water Supply"));
    for (category, row, department) in [
        ("street-lights/street-light-not-working", "StreetLightNotWorking", "dept-1"),
        ("garbage/garbage-needs-tobe-cleared", "GarbageNeedsTobeCleared", "dept-25"),
        ("drains/overflowing-or-blocked-drain", "OverflowingOrBlockedDrain", "eng"),
        ("waterand-sewage/no-water-supply/third-floor", "NoWaterSupply", "dept-4"),
        ("others", "Others", "dept-10"),
    ] {
        let decision = decided(&rules, category);
        assert_eq!(decision.row.id.as_str(), row);
        let route = &decision.routing.expect(category).route;
        assert_eq!((route.department.as_str(), route.deadline.get()), (department, 336), "{category}");
    }
    for unrouted in ["waterand-sewage", "street-lights/no-streetlight", "meteors"] {
        assert_eq!(decided(&rules, unrouted).row.id.as_str(), "ELSE", "{unrouted}");
    }
}

#[test]
fn keywords_stand_in_the_note_and_are_no_condition() {
    let imported = imported();
    assert!(imported.rules.contains("\"Dirty Water Supply; keywords in DIGIT: water, tap, smell, colour\""));
    let rules = rules(&imported);
    assert!(rules.rows().iter().all(|row| row.when.words.is_any()));
    assert_eq!(rules.words_in("the water smells"), None);
}

#[test]
fn what_was_left_out_and_what_is_not_sound_is_told_with_what_to_do() {
    let notes: Vec<String> = imported().notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "service 1 (NoStreetlight): it is not said to be active, and left out; \
             write \"active\": true if grievances about it are to be routed",
            "service 4 (OverflowingOrBlockedDrain): its department 'ENG' is not in Department.json; \
             correct it, or see that the roster has it",
        ]
    );
    let alone = digit::import(SERVICES, None).unwrap();
    assert_eq!(alone.notes.len(), 1, "without Department.json no department is unknown");
}

#[test]
fn the_departments_that_a_roster_needs_are_told_with_their_names() {
    let departments = imported().departments;
    let told: Vec<_> = departments.iter().map(|d| (d.code.as_str(), &*d.in_digit, d.name.as_deref())).collect();
    assert_eq!(
        told,
        [
            ("dept-1", "DEPT_1", Some("Street Lights")),
            ("dept-25", "DEPT_25", Some("Accounts Branch")),
            ("eng", "ENG", None),
            ("dept-4", "DEPT_4", Some("Operation & Maintenance")),
            ("dept-3", "DEPT_3", Some("Health & Sanitation")),
            ("dept-6", "DEPT_6", Some("Building Branch")),
            ("dept-10", "DEPT_10", Some("Others")),
        ]
    );
}

#[test]
fn the_same_files_give_the_same_texts() {
    assert_eq!(imported(), imported());
}

#[test]
fn services_of_other_tenants_are_taken_with_what_is_strange_in_them() {
    // Slashes and blanks in menus and codes, a number as text, nulls, no menu, a name in Hindi: all in use somewhere.
    let services = r#"[
        {"serviceCode": "WaterMeterNotInstalled/NotWorking", "name": "पानी का मीटर", "department": "WaterSupply",
         "slaHours": "72", "menuPath": "Property Tax/House Tax", "menuPathName": "Tax", "active": true, "order": null},
        {"serviceCode": "RefundClaims", "name": "Refund, claims", "keywords": null, "department": null,
         "slaHours": null, "active": true, "category": "PETITION"}
    ]"#;
    let imported = digit::import(services.as_bytes(), None).unwrap();
    let rules = rules(&imported);
    let meter = decided(&rules, "property-tax-house-tax/water-meter-not-installed-not-working");
    assert_eq!(meter.row.id.as_str(), "WaterMeterNotInstalled-NotWorking");
    assert_eq!(meter.row.deadline.get(), 72);
    assert_eq!(rules.categories().name("property-tax-house-tax"), Some("Tax"));
    let refund = decided(&rules, "refund-claims");
    assert!(refund.routing.is_none(), "no department is the control desk");
    assert_eq!(refund.row.deadline.get(), DEFAULT_HOURS);
    let changes: Vec<_> = imported.notes.iter().map(|note| (note.service.number, &note.what)).collect();
    assert!(
        matches!(changes[..], [(1, Change::Renamed { .. }), (2, Change::NoDepartment), (2, Change::Hours { .. })]),
        "{changes:?}"
    );
}

#[test]
fn a_file_that_is_none_is_told_with_line_column_and_what_it_has_to_be() {
    let error = digit::import(br#"{"ServiceDefs": [ {"serviceCode": "A"} "#, None).unwrap_err();
    assert!(matches!(error, DigitError::NotJson { file: DigitFile::ServiceDefs, line: 1, .. }), "{error:?}");
    let error = digit::import(SERVICES, Some(b"{\n  \"Departments\": []\n}")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Department.json, line 3, column 1: there is no 'Department'; it has to be a list of objects named 'Department', \
         their fields texts, numbers, true or false"
    );
    let error = digit::import(DEPARTMENTS, None).unwrap_err();
    assert!(matches!(error, DigitError::Shape { file: DigitFile::ServiceDefs, .. }), "{error:?}");
    let error = digit::import(b"id,category\n", None).unwrap_err();
    assert!(error.to_string().starts_with("ServiceDefs.json, line 1, column 1: it is no JSON"), "{error}");
}
