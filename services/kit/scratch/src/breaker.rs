//! Keeps everybody from asking who does not answer.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Between two questions to one that is away.
const PAUSE: Duration = Duration::from_secs(1);

/// Closed while answers come; open since one failed.
#[derive(Default)]
pub(crate) struct Breaker {
    /// When it may be asked next, while it is away.
    away_until: Mutex<Option<Instant>>,
}

impl Breaker {
    /// May this one ask? While it is open one in a pause may, to find out.
    pub(crate) fn lets_through(&self) -> bool {
        let mut away_until = self.held();
        let now = Instant::now();
        match *away_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                *away_until = Some(now + PAUSE);
                true
            }
        }
    }

    /// A question failed; says whether that is news.
    pub(crate) fn open(&self) -> bool {
        self.held().replace(Instant::now() + PAUSE).is_none()
    }

    /// A question was answered; says whether that is news.
    pub(crate) fn close(&self) -> bool {
        self.held().take().is_some()
    }

    fn held(&self) -> MutexGuard<'_, Option<Instant>> {
        self.away_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_a_failure_one_question_a_pause_is_let_through_until_one_is_answered() {
        let breaker = Breaker::default();
        assert!(breaker.lets_through() && breaker.lets_through());

        assert!(breaker.open(), "it is news");
        let at_once = breaker.lets_through();
        tokio::time::advance(PAUSE).await;
        let later = [breaker.lets_through(), breaker.lets_through()];
        assert!(!breaker.open(), "it is known");
        tokio::time::advance(PAUSE).await;
        let again = [breaker.lets_through(), breaker.lets_through()];
        let back = [breaker.close(), breaker.close()];

        assert!(!at_once);
        assert_eq!((later, again, back), ([true, false], [true, false], [true, false]));
        assert!(breaker.lets_through() && breaker.lets_through());
    }
}
