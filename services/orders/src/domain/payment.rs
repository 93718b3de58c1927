//! The money of an order: what was taken, what was given back.

use kit::{Id, Money, Timestamp};
use serde::{Deserialize, Serialize};

use super::order::{Order, OrderEvent, Origin};
use super::refusal::Refusal;

pub type RefundId = Id<Refund>;

/// Money on its way back. Its amount is set aside before the provider is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refund {
    pub id: RefundId,
    pub amount: Money,
    pub reason: String,
    pub state: RefundState,
    pub asked: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefundState {
    Pending,
    Done,
    /// The provider will not; the amount is free again.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentState {
    NotRequired,
    Authorized,
    Paid,
    PartiallyRefunded,
    Refunded,
    Voided,
}

impl Order {
    pub fn payment_state(&self) -> PaymentState {
        let (paid, refunded) = (self.paid.minor_units(), self.refunded.minor_units());
        if self.totals.total.minor_units() == 0 {
            return PaymentState::NotRequired;
        }
        match (paid, refunded) {
            (0, _) if self.voided => PaymentState::Voided,
            (0, _) => PaymentState::Authorized,
            (_, 0) => PaymentState::Paid,
            _ if refunded < paid => PaymentState::PartiallyRefunded,
            _ => PaymentState::Refunded,
        }
    }

    /// What is set aside for refunds that are not settled.
    pub fn refunding(&self) -> i64 {
        let pending = self.refunds.iter().filter(|refund| refund.state == RefundState::Pending);
        pending.map(|refund| refund.amount.minor_units()).fold(0, i64::saturating_add)
    }

    /// What was paid, not given back, and not on its way back.
    pub fn refundable(&self) -> Money {
        let left = self.paid.minor_units() - self.refunded.minor_units() - self.refunding();
        Money::new(self.paid.currency(), left)
    }

    /// The money was taken.
    pub fn pay(&mut self, now: Timestamp) -> Vec<OrderEvent> {
        if self.paid.minor_units() > 0 || self.origin == Origin::Imported {
            return Vec::new();
        }
        self.paid = self.totals.total;
        self.updated = now;
        if self.cancelled.is_some() {
            self.give_all_back(now);
        }
        vec![OrderEvent::Paid]
    }

    /// Sets an amount aside to be given back; all that is left if none is named.
    pub fn refund(
        &mut self,
        amount: Option<Money>,
        reason: String,
        now: Timestamp,
    ) -> Result<RefundId, Refusal> {
        self.not_imported()?;
        if self.paid.minor_units() == 0 {
            return Err(Refusal::OrderNotPaid);
        }
        let refundable = self.refundable();
        let amount = amount.unwrap_or(refundable);
        let fits = amount.currency() == refundable.currency()
            && (1..=refundable.minor_units()).contains(&amount.minor_units());
        if !fits {
            return Err(Refusal::AmountExceedsPaid { refundable });
        }
        let id = RefundId::new();
        self.refunds.push(Refund { id, amount, reason, state: RefundState::Pending, asked: now });
        self.updated = now;
        Ok(id)
    }

    /// The provider has given it back, or will not.
    pub fn settle_refund(&mut self, id: RefundId, done: bool, now: Timestamp) -> Vec<OrderEvent> {
        let pending =
            self.refunds.iter_mut().find(|refund| refund.id == id && refund.state == RefundState::Pending);
        let Some(refund) = pending else {
            return Vec::new();
        };
        self.updated = now;
        if !done {
            refund.state = RefundState::Failed;
            return Vec::new();
        }
        refund.state = RefundState::Done;
        let amount = refund.amount;
        let refunded = self.refunded.minor_units().saturating_add(amount.minor_units());
        self.refunded = Money::new(amount.currency(), refunded);
        vec![OrderEvent::Refunded(amount)]
    }

    pub fn refund_state(&self, id: RefundId) -> Option<RefundState> {
        self.refunds.iter().find(|refund| refund.id == id).map(|refund| refund.state)
    }
}
