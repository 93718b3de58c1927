//! Stock as it is shown: to staff in full, to everybody else as what can be had.

use async_graphql::{ID, Object};
use proto::inventory as pb;

use crate::error::Fault;
use crate::ids::{self, Kind};
use crate::schema::choice::{self, MovementKind};
use crate::schema::time;

/// Stock of one SKU, for staff.
pub(crate) struct Stock(pub(crate) pb::Stock);

/// Stock of one SKU: available, reserved and sold together are what was received.
#[Object]
impl Stock {
    /// The stock-keeping unit.
    fn sku(&self) -> &str {
        &self.0.sku
    }

    /// What ever came in, less what was written off.
    fn received(&self) -> i64 {
        self.0.received
    }

    /// What can be had.
    fn available(&self) -> i64 {
        self.0.available
    }

    /// What is promised to checkouts.
    fn reserved(&self) -> i64 {
        self.0.reserved
    }

    /// What was sold.
    fn sold(&self) -> i64 {
        self.0.sold
    }

    /// Where it lies; null where the figures are sums over all locations.
    fn location_id(&self) -> Option<ID> {
        let id = &self.0.location_id;
        (!id.is_empty()).then(|| ids::encode(Kind::Location, id))
    }

    /// Grows by one with every change.
    fn version(&self) -> i64 {
        self.0.version
    }

    /// When it last changed.
    fn updated_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.0.update_time.as_ref())
    }

    /// Names this state of the row; give it back to change exactly this state.
    fn etag(&self) -> &str {
        &self.0.etag
    }
}

/// What can be had of one SKU, for everybody.
pub(crate) struct StockLevel(pub(crate) pb::Stock);

/// What can be had of one SKU.
#[Object]
impl StockLevel {
    /// The stock-keeping unit.
    fn sku(&self) -> &str {
        &self.0.sku
    }

    /// How many can be had now.
    fn quantity_available(&self) -> i64 {
        self.0.available
    }

    /// Grows by one with every change.
    fn version(&self) -> i64 {
        self.0.version
    }
}

/// A place where stock lies.
pub(crate) struct Location(pub(crate) pb::Location);

/// A place where stock lies.
#[Object]
impl Location {
    /// Opaque id.
    fn id(&self) -> ID {
        ids::encode(Kind::Location, &self.0.id)
    }

    /// What it is called.
    fn name(&self) -> &str {
        &self.0.display_name
    }

    /// Is it the one that is meant when none is named?
    fn is_default(&self) -> bool {
        self.0.is_default
    }
}

/// One line of the ledger of stock.
pub(crate) struct StockMovement(pub(crate) pb::Movement);

/// One line of the ledger of stock: how much each figure changed, why, and by whom.
#[Object]
impl StockMovement {
    /// Opaque id.
    fn id(&self) -> ID {
        ids::encode(Kind::Movement, &self.0.id)
    }

    /// The stock-keeping unit.
    fn sku(&self) -> &str {
        &self.0.sku
    }

    /// Why stock moved.
    fn kind(&self) -> Result<MovementKind, Fault> {
        choice::promised("inventory", "MOVEMENT_KIND_", self.0.kind().as_str_name())
    }

    /// Change of what was received.
    fn received_delta(&self) -> i64 {
        self.0.received_delta
    }

    /// Change of what can be had.
    fn available_delta(&self) -> i64 {
        self.0.available_delta
    }

    /// Change of what is promised.
    fn reserved_delta(&self) -> i64 {
        self.0.reserved_delta
    }

    /// Change of what was sold.
    fn sold_delta(&self) -> i64 {
        self.0.sold_delta
    }

    /// Who did it: an account, or a service.
    fn actor(&self) -> &str {
        &self.0.actor
    }

    /// The staff's own words, or the checkout it was for.
    fn reason(&self) -> &str {
        &self.0.reason
    }

    /// When.
    fn occurred_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.0.occur_time.as_ref())
    }
}
