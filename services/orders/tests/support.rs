//! Starts the service on every kind of store, among fakes of its neighbours, and says things shortly.

pub mod cart;
pub mod faults;
pub mod inventory;
pub mod payments;
pub mod pricing;

use std::sync::Arc;
use std::time::Duration;

use kit::{Clock, Database, Id};
use mesh::testing::{self, TestServer};
use mesh::{Channel, User};
use orders::{Settings, Tokens, Upstreams};
use proto::cart as cart_pb;
use proto::cart::cart_service_client::CartServiceClient;
use proto::cart::cart_service_server::CartServiceServer;
use proto::inventory::inventory_service_client::InventoryServiceClient;
use proto::inventory::inventory_service_server::InventoryServiceServer;
use proto::orders as pb;
use proto::orders::orders_service_client::OrdersServiceClient;
use proto::payments::payments_service_client::PaymentsServiceClient;
use proto::payments::payments_service_server::PaymentsServiceServer;
use proto::pricing::pricing_service_client::PricingServiceClient;
use proto::pricing::pricing_service_server::PricingServiceServer;
use sealing::Opener;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::service::Routes;

pub use kit::testing::request_id;
pub use mesh::testing::reason;

pub type Client = OrdersServiceClient<Channel>;

/// A fake that its server and the test hold together.
pub struct Shared<T>(pub Arc<T>);

pub struct Shop {
    pub database: Database,
    pub clock: Clock,
    pub carts: Arc<cart::Carts>,
    pub pricing: Arc<pricing::Pricing>,
    pub inventory: Arc<inventory::Inventory>,
    pub payments: Arc<payments::Payments>,
    pub opener: Arc<Opener>,
    upstreams: Upstreams,
    pub settings: Settings,
    server: TestServer,
}

/// One shop for each kind of store, with ten of "a" at 1,000 and ten of "b" at 250.
pub async fn shops() -> Vec<Shop> {
    let databases = kit::testing::databases::<orders::Migrator>().await;
    databases.into_iter().map(Shop::new).collect()
}

/// Those on PostgreSQL, where several write at the same time.
pub async fn shops_with_many_writers() -> Vec<Shop> {
    kit::testing::postgres::<orders::Migrator>().await.into_iter().map(Shop::new).collect()
}

impl Shop {
    pub fn new(database: Database) -> Self {
        let clock = Clock::fixed(Clock::system().now());
        let (carts, pricing) = (Arc::new(cart::Carts::default()), Arc::new(pricing::Pricing::default()));
        let (inventory, payments) =
            (Arc::new(inventory::Inventory::default()), Arc::new(payments::Payments::default()));
        let channel = |service, routes| testing::serve(service, routes).upstream().channel("orders");
        let upstreams = Upstreams {
            cart: CartServiceClient::new(channel(
                "cart",
                Routes::new(CartServiceServer::new(Shared(carts.clone()))),
            )),
            pricing: PricingServiceClient::new(channel(
                "pricing",
                Routes::new(PricingServiceServer::new(Shared(pricing.clone()))),
            )),
            inventory: InventoryServiceClient::new(channel(
                "inventory",
                Routes::new(InventoryServiceServer::new(Shared(inventory.clone()))),
            )),
            payments: PaymentsServiceClient::new(channel(
                "payments",
                Routes::new(PaymentsServiceServer::new(Shared(payments.clone()))),
            )),
        };
        let opener = Arc::new(Opener::generate());
        let settings = Settings {
            tokens: Tokens::new(&[7; 32]).unwrap(),
            sealer: opener.sealer(),
            recover_every: Duration::from_millis(20),
        };
        let routes = orders::routes(database.clone(), upstreams.clone(), settings.clone(), clock.clone());
        let server = testing::serve(orders::NAME, routes);
        for (variant, price) in [("a", 1_000), ("b", 250)] {
            pricing.set(variant, price);
            inventory.set(&variant.to_uppercase(), 10);
        }
        Self { database, clock, carts, pricing, inventory, payments, opener, upstreams, settings, server }
    }

    pub fn guest(&self) -> Client {
        OrdersServiceClient::new(self.server.channel_as("gateway", None))
    }

    pub fn user(&self, user: &User) -> Client {
        OrdersServiceClient::new(self.server.channel_as("gateway", Some(user.clone())))
    }

    pub fn service(&self, workload: &'static str) -> Client {
        OrdersServiceClient::new(self.server.channel_as(workload, None))
    }

    pub fn staff(&self) -> Client {
        self.user(&testing::staff(&["orders.read", "orders.write", "orders.refund"]))
    }

    /// How often anybody was called.
    fn calls(&self) -> usize {
        let faults =
            [&self.carts.faults, &self.pricing.faults, &self.inventory.faults, &self.payments.faults];
        faults.iter().map(|faults| faults.calls_of_all()).sum()
    }

    /// Lets the recoverer look at everything that is due after so many seconds.
    pub async fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        let shutdown = CancellationToken::new();
        let work = orders::work(
            self.database.clone(),
            self.upstreams.clone(),
            self.settings.clone(),
            self.clock.clone(),
            shutdown.clone(),
        );
        let working = tokio::spawn(work);
        // Until it has called nobody for a while.
        let (mut before, mut quiet) = (self.calls(), 0);
        while quiet < 3 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = self.calls();
            quiet = if now == before { quiet + 1 } else { 0 };
            before = now;
        }
        shutdown.cancel();
        working.await.unwrap();
    }

    /// Hands an event of payments to the reader.
    pub async fn tell(&self, event: kit::outbox::Event) {
        let readers = orders::readers(&self.database, &self.upstreams, &self.settings, &self.clock);
        for reader in readers.iter().filter(|reader| reader.reads(&event.kind)) {
            (reader.apply)(event.clone()).await.unwrap();
        }
    }

    /// A cart with these variants, of an account or of a guest.
    pub fn cart(&self, account: Option<&User>, lines: &[(&str, i64)]) -> String {
        let id = Id::<()>::new().to_string();
        let lines = lines.iter().map(|(variant, quantity)| cart_pb::CartLine {
            id: format!("l-{variant}"),
            variant_id: (*variant).into(),
            sku: variant.to_uppercase(),
            quantity: *quantity,
            ..Default::default()
        });
        self.carts.put(cart_pb::Cart {
            id: id.clone(),
            account_id: account.map(|user| user.account.to_string()).unwrap_or_default(),
            currency_code: "GBP".into(),
            country_code: "GB".into(),
            lines: lines.collect(),
            version: 1,
            ..Default::default()
        });
        id
    }

    /// A guest's checkout of one "a" and two "b", with everything told: 1,800 pence.
    pub async fn checkout(&self) -> Begun {
        self.checkout_with(&[]).await
    }

    pub async fn checkout_with(&self, codes: &[&str]) -> Begun {
        let cart = self.cart(None, &[("a", 1), ("b", 2)]);
        let started =
            self.guest().start_checkout(starting(&cart, details(codes))).await.unwrap().into_inner();
        Begun { checkout: started.checkout.unwrap(), token: started.token, cart }
    }

    pub async fn complete(&self, begun: &Begun, card: &str) -> Result<pb::Checkout, Status> {
        let answer = self.guest().complete_checkout(begun.completing(card)).await?;
        Ok(answer.into_inner().checkout.unwrap())
    }

    pub async fn now(&self, begun: &Begun) -> pb::Checkout {
        let request = pb::GetCheckoutRequest { key: Some(begun.key()) };
        self.guest().get_checkout(request).await.unwrap().into_inner().checkout.unwrap()
    }

    /// A bought and paid order of one "a" and two "b".
    pub async fn order(&self) -> (Begun, pb::Order) {
        let begun = self.checkout().await;
        let bought = self.complete(&begun, "test_approve").await.unwrap();
        let order = self.read(&bought.order_id).await;
        (begun, order)
    }

    pub async fn read(&self, id: &str) -> pb::Order {
        let request = pb::GetOrderRequest { key: Some(by_id(id, "")), ..Default::default() };
        self.staff().get_order(request).await.unwrap().into_inner().order.unwrap()
    }
}

/// A checkout, and what proves the right to it.
pub struct Begun {
    pub checkout: pb::Checkout,
    pub token: String,
    pub cart: String,
}

impl Begun {
    pub fn key(&self) -> pb::CheckoutKey {
        pb::CheckoutKey { checkout_id: self.checkout.id.clone(), token: self.token.clone() }
    }

    pub fn completing(&self, card: &str) -> pb::CompleteCheckoutRequest {
        pb::CompleteCheckoutRequest {
            key: Some(self.key()),
            quote_id: self.checkout.quote.as_ref().unwrap().id.clone(),
            payment_method_token: card.into(),
            return_url: "https://shop.example/back".into(),
            request_id: request_id(),
        }
    }
}

pub fn by_id(id: &str, token: &str) -> pb::OrderKey {
    pb::OrderKey { key: Some(pb::order_key::Key::OrderId(id.into())), token: token.into() }
}

pub fn starting(cart: &str, details: pb::CheckoutDetails) -> pb::StartCheckoutRequest {
    pb::StartCheckoutRequest {
        cart_id: cart.into(),
        cart_token: cart::TOKEN.into(),
        details: Some(details),
        request_id: request_id(),
    }
}

pub fn details(codes: &[&str]) -> pb::CheckoutDetails {
    pb::CheckoutDetails {
        email: "ada@example.org".into(),
        shipping_address: Some(proto::common::Address {
            given_name: "Ada".into(),
            family_name: "Lovelace".into(),
            lines: vec!["12 St James's Square".into()],
            city: "London".into(),
            postal_code: "SW1Y 4JH".into(),
            country_code: "GB".into(),
            ..Default::default()
        }),
        billing_address: None,
        shipping_method_id: pricing::POST.into(),
        codes: codes.iter().map(ToString::to_string).collect(),
    }
}
