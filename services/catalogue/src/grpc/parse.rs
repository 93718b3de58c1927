//! Requests about products as values. Only here input is invalid.

use std::collections::HashMap;

use kit::parse::{BATCH_MAX, Fields, Violation};
use kit::{Id, Page, PageLimits};
use mesh::status::Problem;
use proto::catalogue as pb;
use tonic::Status;

use super::mask::{Field, Mask};
use crate::domain::{
    Choice, Filter, Listing, MEDIA_MAX, Media, MediaId, OPTIONS_MAX, Patch, Price, ProductId, ProductKey,
    Seo, Sort, State, TAGS_MAX, VARIANTS_MAX, Variant, VariantKey,
};

/// Ids of one batch.
const PAGE: PageLimits = PageLimits { default: 20, max: 250 };
const QUERY_LENGTH_MAX: usize = 200;
const QUERY_WORDS_MAX: usize = 16;
/// Vendors, types and handles of one filter.
const FILTER_VALUES_MAX: usize = 250;
const FILTER_TAGS_MAX: usize = 20;
const KEY_LENGTH_MAX: usize = 255;
const TAX_CLASS_STANDARD: &str = "standard";

/// What is wrong with a request, as it travels.
pub(super) fn invalid(violations: Vec<Violation>) -> Status {
    Problem::invalid(violations).status()
}

/// What names one product, and which fields of it are wanted.
pub(super) fn get_product(message: pb::GetProductRequest) -> Result<(ProductKey, Mask), Vec<Violation>> {
    use pb::get_product_request::Key;
    let mut fields = Fields::new();
    let mask = Mask::to_read(&mut fields, message.read_mask.as_ref());
    let key = match message.key {
        Some(Key::ProductId(id)) => fields.id("product_id", &id).map(ProductKey::Id),
        Some(Key::Handle(handle)) => {
            fields.text("handle", &handle, 1..=KEY_LENGTH_MAX).map(ProductKey::Handle)
        }
        None => fields.present("key", None),
    };
    fields.build(|| Some((key?, mask?)))
}

/// Ids of a batch.
pub(super) fn ids<T>(fields: &mut Fields, field: &str, ids: &[String]) -> Option<Vec<Id<T>>> {
    fields.count(field, ids.len(), 0..=BATCH_MAX)?;
    let mut parsed = Vec::with_capacity(ids.len());
    for (number, id) in ids.iter().enumerate() {
        match id.parse() {
            Ok(id) => parsed.push(id),
            Err(error) => fields.refuse(&format!("{field}[{number}]"), format!("{error}")),
        }
    }
    Some(parsed)
}

/// The ids of a batch of products, and which fields are wanted.
pub(super) fn batch_get_products(
    message: pb::BatchGetProductsRequest,
) -> Result<(Vec<ProductId>, Mask), Vec<Violation>> {
    let mut fields = Fields::new();
    let mask = Mask::to_read(&mut fields, message.read_mask.as_ref());
    let ids = ids(&mut fields, "product_ids", &message.product_ids);
    fields.build(|| Some((ids?, mask?)))
}

/// What names the variants of a batch.
pub(super) fn batch_get_variants(
    message: pb::BatchGetVariantsRequest,
) -> Result<Vec<VariantKey>, Vec<Violation>> {
    use pb::variant_key::Key;
    let mut fields = Fields::new();
    let count = fields.count("keys", message.keys.len(), 0..=BATCH_MAX);
    let mut keys = Vec::with_capacity(message.keys.len().min(BATCH_MAX));
    for (number, key) in message.keys.into_iter().enumerate().take(BATCH_MAX) {
        fields.within(format_args!("keys[{number}]"), |fields| {
            let key = match key.key {
                Some(Key::VariantId(id)) => fields.id("variant_id", &id).map(VariantKey::Id),
                Some(Key::Sku(sku)) => fields.text("sku", &sku, 1..=KEY_LENGTH_MAX).map(VariantKey::Sku),
                None => fields.present("key", None),
            };
            keys.extend(key);
        });
    }
    fields.build(|| count.map(|_| keys))
}

/// A list of products as it was asked for.
pub(super) fn list_products(mut message: pb::ListProductsRequest) -> Result<(Listing, Mask), Status> {
    let (size, token) = (message.page_size, std::mem::take(&mut message.page_token));
    message.page_size = 0;
    // What is read of each product, and whether all are counted, may differ from page to page: the list is the same.
    let (read_mask, counted) = (message.read_mask.take(), std::mem::take(&mut message.with_total_size));
    let page = Page::parse(size, &token, &message, PAGE).map_err(Problem::from)?;

    let mut fields = Fields::new();
    let mask = Mask::to_read(&mut fields, read_mask.as_ref());
    let filter = filter(&mut fields, message.filter.unwrap_or_default());
    let sort = match pb::ProductSort::try_from(message.sort) {
        Ok(pb::ProductSort::Unspecified) => Some(Sort::Listed),
        Ok(pb::ProductSort::Title) => Some(Sort::Title),
        Ok(pb::ProductSort::Created) => Some(Sort::Created),
        Ok(pb::ProductSort::Price) => {
            let limit = filter.as_ref().and_then(|f| f.price_min.or(f.price_max));
            Some(Sort::Price(limit.map(|limit| limit.currency())))
        }
        Ok(pb::ProductSort::Collection) => {
            let collection = filter.as_ref().and_then(|filter| filter.collection);
            if collection.is_none() {
                fields.refuse("sort", "needs filter.collection_id");
            }
            collection.map(Sort::Collection)
        }
        Err(_) => {
            fields.refuse("sort", "is not a known value");
            None
        }
    };
    let reverse = message.descending;
    let build = || {
        let mask = mask?;
        let listing = Listing { filter: filter?, sort: sort?, reverse, parts: mask.parts(), page, counted };
        Some((listing, mask))
    };
    fields.build(build).map_err(invalid)
}

fn filter(fields: &mut Fields, filter: pb::ProductFilter) -> Option<Filter> {
    fields.within("filter", |fields| {
        let query = fields.text("query", &filter.query, 0..=QUERY_LENGTH_MAX)?;
        let words: Vec<String> = query.to_lowercase().split_whitespace().map(str::to_owned).collect();
        fields.count("query", words.len(), 0..=QUERY_WORDS_MAX);
        let category = optional_id(fields, "category_id", &filter.category_id);
        let collection = optional_id(fields, "collection_id", &filter.collection_id);
        for (field, values, max) in [
            ("vendors", &filter.vendors, FILTER_VALUES_MAX),
            ("product_types", &filter.product_types, FILTER_VALUES_MAX),
            ("handles", &filter.handles, FILTER_VALUES_MAX),
            ("tags", &filter.tags, FILTER_TAGS_MAX),
        ] {
            texts(fields, field, values, max);
        }
        let mut limit = |field, value: Option<&_>| value.map(|value| fields.money(field, Some(value)));
        let price_min = limit("price_min", filter.price_min.as_ref());
        let price_max = limit("price_max", filter.price_max.as_ref());
        if let (Some(Some(min)), Some(Some(max))) = (price_min, price_max)
            && min.currency() != max.currency()
        {
            fields.refuse("price_max", "must be in the currency of price_min");
        }
        let state = match filter.status {
            0 => Some(None),
            status => state(fields, "status", status).map(Some),
        };
        Some(Filter {
            words,
            category: category?,
            collection: collection?,
            vendors: filter.vendors,
            product_types: filter.product_types,
            tags: filter.tags,
            price_min: flat(price_min)?,
            price_max: flat(price_max)?,
            state: state?,
            handles: filter.handles,
        })
    })
}

/// A field that may be absent, but not wrong.
fn flat<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(None) => None,
        Some(Some(value)) => Some(Some(value)),
    }
}

fn texts(fields: &mut Fields, field: &str, values: &[String], max: usize) {
    fields.count(field, values.len(), 0..=max);
    let fits = |value: &String| value.chars().count() <= KEY_LENGTH_MAX && !value.contains('\0');
    if !values.iter().all(fits) {
        fields.refuse(field, "must each have at most 255 characters");
    }
}

/// An id, or nothing when the field is empty.
pub(super) fn optional_id<T>(fields: &mut Fields, field: &str, id: &str) -> Option<Option<Id<T>>> {
    match id {
        "" => Some(None),
        id => fields.id(field, id).map(Some),
    }
}

fn state(fields: &mut Fields, field: &str, status: i32) -> Option<State> {
    let status = fields.choice::<pb::ProductStatus>(field, status)?;
    match status {
        pb::ProductStatus::Draft => Some(State::Draft),
        pb::ProductStatus::Active => Some(State::Active),
        pb::ProductStatus::Archived => Some(State::Archived),
        pb::ProductStatus::Unspecified => fields.present(field, None),
    }
}

/// The fields of a product that the mask names, as staff wrote them.
pub(super) fn patch(fields: &mut Fields, product: Option<pb::Product>, mask: Mask) -> Option<Patch> {
    let product = fields.present("product", product)?;
    fields.within("product", |fields| {
        let text = |field, value: &str| mask.has(field).then(|| value.trim().to_owned());
        let mut patch = Patch {
            handle: text(Field::Handle, &product.handle),
            title: text(Field::Title, &product.title),
            vendor: text(Field::Vendor, &product.vendor),
            product_type: text(Field::ProductType, &product.product_type),
            ..Patch::default()
        };
        if mask.has(Field::Description) {
            // As it was written, spaces included.
            patch.description = Some(product.description);
        }
        if mask.has(Field::Tags) {
            fields.count("tags", product.tags.len(), 0..=TAGS_MAX);
            let tags = product.tags.iter().take(TAGS_MAX + 1);
            patch.tags = Some(tags.map(|tag| tag.trim().to_owned()).collect());
        }
        if mask.has(Field::CategoryId) {
            patch.category = optional_id(fields, "category_id", &product.category_id);
        }
        if mask.has(Field::Status) {
            patch.state = match product.status {
                // A new product may leave it out; a change that names the status must say which.
                0 if mask == Mask::ALL => Some(State::Draft),
                status => state(fields, "status", status),
            };
        }
        if mask.has(Field::Seo) {
            let seo = product.seo.unwrap_or_default();
            patch.seo = Some(Seo {
                title: seo.title.trim().to_owned(),
                description: seo.description.trim().to_owned(),
            });
        }
        if mask.has(Field::Options) {
            fields.count("options", product.options.len(), 0..=OPTIONS_MAX);
            patch.options = Some(product.options.into_iter().map(choice).collect());
        }
        let mut called = HashMap::new();
        if mask.has(Field::Media) {
            patch.media = Some(media(fields, product.media, &mut called));
        }
        if mask.has(Field::Variants) {
            let called = patch.media.is_some().then_some(&called);
            patch.variants = Some(variants(fields, product.variants, called));
        }
        Some(patch)
    })
}

fn choice(option: pb::Option) -> Choice {
    Choice {
        name: option.name.trim().to_owned(),
        values: option.values.iter().take(VARIANTS_MAX + 1).map(|value| value.trim().to_owned()).collect(),
    }
}

/// Pictures; `called` learns what the request calls them, which need not be an id.
fn media(fields: &mut Fields, media: Vec<pb::Media>, called: &mut HashMap<String, MediaId>) -> Vec<Media> {
    fields.count("media", media.len(), 0..=MEDIA_MAX);
    let mut parsed = Vec::new();
    for (number, one) in media.into_iter().take(MEDIA_MAX).enumerate() {
        if pb::MediaKind::try_from(one.kind).is_err() {
            fields.refuse(&format!("media[{number}].kind"), "is not a known value");
        }
        let id = one.id.parse().unwrap_or_else(|_| Id::new());
        if !one.id.is_empty() && called.insert(one.id, id).is_some() {
            fields.refuse(&format!("media[{number}].id"), "is that of another picture");
        }
        parsed.push(Media { id, url: one.url.trim().to_owned(), alt_text: one.alt_text.trim().to_owned() });
    }
    parsed
}

fn variants(
    fields: &mut Fields,
    variants: Vec<pb::Variant>,
    called: Option<&HashMap<String, MediaId>>,
) -> Vec<Variant> {
    fields.count("variants", variants.len(), 1..=VARIANTS_MAX);
    let mut parsed = Vec::new();
    for (number, one) in variants.into_iter().take(VARIANTS_MAX).enumerate() {
        let variant =
            fields.within(format_args!("variants[{number}]"), |fields| variant(fields, one, called));
        parsed.extend(variant);
    }
    parsed
}

fn variant(
    fields: &mut Fields,
    variant: pb::Variant,
    called: Option<&HashMap<String, MediaId>>,
) -> Option<Variant> {
    let media = match (variant.media_id.as_str(), called) {
        ("", _) => Some(None),
        (id, Some(called)) => {
            let known = called.get(id).copied();
            if known.is_none() {
                fields.refuse("media_id", "names no picture of the product");
            }
            known.map(Some)
        }
        (id, None) => fields.id("media_id", id).map(Some),
    };
    let mut prices = Vec::with_capacity(variant.prices.len());
    for (number, price) in variant.prices.iter().enumerate() {
        let price = fields.within(format_args!("prices[{number}]"), |fields| {
            let amount = fields.money("amount", price.amount.as_ref());
            let before = price.compare_at.as_ref();
            let before = before.map(|before| fields.money("compare_at", Some(before)));
            Some(Price { amount: amount?, compare_at: flat(before)? })
        });
        prices.extend(price);
    }
    let tax_class = match variant.tax_class.trim() {
        "" => TAX_CLASS_STANDARD,
        class => class,
    };
    Some(Variant {
        id: Id::new(),
        sku: variant.sku.trim().to_owned(),
        option_values: variant.option_values.iter().map(|value| value.trim().to_owned()).collect(),
        prices,
        weight_grams: variant.weight_grams,
        barcode: variant.barcode.trim().to_owned(),
        tax_class: tax_class.to_owned(),
        media: media?,
        requires_shipping: variant.requires_shipping,
    })
}
