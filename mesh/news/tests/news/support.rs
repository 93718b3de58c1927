//! A service with nothing but an outbox and an inbox, and what tests of it share.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use kit::outbox::{self, Event};
use kit::{Clock, Database, Reader, kit_migrations};
use news::{Source, Transport, run};
use observability::{Guard, LogFormat, Settings};
use proto::common::Money;
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        kit_migrations()
    }
}

pub(crate) async fn eventually(what: impl Fn() -> bool) {
    eventually_so(async || what()).await;
}

/// The same, for what must be asked for.
pub(crate) async fn eventually_so(mut what: impl AsyncFnMut() -> bool) {
    for _ in 0..12_000 {
        if what().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not happen within two minutes");
}

#[derive(Clone, Default)]
pub(crate) struct Heard {
    pub(crate) events: Arc<Mutex<Vec<(String, i64)>>>,
    pub(crate) traces: Arc<Mutex<Vec<Option<String>>>>,
    pub(crate) attempts: Arc<AtomicUsize>,
}

impl Heard {
    pub(crate) fn all(&self) -> Vec<(String, i64)> {
        self.events.lock().unwrap().clone()
    }

    pub(crate) fn of(&self, subject: &str) -> Vec<i64> {
        self.all().into_iter().filter(|(heard, _)| heard == subject).map(|(_, version)| version).collect()
    }

    /// A reader that applies each event once, and fails for one subject as long as it is told to.
    pub(crate) fn reader(
        &self,
        name: &'static str,
        database: &Database,
        failing: &Arc<AtomicBool>,
    ) -> Reader {
        let (heard, database, failing) = (self.clone(), database.clone(), failing.clone());
        Reader::new(name, &["stock.changed"], move |event| {
            let (heard, database, failing) = (heard.clone(), database.clone(), failing.clone());
            async move {
                heard.attempts.fetch_add(1, Ordering::SeqCst);
                if event.subject == "bad" && failing.load(Ordering::SeqCst) {
                    return Err("the reader's store is away".into());
                }
                let tx = database.begin().await?;
                if kit::inbox::first_time(&tx, name, event.id).await? {
                    heard.events.lock().unwrap().push((event.subject.clone(), event.subject_version));
                    heard.traces.lock().unwrap().push(observability::propagation::trace_id());
                }
                tx.commit().await?;
                Ok(())
            }
        })
    }
}

pub(crate) async fn happen(database: &Database, subject: &str, version: i64) {
    happen_as(database, "stock.changed", subject, version, "").await;
}

pub(crate) async fn happen_as(database: &Database, kind: &str, subject: &str, version: i64, trace: &str) {
    let event = Event::new(kind, subject, version, Clock::system().now(), &Money::default()).caused_by(trace);
    let tx = database.begin().await.unwrap();
    outbox::append(&tx, &event).await.unwrap();
    tx.commit().await.unwrap();
}

pub(crate) fn start(database: &Database, readers: Vec<Reader>) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let sources = vec![Source { service: "inventory", database: database.clone() }];
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(run(sources, readers, Transport::InProcess, async {
        drop(stopped.await);
    }));
    (stop, running)
}

pub(crate) async fn sent(database: &Database) -> bool {
    kit::testing::unsent(database, 1).await.unwrap().is_empty()
}

/// Switches metrics and trace ids on, once for all tests of this binary.
pub(crate) fn watched() -> &'static Guard {
    static GUARD: OnceLock<Guard> = OnceLock::new();
    GUARD.get_or_init(|| {
        let guard = observability::init(&Settings {
            service: "test".to_owned(),
            log_format: LogFormat::Json,
            log_filter: "off".to_owned(),
            otlp_endpoint: None,
            calls_seen: None,
        })
        .unwrap();
        // A test that fails should say why.
        drop(std::panic::take_hook());
        guard
    })
}
