//! What every store forgets in time: news that was carried, and answers that nobody repeats any more.

use std::time::Duration;

use kit::{Clock, Database, inbox, outbox, requests};
use tokio_util::sync::CancellationToken;

const INTERVAL: Duration = Duration::from_secs(60 * 60);
/// A new reader can be brought up to date with the news of this long.
const NEWS_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Longer than news can come again.
const INBOX_KEPT: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// Prunes the stores until `shutdown`. One that fails is tried again in the next round.
pub async fn run(stores: Vec<Database>, clock: Clock, shutdown: CancellationToken) {
    let rounds = async {
        loop {
            tokio::time::sleep(INTERVAL).await;
            for database in &stores {
                if let Err(error) = prune(database, &clock).await {
                    tracing::warn!("a store could not forget what is old: {}", mesh::status::chain(&*error));
                }
            }
        }
    };
    shutdown.run_until_cancelled(rounds).await;
}

async fn prune(database: &Database, clock: &Clock) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let now = clock.now();
    outbox::prune(database, now - NEWS_KEPT).await?;
    inbox::prune(database, now - INBOX_KEPT).await?;
    requests::prune(database, now - requests::KEPT_AT_LEAST).await?;
    Ok(())
}
