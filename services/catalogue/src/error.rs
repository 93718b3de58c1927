//! Everything the catalogue can answer besides yes.

use kit::{PageError, RequestError};
use sea_orm::DbErr;

use crate::domain::Refusal;
use crate::sheet::Unreadable;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Page(#[from] PageError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    File(#[from] Unreadable),
    #[error("the first message must be `start`, the others `chunk`")]
    OutOfOrder,
    #[error("the answer would be too large: ask for fewer, or for fewer fields by read_mask")]
    AnswerTooLarge(&'static str),
    #[error("too many writers at once")]
    Contended,
    #[error("the store failed")]
    Storage(#[from] DbErr),
}
