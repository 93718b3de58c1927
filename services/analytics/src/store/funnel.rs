//! Reading how far carts and payments came.

use kit::{Currency, query};
use sea_orm::{DbErr, Value};

use super::Store;
use crate::domain::{Funnel, Outcomes, Range};

impl Store {
    pub async fn funnel(&self, range: Range) -> Result<Funnel, DbErr> {
        // A step counts from the day on which something was first added within the range. One that is paid was started, even
        // if that was before.
        let sql = "
            WITH days AS (
                SELECT COALESCE(m.cart_id, c.cart_id) AS cart, c.day, c.added, c.started, c.paid
                FROM cart_days c LEFT JOIN merges m ON m.guest_id = c.cart_id
                WHERE c.day >= $1
            ), filled AS (
                SELECT cart, MIN(day) AS first FROM days WHERE added AND day <= $2 GROUP BY cart
            ), carts AS (
                SELECT MAX(CASE WHEN d.started OR d.paid THEN 1 ELSE 0 END) AS started,
                    MAX(CASE WHEN d.paid THEN 1 ELSE 0 END) AS paid
                FROM filled f JOIN days d ON d.cart = f.cart AND d.day >= f.first
                GROUP BY f.cart
            )
            SELECT COUNT(*) AS filled, CAST(COALESCE(SUM(started), 0) AS bigint) AS started,
                CAST(COALESCE(SUM(paid), 0) AS bigint) AS paid,
                (SELECT CAST(COALESCE(SUM(views), 0) AS bigint) FROM view_days WHERE day BETWEEN $1 AND $2) AS views
            FROM carts";
        let rows = query(self.database.read(), sql, days(range)).await?;
        let row = rows.first().ok_or(DbErr::RecordNotFound("a sum of carts".to_owned()))?;
        Ok(Funnel {
            product_views: row.try_get("", "views")?,
            carts: row.try_get("", "filled")?,
            carts_with_checkout: row.try_get("", "started")?,
            carts_paid: row.try_get("", "paid")?,
        })
    }

    pub async fn outcomes(&self, range: Range, currency: Currency) -> Result<Outcomes, DbErr> {
        // A payment that was declined and authorised all the same was authorised.
        let sql = "
            SELECT COUNT(*) AS payments,
                CAST(COALESCE(SUM(CASE WHEN authorized THEN 1 ELSE 0 END), 0) AS bigint) AS authorized,
                CAST(COALESCE(SUM(CASE WHEN declined AND NOT authorized THEN 1 ELSE 0 END), 0) AS bigint) AS declined,
                CAST(COALESCE(SUM(captured), 0) AS bigint) AS captured,
                CAST(COALESCE(SUM(refunded), 0) AS bigint) AS refunded
            FROM payments WHERE day BETWEEN $1 AND $2 AND currency = $3";
        let values = days(range).into_iter().chain([currency.as_str().into()]);
        let rows = query(self.database.read(), sql, values).await?;
        let row = rows.first().ok_or(DbErr::RecordNotFound("a sum of payments".to_owned()))?;
        Ok(Outcomes {
            payments: row.try_get("", "payments")?,
            authorized: row.try_get("", "authorized")?,
            declined: row.try_get("", "declined")?,
            captured: row.try_get("", "captured")?,
            refunded: row.try_get("", "refunded")?,
        })
    }
}

fn days(range: Range) -> [Value; 2] {
    [range.start().number().into(), range.end().number().into()]
}
