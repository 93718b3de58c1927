//! Links that come by mail, and the mails that people ask for.

use kit::{Once, RequestKey, Timestamp, Tx, execute, query};
use sea_orm::DbErr;
use uuid::Uuid;

use super::{Store, announce, audit, find_by_email_in, find_in, lock, save, session, throttle};
use crate::domain::session::Client;
use crate::domain::throttle::Gate;
use crate::domain::token::TokenHash;
use crate::domain::{Account, AccountId, Email, Incident, MailKind, Purpose};
use crate::error::Error;
use crate::events::{News, SealedMail};

/// The half of a link that stays here.
pub struct Link {
    pub hash: TokenHash,
    pub purpose: Purpose,
    pub expires: Timestamp,
}

/// A mail with the link that stands in it.
pub struct Letter {
    pub link: Link,
    pub mail: SealedMail,
}

/// A mail that somebody asked for. Whether the address has an account is looked up later, when nobody measures it.
pub struct MailRequest {
    id: Uuid,
    pub kind: MailKind,
    email: Email,
}

impl Store {
    /// Takes note of the wish. The same is done for every address; a wish that waits already is not noted twice.
    pub async fn ask_for_mail(
        &self,
        key: &RequestKey,
        kind: MailKind,
        email: &Email,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(_) => return Ok(()),
            Once::First(tx) => tx,
        };
        let sql = "INSERT INTO mail_requests (id, kind, email, asked) VALUES ($1, $2, $3, $4)
                   ON CONFLICT (email, kind) DO NOTHING";
        let values = [Uuid::now_v7().into(), kind.as_str().into(), email.as_str().into(), now.into()];
        execute(&**tx, sql, values).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The wishes that wait, oldest first.
    pub async fn mail_requests(&self, limit: i64) -> Result<Vec<MailRequest>, Error> {
        let sql = "SELECT id, kind, email FROM mail_requests ORDER BY id LIMIT $1";
        let mut requests = Vec::new();
        for row in query(self.database.read(), sql, [limit.into()]).await? {
            let id: Uuid = row.try_get("", "id")?;
            let malformed = || DbErr::Type(format!("mail request {id} is malformed"));
            let kind = MailKind::named(&row.try_get::<String>("", "kind")?).ok_or_else(malformed)?;
            let email = row.try_get::<String>("", "email")?.parse().map_err(|_| malformed())?;
            requests.push(MailRequest { id, kind, email });
        }
        Ok(requests)
    }

    /// Writes the mail if the address has an account that it fits. Of several processes one does it.
    pub async fn write_mail(
        &self,
        request: &MailRequest,
        gate: impl FnOnce(&Email) -> Gate,
        letter: impl FnOnce(&Account) -> Result<Letter, Error>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = self.database.begin().await?;
        let claimed = execute(&*tx, "DELETE FROM mail_requests WHERE id = $1", [request.id.into()]).await?;
        if claimed == 0 {
            return Ok(());
        }
        let account = find_by_email_in(&*tx, &request.email).await?;
        let fits = |account: &Account| request.kind != MailKind::VerifyEmail || !account.email_verified;
        if let Some(account) = account.filter(fits) {
            lock(&tx, account.id).await?;
            let gate = gate(&account.email);
            if let Some(mail) = self.mail_within(&tx, &account, &gate, now, letter).await? {
                announce(&tx, account.id, now, News::MailRequested(mail)).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Whose link it is, if it still works.
    pub async fn link_owner(
        &self,
        hash: &TokenHash,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Account, Error> {
        let sql =
            "SELECT account_id FROM links WHERE hash = $1 AND purpose = $2 AND used IS NULL AND expires > $3";
        let values = [hash.to_vec().into(), purpose.as_str().into(), now.into()];
        let rows = query(self.database.read(), sql, values).await?;
        let row = rows.first().ok_or(Error::TokenNotUsable)?;
        let owner = AccountId::from_uuid(row.try_get("", "account_id")?);
        self.find(owner).await.map_err(|_| Error::TokenNotUsable)
    }

    pub async fn verify_email(
        &self,
        key: &RequestKey,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(_) => return Ok(()),
            Once::First(tx) => tx,
        };
        let mut account = use_link(&tx, hash, Purpose::VerifyEmail, now).await?;
        verified(&tx, &mut account, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Sets a new password and ends every session. Whoever has the link reads the mails of the address, so that the
    /// address counts as verified, too; other links of the kind stop working.
    pub async fn reset_password(
        &self,
        key: &RequestKey,
        hash: &TokenHash,
        password_hash: &str,
        subject: impl FnOnce(&Email) -> Vec<u8>,
        notice: impl FnOnce(&Account) -> Result<SealedMail, Error>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(_) => return Ok(()),
            Once::First(tx) => tx,
        };
        let mut account = use_link(&tx, hash, Purpose::ResetPassword, now).await?;
        verified(&tx, &mut account, now).await?;
        let sql = "UPDATE credentials SET password_hash = $2 WHERE account_id = $1";
        execute(&**tx, sql, [account.id.as_uuid().into(), password_hash.into()]).await?;
        session::end_all(&tx, account.id, None, now).await?;
        void_links(&tx, account.id, now).await?;
        throttle::forget(&tx, &subject(&account.email)).await?;
        audit::note(&tx, Some(account.id), Incident::PasswordReset, &Client::default(), now).await?;
        announce(&tx, account.id, now, News::PasswordChanged(notice(&account)?)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Replaces the password that was verified a moment ago, and ends every session but one.
    pub async fn change_password(
        &self,
        key: &RequestKey,
        account: &Account,
        (present, new): (&str, &str),
        (kept, gate): (crate::domain::session::SessionId, &Gate),
        (notice, now): (SealedMail, Timestamp),
    ) -> Result<(), Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(_) => return Ok(()),
            Once::First(tx) => tx,
        };
        lock(&tx, account.id).await?;
        let sql = "UPDATE credentials SET password_hash = $3 WHERE account_id = $1 AND password_hash = $2";
        let values = [account.id.as_uuid().into(), present.into(), new.into()];
        if execute(&**tx, sql, values).await? == 0 {
            return Err(Error::CredentialsWrong);
        }
        session::end_all(&tx, account.id, Some(kept), now).await?;
        void_links(&tx, account.id, now).await?;
        throttle::release(&tx, gate).await?;
        audit::note(&tx, Some(account.id), Incident::PasswordChanged, &Client::default(), now).await?;
        announce(&tx, account.id, now, News::PasswordChanged(notice)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Writes a mail's link unless the address has had enough mails.
    pub(super) async fn mail_within(
        &self,
        tx: &Tx,
        account: &Account,
        gate: &Gate,
        now: Timestamp,
        letter: impl FnOnce(&Account) -> Result<Letter, Error>,
    ) -> Result<Option<SealedMail>, Error> {
        if !matches!(throttle::count(tx, gate, now).await?, throttle::Counted::Within) {
            return Ok(None);
        }
        let Letter { link, mail } = letter(account)?;
        let owner = account.id.as_uuid();
        let sql = "INSERT INTO links (hash, account_id, purpose, expires) VALUES ($1, $2, $3, $4)";
        let values =
            [link.hash.to_vec().into(), owner.into(), link.purpose.as_str().into(), link.expires.into()];
        execute(&**tx, sql, values).await?;
        Ok(Some(mail))
    }
}

/// Locks the account of a link, and then uses the link up: whoever changes a password voids links in this order, too.
async fn use_link(tx: &Tx, hash: &TokenHash, purpose: Purpose, now: Timestamp) -> Result<Account, Error> {
    let rows = query(&**tx, "SELECT account_id FROM links WHERE hash = $1", [hash.to_vec().into()]).await?;
    let row = rows.first().ok_or(Error::TokenNotUsable)?;
    let owner = AccountId::from_uuid(row.try_get("", "account_id")?);
    match lock(tx, owner).await {
        Err(Error::AccountNotFound) => return Err(Error::TokenNotUsable),
        locked => locked?,
    }
    let sql = "UPDATE links SET used = $3 WHERE hash = $1 AND purpose = $2 AND used IS NULL AND expires > $3";
    match execute(&**tx, sql, [hash.to_vec().into(), purpose.as_str().into(), now.into()]).await? {
        0 => Err(Error::TokenNotUsable),
        _ => find_in(&**tx, owner).await,
    }
}

async fn verified(tx: &Tx, account: &mut Account, now: Timestamp) -> Result<(), Error> {
    if account.email_verified {
        return Ok(());
    }
    account.verify_email(now);
    save(tx, account).await?;
    audit::note(tx, Some(account.id), Incident::EmailVerified, &Client::default(), now).await?;
    Ok(announce(tx, account.id, now, News::EmailVerified).await?)
}

/// Links that set a password stop working once one was set.
async fn void_links(tx: &Tx, account: AccountId, now: Timestamp) -> Result<(), DbErr> {
    let sql =
        "UPDATE links SET used = $2 WHERE account_id = $1 AND purpose = 'reset_password' AND used IS NULL";
    execute(&**tx, sql, [account.as_uuid().into(), now.into()]).await.map(drop)
}
