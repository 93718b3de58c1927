//! What search knows of a product, what may be asked, and how well a product answers. Pure.

mod facet;
mod highlight;
mod meaning;
mod product;
mod prose;
mod synonyms;
mod words;

pub use facet::{Conditions, Counts, FacetKind, Filter, PRICE_BANDS, Range, price_band, price_range};
pub use highlight::{Excerpt, Span, highlight};
pub use meaning::{Match, Meaning, SCORE_MAX};
pub use product::{CategoryId, Product, ProductId, Rating, Sku};
pub use prose::plain;
pub use synonyms::synonyms;
pub use words::{Mark, Word, mark, pack, stem, words};

/// So many words of a query count; a real one has fewer.
pub const QUERY_WORDS_MAX: usize = 16;

/// The order of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Relevance,
    Price,
    Newest,
    Rating,
    Title,
}
