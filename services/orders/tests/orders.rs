//! The behaviour of orders in sentences, through its generated client, on every kind of store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

#[path = "cases/buying.rs"]
mod buying;
#[path = "cases/costs.rs"]
mod costs;
#[path = "cases/erasing.rs"]
mod erasing;
#[path = "cases/history.rs"]
mod history;
#[path = "cases/keeping.rs"]
mod keeping;
#[path = "cases/life.rs"]
mod life;
#[path = "cases/meeting.rs"]
mod meeting;
#[path = "cases/reading.rs"]
mod reading;
#[path = "cases/refusing.rs"]
mod refusing;
#[path = "cases/trouble.rs"]
mod trouble;
#[path = "cases/verifying.rs"]
mod verifying;
