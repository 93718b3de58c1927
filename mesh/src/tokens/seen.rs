//! Tokens that were verified and are still good.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use kit::Clock;

use crate::caller::User;
use crate::tokens::LEEWAY;

/// Above this many signed-in people at once, some tokens are checked again.
pub(super) const SEEN_MAX: usize = 4_096;

#[derive(Default)]
pub(super) struct Seen {
    tokens: RwLock<HashMap<Box<str>, Found>>,
}

struct Found {
    user: Arc<User>,
    expires: u64,
    generation: u64,
}

impl Found {
    /// Good by the same rule as when the token was checked, and found with the keys of today.
    fn good(&self, generation: u64) -> bool {
        self.generation == generation && now() <= self.expires.saturating_add(LEEWAY.as_secs())
    }
}

impl Seen {
    pub(super) fn find(&self, token: &str, generation: u64) -> Option<Arc<User>> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        let found = tokens.get(token)?;
        found.good(generation).then(|| found.user.clone())
    }

    pub(super) fn keep(&self, token: &str, user: Arc<User>, expires: u64, generation: u64) {
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= SEEN_MAX {
            tokens.retain(|_, found| found.good(generation));
        }
        if tokens.len() >= SEEN_MAX {
            // All of them are good; those who lose their place are checked once more.
            tokens.clear();
        }
        let found = Found {
            user,
            expires,
            generation,
        };
        tokens.insert(token.into(), found);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.tokens
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

fn now() -> u64 {
    u64::try_from(Clock::system().now().timestamp()).unwrap_or_default()
}
