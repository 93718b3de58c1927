//! Runs what is under way: one task per checkout or order, each under a lease. Whoever completes a checkout, the
//! recoverer and the reader of payment news all come through here, and all take the same steps.

use std::sync::Arc;
use std::time::Duration;

use kit::{Clock, Id};
use observability::names;
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::calls::Calls;
use crate::Upstreams;
use crate::domain::saga::{Event, Stage};
use crate::domain::{Checkout, CheckoutId, OrderId};
use crate::error::Error;
use crate::store::{LEASE, Lease, Leased, Right, Step, Store, Turn};

/// A failed call is made again at once while the pause is as short as this; else the recoverer makes it.
const PAUSE_HERE_MAX: Duration = Duration::from_millis(500);
/// At most so many things are recovered at once.
const RECOVERED_AT_ONCE_MAX: usize = 8;
const OVERDUE_MAX: u64 = 100;
/// What news wakes is tried for somewhat longer than a call may take; then it is due all the same, only later.
const WOKEN_TRIES_MAX: usize = 50;
const WOKEN_PAUSE: Duration = Duration::from_millis(200);
const TIDY_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// A checkout that failed is of use to its buyer for a while, and then only a person's data.
const FAILED_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[derive(Clone)]
pub struct Runner {
    pub(super) store: Store,
    pub(super) calls: Calls,
    pub(super) clock: Clock,
}

/// Looks for what nobody works on, at the start and every few seconds.
pub struct Recoverer {
    pub runner: Runner,
    pub every: Duration,
}

impl Runner {
    pub fn new(store: Store, upstreams: Upstreams, clock: Clock) -> Self {
        Self { store, calls: Calls { upstreams }, clock }
    }

    /// Works on something unless somebody else does.
    pub async fn run(&self, what: Leased) {
        let lease = Lease::fresh();
        match self.store.lease(what, lease).await {
            Ok(Turn::Taken) => self.work(what, lease).await,
            Ok(Turn::Busy | Turn::Idle) => {}
            Err(error) => failed(&error),
        }
    }

    /// Works on something that news has come of, as soon as nobody else does: whoever is at it may have asked before the
    /// news, and say when he is done that nobody need look for a while.
    pub async fn run_woken(&self, what: Leased) {
        for _ in 0..WOKEN_TRIES_MAX {
            let lease = Lease::fresh();
            match self.store.lease(what, lease).await {
                Ok(Turn::Taken) => return self.work(what, lease).await,
                Ok(Turn::Busy) => sleep(WOKEN_PAUSE).await,
                Ok(Turn::Idle) => return,
                Err(error) => return failed(&error),
            }
        }
    }

    /// Does what an order owes, unless somebody else does.
    async fn owed(&self, id: OrderId) {
        let lease = Lease::fresh();
        match self.store.lease(Leased::Order(id.as_uuid()), lease).await {
            Ok(Turn::Taken) => self.order(id, lease).await,
            Ok(Turn::Busy | Turn::Idle) => {}
            Err(error) => failed(&error),
        }
    }

    async fn work(&self, what: Leased, lease: Lease) {
        match what {
            Leased::Checkout(id) => self.checkout(Id::from_uuid(id), lease).await,
            Leased::Order(id) => self.order(Id::from_uuid(id), lease).await,
        }
    }

    /// Takes steps until the checkout rests, then does what its order still owes.
    pub async fn checkout(&self, id: CheckoutId, lease: Lease) {
        let span = tracing::info_span!("checkout", { names::CHECKOUT_ID } = %id);
        match self.steps(id, lease).instrument(span).await {
            Ok(Some(checkout)) => {
                if let (Stage::Completed, Some((order, _))) = (&checkout.saga.stage, &checkout.order) {
                    self.owed(*order).await;
                }
            }
            Ok(None) => {}
            // The lease runs out, and somebody tries again.
            Err(error) => failed(&error),
        }
    }

    /// The checkout at rest; nothing when somebody else has taken over.
    async fn steps(&self, id: CheckoutId, lease: Lease) -> Result<Option<Checkout>, Error> {
        let what = Leased::Checkout(id.as_uuid());
        let mut checkout = self.store.checkout(id, &Right::Any).await?;
        // A step that leads to rest gives the lease back itself.
        let mut held = true;
        if let Some(event) = self.awakened(&checkout) {
            match self.store.step(id, lease, &checkout.saga.stage, &event).await? {
                Step::Taken(next) => {
                    held = next.saga.wants().is_some();
                    checkout = *next;
                }
                Step::Lost => return Ok(None),
            }
        }
        let mut rested = true;
        while let Some(command) = checkout.saga.wants() {
            if let Some(pause) = checkout.saga.pause().filter(|_| !rested) {
                if pause > PAUSE_HERE_MAX {
                    break;
                }
                sleep(pause).await;
            }
            rested = false;
            let event = self.beating(what, lease, self.calls.perform(&checkout, command)).await;
            match self.store.step(id, lease, &checkout.saga.stage, &event).await? {
                Step::Taken(next) => {
                    held = next.saga.wants().is_some();
                    checkout = *next;
                }
                Step::Lost => return Ok(None),
            }
        }
        if !held {
            return Ok(Some(checkout));
        }
        self.store.release(what, lease, checkout.version, checkout.due(self.clock.now())).await?;
        Ok(Some(checkout))
    }

    /// What the mere passing of time means to a checkout.
    fn awakened(&self, checkout: &Checkout) -> Option<Event> {
        match checkout.saga.stage {
            Stage::Ready => (self.clock.now() >= checkout.expires).then_some(Event::Expire),
            Stage::Waiting { .. } | Stage::Authorizing => Some(Event::Woken),
            _ => None,
        }
    }

    /// Keeps the lease while something takes its time.
    pub(super) async fn beating<T>(&self, what: Leased, lease: Lease, work: impl Future<Output = T>) -> T {
        let mut beat = interval(LEASE / 4);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat.tick().await;
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                answer = &mut work => return answer,
                _ = beat.tick() => {
                    // If it cannot be renewed, the next step finds out.
                    if let Err(error) = self.store.renew(what, lease).await {
                        tracing::warn!({ names::ERROR } = %error, "a lease could not be renewed");
                    }
                }
            }
        }
    }
}

impl Recoverer {
    /// Works until told to stop.
    pub async fn run(self, shutdown: CancellationToken) {
        let at_once = Arc::new(Semaphore::new(RECOVERED_AT_ONCE_MAX));
        let tracker = TaskTracker::new();
        let mut look = interval(self.every);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut tidy = interval(TIDY_INTERVAL);
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                _ = look.tick() => self.look(&at_once, &tracker).await,
                _ = tidy.tick() => self.tidy().await,
            }
        }
        // What is cut off here is picked up where it stood: its state was written before each call.
        tracker.close();
    }

    async fn look(&self, at_once: &Arc<Semaphore>, tracker: &TaskTracker) {
        let overdue = match self.runner.store.overdue(OVERDUE_MAX).await {
            Ok(overdue) => overdue,
            Err(error) => return failed(&Error::Storage(error)),
        };
        for what in overdue {
            // The rest is for the next look: waiting here would not hear that the shop is stopping.
            let Ok(permit) = Arc::clone(at_once).try_acquire_owned() else {
                return;
            };
            let runner = self.runner.clone();
            tracker.spawn(async move {
                runner.run(what).await;
                drop(permit);
            });
        }
    }

    async fn tidy(&self) {
        let now = self.runner.clock.now();
        if let Err(error) = self.runner.store.forget_failed(now - FAILED_KEPT).await {
            failed(&Error::Storage(error));
        }
    }
}

pub(super) fn failed(error: &dyn std::error::Error) {
    let chain = mesh::status::chain(error);
    tracing::warn!({ names::ERROR } = chain, "a step failed and will be tried again: {chain}");
}
