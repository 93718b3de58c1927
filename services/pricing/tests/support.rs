//! Starts the service on every kind of store over a catalogue of the test's own, and says things shortly.

mod catalogue;

use std::time::Duration;

use kit::{Clock, Database};
use mesh::testing::{self, TestServer};
use mesh::{Channel, User};
use pricing::Upstreams;
use proto::catalogue as catalogue_pb;
use proto::catalogue::catalogue_service_client::CatalogueServiceClient;
use proto::catalogue::catalogue_service_server::CatalogueServiceServer;
use proto::common::Money;
use proto::pricing as pb;
use proto::pricing::pricing_service_client::PricingServiceClient;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use uuid::Uuid;

use catalogue::Catalogue;

pub use kit::testing::request_id;
pub use mesh::testing::reason;

pub type Client = PricingServiceClient<Channel>;

pub const STANDARD: &str = "01900000-0000-7000-8000-000000000001";
pub const EXPRESS: &str = "01900000-0000-7000-8000-000000000002";
pub const ABROAD: &str = "01900000-0000-7000-8000-000000000003";

pub struct Shop {
    pub database: Database,
    pub clock: Clock,
    pub catalogue: Catalogue,
    clerk: User,
    server: TestServer,
}

/// One shop for each kind of store.
pub async fn shops() -> Vec<Shop> {
    let databases = kit::testing::databases::<pricing::Migrator>().await;
    databases.into_iter().map(Shop::new).collect()
}

impl Shop {
    fn new(database: Database) -> Self {
        let clock = Clock::fixed(Clock::system().now());
        let catalogue = Catalogue::default();
        let shelf = Routes::new(CatalogueServiceServer::new(catalogue.clone()));
        let shelf = testing::serve("catalogue", shelf).upstream().channel(pricing::NAME);
        let upstreams = Upstreams { catalogue: CatalogueServiceClient::new(shelf) };
        let routes = pricing::routes(database.clone(), upstreams, clock.clone());
        let server = testing::serve(pricing::NAME, routes);
        let clerk = testing::staff(&["pricing.read", "pricing.write"]);
        Self { database, clock, catalogue, clerk, server }
    }

    pub fn as_guest(&self) -> Client {
        PricingServiceClient::new(self.server.channel_as("gateway", None))
    }

    pub fn as_user(&self, user: &User) -> Client {
        PricingServiceClient::new(self.server.channel_as("gateway", Some(user.clone())))
    }

    pub fn as_service(&self, workload: &'static str) -> Client {
        PricingServiceClient::new(self.server.channel_as(workload, None))
    }

    /// Always the same member of staff, so that a repeated request is known as such.
    pub fn staff(&self) -> Client {
        self.as_user(&self.clerk)
    }

    /// Puts something on the shelf of the catalogue.
    pub fn sell(&self, pence: i64, change: impl FnOnce(&mut catalogue_pb::Variant)) -> String {
        let mut variant = catalogue_pb::Variant {
            id: id(),
            product_id: id(),
            sku: "MUG-NAVY".into(),
            title: "Navy".into(),
            prices: vec![catalogue_pb::Price { amount: money("GBP", pence), compare_at: None }],
            weight_grams: 360,
            tax_class: "standard".into(),
            requires_shipping: true,
            ..Default::default()
        };
        change(&mut variant);
        let id = variant.id.clone();
        self.catalogue.put(catalogue_pb::VariantSummary {
            product_id: variant.product_id.clone(),
            product_title: "Harbour Mug".into(),
            product_status: catalogue_pb::ProductStatus::Active.into(),
            variant: Some(variant),
            ..Default::default()
        });
        id
    }

    pub async fn discount(&self, discount: pb::Discount) -> pb::Discount {
        let request = pb::CreateDiscountRequest { discount: Some(discount), request_id: request_id() };
        self.staff().create_discount(request).await.unwrap().into_inner().discount.unwrap()
    }

    pub async fn stored(&self, discount: &pb::Discount) -> pb::Discount {
        let request = pb::BatchGetDiscountsRequest { discount_ids: vec![discount.id.clone()] };
        self.staff().batch_get_discounts(request).await.unwrap().into_inner().discounts.remove(0)
    }

    pub async fn quote(&self, request: pb::QuoteRequest) -> Result<pb::Quote, tonic::Status> {
        let answer = self.as_guest().quote(request).await?;
        Ok(answer.into_inner().quote.unwrap())
    }

    /// What a quote says of one code.
    pub async fn outcome(&self, variant: &str, code: &str, customer: &str) -> pb::CodeOutcome {
        let request = pb::QuoteRequest {
            codes: vec![code.to_owned()],
            customer_key: customer.to_owned(),
            ..asking(&[(variant, 1)])
        };
        self.quote(request).await.unwrap().codes[0].outcome()
    }

    pub async fn hold(&self, request: pb::HoldCodesRequest) -> Result<(), tonic::Status> {
        self.as_service("orders").hold_codes(request).await.map(drop)
    }

    pub async fn commit(&self, checkout: &str) -> Result<(), tonic::Status> {
        let request = pb::CommitCodesRequest { checkout_id: checkout.to_owned(), request_id: request_id() };
        self.as_service("orders").commit_codes(request).await.map(drop)
    }

    pub async fn release(&self, checkout: &str) -> Result<(), tonic::Status> {
        let request = pb::ReleaseCodesRequest { checkout_id: checkout.to_owned(), request_id: request_id() };
        self.as_service("orders").release_codes(request).await.map(drop)
    }

    pub fn holding(&self, checkout: &str, codes: &[&str], customer: &str) -> pb::HoldCodesRequest {
        pb::HoldCodesRequest {
            checkout_id: checkout.to_owned(),
            codes: codes.iter().map(ToString::to_string).collect(),
            customer_key: customer.to_owned(),
            expire_time: Some(kit::time::to_proto(self.clock.now() + Duration::from_secs(600))),
            request_id: request_id(),
        }
    }

    /// Lets the background work have a round, twice at once as in two processes.
    pub async fn work(&self) {
        let shutdown = CancellationToken::new();
        let round = || pricing::work(self.database.clone(), self.clock.clone(), shutdown.clone());
        let end = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            shutdown.cancel();
        };
        tokio::join!(round(), round(), end);
    }
}

/// A quote for these variants and quantities, to Great Britain, in pounds.
pub fn asking(lines: &[(&str, i64)]) -> pb::QuoteRequest {
    pb::QuoteRequest {
        lines: lines.iter().map(|(id, quantity)| line(id, *quantity)).collect(),
        currency_code: "GBP".into(),
        destination: Some(to("GB")),
        ..Default::default()
    }
}

pub fn line(variant_id: &str, quantity: i64) -> pb::QuoteLineRequest {
    pb::QuoteLineRequest { variant_id: variant_id.to_owned(), quantity }
}

pub fn to(country: &str) -> pb::Destination {
    pb::Destination { country_code: country.into(), ..Default::default() }
}

pub fn percent(code: &str, ppm: i64) -> pb::Discount {
    pb::Discount {
        code: code.into(),
        value: Some(pb::discount::Value::PercentPpm(ppm)),
        ..Default::default()
    }
}

pub fn money(currency: &str, minor_units: i64) -> Option<Money> {
    Some(Money { currency_code: currency.into(), minor_units })
}

pub fn units(money: &Option<Money>) -> i64 {
    money.as_ref().unwrap().minor_units
}

pub fn account() -> String {
    format!("account:{}", id())
}

pub fn id() -> String {
    Uuid::now_v7().to_string()
}

/// A value that a refusal speaks of.
pub fn named(status: &tonic::Status, key: &str) -> String {
    mesh::status::metadata_of(status).get(key).cloned().unwrap_or_default()
}

pub fn wrong_fields(status: &tonic::Status) -> Vec<String> {
    mesh::status::violations_of(status).into_iter().map(|violation| violation.field).collect()
}
