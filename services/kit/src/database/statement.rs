//! Statements written by hand, in the words that both stores understand: `$1` is a placeholder in each.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};

/// Runs a statement and says how many rows it touched.
pub async fn execute(
    on: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, DbErr> {
    let statement = prepared(on.get_database_backend(), sql, values);
    Ok(on.execute_raw(statement).await?.rows_affected())
}

/// The rows that a statement finds.
pub async fn query(
    on: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    let statement = prepared(on.get_database_backend(), sql, values);
    on.query_all_raw(statement).await
}

fn prepared(backend: DbBackend, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    match backend {
        DbBackend::Sqlite => Statement::from_sql_and_values(backend, numbered(sql), values),
        _ => Statement::from_sql_and_values(backend, sql, values),
    }
}

/// `$1` as `?1`. To SQLite `$1` is a name, and it looks for each name among all before it: the 4,000 of one large basket
/// took longer than everything else about it.
fn numbered(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut quoted = false;
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        quoted ^= letter == '\'';
        let is_place = letter == '$' && !quoted && letters.peek().is_some_and(char::is_ascii_digit);
        text.push(if is_place { '?' } else { letter });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_of_values_become_numbers() {
        let sql = "SELECT '$1', a FROM b WHERE c = $12 AND d = 'it''s $2' AND e = $3 AND f = '$'";

        assert_eq!(
            numbered(sql),
            "SELECT '$1', a FROM b WHERE c = ?12 AND d = 'it''s $2' AND e = ?3 AND f = '$'"
        );
    }
}
