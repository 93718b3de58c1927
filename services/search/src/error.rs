//! Everything that search can answer besides yes.

use kit::PageError;
use tonic::Status;

use crate::store::Fault;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the index is being built")]
    NotReady,
    #[error("{service} did not answer")]
    Upstream { service: &'static str, source: Box<Status> },
    #[error(transparent)]
    Page(#[from] PageError),
    #[error("the store failed")]
    Storage(#[from] Fault),
}
