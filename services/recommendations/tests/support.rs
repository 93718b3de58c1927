//! Starts the service on every kind of store, and tells it what happens in a shop.

use kit::outbox::Event;
use kit::{Clock, Database, Id};
use mesh::testing::{self, TestServer};
use mesh::{Channel, User};
use proto::catalogue::{self as catalogue_pb, ProductStatus};
use proto::identity::AccountErased;
use proto::orders::{EventLine, OrderOrigin, OrderPlaced};
use proto::recommendations as pb;
use proto::recommendations::recommendations_service_client::RecommendationsServiceClient;
use uuid::Uuid;

pub use mesh::testing::reason;

pub type Client = RecommendationsServiceClient<Channel>;

pub struct Shop {
    pub database: Database,
    pub clock: Clock,
    server: TestServer,
}

/// One shop for each kind of store.
pub async fn shops() -> Vec<Shop> {
    let databases = kit::testing::databases::<recommendations::Migrator>().await;
    databases.into_iter().map(Shop::new).collect()
}

impl Shop {
    fn new(database: Database) -> Self {
        let server = testing::serve(recommendations::NAME, recommendations::routes(database.clone()));
        Self { database, clock: Clock::fixed(Clock::system().now()), server }
    }

    pub fn as_user(&self, user: &User) -> Client {
        Client::new(self.server.channel_as("gateway", Some(user.clone())))
    }

    pub fn as_guest(&self) -> Client {
        Client::new(self.server.channel_as("gateway", None))
    }

    pub fn as_service(&self, workload: &'static str) -> Client {
        Client::new(self.server.channel_as(workload, None))
    }

    /// Hands an event to the reader, once.
    pub async fn tell(&self, event: &Event) {
        let readers = recommendations::readers(&self.database);
        assert!(readers[0].reads(&event.kind));
        (readers[0].apply)(event.clone()).await.unwrap();
    }

    /// Orders of these products, placed now by a guest.
    pub async fn sell(&self, products: &[&str], times: usize) {
        for _ in 0..times {
            self.tell(&self.order(None, products)).await;
        }
    }

    pub fn order(&self, account: Option<Uuid>, products: &[&str]) -> Event {
        let line = |product: &&str| EventLine {
            product_id: (*product).to_owned(),
            sku: format!("SKU-{product}"),
            quantity: 1,
            ..Default::default()
        };
        self.placed(OrderPlaced {
            account_id: account.map(|account| account.to_string()).unwrap_or_default(),
            lines: products.iter().map(line).collect(),
            origin: OrderOrigin::Checkout.into(),
            ..Default::default()
        })
    }

    /// One order of an imported history.
    pub fn imported(&self, customer: &str, skus: &[&str], at: &str) -> Event {
        let line = |sku: &&str| EventLine { sku: (*sku).to_owned(), quantity: 1, ..Default::default() };
        self.placed(OrderPlaced {
            external_customer: customer.to_owned(),
            lines: skus.iter().map(line).collect(),
            origin: OrderOrigin::Imported.into(),
            place_time: at.to_owned(),
            ..Default::default()
        })
    }

    fn placed(&self, placed: OrderPlaced) -> Event {
        Event::new("order.placed", Id::<()>::new(), 1, self.clock.now(), &placed)
    }

    /// The catalogue tells of a product; a later version is told of later.
    pub fn listing(
        &self,
        product: &str,
        version: i64,
        category: &str,
        status: ProductStatus,
        skus: &[&str],
    ) -> Event {
        self.clock.advance(std::time::Duration::from_secs(1));
        let payload = catalogue_pb::ProductUpdated {
            product_id: product.to_owned(),
            skus: skus.iter().map(|sku| (*sku).to_owned()).collect(),
            category_id: category.to_owned(),
            status: status.into(),
            ..Default::default()
        };
        Event::new("product.updated", product, version, self.clock.now(), &payload)
    }

    pub fn erased(&self, account: Uuid) -> Event {
        let payload = AccountErased { account_id: account.to_string() };
        Event::new("account.erased", account, 9, self.clock.now(), &payload)
    }

    /// What goes with a basket: the first page.
    pub async fn with(&self, basket: &[&str]) -> Vec<pb::Recommendation> {
        let request = pb::ListBoughtTogetherRequest {
            product_ids: basket.iter().map(|product| (*product).to_owned()).collect(),
            ..Default::default()
        };
        self.as_guest().list_bought_together(request).await.unwrap().into_inner().recommendations
    }

    /// What is for whoever is signed in.
    pub async fn own(&self, user: &User) -> Vec<pb::Recommendation> {
        let request = pb::ListForAccountRequest::default();
        self.as_user(user).list_for_account(request).await.unwrap().into_inner().recommendations
    }
}

pub fn id() -> String {
    Uuid::now_v7().to_string()
}

pub fn products(of: &[pb::Recommendation]) -> Vec<&str> {
    of.iter().map(|it| it.product_id.as_str()).collect()
}

/// Why something is recommended, and how many orders say so.
pub fn why(of: &pb::Recommendation) -> (pb::ExplanationKind, i64) {
    let explanation = of.explanation.as_ref().unwrap();
    (explanation.kind(), explanation.order_count)
}
