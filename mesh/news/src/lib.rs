#![doc = include_str!("../README.md")]

mod apply;
mod carrier;
mod claims;
mod letters;
mod rabbitmq;
mod relay;
mod stream;
mod undelivered;
mod unsent;

use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kit::{Database, Reader};
use tokio_util::sync::CancellationToken;

pub use letters::{Letters, LettersError, PutAside};
pub use rabbitmq::{Broken, MalformedUrl, Outbox, Refused, Retried, Settings, Subscription};
pub use stream::{Stream, run_stream};

use crate::carrier::Carrier;
use crate::rabbitmq::Publisher;
use crate::relay::Relay;

/// Where events come from: one service's outbox.
#[derive(Clone)]
pub struct Source {
    /// The service.
    pub service: &'static str,
    /// Its store.
    pub database: Database,
}

/// How events get from outboxes to readers.
#[derive(Clone, Debug)]
pub enum Transport {
    /// Both are in this process.
    InProcess,
    /// Each is in some process, and a broker is between them.
    RabbitMq(Settings),
}

/// Carries events from these outboxes, and to these readers, until `shutdown`; what is being applied then is finished
/// first. With a broker, a process may have either without the other.
pub async fn run(
    sources: Vec<Source>,
    readers: Vec<Reader>,
    transport: Transport,
    shutdown: impl Future<Output = ()>,
) {
    let stop = CancellationToken::new();
    let work: FuturesUnordered<BoxFuture<'static, ()>> = match transport {
        Transport::InProcess => in_process(sources, readers, &stop),
        Transport::RabbitMq(settings) => by_broker(sources, readers, &settings, &stop),
    };
    let mut done = pin!(work.collect::<()>());
    tokio::select! {
        () = shutdown => stop.cancel(),
        () = &mut done => return,
    }
    done.await;
}

fn in_process(
    sources: Vec<Source>,
    readers: Vec<Reader>,
    stop: &CancellationToken,
) -> FuturesUnordered<BoxFuture<'static, ()>> {
    let work = FuturesUnordered::<BoxFuture<'static, ()>>::new();
    readers.iter().filter_map(|reader| reader.missed.as_ref()).for_each(|missed| work.push(missed()));
    let readers: Arc<[Reader]> = readers.into();
    for Source { service, database } in sources {
        let carrier = Arc::new(Carrier::Readers(readers.clone(), database.clone()));
        work.push(Box::pin(undelivered::run(database.clone(), readers.clone(), stop.clone())));
        work.push(Box::pin(Relay::new(service, database, carrier).run(stop.clone())));
    }
    work
}

fn by_broker(
    sources: Vec<Source>,
    readers: Vec<Reader>,
    settings: &Settings,
    stop: &CancellationToken,
) -> FuturesUnordered<BoxFuture<'static, ()>> {
    let settings = settings.clone().with(&readers);
    let work = FuturesUnordered::<BoxFuture<'static, ()>>::new();
    for reader in readers {
        work.push(Box::pin(rabbitmq::consume(settings.clone(), reader, stop.clone())));
    }
    if sources.is_empty() {
        return work;
    }
    let (publisher, keeping) = Publisher::start(settings, stop.clone());
    work.push(Box::pin(keeping));
    let carrier = Arc::new(Carrier::Broker(publisher));
    for Source { service, database } in sources {
        work.push(Box::pin(Relay::new(service, database, carrier.clone()).run(stop.clone())));
    }
    work
}
