//! Who asks, from where and in which context: what every resolver may look at.

use std::sync::Arc;

use async_graphql::{Context, ID};
use mesh::context::CallRecord;
use mesh::{Channel, User};
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
use tokio::time::Instant;
use uuid::Uuid;

use crate::Upstreams;
use crate::error::{Fault, Problem};
use crate::limits::{GUEST_KEY_LENGTH_MIN, IDEMPOTENCY_KEY_LENGTH_MAX};
use crate::views::Views;

/// What all requests share, as the schema holds it.
pub(crate) struct Shared {
    pub(crate) upstreams: Upstreams,
    pub(crate) market: Market,
    pub(crate) secure_cookies: bool,
    pub(crate) views: Views,
}

/// Where the shop sells when nobody says where.
#[derive(Clone, Debug)]
pub struct Market {
    /// ISO 3166-1 alpha-2: "GB".
    pub country: String,
    /// ISO 4217: "GBP".
    pub currency: String,
    /// BCP 47: "en". The one language that is served for now, whatever a query asks for.
    pub language: String,
}

/// One request's view of who asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Viewer {
    pub(crate) user: Option<Arc<User>>,
    pub(crate) token: Option<Arc<str>>,
    /// What the browser carries for a guest.
    pub(crate) cart: Option<Capability>,
    pub(crate) checkout: Option<Capability>,
    pub(crate) refresh: Option<String>,
    pub(crate) address: String,
    pub(crate) user_agent: String,
    pub(crate) record: Option<CallRecord>,
}

/// An id and the secret that proves the right to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capability {
    /// The service's id.
    pub(crate) id: String,
    pub(crate) token: String,
}

impl Viewer {
    /// What flows from here to every call that is made for this request.
    pub(crate) fn call_context(&self, deadline: Option<Instant>) -> mesh::context::Context {
        mesh::context::Context {
            deadline,
            token: self.token.clone(),
            user: self.user.clone(),
            retried: false,
            record: self.record.clone(),
        }
    }

    /// In whose name effects of this request are done once, where no cart or checkout says more.
    pub(crate) fn principal(&self) -> Principal {
        match &self.user {
            Some(user) => Principal(format!("account:{}", user.account)),
            None => Principal(GUEST.to_owned()),
        }
    }
}

const GUEST: &str = "guest";

/// The scope of idempotency keys: two shoppers who choose the same key never meet.
#[derive(Clone, Debug)]
pub(crate) struct Principal(String);

impl Principal {
    /// A guest's: whoever holds the thing.
    pub(crate) fn holder(kind: &str, id: &str) -> Self {
        Self(format!("{kind}:{id}"))
    }

    /// The `request_id` of one call of a mutation; the same key gives the same one, so that a repeated mutation is a
    /// repeated call.
    pub(crate) fn request_id(&self, key: &ID, rpc: &'static str) -> Result<String, Fault> {
        let length = key.len();
        if length == 0 || length > IDEMPOTENCY_KEY_LENGTH_MAX {
            return Err(Fault::of(
                Problem::BadRequest,
                format!("An idempotency key has 1 to {IDEMPOTENCY_KEY_LENGTH_MAX} characters."),
            ));
        }
        if self.0 == GUEST && length < GUEST_KEY_LENGTH_MIN {
            return Err(Fault::of(
                Problem::BadRequest,
                format!(
                    "A guest's idempotency key has at least {GUEST_KEY_LENGTH_MIN} characters: use a random one."
                ),
            ));
        }
        let name = format!("{}\u{0}{}\u{0}{rpc}", self.0, key.as_str());
        Ok(Uuid::new_v5(&NAMESPACE, name.as_bytes()).to_string())
    }
}

/// Of `request_id`s of this edge; any fixed UUID would do.
const NAMESPACE: Uuid = Uuid::from_u128(0x7d0c_4f7e_52a1_4f0b_9d0e_6a1c_2b7f_90d3);

/// The country and language that `@inContext` asked for.
#[derive(Clone, Debug)]
pub(crate) struct Locale {
    pub(crate) country: String,
    pub(crate) currency: String,
    /// Did the query itself name the country?
    pub(crate) asked: bool,
}

impl Locale {
    pub(crate) fn of(market: &Market, country: Option<&str>) -> Self {
        let asked = country.is_some();
        let country = country.unwrap_or(&market.country).to_owned();
        let currency = currency_of(&country).unwrap_or(&market.currency).to_owned();
        Self { country, currency, asked }
    }
}

/// The currency of a country, where the shop knows one; elsewhere it asks for its own.
fn currency_of(country: &str) -> Option<&'static str> {
    Some(match country {
        "GB" | "IM" | "JE" | "GG" => "GBP",
        "US" | "PR" => "USD",
        "AT" | "BE" | "CY" | "DE" | "EE" | "ES" | "FI" | "FR" | "GR" | "HR" | "IE" | "IT" | "LT" | "LU"
        | "LV" | "MT" | "NL" | "PT" | "SI" | "SK" => "EUR",
        "JP" => "JPY",
        "CA" => "CAD",
        "AU" => "AUD",
        "NZ" => "NZD",
        "CH" | "LI" => "CHF",
        "SE" => "SEK",
        "NO" => "NOK",
        "DK" => "DKK",
        "PL" => "PLN",
        _ => return None,
    })
}

pub(crate) fn shared<'a>(ctx: &Context<'a>) -> &'a Shared {
    ctx.data_unchecked::<Shared>()
}

pub(crate) fn viewer<'a>(ctx: &Context<'a>) -> &'a Viewer {
    ctx.data_unchecked::<Viewer>()
}

pub(crate) fn locale<'a>(ctx: &Context<'a>) -> &'a Locale {
    ctx.data_unchecked::<Locale>()
}

/// The account that asks; nobody signed in is a top-level error.
pub(crate) fn signed_in<'a>(ctx: &Context<'a>) -> Result<&'a User, Fault> {
    let user = viewer(ctx).user.as_deref();
    user.ok_or_else(|| Fault::of(Problem::Unauthenticated, "Sign in first."))
}

/// The `request_id` of a call that only somebody signed in may make.
pub(crate) fn own_request_id(ctx: &Context<'_>, key: &ID, rpc: &'static str) -> Result<String, Fault> {
    signed_in(ctx)?;
    viewer(ctx).principal().request_id(key, rpc)
}

/// A client of the identity service, ready to call.
pub(crate) fn identity(ctx: &Context<'_>) -> IdentityServiceClient<Channel> {
    shared(ctx).upstreams.identity.clone()
}

/// A client of the catalogue, ready to call.
pub(crate) fn catalogue(ctx: &Context<'_>) -> CatalogueServiceClient<Channel> {
    shared(ctx).upstreams.catalogue.clone()
}

/// A client of inventory, ready to call.
pub(crate) fn inventory(ctx: &Context<'_>) -> InventoryServiceClient<Channel> {
    shared(ctx).upstreams.inventory.clone()
}

/// A client of pricing, ready to call.
pub(crate) fn pricing(ctx: &Context<'_>) -> PricingServiceClient<Channel> {
    shared(ctx).upstreams.pricing.clone()
}

/// A client of payments, ready to call.
pub(crate) fn payments(ctx: &Context<'_>) -> PaymentsServiceClient<Channel> {
    shared(ctx).upstreams.payments.clone()
}

/// A client of the cart service, ready to call.
pub(crate) fn cart(ctx: &Context<'_>) -> CartServiceClient<Channel> {
    shared(ctx).upstreams.cart.clone()
}

/// A client of orders, ready to call.
pub(crate) fn orders(ctx: &Context<'_>) -> OrdersServiceClient<Channel> {
    shared(ctx).upstreams.orders.clone()
}

/// A client of reviews, ready to call.
pub(crate) fn reviews(ctx: &Context<'_>) -> ReviewsServiceClient<Channel> {
    shared(ctx).upstreams.reviews.clone()
}

/// A client of analytics, ready to call.
pub(crate) fn analytics(ctx: &Context<'_>) -> AnalyticsServiceClient<Channel> {
    shared(ctx).upstreams.analytics.clone()
}

/// A client of notifications, ready to call.
pub(crate) fn notifications(ctx: &Context<'_>) -> NotificationsServiceClient<Channel> {
    shared(ctx).upstreams.notifications.clone()
}

/// A client of recommendations, ready to call.
pub(crate) fn recommendations(ctx: &Context<'_>) -> RecommendationsServiceClient<Channel> {
    shared(ctx).upstreams.recommendations.clone()
}

/// A client of search, ready to call.
pub(crate) fn search(ctx: &Context<'_>) -> SearchServiceClient<Channel> {
    shared(ctx).upstreams.search.clone()
}
