//! Everything the catalogue can answer besides yes.

use kit::{PageError, RequestError};
use sea_orm::DbErr;

use crate::domain::Refusal;
use crate::sheet::Unreadable;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The catalogue's own no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The page token was not given for this list.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The request came before with another payload, or runs at this moment.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The file cannot be read on.
    #[error(transparent)]
    File(#[from] Unreadable),
    /// The messages of an import do not follow each other as they should.
    #[error("the first message must be `start`, the others `chunk`")]
    OutOfOrder,
    /// The answer would not fit a message.
    #[error("the answer would be too large: ask for fewer, or for fewer fields by read_mask")]
    AnswerTooLarge(&'static str),
    /// Somebody else was faster again and again.
    #[error("too many writers at once")]
    Contended,
    /// The store failed.
    #[error("the catalogue's store failed")]
    Storage(#[source] DbErr),
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        Error::Storage(error)
    }
}
