//! A file by its lines, and where the cells of a line stand that the library tells by line and column only.

use std::ops::Range;

use nivaran::rules::CellAt;

/// What some programs write before UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The lines of a file.
pub struct Lines<'a> {
    bytes: &'a [u8],
    /// The first byte of each.
    begins: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub fn of(bytes: &'a [u8]) -> Self {
        let first = if bytes.starts_with(MARK) { MARK.len() } else { 0 };
        let behind = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        Self { bytes, begins: std::iter::once(first).chain(behind).collect() }
    }

    /// The number of the line in which a byte stands, counted from 1.
    pub fn number(&self, byte: usize) -> usize {
        self.begins.partition_point(|begins| *begins <= byte).max(1)
    }

    /// The bytes of a line, without its end; empty for one that is not there.
    pub fn line(&self, number: usize) -> Range<usize> {
        let Some(&from) = number.checked_sub(1).and_then(|at| self.begins.get(at)) else { return 0..0 };
        let to = self.begins.get(number).map_or(self.bytes.len(), |next| next - 1);
        let line = self.bytes.get(from..to).unwrap_or_default();
        from..from + line.strip_suffix(b"\r").unwrap_or(line).len()
    }

    pub fn text(&self, range: Range<usize>) -> &'a [u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// The bytes of a place. What is told by its line only is the whole line; a column that it lacks, its end.
    pub fn find(&self, at: &CellAt) -> Range<usize> {
        match (&at.bytes, at.column) {
            (Some(bytes), _) => bytes.clone(),
            (None, Some(column)) => self.cell(at.line, column),
            (None, None) => self.line(at.line),
        }
    }

    /// The bytes of a cell of a line on which a row begins, the column counted from 1.
    pub fn cell(&self, line: usize, column: usize) -> Range<usize> {
        let (line, separator) = (self.line(line), self.separator());
        let (mut at, mut from, mut quoted) = (1, line.start, false);
        for (offset, byte) in self.text(line.clone()).iter().enumerate() {
            match byte {
                // A quote in the middle of a cell is one.
                b'"' if self.bytes.get(from) == Some(&b'"') => quoted = !quoted,
                _ if quoted || *byte != separator => {}
                _ if at == column => return self.trimmed(from..line.start + offset),
                _ => (at, from) = (at + 1, line.start + offset + 1),
            }
        }
        if at == column { self.trimmed(from..line.end) } else { line.end..line.end }
    }

    /// The name of a column, as the header has it.
    pub fn column_name(&self, column: usize) -> String {
        let name = String::from_utf8_lossy(self.text(self.cell(self.header(), column)));
        name.trim_matches('"').to_owned()
    }

    /// The line with the header.
    pub fn header(&self) -> usize {
        if self.text(self.line(1)).starts_with(b"hit_policy") { 2 } else { 1 }
    }

    /// How many rows a table of these lines has, the header not counted.
    pub fn rows(&self) -> usize {
        let mut reader = csv::ReaderBuilder::new();
        let mark = self.begins.first().copied().unwrap_or_default();
        let mut reader =
            reader.has_headers(false).flexible(true).delimiter(self.separator()).from_reader(&self.bytes[mark..]);
        let (mut record, mut rows, mut above) = (csv::ByteRecord::new(), 0_usize, 1);
        while reader.read_byte_record(&mut record).is_ok_and(|is_there| is_there) {
            if rows == 0 && record.get(0) == Some(b"hit_policy") {
                above = 2;
            }
            rows += usize::from(record.iter().any(|cell| !cell.trim_ascii().is_empty()));
        }
        rows.saturating_sub(above)
    }

    /// That of comma, semicolon and tab that the first line has most of, as the library takes it.
    fn separator(&self) -> u8 {
        let first = self.text(self.line(1));
        let count = |separator: u8| first.iter().filter(|byte| **byte == separator).count();
        [b'\t', b';', b','].into_iter().max_by_key(|separator| count(*separator)).unwrap_or(b',')
    }

    fn trimmed(&self, range: Range<usize>) -> Range<usize> {
        let text = self.text(range.clone());
        let from = range.start + text.len() - text.trim_ascii_start().len();
        from..from + text.trim_ascii().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_found_behind_a_mark_with_quotes_and_with_windows_line_ends() {
        let file = "\u{feff}id;\"the; name\";note\r\nA; x ;\"two\nlines\"\r\nB;;\r\n".as_bytes();
        let lines = Lines::of(file);
        let cell = |line, column| std::str::from_utf8(lines.text(lines.cell(line, column))).unwrap_or("no text");
        assert_eq!([cell(1, 1), cell(1, 2), cell(1, 3)], ["id", "\"the; name\"", "note"]);
        assert_eq!([cell(2, 2), cell(2, 3), cell(4, 3), cell(9, 1)], ["x", "\"two", "", ""]);
        assert_eq!((lines.column_name(2), lines.rows()), ("the; name".to_owned(), 2));
        assert_eq!([lines.number(0), lines.number(3), lines.number(file.len())], [1, 1, 5]);
    }
}
