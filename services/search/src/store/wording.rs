//! The words of every document of a segment, unpacked when it is opened. A question looks at each word of each product that
//! it finds; to unpack them then, one by one, was the greater part of what it cost.

use std::hint::black_box;

use tantivy::columnar::StrColumn;

use crate::domain::pack;

/// The words of titles and labels.
pub struct Wording {
    /// A word and its stem as marks, by the number of the word.
    marks: Vec<u64>,
    /// One document after the other: how many words its title has, their numbers, and those of its labels.
    rows: Vec<u32>,
    /// Where the row of each document begins, and where that of the last one ends.
    starts: Vec<u32>,
}

impl Wording {
    pub fn open(
        titles: Option<&StrColumn>,
        labels: Option<&StrColumn>,
        documents: u32,
    ) -> tantivy::Result<Self> {
        let mut marks = Vec::new();
        add(titles, &mut marks)?;
        let in_titles = marks.len() as u32;
        add(labels, &mut marks)?;
        let (mut rows, mut starts) = (Vec::new(), Vec::with_capacity(documents as usize + 1));
        for document in 0..documents {
            starts.push(rows.len() as u32);
            rows.push(words(titles, document).count() as u32);
            rows.extend(words(titles, document));
            rows.extend(words(labels, document).map(|word| in_titles + word));
        }
        starts.push(rows.len() as u32);
        marks.shrink_to_fit();
        rows.shrink_to_fit();
        Ok(Self { marks, rows, starts })
    }

    /// Brings the rows of documents that are looked at next into the processor's cache. They lie far apart: one after the
    /// other, each would be waited for; asked for together, they come together.
    pub fn fetch(&self, documents: &[u32]) {
        let end = |document: &u32| {
            let row = self.row(*document);
            row.first().zip(row.last()).map_or(0, |(first, last)| first ^ last)
        };
        black_box(documents.iter().map(end).fold(0, |all, end| all ^ end));
    }

    /// The words of a document's title and of its labels as marks, in the order of the text.
    pub fn of(&self, document: u32) -> (impl Iterator<Item = u64>, impl Iterator<Item = u64>) {
        let (title, words) = self.row(document).split_first().unwrap_or((&0, &[]));
        let (title, labels) = words.split_at_checked(*title as usize).unwrap_or_default();
        (self.marked(title), self.marked(labels))
    }

    fn row(&self, document: u32) -> &[u32] {
        let start = |document: usize| self.starts.get(document).map_or(0, |start| *start as usize);
        self.rows.get(start(document as usize)..start(document as usize + 1)).unwrap_or_default()
    }

    fn marked(&self, words: &[u32]) -> impl Iterator<Item = u64> {
        words.iter().filter_map(|word| self.marks.get(*word as usize).copied())
    }
}

fn add(column: Option<&StrColumn>, marks: &mut Vec<u64>) -> tantivy::Result<()> {
    let Some(column) = column else { return Ok(()) };
    let mut dictionary = column.dictionary().stream()?;
    while dictionary.advance() {
        marks.push(pack(&String::from_utf8_lossy(dictionary.key())));
    }
    Ok(())
}

fn words(column: Option<&StrColumn>, document: u32) -> impl Iterator<Item = u32> {
    column.into_iter().flat_map(move |column| column.ords().values_for_doc(document)).map(|word| word as u32)
}
