//! The map of the platform: every service, its store, and whom it calls. Services are bound leaves first, so a cycle of
//! calls would need a name before it exists.

use std::future::ready;
use std::sync::Arc;

use futures::FutureExt;
use kit::{BoxError, Clock, Database, Reader};
use mesh::serve::Check;
use mesh::tokens::{SigningKey, Verifier};
use mesh::{Certificates, Channel, Served, Server, ServerSettings, Upstream};
use news::{Source, Stream};
use observability::RpcMetrics;
use proto::analytics::analytics_service_client::AnalyticsServiceClient;
use proto::cart::cart_service_client::CartServiceClient;
use proto::catalogue::catalogue_service_client::CatalogueServiceClient;
use proto::identity::ListSigningKeysRequest;
use proto::identity::identity_service_client::IdentityServiceClient;
use proto::inventory::inventory_service_client::InventoryServiceClient;
use proto::notifications::notifications_service_client::NotificationsServiceClient;
use proto::orders::orders_service_client::OrdersServiceClient;
use proto::payments::payments_service_client::PaymentsServiceClient;
use proto::pricing::pricing_service_client::PricingServiceClient;
use proto::recommendations::recommendations_service_client::RecommendationsServiceClient;
use proto::reviews::reviews_service_client::ReviewsServiceClient;
use proto::search::search_service_client::SearchServiceClient;
use scratch::Scratch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::service::Routes;

use crate::places::{Place, Places};

/// What one service takes on at once in one process. It is counted for all callers together and not for each connection, since
/// what runs out is the service's own: its pool, its processor, its memory.
const SERVER: ServerSettings = ServerSettings {
    calls_max: 512,
    streams_max: 4_096,
    message_in_max: 1024 * 1024,
    message_out_max: 4 * 1024 * 1024,
};

/// The services of one process, each behind its stack, and the ways to the others.
pub struct Topology {
    pub services: Vec<Served>,
    /// All services, those elsewhere too: what a port for tools offers.
    pub reachable: Vec<Served>,
    /// How to tell whether each service here can do its work: its store answers, its index is whole. And whether those
    /// elsewhere can.
    pub checks: Vec<Check>,
    /// The databases of the services here, from which their events come.
    pub sources: Vec<Source>,
    /// The outbox of a cart that is kept in Redis.
    pub stream: Option<Stream>,
    pub gateway: gateway::Upstreams,
    /// Who reads events.
    pub readers: Vec<Reader>,
    pub verifier: Verifier,
    pub server: Server,
}

impl Topology {
    /// Binds every service to its store and its upstreams, leaves first, and starts the background work of those here.
    pub fn bind(places: Places, clock: &Clock, tasks: &TaskTracker, shutdown: &CancellationToken) -> Self {
        // Every stack verifies tokens with identity's keys, and identity stands behind such a stack itself.
        let verifier = Verifier::unbound();
        let server = Server::new(SERVER, verifier.clone(), RpcMetrics::server());
        let mut bound = Bound::new(server, places.certificates, clock, tasks, shutdown);

        let identity = bound.identity(places.identity);
        let catalogue = bound.catalogue(places.catalogue);
        let inventory = bound.inventory(places.inventory);
        let payments = bound.payments(places.payments);
        let pricing = bound.pricing(places.pricing, &catalogue);
        let cart = bound.cart(places.cart, &catalogue, &inventory);
        let orders = bound.orders(places.orders, &cart, &pricing, &inventory, &payments);
        let reviews = bound.reviews(places.reviews);
        let analytics = bound.analytics(places.analytics);
        let notifications = bound.notifications(places.notifications);
        let recommendations = bound.recommendations(places.recommendations);
        let search = bound.search(places.search, &catalogue, &inventory, &reviews);
        let gateway = gateway::Upstreams {
            identity: IdentityServiceClient::new(identity.channel(gateway::NAME)),
            catalogue: CatalogueServiceClient::new(catalogue.channel(gateway::NAME)),
            inventory: InventoryServiceClient::new(inventory.channel(gateway::NAME)),
            pricing: PricingServiceClient::new(pricing.channel(gateway::NAME)),
            payments: PaymentsServiceClient::new(payments.channel(gateway::NAME)),
            cart: CartServiceClient::new(cart.channel(gateway::NAME)),
            orders: OrdersServiceClient::new(orders.channel(gateway::NAME)),
            reviews: ReviewsServiceClient::new(reviews.channel(gateway::NAME)),
            analytics: AnalyticsServiceClient::new(analytics.channel(gateway::NAME)),
            notifications: NotificationsServiceClient::new(notifications.channel(gateway::NAME)),
            recommendations: RecommendationsServiceClient::new(recommendations.channel(gateway::NAME)),
            search: SearchServiceClient::new(search.channel(gateway::NAME)),
        };

        let reachable = vec![
            identity.served(identity::NAME),
            catalogue.served(catalogue::NAME),
            inventory.served(inventory::NAME),
            payments.served(payments::NAME),
            pricing.served(pricing::NAME),
            cart.served(cart::NAME),
            orders.served(orders::NAME),
            reviews.served(reviews::NAME),
            analytics.served(analytics::NAME),
            notifications.served(notifications::NAME),
            recommendations.served(recommendations::NAME),
            search.served(search::NAME),
        ];

        let signer = gateway.identity.clone();
        verifier.bind(Arc::new(move || keys(signer.clone()).boxed()));
        let Bound { server, services, checks, sources, stream, readers, .. } = bound;
        Self { services, reachable, checks, sources, stream, gateway, readers, verifier, server }
    }
}

/// What has been bound so far, and what every service here is given.
struct Bound<'a> {
    server: Server,
    services: Vec<Served>,
    checks: Vec<Check>,
    sources: Vec<Source>,
    stream: Option<Stream>,
    readers: Vec<Reader>,
    certificates: Option<Certificates>,
    clock: &'a Clock,
    tasks: &'a TaskTracker,
    shutdown: &'a CancellationToken,
}

impl<'a> Bound<'a> {
    fn new(
        server: Server,
        certificates: Option<Certificates>,
        clock: &'a Clock,
        tasks: &'a TaskTracker,
        shutdown: &'a CancellationToken,
    ) -> Self {
        Self {
            server,
            services: Vec::new(),
            checks: Vec::new(),
            sources: Vec::new(),
            stream: None,
            readers: Vec::new(),
            certificates,
            clock,
            tasks,
            shutdown,
        }
    }

    fn identity(&mut self, place: Place<identity::Settings>) -> Upstream {
        let (store, settings) = match self.enter(identity::NAME, place) {
            Ok(here) => here,
            Err(upstream) => return upstream,
        };
        self.readers.extend(identity::readers(&store, &settings));
        self.tasks.spawn(identity::work(store.clone(), settings.clone(), self.time(), self.stop()));
        self.serve(identity::NAME, identity::routes(store, settings, self.time()))
    }

    fn catalogue(&mut self, place: Place<Option<Scratch>>) -> Upstream {
        let (store, hot) = match self.enter(catalogue::NAME, place) {
            Ok(here) => here,
            Err(upstream) => return upstream,
        };
        self.readers.extend(catalogue::readers(&store, hot.clone(), self.clock));
        self.tasks.spawn(catalogue::work(store.clone(), self.stop()));
        self.serve(catalogue::NAME, catalogue::routes(store, hot, self.time()))
    }

    fn inventory(&mut self, place: Place) -> Upstream {
        let (store, ()) = match self.enter(inventory::NAME, place) {
            Ok(here) => here,
            Err(upstream) => return upstream,
        };
        self.tasks.spawn(inventory::work(store.clone(), self.time(), self.stop()));
        self.serve(inventory::NAME, inventory::routes(store, self.time()))
    }

    fn payments(&mut self, place: Place<payments::Settings>) -> Upstream {
        let (store, settings) = match self.enter(payments::NAME, place) {
            Ok(here) => here,
            Err(upstream) => return upstream,
        };
        self.tasks.spawn(payments::work(store.clone(), settings.clone(), self.time(), self.stop()));
        self.serve(payments::NAME, payments::routes(store, settings, self.time()))
    }

    fn pricing(&mut self, place: Place, catalogue: &Upstream) -> Upstream {
        let (store, ()) = match self.enter(pricing::NAME, place) {
            Ok(here) => here,
            Err(upstream) => return upstream,
        };
        let upstreams =
            pricing::Upstreams { catalogue: CatalogueServiceClient::new(catalogue.channel(pricing::NAME)) };
        self.tasks.spawn(pricing::work(store.clone(), self.time(), self.stop()));
        self.serve(pricing::NAME, pricing::routes(store, upstreams, self.time()))
    }

    fn cart(
        &mut self,
        place: Place<cart::Settings, cart::Store>,
        catalogue: &Upstream,
        inventory: &Upstream,
    ) -> Upstream {
        let (store, settings) = match self.find(cart::NAME, place) {
            Ok(here) => here,
            Err(upstream) => return upstream,
        };
        let upstreams = cart::Upstreams {
            catalogue: CatalogueServiceClient::new(catalogue.channel(cart::NAME)),
            inventory: InventoryServiceClient::new(inventory.channel(cart::NAME)),
        };
        if let Some(database) = store.database() {
            self.sources.push(Source { service: cart::NAME, database: database.clone() });
        }
        self.stream = stream(&store);
        let asked = store.clone();
        self.check(cart::NAME, move || {
            let store = asked.clone();
            async move { Ok(store.ping().await?) }
        });
        self.readers.extend(cart::readers(&store));
        self.tasks.spawn(cart::work(store.clone(), self.time(), self.stop()));
        self.serve(cart::NAME, cart::routes(store, upstreams, settings, self.time()))
    }

    fn orders(
        &mut self,
        place: Place<orders::Settings>,
        cart: &Upstream,
        pricing: &Upstream,
        inventory: &Upstream,
        payments: &Upstream,
    ) -> Upstream {
        let (store, settings) = match self.enter(orders::NAME, place) {
            Ok(here) => here,
            Err(upstream) => return upstream,
        };
        let upstreams = orders::Upstreams {
            cart: CartServiceClient::new(cart.channel(orders::NAME)),
            pricing: PricingServiceClient::new(pricing.channel(orders::NAME)),
            inventory: InventoryServiceClient::new(inventory.channel(orders::NAME)),
            payments: PaymentsServiceClient::new(payments.channel(orders::NAME)),
        };
        self.readers.extend(orders::readers(&store, &upstreams, &settings, self.clock));
        self.tasks.spawn(orders::work(
            store.clone(),
            upstreams.clone(),
            settings.clone(),
            self.time(),
            self.stop(),
        ));
        self.serve(orders::NAME, orders::routes(store, upstreams, settings, self.time()))
    }

    fn reviews(&mut self, place: Place) -> Upstream {
        let (store, ()) = match self.enter(reviews::NAME, place) {
            Ok(here) => here,
            Err(upstream) => return upstream,
        };
        self.readers.extend(reviews::readers(&store));
        self.tasks.spawn(reviews::work(store.clone(), self.stop()));
        self.serve(reviews::NAME, reviews::routes(store, self.time()))
    }

    fn analytics(&mut self, place: Place) -> Upstream {
        let (store, ()) = match self.enter(analytics::NAME, place) {
            Ok(here) => here,
            Err(upstream) => return upstream,
        };
        self.readers.extend(analytics::readers(&store));
        self.tasks.spawn(analytics::work(store.clone(), self.stop()));
        self.serve(analytics::NAME, analytics::routes(store, self.time()))
    }

    fn notifications(&mut self, place: Place<notifications::Settings>) -> Upstream {
        let (store, settings) = match self.enter(notifications::NAME, place) {
            Ok(here) => here,
            Err(upstream) => return upstream,
        };
        self.readers.extend(notifications::readers(&store, self.clock));
        self.tasks.spawn(notifications::work(store.clone(), settings.clone(), self.time(), self.stop()));
        self.serve(notifications::NAME, notifications::routes(store, settings, self.time()))
    }

    fn recommendations(&mut self, place: Place) -> Upstream {
        let (store, ()) = match self.enter(recommendations::NAME, place) {
            Ok(here) => here,
            Err(upstream) => return upstream,
        };
        self.readers.extend(recommendations::readers(&store));
        self.tasks.spawn(recommendations::work(store.clone(), self.stop()));
        self.serve(recommendations::NAME, recommendations::routes(store))
    }

    fn search(
        &mut self,
        place: Place<(), search::Index>,
        catalogue: &Upstream,
        inventory: &Upstream,
        reviews: &Upstream,
    ) -> Upstream {
        let (index, ()) = match self.find(search::NAME, place) {
            Ok(here) => here,
            Err(upstream) => return upstream,
        };
        let upstreams = search::Upstreams {
            catalogue: CatalogueServiceClient::new(catalogue.channel(search::NAME)),
            inventory: InventoryServiceClient::new(inventory.channel(search::NAME)),
            reviews: ReviewsServiceClient::new(reviews.channel(search::NAME)),
        };
        self.readers.extend(search::readers(&index));
        self.tasks.spawn(search::work(index.clone(), upstreams, self.time(), self.stop()));
        let routes = search::routes(index.clone());
        self.check(search::NAME, move || ready(index.ready().map_err(Into::into)));
        self.serve(search::NAME, routes)
    }

    /// What a service over a database works with, if it is here.
    fn enter<S>(&mut self, name: &'static str, place: Place<S>) -> Result<(Database, S), Upstream> {
        let (store, settings) = self.find(name, place)?;
        self.sources.push(Source { service: name, database: store.clone() });
        let asked = store.clone();
        self.check(name, move || {
            let store = asked.clone();
            async move { Ok(store.ping().await?) }
        });
        Ok((store, settings))
    }

    /// How to tell whether a service can do its work.
    fn check<R>(&mut self, name: &'static str, ping: impl Fn() -> R + Send + Sync + 'static)
    where
        R: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.checks.push(Check::new(name, Served::names_of(name), ping));
    }

    /// What a service that is here works with; the way to it, where it is not.
    fn find<S, D>(&mut self, name: &'static str, place: Place<S, D>) -> Result<(D, S), Upstream> {
        match place {
            Place::Here(store, settings) => Ok((store, settings)),
            Place::There(uri) => {
                let upstream = Upstream::remote(name, uri, connections(), self.certificates.as_ref());
                let asked = upstream.clone();
                let check = Check::new(name, vec![], move || {
                    let upstream = asked.clone();
                    async move { Ok(upstream.health().await?) }
                });
                // What does not need it is served all the same, so it is named and no more.
                self.checks.push(check.optional());
                Err(upstream)
            }
            Place::Nowhere => Err(Upstream::nowhere()),
        }
    }

    /// Puts a service behind its stack, and answers where those that call it find it.
    fn serve(&mut self, name: &'static str, routes: Routes) -> Upstream {
        let served = self.server.stack(name, routes);
        self.services.push(served.clone());
        Upstream::local(served)
    }

    fn time(&self) -> Clock {
        self.clock.clone()
    }

    fn stop(&self) -> CancellationToken {
        self.shutdown.clone()
    }
}

/// The outbox of carts that are in Redis.
pub fn stream(carts: &cart::Store) -> Option<Stream> {
    let (connection, key, field) = carts.stream()?;
    Some(Stream { service: cart::NAME, connection, key, field })
}

/// A connection is driven by one task, so one for each core.
fn connections() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Fetches the keys of access tokens.
async fn keys(mut identity: IdentityServiceClient<Channel>) -> Result<Vec<SigningKey>, Status> {
    let answer = identity.list_signing_keys(ListSigningKeysRequest::default()).await?.into_inner();
    let key =
        |key: proto::identity::SigningKey| SigningKey { key_id: key.key_id, public_key: key.public_key };
    Ok(answer.keys.into_iter().map(key).collect())
}
