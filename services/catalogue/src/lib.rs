#![doc = include_str!("../README.md")]

mod app;
mod domain;
mod error;
mod events;
mod grpc;
mod sheet;
mod store;

use kit::{Clock, Database, Reader};
use scratch::Scratch;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

pub use store::Migrator;

/// The name of this service.
pub const NAME: &str = "catalogue";

/// The service on a database that is migrated, and where it keeps hot products, if anywhere.
pub fn routes(database: Database, hot: Option<Scratch>, clock: Clock) -> Routes {
    let catalogue = app::Catalogue::new(store::Store::new(database, hot), clock);
    Routes::new(grpc::server(catalogue))
}

/// Brings the tables up to date.
pub async fn migrate(database: &Database) -> Result<(), sea_orm::DbErr> {
    database.migrate::<Migrator>().await
}

/// Forgets what is old, until `shutdown`.
pub async fn work(database: Database, shutdown: CancellationToken) {
    kit::upkeep(&database, shutdown).await;
}

/// The catalogue hears of its own changes, so that no hot product stays that has changed.
pub fn readers(database: &Database, hot: Option<Scratch>, clock: &Clock) -> Vec<Reader> {
    vec![events::reader(store::Store::new(database.clone(), hot), clock.clone())]
}
