//! Which requests run in this process, so that a repeated one can wait without holding a connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

type Name = (String, String);
type Turns = Mutex<HashMap<Name, Arc<AsyncMutex<()>>>>;

/// One lock per request that runs or waits; nothing for all others.
#[derive(Clone, Default)]
pub(crate) struct Running {
    turns: Arc<Turns>,
}

/// Held while a request runs; the next of the same name goes on when it is dropped.
pub(crate) struct Turn {
    turns: Arc<Turns>,
    name: Name,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Running {
    /// Waits until no other request of this name runs; nothing when that takes too long.
    pub(super) async fn turn(&self, principal: &str, request_id: &str, limit: Duration) -> Option<Turn> {
        let name = (principal.to_owned(), request_id.to_owned());
        let lock = Arc::clone(entries(&self.turns).entry(name.clone()).or_default());
        // Made before waiting: its drop tidies up, also when the wait is given up or cancelled.
        let mut turn = Turn { turns: Arc::clone(&self.turns), name, guard: None };
        turn.guard = Some(tokio::time::timeout(limit, lock.lock_owned()).await.ok()?);
        Some(turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.guard = None;
        let mut turns = entries(&self.turns);
        // Others that hold or await this lock have clones of it; the last one removes it.
        if turns.get(&self.name).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            turns.remove(&self.name);
        }
    }
}

fn entries(turns: &Turns) -> std::sync::MutexGuard<'_, HashMap<Name, Arc<AsyncMutex<()>>>> {
    // A panic elsewhere cannot leave the map half-changed.
    turns.lock().unwrap_or_else(PoisonError::into_inner)
}
