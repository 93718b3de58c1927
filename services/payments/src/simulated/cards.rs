//! The cards that the simulated provider knows, by the token that the browser would have got for them.

use crate::domain::DeclineReason;

/// What the provider does with a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Card {
    Approve,
    Decline(DeclineReason),
    ActionRequired,
    /// Answers late, and then approves.
    Slow,
    /// Approves, and does not answer the first time.
    SilentWithEffect,
    /// Does nothing and does not answer the first time; approves the second time.
    SilentWithoutEffect,
}

/// The card of a token. One that is not known is declined, as everywhere.
pub fn card(token: &str) -> Card {
    match token {
        "test_approve" => Card::Approve,
        "test_decline_insufficient_funds" => Card::Decline(DeclineReason::InsufficientFunds),
        "test_decline_expired" => Card::Decline(DeclineReason::CardExpired),
        "test_decline_fraud" => Card::Decline(DeclineReason::SuspectedFraud),
        "test_action_required" => Card::ActionRequired,
        "test_slow" => Card::Slow,
        "test_timeout_with_effect" => Card::SilentWithEffect,
        "test_timeout_without_effect" => Card::SilentWithoutEffect,
        _ => Card::Decline(DeclineReason::MethodUnknown),
    }
}
