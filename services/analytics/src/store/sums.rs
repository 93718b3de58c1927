//! Sums by day, moved by the difference that a fact makes.

use std::collections::BTreeMap;

use kit::{ROWS_PER_STATEMENT_MAX, Tx, execute};
use sea_orm::{DbErr, Value};

use super::tuples;
use crate::domain::{Figures, Goods, OrderFact, Sale};

/// Adds what has changed about an order. Rows are taken in one order everywhere: a day's, then those of SKUs by name.
pub async fn shift(tx: &Tx, before: &OrderFact, after: &OrderFact) -> Result<(), DbErr> {
    // A sale never changes once it is known, so both facts have this one, or the earlier has none.
    let Some(sale) = &after.sale else {
        return Ok(());
    };
    let change = after.figures().since(before.figures());
    if change != Figures::default() {
        shift_day(tx, sale, change).await?;
    }
    match (before.sells(), after.sells()) {
        (false, true) => shift_skus(tx, sale, 1).await,
        (true, false) => shift_skus(tx, sale, -1).await,
        _ => Ok(()),
    }
}

async fn shift_day(tx: &Tx, sale: &Sale, change: Figures) -> Result<(), DbErr> {
    let sql = "INSERT INTO sale_days
                  (currency, day, country, orders, units, revenue, refunded, cancelled_orders, shipping, tax, discounts)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
               ON CONFLICT (currency, day, country) DO UPDATE SET
                  orders = sale_days.orders + excluded.orders,
                  units = sale_days.units + excluded.units,
                  revenue = sale_days.revenue + excluded.revenue,
                  refunded = sale_days.refunded + excluded.refunded,
                  cancelled_orders = sale_days.cancelled_orders + excluded.cancelled_orders,
                  shipping = sale_days.shipping + excluded.shipping,
                  tax = sale_days.tax + excluded.tax,
                  discounts = sale_days.discounts + excluded.discounts";
    let values = [
        sale.currency.as_str().into(),
        sale.day.number().into(),
        sale.country.clone().into(),
        change.orders.into(),
        change.units.into(),
        change.revenue.into(),
        change.refunded.into(),
        change.cancelled_orders.into(),
        change.shipping.into(),
        change.tax.into(),
        change.discounts.into(),
    ];
    execute(tx, sql, values).await.map(drop)
}

async fn shift_skus(tx: &Tx, sale: &Sale, sign: i64) -> Result<(), DbErr> {
    let goods: &BTreeMap<String, Goods> = &sale.goods;
    let goods: Vec<(&String, &Goods)> = goods.iter().collect();
    for some in goods.chunks(ROWS_PER_STATEMENT_MAX) {
        let sql = format!(
            "INSERT INTO sku_days (currency, day, sku, units, revenue) VALUES {}
             ON CONFLICT (currency, day, sku) DO UPDATE SET
                units = sku_days.units + excluded.units, revenue = sku_days.revenue + excluded.revenue",
            tuples(some.len(), 5)
        );
        let values = some.iter().flat_map(|(sku, goods)| -> [Value; 5] {
            [
                sale.currency.as_str().into(),
                sale.day.number().into(),
                (*sku).clone().into(),
                goods.units.saturating_mul(sign).into(),
                goods.amount.saturating_mul(sign).into(),
            ]
        });
        execute(tx, &sql, values).await?;
    }
    Ok(())
}
