//! What identity promises, through the generated client and the real stacks, on every kind of store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod accounts;
mod alerts;
mod books;
mod exporting;
mod meeting;
mod passwords;
mod secrecy_of_secrets;
mod sessions;
mod signing;
mod staff;
mod support;
mod throttles;
