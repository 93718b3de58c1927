//! Starts the service on every kind of store, over a catalogue and an inventory of the test's own.

mod catalogue;
mod inventory;
pub mod line;
mod remains;

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use cart::{Settings, Upstreams};
use kit::outbox::Event;
use kit::{BoxError, Clock, Database};
use mesh::testing::{self, TestServer};
use mesh::{Channel, User};
use prost::Message;
use proto::cart as pb;
use proto::cart::cart_service_client::CartServiceClient;
use proto::catalogue as catalogue_pb;
use proto::catalogue::catalogue_service_client::CatalogueServiceClient;
use proto::catalogue::catalogue_service_server::CatalogueServiceServer;
use proto::common::Money;
use proto::inventory::inventory_service_client::InventoryServiceClient;
use proto::inventory::inventory_service_server::InventoryServiceServer;
use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use redis::streams::StreamRangeReply;
use tonic::Status;
use tonic::service::Routes;
use tracing::instrument::WithSubscriber;
use uuid::Uuid;

pub use self::remains::Remains;
pub use kit::testing::request_id;
pub use mesh::testing::reason;

pub type Client = CartServiceClient<Channel>;

/// Names a Redis on which tests may keep what they like; `cargo xtask test` starts one.
const REDIS_VARIABLE: &str = "SHOP_TEST_REDIS_URL";

#[derive(Clone)]
pub struct Shop {
    pub store: cart::Store,
    /// The tables, where carts are kept in tables.
    pub database: Option<Database>,
    pub clock: Clock,
    pub catalogue: catalogue::Catalogue,
    pub inventory: inventory::Inventory,
    server: TestServer,
}

/// One shop for each kind of store.
pub async fn shops() -> Vec<Shop> {
    let databases = kit::testing::databases::<cart::Migrator>().await;
    let mut shops: Vec<Shop> = databases
        .into_iter()
        .map(|database| Shop::new(cart::Store::sql(database.clone()), Some(database)))
        .collect();
    if let Ok(url) = std::env::var(REDIS_VARIABLE) {
        let prefix = format!("test-{}:", Uuid::now_v7());
        // A busy machine may take its time.
        let store = cart::Store::redis(&url, &prefix, Duration::from_secs(10)).await.unwrap();
        shops.push(Shop::new(store, None));
    }
    shops
}

/// Two replicas of a shop on each kind of server, which share nothing but that.
pub async fn replicas() -> Vec<(Shop, Shop)> {
    let mut replicas = Vec::new();
    if let Some(url) = kit::testing::postgres_url().await {
        let (one, other) = (Database::open(&url).await.unwrap(), Database::open(&url).await.unwrap());
        one.migrate::<cart::Migrator>().await.unwrap();
        let shop = Shop::new(cart::Store::sql(one.clone()), Some(one));
        let beside = shop.beside(cart::Store::sql(other.clone()), Some(other));
        replicas.push((shop, beside));
    }
    if let Ok(url) = std::env::var(REDIS_VARIABLE) {
        let prefix = format!("test-{}:", Uuid::now_v7());
        let store = async || cart::Store::redis(&url, &prefix, Duration::from_secs(10)).await.unwrap();
        let shop = Shop::new(store().await, None);
        let beside = shop.beside(store().await, None);
        replicas.push((shop, beside));
    }
    replicas
}

/// A shop whose way to Redis is a line that can be cut; none where there is no Redis.
pub async fn shop_on_a_line(answer_time_max: Duration) -> Option<(Shop, line::Line)> {
    let url = std::env::var(REDIS_VARIABLE).ok()?;
    let (url, line) = line::Line::to(&url).await;
    let store = cart::Store::redis(&url, &format!("test-{}:", Uuid::now_v7()), answer_time_max).await;
    Some((Shop::new(store.unwrap(), None), line))
}

/// What is warned of at the start when Redis answers this to the question how it writes; nothing where there is no Redis.
pub async fn warned_at_the_start(answer: &'static str) -> Option<String> {
    let url = std::env::var(REDIS_VARIABLE).ok()?;
    let (url, _line) = line::Line::telling(&url, ("*2\r\n$11\r\nappendfsync\r\n", answer)).await;
    let (mut said, log) = std::io::pipe().unwrap();
    let warnings = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .with_writer(Arc::new(log))
        .finish();
    let opened = cart::Store::redis(&url, "test-", Duration::from_secs(10)).with_subscriber(warnings).await;
    opened.unwrap();
    let mut text = String::new();
    said.read_to_string(&mut text).unwrap();
    Some(text)
}

impl Shop {
    fn new(store: cart::Store, database: Option<Database>) -> Self {
        let clock = Clock::fixed(Clock::system().now());
        Self::over(store, database, clock, Default::default(), Default::default())
    }

    /// Another replica, with a store of its own.
    fn beside(&self, store: cart::Store, database: Option<Database>) -> Self {
        Self::over(store, database, self.clock.clone(), self.catalogue.clone(), self.inventory.clone())
    }

    fn over(
        store: cart::Store,
        database: Option<Database>,
        clock: Clock,
        catalogue: catalogue::Catalogue,
        inventory: inventory::Inventory,
    ) -> Self {
        let shelf = Routes::new(CatalogueServiceServer::new(catalogue.clone()));
        let warehouse = Routes::new(InventoryServiceServer::new(inventory.clone()));
        let channel = |name, routes| testing::serve(name, routes).upstream().channel(cart::NAME);
        let upstreams = Upstreams {
            catalogue: CatalogueServiceClient::new(channel("catalogue", shelf)),
            inventory: InventoryServiceClient::new(channel("inventory", warehouse)),
        };
        let settings = Settings { token_secret: [7; 32] };
        let routes = cart::routes(store.clone(), upstreams, settings, clock.clone());
        Self { store, database, clock, catalogue, inventory, server: testing::serve(cart::NAME, routes) }
    }

    pub fn guest(&self) -> Client {
        CartServiceClient::new(self.server.channel_as("gateway", None))
    }

    pub fn as_user(&self, user: &User) -> Client {
        CartServiceClient::new(self.server.channel_as("gateway", Some(user.clone())))
    }

    pub fn orders(&self) -> Client {
        CartServiceClient::new(self.server.channel_as("orders", None))
    }

    /// Puts something on the shelf, and so many of it into the warehouse; answers its id.
    pub fn sell(&self, pence: i64, available: i64) -> String {
        let id = id();
        let variant = catalogue_pb::Variant {
            id: id.clone(),
            product_id: Uuid::now_v7().to_string(),
            sku: sku(&id),
            prices: vec![price("GBP", pence)],
            ..Default::default()
        };
        self.catalogue.put(catalogue_pb::VariantSummary {
            product_id: variant.product_id.clone(),
            product_status: catalogue_pb::ProductStatus::Active.into(),
            variant: Some(variant),
            ..Default::default()
        });
        self.stock(&id, available);
        id
    }

    pub fn stock(&self, variant: &str, available: i64) {
        self.inventory.count(&sku(variant), available);
    }

    /// Gives a variant these prices and no others.
    pub fn price(&self, variant: &str, prices: &[(&str, i64)]) {
        let prices = prices.iter().map(|(currency, amount)| price(currency, *amount)).collect();
        self.catalogue.change(variant, |summary| summary.variant.as_mut().unwrap().prices = prices);
    }

    /// A guest's new cart and the key to it.
    pub async fn open(&self, lines: &[(&str, i64)]) -> (pb::Cart, pb::CartKey) {
        let answer = self.guest().create_cart(opening(lines)).await.unwrap().into_inner();
        let cart = answer.cart.unwrap();
        let key = pb::CartKey { cart_id: cart.id.clone(), token: answer.token };
        (cart, key)
    }

    pub async fn get(&self, key: &pb::CartKey) -> Result<pb::Cart, Status> {
        let request = pb::GetCartRequest { key: Some(key.clone()) };
        Ok(self.guest().get_cart(request).await?.into_inner().cart.unwrap())
    }

    pub async fn add(
        &self,
        key: &pb::CartKey,
        lines: &[(&str, i64)],
    ) -> Result<pb::AddCartLinesResponse, Status> {
        Ok(self.guest().add_cart_lines(adding(key, lines)).await?.into_inner())
    }

    pub async fn clear(
        &self,
        cart: &pb::Cart,
        version: i64,
        lines: &[(&str, i64)],
    ) -> Result<pb::Cart, Status> {
        let request = pb::ClearCartRequest {
            cart_id: cart.id.clone(),
            version,
            bought: new_lines(lines),
            request_id: request_id(),
        };
        Ok(self.orders().clear_cart(request).await?.into_inner().cart.unwrap())
    }

    /// Tells the service, twice as a queue may, that an account is erased.
    pub async fn erase(&self, account: Uuid) {
        for _ in 0..2 {
            self.try_erase(account).await.unwrap();
        }
    }

    /// Tells it once, and hears what came of it.
    pub async fn try_erase(&self, account: Uuid) -> Result<(), BoxError> {
        let erased = proto::identity::AccountErased { account_id: account.to_string() };
        let event = Event::new("account.erased", account, 1, self.clock.now(), &erased);
        for reader in cart::readers(&self.store) {
            (reader.apply)(event.clone()).await?;
        }
        Ok(())
    }

    /// Kind and version of every event about a cart, oldest first.
    pub async fn news(&self, cart: &str) -> Vec<(String, i64)> {
        let events = match (&self.database, self.store.stream()) {
            (Some(database), _) => kit::testing::unsent(database, 10_000).await.unwrap(),
            (None, stream) => streamed(stream.unwrap()).await,
        };
        let of_it = events.into_iter().filter(|event| event.subject == cart);
        of_it.map(|event| (event.kind, event.subject_version)).collect()
    }

    /// What the store keeps, and of answers those of an account.
    pub async fn remains(&self, account: Uuid) -> Remains {
        match (&self.database, self.store.stream()) {
            (Some(database), _) => remains::in_tables(database, account).await,
            (None, stream) => {
                let (connection, outbox, _) = stream.unwrap();
                remains::in_redis(&connection, &outbox, account).await
            }
        }
    }

    /// What has been told so far is carried, as a relay would note.
    pub async fn carry_news(&self) {
        match (&self.database, self.store.stream()) {
            (Some(database), _) => {
                let sent = "UPDATE outbox SET sent = $1";
                kit::execute(database.write(), sent, [self.clock.now().into()]).await.unwrap();
            }
            (None, stream) => {
                let (mut connection, key, _) = stream.unwrap();
                connection.del::<_, ()>(key).await.unwrap();
            }
        }
    }

    /// Statements that tables were asked so far.
    pub fn statements(&self) -> u64 {
        self.database.as_ref().map_or(0, Database::statements)
    }
}

async fn streamed((mut connection, key, field): (ConnectionManager, String, &str)) -> Vec<Event> {
    let read: StreamRangeReply = connection.xrange_all(key).await.unwrap();
    let event = |entry: redis::streams::StreamId| {
        let bytes: Vec<u8> = entry.get(field).unwrap();
        proto::common::Event::decode(bytes.as_slice()).unwrap().try_into().unwrap()
    };
    read.ids.into_iter().map(event).collect()
}

pub fn opening(lines: &[(&str, i64)]) -> pb::CreateCartRequest {
    pb::CreateCartRequest {
        lines: new_lines(lines),
        currency_code: "GBP".into(),
        country_code: "GB".into(),
        codes: Vec::new(),
        request_id: request_id(),
    }
}

pub fn adding(key: &pb::CartKey, lines: &[(&str, i64)]) -> pb::AddCartLinesRequest {
    pb::AddCartLinesRequest {
        key: Some(key.clone()),
        lines: new_lines(lines),
        etag: String::new(),
        request_id: request_id(),
    }
}

pub fn setting(key: &pb::CartKey, lines: &[(&str, i64)]) -> pb::UpdateCartLinesRequest {
    let quantity = |(line, quantity): &(&str, i64)| pb::LineQuantity {
        line_id: (*line).to_owned(),
        quantity: *quantity,
    };
    pb::UpdateCartLinesRequest {
        key: Some(key.clone()),
        lines: lines.iter().map(quantity).collect(),
        etag: String::new(),
        request_id: request_id(),
    }
}

pub fn removing(key: &pb::CartKey, lines: &[&str]) -> pb::RemoveCartLinesRequest {
    pb::RemoveCartLinesRequest {
        key: Some(key.clone()),
        line_ids: lines.iter().map(ToString::to_string).collect(),
        etag: String::new(),
        request_id: request_id(),
    }
}

pub fn moving(key: &pb::CartKey, currency: &str, country: &str) -> pb::SetCartContextRequest {
    pb::SetCartContextRequest {
        key: Some(key.clone()),
        currency_code: currency.to_owned(),
        country_code: country.to_owned(),
        etag: String::new(),
        request_id: request_id(),
    }
}

pub fn merging(key: &pb::CartKey) -> pb::MergeCartsRequest {
    pb::MergeCartsRequest { guest: Some(key.clone()), request_id: request_id() }
}

pub fn new_lines(lines: &[(&str, i64)]) -> Vec<pb::NewLine> {
    let line = |(variant, quantity): &(&str, i64)| pb::NewLine {
        variant_id: (*variant).into(),
        quantity: *quantity,
    };
    lines.iter().map(line).collect()
}

/// Variant and quantity of each line.
pub fn lines(cart: &pb::Cart) -> Vec<(&str, i64)> {
    cart.lines.iter().map(|line| (line.variant_id.as_str(), line.quantity)).collect()
}

pub fn sku(variant: &str) -> String {
    format!("SKU-{variant}")
}

pub fn price(currency: &str, minor_units: i64) -> catalogue_pb::Price {
    let amount = Some(Money { currency_code: currency.to_owned(), minor_units });
    catalogue_pb::Price { amount, compare_at: None }
}

pub fn id() -> String {
    Uuid::now_v7().to_string()
}
