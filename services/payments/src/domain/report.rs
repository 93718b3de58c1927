//! What a provider says about a payment.

use kit::Money;

/// How things stand at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The provider's own id of the payment.
    pub reference: String,
    /// Nothing where it never heard of an amount: voided before it was asked.
    pub amount: Option<Money>,
    pub standing: Standing,
    /// In all, in minor units.
    pub captured: i64,
    pub refunded: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does not know yet.
    Processing,
    ActionRequired {
        url: String,
    },
    /// Captured or not.
    Authorized,
    Declined(DeclineReason),
    Voided,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeclineReason {
    InsufficientFunds,
    CardExpired,
    SuspectedFraud,
    NotConfirmed,
    MethodUnknown,
    Other,
}

impl DeclineReason {
    pub const ALL: [DeclineReason; 6] = [
        DeclineReason::InsufficientFunds,
        DeclineReason::CardExpired,
        DeclineReason::SuspectedFraud,
        DeclineReason::NotConfirmed,
        DeclineReason::MethodUnknown,
        DeclineReason::Other,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            DeclineReason::InsufficientFunds => "insufficient_funds",
            DeclineReason::CardExpired => "card_expired",
            DeclineReason::SuspectedFraud => "suspected_fraud",
            DeclineReason::NotConfirmed => "not_confirmed",
            DeclineReason::MethodUnknown => "method_unknown",
            DeclineReason::Other => "other",
        }
    }

    pub fn named(name: &str) -> Option<DeclineReason> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}
