//! Opens a store with the settings that its promises rest on.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx;
use sea_orm::{DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tempfile::TempDir;
use tokio::sync::watch;

use super::statement::Statements;
use super::{Database, Inner};
use crate::requests::{REQUEST_WAIT_MAX, Running};

const SQLITE_READERS_MAX: u32 = 4;
/// KiB of pages that each connection keeps, as SQLite spells it. A shop in one process has dozens, and a page that is missing
/// here is still in the system's cache.
const SQLITE_CACHE: &str = "-512";
/// How long a write waits for the writers before it; the deadline of the call is usually shorter.
const SQLITE_WRITER_WAIT_MAX: Duration = Duration::from_secs(10);
/// Another process (a backup, a shell) may hold the file for a moment.
const SQLITE_BUSY_WAIT_MAX: Duration = Duration::from_secs(5);
/// A reader that was not needed for so long gives its page cache back.
const READER_IDLE_MAX: Duration = Duration::from_secs(60);

const POSTGRES_CONNECTIONS_MAX: u32 = 5;
const CONNECTION_WAIT_MAX: Duration = Duration::from_secs(5);
const POSTGRES_STATEMENT_TIME_MAX: Duration = Duration::from_secs(10);
const POSTGRES_IDLE_TRANSACTION_TIME_MAX: Duration = Duration::from_secs(30);

/// Why a store cannot be opened. The URL is never repeated: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither of the two kinds.
    #[error("a database URL must be sqlite:<path> or postgres://<user>@<host>/<database>")]
    Url,
    /// The folder for the file cannot be made.
    #[error("the folder of the database file cannot be made")]
    Folder(#[source] std::io::Error),
    /// The store does not let us in.
    #[error("the database cannot be opened")]
    Storage(#[source] DbErr),
}

pub(super) async fn open(url: &str) -> Result<Database, OpenError> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        // `sqlite:///var/shop` and `sqlite:/var/shop` are the same file, as everywhere.
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.starts_with(":memory:") {
            return Err(OpenError::Url);
        }
        return sqlite(Path::new(path), SqliteSynchronous::Normal, None).await;
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return postgres(url).await;
    }
    Err(OpenError::Url)
}

pub(super) async fn temporary() -> Result<Database, OpenError> {
    let folder = TempDir::with_prefix("shop-").map_err(OpenError::Folder)?;
    let file = folder.path().join("store.sqlite");
    // It does not outlive the process, so a power loss may have it.
    sqlite(&file, SqliteSynchronous::Off, Some(folder)).await
}

/// One writer and a few readers on a file in WAL mode: readers never wait, writers queue here in order
/// instead of colliding in the file. NORMAL survives the death of the process; a loss of power may cost the
/// last commits, never the file.
async fn sqlite(
    file: &Path,
    synchronous: SqliteSynchronous,
    folder: Option<TempDir>,
) -> Result<Database, OpenError> {
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent).map_err(OpenError::Folder)?;
    }
    let options = SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(true)
        .synchronous(synchronous)
        .busy_timeout(SQLITE_BUSY_WAIT_MAX)
        .pragma("cache_size", SQLITE_CACHE)
        .disable_statement_logging();

    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .acquire_timeout(SQLITE_WRITER_WAIT_MAX)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false);
    // What is deleted is overwritten: a person that is forgotten must not be found in the file's free pages.
    let write = options.clone().create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    let write = writer.connect_with(write.pragma("secure_delete", "ON")).await.map_err(cannot_open)?;

    let readers = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS_MAX)
        .min_connections(1)
        .acquire_timeout(CONNECTION_WAIT_MAX)
        .idle_timeout(READER_IDLE_MAX)
        .max_lifetime(None)
        .test_before_acquire(false);
    let read = readers.connect_with(options.pragma("query_only", "ON")).await.map_err(cannot_open)?;

    let connection = SqlxSqliteConnector::from_sqlx_sqlite_pool;
    Ok(database(connection(read), connection(write), DbBackend::Sqlite, folder))
}

async fn postgres(url: &str) -> Result<Database, OpenError> {
    let milliseconds = |limit: Duration| limit.as_millis().to_string();
    // The source would repeat the URL.
    let options = PgConnectOptions::from_str(url).map_err(|_| OpenError::Url)?;
    let options = options.application_name("shop").disable_statement_logging().options([
        ("lock_timeout", milliseconds(REQUEST_WAIT_MAX)),
        ("statement_timeout", milliseconds(POSTGRES_STATEMENT_TIME_MAX)),
        ("idle_in_transaction_session_timeout", milliseconds(POSTGRES_IDLE_TRANSACTION_TIME_MAX)),
    ]);
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS_MAX)
        .acquire_timeout(CONNECTION_WAIT_MAX)
        .idle_timeout(READER_IDLE_MAX)
        .connect_with(options)
        .await
        .map_err(cannot_open)?;

    let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    Ok(database(connection.clone(), connection, DbBackend::Postgres, None))
}

fn database(
    mut read: DatabaseConnection,
    mut write: DatabaseConnection,
    backend: DbBackend,
    folder: Option<TempDir>,
) -> Database {
    let statements = Statements::default();
    for connection in [&mut read, &mut write] {
        let statements = statements.clone();
        connection.set_metric_callback(move |ran| statements.note(&ran.statement.sql, ran.elapsed));
    }
    let changes = watch::Sender::new(0);
    let running = Running::default();
    let inner = Inner { read, write, backend, changes, running, statements, _folder: folder };
    Database { inner: Arc::new(inner) }
}

fn cannot_open(error: sqlx::Error) -> OpenError {
    OpenError::Storage(DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))
}
