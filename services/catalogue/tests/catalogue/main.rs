//! The catalogue, in sentences, through its generated client and the real stacks, on every store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod categories;
mod collections;
mod export;
mod hot;
mod import;
mod lists;
mod products;
mod support;
mod writes;
