//! Words in lines of 80 columns.

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter, fill, wrap};

/// How wide a line may be.
pub const WIDTH: usize = 80;
/// A word of so many bytes is a list, and goes on behind its commas.
const LIST: usize = 60;

/// `1 row`, `2 rows`.
pub fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// A text of so many columns, in lines; a word that is longer stays whole.
pub fn wrapped(text: &str, width: usize) -> String {
    wrap(text, by_words(width)).join("\n")
}

/// Lines that may be too long, each gone on with below its beginning.
pub fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for line in text.lines() {
        let words = line.trim_start_matches(' ');
        let indent = &line[..line.len() - words.len()];
        let further = format!("{indent}    ");
        folded.push_str(&fill(words, by_words(WIDTH).initial_indent(indent).subsequent_indent(&further)));
        folded.push('\n');
    }
    folded
}

fn by_words<'a>(width: usize) -> Options<'a> {
    Options::new(width)
        .break_words(false)
        .word_separator(WordSeparator::Custom(words))
        .word_splitter(WordSplitter::NoHyphenation)
}

fn words<'a>(line: &'a str) -> Box<dyn Iterator<Item = Word<'a>> + 'a> {
    let pieces = |word: &'a str| word.split_inclusive(move |c| c == ',' && word.len() > LIST);
    Box::new(line.split_inclusive(' ').flat_map(pieces).map(Word::from))
}

/// A text without what steers a terminal or turns the direction of writing, character by character.
pub fn plain(text: &str) -> String {
    let steers = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if steers(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_goes_on_below_its_beginning() {
        let line = format!("  was: {}", "word ".repeat(20).trim_end());
        let folded = folded(&line);
        let lines: Vec<&str> = folded.lines().collect();
        assert!(lines.len() == 2 && lines[0].starts_with("  was: word") && lines[1].starts_with("      word"));
        assert!(lines[0].len() <= WIDTH);
        assert_eq!(super::folded("a\n\n  b\n"), "a\n\n  b\n");
        let list = format!("the columns are {}", "column,".repeat(20));
        assert!(wrapped(&list, 40).lines().all(|line| line.len() <= 40));
    }
}
