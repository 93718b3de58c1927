//! What pricing promises, through the generated client and the real stacks, on every kind of store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod codes;
mod discounts;
mod keeping;
mod quotes;
mod staff;
mod support;
