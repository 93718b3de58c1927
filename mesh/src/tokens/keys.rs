//! The present keys, fetched when one is missing or all are old, by one caller at a time.

use std::collections::HashMap;
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use observability::names;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tonic::Status;

use crate::context::{self, Context};
use crate::tokens::{FetchKeys, SigningKey, TokenError};

/// Between two fetches there is at least this, however many unknown keys are named.
pub(crate) const FETCH_INTERVAL: Duration = Duration::from_secs(10);
/// After a fetch that failed the next may come sooner.
const FAILED_INTERVAL: Duration = Duration::from_secs(1);
/// Keys are fetched again after this, so that one that was withdrawn is forgotten.
pub(crate) const AGE_MAX: Duration = Duration::from_secs(5 * 60);
const PUBLIC_KEY_LENGTH: usize = 32;

#[derive(Default)]
pub(super) struct Keys {
    fetch: OnceLock<FetchKeys>,
    present: RwLock<Present>,
    next_fetch: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Present {
    /// The raw bytes by name.
    keys: HashMap<String, Vec<u8>>,
    fetched: Option<Instant>,
    /// Grows whenever the keys change: what was found with others no longer counts.
    generation: u64,
}

impl Keys {
    pub(super) fn bind(&self, fetch: FetchKeys) {
        // A second binding would be a mistake of whoever puts the process together; the first one holds.
        drop(self.fetch.set(fetch));
    }

    pub(super) fn generation(&self) -> u64 {
        self.present(|present| present.generation)
    }

    /// The key of this name, and the generation that it belongs to.
    pub(super) async fn get(&self, key_id: &str) -> Result<(DecodingKey, u64), TokenError> {
        let fresh = |present: &Present| present.fetched.is_some_and(|at| at.elapsed() < AGE_MAX);
        if let Some(found) = self.present(|present| fresh(present).then(|| present.find(key_id)).flatten()) {
            return Ok(found);
        }
        let refreshed = self.refresh().await;
        match (self.present(|present| present.find(key_id)), refreshed) {
            // Better an old key than nobody signed in because identity is being restarted.
            (Some(found), _) => Ok(found),
            (None, Ok(())) => Err(TokenError::Refused),
            (None, Err(error)) => Err(error),
        }
    }

    /// Fetches the keys, unless that was done a moment ago.
    pub(super) async fn refresh(&self) -> Result<(), TokenError> {
        let mut next_fetch = self.next_fetch.lock().await;
        if next_fetch.is_some_and(|at| Instant::now() < at) {
            return Ok(());
        }
        let fetch = self.fetch.get().ok_or_else(|| {
            TokenError::KeysUnavailable(Box::new(Status::unavailable("nobody gives keys yet")))
        })?;
        // In a context of its own: the call that fetches keys must not carry the token that waits for them.
        let fetched = context::scope(Context::default(), fetch()).await;
        let interval = match &fetched {
            Ok(_) => FETCH_INTERVAL,
            Err(_) => FAILED_INTERVAL,
        };
        *next_fetch = Instant::now().checked_add(interval);
        let keys = fetched.map_err(|status| {
            let cause = status.to_string();
            tracing::warn!({ names::ERROR } = cause, "the keys of access tokens cannot be had: {cause}");
            TokenError::KeysUnavailable(Box::new(status))
        })?;
        self.replace(keys);
        Ok(())
    }

    fn replace(&self, keys: Vec<SigningKey>) {
        let usable = keys.into_iter().filter(|key| key.public_key.len() == PUBLIC_KEY_LENGTH);
        let keys = usable.map(|key| (key.key_id, key.public_key)).collect();
        let mut present = self.present.write().unwrap_or_else(PoisonError::into_inner);
        if present.keys != keys {
            present.keys = keys;
            present.generation += 1;
        }
        present.fetched = Some(Instant::now());
    }

    fn present<T>(&self, look: impl FnOnce(&Present) -> T) -> T {
        look(&self.present.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Present {
    fn find(&self, key_id: &str) -> Option<(DecodingKey, u64)> {
        Some((DecodingKey::from_ed_der(self.keys.get(key_id)?), self.generation))
    }
}
