//! What happens without being asked: the next signing key, mails that people asked for, forgetting.
//! Any number of processes may do it at once; each step claims its rows.

use std::time::Duration;

use kit::Timestamp;
use mesh::status;
use observability::names;
use tokio_util::sync::CancellationToken;

use super::Identity;
use crate::error::Error;

/// Between two rounds of forgetting.
const PRUNE_INTERVAL: Duration = Duration::from_secs(15 * 60);
/// Security events are kept for a year.
const EVENTS_KEPT: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// A session that is over says for a month that its network was the owner's.
const SESSIONS_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Tokens and links that expired, for those who ask why theirs does not work.
const TOKENS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// Longer than any window that is counted in.
const THROTTLES_KEPT: Duration = Duration::from_secs(2 * 60 * 60);

impl Identity {
    /// Works until it is told to stop.
    pub async fn work(self, shutdown: CancellationToken) {
        let mut pruned: Option<Timestamp> = None;
        loop {
            if let Err(error) = self.tend(&mut pruned).await {
                let chain = status::chain(&error);
                tracing::warn!(
                    { names::ERROR } = chain,
                    "identity's background work failed and will be tried again: {chain}"
                );
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(self.work_interval) => {}
            }
        }
    }

    async fn tend(&self, pruned: &mut Option<Timestamp>) -> Result<(), Error> {
        self.signer.rotate().await?;
        self.write_mails().await?;
        let now = self.clock.now();
        if pruned.is_none_or(|last| now >= last + PRUNE_INTERVAL) {
            self.store.prune_login_events(now - EVENTS_KEPT).await?;
            self.store.prune_sessions(now - SESSIONS_KEPT, now - TOKENS_KEPT).await?;
            self.store.prune_throttles(now - THROTTLES_KEPT).await?;
            *pruned = Some(now);
        }
        Ok(())
    }
}
