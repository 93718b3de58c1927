#![doc = include_str!("../README.md")]

use std::time::Duration;

use futures::stream::{self, Stream};
use tokio::sync::watch::Receiver;

/// How often a watcher looks although nothing was announced: another process may have written.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// Many commits in a row wake a watcher once, not once each.
const READ_GAP_MIN: Duration = Duration::from_millis(20);

/// Yields the present state first and then each time its version grows. Intermediate versions may be left out.
///
/// `changes` comes from `kit::Database::changes`. At each of them only `version` is asked, which is
/// cheap; `read` answers the thing with its version, and is asked when that has grown. Nothing from either means that the
/// thing is gone, which ends the stream. An error is yielded and ends it, too.
pub fn watch<T, E, V, W, R, S>(
    changes: Receiver<u64>,
    interval: Duration,
    version: V,
    read: R,
) -> impl Stream<Item = Result<T, E>> + Send + use<T, E, V, W, R, S>
where
    T: Send,
    E: Send,
    V: FnMut() -> W + Send,
    W: Future<Output = Result<Option<i64>, E>> + Send,
    R: FnMut() -> S + Send,
    S: Future<Output = Result<Option<(i64, T)>, E>> + Send,
{
    let watching = Watching { changes, interval, version, read, seen: None };
    stream::unfold(Some(watching), async |watching| {
        let mut watching = watching?;
        match watching.next().await {
            Ok(Some(state)) => Some((Ok(state), Some(watching))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    })
}

struct Watching<V, R> {
    changes: Receiver<u64>,
    interval: Duration,
    version: V,
    read: R,
    seen: Option<i64>,
}

impl<V, R> Watching<V, R> {
    async fn next<T, E, W, S>(&mut self) -> Result<Option<T>, E>
    where
        V: FnMut() -> W,
        W: Future<Output = Result<Option<i64>, E>>,
        R: FnMut() -> S,
        S: Future<Output = Result<Option<(i64, T)>, E>>,
    {
        loop {
            if self.seen.is_some() {
                self.wait().await;
            }
            let Some(version) = (self.version)().await? else { return Ok(None) };
            if !self.is_news(version) {
                continue;
            }
            let Some((version, state)) = (self.read)().await? else { return Ok(None) };
            // The reading may be ahead of the look before it, and what it shows may have been shown.
            if self.is_news(version) {
                self.seen = Some(version);
                return Ok(Some(state));
            }
        }
    }

    fn is_news(&self, version: i64) -> bool {
        self.seen.is_none_or(|seen| version > seen)
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
