//! What payments promises, through the generated client and the real stacks, with the simulated provider behind
//! a real socket, on every kind of store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod authorizing;
mod keeping;
mod moving;
mod provider;
mod reading;
mod recovery;
mod support;
mod verifying;
mod webhooks;
