//! Buckets in this process.
//!
//! Not the crate `governor`: it remembers every key until it is told to forget, and here an attacker chooses the keys. These
//! buckets have a bound, and what is forgotten first is who has been idle longest.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Limit, Payer, TooMuch};
use crate::limits::RATE_CLIENTS_MAX;

/// The buckets of all clients that this process has seen lately.
#[derive(Default)]
pub(super) struct Buckets {
    buckets: Mutex<HashMap<Payer, Bucket>>,
}

struct Bucket {
    burst: f64,
    per_second: f64,
    tokens: f64,
    since: Instant,
}

impl Buckets {
    /// Takes from a bucket, if there is enough in it.
    pub(super) fn take(&self, payer: &Payer, limit: Limit, cost: u32) -> Result<(), TooMuch> {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(payer) {
            return bucket.take(f64::from(cost), now);
        }
        if buckets.len() >= RATE_CLIENTS_MAX {
            make_room(&mut buckets, now);
        }
        let bucket = buckets.entry(payer.clone()).or_insert(Bucket::full(limit, now));
        bucket.take(f64::from(cost), now)
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
    fn full(limit: Limit, now: Instant) -> Self {
        let burst = f64::from(limit.burst);
        Self { burst, per_second: f64::from(limit.per_second), tokens: burst, since: now }
    }

    fn level(&self, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        (self.tokens + passed * self.per_second).min(self.burst)
    }

    fn take(&mut self, cost: f64, now: Instant) -> Result<(), TooMuch> {
        let level = self.level(now);
        self.since = now;
        if level >= cost {
            self.tokens = level - cost;
            return Ok(());
        }
        self.tokens = level;
        Err(TooMuch { wait: Duration::from_secs_f64((cost - level) / self.per_second) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use uuid::Uuid;

    use super::*;

    const LIMIT: Limit = Limit { burst: 600, per_second: 100 };

    fn account(number: u128) -> Payer {
        Payer::Account(Uuid::from_u128(number))
    }

    fn address(number: usize) -> Payer {
        Payer::Address(number.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_fills_as_fast_as_it_says() {
        let buckets = Buckets::default();
        buckets.take(&account(1), LIMIT, LIMIT.burst).unwrap();

        let TooMuch { wait } = buckets.take(&account(1), LIMIT, 5).unwrap_err();

        assert_eq!(wait, Duration::from_millis(50));
        tokio::time::advance(wait / 2).await;
        assert!(buckets.take(&account(1), LIMIT, 5).is_err());
        tokio::time::advance(wait / 2).await;
        assert!(buckets.take(&account(1), LIMIT, 5).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_been_idle_longest_is_forgotten_first() {
        let buckets = Buckets::default();
        for number in 0..RATE_CLIENTS_MAX {
            buckets.take(&address(number), LIMIT, LIMIT.burst).unwrap();
            if number == RATE_CLIENTS_MAX / 2 {
                tokio::time::advance(Duration::from_millis(1)).await;
            }
        }

        // Who asks too much and goes on asking stays known, old as it is.
        assert!(buckets.take(&address(0), LIMIT, LIMIT.burst).is_err());
        for number in 0..RATE_CLIENTS_MAX / 4 {
            buckets.take(&address(RATE_CLIENTS_MAX + number), LIMIT, 1).unwrap();
        }

        let known = |number| buckets.buckets.lock().unwrap().contains_key(&address(number));
        assert!(buckets.buckets.lock().unwrap().len() <= RATE_CLIENTS_MAX);
        assert!(buckets.take(&address(0), LIMIT, LIMIT.burst).is_err());
        assert!((RATE_CLIENTS_MAX / 2 + 1..RATE_CLIENTS_MAX).all(known), "those of a moment ago are known");
        assert!((1..=RATE_CLIENTS_MAX / 2).filter(|number| known(*number)).count() < RATE_CLIENTS_MAX / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn full_buckets_are_forgotten_before_any_other() {
        let buckets = Buckets::default();
        buckets.take(&account(1), LIMIT, LIMIT.burst).unwrap();
        for number in 1..RATE_CLIENTS_MAX {
            buckets.take(&address(number), LIMIT, 1).unwrap();
        }
        tokio::time::advance(Duration::from_secs(1)).await;

        buckets.take(&address(RATE_CLIENTS_MAX), LIMIT, 1).unwrap();

        let buckets = buckets.buckets.lock().unwrap();
        assert_eq!(buckets.len(), 2, "all but the one that is still empty, and the new one");
        assert!(buckets.contains_key(&account(1)));
    }
}
