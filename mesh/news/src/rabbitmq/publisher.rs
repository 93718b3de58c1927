//! Publishes events and waits for the broker's word that it has them.

use std::sync::Arc;
use std::time::Duration;

use kit::outbox::Event;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation, Connection};
use observability::chain;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{Settings, message};
use crate::apply::Failure;
use crate::carrier::Trouble;

/// A broker that holds back its word for longer is as good as away.
const CONFIRM_TIME_MAX: Duration = Duration::from_secs(20);
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
pub(super) const RECONNECT_MIN: Duration = Duration::from_millis(200);
pub(super) const RECONNECT_MAX: Duration = Duration::from_secs(5);

/// The way to the broker; clones share one connection.
#[derive(Clone)]
pub(crate) struct Publisher {
    settings: Arc<Settings>,
    channel: watch::Receiver<Option<Channel>>,
    /// Asks for a new connection, which declares everything again.
    broken: Arc<Notify>,
}

impl Publisher {
    /// A publisher, and the task that keeps it connected until `stop`.
    pub(crate) fn start(settings: Settings, stop: CancellationToken) -> (Self, impl Future<Output = ()>) {
        let (found, channel) = watch::channel(None);
        let (settings, broken) = (Arc::new(settings), Arc::new(Notify::new()));
        let keeping = keep(settings.clone(), found, broken.clone(), stop);
        (Self { settings, channel, broken }, keeping)
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.channel.borrow().is_some()
    }

    /// Publishes an event; done when every queue that it goes to has it on disk. One event of a subject at a time, so
    /// that an earlier one that is refused cannot come after a later one.
    pub(crate) async fn carry(&self, event: &Event) -> Result<(), Trouble> {
        let Some(channel) = self.channel.borrow().clone() else {
            return Err(Trouble::Away);
        };
        let said = confirmed(&channel, self.settings.exchange().as_str(), &event.kind, event).await;
        match said {
            Ok(Confirmation::Ack(None)) => Ok(()),
            // Nobody has subscribed. Where somebody should have, his queue is gone and must be declared again.
            Ok(Confirmation::Ack(Some(_))) if !self.settings.is_read(&event.kind) => Ok(()),
            Ok(Confirmation::Ack(Some(_))) => {
                self.broken.notify_one();
                Err(refused("the broker has no queue for it"))
            }
            Ok(Confirmation::Nack(_)) => Err(refused("a queue is full")),
            Ok(Confirmation::NotRequested) | Err(_) => {
                self.broken.notify_one();
                Err(Trouble::Away)
            }
        }
    }
}

/// Publishes and waits for the broker's word.
pub(super) async fn confirmed(
    channel: &Channel,
    exchange: &str,
    key: &str,
    event: &Event,
) -> Result<Confirmation, lapin::Error> {
    let (body, properties) = message(event);
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let saying =
        async { channel.basic_publish(exchange.into(), key.into(), options, &body, properties).await?.await };
    let in_time = tokio::time::timeout(CONFIRM_TIME_MAX, saying).await;
    in_time.map_err(|_| lapin::Error::from(std::io::Error::from(std::io::ErrorKind::TimedOut)))?
}

fn refused(why: &str) -> Trouble {
    Trouble::Failed(Failure { reader: "the broker", error: why.to_owned(), passing: true })
}

/// Connects, again and again, ever more slowly while nobody answers.
async fn keep(
    settings: Arc<Settings>,
    found: watch::Sender<Option<Channel>>,
    broken: Arc<Notify>,
    stop: CancellationToken,
) {
    let mut wait = RECONNECT_MIN;
    settings.want();
    while !stop.is_cancelled() {
        match open(&settings).await {
            Ok((connection, channel)) => {
                wait = RECONNECT_MIN;
                let _up = settings.up();
                found.send_replace(Some(channel.clone()));
                tokio::select! {
                    // What is under way then is waited for: the connection ends with the last who publishes.
                    () = stop.cancelled() => break,
                    () = broken.notified() => {}
                    () = ended(&connection, &channel) => {}
                }
                found.send_replace(None);
            }
            Err(error) => {
                let error = chain(&error);
                tracing::warn!("the broker cannot be reached, events wait in their outboxes: {error}");
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
        wait = (wait * 2).min(RECONNECT_MAX);
    }
    // Kept until the relays, which hold receivers, are done.
    found.closed().await;
}

pub(super) async fn open(settings: &Settings) -> Result<(Connection, Channel), lapin::Error> {
    let connection = settings.connect("shop publishes").await?;
    let channel = connection.create_channel().await?;
    settings.declare(&channel).await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok((connection, channel))
}

async fn ended(connection: &Connection, channel: &Channel) {
    while connection.status().connected() && channel.status().connected() {
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}
