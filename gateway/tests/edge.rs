//! The edge through its HTTP door, over the real client and server stacks, with services that are made up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "edge/account.rs"]
mod account;
#[path = "edge/analytics.rs"]
mod analytics;
#[path = "edge/calls.rs"]
mod calls;
#[path = "edge/cart.rs"]
mod cart;
#[path = "edge/connections.rs"]
mod connections;
#[path = "edge/failing.rs"]
mod failing;
#[path = "edge/headers.rs"]
mod headers;
#[path = "edge/http.rs"]
mod http_rules;
#[path = "edge/order.rs"]
mod order;
#[path = "edge/pages.rs"]
mod pages;
#[path = "edge/production.rs"]
mod production;
#[path = "edge/rates.rs"]
mod rates;
#[path = "edge/recommended.rs"]
mod recommended;
#[path = "edge/schema.rs"]
mod schema;
#[path = "edge/search.rs"]
mod search;
#[path = "edge/shipping.rs"]
mod shipping;
#[path = "edge/sockets.rs"]
mod sockets;
#[path = "edge/sse.rs"]
mod sse;
#[path = "edge/staff.rs"]
mod staff;
#[path = "edge/streams.rs"]
mod streams;
#[path = "edge/support.rs"]
mod support;
#[path = "edge/views.rs"]
mod views;
#[path = "edge/whole.rs"]
mod whole;
