//! The words of every document of a segment, unpacked when it is opened. A question looks at each word of each product that
//! it finds; to unpack them then, one by one, was the greater part of what it cost.

use tantivy::columnar::StrColumn;

use crate::domain::pack;

/// A column of words.
pub struct Wording {
    /// A word and its stem as marks, by the number of the word.
    packed: Vec<u64>,
    /// The numbers of words, one document after the other.
    words: Vec<u32>,
    /// Where those of each document begin, and where those of the last one end.
    starts: Vec<u32>,
}

impl Wording {
    pub fn open(column: Option<StrColumn>, documents: u32) -> tantivy::Result<Self> {
        let (mut packed, mut words, mut starts) = (Vec::new(), Vec::new(), Vec::new());
        let Some(column) = column else { return Ok(Self { packed, words, starts }) };
        packed.reserve_exact(column.num_terms());
        starts.reserve_exact(documents as usize + 1);
        let mut dictionary = column.dictionary().stream()?;
        while dictionary.advance() {
            packed.push(pack(&String::from_utf8_lossy(dictionary.key())));
        }
        for document in 0..documents {
            starts.push(words.len() as u32);
            words.extend(column.ords().values_for_doc(document).map(|word| word as u32));
        }
        starts.push(words.len() as u32);
        words.shrink_to_fit();
        Ok(Self { packed, words, starts })
    }

    /// Those of one document, packed, in the order of the text.
    pub fn of(&self, document: u32) -> impl Iterator<Item = u64> {
        let start = |document: usize| self.starts.get(document).map_or(0, |start| *start as usize);
        let words = self.words.get(start(document as usize)..start(document as usize + 1));
        words.unwrap_or_default().iter().filter_map(|word| self.packed.get(*word as usize).copied())
    }
}
