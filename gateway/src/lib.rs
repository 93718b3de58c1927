#![doc = include_str!("../README.md")]

pub mod limits;

mod client;
mod closing;
mod context;
mod cookies;
mod cors;
mod csrf;
mod documents;
mod error;
mod execute;
mod guard;
mod http;
mod ids;
mod keys;
mod measured;
mod media;
mod picture;
mod playground;
mod rates;
mod reasons;
mod schema;
mod sockets;
mod sse;
mod viewer;
mod views;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use ipnet::IpNet;
use mesh::Channel;
use mesh::serve::{DRAIN_TIME_MAX, Limits, Protocol, STREAMS_MAX};
use mesh::tokens::Verifier;
use observability::GraphqlMetrics;
use proto::analytics::analytics_service_client::AnalyticsServiceClient;
use proto::cart::cart_service_client::CartServiceClient;
use proto::catalogue::catalogue_service_client::CatalogueServiceClient;
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
use tokio::net::TcpListener;
use tower::ServiceExt;

use closing::Closing;
pub use context::Market;
pub use documents::DocumentHash;
pub use playground::{Persona, Playground, Tab};
pub use schema::sdl;
pub use views::{ViewSender, Views};

/// The name under which the edge calls.
pub const NAME: &str = "gateway";

/// Whom the edge calls: everybody.
#[derive(Clone)]
pub struct Upstreams {
    /// Accounts and sessions.
    pub identity: IdentityServiceClient<Channel>,
    /// Products.
    pub catalogue: CatalogueServiceClient<Channel>,
    /// Stock.
    pub inventory: InventoryServiceClient<Channel>,
    /// Quotes.
    pub pricing: PricingServiceClient<Channel>,
    /// Money.
    pub payments: PaymentsServiceClient<Channel>,
    /// Carts.
    pub cart: CartServiceClient<Channel>,
    /// Checkouts and orders.
    pub orders: OrdersServiceClient<Channel>,
    /// Reviews.
    pub reviews: ReviewsServiceClient<Channel>,
    /// Figures.
    pub analytics: AnalyticsServiceClient<Channel>,
    /// Templates of mails.
    pub notifications: NotificationsServiceClient<Channel>,
    /// Recommendations.
    pub recommendations: RecommendationsServiceClient<Channel>,
    /// What is found by words.
    pub search: SearchServiceClient<Channel>,
}

impl Upstreams {
    /// All of them, by a channel to each name.
    pub fn new(mut channel: impl FnMut(&'static str) -> Channel) -> Self {
        Self {
            identity: IdentityServiceClient::new(channel("identity")),
            catalogue: CatalogueServiceClient::new(channel("catalogue")),
            inventory: InventoryServiceClient::new(channel("inventory")),
            pricing: PricingServiceClient::new(channel("pricing")),
            payments: PaymentsServiceClient::new(channel("payments")),
            cart: CartServiceClient::new(channel("cart")),
            orders: OrdersServiceClient::new(channel("orders")),
            reviews: ReviewsServiceClient::new(channel("reviews")),
            analytics: AnalyticsServiceClient::new(channel("analytics")),
            notifications: NotificationsServiceClient::new(channel("notifications")),
            recommendations: RecommendationsServiceClient::new(channel("recommendations")),
            search: SearchServiceClient::new(channel("search")),
        }
    }
}

/// What differs between one shop and the next.
#[derive(Clone, Debug)]
pub struct Settings {
    /// No introspection, no playground, no cost of answers; cookies for TLS only.
    pub production: bool,
    /// Origins whose pages may use cookies, beside the edge's own: `https://shop.example`.
    pub allowed_origins: Vec<String>,
    /// Proxies whose `x-forwarded-for` is believed; nobody's by default.
    pub trusted_proxies: Vec<IpNet>,
    /// Where the shop sells when a query does not say where.
    pub market: Market,
    /// The documents that are executed; all documents if absent.
    pub documents: Option<Vec<DocumentHash>>,
    /// Personas and ready operations; ignored in production.
    pub playground: Option<Playground>,
    /// Where replicas of the edge share how much each client has asked for; each counts for itself if absent.
    pub shared: Option<Scratch>,
}

/// The edge, ready to be served.
pub fn router(
    upstreams: Upstreams,
    settings: Settings,
    verifier: Verifier,
    metrics: GraphqlMetrics,
    views: Views,
) -> Router {
    let shared = context::Shared {
        upstreams: upstreams.clone(),
        market: settings.market.clone(),
        secure_cookies: settings.production,
        views,
    };
    let executor = execute::Executor {
        schema: schema::build(shared, settings.production),
        documents: documents::Documents::new(settings.documents.as_deref()),
        rates: rates::Rates::new(settings.production, settings.shared.clone()),
        metrics,
        market: settings.market.clone(),
        production: settings.production,
    };
    http::routes(Arc::new(http::Edge {
        executor: Arc::new(executor),
        verifier,
        upstreams,
        settings,
        places: sockets::Places::default(),
    }))
}

/// Serves the edge until `shutdown`, within the limits of [`limits`]; then sockets and event streams are closed, and what
/// is under way ends. Behind proxies all connections are theirs, so it is they who count them by address.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    trusted_proxies: &[IpNet],
    shutdown: impl Future<Output = ()>,
) {
    let limits = Limits {
        connections_max: limits::CONNECTIONS_MAX,
        connections_per_address_max: match trusted_proxies.is_empty() {
            true => limits::CONNECTIONS_PER_ADDRESS_MAX,
            false => limits::CONNECTIONS_MAX,
        },
        streams_max: STREAMS_MAX,
        headers_length_max: u32::try_from(limits::HEADER_BYTES_MAX).unwrap_or(u32::MAX),
        header_time_max: limits::HEADER_TIMEOUT,
        unread_time_max: limits::SEND_TIMEOUT,
        age_max: None,
        age_grace_max: Duration::ZERO,
        drain_time_max: DRAIN_TIME_MAX,
    };
    let closing = Closing::default();
    let told = closing.clone();
    let service = router.into_service().map_request(move |request| told.tell(request));
    let shutdown = async {
        shutdown.await;
        closing.begin();
    };
    mesh::serve::connections(listener, Protocol::Http, limits, service, shutdown).await;
    // Each has a second to take its leave.
    closing.ended().await;
}
