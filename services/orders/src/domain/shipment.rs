//! Parcels: lines leave in one or several, and arrive.

use kit::{Id, Timestamp};
use serde::{Deserialize, Serialize};

use super::line::LineId;
use super::order::{Order, OrderEvent, OrderState};
use super::payment::PaymentState;
use super::refusal::Refusal;

pub type ShipmentId = Id<Shipment>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shipment {
    pub id: ShipmentId,
    pub lines: Vec<LineCount>,
    pub carrier: String,
    pub tracking_number: String,
    pub shipped: Timestamp,
    pub delivered: Option<Timestamp>,
}

/// So many of one line; above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineCount {
    pub line: LineId,
    pub quantity: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FulfilmentState {
    Unfulfilled,
    PartiallyShipped,
    Shipped,
    PartiallyDelivered,
    Delivered,
    PartiallyReturned,
    Returned,
}

impl FulfilmentState {
    pub const ALL: [FulfilmentState; 7] = [
        FulfilmentState::Unfulfilled,
        FulfilmentState::PartiallyShipped,
        FulfilmentState::Shipped,
        FulfilmentState::PartiallyDelivered,
        FulfilmentState::Delivered,
        FulfilmentState::PartiallyReturned,
        FulfilmentState::Returned,
    ];
}

impl Order {
    pub fn fulfilment_state(&self) -> FulfilmentState {
        let sum = |count: fn(&super::line::Line) -> i64| -> i64 {
            self.lines.iter().map(count).fold(0, i64::saturating_add)
        };
        let all = sum(|line| line.quantity);
        let received = self.received_back();
        match (sum(|line| line.shipped), sum(|line| line.delivered)) {
            _ if received > 0 && received == all => FulfilmentState::Returned,
            _ if received > 0 => FulfilmentState::PartiallyReturned,
            (_, delivered) if delivered == all => FulfilmentState::Delivered,
            (_, delivered) if delivered > 0 => FulfilmentState::PartiallyDelivered,
            (shipped, _) if shipped == all => FulfilmentState::Shipped,
            (shipped, _) if shipped > 0 => FulfilmentState::PartiallyShipped,
            _ => FulfilmentState::Unfulfilled,
        }
    }

    /// Whether the goods are ours to send: sold, and paid for.
    pub(super) fn may_ship(&self) -> bool {
        let sold = self.stock.as_ref().is_some_and(|stock| stock.confirmed);
        sold && !matches!(self.payment_state(), PaymentState::Authorized | PaymentState::Voided)
    }

    /// Sends lines off; all that is left if none is named.
    pub fn ship(
        &mut self,
        lines: Vec<LineCount>,
        carrier: String,
        tracking_number: String,
        now: Timestamp,
    ) -> Result<Vec<OrderEvent>, Refusal> {
        self.not_imported()?;
        if self.state() == OrderState::Cancelled {
            return Err(Refusal::OrderCancelled);
        }
        if !self.may_ship() {
            return Err(Refusal::OrderNotPaid);
        }
        let lines = match lines.is_empty() {
            true => self.left_to_ship()?,
            false => lines,
        };
        self.count(&lines, |line| line.to_ship(), |line, quantity| line.shipped += quantity)?;
        let id = ShipmentId::new();
        self.shipments.push(Shipment { id, lines, carrier, tracking_number, shipped: now, delivered: None });
        self.updated = now;
        Ok(vec![OrderEvent::Shipped(id)])
    }

    /// A shipment has arrived. Nothing happens to one that had arrived before.
    pub fn deliver(&mut self, id: ShipmentId, now: Timestamp) -> Result<Vec<OrderEvent>, Refusal> {
        self.not_imported()?;
        let shipment =
            self.shipments.iter_mut().find(|shipment| shipment.id == id).ok_or(Refusal::ShipmentNotFound)?;
        if shipment.delivered.is_some() {
            return Ok(Vec::new());
        }
        shipment.delivered = Some(now);
        let lines = shipment.lines.clone();
        self.count(
            &lines,
            |line| line.shipped - line.delivered,
            |line, quantity| line.delivered += quantity,
        )?;
        self.updated = now;
        Ok(vec![OrderEvent::Delivered(id)])
    }

    fn left_to_ship(&self) -> Result<Vec<LineCount>, Refusal> {
        let open = self.lines.iter().filter(|line| line.to_ship() > 0);
        let lines: Vec<LineCount> =
            open.map(|line| LineCount { line: line.id, quantity: line.to_ship() }).collect();
        match (lines.is_empty(), self.lines.first()) {
            (true, Some(line)) => Err(Refusal::QuantityExceedsOpen { line: line.id, open: 0 }),
            _ => Ok(lines),
        }
    }

    /// Moves counts on every line named, or on none: all are checked before the first is changed.
    pub(super) fn count(
        &mut self,
        counts: &[LineCount],
        open: impl Fn(&super::line::Line) -> i64,
        change: impl Fn(&mut super::line::Line, i64),
    ) -> Result<(), Refusal> {
        let mut lines = self.lines.clone();
        for LineCount { line: id, quantity } in counts {
            let line = lines.iter_mut().find(|line| line.id == *id).ok_or(Refusal::LineNotFound)?;
            let open = open(line);
            if *quantity < 1 || *quantity > open {
                return Err(Refusal::QuantityExceedsOpen { line: *id, open });
            }
            change(line, *quantity);
        }
        self.lines = lines;
        Ok(())
    }
}
