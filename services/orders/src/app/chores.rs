//! What orders owe to other services: refunds, and what cancellations and returns undo.

use std::collections::BTreeMap;

use proto::inventory as stock;
use proto::payments as pay;
use proto::pricing as price;
use uuid::Uuid;

use super::calls::{Calls, Refused, refused, seen};
use super::runner::{Runner, failed};
use crate::domain::chore::{Chore, Done};
use crate::domain::saga::{Event, SeenState};
use crate::domain::{LineCount, Order, OrderId, RefundId};
use crate::error::Error;
use crate::store::{Lease, Leased, Right};

/// A chore may lead to another one, as a void that comes too late to a refund.
const PASSES_MAX: usize = 5;

impl Runner {
    /// Does what an order owes, then gives the lease back.
    pub async fn order(&self, id: OrderId, lease: Lease) {
        if let Err(error) = self.chores(id, lease).await {
            failed(&error);
        }
    }

    async fn chores(&self, id: OrderId, lease: Lease) -> Result<(), Error> {
        let what = Leased::Order(id.as_uuid());
        let mut order = self.store.order(id, &Right::Any).await?;
        for _ in 0..PASSES_MAX {
            let mut unanswered = false;
            for chore in order.chores() {
                let done = self.beating(what, lease, self.calls.chore(&order, chore)).await;
                unanswered |= done == Done::Unknown;
                match self.store.settle(id, lease, done).await? {
                    Some(settled) => order = settled,
                    None => return Ok(()),
                }
            }
            if unanswered || order.chores().is_empty() {
                break;
            }
        }
        Ok(self.store.release(what, lease, order.version, order.due(self.clock.now())).await?)
    }
}

impl Calls {
    async fn chore(&self, order: &Order, chore: Chore) -> Done {
        match chore {
            Chore::Void => self.void_order(order).await,
            Chore::ReleaseCodes => self.release_order_codes(order).await,
            Chore::GiveStockBack { confirmed: false } => self.release_order_stock(order).await,
            Chore::GiveStockBack { confirmed: true } => {
                let lines = order.lines.iter();
                let all = lines.map(|line| LineCount { line: line.id, quantity: line.quantity }).collect();
                self.return_stock(order, "return-stock", all, true, Done::StockBack).await
            }
            Chore::Refund { id, amount, reason } => self.refund_order(order, id, amount.into(), reason).await,
            Chore::Restock { id, lines, restock } => {
                let step = format!("return:{id}");
                self.return_stock(order, &step, lines, restock, Done::Restocked(id)).await
            }
        }
    }

    /// What a refusal means, or an answer from before, the payment itself says.
    async fn void_order(&self, order: &Order) -> Done {
        let Some(payment_id) = order.payment.clone() else {
            return Done::Voided;
        };
        let request =
            pay::VoidPaymentRequest { payment_id: payment_id.clone(), request_id: order.request_id("void") };
        let answer = match self.upstreams.payments.clone().void_payment(request).await {
            Ok(answer) => answer.into_inner().payment,
            Err(status) => {
                if refused("VoidPayment", status).reason.is_none() {
                    return Done::Unknown;
                }
                let request = pay::SyncPaymentRequest { payment_id, request_id: Uuid::new_v4().to_string() };
                match self.upstreams.payments.clone().sync_payment(request).await {
                    Ok(answer) => answer.into_inner().payment,
                    Err(status) => {
                        refused("SyncPayment", status);
                        return Done::Unknown;
                    }
                }
            }
        };
        match seen(answer) {
            Event::Payment(seen) => match seen.state {
                SeenState::Voided | SeenState::Declined(_) => Done::Voided,
                SeenState::Captured => Done::CapturedInstead,
                _ => Done::Unknown,
            },
            _ => Done::Unknown,
        }
    }

    async fn release_order_codes(&self, order: &Order) -> Done {
        let request = price::ReleaseCodesRequest {
            checkout_id: order.codes_hold.clone().unwrap_or_default(),
            request_id: order.request_id("release-codes"),
        };
        match self.upstreams.pricing.clone().release_codes(request).await {
            Ok(_) => Done::CodesReleased,
            Err(status) => match refused("ReleaseCodes", status).reason {
                Some(_) => Done::CodesReleased,
                None => Done::Unknown,
            },
        }
    }

    async fn release_order_stock(&self, order: &Order) -> Done {
        let request = stock::ReleaseReservationRequest {
            reservation_id: reservation(order),
            request_id: order.request_id("release-stock"),
        };
        match self.upstreams.inventory.clone().release_reservation(request).await {
            Ok(_) => Done::StockBack,
            Err(status) => match refused("ReleaseReservation", status) {
                refused if refused.is("RESERVATION_CLOSED") => Done::SoldInstead,
                Refused { reason: Some(_), .. } => Done::StockBack,
                Refused { reason: None, .. } => Done::Unknown,
            },
        }
    }

    /// Gives sold goods back by SKU. A SKU may stand on two lines at two prices.
    async fn return_stock(
        &self,
        order: &Order,
        step: &str,
        counts: Vec<LineCount>,
        restock: bool,
        done: Done,
    ) -> Done {
        let mut by_sku: BTreeMap<&str, i64> = BTreeMap::new();
        for count in &counts {
            if let Some(line) = order.lines.iter().find(|line| line.id == count.line) {
                let sum = by_sku.entry(line.sku.as_str()).or_default();
                *sum = sum.saturating_add(count.quantity);
            }
        }
        let lines =
            by_sku.into_iter().map(|(sku, quantity)| stock::StockLine { sku: sku.to_owned(), quantity });
        let request = stock::ReturnStockRequest {
            reservation_id: reservation(order),
            lines: lines.collect(),
            restock,
            request_id: order.request_id(step),
        };
        match self.upstreams.inventory.clone().return_stock(request).await {
            Ok(_) => done,
            Err(status) => match refused("ReturnStock", status).reason {
                // Inventory says that nothing of this is left to return: it has it already.
                Some(reason) if reason == "RETURN_EXCEEDS_SALE" => done,
                _ => Done::Unknown,
            },
        }
    }

    async fn refund_order(
        &self,
        order: &Order,
        id: RefundId,
        amount: proto::common::Money,
        reason: String,
    ) -> Done {
        let Some(payment_id) = order.payment.clone() else {
            return Done::RefundRefused(id);
        };
        let request = pay::RefundPaymentRequest {
            payment_id,
            amount: Some(amount),
            reason,
            request_id: order.request_id(&format!("refund:{id}")),
        };
        match self.upstreams.payments.clone().refund_payment(request).await {
            Ok(_) => Done::Refunded(id),
            Err(status) => match refused("RefundPayment", status).reason {
                Some(_) => Done::RefundRefused(id),
                None => Done::Unknown,
            },
        }
    }
}

fn reservation(order: &Order) -> String {
    order.stock.as_ref().map(|stock| stock.reservation.clone()).unwrap_or_default()
}
