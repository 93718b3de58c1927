//! Whether the tables are as they were promised to be.

use audit::{Check, Promise, check_all};
use chrono::TimeDelta;
use kit::{Database, Timestamp};
use sea_orm::DbErr;

const PROMISES: [Promise; 3] = [
    Promise {
        invariant: "INV-8",
        promise: "a code is used as often as checkouts hold or have used it, and not above its limit",
        rows: "FROM discounts",
        broken: "SELECT d.id AS name FROM discounts d
                 LEFT JOIN (SELECT c.discount_id, COUNT(*) AS uses FROM held_codes c
                            JOIN holds h ON h.checkout_id = c.checkout_id
                            WHERE h.state IN ('held', 'committed') GROUP BY c.discount_id) u
                 ON u.discount_id = d.id
                 WHERE COALESCE(u.uses, 0) <> d.use_count OR d.use_count > d.limit_total",
    },
    Promise {
        invariant: "INV-8",
        promise: "a customer has used a code as often as his checkouts hold or have used it, and not above its limit",
        rows: "FROM customer_uses",
        broken: "SELECT d.id AS name FROM customer_uses c JOIN discounts d ON d.id = c.discount_id
                 LEFT JOIN (SELECT k.discount_id, h.customer, COUNT(*) AS uses FROM held_codes k
                            JOIN holds h ON h.checkout_id = k.checkout_id
                            WHERE h.state IN ('held', 'committed') GROUP BY k.discount_id, h.customer) u
                 ON u.discount_id = c.discount_id AND u.customer = c.customer
                 WHERE COALESCE(u.uses, 0) <> c.use_count OR c.use_count > d.limit_per_customer",
    },
    Promise {
        invariant: "INV-9",
        promise: "no use of a code is held half a minute after its time",
        rows: "FROM holds WHERE state = 'held'",
        broken: "SELECT checkout_id AS name FROM holds WHERE state = 'held' AND expires < $1",
    },
];

/// How long after its time a hold must have ended.
const OVERDUE_MAX: TimeDelta = TimeDelta::seconds(30);

/// Looks at everything that can be seen from these tables alone.
pub async fn verify(database: &Database, now: Timestamp) -> Result<Vec<Check>, DbErr> {
    check_all(database, now - OVERDUE_MAX, &PROMISES).await
}
