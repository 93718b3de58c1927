//! Everything that reviews can answer besides yes.

use kit::{PageError, RequestError};
use sea_orm::DbErr;

use crate::domain::{Refusal, ReviewId};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("there is no such review")]
    NotFound(ReviewId),
    #[error("this account has reviewed this product before")]
    AlreadyReviewed(ReviewId),
    #[error("the review has changed since it was read")]
    Conflict,
    #[error("sign in to do this")]
    SignInRequired,
    #[error("the moderation queue is for moderators")]
    NotModerator,
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Page(#[from] PageError),
    #[error("the store failed")]
    Storage(#[from] DbErr),
}
