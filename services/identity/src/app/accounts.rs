//! Accounts: opening, showing, changing, and the rights of staff.

use std::collections::HashMap;

use kit::{Listed, Page, RequestKey, Timestamp};
use mesh::Caller;

use super::{Identity, asked, signed_in, weak};
use crate::domain::password::Password;
use crate::domain::rights::{Rights, Role};
use crate::domain::session::Network;
use crate::domain::{Account, AccountId, Changes, Email, LoginEvent, Name, Preferences};
use crate::error::Error;

/// Somebody who wants an account.
pub struct Newcomer {
    pub email: Email,
    pub password: Password,
    pub name: Name,
    pub preferences: Preferences,
}

impl Newcomer {
    pub fn account(&self, rights: Rights, email_verified: bool, now: Timestamp) -> Account {
        Account {
            id: AccountId::new(),
            email: self.email.clone(),
            email_verified,
            name: self.name.clone(),
            rights,
            preferences: self.preferences.clone(),
            created: now,
            updated: now,
            version: 1,
        }
    }
}

impl Identity {
    /// Hashes the password and writes a mail, whether or not the address has an account.
    pub async fn register(
        &self,
        key: &RequestKey,
        newcomer: Newcomer,
        network: &Network,
    ) -> Result<(), Error> {
        newcomer.password.apart_from(&newcomer.email).map_err(weak("password"))?;
        let now = self.clock.now();
        if self.store.answered(key).await? {
            return Ok(());
        }
        let place = self.hasher.newcomers_place()?;
        self.store.pass(&self.secrets.registrations_gate(network), now).await?;
        let hash = self.hasher.hash(place, newcomer.password.secret().clone()).await?;
        let account = newcomer.account(Rights::customer(), false, now);
        let gate = self.secrets.mail_gate(&account.email);
        let letter = |account: &Account, kind| self.letter(account, kind, now);
        self.store.register(key, account, &hash, &gate, letter).await
    }

    pub async fn get(&self, caller: &Caller, account: Option<AccountId>) -> Result<Account, Error> {
        self.store.find(asked(caller, account)?).await
    }

    pub async fn batch_get(&self, ids: &[AccountId]) -> Result<HashMap<AccountId, Account>, Error> {
        self.store.find_many(ids).await
    }

    pub async fn list(&self, role: Option<Role>, page: &Page) -> Result<Listed<Account>, Error> {
        self.store.page(role, page).await
    }

    pub async fn update(
        &self,
        caller: &Caller,
        key: &RequestKey,
        etag: Option<i64>,
        changes: &Changes,
    ) -> Result<Account, Error> {
        let (account, _) = signed_in(caller)?;
        self.store.update(key, account, etag, changes, self.clock.now()).await
    }

    pub async fn create_staff(
        &self,
        caller: &Caller,
        key: &RequestKey,
        newcomer: Newcomer,
        rights: Rights,
    ) -> Result<Account, Error> {
        let (actor, _) = signed_in(caller)?;
        newcomer.password.apart_from(&newcomer.email).map_err(weak("password"))?;
        let hash = self.hasher.hash(self.hasher.place()?, newcomer.password.secret().clone()).await?;
        let account = newcomer.account(rights, true, self.clock.now());
        self.store.create_staff(key, actor, account, &hash).await
    }

    pub async fn set_rights(
        &self,
        caller: &Caller,
        key: &RequestKey,
        account: AccountId,
        rights: &Rights,
    ) -> Result<Account, Error> {
        let (actor, _) = signed_in(caller)?;
        self.store.set_rights(key, actor, account, rights, self.clock.now()).await
    }

    pub async fn login_events(
        &self,
        caller: &Caller,
        account: Option<AccountId>,
        page: &Page,
    ) -> Result<Listed<LoginEvent>, Error> {
        self.store.login_events(asked(caller, account)?, page).await
    }
}
