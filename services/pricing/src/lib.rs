#![doc = include_str!("../README.md")]

mod app;
mod domain;
mod error;
mod grpc;
mod store;

use kit::{Clock, Database};
use mesh::Channel;
use proto::catalogue::catalogue_service_client::CatalogueServiceClient;
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

pub use store::migration::Migrator;
pub use store::verify::verify;

/// How others call this service.
pub const NAME: &str = "pricing";

/// Whom this service calls.
#[derive(Clone)]
pub struct Upstreams {
    /// List prices, weights and tax classes.
    pub catalogue: CatalogueServiceClient<Channel>,
}

/// The service over its store and the catalogue.
pub fn routes(database: Database, upstreams: Upstreams, clock: Clock) -> Routes {
    let pricing = app::Pricing::new(store::Store::new(database), upstreams, clock);
    Routes::new(grpc::server(pricing))
}

/// Brings the tables up to date.
pub async fn migrate(database: &Database) -> Result<(), DbErr> {
    database.migrate::<Migrator>().await
}

/// Gives back uses whose hold has run out, and forgets what is no longer needed, until `shutdown`.
pub async fn work(database: Database, clock: Clock, shutdown: CancellationToken) {
    let store = store::Store::new(database.clone());
    tokio::join!(app::work(&store, &clock, shutdown.clone()), kit::upkeep(&database, shutdown));
}
