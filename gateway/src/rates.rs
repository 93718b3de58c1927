//! How much a client may ask for: a bucket of tokens for each account, or each address without one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Fault, Problem};
use crate::limits::{RATE_BURST, RATE_CLIENTS_MAX, RATE_PER_SECOND};

/// The buckets of all clients seen lately.
#[derive(Default)]
pub(crate) struct Rates(Mutex<HashMap<String, Bucket>>);

struct Bucket {
    tokens: f64,
    since: Instant,
}

impl Rates {
    /// Takes `cost` tokens from a client's bucket, or says when there will be enough.
    pub(crate) fn take(&self, client: &str, cost: u32, now: Instant) -> Result<(), Fault> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= RATE_CLIENTS_MAX && !buckets.contains_key(client) {
            // A full bucket says no more than no bucket. Were none full, the flood would be refused anyway.
            buckets.retain(|_, bucket| bucket.level(now) < f64::from(RATE_BURST));
            if buckets.len() >= RATE_CLIENTS_MAX {
                buckets.clear();
            }
        }
        if !buckets.contains_key(client) {
            let full = Bucket { tokens: f64::from(RATE_BURST), since: now };
            buckets.insert(client.to_owned(), full);
        }
        let Some(bucket) = buckets.get_mut(client) else {
            return Ok(());
        };
        bucket.take(f64::from(cost), now)
    }
}

impl Bucket {
    fn level(&self, now: Instant) -> f64 {
        let grown = now.saturating_duration_since(self.since).as_secs_f64() * f64::from(RATE_PER_SECOND);
        (self.tokens + grown).min(f64::from(RATE_BURST))
    }

    fn take(&mut self, cost: f64, now: Instant) -> Result<(), Fault> {
        let level = self.level(now);
        self.since = now;
        if level >= cost {
            self.tokens = level - cost;
            return Ok(());
        }
        self.tokens = level;
        let wait = Duration::from_secs_f64((cost - level) / f64::from(RATE_PER_SECOND));
        Err(Fault::of(Problem::RateLimited, "Too much at once: ask again later.").after(wait))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_client_that_asks_too_much_waits_and_others_do_not() {
        let rates = Rates::default();
        let now = Instant::now();

        for _ in 0..RATE_BURST {
            rates.take("a", 1, now).unwrap();
        }
        let refused = rates.take("a", 5, now).unwrap_err();

        assert_eq!(refused.problem, Problem::RateLimited);
        let wait = refused.retry_after().unwrap();
        assert!(rates.take("b", 1, now).is_ok());
        assert!(rates.take("a", 5, now + wait / 2).is_err());
        assert!(rates.take("a", 5, now + wait).is_ok());
    }

    #[test]
    fn the_number_of_clients_that_are_remembered_is_bounded() {
        let rates = Rates::default();
        let now = Instant::now();

        for client in 0..RATE_CLIENTS_MAX + 100 {
            rates.take(&client.to_string(), 1, now).unwrap();
        }

        assert!(rates.0.lock().unwrap().len() <= RATE_CLIENTS_MAX);
    }
}
