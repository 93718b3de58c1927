//! What recommendations listens to. It has no news of its own.

use kit::outbox::Event;
use kit::time;
use kit::{BoxError, Id, Reader, Timestamp};
use proto::catalogue::ProductStatus;
use proto::{catalogue as catalogue_pb, identity as identity_pb, orders as orders_pb};
use uuid::Uuid;

use crate::domain::{Bought, CategoryId, CustomerId, ItemId, Listing, Order};
use crate::store::Store;

/// The name of the reader; renaming it would make it read everything again.
pub const READER: &str = "recommendations";

const KINDS: &[&str] =
    &["order.placed", "product.created", "product.updated", "product.archived", "account.erased"];

/// Of items that stand for a SKU, and of customers of imported histories. Fixed, so that the same name is always the same id.
const SKUS: Uuid = Uuid::from_u128(0x3a5e_6f0c_9d41_4c7b_8e52_1f6a_d0c8_7b13);
const CUSTOMERS: Uuid = Uuid::from_u128(0x91c4_0b7d_25ae_4f38_a6d9_e87c_430f_5b26);

/// The customer whom an imported history calls so. His name is not kept.
pub fn external_customer(name: &str) -> CustomerId {
    Id::from_uuid(Uuid::new_v5(&CUSTOMERS, name.as_bytes()))
}

/// Learns from orders, and hears what is offered and who is to be forgotten.
pub fn reader(store: Store) -> Reader {
    Reader::new(READER, KINDS, move |event| {
        let store = store.clone();
        async move { apply(&store, event).await }
    })
}

async fn apply(store: &Store, event: Event) -> Result<(), BoxError> {
    match event.kind.as_str() {
        "order.placed" => {
            let placed: orders_pb::OrderPlaced = event.decode()?;
            store.learn(READER, event.id, &order(&placed, event.occurred)?).await?;
        }
        "product.created" => {
            let it: catalogue_pb::ProductCreated = event.decode()?;
            let listing = listing(&event, &it.product_id, &it.category_id, it.status(), &it.skus)?;
            store.note_listing(READER, event.id, &listing).await?;
        }
        "product.updated" => {
            let it: catalogue_pb::ProductUpdated = event.decode()?;
            let listing = listing(&event, &it.product_id, &it.category_id, it.status(), &it.skus)?;
            store.note_listing(READER, event.id, &listing).await?;
        }
        "product.archived" => {
            let it: catalogue_pb::ProductArchived = event.decode()?;
            let listing = listing(&event, &it.product_id, "", ProductStatus::Archived, &it.skus)?;
            store.note_listing(READER, event.id, &listing).await?;
        }
        "account.erased" => {
            let erased: identity_pb::AccountErased = event.decode()?;
            store.forget(READER, event.id, erased.account_id.parse()?).await?;
        }
        _ => {}
    }
    Ok(())
}

/// An order of this shop names an account or nobody; an imported one may have a name of its own for its customer. No order
/// is from the future: an import may say so, and would sell best for ever.
fn order(placed: &orders_pb::OrderPlaced, occurred: Timestamp) -> Result<Order, BoxError> {
    let customer = match (placed.account_id.as_str(), placed.external_customer.as_str()) {
        ("", "") => None,
        ("", name) => Some(external_customer(name)),
        (account, _) => Some(account.parse()?),
    };
    let at = match placed.place_time.as_str() {
        "" => occurred,
        at => chrono::DateTime::parse_from_rfc3339(at)?.to_utc().min(occurred),
    };
    let bought = placed.lines.iter().map(bought).collect::<Result<Vec<Bought>, BoxError>>()?;
    Ok(Order { customer, bought, placed: time::truncate(at) })
}

fn bought(line: &orders_pb::EventLine) -> Result<Bought, BoxError> {
    let product = (!line.product_id.is_empty()).then(|| line.product_id.parse()).transpose()?;
    Ok(Bought { product, sku: (!line.sku.is_empty()).then(|| item(&line.sku)) })
}

/// The item that stands for a SKU.
fn item(sku: &str) -> ItemId {
    Id::from_uuid(Uuid::new_v5(&SKUS, sku.as_bytes()))
}

/// What a product's event says. One from before events told the status is of a product that is offered, as far as is known.
fn listing(
    event: &Event,
    product: &str,
    category: &str,
    status: ProductStatus,
    skus: &[String],
) -> Result<Listing, BoxError> {
    let category: Option<CategoryId> = (!category.is_empty()).then(|| category.parse()).transpose()?;
    Ok(Listing {
        product: product.parse()?,
        category,
        offered: matches!(status, ProductStatus::Active | ProductStatus::Unspecified),
        skus: skus.iter().map(|sku| item(sku)).collect(),
        version: event.subject_version,
        occurred: event.occurred,
    })
}
