//! Reads one queue for one reader.
//!
//! A message is acknowledged after its reader has applied it. One that fails is tried again here, in its place, and holds
//! back the later ones of its subject alone. Sent back to the broker instead, it would come again after them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kit::Reader;
use kit::outbox::Event;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Consumer};
use observability::{chain, names};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::publisher::{RECONNECT_MAX, RECONNECT_MIN};
use super::{Settings, event};
use crate::apply::{STRIKES_MAX, apply, backoff, tell, tell_dead};

/// Messages that were given to this process and not acknowledged. So many may wait behind failing ones before the queue
/// as a whole waits.
const PREFETCH: u16 = 32;
/// The broker takes a message back that is not acknowledged for so long. It would after half an hour, for fear of a reader
/// that hangs; ours ends an attempt that does. Brokers before 3.12 do not know this.
const HELD_TIME_MAX: Duration = Duration::from_secs(6 * 60 * 60);
/// Events that a reader applies at once, each of another subject.
const APPLIED_AT_ONCE: usize = 8;

/// Reads until told to stop, again and again when the broker goes away. What is being applied at the end is finished.
pub(crate) async fn consume(settings: Settings, reader: Reader, stop: CancellationToken) {
    let mut wait = RECONNECT_MIN;
    settings.want();
    while !stop.is_cancelled() {
        match open(&settings, &reader).await {
            Ok((_connection, channel, messages)) => {
                wait = RECONNECT_MIN;
                let _up = settings.up();
                // The broker kept nothing for a reader that lives everywhere while it was not connected.
                reader.missed.as_ref().map(|missed| tokio::spawn(missed()));
                let ended = Reading::new(reader.clone(), channel).run(messages, &stop).await;
                ended.unwrap_or_else(|error| warn(&reader, &error));
            }
            Err(error) => warn(&reader, &error),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
        wait = (wait * 2).min(RECONNECT_MAX);
    }
}

fn warn(reader: &Reader, error: &lapin::Error) {
    let (name, error) = (reader.name, chain(error));
    tracing::warn!(
        { names::EVENT_READER } = name,
        { names::ERROR } = error,
        "the queue of {name} cannot be read: {error}"
    );
}

async fn open(
    settings: &Settings,
    reader: &Reader,
) -> Result<(lapin::Connection, Channel, Consumer), lapin::Error> {
    let connection = settings.connect(&format!("shop reads for {}", reader.name)).await?;
    let channel = connection.create_channel().await?;
    settings.declare(&channel).await?;
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let queue = match reader.everywhere {
        true => own_queue(settings, reader, &channel).await?,
        false => settings.queue(reader.name),
    };
    let options = BasicConsumeOptions::default();
    let mut arguments = FieldTable::default();
    let held_ms = i64::try_from(HELD_TIME_MAX.as_millis()).unwrap_or(i64::MAX);
    arguments.insert("x-consumer-timeout".into(), AMQPValue::LongLongInt(held_ms));
    let messages = channel.basic_consume(queue, "".into(), options, arguments).await?;
    Ok((connection, channel, messages))
}

/// A queue for this process alone, which goes with its connection.
async fn own_queue(
    settings: &Settings,
    reader: &Reader,
    channel: &Channel,
) -> Result<ShortString, lapin::Error> {
    let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..Default::default() };
    let queue = channel.queue_declare("".into(), options, FieldTable::default()).await?;
    let name = queue.name().clone();
    for kind in reader.kinds {
        let (exchange, options) = (settings.exchange(), QueueBindOptions::default());
        channel.queue_bind(name.clone(), exchange, (*kind).into(), options, FieldTable::default()).await?;
    }
    Ok(name)
}

/// The messages that one connection brought.
struct Reading {
    reader: Reader,
    /// Dropped last: the messages not acknowledged then go back, in their order.
    _channel: Channel,
    /// The messages of each subject; the first one is being applied.
    lines: HashMap<String, VecDeque<(Event, Delivery)>>,
    under_way: FuturesUnordered<BoxFuture<'static, (String, Outcome)>>,
    turns: Arc<Semaphore>,
}

enum Outcome {
    Applied,
    /// It failed too often.
    Dead,
    /// The process stops.
    Left,
}

impl Reading {
    fn new(reader: Reader, channel: Channel) -> Self {
        Self {
            reader,
            _channel: channel,
            lines: HashMap::new(),
            under_way: FuturesUnordered::new(),
            turns: Arc::new(Semaphore::new(APPLIED_AT_ONCE)),
        }
    }

    async fn run(mut self, mut messages: Consumer, stop: &CancellationToken) -> Result<(), lapin::Error> {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                message = messages.next() => match message {
                    Some(message) => self.arrive(message?, stop).await?,
                    // The broker cancelled: the queue is gone, or moved.
                    None => return Ok(()),
                },
                Some((subject, outcome)) = self.under_way.next() => self.finish(subject, outcome, stop).await?,
            }
        }
        while let Some((subject, outcome)) = self.under_way.next().await {
            self.finish(subject, outcome, stop).await?;
        }
        Ok(())
    }

    async fn arrive(&mut self, message: Delivery, stop: &CancellationToken) -> Result<(), lapin::Error> {
        let Some(event) = event(&message.data) else {
            let name = self.reader.name;
            tracing::error!({ names::EVENT_READER } = name, "a message in the queue of {name} is no event");
            return put_aside(&message).await;
        };
        let subject = event.subject.clone();
        let line = self.lines.entry(subject.clone()).or_default();
        line.push_back((event, message));
        if line.len() == 1 {
            self.start(subject, stop);
        }
        Ok(())
    }

    fn start(&mut self, subject: String, stop: &CancellationToken) {
        let Some((event, _)) = self.lines.get(&subject).and_then(VecDeque::front) else {
            return;
        };
        let (reader, event) = (self.reader.clone(), event.clone());
        let (turns, stop) = (self.turns.clone(), stop.clone());
        self.under_way
            .push(Box::pin(async move { (subject, attempt(&reader, &event, &turns, &stop).await) }));
    }

    /// The inbox has it by now, so it may be forgotten here. If this word gets lost it comes again, and is known.
    async fn finish(
        &mut self,
        subject: String,
        outcome: Outcome,
        stop: &CancellationToken,
    ) -> Result<(), lapin::Error> {
        let Some(line) = self.lines.get_mut(&subject) else {
            return Ok(());
        };
        let first = line.pop_front();
        if line.is_empty() {
            self.lines.remove(&subject);
        }
        match (outcome, first) {
            (Outcome::Applied, Some((_, message))) => {
                message.ack(BasicAckOptions::default()).await?;
            }
            (Outcome::Dead, Some((_, message))) => put_aside(&message).await?,
            (Outcome::Left, _) | (_, None) => return Ok(()),
        }
        if !stop.is_cancelled() {
            self.start(subject, stop);
        }
        Ok(())
    }
}

/// The queue hands it on to that of the dead letters.
async fn put_aside(message: &Delivery) -> Result<(), lapin::Error> {
    message.reject(BasicRejectOptions { requeue: false }).await.map(drop)
}

/// Tries until it succeeds, or fails too often by the event's own fault.
async fn attempt(reader: &Reader, event: &Event, turns: &Semaphore, stop: &CancellationToken) -> Outcome {
    let (mut failures, mut strikes) = (0, 0);
    // What the broker still names among a reader's kinds and its code no longer reads.
    if !reader.reads(&event.kind) {
        return Outcome::Applied;
    }
    while !stop.is_cancelled() {
        let turn = turns.acquire().await;
        let Err(failure) = apply(reader, event).await else {
            return Outcome::Applied;
        };
        drop(turn);
        failures += 1;
        strikes += i32::from(!failure.passing);
        if strikes >= STRIKES_MAX {
            tell_dead(event, &failure);
            return Outcome::Dead;
        }
        tell(event, &failure, failures);
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(backoff(failures)) => {}
        }
    }
    Outcome::Left
}
