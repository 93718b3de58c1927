//! How much a client may ask for: a bucket of tokens for each account, or each address without one.
//!
//! The buckets are in Redis where replicas of the edge share one, so that a client has the same share however many of them
//! answer it. Without Redis, and while it is away, each has buckets of its own.

mod here;
mod shared;

use std::time::Duration;

use scratch::Scratch;
use uuid::Uuid;

use self::here::Buckets;
use crate::error::{Fault, Problem};
use crate::limits;

/// The buckets of all clients seen lately.
pub(crate) struct Rates {
    factor: u32,
    here: Buckets,
    shared: Option<Scratch>,
}

/// Who pays, and out of which kind of bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Payer {
    Account(Uuid),
    Address(String),
}

/// How much a bucket holds, and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit {
    burst: u32,
    per_second: u32,
}

/// There is not enough in the bucket; so long until there is.
#[derive(Debug, PartialEq, Eq)]
struct TooMuch {
    wait: Duration,
}

impl Rates {
    pub(crate) fn new(production: bool, shared: Option<Scratch>) -> Self {
        let factor = if production { 1 } else { limits::RATE_DEVELOPMENT_FACTOR };
        Self { factor, here: Buckets::default(), shared }
    }

    /// May this client spend so much now? If not, the refusal says when.
    pub(crate) async fn spend(&self, payer: &Payer, cost: u32) -> Result<(), Fault> {
        if cost == 0 {
            return Ok(());
        }
        self.take(payer, self.limit(payer), cost).await.map_err(|TooMuch { wait }| {
            Fault::of(Problem::RateLimited, "Too much at once: ask again later.").after(wait)
        })
    }

    async fn take(&self, payer: &Payer, limit: Limit, cost: u32) -> Result<(), TooMuch> {
        if let Some(scratch) = &self.shared
            && let Some(answer) = shared::take(scratch, payer, limit, cost).await
        {
            return answer;
        }
        self.here.take(payer, limit, cost)
    }

    fn limit(&self, payer: &Payer) -> Limit {
        let (burst, per_second) = match payer {
            Payer::Account(_) => (limits::RATE_ACCOUNT_BURST, limits::RATE_ACCOUNT_PER_SECOND),
            Payer::Address(_) => (limits::RATE_ADDRESS_BURST, limits::RATE_ADDRESS_PER_SECOND),
        };
        Limit { burst: burst.saturating_mul(self.factor), per_second: per_second.saturating_mul(self.factor) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Fills so slowly that no bucket does while a test runs.
    const SLOW: Limit = Limit { burst: 600, per_second: 1 };
    /// A busy machine may take its time.
    const PATIENT: Duration = Duration::from_secs(10);

    fn account() -> Payer {
        Payer::Account(Uuid::now_v7())
    }

    /// A Redis on which tests may keep what they like; `cargo xtask test` starts one.
    fn redis() -> Option<Scratch> {
        let url = std::env::var("SHOP_TEST_REDIS_URL").ok()?;
        Some(Scratch::new(&url, &format!("test-{}:", Uuid::now_v7()), PATIENT).unwrap())
    }

    /// Buckets of each kind.
    fn kinds() -> Vec<Rates> {
        let mut kinds = vec![Rates::new(true, None)];
        kinds.extend(redis().map(|redis| Rates::new(true, Some(redis))));
        kinds
    }

    #[tokio::test]
    async fn a_client_that_asks_too_much_is_told_how_long_to_wait_and_others_are_not() {
        for rates in kinds() {
            let (one, other) = (account(), account());

            rates.take(&one, SLOW, 400).await.unwrap();
            let TooMuch { wait } = rates.take(&one, SLOW, 400).await.unwrap_err();

            assert!(wait > Duration::ZERO && wait <= Duration::from_secs(200), "{wait:?}");
            assert!(rates.take(&other, SLOW, 400).await.is_ok());
        }
    }

    #[tokio::test]
    async fn what_was_refused_costs_nothing_and_what_is_left_may_be_spent() {
        for rates in kinds() {
            let one = account();
            rates.take(&one, SLOW, 500).await.unwrap();

            for _ in 0..3 {
                rates.take(&one, SLOW, 600).await.unwrap_err();
            }

            assert!(rates.take(&one, SLOW, 100).await.is_ok());
            assert!(rates.take(&one, SLOW, 590).await.is_err());
        }
    }

    #[tokio::test]
    async fn who_waited_as_long_as_told_may_ask_again() {
        let quick = Limit { burst: 10, per_second: 20 };
        for rates in kinds() {
            let one = Payer::Address("192.0.2.1".to_owned());
            rates.take(&one, quick, 10).await.unwrap();

            // A slow machine may have waited long enough already.
            while let Err(TooMuch { wait }) = rates.take(&one, quick, 10).await {
                assert!(wait <= Duration::from_millis(500), "{wait:?}");
                tokio::time::sleep(wait).await;
            }
        }
    }

    #[tokio::test]
    async fn many_at_once_spend_no_more_than_there_is() {
        for rates in kinds() {
            let one = account();

            let asked = (0..100).map(|_| rates.take(&one, SLOW, 20));
            let answers = futures::future::join_all(asked).await;

            let allowed = answers.iter().filter(|answer| answer.is_ok()).count();
            assert_eq!(allowed, 30, "600 tokens at 20 each");
        }
    }

    #[tokio::test]
    async fn replicas_share_their_buckets() {
        let Some(redis) = redis() else { return };
        let replicas = [0; 3].map(|_| Rates::new(true, Some(redis.clone())));
        let one = account();
        for replica in &replicas {
            replica.take(&one, SLOW, 200).await.unwrap();
        }

        for replica in &replicas {
            assert!(replica.take(&one, SLOW, 100).await.is_err());
        }
    }

    #[tokio::test]
    async fn without_redis_each_has_its_own_at_once() {
        let away = Scratch::new("redis://127.0.0.1:1/", "test:", PATIENT).unwrap();
        let replicas = [0; 2].map(|_| Rates::new(true, Some(away.clone())));
        let one = account();

        for replica in &replicas {
            replica.take(&one, SLOW, 600).await.unwrap();
            assert!(replica.take(&one, SLOW, 600).await.is_err());
        }
    }

    #[tokio::test]
    async fn a_full_bucket_is_nothing_that_redis_keeps() {
        let Some(redis) = redis() else { return };
        let (rates, quick) = (Rates::new(true, Some(redis.clone())), Limit { burst: 10, per_second: 1_000 });
        let one = account();
        let kept = async || {
            let key = shared::key(&redis, &one);
            redis.ask(|mut redis| async move { redis::AsyncCommands::exists(&mut redis, key).await }).await
        };

        rates.take(&one, quick, 10).await.unwrap();
        // It lives for the 10 ms that it takes to fill.
        while kept().await != Some(false) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
