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
        let found = Found { user, expires, generation };
        tokens.insert(token.into(), found);
    }
}

fn now() -> u64 {
    u64::try_from(Clock::system().now().timestamp()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use super::*;

    fn user() -> Arc<User> {
        Arc::new(crate::testing::customer())
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let seen = Seen::default();
        for number in 0..SEEN_MAX + 10 {
            seen.keep(&number.to_string(), user(), now() + 60, 0);
        }

        assert!(seen.tokens.read().unwrap().len() <= SEEN_MAX);
        assert!(seen.find(&(SEEN_MAX + 9).to_string(), 0).is_some());
    }

    #[test]
    fn those_that_are_over_go_first() {
        let seen = Seen::default();
        seen.keep("good", user(), now() + 60, 0);
        for number in 1..SEEN_MAX {
            seen.keep(&number.to_string(), user(), now() - 60, 0);
        }

        seen.keep("one more", user(), now() + 60, 0);

        assert_eq!(seen.tokens.read().unwrap().len(), 2);
        assert!(seen.find("good", 0).is_some());
    }

    #[test]
    fn what_was_found_with_other_keys_does_not_count() {
        let seen = Seen::default();

        seen.keep("token", user(), now() + 60, 1);

        assert!(seen.find("token", 1).is_some());
        assert!(seen.find("token", 2).is_none());
    }
}
