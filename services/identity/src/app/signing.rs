//! Signs access tokens, with keys that follow each other.
//!
//! The tables hold no private key: its 32 bytes are the keyed hash of a salt that stands there, under the secret of the
//! process. So a copy of the database signs nothing, and neither does the secret alone.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kit::{Clock, Listed, Page, Timestamp};
use mesh::User;
use mesh::tokens::{Claims, SigningPair};

use super::secrets::Secrets;
use crate::domain::key::{Key, Rotation};
use crate::error::Error;
use crate::store::Store;
use crate::store::key::NewKey;

#[derive(Clone)]
pub struct Signer {
    store: Store,
    secrets: Secrets,
    rotation: Rotation,
    clock: Clock,
}

impl Signer {
    pub fn new(store: Store, secrets: Secrets, rotation: Rotation, clock: Clock) -> Self {
        Self { store, secrets, rotation, clock }
    }

    pub fn token_life(&self) -> Duration {
        self.rotation.token_life
    }

    /// A token that says who this is.
    pub async fn sign(&self, user: &User, now: Timestamp) -> Result<String, Error> {
        let pair = match self.pair(now).await? {
            Some(pair) => pair,
            None => {
                self.rotate().await?;
                self.pair(now).await?.ok_or(Error::NoKey)?
            }
        };
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        Ok(pair.sign(&Claims::new(user, seconds, self.rotation.token_life))?)
    }

    /// The public halves, the newest first; there is always one.
    pub async fn published(&self, page: &Page) -> Result<Listed<Key>, Error> {
        self.rotate().await?;
        self.store.published_keys(page, self.clock.now()).await
    }

    /// Makes the next key when it is time. Several processes may do so at once: one of them wins.
    pub async fn rotate(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let keys = self.store.keys().await?;
        let last = keys.iter().map(|key| key.generation).max().unwrap_or_default();
        let own: Vec<Key> = keys.into_iter().filter(|key| self.open(key).is_some()).collect();
        let Some(planned) = self.rotation.due(&own, last, now) else { return Ok(()) };
        let salt: [u8; 32] = rand::random();
        let id = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 12]>());
        let pair = self.derive(&id, &salt)?;
        let predecessors = own.into_iter().map(|key| key.id).collect();
        let key = NewKey { id: &id, salt: &salt, public: &pair.public().public_key, planned, predecessors };
        self.store.publish_key(key, now).await
    }

    async fn pair(&self, now: Timestamp) -> Result<Option<SigningPair>, Error> {
        let mut own: Vec<Key> = self.store.keys().await?;
        own.retain(|key| self.open(key).is_some());
        Ok(self.rotation.signer(&own, now).and_then(|key| self.open(key)))
    }

    /// The private half, if the key was made under the secret of this process.
    fn open(&self, key: &Key) -> Option<SigningPair> {
        let pair = self.derive(&key.id, &key.salt).ok()?;
        (pair.public().public_key == key.public).then_some(pair)
    }

    fn derive(&self, id: &str, salt: &[u8]) -> Result<SigningPair, Error> {
        let seed = self.secrets.mac("signing key", &[id.as_bytes(), salt]);
        Ok(SigningPair::from_seed(id, &seed)?)
    }
}
