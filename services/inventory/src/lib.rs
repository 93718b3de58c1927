#![doc = include_str!("../README.md")]

mod app;
mod domain;
mod error;
mod events;
mod grpc;
mod store;

use kit::{Clock, Database};
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

pub use store::migration::Migrator;
pub use store::verify::{sold, verify};

/// How others call this service.
pub const NAME: &str = "inventory";

/// The service over its store. It calls nobody.
pub fn routes(database: Database, clock: Clock) -> Routes {
    Routes::new(grpc::server(app(database, clock)))
}

/// Brings the tables up to date.
pub async fn migrate(database: &Database) -> Result<(), DbErr> {
    database.migrate::<Migrator>().await
}

/// Ends overdue reservations and forgets what is old, until `shutdown`.
pub async fn work(database: Database, clock: Clock, shutdown: CancellationToken) {
    let inventory = app(database.clone(), clock);
    tokio::join!(inventory.work(shutdown.clone()), kit::upkeep(&database, shutdown));
}

fn app(database: Database, clock: Clock) -> app::Inventory {
    app::Inventory::new(store::Store::new(database), clock)
}
