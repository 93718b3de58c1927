//! Goods on their way back.

use std::time::Duration;

use kit::{Id, Timestamp};
use serde::{Deserialize, Serialize};

use super::line::LineId;
use super::order::{Order, OrderEvent};
use super::refusal::Refusal;
use super::shipment::LineCount;

/// Goods can be returned so long after they were delivered.
pub const RETURN_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

pub type ReturnId = Id<Return>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Return {
    pub id: ReturnId,
    pub state: ReturnState,
    pub lines: Vec<LineCount>,
    pub reason: String,
    pub rejection: String,
    pub requested: Timestamp,
    pub received: Option<Timestamp>,
    /// Received, and inventory does not know yet: whether the goods go back to stock.
    pub to_stock: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReturnState {
    Requested,
    Approved,
    Rejected,
    Received,
}

impl Order {
    /// The buyer wants to send delivered lines back.
    pub fn request_return(
        &mut self,
        lines: Vec<LineCount>,
        reason: String,
        now: Timestamp,
    ) -> Result<(ReturnId, Vec<OrderEvent>), Refusal> {
        self.not_imported()?;
        let too_late = |count: &LineCount| {
            self.delivered_last(count.line).is_some_and(|delivered| now > delivered + RETURN_MAX)
        };
        if lines.iter().any(too_late) {
            return Err(Refusal::ReturnTooLate);
        }
        self.count(&lines, |line| line.returnable(), |line, quantity| line.returned += quantity)?;
        let id = ReturnId::new();
        self.returns.push(Return {
            id,
            state: ReturnState::Requested,
            lines,
            reason,
            rejection: String::new(),
            requested: now,
            received: None,
            to_stock: None,
        });
        self.updated = now;
        Ok((id, vec![OrderEvent::ReturnChanged(id)]))
    }

    /// The goods may come.
    pub fn approve_return(&mut self, id: ReturnId, now: Timestamp) -> Result<Vec<OrderEvent>, Refusal> {
        self.move_return(id, ReturnState::Requested, ReturnState::Approved, now)
            .map(|_| vec![OrderEvent::ReturnChanged(id)])
    }

    /// They may not. The lines are as if nobody had asked.
    pub fn reject_return(
        &mut self,
        id: ReturnId,
        rejection: String,
        now: Timestamp,
    ) -> Result<Vec<OrderEvent>, Refusal> {
        let rejected = self.move_return(id, ReturnState::Requested, ReturnState::Rejected, now)?;
        rejected.rejection = rejection;
        let lines = rejected.lines.clone();
        self.count(&lines, |line| line.returned, |line, quantity| line.returned -= quantity)?;
        Ok(vec![OrderEvent::ReturnChanged(id)])
    }

    /// The goods are here. Inventory is told afterwards, as often as it takes.
    pub fn receive_return(
        &mut self,
        id: ReturnId,
        restock: bool,
        now: Timestamp,
    ) -> Result<Vec<OrderEvent>, Refusal> {
        let received = self.move_return(id, ReturnState::Approved, ReturnState::Received, now)?;
        received.received = Some(now);
        received.to_stock = Some(restock);
        Ok(vec![OrderEvent::ReturnChanged(id)])
    }

    /// Inventory has taken the goods of a return.
    pub fn settle_return(&mut self, id: ReturnId) {
        if let Some(returned) = self.returns.iter_mut().find(|returned| returned.id == id) {
            returned.to_stock = None;
        }
    }

    pub(super) fn received_back(&self) -> i64 {
        let received = self.returns.iter().filter(|returned| returned.state == ReturnState::Received);
        received.flat_map(|returned| &returned.lines).map(|line| line.quantity).fold(0, i64::saturating_add)
    }

    pub(super) fn has_open_return(&self) -> bool {
        self.has_return(ReturnState::Requested) || self.has_return(ReturnState::Approved)
    }

    pub(super) fn has_return(&self, state: ReturnState) -> bool {
        self.returns.iter().any(|returned| returned.state == state)
    }

    /// When the last shipment that held some of this line arrived.
    fn delivered_last(&self, line: LineId) -> Option<Timestamp> {
        let with_line =
            self.shipments.iter().filter(|shipment| shipment.lines.iter().any(|count| count.line == line));
        with_line.filter_map(|shipment| shipment.delivered).max()
    }

    fn move_return(
        &mut self,
        id: ReturnId,
        from: ReturnState,
        to: ReturnState,
        now: Timestamp,
    ) -> Result<&mut Return, Refusal> {
        self.not_imported()?;
        let found =
            self.returns.iter_mut().find(|returned| returned.id == id).ok_or(Refusal::ReturnNotFound)?;
        if found.state != from {
            return Err(Refusal::ReturnNotOpen { state: found.state });
        }
        found.state = to;
        self.updated = now;
        Ok(found)
    }
}
