//! What cart tells: `cart.created`, `cart.changed`, `cart.merged`, `cart.cleared`. What it listens to: `account.erased`.

use kit::outbox;
use kit::{BoxError, Later, Reader};
use observability::propagation;
use prost::Message;
use proto::cart as pb;
use proto::identity as identity_pb;

use crate::domain::{Cart, Event};
use crate::error::Error;
use crate::store::Store;

/// The name of the reader; renaming it would make it read everything again.
const READER: &str = "cart";

/// Forgets whoever is erased.
pub fn reader(store: Store) -> Reader {
    Reader::new(READER, &["account.erased"], move |event| {
        let store = store.clone();
        async move { apply(&store, event).await }
    })
}

async fn apply(store: &Store, event: outbox::Event) -> Result<(), BoxError> {
    let erased: identity_pb::AccountErased = event.decode()?;
    store.forget(READER, event.id, erased.account_id.parse()?).await.map_err(|error| match error {
        // Redis is away, or the cart never rests. That is no fault of the event, and nobody's cart may stay for it.
        Error::Redis(_) | Error::Outrun => Later(error.into()).into(),
        error => error.into(),
    })
}

/// The same event as a message, for an outbox that is no table.
pub fn encoded(cart: &Cart, event: Event) -> Vec<u8> {
    proto::common::Event::from(&news(cart, event)).encode_to_vec()
}

/// An event as the outbox takes it: its subject is the cart, its version the one that the change made.
pub fn news(cart: &Cart, event: Event) -> outbox::Event {
    let cart_id = cart.id.to_string();
    let (version, at) = (cart.version, cart.updated);
    match event {
        Event::Created => {
            let products = cart.lines.iter().map(|line| line.product.to_string());
            let mut added_product_ids: Vec<String> = products.collect();
            added_product_ids.sort_unstable();
            added_product_ids.dedup();
            let payload = pb::CartCreated { cart_id, guest: cart.account.is_none(), added_product_ids };
            outbox::Event::new("cart.created", cart.id, version, at, &payload)
        }
        Event::Changed { added } => {
            let payload = pb::CartChanged {
                cart_id,
                line_count: i64::try_from(cart.lines.len()).unwrap_or(i64::MAX),
                unit_count: cart.lines.iter().map(|line| line.quantity).sum(),
                added_product_ids: added.iter().map(ToString::to_string).collect(),
            };
            outbox::Event::new("cart.changed", cart.id, version, at, &payload)
        }
        Event::Merged { guest } => {
            let payload = pb::CartMerged { cart_id, guest_cart_id: guest.to_string() };
            outbox::Event::new("cart.merged", cart.id, version, at, &payload)
        }
        Event::Cleared => {
            let payload = pb::CartCleared { cart_id };
            outbox::Event::new("cart.cleared", cart.id, version, at, &payload)
        }
    }
    .caused_by(propagation::traceparent())
}
