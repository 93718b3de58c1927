//! Finishes what others left: a process that died between the intent and the answer, a provider that was late.

use std::time::Duration;

use futures::StreamExt;
use observability::names;
use tokio_util::sync::CancellationToken;

use super::{Payments, later, unanswered};
use crate::domain::{Ask, Operation};
use crate::error::Error;

const BATCH_MAX: u64 = 50;
const AT_ONCE_MAX: usize = 8;
/// How soon a question is looked at again; each time without an answer doubles it. Twice the longest is well below
/// the minute in which everything is settled once the provider is back.
const BACKOFF_MIN: Duration = Duration::from_secs(5);
const BACKOFF_MAX: Duration = Duration::from_secs(20);

/// Looks after open questions until told to stop. Several processes may do so at once.
pub async fn work(payments: Payments, interval: Duration, shutdown: CancellationToken) {
    loop {
        match payments.recover().await {
            Ok(found) if found == BATCH_MAX => continue,
            Ok(_) => {}
            Err(error) => failed(&error),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(interval) => {}
        }
    }
}

impl Payments {
    /// Looks at what is due now; says how much that was.
    async fn recover(&self) -> Result<u64, Error> {
        let due = self.store.due(self.clock.now(), BATCH_MAX).await?;
        let found = due.len() as u64;
        futures::stream::iter(due)
            .for_each_concurrent(AT_ONCE_MAX, |operation| async move {
                match self.take(&operation).await {
                    Ok(()) | Err(Error::Refused(_)) => {}
                    Err(Error::ProviderUnavailable(error)) => {
                        unanswered(operation.payment, &error);
                    }
                    Err(error) => failed(&error),
                }
            })
            .await;
        Ok(found)
    }

    async fn take(&self, operation: &Operation) -> Result<(), Error> {
        let next = later(self.clock.now(), backoff(operation.attempts));
        if !self.store.claim(operation, next).await? {
            // Another process has it.
            return Ok(());
        }
        match operation.ask {
            Ask::Authorize { .. } => {
                let payment = self.store.find(operation.payment).await?;
                self.look(payment).await.map(drop)
            }
            Ask::Capture(_) | Ask::Void | Ask::Refund { .. } => self.carry_out(operation).await.map(drop),
        }
    }
}

fn backoff(attempts: i32) -> Duration {
    let doublings = attempts.clamp(0, 10).unsigned_abs();
    BACKOFF_MIN.saturating_mul(2_u32.saturating_pow(doublings)).min(BACKOFF_MAX)
}

fn failed(error: &Error) {
    let chain = mesh::status::chain(error);
    tracing::error!({ names::ERROR } = chain, "a payment cannot be finished: {chain}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_doubles_up_to_twenty_seconds() {
        let seconds: Vec<u64> = (0..5).map(|attempts| backoff(attempts).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 20, 20]);
        assert_eq!(backoff(i32::MAX), BACKOFF_MAX);
        assert_eq!(backoff(-1), BACKOFF_MIN);
    }
}
