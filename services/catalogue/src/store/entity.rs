//! The rows. A product's row is also what is kept as the answer of a request that changed it.

use chrono::DateTime;
use kit::{Currency, Id, Money, Timestamp};
use sea_orm::{DbErr, QueryResult, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{
    Category, Choice, Collection, Content, Media, Parts, Price, Product, Seo, State, Variant,
};

pub(super) const ACTIVE: &str = "active";
const DRAFT: &str = "draft";
const ARCHIVED: &str = "archived";

/// A row of `products`. A part that was not asked for is `None`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ProductRow {
    pub(super) id: Uuid,
    pub(super) handle: String,
    pub(super) state: String,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) published: Option<i64>,
    pub(super) version: i64,
    pub(super) category: Option<Uuid>,
    pub(super) title: String,
    pub(super) vendor: String,
    pub(super) product_type: String,
    pub(super) seo_title: String,
    pub(super) seo_description: String,
    pub(super) tags: Option<String>,
    pub(super) options: Option<String>,
    pub(super) media: Option<String>,
    pub(super) variants: Option<String>,
    pub(super) description: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ChoiceRecord {
    #[serde(rename = "n")]
    name: String,
    #[serde(rename = "v")]
    values: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct MediaRecord {
    #[serde(rename = "i")]
    id: Uuid,
    #[serde(rename = "u")]
    url: String,
    #[serde(rename = "a", default, skip_serializing_if = "String::is_empty")]
    alt_text: String,
}

#[derive(Serialize, Deserialize)]
struct VariantRecord {
    #[serde(rename = "i")]
    id: Uuid,
    #[serde(rename = "s")]
    sku: String,
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    option_values: Vec<String>,
    /// Currency, amount, and what it cost before.
    #[serde(rename = "p")]
    prices: Vec<(Currency, i64, Option<i64>)>,
    #[serde(rename = "w", default, skip_serializing_if = "is_zero")]
    weight_grams: i64,
    #[serde(rename = "b", default, skip_serializing_if = "String::is_empty")]
    barcode: String,
    #[serde(rename = "t")]
    tax_class: String,
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    media: Option<Uuid>,
    #[serde(rename = "d", default, skip_serializing_if = "std::ops::Not::not")]
    digital: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// The columns of a product, those of unwanted parts as NULL, in the order that [`ProductRow::read`] expects.
pub(super) fn product_columns(parts: Parts) -> String {
    let mut columns = "p.id, p.handle, p.state, p.created, p.updated, p.published, p.version, p.category, \
                       p.title, p.vendor, p.product_type, p.seo_title, p.seo_description"
        .to_owned();
    for (name, wanted) in [
        ("tags", parts.tags),
        ("options", parts.options),
        ("media", parts.media),
        ("variants", parts.variants),
        ("description", parts.description),
    ] {
        columns.push_str(", ");
        columns.push_str(&match wanted {
            true => format!("p.{name}"),
            false => "NULL".to_owned(),
        });
    }
    columns
}

/// How many columns [`product_columns`] names.
pub(super) const PRODUCT_COLUMNS: usize = 18;

impl ProductRow {
    pub(super) fn read(row: &QueryResult) -> Result<ProductRow, DbErr> {
        Ok(ProductRow {
            id: row.try_get_by_index(0)?,
            handle: row.try_get_by_index(1)?,
            state: row.try_get_by_index(2)?,
            created: row.try_get_by_index(3)?,
            updated: row.try_get_by_index(4)?,
            published: row.try_get_by_index(5)?,
            version: row.try_get_by_index(6)?,
            category: row.try_get_by_index(7)?,
            title: row.try_get_by_index(8)?,
            vendor: row.try_get_by_index(9)?,
            product_type: row.try_get_by_index(10)?,
            seo_title: row.try_get_by_index(11)?,
            seo_description: row.try_get_by_index(12)?,
            tags: row.try_get_by_index(13)?,
            options: row.try_get_by_index(14)?,
            media: row.try_get_by_index(15)?,
            variants: row.try_get_by_index(16)?,
            description: row.try_get_by_index(17)?,
        })
    }

    pub(super) fn of(product: &Product) -> Result<ProductRow, DbErr> {
        let content = &product.content;
        let options = content
            .options
            .iter()
            .map(|choice| ChoiceRecord { name: choice.name.clone(), values: choice.values.clone() });
        let media = content.media.iter().map(|media| MediaRecord {
            id: media.id.as_uuid(),
            url: media.url.clone(),
            alt_text: media.alt_text.clone(),
        });
        let variants = content.variants.iter().map(VariantRecord::of);
        Ok(ProductRow {
            id: product.id.as_uuid(),
            handle: content.handle.clone(),
            state: state_name(content.state).to_owned(),
            created: product.created.timestamp_micros(),
            updated: product.updated.timestamp_micros(),
            published: product.published.map(|time| time.timestamp_micros()),
            version: product.version,
            category: content.category.map(|id| id.as_uuid()),
            title: content.title.clone(),
            vendor: content.vendor.clone(),
            product_type: content.product_type.clone(),
            seo_title: content.seo.title.clone(),
            seo_description: content.seo.description.clone(),
            tags: Some(json(&content.tags)?),
            options: Some(json(&options.collect::<Vec<_>>())?),
            media: Some(json(&media.collect::<Vec<_>>())?),
            variants: Some(json(&variants.collect::<Vec<_>>())?),
            description: Some(content.description.clone()),
        })
    }

    /// The product, without the parts that were not asked for.
    pub(super) fn product(self) -> Result<Product, DbErr> {
        let options: Vec<ChoiceRecord> = list(self.options.as_deref())?;
        let media: Vec<MediaRecord> = list(self.media.as_deref())?;
        let variants: Vec<VariantRecord> = list(self.variants.as_deref())?;
        let content = Content {
            handle: self.handle,
            title: self.title,
            description: self.description.unwrap_or_default(),
            vendor: self.vendor,
            product_type: self.product_type,
            tags: list(self.tags.as_deref())?,
            category: self.category.map(Id::from_uuid),
            state: state_of(&self.state)?,
            seo: Seo { title: self.seo_title, description: self.seo_description },
            options: options
                .into_iter()
                .map(|choice| Choice { name: choice.name, values: choice.values })
                .collect(),
            variants: variants.into_iter().map(VariantRecord::variant).collect(),
            media: media
                .into_iter()
                .map(|media| Media { id: Id::from_uuid(media.id), url: media.url, alt_text: media.alt_text })
                .collect(),
        };
        Ok(Product {
            id: Id::from_uuid(self.id),
            content,
            created: time(self.created)?,
            updated: time(self.updated)?,
            published: self.published.map(time).transpose()?,
            version: self.version,
        })
    }

    /// How many bytes an answer with this row takes, about; what counts is that it grows with the row.
    pub(super) fn weight(&self) -> usize {
        let parts = [&self.tags, &self.options, &self.media, &self.variants, &self.description];
        let parts: usize = parts.iter().filter_map(|p| p.as_ref()).map(String::len).sum();
        // Ids and derived titles of variants are longer on the wire than here.
        256 + self.title.len() + self.seo_description.len() + parts + parts / 4
    }
}

impl VariantRecord {
    fn of(variant: &Variant) -> VariantRecord {
        let price = |price: &Price| {
            (
                price.amount.currency(),
                price.amount.minor_units(),
                price.compare_at.map(|before| before.minor_units()),
            )
        };
        VariantRecord {
            id: variant.id.as_uuid(),
            sku: variant.sku.clone(),
            option_values: variant.option_values.clone(),
            prices: variant.prices.iter().map(price).collect(),
            weight_grams: variant.weight_grams,
            barcode: variant.barcode.clone(),
            tax_class: variant.tax_class.clone(),
            media: variant.media.map(|id| id.as_uuid()),
            digital: !variant.requires_shipping,
        }
    }

    fn variant(self) -> Variant {
        let price = |(currency, amount, before): (Currency, i64, Option<i64>)| Price {
            amount: Money::new(currency, amount),
            compare_at: before.map(|before| Money::new(currency, before)),
        };
        Variant {
            id: Id::from_uuid(self.id),
            sku: self.sku,
            option_values: self.option_values,
            prices: self.prices.into_iter().map(price).collect(),
            weight_grams: self.weight_grams,
            barcode: self.barcode,
            tax_class: self.tax_class,
            media: self.media.map(Id::from_uuid),
            requires_shipping: !self.digital,
        }
    }
}

/// A row of `categories`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CategoryRow {
    pub(super) id: Uuid,
    pub(super) parent: Option<Uuid>,
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) position: i32,
    pub(super) path: String,
}

impl CategoryRow {
    pub(super) fn read(row: &QueryResult) -> Result<CategoryRow, DbErr> {
        Ok(CategoryRow {
            id: row.try_get_by_index(0)?,
            parent: row.try_get_by_index(1)?,
            slug: row.try_get_by_index(2)?,
            name: row.try_get_by_index(3)?,
            position: row.try_get_by_index(4)?,
            path: row.try_get_by_index(5)?,
        })
    }

    pub(super) fn of(category: &Category) -> CategoryRow {
        CategoryRow {
            id: category.id.as_uuid(),
            parent: category.parent.map(|id| id.as_uuid()),
            slug: category.slug.clone(),
            name: category.name.clone(),
            position: category.position,
            path: category.path.clone(),
        }
    }

    pub(super) fn category(self) -> Category {
        Category {
            id: Id::from_uuid(self.id),
            parent: self.parent.map(Id::from_uuid),
            slug: self.slug,
            name: self.name,
            position: self.position,
            path: self.path,
        }
    }

    pub(super) fn values(self) -> Vec<Value> {
        vec![
            self.id.into(),
            self.parent.into(),
            self.slug.into(),
            self.name.into(),
            self.position.into(),
            self.path.into(),
        ]
    }
}

/// A row of `collections`, and the ids of its products.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CollectionRow {
    pub(super) id: Uuid,
    pub(super) handle: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) updated: i64,
    pub(super) version: i64,
    pub(super) products: Vec<Uuid>,
}

impl CollectionRow {
    pub(super) fn read(row: &QueryResult) -> Result<CollectionRow, DbErr> {
        Ok(CollectionRow {
            id: row.try_get_by_index(0)?,
            handle: row.try_get_by_index(1)?,
            title: row.try_get_by_index(2)?,
            description: row.try_get_by_index(3)?,
            updated: row.try_get_by_index(4)?,
            version: row.try_get_by_index(5)?,
            products: Vec::new(),
        })
    }

    pub(super) fn of(collection: &Collection) -> CollectionRow {
        CollectionRow {
            id: collection.id.as_uuid(),
            handle: collection.handle.clone(),
            title: collection.title.clone(),
            description: collection.description.clone(),
            updated: collection.updated.timestamp_micros(),
            version: collection.version,
            products: collection.products.iter().map(Id::as_uuid).collect(),
        }
    }

    pub(super) fn collection(self) -> Result<Collection, DbErr> {
        Ok(Collection {
            id: Id::from_uuid(self.id),
            handle: self.handle,
            title: self.title,
            description: self.description,
            products: self.products.into_iter().map(Id::from_uuid).collect(),
            updated: time(self.updated)?,
            version: self.version,
        })
    }
}

pub(super) fn state_name(state: State) -> &'static str {
    match state {
        State::Draft => DRAFT,
        State::Active => ACTIVE,
        State::Archived => ARCHIVED,
    }
}

fn state_of(name: &str) -> Result<State, DbErr> {
    match name {
        DRAFT => Ok(State::Draft),
        ACTIVE => Ok(State::Active),
        ARCHIVED => Ok(State::Archived),
        _ => Err(DbErr::Type("a product has an unknown state".to_owned())),
    }
}

fn time(micros: i64) -> Result<Timestamp, DbErr> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| DbErr::Type("a time is out of range".to_owned()))
}

fn json(value: &impl Serialize) -> Result<String, DbErr> {
    serde_json::to_string(value).map_err(|error| DbErr::Json(error.to_string()))
}

fn list<T: for<'de> Deserialize<'de>>(text: Option<&str>) -> Result<Vec<T>, DbErr> {
    match text {
        Some(text) => serde_json::from_str(text).map_err(|error| DbErr::Json(error.to_string())),
        None => Ok(Vec::new()),
    }
}
