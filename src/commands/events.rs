//! `shop events`: what readers could not apply, and what they are to have again.

use std::path::Path;

use kit::outbox::Event;
use kit::{Database, Id};
use news::{Letters, Source};
use uuid::Uuid;

use super::Failure;
use crate::config::{Events, EventsOf, database_url};
use crate::data::DataFolder;
use crate::places::SERVICES;
use crate::subscriptions::{SUBSCRIPTIONS, broker};

/// Where dead letters lie, and what keeps them from being touched by a running shop meanwhile.
struct Post {
    letters: Letters,
    _folder: Option<DataFolder>,
}

/// Lists, shows, retries or replays.
pub async fn run(command: &Events) -> Result<(), Failure> {
    match command {
        Events::List(of) => {
            println!(
                "{:36}  {:24}  {:36}  {:>7}  {:27}  {:>7}",
                "id", "kind", "subject", "version", "occurred", "bytes"
            );
            for event in dead(of).await? {
                println!(
                    "{:36}  {:24}  {:36}  {:>7}  {:27}  {:>7}",
                    event.id,
                    event.kind,
                    event.subject,
                    event.subject_version,
                    time(&event),
                    event.payload.len()
                );
            }
        }
        Events::Show { of, event } => show(of, *event).await?,
        Events::Retry { of, event, all: _ } => {
            let letters = Post::open(of).await?.letters;
            let retried = letters.retry(&of.reader, event.map(Id::from_uuid)).await;
            let count =
                retried.map_err(|error| Failure::caused("nothing more could be brought back", &error))?;
            if let (0, Some(event)) = (count, event) {
                return Err(missing(of, *event));
            }
            println!("{count} brought back for {}", of.reader);
        }
        Events::Replay { of, since } => {
            let known =
                SUBSCRIPTIONS.iter().find(|known| known.reader == of.reader).ok_or_else(|| unknown(of))?;
            let letters = Post::open(of).await?.letters;
            let replayed = letters.replay(known, *since).await;
            let count = replayed.map_err(|error| {
                Failure::caused("the replay did not end; run it again, what came twice is known", &error)
            })?;
            println!("{count} handed to {} again", of.reader);
        }
    }
    Ok(())
}

/// The envelope; a payload may hold what is sealed, and stays closed.
async fn show(of: &EventsOf, id: Uuid) -> Result<(), Failure> {
    let events = dead(of).await?;
    let event = events.iter().find(|event| event.id.as_uuid() == id).ok_or_else(|| missing(of, id))?;
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

async fn dead(of: &EventsOf) -> Result<Vec<Event>, Failure> {
    let letters = Post::open(of).await?.letters;
    letters.list(&of.reader).await.map_err(|error| Failure::caused("dead letters cannot be read", &error))
}

fn time(event: &Event) -> String {
    event.occurred.to_rfc3339()
}

fn missing(of: &EventsOf, event: Uuid) -> Failure {
    Failure::new(format!("{event} is not among the dead letters of {}", of.reader))
}

fn unknown(of: &EventsOf) -> Failure {
    let known: Vec<&str> = SUBSCRIPTIONS.iter().map(|known| known.reader).collect();
    Failure::new(format!("there is no reader {}; the readers are {}", of.reader, known.join(", ")))
}

impl Post {
    async fn open(of: &EventsOf) -> Result<Self, Failure> {
        if !SUBSCRIPTIONS.iter().any(|known| known.reader == of.reader) {
            return Err(unknown(of));
        }
        match &of.amqp_url {
            Some(url) => {
                let letters = Letters::RabbitMq(broker(url)?, apart().await?);
                Ok(Self { letters, _folder: None })
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

/// The outboxes that the environment names; only a replay needs them.
async fn apart() -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    for service in SERVICES {
        if let (variable, Some(url)) = database_url(service) {
            let database = Database::open(&url).await.map_err(|error| {
                Failure::caused(format!("the database that {variable} names cannot be used"), &error)
            })?;
            sources.push(Source { service, database });
        }
    }
    Ok(sources)
}
