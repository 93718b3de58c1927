//! Statements written by hand, in the words that both stores understand: `$1` is a placeholder in each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};

/// Rows written by one statement. What SQLite needs to read a statement grows with the square of its rows: five of a
/// hundred are read ten times as fast as one of five hundred.
pub const ROWS_PER_STATEMENT_MAX: usize = 100;

/// Ids that one statement asks for, well below the number of variables that either store takes.
pub const IDS_PER_STATEMENT_MAX: usize = 500;

/// A statement that took so long is worth a line in the log.
const SLOW_TIME_MIN: Duration = Duration::from_secs(1);
/// So much of it is shown: enough to find it by.
const SHOWN_LENGTH_MAX: usize = 160;

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

/// The rows of a list of values: `($1, $2), ($3, $4)`. PostgreSQL must be told of which types they are where no table
/// says so; SQLite would bend them.
pub fn tuples(backend: DbBackend, rows: usize, types: &[&str]) -> String {
    let place = |at: usize, kind: &str| match backend {
        DbBackend::Sqlite => format!("${at}"),
        _ => format!("CAST(${at} AS {kind})"),
    };
    let tuple = |row: usize| {
        let first = row * types.len() + 1;
        let places: Vec<String> = (first..).zip(types).map(|(at, kind)| place(at, kind)).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(tuple).collect::<Vec<_>>().join(", ")
}

/// Ends a SELECT whose rows nobody else may change until the transaction ends. SQLite has one writer anyway.
pub fn for_update(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Sqlite => "",
        _ => " FOR UPDATE",
    }
}

/// What is known of the statements that ran on a store. The driver's own log of slow ones is off: it would write
/// kilobytes a line.
#[derive(Clone, Default)]
pub(super) struct Statements(Arc<AtomicU64>);

impl Statements {
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn note(&self, sql: &str, took: Duration) {
        self.0.fetch_add(1, Ordering::Relaxed);
        if took >= SLOW_TIME_MIN {
            tracing::warn!("a statement took {} ms: {}", took.as_millis(), shown(sql));
        }
    }
}

/// The beginning of a statement in one line. Its values are not part of it.
fn shown(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN_LENGTH_MAX).collect()
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
    fn a_slow_statement_is_shown_by_its_beginning_in_one_line() {
        assert_eq!(shown("SELECT 1\n    FROM stock"), "SELECT 1 FROM stock");
        let long = format!("INSERT INTO lines VALUES {}", "($1, $2), ".repeat(1_000));
        assert_eq!(Some(shown(&long).as_str()), long.get(..SHOWN_LENGTH_MAX));
    }

    #[test]
    fn the_rows_of_a_list_are_numbered_through() {
        assert_eq!(tuples(DbBackend::Sqlite, 2, &["text", "bigint"]), "($1, $2), ($3, $4)");
        assert_eq!(tuples(DbBackend::Postgres, 1, &["text", "uuid"]), "(CAST($1 AS text), CAST($2 AS uuid))");
    }

    #[test]
    fn only_places_of_values_become_numbers() {
        let sql = "SELECT '$1', a FROM b WHERE c = $12 AND d = 'it''s $2' AND e = $3 AND f = '$'";

        assert_eq!(
            numbered(sql),
            "SELECT '$1', a FROM b WHERE c = ?12 AND d = 'it''s $2' AND e = ?3 AND f = '$'"
        );
    }
}
