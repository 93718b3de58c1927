//! Tries that share a count take turns in a process: the next begins once it is known whether the last one failed. So
//! many right passwords at once are all let in, and of many wrong ones no more are hashed than may fail.

use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};

use crate::domain::throttle::Gate;

/// Counts that meet in one place wait for each other without need, for the time of a hash.
const PLACES: usize = 1_024;

#[derive(Clone)]
pub struct Turns {
    places: Arc<[Mutex<()>]>,
}

impl Turns {
    pub fn new() -> Self {
        Self { places: (0..PLACES).map(|_| Mutex::new(())).collect() }
    }

    /// Waits for the tries at this gate that came before; the turn ends when it is dropped.
    pub async fn turn(&self, gate: &Gate) -> Option<MutexGuard<'_, ()>> {
        // The names of gates are keyed hashes: nobody can choose where his lie.
        let place =
            gate.key.iter().take(8).fold(0_usize, |place, byte| (place * 256 + usize::from(*byte)) % PLACES);
        Some(self.places.get(place)?.lock().await)
    }
}
