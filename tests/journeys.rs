//! Journeys through the public GraphQL API of the real binary, each told by one test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "journeys/access.rs"]
mod access;
#[path = "journeys/account.rs"]
mod account;
#[path = "journeys/acts.rs"]
mod acts;
#[path = "journeys/admin.rs"]
mod admin;
#[path = "journeys/after.rs"]
mod after;
#[path = "journeys/basket.rs"]
mod basket;
#[path = "journeys/buying.rs"]
mod buying;
#[path = "journeys/collector.rs"]
mod collector;
#[path = "journeys/crash.rs"]
mod crash;
#[path = "journeys/desk.rs"]
mod desk;
#[path = "journeys/down.rs"]
mod down;
#[path = "journeys/ears.rs"]
mod ears;
#[path = "journeys/erasing.rs"]
mod erasing;
#[path = "journeys/figures.rs"]
mod figures;
#[path = "journeys/finding.rs"]
mod finding;
#[path = "journeys/gate.rs"]
mod gate;
#[path = "journeys/harness.rs"]
mod harness;
#[path = "journeys/inbox.rs"]
mod inbox;
#[path = "journeys/interop.rs"]
mod interop;
#[path = "journeys/killed.rs"]
mod killed;
#[path = "journeys/letters.rs"]
mod letters;
#[path = "journeys/live.rs"]
mod live;
#[path = "journeys/locale.rs"]
mod locale;
#[path = "journeys/mail.rs"]
mod mail;
#[path = "journeys/news.rs"]
mod news;
#[path = "journeys/own.rs"]
mod own;
#[path = "journeys/parts.rs"]
mod parts;
#[path = "journeys/paying.rs"]
mod paying;
#[path = "journeys/playground.rs"]
mod playground;
#[path = "journeys/private.rs"]
mod private;
#[path = "journeys/readme.rs"]
mod readme;
#[path = "journeys/recommended.rs"]
mod recommended;
#[path = "journeys/replay.rs"]
mod replay;
#[path = "journeys/reviewing.rs"]
mod reviewing;
#[path = "journeys/serve.rs"]
mod serve;
#[path = "journeys/servers.rs"]
mod servers;
#[path = "journeys/staff.rs"]
mod staff;
#[path = "journeys/strangers.rs"]
mod strangers;
#[path = "journeys/traces.rs"]
mod traces;
#[path = "journeys/transfer.rs"]
mod transfer;
#[path = "journeys/twice.rs"]
mod twice;
#[path = "journeys/up.rs"]
mod up;
#[path = "journeys/verifying.rs"]
mod verifying;
#[path = "journeys/wishing.rs"]
mod wishing;
