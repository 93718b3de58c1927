//! The catalogue's tables: the only place that knows how a product is kept.

mod category;
mod collection;
mod entity;
mod hot;
mod import;
mod listing;
mod migration;
mod product;
mod statement;
mod write;

pub use hot::AGE_MAX as HOT_AGE_MAX;
pub use import::{Present, Verdicts};
pub use migration::Migrator;

use std::sync::Arc;

use kit::{Database, PageError, is_taken};
use scratch::Scratch;

use self::hot::{Hot, Look};
use crate::domain::{Parts, ProductId, ProductKey};
use crate::error::Error;

/// Writers that lose a race read again and decide again, so many times.
const TRIES_MAX: usize = 5;

/// Who is looking: it goes into every WHERE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Only what is active exists, and it may be some seconds old: a page is looked at for longer.
    Shopper,
    /// Only what is active exists.
    Service,
    /// Everything exists.
    Staff,
}

/// The store of the catalogue.
#[derive(Clone)]
pub struct Store {
    database: Database,
    hot: Option<Arc<Hot>>,
}

impl Store {
    /// The store in a database that is migrated, and where hot products are kept beside it.
    pub fn new(database: Database, hot: Option<Scratch>) -> Self {
        Self { database, hot: hot.map(|scratch| Arc::new(Hot::new(scratch))) }
    }

    /// These products have these versions now: what is kept of earlier ones is shown no more. False while nobody can be
    /// told; then it goes by its age.
    pub async fn changed(&self, versions: &[(ProductId, i64)]) -> bool {
        match &self.hot {
            Some(hot) => hot.change(versions).await,
            None => true,
        }
    }

    fn hot(&self, sight: Sight) -> Option<&Hot> {
        self.hot.as_deref().filter(|_| sight == Sight::Shopper)
    }

    async fn look(&self, ids: &[ProductId], sight: Sight, parts: Parts) -> Look<'_> {
        match self.hot(sight) {
            Some(hot) => hot.look(ids, parts).await,
            None => Look::nowhere(),
        }
    }

    async fn look_at(&self, key: &ProductKey, sight: Sight, parts: Parts) -> Look<'_> {
        match self.hot(sight) {
            Some(hot) => hot.look_at(key, parts).await,
            None => Look::nowhere(),
        }
    }
}

impl Sight {
    /// The condition on a product's state, to be read after a WHERE or AND.
    fn condition(self, column: &str) -> String {
        match self {
            Sight::Shopper | Sight::Service => format!("{column} = '{}'", entity::ACTIVE),
            Sight::Staff => "1 = 1".to_owned(),
        }
    }
}

/// A text that a cursor brought. Whoever made the token up may have put in what PostgreSQL does not take.
fn key_text(text: &str) -> Result<&str, PageError> {
    match text.contains('\0') {
        true => Err(PageError::Token),
        false => Ok(text),
    }
}

/// How a transaction ended that did not succeed.
enum Failure {
    /// Somebody wrote between our reading and our writing; the same again may succeed.
    Raced,
    /// For good.
    Final(Error),
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        match error.into() {
            Error::Storage(error) if is_taken(&error) => Failure::Raced,
            error => Failure::Final(error),
        }
    }
}

/// Tries a transaction until it is not raced.
async fn settle<T, R>(mut attempt: impl FnMut() -> R) -> Result<T, Error>
where
    R: Future<Output = Result<T, Failure>>,
{
    for _ in 0..TRIES_MAX {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Raced) => {}
        }
    }
    Err(Error::Contended)
}
