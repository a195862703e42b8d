//! Looking for a table's words in a text.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::TableVersion;
use super::condition::Word;

/// What stands in a word and is not seen: whether letters are drawn joined, where a word may be parted, the mark that
/// some programs write before a text. Hindi is typed with and without, as the keyboard has it.
const UNSEEN: [char; 5] = ['\u{200c}', '\u{200d}', '\u{ad}', '\u{2060}', '\u{feff}'];

/// A text's words in the form in which they are compared: composed (NFC), lower case, without what is not seen.
pub(super) fn folded(text: &str) -> Vec<String> {
    let composed: String = text.chars().filter(|c| !UNSEEN.contains(c)).nfc().collect();
    composed.unicode_words().map(str::to_lowercase).collect()
}

/// The place of a word in the table's list of words.
pub(super) type WordNumber = u32;

/// All words that a table looks for.
#[derive(Debug, Clone, Default)]
pub(super) struct Dictionary {
    words: Vec<Word>,
    numbers: HashMap<Word, WordNumber, FixedState>,
    /// By its first word, each phrase's further words.
    by_first: HashMap<String, Vec<(Vec<String>, WordNumber)>, FixedState>,
}

impl Dictionary {
    /// The number of a word, which is taken in if it is new.
    pub(super) fn number(&mut self, word: &Word) -> WordNumber {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = self.words.len() as WordNumber;
        let mut words = word.as_str().split(' ').map(str::to_owned);
        let first = words.next().unwrap_or_default();
        self.by_first.entry(first).or_default().push((words.collect(), number));
        self.words.push(word.clone());
        self.numbers.insert(word.clone(), number);
        number
    }

    /// The number of a word, if it is one of them.
    pub(super) fn known(&self, word: &Word) -> Option<WordNumber> {
        self.numbers.get(word).copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Those that a text has of which only these words are known: these, and what is part of them.
    pub(super) fn among(&self, words: &[Word], table: TableVersion) -> WordsFound {
        let found = words.iter().flat_map(|word| self.found_in(word.as_str(), table).numbers);
        let mut numbers: Vec<WordNumber> = found.collect();
        numbers.sort_unstable();
        numbers.dedup();
        WordsFound { table, numbers }
    }

    /// Those that a text has.
    pub(super) fn found_in(&self, text: &str, table: TableVersion) -> WordsFound {
        let mut numbers = Vec::new();
        if !self.is_empty() {
            let text = folded(text);
            for (at, word) in text.iter().enumerate() {
                for (rest, number) in self.by_first.get(word).into_iter().flatten() {
                    if text[at + 1..].starts_with(rest) {
                        numbers.push(*number);
                    }
                }
            }
            numbers.sort_unstable();
            numbers.dedup();
        }
        WordsFound { table, numbers }
    }
}

/// Which words of a table a text has; nothing else of the text. It means something to that table only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordsFound {
    pub(super) table: TableVersion,
    /// Ascending.
    pub(super) numbers: Vec<WordNumber>,
}

impl WordsFound {
    pub(super) fn has(&self, word: WordNumber) -> bool {
        self.numbers.binary_search(&word).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &[&str], text: &str) -> Vec<String> {
        let mut dictionary = Dictionary::default();
        let words: Vec<Word> = words.iter().map(|word| Word::new(word).unwrap()).collect();
        for word in &words {
            dictionary.number(word);
        }
        let found = dictionary.found_in(text, TableVersion(1));
        words.iter().enumerate().filter(|(n, _)| found.has(*n as u32)).map(|(_, word)| word.to_string()).collect()
    }

    #[test]
    fn whole_words_are_found_in_any_case_and_phrases_where_their_words_follow_each_other() {
        let words = ["drain", "dead animal", "animal", "live wire"];
        assert_eq!(found(&words, "The DRAIN, blocked by a dead  animal!"), ["drain", "dead animal", "animal"]);
        assert!(found(&words, "drainage; dead, or animals; wire live").is_empty());
    }

    #[test]
    fn hindi_is_found_however_it_is_composed() {
        // The same word with a nukta, as one character and as two.
        let (one, two) = ("\u{95c}क", "\u{921}\u{93c}क");
        assert_ne!(one, two);
        assert_eq!(found(&[one], &format!("मेरी {two} टूटी है।")).len(), 1);
        assert_eq!(found(&[two], &format!("मेरी {one}, टूटी है।")).len(), 1);
        assert_eq!(found(&["पानी", "नाली"], "गली में पानी भरा है"), ["पानी"]);
        assert!(found(&["पान"], "गली में पानी भरा है").is_empty());
    }
}
