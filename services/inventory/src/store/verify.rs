//! Whether the tables are as they were promised to be.

use std::collections::BTreeMap;

use audit::{Check, Promise, check_all};
use kit::{Database, Timestamp, query};
use sea_orm::DbErr;

const PROMISES: [Promise; 5] = [
    Promise {
        invariant: "INV-1",
        promise: "available, reserved and sold are not below zero and add up to what was received",
        rows: "FROM stock",
        broken: "SELECT sku AS name FROM stock WHERE available < 0 OR reserved < 0 OR sold < 0
                 OR available + reserved + sold <> received",
    },
    Promise {
        invariant: "INV-2",
        promise: "what is reserved of a SKU is what held reservations promise of it",
        rows: "FROM stock",
        broken: "SELECT COALESCE(s.sku, h.sku) AS name
                 FROM (SELECT sku, SUM(reserved) AS reserved FROM stock GROUP BY sku) s
                 FULL JOIN (SELECT l.sku, SUM(l.quantity) AS held FROM reservation_lines l
                            JOIN reservations r ON r.id = l.reservation_id WHERE r.state = 'held' GROUP BY l.sku) h
                 ON h.sku = s.sku
                 WHERE COALESCE(s.reserved, 0) <> COALESCE(h.held, 0)",
    },
    Promise {
        invariant: "INV-2",
        promise: "what is sold of a SKU is what confirmed reservations took and nobody returned",
        rows: "FROM stock",
        broken: "SELECT COALESCE(s.sku, c.sku) AS name
                 FROM (SELECT sku, SUM(sold) AS sold FROM stock GROUP BY sku) s
                 FULL JOIN (SELECT l.sku, SUM(l.quantity - l.returned) AS taken FROM reservation_lines l
                            JOIN reservations r ON r.id = l.reservation_id WHERE r.state = 'confirmed' GROUP BY l.sku) c
                 ON c.sku = s.sku
                 WHERE COALESCE(s.sold, 0) <> COALESCE(c.taken, 0)",
    },
    Promise {
        invariant: "INV-2",
        promise: "the ledger of a SKU adds up to its figures, with a line for each version",
        rows: "FROM movements",
        broken: "SELECT s.sku AS name FROM stock s
                 LEFT JOIN (SELECT sku, location_id, SUM(received_delta) AS received, SUM(available_delta) AS available,
                                SUM(reserved_delta) AS reserved, SUM(sold_delta) AS sold, COUNT(*) AS lines
                            FROM movements GROUP BY sku, location_id) m
                 ON m.sku = s.sku AND m.location_id = s.location_id
                 WHERE COALESCE(m.received, 0) <> s.received OR COALESCE(m.available, 0) <> s.available
                     OR COALESCE(m.reserved, 0) <> s.reserved OR COALESCE(m.sold, 0) <> s.sold
                     OR COALESCE(m.lines, 0) <> s.version",
    },
    Promise {
        invariant: "INV-9",
        promise: "no reservation is held half a minute after its time",
        rows: "FROM reservations WHERE state = 'held'",
        broken: "SELECT id AS name FROM reservations WHERE state = 'held' AND expires < $1",
    },
];

/// How long after its time a reservation must have ended.
const OVERDUE_MAX: chrono::TimeDelta = chrono::TimeDelta::seconds(30);

/// Looks at everything that can be seen from these tables alone.
pub async fn verify(database: &Database, now: Timestamp) -> Result<Vec<Check>, DbErr> {
    check_all(database, now - OVERDUE_MAX, &PROMISES).await
}

/// How many of each SKU are sold and not returned; those with none are left out.
pub async fn sold(database: &Database) -> Result<BTreeMap<String, i64>, DbErr> {
    let sql = "SELECT sku, CAST(SUM(sold) AS bigint) AS sold FROM stock GROUP BY sku HAVING SUM(sold) <> 0";
    let rows = query(database.read(), sql, []).await?;
    rows.iter().map(|row| Ok((row.try_get("", "sku")?, row.try_get("", "sold")?))).collect()
}
