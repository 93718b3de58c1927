//! Starts search over owners of the test's own, and waits until it has caught up.

mod owners;

use std::time::Duration;

use kit::Clock;
use kit::outbox::Event;
use mesh::testing::{self, TestServer};
use mesh::{Channel, User};
use proto::catalogue as catalogue_pb;
use proto::catalogue::catalogue_service_client::CatalogueServiceClient;
use proto::catalogue::catalogue_service_server::CatalogueServiceServer;
use proto::common::Money;
use proto::inventory::inventory_service_client::InventoryServiceClient;
use proto::inventory::inventory_service_server::InventoryServiceServer;
use proto::reviews::reviews_service_client::ReviewsServiceClient;
use proto::reviews::reviews_service_server::ReviewsServiceServer;
use proto::search as pb;
use proto::search::search_service_client::SearchServiceClient;
use search::{Index, Upstreams};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Status;
use tonic::service::Routes;
use uuid::Uuid;

pub use self::owners::{Catalogue, Inventory, Reviews};
pub use mesh::testing::reason;

/// Longer than any machine takes to catch up; nobody waits so long where it works.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Shop {
    pub catalogue: Catalogue,
    pub inventory: Inventory,
    pub reviews: Reviews,
    pub index: Index,
    server: TestServer,
    _work: DropGuard,
}

impl Shop {
    /// A shop of these products, in an index that goes with it.
    pub async fn of(products: Vec<catalogue_pb::Product>) -> Self {
        let shop = Self::over(Index::in_memory().unwrap(), products);
        shop.until_ready().await;
        shop
    }

    /// The same over an index of the test's own, without waiting.
    pub fn over(index: Index, products: Vec<catalogue_pb::Product>) -> Self {
        let owners = (Catalogue::of(products), Inventory::default(), Reviews::default());
        Self::beside(index, owners)
    }

    /// A replica beside those who own what it searches.
    pub fn beside(index: Index, owners: (Catalogue, Inventory, Reviews)) -> Self {
        let (catalogue, inventory, reviews) = owners;
        let channel = |name, routes| testing::serve(name, routes).upstream().channel(search::NAME);
        let upstreams = Upstreams {
            catalogue: CatalogueServiceClient::new(channel(
                "catalogue",
                Routes::new(CatalogueServiceServer::new(catalogue.clone())),
            )),
            inventory: InventoryServiceClient::new(channel(
                "inventory",
                Routes::new(InventoryServiceServer::new(inventory.clone())),
            )),
            reviews: ReviewsServiceClient::new(channel(
                "reviews",
                Routes::new(ReviewsServiceServer::new(reviews.clone())),
            )),
        };
        let stop = CancellationToken::new();
        tokio::spawn(search::work(index.clone(), upstreams, Clock::system(), stop.clone()));
        let server = testing::serve(search::NAME, search::routes(index.clone()));
        Self { catalogue, inventory, reviews, index, server, _work: stop.drop_guard() }
    }

    pub fn owners(&self) -> (Catalogue, Inventory, Reviews) {
        (self.catalogue.clone(), self.inventory.clone(), self.reviews.clone())
    }

    pub fn client(&self) -> SearchServiceClient<Channel> {
        SearchServiceClient::new(self.server.channel_as("gateway", None))
    }

    pub fn as_user(&self, user: User) -> SearchServiceClient<Channel> {
        SearchServiceClient::new(self.server.channel_as("gateway", Some(user)))
    }

    pub async fn ask(
        &self,
        request: pb::SearchProductsRequest,
    ) -> Result<pb::SearchProductsResponse, Status> {
        Ok(self.client().search_products(request).await?.into_inner())
    }

    /// The titles that a query finds, best first.
    pub async fn find(&self, query: &str) -> Vec<String> {
        let answer = self.ask(asking(query)).await.unwrap();
        answer.hits.iter().map(|hit| self.catalogue.title(&hit.product_id)).collect()
    }

    /// Hands an event to the readers, as the relay would.
    pub async fn hear(&self, event: Event) {
        for reader in search::readers(&self.index).iter().filter(|reader| reader.reads(&event.kind)) {
            (reader.apply)(event.clone()).await.unwrap();
        }
    }

    /// Writes a product and tells of it.
    pub async fn put(&self, product: catalogue_pb::Product) {
        let id = product.id.clone();
        self.catalogue.put(product);
        self.changed(&id).await;
    }

    /// Tells that a product changed.
    pub async fn changed(&self, id: &str) {
        let payload = catalogue_pb::ProductUpdated { product_id: id.to_owned(), ..Default::default() };
        self.hear(Event::new("product.updated", id, 1, Clock::system().now(), &payload)).await;
    }

    pub async fn until_ready(&self) {
        self.until("it is ready", async |shop| shop.index.ready().is_ok()).await;
    }

    /// Waits until what a test expects is so.
    pub async fn until(&self, what: &str, holds: impl AsyncFn(&Self) -> bool) {
        let waiting = async {
            while !holds(self).await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what}: never"));
    }
}

/// A request for words alone.
pub fn asking(query: &str) -> pb::SearchProductsRequest {
    pb::SearchProductsRequest { query: query.to_owned(), page_size: 250, ..Default::default() }
}

/// An active product with one variant.
pub fn product(title: &str) -> catalogue_pb::Product {
    let id = Uuid::now_v7().to_string();
    catalogue_pb::Product {
        handle: title.to_lowercase().replace(' ', "-"),
        title: title.to_owned(),
        status: catalogue_pb::ProductStatus::Active.into(),
        variants: vec![catalogue_pb::Variant {
            id: Uuid::now_v7().to_string(),
            sku: format!("SKU-{id}"),
            prices: vec![price(1_000)],
            ..Default::default()
        }],
        version: 1,
        publish_time: Some(kit::time::to_proto(Clock::system().now())),
        id,
        ..Default::default()
    }
}

pub fn price(minor_units: i64) -> catalogue_pb::Price {
    catalogue_pb::Price { amount: Some(pounds(minor_units)), compare_at: None }
}

pub fn pounds(minor_units: i64) -> Money {
    Money { currency_code: "GBP".to_owned(), minor_units }
}
