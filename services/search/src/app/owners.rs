//! What the owners say: products and categories from catalogue, stock from inventory, ratings from reviews.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kit::parse::BATCH_MAX;
use kit::{Money, Timestamp, time};
use proto::catalogue as pb;
use proto::inventory::BatchGetStockRequest;
use proto::reviews::BatchGetSummariesRequest;
use tonic::{Code, Response, Status};

use crate::Upstreams;
use crate::domain::{CategoryId, Product, ProductId, Rating, Sku, plain};
use crate::error::Error;

/// Products of one page of catalogue.
const PAGE_SIZE: i32 = 250;
/// Characters of a description that count.
const DESCRIPTION_LENGTH_MAX: usize = 2_000;
/// Pairs of option and value of one product that count.
const OPTIONS_MAX: usize = 500;
const CATEGORIES_PAGE_SIZE: i32 = 1_000;

/// A page of all active products.
pub struct Page {
    pub products: Vec<pb::Product>,
    pub next: String,
}

/// All categories: name and parent.
pub async fn categories(
    upstreams: &Upstreams,
) -> Result<HashMap<CategoryId, (String, Option<CategoryId>)>, Error> {
    let mut all = HashMap::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListCategoriesRequest { page_size: CATEGORIES_PAGE_SIZE, page_token };
        let answer = upstreams.catalogue.clone().list_categories(request).await;
        let page = said("catalogue", answer)?;
        for category in page.categories {
            if let Ok(id) = category.id.parse() {
                all.insert(id, (category.name, category.parent_id.parse().ok()));
            }
        }
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        page_token = page.next_page_token;
    }
}

/// One page of all active products, whole or only with their versions.
pub async fn page(upstreams: &Upstreams, page_token: String, whole: bool) -> Result<Page, Error> {
    let paths = if whole { Vec::new() } else { vec!["id".to_owned(), "version".to_owned()] };
    let request = pb::ListProductsRequest {
        page_size: PAGE_SIZE,
        page_token,
        read_mask: Some(prost_types::FieldMask { paths }),
        ..Default::default()
    };
    let page = said("catalogue", upstreams.catalogue.clone().list_products(request).await)?;
    Ok(Page { products: page.products, next: page.next_page_token })
}

/// Active products by id; those that are not there are not in the answer.
pub async fn products(upstreams: &Upstreams, ids: &[ProductId]) -> Result<Vec<pb::Product>, Error> {
    let mut found = Vec::new();
    let mut parts = vec![ids];
    while let Some(part) = parts.pop() {
        let product_ids = part.iter().map(ToString::to_string).collect();
        let request = pb::BatchGetProductsRequest { product_ids, read_mask: None };
        match upstreams.catalogue.clone().batch_get_products(request).await {
            Ok(answer) => found.extend(answer.into_inner().products),
            // Together they are more than one answer may hold.
            Err(status) if status.code() == Code::InvalidArgument && part.len() > 1 => {
                let (left, right) = part.split_at(part.len() / 2);
                parts.extend([left, right]);
            }
            Err(status) => return Err(failed("catalogue", status)),
        }
    }
    Ok(found)
}

/// Which of these SKUs can be bought.
pub async fn stock(upstreams: &Upstreams, skus: Vec<String>) -> Result<BTreeSet<String>, Error> {
    let mut available = BTreeSet::new();
    for skus in skus.chunks(BATCH_MAX) {
        let request = BatchGetStockRequest { skus: skus.to_vec() };
        let answer = said("inventory", upstreams.inventory.clone().batch_get_stock(request).await)?;
        let sellable = answer.stock.into_iter().filter(|stock| stock.available > 0);
        available.extend(sellable.map(|stock| stock.sku));
    }
    Ok(available)
}

/// The ratings of products; those without reviews may be left out.
pub async fn ratings(upstreams: &Upstreams, ids: &[ProductId]) -> Result<HashMap<ProductId, Rating>, Error> {
    let mut ratings = HashMap::new();
    for ids in ids.chunks(BATCH_MAX) {
        let product_ids = ids.iter().map(ToString::to_string).collect();
        let request = BatchGetSummariesRequest { product_ids };
        let answer = said("reviews", upstreams.reviews.clone().batch_get_summaries(request).await)?;
        for summary in answer.summaries {
            if let Ok(id) = summary.product_id.parse() {
                ratings.insert(id, Rating { count: summary.review_count, sum: summary.rating_sum });
            }
        }
    }
    Ok(ratings)
}

/// A product with its stock and its rating; nothing where its id is none.
pub fn product(
    wire: pb::Product,
    available: &BTreeSet<String>,
    ratings: &HashMap<ProductId, Rating>,
) -> Option<Product> {
    let id = wire.id.parse().ok()?;
    let published = wire.publish_time.as_ref().or(wire.create_time.as_ref()).and_then(time::from_proto);
    let sku =
        |variant: &pb::Variant| Sku { available: available.contains(&variant.sku), sku: variant.sku.clone() };
    Some(Product {
        id,
        version: wire.version,
        description: plain(&wire.description, DESCRIPTION_LENGTH_MAX),
        category: wire.category_id.parse().ok(),
        options: options(&wire),
        skus: wire.variants.iter().map(sku).collect(),
        prices: lowest_prices(&wire),
        rating: ratings.get(&id).copied().unwrap_or_default(),
        published: published.unwrap_or(Timestamp::UNIX_EPOCH),
        title: wire.title,
        vendor: wire.vendor,
        product_type: wire.product_type,
        tags: wire.tags,
    })
}

/// What variants can be chosen by; a product without a choice has none.
fn options(wire: &pb::Product) -> Vec<(String, String)> {
    let pairs = wire.variants.iter().flat_map(|variant| wire.options.iter().zip(&variant.option_values));
    let pairs = pairs.map(|(option, value)| (option.name.clone(), value.clone()));
    let unique: BTreeSet<(String, String)> = pairs.collect();
    unique.into_iter().take(OPTIONS_MAX).collect()
}

fn lowest_prices(wire: &pb::Product) -> BTreeMap<kit::Currency, i64> {
    let mut lowest = BTreeMap::new();
    let amounts = wire.variants.iter().flat_map(|variant| &variant.prices).filter_map(|price| {
        let amount = price.amount.as_ref()?;
        Money::try_from(amount).ok()
    });
    for amount in amounts {
        let known = lowest.entry(amount.currency()).or_insert(amount.minor_units());
        *known = amount.minor_units().min(*known);
    }
    lowest
}

fn said<T>(service: &'static str, answer: Result<Response<T>, Status>) -> Result<T, Error> {
    answer.map(Response::into_inner).map_err(|status| failed(service, status))
}

fn failed(service: &'static str, status: Status) -> Error {
    Error::Upstream { service, source: Box::new(status) }
}
