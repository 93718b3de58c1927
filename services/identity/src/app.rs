//! One method per RPC: who asks, what he may see, what is decided.

pub mod accounts;
mod books;
pub mod bootstrap;
mod hashing;
mod mails;
mod passwords;
mod secrets;
mod sessions;
mod signing;
mod turns;
mod work;

use std::time::Duration;

use kit::{Clock, Database, Id};
use mesh::Caller;
use sealing::Sealer;
use secrecy::SecretString;

use crate::domain::AccountId;
use crate::domain::key::Rotation;
use crate::domain::password::Weakness;
use crate::domain::session::SessionId;
use crate::error::Error;
use crate::store::Store;

use hashing::Hasher;
use secrets::Secrets;
use signing::Signer;
use turns::Turns;

pub use sessions::Tokens;

/// What lets staff see accounts.
pub const READ: &str = "accounts.read";

/// What identity must be told from outside.
#[derive(Clone)]
pub struct Settings {
    /// Seals mails to notifications, the only one that can open them.
    pub sealer: Sealer,
    /// The secret of the process, the same in all of its kind: 32 random bytes or more, in any writing. Private signing
    /// keys follow from it, and so do the names of what throttles count.
    pub key_secret: SecretString,
    /// How long an access token lives; above 10 minutes it is 10 minutes.
    pub access_life: Duration,
    /// A signing key signs for so long, 2 minutes or more.
    pub key_rotation: Duration,
    /// The next one is published so long before it signs: at least as long as a verifier rests between two fetches.
    pub key_published_before: Duration,
    /// Passwords hashed at the same time: as many as there are cores.
    pub hashes_at_once: usize,
    /// Passwords that may wait for that, and a quarter as many again of those who register; more are refused. Not more than can be hashed before a call's time is over: at
    /// 25 ms each, 64 per core take less than two seconds.
    pub hashes_waiting_max: usize,
    /// How often background work looks for something to do. Mails that were asked for wait at most so long.
    pub work_interval: Duration,
}

#[derive(Clone)]
pub struct Identity {
    store: Store,
    clock: Clock,
    hasher: Hasher,
    turns: Turns,
    signer: Signer,
    secrets: Secrets,
    sealer: Sealer,
    work_interval: Duration,
}

impl Identity {
    pub fn new(database: Database, settings: Settings, clock: Clock) -> Self {
        let store = Store::new(database);
        let secrets = Secrets::new(settings.key_secret);
        let rotation = Rotation {
            every: settings.key_rotation,
            published_before: settings.key_published_before,
            token_life: settings.access_life.min(mesh::tokens::LIFE_MAX),
        };
        Self {
            signer: Signer::new(store.clone(), secrets.clone(), rotation, clock.clone()),
            hasher: Hasher::new(settings.hashes_at_once, settings.hashes_waiting_max),
            turns: Turns::new(),
            sealer: settings.sealer,
            work_interval: settings.work_interval,
            store,
            clock,
            secrets,
        }
    }

    /// A text that names a secret without giving it away: who has the tables cannot try secrets against it.
    pub fn name_of(&self, kind: &str, secret: &str) -> String {
        self.secrets.name(kind, secret)
    }
}

/// The account and the session of who is signed in.
fn signed_in(caller: &Caller) -> Result<(AccountId, SessionId), Error> {
    let user = caller.user.as_ref().ok_or(Error::SignInRequired)?;
    Ok((Id::from_uuid(user.account), Id::from_uuid(user.session)))
}

/// The account that is asked for: one's own when none is named, another's for staff.
fn asked(caller: &Caller, account: Option<AccountId>) -> Result<AccountId, Error> {
    let (own, _) = signed_in(caller)?;
    match account {
        Some(other) if other != own && !caller.may(READ) => Err(Error::AccountNotFound),
        Some(account) => Ok(account),
        None => Ok(own),
    }
}

fn weak(field: &'static str) -> impl Fn(Weakness) -> Error {
    move |weakness| Error::PasswordWeak { field, weakness }
}

#[cfg(test)]
mod tests;
