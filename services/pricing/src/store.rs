//! The only file that knows the tables. Whatever is counted is counted by conditional updates.

mod discounts;
pub mod entity;
mod holds;
mod methods;
pub mod migration;
mod seeds;
mod taxes;
pub mod verify;

use kit::Database;

/// A change that lost the race against another one is decided again on what is there now, so often.
const DECISIONS_MAX: usize = 5;

#[derive(Clone)]
pub struct Store {
    database: Database,
}

impl Store {
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}
