#![doc = include_str!("../README.md")]

mod meeting;

use kit::{Database, Timestamp, query};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Value};
use uuid::Uuid;

pub use meeting::meeting;

/// What one look at a store found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its number: "INV-1".
    pub invariant: &'static str,
    /// What must hold of each row.
    pub promise: &'static str,
    /// How many rows were looked at.
    pub checked: i64,
    /// The ids of those of which it does not hold.
    pub broken: Vec<String>,
}

/// A promise, and the two statements that look whether it was kept.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// Its number: "INV-1".
    pub invariant: &'static str,
    /// What must hold of each row.
    pub promise: &'static str,
    /// Counts the rows: `FROM stock`.
    pub rows: &'static str,
    /// Finds those of which it does not hold, each by its id as `name`. `$1` is the time.
    pub broken: &'static str,
}

impl Promise {
    /// Looks.
    pub async fn check(&self, database: &Database, now: Timestamp) -> Result<Check, DbErr> {
        let counted =
            query(database.read(), &format!("SELECT COUNT(*) AS checked {}", self.rows), []).await?;
        let checked = counted.first().map_or(Ok(0), |row| row.try_get("", "checked"))?;
        let values: Option<Value> = self.broken.contains("$1").then(|| now.into());
        let rows = query(database.read(), self.broken, values).await?;
        let broken = rows.iter().map(name).collect::<Result<_, _>>()?;
        Ok(Check { invariant: self.invariant, promise: self.promise, checked, broken })
    }
}

/// Looks whether each of these was kept.
pub async fn check_all(
    database: &Database,
    now: Timestamp,
    promises: &[Promise],
) -> Result<Vec<Check>, DbErr> {
    let mut checks = Vec::with_capacity(promises.len());
    for promise in promises {
        checks.push(promise.check(database, now).await?);
    }
    Ok(checks)
}

/// What every outbox promises. Old news are removed from the front, so a subject need not begin with its first.
pub const NEWS: Promise = Promise {
    invariant: "INV-7",
    promise: "the news of a subject have each version once, without a gap",
    rows: "FROM outbox",
    broken: "SELECT subject AS name FROM outbox GROUP BY subject
             HAVING COUNT(*) <> MAX(subject_version) - MIN(subject_version) + 1",
};

/// An id, in whichever type the table has it.
fn name(row: &QueryResult) -> Result<String, DbErr> {
    match row.try_get::<String>("", "name") {
        Ok(text) => Ok(text),
        Err(_) => row.try_get::<Uuid>("", "name").map(|id| id.to_string()),
    }
}

/// The ids of the rows that break a promise, by its number.
pub fn broken(checks: &[Check], invariant: &str) -> Vec<String> {
    checks
        .iter()
        .filter(|check| check.invariant == invariant)
        .flat_map(|check| check.broken.clone())
        .collect()
}

/// Does to a table what no service would do, with the checks of the table out of the way: a test of whoever looks for
/// broken promises must break one.
#[allow(clippy::expect_used, reason = "a test that cannot do its damage must stop at once and say so")]
pub async fn damage(database: &Database, table: &str, sql: &str) {
    let lift = match database.backend() {
        DbBackend::Sqlite => "PRAGMA ignore_check_constraints = ON".to_owned(),
        _ => format!(
            "DO $$ DECLARE found text; BEGIN
                FOR found IN SELECT conname FROM pg_constraint
                    WHERE conrelid = '{table}'::regclass AND contype = 'c'
                LOOP EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', found); END LOOP;
             END $$"
        ),
    };
    database.write().execute_unprepared(&lift).await.expect("the checks of a table can be lifted");
    database.write().execute_unprepared(sql).await.expect("the damage can be done");
}
