//! Whatever bytes are read as a rules table or as DIGIT's masters: they are refused in words, or the table decides and
//! explains, and the same row wins in both. What is made of DIGIT's masters can be read.
#![no_main]

use std::sync::OnceLock;

use jiff::civil::date;
use libfuzzer_sys::fuzz_target;
use nivaran::rules::{Day, Facts, Moment, digit};
use nivaran::{CategoryPath, CategoryTree, Channel, Language, PlacePath, PlaceTree, Rules};

fn trees() -> &'static (CategoryTree, PlaceTree) {
    static TREES: OnceLock<(CategoryTree, PlaceTree)> = OnceLock::new();
    TREES.get_or_init(|| {
        let categories = ["water/logging", "power/outage", "bribe"].map(|path| path.parse().expect("a category"));
        let places = ["hisar/hansi", "rohtak"].map(|path| path.parse().expect("a place"));
        (CategoryTree::from_paths(categories), PlaceTree::from_paths(places))
    })
}

fn routes(rules: &Rules) {
    let category: CategoryPath = "water/logging/street".parse().expect("a category");
    let place: PlacePath = "hisar".parse().expect("a place");
    let language = Language::new("hi-Latn").ok();
    let words = rules.words_in("Live wire, करंट in the water");
    for (category, place, minute) in
        [(None, None, 0), (Some(&category), None, 600), (Some(&category), Some(&place), 1_439)]
    {
        let moment = Moment::new(date(2026, 1, 31), Day::Working, minute);
        let language = language.as_ref();
        let facts = Facts { category, place, channel: Channel::X, language, words: words.as_ref(), moment };
        assert_eq!(rules.decide(&facts).row.id, rules.explain(&facts).row);
    }
}

fuzz_target!(|input: &[u8]| {
    let (categories, places) = trees().clone();
    match Rules::read(categories, places, input) {
        Ok(rules) => routes(&rules),
        Err(error) => assert!(error.errors().all(|finding| !finding.to_string().is_empty())),
    }
    let _ = (CategoryTree::read(input), PlaceTree::read(input));
    if let Ok(imported) = digit::import(input, Some(input)).or_else(|_| digit::import(input, None)) {
        let categories = CategoryTree::read(imported.categories.as_bytes()).expect("what is made can be read");
        let places = PlaceTree::from_paths([]);
        routes(&Rules::read(categories, places, imported.rules.as_bytes()).expect("what is made can be read"));
    }
});
