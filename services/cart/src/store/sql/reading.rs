//! Reading carts, each only by somebody's right to it.

use kit::{Tx, for_update, query};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, QueryResult, Value};
use uuid::Uuid;

use crate::domain::Cart;
use crate::store::Right;
use crate::store::entity::{CartRow, LineRow};

const CART: &str = "c.id, c.account_id, c.currency, c.country, c.codes, c.version, c.created, c.updated";
const LINE: &str = "l.line_id, l.variant_id, l.product_id, l.sku, l.quantity, l.seen_price";

/// The cart and its lines in one statement, outside of a transaction.
pub async fn find(on: &impl ConnectionTrait, right: &Right) -> Result<Option<Cart>, DbErr> {
    let (held, values) = held(right);
    let sql = format!(
        "SELECT {CART}, {LINE} FROM carts c LEFT JOIN lines l ON l.cart_id = c.id WHERE {held} ORDER BY l.place"
    );
    let rows = query(on, &sql, values).await?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let cart = CartRow::from_query_result(first, "")?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in &rows {
        // An empty cart is one row without a line.
        if row.try_get::<Option<Uuid>>("", "line_id")?.is_some() {
            lines.push(LineRow::from_query_result(row, "")?);
        }
    }
    cart.cart(lines).map(Some)
}

/// The cart, which nobody else can change until the transaction ends. A guest's may be merged while it is waited for: it
/// is gone then, and whoever looks once more finds the one that has its lines.
pub async fn lock(tx: &Tx, right: &Right) -> Result<Option<Cart>, DbErr> {
    match (lock_once(tx, right).await?, right) {
        (None, Right::Service(_)) => lock_once(tx, right).await,
        (found, _) => Ok(found),
    }
}

/// The lines are read after the lock is held: in one statement PostgreSQL would answer those of before it waited.
async fn lock_once(tx: &Tx, right: &Right) -> Result<Option<Cart>, DbErr> {
    let (held, values) = held(right);
    let suffix = for_update(tx.get_database_backend());
    let sql = format!("SELECT {CART} FROM carts c WHERE {held}{suffix}");
    let Some(row) = query(tx, &sql, values).await?.into_iter().next() else {
        return Ok(None);
    };
    let cart = CartRow::from_query_result(&row, "")?;
    let sql = format!("SELECT {LINE} FROM lines l WHERE l.cart_id = $1 ORDER BY l.place");
    let lines = query(tx, &sql, [cart.id.into()]).await?;
    let lines = lines.iter().map(|row: &QueryResult| LineRow::from_query_result(row, ""));
    cart.cart(lines.collect::<Result<_, _>>()?).map(Some)
}

pub async fn version(on: &impl ConnectionTrait, right: &Right) -> Result<Option<i64>, DbErr> {
    let (held, values) = held(right);
    let rows = query(on, &format!("SELECT c.version FROM carts c WHERE {held}"), values).await?;
    rows.first().map(|row| row.try_get("", "version")).transpose()
}

/// The condition that only a cart of this right meets.
fn held(right: &Right) -> (&'static str, Vec<Value>) {
    match right {
        Right::Account { account, cart: None } => ("c.account_id = $1", vec![account.as_uuid().into()]),
        Right::Account { account, cart: Some(cart) } => {
            ("c.account_id = $1 AND c.id = $2", vec![account.as_uuid().into(), cart.as_uuid().into()])
        }
        Right::Token { cart, hash } => (
            "c.id = $1 AND c.token_hash = $2 AND c.account_id IS NULL",
            vec![cart.as_uuid().into(), hash.clone().into()],
        ),
        Right::Service(cart) => (
            "c.id = COALESCE((SELECT m.cart_id FROM merged m WHERE m.guest_id = $1), $1)",
            vec![cart.as_uuid().into()],
        ),
    }
}
