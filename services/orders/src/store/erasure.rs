//! The checkouts and orders of somebody who asked to be forgotten.

use kit::outbox::Event as News;
use kit::{Id, Timestamp, Tx, erased, execute, inbox, query, requests};

use super::{DECISIONS_MAX, Store, checkouts, entity, orders};
use crate::domain::AccountId;
use crate::error::Error;
use crate::events;

impl Store {
    /// Forgets, once per event, whom an account belonged to. Its orders stay without it.
    pub async fn forget(&self, reader: &str, event: Id<News>, account: AccountId) -> Result<(), Error> {
        for _ in 0..DECISIONS_MAX {
            let tx = self.database.begin().await?;
            if !inbox::first_time(&tx, reader, event).await? {
                return Ok(());
            }
            let now = self.clock.now();
            erased::note(&tx, account).await?;
            if self.forget_checkouts(&tx, account, now).await?
                && self.forget_orders(&tx, account, now).await?
            {
                requests::forget(&tx, account).await?;
                tx.commit().await?;
                return Ok(());
            }
        }
        Err(Error::Conflict)
    }

    /// False when somebody else was quicker with one of them.
    async fn forget_checkouts(&self, tx: &Tx, account: AccountId, now: Timestamp) -> Result<bool, Error> {
        let mine = || [account.as_uuid().into()];
        for row in query(tx, "SELECT * FROM checkouts WHERE account = $1", mine()).await? {
            let mut checkout = entity::checkout(&row)?;
            let changes = checkout.forget_buyer(now);
            let news = events::of_checkout(&mut checkout, changes, now);
            if !checkouts::save(tx, &mut checkout, None, now).await? {
                return Ok(false);
            }
            self.announce(tx, news).await?;
        }
        execute(tx, "UPDATE checkouts SET account = NULL WHERE account = $1", mine()).await?;
        Ok(true)
    }

    async fn forget_orders(&self, tx: &Tx, account: AccountId, now: Timestamp) -> Result<bool, Error> {
        let mine = || [account.as_uuid().into()];
        let rows = query(tx, "SELECT * FROM orders WHERE account = $1", mine()).await?;
        for before in orders::with_lines(tx, rows).await? {
            let mut order = before.clone();
            let changes = order.forget_buyer(now);
            let news = events::of_order(&mut order, changes, &self.mailing, now);
            if !orders::save(tx, &before, &mut order, None, now).await? {
                return Ok(false);
            }
            self.announce(tx, news).await?;
        }
        execute(tx, "UPDATE orders SET account = NULL WHERE account = $1", mine()).await?;
        Ok(true)
    }
}
