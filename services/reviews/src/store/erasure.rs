//! What is kept of somebody who asked to be forgotten: ratings that name nobody.

use kit::outbox::Event as News;
use kit::{Id, Tx, erased, execute, inbox, query, requests};
use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use uuid::Uuid;

use super::{Store, votes};
use crate::domain::AccountId;
use crate::error::Error;

/// Keeps others from what is going to change, in the order of its ids: moderators from the reviews, so that none is
/// rejected between the next two statements and stays for ever, and voters from those that were voted on.
const TAKING: &str = "SELECT 1 FROM reviews WHERE id IN (
    SELECT id FROM reviews WHERE account_id = $1 UNION SELECT review_id FROM votes WHERE account_id = $1
) ORDER BY id FOR UPDATE";
/// Approved reviews stay without name and account; others, which nobody saw, go, and so does the rest.
const FORGETTING: [&str; 4] = [
    "DELETE FROM reviews WHERE account_id = $1 AND state <> 'approved'",
    "UPDATE reviews SET account_id = NULL, author_name = '', version = version + 1 WHERE account_id = $1",
    "DELETE FROM reports WHERE account_id = $1",
    "DELETE FROM purchases WHERE account_id = $1",
];

impl Store {
    /// Forgets, once per event, whom an account belonged to.
    pub async fn forget(&self, reader: &str, event: Id<News>, account: AccountId) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        if !inbox::first_time(&tx, reader, event).await? {
            return Ok(());
        }
        erased::note(&tx, account).await?;
        if tx.get_database_backend() == DbBackend::Postgres {
            query(&tx, TAKING, [account.as_uuid().into()]).await?;
        }
        for sql in FORGETTING {
            execute(&tx, sql, [account.as_uuid().into()]).await?;
        }
        let sql = "DELETE FROM votes WHERE account_id = $1 RETURNING review_id, helpful";
        for row in query(&tx, sql, [account.as_uuid().into()]).await? {
            let (review, helpful): (Uuid, bool) =
                (row.try_get("", "review_id")?, row.try_get("", "helpful")?);
            votes::shift(&tx, review, Some(helpful), None).await?;
        }
        requests::forget(&tx, account).await?;
        tx.commit().await
    }
}

/// Refuses what comes late from an account that is erased: its tokens are good for some minutes more.
pub async fn refuse_erased(tx: &Tx, account: AccountId) -> Result<(), Error> {
    match erased::is_noted(tx, account).await? {
        true => Err(Error::SignInRequired),
        false => Ok(()),
    }
}
