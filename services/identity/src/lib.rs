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

pub use app::Settings;
pub use app::bootstrap::{CreateError, NewAccount, create_account, create_admin};
pub use store::migration::Migrator;

/// How others call this service.
pub const NAME: &str = "identity";

/// The service over its store. It calls nobody.
pub fn routes(database: Database, settings: Settings, clock: Clock) -> Routes {
    Routes::new(grpc::server(app::Identity::new(database, settings, clock)))
}

/// Brings the tables up to date.
pub async fn migrate(database: &Database) -> Result<(), DbErr> {
    database.migrate::<Migrator>().await
}

/// What this service wants to hear of.
pub fn readers(database: &Database, settings: &Settings) -> Vec<Reader> {
    vec![events::reader(store::Store::new(database.clone()), settings.sealer.clone())]
}

/// Rotates signing keys, writes the mails that people asked for and forgets what is over, until it is told to stop.
/// Several processes may do it at once.
pub async fn work(database: Database, settings: Settings, clock: Clock, shutdown: CancellationToken) {
    let identity = app::Identity::new(database.clone(), settings, clock);
    tokio::join!(identity.work(shutdown.clone()), kit::upkeep(&database, shutdown));
}
