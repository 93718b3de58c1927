//! Events that one reader has yet to apply although they count as sent, kept beside the outbox they come from: those
//! put aside after too many attempts, and those that are to be handed to it again.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kit::outbox::{self, Event};
use kit::{Clock, Database, Id, Reader, Timestamp, execute, query};
use observability::chain;
use sea_orm::{DbErr, Value};
use tokio_util::sync::CancellationToken;

use crate::apply::{STRIKES_MAX, apply, backoff, tell, tell_dead};
use crate::unsent::places;

const POLL_INTERVAL: Duration = Duration::from_secs(2);
const ROWS_MAX: i64 = 64;

/// Puts an event aside for one reader, in a task of its own. Its caller is asked after only while the relay waits for nothing
/// else; were it given the one writer of SQLite while the relay waits for that, both would wait until the time is over.
pub(crate) async fn put_aside(database: &Database, reader: &str, event: &Event) -> Result<(), DbErr> {
    let sql = "INSERT INTO undelivered (reader, event_id, subject, subject_version, dead, strikes, until) \
               VALUES ($1, $2, $3, $4, TRUE, 0, $5) \
               ON CONFLICT (reader, event_id) DO UPDATE SET dead = TRUE, strikes = 0";
    let values = [
        reader.into(),
        event.id.as_uuid().into(),
        event.subject.clone().into(),
        event.subject_version.into(),
        Clock::system().now().into(),
    ];
    let database = database.clone();
    let putting = tokio::spawn(async move { execute(database.write(), sql, values).await });
    putting.await.map_err(|error| DbErr::Custom(error.to_string()))?.map(drop)
}

/// The events that were put aside for a reader, oldest first.
pub(crate) async fn dead(database: &Database, reader: &str, limit: i64) -> Result<Vec<Event>, DbErr> {
    let sql = "SELECT o.* FROM undelivered u JOIN outbox o ON o.id = u.event_id \
               WHERE u.reader = $1 AND u.dead ORDER BY o.id LIMIT $2";
    let rows = query(database.read(), sql, [reader.into(), limit.into()]).await?;
    rows.iter().map(outbox::read).collect()
}

/// Lets a reader try again what was put aside: one event, or all of them. Says how many those are.
pub(crate) async fn retry(database: &Database, reader: &str, event: Option<Id<Event>>) -> Result<u64, DbErr> {
    let mut sql =
        "UPDATE undelivered SET dead = FALSE, strikes = 0, until = $1 WHERE reader = $2 AND dead".to_owned();
    let mut values: Vec<Value> = vec![Clock::system().now().into(), reader.into()];
    if let Some(event) = event {
        sql.push_str(" AND event_id = $3");
        values.push(event.as_uuid().into());
    }
    execute(database.write(), &sql, values).await
}

/// Lets a reader have everything again that happened since a time and was sent; says how many events those are.
pub(crate) async fn replay(
    database: &Database,
    reader: &str,
    kinds: &[&str],
    since: Timestamp,
) -> Result<u64, DbErr> {
    let sql = format!(
        "INSERT INTO undelivered (reader, event_id, subject, subject_version, dead, strikes, until) \
         SELECT $1, o.id, o.subject, o.subject_version, FALSE, 0, $2 FROM outbox o \
         WHERE o.sent IS NOT NULL AND o.occurred >= $3 AND o.kind IN ({}) \
         ON CONFLICT (reader, event_id) DO UPDATE SET dead = FALSE, strikes = 0, until = excluded.until",
        places(4, kinds.len())
    );
    let mut values: Vec<Value> = vec![reader.into(), Clock::system().now().into(), since.into()];
    values.extend(kinds.iter().map(|kind| Value::from(*kind)));
    execute(database.write(), &sql, values).await
}

/// Hands out what is to come again, to one reader each, until told to stop.
pub(crate) async fn run(database: Database, readers: Arc<[Reader]>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match round(&database, &readers, &stop).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!("events cannot be handed out again: {}", chain(&error)),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(POLL_INTERVAL) => {}
        }
    }
}

/// True when there may be more at once. A subject whose event fails waits, and its later events with it.
async fn round(database: &Database, readers: &[Reader], stop: &CancellationToken) -> Result<bool, DbErr> {
    let sql = "SELECT o.*, u.reader, u.strikes FROM undelivered u JOIN outbox o ON o.id = u.event_id \
               WHERE NOT u.dead AND u.until <= $1 AND NOT EXISTS (\
               SELECT 1 FROM undelivered e WHERE e.reader = u.reader AND e.subject = u.subject \
               AND NOT e.dead AND e.until > $1 AND e.subject_version < u.subject_version) \
               ORDER BY u.subject_version, o.id LIMIT $2";
    let rows = query(database.read(), sql, [Clock::system().now().into(), ROWS_MAX.into()]).await?;
    let mut held: HashSet<(&str, String)> = HashSet::new();
    let mut applied = 0_usize;
    for row in &rows {
        let (event, name): (Event, String) = (outbox::read(row)?, row.try_get("", "reader")?);
        let strikes: i32 = row.try_get("", "strikes")?;
        // A reader that is not here keeps its rows.
        let Some(reader) = readers.iter().find(|reader| reader.name == name) else {
            continue;
        };
        if stop.is_cancelled() || held.contains(&(reader.name, event.subject.clone())) {
            continue;
        }
        let Err(failure) = apply(reader, &event).await else {
            let sql = "DELETE FROM undelivered WHERE reader = $1 AND event_id = $2";
            execute(database.write(), sql, [reader.name.into(), event.id.as_uuid().into()]).await?;
            applied += 1;
            continue;
        };
        if !failure.passing && strikes + 1 >= STRIKES_MAX {
            put_aside(database, reader.name, &event).await?;
            tell_dead(&event, &failure);
            continue;
        }
        tell(&event, &failure, strikes.saturating_add(1));
        let sql = "UPDATE undelivered SET until = $1, strikes = $2 WHERE reader = $3 AND event_id = $4";
        let wait = Clock::system().now() + backoff(strikes.saturating_add(1));
        let strikes = strikes.saturating_add(i32::from(!failure.passing));
        let values = [wait.into(), strikes.into(), reader.name.into(), event.id.as_uuid().into()];
        execute(database.write(), sql, values).await?;
        held.insert((reader.name, event.subject));
    }
    Ok(applied > 0 && i64::try_from(rows.len()).is_ok_and(|read| read >= ROWS_MAX))
}
