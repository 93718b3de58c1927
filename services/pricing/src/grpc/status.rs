//! What pricing answers besides yes, as it travels.

use mesh::status::Problem;
use proto::common::Reason as CommonReason;
use proto::pricing::Reason;
use tonic::{Code, Status};

use super::convert::outcome;
use crate::NAME;
use crate::domain::Refusal;
use crate::error::Error;

const OUTCOME_PREFIX: &str = "CODE_OUTCOME_";

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let words = error.to_string();
        let problem = |code, reason: Reason| Problem::new(code, NAME, reason.as_str_name(), words.clone());
        match error {
            Error::Refused(refusal) => refused(refusal, words),
            Error::DiscountNotFound(id) => {
                problem(Code::NotFound, Reason::DiscountNotFound).with("discount_id", id)
            }
            Error::MethodNotFound(id) => {
                problem(Code::NotFound, Reason::ShippingMethodNotFound).with("shipping_method_id", id)
            }
            Error::CodeTaken(code) => problem(Code::AlreadyExists, Reason::CodeTaken).with("code", code),
            Error::Conflict => Problem::etag_mismatch(),
            Error::Catalogue(ref status) => match status.code() {
                Code::DeadlineExceeded => {
                    Problem::common(Code::DeadlineExceeded, CommonReason::DeadlineExceeded, words)
                }
                Code::Unavailable | Code::ResourceExhausted | Code::Aborted | Code::Cancelled => {
                    Problem::unavailable("the catalogue", &error)
                }
                _ => Problem::internal(&error),
            },
            Error::Malformed(_) => Problem::internal(&error),
            Error::Request(error) => error.into(),
            Error::Page(error) => error.into(),
            Error::Storage(error) => kit::RequestError::Storage(error).into(),
        }
        .status()
    }
}

fn refused(refusal: Refusal, words: String) -> Problem {
    let problem = |code, reason: Reason| Problem::new(code, NAME, reason.as_str_name(), words.clone());
    let wrong = |field: &str| Problem::invalid(Vec::new()).field(field, words.clone());
    match refusal {
        Refusal::VariantNotPriced(id) => {
            problem(Code::FailedPrecondition, Reason::VariantNotPriced).with("variant_id", id)
        }
        Refusal::MethodNotAvailable(id) => {
            problem(Code::FailedPrecondition, Reason::ShippingMethodNotAvailable)
                .with("shipping_method_id", id)
        }
        Refusal::CodeNotUsable { code, outcome: why } => {
            let name = outcome(why).as_str_name();
            problem(Code::FailedPrecondition, Reason::CodeNotUsable)
                .with("code", code)
                .with("outcome", name.strip_prefix(OUTCOME_PREFIX).unwrap_or(name))
        }
        Refusal::HoldClosed(closed) => {
            problem(Code::FailedPrecondition, Reason::HoldClosed).with("state", closed.as_str())
        }
        Refusal::AmountTooLarge => problem(Code::OutOfRange, Reason::AmountTooLarge),
        Refusal::EndsBeforeStart => wrong("discount.end_time"),
        Refusal::LimitBelowUses { per_customer: false } => wrong("discount.limit_total"),
        Refusal::LimitBelowUses { per_customer: true } => wrong("discount.limit_per_customer"),
    }
}
