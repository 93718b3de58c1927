//! Shopify's product CSV, read and written as a stream. `docs/shopify-csv.md` is its description.

mod assembler;
mod cells;
mod columns;
mod product;
#[cfg(test)]
mod tests;
mod tokens;
mod writer;

pub use assembler::{Assembler, Item};
pub use columns::Generation;
pub use product::ProductSheet;
pub use tokens::{Tokenizer, Unreadable};
pub use writer::Writer;

/// Something to say about a cell: an error refuses its product, a warning does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Line of the file, from 1.
    pub line: u64,
    /// As the file writes the column; empty when the whole row is meant.
    pub column: String,
    /// The product that is meant, as far as it is known.
    pub handle: String,
    /// A sentence.
    pub message: String,
}
