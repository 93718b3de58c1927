//! What analytics listens to. It has no news of its own.

use std::collections::BTreeMap;

use kit::{BoxError, Currency, Money, Reader, outbox, time};
use proto::cart as cart_pb;
use proto::catalogue as catalogue_pb;
use proto::common as common_pb;
use proto::orders as orders_pb;
use proto::payments as payments_pb;

use crate::domain::{AMOUNT_MAX, CartStep, Day, Goods, Learned, PaymentNews, ProductId, Sale, UNITS_MAX};
use crate::store::Store;

/// The name of the reader; renaming it would make it read everything again.
pub const READER: &str = "analytics";

const KINDS: &[&str] = &[
    "order.placed",
    "order.cancelled",
    "order.refunded",
    "order.checkout_started",
    "order.checkout_completed",
    "payment.authorized",
    "payment.declined",
    "payment.action_required",
    "payment.captured",
    "payment.refunded",
    "cart.created",
    "cart.changed",
    "cart.merged",
    "product.created",
    "product.updated",
];

/// An event that cannot be counted. What is wrong is said without repeating it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Uncountable {
    #[error("the event names no amount")]
    NoAmount,
    #[error("an amount is negative, or more than any order is worth")]
    Amount,
    #[error("the amounts are in several currencies")]
    Currencies,
    #[error("a quantity is not positive, or more than anybody orders")]
    Quantity,
    #[error("the order was placed at no time")]
    Time,
}

/// Turns news into figures.
pub fn reader(store: Store) -> Reader {
    Reader::new(READER, KINDS, move |event| {
        let store = store.clone();
        async move { apply(&store, event).await }
    })
}

async fn apply(store: &Store, event: outbox::Event) -> Result<(), BoxError> {
    match event.kind.split_once('.').unwrap_or_default() {
        ("order", "checkout_started") => apply_checkout(store, event, CartStep::Started).await,
        ("order", "checkout_completed") => apply_checkout(store, event, CartStep::Paid).await,
        ("order", _) => apply_order(store, event).await,
        ("payment", _) => apply_payment(store, event).await,
        ("cart", _) => apply_cart(store, event).await,
        _ => apply_product(store, event).await,
    }
}

async fn apply_order(store: &Store, event: outbox::Event) -> Result<(), BoxError> {
    let (order_id, learned, products) = match event.kind.as_str() {
        "order.placed" => {
            let placed: orders_pb::OrderPlaced = event.decode()?;
            let products = placed.lines.iter().filter_map(|line| {
                let product: ProductId = line.product_id.parse().ok()?;
                Some((line.sku.clone(), product))
            });
            let products: Vec<(String, ProductId)> = products.collect();
            (placed.order_id.clone(), Learned::Placed(sale(&placed)?), products)
        }
        "order.cancelled" => {
            let cancelled: orders_pb::OrderCancelled = event.decode()?;
            (cancelled.order_id, Learned::Cancelled, Vec::new())
        }
        _ => {
            let refunded: orders_pb::OrderRefunded = event.decode()?;
            let so_far = amount(refunded.refunded.as_ref())?.minor_units();
            (refunded.order_id, Learned::Refunded(so_far), Vec::new())
        }
    };
    let id = order_id.parse()?;
    store.learn_order(event.id, id, learned, (&products, event.occurred)).await?;
    Ok(())
}

/// The sale, its lines added up by SKU.
fn sale(placed: &orders_pb::OrderPlaced) -> Result<Sale, BoxError> {
    let total = amount(placed.total.as_ref())?;
    let currency = total.currency();
    let untold = |wire: &Option<common_pb::Money>| match wire {
        None => Ok(0),
        told => within(told.as_ref(), currency),
    };
    let mut goods: BTreeMap<String, Goods> = BTreeMap::new();
    for line in &placed.lines {
        let price = within(line.unit_price.as_ref(), currency)?;
        if !(1..=UNITS_MAX).contains(&line.quantity) {
            return Err(Uncountable::Quantity.into());
        }
        let amount = price.checked_mul(line.quantity).filter(|amount| *amount <= AMOUNT_MAX);
        let amount = amount.ok_or(Uncountable::Amount)?;
        let of_sku = goods.entry(line.sku.clone()).or_default();
        *of_sku = of_sku.plus(line.quantity, amount);
    }
    let place_time =
        chrono::DateTime::parse_from_rfc3339(&placed.place_time).map_err(|_| Uncountable::Time)?;
    Ok(Sale {
        day: Day::of(time::truncate(place_time.to_utc())),
        currency,
        country: placed.country.clone(),
        total: total.minor_units(),
        shipping: untold(&placed.shipping)?,
        tax: untold(&placed.tax)?,
        discounts: untold(&placed.discount)?,
        goods,
    })
}

async fn apply_checkout(store: &Store, event: outbox::Event, step: CartStep) -> Result<(), BoxError> {
    let changed: orders_pb::CheckoutChanged = event.decode()?;
    if changed.cart_id.is_empty() {
        // From before this was told.
        return Ok(());
    }
    store.note_cart(event.id, changed.cart_id.parse()?, Day::of(event.occurred), step).await?;
    Ok(())
}

async fn apply_payment(store: &Store, event: outbox::Event) -> Result<(), BoxError> {
    let (payment_id, money, news) = match event.kind.as_str() {
        "payment.authorized" => {
            let told: payments_pb::PaymentAuthorized = event.decode()?;
            (told.payment_id, told.amount, PaymentNews::Authorized)
        }
        "payment.declined" => {
            let told: payments_pb::PaymentDeclined = event.decode()?;
            (told.payment_id, told.amount, PaymentNews::Declined)
        }
        "payment.action_required" => {
            let told: payments_pb::PaymentActionRequired = event.decode()?;
            (told.payment_id, told.amount, PaymentNews::ActionRequired)
        }
        "payment.captured" => {
            let told: payments_pb::PaymentCaptured = event.decode()?;
            let so_far = amount(told.captured.as_ref())?.minor_units();
            (told.payment_id, told.captured, PaymentNews::Captured(so_far))
        }
        _ => {
            let told: payments_pb::PaymentRefunded = event.decode()?;
            let so_far = amount(told.refunded.as_ref())?.minor_units();
            (told.payment_id, told.refunded, PaymentNews::Refunded(so_far))
        }
    };
    // Declines of before did not name their amount.
    let money = money.as_ref().map(|money| amount(Some(money))).transpose()?;
    let learned = (Day::of(event.occurred), money.map(|money| money.currency()), news);
    store.learn_payment(event.id, payment_id.parse()?, learned).await?;
    Ok(())
}

async fn apply_cart(store: &Store, event: outbox::Event) -> Result<(), BoxError> {
    if event.kind == "cart.merged" {
        let merged: cart_pb::CartMerged = event.decode()?;
        store.note_merge(event.id, merged.guest_cart_id.parse()?, merged.cart_id.parse()?).await?;
        return Ok(());
    }
    let (cart_id, added) = match event.kind.as_str() {
        "cart.created" => {
            let created: cart_pb::CartCreated = event.decode()?;
            (created.cart_id, created.added_product_ids)
        }
        _ => {
            let changed: cart_pb::CartChanged = event.decode()?;
            (changed.cart_id, changed.added_product_ids)
        }
    };
    if !added.is_empty() {
        store.note_cart(event.id, cart_id.parse()?, Day::of(event.occurred), CartStep::Added).await?;
    }
    Ok(())
}

async fn apply_product(store: &Store, event: outbox::Event) -> Result<(), BoxError> {
    let (product_id, skus) = match event.kind.as_str() {
        "product.created" => {
            let created: catalogue_pb::ProductCreated = event.decode()?;
            (created.product_id, created.skus)
        }
        _ => {
            let updated: catalogue_pb::ProductUpdated = event.decode()?;
            (updated.product_id, updated.skus)
        }
    };
    let product: ProductId = product_id.parse()?;
    let products: Vec<(String, ProductId)> = skus.into_iter().map(|sku| (sku, product)).collect();
    store.note_products(event.id, &products, event.occurred).await?;
    Ok(())
}

/// An amount that an order can have.
fn amount(wire: Option<&common_pb::Money>) -> Result<Money, BoxError> {
    let money = Money::try_from(wire.ok_or(Uncountable::NoAmount)?)?;
    match (0..=AMOUNT_MAX).contains(&money.minor_units()) {
        true => Ok(money),
        false => Err(Uncountable::Amount.into()),
    }
}

/// Such an amount of a currency, in its minor units.
fn within(wire: Option<&common_pb::Money>, currency: Currency) -> Result<i64, BoxError> {
    let money = amount(wire)?;
    match money.currency() == currency {
        true => Ok(money.minor_units()),
        false => Err(Uncountable::Currencies.into()),
    }
}
