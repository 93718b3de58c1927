//! What search listens to. Every event only names a product or SKU to be looked at again, so twice or out of order does no
//! harm; what may have been missed is found by comparing everything.

use kit::outbox::Event;
use kit::{BoxError, Reader};
use proto::{catalogue, inventory, reviews};

use crate::app::Index;

/// The name of the reader.
const READER: &str = "search";

const KINDS: &[&str] = &[
    "product.created",
    "product.updated",
    "product.archived",
    "review.published",
    "review.withdrawn",
    "stock.changed",
];

/// Notes what may have changed. Each process has an index of its own, so each hears everything.
pub fn reader(index: Index) -> Reader {
    let feed = index.feed.clone();
    let reader = Reader::everywhere(READER, KINDS, move |event| {
        let noted = note(&index, &event);
        async move { noted }
    });
    reader.when_missed(move || {
        feed.everything();
        async {}
    })
}

fn note(index: &Index, event: &Event) -> Result<(), BoxError> {
    match event.kind.as_str() {
        "product.created" => {
            index.feed.product(event.decode::<catalogue::ProductCreated>()?.product_id.parse()?);
        }
        "product.updated" => {
            index.feed.product(event.decode::<catalogue::ProductUpdated>()?.product_id.parse()?);
        }
        "product.archived" => {
            index.feed.product(event.decode::<catalogue::ProductArchived>()?.product_id.parse()?);
        }
        "review.published" => {
            index.feed.product(event.decode::<reviews::ReviewPublished>()?.product_id.parse()?);
        }
        "review.withdrawn" => {
            index.feed.product(event.decode::<reviews::ReviewWithdrawn>()?.product_id.parse()?);
        }
        "stock.changed" => {
            let stock: inventory::StockChanged = event.decode()?;
            index.feed.stock(stock.sku, stock.available > 0);
        }
        _ => {}
    }
    Ok(())
}
