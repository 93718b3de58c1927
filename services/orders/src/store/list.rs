//! Lists of orders, newest first.

use chrono::DateTime;
use kit::{Currency, Cursor, Listed, Money, Page, PageError, Timestamp, query};
use sea_orm::{DbErr, Value};
use uuid::Uuid;

use super::orders::heads;
use super::{Store, entity};
use crate::domain::{FulfilmentState, Head, OrderState, Origin, PaymentState};
use crate::error::Error;

/// Which orders are listed; all that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub account: Option<Uuid>,
    pub state: Option<OrderState>,
    pub payment_state: Option<PaymentState>,
    pub fulfilment_state: Option<FulfilmentState>,
    pub origin: Option<Origin>,
    pub placed_min: Option<Timestamp>,
    pub placed_max: Option<Timestamp>,
}

/// How many orders a filter finds, and what they add up to in each currency.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sum {
    pub count: i64,
    pub amounts: Vec<Money>,
}

struct Condition {
    sql: String,
    values: Vec<Value>,
}

impl Store {
    pub async fn page(&self, filter: &Filter, page: &Page, lines: bool) -> Result<Listed<Head>, Error> {
        let mut condition = filter.condition();
        if let Some(after) = &page.after {
            let (placed, id) = last_seen(after)?;
            // Two plain comparisons, which both stores answer from the index.
            condition.and(
                &["placed <= $", " AND (placed < $", " OR id < $", ")"],
                [placed.into(), placed.into(), id.into()],
            );
        }
        let limit = i64::try_from(page.fetch_limit()).unwrap_or(i64::MAX);
        let Condition { sql, mut values } = condition;
        values.push(limit.into());
        let sql =
            format!("SELECT * FROM orders WHERE {sql} ORDER BY placed DESC, id DESC LIMIT ${}", values.len());
        let rows = query(self.database.read(), &sql, values).await?;
        let heads = heads(self.database.read(), rows, lines).await?;
        Ok(page.listed(heads, |Head { order, .. }| {
            vec![order.placed.timestamp_micros().to_string(), order.id.to_string()]
        }))
    }

    pub async fn sum(&self, filter: &Filter) -> Result<Sum, Error> {
        let Condition { sql, values } = filter.condition();
        let sql = format!(
            "SELECT currency, COUNT(*) AS orders, CAST(SUM(total) AS bigint) AS amount FROM orders \
             WHERE {sql} GROUP BY currency ORDER BY currency"
        );
        let mut sum = Sum::default();
        for row in query(self.database.read(), &sql, values).await? {
            let currency: String = row.try_get("", "currency").map_err(Error::Storage)?;
            let currency: Currency =
                currency.parse().map_err(|_| DbErr::Type("a currency that is none".into()))?;
            sum.count += row.try_get::<i64>("", "orders")?;
            sum.amounts.push(Money::new(currency, row.try_get("", "amount")?));
        }
        Ok(sum)
    }
}

impl Filter {
    fn condition(&self) -> Condition {
        let mut condition = Condition { sql: "1 = 1".into(), values: Vec::new() };
        let texts = [
            ("state = $", self.state.map(entity::order_state)),
            ("payment_state = $", self.payment_state.map(entity::payment_state)),
            ("fulfilment_state = $", self.fulfilment_state.map(entity::fulfilment_state)),
            ("origin = $", self.origin.map(entity::origin)),
        ];
        for (sql, value) in texts {
            if let Some(value) = value {
                condition.and(&[sql, ""], [value.into()]);
            }
        }
        if let Some(account) = self.account {
            condition.and(&["account = $", ""], [account.into()]);
        }
        if let Some(min) = self.placed_min {
            condition.and(&["placed >= $", ""], [min.into()]);
        }
        if let Some(max) = self.placed_max {
            condition.and(&["placed < $", ""], [max.into()]);
        }
        condition
    }
}

impl Condition {
    /// Adds a condition in pieces: after each piece but the last stands the number of the next value.
    fn and<const N: usize>(&mut self, pieces: &[&str], values: [Value; N]) {
        self.sql.push_str(" AND ");
        let mut values = values.into_iter();
        for piece in pieces {
            self.sql.push_str(piece);
            if let Some(value) = values.next() {
                self.values.push(value);
                self.sql.push_str(&self.values.len().to_string());
            }
        }
    }
}

fn last_seen(cursor: &Cursor) -> Result<(Timestamp, Uuid), PageError> {
    let [placed, id] = cursor.as_slice() else {
        return Err(PageError::Token);
    };
    let placed = placed.parse().ok().and_then(DateTime::from_timestamp_micros);
    let id = Uuid::try_parse(id).ok();
    placed.zip(id).ok_or(PageError::Token)
}
