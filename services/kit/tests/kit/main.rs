//! The common words, tried from outside: values by tables and properties, the store on every kind there is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod database;
mod inbox;
mod outbox;
mod page;
mod parse;
mod requests;
mod support;
mod upkeep;
mod values;
