//! What notifications promises, through events, the generated client and a mail server that a test makes behave badly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod erasing;
mod post;
mod sending;
mod staff;
mod support;
mod tls;
mod words;
