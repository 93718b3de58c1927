//! What every store forgets in time, in one place: news that was carried, notes of news that was read, kept answers.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use tokio_util::sync::CancellationToken;

use crate::database::{Database, execute};
use crate::time::{Clock, Timestamp};

const INTERVAL: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MONTH: Duration = DAY.saturating_mul(30);
/// Rows removed by one statement: on SQLite every other writer waits for it.
const FORGOTTEN_AT_ONCE_MAX: u32 = 1_000;

/// Tables, what their rows are known by, which rows are old, and at what age. Unsent news and lasting answers never are.
const OLD: [(&str, &str, &str, Duration); 3] = [
    // Whoever comes late as a reader can be told the news of a month. Some reader may have yet to apply one: the others of
    // its subject stay with it, so that there is never a gap.
    ("outbox", "id", "sent < $1 AND subject NOT IN (SELECT subject FROM undelivered)", MONTH),
    // Longer than any producer keeps its news or any queue holds it back, so that none has a second effect.
    ("inbox", "reader, event_id", "applied < $1", MONTH.saturating_mul(2)),
    ("requests", "principal, request_id", "created < $1 AND NOT lasting", DAY),
];

/// Keeps one store in order until `shutdown`: every service's `work` runs it beside its own. Any number of processes may.
pub async fn upkeep(database: &Database, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        // The machine's time, which is what those rows are dated by, whatever clock the service was given.
        if let Err(error) = forget(database, Clock::system().now()).await {
            tracing::warn!(error = %error, "a store could not forget what is old and will try again: {error}");
        }
        shutdown.run_until_cancelled(tokio::time::sleep(INTERVAL)).await;
    }
}

/// Forgets what is old at this time; says how many rows that were.
pub async fn forget(database: &Database, now: Timestamp) -> Result<u64, DbErr> {
    let mut forgotten: u64 = 0;
    for (table, key, old, age) in OLD {
        let some = format!("SELECT {key} FROM {table} WHERE {old} LIMIT {FORGOTTEN_AT_ONCE_MAX}");
        let sql = format!("DELETE FROM {table} WHERE ({key}) IN ({some})");
        let mut rows = u64::from(FORGOTTEN_AT_ONCE_MAX);
        while rows == u64::from(FORGOTTEN_AT_ONCE_MAX) {
            rows = execute(database.write(), &sql, [(now - age).into()]).await?;
            forgotten = forgotten.saturating_add(rows);
        }
    }
    if database.backend() == DbBackend::Sqlite {
        // What was written ahead may still show what has been forgotten.
        database.write().execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await?;
    }
    Ok(forgotten)
}
