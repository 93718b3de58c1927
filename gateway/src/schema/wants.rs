//! How products, and variants asked for by themselves, come by what other services know of them: one call of each
//! service for a whole page, side by side.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, InputType, Value};
use proto::{catalogue as pb, inventory, reviews};
use tonic::{Response, Status};

use crate::context;
use crate::error::{complain, soften};
use crate::limits::REVIEWS_EACH_MAX;
use crate::schema::category::Category;
use crate::schema::choice::ReviewSortKey;
use crate::schema::look::Look;
use crate::schema::product::{Availability, Product, availability};
use crate::schema::recommendation::{self, Wanted};
use crate::schema::review::sort_of;
use crate::schema::variant::Variant;

/// The most SKUs that inventory takes in one call.
const STOCK_BATCH_MAX: usize = 1_500;
const VARIANT_STOCK: [&str; 3] = ["availableForSale", "currentlyNotInStock", "quantityAvailable"];

/// What of a product is asked for beyond what the catalogue knows, and which of the catalogue's own fields.
#[derive(Default)]
pub(crate) struct Wants {
    mask: Vec<&'static str>,
    rating: bool,
    reviews: Vec<(ReviewSortKey, i32)>,
    stock: bool,
    category: bool,
    tree: bool,
    together: Option<Box<Wanted>>,
    recommended: bool,
}

impl Wants {
    pub(crate) fn of(product: &Look<'_>) -> Self {
        Self::below(product, false)
    }

    /// Of a product that is recommended, whose own recommendations are not offered: each level would multiply the last.
    pub(crate) fn of_recommended(product: &Look<'_>) -> Self {
        let mut wants = Self::below(product, true);
        // Whatever is shown of it, it is shown only while it is offered.
        wants.add_paths(&["status"]);
        wants
    }

    fn below(product: &Look<'_>, recommended: bool) -> Self {
        let variants = product
            .below("variants")
            .items()
            .and(product.below("variantBySelectedOptions"))
            .and(product.below("selectedOrFirstAvailableVariant"));
        let category = product.below("category");
        let mut wants = Self {
            rating: product.has("rating"),
            reviews: reviews_of(&product.below("reviews")),
            stock: product.has_any(&["availableForSale", "selectedOrFirstAvailableVariant"])
                || variants.has_any(&VARIANT_STOCK),
            category: category.exists(),
            tree: category.has_any(&["parent", "children", "ancestors"]),
            together: match recommended {
                true => None,
                false => Wanted::of(&product.below("boughtTogether")).map(Box::new),
            },
            recommended,
            mask: Vec::new(),
        };
        wants.add_mask(product);
        // A variant may show its product again.
        let again = variants.below("product");
        if again.exists() {
            wants.join(Self::below(&again, recommended));
        }
        wants
    }

    fn add_mask(&mut self, product: &Look<'_>) {
        for name in product.names() {
            self.add_paths(paths_of(name));
        }
    }

    fn add_paths(&mut self, paths: &[&'static str]) {
        for path in paths {
            if !self.mask.contains(path) {
                self.mask.push(path);
            }
        }
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.rating |= other.rating;
        self.stock |= other.stock;
        self.category |= other.category;
        self.tree |= other.tree;
        for (sort, first) in other.reviews {
            want_reviews(&mut self.reviews, sort, first);
        }
        match (&mut self.together, other.together) {
            (Some(together), Some(more)) => together.join(*more),
            (together, more) => *together = together.take().or(more),
        }
        self.add_paths(&other.mask);
    }

    /// The catalogue's fields that the selection needs. An empty mask would mean all of them.
    pub(crate) fn read_mask(&self) -> prost_types::FieldMask {
        let paths = self.mask.iter().map(|path| (*path).to_owned());
        let id = std::iter::once("id".to_owned());
        prost_types::FieldMask { paths: id.chain(paths).collect() }
    }
}

/// The fields of the message that a field of the schema reads.
fn paths_of(field: &str) -> &'static [&'static str] {
    match field {
        "handle" => &["handle"],
        "title" => &["title"],
        "description" => &["description"],
        "vendor" => &["vendor"],
        "productType" => &["product_type"],
        "tags" => &["tags"],
        "status" => &["status"],
        "seo" => &["seo"],
        "options" => &["options"],
        "featuredImage" | "images" => &["media"],
        "category" => &["category_id"],
        "variants" | "variantBySelectedOptions" | "selectedOrFirstAvailableVariant" => {
            &["variants", "options", "media", "title", "status"]
        }
        "priceRange" => &["variants"],
        "availableForSale" => &["variants", "status"],
        "createdAt" => &["create_time"],
        "updatedAt" => &["update_time"],
        "publishedAt" => &["publish_time"],
        "etag" => &["etag"],
        _ => &[],
    }
}

fn reviews_of(look: &Look<'_>) -> Vec<(ReviewSortKey, i32)> {
    let mut wanted = Vec::new();
    for place in look.each() {
        let argument = |name| place.arguments(name).into_iter().flatten().next();
        let first = argument("first").and_then(|value| i32::parse(Some(value)).ok());
        let sort = argument("sortKey").and_then(|value| ReviewSortKey::parse(Some(value)).ok());
        let first = first.unwrap_or(3);
        let continued = argument("after").is_some_and(|value| value != Value::Null);
        if !continued && first <= REVIEWS_EACH_MAX {
            want_reviews(&mut wanted, sort.unwrap_or(ReviewSortKey::Helpful), first.max(1));
        }
    }
    wanted
}

fn want_reviews(wanted: &mut Vec<(ReviewSortKey, i32)>, sort: ReviewSortKey, first: i32) {
    match wanted.iter_mut().find(|(known, _)| *known == sort) {
        Some((_, most)) => *most = (*most).max(first),
        None => wanted.push((sort, first)),
    }
}

/// Products with all that was asked for, in their order. A service that fails leaves its part out, with one error.
pub(crate) async fn products(
    ctx: &Context<'_>,
    wires: Vec<pb::Product>,
    wants: &Wants,
    listed: bool,
) -> Vec<Product> {
    if wires.is_empty() {
        return Vec::new();
    }
    let ids: Vec<String> = wires.iter().map(|product| product.id.clone()).collect();
    let skus = || {
        let variants = wires.iter().flat_map(|product| &product.variants);
        variants.map(|variant| variant.sku.clone()).collect()
    };
    let (ratings, reviewed, stock, categories, mut together) = futures::join!(
        ratings(ctx, wants.rating, &ids),
        reviews_each(ctx, &wants.reviews, &ids),
        async {
            match wants.stock {
                true => stock(ctx, skus()).await,
                false => None,
            }
        },
        categories(ctx, wants, &wires),
        recommendation::with_each(ctx, wants.together.as_deref(), &ids),
    );
    let mut ratings = ratings.into_iter();
    let mut reviewed: Vec<_> = reviewed.into_iter().map(|(sort, pages)| (sort, pages.into_iter())).collect();
    let complete = |wire: pb::Product| Product {
        rating: ratings.next().filter(|rating| rating.product_id == wire.id),
        reviews: reviewed
            .iter_mut()
            .filter_map(|(sort, pages)| Some((*sort, pages.next()?)))
            .filter(|(_, page)| page.product_id == wire.id)
            .collect(),
        stock: stock.clone(),
        category: Category::find(&categories, &wire.category_id),
        together: together.remove(&wire.id),
        listed,
        recommended: wants.recommended,
        wire,
    };
    wires.into_iter().map(complete).collect()
}

async fn ratings(ctx: &Context<'_>, wanted: bool, ids: &[String]) -> Vec<reviews::Summary> {
    if !wanted {
        return Vec::new();
    }
    let request = reviews::BatchGetSummariesRequest { product_ids: ids.to_vec() };
    let answer = context::reviews(ctx).batch_get_summaries(request).await;
    soften(ctx, "reviews", answer).map_or(Vec::new(), |page| page.summaries)
}

async fn reviews_each(
    ctx: &Context<'_>,
    wanted: &[(ReviewSortKey, i32)],
    ids: &[String],
) -> Vec<(ReviewSortKey, Vec<reviews::ProductReviews>)> {
    let ask = |(sort, first): (ReviewSortKey, i32)| async move {
        let request = reviews::BatchListReviewsRequest {
            product_ids: ids.to_vec(),
            reviews_each: first,
            sort: sort_of(sort).into(),
        };
        let answer = context::reviews(ctx).batch_list_reviews(request).await;
        Some((sort, soften(ctx, "reviews", answer)?.products))
    };
    let answers = futures::future::join_all(wanted.iter().copied().map(ask)).await;
    answers.into_iter().flatten().collect()
}

/// What is available of each SKU: one call up to 1,500 of them.
pub(crate) async fn stock(ctx: &Context<'_>, skus: Vec<String>) -> Availability {
    if skus.is_empty() {
        return availability(Some(inventory::BatchGetStockResponse::default()));
    }
    let ask = |skus: &[String]| {
        let skus = skus.to_vec();
        let mut client = context::inventory(ctx);
        async move { client.batch_get_stock(inventory::BatchGetStockRequest { skus }).await }
    };
    let answers = futures::future::join_all(skus.chunks(STOCK_BATCH_MAX).map(ask)).await;
    let mut whole = inventory::BatchGetStockResponse::default();
    let merged: Result<(), Status> = answers.into_iter().try_for_each(|answer| {
        whole.stock.extend(answer?.into_inner().stock);
        Ok(())
    });
    availability(soften(ctx, "inventory", merged.map(|()| Response::new(whole))))
}

async fn categories(ctx: &Context<'_>, wants: &Wants, products: &[pb::Product]) -> Arc<Vec<pb::Category>> {
    let mut ids: Vec<String> = products.iter().map(|product| product.category_id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.retain(|id| !id.is_empty());
    if !wants.category || ids.is_empty() {
        return Arc::default();
    }
    if wants.tree {
        return super::category::tree(ctx).await.unwrap_or_else(|fault| {
            complain(ctx, fault);
            Arc::default()
        });
    }
    let request = pb::BatchGetCategoriesRequest { category_ids: ids };
    let answer = context::catalogue(ctx).batch_get_categories(request).await;
    Arc::new(soften(ctx, "catalogue", answer).map_or(Vec::new(), |page| page.categories))
}

/// Products by id, with what the look asks for; the unknown are left out.
pub(crate) async fn products_by_id(
    ctx: &Context<'_>,
    product_ids: Vec<String>,
    look: &Look<'_>,
) -> Result<Vec<Product>, Status> {
    if product_ids.is_empty() {
        return Ok(Vec::new());
    }
    let wants = Wants::of(look);
    let request = pb::BatchGetProductsRequest { product_ids, read_mask: Some(wants.read_mask()) };
    let page = context::catalogue(ctx).batch_get_products(request).await?.into_inner();
    Ok(products(ctx, page.products, &wants, true).await)
}

/// Variants by id for lines of carts and orders: one call for the variants, and one more of each service whose part of
/// them is asked for.
pub(crate) async fn variants_by_id(
    ctx: &Context<'_>,
    ids: Vec<String>,
    look: &Look<'_>,
) -> Option<HashMap<String, Arc<Variant<'static>>>> {
    if !look.exists() || ids.is_empty() {
        return Some(HashMap::new());
    }
    let keys = ids.into_iter().map(|id| pb::VariantKey { key: Some(pb::variant_key::Key::VariantId(id)) });
    let request = pb::BatchGetVariantsRequest { keys: keys.collect() };
    let answer = context::catalogue(ctx).batch_get_variants(request).await;
    let found = soften(ctx, "catalogue", answer)?.variants;
    let product = look.below("product").and(options_of(look));
    let (products, stock) = futures::join!(products_of(ctx, &found, &product), async {
        let skus = found.iter().filter_map(|summary| summary.variant.as_ref());
        let skus = skus.map(|variant| variant.sku.clone()).collect();
        match look.has_any(&VARIANT_STOCK) {
            true => stock(ctx, skus).await,
            false => None,
        }
    },);
    let alone = |summary: pb::VariantSummary| {
        let id = summary.variant.as_ref()?.id.clone();
        let product = products.get(&summary.product_id).cloned();
        Some((id, Arc::new(Variant::alone(summary, product, stock.clone())?)))
    };
    Some(found.into_iter().filter_map(alone).collect())
}

/// The names of options belong to the product, so selecting them asks for it.
fn options_of<'a>(look: &Look<'a>) -> Look<'a> {
    look.below("selectedOptions")
}

async fn products_of(
    ctx: &Context<'_>,
    variants: &[pb::VariantSummary],
    look: &Look<'_>,
) -> HashMap<String, Arc<Product>> {
    if !look.exists() {
        return HashMap::new();
    }
    let mut ids: Vec<String> = variants.iter().map(|summary| summary.product_id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut wants = Wants::of(look);
    wants.join(Wants { mask: vec!["options", "title", "status", "media"], ..Wants::default() });
    let request = pb::BatchGetProductsRequest { product_ids: ids, read_mask: Some(wants.read_mask()) };
    let answer = context::catalogue(ctx).batch_get_products(request).await;
    let Some(page) = soften(ctx, "catalogue", answer) else {
        return HashMap::new();
    };
    let products = products(ctx, page.products, &wants, true).await;
    let keyed = products.into_iter().map(|product| (product.wire.id.clone(), Arc::new(product)));
    keyed.collect()
}
