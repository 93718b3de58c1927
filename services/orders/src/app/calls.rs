//! The calls of a checkout's saga: a command becomes a request, its answer an event.
//!
//! Each request is the same whenever its command is given again: the same id, the same contents. What is answered
//! with neither yes nor a clear no is `Unknown`.

use kit::time::to_proto;
use observability::names;
use proto::cart::{ClearCartRequest, NewLine};
use proto::inventory as stock;
use proto::payments as pay;
use proto::pricing as price;
use tonic::{Code, Status};
use uuid::Uuid;

use super::quoting::customer_key;
use crate::Upstreams;
use crate::domain::Checkout;
use crate::domain::saga::{Command, Event, HOLD_MAX, Seen, SeenState, Shortage};

#[derive(Clone)]
pub struct Calls {
    pub upstreams: Upstreams,
}

/// A call that was not answered with yes.
pub struct Refused {
    /// The reason of a clear no; nothing when it is not known what happened.
    pub reason: Option<String>,
    pub status: Status,
}

impl Refused {
    pub fn is(&self, reason: &str) -> bool {
        self.reason.as_deref() == Some(reason)
    }
}

/// Tells a clear no from an answer that says nothing about the outcome.
pub fn refused(what: &'static str, status: Status) -> Refused {
    let clear = matches!(
        status.code(),
        Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::FailedPrecondition
            | Code::OutOfRange
    );
    let reason = mesh::status::reason_of(&status).map(|(_, reason)| reason);
    let (code, named) = (status.code(), reason.clone().unwrap_or_default());
    tracing::info!({ names::RPC_METHOD } = what, { names::RPC_CODE } = ?code, "{what} was answered {code:?} {named}");
    Refused { reason: clear.then(|| reason.unwrap_or_default()), status }
}

impl Calls {
    pub async fn perform(&self, checkout: &Checkout, command: Command) -> Event {
        match command {
            Command::Reserve => self.reserve(checkout).await,
            Command::HoldCodes => self.hold_codes(checkout).await,
            Command::Authorize => self.authorize(checkout).await,
            Command::Sync => self.sync(checkout).await,
            Command::Confirm => self.confirm(checkout).await,
            Command::CommitCodes => self.commit_codes(checkout).await,
            Command::Capture => self.capture(checkout).await,
            Command::ClearCart => self.clear_cart(checkout).await,
            Command::Void => self.void(checkout).await,
            Command::Refund => self.refund(checkout).await,
            Command::ReleaseCodes => self.release_codes(checkout).await,
            Command::ReleaseStock => self.release_stock(checkout).await,
            // The pivot is no call; it is part of the step that leads to it.
            Command::Place => Event::Placed,
        }
    }

    async fn reserve(&self, checkout: &Checkout) -> Event {
        let lines = checkout
            .quote
            .lines
            .iter()
            .map(|line| stock::StockLine { sku: line.sku.clone(), quantity: line.quantity });
        let request = stock::ReserveStockRequest {
            reservation_id: checkout.hold_id(checkout.saga.round),
            lines: lines.collect(),
            expire_time: Some(to_proto(checkout.saga.since + HOLD_MAX)),
            request_id: checkout.request_id("reserve"),
        };
        match self.upstreams.inventory.clone().reserve_stock(request).await {
            Ok(answer) => match answer.into_inner().reservation.unwrap_or_default().state() {
                // It was reserved so long ago that it has run out; another attempt begins afresh.
                stock::ReservationState::Released | stock::ReservationState::Expired => {
                    Event::OutOfStock(Vec::new())
                }
                _ => Event::Reserved,
            },
            Err(status) => match refused("ReserveStock", status) {
                Refused { reason: Some(_), status } => Event::OutOfStock(shortages(checkout, &status)),
                Refused { reason: None, .. } => Event::Unknown,
            },
        }
    }

    async fn hold_codes(&self, checkout: &Checkout) -> Event {
        let request = price::HoldCodesRequest {
            checkout_id: checkout.hold_id(0),
            codes: checkout.quote.applied_codes(),
            customer_key: customer_key(checkout.holder.account, checkout.details.email.as_deref()),
            expire_time: Some(to_proto(checkout.saga.since + HOLD_MAX)),
            request_id: checkout.request_id("hold"),
        };
        match self.upstreams.pricing.clone().hold_codes(request).await {
            Ok(_) => Event::Held,
            Err(status) => match refused("HoldCodes", status).reason {
                Some(_) => Event::CodeRefused,
                None => Event::Unknown,
            },
        }
    }

    async fn authorize(&self, checkout: &Checkout) -> Event {
        let Some(purchase) = &checkout.purchase else {
            return Event::PaymentRefused("No means of payment was given.".into());
        };
        let request = pay::AuthorizePaymentRequest {
            checkout_id: checkout.id.to_string(),
            attempt: checkout.saga.attempt,
            amount: Some(checkout.quote.total.into()),
            method_token: purchase.method_token.clone(),
            return_url: purchase.return_url.clone(),
            request_id: checkout.request_id("authorize"),
        };
        match self.upstreams.payments.clone().authorize_payment(request).await {
            Ok(answer) => seen(answer.into_inner().payment),
            Err(status) => match refused("AuthorizePayment", status).reason {
                Some(_) => Event::PaymentRefused("The means of payment was not accepted.".into()),
                None => Event::Unknown,
            },
        }
    }

    /// Every question is a new one, since the answer to an earlier one is kept.
    async fn sync(&self, checkout: &Checkout) -> Event {
        let Some(payment_id) = checkout.saga.payment.clone() else {
            return Event::Unknown;
        };
        let request = pay::SyncPaymentRequest { payment_id, request_id: Uuid::new_v4().to_string() };
        match self.upstreams.payments.clone().sync_payment(request).await {
            Ok(answer) => seen(answer.into_inner().payment),
            Err(status) => {
                refused("SyncPayment", status);
                Event::Unknown
            }
        }
    }

    async fn confirm(&self, checkout: &Checkout) -> Event {
        let request = stock::ConfirmReservationRequest {
            reservation_id: checkout.hold_id(checkout.saga.round),
            request_id: checkout.request_id("confirm"),
        };
        match self.upstreams.inventory.clone().confirm_reservation(request).await {
            Ok(_) => Event::Confirmed,
            Err(status) => {
                let refused = refused("ConfirmReservation", status);
                let lost = refused.is("RESERVATION_CLOSED") || refused.is("RESERVATION_NOT_FOUND");
                if lost { Event::ReservationLost } else { Event::Unknown }
            }
        }
    }

    async fn commit_codes(&self, checkout: &Checkout) -> Event {
        let request = price::CommitCodesRequest {
            checkout_id: checkout.hold_id(0),
            request_id: checkout.request_id("commit"),
        };
        match self.upstreams.pricing.clone().commit_codes(request).await {
            Ok(_) => Event::Committed,
            // The hold ran out. The buyer got the discount; nothing more can be counted.
            Err(status) => match refused("CommitCodes", status).reason {
                Some(_) => Event::Committed,
                None => Event::Unknown,
            },
        }
    }

    /// A refusal, or an answer from before, does not say how things stand now; the payment does.
    async fn capture(&self, checkout: &Checkout) -> Event {
        let Some(payment_id) = checkout.saga.payment.clone() else {
            return Event::Unknown;
        };
        let request = pay::CapturePaymentRequest {
            payment_id,
            amount: Some(checkout.quote.total.into()),
            request_id: checkout.request_id("capture"),
        };
        match self.upstreams.payments.clone().capture_payment(request).await {
            Ok(answer) => match seen(answer.into_inner().payment) {
                Event::Payment(seen) if seen.state == SeenState::Captured => Event::Payment(seen),
                _ => self.sync(checkout).await,
            },
            Err(status) => match refused("CapturePayment", status).reason {
                Some(_) => self.sync(checkout).await,
                None => Event::Unknown,
            },
        }
    }

    async fn clear_cart(&self, checkout: &Checkout) -> Event {
        let bought = checkout
            .quote
            .lines
            .iter()
            .map(|line| NewLine { variant_id: line.variant.clone(), quantity: line.quantity });
        let request = ClearCartRequest {
            cart_id: checkout.cart.clone(),
            version: checkout.cart_version,
            bought: bought.collect(),
            request_id: checkout.request_id("clear"),
        };
        match self.upstreams.cart.clone().clear_cart(request).await {
            Ok(_) => Event::Cleared,
            // A cart that is gone is clear.
            Err(status) => match refused("ClearCart", status).reason {
                Some(_) => Event::Cleared,
                None => Event::Unknown,
            },
        }
    }

    async fn void(&self, checkout: &Checkout) -> Event {
        let Some(payment_id) = checkout.saga.payment.clone() else {
            return Event::Unknown;
        };
        let request = pay::VoidPaymentRequest { payment_id, request_id: checkout.request_id("void") };
        match self.upstreams.payments.clone().void_payment(request).await {
            Ok(answer) => seen(answer.into_inner().payment),
            Err(status) => match refused("VoidPayment", status).reason {
                Some(_) => self.sync(checkout).await,
                None => Event::Unknown,
            },
        }
    }

    async fn refund(&self, checkout: &Checkout) -> Event {
        let Some(payment_id) = checkout.saga.payment.clone() else {
            return Event::Unknown;
        };
        let request = pay::RefundPaymentRequest {
            payment_id,
            amount: Some(checkout.quote.total.into()),
            reason: "the purchase was not completed".into(),
            request_id: checkout.request_id("refund"),
        };
        match self.upstreams.payments.clone().refund_payment(request).await {
            Ok(_) => Event::Refunded,
            Err(status) => {
                refused("RefundPayment", status);
                Event::Unknown
            }
        }
    }

    async fn release_codes(&self, checkout: &Checkout) -> Event {
        let request = price::ReleaseCodesRequest {
            checkout_id: checkout.hold_id(0),
            request_id: checkout.request_id("release-codes"),
        };
        match self.upstreams.pricing.clone().release_codes(request).await {
            Ok(_) => Event::CodesReleased,
            Err(status) => match refused("ReleaseCodes", status).reason {
                Some(_) => Event::CodesReleased,
                None => Event::Unknown,
            },
        }
    }

    async fn release_stock(&self, checkout: &Checkout) -> Event {
        let request = stock::ReleaseReservationRequest {
            reservation_id: checkout.hold_id(checkout.saga.round),
            request_id: checkout.request_id("release-stock"),
        };
        match self.upstreams.inventory.clone().release_reservation(request).await {
            Ok(_) => Event::StockReleased,
            Err(status) => match refused("ReleaseReservation", status).reason {
                Some(_) => Event::StockReleased,
                None => Event::Unknown,
            },
        }
    }
}

/// A payment as it was answered.
pub fn seen(payment: Option<pay::Payment>) -> Event {
    let Some(payment) = payment else {
        return Event::Unknown;
    };
    let state = match payment.state() {
        pay::PaymentState::Pending => SeenState::Pending,
        pay::PaymentState::ActionRequired => SeenState::ActionRequired,
        pay::PaymentState::Authorized => SeenState::Authorized,
        pay::PaymentState::Captured => SeenState::Captured,
        pay::PaymentState::Declined => SeenState::Declined(declined(payment.decline_reason()).into()),
        pay::PaymentState::Voided => SeenState::Voided,
        pay::PaymentState::Unspecified => return Event::Unknown,
    };
    let action_url = (!payment.action_url.is_empty()).then_some(payment.action_url);
    Event::Payment(Seen { id: payment.id, state, action_url })
}

fn declined(reason: pay::DeclineReason) -> &'static str {
    match reason {
        pay::DeclineReason::InsufficientFunds => "The card has not enough funds.",
        pay::DeclineReason::CardExpired => "The card has expired.",
        pay::DeclineReason::NotConfirmed => "The payment was not confirmed.",
        pay::DeclineReason::MethodUnknown => "The means of payment is not known.",
        // The provider does not want the buyer to learn that it suspects him.
        pay::DeclineReason::SuspectedFraud | pay::DeclineReason::Other | pay::DeclineReason::Unspecified => {
            "The card was declined."
        }
    }
}

/// What is short, as inventory names it: "SKU=available" joined by commas.
fn shortages(checkout: &Checkout, status: &Status) -> Vec<Shortage> {
    let metadata = mesh::status::metadata_of(status);
    let named = metadata.get("skus").map(String::as_str).unwrap_or_default();
    let pairs = named.split(',').filter_map(|pair| pair.rsplit_once('='));
    let shortages = pairs.filter_map(|(sku, available)| {
        let wanted = checkout.quote.lines.iter().filter(|line| line.sku == sku);
        Some(Shortage {
            sku: sku.to_owned(),
            requested: wanted.map(|line| line.quantity).fold(0, i64::saturating_add),
            available: available.parse().ok()?,
        })
    });
    shortages.collect()
}
