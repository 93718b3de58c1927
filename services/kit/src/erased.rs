//! People who asked to be forgotten. Whoever knew them remembers that much, so that what comes late finds nobody.

use sea_orm::DbErr;

use crate::database::{Tx, execute, query};
use crate::id::Id;

/// Notes that an account is erased; what the service knows about the person goes in the same transaction. Last go the
/// answers it was given, by [`requests::forget`](crate::requests::forget): who writes of the account at this moment has
/// kept his by the time that his rows are had.
pub async fn note<T>(tx: &Tx, account: Id<T>) -> Result<(), DbErr> {
    tx.take_turn(&account.to_string(), "pg_advisory_xact_lock").await?;
    let sql = "INSERT INTO erased (account_id) VALUES ($1) ON CONFLICT DO NOTHING";
    execute(tx, sql, [account.as_uuid().into()]).await.map(drop)
}

/// Whether an account is erased. Asked before something of it is written; it cannot be erased then until that commits.
pub async fn is_noted<T>(tx: &Tx, account: Id<T>) -> Result<bool, DbErr> {
    tx.take_turn(&account.to_string(), "pg_advisory_xact_lock_shared").await?;
    let sql = "SELECT 1 FROM erased WHERE account_id = $1";
    Ok(!query(tx, sql, [account.as_uuid().into()]).await?.is_empty())
}
