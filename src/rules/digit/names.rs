//! Names that are made of DIGIT's: codes, row ids, and what tells two apart that fall together.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

use super::note::WhyRenamed;
use crate::code::MAX_CODE;

/// A name as it is wished; all of it is ASCII.
pub(super) struct Wish {
    /// Empty where nothing is left of what was given.
    pub(super) name: String,
    /// Why it is not what was given.
    pub(super) why: Option<WhyRenamed>,
}

impl Wish {
    /// Another name, where nothing is left.
    pub(super) fn or(self, other: impl FnOnce() -> String) -> Self {
        if self.name.is_empty() { Self { name: other(), why: Some(WhyRenamed::Characters) } } else { self }
    }

    fn cut(mut self) -> Self {
        if self.name.len() > MAX_CODE {
            self.name.truncate(MAX_CODE);
            self.name.truncate(self.name.trim_end_matches('-').len());
            self.why = Some(WhyRenamed::TooLong);
        }
        self
    }
}

/// A text as a code: `NoStreetlight`, `DEPT_1`, `Property Tax/House Tax` become `no-streetlight`, `dept-1`,
/// `property-tax-house-tax`. That is no change worth a word; letters that are lost are.
pub(super) fn code(text: &str) -> Wish {
    let chars: Vec<char> = text.chars().collect();
    let (mut name, mut gap, mut why) = (String::new(), false, None);
    for (at, &c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            gap = true;
            why = why.or(c.is_alphanumeric().then_some(WhyRenamed::Characters));
            continue;
        }
        if (gap || begins_word(&chars, at)) && !name.is_empty() {
            name.push('-');
        }
        gap = false;
        name.push(c.to_ascii_lowercase());
    }
    Wish { name, why }.cut()
}

/// Whether a capital begins a word: after a small letter or a digit (`NoLight`), or before a small one (`ROPlant`).
fn begins_word(chars: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).map_or(' ', |before| chars[before]);
    let small = |c: char| c.is_ascii_lowercase();
    chars[at].is_ascii_uppercase()
        && (small(before)
            || before.is_ascii_digit()
            || before.is_ascii_uppercase() && chars.get(at + 1).is_some_and(|c| small(*c)))
}

/// A text as a row's id: itself, where it can be.
pub(super) fn row_id(text: &str) -> Wish {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !text.contains(|c: char| c.is_ascii_alphanumeric()) {
        return Wish { name: String::new(), why: None };
    }
    let name = text.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    Wish { name, why: text.contains(|c| !fits(c)).then_some(WhyRenamed::Characters) }.cut()
}

/// A name that was given.
pub(super) struct Given {
    /// It, with its parent's before it.
    pub(super) name: String,
    /// Whether it is as it was wished.
    pub(super) is_wished: bool,
}

/// Names of which each is given once.
pub(super) struct Names {
    taken: HashSet<String, FixedState>,
    /// Of names that were wished again, the number given last.
    last: HashMap<String, usize, FixedState>,
}

impl Names {
    /// All names but some.
    pub(super) fn without<const N: usize>(taken: [&str; N]) -> Self {
        Self { taken: taken.map(ToOwned::to_owned).into_iter().collect(), last: HashMap::default() }
    }

    /// The wished name below a parent, or the first of `name-2`, `name-3`, … that is free.
    pub(super) fn give(&mut self, parent: Option<&str>, wish: &Wish) -> Given {
        let below = |name: &str| parent.map_or_else(|| name.to_owned(), |parent| format!("{parent}/{name}"));
        let wished = below(&wish.name);
        if self.taken.insert(wished.clone()) {
            return Given { name: wished, is_wished: true };
        }
        let last = self.last.entry(wished).or_insert(1);
        loop {
            *last += 1;
            let number = format!("-{last}");
            let room = wish.name.len().min(MAX_CODE - number.len());
            let name = below(&format!("{}{number}", wish.name[..room].trim_end_matches('-')));
            if self.taken.insert(name.clone()) {
                return Given { name, is_wished: false };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::{CategoryPath, RowId};

    #[test]
    fn digits_names_become_codes() {
        for (given, expected) in [
            ("NoStreetlight", "no-streetlight"),
            ("illegalDischargeOfSewage", "illegal-discharge-of-sewage"),
            ("ROPlantIsNotWorkingORClosed", "ro-plant-is-not-working-or-closed"),
            ("HowToPayPT", "how-to-pay-pt"),
            ("DEPT_1", "dept-1"),
            ("ENG", "eng"),
            ("Property Tax/House Tax", "property-tax-house-tax"),
            ("--Ward2Road--", "ward2-road"),
        ] {
            let wish = code(given);
            assert_eq!((wish.name.as_str(), wish.why), (expected, None), "{given}");
        }
        let half = code("पानी Water");
        assert_eq!((half.name.as_str(), half.why), ("water", Some(WhyRenamed::Characters)));
    }

    #[test]
    fn many_of_one_name_are_told_apart_in_the_room_there_is() {
        let mut names = Names::without([]);
        let wish = code(&"ab".repeat(40));
        let given: Vec<String> = (0..120).map(|_| names.give(Some("m"), &wish).name).collect();
        assert!(given.iter().all(|name| CategoryPath::new(name).is_ok()));
        assert_eq!(given.iter().collect::<HashSet<_>>().len(), 120);
        assert_eq!(given[119], format!("m/{}-120", "ab".repeat(30)));
    }

    proptest::proptest! {
        #[test]
        fn every_text_becomes_a_code_and_a_row_id(text in "[\\PC]{0,90}") {
            proptest::prop_assert!(CategoryPath::new(&code(&text).or(|| "x".to_owned()).name).is_ok());
            proptest::prop_assert!(RowId::new(&row_id(&text).or(|| "x".to_owned()).name).is_ok());
        }
    }
}
