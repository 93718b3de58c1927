//! The queues of dead letters, for those who look after them.

use std::collections::HashMap;

use kit::outbox::{self, Event};
use kit::{Id, Timestamp, query};
use lapin::message::{BasicGetMessage, Delivery};
use lapin::options::{BasicAckOptions, BasicGetOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation, Connection};
use sea_orm::Value;
use uuid::Uuid;

use super::publisher::confirmed;
use super::{Settings, Subscription, event};
use crate::unsent::places;
use crate::{LettersError, PutAside, Source, Stream};

/// Events of an outbox read at once.
const PAGE: i64 = 500;
const STREAM_PAGE: usize = 500;
/// The property of a message that holds its id.
const MESSAGE_ID: &str = "message-id";
/// Before every entry of a stream.
const BEGINNING: &str = "0-0";

/// An outbox that keeps what was carried, for replays.
pub enum Outbox {
    /// In a table.
    Table(Source),
    /// In Redis.
    Stream(Stream),
}

/// A message that is no event, or none that this program can read. Its bytes stay closed: they may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What its sender said of it, by the names of AMQP. Nobody has looked at that, either.
    pub properties: Vec<(&'static str, String)>,
    /// Its size.
    pub bytes: usize,
}

impl Broken {
    /// The id that its sender gave it, where that is like one of ours.
    pub fn id(&self) -> Option<Uuid> {
        let (_, id) = self.properties.iter().find(|(name, _)| *name == MESSAGE_ID)?;
        id.parse().ok()
    }
}

/// What became of dead letters that a reader was to try again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retried {
    /// It tries these events.
    pub events: u64,
    /// These messages are no events, and stay where they are.
    pub broken: u64,
}

/// A connection for looking at dead letters and bringing them back.
pub(crate) struct DeadLetters {
    settings: Settings,
    // The channel is closed with it: what was looked at and not acknowledged goes back to its place.
    _connection: Connection,
    channel: Channel,
}

impl DeadLetters {
    pub(crate) async fn open(mut settings: Settings) -> Result<Self, lapin::Error> {
        // Nobody knows what strangers put into headers, which no frame may be too short for.
        settings.uri.query.frame_max = None;
        let connection = settings.connect("shop events").await?;
        let channel = connection.create_channel().await?;
        settings.declare(&channel).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self { settings, _connection: connection, channel })
    }

    /// What was put aside for a reader, oldest first.
    pub(crate) async fn list(&self, reader: &str, limit: usize) -> Result<PutAside, lapin::Error> {
        let mut aside = PutAside::default();
        while aside.events.len() + aside.broken.len() < limit
            && let Some(message) = self.take(reader).await?
        {
            match event(&message.delivery.data) {
                Some(event) => aside.events.push(event),
                None => aside.broken.push(broken(&message.delivery)),
            }
        }
        Ok(aside)
    }

    /// Puts one event, or all that are there now, back into the queue of its reader. It leaves its place only when the
    /// queue has it; should this program die in between, it is in both, and applied once.
    pub(crate) async fn retry(&self, reader: &str, id: Option<Id<Event>>) -> Result<Retried, lapin::Error> {
        let mut retried = Retried::default();
        let mut left = u32::MAX;
        while left > 0
            && let Some(message) = self.take(reader).await?
        {
            left = left.saturating_sub(1).min(message.message_count);
            let Some(event) = event(&message.delivery.data) else {
                let meant = id.is_none_or(|id| broken(&message.delivery).id() == Some(id.as_uuid()));
                retried.broken += u64::from(meant);
                continue;
            };
            if id.is_some_and(|id| id != event.id) {
                continue;
            }
            self.deliver(reader, &event).await?;
            message.delivery.ack(BasicAckOptions::default()).await?;
            retried.events += 1;
        }
        Ok(retried)
    }

    /// Puts what an outbox sent since a time into the queue of one reader alone, so that the order within each subject is
    /// kept; says how many events those are.
    pub(crate) async fn replay(
        &self,
        outbox: &Outbox,
        to: &Subscription,
        since: Timestamp,
    ) -> Result<u64, LettersError> {
        match outbox {
            Outbox::Table(source) => self.replay_table(source, to, since).await,
            Outbox::Stream(stream) => self.replay_stream(stream, to, since).await,
        }
    }

    /// In the order of versions.
    async fn replay_table(
        &self,
        source: &Source,
        to: &Subscription,
        since: Timestamp,
    ) -> Result<u64, LettersError> {
        let sql = format!(
            "SELECT * FROM outbox WHERE sent IS NOT NULL AND occurred >= $1 \
             AND (subject_version > $2 OR (subject_version = $2 AND id > $3)) AND kind IN ({}) \
             ORDER BY subject_version, id LIMIT $4",
            places(5, to.kinds.len())
        );
        let (mut count, mut version, mut id) = (0, 0_i64, Uuid::nil());
        loop {
            let mut values: Vec<Value> = vec![since.into(), version.into(), id.into(), PAGE.into()];
            values.extend(to.kinds.iter().map(|kind| Value::from(*kind)));
            let read = query(source.database.read(), &sql, values).await;
            let events = read.and_then(|rows| rows.iter().map(outbox::read).collect::<Result<Vec<_>, _>>());
            let events = events.map_err(|error| LettersError::Store(source.service, error.into()))?;
            let Some(last) = events.last() else {
                return Ok(count);
            };
            (version, id) = (last.subject_version, last.id.as_uuid());
            // Those of one version are of different subjects, whose order does not matter.
            for of_one_version in events.chunk_by(|one, other| one.subject_version == other.subject_version) {
                let all = of_one_version.iter().map(|event| self.deliver(to.reader, event));
                futures::future::try_join_all(all).await?;
                count += u64::try_from(of_one_version.len()).unwrap_or_default();
            }
        }
    }

    /// In the order in which it was carried.
    async fn replay_stream(
        &self,
        stream: &Stream,
        to: &Subscription,
        since: Timestamp,
    ) -> Result<u64, LettersError> {
        let (mut count, mut last) = (0, BEGINNING.to_owned());
        loop {
            let page = stream.carried_after(&last, STREAM_PAGE).await;
            let page = page.map_err(|error| LettersError::Store(stream.service, error.into()))?;
            let Some((end, mut events)) = page else {
                return Ok(count);
            };
            last = end;
            events.retain(|event| event.occurred >= since && to.kinds.contains(&event.kind.as_str()));
            let mut subjects: HashMap<&str, Vec<&Event>> = HashMap::new();
            for event in &events {
                subjects.entry(&event.subject).or_default().push(event);
            }
            let all = subjects.into_values().map(async |events| {
                for event in events {
                    self.deliver(to.reader, event).await?;
                }
                Ok::<(), lapin::Error>(())
            });
            futures::future::try_join_all(all).await?;
            count += u64::try_from(events.len()).unwrap_or_default();
        }
    }

    async fn deliver(&self, reader: &str, event: &Event) -> Result<(), lapin::Error> {
        match confirmed(&self.channel, "", self.settings.queue(reader).as_str(), event).await? {
            Confirmation::Ack(None) => Ok(()),
            _ => Err(std::io::Error::other("the queue did not take the event").into()),
        }
    }

    async fn take(&self, reader: &str) -> Result<Option<BasicGetMessage>, lapin::Error> {
        self.channel.basic_get(self.settings.dead_queue(reader), BasicGetOptions::default()).await
    }
}

fn broken(message: &Delivery) -> Broken {
    let said = &message.properties;
    let sent =
        said.timestamp().and_then(|seconds| Timestamp::from_timestamp(i64::try_from(seconds).ok()?, 0));
    let texts = [
        (MESSAGE_ID, said.message_id()),
        ("type", said.kind()),
        ("content-type", said.content_type()),
        ("app-id", said.app_id()),
        ("user-id", said.user_id()),
    ];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?.to_string())));
    let sent = sent.map(|sent| ("timestamp", sent.to_rfc3339()));
    Broken { properties: texts.chain(sent).collect(), bytes: message.data.len() }
}
