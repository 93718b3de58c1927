//! What analytics promises, through the generated client and the real stacks, on every kind of store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

#[path = "cases/any_order.rs"]
mod any_order;
#[path = "cases/funnel.rs"]
mod funnel;
#[path = "cases/sales.rs"]
mod sales;
#[path = "cases/views.rs"]
mod views;
