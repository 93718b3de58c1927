//! The only file that knows the tables. Whatever an event changes commits with the note that it was applied.

pub mod entity;
mod funnel;
pub mod migration;
mod sales;
mod sums;

use kit::outbox::Event as News;
use kit::{
    Database, Id, Once, ROWS_PER_STATEMENT_MAX, RequestKey, Timestamp, Tx, execute, for_update, inbox, query,
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};
use uuid::Uuid;

use self::entity::{OrderRow, PaymentRow};
use crate::domain::{
    CartId, CartStep, Day, Learned, OrderFact, OrderId, PaymentFact, PaymentId, PaymentNews, ProductId, Views,
};
use crate::error::Error;
use crate::events::READER;

#[derive(Clone)]
pub struct Store {
    database: Database,
}

impl Store {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Joins what an event says to what is known of its order, and moves the sums by the difference. `products` are the products
    /// that the event names for its SKUs, and when it did.
    pub async fn learn_order(
        &self,
        event: Id<News>,
        id: OrderId,
        learned: Learned,
        products: (&[(String, ProductId)], Timestamp),
    ) -> Result<(), DbErr> {
        let Some(tx) = self.first_time(event).await? else {
            return Ok(());
        };
        let mut fresh = OrderFact::default();
        fresh.learn(learned.clone());
        let row = OrderRow::of(id.as_uuid(), &fresh)?;
        if insert(&tx, "orders", OrderRow::COLUMNS, row.values()).await? {
            sums::shift(&tx, &OrderFact::default(), &fresh).await?;
        } else {
            let before = locked::<OrderRow>(&tx, "orders", id.as_uuid()).await?.order()?;
            let mut after = before.clone();
            after.learn(learned);
            let values = OrderRow::of(id.as_uuid(), &after)?.values();
            update(&tx, "orders", OrderRow::COLUMNS, values).await?;
            sums::shift(&tx, &before, &after).await?;
        }
        note_skus(&tx, products.0, products.1).await?;
        tx.commit().await
    }

    /// Joins what an event says to what is known of its payment.
    pub async fn learn_payment(
        &self,
        event: Id<News>,
        id: PaymentId,
        (day, money, news): (Day, Option<kit::Currency>, PaymentNews),
    ) -> Result<(), DbErr> {
        let Some(tx) = self.first_time(event).await? else {
            return Ok(());
        };
        let mut fresh = PaymentFact::first(day);
        fresh.learn(day, money, news);
        let row = PaymentRow::of(id.as_uuid(), &fresh);
        if !insert(&tx, "payments", PaymentRow::COLUMNS, row.values()).await? {
            let mut payment = locked::<PaymentRow>(&tx, "payments", id.as_uuid()).await?.payment()?;
            payment.learn(day, money, news);
            let values = PaymentRow::of(id.as_uuid(), &payment).values();
            update(&tx, "payments", PaymentRow::COLUMNS, values).await?;
        }
        tx.commit().await
    }

    /// Notes how far a cart came on a day.
    pub async fn note_cart(
        &self,
        event: Id<News>,
        cart: CartId,
        day: Day,
        step: CartStep,
    ) -> Result<(), DbErr> {
        let Some(tx) = self.first_time(event).await? else {
            return Ok(());
        };
        let sql = "INSERT INTO cart_days (cart_id, day, added, started, paid) VALUES ($1, $2, $3, $4, $5)
                   ON CONFLICT (cart_id, day) DO UPDATE SET
                      added = cart_days.added OR excluded.added,
                      started = cart_days.started OR excluded.started,
                      paid = cart_days.paid OR excluded.paid";
        let values = [
            cart.as_uuid().into(),
            day.number().into(),
            (step == CartStep::Added).into(),
            (step == CartStep::Started).into(),
            (step == CartStep::Paid).into(),
        ];
        execute(&tx, sql, values).await?;
        tx.commit().await
    }

    /// Notes which cart a guest's cart went into.
    pub async fn note_merge(&self, event: Id<News>, guest: CartId, cart: CartId) -> Result<(), DbErr> {
        let Some(tx) = self.first_time(event).await? else {
            return Ok(());
        };
        let sql = "INSERT INTO merges (guest_id, cart_id) VALUES ($1, $2) ON CONFLICT (guest_id) DO NOTHING";
        execute(&tx, sql, [guest.as_uuid().into(), cart.as_uuid().into()]).await?;
        tx.commit().await
    }

    /// Notes which product has these SKUs since a time.
    pub async fn note_products(
        &self,
        event: Id<News>,
        products: &[(String, ProductId)],
        since: Timestamp,
    ) -> Result<(), DbErr> {
        let Some(tx) = self.first_time(event).await? else {
            return Ok(());
        };
        note_skus(&tx, products, since).await?;
        tx.commit().await
    }

    /// Counts a batch of views, once.
    pub async fn record_views(&self, key: &RequestKey, day: Day, views: &[Views]) -> Result<(), Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(_) => return Ok(()),
            Once::First(tx) => tx,
        };
        // In the order of their keys, so that two batches never wait for each other.
        let mut views: Vec<&Views> = views.iter().collect();
        views.sort_by(|left, right| (left.product, &left.country).cmp(&(right.product, &right.country)));
        for some in views.chunks(ROWS_PER_STATEMENT_MAX) {
            let sql = format!(
                "INSERT INTO view_days (day, product_id, country, views) VALUES {}
                 ON CONFLICT (day, product_id, country) DO UPDATE SET views = view_days.views + excluded.views",
                tuples(some.len(), 4)
            );
            let values = some.iter().flat_map(|views| -> [Value; 4] {
                [
                    day.number().into(),
                    views.product.as_uuid().into(),
                    views.country.clone().into(),
                    views.count.into(),
                ]
            });
            execute(&**tx, &sql, values).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// A transaction in which this event has been noted; nothing when it was applied before.
    async fn first_time(&self, event: Id<News>) -> Result<Option<Tx>, DbErr> {
        let tx = self.database.begin().await?;
        Ok(inbox::first_time(&tx, READER, event).await?.then_some(tx))
    }
}

/// Of two products that claim a SKU, the one that claimed it last has it; whatever was sold by it stays with that product.
async fn note_skus(tx: &Tx, products: &[(String, ProductId)], since: Timestamp) -> Result<(), DbErr> {
    // A statement may name a row once, and in one order for all.
    let mut products: Vec<&(String, ProductId)> =
        products.iter().filter(|(sku, _)| !sku.is_empty()).collect();
    products.sort();
    products.dedup_by(|later, earlier| later.0 == earlier.0);
    for some in products.chunks(ROWS_PER_STATEMENT_MAX) {
        let sql = format!(
            "INSERT INTO skus (sku, product_id, told_micros) VALUES {}
             ON CONFLICT (sku) DO UPDATE SET product_id = excluded.product_id, told_micros = excluded.told_micros
             WHERE (excluded.told_micros, excluded.product_id) > (skus.told_micros, skus.product_id)",
            tuples(some.len(), 3)
        );
        let values = some.iter().flat_map(|(sku, product)| -> [Value; 3] {
            [sku.clone().into(), product.as_uuid().into(), since.timestamp_micros().into()]
        });
        execute(tx, &sql, values).await?;
    }
    Ok(())
}

/// Inserts a row; false when its id is there already. Whoever is inserting the same id is waited for.
async fn insert<const N: usize>(
    tx: &Tx,
    table: &str,
    columns: &str,
    values: [Value; N],
) -> Result<bool, DbErr> {
    let sql = format!("INSERT INTO {table} ({columns}) VALUES {} ON CONFLICT (id) DO NOTHING", tuples(1, N));
    Ok(execute(tx, &sql, values).await? == 1)
}

/// Writes all columns of a row; the first is its id.
async fn update<const N: usize>(
    tx: &Tx,
    table: &str,
    columns: &str,
    values: [Value; N],
) -> Result<(), DbErr> {
    let set = columns.split(", ").enumerate().skip(1).map(|(at, column)| format!("{column} = ${}", at + 1));
    let sql = format!("UPDATE {table} SET {} WHERE id = $1", set.collect::<Vec<_>>().join(", "));
    execute(tx, &sql, values).await.map(drop)
}

/// Reads a row and keeps others from changing it until the transaction ends.
async fn locked<R: FromQueryResult>(tx: &Tx, table: &str, id: Uuid) -> Result<R, DbErr> {
    let suffix = for_update(tx.get_database_backend());
    let rows = query(tx, &format!("SELECT * FROM {table} WHERE id = $1{suffix}"), [id.into()]).await?;
    let row = rows.first().ok_or(DbErr::RecordNotFound(format!("{table} {id}")))?;
    R::from_query_result(row, "")
}

/// `($1, $2), ($3, $4), …`
fn tuples(rows: usize, columns: usize) -> String {
    let tuple = |row: usize| {
        let places: Vec<String> =
            (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(tuple).collect::<Vec<_>>().join(", ")
}
