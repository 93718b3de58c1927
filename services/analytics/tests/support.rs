//! Starts the service on every kind of store, and tells it news shortly.

use std::time::Duration;

use kit::outbox::Event;
use kit::{Clock, Database, Id, Timestamp};
use mesh::Channel;
use mesh::testing::{self, TestServer};
use proto::analytics as pb;
use proto::analytics::analytics_service_client::AnalyticsServiceClient;
use proto::common::Money;
use proto::{cart, catalogue, orders, payments};
use uuid::Uuid;

pub use mesh::testing::reason;

pub type Client = AnalyticsServiceClient<Channel>;

pub struct Shop {
    pub database: Database,
    pub clock: Clock,
    server: TestServer,
}

/// One shop for each kind of store.
pub async fn shops() -> Vec<Shop> {
    let databases = kit::testing::databases::<analytics::Migrator>().await;
    databases.into_iter().map(Shop::new).collect()
}

impl Shop {
    pub fn new(database: Database) -> Self {
        let clock = Clock::fixed(time("2011-11-09T12:00:00Z"));
        let routes = analytics::routes(database.clone(), clock.clone());
        let server = testing::serve(analytics::NAME, routes);
        Self { database, clock, server }
    }

    pub fn staff(&self) -> Client {
        let staff = testing::staff(&["analytics.read"]);
        AnalyticsServiceClient::new(self.server.channel_as("gateway", Some(staff)))
    }

    pub fn as_user(&self, user: Option<mesh::User>) -> Client {
        AnalyticsServiceClient::new(self.server.channel_as("gateway", user))
    }

    pub fn as_service(&self, workload: &'static str) -> Client {
        AnalyticsServiceClient::new(self.server.channel_as(workload, None))
    }

    /// Tells the service news as the relay would; the error, if it cannot take it.
    pub async fn hear(&self, event: &Event) -> Result<(), kit::BoxError> {
        let readers = analytics::readers(&self.database);
        assert!(readers[0].reads(&event.kind), "{} is not read", event.kind);
        (readers[0].apply)(event.clone()).await
    }

    pub async fn hear_all(&self, events: &[Event]) {
        for event in events {
            self.hear(event).await.unwrap();
        }
    }

    pub async fn totals(&self) -> pb::SalesFigures {
        self.sales("2011-01-01", "2011-12-31").await.totals.unwrap()
    }

    pub async fn sales(&self, start: &str, end: &str) -> pb::GetSalesResponse {
        let request = pb::GetSalesRequest {
            range: range(start, end),
            currency_code: "GBP".into(),
            interval: pb::SalesInterval::Month.into(),
        };
        self.staff().get_sales(request).await.unwrap().into_inner()
    }

    pub async fn products(&self) -> Vec<pb::ProductSales> {
        let request = pb::ListProductSalesRequest {
            range: range("2011-01-01", "2011-12-31"),
            currency_code: "GBP".into(),
            page_size: 100,
            ..Default::default()
        };
        self.staff().list_product_sales(request).await.unwrap().into_inner().products
    }

    pub async fn funnel(&self) -> pb::GetFunnelResponse {
        let request = pb::GetFunnelRequest { range: range("2011-01-01", "2011-12-31") };
        self.staff().get_funnel(request).await.unwrap().into_inner()
    }

    pub async fn outcomes(&self) -> pb::GetPaymentOutcomesResponse {
        let request = pb::GetPaymentOutcomesRequest {
            range: range("2011-01-01", "2011-12-31"),
            currency_code: "GBP".into(),
        };
        self.staff().get_payment_outcomes(request).await.unwrap().into_inner()
    }

    /// Everything that the service answers about the year, to compare it with what another shop answers.
    pub async fn everything(&self) -> String {
        let mut countries = Vec::new();
        let mut currencies = Vec::new();
        for currency in ["GBP", "EUR"] {
            let request = pb::ListCountrySalesRequest {
                range: range("2011-01-01", "2011-12-31"),
                currency_code: currency.into(),
                ..Default::default()
            };
            countries.push(self.staff().list_country_sales(request).await.unwrap().into_inner());
            let request = pb::GetSalesRequest {
                range: range("2011-01-01", "2011-12-31"),
                currency_code: currency.into(),
                interval: pb::SalesInterval::Day.into(),
            };
            currencies.push(self.staff().get_sales(request).await.unwrap().into_inner());
        }
        let (products, funnel) = (self.products().await, self.funnel().await);
        format!("{currencies:?} {countries:?} {products:?} {funnel:?} {:?}", self.outcomes().await)
    }
}

/// An order as a test tells it.
#[derive(Clone, Debug)]
pub struct Order {
    pub id: Uuid,
    pub at: Timestamp,
    pub country: &'static str,
    pub currency: &'static str,
    /// SKU, quantity, unit price.
    pub lines: Vec<(&'static str, i64, i64)>,
}

pub fn order(at: &str, lines: &[(&'static str, i64, i64)]) -> Order {
    Order { id: Uuid::now_v7(), at: time(at), country: "GB", currency: "GBP", lines: lines.to_vec() }
}

impl Order {
    pub fn total(&self) -> i64 {
        self.lines.iter().map(|(_, quantity, price)| quantity * price).sum()
    }

    fn money(&self, minor_units: i64) -> Option<Money> {
        Some(Money { currency_code: self.currency.into(), minor_units })
    }

    pub fn placed(&self) -> Event {
        let line = |(sku, quantity, price): &(&str, i64, i64)| orders::EventLine {
            sku: (*sku).to_owned(),
            quantity: *quantity,
            unit_price: self.money(*price),
            ..Default::default()
        };
        let placed = orders::OrderPlaced {
            order_id: self.id.to_string(),
            lines: self.lines.iter().map(line).collect(),
            total: self.money(self.total()),
            country: self.country.to_owned(),
            place_time: self.at.to_rfc3339(),
            ..Default::default()
        };
        // The event is younger than what it tells, as with an import.
        event("order.placed", self.at + Duration::from_secs(40 * 24 * 3600), &placed)
    }

    pub fn cancelled(&self) -> Event {
        let cancelled = orders::OrderCancelled { order_id: self.id.to_string(), ..Default::default() };
        event("order.cancelled", self.at, &cancelled)
    }

    pub fn refunded(&self, so_far: i64) -> Event {
        let refunded = orders::OrderRefunded {
            order_id: self.id.to_string(),
            refunded: self.money(so_far),
            ..Default::default()
        };
        event("order.refunded", self.at, &refunded)
    }
}

pub fn added(cart_id: Uuid, at: &str) -> Event {
    let changed = cart::CartChanged {
        cart_id: cart_id.to_string(),
        added_product_ids: vec![Uuid::now_v7().to_string()],
        ..Default::default()
    };
    event("cart.changed", time(at), &changed)
}

pub fn created(cart_id: Uuid, with: &[Uuid], at: &str) -> Event {
    let created = cart::CartCreated {
        cart_id: cart_id.to_string(),
        guest: true,
        added_product_ids: with.iter().map(ToString::to_string).collect(),
    };
    event("cart.created", time(at), &created)
}

pub fn merged(guest: Uuid, into: Uuid, at: &str) -> Event {
    let merged = cart::CartMerged { cart_id: into.to_string(), guest_cart_id: guest.to_string() };
    event("cart.merged", time(at), &merged)
}

/// `started` or `completed`.
pub fn checkout(step: &str, cart_id: Uuid, at: &str) -> Event {
    let changed = orders::CheckoutChanged { cart_id: cart_id.to_string(), ..Default::default() };
    event(&format!("order.checkout_{step}"), time(at), &changed)
}

/// `authorized` or `declined`.
pub fn payment(outcome: &str, payment_id: Uuid, minor_units: i64, at: &str) -> Event {
    let amount = Some(Money { currency_code: "GBP".into(), minor_units });
    let payment_id = payment_id.to_string();
    match outcome {
        "authorized" => {
            let told = payments::PaymentAuthorized { payment_id, amount, ..Default::default() };
            event("payment.authorized", time(at), &told)
        }
        "declined" => {
            let told = payments::PaymentDeclined { payment_id, amount, ..Default::default() };
            event("payment.declined", time(at), &told)
        }
        "action_required" => {
            let told = payments::PaymentActionRequired { payment_id, amount, ..Default::default() };
            event("payment.action_required", time(at), &told)
        }
        "captured" => {
            let told = payments::PaymentCaptured { payment_id, captured: amount, ..Default::default() };
            event("payment.captured", time(at), &told)
        }
        _ => {
            let told = payments::PaymentRefunded { payment_id, refunded: amount, ..Default::default() };
            event("payment.refunded", time(at), &told)
        }
    }
}

pub fn product(product_id: Uuid, skus: &[&str], at: &str) -> Event {
    let created = catalogue::ProductCreated {
        product_id: product_id.to_string(),
        skus: skus.iter().map(ToString::to_string).collect(),
        ..Default::default()
    };
    event("product.created", time(at), &created)
}

pub fn event<M: prost::Message>(kind: &str, at: Timestamp, payload: &M) -> Event {
    Event::new(kind, Id::<()>::new(), 1, at, payload)
}

pub fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn range(start: &str, end: &str) -> Option<pb::DateRange> {
    Some(pb::DateRange { start_date: start.into(), end_date: end.into() })
}

pub fn gbp(minor_units: i64) -> Option<Money> {
    Some(Money { currency_code: "GBP".into(), minor_units })
}
