//! Watching: the present first, then every growth, and no more reads than needed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use tokio::sync::watch::{Receiver, Sender};
use watching::watch;

/// Short, so that the tests are; a service uses [`watching::INTERVAL`].
const INTERVAL: Duration = Duration::from_millis(100);

/// A thing with a version, and counts of how often that was looked at and the thing read. Version 0: there is none.
/// -1: the store fails.
#[derive(Clone, Default)]
struct Thing {
    version: Arc<AtomicI64>,
    looks: Arc<AtomicU64>,
    reads: Arc<AtomicU64>,
}

impl Thing {
    fn at(version: i64) -> Self {
        let thing = Self::default();
        thing.set(version);
        thing
    }

    fn set(&self, version: i64) {
        self.version.store(version, Ordering::SeqCst);
    }

    fn watch(
        &self,
        changes: Receiver<u64>,
    ) -> impl futures::Stream<Item = Result<String, &'static str>> + use<> {
        let (looking, reading) = (self.clone(), self.clone());
        let look = move || {
            looking.looks.fetch_add(1, Ordering::SeqCst);
            let version = looking.version.load(Ordering::SeqCst);
            async move {
                match version {
                    -1 => Err("the store fails"),
                    0 => Ok(None),
                    version => Ok(Some(version)),
                }
            }
        };
        let read = move || {
            reading.reads.fetch_add(1, Ordering::SeqCst);
            let version = reading.version.load(Ordering::SeqCst);
            async move { Ok(Some((version, format!("state {version}")))) }
        };
        watch(changes, INTERVAL, look, read)
    }
}

#[tokio::test]
async fn the_present_comes_first_and_then_each_growth() {
    let (thing, changes) = (Thing::at(3), Sender::new(0));
    let mut states = pin!(thing.watch(changes.subscribe()));

    assert_eq!(states.next().now_or_never(), Some(Some(Ok("state 3".to_owned()))));
    thing.set(4);
    changes.send_modify(|commits| *commits += 1);
    assert_eq!(states.next().await, Some(Ok("state 4".to_owned())));
}

#[tokio::test]
async fn a_change_made_by_another_process_is_seen_at_the_next_look() {
    let (thing, changes) = (Thing::at(3), Sender::new(0));
    let mut states = pin!(thing.watch(changes.subscribe()));
    states.next().await;

    thing.set(9);
    let started = tokio::time::Instant::now();

    assert_eq!(states.next().await, Some(Ok("state 9".to_owned())));
    assert!(started.elapsed() < INTERVAL * 5);
}

#[tokio::test]
async fn commits_that_do_not_change_the_thing_yield_nothing() {
    let (thing, changes) = (Thing::at(3), Sender::new(0));
    let mut states = pin!(thing.watch(changes.subscribe()));
    states.next().await;

    for older in [3, 2, 3] {
        thing.set(older);
        changes.send_modify(|commits| *commits += 1);
        assert!(tokio::time::timeout(INTERVAL * 3, states.next()).await.is_err(), "{older}");
    }
}

#[tokio::test]
async fn a_storm_of_commits_costs_few_looks_and_no_reading() {
    let (thing, changes) = (Thing::at(3), Sender::new(0));
    let mut states = pin!(thing.watch(changes.subscribe()));
    states.next().await;

    let storm = async {
        for _ in 0..5_000 {
            changes.send_modify(|commits| *commits += 1);
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(INTERVAL * 3).await;
    };
    tokio::select! {
        () = storm => {}
        _ = states.next() => panic!("nothing has changed"),
    }

    let looks = thing.looks.load(Ordering::SeqCst);
    assert!((2..=100).contains(&looks), "{looks}");
    assert_eq!(thing.reads.load(Ordering::SeqCst), 1, "what has not changed is not read");
}

#[tokio::test]
async fn a_thing_that_goes_ends_the_stream_and_a_failing_store_says_so_first() {
    let changes = Sender::new(0);
    let none = Thing::at(0);
    assert_eq!(pin!(none.watch(changes.subscribe())).collect::<Vec<_>>().await, []);

    let thing = Thing::at(1);
    let mut states = pin!(thing.watch(changes.subscribe()));
    states.next().await;
    thing.set(0);
    assert_eq!(states.next().await, None);

    let failing = Thing::at(-1);
    let states: Vec<_> = failing.watch(changes.subscribe()).collect().await;
    assert_eq!(states, [Err("the store fails")]);
}

#[tokio::test]
async fn a_watcher_outlives_the_database_handle() {
    let (thing, changes) = (Thing::at(1), Sender::new(0));
    let mut states = pin!(thing.watch(changes.subscribe()));
    states.next().await;
    drop(changes);

    thing.set(2);

    assert_eq!(states.next().await, Some(Ok("state 2".to_owned())));
}
