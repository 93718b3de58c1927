//! What inventory tells: `stock.changed`, once for each row that changes.

use kit::outbox::Event;
use observability::propagation;
use proto::inventory as pb;

use crate::domain::{Figures, Stock, default_location};

/// The subject is the SKU, in another place than the default one with that place behind it: versions count per row.
pub fn stock_changed(stock: &Stock, before: Figures) -> Event {
    let Figures { received, available, reserved, sold } = stock.figures;
    let payload = pb::StockChanged {
        sku: stock.sku.clone(),
        available,
        reserved,
        sold,
        received,
        back_in_stock: before.available == 0 && available > 0,
    };
    let subject = match stock.location {
        Some(place) if place != default_location() => format!("{}@{place}", stock.sku),
        _ => stock.sku.clone(),
    };
    Event::new("stock.changed", subject, stock.version, stock.updated, &payload)
        .caused_by(propagation::traceparent())
}
