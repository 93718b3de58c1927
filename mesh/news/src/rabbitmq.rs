//! RabbitMQ: its names, its connections, and what must exist there before anything is published.
//!
//! Whoever publishes declares the queues of all known readers, not only its own, so that no event is lost because its
//! reader has never run.

mod consumer;
mod dead;
mod publisher;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kit::Reader;
use kit::outbox::Event;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::uri::AMQPUri;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ErrorKind, ExchangeKind};
use prost::Message;
use proto::common as pb;

pub(crate) use consumer::consume;
pub(crate) use dead::DeadLetters;
pub use dead::{Broken, Outbox, Retried};
pub(crate) use publisher::Publisher;
use publisher::{RECONNECT_MAX, RECONNECT_MIN};

/// Silence of the other side for twice as long is the end of a connection.
const HEARTBEAT_SECONDS: u16 = 10;
/// The client holds room for 32 frames each way on every connection, and a broker offers frames of 128 KiB: 8 MiB that
/// events of a few hundred bytes never fill. A longer body travels in several frames.
const FRAME_BYTES_MAX: u32 = 16 * 1024;
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// A message that came back so often is put aside. It comes back when whoever had it died or restarted, and also where it
/// waited for something that is away; so this only ends what kills its reader, and strikes are counted there.
const DELIVERIES_MAX: i64 = 50;
/// Messages that a queue holds; beyond them publishers are refused, and events wait in their outbox.
const QUEUE_LENGTH_MAX: i64 = 1_000_000;
/// The queue of dead letters sets none, and the default of newer brokers would drop letters that were looked at often.
const LOOKS_MAX: i64 = 1_000_000;
const PERSISTENT: u8 = 2;
const TRACEPARENT: &str = "traceparent";

/// What a reader wants, as those know it who do not run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The reader's name, which is its queue's.
    pub reader: &'static str,
    /// What it wants to hear of.
    pub kinds: &'static [&'static str],
}

/// Where the broker is, and who reads there.
#[derive(Clone)]
pub struct Settings {
    uri: AMQPUri,
    prefix: Box<str>,
    known: Vec<Subscription>,
    /// Connections by these settings, and by clones of them.
    lines: Arc<Lines>,
}

/// How many connections are wanted, and how many there are.
#[derive(Default)]
struct Lines {
    wanted: AtomicUsize,
    up: AtomicUsize,
}

/// A connection that is there, for as long as it is.
pub(crate) struct Up(Arc<Lines>);

impl Drop for Up {
    fn drop(&mut self) {
        self.0.up.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The broker says no, which stays so until a person changes it.
#[derive(Debug, thiserror::Error)]
#[error("the broker refuses this program")]
pub struct Refused(#[source] lapin::Error);

/// The broker's URL is not one. It is never repeated: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the URL of the broker must be amqp://<user>:<password>@<host>:<port>/<virtual host>")]
pub struct MalformedUrl;

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Settings").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Settings {
    /// A broker, and all readers of the shop but those that live everywhere.
    pub fn new(url: &str, known: Vec<Subscription>) -> Result<Self, MalformedUrl> {
        let mut uri: AMQPUri = url.parse().map_err(|_| MalformedUrl)?;
        uri.query.heartbeat = Some(HEARTBEAT_SECONDS);
        uri.query.frame_max = Some(FRAME_BYTES_MAX);
        Ok(Self { uri, prefix: "shop".into(), known, lines: Arc::default() })
    }

    /// The same with other names of exchanges and queues, for several shops on one broker.
    #[must_use]
    pub fn named(self, prefix: &str) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Whether everybody who publishes or reads by these settings, or by clones of them, is connected.
    pub fn is_reached(&self) -> bool {
        let (wanted, up) = (&self.lines.wanted, &self.lines.up);
        // At first nobody has said yet what he wants.
        up.load(Ordering::Relaxed) >= wanted.load(Ordering::Relaxed).max(1)
    }

    /// Somebody wants a connection from now on.
    fn want(&self) {
        self.lines.wanted.fetch_add(1, Ordering::Relaxed);
    }

    /// And has one.
    fn up(&self) -> Up {
        self.lines.up.fetch_add(1, Ordering::Relaxed);
        Up(self.lines.clone())
    }

    /// Waits until the broker has let this program in, for as long as it is away, or says no: to the user, to the virtual
    /// host, or to the queues that must be there.
    pub async fn admitted(&self) -> Result<(), Refused> {
        let mut wait = RECONNECT_MIN;
        loop {
            match publisher::open(self).await {
                Ok(_) => return Ok(()),
                Err(error) if is_refusal(&error) => return Err(Refused(error)),
                Err(_) => tokio::time::sleep(wait).await,
            }
            wait = (wait * 2).min(RECONNECT_MAX);
        }
    }

    /// The same, and what these readers want: they have queues even where nobody else has heard of them.
    pub(crate) fn with(mut self, readers: &[Reader]) -> Self {
        let readers = readers.iter().filter(|reader| !reader.everywhere);
        self.known.extend(readers.map(|reader| Subscription { reader: reader.name, kinds: reader.kinds }));
        self.known.sort_by_key(|known| known.reader);
        self.known.dedup();
        self
    }

    /// Where events are published to, by their kinds.
    fn exchange(&self) -> ShortString {
        format!("{}.events", self.prefix).into()
    }

    /// Where queues put aside what they give up.
    fn dead_exchange(&self) -> ShortString {
        format!("{}.dead", self.prefix).into()
    }

    fn queue(&self, reader: &str) -> ShortString {
        format!("{}.{reader}", self.prefix).into()
    }

    fn dead_queue(&self, reader: &str) -> ShortString {
        format!("{}.{reader}.dead", self.prefix).into()
    }

    fn is_read(&self, kind: &str) -> bool {
        self.known.iter().any(|subscription| subscription.kinds.contains(&kind))
    }

    /// A connection that says in the broker's lists what it is for.
    async fn connect(&self, what: &str) -> Result<Connection, lapin::Error> {
        let properties = ConnectionProperties::default().with_connection_name(what.into());
        let connecting = Connection::connect_uri(self.uri.clone(), properties);
        let in_time = tokio::time::timeout(CONNECT_TIME_MAX, connecting).await;
        in_time.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))?
    }

    /// Declares everything that is known; what exists stays.
    async fn declare(&self, channel: &Channel) -> Result<(), lapin::Error> {
        let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
        let none = FieldTable::default;
        channel.exchange_declare(self.exchange(), ExchangeKind::Topic, durable, none()).await?;
        channel.exchange_declare(self.dead_exchange(), ExchangeKind::Direct, durable, none()).await?;
        for Subscription { reader, kinds } in &self.known {
            let durable = QueueDeclareOptions { durable: true, ..Default::default() };
            let (queue, dead) = (self.queue(reader), self.dead_queue(reader));
            channel.queue_declare(dead.clone(), durable, kept()).await?;
            let key = ShortString::from(*reader);
            let options = QueueBindOptions::default();
            channel.queue_bind(dead, self.dead_exchange(), key, options, none()).await?;
            channel.queue_declare(queue.clone(), durable, self.read_by(reader)).await?;
            for kind in *kinds {
                let (exchange, kind) = (self.exchange(), ShortString::from(*kind));
                channel.queue_bind(queue.clone(), exchange, kind, options, none()).await?;
            }
        }
        Ok(())
    }

    /// A queue of which one consumer at a time is given messages, in order, and which never drops one.
    fn read_by(&self, reader: &str) -> FieldTable {
        let mut arguments = FieldTable::default();
        let dead_exchange = self.dead_exchange();
        arguments.insert("x-queue-type".into(), text("quorum"));
        arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
        arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(DELIVERIES_MAX));
        arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(QUEUE_LENGTH_MAX));
        arguments.insert("x-overflow".into(), text("reject-publish"));
        arguments.insert("x-dead-letter-exchange".into(), text(dead_exchange.as_str()));
        arguments.insert("x-dead-letter-routing-key".into(), text(reader));
        arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
        arguments
    }
}

fn is_refusal(error: &lapin::Error) -> bool {
    let ErrorKind::ProtocolError(said) = error.kind() else {
        return false;
    };
    matches!(
        said.kind(),
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED | AMQPSoftError::PRECONDITIONFAILED)
            | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED)
    )
}

fn kept() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(LOOKS_MAX));
    arguments
}

fn text(words: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(words))
}

/// An event as it travels: the envelope, and what tools want to see beside it.
fn message(event: &Event) -> (Vec<u8>, BasicProperties) {
    let mut headers = FieldTable::default();
    headers.insert(TRACEPARENT.into(), text(&event.traceparent));
    let occurred = u64::try_from(event.occurred.timestamp()).unwrap_or_default();
    let properties = BasicProperties::default()
        .with_content_type("application/x-protobuf".into())
        .with_delivery_mode(PERSISTENT)
        .with_message_id(event.id.to_string().into())
        .with_type(event.kind.as_str().into())
        .with_timestamp(occurred)
        .with_headers(headers);
    (pb::Event::from(event).encode_to_vec(), properties)
}

/// Nothing where the bytes are no envelope of ours.
fn event(bytes: &[u8]) -> Option<Event> {
    Event::try_from(pb::Event::decode(bytes).ok()?).ok()
}
