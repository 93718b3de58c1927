//! Who works on what: a row is leased for a few seconds, and only the holder of the lease saves steps of its saga.

use std::time::Duration;

use kit::{Timestamp, Tx, execute, query};
use sea_orm::DbErr;
use uuid::Uuid;

use super::Store;

/// How long a lease lasts. Whoever works renews it; after a crash others wait so long.
pub const LEASE: Duration = Duration::from_secs(4);

/// What is leased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leased {
    Checkout(Uuid),
    Order(Uuid),
}

/// How it went to ask for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Taken,
    /// Somebody else has it.
    Busy,
    /// There is nothing to do.
    Idle,
}

/// The holder of a lease. Every run is one of its own, so two runs in one process exclude each other, too.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    pub owner: Uuid,
}

impl Leased {
    fn table(self) -> (&'static str, Uuid) {
        match self {
            Leased::Checkout(id) => ("checkouts", id),
            Leased::Order(id) => ("orders", id),
        }
    }
}

impl Lease {
    pub fn fresh() -> Lease {
        Lease { owner: Uuid::new_v4() }
    }
}

impl Store {
    /// Takes the lease of something that has work to do and that nobody works on.
    pub async fn lease(&self, what: Leased, lease: Lease) -> Result<Turn, DbErr> {
        // Most orders owe nothing; to see that costs no place in the writers' queue.
        let (table, id) = what.table();
        let sql = format!("SELECT id FROM {table} WHERE id = $1 AND due IS NOT NULL");
        if query(self.database.read(), &sql, [id.into()]).await?.is_empty() {
            return Ok(Turn::Idle);
        }
        let tx = self.database.begin().await?;
        let taken = take(&tx, what, lease, self.clock.now()).await?;
        tx.commit().await?;
        Ok(if taken { Turn::Taken } else { Turn::Busy })
    }

    /// Says that the holder is still at it.
    pub async fn renew(&self, what: Leased, lease: Lease) -> Result<(), DbErr> {
        let (table, id) = what.table();
        let sql = format!("UPDATE {table} SET lease_until = $3 WHERE id = $1 AND lease_owner = $2");
        let until = self.clock.now() + LEASE;
        let tx = self.database.begin().await?;
        execute(&*tx, &sql, [id.into(), lease.owner.into(), until.into()]).await?;
        tx.commit().await
    }

    /// Gives the lease back, and says when somebody must look again. Somebody may have asked for more since the holder
    /// last looked: then the version is another, and what he said about when to look stays.
    pub async fn release(
        &self,
        what: Leased,
        lease: Lease,
        version: i64,
        due: Option<Timestamp>,
    ) -> Result<(), DbErr> {
        let (table, id) = what.table();
        let sql = format!(
            "UPDATE {table} SET lease_owner = NULL, lease_until = NULL, \
                due = CASE WHEN version = $4 THEN $3 ELSE due END \
             WHERE id = $1 AND lease_owner = $2"
        );
        let tx = self.database.begin().await?;
        execute(&*tx, &sql, [id.into(), lease.owner.into(), due.into(), version.into()]).await?;
        tx.commit().await
    }

    /// What is due and unattended, the longest overdue first.
    pub async fn overdue(&self, limit: u64) -> Result<Vec<Leased>, DbErr> {
        let now = self.clock.now();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut found = Vec::new();
        for kind in [Leased::Checkout as fn(Uuid) -> Leased, Leased::Order] {
            let (table, _) = kind(Uuid::nil()).table();
            let sql = format!(
                "SELECT id FROM {table} WHERE due <= $1 \
                 AND (lease_until IS NULL OR lease_until <= $1) ORDER BY due LIMIT $2"
            );
            for row in query(self.database.read(), &sql, [now.into(), limit.into()]).await? {
                found.push(kind(row.try_get("", "id")?));
            }
        }
        Ok(found)
    }
}

pub(super) async fn take(tx: &Tx, what: Leased, lease: Lease, now: Timestamp) -> Result<bool, DbErr> {
    let (table, id) = what.table();
    let sql = format!(
        "UPDATE {table} SET lease_owner = $2, lease_until = $3 \
         WHERE id = $1 AND due IS NOT NULL AND (lease_until IS NULL OR lease_until <= $4)"
    );
    let values = [id.into(), lease.owner.into(), (now + LEASE).into(), now.into()];
    Ok(execute(tx, &sql, values).await? == 1)
}
