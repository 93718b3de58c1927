//! `shop events`: what readers could not apply, and what they are to have again.

use std::path::Path;
use std::time::Duration;

use kit::outbox::Event;
use kit::{Database, Id, Timestamp};
use news::{Broken, Letters, Outbox, PutAside, Retried, Source, Subscription};
use uuid::Uuid;

use super::Failure;
use crate::apart::carts;
use crate::config::{Events, EventsOf, database_url};
use crate::data::DataFolder;
use crate::places::SERVICES;
use crate::subscriptions::{SUBSCRIPTIONS, broker, owners};
use crate::topology::stream;

/// Nobody waits for a replay.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Where dead letters lie, and what keeps them from being touched by a running shop meanwhile.
struct Post {
    letters: Letters,
    _folder: Option<DataFolder>,
}

/// Lists, shows, retries or replays.
pub async fn run(command: &Events) -> Result<(), Failure> {
    match command {
        Events::List(of) => list(of).await,
        Events::Show { of, event } => show(of, *event).await,
        Events::Retry { of, event, all: _ } => retry(of, *event).await,
        Events::Replay { of, since } => replay(of, *since).await,
    }
}

async fn list(of: &EventsOf) -> Result<(), Failure> {
    let aside = dead(of).await?;
    println!(
        "{:36}  {:24}  {:36}  {:>7}  {:27}  {:>7}",
        "id", "kind", "subject", "version", "occurred", "bytes"
    );
    for event in &aside.events {
        println!(
            "{:36}  {:24}  {:36}  {:>7}  {:27}  {:>7}",
            event.id,
            event.kind,
            event.subject,
            event.subject_version,
            time(event),
            event.payload.len()
        );
    }
    for broken in &aside.broken {
        let id = broken.id().map_or_else(|| "-".to_owned(), |id| id.to_string());
        println!("{id:36}  {:24}  {}", "not an event", said_of(broken));
    }
    Ok(())
}

/// The envelope; a payload may hold what is sealed, and stays closed.
async fn show(of: &EventsOf, id: Uuid) -> Result<(), Failure> {
    let aside = dead(of).await?;
    let Some(event) = aside.events.iter().find(|event| event.id.as_uuid() == id) else {
        let broken = aside.broken.iter().find(|broken| broken.id() == Some(id));
        let broken = broken.ok_or_else(|| missing(of, id))?;
        println!("{id} is not an event: {}", said_of(broken));
        return Ok(());
    };
    println!("id              {}", event.id);
    println!("kind            {}", event.kind);
    println!("subject         {}", event.subject);
    println!("version         {}", event.subject_version);
    println!("occurred        {}", time(event));
    println!("traceparent     {}", event.traceparent);
    println!("schema version  {}", event.schema_version);
    println!("payload         {} bytes", event.payload.len());
    Ok(())
}

/// What is not an event stays, and that is said.
async fn retry(of: &EventsOf, event: Option<Uuid>) -> Result<(), Failure> {
    let post = Post::open(of, None).await?;
    let retried = post.letters.retry(&of.reader, event.map(Id::from_uuid)).await;
    let Retried { events, broken } =
        retried.map_err(|error| Failure::caused("nothing more could be brought back", &error))?;
    match (event, events, broken) {
        (Some(event), 0, 0) => return Err(missing(of, event)),
        (Some(event), 0, _) => {
            return Err(Failure::new(format!("{event} is not an event and cannot be brought back")));
        }
        (_, _, 0) => println!("{events} brought back for {}", of.reader),
        (..) => println!("{events} brought back for {}; left, as not an event: {broken}", of.reader),
    }
    Ok(())
}

async fn replay(of: &EventsOf, since: Timestamp) -> Result<(), Failure> {
    let known = SUBSCRIPTIONS.iter().find(|known| known.reader == of.reader).ok_or_else(|| unknown(of))?;
    let post = Post::open(of, Some(known)).await?;
    let count = post.letters.replay(known, since).await.map_err(|error| {
        Failure::caused("the replay did not end; run it again, what came twice is known", &error)
    })?;
    println!("{count} handed to {} again", of.reader);
    Ok(())
}

async fn dead(of: &EventsOf) -> Result<PutAside, Failure> {
    let post = Post::open(of, None).await?;
    let aside = post.letters.list(&of.reader).await;
    aside.map_err(|error| Failure::caused("dead letters cannot be read", &error))
}

fn time(event: &Event) -> String {
    event.occurred.to_rfc3339()
}

/// Its size and what its sender said, in quotes: a terminal is not to obey what a stranger wrote.
fn said_of(broken: &Broken) -> String {
    let said = broken.properties.iter().map(|(name, value)| format!(", {name} {value:?}"));
    format!("{} bytes{}", broken.bytes, said.collect::<String>())
}

fn missing(of: &EventsOf, event: Uuid) -> Failure {
    Failure::new(format!("{event} is not among the dead letters of {}", of.reader))
}

fn unknown(of: &EventsOf) -> Failure {
    let known: Vec<&str> = SUBSCRIPTIONS.iter().map(|known| known.reader).collect();
    Failure::new(format!("there is no reader {}; the readers are {}", of.reader, known.join(", ")))
}

impl Post {
    /// With the outboxes that a replay reads, where there is to be one.
    async fn open(of: &EventsOf, replay: Option<&Subscription>) -> Result<Self, Failure> {
        if !SUBSCRIPTIONS.iter().any(|known| known.reader == of.reader) {
            return Err(unknown(of));
        }
        match &of.amqp_url {
            Some(url) => {
                let mut outboxes = Vec::new();
                if let Some(to) = replay {
                    outboxes = apart(to, of.redis_url.as_ref()).await?;
                }
                Ok(Self { letters: Letters::RabbitMq(broker(url)?, outboxes), _folder: None })
            }
            None => Self::of_folder(&of.data.data).await,
        }
    }

    async fn of_folder(path: &Path) -> Result<Self, Failure> {
        if !path.exists() {
            let path = path.display();
            return Err(Failure::new(format!(
                "{path} does not exist; name the shop's data folder with --data"
            )));
        }
        let folder = DataFolder::open(path)?;
        let mut sources = Vec::new();
        for service in SERVICES {
            sources.push(Source { service, database: folder.store(service).await? });
        }
        Ok(Self { letters: Letters::Stores(sources), _folder: Some(folder) })
    }
}

/// The outboxes of all who tell what a reader wants to hear. A replay that left one out would leave a gap.
async fn apart(to: &Subscription, redis_url: Option<&String>) -> Result<Vec<Outbox>, Failure> {
    let mut outboxes = Vec::new();
    for service in owners(to) {
        let (variable, url) = database_url(service);
        outboxes.push(
            match (service, redis_url, url) {
                (cart::NAME, Some(url), _) => {
                    let store = carts(url, ANSWER_TIME_MAX).await;
                    let store = store.map_err(|error| Failure::caused("REDIS_URL cannot be used", &error))?;
                    stream(&store).map(Outbox::Stream)
                }
                (_, _, Some(url)) => {
                    let database = Database::open(&url).await.map_err(|error| {
                        Failure::caused(format!("the database that {variable} names cannot be used"), &error)
                    })?;
                    Some(Outbox::Table(Source { service, database }))
                }
                (_, _, None) => None,
            }
            .ok_or_else(|| {
                Failure::new(format!(
                    "{variable} is not set: it says where {service} keeps what {} is to have again",
                    to.reader
                ))
            })?,
        );
    }
    Ok(outboxes)
}
