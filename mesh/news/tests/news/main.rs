//! News by its public door: real outboxes, real readers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod aside;
mod broker;
mod dead;
mod declared;
mod encrypted;
mod line;
mod outage;
mod relay;
mod several;
mod stream;
mod support;
