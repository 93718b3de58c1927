//! News of payments: a webhook may settle what a checkout or an order waits for. News of accounts: who is to be forgotten.

use kit::{BoxError, Reader, outbox};
use proto::identity as identity_pb;
use proto::payments as pb;
use tracing::Instrument;

use super::Orders;
use crate::domain::{AccountId, CheckoutId};
use crate::store::Leased;

const READER: &str = "orders.payments";
const ACCOUNTS: &str = "orders.accounts";
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

/// Forgets whoever is erased. What that leaves to be done, such as a refund, the recoverer finds.
pub fn accounts(orders: &Orders) -> Reader {
    let store = orders.store.clone();
    Reader::new(ACCOUNTS, &["account.erased"], move |event| {
        let store = store.clone();
        async move {
            let erased: identity_pb::AccountErased = event.decode()?;
            let account: AccountId = erased.account_id.parse()?;
            Ok(store.forget(ACCOUNTS, event.id, account).await?)
        }
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
    if store.wake(READER, event.id, checkout).await? {
        // Not awaited: the relay has other news to carry, and the recoverer finishes what is cut off.
        let runner = orders.runner().clone();
        let order = store.order_of(checkout).await?;
        let run = async move {
            runner.run_woken(Leased::Checkout(checkout.as_uuid())).await;
            if let Some(order) = order {
                runner.run_woken(Leased::Order(order.as_uuid())).await;
            }
        };
        tokio::spawn(run.in_current_span());
    }
    Ok(())
}
