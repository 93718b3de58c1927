//! What is found, as the contract writes it.

use kit::time::to_proto;
use proto::catalogue as pb;

use super::mask::{Field, Mask};
use crate::app::{Offer, Progress, Said};
use crate::domain::{Category, Collection, Media, Price, Product, ProductId, Variant};

/// The fields of a product that the mask names.
pub(super) fn product(product: Product, mask: Mask) -> pb::Product {
    let id = product.id;
    let (created, updated, published) = (product.created, product.updated, product.published);
    let content = product.content;
    let mut out = pb::Product { id: id.to_string(), ..Default::default() };
    let text = |field, value: String| match mask.has(field) {
        true => value,
        false => String::new(),
    };
    out.handle = text(Field::Handle, content.handle);
    out.title = text(Field::Title, content.title);
    out.description = content.description;
    out.vendor = text(Field::Vendor, content.vendor);
    out.product_type = text(Field::ProductType, content.product_type);
    out.tags = content.tags;
    if mask.has(Field::CategoryId) {
        out.category_id = content.category.map(|id| id.to_string()).unwrap_or_default();
    }
    if mask.has(Field::Status) {
        out.status = pb::ProductStatus::from(content.state).into();
    }
    if mask.has(Field::Seo) {
        out.seo = Some(pb::Seo { title: content.seo.title, description: content.seo.description });
    }
    out.options = content
        .options
        .into_iter()
        .map(|choice| pb::Option { name: choice.name, values: choice.values })
        .collect();
    out.variants =
        content.variants.into_iter().enumerate().map(|(place, one)| variant(one, id, place + 1)).collect();
    out.media = content.media.into_iter().enumerate().map(|(place, one)| media(one, place + 1)).collect();
    if mask.has(Field::CreateTime) {
        out.create_time = Some(to_proto(created));
    }
    if mask.has(Field::UpdateTime) {
        out.update_time = Some(to_proto(updated));
    }
    if mask.has(Field::PublishTime) {
        out.publish_time = published.map(to_proto);
    }
    if mask.has(Field::Etag) {
        out.etag = product.version.to_string();
    }
    if mask.has(Field::Version) {
        out.version = product.version;
    }
    out
}

fn variant(variant: Variant, product: ProductId, position: usize) -> pb::Variant {
    pb::Variant {
        id: variant.id.to_string(),
        product_id: product.to_string(),
        title: variant.title(),
        sku: variant.sku,
        option_values: variant.option_values,
        prices: variant.prices.into_iter().map(price).collect(),
        weight_grams: variant.weight_grams,
        barcode: variant.barcode,
        tax_class: variant.tax_class,
        position: i32::try_from(position).unwrap_or(i32::MAX),
        media_id: variant.media.map(|id| id.to_string()).unwrap_or_default(),
        requires_shipping: variant.requires_shipping,
    }
}

fn price(price: Price) -> pb::Price {
    pb::Price { amount: Some(price.amount.into()), compare_at: price.compare_at.map(Into::into) }
}

fn media(media: Media, position: usize) -> pb::Media {
    pb::Media {
        id: media.id.to_string(),
        kind: pb::MediaKind::Image.into(),
        url: media.url,
        alt_text: media.alt_text,
        position: i32::try_from(position).unwrap_or(i32::MAX),
    }
}

/// A variant and what a cart's line shows of its product.
pub(super) fn offer(offer: Offer) -> pb::VariantSummary {
    let product = &offer.product;
    let content = &product.content;
    let own = offer.variant.media;
    let picture = content.media.iter().find(|media| Some(media.id) == own).or_else(|| content.media.first());
    pb::VariantSummary {
        product_id: product.id.to_string(),
        product_title: content.title.clone(),
        product_handle: content.handle.clone(),
        product_status: pb::ProductStatus::from(content.state).into(),
        image_url: picture.map(|media| media.url.clone()).unwrap_or_default(),
        vendor: content.vendor.clone(),
        product_type: content.product_type.clone(),
        category_id: content.category.map(|id| id.to_string()).unwrap_or_default(),
        variant: Some(variant(offer.variant, product.id, offer.position)),
    }
}

pub(super) fn category(category: Category) -> pb::Category {
    pb::Category {
        id: category.id.to_string(),
        parent_id: category.parent.map(|id| id.to_string()).unwrap_or_default(),
        slug: category.slug,
        name: category.name,
        position: category.position,
        path: category.path,
    }
}

/// The fields of a collection, in the order of [`COLLECTION_FIELDS`].
pub(super) fn collection(collection: Collection, mask: CollectionMask) -> pb::Collection {
    let [_, handle, title, description, _, update_time, etag] = mask;
    let text = |wanted, value: String| if wanted { value } else { String::new() };
    pb::Collection {
        id: collection.id.to_string(),
        handle: text(handle, collection.handle),
        title: text(title, collection.title),
        description: text(description, collection.description),
        product_ids: collection.products.iter().map(ToString::to_string).collect(),
        update_time: update_time.then(|| to_proto(collection.updated)),
        etag: text(etag, collection.version.to_string()),
    }
}

/// The fields of a collection that may be read.
pub(super) const COLLECTION_FIELDS: [&str; 7] =
    ["id", "handle", "title", "description", "product_ids", "update_time", "etag"];
/// Where the products stand among them.
pub(super) const COLLECTION_PRODUCTS: usize = 4;

/// Which of them are wanted.
pub(super) type CollectionMask = [bool; COLLECTION_FIELDS.len()];

/// What an import says.
pub(super) fn said(said: Said) -> pb::ImportProductsResponse {
    use pb::import_products_response::Part;
    let part = match said {
        Said::Progress(progress) => Part::Progress(self::progress(progress, false)),
        Said::Note(note) => Part::Error(pb::ImportError {
            line: i64::try_from(note.line).unwrap_or(i64::MAX),
            column: note.column,
            handle: note.handle,
            message: note.message,
        }),
        Said::Quantity(sku, quantity) => Part::Quantity(pb::ImportQuantity { sku, quantity }),
    };
    pb::ImportProductsResponse { part: Some(part) }
}

/// How far an import is, or how it ended.
pub(super) fn progress(progress: Progress, done: bool) -> pb::ImportProgress {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    pb::ImportProgress {
        lines_read: count(progress.lines_read),
        products_created: count(progress.created),
        products_updated: count(progress.updated),
        products_unchanged: count(progress.unchanged),
        products_refused: count(progress.refused),
        variants_imported: count(progress.variants),
        done,
    }
}
