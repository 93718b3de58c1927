//! The one way in which stock changes: rows, ledger and events together, all of a set or nothing.

use std::collections::BTreeMap;

use kit::{ROWS_PER_STATEMENT_MAX, Timestamp, Tx, execute, outbox, query, tuples};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Value};
use uuid::Uuid;

use super::entity::StockRow;
use crate::domain::{Cause, Figures, Kind, LocationId, Refusal, Shortage};
use crate::error::Error;
use crate::events;

/// So much of a SKU, and what happens to it.
#[derive(Clone, Debug)]
pub struct Move {
    pub sku: String,
    pub location: LocationId,
    pub kind: Kind,
    pub quantity: i64,
}

type Key = (String, Uuid);

/// Reads the rows of these keys and keeps others from changing them until the transaction ends. Always in the order of
/// their keys, so that two baskets never wait for each other.
pub async fn lock(tx: &Tx, keys: &[(String, LocationId)]) -> Result<BTreeMap<Key, StockRow>, DbErr> {
    let mut keys: Vec<Key> = keys.iter().map(|(sku, place)| (sku.clone(), place.as_uuid())).collect();
    keys.sort();
    let order = match tx.get_database_backend() {
        DbBackend::Sqlite => "sku, location_id",
        // The order of the keys here, which is that of the chunks, too; a database may have another one of its own.
        _ => "sku COLLATE \"C\", location_id FOR UPDATE",
    };
    let mut found = BTreeMap::new();
    for keys in keys.chunks(ROWS_PER_STATEMENT_MAX) {
        let pairs: Vec<String> =
            (0..keys.len()).map(|at| format!("(${}, ${})", at * 2 + 1, at * 2 + 2)).collect();
        let sql = format!(
            "SELECT * FROM stock WHERE (sku, location_id) IN (VALUES {}) ORDER BY {order}",
            pairs.join(", ")
        );
        let values = keys.iter().flat_map(|(sku, place)| [Value::from(sku.clone()), Value::from(*place)]);
        for row in query(tx, &sql, values).await? {
            let row = StockRow::from_query_result(&row, "")?;
            found.insert((row.sku.clone(), row.location_id.unwrap_or_default()), row);
        }
    }
    Ok(found)
}

/// Moves all or nothing. Each SKU and place stands at most once. Too little of any is a refusal that names every short SKU.
pub async fn apply(tx: &Tx, moves: &[Move], cause: &Cause) -> Result<Vec<StockRow>, Error> {
    let keys: Vec<_> = moves.iter().map(|step| (step.sku.clone(), step.location)).collect();
    let rows = lock(tx, &keys).await?;
    let mut changed = Vec::with_capacity(moves.len());
    let mut short = Vec::new();
    for step in moves {
        let row = rows.get(&(step.sku.clone(), step.location.as_uuid()));
        let figures = row.map(StockRow::figures).unwrap_or_default();
        match (row, figures.moved(step.kind, step.quantity)) {
            (Some(row), Some(moved)) => changed.push(row.clone().with(moved, cause.now)),
            _ => short.push(Shortage { sku: step.sku.clone(), available: figures.available }),
        }
    }
    if !short.is_empty() {
        return Err(Refusal::InsufficientStock(short).into());
    }
    for (some, steps) in changed.chunks(ROWS_PER_STATEMENT_MAX).zip(moves.chunks(ROWS_PER_STATEMENT_MAX)) {
        write_rows(tx, some).await?;
        write_ledger(tx, some, steps, cause).await?;
    }
    let news = changed.iter().zip(moves).map(|(row, step)| {
        let before = rows.get(&(step.sku.clone(), step.location.as_uuid())).map(StockRow::figures);
        events::stock_changed(&row.clone().into(), before.unwrap_or_default())
    });
    outbox::append_all(tx, &news.collect::<Vec<_>>()).await?;
    Ok(changed)
}

/// Makes rows without stock for SKUs that have none yet.
pub async fn make_rows(tx: &Tx, keys: &[(String, LocationId)], now: Timestamp) -> Result<(), DbErr> {
    let mut keys = keys.to_vec();
    keys.sort();
    for keys in keys.chunks(ROWS_PER_STATEMENT_MAX) {
        let sql = format!(
            "WITH q (sku, location_id, updated) AS (VALUES {})
             INSERT INTO stock (sku, location_id, received, available, reserved, sold, version, updated)
             SELECT sku, location_id, 0, 0, 0, 0, 0, updated FROM q WHERE TRUE ON CONFLICT DO NOTHING",
            tuples(tx.get_database_backend(), keys.len(), &["text", "uuid", "timestamptz"])
        );
        let of = |(sku, place): &(String, LocationId)| -> [Value; 3] {
            [sku.clone().into(), place.as_uuid().into(), now.into()]
        };
        execute(tx, &sql, keys.iter().flat_map(of)).await?;
    }
    Ok(())
}

/// Writes the new figures where the version is still the one before; anything else means that the lock did not hold.
async fn write_rows(tx: &Tx, rows: &[StockRow]) -> Result<(), DbErr> {
    let columns = ["text", "uuid", "bigint", "bigint", "bigint", "bigint", "bigint", "timestamptz"];
    let sql = format!(
        "WITH q (sku, location_id, received, available, reserved, sold, version, updated) AS (VALUES {})
         UPDATE stock SET received = q.received, available = q.available, reserved = q.reserved, sold = q.sold,
            version = q.version, updated = q.updated
         FROM q WHERE stock.sku = q.sku AND stock.location_id = q.location_id AND stock.version = q.version - 1",
        tuples(tx.get_database_backend(), rows.len(), &columns)
    );
    let values = rows.iter().flat_map(|row| -> [Value; 8] {
        [
            row.sku.clone().into(),
            row.location_id.into(),
            row.received.into(),
            row.available.into(),
            row.reserved.into(),
            row.sold.into(),
            row.version.into(),
            row.updated.into(),
        ]
    });
    match usize::try_from(execute(tx, &sql, values).await?) {
        Ok(written) if written == rows.len() => Ok(()),
        _ => Err(DbErr::RecordNotUpdated),
    }
}

async fn write_ledger(tx: &Tx, rows: &[StockRow], moves: &[Move], cause: &Cause) -> Result<(), DbErr> {
    let columns = [
        "uuid",
        "text",
        "uuid",
        "text",
        "bigint",
        "bigint",
        "bigint",
        "bigint",
        "text",
        "text",
        "timestamptz",
        "bigint",
    ];
    let sql = format!(
        "INSERT INTO movements (id, sku, location_id, kind, received_delta, available_delta, reserved_delta,
            sold_delta, actor, reason, occurred, stock_version) VALUES {}",
        tuples(tx.get_database_backend(), rows.len(), &columns)
    );
    let values = rows.iter().zip(moves).flat_map(|(row, step)| -> [Value; 12] {
        let Figures { received, available, reserved, sold } = step.kind.change(step.quantity);
        [
            Uuid::now_v7().into(),
            row.sku.clone().into(),
            row.location_id.into(),
            step.kind.as_str().into(),
            received.into(),
            available.into(),
            reserved.into(),
            sold.into(),
            cause.actor.clone().into(),
            cause.reason.clone().into(),
            cause.now.into(),
            row.version.into(),
        ]
    });
    execute(tx, &sql, values).await.map(drop)
}
