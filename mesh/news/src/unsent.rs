//! What is still to be carried, and the mark of what was.

use std::collections::HashMap;

use kit::outbox::{self, Event};
use kit::{Database, IDS_PER_STATEMENT_MAX, Id, Timestamp, execute, query};
use sea_orm::{DbErr, Value};

/// The events of some subjects that are still to be carried, oldest first; of each at most its oldest unsent run, or the
/// first event of that alone.
pub(crate) async fn unsent_of(
    database: &Database,
    limit: u64,
    subjects: &[String],
    first_alone: bool,
) -> Result<Vec<Event>, DbErr> {
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    // Clocks of two processes may disagree, so an id may be older than that of an earlier version.
    // Such a row waits until the earlier one is sent.
    let any = if first_alone { "" } else { "AND e.id > o.id" };
    let sql = format!(
        "SELECT o.* FROM outbox o WHERE o.sent IS NULL AND o.subject IN ({}) AND NOT EXISTS (\
         SELECT 1 FROM outbox e WHERE e.subject = o.subject AND e.sent IS NULL \
         AND e.subject_version < o.subject_version {any}) ORDER BY o.id LIMIT $1",
        places(2, subjects.len())
    );
    let limit = Value::from(i64::try_from(limit).unwrap_or(i64::MAX));
    let values = std::iter::once(limit).chain(subjects.iter().map(|subject| Value::from(subject.clone())));
    let rows = query(database.read(), &sql, values).await?;
    let events = rows.iter().map(outbox::read).collect::<Result<Vec<Event>, DbErr>>()?;
    Ok(first_runs(events))
}

/// Marks events as carried. This is no news: it wakes nobody.
pub(crate) async fn mark_sent(database: &Database, ids: &[Id<Event>], now: Timestamp) -> Result<(), DbErr> {
    for ids in ids.chunks(IDS_PER_STATEMENT_MAX) {
        let sql =
            format!("UPDATE outbox SET sent = $1 WHERE sent IS NULL AND id IN ({})", places(2, ids.len()));
        let values = std::iter::once(Value::from(now)).chain(ids.iter().map(|id| Value::from(id.as_uuid())));
        execute(database.write(), &sql, values).await?;
    }
    Ok(())
}

/// `$2, $3, $4`: places of so many values.
pub(crate) fn places(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// Leaves out what follows a gap: the missing version must be carried first.
fn first_runs(events: Vec<Event>) -> Vec<Event> {
    let mut next: HashMap<String, i64> = HashMap::new();
    let mut runs = events;
    runs.retain(|event| match next.get_mut(&event.subject) {
        Some(version) if *version == event.subject_version => {
            *version = version.saturating_add(1);
            true
        }
        Some(_) => false,
        None => {
            next.insert(event.subject.clone(), event.subject_version.saturating_add(1));
            true
        }
    });
    runs
}

#[cfg(test)]
mod tests;
