//! Rows, and how they turn into checkouts and orders.

use kit::{Currency, Money};
use sea_orm::{DbErr, QueryResult};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::{
    Checkout, CheckoutState, FulfilmentState, Head, Line, Order, OrderState, Origin, PaymentState,
};

/// What a row keeps beside the columns that statements look for.
pub struct Parts {
    /// The thing itself.
    pub body: String,
    /// The part of it that rarely changes or has a table of its own.
    pub apart: String,
}

/// A checkout in two columns: its quote may be long and does not change while it is bought.
pub fn checkout_parts(checkout: &Checkout) -> Result<Parts, DbErr> {
    parts(checkout, "quote")
}

pub fn checkout(row: &QueryResult) -> Result<Checkout, DbErr> {
    let quote: String = row.try_get("", "quote")?;
    let checkout: Checkout = joined(row, "quote", json(&quote)?)?;
    Ok(Checkout { version: row.try_get("", "version")?, ..checkout })
}

/// An order without its lines, which are rows.
pub fn order_body(order: &Order) -> Result<String, DbErr> {
    Ok(parts(order, "lines")?.body)
}

pub fn order(row: &QueryResult, lines: Vec<Line>) -> Result<Order, DbErr> {
    let order: Order = joined(row, "lines", Value::Array(Vec::new()))?;
    Ok(Order { lines, version: row.try_get("", "version")?, ..order })
}

/// An order whose lines stay where they are.
pub fn head(row: &QueryResult) -> Result<Head, DbErr> {
    Ok(Head {
        order: order(row, Vec::new())?,
        state: named(row, "state", OrderState::ALL, order_state)?,
        fulfilment_state: named(row, "fulfilment_state", FulfilmentState::ALL, fulfilment_state)?,
    })
}

/// The value of a column that holds the name of one of these.
fn named<T: Copy, const N: usize>(
    row: &QueryResult,
    column: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<T, DbErr> {
    let text: String = row.try_get("", column)?;
    let found = all.into_iter().find(|one| name(*one) == text);
    found.ok_or_else(|| DbErr::Type(format!("the {column} of an order is none")))
}

/// The order that a line belongs to, and the line.
pub fn line(row: &QueryResult) -> Result<(Uuid, Line), DbErr> {
    let order: Uuid = row.try_get("", "order_id")?;
    let position: i32 = row.try_get("", "position")?;
    let currency: Currency = row
        .try_get::<String>("", "currency")?
        .parse()
        .map_err(|_| DbErr::Type("a currency that is none".into()))?;
    let money = |column: &str| Ok::<_, DbErr>(Money::new(currency, row.try_get("", column)?));
    let line = Line {
        id: Line::id_at(kit::Id::from_uuid(order), usize::try_from(position).unwrap_or_default()),
        variant: row.try_get("", "variant")?,
        product: row.try_get("", "product")?,
        sku: row.try_get("", "sku")?,
        product_title: row.try_get("", "product_title")?,
        variant_title: row.try_get("", "variant_title")?,
        quantity: row.try_get("", "quantity")?,
        unit_price: money("unit_price")?,
        discount: money("discount")?,
        net: money("net")?,
        tax: money("tax")?,
        total: money("total")?,
        tax_rate_ppm: row.try_get("", "tax_rate_ppm")?,
        shipped: row.try_get("", "shipped")?,
        delivered: row.try_get("", "delivered")?,
        returned: row.try_get("", "returned")?,
    };
    Ok((order, line))
}

fn parts<T: Serialize>(thing: &T, apart: &str) -> Result<Parts, DbErr> {
    let mut value = serde_json::to_value(thing).map_err(malformed)?;
    let apart = value.as_object_mut().and_then(|fields| fields.remove(apart)).unwrap_or_default();
    Ok(Parts { body: value.to_string(), apart: apart.to_string() })
}

fn joined<T: DeserializeOwned>(row: &QueryResult, name: &str, apart: Value) -> Result<T, DbErr> {
    let body: String = row.try_get("", "body")?;
    let mut value = json(&body)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert(name.to_owned(), apart);
    }
    serde_json::from_value(value).map_err(malformed)
}

fn json(text: &str) -> Result<Value, DbErr> {
    serde_json::from_str(text).map_err(malformed)
}

/// A body that cannot be read means that somebody else wrote the table.
fn malformed(error: serde_json::Error) -> DbErr {
    DbErr::Json(error.to_string())
}

pub fn checkout_state(state: CheckoutState) -> &'static str {
    match state {
        CheckoutState::Ready => "Ready",
        CheckoutState::Processing => "Processing",
        CheckoutState::ActionRequired => "ActionRequired",
        CheckoutState::PaymentPending => "PaymentPending",
        CheckoutState::Completed => "Completed",
        CheckoutState::Failed => "Failed",
    }
}

pub fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Checkout => "Checkout",
        Origin::Imported => "Imported",
    }
}

pub fn order_state(state: OrderState) -> &'static str {
    match state {
        OrderState::Open => "Open",
        OrderState::Cancelled => "Cancelled",
        OrderState::Closed => "Closed",
    }
}

pub fn payment_state(state: PaymentState) -> &'static str {
    match state {
        PaymentState::NotRequired => "NotRequired",
        PaymentState::Authorized => "Authorized",
        PaymentState::Paid => "Paid",
        PaymentState::PartiallyRefunded => "PartiallyRefunded",
        PaymentState::Refunded => "Refunded",
        PaymentState::Voided => "Voided",
    }
}

pub fn fulfilment_state(state: FulfilmentState) -> &'static str {
    match state {
        FulfilmentState::Unfulfilled => "Unfulfilled",
        FulfilmentState::PartiallyShipped => "PartiallyShipped",
        FulfilmentState::Shipped => "Shipped",
        FulfilmentState::PartiallyDelivered => "PartiallyDelivered",
        FulfilmentState::Delivered => "Delivered",
        FulfilmentState::PartiallyReturned => "PartiallyReturned",
        FulfilmentState::Returned => "Returned",
    }
}
