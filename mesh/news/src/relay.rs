//! From one outbox to wherever its events are read, in order within a subject.
//!
//! A relay claims subjects and carries them side by side, the events of each one by one. A subject whose event fails is
//! held back alone, ever longer, and tried again apart from the others.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use kit::outbox::Event;
use kit::{Database, Id};
use observability::{chain, names};
use sea_orm::DbErr;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::apply::{Failure, backoff, tell};
use crate::carrier::{Carrier, Trouble};
use crate::claims::{Claim, Claims, LEASE, LEASE_USED_MAX};

/// A look without being woken, for rows that another process wrote.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How often to see whether a broker that was away is back.
const AWAY_INTERVAL: Duration = Duration::from_millis(200);
/// Subjects whose end is noted together.
const SETTLED_MAX: usize = 100;

/// Carries the events of one outbox.
pub(crate) struct Relay {
    service: &'static str,
    claims: Claims,
    carrier: Arc<Carrier>,
    /// When the claims were last renewed.
    renewed: watch::Sender<Instant>,
    fresh: VecDeque<Claim>,
    failing: VecDeque<Claim>,
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    failing_under_way: usize,
}

/// What became of a subject that was carried for a while.
struct Done {
    subject: String,
    was_failing: bool,
    carried: Vec<Id<Event>>,
    failed: Option<(Event, Failure)>,
    failures: i32,
    strikes: i32,
}

impl Relay {
    pub(crate) fn new(service: &'static str, database: Database, carrier: Arc<Carrier>) -> Self {
        Self {
            service,
            claims: Claims::new(database),
            carrier,
            renewed: watch::Sender::new(Instant::now()),
            fresh: VecDeque::new(),
            failing: VecDeque::new(),
            under_way: FuturesUnordered::new(),
            failing_under_way: 0,
        }
    }

    /// Carries until told to stop; what is under way then is finished first.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut changes = self.claims.database.changes();
        let mut renewal = tokio::time::interval(LEASE / 3);
        let mut look_at = Instant::now();
        let mut more = false;
        while !stop.is_cancelled() {
            if look_at <= Instant::now() && self.has_room() {
                // Marked before the look, so that a commit during it makes us look again.
                changes.mark_unchanged();
                look_at = Instant::now() + POLL_INTERVAL;
                more = self.look().await;
            }
            self.start(&stop);
            let (ready, room) = (self.carrier.is_ready(), self.has_room());
            tokio::select! {
                () = stop.cancelled() => {}
                Some(done) = self.under_way.next() => {
                    let next = self.settle(done).await;
                    look_at = look_at.min(if more { Instant::now() } else { next });
                }
                Ok(()) = changes.changed() => look_at = Instant::now(),
                () = pause(ready, room, look_at) => {}
                _ = renewal.tick() => self.renew().await,
            }
        }
        while let Some(done) = self.under_way.next().await {
            self.settle(done).await;
        }
        warn(self.service, self.claims.release_all().await);
    }

    fn lanes(&self) -> usize {
        self.carrier.subjects_at_once()
    }

    /// Subjects that fail never take more lanes than these, so that they do not stand in the way of others.
    fn failing_lanes(&self) -> usize {
        self.lanes() / 4
    }

    fn has_room(&self) -> bool {
        self.carrier.is_ready() && self.fresh.len() < self.lanes()
    }

    /// Claims what there is to be carried; says whether there was anything.
    async fn look(&mut self) -> bool {
        let fresh = (2 * self.lanes()).saturating_sub(self.fresh.len());
        let failing = self.failing_lanes().saturating_sub(self.failing.len() + self.failing_under_way);
        let claimed = warn(self.service, self.claims.claim(fresh, failing).await).unwrap_or_default();
        let any = !claimed.is_empty();
        for claim in claimed {
            let line = if claim.failures > 0 { &mut self.failing } else { &mut self.fresh };
            line.push_back(claim);
        }
        any
    }

    fn start(&mut self, stop: &CancellationToken) {
        while self.carrier.is_ready() && self.under_way.len() < self.lanes() {
            let failing = match self.failing_under_way < self.failing_lanes() {
                true => self.failing.pop_front(),
                false => None,
            };
            self.failing_under_way += usize::from(failing.is_some());
            let Some(claim) = failing.or_else(|| self.fresh.pop_front()) else {
                return;
            };
            let (carrier, lease, stop) = (self.carrier.clone(), self.renewed.subscribe(), stop.clone());
            self.under_way.push(carry(carrier, claim, lease, stop).boxed());
        }
    }

    /// Notes what became of a subject, and of all others that are done by now; says when to look again.
    async fn settle(&mut self, first: Done) -> Instant {
        let mut all = vec![first];
        while all.len() < SETTLED_MAX
            && let Some(Some(done)) = self.under_way.next().now_or_never()
        {
            all.push(done);
        }
        self.failing_under_way -= all.iter().filter(|done| done.was_failing).count();
        let carried: Vec<Id<Event>> = all.iter().flat_map(|done| done.carried.clone()).collect();
        warn(self.service, self.claims.mark_sent(&carried).await);
        let mut next = Instant::now() + POLL_INTERVAL;
        let mut released = Vec::new();
        for done in all {
            let (mut failures, mut strikes, mut wait) = (done.failures, done.strikes, Duration::ZERO);
            if let Some((event, failure)) = done.failed {
                failures = failures.saturating_add(1);
                strikes = strikes.saturating_add(i32::from(!failure.passing));
                wait = backoff(failures);
                tell(&event, &failure, failures);
                next = next.min(Instant::now() + wait);
            }
            if failures == 0 {
                released.push(done.subject);
                continue;
            }
            // Also where it was left before its next event was tried again: what that failed so far still counts.
            warn(self.service, self.claims.hold(&done.subject, wait, failures, strikes).await);
        }
        warn(self.service, self.claims.release(&released).await);
        next
    }

    async fn renew(&mut self) {
        let began = Instant::now();
        let idle = self.fresh.is_empty() && self.failing.is_empty() && self.under_way.is_empty();
        if idle || warn(self.service, self.claims.renew().await).is_some() {
            self.renewed.send_replace(began);
        }
    }
}

/// Until it is time to look, and there is room for what may be found.
async fn pause(ready: bool, room: bool, look_at: Instant) {
    match (ready, room) {
        (true, true) => tokio::time::sleep_until(look_at).await,
        (true, false) => std::future::pending().await,
        (false, _) => tokio::time::sleep(AWAY_INTERVAL).await,
    }
}

/// A store that is away is tried again; that it was is said.
fn warn<T>(service: &'static str, result: Result<T, DbErr>) -> Option<T> {
    result
        .map_err(|error| {
            let error = chain(&error);
            tracing::warn!(
                { names::SERVICE } = service,
                { names::ERROR } = error,
                "the outbox of {service} cannot be used: {error}"
            );
        })
        .ok()
}

/// Carries the events of one subject until one fails.
async fn carry(
    carrier: Arc<Carrier>,
    claim: Claim,
    renewed: watch::Receiver<Instant>,
    stop: CancellationToken,
) -> Done {
    let Claim { subject, events, failures, strikes } = claim;
    let was_failing = failures > 0;
    let mut done = Done { subject, was_failing, carried: Vec::new(), failed: None, failures, strikes };
    for event in events {
        if stop.is_cancelled() || renewed.borrow().elapsed() > LEASE_USED_MAX {
            break;
        }
        match carrier.carry(&event, done.strikes).await {
            Ok(()) => {
                done.carried.push(event.id);
                (done.failures, done.strikes) = (0, 0);
            }
            Err(Trouble::Failed(failure)) => {
                done.failed = Some((event, failure));
                break;
            }
            Err(Trouble::Away) => break,
        }
    }
    done
}
