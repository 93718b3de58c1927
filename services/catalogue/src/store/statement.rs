//! Statements over many rows, in few shapes: a store keeps what it has prepared, and every other length would be another text.

use kit::{execute, query};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

/// Rows or values named by one statement at most; a power of two, as all the lengths are.
const ROWS_MAX: usize = 512;
/// Placeholders of one statement at most; SQLite takes 32,766.
const VALUES_MAX: usize = 16_384;

/// A statement that is put together.
#[derive(Default)]
pub(super) struct Sql {
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

impl Sql {
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// A placeholder for a value.
    pub(super) fn value(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// Placeholders for a list of values, in brackets; as many as the next power of two, like everywhere here.
    pub(super) fn list(&mut self, values: &[Value]) -> String {
        let places: Vec<String> = padded(values).into_iter().map(|value| self.value(value)).collect();
        format!("({})", places.join(", "))
    }
}

/// The rows that `head IN (…) tail` finds, for however many values.
pub(super) async fn query_in(
    on: &impl ConnectionTrait,
    head: &str,
    values: &[Value],
    tail: &str,
) -> Result<Vec<QueryResult>, DbErr> {
    let mut rows = Vec::new();
    for values in values.chunks(ROWS_MAX) {
        let sql = format!("{head} IN ({}) {tail}", places(values.len().next_power_of_two()));
        rows.extend(query(on, &sql, padded(values)).await?);
    }
    Ok(rows)
}

/// Runs `head IN (…)` for however many values.
pub(super) async fn execute_in(on: &impl ConnectionTrait, head: &str, values: &[Value]) -> Result<(), DbErr> {
    for values in values.chunks(ROWS_MAX) {
        let sql = format!("{head} IN ({})", places(values.len().next_power_of_two()));
        execute(on, &sql, padded(values)).await?;
    }
    Ok(())
}

/// Runs `head VALUES (…), (…)` for however many rows of the same width.
pub(super) async fn insert(
    on: &impl ConnectionTrait,
    head: &str,
    rows: Vec<Vec<Value>>,
) -> Result<(), DbErr> {
    let Some(width) = rows.first().map(Vec::len) else {
        return Ok(());
    };
    let mut largest = ROWS_MAX;
    while largest > 1 && largest * width > VALUES_MAX {
        largest /= 2;
    }
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        let count = largest.min(previous_power_of_two(rows.len()));
        let groups: Vec<String> = (0..count)
            .map(|row| {
                let places: Vec<String> =
                    (1..=width).map(|place| format!("${}", row * width + place)).collect();
                format!("({})", places.join(", "))
            })
            .collect();
        let sql = format!("{head} VALUES {}", groups.join(", "));
        let values: Vec<Value> = rows.by_ref().take(count).flatten().collect();
        execute(on, &sql, values).await?;
    }
    Ok(())
}

fn places(count: usize) -> String {
    let places: Vec<String> = (1..=count).map(|place| format!("${place}")).collect();
    places.join(", ")
}

/// The last value again and again: a list that names a value twice finds the same rows.
fn padded(values: &[Value]) -> Vec<Value> {
    let mut padded = values.to_vec();
    if let Some(last) = values.last() {
        padded.resize(values.len().next_power_of_two(), last.clone());
    }
    padded
}

fn previous_power_of_two(count: usize) -> usize {
    match count.is_power_of_two() {
        true => count,
        false => count.next_power_of_two() / 2,
    }
}
