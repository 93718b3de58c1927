//! Many products in one transaction, decided on what is there.

use std::collections::HashMap;

use sea_orm::Value;

use super::category::{all, insert_categories};
use super::entity::product_columns;
use super::product::products;
use super::statement::query_in;
use super::write::{Write, hold_categories, sku_owners, write};
use super::{Failure, Sight, Store, settle};
use crate::domain::{Category, CategoryTree, Change, Parts, Product, ProductId};
use crate::error::Error;

/// What an import decides on: the state before it.
pub struct Present {
    /// The products of the handles that were asked, by handle.
    pub products: HashMap<String, Product>,
    /// Who has each of the SKUs that were asked.
    pub sku_owners: HashMap<String, ProductId>,
    /// The tree of categories.
    pub categories: CategoryTree,
}

/// What an import decided.
pub struct Verdicts<T> {
    /// Categories to add, parents before children.
    pub categories: Vec<Category>,
    /// Changes to make; at most one of each product.
    pub changes: Vec<Change>,
    /// What is to be said of them when they are made.
    pub said: T,
}

impl Store {
    /// Makes what `decide` says of these handles and SKUs, all of it or nothing.
    pub async fn import<T>(
        &self,
        handles: &[String],
        skus: &[String],
        decide: impl Fn(&mut Present) -> Verdicts<T>,
    ) -> Result<T, Error> {
        let handles: Vec<Value> = handles.iter().cloned().map(Value::from).collect();
        let skus: Vec<Value> = skus.iter().cloned().map(Value::from).collect();
        settle(async || {
            let tx = self.database.begin().await?;
            hold_categories(&tx, &self.database).await?;
            let head = format!("SELECT {} FROM products p WHERE p.handle", product_columns(Parts::ALL));
            let found = products(&query_in(&tx, &head, &handles, "").await?)?;
            let mut present = Present {
                products: found
                    .into_iter()
                    .map(|product| (product.content.handle.clone(), product))
                    .collect(),
                sku_owners: sku_owners(&tx, &skus).await?,
                categories: CategoryTree::new(all(&tx).await?),
            };

            let verdicts = decide(&mut present);
            insert_categories(&tx, &verdicts.categories).await?;
            let (mut writes, mut versions) = (Vec::new(), Vec::new());
            for change in verdicts.changes {
                versions.push((change.product.id, change.product.version));
                let before = present.products.remove(&change.product.content.handle);
                writes.push(Write { before, change });
            }
            if !writes.is_empty() {
                write(&tx, &writes).await?;
            }
            tx.commit().await?;
            self.changed(&versions).await;
            Ok::<T, Failure>(verdicts.said)
        })
        .await
    }

    /// Some products after an id, whole, in the order of their ids; for walking through all of them.
    pub async fn walk(&self, after: Option<ProductId>, count: u32) -> Result<Vec<Product>, Error> {
        let sql = format!(
            "SELECT {} FROM products p WHERE p.id > $1 AND {} ORDER BY p.id LIMIT $2",
            product_columns(Parts::ALL),
            Sight::Staff.condition("p.state")
        );
        let after = after.map_or_else(uuid::Uuid::nil, |id| id.as_uuid());
        let values = [after.into(), i64::from(count).into()];
        Ok(products(&kit::query(self.database.read(), &sql, values).await?)?)
    }
}
