//! A long line cut so that what is marked in it can be seen.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// A piece of a line, and what is marked in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    pub marked: Range<usize>,
    /// How many characters fewer stand before what is marked.
    pub before: usize,
}

/// What stands where a line was cut.
const CUT: &str = "…";

/// Cuts a line to so many columns: what is marked, what stands around it, and `behind` columns free for a label. A marked
/// text that is too long is cut, too.
pub fn cut(line: &str, marked: Range<usize>, width: usize, behind: usize) -> Piece {
    let (before, mark, after) = (&line[..marked.start], &line[marked.clone()], &line[marked.end..]);
    // Nothing is marked by one column.
    if width_of(line) <= width && width_of(before) + width_of(mark).max(1) + behind <= width {
        return Piece { text: line.to_owned(), marked, before: 0 };
    }
    let shown = first(mark, width.saturating_sub(behind + 2));
    let after = if shown.len() == mark.len() { after } else { CUT };
    let beside = width.saturating_sub(width_of(shown).max(1));
    let left = if width_of(before) + behind.max(1) <= beside {
        before.to_owned()
    } else {
        let right = width_of(after).min(beside / 2).max(behind).max(1);
        format!("{CUT}{}", last(before, beside.saturating_sub(right + 1)))
    };
    let room = width.saturating_sub(width_of(&left) + width_of(shown));
    let right = match width_of(after) <= room {
        true => after.to_owned(),
        false => format!("{}{CUT}", first(after, room.saturating_sub(1))),
    };
    Piece {
        text: format!("{left}{shown}{right}"),
        marked: left.len()..left.len() + shown.len(),
        before: before.chars().count().saturating_sub(left.chars().count()),
    }
}

/// The columns that a text takes: as annotate-snippets counts them, so that the marks stand below what they mark.
pub fn width_of(text: &str) -> usize {
    text.chars().map(width_of_char).sum()
}

fn width_of_char(c: char) -> usize {
    c.width().unwrap_or(1)
}

/// As much of a text as has room, from its beginning.
fn first(text: &str, room: usize) -> &str {
    let mut width = 0;
    let end = text.char_indices().find(|(_, c)| {
        width += width_of_char(*c);
        width > room
    });
    end.map_or(text, |(at, _)| &text[..at])
}

/// As much of a text as has room, from its end.
fn last(text: &str, room: usize) -> &str {
    let mut width = 0;
    let begin = text.char_indices().rev().find(|(_, c)| {
        width += width_of_char(*c);
        width > room
    });
    let rest = begin.map_or(text, |(at, c)| &text[at + c.len_utf8()..]);
    // A sign that is drawn onto a letter is nothing without it.
    rest.trim_start_matches(|c| width_of_char(c) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_to(width: usize, line: &str, mark: &str, behind: usize) -> (String, String) {
        let from = line.find(mark).unwrap_or_default();
        let Piece { text, marked, .. } = cut(line, from..from + mark.len(), width, behind);
        let marked = text[marked].to_owned();
        (text, marked)
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        assert_eq!(cut_to(10, "a,bb,ccccc", "bb", 4), ("a,bb,ccccc".to_owned(), "bb".to_owned()));
        assert_eq!(cut_to(10, "0123456789", "0123456789", 0).0, "0123456789");
    }

    #[test]
    fn a_line_is_cut_around_what_is_marked() {
        for (mark, behind, text) in [
            ("12", 0, "012345678…"),
            ("ef", 0, "…89abcdef"),
            ("89", 0, "…56789abc…"),
            ("ef", 4, "…bcdef"),
            ("", 0, "012345678…"),
        ] {
            let (cut, marked) = cut_to(10, "0123456789abcdef", mark, behind);
            assert_eq!((cut.as_str(), marked.as_str()), (text, mark));
        }
        assert_eq!(cut("0123456789abcdef", 14..16, 10, 0).before, 7);
    }

    #[test]
    fn what_is_marked_is_cut_where_it_is_too_long() {
        let (text, marked) = cut_to(10, "0123456789abcdef", "0123456789abcdef", 0);
        assert_eq!((text.as_str(), marked.as_str()), ("01234567…", "01234567"));
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_wider_than_it_may_be_and_marks_are_where_they_were(
            before in "[a-zअ-ह ा-ौ]{0,60}", mark in "[a-zअ-ह,ा-ौ]{0,60}", after in "[a-zअ-हा-ौ]{0,60}",
            width in 12_usize..80, behind in 0_usize..10,
        ) {
            let line = format!("{before}{mark}{after}");
            let Piece { text, marked, .. } = cut(&line, before.len()..before.len() + mark.len(), width, behind);
            proptest::prop_assert!(width_of(&text) <= width, "{text}");
            proptest::prop_assert!(mark.starts_with(&text[marked.clone()]));
            proptest::prop_assert!(width_of(&text[..marked.end]) + behind <= width, "{text}");
        }
    }
}
