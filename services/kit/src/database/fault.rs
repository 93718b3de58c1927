//! Tells a store that is busy or away from one that is wrong.

use std::borrow::Cow;

use sea_orm::{DbErr, RuntimeErr};

/// PostgreSQL: a lock was not granted within `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";
/// PostgreSQL: serialisation failure, deadlock, cancelled by a timeout, shutting down (three kinds), out of
/// connections. SQLite: busy, and busy while recovering a file.
const TRANSIENT: [&str; 9] = ["40001", "40P01", "57014", "57P01", "57P02", "57P03", "53300", "5", "261"];
/// PostgreSQL: the first two characters of every failure of the connection.
const CONNECTION_CLASS: &str = "08";
/// PostgreSQL: the first two characters of every refusal of a name or a password.
const AUTHORIZATION_CLASS: &str = "28";
/// PostgreSQL: no such database; no right to it or to a table.
const REFUSED: [&str; 2] = ["3D000", "42501"];

/// Whether the same transaction may succeed when it is tried again a moment later. The caller answers
/// UNAVAILABLE then, and a fault of ours otherwise.
pub fn is_transient(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
            matches!(**cause, sea_orm::sqlx::Error::Io(_) | sea_orm::sqlx::Error::WorkerCrashed)
                || code(error).is_some_and(|code| {
                    TRANSIENT.contains(&&*code)
                        || code.starts_with(CONNECTION_CLASS)
                        || code == LOCK_NOT_AVAILABLE
                })
        }
        _ => false,
    }
}

/// Whether the store says no to whoever asks, which stays so until a person changes it.
pub fn is_refused(error: &DbErr) -> bool {
    code(error).is_some_and(|code| code.starts_with(AUTHORIZATION_CLASS) || REFUSED.contains(&&*code))
}

/// Whether another transaction held the row for too long.
pub(crate) fn is_lock_timeout(error: &DbErr) -> bool {
    code(error).is_some_and(|code| code == LOCK_NOT_AVAILABLE)
}

/// The code that the store itself gave.
fn code(error: &DbErr) -> Option<Cow<'_, str>> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => cause.as_database_error()?.code(),
        _ => None,
    }
}
