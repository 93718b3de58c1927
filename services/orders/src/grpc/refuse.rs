//! Every error, as the contract answers it.

use mesh::status::Problem;
use proto::common::Reason as CommonReason;
use proto::orders as pb;
use proto::orders::Reason;
use tonic::{Code, Status};

use crate::NAME;
use crate::domain::Refusal;
use crate::error::Error;
use crate::events;

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let words = error.to_string();
        let problem = |code, reason: Reason| Problem::new(code, NAME, reason.as_str_name(), words.clone());
        match error {
            Error::Refused(refusal) => refused(refusal, words),
            Error::CheckoutNotFound => problem(Code::NotFound, Reason::CheckoutNotFound),
            Error::OrderNotFound => problem(Code::NotFound, Reason::OrderNotFound),
            Error::StreamOutOfOrder => problem(Code::InvalidArgument, Reason::StreamOutOfOrder),
            Error::Conflict => Problem::etag_mismatch(),
            Error::SignInRequired => {
                Problem::common(Code::Unauthenticated, CommonReason::SignInRequired, words)
            }
            Error::PermissionMissing => {
                Problem::common(Code::PermissionDenied, CommonReason::PermissionMissing, words)
            }
            // Their reason is theirs to give, under their domain, and the buyer can act on it. The contract says so at
            // each method that may answer it: StartCheckout, UpdateCheckout, CompleteCheckout.
            Error::RefusedBy { status, .. } => return *status,
            Error::Upstream { service, source } => Problem::unavailable(service, &*source),
            Error::Request(error) => error.into(),
            Error::Page(error) => error.into(),
            Error::Storage(error) => kit::RequestError::Storage(error).into(),
        }
        .status()
    }
}

fn refused(refusal: Refusal, words: String) -> Problem {
    let problem =
        |reason: Reason| Problem::new(Code::FailedPrecondition, NAME, reason.as_str_name(), words.clone());
    let not_found = |reason: Reason| Problem::new(Code::NotFound, NAME, reason.as_str_name(), words.clone());
    match refusal {
        Refusal::CartEmpty => problem(Reason::CartEmpty),
        Refusal::CartHasProblems => problem(Reason::CartHasProblems),
        Refusal::CheckoutClosed { state } => {
            let name = events::checkout_state(state).as_str_name();
            problem(Reason::CheckoutClosed).with("state", short(name, "CHECKOUT_STATE_"))
        }
        Refusal::CheckoutIncomplete { missing } => {
            problem(Reason::CheckoutIncomplete).with("missing", missing.join(","))
        }
        Refusal::QuoteChanged { quote, total } => problem(Reason::QuoteChanged)
            .with("quote_id", quote)
            .with("total_minor_units", total.minor_units()),
        Refusal::OrderCancelled => problem(Reason::OrderCancelled),
        Refusal::OrderShipped => problem(Reason::OrderShipped),
        Refusal::QuantityExceedsOpen { line, open } => {
            problem(Reason::QuantityExceedsOpen).with("line_id", line).with("open", open)
        }
        Refusal::LineNotFound => not_found(Reason::LineNotFound),
        Refusal::ShipmentNotFound => not_found(Reason::ShipmentNotFound),
        Refusal::ReturnNotFound => not_found(Reason::ReturnNotFound),
        Refusal::ReturnNotOpen { state } => {
            let name = events::return_state(state).as_str_name();
            problem(Reason::ReturnNotOpen).with("state", short(name, "RETURN_STATE_"))
        }
        Refusal::ReturnTooLate => problem(Reason::ReturnTooLate),
        Refusal::AmountExceedsPaid { refundable } => {
            problem(Reason::AmountExceedsPaid).with("refundable_minor_units", refundable.minor_units())
        }
        Refusal::OrderImported => problem(Reason::OrderImported),
        Refusal::OrderNotPaid => problem(Reason::OrderNotPaid),
    }
}

fn short(name: &'static str, prefix: &str) -> &'static str {
    name.strip_prefix(prefix).unwrap_or(name)
}

/// Whether watchers of this checkout have seen everything there will be.
pub fn is_over(checkout: &pb::Checkout) -> bool {
    matches!(checkout.state(), pb::CheckoutState::Completed | pb::CheckoutState::Failed)
}
