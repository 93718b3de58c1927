//! Whether the tables are as they were promised to be.

use audit::{Check, Promise, check_all};
use kit::{Currency, Database, Money, Timestamp, query};
use sea_orm::{DbErr, QueryResult};

const PROMISES: [Promise; 2] = [
    Promise {
        invariant: "INV-5",
        promise: "what is captured and given back of a payment is what the provider was asked for and did",
        rows: "FROM payments",
        broken: "SELECT p.id AS name FROM payments p
                 LEFT JOIN (SELECT payment_id,
                                SUM(CASE WHEN kind = 'capture' THEN minor_units ELSE 0 END) AS captured,
                                SUM(CASE WHEN kind = 'refund' THEN minor_units ELSE 0 END) AS refunded
                            FROM operations WHERE outcome = 'done' GROUP BY payment_id) o
                 ON o.payment_id = p.id
                 WHERE COALESCE(o.captured, 0) <> p.captured OR COALESCE(o.refunded, 0) <> p.refunded",
    },
    Promise {
        invariant: "INV-5",
        promise: "never more is captured than authorised, nor given back than captured",
        rows: "FROM payments",
        broken: "SELECT id AS name FROM payments WHERE authorized > amount
                 OR captured + capturing > authorized OR refunded + refunding > captured",
    },
];

/// A payment as this service knows it, for comparing with what the provider and the orders know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Checkout and attempt, the provider's key: `checkout:attempt`.
    pub key: String,
    /// What was taken.
    pub captured: Money,
    /// What was given back of it.
    pub refunded: Money,
}

/// Looks at everything that can be seen from these tables alone.
pub async fn verify(database: &Database, now: Timestamp) -> Result<Vec<Check>, DbErr> {
    check_all(database, now, &PROMISES).await
}

/// All payments.
pub async fn known(database: &Database) -> Result<Vec<Known>, DbErr> {
    let sql = "SELECT checkout_id, attempt, currency, captured, refunded FROM payments";
    query(database.read(), sql, []).await?.iter().map(read).collect()
}

fn read(row: &QueryResult) -> Result<Known, DbErr> {
    let checkout: uuid::Uuid = row.try_get("", "checkout_id")?;
    let attempt: i32 = row.try_get("", "attempt")?;
    let currency: Currency = row
        .try_get::<String>("", "currency")?
        .parse()
        .map_err(|_| DbErr::Type("a currency that is none".into()))?;
    Ok(Known {
        key: format!("{checkout}:{attempt}"),
        captured: Money::new(currency, row.try_get("", "captured")?),
        refunded: Money::new(currency, row.try_get("", "refunded")?),
    })
}
