//! Orders: header and lines, saved under the order's version.

use std::collections::HashMap;

use kit::{
    IDS_PER_STATEMENT_MAX, Once, ROWS_PER_STATEMENT_MAX, RequestKey, Timestamp, Tx, execute, query, tuples,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::leases::{LEASE, Lease};
use super::{DECISIONS_MAX, Right, Store, entity};
use crate::domain::chore::Done;
use crate::domain::{Head, Line, Number, Order, OrderEvent, OrderId};
use crate::error::Error;
use crate::events;

const LINE_COLUMNS: [&str; 17] = [
    "order_id",
    "position",
    "sku",
    "variant",
    "product",
    "product_title",
    "variant_title",
    "quantity",
    "unit_price",
    "discount",
    "net",
    "tax",
    "total",
    "tax_rate_ppm",
    "shipped",
    "delivered",
    "returned",
];

impl Store {
    pub async fn order(&self, id: OrderId, right: &Right) -> Result<Order, Error> {
        find(self.database.read(), id, right).await?.ok_or(Error::OrderNotFound)
    }

    /// The order's version alone; nothing when it is gone.
    pub async fn order_version(&self, id: OrderId, right: &Right) -> Result<Option<i64>, Error> {
        Ok(version(self.database.read(), "orders", id.as_uuid(), right).await?)
    }

    pub async fn order_id(&self, number: &Number, right: &Right) -> Result<OrderId, Error> {
        let (may_see, values) = right.condition(2);
        let sql = format!("SELECT id FROM orders WHERE number = $1 AND {may_see}");
        let values = std::iter::once(Value::from(number.as_str())).chain(values);
        let rows = query(self.database.read(), &sql, values).await?;
        let row = rows.first().ok_or(Error::OrderNotFound)?;
        Ok(OrderId::from_uuid(row.try_get("", "id").map_err(Error::Storage)?))
    }

    /// Orders by their ids, with their lines or without.
    pub async fn heads(
        &self,
        ids: &[OrderId],
        right: &Right,
        lines: bool,
    ) -> Result<HashMap<OrderId, Head>, Error> {
        let mut found = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(IDS_PER_STATEMENT_MAX) {
            let (may_see, mut values) = {
                let (sql, values) = right.condition(1);
                (sql, values.to_vec())
            };
            let names = placeholders(4, ids.len());
            values.extend(ids.iter().map(|id| Value::from(id.as_uuid())));
            let sql = format!("SELECT * FROM orders WHERE {may_see} AND id IN ({names})");
            let rows = query(self.database.read(), &sql, values).await?;
            let heads = heads(self.database.read(), rows, lines).await?;
            found.extend(heads.into_iter().map(|head| (head.order.id, head)));
        }
        Ok(found)
    }

    /// Loads the order as the caller may see it, lets `decide` change it, and saves it with its events. What `answer` says
    /// of it then is kept with the request.
    pub async fn update<T, A: Serialize + DeserializeOwned + Send + Sync>(
        &self,
        key: &RequestKey,
        id: OrderId,
        right: &Right,
        decide: impl Fn(&mut Order) -> Result<(T, Vec<OrderEvent>), Error>,
        answer: impl Fn(Order, T) -> A,
    ) -> Result<A, Error> {
        for _ in 0..DECISIONS_MAX {
            let tx = match self.database.begin_once(key).await? {
                Once::Kept(answer) => return Ok(answer.rows()?),
                Once::First(tx) => tx,
            };
            let now = self.clock.now();
            let before = find(&**tx, id, right).await?.ok_or(Error::OrderNotFound)?;
            let mut order = before.clone();
            let (decided, changes) = decide(&mut order)?;
            if order != before {
                let news = events::of_order(&mut order, changes, &self.mailing, now);
                if !save(&tx, &before, &mut order, None, now).await? {
                    continue;
                }
                self.announce(&tx, news).await?;
            }
            let kept = answer(order, decided);
            tx.keep(&kept).await?;
            tx.commit().await?;
            return Ok(kept);
        }
        Err(Error::Conflict)
    }

    /// Takes over what came of a chore, if this run still has the lease; nothing when it has lost it.
    pub async fn settle(&self, id: OrderId, lease: Lease, done: Done) -> Result<Option<Order>, Error> {
        for _ in 0..DECISIONS_MAX {
            let tx = self.database.begin().await?;
            let now = self.clock.now();
            let Some(before) = find(&*tx, id, &Right::Any).await? else {
                return Ok(None);
            };
            let mut order = before.clone();
            let changes = order.settle(done, now);
            let news = events::of_order(&mut order, changes, &self.mailing, now);
            if save(&tx, &before, &mut order, Some(lease), now).await? {
                self.announce(&tx, news).await?;
                tx.commit().await?;
                return Ok(Some(order));
            }
            let held = "SELECT id FROM orders WHERE id = $1 AND lease_owner = $2";
            let holder = [id.as_uuid().into(), lease.owner.into()];
            if query(&*tx, held, holder).await?.is_empty() {
                return Ok(None);
            }
        }
        Err(Error::Conflict)
    }
}

/// The version of a row that this right sees.
pub(super) async fn version(
    on: &impl ConnectionTrait,
    table: &str,
    id: Uuid,
    right: &Right,
) -> Result<Option<i64>, DbErr> {
    let (may_see, values) = right.condition(2);
    let sql = format!("SELECT version FROM {table} WHERE id = $1 AND {may_see}");
    let rows = query(on, &sql, std::iter::once(id.into()).chain(values)).await?;
    rows.first().map(|row| row.try_get("", "version")).transpose()
}

pub(super) async fn find(
    on: &impl ConnectionTrait,
    id: OrderId,
    right: &Right,
) -> Result<Option<Order>, DbErr> {
    let (may_see, values) = right.condition(2);
    let sql = format!("SELECT * FROM orders WHERE id = $1 AND {may_see}");
    let values = std::iter::once(id.as_uuid().into()).chain(values);
    let rows = query(on, &sql, values).await?;
    Ok(with_lines(on, rows).await?.pop())
}

/// The same orders with their lines or without.
pub(super) async fn heads(
    on: &impl ConnectionTrait,
    rows: Vec<QueryResult>,
    lines: bool,
) -> Result<Vec<Head>, DbErr> {
    match lines {
        true => Ok(with_lines(on, rows).await?.into_iter().map(Head::from).collect()),
        false => rows.iter().map(entity::head).collect(),
    }
}

/// The orders of some rows, in their order, with the lines of all of them read at once.
pub(super) async fn with_lines(
    on: &impl ConnectionTrait,
    rows: Vec<QueryResult>,
) -> Result<Vec<Order>, DbErr> {
    let mut lines: HashMap<Uuid, Vec<Line>> = HashMap::new();
    let mut ids = Vec::with_capacity(rows.len());
    for row in &rows {
        ids.push(row.try_get::<Uuid>("", "id")?);
    }
    for ids in ids.chunks(IDS_PER_STATEMENT_MAX) {
        let sql = format!(
            "SELECT l.*, o.currency FROM order_lines l JOIN orders o ON o.id = l.order_id \
             WHERE l.order_id IN ({}) ORDER BY l.order_id, l.position",
            placeholders(1, ids.len())
        );
        for row in query(on, &sql, ids.iter().map(|id| Value::from(*id))).await? {
            let (order, line) = entity::line(&row)?;
            lines.entry(order).or_default().push(line);
        }
    }
    let orders =
        rows.iter().zip(ids).map(|(row, id)| entity::order(row, lines.remove(&id).unwrap_or_default()));
    orders.collect()
}

pub(super) async fn insert(tx: &Tx, order: &Order, now: Timestamp) -> Result<(), DbErr> {
    insert_header(tx, order, now).await?;
    let lines = order.lines.iter().enumerate();
    let lines: Vec<(Uuid, usize, &Line)> =
        lines.map(|(position, line)| (order.id.as_uuid(), position, line)).collect();
    insert_lines(tx, &lines).await
}

/// The order without its lines.
pub(super) async fn insert_header(tx: &Tx, order: &Order, now: Timestamp) -> Result<(), DbErr> {
    let sql = "INSERT INTO orders (id, number, checkout, account, token_hash, external_id, origin, state, \
               payment_state, fulfilment_state, currency, total, paid, refunded, refunding, placed, body, \
               version, due) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, \
               $17, $18, $19)";
    let values = [
        order.id.as_uuid().into(),
        order.number.as_str().into(),
        order.checkout.map(|checkout| checkout.as_uuid()).into(),
        order.holder.account.map(|account| account.as_uuid()).into(),
        order.holder.token_hash.clone().into(),
        order.external.as_ref().map(|external| external.id.clone()).into(),
        entity::origin(order.origin).into(),
        entity::order_state(order.state()).into(),
        entity::payment_state(order.payment_state()).into(),
        entity::fulfilment_state(order.fulfilment_state()).into(),
        order.totals.total.currency().as_str().into(),
        order.totals.total.minor_units().into(),
        order.paid.minor_units().into(),
        order.refunded.minor_units().into(),
        order.refunding().into(),
        order.placed.into(),
        entity::order_body(order)?.into(),
        order.version.into(),
        order.due(now).into(),
    ];
    execute(&**tx, sql, values).await.map(drop)
}

/// Writes lines, possibly of many orders, with few statements.
pub(super) async fn insert_lines(tx: &Tx, lines: &[(Uuid, usize, &Line)]) -> Result<(), DbErr> {
    for lines in lines.chunks(ROWS_PER_STATEMENT_MAX) {
        let width = LINE_COLUMNS.len();
        let rows: Vec<String> =
            (0..lines.len()).map(|row| format!("({})", placeholders(1 + row * width, width))).collect();
        let sql = format!("INSERT INTO order_lines ({}) VALUES {}", LINE_COLUMNS.join(", "), rows.join(", "));
        let values = lines.iter().flat_map(|(order, position, line)| line_values(*order, *position, line));
        execute(&**tx, &sql, values).await?;
    }
    Ok(())
}

fn line_values(order: Uuid, position: usize, line: &Line) -> [Value; 17] {
    [
        order.into(),
        i32::try_from(position).unwrap_or(i32::MAX).into(),
        line.sku.clone().into(),
        line.variant.clone().into(),
        line.product.clone().into(),
        line.product_title.clone().into(),
        line.variant_title.clone().into(),
        line.quantity.into(),
        line.unit_price.minor_units().into(),
        line.discount.minor_units().into(),
        line.net.minor_units().into(),
        line.tax.minor_units().into(),
        line.total.minor_units().into(),
        line.tax_rate_ppm.into(),
        line.shipped.into(),
        line.delivered.into(),
        line.returned.into(),
    ]
}

/// Saves what was loaded as `before`; false when somebody else was quicker or has the lease.
pub(super) async fn save(
    tx: &Tx,
    before: &Order,
    order: &mut Order,
    lease: Option<Lease>,
    now: Timestamp,
) -> Result<bool, DbErr> {
    order.version = before.version.saturating_add(1);
    let mut sql = "UPDATE orders SET state = $3, payment_state = $4, fulfilment_state = $5, paid = $6, \
                   refunded = $7, refunding = $8, body = $9, version = $10, due = $11"
        .to_owned();
    let mut values = vec![
        order.id.as_uuid().into(),
        before.version.into(),
        entity::order_state(order.state()).into(),
        entity::payment_state(order.payment_state()).into(),
        entity::fulfilment_state(order.fulfilment_state()).into(),
        order.paid.minor_units().into(),
        order.refunded.minor_units().into(),
        order.refunding().into(),
        entity::order_body(order)?.into(),
        order.version.into(),
        order.due(now).into(),
    ];
    match lease {
        Some(lease) => {
            sql.push_str(", lease_until = $12 WHERE id = $1 AND version = $2 AND lease_owner = $13");
            values.extend([(now + LEASE).into(), lease.owner.into()]);
        }
        None => sql.push_str(" WHERE id = $1 AND version = $2"),
    }
    if execute(&**tx, &sql, values).await? == 0 {
        return Ok(false);
    }
    write_progress(tx, before, order).await?;
    Ok(true)
}

/// Writes how far each line has come since `before`.
async fn write_progress(tx: &Tx, before: &Order, order: &Order) -> Result<(), DbErr> {
    let lines = order.lines.iter().zip(&before.lines).enumerate();
    let changed: Vec<(usize, &Line)> =
        lines.filter(|(_, (line, was))| line != was).map(|(position, (line, _))| (position, line)).collect();
    for lines in changed.chunks(ROWS_PER_STATEMENT_MAX) {
        let sql = format!(
            "WITH q (position, shipped, delivered, returned) AS (VALUES {}) \
             UPDATE order_lines SET shipped = q.shipped, delivered = q.delivered, returned = q.returned FROM q \
             WHERE order_lines.order_id = ${} AND order_lines.position = q.position",
            tuples(tx.get_database_backend(), lines.len(), &["integer", "bigint", "bigint", "bigint"]),
            lines.len() * 4 + 1
        );
        let of = |(position, line): &(usize, &Line)| -> [Value; 4] {
            [
                i32::try_from(*position).unwrap_or(i32::MAX).into(),
                line.shipped.into(),
                line.delivered.into(),
                line.returned.into(),
            ]
        };
        let values = lines.iter().flat_map(of).chain(std::iter::once(order.id.as_uuid().into()));
        execute(tx, &sql, values).await?;
    }
    Ok(())
}

pub(super) fn placeholders(first: usize, count: usize) -> String {
    let names: Vec<String> = (first..first + count).map(|number| format!("${number}")).collect();
    names.join(", ")
}
