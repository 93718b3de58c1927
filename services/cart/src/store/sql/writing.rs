//! Writing carts: only what differs from before.

use std::collections::{HashMap, HashSet};

use kit::{IDS_PER_STATEMENT_MAX, ROWS_PER_STATEMENT_MAX, Timestamp, Tx, execute};
use sea_orm::{DbErr, Value};
use uuid::Uuid;

use crate::domain::{Cart, Line, LineId};
use crate::store::Fresh;
use crate::store::entity::{CartRow, LineRow};

/// Above any index of a line, so that the lines of a later version come behind those of all earlier ones.
const PLACES_PER_VERSION: i64 = 10_000;

/// Writes a new cart that has no lines yet; false when its account has one already.
pub async fn insert(tx: &Tx, fresh: &Fresh) -> Result<bool, DbErr> {
    let row = CartRow::try_from(&fresh.cart)?;
    let sql =
        "INSERT INTO carts (id, account_id, token_hash, currency, country, codes, version, created, updated)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (account_id) DO NOTHING";
    let values = [
        row.id.into(),
        row.account_id.into(),
        fresh.token.clone().into(),
        row.currency.into(),
        row.country.into(),
        row.codes.into(),
        row.version.into(),
        row.created.into(),
        row.updated.into(),
    ];
    Ok(execute(tx, sql, values).await? == 1)
}

/// Writes what differs. The version before is a condition: were it another one, the lock would not have held.
pub async fn save(tx: &Tx, before: &Cart, after: &Cart) -> Result<(), DbErr> {
    let row = CartRow::try_from(after)?;
    if row != CartRow::try_from(before)? {
        let sql = "UPDATE carts SET currency = $3, country = $4, codes = $5, version = $6, updated = $7
                   WHERE id = $1 AND version = $2";
        let values = [
            row.id.into(),
            before.version.into(),
            row.currency.into(),
            row.country.into(),
            row.codes.into(),
            row.version.into(),
            row.updated.into(),
        ];
        if execute(tx, sql, values).await? != 1 {
            return Err(DbErr::RecordNotUpdated);
        }
    }
    // First, so that a variant that was removed and added again does not stand in two lines.
    remove_lines(tx, before, after).await?;
    write_lines(tx, before, after).await
}

/// Removes a guest's cart with its lines, and notes which cart has them now.
pub async fn bury(tx: &Tx, guest: &Cart, heir: &Cart) -> Result<(), DbErr> {
    let sql = "DELETE FROM carts WHERE id = $1 AND version = $2";
    if execute(tx, sql, [guest.id.as_uuid().into(), guest.version.into()]).await? != 1 {
        return Err(DbErr::RecordNotUpdated);
    }
    let sql = "INSERT INTO merged (guest_id, cart_id) VALUES ($1, $2)";
    execute(tx, sql, [guest.id.as_uuid().into(), heir.id.as_uuid().into()]).await.map(drop)
}

/// The condition stands twice: a cart that is touched between the choice and the removal stays.
pub async fn remove_untouched(tx: &Tx, since: Timestamp, limit: i64) -> Result<u64, DbErr> {
    let sql = "DELETE FROM carts WHERE updated < $1 AND id IN
               (SELECT id FROM carts WHERE updated < $1 ORDER BY updated LIMIT $2)";
    execute(tx, sql, [since.into(), limit.into()]).await
}

async fn remove_lines(tx: &Tx, before: &Cart, after: &Cart) -> Result<(), DbErr> {
    let kept: HashSet<LineId> = after.lines.iter().map(|line| line.id).collect();
    let gone: Vec<Uuid> =
        before.lines.iter().filter(|line| !kept.contains(&line.id)).map(|line| line.id.as_uuid()).collect();
    for gone in gone.chunks(IDS_PER_STATEMENT_MAX) {
        let places: Vec<String> = (0..gone.len()).map(|at| format!("${}", at + 2)).collect();
        let sql = format!("DELETE FROM lines WHERE cart_id = $1 AND line_id IN ({})", places.join(", "));
        let values = std::iter::once(after.id.as_uuid()).chain(gone.iter().copied());
        execute(tx, &sql, values.map(Value::from)).await?;
    }
    Ok(())
}

async fn write_lines(tx: &Tx, before: &Cart, after: &Cart) -> Result<(), DbErr> {
    let known: HashMap<LineId, &Line> = before.lines.iter().map(|line| (line.id, line)).collect();
    let differs = |line: &&Line| known.get(&line.id).is_none_or(|before| before != line);
    let first = after.version.saturating_mul(PLACES_PER_VERSION);
    let written: Vec<(i64, LineRow)> =
        (first..).zip(after.lines.iter().filter(differs).map(LineRow::from)).collect();
    for lines in written.chunks(ROWS_PER_STATEMENT_MAX) {
        // A line that is there keeps its place.
        let sql = format!(
            "INSERT INTO lines (cart_id, line_id, place, variant_id, product_id, sku, quantity, seen_price)
             VALUES {} ON CONFLICT (cart_id, line_id) DO UPDATE SET
                sku = excluded.sku, quantity = excluded.quantity, seen_price = excluded.seen_price",
            tuples(lines.len())
        );
        let of = |(place, line): &(i64, LineRow)| -> [Value; 7] {
            [
                line.line_id.into(),
                (*place).into(),
                line.variant_id.into(),
                line.product_id.into(),
                line.sku.clone().into(),
                line.quantity.into(),
                line.seen_price.into(),
            ]
        };
        let values = std::iter::once(after.id.as_uuid().into()).chain(lines.iter().flat_map(of));
        execute(tx, &sql, values).await?;
    }
    Ok(())
}

/// `($1, $2, … $8), ($1, $9, …)`: all lines are of one cart.
fn tuples(lines: usize) -> String {
    let tuple = |line: usize| {
        let places: Vec<String> = (0..7).map(|column| format!("${}", line * 7 + column + 2)).collect();
        format!("($1, {})", places.join(", "))
    };
    (0..lines).map(tuple).collect::<Vec<_>>().join(", ")
}
