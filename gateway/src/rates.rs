//! How much a client may ask for: a bucket of tokens for each account, or each address without one.
//!
//! Not the crate `governor`: it remembers every key until it is told to forget, and here an attacker chooses the keys. These
//! buckets have a bound, and what is forgotten first is who has been idle longest.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::error::{Fault, Problem};
use crate::limits;
use crate::limits::RATE_CLIENTS_MAX;

/// The buckets of all clients seen lately.
pub(crate) struct Rates {
    factor: f64,
    buckets: Mutex<HashMap<Payer, Bucket>>,
}

/// Who pays, and out of which kind of bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Payer {
    Account(Uuid),
    Address(String),
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

    /// May this client spend so much now? If not, the refusal says when. Async, as it is where edges share their buckets.
    pub(crate) async fn spend(&self, payer: &Payer, cost: u32) -> Result<(), Fault> {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(payer) {
            return bucket.take(f64::from(cost), now);
        }
        if buckets.len() >= RATE_CLIENTS_MAX {
            make_room(&mut buckets, now);
        }
        let bucket = buckets.entry(payer.clone()).or_insert(self.full(payer, now));
        bucket.take(f64::from(cost), now)
    }

    fn full(&self, payer: &Payer, now: Instant) -> Bucket {
        let (burst, per_second) = match payer {
            Payer::Account(_) => (limits::RATE_ACCOUNT_BURST, limits::RATE_ACCOUNT_PER_SECOND),
            Payer::Address(_) => (limits::RATE_ADDRESS_BURST, limits::RATE_ADDRESS_PER_SECOND),
        };
        let burst = f64::from(burst) * self.factor;
        Bucket { burst, per_second: f64::from(per_second) * self.factor, tokens: burst, since: now }
    }
}

/// Forgets full buckets, which say no more than none; if that is not enough, the part that has been idle longest: a part,
/// so that a flood of new clients does not look through all of them each time.
fn make_room(buckets: &mut HashMap<Payer, Bucket>, now: Instant) {
    buckets.retain(|_, bucket| bucket.level(now) < bucket.burst);
    let surplus = (buckets.len() + FORGOTTEN_AT_ONCE).saturating_sub(RATE_CLIENTS_MAX);
    if surplus == 0 {
        return;
    }
    let mut ages: Vec<Instant> = buckets.values().map(|bucket| bucket.since).collect();
    let (_, youngest, _) = ages.select_nth_unstable(surplus - 1);
    let (youngest, mut left) = (*youngest, surplus);
    buckets.retain(|_, bucket| {
        let goes = left > 0 && bucket.since <= youngest;
        left -= usize::from(goes);
        !goes
    });
}

/// How many clients make room for others at a time.
const FORGOTTEN_AT_ONCE: usize = RATE_CLIENTS_MAX / 16;

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

    fn account(number: u128) -> Payer {
        Payer::Account(Uuid::from_u128(number))
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_asks_too_much_waits_and_others_do_not() {
        let rates = Rates::new(true);

        for _ in 0..limits::RATE_ACCOUNT_BURST {
            rates.spend(&account(1), 1).await.unwrap();
        }
        let refused = rates.spend(&account(1), 5).await.unwrap_err();

        assert_eq!(refused.problem, Problem::RateLimited);
        let wait = refused.retry_after().unwrap();
        assert!(rates.spend(&account(2), 1).await.is_ok());
        tokio::time::advance(wait / 2).await;
        assert!(rates.spend(&account(1), 5).await.is_err());
        tokio::time::advance(wait / 2).await;
        assert!(rates.spend(&account(1), 5).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_been_idle_longest_is_forgotten_first() {
        let rates = Rates::new(true);
        let address = |number: usize| Payer::Address(number.to_string());
        let spent = limits::RATE_ADDRESS_BURST;
        for number in 0..RATE_CLIENTS_MAX {
            rates.spend(&address(number), spent).await.unwrap();
            if number == RATE_CLIENTS_MAX / 2 {
                tokio::time::advance(Duration::from_millis(1)).await;
            }
        }

        // Who asks too much and goes on asking stays known, old as it is.
        assert!(rates.spend(&address(0), spent).await.is_err());
        for number in 0..RATE_CLIENTS_MAX / 4 {
            rates.spend(&address(RATE_CLIENTS_MAX + number), 1).await.unwrap();
        }

        let known = |number| rates.buckets.lock().unwrap().contains_key(&address(number));
        assert!(rates.buckets.lock().unwrap().len() <= RATE_CLIENTS_MAX);
        assert!(rates.spend(&address(0), spent).await.is_err());
        assert!((RATE_CLIENTS_MAX / 2 + 1..RATE_CLIENTS_MAX).all(known), "those of a moment ago are known");
        assert!((1..=RATE_CLIENTS_MAX / 2).filter(|number| known(*number)).count() < RATE_CLIENTS_MAX / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn full_buckets_are_forgotten_before_any_other() {
        let rates = Rates::new(true);
        rates.spend(&account(1), limits::RATE_ACCOUNT_BURST).await.unwrap();
        for number in 1..RATE_CLIENTS_MAX {
            rates.spend(&Payer::Address(number.to_string()), 1).await.unwrap();
        }
        tokio::time::advance(Duration::from_secs(1)).await;

        rates.spend(&Payer::Address("new".to_owned()), 1).await.unwrap();

        let buckets = rates.buckets.lock().unwrap();
        assert_eq!(buckets.len(), 2, "all but the one that is still empty, and the new one");
        assert!(buckets.contains_key(&account(1)));
    }
}
