//! Several relays of one outbox at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kit::outbox::{self, Event};
use kit::{Clock, Database, Reader};
use proto::common::Money;

use crate::support::{Heard, Migrator, eventually, sent, start, watched};

const SUBJECTS: usize = 500;
const VERSIONS: i64 = 20;

/// What several relays handed out, and whether two of them ever carried one subject at once.
#[derive(Clone, Default)]
struct Watch {
    carried: Arc<Mutex<HashMap<String, Vec<i64>>>>,
    now: Arc<Mutex<HashMap<String, usize>>>,
    at_once_max: Arc<AtomicUsize>,
    all: Arc<AtomicUsize>,
}

impl Watch {
    /// A reader without an inbox: it sees everything that is handed to it.
    fn reader(&self) -> Reader {
        let watch = self.clone();
        Reader::new("one", &["stock.changed"], move |event| {
            let watch = watch.clone();
            async move {
                let here = {
                    let mut now = watch.now.lock().unwrap();
                    let here = now.entry(event.subject.clone()).or_default();
                    *here += 1;
                    *here
                };
                watch.at_once_max.fetch_max(here, Ordering::SeqCst);
                tokio::task::yield_now().await;
                let mut carried = watch.carried.lock().unwrap();
                carried.entry(event.subject.clone()).or_default().push(event.subject_version);
                *watch.now.lock().unwrap().entry(event.subject).or_default() -= 1;
                watch.all.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        })
    }

    fn count(&self) -> usize {
        self.all.load(Ordering::SeqCst)
    }

    /// Each subject's versions in the order of their first coming.
    fn first_comings(&self) -> Vec<Vec<i64>> {
        let first = |versions: &Vec<i64>| {
            let mut seen = Vec::new();
            versions.iter().for_each(|version| {
                if !seen.contains(version) {
                    seen.push(*version);
                }
            });
            seen
        };
        self.carried.lock().unwrap().values().map(first).collect()
    }
}

/// As three processes would open one store: three times.
async fn stores() -> Vec<(Vec<Database>, Option<tempfile::TempDir>)> {
    let folder = tempfile::tempdir().unwrap();
    let mut urls = vec![(format!("sqlite:{}", folder.path().join("store.db").display()), Some(folder))];
    urls.extend(kit::testing::postgres_url().await.map(|url| (url, None)));
    let mut stores = Vec::new();
    for (url, folder) in urls {
        let mut handles = Vec::new();
        for _ in 0..3 {
            handles.push(Database::open(&url).await.unwrap());
        }
        handles[0].migrate::<Migrator>().await.unwrap();
        stores.push((handles, folder));
    }
    stores
}

/// One more version of every subject, a thousand rows in a transaction.
async fn happen_to_all(database: &Database, versions: impl Iterator<Item = i64>) {
    for version in versions {
        let tx = database.begin().await.unwrap();
        for subject in 0..SUBJECTS {
            let now = Clock::system().now();
            let subject = format!("s-{subject}");
            let event = Event::new("stock.changed", subject, version, now, &Money::default());
            outbox::append(&tx, &event).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_relays_carry_ten_thousand_events_in_the_order_of_each_subject() {
    watched();
    for (handles, _folder) in stores().await {
        let watch = Watch::default();
        happen_to_all(&handles[0], 1..=VERSIONS / 2).await;

        let relays: Vec<_> = handles.iter().map(|store| start(store, vec![watch.reader()])).collect();
        happen_to_all(&handles[1], VERSIONS / 2 + 1..=VERSIONS).await;
        eventually(|| watch.count() >= SUBJECTS * 20).await;
        for (stop, running) in relays {
            stop.send(()).unwrap();
            running.await.unwrap();
        }

        let comings = watch.first_comings();
        assert_eq!(comings.len(), SUBJECTS);
        assert!(comings.iter().all(|versions| *versions == (1..=VERSIONS).collect::<Vec<_>>()));
        assert_eq!(watch.at_once_max.load(Ordering::SeqCst), 1, "two relays carried one subject at once");
        assert!(sent(&handles[0]).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_relay_dies_the_others_go_on_with_its_subjects() {
    watched();
    for (handles, _folder) in stores().await {
        let watch = Watch::default();
        happen_to_all(&handles[0], 1..=VERSIONS).await;

        let mut relays: Vec<_> = handles.iter().map(|store| start(store, vec![watch.reader()])).collect();
        eventually(|| watch.count() > SUBJECTS).await;
        let (_stop, killed) = relays.remove(0);
        killed.abort();
        killed.await.unwrap_err();
        // What it had claimed is left alone until its lease ends, which this clock cannot wait for.
        let expire = "UPDATE outbox_claims SET until = $1";
        let long_ago = Clock::system().now() - Duration::from_secs(1);
        let mut left = true;
        while left {
            tokio::time::sleep(Duration::from_millis(500)).await;
            kit::execute(handles[1].write(), expire, [long_ago.into()]).await.unwrap();
            left = !sent(&handles[1]).await;
        }
        for (stop, running) in relays {
            stop.send(()).unwrap();
            running.await.unwrap();
        }

        let comings = watch.first_comings();
        assert_eq!(comings.len(), SUBJECTS);
        assert!(comings.iter().all(|versions| *versions == (1..=VERSIONS).collect::<Vec<_>>()));
    }
}

#[tokio::test]
async fn an_event_that_commits_after_later_ones_is_not_missed() {
    watched();
    for database in kit::testing::databases::<Migrator>().await {
        let heard = Heard::default();
        let hearing = heard.clone();
        let reader = Reader::new("one", &["stock.changed"], move |event| {
            hearing.events.lock().unwrap().push((event.subject, event.subject_version));
            async { Ok(()) }
        });
        let now = Clock::system().now();
        let event = |subject: String| Event::new("stock.changed", subject, 1, now, &Money::default());
        let early: Vec<Event> = (0..1_000).map(|number| event(format!("early-{number}"))).collect();
        let late: Vec<Event> = (0..1_000).map(|number| event(format!("late-{number}"))).collect();
        assert!(early[999].id.as_uuid() < late[0].id.as_uuid());

        let (stop, running) = start(&database, vec![reader]);
        // On SQLite the second transaction would wait for the first; there the ids alone are the wrong way round.
        let mut first = None;
        if database.backend() == sea_orm::DbBackend::Postgres {
            first = Some(database.begin().await.unwrap());
            for event in &early {
                outbox::append(first.as_ref().unwrap(), event).await.unwrap();
            }
        }
        let second = database.begin().await.unwrap();
        for event in &late {
            outbox::append(&second, event).await.unwrap();
        }
        second.commit().await.unwrap();
        eventually(|| heard.all().len() == 1_000).await;
        let first = match first {
            Some(first) => first,
            None => {
                let first = database.begin().await.unwrap();
                for event in &early {
                    outbox::append(&first, event).await.unwrap();
                }
                first
            }
        };
        first.commit().await.unwrap();
        eventually(|| heard.all().len() == 2_000).await;
        stop.send(()).unwrap();
        running.await.unwrap();

        assert!(sent(&database).await);
    }
}
