//! What an operator does with events that a reader could not apply, or is to have again.

use kit::outbox::Event;
use kit::{BoxError, Id, Timestamp};

use crate::rabbitmq::{Broken, DeadLetters, Outbox, Retried, Settings, Subscription};
use crate::{Source, undelivered};

/// Letters shown at once.
const LETTERS_MAX: u16 = 1_000;

/// Where dead letters lie.
pub enum Letters {
    /// Beside the outboxes, where one process carries all events.
    Stores(Vec<Source>),
    /// In queues of their own; the outboxes are for replays.
    RabbitMq(Settings, Vec<Outbox>),
}

/// What was put aside for a reader.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PutAside {
    /// What it could not apply, oldest first.
    pub events: Vec<Event>,
    /// What came to its queue and is no event, as it came.
    pub broken: Vec<Broken>,
}

/// Why they cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LettersError {
    /// An outbox does not answer.
    #[error("the outbox of {0} cannot be used")]
    Store(&'static str, #[source] BoxError),
    /// Nor does the broker.
    #[error("the broker cannot be used")]
    Broker(#[from] lapin::Error),
}

impl Letters {
    /// What was put aside for a reader, at most a thousand letters.
    pub async fn list(&self, reader: &str) -> Result<PutAside, LettersError> {
        match self {
            Self::Stores(sources) => {
                let mut events = Vec::new();
                for source in sources {
                    let dead = undelivered::dead(&source.database, reader, LETTERS_MAX.into()).await;
                    events.extend(dead.map_err(|error| LettersError::Store(source.service, error.into()))?);
                }
                events.sort_by_key(|event| event.id.as_uuid());
                events.truncate(LETTERS_MAX.into());
                Ok(PutAside { events, broken: Vec::new() })
            }
            Self::RabbitMq(settings, _) => {
                Ok(DeadLetters::open(settings.clone()).await?.list(reader, LETTERS_MAX.into()).await?)
            }
        }
    }

    /// Lets a reader try one of them again, or all. It tries as often as the first time.
    pub async fn retry(&self, reader: &str, event: Option<Id<Event>>) -> Result<Retried, LettersError> {
        match self {
            Self::Stores(sources) => {
                let mut events = 0;
                for source in sources {
                    let retried = undelivered::retry(&source.database, reader, event).await;
                    events += retried.map_err(|error| LettersError::Store(source.service, error.into()))?;
                }
                Ok(Retried { events, broken: 0 })
            }
            Self::RabbitMq(settings, _) => {
                Ok(DeadLetters::open(settings.clone()).await?.retry(reader, event).await?)
            }
        }
    }

    /// Hands a reader everything again that happened since a time, as far as outboxes reach back; says how many events
    /// those are. What its inbox knows has no effect: this is for a reader whose store was set back, with its inbox.
    pub async fn replay(&self, to: &Subscription, since: Timestamp) -> Result<u64, LettersError> {
        let mut count = 0;
        match self {
            Self::Stores(sources) => {
                for source in sources {
                    let replayed = undelivered::replay(&source.database, to.reader, to.kinds, since).await;
                    count += replayed.map_err(|error| LettersError::Store(source.service, error.into()))?;
                }
            }
            Self::RabbitMq(settings, outboxes) => {
                let letters = DeadLetters::open(settings.clone()).await?;
                for outbox in outboxes {
                    count += letters.replay(outbox, to, since).await?;
                }
            }
        }
        Ok(count)
    }
}
