//! Search through its generated client, over the real stack, with owners that say what a test says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod finding;
mod freshness;
mod narrowing;
mod quality;
mod support;
