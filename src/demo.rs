//! The demo shop of a first start: accounts to sign in with, and a catalogue with stock and reviews. Everything but the
//! accounts goes in by the public contracts, as an importer of somebody else's shop would do it.

use std::collections::HashMap;
use std::time::Duration;

use futures::stream;
use gateway::Tab;
use identity::{CreateError, NewAccount};
use kit::{Clock, Database};
use mesh::context::{Context, scope};
use mesh::{Channel, Role};
use proto::catalogue::catalogue_service_client::CatalogueServiceClient;
use proto::catalogue::import_products_request::Part;
use proto::catalogue::import_products_response::Part as Told;
use proto::catalogue::{self as catalogue_pb};
use proto::common::Money;
use proto::identity::LogInRequest;
use proto::inventory::inventory_service_client::InventoryServiceClient;
use proto::inventory::{AdjustStockRequest, StockAdjustment, stock_adjustment::Change};
use proto::pricing::pricing_service_client::PricingServiceClient;
use proto::pricing::{self as pricing_pb, discount::Value};
use proto::reviews::reviews_service_client::ReviewsServiceClient;
use proto::reviews::{ImportReviewsRequest, ImportedReview};
use serde::Deserialize;
use uuid::Uuid;

use crate::commands::Failure;

const PRODUCTS: &str = include_str!("../demo/products.csv");
const COLLECTIONS: &str = include_str!("../demo/collections.json");
const REVIEWS: &str = include_str!("../demo/reviews.jsonl");
const TABS: &str = include_str!("../demo/playground.json");
const CURRENCY: &str = "GBP";
const CHUNK_BYTES: usize = 64 * 1024;
const ADJUSTMENTS_MAX: usize = 1_000;
const REVIEWS_MAX: usize = 250;

/// An account of the demo shop. Its password is no secret: personas exist in development only.
pub struct Persona {
    pub name: &'static str,
    pub email: &'static str,
    pub password: &'static str,
}

/// Somebody who buys.
pub const SHOPPER: Persona =
    Persona { name: "Ada Shopper", email: "shopper@shopmesh.example", password: "shopper-demo-pass" };
/// Somebody who works here, and may do everything.
pub const STAFF: Persona =
    Persona { name: "Sam Staff", email: "staff@shopmesh.example", password: "staff-demo-pass" };

/// Who can sign in, in one line.
pub fn personas() -> String {
    let said = |persona: &Persona| format!("{} / {}", persona.email, persona.password);
    format!("{}, {}", said(&SHOPPER), said(&STAFF))
}

/// The operations that stand ready in the playground.
pub fn tabs() -> Result<Vec<Tab>, Failure> {
    serde_json::from_str(TABS).map_err(|error| Failure::caused("demo/playground.json is malformed", &error))
}

/// Makes the accounts of the personas, where they are not there yet.
pub async fn make_personas(database: &Database, clock: &Clock) -> Result<(), Failure> {
    for (persona, role) in [(&SHOPPER, Role::Customer), (&STAFF, Role::Admin)] {
        let (given_name, family_name) = persona.name.split_once(' ').unwrap_or((persona.name, ""));
        let account = NewAccount {
            email: persona.email.to_owned(),
            password: persona.password.into(),
            name: (given_name.to_owned(), family_name.to_owned()),
            role,
            permissions: Vec::new(),
            verified: true,
        };
        match identity::create_account(database, clock, account).await {
            // An interrupted first start has made it already.
            Ok(_) | Err(CreateError::EmailTaken) => {}
            Err(error) => return Err(Failure::caused("a persona's account was not made", &error)),
        }
    }
    Ok(())
}

/// Puts everything in, on behalf of the staff persona. Run again after an interruption, it goes on where it was.
pub async fn fill(shop: &gateway::Upstreams) -> Result<(), Failure> {
    let request =
        LogInRequest { email: STAFF.email.to_owned(), password: STAFF.password.to_owned(), client: None };
    let answer = shop.identity.clone().log_in(request).await?.into_inner();
    let token = answer.tokens.map(|tokens| tokens.access_token).unwrap_or_default();
    let shop = Shop {
        catalogue: shop.catalogue.clone(),
        inventory: shop.inventory.clone(),
        pricing: shop.pricing.clone(),
        reviews: shop.reviews.clone(),
    };
    let context = Context { token: Some(token.into()), ..Context::default() };
    scope(context, shop.filling()).await
}

/// What the demo is put into.
struct Shop {
    catalogue: CatalogueServiceClient<Channel>,
    inventory: InventoryServiceClient<Channel>,
    pricing: PricingServiceClient<Channel>,
    reviews: ReviewsServiceClient<Channel>,
}

#[derive(Deserialize)]
struct Collection {
    handle: String,
    title: String,
    description: String,
    products: Vec<String>,
}

#[derive(Deserialize)]
struct Review {
    product: String,
    author: String,
    rating: i32,
    title: String,
    body: String,
    helpful: i64,
    days_ago: u64,
    verified: bool,
}

impl Shop {
    async fn filling(mut self) -> Result<(), Failure> {
        let adjustments = self.import_products().await?;
        println!("  products are in; counting stock of {} variants", adjustments.len());
        for some in adjustments.chunks(ADJUSTMENTS_MAX) {
            let request = AdjustStockRequest {
                adjustments: some.to_vec(),
                reason: "first delivery".to_owned(),
                request_id: Uuid::new_v4().to_string(),
            };
            self.inventory.adjust_stock(request).await?;
        }
        let products = self.handles().await?;
        self.make_collections(&products).await?;
        self.make_discounts().await?;
        println!("  collections and discount codes are in; importing reviews");
        self.import_reviews(&products).await
    }

    async fn import_products(&mut self) -> Result<Vec<StockAdjustment>, Failure> {
        let start = Part::Start(catalogue_pb::ImportStart {
            currency_code: CURRENCY.to_owned(),
            request_id: Uuid::new_v4().to_string(),
        });
        let chunks = PRODUCTS.as_bytes().chunks(CHUNK_BYTES).map(|chunk| Part::Chunk(chunk.to_vec()));
        let requests = std::iter::once(start)
            .chain(chunks)
            .map(|part| catalogue_pb::ImportProductsRequest { part: Some(part) });
        let mut told = self.catalogue.import_products(stream::iter(requests)).await?.into_inner();
        let mut adjustments = Vec::new();
        while let Some(message) = told.message().await? {
            match message.part {
                Some(Told::Quantity(quantity)) => adjustments.push(StockAdjustment {
                    sku: quantity.sku,
                    change: Some(Change::AvailableCount(quantity.quantity)),
                    ..Default::default()
                }),
                Some(Told::Error(error)) => tracing::warn!(
                    "line {} of the demo catalogue, {}: {}",
                    error.line,
                    error.handle,
                    error.message
                ),
                Some(Told::Progress(_)) | None => {}
            }
        }
        Ok(adjustments)
    }

    /// The ids of all products by handle.
    async fn handles(&mut self) -> Result<HashMap<String, String>, Failure> {
        let mut found = HashMap::new();
        let mut request = catalogue_pb::ListProductsRequest { page_size: 250, ..Default::default() };
        loop {
            let page = self.catalogue.list_products(request.clone()).await?.into_inner();
            found.extend(page.products.into_iter().map(|product| (product.handle, product.id)));
            if page.next_page_token.is_empty() {
                return Ok(found);
            }
            request.page_token = page.next_page_token;
        }
    }

    async fn make_collections(&mut self, products: &HashMap<String, String>) -> Result<(), Failure> {
        let collections: Vec<Collection> = serde_json::from_str(COLLECTIONS)
            .map_err(|error| Failure::caused("demo/collections.json is malformed", &error))?;
        for collection in collections {
            let ids = collection.products.iter().filter_map(|handle| products.get(handle).cloned());
            let request = catalogue_pb::CreateCollectionRequest {
                request_id: known("collection", &collection.handle),
                collection: Some(catalogue_pb::Collection {
                    product_ids: ids.collect(),
                    handle: collection.handle,
                    title: collection.title,
                    description: collection.description,
                    ..Default::default()
                }),
            };
            self.catalogue.create_collection(request).await?;
        }
        Ok(())
    }

    async fn make_discounts(&mut self) -> Result<(), Failure> {
        let minimum = Money { currency_code: CURRENCY.to_owned(), minor_units: 5_000 };
        let codes = [
            ("WELCOME10", Value::PercentPpm(100_000), None),
            ("FREESHIP", Value::FreeShipping(true), Some(minimum)),
        ];
        for (code, value, minimum) in codes {
            let discount = pricing_pb::Discount {
                code: code.to_owned(),
                value: Some(value),
                minimum,
                combinable: true,
                ..Default::default()
            };
            let request = pricing_pb::CreateDiscountRequest {
                discount: Some(discount),
                request_id: known("discount", code),
            };
            self.pricing.create_discount(request).await?;
        }
        Ok(())
    }

    async fn import_reviews(&mut self, products: &HashMap<String, String>) -> Result<(), Failure> {
        let now = Clock::system().now();
        let mut reviews = Vec::new();
        for (number, line) in REVIEWS.lines().enumerate() {
            let review: Review = serde_json::from_str(line)
                .map_err(|error| Failure::caused(format!("demo/reviews.jsonl:{}", number + 1), &error))?;
            let Some(product_id) = products.get(&review.product) else {
                continue;
            };
            let written = now - Duration::from_secs(review.days_ago * 24 * 60 * 60);
            reviews.push(ImportedReview {
                external_id: format!("demo-{}", number + 1),
                product_id: product_id.clone(),
                author_name: review.author,
                rating: review.rating,
                title: review.title,
                body: review.body,
                verified_purchase: review.verified,
                helpful_count: review.helpful,
                create_time: Some(kit::time::to_proto(written)),
            });
        }
        for some in reviews.chunks(REVIEWS_MAX) {
            let request =
                ImportReviewsRequest { reviews: some.to_vec(), request_id: Uuid::new_v4().to_string() };
            self.reviews.import_reviews(request).await?;
        }
        Ok(())
    }
}

/// The id of a request that is the same at every start, so that an interrupted first start can be repeated.
fn known(what: &str, name: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("shopmesh:demo:{what}:{name}").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use kit::testing::sqlite;
    use mesh::User;
    use mesh::testing::{self, TestServer};
    use proto::catalogue::{ListProductsRequest, Product};
    use proto::inventory::BatchGetStockRequest;
    use proto::reviews::BatchGetSummariesRequest;

    use super::*;

    /// So many products make lists of several pages, and a search that has something to choose from.
    const PRODUCTS_MIN: usize = 200;
    /// Some are new: nobody has said anything of them yet.
    const REVIEWED_MIN: usize = 190;
    const BATCH: usize = 250;

    /// The services that the demo is put into, empty.
    struct Servers {
        catalogue: TestServer,
        inventory: TestServer,
        pricing: TestServer,
        reviews: TestServer,
    }

    impl Servers {
        async fn start() -> Servers {
            let clock = Clock::system();
            let routes = catalogue::routes(sqlite::<catalogue::Migrator>().await, None, clock.clone());
            let catalogue = testing::serve(catalogue::NAME, routes);
            let shelf = CatalogueServiceClient::new(catalogue.upstream().channel(pricing::NAME));
            let routes = inventory::routes(sqlite::<inventory::Migrator>().await, clock.clone());
            let inventory = testing::serve(inventory::NAME, routes);
            let upstreams = pricing::Upstreams { catalogue: shelf };
            let routes = pricing::routes(sqlite::<pricing::Migrator>().await, upstreams, clock.clone());
            let pricing = testing::serve(pricing::NAME, routes);
            let routes = reviews::routes(sqlite::<reviews::Migrator>().await, clock);
            let reviews = testing::serve(reviews::NAME, routes);
            Servers { catalogue, inventory, pricing, reviews }
        }

        /// As somebody comes to them by the edge.
        fn shop(&self, user: Option<&User>) -> Shop {
            let channel = |server: &TestServer| server.channel_as(gateway::NAME, user.cloned());
            Shop {
                catalogue: CatalogueServiceClient::new(channel(&self.catalogue)),
                inventory: InventoryServiceClient::new(channel(&self.inventory)),
                pricing: PricingServiceClient::new(channel(&self.pricing)),
                reviews: ReviewsServiceClient::new(channel(&self.reviews)),
            }
        }
    }

    impl Shop {
        async fn products(&mut self) -> Vec<Product> {
            let mut products = Vec::new();
            let mut request = ListProductsRequest { page_size: 250, ..Default::default() };
            loop {
                let page = self.catalogue.list_products(request.clone()).await.unwrap().into_inner();
                products.extend(page.products);
                if page.next_page_token.is_empty() {
                    return products;
                }
                request.page_token = page.next_page_token;
            }
        }

        /// What can be had of each variant of these.
        async fn stock(&mut self, products: &[Product]) -> HashMap<String, i64> {
            let variants = products.iter().flat_map(|product| &product.variants);
            let skus: Vec<String> = variants.map(|variant| variant.sku.clone()).collect();
            let mut stock = HashMap::new();
            for skus in skus.chunks(BATCH) {
                let request = BatchGetStockRequest { skus: skus.to_vec() };
                let found = self.inventory.batch_get_stock(request).await.unwrap().into_inner().stock;
                stock.extend(found.into_iter().map(|row| (row.sku, row.available)));
            }
            stock
        }

        /// How many of these somebody has reviewed.
        async fn reviewed(&mut self, products: &[Product]) -> usize {
            let mut reviewed = 0;
            for products in products.chunks(BATCH) {
                let product_ids = products.iter().map(|product| product.id.clone()).collect();
                let request = BatchGetSummariesRequest { product_ids };
                let found = self.reviews.batch_get_summaries(request).await.unwrap().into_inner().summaries;
                reviewed += found.iter().filter(|summary| summary.review_count > 0).count();
            }
            reviewed
        }
    }

    #[tokio::test]
    async fn a_visitor_of_the_demo_finds_two_hundred_products_that_can_be_seen_bought_and_read_about() {
        let servers = Servers::start().await;
        let staff = User { role: Role::Admin, ..testing::customer() };
        servers.shop(Some(&staff)).filling().await.unwrap();

        let mut shop = servers.shop(None);
        let products = shop.products().await;
        let stock = shop.stock(&products).await;

        let priced = |product: &&Product| {
            let mut variants = product.variants.iter();
            !product.variants.is_empty() && variants.all(|variant| !variant.prices.is_empty())
        };
        let pictured =
            |product: &&Product| product.media.first().is_some_and(|picture| !picture.url.is_empty());
        let there = |product: &&Product| {
            let mut variants = product.variants.iter();
            variants.any(|variant| stock.get(&variant.sku).is_some_and(|available| *available > 0))
        };
        let whole = products.iter().filter(priced).filter(pictured).filter(there).count();
        assert!(whole >= PRODUCTS_MIN, "{whole} of {}", products.len());
        let reviewed = shop.reviewed(&products).await;
        assert!(reviewed >= REVIEWED_MIN, "{reviewed} of {}", products.len());
    }
}
