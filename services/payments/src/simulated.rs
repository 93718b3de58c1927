//! A payment provider that moves no money: its own database, its own HTTP interface, its own hosted page, and
//! webhooks that it signs. It stands in for the outer world, so it commits on its own and shares nothing with
//! the service but the language on the wire.

mod cards;
mod ledger;
mod migration;
mod page;
mod server;
mod verify;
mod webhooks;

use std::time::Duration;

use axum::Router;
use kit::Database;
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

pub use verify::{Booked, booked};

/// Where the provider is found, where it reports to, and how slow its slow cards are.
#[derive(Clone)]
pub struct Settings {
    /// Where a buyer's browser reaches it: `http://127.0.0.1:9092`.
    pub public_url: String,
    /// Where webhooks go: `http://127.0.0.1:8080/webhooks/payments/simulated`.
    pub webhook_url: String,
    /// What they are signed with.
    pub webhook_secret: Vec<u8>,
    /// How long `test_slow` takes: twenty seconds.
    pub slow_answer: Duration,
    /// After so long the cards that never answer give the connection up: a minute.
    pub silence_max: Duration,
    /// The first repetition of a webhook that was not taken; each next one waits twice as long. A second.
    pub webhook_retry: Duration,
}

/// The provider's HTTP interface.
pub fn router(database: Database, settings: Settings) -> Router {
    server::router(ledger::Ledger::new(database), settings)
}

/// Brings the provider's own tables up to date, in a database of its own.
pub async fn migrate(database: &Database) -> Result<(), DbErr> {
    database.migrate::<migration::Migrator>().await
}

/// Ends what slow cards began and delivers webhooks, until told to stop.
pub async fn work(database: Database, settings: Settings, shutdown: CancellationToken) {
    webhooks::work(ledger::Ledger::new(database), settings, shutdown).await;
}
