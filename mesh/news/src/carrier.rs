//! Where a relay carries events to: the readers of this process, or the broker.

use std::sync::Arc;

use kit::outbox::Event;
use kit::{Database, Reader};

use crate::apply::{Failure, STRIKES_MAX, apply, tell_dead};
use crate::rabbitmq::Publisher;
use crate::undelivered;

/// Subjects handed to readers at once; they share the stores of the process.
const HANDED_AT_ONCE: usize = 8;
/// Events that wait for the broker's word at once, which confirms them together.
const PUBLISHED_AT_ONCE: usize = 100;

/// The way from an outbox to the readers.
pub(crate) enum Carrier {
    /// The readers are here. What one cannot apply is noted in the store of the outbox.
    Readers(Arc<[Reader]>, Database),
    /// They are wherever they are.
    Broker(Publisher),
}

/// Why an event was not carried.
pub(crate) enum Trouble {
    /// It is tried again, and holds back its subject.
    Failed(Failure),
    /// Nothing can be carried at the moment.
    Away,
}

impl Carrier {
    pub(crate) fn subjects_at_once(&self) -> usize {
        match self {
            Self::Readers(..) => HANDED_AT_ONCE,
            Self::Broker(_) => PUBLISHED_AT_ONCE,
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        match self {
            Self::Readers(..) => true,
            Self::Broker(publisher) => publisher.is_connected(),
        }
    }

    /// Carries one event that had so many strikes before. It counts as carried when every reader that wants it has
    /// applied it or put it aside, or when the broker has it.
    pub(crate) async fn carry(&self, event: &Event, strikes: i32) -> Result<(), Trouble> {
        match self {
            Self::Readers(readers, database) => {
                hand_out(readers, database, event, strikes).await.map_err(Trouble::Failed)
            }
            Self::Broker(publisher) => publisher.carry(event).await,
        }
    }
}

/// Every reader is asked, also after another failed, so that none waits for another's trouble with this event.
async fn hand_out(
    readers: &[Reader],
    database: &Database,
    event: &Event,
    strikes: i32,
) -> Result<(), Failure> {
    let mut failed: Option<Failure> = None;
    for reader in readers.iter().filter(|reader| reader.reads(&event.kind)) {
        let Err(failure) = apply(reader, event).await else {
            continue;
        };
        if !failure.passing && strikes + 1 >= STRIKES_MAX {
            tell_dead(event, &failure);
            // A reader that lives everywhere reads the present state again when it likes.
            if !reader.everywhere
                && let Err(error) = undelivered::put_aside(database, reader.name, event).await
            {
                failed = Some(Failure::on_the_way("the outbox", &error));
            }
        } else if failed.as_ref().is_none_or(|failed| failed.passing) {
            failed = Some(failure);
        }
    }
    failed.map_or(Ok(()), Err)
}
