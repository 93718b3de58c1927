//! News of payments: a webhook may settle what a checkout or an order waits for.

use kit::{BoxError, Id, Reader, outbox};
use proto::payments as pb;
use tracing::Instrument;

use super::Orders;
use crate::domain::CheckoutId;
use crate::store::Leased;

const READER: &str = "orders.payments";
const KINDS: &[&str] =
    &["payment.authorized", "payment.declined", "payment.captured", "payment.voided", "payment.refunded"];

/// Wakes whoever waits for a payment. The news itself decides nothing: what wakes up asks payments.
pub fn reader(orders: &Orders) -> Reader {
    let orders = orders.clone();
    Reader::new(READER, KINDS, move |event| {
        let orders = orders.clone();
        async move { apply(&orders, event).await }
    })
}

async fn apply(orders: &Orders, event: outbox::Event) -> Result<(), BoxError> {
    let checkout_id = match event.kind.as_str() {
        "payment.authorized" => event.decode::<pb::PaymentAuthorized>()?.checkout_id,
        "payment.declined" => event.decode::<pb::PaymentDeclined>()?.checkout_id,
        "payment.captured" => event.decode::<pb::PaymentCaptured>()?.checkout_id,
        "payment.voided" => event.decode::<pb::PaymentVoided>()?.checkout_id,
        _ => event.decode::<pb::PaymentRefunded>()?.checkout_id,
    };
    let Ok(checkout) = checkout_id.parse::<CheckoutId>() else {
        // A payment for something else than a checkout of ours is nobody's news here.
        return Ok(());
    };
    let store = &orders.store;
    if store.wake(READER, Id::from_uuid(event.id.as_uuid()), checkout).await? {
        // Not awaited: the relay has other news to carry, and the recoverer finishes what is cut off.
        let runner = orders.runner().clone();
        let order = store.order_of(checkout).await?;
        let run = async move {
            runner.run(Leased::Checkout(checkout.as_uuid())).await;
            if let Some(order) = order {
                runner.run(Leased::Order(order.as_uuid())).await;
            }
        };
        tokio::spawn(run.in_current_span());
    }
    Ok(())
}
