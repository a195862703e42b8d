//! Tables and taxonomies as they should not come from a spreadsheet: each is refused with the cell and how to mend it,
//! and none is read by half.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;

use jiff::civil::date;
use nivaran::code::CodeProblem;
use nivaran::rules::{Day, Facts, Fault, Finding, MAX_ROWS, Moment, Word};
use nivaran::sheet::MAX_BYTES;
use nivaran::tree::MAX_NODES;
use nivaran::{CategoryPath, CategoryTree, Channel, PlacePath, PlaceTree, Rules, RulesError};
use proptest::prelude::*;

const CATEGORIES: &str = "category,name\nwater,Water\nwater/logging,Logging\npower,Power\n";
const HEADER: &str = "id,category,location,words_any,words_all,department,level,priority,deadline_hours,note\n";
const ELSE: &str = "ELSE,,,,,control,,,24,\n";

fn read_rules(csv: &[u8]) -> Result<Rules, RulesError> {
    let categories = CategoryTree::read(CATEGORIES.as_bytes()).unwrap();
    let places = PlaceTree::from_paths([PlacePath::new("hisar/hansi").unwrap()]);
    Rules::read(categories, places, csv)
}

/// A table of these rows and the one for everything else.
fn table(rows: &str) -> String {
    format!("{HEADER}{rows}{ELSE}")
}

/// All that is found in a table that is not taken.
fn findings(csv: impl AsRef<[u8]>) -> Vec<Finding> {
    let findings = read_rules(csv.as_ref()).expect_err("the table was taken").findings;
    for finding in &findings {
        let words = finding.to_string();
        assert!(!words.contains(|c: char| c.is_control()), "one line that can be read: {words:?}");
        assert!(words.len() < 500, "no more than a person reads: {words}");
        assert!(!finding.what.help().is_empty(), "{finding:?}");
    }
    findings
}

/// The first thing found: its code, line, column, and its words, which have to contain some.
fn found(csv: impl AsRef<[u8]>, parts: &[&str]) -> (&'static str, usize, Option<usize>) {
    let findings = findings(csv);
    let words = findings[0].to_string();
    for part in parts {
        assert!(words.contains(part), "{part:?} is missing in: {words}");
    }
    let at = findings[0].at.first().expect("a place");
    (findings[0].what.code(), at.line, at.column)
}

/// The words of a taxonomy's error, which have to contain some.
fn refused_tree(csv: impl AsRef<[u8]>, parts: &[&str]) {
    let words = CategoryTree::read(csv.as_ref()).expect_err("the taxonomy was taken").to_string();
    for part in parts {
        assert!(words.contains(part), "{part:?} is missing in: {words}");
    }
    assert!(words.len() < 500 && !words.contains(|c: char| c.is_control()), "{words:?}");
}

// ---- separators and rows -----------------------------------------------------------------------------------------

#[test]
fn another_separator_is_told_with_those_that_are_read() {
    let sound = table("W,water,,,,phe,state,,24,\n");
    for separator in ["|", ":", " ", "^"] {
        let csv = sound.replace(',', separator);
        let at = found(&csv, &["line 1, column 1", "commas, semicolons or tabs"]);
        assert_eq!(at, ("column-unknown", 1, Some(1)), "{separator:?}");
        refused_tree(CATEGORIES.replace(',', separator), &["line 1", "category"]);
    }
    // Two files in one: the header is of one program, the rows of another.
    let (header, rows) = sound.split_once('\n').unwrap();
    let csv = format!("{header}\n{}", rows.replace(',', ";"));
    assert_eq!(found(&csv, &["1 cells", "10", "a comma too many or too few"]).1, 2);
    let csv = format!("hit_policy,first\n{}", sound.replace(',', ";"));
    assert_eq!(found(&csv, &["commas, semicolons or tabs"]), ("column-unknown", 2, Some(1)));
}

#[test]
fn a_row_with_cells_missing_is_told_with_its_line_after_what_was_found_before_it() {
    let csv = table("A,water,,,,phe,village,,24,\nB,water,,,,phe,state,,24,\"two\nlines\"\nC,water,,,,phe,state\n");
    let findings = findings(csv);
    let told: Vec<_> = findings.iter().map(|finding| (finding.what.code(), finding.at[0].line)).collect();
    assert_eq!(told, [("malformed-cell", 2), ("no-sheet", 5)]);
    assert_eq!(found(table("A\n"), &["1 cells"]), ("no-sheet", 2, None));
}

#[test]
fn a_header_that_stands_again_is_told_with_its_line() {
    let rows = "W,water,,,,phe,state,,24,\n";
    let at = found(table(&format!("{rows}{HEADER}")), &["line 3", "header", "remove"]);
    assert_eq!(at, ("no-sheet", 3, None));
    assert_eq!(found(format!("hit_policy,first\n{HEADER}{HEADER}{ELSE}"), &["line 3", "remove"]).1, 3);
    refused_tree(format!("{CATEGORIES}{CATEGORIES}"), &["line 5", "header", "remove"]);
}

#[test]
fn a_column_that_stands_twice_is_told_with_its_place_in_any_sheet() {
    let csv = table("").replacen(",note", ",note,note", 1);
    assert_eq!(found(&csv, &["'note'", "remove one"]), ("column-twice", 1, Some(11)));
    refused_tree("category,name,name\nwater,Water,Paani\n", &["line 1", "column 3", "'name'", "remove"]);
    refused_tree("category,category\nwater,power\n", &["line 1", "column 2", "'category'", "remove"]);
    // Columns that are passed over may be called what they like.
    assert!(CategoryTree::read(b"category,hi,hi\nwater,a,b\n").is_ok());
}

#[test]
fn a_quote_that_is_not_closed_is_told_with_its_cell_and_swallows_no_row() {
    let open = "A,water,,,,phe,state,,24,\"open\n";
    for (csv, line, column) in [
        // To the end of the file, in the last cell, so that the number of cells is right.
        (format!("{HEADER}{ELSE}{open}B,power,,,,phe,state,,24,\n"), 3, 10),
        // To the next row's quote.
        (table(&format!("{open}B,power,,,,phe,state,,24,\"closed\"\n")), 2, 10),
        (table("A,\"water,,,,phe,state,,24,\n"), 2, 2),
        (HEADER.replace("note", "\"note") + ELSE, 1, 10),
        (table("A,\"water\"x,,,,phe,state,,24,\n"), 2, 2),
        (table("B,power,,,,phe,state,,24,\"two\nlines\"\nA,water,,fire,\"\n,phe,state,,24,\n"), 4, 5),
    ] {
        let at = found(&csv, &["quote", &format!("line {line}, column {column}")]);
        assert_eq!(at, ("no-sheet", line, Some(column)), "{csv}");
    }
    refused_tree("category,name\nwater,\"Water\npower,Power\n", &["line 2, column 2", "quote"]);
    // What a spreadsheet writes, and a quote in the middle of a cell, as people write inches.
    let sound =
        "A,\"water\" ,,\"\"\"a\"\" b\",,phe,state,,24,\"x, \"\"y\"\"\nz\"\r\nB,power,,,,phe,state,,24,5\" pipe\n";
    let rules = read_rules(table(sound).as_bytes()).unwrap();
    assert_eq!(rules.rows().len(), 3);
}

#[test]
fn a_cell_with_an_inch_in_it_is_pointed_at_and_nothing_behind_it() {
    let csv = table("A,5\" pipe,,,,phe,state,,24,\n");
    let bytes = findings(&csv)[0].at[0].bytes.clone().unwrap();
    assert_eq!(&csv[bytes], "5\" pipe");
}

// ---- encodings ---------------------------------------------------------------------------------------------------

fn utf16(text: &str, mark: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    mark.encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
}

#[test]
fn other_encodings_and_mixed_ones_are_told_with_the_cell_and_how_to_save() {
    let row = |cell: &[u8]| [HEADER.as_bytes(), b"A,water,,", cell, b",,phe,state,,24,\n", ELSE.as_bytes()].concat();
    let hindi_then_latin = ["करंट|caf".as_bytes(), b"\xe9"].concat();
    for (what, cell) in [
        ("Latin-1", &b"caf\xe9"[..]),
        ("Windows-1252's quotes", b"\x93live wire\x94"),
        ("Hindi, then Latin-1", &hindi_then_latin),
        ("a character cut in two", &"करंट".as_bytes()[..4]),
        ("a surrogate", b"\xed\xa0\x80"),
    ] {
        assert_eq!(found(row(cell), &["line 2, column 4", "CSV UTF-8"]), ("no-sheet", 2, Some(4)), "{what}");
    }
    let sound = table("A,water,,करंट,,phe,state,,24,\n");
    for (what, csv) in [
        ("UTF-16LE", utf16(&sound, "\u{feff}", u16::to_le_bytes)),
        ("UTF-16BE", utf16(&sound, "\u{feff}", u16::to_be_bytes)),
        ("UTF-16LE without a mark", utf16(&table(""), "", u16::to_le_bytes)),
        ("UTF-16BE without a mark", utf16(&table(""), "", u16::to_be_bytes)),
    ] {
        assert_eq!(found(&csv, &["line 1, column 1", "CSV UTF-8"]), ("no-sheet", 1, Some(1)), "{what}");
        refused_tree(&csv, &["line 1, column 1", "CSV UTF-8"]);
    }
}

#[test]
fn a_nul_is_told_with_its_cell_wherever_it_stands() {
    for column in 1..=10 {
        let mut cells: Vec<String> = "A,water,hisar,a,b,phe,state,low,24,n".split(',').map(ToOwned::to_owned).collect();
        cells[column - 1].push('\0');
        let csv = table(&format!("{}\n", cells.join(",")));
        let words = format!("line 2, column {column}");
        assert_eq!(found(&csv, &[&words, "U+0000", "CSV UTF-8"]), ("no-sheet", 2, Some(column)));
    }
    refused_tree("category,name\nwater,Wa\0ter\n", &["line 2, column 2", "U+0000"]);
    refused_tree("category,na\0me\nwater,Water\n", &["line 1, column 2", "U+0000"]);
}

#[test]
fn words_in_hindi_are_found_however_they_are_written() {
    // The same words: nukta composed or not, with and without the marks that only say how to draw a conjunct.
    for (in_table, in_text) in [
        ("सड\u{93c}क", "स\u{95c}क"),
        ("स\u{95c}क", "सड\u{93c}क"),
        ("शिक्षा", "शिक्\u{200d}षा"),
        ("शिक्\u{200c}षा", "शिक्षा"),
        ("\u{feff}पानी", "पानी"),
        ("पानी", "पा\u{ad}नी"),
    ] {
        let rules = read_rules(table(&format!("A,,,{in_table},,phe,state,,24,\n")).as_bytes()).unwrap();
        let found = rules.words_in(&format!("हमारी {in_text} टूटी है")).unwrap();
        let facts = Facts { words: Some(&found), ..facts() };
        assert_eq!(rules.decide(&facts).row.id.as_str(), "A", "{in_table:?} {in_text:?}");
    }
    assert_eq!(Word::new("\u{200d}\u{200c}"), None, "marks alone are no word");
}

#[test]
fn a_code_in_hindi_or_with_a_mark_that_nobody_sees_is_told_with_the_character() {
    for (code, character, shown) in [
        ("पानी", 'प', "'प' at character 1"),
        ("water\u{200d}", '\u{200d}', "'\\u{200d}' at character 6"),
        ("wate\u{301}r", '\u{301}', "'\\u{301}' at character 5"),
        ("wаter", 'а', "'а' at character 2"),
    ] {
        for (row, column) in [(format!("A,{code},,,,phe,state,,24,\n"), 2), (format!("A,,,,,{code},state,,24,\n"), 6)] {
            let findings = findings(table(&row));
            let Fault::Code(error) = &findings[0].what else { panic!("{findings:?}") };
            assert!(matches!(error.problem, CodeProblem::Character { found, .. } if found == character), "{error:?}");
            assert_eq!(found(table(&row), &[shown, "only a-z, 0-9"]), ("malformed-code", 2, Some(column)));
        }
        refused_tree(format!("category\n{code}\n"), &["line 2", shown]);
    }
    assert_eq!(found(table("A,water,,,,phe,state,,७२,\n"), &["'७२'", "whole hours"]), ("malformed-cell", 2, Some(9)));
}

// ---- sizes -------------------------------------------------------------------------------------------------------

#[test]
fn a_cell_of_a_million_characters_is_told_with_its_length() {
    let long = "अ".repeat(1_000_000);
    for (csv, line, column) in [
        (table(&format!("A,water,,,,phe,state,,24,{long}\n")), 2, 10),
        (table(&format!("A,water,,\"{long}\",,phe,state,,24,\n")), 2, 4),
        (HEADER.replace("note", &long) + ELSE, 1, 10),
    ] {
        let words = format!("line {line}, column {column}");
        assert_eq!(found(&csv, &[&words, "3000000 bytes", "10000"]), ("no-sheet", line, Some(column)));
    }
    refused_tree(format!("category,name\nwater,{long}\n"), &["line 2, column 2", "3000000 bytes"]);
}

#[test]
fn a_file_of_a_hundred_megabytes_is_refused_by_its_size_before_a_byte_of_it_is_read() {
    // Read, it would be refused for its encoding.
    let large = vec![0xff; 100 << 20];
    let limit = MAX_BYTES.to_string();
    assert_eq!(found(&large, &["104857600 bytes", &limit, "split it"]), ("no-sheet", 1, None));
    refused_tree(&large, &["104857600 bytes", &limit]);
}

#[test]
fn a_row_or_a_node_too_many_is_told_with_its_line() {
    let mut csv = HEADER.to_owned();
    for n in 0..=MAX_ROWS {
        writeln!(csv, "R{n},,,,,control,,,24,").unwrap();
    }
    let findings = read_rules(csv.as_bytes()).expect_err("the table was taken").findings;
    let last = findings.iter().find(|finding| finding.what == Fault::TooManyRows).expect("it is told");
    assert_eq!(last.at[0].line, MAX_ROWS + 2);
    assert!(last.to_string().contains("200000 rows"), "{last}");
    let nodes: String = (0..=MAX_NODES).fold("category\n".to_owned(), |mut csv, n| {
        writeln!(csv, "c{n}").unwrap();
        csv
    });
    refused_tree(nodes, &[&format!("line {}", MAX_NODES + 2), "100000 rows"]);
}

// ---- what spreadsheets run ---------------------------------------------------------------------------------------

#[test]
fn a_formula_is_told_with_its_cell_in_every_column_but_the_note() {
    for formula in ["=A1*2", "+cmd|' /C calc'!A0", "@SUM(A1)", "=HYPERLINK(\"\"http://example.org\"\")"] {
        for column in 1..=9 {
            let mut cells: Vec<&str> = "A,water,hisar,a,b,phe,state,low,24,n".split(',').collect();
            let quoted = format!("\"{formula}\"");
            cells[column - 1] = &quoted;
            let csv = table(&format!("{}\n", cells.join(",")));
            assert_eq!(found(&csv, &["formula", "paste values"]), ("formula", 2, Some(column)), "{formula}");
        }
        assert!(read_rules(table(&format!("A,water,,,,phe,state,,24,\"{formula}\"\n")).as_bytes()).is_ok());
        refused_tree(format!("category,name\n\"{formula}\",x\n"), &["line 2", "at character 1"]);
    }
}

// ---- the taxonomy ------------------------------------------------------------------------------------------------

#[test]
fn a_taxonomy_cannot_go_in_a_circle_and_what_comes_nearest_ends_at_the_root() {
    // A name may come again below itself: it is another node. Parents may stand below their children.
    let csv = "category,name\na/b/a,third\na/b,second\na,first\nb/a,other\nb,another\n";
    let tree = CategoryTree::read(csv.as_bytes()).unwrap();
    assert_eq!(tree.paths().map(|path| path.as_str()).collect::<Vec<_>>(), ["a", "a/b", "a/b/a", "b", "b/a"]);
    assert_eq!(tree.nearest("a/b/a/b/a/b").map(|path| path.as_str()), Some("a/b/a"));
    let rules = "A,a,,,,phe,state,,24,\nB,a/b/a,,,,phe,state,,48,\n";
    let rules = Rules::read(tree, PlaceTree::from_paths([]), table(rules).as_bytes()).unwrap();
    for (category, row) in [("a", "A"), ("a/b", "A"), ("a/b/a", "B"), ("a/b/a/b", "B"), ("b/a", "ELSE")] {
        let category = CategoryPath::new(category).unwrap();
        let facts = Facts { category: Some(&category), ..facts() };
        assert_eq!(rules.decide(&facts).row.id.as_str(), row, "{category}");
    }
    // One whose parents are never said, and one that goes round for ever.
    refused_tree("category\na\na/b/a\n", &["line 3", "'a/b/a'", "add a row for 'a/b'"]);
    refused_tree("category\na/b/a/b/a/b/a/b/a\n", &["line 2", "more than 8 levels", "name a parent"]);
    for step in ["a/./a", "a/../a", "a//a", "/a", "a/"] {
        refused_tree(format!("category\na\n{step}\n"), &["line 3", "at character"]);
    }
    refused_tree("category\na\na/b\na/b\n", &["line 4", "'a/b'", "remove one"]);
}

fn facts() -> Facts<'static> {
    let moment = Moment::new(date(2026, 1, 5), Day::Working, 600);
    Facts { category: None, place: None, channel: Channel::X, language: None, words: None, moment }
}

// ---- anything ----------------------------------------------------------------------------------------------------

const PIECES: &[&str] =
    &["\"", ",", ";", "\t", "\n", "\r\n", "\0", "\u{feff}", "=", "+", "@", "|", "!", "water", "control", HEADER];

/// A piece of a sheet, or what does not belong into one.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..3);
    prop_oneof![proptest::sample::select(PIECES).prop_map(|text| text.as_bytes().to_vec()), bytes]
}

proptest! {
    #[test]
    fn a_sound_table_with_pieces_put_in_anywhere_is_refused_in_words_or_decides(
        pieces in proptest::collection::vec((any::<proptest::sample::Index>(), piece()), 0..6)
    ) {
        let sound = table("A,water,hisar,live wire|करंट,,phe,state,,24,\"x, y\"\nB,!power,,,\"a\",phe,district,low,24,\n");
        let mut csv = sound.into_bytes();
        for (at, piece) in pieces {
            let at = at.index(csv.len());
            csv.splice(at..at, piece);
        }
        match read_rules(&csv) {
            Ok(rules) => {
                let found = rules.words_in("a live wire");
                let facts = Facts { words: found.as_ref(), ..facts() };
                let (decision, explained) = (rules.decide(&facts).row.id.clone(), rules.explain(&facts));
                prop_assert_eq!(&decision, &explained.row);
            }
            Err(_) => {
                findings(&csv);
            }
        }
    }
}

/// A table of so many rows of one category, each with a word of its own.
fn alike(rows: usize, row: impl Fn(usize) -> String) -> Vec<u8> {
    let head = "id,category,location,channel,words_any,department,level,priority,deadline_hours\n";
    let rows: String = (0..rows).map(|n| format!("R-{n},water,,{}\n", row(n))).collect();
    format!("{head}{rows}ELSE,,,,,control,,,24\n").into_bytes()
}

#[test]
fn many_rows_of_one_rank_are_compiled_where_they_say_the_same_and_else_refused_without_end_of_looking() {
    let same = alike(20_000, |n| format!(",w{n},phe,district,high,24"));
    assert_eq!(read_rules(&same).unwrap().rows().len(), 20_001);
    // No two of different answers can both win, which is seen only pair by pair.
    let other = alike(20_000, |n| match n % 2 {
        0 => format!("x,w{n},phe,district,high,24"),
        _ => format!("phone,w{n},ulb,district,high,24"),
    });
    let error = read_rules(&other).unwrap_err();
    assert!(error.findings.iter().any(|found| found.what == Fault::TooManyRivals), "{error}");
}
