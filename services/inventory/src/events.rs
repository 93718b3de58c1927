//! What inventory tells: `stock.changed`, once for each row that changes.

use kit::outbox::Event;
use observability::propagation;
use proto::inventory as pb;

use crate::domain::Figures;
use crate::store::entity::{StockRow, default_location};

/// The subject is the SKU, in another place than the default one with that place behind it: versions count per row.
pub fn stock_changed(row: &StockRow, before: Figures) -> Event {
    let payload = pb::StockChanged {
        sku: row.sku.clone(),
        available: row.available,
        reserved: row.reserved,
        sold: row.sold,
        received: row.received,
        back_in_stock: before.available == 0 && row.available > 0,
    };
    let subject = match row.location_id {
        Some(place) if place != default_location().as_uuid() => format!("{}@{place}", row.sku),
        _ => row.sku.clone(),
    };
    Event::new("stock.changed", subject, row.version, row.updated, &payload)
        .caused_by(propagation::traceparent())
}
