//! The map of the platform: every service, its store, and whom it calls. Services are bound leaves first, so a cycle of
//! calls would need a name before it exists.

use std::sync::Arc;

use futures::FutureExt;
use kit::{Clock, Database, Reader};
use mesh::relay::Source;
use mesh::serve::{Check, Health};
use mesh::tokens::{SigningKey, Verifier};
use mesh::{Channel, Served, Server, ServerSettings, Upstream};
use observability::RpcMetrics;
use proto::cart::cart_service_client::CartServiceClient;
use proto::catalogue::catalogue_service_client::CatalogueServiceClient;
use proto::identity::ListSigningKeysRequest;
use proto::identity::identity_service_client::IdentityServiceClient;
use proto::inventory::inventory_service_client::InventoryServiceClient;
use proto::orders::orders_service_client::OrdersServiceClient;
use proto::payments::payments_service_client::PaymentsServiceClient;
use proto::pricing::pricing_service_client::PricingServiceClient;
use proto::reviews::reviews_service_client::ReviewsServiceClient;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::service::Routes;

use crate::commands::Failure;
use crate::config::Data;
use crate::data::DataFolder;

/// What one service takes on at once in one process.
const SERVER: ServerSettings = ServerSettings {
    calls_max: 512,
    streams_max: 4_096,
    message_in_max: 1024 * 1024,
    message_out_max: 4 * 1024 * 1024,
};

/// The stores of all services.
pub struct Stores {
    pub identity: Database,
    pub catalogue: Database,
    pub inventory: Database,
    pub pricing: Database,
    pub payments: Database,
    pub cart: Database,
    pub orders: Database,
    pub reviews: Database,
}

/// What services must be told besides their store and upstreams.
pub struct Settings {
    pub identity: identity::Settings,
    pub payments: payments::Settings,
    pub cart: cart::Settings,
    pub orders: orders::Settings,
}

/// All services of one process, each behind its stack.
pub struct Topology {
    pub services: Vec<Served>,
    pub gateway: gateway::Upstreams,
    /// Who reads events.
    pub readers: Vec<Reader>,
    pub verifier: Verifier,
    pub server: Server,
}

impl Stores {
    /// Opens every store and brings its tables up to date.
    pub async fn open(folder: &DataFolder) -> Result<Self, Failure> {
        let stores = Self {
            identity: folder.database(identity::NAME).await?,
            catalogue: folder.database(catalogue::NAME).await?,
            inventory: folder.database(inventory::NAME).await?,
            pricing: folder.database(pricing::NAME).await?,
            payments: folder.database(payments::NAME).await?,
            cart: folder.database(cart::NAME).await?,
            orders: folder.database(orders::NAME).await?,
            reviews: folder.database(reviews::NAME).await?,
        };
        tokio::try_join!(
            identity::migrate(&stores.identity),
            catalogue::migrate(&stores.catalogue),
            inventory::migrate(&stores.inventory),
            pricing::migrate(&stores.pricing),
            payments::migrate(&stores.payments),
            cart::migrate(&stores.cart),
            orders::migrate(&stores.orders),
            reviews::migrate(&stores.reviews),
        )
        .map_err(|error| Failure::caused("the tables cannot be brought up to date", &error))?;
        Ok(stores)
    }

    /// Asks each store whether it answers.
    pub async fn health(&self, services: &[Served]) -> Health {
        let checks = services.iter().filter_map(|served| {
            let database = self.of(served.service())?.clone();
            Some(Check::new(served.service(), served.names(), move || {
                let database = database.clone();
                async move { Ok(database.ping().await?) }
            }))
        });
        Health::start(checks.collect()).await
    }

    /// Where events come from.
    pub fn sources(&self) -> Vec<Source> {
        let source =
            |(service, database): (&'static str, &Database)| Source { service, database: database.clone() };
        self.all().map(source).to_vec()
    }

    /// Every store.
    pub fn databases(&self) -> Vec<Database> {
        self.all().map(|(_, database)| database.clone()).to_vec()
    }

    fn of(&self, service: &str) -> Option<&Database> {
        self.all().into_iter().find(|(name, _)| *name == service).map(|(_, database)| database)
    }

    fn all(&self) -> [(&'static str, &Database); 8] {
        [
            (identity::NAME, &self.identity),
            (catalogue::NAME, &self.catalogue),
            (inventory::NAME, &self.inventory),
            (pricing::NAME, &self.pricing),
            (payments::NAME, &self.payments),
            (cart::NAME, &self.cart),
            (orders::NAME, &self.orders),
            (reviews::NAME, &self.reviews),
        ]
    }
}

impl Topology {
    /// Binds every service to its store and its upstreams, leaves first, and starts its background work.
    pub fn bind(
        stores: &Stores,
        settings: Settings,
        clock: &Clock,
        tasks: &TaskTracker,
        shutdown: &CancellationToken,
    ) -> Self {
        let Stores { identity: identity_store, payments: payments_store, orders: orders_store, .. } = stores;
        // Every stack verifies tokens with identity's keys, and identity stands behind such a stack itself.
        let verifier = Verifier::unbound();
        let mut bound = Bound::new(Server::new(SERVER, verifier.clone(), RpcMetrics::server()));
        let (time, stop) = (|| clock.clone(), || shutdown.clone());

        let routes = identity::routes(identity_store.clone(), settings.identity.clone(), time());
        let identity = bound.serve(identity::NAME, routes);
        tasks.spawn(identity::work(identity_store.clone(), settings.identity, time(), stop()));
        let signer = IdentityServiceClient::new(identity.channel(gateway::NAME));
        verifier.bind(Arc::new(move || keys(signer.clone()).boxed()));

        let catalogue = bound.serve(catalogue::NAME, catalogue::routes(stores.catalogue.clone(), time()));

        let inventory = bound.serve(inventory::NAME, inventory::routes(stores.inventory.clone(), time()));
        tasks.spawn(inventory::work(stores.inventory.clone(), time(), stop()));

        let routes = payments::routes(payments_store.clone(), settings.payments.clone(), time());
        let payments = bound.serve(payments::NAME, routes);
        tasks.spawn(payments::work(payments_store.clone(), settings.payments, time(), stop()));

        let upstreams =
            pricing::Upstreams { catalogue: CatalogueServiceClient::new(catalogue.channel(pricing::NAME)) };
        let routes = pricing::routes(stores.pricing.clone(), upstreams, time());
        let pricing = bound.serve(pricing::NAME, routes);
        tasks.spawn(pricing::work(stores.pricing.clone(), time(), stop()));

        let upstreams = cart::Upstreams {
            catalogue: CatalogueServiceClient::new(catalogue.channel(cart::NAME)),
            inventory: InventoryServiceClient::new(inventory.channel(cart::NAME)),
        };
        let cart =
            bound.serve(cart::NAME, cart::routes(stores.cart.clone(), upstreams, settings.cart, time()));
        tasks.spawn(cart::work(stores.cart.clone(), time(), stop()));

        let upstreams = orders::Upstreams {
            cart: CartServiceClient::new(cart.channel(orders::NAME)),
            pricing: PricingServiceClient::new(pricing.channel(orders::NAME)),
            inventory: InventoryServiceClient::new(inventory.channel(orders::NAME)),
            payments: PaymentsServiceClient::new(payments.channel(orders::NAME)),
        };
        let settings = settings.orders;
        bound.readers.extend(orders::readers(orders_store, &upstreams, &settings, clock));
        tasks.spawn(orders::work(orders_store.clone(), upstreams.clone(), settings.clone(), time(), stop()));
        let routes = orders::routes(orders_store.clone(), upstreams, settings, time());
        let orders = bound.serve(orders::NAME, routes);

        bound.readers.extend(reviews::readers(&stores.reviews));
        let reviews = bound.serve(reviews::NAME, reviews::routes(stores.reviews.clone(), time()));

        let gateway = gateway::Upstreams {
            identity: IdentityServiceClient::new(identity.channel(gateway::NAME)),
            catalogue: CatalogueServiceClient::new(catalogue.channel(gateway::NAME)),
            inventory: InventoryServiceClient::new(inventory.channel(gateway::NAME)),
            pricing: PricingServiceClient::new(pricing.channel(gateway::NAME)),
            payments: PaymentsServiceClient::new(payments.channel(gateway::NAME)),
            cart: CartServiceClient::new(cart.channel(gateway::NAME)),
            orders: OrdersServiceClient::new(orders.channel(gateway::NAME)),
            reviews: ReviewsServiceClient::new(reviews.channel(gateway::NAME)),
        };
        Self { services: bound.services, gateway, readers: bound.readers, verifier, server: bound.server }
    }
}

/// What has been bound so far.
struct Bound {
    server: Server,
    services: Vec<Served>,
    readers: Vec<Reader>,
}

impl Bound {
    fn new(server: Server) -> Self {
        Self { server, services: Vec::new(), readers: Vec::new() }
    }

    /// Puts a service behind its stack, and answers where those that call it find it.
    fn serve(&mut self, name: &'static str, routes: Routes) -> Upstream {
        let served = self.server.stack(name, routes);
        self.services.push(served.clone());
        Upstream::local(served)
    }
}

/// `shop migrate`.
pub async fn migrate(arguments: &Data) -> Result<(), Failure> {
    let folder = DataFolder::open(&arguments.data)?;
    Stores::open(&folder).await?;
    println!("the tables of all services in {} are up to date", folder.path().display());
    Ok(())
}

/// Fetches the keys of access tokens.
async fn keys(mut identity: IdentityServiceClient<Channel>) -> Result<Vec<SigningKey>, Status> {
    let answer = identity.list_signing_keys(ListSigningKeysRequest::default()).await?.into_inner();
    let key =
        |key: proto::identity::SigningKey| SigningKey { key_id: key.key_id, public_key: key.public_key };
    Ok(answer.keys.into_iter().map(key).collect())
}
