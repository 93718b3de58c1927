//! History of other shops, written in batches. An external id comes in once.

use std::collections::HashSet;

use kit::outbox;
use kit::{Tx, query};
use sea_orm::{DbErr, Value};
use uuid::Uuid;

use super::orders::{insert_header, placeholders};
use super::{Store, orders};
use crate::domain::{Line, Order, OrderEvent};
use crate::events;

/// What became of one order of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    Created,
    /// It had come before.
    Unchanged,
}

impl Store {
    /// Writes those orders that are not there yet, all or none.
    pub async fn import(&self, batch: &[Order]) -> Result<Vec<Imported>, DbErr> {
        let now = self.clock.now();
        let tx = self.database.begin().await?;
        let mut known = known(&tx, batch).await?;
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut lines: Vec<(Uuid, usize, &Line)> = Vec::new();
        let mut told = Vec::new();
        for order in batch {
            let new = order.external.as_ref().is_some_and(|external| known.insert(external.id.clone()));
            if !new {
                outcomes.push(Imported::Unchanged);
                continue;
            }
            let mut order_with_news = order.clone();
            let placed = vec![OrderEvent::Placed];
            let news = events::of_order(&mut order_with_news, placed, &self.mailing, now);
            insert_header(&tx, &order_with_news, now).await?;
            told.extend(news);
            lines.extend(
                order.lines.iter().enumerate().map(|(position, line)| (order.id.as_uuid(), position, line)),
            );
            outcomes.push(Imported::Created);
        }
        orders::insert_lines(&tx, &lines).await?;
        outbox::append_all(&tx, &told).await?;
        tx.commit().await?;
        Ok(outcomes)
    }
}

async fn known(tx: &Tx, batch: &[Order]) -> Result<HashSet<String>, DbErr> {
    let ids: Vec<Value> = batch
        .iter()
        .filter_map(|order| order.external.as_ref())
        .map(|external| external.id.clone().into())
        .collect();
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let sql = format!("SELECT external_id FROM orders WHERE external_id IN ({})", placeholders(1, ids.len()));
    let rows = query(&**tx, &sql, ids).await?;
    rows.iter().map(|row| row.try_get("", "external_id")).collect()
}
