//! Everything that cart can answer besides yes.

use kit::RequestError;
use sea_orm::DbErr;
use tonic::Status;

use crate::domain::Refusal;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("there is no such cart")]
    NotFound,
    #[error("the cart has changed since it was read")]
    Conflict,
    /// What was asked of others does not fit the cart any more: it is asked again.
    #[error("the cart changed while others were asked about it")]
    Outrun,
    #[error("{service} did not answer")]
    Upstream { service: &'static str, source: Box<Status> },
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("the store failed")]
    Storage(#[from] DbErr),
    #[error("Redis did not do what it was told")]
    Redis(#[from] redis::RedisError),
    #[error("Redis holds something that is no cart of this service: {0}")]
    Malformed(String),
}
