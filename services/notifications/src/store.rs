//! The only file that knows the tables: the inbox, and the part of it whose mails have not gone yet.

pub mod entity;
pub mod migration;

use kit::outbox::Event;
use kit::{Database, Id, Timestamp, erased, execute, inbox, query};
use sea_orm::DbErr;
use tokio::sync::watch;

use crate::domain::AccountId;

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

    /// Takes an event whose mail is to be sent, unless its account is erased. One that was taken before is not taken again,
    /// sent or not.
    pub async fn take(
        &self,
        reader: &str,
        event: &Event,
        account: Option<AccountId>,
        now: Timestamp,
    ) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        if !inbox::first_time(&tx, reader, event.id).await? {
            return Ok(());
        }
        if let Some(account) = account
            && erased::is_noted(&tx, account).await?
        {
            return tx.commit().await;
        }
        let sql =
            "INSERT INTO waiting_mails (event_id, kind, subject, subject_version, occurred, traceparent,
                       schema_version, payload, account_id, attempts, due)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10)";
        let values = [
            event.id.as_uuid().into(),
            event.kind.clone().into(),
            event.subject.clone().into(),
            event.subject_version.into(),
            event.occurred.into(),
            event.traceparent.clone().into(),
            event.schema_version.into(),
            event.payload.clone().into(),
            account.map(|account| account.as_uuid()).into(),
            now.into(),
        ];
        execute(&*tx, sql, values).await?;
        tx.commit().await
    }

    /// Forgets, once per event, what waits for an account, and remembers that nothing more is to go there.
    pub async fn forget(&self, reader: &str, event: Id<Event>, account: AccountId) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        if !inbox::first_time(&tx, reader, event).await? {
            return Ok(());
        }
        erased::note(&tx, account).await?;
        // A program of before this column left it empty, and knew the mails of an account by their subject alone.
        let sql = "DELETE FROM waiting_mails WHERE account_id = $1 OR subject = $2";
        execute(&*tx, sql, [account.as_uuid().into(), account.to_string().into()]).await?;
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
