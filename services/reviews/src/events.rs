//! What reviews tells (`review.*`) and what it listens to (`order.delivered`, `account.erased`).

use kit::outbox;
use kit::{BoxError, Reader};
use observability::propagation;
use proto::identity as identity_pb;
use proto::orders as orders_pb;
use proto::reviews as pb;

use crate::domain::{Event, ProductId, Review, Summary};
use crate::store::Store;

/// The name of the reader; renaming it would make it read everything again.
pub const READER: &str = "reviews";

/// An event as the outbox takes it, its subject the review, with the summary of the product after it.
pub fn news(review: &Review, event: Event, version: i64, summary: Option<Summary>) -> outbox::Event {
    let review_id = review.id.to_string();
    let product_id = review.product.to_string();
    let rating = review.opinion.rating.stars().into();
    let summary = summary.unwrap_or_default();
    let (review_count, rating_sum) = (summary.count(), summary.rating_sum());
    let at = review.updated;
    match event {
        Event::Submitted => {
            let payload = pb::ReviewSubmitted { review_id, product_id, rating };
            outbox::Event::new("review.submitted", review.id, version, at, &payload)
        }
        Event::Published => {
            let payload = pb::ReviewPublished { review_id, product_id, rating, review_count, rating_sum };
            outbox::Event::new("review.published", review.id, version, at, &payload)
        }
        Event::Withdrawn => {
            let payload = pb::ReviewWithdrawn { review_id, product_id, review_count, rating_sum };
            outbox::Event::new("review.withdrawn", review.id, version, at, &payload)
        }
    }
    .caused_by(propagation::traceparent())
}

/// Learns from deliveries who has bought what, and forgets whoever is erased.
pub fn reader(store: Store) -> Reader {
    Reader::new(READER, &["order.delivered", "account.erased"], move |event| {
        let store = store.clone();
        async move {
            match event.kind.as_str() {
                "account.erased" => forget(&store, event).await,
                _ => note(&store, event).await,
            }
        }
    })
}

async fn forget(store: &Store, event: outbox::Event) -> Result<(), BoxError> {
    let erased: identity_pb::AccountErased = event.decode()?;
    Ok(store.forget(READER, event.id, erased.account_id.parse()?).await?)
}

async fn note(store: &Store, event: outbox::Event) -> Result<(), BoxError> {
    let delivered: orders_pb::OrderDelivered = event.decode()?;
    if delivered.account_id.is_empty() {
        // A guest's order: there is no account that could review.
        return Ok(());
    }
    let lines = delivered.lines.iter();
    let products = lines.map(|line| line.product_id.parse()).collect::<Result<Vec<ProductId>, _>>()?;
    let account = delivered.account_id.parse()?;
    store.note_purchases(READER, event.id, account, &products).await?;
    Ok(())
}
