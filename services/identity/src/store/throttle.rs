//! Counts that close a gate. A try is counted before its outcome is known, so a hundred at once cannot all pass.

use std::time::Duration;

use kit::{Timestamp, Tx, execute, query};
use sea_orm::DbErr;

use super::Store;
use crate::domain::throttle::Gate;
use crate::error::Error;

/// What counting one more found.
pub enum Counted {
    Within,
    /// This one closed the gate.
    Crossed,
    Closed,
}

impl Store {
    /// Refuses when a gate is closed, without writing anything: a flood is turned away by reads.
    pub async fn refuse_closed(&self, gates: &[Gate], now: Timestamp) -> Result<(), Error> {
        for gate in gates {
            let sql = "SELECT started FROM throttles WHERE name = $1 AND failures > $2 AND started > $3";
            let values = [gate.key.clone().into(), gate.max.into(), (now - gate.window).into()];
            if let Some(row) = query(self.database.read(), sql, values).await?.first() {
                return Err(Error::LoginThrottled(left(row.try_get("", "started")?, gate, now)));
            }
        }
        Ok(())
    }

    /// Counts a try at a gate of its own, such as the present password of somebody who is signed in.
    pub async fn pass(&self, gate: &Gate, now: Timestamp) -> Result<(), Error> {
        let tx = self.database.begin().await?;
        let counted = count(&tx, gate, now).await?;
        tx.commit().await?;
        match counted {
            Counted::Within => Ok(()),
            Counted::Crossed | Counted::Closed => Err(Error::LoginThrottled(gate.window)),
        }
    }

    pub async fn prune_throttles(&self, before: Timestamp) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        execute(&*tx, "DELETE FROM throttles WHERE started < $1", [before.into()]).await?;
        tx.commit().await
    }
}

/// One more in the present window, or the first of a new one.
pub async fn count(tx: &Tx, gate: &Gate, now: Timestamp) -> Result<Counted, DbErr> {
    let sql = "INSERT INTO throttles (name, subject, failures, started) VALUES ($1, $5, 1, $2)
               ON CONFLICT (name) DO UPDATE SET
                   failures = CASE WHEN throttles.started <= $3 THEN 1 ELSE throttles.failures + 1 END,
                   started = CASE WHEN throttles.started <= $3 THEN excluded.started ELSE throttles.started END
               WHERE throttles.started <= $3 OR throttles.failures <= $4
               RETURNING failures";
    let values = [
        gate.key.clone().into(),
        now.into(),
        (now - gate.window).into(),
        gate.max.into(),
        gate.subject.clone().into(),
    ];
    let rows = query(&**tx, sql, values).await?;
    Ok(match rows.first() {
        Some(row) if row.try_get::<i64>("", "failures")? <= gate.max => Counted::Within,
        Some(_) => Counted::Crossed,
        None => Counted::Closed,
    })
}

/// Takes a success back out of the count.
pub async fn release(tx: &Tx, gate: &Gate) -> Result<(), DbErr> {
    let sql = match gate.forgives {
        true => "DELETE FROM throttles WHERE name = $1",
        false => "UPDATE throttles SET failures = failures - 1 WHERE name = $1 AND failures > 0",
    };
    execute(&**tx, sql, [gate.key.clone().into()]).await.map(drop)
}

/// Forgets every count of a subject.
pub async fn forget(tx: &Tx, subject: &[u8]) -> Result<(), DbErr> {
    execute(&**tx, "DELETE FROM throttles WHERE subject = $1", [subject.to_vec().into()]).await.map(drop)
}

fn left(started: Timestamp, gate: &Gate, now: Timestamp) -> Duration {
    (started + gate.window - now).to_std().unwrap_or_default()
}
