//! Signing in, staying signed in, signing out.

use kit::{Listed, Page, RequestKey, Timestamp};
use mesh::{Caller, User};
use secrecy::SecretString;

use super::secrets::Fresh;
use super::{Identity, signed_in};
use crate::domain::key::Key;
use crate::domain::rights::{Permission, Role};
use crate::domain::session::{Client, Session, SessionId};
use crate::domain::token::TokenHash;
use crate::domain::{Account, Email};
use crate::error::Error;
use crate::store::{NewSession, Refresh};

/// What a client needs to act for an account.
pub struct Tokens {
    pub access: SecretString,
    pub access_expires: Timestamp,
    pub refresh: SecretString,
    pub refresh_expires: Timestamp,
}

impl Identity {
    /// An address without an account costs the same steps: gates, one slow hash, one line of audit.
    pub async fn log_in(
        &self,
        email: &Email,
        password: SecretString,
        client: Client,
    ) -> Result<(Tokens, Account), Error> {
        let now = self.clock.now();
        let candidate = self.store.candidate(email, &client.network).await?;
        let familiar = candidate.as_ref().is_some_and(|candidate| candidate.familiar);
        let gates = self.secrets.login_gates(email, &client.network, familiar);
        self.store.refuse_closed(&gates, now).await?;
        // The address from everywhere that is strange to it, else from this network alone: one never waits for the other.
        let shared = if familiar { gates.first() } else { gates.last() };
        let _turn = match shared {
            Some(gate) => self.turns.turn(gate).await,
            None => None,
        };
        self.store.refuse_closed(&gates, now).await?;
        let place = self.hasher.place()?;
        let account = candidate.as_ref().map(|candidate| candidate.account);
        self.store.admit(&gates, account, &client, now).await?;
        let hash = candidate.as_ref().map(|candidate| candidate.password_hash.clone());
        let right = self.hasher.verify(place, password, hash).await?;
        let Some(candidate) = candidate.filter(|_| right) else {
            self.store.refuse(&gates, account, &client, now).await?;
            return Err(Error::CredentialsWrong);
        };
        let token = Fresh::token();
        let session = Session::open(candidate.account, client, now);
        let new = NewSession { session: session.clone(), token: token.hash };
        let account = self.store.open(new, &candidate.password_hash, &gates).await?;
        Ok((self.tokens(&session, &account, token.text, now).await?, account))
    }

    pub async fn refresh(&self, presented: TokenHash, client: Client) -> Result<(Tokens, Account), Error> {
        let now = self.clock.now();
        let token = Fresh::token();
        let refresh = Refresh { presented, next: token.hash, client, now };
        let (session, account) = self.store.refresh(refresh).await?;
        Ok((self.tokens(&session, &account, token.text, now).await?, account))
    }

    pub async fn log_out(&self, key: &RequestKey, token: &TokenHash) -> Result<(), Error> {
        self.store.log_out(key, token, self.clock.now()).await
    }

    pub async fn sessions(
        &self,
        caller: &Caller,
        page: &Page,
    ) -> Result<(Listed<Session>, SessionId), Error> {
        let (account, current) = signed_in(caller)?;
        Ok((self.store.sessions(account, page, self.clock.now()).await?, current))
    }

    pub async fn revoke(&self, caller: &Caller, key: &RequestKey, session: SessionId) -> Result<(), Error> {
        let (account, _) = signed_in(caller)?;
        self.store.revoke(key, account, session, self.clock.now()).await
    }

    pub async fn signing_keys(&self, page: &Page) -> Result<Listed<Key>, Error> {
        self.signer.published(page).await
    }

    async fn tokens(
        &self,
        session: &Session,
        account: &Account,
        refresh: SecretString,
        now: Timestamp,
    ) -> Result<Tokens, Error> {
        let access = self.signer.sign(&user(session, account), now).await?;
        Ok(Tokens {
            access: SecretString::from(access),
            access_expires: now + self.signer.token_life(),
            refresh,
            refresh_expires: session.expires,
        })
    }
}

/// What a token says.
fn user(session: &Session, account: &Account) -> User {
    User {
        account: account.id.as_uuid(),
        session: session.id.as_uuid(),
        role: match account.rights.role() {
            Role::Customer => mesh::Role::Customer,
            Role::Staff => mesh::Role::Staff,
            Role::Admin => mesh::Role::Admin,
        },
        permissions: account.rights.permissions().map(Permission::as_str).map(str::to_owned).collect(),
    }
}
