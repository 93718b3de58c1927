//! How much a client may ask for: a bucket of tokens for each account, or each address without one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Fault, Problem};
use crate::limits;
use crate::limits::RATE_CLIENTS_MAX;

/// The buckets of all clients seen lately.
pub(crate) struct Rates {
    factor: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

/// Who pays, and out of which kind of bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Payer<'a> {
    Account(&'a str),
    Address(&'a str),
}

struct Bucket {
    burst: f64,
    per_second: f64,
    tokens: f64,
    since: Instant,
}

impl Rates {
    pub(crate) fn new(production: bool) -> Self {
        let factor = if production { 1 } else { limits::RATE_DEVELOPMENT_FACTOR };
        Self { factor: f64::from(factor), buckets: Mutex::default() }
    }

    /// Takes `cost` tokens from a client's bucket, or says when there will be enough.
    pub(crate) fn take(&self, payer: Payer<'_>, cost: u32, now: Instant) -> Result<(), Fault> {
        let (Payer::Account(client) | Payer::Address(client)) = payer;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(client) {
            return bucket.take(f64::from(cost), now);
        }
        if buckets.len() >= RATE_CLIENTS_MAX {
            // A full bucket says no more than no bucket.
            buckets.retain(|_, bucket| bucket.level(now) < bucket.burst);
            if buckets.len() >= RATE_CLIENTS_MAX {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(client.to_owned()).or_insert(self.full(payer, now));
        bucket.take(f64::from(cost), now)
    }

    fn full(&self, payer: Payer<'_>, now: Instant) -> Bucket {
        let (burst, per_second) = match payer {
            Payer::Account(_) => (limits::RATE_ACCOUNT_BURST, limits::RATE_ACCOUNT_PER_SECOND),
            Payer::Address(_) => (limits::RATE_ADDRESS_BURST, limits::RATE_ADDRESS_PER_SECOND),
        };
        let burst = f64::from(burst) * self.factor;
        Bucket { burst, per_second: f64::from(per_second) * self.factor, tokens: burst, since: now }
    }
}

impl Bucket {
    fn level(&self, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        (self.tokens + passed * self.per_second).min(self.burst)
    }

    fn take(&mut self, cost: f64, now: Instant) -> Result<(), Fault> {
        let level = self.level(now);
        self.since = now;
        if level >= cost {
            self.tokens = level - cost;
            return Ok(());
        }
        self.tokens = level;
        let wait = Duration::from_secs_f64((cost - level) / self.per_second);
        Err(Fault::of(Problem::RateLimited, "Too much at once: ask again later.").after(wait))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_client_that_asks_too_much_waits_and_others_do_not() {
        let rates = Rates::new(true);
        let now = Instant::now();

        for _ in 0..limits::RATE_ACCOUNT_BURST {
            rates.take(Payer::Account("a"), 1, now).unwrap();
        }
        let refused = rates.take(Payer::Account("a"), 5, now).unwrap_err();

        assert_eq!(refused.problem, Problem::RateLimited);
        let wait = refused.retry_after().unwrap();
        assert!(rates.take(Payer::Address("b"), 1, now).is_ok());
        assert!(rates.take(Payer::Account("a"), 5, now + wait / 2).is_err());
        assert!(rates.take(Payer::Account("a"), 5, now + wait).is_ok());
    }

    #[test]
    fn the_number_of_clients_that_are_remembered_is_bounded() {
        let rates = Rates::new(true);
        let now = Instant::now();

        for client in 0..RATE_CLIENTS_MAX + 100 {
            rates.take(Payer::Address(&client.to_string()), 1, now).unwrap();
        }

        assert!(rates.buckets.lock().unwrap().len() <= RATE_CLIENTS_MAX);
    }
}
