//! The present state of one thing, and again each time it changes: what stands behind every `Watch…` method.

use std::time::Duration;

use futures::stream::{self, Stream};
use tokio::sync::watch::Receiver;

/// How often a watcher looks although nothing was announced: another process may have written.
pub const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Many commits in a row wake a watcher once, not once each.
const READ_GAP_MIN: Duration = Duration::from_millis(20);

/// Yields the present state first and then each time its version grows. Intermediate versions may be left out.
///
/// `changes` comes from [`Database::changes`](crate::Database::changes); `read` answers the thing with its version,
/// or nothing when it is gone, which ends the stream. An error is yielded and ends it, too.
pub fn watch<T, E, F, R>(
    changes: Receiver<u64>,
    interval: Duration,
    read: F,
) -> impl Stream<Item = Result<T, E>> + Send + use<T, E, F, R>
where
    T: Send,
    E: Send,
    F: FnMut() -> R + Send,
    R: Future<Output = Result<Option<(i64, T)>, E>> + Send,
{
    let watching = Watching { changes, interval, read, seen: None };
    stream::unfold(Some(watching), async |watching| {
        let mut watching = watching?;
        match watching.next().await {
            Ok(Some(state)) => Some((Ok(state), Some(watching))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    })
}

struct Watching<F> {
    changes: Receiver<u64>,
    interval: Duration,
    read: F,
    seen: Option<i64>,
}

impl<F> Watching<F> {
    async fn next<T, E, R>(&mut self) -> Result<Option<T>, E>
    where
        F: FnMut() -> R,
        R: Future<Output = Result<Option<(i64, T)>, E>>,
    {
        loop {
            if self.seen.is_some() {
                self.wait().await;
            }
            match (self.read)().await? {
                None => return Ok(None),
                Some((version, state)) if self.seen.is_none_or(|seen| version > seen) => {
                    self.seen = Some(version);
                    return Ok(Some(state));
                }
                Some(_) => {}
            }
        }
    }

    async fn wait(&mut self) {
        tokio::time::sleep(READ_GAP_MIN).await;
        let closed = matches!(tokio::time::timeout(self.interval, self.changes.changed()).await, Ok(Err(_)));
        if closed {
            // The database handle is gone, so nothing will announce itself any more; only looking is left.
            tokio::time::sleep(self.interval).await;
        }
    }
}
