//! One suite for both forms of the shop. Each case is told to the shop in one process on SQLite and to the shop apart, on
//! PostgreSQL, Redis and RabbitMQ; both must answer the same, byte for byte, once ids, times and secrets have the same
//! names. `cargo xtask test` starts the shop apart, names it here, and reads what the cases leave behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "journeys/acts.rs"]
#[allow(dead_code, reason = "the journeys use all of it")]
mod acts;
#[path = "conformance/calls.rs"]
mod calls;
#[path = "conformance/clicks.rs"]
mod clicks;
#[path = "conformance/columns.rs"]
mod columns;
#[path = "conformance/contract.rs"]
mod contract;
#[path = "journeys/ears.rs"]
#[allow(dead_code, reason = "the journeys use all of it")]
mod ears;
#[path = "conformance/errors.rs"]
mod errors;
#[path = "conformance/events.rs"]
mod events;
#[path = "journeys/harness.rs"]
#[allow(dead_code, reason = "the journeys use all of it")]
mod harness;
#[path = "journeys/inbox.rs"]
#[allow(dead_code, reason = "the journeys use all of it")]
mod inbox;
#[path = "conformance/journeys.rs"]
mod journeys;
#[path = "conformance/keys.rs"]
mod keys;
#[path = "conformance/lists.rs"]
mod lists;
#[path = "conformance/names.rs"]
mod names;
#[path = "conformance/paging.rs"]
mod paging;
#[path = "conformance/watching.rs"]
mod watching;
