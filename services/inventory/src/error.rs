//! Everything that inventory can answer besides yes.

use kit::{PageError, RequestError};
use sea_orm::DbErr;

use crate::domain::{LocationId, Refusal, ReservationId};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("there is no such reservation")]
    ReservationNotFound(ReservationId),
    #[error("there is no such location")]
    LocationNotFound(LocationId),
    #[error("the stock has changed since it was read")]
    Conflict,
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Page(#[from] PageError),
    #[error("the store failed")]
    Storage(#[from] DbErr),
}
