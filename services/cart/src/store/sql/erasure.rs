//! The cart of somebody who asked to be forgotten.

use kit::outbox::Event as News;
use kit::{Id, erased, execute, inbox, requests};
use sea_orm::DbErr;

use super::Sql;
use crate::domain::AccountId;

impl Sql {
    /// Removes, once per event, the account's cart with all that is kept of it.
    pub async fn forget(&self, reader: &str, event: Id<News>, account: AccountId) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        if !inbox::first_time(&tx, reader, event).await? {
            return Ok(());
        }
        erased::note(&tx, account).await?;
        execute(&tx, "DELETE FROM carts WHERE account_id = $1", [account.as_uuid().into()]).await?;
        requests::forget(&tx, account).await?;
        tx.commit().await
    }
}
