//! What events change. Every effect stands in one transaction with the note that its event was applied, and adds to what
//! is there, so events may come twice and in any order.

use std::collections::{HashMap, HashSet};

use kit::outbox::Event as News;
use kit::{Id, ROWS_PER_STATEMENT_MAX, Tx, erased, execute, for_update, inbox};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::{PURCHASES_MAX, Store, entity, item_of, query_in};
use crate::domain::{CustomerId, ItemId, Listing, Neighbours, Order, ProductId, meet_around};

/// The largest order can make a history that much too long.
const PURCHASES_EXCESS_MAX: i64 = 10_000;
/// An order whose SKUs have no product yet, and what tells of their product, see nothing of each other until one is over:
/// whoever comes second waits. Orders do not wait for each other.
const SKUS: &str = "recommendations.skus";

impl Store {
    /// Learns from an order, once per event.
    pub async fn learn(&self, reader: &str, event: Id<News>, order: &Order) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        if !inbox::first_time(&tx, reader, event).await? {
            return Ok(());
        }
        let skus = order.unknown_skus();
        if !skus.is_empty() {
            tx.take_turn(SKUS, "pg_advisory_xact_lock_shared").await?;
        }
        let products = products_of(&tx, &skus).await?;
        let items = order.items(&products);
        // First the figures: their rows, taken in the order of their ids, keep others from these lists until the end.
        count(&tx, order, &items, &products).await?;
        if items.len() > 1 {
            introduce(&tx, &items).await?;
        }
        if let Some(customer) = order.customer {
            remember(&tx, customer, order, &items).await?;
        }
        tx.commit().await
    }

    /// Notes what the catalogue says of a product, once per event; what is older than what is known changes nothing.
    pub async fn note_listing(&self, reader: &str, event: Id<News>, listing: &Listing) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        if !inbox::first_time(&tx, reader, event).await? {
            return Ok(());
        }
        tx.take_turn(SKUS, "pg_advisory_xact_lock").await?;
        execute(
            &*tx,
            "INSERT INTO items (id, category_id, offered, version, order_count, demand)
             VALUES ($1, $2, $3, $4, 0, 0)
             ON CONFLICT (id) DO UPDATE SET category_id = excluded.category_id, offered = excluded.offered,
                version = excluded.version
             WHERE items.version < excluded.version",
            [
                listing.product.as_uuid().into(),
                listing.category.map(|category| category.as_uuid()).into(),
                listing.offered.into(),
                listing.version.into(),
            ],
        )
        .await?;
        claim(&tx, listing).await?;
        fold(&tx, listing).await?;
        tx.commit().await
    }

    /// Forgets what a customer has bought, now and should an older order of his come later. Counts stay: nobody can be
    /// told from them.
    pub async fn forget(&self, reader: &str, event: Id<News>, customer: CustomerId) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        if !inbox::first_time(&tx, reader, event).await? {
            return Ok(());
        }
        erased::note(&tx, customer).await?;
        execute(&*tx, "DELETE FROM purchases WHERE customer_id = $1", [customer.as_uuid().into()]).await?;
        tx.commit().await
    }
}

/// Which of these SKUs have found their product.
async fn products_of(tx: &Tx, skus: &[ItemId]) -> Result<HashMap<ItemId, ProductId>, DbErr> {
    let sql = |places: &str| format!("SELECT item_id, product_id FROM skus WHERE item_id IN ({places})");
    let rows = query_in(&**tx, sql, skus.iter().map(|sku| sku.as_uuid())).await?;
    rows.iter().map(|row| Ok((item_of(row)?, Id::from_uuid(row.try_get("", "product_id")?)))).collect()
}

/// One more order with each item. A SKU that has no product yet cannot be offered.
async fn count(
    tx: &Tx,
    order: &Order,
    items: &[ItemId],
    products: &HashMap<ItemId, ProductId>,
) -> Result<(), DbErr> {
    let named = order.bought.iter().filter_map(|line| line.product).chain(products.values().copied());
    let named: HashSet<ItemId> = named.map(|product| Id::from_uuid(product.as_uuid())).collect();
    let mut sorted = items.to_vec();
    sorted.sort_unstable();
    for some in sorted.chunks(ROWS_PER_STATEMENT_MAX) {
        let rows: Vec<String> =
            (0..some.len()).map(|at| format!("(${}, NULL, ${}, 0, 1, $1)", at * 2 + 2, at * 2 + 3)).collect();
        let sql = format!(
            "INSERT INTO items (id, category_id, offered, version, order_count, demand) VALUES {}
             ON CONFLICT (id) DO UPDATE SET order_count = items.order_count + 1,
                demand = items.demand + excluded.demand",
            rows.join(", ")
        );
        let values = some.iter().flat_map(|item| [item.as_uuid().into(), named.contains(item).into()]);
        execute(&**tx, &sql, std::iter::once(Value::from(order.demand())).chain(values)).await?;
    }
    Ok(())
}

/// Lets the items of a basket meet.
async fn introduce(tx: &Tx, items: &[ItemId]) -> Result<(), DbErr> {
    let sql = |places: &str| format!("SELECT item_id, list FROM neighbours WHERE item_id IN ({places})");
    let rows = query_in(&**tx, sql, items.iter().map(|item| item.as_uuid())).await?;
    let mut lists: HashMap<ItemId, Neighbours> = HashMap::with_capacity(rows.len());
    for row in &rows {
        lists.insert(item_of(row)?, entity::unpacked(&row.try_get::<Vec<u8>>("", "list")?)?);
    }
    let mut changed: Vec<(ItemId, Vec<u8>)> = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        let mut list = lists.remove(item).unwrap_or_default();
        meet_around(&mut list, items, place);
        changed.push((*item, entity::packed(&list)));
    }
    changed.sort_unstable_by_key(|(item, _)| *item);
    for some in changed.chunks(ROWS_PER_STATEMENT_MAX) {
        let rows: Vec<String> =
            (0..some.len()).map(|at| format!("(${}, ${})", at * 2 + 1, at * 2 + 2)).collect();
        let sql = format!(
            "INSERT INTO neighbours (item_id, list) VALUES {}
             ON CONFLICT (item_id) DO UPDATE SET list = excluded.list",
            rows.join(", ")
        );
        let values = some.iter().flat_map(|(item, list)| [item.as_uuid().into(), list.clone().into()]);
        execute(&**tx, &sql, values).await?;
    }
    Ok(())
}

/// Adds an order to a customer's history, unless he has asked to be forgotten.
async fn remember(tx: &Tx, customer: CustomerId, order: &Order, items: &[ItemId]) -> Result<(), DbErr> {
    if erased::is_noted(tx, customer).await? {
        return Ok(());
    }
    let customer = Value::from(customer.as_uuid());
    for some in items.chunks(ROWS_PER_STATEMENT_MAX) {
        let rows: Vec<String> = (0..some.len()).map(|at| format!("($1, ${}, 1, $2)", at + 3)).collect();
        let sql = format!(
            "INSERT INTO purchases (customer_id, item_id, order_count, last) VALUES {}
             ON CONFLICT (customer_id, item_id) DO UPDATE SET order_count = purchases.order_count + 1,
                last = CASE WHEN purchases.last > excluded.last THEN purchases.last ELSE excluded.last END",
            rows.join(", ")
        );
        let whose = [customer.clone(), order.placed.into()];
        execute(&**tx, &sql, whose.into_iter().chain(some.iter().map(|item| item.as_uuid().into()))).await?;
    }
    execute(
        &**tx,
        "DELETE FROM purchases WHERE customer_id = $1 AND item_id IN (
            SELECT item_id FROM purchases WHERE customer_id = $1
            ORDER BY order_count DESC, last DESC, item_id LIMIT $2 OFFSET $3)",
        [customer, PURCHASES_EXCESS_MAX.into(), i64::try_from(PURCHASES_MAX).unwrap_or(i64::MAX).into()],
    )
    .await
    .map(drop)
}

/// Notes whose the SKUs are. A SKU that changed its product belongs to whoever claimed it last.
async fn claim(tx: &Tx, listing: &Listing) -> Result<(), DbErr> {
    for some in listing.skus.chunks(ROWS_PER_STATEMENT_MAX) {
        let rows: Vec<String> = (0..some.len()).map(|at| format!("(${}, $1, $2)", at + 3)).collect();
        let sql = format!(
            "INSERT INTO skus (item_id, product_id, occurred) VALUES {}
             ON CONFLICT (item_id) DO UPDATE SET product_id = excluded.product_id, occurred = excluded.occurred
             WHERE skus.occurred <= excluded.occurred",
            rows.join(", ")
        );
        let values = [listing.product.as_uuid().into(), listing.occurred.into()];
        execute(&**tx, &sql, values.into_iter().chain(some.iter().map(|sku| sku.as_uuid().into()))).await?;
    }
    Ok(())
}

/// Moves what was counted for SKUs before their product was known over to the product. Their lists stay where they are
/// and are read with its own.
async fn fold(tx: &Tx, listing: &Listing) -> Result<(), DbErr> {
    let lock = for_update(tx.get_database_backend());
    let sql = |places: &str| {
        format!(
            "SELECT id, order_count, demand,
                (SELECT s.product_id FROM skus s WHERE s.item_id = items.id) AS product_id
             FROM items WHERE id IN ({places}) ORDER BY id{lock}"
        )
    };
    for row in query_in(&**tx, sql, listing.skus.iter().map(|sku| sku.as_uuid())).await? {
        let (count, demand): (i64, f64) = (row.try_get("", "order_count")?, row.try_get("", "demand")?);
        let (item, product): (Uuid, Uuid) = (row.try_get("", "id")?, row.try_get("", "product_id")?);
        execute(
            &**tx,
            "UPDATE items SET order_count = order_count + $2, demand = demand + $3 WHERE id = $1",
            [product.into(), count.into(), demand.into()],
        )
        .await?;
        execute(&**tx, "DELETE FROM items WHERE id = $1", [item.into()]).await?;
    }
    Ok(())
}
