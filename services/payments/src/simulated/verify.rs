//! The provider's own books, for whoever compares them with the shop's.

use kit::{Database, query};
use sea_orm::{DbErr, QueryResult};

/// One payment in the provider's books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// The key under which it was asked for: `checkout:attempt`.
    pub key: String,
    /// Whether it holds or has money: authorised or captured.
    pub live: bool,
    /// ISO 4217.
    pub currency: String,
    /// What was asked for, in minor units.
    pub amount: i64,
    /// What was taken.
    pub captured: i64,
    /// What was given back of it.
    pub refunded: i64,
}

/// All payments of the provider.
pub async fn booked(database: &Database) -> Result<Vec<Booked>, DbErr> {
    let sql = "SELECT key, status, currency, minor_units, captured, refunded FROM simulated_payments";
    query(database.read(), sql, []).await?.iter().map(read).collect()
}

fn read(row: &QueryResult) -> Result<Booked, DbErr> {
    let status: String = row.try_get("", "status")?;
    Ok(Booked {
        key: row.try_get("", "key")?,
        live: status == "authorized" || status == "captured",
        currency: row.try_get("", "currency")?,
        amount: row.try_get("", "minor_units")?,
        captured: row.try_get("", "captured")?,
        refunded: row.try_get("", "refunded")?,
    })
}
