#![doc = include_str!("../README.md")]

pub mod erased;
pub mod inbox;
pub mod outbox;
pub mod parse;
pub mod requests;
pub mod testing;
pub mod time;

mod currency;
mod database;
mod id;
mod migration;
mod money;
mod page;
mod reader;
mod upkeep;

pub use currency::{Currency, UnknownCurrency};
pub use database::{
    Database, IDS_PER_STATEMENT_MAX, OpenError, ROWS_PER_STATEMENT_MAX, Tx, execute, for_update, is_refused,
    is_taken, is_transient, query, tuples,
};
pub use id::{Id, MalformedId};
pub use migration::{kit_migrations, tables};
pub use money::{Money, MoneyError};
pub use page::{Cursor, Listed, Page, PageError, PageLimits};
pub use reader::{BoxError, Later, Reader};
pub use requests::{KeptAnswer, Once, OnceTx, RequestError, RequestKey};
pub use time::{Clock, Timestamp};
pub use upkeep::{forget, upkeep};
