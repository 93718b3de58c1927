//! One question to the provider. It is kept before it is asked, so that a crash in between is finished later
//! under the same key.

use kit::{Id, Money, Timestamp};

use super::{Payment, PaymentId, Refusal};

pub type OperationId = Id<Operation>;
/// A refund is known by the question that asked for it.
pub type RefundId = OperationId;

#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    pub id: OperationId,
    pub payment: PaymentId,
    /// The provider does the same key once.
    pub key: String,
    pub ask: Ask,
    /// Nothing while the answer is not known.
    pub outcome: Option<Outcome>,
    /// When whoever finishes what others left should look at it.
    pub due: Timestamp,
    pub attempts: i32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    Authorize {
        /// Forgotten as soon as the provider has taken it.
        method: Option<String>,
        return_url: String,
    },
    Capture(Money),
    Void,
    Refund {
        amount: Money,
        reason: String,
    },
}

/// How it ended, with the payment as it stood then: a repeated request gets the same answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Done(Box<Payment>),
    Refused(Refusal),
}

impl Operation {
    /// A question of its own key; the authorisation's key is the payment's.
    pub fn new(payment: &Payment, ask: Ask, due: Timestamp) -> Operation {
        let id = OperationId::new();
        let key = match ask {
            Ask::Authorize { .. } => payment.key(),
            Ask::Capture(_) | Ask::Void | Ask::Refund { .. } => id.to_string(),
        };
        Operation { id, payment: payment.id, key, ask, outcome: None, due, attempts: 0 }
    }
}

impl Ask {
    pub fn kind(&self) -> &'static str {
        match self {
            Ask::Authorize { .. } => "authorize",
            Ask::Capture(_) => "capture",
            Ask::Void => "void",
            Ask::Refund { .. } => "refund",
        }
    }

    /// What it moves, in minor units.
    pub fn minor_units(&self) -> i64 {
        match self {
            Ask::Capture(amount) | Ask::Refund { amount, .. } => amount.minor_units(),
            Ask::Authorize { .. } | Ask::Void => 0,
        }
    }
}
