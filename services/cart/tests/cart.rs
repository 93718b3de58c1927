//! What cart promises, through the generated client and the real stacks, on every kind of store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

#[path = "cases/changing.rs"]
mod changing;
#[path = "cases/holding.rs"]
mod holding;
#[path = "cases/losing.rs"]
mod losing;
#[path = "cases/merging.rs"]
mod merging;
#[path = "cases/model.rs"]
mod model;
#[path = "cases/racing.rs"]
mod racing;
#[path = "cases/showing.rs"]
mod showing;
