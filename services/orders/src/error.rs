//! Everything that orders can answer besides yes.

use kit::{PageError, RequestError};
use sea_orm::DbErr;
use tonic::Status;

use crate::domain::Refusal;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("there is no such checkout")]
    CheckoutNotFound,
    #[error("there is no such order")]
    OrderNotFound,
    #[error("it was changed meanwhile")]
    Conflict,
    #[error("sign in to do this")]
    SignInRequired,
    #[error("the account lacks a permission for this")]
    PermissionMissing,
    #[error("the first message must be `start`, the others `chunk`")]
    StreamOutOfOrder,
    /// Another service refused for a reason that is the caller's business.
    #[error("{service} refused")]
    RefusedBy { service: &'static str, status: Box<Status> },
    #[error("{service} did not answer")]
    Upstream { service: &'static str, source: Box<Status> },
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Page(#[from] PageError),
    #[error("the store failed")]
    Storage(#[from] DbErr),
}
