//! What is done without anybody asking: carts that nobody touches any more go.

use std::time::Duration;

use chrono::TimeDelta;
use kit::Clock;
use mesh::status::chain;
use observability::names;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::store::Store;

/// A cart lives so long after its last change.
const UNTOUCHED_MAX: TimeDelta = TimeDelta::days(90);
const INTERVAL: Duration = Duration::from_secs(3_600);
/// Carts removed in one transaction: on SQLite everybody else waits for it.
const REMOVED_AT_ONCE_MAX: u16 = 100;

/// Looks at once and then every hour, until `shutdown`.
pub async fn run(store: &Store, clock: &Clock, shutdown: CancellationToken) {
    let working = async {
        loop {
            match tidy(store, clock).await {
                Ok(0) => {}
                Ok(removed) => {
                    tracing::info!(
                        { names::COUNT } = removed,
                        "{removed} carts that nobody touched were removed"
                    );
                }
                Err(error) => {
                    let chain = chain(&error);
                    tracing::warn!({ names::ERROR } = chain, "old carts could not be removed: {chain}");
                }
            }
            tokio::time::sleep(INTERVAL).await;
        }
    };
    shutdown.run_until_cancelled(working).await;
}

async fn tidy(store: &Store, clock: &Clock) -> Result<u64, Error> {
    let now = clock.now();
    let mut removed: u64 = 0;
    loop {
        let some = store.remove_untouched(now - UNTOUCHED_MAX, REMOVED_AT_ONCE_MAX.into()).await?;
        removed = removed.saturating_add(some);
        if some < REMOVED_AT_ONCE_MAX.into() {
            return Ok(removed);
        }
    }
}
