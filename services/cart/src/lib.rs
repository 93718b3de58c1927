#![doc = include_str!("../README.md")]

mod app;
mod domain;
mod error;
mod events;
mod grpc;
mod store;

use kit::{Clock, Database, Reader};
use mesh::Channel;
use proto::catalogue::catalogue_service_client::CatalogueServiceClient;
use proto::inventory::inventory_service_client::InventoryServiceClient;
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use app::Carts;
use app::token::Tokens;

pub use store::migration::Migrator;
pub use store::{OpenError, Store};

/// How others call this service.
pub const NAME: &str = "cart";

/// The services that cart calls: its edges in the call graph.
#[derive(Clone)]
pub struct Upstreams {
    /// What is offered, and at what price.
    pub catalogue: CatalogueServiceClient<Channel>,
    /// How much of it there is.
    pub inventory: InventoryServiceClient<Channel>,
}

/// What this service must be told.
#[derive(Clone)]
pub struct Settings {
    /// Derives the tokens of guests' carts. The same in every replica; with another one, repeated answers would differ.
    pub token_secret: [u8; 32],
}

/// The service over its store and those it asks.
pub fn routes(store: Store, upstreams: Upstreams, settings: Settings, clock: Clock) -> Routes {
    let tokens = Tokens::new(&settings.token_secret);
    Routes::new(grpc::server(Carts::new(store, upstreams, tokens, clock)))
}

/// Brings the tables up to date.
pub async fn migrate(database: &Database) -> Result<(), DbErr> {
    database.migrate::<Migrator>().await
}

/// What this service wants to hear of.
pub fn readers(store: &Store) -> Vec<Reader> {
    vec![events::reader(store.clone())]
}

/// Removes carts that nobody touches any more and forgets what is old, until `shutdown`.
pub async fn work(store: Store, clock: Clock, shutdown: CancellationToken) {
    let tables = async {
        // Redis forgets by itself.
        if let Some(database) = store.database() {
            kit::upkeep(database, shutdown.clone()).await;
        }
    };
    tokio::join!(app::upkeep::run(&store, &clock, shutdown.clone()), tables);
}
