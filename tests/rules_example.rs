//! The example `rules`, run as a process: what it finds is shown in its cell, its exit status says what it comes to, and
//! machines get the same.
//!
//! `cargo test` builds examples beside the tests; `cargo test --test rules_example` alone does not, and takes what was
//! built last.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

// Cargo either builds an example or runs its tests; those of these rooms run here.
#[allow(dead_code, reason = "only its tests are of use here")]
#[path = "../examples/rules/cut.rs"]
mod cut;
#[allow(dead_code, reason = "only its tests are of use here")]
#[path = "../examples/rules/lines.rs"]
mod lines;
#[allow(dead_code, reason = "only its tests are of use here")]
#[path = "../examples/rules/wording.rs"]
mod wording;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::{env, fs};

use jiff::civil::date;
use nivaran::rules::{Finding, Severity};
use nivaran::{CategoryTree, PlaceTree, Roster, Rules};
use serde_json::Value;
use unicode_width::UnicodeWidthChar;

const HARYANA: &str = "examples/haryana/rules.csv";
const ROSTER: [&str; 2] = ["--roster", "examples/haryana/roster.toml"];

/// The example as it was built with this test.
fn example() -> Command {
    let mut path = env::current_exe().unwrap();
    path.pop();
    path.set_file_name("examples");
    path.push(format!("rules{}", env::consts::EXE_SUFFIX));
    assert!(path.exists(), "there is no {}: cargo build --example rules", path.display());
    let mut command = Command::new(path);
    command.env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    example().args(args).output().unwrap()
}

/// What is printed, and the exit status; nothing is complained of.
fn told(args: &[&str]) -> (String, i32) {
    let Output { status, stdout, stderr } = run(args);
    assert_eq!(String::from_utf8(stderr).unwrap(), "", "{args:?}");
    (String::from_utf8(stdout).unwrap(), status.code().unwrap())
}

fn json(args: &[&str]) -> (Value, i32) {
    let (text, status) = told(&[args, &["--json"]].concat());
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&value["form"], &value["command"]), (&Value::from(1), &Value::from(args[0])));
    (value, status)
}

/// What is complained of: nothing is printed, and the status is 2.
fn complained(args: &[&str]) -> String {
    let Output { status, stdout, stderr } = run(args);
    assert_eq!((status.code(), stdout.len()), (Some(2), 0), "{args:?}");
    String::from_utf8(stderr).unwrap()
}

fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap()).sum()
}

fn is_narrow(text: &str) {
    for line in text.lines() {
        assert!(width(line) <= 80, "{} columns: {line}", width(line));
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}

/// A folder that is removed with all that is in it.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A table of these rows beside the trees of `tests/rules`.
fn table(folder: &tempfile::TempDir, csv: &[u8]) -> PathBuf {
    for name in ["categories.csv", "places.csv"] {
        fs::copy(format!("tests/rules/{name}"), folder.path().join(name)).unwrap();
    }
    let path = folder.path().join("rules.csv");
    fs::write(&path, csv).unwrap();
    path
}

// ---- check -------------------------------------------------------------------------------------------------------

#[test]
fn haryanas_table_has_no_error_and_warns_of_departments_that_have_nobody_somewhere() {
    let (text, status) = told(&["check", HARYANA]);
    is_narrow(&text);
    let codes: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("warning[")?.split(']').next()).collect();
    assert_eq!((codes, status), (vec!["no-officer"; 3], 1));
    assert!(text.ends_with("hints are not shown: see them with --all\n3 warnings, 15 hints in 184 rows\n"), "{text}");
    let (text, status) = told(&["check", HARYANA, "--all", "--allow-warnings"]);
    is_narrow(&text);
    assert_eq!((text.matches("\nhint[overlap]: ").count() + 1, status), (15, 0));
    assert!(text.starts_with("hint[overlap]: row W-07: this row goes before"), "{text}");
}

#[test]
fn each_severity_has_its_exit_status() {
    for (args, status, last) in [
        (vec!["examples/replay/rules.csv"], 0, "224 rows, nothing to say"),
        (vec!["tests/rules/hints.csv"], 0, "1 hint in 6 rows"),
        (vec!["tests/rules/warnings.csv"], 1, "2 warnings in 6 rows"),
        (vec!["tests/rules/warnings.csv", "--allow-warnings"], 0, "2 warnings in 6 rows"),
        (vec!["tests/rules/bad.csv"], 2, "7 errors in 9 rows"),
        (vec!["tests/rules/bad.csv", "--allow-warnings"], 2, "7 errors in 9 rows"),
    ] {
        let (text, is) = told(&[&["check"], &args[..]].concat());
        assert_eq!((text.lines().last(), is), (Some(last), status), "{args:?}");
    }
}

#[test]
fn findings_are_shown_in_their_cells_with_why_and_what_to_do() {
    for table in ["bad", "warnings"] {
        let (text, _) = told(&[&["check", &format!("tests/rules/{table}.csv")], &ROSTER[..]].concat());
        is_narrow(&text);
        assert_eq!(text, fs::read_to_string(format!("tests/rules/{table}.txt")).unwrap(), "{table}");
    }
}

#[test]
fn hindi_cells_are_underlined_where_they_stand_by_the_columns_they_take() {
    let (text, _) = told(&["check", "tests/rules/bad.csv"]);
    for cell in ["हिसार", "live wire|करंट||बिजली का तार"] {
        let mut lines = text.lines().skip_while(|line| !(line.contains(" | ") && line.contains(cell)));
        let (line, marks) = (lines.next().unwrap(), lines.next().unwrap());
        let before = &line[..line.find(cell).unwrap()];
        assert_eq!(marks.find('^'), Some(width(before)), "{line}\n{marks}");
        assert_eq!(marks.matches('^').count(), width(cell), "{line}\n{marks}");
    }
    assert!(text.contains("tests/rules/bad.csv:8:118\n"), "the column in the file, though the line is cut: {text}");
}

#[test]
fn a_spreadsheets_mark_separators_and_line_ends_move_no_mark() {
    let folder = folder();
    let csv = fs::read_to_string("tests/rules/warnings.csv").unwrap();
    for separator in [";", "\t"] {
        let csv = format!("\u{feff}{}", csv.replace(',', separator).replace('\n', "\r\n"));
        let path = table(&folder, csv.as_bytes());
        let (text, status) = told(&["check", path.to_str().unwrap()]);
        let marks = "\n  |                           ^^^^^^^^^^ column 5, valid_until\n";
        assert!(text.contains(marks) && text.contains("rules.csv:3:27\n") && status == 1, "{separator:?}: {text}");
    }
}

/// What the library finds in a table.
fn found(table: &str) -> Vec<Finding> {
    let read = |name: &str| fs::read(PathBuf::from(table).with_file_name(name)).unwrap();
    let (categories, places) = (CategoryTree::read(&read("categories.csv")), PlaceTree::read(&read("places.csv")));
    let roster = Roster::read(&fs::read_to_string(ROSTER[1]).unwrap()).unwrap();
    let csv = fs::read(table).unwrap();
    Rules::check(categories.unwrap(), places.unwrap(), &csv, Some(&roster), date(2026, 1, 5)).findings
}

#[test]
fn machines_get_all_that_is_found_with_the_bytes_of_its_cells() {
    for table in [HARYANA, "tests/rules/bad.csv", "tests/rules/warnings.csv", "tests/rules/hints.csv"] {
        let (document, _) = json(&[&["check", table], &ROSTER[..]].concat());
        let (findings, told) = (found(table), document["findings"].as_array().unwrap());
        assert_eq!(findings.len(), told.len(), "{table}");
        for (finding, told) in findings.iter().zip(told) {
            assert_eq!((&told["code"], &told["help"]), (&finding.what.code().into(), &finding.what.help().into()));
            assert_eq!(told["message"], finding.what.to_string());
            assert_eq!(told["row"].as_str(), finding.row.as_ref().map(|row| row.as_str()));
            assert_eq!(told["places"].as_array().unwrap().len(), finding.at.len());
            for (at, place) in finding.at.iter().zip(told["places"].as_array().unwrap()) {
                assert_eq!((&place["line"], &place["column"]), (&at.line.into(), &at.column.into()));
                if let Some(bytes) = &at.bytes {
                    assert_eq!((&place["start"], &place["end"]), (&bytes.start.into(), &bytes.end.into()));
                }
            }
            assert_eq!(told["witness"].is_object(), finding.witness.is_some());
        }
        let count = |severity: Severity| findings.iter().filter(|finding| finding.severity() == severity).count();
        assert_eq!(document["errors"], count(Severity::Error));
        assert_eq!(document["warnings"], count(Severity::Warning));
        assert_eq!(document["advice"], count(Severity::Advice));
    }
    let (document, status) = json(&["check", "tests/rules/bad.csv"]);
    assert_eq!((status, &document["table"], &document["rows"]), (2, &Value::Null, &9.into()));
    assert_eq!(document["without"], Value::from(vec!["roster"]));
    let tie = document["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "tie").unwrap();
    assert_eq!(tie["witness"]["words"], Value::from(vec!["आग", "करंट"]));
    assert_eq!((&tie["witness"]["category"], &tie["witness"]["holiday"]), (&"power".into(), &false.into()));
}

#[test]
fn faults_of_the_header_and_of_the_sheet_point_at_their_cells_too() {
    let folder = folder();
    for (csv, line, cell) in [
        (&b"id,category;x,location\n"[..], 1, "category;x"),
        (b"id,catagory,location\n", 1, "catagory"),
        (b"hit_policy,best\nid\n", 1, "best"),
        (
            b"id,category,location,department,level,priority,deadline_hours\nA,\"water\"x,,phe,state,,24\n",
            2,
            "\"water\"x",
        ),
        (b"id,category,location,department,level,priority,deadline_hours\nA,water,,phe\n", 2, "A,water,,phe"),
    ] {
        let path = table(&folder, csv);
        let (document, status) = json(&["check", path.to_str().unwrap()]);
        let place = &document["findings"][0]["places"][0];
        let at = |name: &str| usize::try_from(place[name].as_u64().unwrap()).unwrap();
        assert_eq!(std::str::from_utf8(&csv[at("start")..at("end")]).unwrap(), cell);
        assert_eq!((at("line"), status), (line, 2));
        is_narrow(&told(&["check", path.to_str().unwrap()]).0.replace(path.parent().unwrap().to_str().unwrap(), ""));
    }
}

#[test]
fn whatever_stands_in_a_file_is_told_without_a_panic() {
    let folder = folder();
    let sound = fs::read("tests/rules/warnings.csv").unwrap();
    let utf16: Vec<u8> = String::from_utf8_lossy(&sound).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut files = vec![Vec::new(), b"\n".to_vec(), b"\xef\xbb\xbf".to_vec(), utf16, vec![0; 5_000], vec![b'"'; 99]];
    files.push(vec![b','; 200_000]);
    files.push([&sound[..90], b"\x1b[31m,\xe2\x80\xae\xff\n"].concat());
    files.push(b"a,b\rc,d\r".to_vec());
    // Cut anywhere, also in the middle of a letter.
    files.extend((0..sound.len()).step_by(7).map(|end| sound[..end].to_vec()));
    for file in files {
        let path = table(&folder, &file);
        let (text, status) = told(&["check", path.to_str().unwrap(), "--all"]);
        assert!((0..=2).contains(&status), "{status}");
        is_narrow(&text.replace(path.parent().unwrap().to_str().unwrap(), ""));
        json(&["check", path.to_str().unwrap()]);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut command = example();
    command.args(["check", HARYANA, "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(1), 0));
}

// ---- explain, diff, import ---------------------------------------------------------------------------------------

#[test]
fn a_grievance_is_explained_with_the_row_that_wins_and_those_that_came_nearest() {
    let asked = ["explain", HARYANA, "--category", "water/logging/drain", "--place", "hisar/hisar"];
    let (text, status) = told(&[&asked[..], &["--at", "2026-01-05T12:00"]].concat());
    is_narrow(&text);
    assert_eq!(status, 0);
    let expected = "\
the category 'water/logging/drain' is not in the taxonomy: it is taken as
    'water/logging', the nearest that is
a grievance about water/logging/drain in hisar/hisar by x on 2026-01-05 at
    12:00:
row W-04 of table ";
    assert!(text.starts_with(expected) && text.contains("\nrow W-01 holds too: "), "{text}");
    let (document, _) = json(&asked);
    assert_eq!((&document["row"], &document["lost"][0]["row"]), (&"W-04".into(), &"W-01".into()));
    assert_eq!(document["taken"].as_array().unwrap().len(), 1);
    assert_eq!(document["grievance"]["place"], "hisar/hisar");
}

#[test]
fn what_is_asked_about_may_have_words_a_language_a_channel_and_a_holiday() {
    let asked = ["explain", "tests/rules/hints.csv", "--category", "power", "--text", "बिजली के खंभे में करंट है"];
    let (document, status) = json(&[&asked[..], &["--language", "hi", "--channel", "phone", "--holiday"]].concat());
    assert_eq!((&document["row"], status), (&"P-01".into(), 0));
    let grievance = &document["grievance"];
    assert_eq!([&grievance["channel"], &grievance["language"]], ["phone", "hi"]);
    assert_eq!((&grievance["holiday"], &grievance["category"]), (&true.into(), &"power".into()));
    let (document, _) = json(&asked[..4]);
    assert_eq!(document["row"], "P-02");
    let lost = document["lost"].as_array().unwrap().iter().find(|lost| lost["row"] == "P-01").unwrap();
    assert_eq!((&lost["holds"], &lost["failed"][0]["condition"]), (&false.into(), &"words".into()));
}

#[test]
fn a_rosters_holidays_count_whatever_its_time_zone() {
    let folder = folder();
    let path = table(&folder, &fs::read("tests/rules/hints.csv").unwrap());
    for zone in ["Asia/Kolkata", "Pacific/Kiritimati", "Etc/GMT+12"] {
        let roster = fs::read_to_string(ROSTER[1]).unwrap();
        let roster =
            roster.replace("time_zone = \"Asia/Kolkata\"", &format!("time_zone = \"{zone}\"\nholidays = [2026-01-26]"));
        fs::write(folder.path().join("roster.toml"), roster).unwrap();
        for (at, is_holiday) in [("2026-01-26T00:00", true), ("2026-01-26T23:59", true), ("2026-01-27T00:00", false)] {
            let (document, _) = json(&["explain", path.to_str().unwrap(), "--at", at]);
            assert_eq!(document["grievance"]["holiday"], is_holiday, "{zone} {at}");
        }
    }
}

#[test]
fn a_diff_tells_what_is_decided_otherwise_and_by_its_status_whether_anything_is() {
    assert_eq!(told(&["diff", HARYANA, HARYANA]), ("nothing is decided otherwise\n".to_owned(), 0));
    let folder = folder();
    for name in ["categories.csv", "places.csv"] {
        fs::copy(format!("examples/haryana/{name}"), folder.path().join(name)).unwrap();
    }
    let new = folder.path().join("rules.csv");
    let csv = fs::read_to_string(HARYANA).unwrap();
    fs::write(&new, csv.replacen(",gmda,state,high,24,", ",gmda,state,high,36,", 1)).unwrap();
    let (text, status) = told(&["diff", HARYANA, new.to_str().unwrap()]);
    is_narrow(&text);
    let expected = "\
water/logging itself in gurugram
  was: row W-05: gmda at the state's level, high priority, 24 hours
  is:  row W-05: gmda at the state's level, high priority, 36 hours
  as for a grievance about water/logging in gurugram by x on 2026-01-05 at 12:00

1 change
";
    assert_eq!((text.as_str(), status), (expected, 1));
    let (document, status) = json(&["diff", HARYANA, new.to_str().unwrap()]);
    let change = &document["changes"][0];
    assert_eq!((&change["was"]["row"], &change["is"]["row"], status), (&"W-05".into(), &"W-05".into(), 1));
    assert_eq!(change["parts"][0]["places"][0], serde_json::json!({ "extent": "below", "path": "gurugram" }));
}

#[test]
fn a_table_with_errors_is_told_as_check_tells_it() {
    let checked = fs::read_to_string("tests/rules/bad.txt").unwrap();
    let tie = &checked[checked.find("error[tie]").unwrap()..checked.find("7 errors").unwrap()];
    for args in [
        vec!["diff", "tests/rules/hints.csv", "tests/rules/bad.csv"],
        vec!["explain", "tests/rules/bad.csv", "--category", "power"],
    ] {
        let (text, status) = told(&args);
        assert!(text.contains(tie) && status == 2, "{text}");
        let (document, status) = json(&args);
        assert_eq!((&document["refused"][0]["file"], status), (&"tests/rules/bad.csv".into(), 2));
        assert!(document["refused"][0]["findings"].as_array().unwrap().len() > 5);
    }
}

#[test]
fn what_a_digit_pgr_has_becomes_a_table_that_check_takes_and_nothing_is_written_over() {
    let folder = folder();
    let to = folder.path().join("new").join("tables");
    let asked = ["import", "tests/digit/ServiceDefs.json", "tests/digit/Department.json", "--to", to.to_str().unwrap()];
    let (text, status) = told(&asked);
    assert_eq!(status, 1);
    for part in ["\n  dept-1: Street Lights (DEPT_1 in DIGIT)\n", "No places.csv is made", "\n2 notes on 9 rows\n"] {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
    let rules = to.join("rules.csv");
    let (text, status) = told(&["check", rules.to_str().unwrap()]);
    assert_eq!((text.lines().last(), status), (Some("9 rows, nothing to say"), 0), "{text}");
    assert!(text.starts_with("there is no places.csv beside the table"), "{text}");
    fs::remove_file(to.join("categories.csv")).unwrap();
    let before = fs::read(&rules).unwrap();
    let complaint = complained(&asked);
    assert!(complaint.contains("it is there already"), "{complaint}");
    assert!(!to.join("categories.csv").exists() && fs::read(&rules).unwrap() == before);
    let other = folder.path().join("other");
    let args = ["import", "tests/digit/ServiceDefs.json", "--allow-warnings", "--to", other.to_str().unwrap()];
    let (document, status) = json(&args);
    assert_eq!((&document["rows"], status), (&9.into(), 0));
    assert_eq!(document["notes"][0]["left_out"], true);
    assert_eq!(document["departments"][0]["code"], "dept-1");
}

// ---- trouble -----------------------------------------------------------------------------------------------------

#[test]
fn a_wrong_command_line_is_told_with_what_there_is_to_say() {
    for (args, part) in [
        (&[][..], "what is to be done"),
        (&["route"], "no command 'route'"),
        (&["check"], "one table, not 0"),
        (&["check", "a", "b"], "one table, not 2"),
        (&["diff", "a"], "two tables, not 1"),
        (&["import", "a"], "--to FOLDER"),
        (&["import", "--to", "a"], "one or two files"),
        (&["check", "a", "--holiday"], "check has no option --holiday"),
        (&["check", "a", "--all", "--all"], "twice"),
        (&["check", "a", "--roster"], "give the file with the roster"),
        (&["explain", HARYANA, "--category", "Water"], "category 'Water' has 'W'"),
        (&["explain", HARYANA, "--channel", "import"], "no such channel"),
        (&["explain", HARYANA, "--language", "Hindi"], "--language 'Hindi'"),
        (&["explain", HARYANA, "--at", "noon"], "no day and time"),
    ] {
        let complaint = complained(args);
        is_narrow(&complaint);
        let words = complaint.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.starts_with("rules: ") && words.contains(part), "{args:?}: {complaint}");
        assert!(complaint.contains("\nsay one of these:\n  rules check TABLE"), "{complaint}");
    }
    assert_eq!(told(&["explain", "--help"]).1, 0);
}

#[test]
fn what_cannot_be_read_is_told_with_its_name() {
    let folder = folder();
    let large = folder.path().join("large.csv");
    fs::File::create(&large).unwrap().set_len(40 << 20).unwrap();
    let broken = folder.path().join("broken.toml");
    fs::write(&broken, b"time_zone = \xff").unwrap();
    let (large, broken, here) = (large.to_str().unwrap(), broken.to_str().unwrap(), folder.path().to_str().unwrap());
    for (args, part) in [
        (vec!["check", "nowhere.csv"], "nowhere.csv: "),
        (vec!["check", here], here),
        (vec!["check", large], "the file has 41943040 bytes"),
        (vec!["check", HARYANA, "--categories", "nowhere.csv"], "nowhere.csv: "),
        (vec!["check", HARYANA, "--places", "examples/haryana/categories.csv"], "no column 'place'"),
        (vec!["check", HARYANA, "--roster", broken], "it is not UTF-8"),
        (vec!["diff", HARYANA, "nowhere.csv"], "nowhere.csv: "),
        (vec!["import", HARYANA, "--to", here], "ServiceDefs.json, line 1"),
        (vec!["import", "tests/digit/ServiceDefs.json", "--to", large], "large.csv"),
    ] {
        let complaint = complained(&args).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(complaint.contains(part), "{args:?}: {complaint}");
        let (document, status) = json(&args);
        assert!(document["trouble"].as_str().unwrap().contains(part) && status == 2, "{document}");
    }
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_utf_8_is_a_name() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = folder();
    let path = folder.path().join(OsStr::from_bytes(b"r\xe9gles.csv"));
    fs::copy("tests/rules/hints.csv", &path).unwrap();
    fs::copy("tests/rules/categories.csv", folder.path().join("categories.csv")).unwrap();
    fs::copy("tests/rules/places.csv", folder.path().join("places.csv")).unwrap();
    let output = example().arg("check").arg(&path).arg("--all").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("r\u{fffd}gles.csv:3:1"));
    let output = example().args(["explain", HARYANA, "--text"]).arg(OsStr::from_bytes(b"\xff")).output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("--text: it is not UTF-8"));
}
