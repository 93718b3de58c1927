//! The port to whoever moves the money, and the one provider there is so far. A trait, since it stands for the
//! outer world: everything behind it answers late, twice, or not at all.

mod breaker;
mod http;
pub mod signature;
pub mod wire;

use std::error::Error as StdError;

use kit::{Money, Timestamp};

use crate::domain::{Refusal, Report};

pub use http::{MalformedUrl, ProviderUrl, SIMULATED, Simulated};

/// What a provider is asked under one key for ever: the same question gets the same answer.
pub struct Authorization<'a> {
    pub key: &'a str,
    pub amount: Money,
    pub method: &'a str,
    pub return_url: &'a str,
}

/// A change of an authorised payment. `payment` is the key of its authorisation, `key` that of this change.
pub struct Change<'a> {
    pub payment: &'a str,
    pub key: &'a str,
}

/// How a question ended when it did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The provider will not do it, now or later.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Nobody knows whether it did: ask again under the same key.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
}

/// There is no answer, or none that can be read. What was asked may have happened.
#[derive(Debug, thiserror::Error)]
#[error("the payment provider gave no answer")]
pub struct Unanswered(#[source] pub Box<dyn StdError + Send + Sync>);

/// A signed hint that something happened. What it was, the provider is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub event_id: String,
    /// The key of the payment's authorisation.
    pub payment: String,
}

/// Not a webhook of this provider, or not a recent one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    #[error("the signature cannot be read")]
    Malformed,
    #[error("the signature is not the provider's")]
    Signature,
    #[error("the signature is from another time")]
    Time,
    #[error("the body is not a notice")]
    Body,
}

#[tonic::async_trait]
pub trait Provider: Send + Sync {
    fn name(&self) -> &'static str;

    async fn authorize(&self, ask: Authorization<'_>) -> Result<Report, Failure>;

    async fn capture(&self, change: Change<'_>, amount: Money) -> Result<Report, Failure>;

    /// Lets an authorisation go. One that the provider has not heard of yet can never be granted afterwards.
    async fn void(&self, change: Change<'_>) -> Result<Report, Failure>;

    async fn refund(&self, change: Change<'_>, amount: Money, reason: &str) -> Result<Report, Failure>;

    /// How things stand; nothing when it never heard of the payment.
    async fn fetch(&self, payment: &str) -> Result<Option<Report>, Unanswered>;

    /// Checks that a webhook is the provider's own and recent, and reads what it is about.
    fn open_webhook(&self, signature: &str, body: &[u8], now: Timestamp) -> Result<Notice, Forged>;
}
