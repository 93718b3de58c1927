//! One service's store: a SQLite file or a PostgreSQL database, behind the same few words.

mod fault;
mod open;
mod statement;
mod tx;

use std::sync::Arc;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use tempfile::TempDir;
use tokio::sync::watch;

pub(crate) use fault::is_lock_timeout;
pub use fault::{is_refused, is_taken, is_transient};
pub use open::OpenError;
use statement::Statements;
pub use statement::{IDS_PER_STATEMENT_MAX, ROWS_PER_STATEMENT_MAX, execute, for_update, query, tuples};
pub use tx::Tx;

use crate::requests::{self, KeptAnswer, Once, RequestError, RequestKey, Running};

/// A handle on the store; clones share connections.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    read: DatabaseConnection,
    write: DatabaseConnection,
    backend: DbBackend,
    changes: watch::Sender<u64>,
    running: Running,
    statements: Statements,
    /// Removed with the last clone.
    _folder: Option<TempDir>,
}

impl Database {
    /// Opens `sqlite:<path>` (made if missing) or `postgres://…`, without touching its tables.
    pub async fn open(url: &str) -> Result<Database, OpenError> {
        open::open(url).await
    }

    /// A SQLite file of its own that goes with the last clone of the handle.
    pub async fn temporary() -> Result<Database, OpenError> {
        open::temporary().await
    }

    /// For reading outside of a transaction. On SQLite these connections refuse to write.
    pub fn read(&self) -> &DatabaseConnection {
        &self.inner.read
    }

    /// Begins a transaction. On SQLite it is the only writer from here on (BEGIN IMMEDIATE: a deferred one
    /// would fail instead of waiting when it turns to writing), so never begin another one while it is held.
    pub async fn begin(&self) -> Result<Tx, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let inner = self.inner.write.begin_with_options(options).await?;
        Ok(Tx::new(inner, self.inner.changes.clone()))
    }

    /// Begins the transaction of a request that may have come before: either it is the first, or here is what
    /// was answered then. A request that repeats one still running waits a little, then is told so.
    pub async fn begin_once(&self, key: &RequestKey) -> Result<Once, RequestError> {
        requests::begin(self, &self.inner.running, key).await
    }

    /// What was answered when this request came before, if it did. It claims nothing: for a request that has to
    /// ask other services before it can begin, and must not ask them again when it is repeated.
    pub async fn kept(&self, key: &RequestKey) -> Result<Option<KeptAnswer>, RequestError> {
        requests::find(self.read(), key).await
    }

    /// Brings the tables up to date: all pending migrations, or none when one fails.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<(), DbErr> {
        let tx = self.begin().await?;
        if self.inner.backend == DbBackend::Postgres {
            // Replicas that start together take turns; a migration may take longer than a request may.
            tx.execute_unprepared(
                "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0;
                 SELECT pg_advisory_xact_lock(hashtext('migrate ' || current_schema()))",
            )
            .await?;
        }
        M::up(&*tx, None).await?;
        tx.commit().await
    }

    /// Whether the store answers.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.inner.read.execute_unprepared("SELECT 1").await.map(drop)
    }

    /// Counts the commits of this process. It wakes relays and watchers; what changed they read themselves.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.subscribe()
    }

    /// Which kind of store it is, for the rare statement that must differ.
    pub fn backend(&self) -> DbBackend {
        self.inner.backend
    }

    /// How many statements ran on this store through this handle and its clones: tests of what a large basket costs count
    /// them, since a clock would measure the machine.
    pub fn statements(&self) -> u64 {
        self.inner.statements.count()
    }

    /// For single statements that are not news to anyone, such as the relay's own marks.
    pub fn write(&self) -> &DatabaseConnection {
        &self.inner.write
    }
}
