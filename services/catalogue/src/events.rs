//! What the catalogue tells: one event per change of a product, its version that of the product.

use kit::outbox::Event;
use observability::propagation;
use proto::catalogue as pb;

use crate::domain::{Change, State, What};

/// The event of a change.
pub fn event(change: &Change) -> Event {
    let product = &change.product;
    let product_id = product.id.to_string();
    let handle = product.content.handle.clone();
    let skus = product.content.skus();
    let category_id = product.content.category.map(|category| category.to_string()).unwrap_or_default();
    let status = status(product.content.state).into();
    let (kind, payload) = match &change.what {
        What::Created => {
            let payload = pb::ProductCreated { product_id, handle, skus, category_id, status };
            ("product.created", prost::Message::encode_to_vec(&payload))
        }
        What::Updated(paths) => {
            let payload = pb::ProductUpdated {
                product_id,
                handle,
                skus,
                paths: paths.iter().map(ToString::to_string).collect(),
                category_id,
                status,
            };
            ("product.updated", prost::Message::encode_to_vec(&payload))
        }
        What::Archived => {
            let payload = pb::ProductArchived { product_id, handle, skus };
            ("product.archived", prost::Message::encode_to_vec(&payload))
        }
    };
    let empty = Event::new(kind, product.id, product.version, product.updated, &());
    Event { payload, ..empty }.caused_by(propagation::traceparent())
}

fn status(state: State) -> pb::ProductStatus {
    match state {
        State::Draft => pb::ProductStatus::Draft,
        State::Active => pb::ProductStatus::Active,
        State::Archived => pb::ProductStatus::Archived,
    }
}
