#![doc = include_str!("../README.md")]

mod app;
mod domain;
mod error;
mod events;
mod grpc;
mod store;

use kit::{Clock, Reader};
use mesh::Channel;
use proto::catalogue::catalogue_service_client::CatalogueServiceClient;
use proto::inventory::inventory_service_client::InventoryServiceClient;
use proto::reviews::reviews_service_client::ReviewsServiceClient;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

pub use app::{Building, Index};
pub use store::Fault;

/// How others call this service.
pub const NAME: &str = "search";

/// The services that search reads: its edges in the call graph.
#[derive(Clone)]
pub struct Upstreams {
    /// What is offered.
    pub catalogue: CatalogueServiceClient<Channel>,
    /// What of it can be bought.
    pub inventory: InventoryServiceClient<Channel>,
    /// How it is rated.
    pub reviews: ReviewsServiceClient<Channel>,
}

/// The service over its index. Questions ask nobody else.
pub fn routes(index: Index) -> Routes {
    Routes::new(grpc::server(app::Search::new(index)))
}

/// What this service wants to hear of, in every process that answers questions.
pub fn readers(index: &Index) -> Vec<Reader> {
    vec![events::reader(index.clone())]
}

/// Builds the index and keeps it as its owners are, until `shutdown`.
pub async fn work(index: Index, upstreams: Upstreams, clock: Clock, shutdown: CancellationToken) {
    app::indexing::run(index, upstreams, clock, shutdown).await;
}
