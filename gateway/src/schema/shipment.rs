//! What was sent, and what comes back.

use async_graphql::{ID, Object};
use proto::orders as pb;

use crate::error::Fault;
use crate::ids::{self, Kind};
use crate::schema::choice;
use crate::schema::order::{LineQuantity, Order};
use crate::schema::status::ReturnStatus;
use crate::schema::time;

const SERVICE: &str = "orders";

/// Something that was sent.
pub(crate) struct Shipment<'a> {
    wire: &'a pb::Shipment,
    order: &'a Order,
}

impl<'a> Shipment<'a> {
    pub(crate) fn of(wire: &'a pb::Shipment, order: &'a Order) -> Self {
        Self { wire, order }
    }
}

/// Something that was sent.
#[Object]
impl Shipment<'_> {
    /// Opaque id.
    fn id(&self) -> ID {
        ids::encode(Kind::Shipment, &self.wire.id)
    }

    /// What is in it.
    fn lines(&self) -> Vec<LineQuantity<'_>> {
        self.order.counts(&self.wire.lines)
    }

    /// Who carries it; may be empty.
    fn carrier(&self) -> &str {
        &self.wire.carrier
    }

    /// The carrier's number; may be empty.
    fn tracking_number(&self) -> &str {
        &self.wire.tracking_number
    }

    /// When it was sent.
    fn shipped_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.wire.ship_time.as_ref())
    }

    /// When it arrived; null before.
    fn delivered_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.wire.deliver_time.as_ref())
    }
}

/// Something that the buyer sends back.
pub(crate) struct OrderReturn<'a> {
    wire: &'a pb::Return,
    order: &'a Order,
}

impl<'a> OrderReturn<'a> {
    pub(crate) fn of(wire: &'a pb::Return, order: &'a Order) -> Self {
        Self { wire, order }
    }
}

/// Something that the buyer sends back.
#[Object]
impl OrderReturn<'_> {
    /// Opaque id.
    fn id(&self) -> ID {
        ids::encode(Kind::Return, &self.wire.id)
    }

    /// Where it stands.
    fn status(&self) -> Result<ReturnStatus, Fault> {
        choice::promised(SERVICE, "RETURN_STATE_", self.wire.state().as_str_name())
    }

    /// What comes back.
    fn lines(&self) -> Vec<LineQuantity<'_>> {
        self.order.counts(&self.wire.lines)
    }

    /// The buyer's words.
    fn reason(&self) -> &str {
        &self.wire.reason
    }

    /// The staff's words when it was rejected.
    fn rejection(&self) -> &str {
        &self.wire.rejection
    }

    /// When the buyer asked.
    fn requested_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.wire.request_time.as_ref())
    }

    /// When the goods came; null before.
    fn received_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.wire.receive_time.as_ref())
    }
}
