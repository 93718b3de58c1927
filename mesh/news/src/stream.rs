//! An outbox in Redis: a stream, oldest first. It is carried by one relay at a time, which holds a lease; an entry that is
//! carried moves to another stream, for replays, so what the outbox holds is what is still to be told.

use std::pin::pin;
use std::sync::LazyLock;
use std::time::Duration;

use futures::StreamExt;
use kit::BoxError;
use kit::outbox::Event;
use observability::{chain, names};
use prost::Message;
use proto::common as pb;
use redis::aio::ConnectionManager;
use redis::streams::{StreamId, StreamRangeReply};
use redis::{AsyncCommands, RedisError, Script};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::carrier::{Carrier, Trouble};
use crate::rabbitmq::{Publisher, Settings};

/// Entries read at once.
const BATCH: usize = 256;
/// How long to wait where there was nothing. Other processes append, so nobody wakes us.
const PAUSE: Duration = Duration::from_millis(100);
/// To this it grows while Redis is away or the broker refuses.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// A relay that dies is followed by another one after this.
const LEASE: Duration = Duration::from_secs(10);
/// A relay stops carrying under a lease that it took so long ago.
const LEASE_USED_MAX: Duration = Duration::from_secs(5);
/// What is moved out of the outbox is kept for so long, and not more entries than these.
const MOVED_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const MOVED_MAX: usize = 1_000_000;

static HOLD: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("stream/hold.lua")));
static MOVE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("stream/move.lua")));

/// Where such an outbox is.
#[derive(Clone)]
pub struct Stream {
    /// The service that appends to it.
    pub service: &'static str,
    /// Its Redis.
    pub connection: ConnectionManager,
    /// The key of the stream.
    pub key: String,
    /// The field of an entry that holds the event.
    pub field: &'static str,
}

/// Carries events from a stream in Redis to the broker, until `shutdown`.
pub async fn run_stream(stream: Stream, settings: Settings, shutdown: impl Future<Output = ()>) {
    let stop = CancellationToken::new();
    let (publisher, keeping) = Publisher::start(settings, stop.clone());
    let carried = run(stream, Carrier::Broker(publisher), stop.clone());
    let mut done = pin!(async { tokio::join!(keeping, carried) });
    tokio::select! {
        () = shutdown => stop.cancel(),
        _ = &mut done => return,
    }
    done.await;
}

/// Carries until told to stop.
async fn run(stream: Stream, carrier: Carrier, stop: CancellationToken) {
    let me = Uuid::new_v4().to_string();
    let mut pause = PAUSE;
    while !stop.is_cancelled() {
        pause = match stream.round(&me, &carrier, &stop).await {
            Ok(true) => {
                pause = PAUSE;
                continue;
            }
            Ok(false) => PAUSE,
            Err(error) => {
                // More of the same would say nothing new.
                if pause == PAUSE {
                    stream.tell(&chain(&*error));
                }
                pause.saturating_mul(2).min(PAUSE_MAX)
            }
        };
        stop.run_until_cancelled(tokio::time::sleep(pause)).await;
    }
}

impl Stream {
    /// Carries what there is, once. True when there may be more.
    async fn round(&self, me: &str, carrier: &Carrier, stop: &CancellationToken) -> Result<bool, BoxError> {
        let began = Instant::now();
        if !carrier.is_ready() || !self.hold_lease(me).await? {
            return Ok(false);
        }
        let read: StreamRangeReply = self.connection.clone().xrange_count(&self.key, "-", "+", BATCH).await?;
        let full = read.ids.len() >= BATCH;
        let mut subjects: Vec<(String, Vec<(String, Event)>)> = Vec::new();
        for entry in read.ids {
            let Some(event) = self.event(&entry) else {
                self.put_aside(&entry.id).await?;
                continue;
            };
            match subjects.iter_mut().find(|(subject, _)| *subject == event.subject) {
                Some((_, events)) => events.push((entry.id, event)),
                None => subjects.push((event.subject.clone(), vec![(entry.id, event)])),
            }
        }
        let may_go_on = || !stop.is_cancelled() && began.elapsed() < LEASE_USED_MAX;
        let carried = futures::stream::iter(subjects)
            .map(|(_, events)| self.carry(events, carrier, &may_go_on))
            .buffer_unordered(carrier.subjects_at_once());
        // All of them are waited for: what is refused of one subject holds up no other.
        let carried = carried.collect::<Vec<Result<bool, BoxError>>>().await;
        let all = carried.into_iter().collect::<Result<Vec<bool>, BoxError>>()?;
        Ok(full && all.into_iter().all(|whole| whole))
    }

    /// Carries the events of one subject until one fails; says whether all were carried.
    async fn carry(
        &self,
        events: Vec<(String, Event)>,
        carrier: &Carrier,
        may_go_on: &impl Fn() -> bool,
    ) -> Result<bool, BoxError> {
        for (id, event) in events {
            if !may_go_on() {
                return Ok(false);
            }
            match carrier.carry(&event, 0).await {
                // Moved only now: what a crash leaves comes again, and every reader knows it already.
                Ok(()) => self.shift(&id, &self.carried()).await?,
                Err(Trouble::Failed(failure)) => {
                    let (kind, id, error) = (event.kind, event.id, failure.error);
                    return Err(format!("{kind} {id} is not taken: {error}").into());
                }
                Err(Trouble::Away) => return Ok(false),
            }
        }
        Ok(true)
    }

    /// A page of what was carried, oldest first and each subject in its order, behind an entry; and the last entry of the
    /// page. Nothing at the end.
    pub(crate) async fn carried_after(
        &self,
        entry: &str,
        count: usize,
    ) -> Result<Option<(String, Vec<Event>)>, RedisError> {
        let from = format!("({entry}");
        let read: StreamRangeReply =
            self.connection.clone().xrange_count(self.carried(), from, "+", count).await?;
        let events = read.ids.iter().filter_map(|entry| self.event(entry)).collect();
        Ok(read.ids.last().map(|last| (last.id.clone(), events)))
    }

    fn carried(&self) -> String {
        format!("{}:carried", self.key)
    }

    fn event(&self, entry: &StreamId) -> Option<Event> {
        let bytes: Vec<u8> = entry.get(self.field)?;
        Event::try_from(pb::Event::decode(bytes.as_slice()).ok()?).ok()
    }

    /// Moves an entry that is no event out of the way, for a person to look at.
    async fn put_aside(&self, id: &str) -> Result<(), RedisError> {
        let (service, broken) = (self.service, format!("{}:broken", self.key));
        tracing::error!(
            { names::SERVICE } = service,
            "the entry {id} of the outbox of {service} is no event, and is put aside in {broken}"
        );
        self.shift(id, &broken).await
    }

    /// Moves an entry to another stream, in one step.
    async fn shift(&self, id: &str, to: &str) -> Result<(), RedisError> {
        let mut call = MOVE.key(&self.key);
        call.key(to).arg(id).arg(MOVED_MAX).arg(milliseconds(MOVED_KEPT));
        call.invoke_async(&mut self.connection.clone()).await
    }

    /// Whether this relay is the one that carries, for as long as the lease lasts.
    async fn hold_lease(&self, me: &str) -> Result<bool, RedisError> {
        let mut call = HOLD.key(format!("{}:relay", self.key));
        call.arg(me).arg(milliseconds(LEASE));
        call.invoke_async(&mut self.connection.clone()).await
    }

    fn tell(&self, error: &str) {
        let service = self.service;
        tracing::warn!(
            { names::SERVICE } = service,
            { names::ERROR } = error,
            "the outbox of {service} is held up: {error}"
        );
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
