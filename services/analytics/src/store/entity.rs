//! Rows, and how they turn into facts and figures.

use std::collections::BTreeMap;

use sea_orm::{DbErr, FromQueryResult, Value};
use uuid::Uuid;

use crate::domain::{Day, Figures, Goods, OrderFact, PaymentFact, Sale};

/// What is known of an order.
#[derive(Clone, Debug, FromQueryResult)]
pub struct OrderRow {
    pub id: Uuid,
    pub day: Option<i32>,
    pub currency: Option<String>,
    pub country: Option<String>,
    pub total: i64,
    pub shipping: i64,
    pub tax: i64,
    pub discounts: i64,
    /// `{"SKU": [units, amount]}`.
    pub goods: String,
    pub cancelled: bool,
    pub refunded: i64,
}

#[derive(Clone, Debug, FromQueryResult)]
pub struct PaymentRow {
    pub id: Uuid,
    pub day: i32,
    pub currency: Option<String>,
    pub authorized: bool,
    pub declined: bool,
    pub captured: i64,
    pub refunded: i64,
}

#[derive(Clone, Copy, Debug, FromQueryResult)]
pub struct FiguresRow {
    pub orders: i64,
    pub units: i64,
    pub revenue: i64,
    pub refunded: i64,
    pub cancelled_orders: i64,
    pub shipping: i64,
    pub tax: i64,
    pub discounts: i64,
}

impl OrderRow {
    pub const COLUMNS: &str =
        "id, day, currency, country, total, shipping, tax, discounts, goods, cancelled, refunded";

    pub fn of(id: Uuid, order: &OrderFact) -> Result<Self, DbErr> {
        let sale = order.sale.as_ref();
        let amount = |of: fn(&Sale) -> i64| sale.map(of).unwrap_or_default();
        let goods: BTreeMap<&str, (i64, i64)> = sale
            .iter()
            .flat_map(|sale| &sale.goods)
            .map(|(sku, goods)| (sku.as_str(), (goods.units, goods.amount)))
            .collect();
        Ok(Self {
            id,
            day: sale.map(|sale| sale.day.number()),
            currency: sale.map(|sale| sale.currency.as_str().to_owned()),
            country: sale.map(|sale| sale.country.clone()),
            total: amount(|sale| sale.total),
            shipping: amount(|sale| sale.shipping),
            tax: amount(|sale| sale.tax),
            discounts: amount(|sale| sale.discounts),
            goods: serde_json::to_string(&goods).map_err(|error| DbErr::Json(error.to_string()))?,
            cancelled: order.cancelled,
            refunded: order.refunded,
        })
    }

    /// In the order of [`COLUMNS`](Self::COLUMNS).
    pub fn values(self) -> [Value; 11] {
        [
            self.id.into(),
            self.day.into(),
            self.currency.into(),
            self.country.into(),
            self.total.into(),
            self.shipping.into(),
            self.tax.into(),
            self.discounts.into(),
            self.goods.into(),
            self.cancelled.into(),
            self.refunded.into(),
        ]
    }

    pub fn order(self) -> Result<OrderFact, DbErr> {
        let sale = match (self.day, &self.currency, &self.country) {
            (Some(day), Some(currency), Some(country)) => Some(self.sale(day, currency, country)?),
            _ => None,
        };
        Ok(OrderFact { sale, cancelled: self.cancelled, refunded: self.refunded })
    }

    fn sale(&self, day: i32, currency: &str, country: &str) -> Result<Sale, DbErr> {
        let malformed = || malformed("order", self.id);
        let goods: BTreeMap<String, (i64, i64)> =
            serde_json::from_str(&self.goods).map_err(|_| malformed())?;
        Ok(Sale {
            day: Day::numbered(day).ok_or_else(malformed)?,
            currency: currency.parse().map_err(|_| malformed())?,
            country: country.to_owned(),
            total: self.total,
            shipping: self.shipping,
            tax: self.tax,
            discounts: self.discounts,
            goods: goods.into_iter().map(|(sku, (units, amount))| (sku, Goods { units, amount })).collect(),
        })
    }
}

impl PaymentRow {
    pub const COLUMNS: &str = "id, day, currency, authorized, declined, captured, refunded";

    pub fn of(id: Uuid, payment: &PaymentFact) -> Self {
        Self {
            id,
            day: payment.day.number(),
            currency: payment.currency.map(|currency| currency.as_str().to_owned()),
            authorized: payment.authorized,
            declined: payment.declined,
            captured: payment.captured,
            refunded: payment.refunded,
        }
    }

    /// In the order of [`COLUMNS`](Self::COLUMNS).
    pub fn values(self) -> [Value; 7] {
        [
            self.id.into(),
            self.day.into(),
            self.currency.into(),
            self.authorized.into(),
            self.declined.into(),
            self.captured.into(),
            self.refunded.into(),
        ]
    }

    pub fn payment(self) -> Result<PaymentFact, DbErr> {
        let malformed = || malformed("payment", self.id);
        let currency = self.currency.as_ref().map(|currency| currency.parse().map_err(|_| malformed()));
        Ok(PaymentFact {
            day: Day::numbered(self.day).ok_or_else(malformed)?,
            currency: currency.transpose()?,
            authorized: self.authorized,
            declined: self.declined,
            captured: self.captured,
            refunded: self.refunded,
        })
    }
}

impl From<FiguresRow> for Figures {
    fn from(row: FiguresRow) -> Self {
        Self {
            orders: row.orders,
            units: row.units,
            revenue: row.revenue,
            refunded: row.refunded,
            cancelled_orders: row.cancelled_orders,
            shipping: row.shipping,
            tax: row.tax,
            discounts: row.discounts,
        }
    }
}

/// Somebody else wrote the table.
fn malformed(what: &str, id: Uuid) -> DbErr {
    DbErr::Type(format!("{what} {id} is malformed"))
}
