//! An outbox in Redis: a stream, oldest first. It is carried by one relay at a time, which holds a lease; an entry goes
//! when it is carried, so what the stream holds is what is still to be told.

use std::time::Duration;

use futures::StreamExt;
use kit::BoxError;
use kit::outbox::Event;
use observability::{chain, names};
use prost::Message;
use proto::common as pb;
use redis::aio::ConnectionManager;
use redis::streams::StreamRangeReply;
use redis::{AsyncCommands, ExistenceCheck, SetExpiry, SetOptions};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::apply::tell;
use crate::carrier::{Carrier, Trouble};

/// Entries read at once.
const BATCH: usize = 256;
/// How long to wait where there was nothing, or nothing could be carried. Other processes append, so nobody wakes us.
const PAUSE: Duration = Duration::from_millis(100);
/// A relay that dies is followed by another one after this.
const LEASE: Duration = Duration::from_secs(10);
/// What the broker refuses is told each time: it happens only when a queue is full.
const FIRST_FAILURE: i32 = 1;

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

/// Carries until told to stop.
pub(crate) async fn run(stream: Stream, carrier: Carrier, stop: CancellationToken) {
    let me = Uuid::new_v4().to_string();
    while !stop.is_cancelled() {
        let more = match stream.round(&me, &carrier, &stop).await {
            Ok(more) => more,
            Err(error) => {
                let (service, error) = (stream.service, chain(&*error));
                tracing::warn!(
                    { names::SERVICE } = service,
                    { names::ERROR } = error,
                    "the outbox of {service} cannot be read: {error}"
                );
                false
            }
        };
        if !more {
            stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
    }
}

impl Stream {
    /// Carries what there is, once. True when there may be more.
    async fn round(&self, me: &str, carrier: &Carrier, stop: &CancellationToken) -> Result<bool, BoxError> {
        if !carrier.is_ready() || !self.hold_lease(me).await? {
            return Ok(false);
        }
        let mut connection = self.connection.clone();
        let read: StreamRangeReply = connection.xrange_count(&self.key, "-", "+", BATCH).await?;
        let full = read.ids.len() >= BATCH;
        let mut subjects: Vec<(String, Vec<(String, Event)>)> = Vec::new();
        for entry in read.ids {
            let event = entry.get::<Vec<u8>>(self.field).ok_or("an entry of the outbox holds no event")?;
            let event = Event::try_from(pb::Event::decode(event.as_slice())?)?;
            match subjects.iter_mut().find(|(subject, _)| *subject == event.subject) {
                Some((_, events)) => events.push((entry.id, event)),
                None => subjects.push((event.subject.clone(), vec![(entry.id, event)])),
            }
        }
        let carried = futures::stream::iter(subjects)
            .map(|(_, events)| self.carry(events, carrier, stop))
            .buffer_unordered(carrier.subjects_at_once());
        let carried = carried.collect::<Vec<Result<bool, BoxError>>>().await;
        let all = carried.into_iter().collect::<Result<Vec<bool>, BoxError>>()?;
        Ok(full && all.into_iter().all(|whole| whole))
    }

    /// Carries the events of one subject until one fails; says whether all were carried.
    async fn carry(
        &self,
        events: Vec<(String, Event)>,
        carrier: &Carrier,
        stop: &CancellationToken,
    ) -> Result<bool, BoxError> {
        for (id, event) in events {
            if stop.is_cancelled() {
                return Ok(false);
            }
            match carrier.carry(&event, 0).await {
                // Gone only now: what a crash leaves comes again, and every reader knows it already.
                Ok(()) => self.connection.clone().xdel::<_, _, ()>(&self.key, &[id]).await?,
                Err(Trouble::Failed(failure)) => {
                    tell(&event, &failure, FIRST_FAILURE);
                    return Ok(false);
                }
                Err(Trouble::Away) => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Whether this relay is the one that carries, for as long as the lease lasts.
    async fn hold_lease(&self, me: &str) -> Result<bool, BoxError> {
        let key = format!("{}:relay", self.key);
        let mut connection = self.connection.clone();
        let life = SetExpiry::PX(u64::try_from(LEASE.as_millis()).unwrap_or(u64::MAX));
        let free = SetOptions::default().conditional_set(ExistenceCheck::NX).with_expiration(life);
        if connection.set_options::<_, _, Option<String>>(&key, me, free).await?.is_some() {
            return Ok(true);
        }
        let holder: Option<String> = connection.get(&key).await?;
        if holder.as_deref() != Some(me) {
            return Ok(false);
        }
        let kept = SetOptions::default().conditional_set(ExistenceCheck::XX).with_expiration(life);
        Ok(connection.set_options::<_, _, Option<String>>(&key, me, kept).await?.is_some())
    }
}
