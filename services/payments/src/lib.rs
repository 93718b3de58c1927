#![doc = include_str!("../README.md")]

pub mod simulated;

mod app;
mod domain;
mod error;
mod events;
mod grpc;
mod provider;
mod store;

use std::sync::Arc;
use std::time::Duration;

use kit::{Clock, Database};
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

pub use provider::{MalformedUrl, ProviderUrl};
pub use store::migration::Migrator;
pub use store::verify::{Known, known, verify};

/// How others call this service.
pub const NAME: &str = "payments";

/// How the provider is reached, and how long it may take.
#[derive(Clone)]
pub struct Settings {
    /// Where the simulated provider listens: `http://127.0.0.1:9092`.
    pub provider_url: ProviderUrl,
    /// What provider and payments sign and check webhooks with. With an empty one none is believed.
    pub webhook_secret: Vec<u8>,
    /// A provider that has not answered by then leaves a payment PENDING. Five seconds; less than the rules of the contract.
    pub answer_time_max: Duration,
    /// How often questions without an answer are looked for.
    pub recovery_interval: Duration,
}

/// The service over its store and its provider.
pub fn routes(database: Database, settings: Settings, clock: Clock) -> Routes {
    Routes::new(grpc::server(payments(database, &settings, clock)))
}

/// Brings the tables up to date.
pub async fn migrate(database: &Database) -> Result<(), DbErr> {
    database.migrate::<Migrator>().await
}

/// Finishes what a crash or a late provider left open and forgets what is old. Several processes may run it at once.
pub async fn work(database: Database, settings: Settings, clock: Clock, shutdown: CancellationToken) {
    let interval = settings.recovery_interval;
    let payments = payments(database.clone(), &settings, clock);
    tokio::join!(app::work(payments, interval, shutdown.clone()), kit::upkeep(&database, shutdown));
}

fn payments(database: Database, settings: &Settings, clock: Clock) -> app::Payments {
    let url = settings.provider_url.clone();
    let provider = provider::Simulated::new(url, &settings.webhook_secret, settings.answer_time_max);
    app::Payments::new(store::Store::new(database), Arc::new(provider), clock)
}
