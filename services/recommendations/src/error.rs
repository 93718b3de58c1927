//! Everything that recommendations can answer besides yes.

use kit::PageError;
use sea_orm::DbErr;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a history is shown to its owner, and to staff with orders.read")]
    HistoryOfAnother,
    #[error("sign in to do this")]
    SignInRequired,
    #[error(transparent)]
    Page(#[from] PageError),
    #[error("the store failed")]
    Storage(#[from] DbErr),
}
