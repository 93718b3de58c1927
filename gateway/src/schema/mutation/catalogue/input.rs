//! The catalogue as staff write it. Absent fields stay as they are.

use async_graphql::{ID, InputObject, MaybeUndefined};
use proto::catalogue as pb;

use crate::error::Fault;
use crate::ids::{self, Kind};
use crate::schema::choice::{ProductStatus, wire_name};
use crate::schema::money::{MoneyInput, given};

/// A product as staff write it. Absent fields stay as they are.
#[derive(InputObject)]
pub(crate) struct ProductInput {
    /// Its place in the shop's URLs.
    handle: Option<String>,
    /// What it is called.
    title: Option<String>,
    /// HTML, at most 64 KiB.
    description: Option<String>,
    /// Who makes it.
    vendor: Option<String>,
    /// What kind of thing it is.
    product_type: Option<String>,
    /// Words to find it by; all of them.
    tags: Option<Vec<String>>,
    /// Where it stands in the tree; null takes it out.
    category_id: MaybeUndefined<ID>,
    /// Whether it is to be seen.
    status: Option<ProductStatus>,
    /// What search engines are told.
    seo: Option<SeoInput>,
    /// What a buyer chooses by; all of it, at most 3.
    options: Option<Vec<ProductOptionInput>>,
    /// The variants; all of them.
    variants: Option<Vec<ProductVariantInput>>,
    /// The pictures, in order; all of them.
    images: Option<Vec<ImageInput>>,
}

/// What search engines are told.
#[derive(InputObject)]
pub(crate) struct SeoInput {
    /// The page's title.
    #[graphql(default)]
    title: String,
    /// The page's description.
    #[graphql(default)]
    description: String,
}

/// What a buyer chooses by.
#[derive(InputObject)]
pub(crate) struct ProductOptionInput {
    /// "Size".
    name: String,
    /// "S", "M", "L".
    values: Vec<String>,
}

/// A variant as staff write it.
#[derive(InputObject)]
pub(crate) struct ProductVariantInput {
    /// Unique in the shop.
    sku: String,
    /// One value for each option, in their order.
    #[graphql(default)]
    option_values: Vec<String>,
    /// One for each currency.
    prices: Vec<PriceInput>,
    /// Grams.
    #[graphql(default)]
    weight_grams: i64,
    /// EAN, UPC or ISBN.
    #[graphql(default)]
    barcode: String,
    /// What tax rules call it.
    #[graphql(default_with = "String::from(\"standard\")")]
    tax_class: String,
    /// Does it have to be sent?
    #[graphql(default = true)]
    requires_shipping: bool,
}

/// A price in one currency.
#[derive(InputObject)]
pub(crate) struct PriceInput {
    /// What it costs.
    amount: MoneyInput,
    /// What it cost before; absent when it is not reduced.
    compare_at_amount: Option<MoneyInput>,
}

/// A picture.
#[derive(InputObject)]
pub(crate) struct ImageInput {
    /// Absolute, or a path of the shop itself.
    url: String,
    /// What it shows, in words.
    #[graphql(default)]
    alt_text: String,
}

impl ProductInput {
    pub(crate) fn into_wire(self, id: String) -> Result<(pb::Product, Vec<String>), Fault> {
        let paths = self.paths();
        let status = self.status.map(|status| wire_name("PRODUCT_STATUS_", status));
        let status = status.and_then(|name| pb::ProductStatus::from_str_name(&name));
        let category = self.category_id.as_opt_ref().flatten();
        let category = category.map(|id| ids::decode(Kind::Category, id)).transpose()?;
        let variants = self.variants.unwrap_or_default().into_iter().zip(0..);
        let images = self.images.unwrap_or_default().into_iter().zip(0..);
        let product = pb::Product {
            id,
            handle: self.handle.unwrap_or_default(),
            title: self.title.unwrap_or_default(),
            description: self.description.unwrap_or_default(),
            vendor: self.vendor.unwrap_or_default(),
            product_type: self.product_type.unwrap_or_default(),
            tags: self.tags.unwrap_or_default(),
            category_id: category.unwrap_or_default(),
            status: status.unwrap_or(pb::ProductStatus::Unspecified).into(),
            seo: self.seo.map(|seo| pb::Seo { title: seo.title, description: seo.description }),
            options: self.options.unwrap_or_default().into_iter().map(option).collect(),
            variants: variants.map(variant).collect::<Result<_, _>>()?,
            media: images.map(image).collect(),
            ..Default::default()
        };
        Ok((product, paths))
    }

    fn paths(&self) -> Vec<String> {
        let given = [
            ("handle", self.handle.is_some()),
            ("title", self.title.is_some()),
            ("description", self.description.is_some()),
            ("vendor", self.vendor.is_some()),
            ("product_type", self.product_type.is_some()),
            ("tags", self.tags.is_some()),
            ("category_id", !self.category_id.is_undefined()),
            ("status", self.status.is_some()),
            ("seo", self.seo.is_some()),
            ("options", self.options.is_some()),
            ("variants", self.variants.is_some()),
            ("media", self.images.is_some()),
        ];
        named(&given)
    }
}

fn named(given: &[(&str, bool)]) -> Vec<String> {
    let set = given.iter().filter(|(_, is_set)| *is_set);
    set.map(|(path, _)| (*path).to_owned()).collect()
}

fn option(input: ProductOptionInput) -> pb::Option {
    pb::Option { name: input.name, values: input.values }
}

fn variant((input, position): (ProductVariantInput, i32)) -> Result<pb::Variant, Fault> {
    let price = |price: &PriceInput| {
        Ok(pb::Price {
            amount: Some(price.amount.to_wire()?),
            compare_at: given(price.compare_at_amount.as_ref())?,
        })
    };
    Ok(pb::Variant {
        prices: input.prices.iter().map(price).collect::<Result<_, Fault>>()?,
        sku: input.sku,
        option_values: input.option_values,
        weight_grams: input.weight_grams,
        barcode: input.barcode,
        tax_class: input.tax_class,
        requires_shipping: input.requires_shipping,
        position,
        ..Default::default()
    })
}

fn image((input, position): (ImageInput, i32)) -> pb::Media {
    pb::Media {
        kind: pb::MediaKind::Image.into(),
        url: input.url,
        alt_text: input.alt_text,
        position,
        ..Default::default()
    }
}

/// A collection as staff write it. Absent fields stay as they are.
#[derive(InputObject)]
pub(crate) struct CollectionInput {
    /// Its place in the shop's URLs.
    handle: Option<String>,
    /// What it is called.
    title: Option<String>,
    /// What it is about.
    description: Option<String>,
    /// Its products, in order; all of them.
    product_ids: Option<Vec<ID>>,
}

impl CollectionInput {
    pub(crate) fn into_wire(self, id: String) -> Result<(pb::Collection, Vec<String>), Fault> {
        let paths = named(&[
            ("handle", self.handle.is_some()),
            ("title", self.title.is_some()),
            ("description", self.description.is_some()),
            ("product_ids", self.product_ids.is_some()),
        ]);
        let products = self.product_ids.unwrap_or_default();
        let collection = pb::Collection {
            id,
            handle: self.handle.unwrap_or_default(),
            title: self.title.unwrap_or_default(),
            description: self.description.unwrap_or_default(),
            product_ids: ids::decode_all(Kind::Product, &products)?,
            ..Default::default()
        };
        Ok((collection, paths))
    }
}

/// A category as staff write it. Absent fields stay as they are.
#[derive(InputObject)]
pub(crate) struct CategoryInput {
    /// The category it lies in; null puts it at the root.
    parent_id: MaybeUndefined<ID>,
    /// Its own part of the path.
    slug: Option<String>,
    /// What it is called.
    name: Option<String>,
    /// Its place among its siblings.
    position: Option<i32>,
}

impl CategoryInput {
    pub(crate) fn into_wire(self, id: String) -> Result<(pb::Category, Vec<String>), Fault> {
        let paths = named(&[
            ("parent_id", !self.parent_id.is_undefined()),
            ("slug", self.slug.is_some()),
            ("name", self.name.is_some()),
            ("position", self.position.is_some()),
        ]);
        let parent = self.parent_id.as_opt_ref().flatten();
        let parent = parent.map(|id| ids::decode(Kind::Category, id)).transpose()?;
        let category = pb::Category {
            id,
            parent_id: parent.unwrap_or_default(),
            slug: self.slug.unwrap_or_default(),
            name: self.name.unwrap_or_default(),
            position: self.position.unwrap_or(0),
            ..Default::default()
        };
        Ok((category, paths))
    }
}
