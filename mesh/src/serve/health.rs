//! Whether the services of a process can do their work: each one's own store is asked, again and again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use kit::BoxError;
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health as HealthService, HealthServer};
use tonic_health::server::{HealthReporter, HealthService as Statuses};

const INTERVAL: Duration = Duration::from_secs(2);
const PING_TIME_MAX: Duration = Duration::from_secs(1);
/// The name under which the health protocol asks for the process as a whole.
const WHOLE: &str = "";

/// How to tell whether one service can do its work.
#[derive(Clone)]
pub struct Check {
    /// What is named when it cannot: "orders".
    pub service: &'static str,
    /// The names under which it is asked for: [`Served::names`](crate::Served::names).
    pub names: Vec<&'static str>,
    /// Whether the process is of no use without it; else it is told, and calls are taken all the same.
    pub needed: bool,
    /// Asks the service's own store.
    pub ping: Arc<dyn Fn() -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync>,
}

impl Check {
    /// A check from a function that asks the store.
    pub fn new<F, R>(service: &'static str, names: Vec<&'static str>, ping: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self { service, names, needed: true, ping: Arc::new(move || Box::pin(ping())) }
    }

    /// The same check of something that calls can do without for a while, such as the broker.
    pub fn optional(self) -> Self {
        Self { needed: false, ..self }
    }
}

/// The state of all services of a process. Clones share it; the checks end with [`stop`](Health::stop).
#[derive(Clone)]
pub struct Health {
    shared: Arc<Shared>,
}

struct Shared {
    checks: OnceLock<Vec<Check>>,
    reporter: HealthReporter,
    missing: Mutex<BTreeSet<&'static str>>,
    stopped: CancellationToken,
    /// Held while states are told, so that what was found before the stop is not told after it.
    turn: tokio::sync::Mutex<()>,
}

impl Health {
    /// The state of a process that waits for something before it can serve: the names say for what.
    pub fn starting(missing: impl IntoIterator<Item = &'static str>) -> Self {
        let shared = Arc::new(Shared {
            checks: OnceLock::new(),
            reporter: HealthReporter::new(),
            missing: Mutex::new(missing.into_iter().collect()),
            stopped: CancellationToken::new(),
            turn: tokio::sync::Mutex::default(),
        });
        Self { shared }
    }

    /// What is waited for has come.
    pub fn found(&self, name: &str) {
        self.shared.missing.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// The state of a process whose services are served. Asks all stores once, then keeps asking.
    pub async fn start(checks: Vec<Check>) -> Self {
        let health = Self::starting([]);
        health.watch(checks).await;
        health
    }

    /// Asks all stores once, then keeps asking. From here on the process is ready when they answer.
    pub async fn watch(&self, checks: Vec<Check>) {
        let shared = self.shared.clone();
        drop(shared.checks.set(checks));
        shared.look().await;
        tokio::spawn(async move {
            let stopped = shared.stopped.clone();
            let watching = async {
                loop {
                    tokio::time::sleep(INTERVAL).await;
                    shared.look().await;
                }
            };
            stopped.run_until_cancelled(watching).await;
        });
    }

    /// The services that cannot do their work, by name; none when the process is ready. A process that is being
    /// stopped is not.
    pub fn missing(&self) -> Vec<&'static str> {
        if self.shared.stopped.is_cancelled() {
            return vec!["stopping"];
        }
        self.shared.missing(true)
    }

    /// What does not answer, but is not needed for every call.
    pub fn waited_for(&self) -> Vec<&'static str> {
        self.shared.missing(false)
    }

    /// From now on nothing is served any more.
    pub async fn stop(&self) {
        self.shared.stopped.cancel();
        let _turn = self.shared.turn.lock().await;
        self.shared.say(WHOLE, false).await;
        for name in self.shared.checks().iter().flat_map(|check| &check.names) {
            self.shared.say(name, false).await;
        }
    }

    pub(crate) fn service(&self) -> HealthServer<impl HealthService + use<>> {
        HealthServer::new(Statuses::from_health_reporter(self.shared.reporter.clone()))
    }
}

impl Shared {
    fn checks(&self) -> &[Check] {
        self.checks.get().map_or(&[], Vec::as_slice)
    }

    /// What is missing: the needed, or the rest. What a process waits for at its start, it needs.
    fn missing(&self, needed: bool) -> Vec<&'static str> {
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        let optional = |name: &str| self.checks().iter().any(|check| check.service == name && !check.needed);
        missing.iter().copied().filter(|name| optional(name) != needed).collect()
    }

    async fn look(&self) {
        let found = join_all(self.checks().iter().map(|check| async move {
            match tokio::time::timeout(PING_TIME_MAX, (check.ping)()).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(observability::chain(&*error)),
                Err(_) => Some("its store does not answer".to_owned()),
            }
        }))
        .await;
        let _turn = self.turn.lock().await;
        if self.stopped.is_cancelled() {
            return;
        }
        for (check, failure) in self.checks().iter().zip(&found) {
            self.note(check, failure.as_deref());
            for name in &check.names {
                self.say(name, failure.is_none()).await;
            }
        }
        let whole =
            self.checks().iter().zip(&found).all(|(check, failure)| failure.is_none() || !check.needed);
        self.say(WHOLE, whole).await;
    }

    /// Keeps what was found, and logs it when it is news. Whoever can do without something says so himself.
    fn note(&self, check: &Check, failure: Option<&str>) {
        let service = check.service;
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        match failure {
            Some(failure) if missing.insert(service) && check.needed => tracing::warn!(
                { observability::names::SERVICE } = service,
                { observability::names::ERROR } = failure,
                "{service} cannot do its work: {failure}"
            ),
            None if missing.remove(service) && check.needed => {
                tracing::info!({ observability::names::SERVICE } = service, "{service} can do its work again")
            }
            _ => {}
        }
    }

    async fn say(&self, name: &str, serving: bool) {
        let status = match serving {
            true => ServingStatus::Serving,
            false => ServingStatus::NotServing,
        };
        self.reporter.set_service_status(name, status).await;
    }
}
