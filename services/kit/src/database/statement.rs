//! Statements written by hand, in the words that both stores understand: `$1` is a placeholder in each.

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};

/// Runs a statement and says how many rows it touched.
pub async fn execute(
    on: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, DbErr> {
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    Ok(on.execute_raw(statement).await?.rows_affected())
}

/// The rows that a statement finds.
pub async fn query(
    on: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    on.query_all_raw(statement).await
}
