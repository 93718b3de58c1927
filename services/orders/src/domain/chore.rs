//! What an order still owes to other services. It is written down with the change that causes it, and done
//! afterwards as often as it takes, each time under the same request id.

use std::time::Duration;

use kit::{Money, Timestamp};
use serde::{Deserialize, Serialize};

use super::order::{Order, OrderEvent};
use super::payment::{Refund, RefundId, RefundState};
use super::returns::ReturnId;
use super::shipment::LineCount;

const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// What a cancellation has to undo and has not yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    pub void: bool,
    pub codes: bool,
    pub stock: bool,
}

/// One call to make.
#[derive(Clone, Debug, PartialEq)]
pub enum Chore {
    Void,
    ReleaseCodes,
    /// Of a cancelled order: all of it.
    GiveStockBack {
        confirmed: bool,
    },
    Refund {
        id: RefundId,
        amount: Money,
        reason: String,
    },
    /// Of a return.
    Restock {
        id: ReturnId,
        lines: Vec<LineCount>,
        restock: bool,
    },
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Voided,
    /// It had been captured; now it has to be refunded.
    CapturedInstead,
    CodesReleased,
    StockBack,
    /// It had been sold, so it has to be returned instead of released.
    SoldInstead,
    Refunded(RefundId),
    RefundRefused(RefundId),
    Restocked(ReturnId),
    /// No answer, or one that says nothing.
    Unknown,
}

impl Order {
    /// What is to be done now, in order.
    pub fn chores(&self) -> Vec<Chore> {
        let mut chores = Vec::new();
        // The checkout may still be confirming or capturing; what it does is undone when it is through.
        if self.settled {
            if self.rest.void {
                chores.push(Chore::Void);
            }
            if self.rest.codes {
                chores.push(Chore::ReleaseCodes);
            }
            if let Some(stock) = self.stock.as_ref().filter(|_| self.rest.stock) {
                chores.push(Chore::GiveStockBack { confirmed: stock.confirmed });
            }
        }
        let pending = self.refunds.iter().filter(|refund| refund.state == RefundState::Pending);
        chores.extend(pending.map(|refund| Chore::Refund {
            id: refund.id,
            amount: refund.amount,
            reason: refund.reason.clone(),
        }));
        chores.extend(self.returns.iter().filter_map(|returned| {
            let (lines, restock) = (returned.lines.clone(), returned.to_stock?);
            Some(Chore::Restock { id: returned.id, lines, restock })
        }));
        chores
    }

    /// Takes over what came of a chore.
    pub fn settle(&mut self, done: Done, now: Timestamp) -> Vec<OrderEvent> {
        self.tries = match done {
            Done::Unknown => self.tries.saturating_add(1),
            _ => 0,
        };
        match done {
            Done::Voided => {
                self.rest.void = false;
                self.voided = true;
            }
            Done::CapturedInstead => return self.pay(now),
            Done::CodesReleased => self.rest.codes = false,
            Done::StockBack => self.rest.stock = false,
            Done::SoldInstead => {
                if let Some(stock) = &mut self.stock {
                    stock.confirmed = true;
                }
            }
            Done::Refunded(id) => return self.settle_refund(id, true, now),
            Done::RefundRefused(id) => return self.settle_refund(id, false, now),
            Done::Restocked(id) => self.settle_return(id),
            Done::Unknown => {}
        }
        Vec::new()
    }

    /// When somebody must look at it again; nothing when nothing is owed.
    pub fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let factor = 1_u32.checked_shl(self.tries.saturating_sub(1)).unwrap_or(u32::MAX);
        let pause = match self.tries {
            0 => Duration::ZERO,
            _ => PAUSE_MIN.saturating_mul(factor).min(PAUSE_MAX),
        };
        (!self.chores().is_empty()).then_some(now + pause)
    }

    /// Of a cancelled order nothing is kept.
    pub(super) fn give_all_back(&mut self, now: Timestamp) {
        let amount = self.refundable();
        if amount.minor_units() > 0 {
            self.rest.void = false;
            self.refunds.push(Refund {
                id: RefundId::new(),
                amount,
                reason: "the order was cancelled".into(),
                state: RefundState::Pending,
                asked: now,
            });
        }
    }

    /// The id of a call for this order: the same whenever it is made again.
    pub fn request_id(&self, step: &str) -> String {
        uuid::Uuid::new_v5(&self.id.as_uuid(), step.as_bytes()).to_string()
    }
}
