//! Tells a store that is busy or away from one that is wrong.

use std::borrow::Cow;

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// PostgreSQL: a lock was not granted within `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";
/// PostgreSQL: a lock not granted, serialisation failure, deadlock, cancelled by a timeout, shutting down (three kinds), out of
/// connections. SQLite: busy, and busy while recovering a file.
const TRANSIENT: [&str; 10] =
    [LOCK_NOT_AVAILABLE, "40001", "40P01", "57014", "57P01", "57P02", "57P03", "53300", "5", "261"];
/// PostgreSQL: the first two characters of every failure of the connection.
const CONNECTION_CLASS: &str = "08";
/// PostgreSQL: what begins the codes for a wrong name or password, for no such database, and for no right.
const REFUSED: [&str; 3] = ["28", "3D000", "42501"];

/// Whether the same transaction may succeed when it is tried again a moment later. The caller answers
/// UNAVAILABLE then, and a fault of ours otherwise.
pub fn is_transient(error: &DbErr) -> bool {
    matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_))
        || matches!(cause(error), Some(sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed))
        || code(error).is_some_and(|code| TRANSIENT.contains(&&*code) || code.starts_with(CONNECTION_CLASS))
}

/// Whether the store says no to whoever asks, which stays so until a person changes it.
pub fn is_refused(error: &DbErr) -> bool {
    code(error).is_some_and(|code| REFUSED.iter().any(|refused| code.starts_with(refused)))
}

/// Whether a row of this key is there already.
pub fn is_taken(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Whether another transaction held the row for too long.
pub(crate) fn is_lock_timeout(error: &DbErr) -> bool {
    code(error).is_some_and(|code| code == LOCK_NOT_AVAILABLE)
}

/// The code that the store itself gave.
fn code(error: &DbErr) -> Option<Cow<'_, str>> {
    cause(error)?.as_database_error()?.code()
}

fn cause(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => Some(cause),
        _ => None,
    }
}
