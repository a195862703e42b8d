//! Taking over what a DIGIT PGR has: its complaint types become a taxonomy and a rules table.
//!
//! [DIGIT](https://core.digit.org) is the platform on which many of India's states and cities take complaints (its PGR
//! module). It keeps its complaint types in a master file, `ServiceDefs.json`, and its departments in `Department.json`:
//!
//! ```json
//! { "tenantId": "pb", "moduleName": "RAINMAKER-PGR", "ServiceDefs": [
//!     { "serviceCode": "NoStreetlight", "name": "No street light", "keywords": "lamp, pole, dark", "department": "DEPT_1",
//!       "slaHours": 336, "menuPath": "StreetLights", "menuPathName": "Street lights", "active": true, "order": 1 } ] }
//! ```
//!
//! [`import`] makes of it what [`CategoryTree::read`](crate::CategoryTree) and [`Rules::read`](crate::Rules::read) read, as
//! text to be saved, looked over in a spreadsheet and kept from then on. What it left out or changed is told in
//! [`Imported::notes`].
//!
//! # What becomes of what
//! | in DIGIT | here |
//! |---|---|
//! | `menuPath`, `serviceCode` | a category of two levels: `StreetLights`, `NoStreetlight` become `street-lights/no-streetlight`. Without a `menuPath` it has one |
//! | `menuPathName`, `name` | the names of the two |
//! | `serviceCode` | the row's id, as it is where it can be: so it is seen which row came from which service |
//! | `department` | the department, as a code: `DEPT_1` becomes `dept-1`. Without one the row is for the control desk |
//! | `slaHours` | `deadline_hours`; where there are none to be had, [`DEFAULT_HOURS`] |
//! | `name`, `keywords` | `note` |
//! | `active` | what is not said to be active is left out, as DIGIT itself does |
//! | `order` and all else | nothing |
//!
//! Each row is at the district's level and of normal priority, since DIGIT has neither: PGR's departments are a city's.
//! The last row, `ELSE`, sends everything else to the control desk.
//!
//! The file may be as it lies in a repository of masters, as above; the list alone; or the answer of the MDMS service
//! (`MdmsRes`). The newer master `ComplaintHierarchy` is not read.
//!
//! # Why the keywords are no condition
//! In DIGIT they are for the box in which a citizen looks for a complaint type; the department always comes of the type
//! that was picked. In `words_any` they would do harm: ten of Punjab's 32 types have `water` among them, some the same list
//! word by word, and a row with words goes before one without. So they stand in the note, for whoever looks for words
//! that are worth a row of their own.
//!
//! ```
//! use nivaran::{CategoryTree, PlaceTree, Rules, rules::digit};
//!
//! let services = br#"{ "ServiceDefs": [
//!     { "serviceCode": "NoStreetlight", "name": "No street light", "keywords": "lamp, pole", "department": "DEPT_1",
//!       "slaHours": 96, "menuPath": "StreetLights", "active": true },
//!     { "serviceCode": "DeadAnimals", "name": "Dead animals", "keywords": "cow, dog", "department": "DEPT_3",
//!       "slaHours": 48, "menuPath": "Animals", "active": false }
//! ] }"#;
//! let imported = digit::import(services, None)?;
//! let categories = CategoryTree::read(imported.categories.as_bytes())?;
//! let rules = Rules::read(categories, PlaceTree::from_paths([]), imported.rules.as_bytes())?;
//! assert_eq!(rules.rows()[0].when.to_string(), "category street-lights/no-streetlight");
//! assert_eq!(rules.departments()[0].as_str(), "dept-1");
//! assert_eq!(
//!     imported.notes[0].to_string(),
//!     "service 2 (DeadAnimals): it is not said to be active, and left out; \
//!      write \"active\": true if grievances about it are to be routed"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod names;
mod note;
mod read;

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::calendar::Hours;
use crate::code::DepartmentId;
use names::{Names, Wish};
pub use note::{Change, Field, Named, Note, ServiceAt, WhyRenamed};
use read::{DepartmentDef, ServiceDef};
pub use read::{DigitError, DigitFile, MAX_BYTES, MAX_ENTRIES};

/// The hours of a service that has none that could be taken: 14 days, which most published tables have.
pub const DEFAULT_HOURS: u32 = 336;
/// The longest name, and the longest list of keywords, in characters.
pub const MAX_TEXT: usize = 1_000;

/// The row for everything else.
const ELSE: &str = "ELSE";
/// The department that means the control desk.
const CONTROL: &str = "control";

/// What was made of DIGIT's files.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// The taxonomy, for [`CategoryTree::read`](crate::CategoryTree): CSV with the columns `category` and `name`.
    pub categories: String,
    /// The rules table, for [`Rules::read`](crate::Rules::read).
    pub rules: String,
    /// The departments that its rows name, in the order of the rows: the roster needs them.
    pub departments: Vec<Department>,
    /// What was left out or changed, in the order of the services.
    pub notes: Vec<Note>,
}

/// A department that rows name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Department {
    /// Its code here.
    pub code: DepartmentId,
    /// Its code in DIGIT.
    pub in_digit: String,
    /// Its name, if `Department.json` has it.
    pub name: Option<String>,
}

/// Makes a taxonomy and a rules table of DIGIT's `ServiceDefs.json`. With `Department.json` it is also looked whether the
/// departments are there and active; without it, it is not.
///
/// The same files give the same result. Whatever the services are, both texts can be read.
///
/// # Errors
/// [`DigitError`], with line and column, for a file that is too large, no UTF-8, no JSON, or not of DIGIT's shape.
pub fn import(service_defs: &[u8], departments: Option<&[u8]>) -> Result<Imported, DigitError> {
    let services: Vec<ServiceDef> = read::entries(DigitFile::ServiceDefs, service_defs)?;
    let known: Option<Vec<DepartmentDef>> =
        departments.map(|bytes| read::entries(DigitFile::Departments, bytes)).transpose()?;
    let known = known.map(|list| list.into_iter().map(|entry| (entry.code.text.clone(), entry)).collect());
    let mut notes = Vec::new();
    let services = kept(services, &mut notes);
    let (menus, mut paths) = menus(&services, &mut notes);
    let mut offices =
        Offices { known, names: Names::without([CONTROL]), by_code: HashMap::default(), used: Vec::new() };
    let mut ids = Names::without([ELSE]);
    let mut rows = Vec::with_capacity(services.len());
    for service in &services {
        let menu = menus.get(&service.def.menu_path.text).map(|menu| menu.code.as_str());
        rows.push(ServiceRow {
            category: service.named(Named::Category, names::code(&service.at.code), menu, &mut paths, &mut notes),
            id: service.named(Named::Row, names::row_id(&service.at.code), None, &mut ids, &mut notes),
            name: service.shown(&service.def.name.text, Field::Name, &mut notes),
            keywords: service.shown(&service.def.keywords.text, Field::Keywords, &mut notes),
            department: offices.of(service, &mut notes),
            hours: service.hours(&mut notes),
        });
    }
    notes.sort_by_key(|note| note.service.number);
    Ok(Imported {
        categories: categories_csv(&menus, &rows),
        rules: rules_csv(&rows),
        departments: offices.used,
        notes,
    })
}

/// A service that is routed.
struct Service {
    at: ServiceAt,
    def: ServiceDef,
}

/// What a row says of a service.
struct ServiceRow {
    category: String,
    id: String,
    name: String,
    keywords: String,
    /// `None` for the control desk.
    department: Option<DepartmentId>,
    hours: Hours,
}

/// A menu of DIGIT's: a first level.
struct Menu {
    code: String,
    name: String,
}

type ByDigit<T> = HashMap<String, T, FixedState>;

/// The services that are routed: active, with a code that no other had before.
fn kept(services: Vec<ServiceDef>, notes: &mut Vec<Note>) -> Vec<Service> {
    let mut first: ByDigit<usize> = HashMap::default();
    let mut kept = Vec::new();
    for (number, def) in (1..).zip(services) {
        let at = ServiceAt { number, code: def.service_code.text.clone() };
        let what = match first.get(&at.code) {
            _ if at.code.is_empty() => Change::NoCode,
            _ if !def.active.is_true() => Change::Inactive,
            Some(&first) => Change::Twice { first },
            None => {
                first.insert(at.code.clone(), number);
                kept.push(Service { at, def });
                continue;
            }
        };
        notes.push(Note { service: at, what });
    }
    kept
}

/// The menus by their path in DIGIT, and the paths that they take up: theirs come before those of services without a
/// menu, whose codes may be the same.
fn menus(services: &[Service], notes: &mut Vec<Note>) -> (ByDigit<Menu>, Names) {
    let mut paths = Names::without([]);
    let mut menus: ByDigit<Menu> = HashMap::default();
    for service in services {
        let ServiceDef { menu_path: path, menu_path_name: name, .. } = &service.def;
        if path.text.is_empty() || menus.contains_key(&path.text) {
            continue;
        }
        let code = service.named(Named::Menu, names::code(&path.text), None, &mut paths, notes);
        let name = if name.text.is_empty() { &path.text } else { &name.text };
        let name = service.shown(name, Field::MenuName, notes);
        menus.insert(path.text.clone(), Menu { code, name });
    }
    (menus, paths)
}

impl Service {
    fn note(&self, what: Change) -> Note {
        Note { service: self.at.clone(), what }
    }

    /// Its name of a kind, of those that are free below a parent.
    fn named(&self, what: Named, wish: Wish, parent: Option<&str>, names: &mut Names, notes: &mut Vec<Note>) -> String {
        let wish = wish.or(|| format!("{what}-{}", self.at.number));
        let given = names.give(parent, &wish);
        let why = if given.is_wished { wish.why } else { Some(WhyRenamed::Taken) };
        if let Some(why) = why {
            let (wanted, given) = (wish.name, given.name.clone());
            notes.push(self.note(Change::Renamed { what, wanted, given, why }));
        }
        given.name
    }

    /// A text for people, as it can stand in a spreadsheet's cell.
    fn shown(&self, text: &str, field: Field, notes: &mut Vec<Note>) -> String {
        let plain = text.trim_start_matches(['=', '+', '-', '@', ' ']);
        if plain.len() < text.len() {
            notes.push(self.note(Change::FormulaSigns { field }));
        }
        let shown: String = plain.chars().take(MAX_TEXT).collect();
        if shown.len() < plain.len() {
            notes.push(self.note(Change::Shortened { field }));
        }
        shown.trim_end().to_owned()
    }

    fn hours(&self, notes: &mut Vec<Note>) -> Hours {
        let given = &self.def.sla_hours.text;
        let hours = given.parse().ok().and_then(|hours| Hours::new(hours).ok());
        hours.unwrap_or_else(|| {
            notes.push(self.note(Change::Hours { given: note::cut(given) }));
            Hours::from_days((DEFAULT_HOURS / 24) as u16)
        })
    }
}

/// The departments, as they are asked for.
struct Offices {
    /// What `Department.json` has, if it is there.
    known: Option<ByDigit<DepartmentDef>>,
    names: Names,
    by_code: ByDigit<DepartmentId>,
    used: Vec<Department>,
}

impl Offices {
    /// A service's department; `None` where it has none.
    fn of(&mut self, service: &Service, notes: &mut Vec<Note>) -> Option<DepartmentId> {
        let in_digit = &service.def.department.text;
        if in_digit.is_empty() {
            notes.push(service.note(Change::NoDepartment));
            return None;
        }
        let def = self.known.as_ref().map(|known| known.get(in_digit));
        let department = note::cut(in_digit);
        match def {
            Some(None) => notes.push(service.note(Change::UnknownDepartment { department })),
            Some(Some(def)) if !def.active.is_true() => {
                notes.push(service.note(Change::InactiveDepartment { department }));
            }
            _ => {}
        }
        if let Some(code) = self.by_code.get(in_digit) {
            return Some(code.clone());
        }
        let code = service.named(Named::Department, names::code(in_digit), None, &mut self.names, notes);
        // What `names::code` makes is a code.
        let code = DepartmentId::new(&code).ok()?;
        let name = def.flatten().map(|def| def.name.text.clone()).filter(|name| !name.is_empty());
        self.by_code.insert(in_digit.clone(), code.clone());
        self.used.push(Department { code: code.clone(), in_digit: in_digit.clone(), name });
        Some(code)
    }
}

fn categories_csv(menus: &ByDigit<Menu>, rows: &[ServiceRow]) -> String {
    let menus = menus.values().map(|menu| (&menu.code, &menu.name));
    let mut all: Vec<_> = menus.chain(rows.iter().map(|row| (&row.category, &row.name))).collect();
    all.sort_unstable();
    let lines = all.into_iter().map(|(category, name)| format!("{category},{}\n", cell(name)));
    std::iter::once("category,name\n".to_owned()).chain(lines).collect()
}

fn rules_csv(rows: &[ServiceRow]) -> String {
    let header = "id,category,location,department,level,priority,deadline_hours,note\n".to_owned();
    let lines = rows.iter().map(|row| {
        let ServiceRow { category, id, department, hours, .. } = row;
        let (department, level) = department.as_ref().map_or((CONTROL, ""), |code| (code.as_str(), "district"));
        format!("{id},{category},,{department},{level},normal,{},{}\n", hours.get(), cell(&row.note()))
    });
    let last = format!("{ELSE},,,{CONTROL},,normal,24,everything else: the control desk finds out\n");
    std::iter::once(header).chain(lines).chain([last]).collect()
}

impl ServiceRow {
    fn note(&self) -> String {
        let Self { name, keywords, .. } = self;
        match (name.is_empty(), keywords.is_empty()) {
            (_, true) => name.clone(),
            (true, false) => format!("keywords in DIGIT: {keywords}"),
            (false, false) => format!("{name}; keywords in DIGIT: {keywords}"),
        }
    }
}

/// A text as a cell of CSV; line breaks it has none.
fn cell(text: &str) -> String {
    if text.contains(['"', ',']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;
    use crate::tree::{CategoryTree, PlaceTree};

    fn imported(services: &str) -> Imported {
        let imported = import(services.as_bytes(), None).unwrap();
        readable(&imported);
        imported
    }

    fn readable(imported: &Imported) -> Rules {
        let categories = CategoryTree::read(imported.categories.as_bytes()).unwrap();
        Rules::read(categories, PlaceTree::from_paths([]), imported.rules.as_bytes()).unwrap()
    }

    /// A service that has nothing wrong but what is said.
    fn service(code: &str, rest: &str) -> String {
        format!(r#"{{"serviceCode":"{code}","active":true,"department":"DEPT_1","slaHours":1,"menuPath":"M"{rest}}}"#)
    }

    fn list(services: &[String]) -> String {
        format!("[{}]", services.join(","))
    }

    /// Number of the service and change.
    fn changes(imported: &Imported) -> Vec<(usize, &Change)> {
        imported.notes.iter().map(|note| (note.service.number, &note.what)).collect()
    }

    /// The rows but the header and the last, without their notes.
    fn rows(imported: &Imported) -> Vec<String> {
        let lines: Vec<&str> = imported.rules.lines().collect();
        let without_note = |line: &&str| line.splitn(8, ',').take(7).collect::<Vec<_>>().join(",");
        lines[1..lines.len() - 1].iter().map(without_note).collect()
    }

    #[test]
    fn a_service_becomes_two_nodes_and_a_row() {
        let imported = imported(
            r#"{"tenantId":"pb","ServiceDefs":[{"serviceCode":"NoWater","name":"No \"water\"","keywords":"tap,dry","department":
               "DEPT_4","slaHours":336,"menuPath":"WaterandSewage","menuPathName":"Water & sewage","active":true,"order":1}]}"#,
        );
        assert_eq!(
            imported.categories,
            "category,name\nwaterand-sewage,Water & sewage\nwaterand-sewage/no-water,\"No \"\"water\"\"\"\n"
        );
        assert_eq!(
            imported.rules,
            "id,category,location,department,level,priority,deadline_hours,note\n\
             NoWater,waterand-sewage/no-water,,dept-4,district,normal,336,\"No \"\"water\"\"; keywords in DIGIT: tap,dry\"\n\
             ELSE,,,control,,normal,24,everything else: the control desk finds out\n"
        );
        assert_eq!(imported.notes, []);
    }

    #[test]
    fn what_is_inactive_doubled_or_without_a_code_is_left_out_and_told() {
        let services = list(&[
            r#"{"serviceCode":"A","active":false}"#.to_owned(),
            r#"{"serviceCode":"B"}"#.to_owned(),
            r#"{"serviceCode":" ","active":true}"#.to_owned(),
            service("A", ""),
            service("A", ""),
        ]);
        let imported = imported(&services);
        assert_eq!(rows(&imported), ["A,m/a,,dept-1,district,normal,1"]);
        let expected =
            [(1, &Change::Inactive), (2, &Change::Inactive), (3, &Change::NoCode), (5, &Change::Twice { first: 4 })];
        assert_eq!(changes(&imported), expected);
    }

    #[test]
    fn hours_may_be_a_number_as_text_and_what_cannot_be_taken_is_told() {
        for (given, hours) in [("48", "48"), ("\" 48 \"", "48"), ("48.0", "48"), ("87600", "87600")] {
            let services = list(&[service("A", "").replace("\"slaHours\":1", &format!("\"slaHours\":{given}"))]);
            let imported = imported(&services);
            assert_eq!((rows(&imported)[0].rsplit(',').next(), changes(&imported)), (Some(hours), vec![]), "{given}");
        }
        for (given, told) in [
            ("null", ""),
            ("0", "0"),
            ("-4", "-4"),
            ("1.5", "1.5"),
            ("87601", "87601"),
            ("99999999999999999999", "100000000000000000000"),
            ("\"soon\"", "soon"),
            ("true", "true"),
        ] {
            let services = list(&[service("A", "").replace("\"slaHours\":1", &format!("\"slaHours\":{given}"))]);
            let imported = imported(&services);
            assert!(rows(&imported)[0].ends_with(",336"), "{given}");
            assert_eq!(changes(&imported), [(1, &Change::Hours { given: told.to_owned() })], "{given}");
        }
    }

    #[test]
    fn a_department_that_is_not_there_not_active_or_not_said_is_told() {
        let services = list(&[
            service("A", ""),
            service("B", "").replace("DEPT_1", "DEPT_2"),
            service("C", "").replace("DEPT_1", "ENG"),
            service("D", "").replace("\"DEPT_1\"", "null"),
            service("E", "").replace("DEPT_1", "Control"),
        ]);
        let departments = r#"{"Department":[{"code":"DEPT_1","name":"Lights","active":true},
            {"code":"DEPT_2","name":"Roads","active":false},{"code":"Control","active":true}]}"#;
        let imported = import(services.as_bytes(), Some(departments.as_bytes())).unwrap();
        readable(&imported);
        let named = Change::Renamed {
            what: Named::Department,
            wanted: "control".to_owned(),
            given: "control-2".to_owned(),
            why: WhyRenamed::Taken,
        };
        let expected = [
            (2, &Change::InactiveDepartment { department: "DEPT_2".to_owned() }),
            (3, &Change::UnknownDepartment { department: "ENG".to_owned() }),
            (4, &Change::NoDepartment),
            (5, &named),
        ];
        assert_eq!(changes(&imported), expected);
        assert_eq!(rows(&imported)[3], "D,m/d,,control,,normal,1");
        let used: Vec<_> = imported.departments.iter().map(|d| (d.code.as_str(), d.name.as_deref())).collect();
        assert_eq!(used, [("dept-1", Some("Lights")), ("dept-2", Some("Roads")), ("eng", None), ("control-2", None)]);
    }

    #[test]
    fn names_that_fall_together_are_told_apart_and_told() {
        let services = list(&[
            service("Others", "").replace("\"M\"", "\"\""),
            service("ELSE", "").replace("\"M\"", "\"Others\""),
            service("NoLight", ""),
            service("no/light", ""),
            service("पानी", ""),
            service(&"x".repeat(70), ""),
        ]);
        let imported = imported(&services);
        let rows = rows(&imported);
        let categories: Vec<_> = rows.iter().map(|row| row.split(',').nth(1).unwrap()).collect();
        let long = format!("m/{}", "x".repeat(64));
        assert_eq!(
            categories,
            ["others-2", "others/else", "m/no-light", "m/no-light-2", "m/category-5", long.as_str()]
        );
        let ids: Vec<_> = rows.iter().map(|row| row.split(',').next().unwrap()).collect();
        assert_eq!(ids[..5], ["Others", "ELSE-2", "NoLight", "no-light", "row-5"]);
        let renamed = |note: &Note| match &note.what {
            Change::Renamed { what, why, .. } => (note.service.number, *what, *why),
            other => panic!("{other:?}"),
        };
        let renamed: Vec<_> = imported.notes.iter().map(renamed).collect();
        assert_eq!(
            renamed,
            [
                (1, Named::Category, WhyRenamed::Taken),
                (2, Named::Row, WhyRenamed::Taken),
                (4, Named::Category, WhyRenamed::Taken),
                (4, Named::Row, WhyRenamed::Characters),
                (5, Named::Category, WhyRenamed::Characters),
                (5, Named::Row, WhyRenamed::Characters),
                (6, Named::Category, WhyRenamed::TooLong),
                (6, Named::Row, WhyRenamed::TooLong),
            ]
        );
    }

    #[test]
    fn texts_are_such_that_a_spreadsheet_shows_them_and_runs_nothing() {
        let long = "k".repeat(MAX_TEXT + 1);
        let rest = format!(r#","name":"=cmd|' /C calc'!A0\nand\u0000more","keywords":"{long}""#);
        let imported = imported(&list(&[service("A", &rest)]));
        assert!(imported.categories.ends_with("m/a,cmd|' /C calc'!A0 and more\n"), "{}", imported.categories);
        let expected =
            [(1, &Change::FormulaSigns { field: Field::Name }), (1, &Change::Shortened { field: Field::Keywords })];
        assert_eq!(changes(&imported), expected);
    }

    mod random {
        use proptest::prelude::*;
        use serde_json::{Map, Value};

        use super::*;

        fn scalar() -> impl Strategy<Value = Value> {
            prop_oneof![
                Just(Value::Null),
                any::<bool>().prop_map(Value::from),
                any::<i64>().prop_map(Value::from),
                any::<f64>().prop_map(Value::from),
                (0..400).prop_map(Value::from),
                "\\PC{0,12}".prop_map(Value::from),
                "[A-Za-z _/=\"',;\u{0}\n\u{900}-\u{97f}]{0,80}".prop_map(Value::from),
                prop_oneof!["ELSE", "Control", "Others", "DEPT_1", "true"].prop_map(Value::from),
            ]
        }

        fn json() -> impl Strategy<Value = Value> {
            let key = prop_oneof!["ServiceDefs", "MdmsRes", "Department", "serviceCode", "[a-z]{0,3}"];
            scalar().prop_recursive(4, 24, 4, move |inner| {
                let members = proptest::collection::vec((key.clone(), inner.clone()), 0..4);
                prop_oneof![
                    proptest::collection::vec(inner, 0..4).prop_map(Value::from),
                    members.prop_map(|members| Value::from(Map::from_iter(members))),
                ]
            })
        }

        fn service() -> impl Strategy<Value = Value> {
            const KEYS: [&str; 7] =
                ["serviceCode", "name", "keywords", "department", "slaHours", "menuPath", "menuPathName"];
            proptest::collection::vec(scalar(), KEYS.len()).prop_map(|values| {
                let members = KEYS.map(ToOwned::to_owned).into_iter().zip(values);
                Value::from(Map::from_iter(members.chain([("active".to_owned(), Value::Bool(true))])))
            })
        }

        proptest! {
            #[test]
            fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
                let _ = import(&bytes, Some(&bytes));
            }

            #[test]
            fn no_json_panics_and_what_is_taken_can_be_read(services in json(), departments in json()) {
                let (services, departments) = (services.to_string(), departments.to_string());
                if let Ok(imported) = import(services.as_bytes(), Some(departments.as_bytes())) {
                    readable(&imported);
                }
            }

            #[test]
            fn whatever_services_are_their_rows_can_be_read_and_each_is_a_row_or_told(
                services in proptest::collection::vec(service(), 0..12)
            ) {
                let count = services.len();
                let imported = import(Value::from(services).to_string().as_bytes(), None).unwrap();
                let left_out = imported.notes.iter().filter(|note| note.what.is_left_out()).count();
                prop_assert_eq!(readable(&imported).rows().len(), count - left_out + 1);
            }
        }
    }
}
