//! Everything that notifications can answer besides yes.

use kit::{PageError, UnknownCurrency};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such template")]
    TemplateNotFound,
    #[error(transparent)]
    Page(#[from] PageError),
    #[error("the mail cannot be written")]
    Unwritten(#[from] askama::Error),
    #[error("the sample of a preview is malformed")]
    Sample(#[from] UnknownCurrency),
}
