//! Passwords: forgotten, changed, and given once more before an account is erased.

use kit::RequestKey;
use mesh::Caller;
use secrecy::SecretString;

use super::{Identity, signed_in, weak};
use crate::domain::password::Password;
use crate::domain::token::TokenHash;
use crate::domain::{Account, AccountId, Email, Purpose};
use crate::error::Error;

impl Identity {
    pub async fn verify_email(&self, key: &RequestKey, link: &TokenHash) -> Result<(), Error> {
        self.store.verify_email(key, link, self.clock.now()).await
    }

    pub async fn reset_password(
        &self,
        key: &RequestKey,
        link: &TokenHash,
        new: Password,
    ) -> Result<(), Error> {
        if self.store.answered(key).await? {
            return Ok(());
        }
        // Looked at before the dear part; it is used up in the end, by one of those who hold it.
        let owner = self.store.link_owner(link, Purpose::ResetPassword, self.clock.now()).await?;
        new.apart_from(&owner.email).map_err(weak("new_password"))?;
        let hash = self.hasher.hash(self.hasher.place()?, new.secret().clone()).await?;
        let subject = |email: &Email| self.secrets.login_subject(email);
        let notice = |account: &Account| self.notice(account);
        self.store.reset_password(key, link, &hash, subject, notice, self.clock.now()).await
    }

    pub async fn change_password(
        &self,
        caller: &Caller,
        key: &RequestKey,
        present: SecretString,
        new: Password,
    ) -> Result<(), Error> {
        let (id, session) = signed_in(caller)?;
        if self.store.answered(key).await? {
            return Ok(());
        }
        let account = self.store.find(id).await?;
        new.apart_from(&account.email).map_err(weak("new_password"))?;
        let present = self.confirm(id, present).await?;
        let hash = self.hasher.hash(self.hasher.place()?, new.secret().clone()).await?;
        let gate = self.secrets.present_gate(id);
        let notice = self.notice(&account)?;
        self.store
            .change_password(key, &account, (&present, &hash), (session, &gate), (notice, self.clock.now()))
            .await
    }

    pub async fn erase(
        &self,
        caller: &Caller,
        key: &RequestKey,
        password: SecretString,
    ) -> Result<(), Error> {
        let (id, _) = signed_in(caller)?;
        if self.store.answered(key).await? {
            return Ok(());
        }
        let erased = match self.confirm(id, password).await {
            Ok(present) => {
                let subject = |email: &Email| self.secrets.login_subject(email);
                self.store.erase(key, id, &present, subject, self.clock.now()).await
            }
            Err(error) => Err(error),
        };
        match erased {
            // The same request, sent twice at once: the other one was first, and there is no account any more.
            Err(_) if self.store.answered(key).await? => Ok(()),
            erased => erased,
        }
    }

    /// Checks the present password of somebody who is signed in: a stolen token must not be enough, and must not be a
    /// way to try passwords either. Answers its hash, by which the effect knows that it is still the present one.
    async fn confirm(&self, account: AccountId, password: SecretString) -> Result<String, Error> {
        let gate = self.secrets.present_gate(account);
        let now = self.clock.now();
        let hash = self.store.password_hash(account).await?;
        self.store.refuse_closed(std::slice::from_ref(&gate), now).await?;
        let place = self.hasher.place()?;
        self.store.pass(&gate, now).await?;
        match self.hasher.verify(place, password, Some(hash.clone())).await? {
            true => Ok(hash),
            false => Err(Error::CredentialsWrong),
        }
    }
}
