//! Everything that payments can answer besides yes.

use kit::{PageError, RequestError};
use sea_orm::DbErr;

use crate::domain::{PaymentId, Refusal};
use crate::provider::{Forged, Unanswered};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("there is no such payment")]
    NotFound(PaymentId),
    #[error("there is no such payment provider")]
    ProviderUnknown,
    #[error("the payment provider does not answer; send the same request again")]
    ProviderUnavailable(#[from] Unanswered),
    #[error("the webhook is not signed by the provider, or too old")]
    WebhookRefused(#[from] Forged),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Page(#[from] PageError),
    #[error("the store failed")]
    Storage(#[from] DbErr),
}
