//! Reading what was sold.

use std::collections::HashMap;

use kit::{Currency, Cursor, Id, Listed, Page, PageError, query};
use sea_orm::{DbErr, FromQueryResult, QueryResult, Value};
use uuid::Uuid;

use super::Store;
use super::entity::FiguresRow;
use crate::domain::{Day, Figures, ProductOrder, ProductSales, Range};
use crate::error::Error;

/// The columns of figures, added up. PostgreSQL adds whole numbers up to a decimal one, hence the casts.
const SUMS: &str = "
    CAST(SUM(orders) AS bigint) AS orders, CAST(SUM(units) AS bigint) AS units,
    CAST(SUM(revenue) AS bigint) AS revenue, CAST(SUM(refunded) AS bigint) AS refunded,
    CAST(SUM(cancelled_orders) AS bigint) AS cancelled_orders, CAST(SUM(shipping) AS bigint) AS shipping,
    CAST(SUM(tax) AS bigint) AS tax, CAST(SUM(discounts) AS bigint) AS discounts";

impl Store {
    /// The figures of each day on which something was sold.
    pub async fn days(&self, range: Range, currency: Currency) -> Result<Vec<(Day, Figures)>, DbErr> {
        let sql = format!(
            "SELECT day, {SUMS} FROM sale_days WHERE currency = $1 AND day BETWEEN $2 AND $3 GROUP BY day ORDER BY day"
        );
        let rows = query(self.database.read(), &sql, within(range, currency)).await?;
        rows.iter()
            .map(|row| {
                let day = Day::numbered(row.try_get("", "day")?);
                let day = day.ok_or_else(|| DbErr::Type("sale_days holds a day that is none".to_owned()))?;
                Ok((day, FiguresRow::from_query_result(row, "")?.into()))
            })
            .collect()
    }

    /// The other currencies in which something was sold.
    pub async fn other_currencies(&self, range: Range, currency: Currency) -> Result<Vec<String>, DbErr> {
        let sql = "SELECT DISTINCT currency FROM sale_days
                   WHERE day BETWEEN $2 AND $3 AND currency <> $1 AND orders > 0 ORDER BY currency";
        let rows = query(self.database.read(), sql, within(range, currency)).await?;
        rows.iter().map(|row| row.try_get("", "currency")).collect()
    }

    /// The countries with the highest revenue first.
    pub async fn countries(
        &self,
        range: Range,
        currency: Currency,
        page: &Page,
    ) -> Result<Listed<(String, Figures)>, Error> {
        let mut sql = format!(
            "SELECT country, {SUMS} FROM sale_days WHERE currency = $1 AND day BETWEEN $2 AND $3 GROUP BY country"
        );
        let mut values = within(range, currency).to_vec();
        if let Some(after) = &page.after {
            let [revenue, country] = after.as_slice() else {
                return Err(PageError::Token.into());
            };
            sql.push_str(" HAVING SUM(revenue) < $4 OR (SUM(revenue) = $4 AND country > $5)");
            values.extend([whole(revenue)?.into(), country.clone().into()]);
        }
        sql.push_str(&format!(" ORDER BY SUM(revenue) DESC, country LIMIT {}", page.fetch_limit()));
        let rows = query(self.database.read(), &sql, values).await?;
        let read = |row: &QueryResult| -> Result<(String, Figures), DbErr> {
            Ok((row.try_get("", "country")?, FiguresRow::from_query_result(row, "")?.into()))
        };
        let countries = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(page.listed(countries, |(country, figures)| vec![figures.revenue.to_string(), country.clone()]))
    }

    /// The products of which most was sold first.
    pub async fn products(
        &self,
        range: Range,
        currency: Currency,
        order: ProductOrder,
        page: &Page,
    ) -> Result<Listed<ProductSales>, Error> {
        let sum = match order {
            ProductOrder::Revenue => "SUM(d.revenue)",
            ProductOrder::Units => "SUM(d.units)",
        };
        // Goods of no product come behind those of one, each by its own name: the key is the same on both stores.
        let mut sql = "SELECT s.product_id, CASE WHEN s.product_id IS NULL THEN d.sku ELSE '' END AS own_sku,
                CAST(SUM(d.units) AS bigint) AS units, CAST(SUM(d.revenue) AS bigint) AS revenue
             FROM sku_days d LEFT JOIN skus s ON s.sku = d.sku
             WHERE d.currency = $1 AND d.day BETWEEN $2 AND $3
             GROUP BY s.product_id, CASE WHEN s.product_id IS NULL THEN d.sku ELSE '' END
             HAVING SUM(d.units) > 0"
            .to_owned();
        let mut values = within(range, currency).to_vec();
        let key = "COALESCE(s.product_id, $4)";
        values.push(Uuid::max().into());
        let own = "CASE WHEN s.product_id IS NULL THEN d.sku ELSE '' END";
        if let Some(after) = &page.after {
            let [figure, product, sku] = after.as_slice() else {
                return Err(PageError::Token.into());
            };
            sql.push_str(&format!(
                " AND ({sum} < $5 OR ({sum} = $5 AND ({key} > $6 OR ({key} = $6 AND {own} > $7))))"
            ));
            let product: Uuid = product.parse().map_err(|_| PageError::Token)?;
            values.extend([whole(figure)?.into(), product.into(), sku.clone().into()]);
        }
        sql.push_str(&format!(" ORDER BY {sum} DESC, {key}, {own} LIMIT {}", page.fetch_limit()));
        let rows = query(self.database.read(), &sql, values).await?;
        let products = rows.iter().map(sold).collect::<Result<Vec<_>, _>>()?;
        let mut listed = page.listed(products, |sales| keys(sales, order));
        self.count_views(range, &mut listed.items).await?;
        Ok(listed)
    }

    async fn count_views(&self, range: Range, products: &mut [ProductSales]) -> Result<(), DbErr> {
        let ids: Vec<Uuid> = products.iter().filter_map(|sales| Some(sales.product?.as_uuid())).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let places: Vec<String> = (0..ids.len()).map(|at| format!("${}", at + 3)).collect();
        let sql = format!(
            "SELECT product_id, CAST(SUM(views) AS bigint) AS views FROM view_days
             WHERE day BETWEEN $1 AND $2 AND product_id IN ({}) GROUP BY product_id",
            places.join(", ")
        );
        let days: [Value; 2] = [range.start().number().into(), range.end().number().into()];
        let values = days.into_iter().chain(ids.into_iter().map(Value::from));
        let mut seen: HashMap<Uuid, i64> = HashMap::new();
        for row in query(self.database.read(), &sql, values).await? {
            seen.insert(row.try_get("", "product_id")?, row.try_get("", "views")?);
        }
        for sales in products {
            let views = sales.product.and_then(|product| seen.get(&product.as_uuid()));
            sales.views = views.copied().unwrap_or_default();
        }
        Ok(())
    }
}

fn sold(row: &QueryResult) -> Result<ProductSales, DbErr> {
    let product: Option<Uuid> = row.try_get("", "product_id")?;
    Ok(ProductSales {
        product: product.map(Id::from_uuid),
        sku: row.try_get("", "own_sku")?,
        units: row.try_get("", "units")?,
        revenue: row.try_get("", "revenue")?,
        views: 0,
    })
}

fn keys(sales: &ProductSales, order: ProductOrder) -> Cursor {
    let figure = match order {
        ProductOrder::Revenue => sales.revenue,
        ProductOrder::Units => sales.units,
    };
    let product = sales.product.map_or(Uuid::max(), |product| product.as_uuid());
    vec![figure.to_string(), product.to_string(), sales.sku.clone()]
}

fn within(range: Range, currency: Currency) -> [Value; 3] {
    [currency.as_str().into(), range.start().number().into(), range.end().number().into()]
}

/// A number of a page token.
fn whole(text: &str) -> Result<i64, PageError> {
    text.parse().map_err(|_| PageError::Token)
}
