//! The only file that knows the tables: what is read of them. What is written is in `learning`.

pub mod entity;
mod learning;
pub mod migration;

use std::collections::HashMap;

use kit::{Database, IDS_PER_STATEMENT_MAX, Id, query};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use crate::domain::{CategoryId, CustomerId, ItemId, Neighbours, Product, ProductId, Purchase};

/// A customer's history is no longer; those bought least often go first, of these the oldest.
pub const PURCHASES_MAX: u64 = 500;

#[derive(Clone)]
pub struct Store {
    database: Database,
}

impl Store {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// The products, offered or not, by the items that stand for them.
    pub async fn products(&self, items: &[ItemId]) -> Result<HashMap<ItemId, Product>, DbErr> {
        let sql = |places: &str| {
            format!(
                "SELECT i.id AS item_id, i.id, i.category_id, i.offered, i.order_count, i.demand
                 FROM items i WHERE i.id IN ({places})
                 UNION ALL
                 SELECT s.item_id, i.id, i.category_id, i.offered, i.order_count, i.demand
                 FROM skus s JOIN items i ON i.id = s.product_id WHERE s.item_id IN ({places})"
            )
        };
        let rows = query_in(self.database.read(), sql, items.iter().map(|item| item.as_uuid())).await?;
        rows.iter().map(|row| Ok((item_of(row)?, entity::product(row)?))).collect()
    }

    /// What goes with each of these products. One that nothing is known of is left out.
    pub async fn neighbours(&self, products: &[ProductId]) -> Result<HashMap<ProductId, Neighbours>, DbErr> {
        let sql = |places: &str| {
            format!(
                "SELECT item_id AS product_id, list FROM neighbours WHERE item_id IN ({places})
                 UNION ALL
                 SELECT s.product_id, n.list FROM skus s JOIN neighbours n ON n.item_id = s.item_id
                 WHERE s.product_id IN ({places})"
            )
        };
        let rows = query_in(self.database.read(), sql, products.iter().map(|it| it.as_uuid())).await?;
        let mut found: HashMap<ProductId, Neighbours> = HashMap::with_capacity(rows.len());
        for row in &rows {
            let product = Id::from_uuid(row.try_get("", "product_id")?);
            let list = entity::unpacked(&row.try_get::<Vec<u8>>("", "list")?)?;
            match found.get_mut(&product) {
                Some(known) => known.join(&list),
                None => drop(found.insert(product, list)),
            }
        }
        Ok(found)
    }

    /// What sells best of late.
    pub async fn popular(&self, limit: usize) -> Result<Vec<Product>, DbErr> {
        let sql = "SELECT id, category_id, offered, order_count, demand FROM items
                   WHERE offered AND order_count > 0 ORDER BY demand DESC, id LIMIT $1";
        let rows = query(self.database.read(), sql, [bound(limit)]).await?;
        rows.iter().map(entity::product).collect()
    }

    /// The same in one category, down to what nobody has bought yet.
    pub async fn popular_in(&self, category: CategoryId, limit: usize) -> Result<Vec<Product>, DbErr> {
        let sql = "SELECT id, category_id, offered, order_count, demand FROM items
                   WHERE category_id = $1 AND offered ORDER BY demand DESC, id LIMIT $2";
        let rows = query(self.database.read(), sql, [category.as_uuid().into(), bound(limit)]).await?;
        rows.iter().map(entity::product).collect()
    }

    /// What a customer has bought, each product once.
    pub async fn history(&self, customer: CustomerId) -> Result<Vec<Purchase>, DbErr> {
        let sql = "SELECT COALESCE(s.product_id, p.item_id) AS product_id, p.order_count, p.last
                   FROM purchases p LEFT JOIN skus s ON s.item_id = p.item_id WHERE p.customer_id = $1";
        let rows = query(self.database.read(), sql, [customer.as_uuid().into()]).await?;
        let mut history: HashMap<ProductId, Purchase> = HashMap::with_capacity(rows.len());
        for row in &rows {
            let purchase = entity::purchase(row)?;
            let known = history.entry(purchase.product).or_insert(Purchase { order_count: 0, ..purchase });
            known.order_count = known.order_count.saturating_add(purchase.order_count);
            known.last = known.last.max(purchase.last);
        }
        Ok(history.into_values().collect())
    }
}

fn item_of(row: &QueryResult) -> Result<ItemId, DbErr> {
    Ok(Id::from_uuid(row.try_get("", "item_id")?))
}

fn bound(limit: usize) -> Value {
    i64::try_from(limit).unwrap_or(i64::MAX).into()
}

/// The rows of a statement for these ids, however many there are. `sql` is told the places of their values.
async fn query_in(
    on: &impl ConnectionTrait,
    sql: impl Fn(&str) -> String,
    ids: impl Iterator<Item = Uuid>,
) -> Result<Vec<QueryResult>, DbErr> {
    let ids: Vec<Uuid> = ids.collect();
    let mut rows = Vec::with_capacity(ids.len());
    for ids in ids.chunks(IDS_PER_STATEMENT_MAX) {
        let places: Vec<String> = (1..=ids.len()).map(|number| format!("${number}")).collect();
        rows.extend(query(on, &sql(&places.join(", ")), ids.iter().map(|id| Value::from(*id))).await?);
    }
    Ok(rows)
}
