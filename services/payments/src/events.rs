//! What payments tells: `payment.*`, the subject is the payment.

use kit::outbox;
use observability::propagation;
use proto::payments as pb;

use crate::domain::{DeclineReason, Event, EventKind, Payment};

/// An event as the outbox takes it; nothing for what is only of interest here.
pub fn news(payment: &Payment, event: Event, version: i64) -> Option<outbox::Event> {
    let payment_id = payment.id.to_string();
    let checkout_id = payment.checkout.to_string();
    let amount = Some(payment.money(event.minor_units).into());
    let news = match event.kind {
        EventKind::AuthorizationSuccess => told(
            payment,
            version,
            "payment.authorized",
            &pb::PaymentAuthorized { payment_id, checkout_id, amount },
        ),
        EventKind::AuthorizationFailure(reason) => told(
            payment,
            version,
            "payment.declined",
            &pb::PaymentDeclined { payment_id, checkout_id, reason: decline(reason).to_owned(), amount },
        ),
        EventKind::AuthorizationActionRequired => told(
            payment,
            version,
            "payment.action_required",
            &pb::PaymentActionRequired { payment_id, checkout_id, amount },
        ),
        EventKind::ChargeSuccess => told(
            payment,
            version,
            "payment.captured",
            &pb::PaymentCaptured {
                payment_id,
                checkout_id,
                captured: Some(payment.money(payment.sums.captured).into()),
            },
        ),
        EventKind::CancelSuccess => {
            told(payment, version, "payment.voided", &pb::PaymentVoided { payment_id, checkout_id })
        }
        EventKind::RefundSuccess => told(
            payment,
            version,
            "payment.refunded",
            &pb::PaymentRefunded {
                payment_id,
                checkout_id,
                amount,
                refunded: Some(payment.money(payment.sums.refunded).into()),
            },
        ),
        EventKind::AuthorizationRequest
        | EventKind::ChargeRequest
        | EventKind::ChargeFailure
        | EventKind::RefundRequest
        | EventKind::RefundFailure
        | EventKind::CancelRequest
        | EventKind::CancelFailure => return None,
    };
    Some(news)
}

fn told<M: prost::Message>(payment: &Payment, version: i64, kind: &str, payload: &M) -> outbox::Event {
    outbox::Event::new(kind, payment.id, version, payment.updated, payload)
        .caused_by(propagation::traceparent())
}

fn decline(reason: DeclineReason) -> &'static str {
    let name = decline_reason(reason).as_str_name();
    name.strip_prefix("DECLINE_REASON_").unwrap_or(name)
}

/// The reason in the contract's words.
pub fn decline_reason(reason: DeclineReason) -> pb::DeclineReason {
    match reason {
        DeclineReason::InsufficientFunds => pb::DeclineReason::InsufficientFunds,
        DeclineReason::CardExpired => pb::DeclineReason::CardExpired,
        DeclineReason::SuspectedFraud => pb::DeclineReason::SuspectedFraud,
        DeclineReason::NotConfirmed => pb::DeclineReason::NotConfirmed,
        DeclineReason::MethodUnknown => pb::DeclineReason::MethodUnknown,
        DeclineReason::Other => pb::DeclineReason::Other,
    }
}
