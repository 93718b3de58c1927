//! From bytes that break anywhere to rows with their lines.

use csv_core::{ReadRecordResult, Reader};

/// A row may be so long; a longer one is a quote that was never closed, or no CSV at all.
const ROW_BYTES_MAX: usize = 1024 * 1024;
/// Columns of a row; the widest export seen has a few hundred.
const ROW_CELLS_MAX: usize = 4_096;
const BUFFER_BYTES: usize = 16 * 1024;
const BUFFER_CELLS: usize = 128;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why the file cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not UTF-8.
    #[error("line {0} is not UTF-8")]
    Encoding(u64),
    /// Too long, or too many cells.
    #[error("line {0} is longer than 1 MiB or has more than 4,096 cells; is a quote not closed?")]
    Length(u64),
    /// The first row is not the header of a product file.
    #[error("{0}")]
    Header(String),
}

/// One row of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line on which it begins.
    pub line: u64,
    text: String,
    ends: Vec<usize>,
}

impl Row {
    /// The cell of a column, counted from 0.
    pub fn cell(&self, column: usize) -> Option<&str> {
        let end = *self.ends.get(column)?;
        let start = match column.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.text.get(start..end)
    }

    /// All cells.
    pub fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).filter_map(|column| self.cell(column))
    }

    /// How much memory it takes, about.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.ends.len() * size_of::<usize>()
    }
}

/// Cuts a stream of bytes into rows. It holds one row at most.
pub struct Tokenizer {
    reader: Reader,
    text: Vec<u8>,
    text_end: usize,
    ends: Vec<usize>,
    ends_end: usize,
    /// Line breaks between rows, which the reader never sees.
    lines_between: u64,
    row_line: u64,
    /// The first bytes of the file, until it is clear whether they are a byte order mark.
    opening: Option<Vec<u8>>,
}

impl Default for Tokenizer {
    fn default() -> Self {
        Self::new()
    }
}

impl Tokenizer {
    /// At the start of a file.
    pub fn new() -> Self {
        Self {
            reader: Reader::new(),
            text: vec![0; BUFFER_BYTES],
            text_end: 0,
            ends: vec![0; BUFFER_CELLS],
            ends_end: 0,
            lines_between: 0,
            row_line: 0,
            opening: Some(Vec::new()),
        }
    }

    /// The rows that end within these bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Row>, Unreadable> {
        let Some(mut opening) = self.opening.take() else {
            return self.read(bytes);
        };
        opening.extend_from_slice(bytes);
        if opening.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(&opening) {
            self.opening = Some(opening);
            return Ok(Vec::new());
        }
        self.read(opening.strip_prefix(BYTE_ORDER_MARK).unwrap_or(opening.as_slice()))
    }

    /// The row that the end of the file ends, if there is one.
    pub fn finish(&mut self) -> Result<Vec<Row>, Unreadable> {
        let opening = self.opening.take().unwrap_or_default();
        let mut rows = self.read(&opening)?;
        loop {
            let (result, _) = self.step(&[]);
            match result {
                ReadRecordResult::Record => rows.push(self.row()?),
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => self.grow()?,
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return Ok(rows),
            }
        }
    }

    /// How many lines were read so far.
    pub fn lines(&self) -> u64 {
        self.reader.line().saturating_sub(1) + self.lines_between
    }

    fn read(&mut self, bytes: &[u8]) -> Result<Vec<Row>, Unreadable> {
        let mut rows = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.between_rows() {
                rest = self.skip_breaks(rest);
                if rest.is_empty() {
                    break;
                }
            }
            let (result, read) = self.step(rest);
            rest = rest.get(read..).unwrap_or_default();
            match result {
                ReadRecordResult::Record => rows.push(self.row()?),
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => self.grow()?,
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            }
        }
        Ok(rows)
    }

    fn between_rows(&self) -> bool {
        self.text_end == 0 && self.ends_end == 0 && self.row_line == 0
    }

    /// The reader would skip empty lines too, but then nobody knew on which line the next row begins.
    fn skip_breaks<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let count = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let (breaks, rest) = bytes.split_at_checked(count).unwrap_or((bytes, &[]));
        let lines = breaks.iter().filter(|byte| **byte == b'\n').count();
        self.lines_between = self.lines_between.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
        if !rest.is_empty() {
            self.row_line = self.lines() + 1;
        }
        rest
    }

    fn step(&mut self, input: &[u8]) -> (ReadRecordResult, usize) {
        let (Some(text), Some(ends)) =
            (self.text.get_mut(self.text_end..), self.ends.get_mut(self.ends_end..))
        else {
            return (ReadRecordResult::End, input.len());
        };
        let (result, read, written, ended) = self.reader.read_record(input, text, ends);
        self.text_end += written;
        self.ends_end += ended;
        (result, read)
    }

    fn grow(&mut self) -> Result<(), Unreadable> {
        if self.text_end >= self.text.len() {
            if self.text.len() >= ROW_BYTES_MAX {
                return Err(Unreadable::Length(self.row_line));
            }
            self.text.resize(self.text.len() * 2, 0);
        }
        if self.ends_end >= self.ends.len() {
            if self.ends.len() >= ROW_CELLS_MAX {
                return Err(Unreadable::Length(self.row_line));
            }
            self.ends.resize(self.ends.len() * 2, 0);
        }
        Ok(())
    }

    fn row(&mut self) -> Result<Row, Unreadable> {
        let line = self.row_line;
        let bytes = self.text.get(..self.text_end).unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::Encoding(line))?.to_owned();
        let ends = self.ends.get(..self.ends_end).unwrap_or_default().to_vec();
        // A cell that ends within a character cannot be: separators are ASCII.
        self.text_end = 0;
        self.ends_end = 0;
        self.row_line = 0;
        if self.text.len() > BUFFER_BYTES {
            self.text = vec![0; BUFFER_BYTES];
        }
        Ok(Row { line, text, ends })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

    use proptest::prelude::*;

    use super::*;

    fn rows(bytes: &[u8], piece: usize) -> Vec<Row> {
        let mut tokenizer = Tokenizer::new();
        let mut rows = Vec::new();
        for piece in bytes.chunks(piece) {
            rows.extend(tokenizer.push(piece).unwrap());
        }
        rows.extend(tokenizer.finish().unwrap());
        rows
    }

    fn lines(text: &str) -> Vec<(u64, Vec<String>)> {
        rows(text.as_bytes(), text.len().max(1))
            .iter()
            .map(|row| (row.line, row.cells().map(str::to_owned).collect()))
            .collect()
    }

    #[test]
    fn a_row_knows_the_line_on_which_it_begins() {
        let text = "\u{feff}a,b\r\n\r\n\"x\ny\",2\r\n\n3,\"4\"\"\"\r\nlast,";

        let rows = lines(text);

        let expected: [(u64, [&str; 2]); 4] =
            [(1, ["a", "b"]), (3, ["x\ny", "2"]), (6, ["3", "4\""]), (7, ["last", ""])];
        let expected: Vec<_> =
            expected.into_iter().map(|(line, cells)| (line, cells.map(str::to_owned).to_vec())).collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_fill_the_memory() {
        let mut tokenizer = Tokenizer::new();
        tokenizer.push(b"a,b\n1,\"").unwrap();

        let piece = vec![b'x'; 256 * 1024];
        let refused = (0..8).find_map(|_| tokenizer.push(&piece).err());

        assert_eq!(refused, Some(Unreadable::Length(2)));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused_with_their_line() {
        let mut tokenizer = Tokenizer::new();

        let refused = tokenizer.push(b"a\nb\n\xff\xfe\nd\n").unwrap_err();

        assert_eq!(refused, Unreadable::Encoding(3));
    }

    #[test]
    fn an_empty_file_has_no_rows() {
        assert!(lines("").is_empty());
        assert!(lines("\u{feff}").is_empty());
        assert!(lines("\r\n\n").is_empty());
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_bytes_break(
            records in prop::collection::vec(prop::collection::vec("[ -~\\n\\r\"é,]{0,12}", 2..5), 1..12),
            piece in 1_usize..40,
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for record in &records {
                writer.write_record(record).unwrap();
            }
            let bytes = writer.into_inner().unwrap();

            let read: Vec<Vec<String>> = rows(&bytes, piece)
                .iter()
                .map(|row| row.cells().map(str::to_owned).collect())
                .collect();

            prop_assert_eq!(read, records);
        }
    }
}
