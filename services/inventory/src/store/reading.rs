//! Reading stock, its ledger and its places.

use std::collections::HashMap;

use kit::{Cursor, Listed, Page, PageError, ROWS_PER_STATEMENT_MAX, query};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};
use uuid::Uuid;

use super::Store;
use super::entity::{LineRow, LocationRow, MovementRow, StockRow};
use crate::domain::{Movement, Place, ReservationId, Stock};
use crate::error::Error;

impl Store {
    /// Sums over all places, by SKU.
    pub async fn sums(&self, skus: &[String]) -> Result<HashMap<String, Stock>, Error> {
        let mut found = HashMap::with_capacity(skus.len());
        for skus in skus.chunks(ROWS_PER_STATEMENT_MAX) {
            let places: Vec<String> = (1..=skus.len()).map(|at| format!("${at}")).collect();
            // SUM of bigint is numeric on PostgreSQL, so the type is said.
            let sql = format!(
                "SELECT sku, CAST(SUM(received) AS bigint) AS received,
                    CAST(SUM(available) AS bigint) AS available, CAST(SUM(reserved) AS bigint) AS reserved,
                    CAST(SUM(sold) AS bigint) AS sold, CAST(SUM(version) AS bigint) AS version,
                    MAX(updated) AS updated
                 FROM stock WHERE sku IN ({}) GROUP BY sku",
                places.join(", ")
            );
            let values = skus.iter().map(|sku| Value::from(sku.clone()));
            for row in query(self.database().read(), &sql, values).await? {
                let row = Stock::from(Summed::from_query_result(&row, "")?.row());
                found.insert(row.sku.clone(), row);
            }
        }
        Ok(found)
    }

    /// The versions of all rows of these SKUs together.
    pub async fn version(&self, skus: &[String]) -> Result<i64, Error> {
        let mut sum = 0_i64;
        for skus in skus.chunks(ROWS_PER_STATEMENT_MAX) {
            let places: Vec<String> = (1..=skus.len()).map(|at| format!("${at}")).collect();
            let sql = format!(
                "SELECT CAST(COALESCE(SUM(version), 0) AS bigint) AS version FROM stock WHERE sku IN ({})",
                places.join(", ")
            );
            let values = skus.iter().map(|sku| Value::from(sku.clone()));
            for row in query(self.database().read(), &sql, values).await? {
                sum = sum.saturating_add(row.try_get("", "version")?);
            }
        }
        Ok(sum)
    }

    /// Rows by SKU and place.
    pub async fn stock_page(&self, available_max: Option<i64>, page: &Page) -> Result<Listed<Stock>, Error> {
        let (sku, place) = match page.after.as_deref() {
            None => (String::new(), Uuid::nil()),
            Some([sku, place]) => (sku.clone(), place.parse().map_err(|_| PageError::Token)?),
            Some(_) => return Err(PageError::Token.into()),
        };
        let sql = "SELECT * FROM stock WHERE available <= $1 AND (sku, location_id) > ($2, $3)
                   ORDER BY sku, location_id LIMIT $4";
        let values = [available_max.unwrap_or(i64::MAX).into(), sku.into(), place.into(), limit(page)];
        let rows = query(self.database().read(), sql, values).await?;
        let rows = rows.iter().map(|row| StockRow::from_query_result(row, ""));
        let keys = |row: &StockRow| -> Cursor {
            vec![row.sku.clone(), row.location_id.unwrap_or_default().to_string()]
        };
        Ok(page.listed(rows.collect::<Result<_, _>>()?, keys).map(Stock::from))
    }

    /// The ledger, newest first.
    pub async fn movement_page(&self, sku: Option<&str>, page: &Page) -> Result<Listed<Movement>, Error> {
        let before = match page.after.as_deref() {
            None => Uuid::max(),
            Some([id]) => id.parse().map_err(|_| PageError::Token)?,
            Some(_) => return Err(PageError::Token.into()),
        };
        let mut values = vec![before.into(), limit(page)];
        let mut sql = "SELECT * FROM movements WHERE id < $1".to_owned();
        if let Some(sku) = sku {
            sql.push_str(" AND sku = $3");
            values.push(sku.into());
        }
        sql.push_str(" ORDER BY id DESC LIMIT $2");
        let rows = query(self.database().read(), &sql, values).await?;
        let rows = rows.iter().map(|row| MovementRow::from_query_result(row, "")?.try_into());
        Ok(page.listed(rows.collect::<Result<Vec<Movement>, DbErr>>()?, |row| vec![row.id.to_string()]))
    }

    /// The places, by id; the default one was made first.
    pub async fn location_page(&self, page: &Page) -> Result<Listed<Place>, Error> {
        let after = match page.after.as_deref() {
            None => Uuid::nil(),
            Some([id]) => id.parse().map_err(|_| PageError::Token)?,
            Some(_) => return Err(PageError::Token.into()),
        };
        let sql = "SELECT * FROM locations WHERE id > $1 ORDER BY id LIMIT $2";
        let rows = query(self.database().read(), sql, [after.into(), limit(page)]).await?;
        let rows = rows.iter().map(|row| LocationRow::from_query_result(row, ""));
        let places =
            page.listed(rows.collect::<Result<_, _>>()?, |row: &LocationRow| vec![row.id.to_string()]);
        Ok(places.map(Place::from))
    }
}

pub async fn lines(on: &impl ConnectionTrait, id: ReservationId) -> Result<Vec<LineRow>, DbErr> {
    let sql = "SELECT sku, quantity, returned FROM reservation_lines WHERE reservation_id = $1 ORDER BY sku";
    let rows = query(on, sql, [id.as_uuid().into()]).await?;
    rows.iter().map(|row| LineRow::from_query_result(row, "")).collect()
}

fn limit(page: &Page) -> Value {
    i64::try_from(page.fetch_limit()).unwrap_or(i64::MAX).into()
}

/// A sum has no place, and the type of that nothing differs between stores; so it is not read.
#[derive(FromQueryResult)]
struct Summed {
    sku: String,
    received: i64,
    available: i64,
    reserved: i64,
    sold: i64,
    version: i64,
    updated: kit::Timestamp,
}

impl Summed {
    fn row(self) -> StockRow {
        StockRow {
            sku: self.sku,
            location_id: None,
            received: self.received,
            available: self.available,
            reserved: self.reserved,
            sold: self.sold,
            version: self.version,
            updated: self.updated,
        }
    }
}
