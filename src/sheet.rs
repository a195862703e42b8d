//! A sheet as a spreadsheet saves it: CSV in UTF-8 with a header, separated by commas, semicolons or tabs, lines counted as
//! an editor counts them.

use std::ops::Range;

use csv::StringRecord;

/// The largest sheet that is read, in bytes: 32 MiB.
pub const MAX_BYTES: usize = 32 << 20;
/// The longest cell, in bytes.
pub const MAX_CELL: usize = 10_000;

/// Why a file is no sheet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SheetError {
    /// The file is larger than is read.
    #[error("the file has {bytes} bytes, {MAX_BYTES} are the most; split it, or leave out what no one uses")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// A cell is too long.
    #[error("line {line}, column {column}: {bytes} bytes in one cell, {MAX_CELL} are the most; is a quote missing?")]
    CellTooLong {
        /// The line.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// The cell's length.
        bytes: usize,
    },
    /// A line has more or fewer cells than the header.
    #[error(
        "line {line}, column {}: {cells} cells where the header has {columns}; a comma too many or too few, or a quote missing",
        cells.min(columns) + 1
    )]
    Ragged {
        /// The line.
        line: usize,
        /// How many cells it has.
        cells: usize,
        /// How many the header has.
        columns: usize,
    },
    /// The file is in another encoding.
    #[error("line {line}, column {column}: it is not UTF-8; save the sheet as 'CSV UTF-8'")]
    NotUtf8 {
        /// The line.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// A quote that begins a cell is not closed, or not where the cell ends. Read on, it would swallow rows.
    #[error(
        "line {line}, column {column}: the quote that begins this cell is not closed where the cell ends; close it, or \
         write it twice to have one in the text"
    )]
    Quote {
        /// The line on which the cell begins.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// A cell has a character that no text has: mostly the sign of another encoding.
    #[error("line {line}, column {column}: the character U+0000 stands there; save the sheet as 'CSV UTF-8'")]
    Nul {
        /// The line.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// The header stands again among the rows, as where two files were put together.
    #[error("line {line}: the header stands there again; remove that line")]
    HeaderAgain {
        /// The line.
        line: usize,
    },
}

/// A sheet that is read row by row.
pub(crate) struct Sheet<'a> {
    reader: csv::Reader<&'a [u8]>,
    csv: &'a [u8],
    separator: u8,
    header: StringRecord,
    record: StringRecord,
    /// Up to where lines are counted, and how many there were.
    counted: (usize, usize),
    /// Where the row begins that was read last.
    begins: usize,
}

impl<'a> Sheet<'a> {
    pub(crate) fn open(csv: &'a [u8]) -> Result<Self, SheetError> {
        if csv.len() > MAX_BYTES {
            return Err(SheetError::TooLarge { bytes: csv.len() });
        }
        let csv = csv.strip_prefix(MARK).unwrap_or(csv);
        let mut builder = csv::ReaderBuilder::new();
        let separator = separator(csv);
        let mut reader = builder.trim(csv::Trim::All).flexible(true).delimiter(separator).from_reader(csv);
        let header = reader.headers().map_err(|error| not_utf8(&error, 1))?.clone();
        let sheet = Self { reader, csv, separator, header, record: StringRecord::new(), counted: (0, 1), begins: 0 };
        sheet.check_row(&sheet.header, 0, 1)?;
        Ok(sheet)
    }

    /// Takes the next row as the header, where something else stood before it.
    pub(crate) fn header_is_next(&mut self) -> Result<(), SheetError> {
        let begins = self.position();
        self.reader.read_record(&mut self.header).map_err(|error| not_utf8(&error, 2))?;
        self.check_row(&self.header, begins, 2)
    }

    /// Where the row begins that was read last, in bytes of the file without its mark.
    pub(crate) fn begins(&self) -> usize {
        self.begins
    }

    pub(crate) fn header(&self) -> &StringRecord {
        &self.header
    }

    /// The next row that is not blank, with the line it begins on.
    pub(crate) fn next_row(&mut self) -> Result<Option<(usize, &StringRecord)>, SheetError> {
        loop {
            let begins = self.position();
            let line = self.line_at(begins);
            match self.reader.read_record(&mut self.record) {
                Ok(false) => return Ok(None),
                Err(error) => return Err(not_utf8(&error, line)),
                Ok(true) if self.record.iter().all(str::is_empty) => {}
                Ok(true) => {
                    let (cells, columns) = (self.record.len(), self.header.len());
                    self.check_row(&self.record, begins, line)?;
                    if cells != columns {
                        return Err(SheetError::Ragged { line, cells, columns });
                    }
                    if self.record == self.header {
                        return Err(SheetError::HeaderAgain { line });
                    }
                    self.begins = begins;
                    return Ok(Some((line, &self.record)));
                }
            }
        }
    }

    /// Up to where it was read, in bytes.
    fn position(&self) -> usize {
        usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX)
    }

    /// Checks the cells of the row that was read last, and its quotes.
    fn check_row(&self, record: &StringRecord, begins: usize, line: usize) -> Result<(), SheetError> {
        let row = self.csv.get(begins..self.position()).unwrap_or_default();
        if let Some(Cell { column, begins: cell }) = misquoted(row, self.separator) {
            let line = 1 + self.csv[..begins + cell].iter().filter(|byte| **byte == b'\n').count();
            return Err(SheetError::Quote { line, column: column + 1 });
        }
        for (column, cell) in (1..).zip(record) {
            if cell.contains('\0') {
                return Err(SheetError::Nul { line, column });
            }
            if cell.len() > MAX_CELL {
                return Err(SheetError::CellTooLong { line, column, bytes: cell.len() });
            }
        }
        Ok(())
    }

    /// The line on which the record after byte `at` begins. (The reader's own count is one behind after `\r\n`.)
    fn line_at(&mut self, at: usize) -> usize {
        let (from, lines) = self.counted;
        let rest = self.csv.get(from..).unwrap_or_default();
        let blank = self.csv.get(at..).unwrap_or_default().iter().take_while(|b| b"\r\n".contains(b)).count();
        let to = (at + blank).min(self.csv.len()).max(from);
        let lines = lines + rest[..to - from].iter().filter(|&&b| b == b'\n').count();
        self.counted = (to, lines);
        lines
    }
}

/// What some programs write before UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// What separates the cells of the first line: that of comma, semicolon and tab that it has most of. A line longer than
/// a cell may be tells it by its beginning, so that a file of any size is refused at once.
fn separator(csv: &[u8]) -> u8 {
    let first = csv[..csv.len().min(MAX_CELL)].split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| first.iter().filter(|byte| **byte == separator).count();
    // The first of equals, which is the comma.
    [b'\t', b';', b','].into_iter().max_by_key(|separator| count(*separator)).unwrap_or(b',')
}

/// Finds the cells of rows in a file again, to point at them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CellFinder<'a> {
    csv: &'a [u8],
    separator: u8,
    /// How long the mark before it is.
    mark: usize,
}

impl<'a> CellFinder<'a> {
    pub(crate) fn new(file: &'a [u8]) -> Self {
        let csv = file.strip_prefix(MARK).unwrap_or(file);
        Self { csv, separator: separator(csv), mark: file.len() - csv.len() }
    }

    /// The bytes of a cell, counted from 0, of the row that begins here; of the whole row where there is no such cell.
    pub(crate) fn cell(&self, begins: usize, column: Option<usize>) -> Range<usize> {
        let blank = |byte: &&u8| b"\r\n".contains(byte);
        let begins = begins + self.csv.get(begins..).unwrap_or_default().iter().take_while(blank).count();
        let (mut cell, mut from, mut quoted, mut at) = (0, begins, false, begins);
        while let Some(&byte) = self.csv.get(at) {
            match byte {
                // A quote in the middle of a cell is one.
                b'"' if self.csv[from] == b'"' => quoted = !quoted,
                _ if quoted => {}
                b'\n' => break,
                _ if byte == self.separator => {
                    if Some(cell) == column {
                        return self.trimmed(from..at);
                    }
                    (cell, from) = (cell + 1, at + 1);
                }
                _ => {}
            }
            at += 1;
        }
        self.trimmed(if Some(cell) == column { from..at } else { begins..at })
    }

    fn trimmed(&self, range: Range<usize>) -> Range<usize> {
        let text = &self.csv[range.clone()];
        let lead = text.len() - text.trim_ascii_start().len();
        let len = text.trim_ascii().len();
        self.mark + range.start + lead..self.mark + range.start + lead + len
    }
}

/// Text that is in memory has no other error than its encoding.
fn not_utf8(error: &csv::Error, line: usize) -> SheetError {
    let column = match error.kind() {
        csv::ErrorKind::Utf8 { err, .. } => err.field() + 1,
        _ => 1,
    };
    SheetError::NotUtf8 { line, column }
}

/// A cell of a row.
struct Cell {
    /// Its place, counted from 0.
    column: usize,
    /// Its first byte, counted from the row's.
    begins: usize,
}

/// The first cell of a row whose quotes are open at the row's end, or closed before the cell ends. The reader takes both:
/// the one up to the end of the file, the other up to the next row's quote, and the rows between are lost.
fn misquoted(row: &[u8], separator: u8) -> Option<Cell> {
    #[derive(Clone, Copy)]
    enum At {
        Begin,
        Plain,
        Quoted,
        Behind,
    }
    if !row.contains(&b'"') {
        return None;
    }
    let (mut at, mut cell) = (At::Begin, Cell { column: 0, begins: 0 });
    for (i, &byte) in row.iter().enumerate() {
        at = match (at, byte) {
            (At::Quoted, b'"') => At::Behind,
            (At::Quoted, _) | (At::Begin | At::Behind, b'"') => At::Quoted,
            (_, byte) if byte == separator => {
                cell = Cell { column: cell.column + 1, begins: i + 1 };
                At::Begin
            }
            // Lines without anything may stand before the row.
            (_, b'\r' | b'\n') => {
                cell = Cell { column: 0, begins: i + 1 };
                At::Begin
            }
            (At::Behind, b' ' | b'\t') => At::Behind,
            (At::Behind, _) => return Some(cell),
            (At::Begin | At::Plain, _) => At::Plain,
        };
    }
    matches!(at, At::Quoted).then_some(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(csv: &str) -> Vec<usize> {
        let mut sheet = Sheet::open(csv.as_bytes()).unwrap();
        let mut lines = Vec::new();
        while let Some((line, _)) = sheet.next_row().unwrap() {
            lines.push(line);
        }
        lines
    }

    #[test]
    fn lines_are_counted_as_an_editor_does() {
        assert_eq!(lines("a,b\n1,2\n\n3,\"x\ny\"\n,\n5,6\n"), [2, 4, 7]);
        assert_eq!(lines("a,b\r\n1,2\r\n\r\n3,4\r\n"), [2, 4]);
        assert_eq!(lines("\u{feff}a,b\n1,2"), [2]);
    }

    #[test]
    fn semicolons_and_tabs_separate_too_and_a_cell_is_found_again_with_its_quotes() {
        for separator in [",", ";", "\t"] {
            let rows = [["a", "b", "c"], ["1", "\"x, \"\"y\"\"\n;z\" ", "3"], ["", "", ""], ["4", "", "6"]];
            let file = format!("\u{feff}{}", rows.map(|row| row.join(separator)).join("\r\n"));
            let mut sheet = Sheet::open(file.as_bytes()).unwrap();
            let find = CellFinder::new(file.as_bytes());
            let cells = |begins: usize| [Some(0), Some(1), Some(2)].map(|column| &file[find.cell(begins, column)]);
            let (line, record) = sheet.next_row().unwrap().unwrap();
            assert_eq!((line, record.get(1)), (2, Some("x, \"y\"\n;z")));
            assert_eq!(cells(sheet.begins()), ["1", "\"x, \"\"y\"\"\n;z\"", "3"]);
            let (line, record) = sheet.next_row().unwrap().unwrap();
            assert_eq!((line, record.get(1)), (5, Some("")));
            assert_eq!(cells(sheet.begins()), ["4", "", "6"]);
            assert_eq!(&file[find.cell(sheet.begins(), None)], ["4", "", "6"].join(separator));
        }
    }

    #[test]
    fn what_is_no_sheet_is_said_with_its_line() {
        let fails = |csv: &[u8]| {
            let mut sheet = match Sheet::open(csv) {
                Ok(sheet) => sheet,
                Err(error) => return error,
            };
            loop {
                match sheet.next_row() {
                    Ok(row) => assert!(row.is_some(), "the sheet was read to its end"),
                    Err(error) => return error,
                }
            }
        };
        assert_eq!(fails(b"a,b\r\n1,2\r\n1\r\n"), SheetError::Ragged { line: 3, cells: 1, columns: 2 });
        assert_eq!(fails(b"a,b\n1,caf\xe9\n"), SheetError::NotUtf8 { line: 2, column: 2 });
        assert_eq!(fails(b"caf\xe9,b\n"), SheetError::NotUtf8 { line: 1, column: 1 });
        assert_eq!(fails(b"a,b\n1,\"x\n2,\"y\"\n"), SheetError::Quote { line: 2, column: 2 });
        assert_eq!(fails(b"a,b\n1,2\n\n3,\"x\n4,5\n"), SheetError::Quote { line: 4, column: 2 });
        assert_eq!(fails(b"a,b\n1,\0\n"), SheetError::Nul { line: 2, column: 2 });
        assert_eq!(fails(b"a,b\n1,2\na, b\n"), SheetError::HeaderAgain { line: 3 });
        let long = format!("a,b\n1,{}\n", "x".repeat(MAX_CELL + 1));
        assert_eq!(fails(long.as_bytes()), SheetError::CellTooLong { line: 2, column: 2, bytes: MAX_CELL + 1 });
        assert!(matches!(fails(&vec![b'x'; MAX_BYTES + 1]), SheetError::TooLarge { .. }));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            if let Ok(mut sheet) = Sheet::open(&bytes) {
                while let Ok(Some(_)) = sheet.next_row() {}
            }
        }
    }
}
