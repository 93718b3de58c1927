//! News within one process: from each service's outbox to the readers, in order within a subject.
//!
//! An event counts as sent when every reader that wants it has applied it. A reader that fails holds back the later
//! events of that subject, and of no other; it is tried again, ever more slowly, until it succeeds. Readers apply an
//! event once (their inbox), so one that succeeded is not hurt when another makes the event come again.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use kit::outbox::Event;
use kit::{BoxError, Clock, Database, Reader};
use observability::{chain, names, propagation};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::unsent::{mark_sent, unsent_except};

/// Where events come from: one service's outbox.
#[derive(Clone)]
pub struct Source {
    /// The service.
    pub service: &'static str,
    /// Its store.
    pub database: Database,
}

/// Rows read at once.
const BATCH: u64 = 256;
/// Subjects carried at once. Within a subject events go one by one.
const SUBJECTS_MAX: usize = 8;
/// A look without being woken, for rows that another process wrote.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// A reader that takes longer has failed.
const APPLY_TIME_MAX: Duration = Duration::from_secs(30);
/// A subject whose time has come between two looks is not waited for by spinning.
const PAUSE_MIN: Duration = Duration::from_millis(10);
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// From this failure on a person should look.
const FAILURES_TOO_MANY: u32 = 8;
/// Subjects remembered as failing; whoever comes after them is only tried again sooner.
const HELD_MAX: usize = 1_000;

/// Carries events until `shutdown`; what is being applied then is finished first.
pub async fn run(sources: Vec<Source>, readers: Vec<Reader>, shutdown: impl Future<Output = ()>) {
    readers
        .iter()
        .filter_map(|reader| reader.missed.as_ref())
        .for_each(|missed| drop(tokio::spawn(missed())));
    let readers: Arc<[Reader]> = readers.into();
    let stop = CancellationToken::new();
    let carriers: FuturesUnordered<_> = sources
        .into_iter()
        .map(|source| {
            let relay = Relay { source, readers: readers.clone(), held: HashMap::new() };
            relay.carry(stop.clone())
        })
        .collect();
    let mut carried = pin!(carriers.collect::<()>());
    tokio::select! {
        () = shutdown => stop.cancel(),
        () = &mut carried => return,
    }
    carried.await;
}

struct Relay {
    source: Source,
    readers: Arc<[Reader]>,
    held: HashMap<String, Held>,
}

/// A subject whose next event some reader could not apply.
struct Held {
    until: Instant,
    failures: u32,
}

impl Relay {
    async fn carry(mut self, stop: CancellationToken) {
        let mut changes = self.source.database.changes();
        while !stop.is_cancelled() {
            // Marked before the look, so that a commit during it makes us look again.
            changes.mark_unchanged();
            let more = self.round(&stop).await;
            if more {
                continue;
            }
            let woken = async {
                if changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = woken => {}
                () = tokio::time::sleep(self.pause()) => {}
            }
        }
    }

    /// Carries what there is, once. True when there may be more.
    async fn round(&mut self, stop: &CancellationToken) -> bool {
        let now = Instant::now();
        let waiting: Vec<String> = self
            .held
            .iter()
            .filter(|(_, held)| held.until > now)
            .map(|(subject, _)| subject.clone())
            .collect();
        let events = match unsent_except(&self.source.database, BATCH, &waiting).await {
            Ok(events) => events,
            Err(error) => {
                let (service, error) = (self.source.service, chain(&error));
                tracing::warn!(
                    { names::SERVICE } = service,
                    { names::ERROR } = error,
                    "the outbox of {service} cannot be read: {error}"
                );
                return false;
            }
        };
        let full = u64::try_from(events.len()).is_ok_and(|read| read >= BATCH);
        let progress = self.carry_all(events, stop).await;
        full && progress
    }

    /// True when at least one event was carried.
    async fn carry_all(&mut self, events: Vec<Event>, stop: &CancellationToken) -> bool {
        let (readers, database) = (self.readers.clone(), self.source.database.clone());
        let mut carried = futures::stream::iter(by_subject(events))
            .map(|(subject, events)| {
                let (readers, database, stop) = (readers.clone(), database.clone(), stop.clone());
                async move { (subject, carry_subject(&database, &readers, events, &stop).await) }
            })
            .buffer_unordered(SUBJECTS_MAX);
        let mut progress = false;
        while let Some((subject, (any, failure))) = carried.next().await {
            progress |= any;
            match failure {
                None => drop(self.held.remove(&subject)),
                Some(failure) => hold(&mut self.held, subject, any, &failure),
            }
        }
        progress
    }

    /// Until the next held subject may be tried, or the next look in any case.
    fn pause(&self) -> Duration {
        let now = Instant::now();
        self.held
            .values()
            .map(|held| held.until.saturating_duration_since(now))
            .fold(POLL_INTERVAL, Duration::min)
            .max(PAUSE_MIN)
    }
}

struct Failure {
    event: Event,
    reader: &'static str,
    error: String,
}

/// Carries the events of one subject until one fails; says whether any was carried.
async fn carry_subject(
    database: &Database,
    readers: &[Reader],
    events: Vec<Event>,
    stop: &CancellationToken,
) -> (bool, Option<Failure>) {
    let mut carried = false;
    for event in events.into_iter().take_while(|_| !stop.is_cancelled()) {
        if let Err((reader, error)) = carry_one(database, readers, &event).await {
            return (carried, Some(Failure { event, reader, error: chain(&*error) }));
        }
        carried = true;
    }
    (carried, None)
}

/// Hands an event to everyone who wants it, in the trace of its cause, and marks it. If the mark fails, the event comes
/// again and every reader knows it already.
async fn carry_one(
    database: &Database,
    readers: &[Reader],
    event: &Event,
) -> Result<(), (&'static str, BoxError)> {
    for reader in readers.iter().filter(|reader| reader.reads(&event.kind)) {
        let span = tracing::info_span!(
            target: names::SERVER_SPANS,
            "apply",
            otel.kind = "consumer",
            { names::EVENT_READER } = reader.name,
            { names::EVENT_KIND } = event.kind.as_str(),
        );
        propagation::set_parent(&span, &event.traceparent);
        // A task of its own: a reader that panics has failed like any other, and the relay goes on.
        let (apply, event) = (reader.apply.clone(), event.clone());
        let apply = tokio::time::timeout(APPLY_TIME_MAX, async move { apply(event).await });
        let applied = tokio::spawn(apply.instrument(span)).await;
        let applied = applied.map_err(BoxError::from).and_then(|in_time| in_time?);
        applied.map_err(|error| (reader.name, error))?;
    }
    mark_sent(database, &[event.id], Clock::system().now()).await.map_err(|error| ("the relay", error.into()))
}

fn hold(held: &mut HashMap<String, Held>, subject: String, carried: bool, failure: &Failure) {
    let before = held.get(&subject).filter(|_| !carried).map_or(0, |held| held.failures);
    let failures = before.saturating_add(1);
    let wait = BACKOFF_MIN.saturating_mul(2_u32.saturating_pow(before)).min(BACKOFF_MAX);
    tell(failure, failures);
    if held.len() < HELD_MAX || held.contains_key(&subject) {
        let until = Instant::now() + wait;
        held.insert(subject, Held { until, failures });
    }
}

/// The first failure is a warning and says why; one that does not go away is for a person. In between there is silence.
fn tell(failure: &Failure, failures: u32) {
    let Failure { event, reader, error } = failure;
    let (kind, id) = (event.kind.as_str(), event.id);
    match failures {
        1 => tracing::warn!(
            { names::EVENT_ID } = %id,
            { names::EVENT_READER } = *reader,
            { names::ERROR } = error.as_str(),
            "{reader} could not apply {kind} {id} and will be asked again: {error}"
        ),
        FAILURES_TOO_MANY => tracing::error!(
            { names::EVENT_ID } = %id,
            { names::EVENT_READER } = *reader,
            { names::ERROR } = error.as_str(),
            { names::ATTEMPT } = failures,
            "{reader} still cannot apply {kind} {id}, which holds back its subject: {error}"
        ),
        _ => {}
    }
}

/// Groups events by subject; the order within each stays, and the subject that waits longest comes first.
fn by_subject(events: Vec<Event>) -> Vec<(String, Vec<Event>)> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<(String, Vec<Event>)> = Vec::new();
    for event in events {
        let place = *places.entry(event.subject.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, group)) => group.push(event),
            None => groups.push((event.subject.clone(), vec![event])),
        }
    }
    groups
}
