//! The road by its public door: a contract of the shop, real stacks, in one process and over a socket.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod certificates;
mod deadlines;
mod effects;
mod faults;
mod identity;
mod limits;
mod retries;
mod serving;
mod support;
mod tokens;
mod traces;
