//! Whether the tables are as they were promised to be, and what orders say that others must say, too.

use std::collections::BTreeMap;

use audit::{Check, Promise, check_all};
use chrono::TimeDelta;
use kit::{Database, Money, Timestamp, query};
use sea_orm::DbErr;
use uuid::Uuid;

use super::orders::with_lines;
use crate::domain::{Order, OrderState, Origin};

const PROMISES: [Promise; 5] = [
    Promise {
        invariant: "INV-4",
        promise: "a checkout has become one order at most",
        rows: "FROM orders WHERE checkout IS NOT NULL",
        broken: "SELECT checkout AS name FROM orders WHERE checkout IS NOT NULL GROUP BY checkout HAVING COUNT(*) > 1",
    },
    Promise {
        invariant: "INV-4",
        promise: "a version of a cart is bought by one checkout at most",
        rows: "FROM checkouts WHERE state <> 'Failed'",
        broken: "SELECT cart AS name FROM checkouts WHERE state <> 'Failed'
                 GROUP BY cart, cart_version HAVING COUNT(*) > 1",
    },
    Promise {
        invariant: "INV-4",
        promise: "a completed checkout has its order",
        rows: "FROM checkouts WHERE state = 'Completed'",
        broken: "SELECT c.id AS name FROM checkouts c LEFT JOIN orders o ON o.checkout = c.id
                 WHERE c.state = 'Completed' AND o.id IS NULL",
    },
    Promise {
        invariant: "INV-9",
        promise: "a checkout has ended, waits for its buyer, or is looked at within a minute of its time",
        rows: "FROM checkouts",
        broken: "SELECT id AS name FROM checkouts WHERE due < $1
                 OR (due IS NULL AND state IN ('Processing', 'ActionRequired', 'PaymentPending'))",
    },
    Promise {
        invariant: "INV-9",
        promise: "what an order still owes is done or tried again within a minute of its time",
        rows: "FROM orders WHERE due IS NOT NULL",
        broken: "SELECT id AS name FROM orders WHERE due < $1",
    },
];

/// How long after its time something must have been looked at.
const OVERDUE_MAX: TimeDelta = TimeDelta::seconds(60);
/// Orders read at once.
const ORDERS_AT_ONCE: i64 = 500;

/// What an order that was placed here says about money, for comparing with payments and their provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// The order's id.
    pub order: String,
    /// Payments of this checkout are the order's.
    pub checkout: String,
    /// It was cancelled, so nothing of it may be held or kept.
    pub cancelled: bool,
    /// What it costs.
    pub total: Money,
    /// What was taken.
    pub paid: Money,
    /// What was given back.
    pub refunded: Money,
}

/// All that was sold here; imported history is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sales {
    /// Order by order.
    pub sales: Vec<Sale>,
    /// How many of each SKU went out and did not come back; those with none are left out.
    pub sold: BTreeMap<String, i64>,
}

/// Looks at everything that can be seen from these tables alone.
pub async fn verify(database: &Database, now: Timestamp) -> Result<Vec<Check>, DbErr> {
    let mut checks = check_all(database, now - OVERDUE_MAX, &PROMISES).await?;
    let mut sums = Check {
        invariant: "INV-5",
        promise: "the total of an order is its lines, less discounts, with shipping and tax",
        checked: 0,
        broken: Vec::new(),
    };
    each(database, |order| {
        sums.checked += 1;
        if !order.adds_up() {
            sums.broken.push(order.id.to_string());
        }
    })
    .await?;
    checks.push(sums);
    Ok(checks)
}

/// What was sold here.
pub async fn sales(database: &Database) -> Result<Sales, DbErr> {
    let mut sales = Sales::default();
    each(database, |order| {
        let (Origin::Checkout, Some(checkout)) = (order.origin, order.checkout) else { return };
        let cancelled = order.state() == OrderState::Cancelled;
        if !cancelled {
            for (sku, quantity) in order.kept() {
                let sold = sales.sold.entry(sku).or_default();
                *sold = sold.saturating_add(quantity);
            }
        }
        sales.sales.push(Sale {
            order: order.id.to_string(),
            checkout: checkout.to_string(),
            cancelled,
            total: order.totals.total,
            paid: order.paid,
            refunded: order.refunded,
        });
    })
    .await?;
    sales.sold.retain(|_, quantity| *quantity != 0);
    Ok(sales)
}

/// Reads all orders, some at once.
async fn each(database: &Database, mut look: impl FnMut(Order)) -> Result<(), DbErr> {
    let mut last = Uuid::nil();
    loop {
        let sql = "SELECT * FROM orders WHERE id > $1 ORDER BY id LIMIT $2";
        let rows = query(database.read(), sql, [last.into(), ORDERS_AT_ONCE.into()]).await?;
        let orders = with_lines(database.read(), rows).await?;
        let Some(newest) = orders.last() else { return Ok(()) };
        last = newest.id.as_uuid();
        orders.into_iter().for_each(&mut look);
    }
}
