//! Values of the domain in the contract's words.

use kit::time;
use proto::payments as pb;

use crate::app::Listing;
use crate::domain::{EventKind, Payment, State};
use crate::events::decline_reason;

pub fn payment(payment: Payment) -> pb::Payment {
    let money = |minor_units| Some(payment.money(minor_units).into());
    pb::Payment {
        id: payment.id.to_string(),
        checkout_id: payment.checkout.to_string(),
        attempt: payment.attempt,
        state: state(payment.state).into(),
        amount: Some(payment.amount.into()),
        authorized: money(payment.sums.authorized),
        captured: money(payment.sums.captured),
        refunded: money(payment.sums.refunded),
        provider: payment.provider.clone(),
        provider_reference: payment.reference.clone().unwrap_or_default(),
        action_url: payment.action_url.clone().unwrap_or_default(),
        decline_reason: payment.decline.map_or(pb::DeclineReason::Unspecified, decline_reason).into(),
        version: payment.version,
        create_time: Some(time::to_proto(payment.created)),
        update_time: Some(time::to_proto(payment.updated)),
    }
}

pub fn event(listing: Listing) -> pb::PaymentEvent {
    pb::PaymentEvent {
        id: listing.id.to_string(),
        payment_id: listing.payment.to_string(),
        r#type: kind(listing.kind).into(),
        amount: Some(listing.amount.into()),
        message: message(listing.kind),
        provider_reference: listing.reference.unwrap_or_default(),
        occur_time: Some(time::to_proto(listing.occurred)),
    }
}

/// The state's name in the contract, without its prefix.
pub fn state_name(value: State) -> &'static str {
    let name = state(value).as_str_name();
    name.strip_prefix("PAYMENT_STATE_").unwrap_or(name)
}

fn state(state: State) -> pb::PaymentState {
    match state {
        State::Pending => pb::PaymentState::Pending,
        State::ActionRequired => pb::PaymentState::ActionRequired,
        State::Authorized => pb::PaymentState::Authorized,
        State::Captured => pb::PaymentState::Captured,
        State::Declined => pb::PaymentState::Declined,
        State::Voided => pb::PaymentState::Voided,
    }
}

fn kind(kind: EventKind) -> pb::PaymentEventType {
    use pb::PaymentEventType as Type;

    match kind {
        EventKind::AuthorizationRequest => Type::AuthorizationRequest,
        EventKind::AuthorizationSuccess => Type::AuthorizationSuccess,
        EventKind::AuthorizationFailure(_) => Type::AuthorizationFailure,
        EventKind::AuthorizationActionRequired => Type::AuthorizationActionRequired,
        EventKind::ChargeRequest => Type::ChargeRequest,
        EventKind::ChargeSuccess => Type::ChargeSuccess,
        EventKind::ChargeFailure => Type::ChargeFailure,
        EventKind::RefundRequest => Type::RefundRequest,
        EventKind::RefundSuccess => Type::RefundSuccess,
        EventKind::RefundFailure => Type::RefundFailure,
        EventKind::CancelRequest => Type::CancelRequest,
        EventKind::CancelSuccess => Type::CancelSuccess,
        EventKind::CancelFailure => Type::CancelFailure,
    }
}

/// A sentence for staff.
fn message(kind: EventKind) -> String {
    let words = match kind {
        EventKind::AuthorizationRequest => "The provider is asked to authorise the amount.",
        EventKind::AuthorizationSuccess => "The provider has authorised the amount.",
        EventKind::AuthorizationFailure(reason) => {
            return format!("The provider declined: {}.", reason.as_str().replace('_', " "));
        }
        EventKind::AuthorizationActionRequired => "The buyer must confirm at the provider's page.",
        EventKind::ChargeRequest => "The provider is asked to take the amount.",
        EventKind::ChargeSuccess => "The amount was taken.",
        EventKind::ChargeFailure => "The provider refused to take the amount.",
        EventKind::RefundRequest => "The provider is asked to give the amount back.",
        EventKind::RefundSuccess => "The amount was given back.",
        EventKind::RefundFailure => "The provider refused to give the amount back.",
        EventKind::CancelRequest => "The provider is asked to let the authorisation go.",
        EventKind::CancelSuccess => "The authorisation is gone.",
        EventKind::CancelFailure => "The provider refused to let the authorisation go.",
    };
    words.to_owned()
}
