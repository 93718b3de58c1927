//! Writes products: the row, the tables that find it, and the event, in one transaction.

use std::collections::HashMap;

use kit::{Database, Once, RequestKey, Tx, for_update, outbox, query};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Value};
use uuid::Uuid;

use super::entity::{ProductRow, product_columns};
use super::product::products;
use super::statement::{execute_in, insert, query_in};
use super::{Failure, Store, settle};
use crate::domain::{Change, Parts, Product, ProductId, Refusal};
use crate::error::Error;
use crate::events;

/// A product's lowest price in its first currency stands under this name, for lists that name no currency.
const FIRST_CURRENCY: &str = "";

/// A change, and the product as it was.
pub(super) struct Write {
    pub(super) before: Option<Product>,
    pub(super) change: Change,
}

impl Store {
    /// Adds a product.
    pub async fn create(
        &self,
        key: &RequestKey,
        decide: impl Fn() -> Result<Change, Refusal>,
    ) -> Result<Product, Error> {
        settle(async || {
            let tx = match self.database.begin_once(key).await? {
                Once::Kept(answer) => return kept(answer.rows()?),
                Once::First(tx) => tx,
            };
            let change = decide()?;
            let product = change.product.clone();
            refuse_taken(&tx, &product).await?;
            write(&tx, &[Write { before: None, change }]).await?;
            tx.keep(&ProductRow::of(&product)?).await?;
            tx.commit().await?;
            Ok(product)
        })
        .await
    }

    /// Changes a product as `decide` says, or leaves it as it is when that is nothing.
    pub async fn update(
        &self,
        key: &RequestKey,
        id: ProductId,
        decide: impl Fn(&Product) -> Result<Option<Change>, Refusal>,
    ) -> Result<Product, Error> {
        settle(async || {
            let tx = match self.database.begin_once(key).await? {
                Once::Kept(answer) => return kept(answer.rows()?),
                Once::First(tx) => tx,
            };
            let present = locked(&tx, id).await?;
            let version = present.version;
            let product = match decide(&present)? {
                None => present,
                Some(change) => {
                    let product = change.product.clone();
                    refuse_taken(&tx, &product).await?;
                    let before = Some(present);
                    write(&tx, &[Write { before, change }]).await?;
                    product
                }
            };
            tx.keep(&ProductRow::of(&product)?).await?;
            tx.commit().await?;
            // Whoever reads the answer sees the change; where Redis is away or this process dies here, the event tells.
            if product.version > version {
                self.changed(&[(product.id, product.version)]).await;
            }
            Ok(product)
        })
        .await
    }
}

fn kept(row: ProductRow) -> Result<Product, Failure> {
    Ok(row.product()?)
}

/// The product as it is, held until the transaction ends.
async fn locked(tx: &Tx, id: ProductId) -> Result<Product, Failure> {
    let lock = for_update(tx.get_database_backend());
    let columns = product_columns(Parts::ALL);
    let sql = format!("SELECT {columns} FROM products p WHERE p.id = $1{lock}");
    let rows = query(tx, &sql, [id.as_uuid().into()]).await?;
    let found = products(&rows)?.pop();
    Ok(found.ok_or_else(|| Refusal::ProductNotFound(id.to_string()))?)
}

/// Says which of its names somebody else has. The tables' own keys hold, too; they only cannot say it so well.
async fn refuse_taken(tx: &Tx, product: &Product) -> Result<(), Failure> {
    let content = &product.content;
    // Read before the handle and judged after it: whoever commits in between has taken both, and the handle is named.
    let skus: Vec<Value> = content.skus().into_iter().map(Value::from).collect();
    let owners = sku_owners(tx, &skus).await?;
    let sql = "SELECT id FROM products WHERE handle = $1 AND id <> $2";
    let values = [content.handle.clone().into(), product.id.as_uuid().into()];
    if !query(tx, sql, values).await?.is_empty() {
        return Err(Refusal::HandleTaken(content.handle.clone()).into());
    }
    let taken = content
        .variants
        .iter()
        .find(|variant| owners.get(&variant.sku).is_some_and(|owner| *owner != product.id));
    if let Some(variant) = taken {
        return Err(Refusal::SkuTaken(variant.sku.clone()).into());
    }

    if let Some(category) = content.category {
        let sql = "SELECT 1 FROM categories WHERE id = $1";
        if query(tx, sql, [category.as_uuid().into()]).await?.is_empty() {
            return Err(Refusal::CategoryNotFound(category.to_string()).into());
        }
    }
    Ok(())
}

/// Which product has each of these SKUs.
pub(super) async fn sku_owners(
    on: &impl ConnectionTrait,
    skus: &[Value],
) -> Result<HashMap<String, ProductId>, DbErr> {
    let rows = query_in(on, "SELECT sku, product FROM variants WHERE sku", skus, "").await?;
    rows.iter()
        .map(|row| {
            let owner = row.try_get_by_index::<Uuid>(1)?;
            Ok((row.try_get_by_index(0)?, ProductId::from_uuid(owner)))
        })
        .collect()
}

/// Writes changes that were decided on what this transaction read.
pub(super) async fn write(tx: &Tx, writes: &[Write]) -> Result<(), Failure> {
    let present = writes.iter().filter_map(|write| write.before.as_ref());
    let ids: Vec<Value> = present.clone().map(|product| product.id.as_uuid().into()).collect();
    for table in ["product_prices", "product_tags", "product_words"] {
        execute_in(tx, &format!("DELETE FROM {table} WHERE product"), &ids).await?;
    }
    // All SKUs go before any comes: one product may take over what another of the same file gives up.
    let variants: Vec<Value> = present
        .flat_map(|product| &product.content.variants)
        .map(|variant| variant.id.as_uuid().into())
        .collect();
    execute_in(tx, "DELETE FROM variants WHERE id", &variants).await?;

    let mut created = Vec::new();
    for write in writes {
        let values = values(&write.change.product)?;
        match write.before {
            None => created.push(values),
            Some(_) => update(tx, values, &write.change.product).await?,
        }
    }
    insert(tx, &format!("INSERT INTO products ({COLUMNS})"), created).await?;
    insert_relations(tx, writes).await?;
    let news: Vec<_> = writes.iter().map(|write| events::event(&write.change)).collect();
    Ok(outbox::append_all(tx, &news).await?)
}

const COLUMNS: &str = "id, handle, state, listed, created, updated, published, version, category, \
                       title, title_key, vendor, product_type, seo_title, seo_description, \
                       tags, options, media, variants, description";

fn values(product: &Product) -> Result<Vec<Value>, DbErr> {
    let row = ProductRow::of(product)?;
    Ok(vec![
        row.id.into(),
        row.handle.into(),
        row.state.into(),
        product.listed().timestamp_micros().into(),
        row.created.into(),
        row.updated.into(),
        row.published.into(),
        row.version.into(),
        row.category.into(),
        row.title.clone().into(),
        row.title.to_lowercase().into(),
        row.vendor.into(),
        row.product_type.into(),
        row.seo_title.into(),
        row.seo_description.into(),
        row.tags.into(),
        row.options.into(),
        row.media.into(),
        row.variants.into(),
        row.description.into(),
    ])
}

async fn update(tx: &Tx, mut values: Vec<Value>, product: &Product) -> Result<(), Failure> {
    let assignments: Vec<String> = COLUMNS
        .split(", ")
        .map(str::trim)
        .enumerate()
        .map(|(place, column)| format!("{column} = ${}", place + 1))
        .collect();
    let version = values.len() + 1;
    values.push((product.version - 1).into());
    let sql =
        format!("UPDATE products SET {} WHERE id = $1 AND version = ${version}", assignments.join(", "));
    match kit::execute(tx, &sql, values).await? {
        1 => Ok(()),
        // Somebody wrote between our reading and this: decide again on what is there now.
        _ => Err(Failure::Raced),
    }
}

async fn insert_relations(tx: &Tx, writes: &[Write]) -> Result<(), DbErr> {
    let (mut variants, mut prices) = (Vec::new(), Vec::new());
    let (mut tags, mut words) = (Vec::new(), Vec::new());
    for write in writes {
        let (id, content) = (write.change.product.id.as_uuid(), &write.change.product.content);
        for variant in &content.variants {
            variants.push(vec![variant.id.as_uuid().into(), id.into(), variant.sku.clone().into()]);
        }
        let lowest = content.lowest_prices();
        let first = lowest.first().map(|money| (FIRST_CURRENCY, money));
        let named = lowest.iter().map(|money| (money.currency().as_str(), money));
        for (currency, money) in first.into_iter().chain(named) {
            prices.push(vec![id.into(), currency.into(), money.minor_units().into()]);
        }
        for tag in &content.tags {
            tags.push(vec![id.into(), tag.to_lowercase().into()]);
        }
        words.push(vec![id.into(), content.words().into()]);
    }
    insert(tx, "INSERT INTO variants (id, product, sku)", variants).await?;
    insert(tx, "INSERT INTO product_prices (product, currency, lowest)", prices).await?;
    insert(tx, "INSERT INTO product_tags (product, tag)", tags).await?;
    insert(tx, "INSERT INTO product_words (product, words)", words).await
}

/// Holds the tree of categories still until the transaction ends: a path is made of the paths above it.
pub(super) async fn hold_categories(tx: &Tx, database: &Database) -> Result<(), DbErr> {
    if database.backend() == DbBackend::Postgres {
        tx.execute_unprepared("LOCK TABLE categories IN SHARE ROW EXCLUSIVE MODE").await?;
    }
    Ok(())
}
