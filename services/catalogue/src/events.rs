//! What the catalogue tells: one event per change of a product, its version that of the product. And what it hears of
//! that itself: who changed a product says so to hot products at once, but may have died before.

use kit::outbox::Event;
use kit::{BoxError, Clock, Later, Reader};
use observability::propagation;
use proto::catalogue as pb;

use crate::domain::{Change, State, What};
use crate::store::{HOT_AGE_MAX, Store};

/// The name of the reader, and of its queue.
const READER: &str = "catalogue";

/// The event of a change.
pub fn event(change: &Change) -> Event {
    let product = &change.product;
    let product_id = product.id.to_string();
    let handle = product.content.handle.clone();
    let skus = product.content.skus();
    let category_id = product.content.category.map(|category| category.to_string()).unwrap_or_default();
    let status = pb::ProductStatus::from(product.content.state).into();
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

/// Lets no hot product stay that is older than a change.
pub fn reader(store: Store, clock: Clock) -> Reader {
    Reader::new(READER, &["product.updated", "product.archived"], move |event| {
        let (store, clock) = (store.clone(), clock.clone());
        async move { forget(&store, &clock, &event).await }
    })
}

async fn forget(store: &Store, clock: &Clock, event: &Event) -> Result<(), BoxError> {
    let product = event.subject.parse()?;
    if store.changed(&[(product, event.subject_version)]).await {
        return Ok(());
    }
    // Whatever was read before the change has gone by its age: no queue fills while Redis is away.
    let age = clock.now().signed_duration_since(event.occurred).to_std().unwrap_or_default();
    match age > HOT_AGE_MAX * 2 {
        true => Ok(()),
        false => Err(Later("the Redis of hot products is away".into()).into()),
    }
}

impl From<State> for pb::ProductStatus {
    fn from(state: State) -> Self {
        match state {
            State::Draft => pb::ProductStatus::Draft,
            State::Active => pb::ProductStatus::Active,
            State::Archived => pb::ProductStatus::Archived,
        }
    }
}
