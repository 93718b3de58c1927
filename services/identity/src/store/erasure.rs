//! What is kept about somebody: all of it shown, or all of it gone.

use kit::{Once, Page, PageLimits, RequestKey, Timestamp, execute, requests};

use super::rights::{leave_an_admin, take_turn};
use super::{Export, Store, announce, find_in, lock, throttle};
use crate::domain::address::ADDRESSES_MAX;
use crate::domain::{AccountId, EVENTS_KEPT_MAX, WISHLIST_MAX};
use crate::error::Error;
use crate::events::News;

/// What goes with an account; sessions take their refresh tokens along.
const BELONGINGS: [&str; 5] = ["sessions", "links", "addresses", "wishlist_items", "login_events"];

impl Store {
    /// Erases an account whose password was verified a moment ago. Its row stays as a tombstone that names nobody.
    pub async fn erase(
        &self,
        key: &RequestKey,
        id: AccountId,
        password_hash: &str,
        subject: impl FnOnce(&crate::domain::Email) -> Vec<u8>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(_) => return Ok(()),
            Once::First(tx) => tx,
        };
        take_turn(&tx).await?;
        lock(&tx, id).await?;
        let account = find_in(&**tx, id).await?;
        let sql = "DELETE FROM credentials WHERE account_id = $1 AND password_hash = $2";
        if execute(&**tx, sql, [id.as_uuid().into(), password_hash.into()]).await? == 0 {
            return Err(Error::CredentialsWrong);
        }
        leave_an_admin(&tx, &account).await?;
        for table in BELONGINGS {
            let sql = format!("DELETE FROM {table} WHERE account_id = $1");
            execute(&**tx, &sql, [id.as_uuid().into()]).await?;
        }
        let email = account.email.as_str();
        execute(&**tx, "DELETE FROM mail_requests WHERE email = $1", [email.into()]).await?;
        throttle::forget(&tx, &subject(&account.email)).await?;
        let sql = "UPDATE accounts SET email = NULL, email_verified = FALSE, given_name = '', family_name = '',
                       role = 'customer', permissions = '', language = '', currency_code = '', country_code = '',
                       marketing_mail = FALSE, updated = $2, version = version + 1, erased = $2
                   WHERE id = $1";
        execute(&**tx, sql, [id.as_uuid().into(), now.into()]).await?;
        requests::forget(&tx, id).await?;
        announce(&tx, id, now, News::Erased).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Everything that is kept about an account. Each list is within its own limit.
    pub async fn export(&self, id: AccountId) -> Result<Export, Error> {
        let first = |max: u64| {
            let limits = PageLimits { default: max, max };
            Page::parse(0, "", &(), limits)
        };
        Ok(Export {
            account: self.find(id).await?,
            sessions: self.kept_sessions(id, EVENTS_KEPT_MAX).await?,
            login_events: self.login_events(id, &first(EVENTS_KEPT_MAX)?).await?.items,
            addresses: self
                .addresses(id, &first(u64::try_from(ADDRESSES_MAX).unwrap_or_default())?)
                .await?
                .items,
            wishlist: self
                .wishlist(id, &first(u64::try_from(WISHLIST_MAX).unwrap_or_default())?)
                .await?
                .items,
        })
    }
}
