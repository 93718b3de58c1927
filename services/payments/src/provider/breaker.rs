//! Stops asking a provider that does not answer, so that callers need not wait for what they will not get.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many failures in [`WINDOW`] open the breaker.
const FAILURES_MAX: usize = 5;
const WINDOW: Duration = Duration::from_secs(10);
/// After so long one call may try again; the others wait for how it ends.
const COOLDOWN: Duration = Duration::from_secs(5);

#[derive(Default)]
pub struct Breaker {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: VecDeque<Instant>,
    open_until: Option<Instant>,
}

/// The breaker is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it failed too often in the last seconds and is left alone for a moment")]
pub struct Open;

impl Breaker {
    pub fn admit(&self, now: Instant) -> Result<(), Open> {
        let mut state = self.lock();
        match state.open_until {
            None => Ok(()),
            Some(until) if now < until => Err(Open),
            // The one that tries. If it is never heard of again, another one may after the same time.
            Some(_) => {
                state.open_until = now.checked_add(COOLDOWN);
                Ok(())
            }
        }
    }

    pub fn succeeded(&self) {
        *self.lock() = State::default();
    }

    pub fn failed(&self, now: Instant) {
        let mut state = self.lock();
        state.failures.push_back(now);
        let recent = |at: &Instant| now.saturating_duration_since(*at) < WINDOW;
        state.failures.retain(recent);
        if state.failures.len() >= FAILURES_MAX || state.open_until.is_some() {
            state.open_until = now.checked_add(COOLDOWN);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic elsewhere cannot leave it half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_ten_seconds_open_it_and_one_success_closes_it() {
        let breaker = Breaker::default();
        let start = Instant::now();
        for second in 0..4 {
            breaker.failed(start + Duration::from_secs(second));
        }
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(breaker.admit(after(4)), Ok(()));

        breaker.failed(after(4));
        assert_eq!(breaker.admit(after(4)), Err(Open));
        assert_eq!(breaker.admit(after(8)), Err(Open));

        assert_eq!(breaker.admit(after(9)), Ok(()), "one may try");
        assert_eq!(breaker.admit(after(9)), Err(Open), "the others wait");
        breaker.succeeded();
        assert_eq!(breaker.admit(after(9)), Ok(()));
        breaker.failed(after(9));
        assert_eq!(breaker.admit(after(9)), Ok(()), "old failures are forgotten");
    }

    #[test]
    fn a_try_that_fails_opens_it_again() {
        let breaker = Breaker::default();
        let start = Instant::now();
        for _ in 0..5 {
            breaker.failed(start);
        }
        let later = start + Duration::from_secs(30);
        assert_eq!(breaker.admit(later), Ok(()));
        breaker.failed(later);
        assert_eq!(breaker.admit(later + Duration::from_secs(4)), Err(Open));
        assert_eq!(breaker.admit(later + Duration::from_secs(5)), Ok(()));
    }

    #[test]
    fn failures_far_apart_do_not_open_it() {
        let breaker = Breaker::default();
        let start = Instant::now();
        for number in 0..20 {
            let at = start + Duration::from_secs(3 * number);
            breaker.failed(at);
            assert_eq!(breaker.admit(at), Ok(()));
        }
    }
}
