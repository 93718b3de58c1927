//! What the compiler cannot say about this house, each rule a test. CONTRIBUTING.md tells the same in words.
//! A rule that must give way somewhere has a list beside it, where every line states its reason.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "tidy/contract.rs"]
mod contract;
#[path = "tidy/form.rs"]
mod form;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/reader.rs"]
mod reader;
#[path = "tidy/refusals.rs"]
mod refusals;
#[path = "tidy/sameness.rs"]
mod sameness;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/tree.rs"]
mod tree;

/// Fails with every violation on a line of its own.
fn none(violations: Vec<String>) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}
