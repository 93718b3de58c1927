//! Where carts are kept: in tables, or in Redis. Either way the right to a cart is part of each question, so it cannot be
//! forgotten; a change, its event and its answer are one step; and nobody's line is lost to somebody else's change.

mod entity;
mod kept;
pub mod migration;
mod redis;
mod sql;

use std::time::Duration;

use ::redis::aio::ConnectionManager;
use kit::outbox::Event as News;
use kit::{Database, Id, RequestKey, Timestamp};
use tokio::sync::watch;

pub use self::redis::OpenError;
use self::redis::Redis;
use self::sql::Sql;
use crate::domain::{AccountId, Answer, Cart, CartId, Event, Report};
use crate::error::Error;

/// What is kept of a token.
pub type TokenHash = Vec<u8>;

/// By what right somebody asks for a cart.
#[derive(Clone, Debug)]
pub enum Right {
    /// It is the account's; an id, if there is one, must be that of the account's cart.
    Account { account: AccountId, cart: Option<CartId> },
    /// Its token is known, and it is still a guest's.
    Token { cart: CartId, hash: TokenHash },
    /// Another service, which was told the id; of a guest's cart that was merged since, it means the account's.
    Service(CartId),
}

/// A change of one cart, but for what it does.
pub struct Change<'a> {
    pub key: &'a RequestKey,
    pub right: &'a Right,
    /// The version that the change is meant for, if for that one only.
    pub etag: Option<i64>,
    pub now: Timestamp,
    /// Names what happened, given the cart before and after.
    pub tell: fn(&Cart, &Cart) -> Event,
}

/// A cart for whoever has none yet.
pub struct Fresh {
    pub cart: Cart,
    /// Of a guest's cart.
    pub token: Option<TokenHash>,
}

/// A handle on where carts are kept; clones share connections.
#[derive(Clone)]
pub enum Store {
    /// In tables: PostgreSQL, or a file of SQLite.
    Sql(Sql),
    /// In Redis.
    Redis(Redis),
}

impl Store {
    /// Carts in tables.
    pub fn sql(database: Database) -> Self {
        Self::Sql(Sql::new(database))
    }

    /// Carts in a Redis that writes down what it is told; names of keys begin with `prefix`. Somebody waits for a cart,
    /// so an answer that takes longer than `answer_time_max` has failed, and the caller hears so at once.
    pub async fn redis(url: &str, prefix: &str, answer_time_max: Duration) -> Result<Self, OpenError> {
        Ok(Self::Redis(Redis::connect(url, prefix, answer_time_max).await?))
    }

    /// The database, where carts are kept in one.
    pub fn database(&self) -> Option<&Database> {
        match self {
            Self::Sql(sql) => Some(sql.database()),
            Self::Redis(_) => None,
        }
    }

    /// Where events wait that no table holds: a connection, the key of the stream, and the field of its entries.
    pub fn stream(&self) -> Option<(ConnectionManager, String, &'static str)> {
        match self {
            Self::Sql(_) => None,
            Self::Redis(redis) => Some(redis.stream()),
        }
    }

    /// Whether carts can be read.
    pub async fn ping(&self) -> Result<(), Error> {
        match self {
            Self::Sql(sql) => Ok(sql.database().ping().await?),
            Self::Redis(redis) => redis.ping().await,
        }
    }

    /// Counts the changes of this process; it wakes watchers.
    pub fn changes(&self) -> watch::Receiver<u64> {
        match self {
            Self::Sql(sql) => sql.database().changes(),
            Self::Redis(redis) => redis.changes(),
        }
    }

    /// What was answered when the request came before, if it did.
    pub async fn kept(&self, key: &RequestKey) -> Result<Option<Answer>, Error> {
        match self {
            Self::Sql(sql) => sql.kept(key).await,
            Self::Redis(redis) => redis.kept(key).await,
        }
    }

    /// The cart as it stands, version and lines of one moment.
    pub async fn find(&self, right: &Right) -> Result<Option<Cart>, Error> {
        match self {
            Self::Sql(sql) => sql.find(right).await,
            Self::Redis(redis) => redis.find(right).await,
        }
    }

    /// The cart's version alone.
    pub async fn version(&self, right: &Right) -> Result<Option<i64>, Error> {
        match self {
            Self::Sql(sql) => sql.version(right).await,
            Self::Redis(redis) => redis.version(right).await,
        }
    }

    /// Loads a cart, lets `decide` change it, and saves what differs with its event and the answer. What changes
    /// nothing is answered all the same, but is no new version and no news.
    pub async fn update(
        &self,
        change: &Change<'_>,
        decide: impl Fn(&mut Cart) -> Result<Report, Error>,
    ) -> Result<Answer, Error> {
        match self {
            Self::Sql(sql) => sql.update(change, decide).await,
            Self::Redis(redis) => redis.update(change, decide).await,
        }
    }

    /// Makes the cart, or takes the one that the account has, and lets `decide` fill it.
    pub async fn open(
        &self,
        key: &RequestKey,
        fresh: Fresh,
        now: Timestamp,
        decide: impl Fn(&mut Cart) -> Result<Report, Error>,
    ) -> Result<Answer, Error> {
        match self {
            Self::Sql(sql) => sql.open(key, fresh, now, decide).await,
            Self::Redis(redis) => redis.open(key, &fresh, now, decide).await,
        }
    }

    /// Lets `decide` take a guest's cart over into the account's, which is made if there is none. The guest's is gone
    /// with the same step; the kept answer is what remains of it.
    pub async fn merge(
        &self,
        key: &RequestKey,
        guest: &Right,
        fresh: Fresh,
        now: Timestamp,
        decide: impl Fn(&mut Cart, &Cart) -> Result<Report, Error>,
    ) -> Result<Answer, Error> {
        match self {
            Self::Sql(sql) => sql.merge(key, guest, fresh, now, decide).await,
            Self::Redis(redis) => redis.merge(key, guest, &fresh, now, decide).await,
        }
    }

    /// Removes carts not touched since a time, at most so many; says how many. Several processes may do so at once.
    pub async fn remove_untouched(&self, since: Timestamp, limit: i64) -> Result<u64, Error> {
        match self {
            Self::Sql(sql) => sql.remove_untouched(since, limit).await,
            Self::Redis(redis) => redis.remove_untouched(since, limit).await,
        }
    }

    /// Removes, once per event, the account's cart with all that is kept of it; from then on it gets no new one.
    pub async fn forget(&self, reader: &str, event: Id<News>, account: AccountId) -> Result<(), Error> {
        match self {
            Self::Sql(sql) => Ok(sql.forget(reader, event, account).await?),
            Self::Redis(redis) => redis.forget(account).await,
        }
    }
}
