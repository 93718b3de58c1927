//! Everything that pricing can answer besides yes.

use kit::{PageError, RequestError};
use sea_orm::DbErr;
use tonic::Status;

use crate::domain::{Code, DiscountId, MethodId, Refusal};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("there is no such discount")]
    DiscountNotFound(DiscountId),
    #[error("there is no such shipping method")]
    MethodNotFound(MethodId),
    #[error("another discount has this code")]
    CodeTaken(Code),
    #[error("it has changed since it was read")]
    Conflict,
    #[error("the catalogue did not answer")]
    Catalogue(#[source] Box<Status>),
    #[error("the catalogue answered what cannot be read: {0}")]
    Malformed(&'static str),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Page(#[from] PageError),
    #[error("the store failed")]
    Storage(#[from] DbErr),
}
