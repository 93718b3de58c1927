#![doc = include_str!("../README.md")]

mod app;
mod domain;
mod error;
mod events;
mod grpc;
mod store;

use std::time::Duration;

use kit::{Clock, Database, Reader};
use mesh::Channel;
use proto::cart::cart_service_client::CartServiceClient;
use proto::inventory::inventory_service_client::InventoryServiceClient;
use proto::payments::payments_service_client::PaymentsServiceClient;
use proto::pricing::pricing_service_client::PricingServiceClient;
use sea_orm::DbErr;
use sealing::Sealer;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use app::{Orders, Recoverer};
use events::Mailing;
use store::Store;

pub use app::token::{Tokens, WeakSecret};
pub use store::migration::Migrator;
pub use store::verify::{Sale, Sales, sales, verify};

/// The service's name in the mesh.
pub const NAME: &str = "orders";

/// The services that orders calls: its edges in the call graph.
#[derive(Clone)]
pub struct Upstreams {
    /// What is bought.
    pub cart: CartServiceClient<Channel>,
    /// What it costs.
    pub pricing: PricingServiceClient<Channel>,
    /// Whether it is there.
    pub inventory: InventoryServiceClient<Channel>,
    /// Who pays for it.
    pub payments: PaymentsServiceClient<Channel>,
}

/// What this service must be told.
#[derive(Clone)]
pub struct Settings {
    /// Derives the tokens of guests. The same in every replica, and for as long as its checkouts are to be reachable.
    pub tokens: Tokens,
    /// Seals buyers' contacts in events.
    pub sealer: Sealer,
    /// How often to look for checkouts and orders that nobody works on.
    pub recover_every: Duration,
}

/// The service, as a function of its database, its upstreams and its settings.
pub fn routes(database: Database, upstreams: Upstreams, settings: Settings, clock: Clock) -> Routes {
    Routes::new(grpc::server(orders(&database, upstreams, settings, &clock)))
}

/// Brings the tables up to date.
pub async fn migrate(database: &Database) -> Result<(), DbErr> {
    database.migrate::<Migrator>().await
}

/// What it reads: news of payments wake the checkout or order that waits for them, news of accounts say whom to forget.
pub fn readers(
    database: &Database,
    upstreams: &Upstreams,
    settings: &Settings,
    clock: &Clock,
) -> Vec<Reader> {
    let orders = orders(database, upstreams.clone(), settings.clone(), clock);
    vec![app::reader(&orders), app::accounts(&orders)]
}

/// Finishes or undoes what a crash or a silent neighbour left behind and forgets what is old, until told to stop.
pub async fn work(
    database: Database,
    upstreams: Upstreams,
    settings: Settings,
    clock: Clock,
    shutdown: CancellationToken,
) {
    let every = settings.recover_every;
    let runner = orders(&database, upstreams, settings, &clock).runner().clone();
    let recoverer = Recoverer { runner, every };
    tokio::join!(recoverer.run(shutdown.clone()), kit::upkeep(&database, shutdown));
}

fn orders(database: &Database, upstreams: Upstreams, settings: Settings, clock: &Clock) -> Orders {
    let mailing = Mailing { sealer: settings.sealer, tokens: settings.tokens.clone() };
    let store = Store::new(database.clone(), clock.clone(), mailing);
    Orders::new(store, upstreams, settings.tokens, clock.clone())
}
