//! Products, read by what names them.

use std::collections::HashSet;

use kit::query;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::entity::{ProductRow, product_columns};
use super::statement::query_in;
use super::{Sight, Store};
use crate::domain::{Parts, Product, ProductId, ProductKey, VariantKey};
use crate::error::Error;

/// What an answer may take on the wire; the stack's own limit is 4 MiB.
pub(super) const ANSWER_BYTES_MAX: usize = 3_500_000;

impl Store {
    /// One product, if the caller may see it.
    pub async fn find(&self, key: &ProductKey, sight: Sight, parts: Parts) -> Result<Option<Product>, Error> {
        let mut look = self.look_at(key, sight, parts).await;
        if let Some(kept) = look.rows.pop() {
            return Ok(Some(kept.product()?));
        }
        let (column, value): (_, Value) = match key {
            ProductKey::Id(id) => ("id", id.as_uuid().into()),
            ProductKey::Handle(handle) => ("handle", handle.clone().into()),
        };
        let sql = format!(
            "SELECT {} FROM products p WHERE p.{column} = $1 AND {}",
            product_columns(parts),
            sight.condition("p.state")
        );
        let rows = read(&query(self.database.read(), &sql, [value]).await?)?;
        look.keep(&rows).await;
        Ok(rows.into_iter().next().map(ProductRow::product).transpose()?)
    }

    /// The products of these ids that the caller may see, in no particular order.
    pub async fn find_many(
        &self,
        ids: &[ProductId],
        sight: Sight,
        parts: Parts,
    ) -> Result<Vec<Product>, Error> {
        let mut look = self.look(ids, sight, parts).await;
        let kept: HashSet<Uuid> = look.rows.iter().map(|row| row.id).collect();
        let missing = ids.iter().map(|id| id.as_uuid()).filter(|id| !kept.contains(id));
        let missing: Vec<Value> = missing.map(Value::from).collect();
        let mut rows = read(&by_ids(self.database.read(), &missing, sight, parts).await?)?;
        look.keep(&rows).await;
        rows.append(&mut look.rows);
        if rows.iter().map(ProductRow::weight).sum::<usize>() > ANSWER_BYTES_MAX {
            return Err(Error::AnswerTooLarge("product_ids"));
        }
        Ok(rows.into_iter().map(ProductRow::product).collect::<Result<_, DbErr>>()?)
    }

    /// The products that have one of these variants and that the caller may see, with variants and pictures.
    pub async fn find_of_variants(&self, keys: &[VariantKey], sight: Sight) -> Result<Vec<Product>, Error> {
        let mut ids: Vec<Value> = Vec::new();
        let mut skus: Vec<Value> = Vec::new();
        for key in keys {
            match key {
                VariantKey::Id(id) => ids.push(id.as_uuid().into()),
                VariantKey::Sku(sku) => skus.push(sku.clone().into()),
            }
        }
        let head = "SELECT product FROM variants WHERE";
        let on = self.database.read();
        let mut found = query_in(on, &format!("{head} id"), &ids, "").await?;
        found.extend(query_in(on, &format!("{head} sku"), &skus, "").await?);
        let mut ids =
            found.iter().map(|row| row.try_get_by_index::<Uuid>(0)).collect::<Result<Vec<_>, DbErr>>()?;
        ids.sort_unstable();
        ids.dedup();

        let ids: Vec<Value> = ids.into_iter().map(Value::from).collect();
        let parts = Parts { description: false, tags: false, options: false, variants: true, media: true };
        Ok(products(&by_ids(on, &ids, sight, parts).await?)?)
    }
}

async fn by_ids(
    on: &impl ConnectionTrait,
    ids: &[Value],
    sight: Sight,
    parts: Parts,
) -> Result<Vec<QueryResult>, DbErr> {
    let head = format!("SELECT {} FROM products p WHERE p.id", product_columns(parts));
    let tail = format!("AND {}", sight.condition("p.state"));
    query_in(on, &head, ids, &tail).await
}

fn read(rows: &[QueryResult]) -> Result<Vec<ProductRow>, DbErr> {
    rows.iter().map(ProductRow::read).collect()
}

pub(super) fn products(rows: &[QueryResult]) -> Result<Vec<Product>, DbErr> {
    read(rows)?.into_iter().map(ProductRow::product).collect()
}
