//! The only file, with those below it, that knows the tables. Who may see a row is part of each query.

mod checkouts;
pub mod entity;
mod erasure;
mod imports;
mod leases;
mod list;
pub mod migration;
mod orders;
pub mod verify;

use kit::outbox::{self, Event as News};
use kit::{Clock, Database, Id, KeptAnswer, RequestError, RequestKey, Tx, execute, inbox};
use sea_orm::{DbErr, Value};
use tokio::sync::watch;
use uuid::Uuid;

use crate::domain::{CheckoutId, OrderId};
use crate::events::Mailing;

pub use checkouts::Step;
pub use imports::Imported;
pub use leases::{LEASE, Lease, Leased, Turn};
pub use list::{Filter, Sum};

/// A change that lost the race against another one is decided again on what is there now, so often.
const DECISIONS_MAX: usize = 5;

#[derive(Clone)]
pub struct Store {
    database: Database,
    clock: Clock,
    mailing: Mailing,
}

/// Whose eyes are looking.
#[derive(Clone, Debug)]
pub enum Right {
    /// Staff, or this service itself.
    Any,
    /// An account, or whoever holds a token with this hash.
    Holder { account: Option<Uuid>, token_hash: Option<String> },
}

impl Store {
    pub fn new(database: Database, clock: Clock, mailing: Mailing) -> Self {
        Self { database, clock, mailing }
    }

    /// Wakes at every commit of this process.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.database.changes()
    }

    /// What was answered when this request came before.
    pub async fn kept(&self, key: &RequestKey) -> Result<Option<KeptAnswer>, RequestError> {
        self.database.kept(key).await
    }

    /// News of a payment: its checkout and its order are looked at now. Answers false for news that came before.
    pub async fn wake(&self, reader: &str, event: Id<News>, checkout: CheckoutId) -> Result<bool, DbErr> {
        let now = self.clock.now();
        let tx = self.database.begin().await?;
        if !inbox::first_time(&tx, reader, event).await? {
            return Ok(false);
        }
        for (table, column) in [("checkouts", "id"), ("orders", "checkout")] {
            let sql = format!("UPDATE {table} SET due = $2 WHERE {column} = $1 AND due > $2");
            execute(&*tx, &sql, [checkout.as_uuid().into(), now.into()]).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// The order of a checkout, if it has become one.
    pub async fn order_of(&self, checkout: CheckoutId) -> Result<Option<OrderId>, DbErr> {
        let sql = "SELECT id FROM orders WHERE checkout = $1";
        let rows = kit::query(self.database.read(), sql, [checkout.as_uuid().into()]).await?;
        rows.first().map(|row| row.try_get("", "id").map(Id::from_uuid)).transpose()
    }

    async fn announce(&self, tx: &Tx, news: Vec<News>) -> Result<(), DbErr> {
        outbox::append_all(tx, &news).await
    }
}

impl Right {
    /// The condition of a query, whose first placeholder is `$first`, and its values.
    fn condition(&self, first: usize) -> (String, [Value; 3]) {
        let (any, account, token_hash) = match self {
            Right::Any => (true, None, None),
            Right::Holder { account, token_hash } => (false, *account, token_hash.clone()),
        };
        let (second, third) = (first + 1, first + 2);
        let sql = format!("(${first} OR account = ${second} OR token_hash = ${third})");
        (sql, [any.into(), account.into(), token_hash.into()])
    }
}
