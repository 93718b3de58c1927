#![doc = include_str!("../README.md")]

mod app;
mod domain;
mod error;
mod events;
mod grpc;
mod store;

use kit::{Clock, Database, Reader};
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

pub use store::migration::Migrator;

/// How others call this service.
pub const NAME: &str = "analytics";

/// The service over its store. It calls nobody.
pub fn routes(database: Database, clock: Clock) -> Routes {
    let analytics = app::Analytics::new(store::Store::new(database), clock);
    Routes::new(grpc::server(analytics))
}

/// Brings the tables up to date.
pub async fn migrate(database: &Database) -> Result<(), DbErr> {
    database.migrate::<Migrator>().await
}

/// Forgets what is old, until `shutdown`.
pub async fn work(database: Database, shutdown: CancellationToken) {
    kit::upkeep(&database, shutdown).await;
}

/// What this service wants to hear of.
pub fn readers(database: &Database) -> Vec<Reader> {
    vec![events::reader(store::Store::new(database.clone()))]
}
