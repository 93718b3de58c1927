//! The only file that knows the tables: the inbox, and the part of it whose mails have not gone yet.

pub mod entity;
pub mod migration;

use kit::outbox::Event;
use kit::{Database, Id, Timestamp, execute, inbox, query};
use sea_orm::DbErr;
use tokio::sync::watch;

pub use entity::Waiting;

#[derive(Clone)]
pub struct Store {
    database: Database,
}

impl Store {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Counts the commits of this process: something may be waiting.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.database.changes()
    }

    /// Takes an event whose mail is to be sent. One that was taken before is not taken again, sent or not.
    pub async fn take(&self, reader: &str, event: &Event, now: Timestamp) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        if !inbox::first_time(&tx, reader, event.id).await? {
            return Ok(());
        }
        let sql =
            "INSERT INTO waiting_mails (event_id, kind, subject, subject_version, occurred, traceparent,
                       schema_version, payload, attempts, due)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)";
        let values = [
            event.id.as_uuid().into(),
            event.kind.clone().into(),
            event.subject.clone().into(),
            event.subject_version.into(),
            event.occurred.into(),
            event.traceparent.clone().into(),
            event.schema_version.into(),
            event.payload.clone().into(),
            now.into(),
        ];
        execute(&*tx, sql, values).await?;
        tx.commit().await
    }

    /// Forgets what still waits about a subject.
    pub async fn forget(&self, reader: &str, event: &Event) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        inbox::first_time(&tx, reader, event.id).await?;
        let sql = "DELETE FROM waiting_mails WHERE subject = $1";
        execute(&*tx, sql, [event.subject.clone().into()]).await?;
        tx.commit().await
    }

    /// Claims what is due until a time, the longest overdue first. Of several who claim the same one gets it.
    pub async fn claim(&self, now: Timestamp, until: Timestamp, limit: usize) -> Result<Vec<Waiting>, DbErr> {
        let sql =
            "SELECT *, event_id AS id FROM waiting_mails WHERE due <= $1 ORDER BY due, event_id LIMIT $2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = query(self.database.read(), sql, [now.into(), limit.into()]).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut claimed = Vec::with_capacity(rows.len());
        let tx = self.database.begin().await?;
        for row in &rows {
            let waiting = Waiting::of(row)?;
            let sql = "UPDATE waiting_mails SET due = $3, attempts = attempts + 1
                       WHERE event_id = $1 AND due = $2";
            let values = [waiting.event.id.as_uuid().into(), waiting.due.into(), until.into()];
            if execute(&*tx, sql, values).await? == 1 {
                claimed.push(Waiting { due: until, attempts: waiting.attempts.saturating_add(1), ..waiting });
            }
        }
        tx.commit().await?;
        Ok(claimed)
    }

    /// The mail of an event is taken, or given up: it waits no longer.
    pub async fn settle(&self, event: Id<Event>) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        let sql = "DELETE FROM waiting_mails WHERE event_id = $1";
        execute(&*tx, sql, [event.as_uuid().into()]).await?;
        tx.commit().await
    }

    /// Says when to try again; only by whoever still has it.
    pub async fn postpone(&self, waiting: &Waiting, until: Timestamp) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        let sql = "UPDATE waiting_mails SET due = $3 WHERE event_id = $1 AND due = $2";
        execute(&*tx, sql, [waiting.event.id.as_uuid().into(), waiting.due.into(), until.into()]).await?;
        tx.commit().await
    }
}
