//! What staff write about a product; everything of it but its id, its times and its version.

use kit::{Id, Money};

use super::category::CategoryId;

/// A product has at most so many options, as spreadsheets have columns for.
pub const OPTIONS_MAX: usize = 3;
/// Variants of one product.
pub const VARIANTS_MAX: usize = 2_048;
/// Pictures of one product.
pub const MEDIA_MAX: usize = 250;
/// Tags of one product.
pub const TAGS_MAX: usize = 250;
/// Characters of a title, a vendor, a tag, an option value and the like.
pub const TEXT_LENGTH_MAX: usize = 255;
/// A description in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 64 * 1024;

/// Names a variant.
pub type VariantId = Id<Variant>;
/// Names a picture.
pub type MediaId = Id<Media>;

/// What staff write. It may not fit together until [`Content::flaws`] finds nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// Its place in the shop's URLs, unique.
    pub handle: String,
    /// What it is called.
    pub title: String,
    /// HTML as it was written.
    pub description: String,
    /// Brand or maker.
    pub vendor: String,
    /// What kind of thing it is, in staff's words.
    pub product_type: String,
    /// In the order staff gave.
    pub tags: Vec<String>,
    /// Where it stands in the tree.
    pub category: Option<CategoryId>,
    /// Whether it is for sale.
    pub state: State,
    /// What search engines are told.
    pub seo: Seo,
    /// What a buyer chooses between.
    pub options: Vec<Choice>,
    /// What can be bought, in order.
    pub variants: Vec<Variant>,
    /// Pictures, in order.
    pub media: Vec<Media>,
}

/// Where a product is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Being written; only staff see it.
    Draft,
    /// For sale.
    Active,
    /// Taken out; orders may still name it.
    Archived,
}

/// What search engines are told; empty stands for title and description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seo {
    /// The page's title.
    pub title: String,
    /// The page's summary.
    pub description: String,
}

/// An option of a product: "Size" with its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is chosen.
    pub name: String,
    /// Between what, in the order staff gave.
    pub values: Vec<String>,
}

/// One thing that can be bought.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Stays the same while the SKU does.
    pub id: VariantId,
    /// Unique in the shop.
    pub sku: String,
    /// One per option, in their order.
    pub option_values: Vec<String>,
    /// One per currency at most.
    pub prices: Vec<Price>,
    /// In grams.
    pub weight_grams: i64,
    /// EAN, UPC or ISBN; may be empty.
    pub barcode: String,
    /// What pricing's tax rules name.
    pub tax_class: String,
    /// Its own picture among the product's.
    pub media: Option<MediaId>,
    /// Whether there is something to send.
    pub requires_shipping: bool,
}

/// A price in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// What it costs.
    pub amount: Money,
    /// What it cost before, when that was more.
    pub compare_at: Option<Money>,
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// Stays the same while the URL does.
    pub id: MediaId,
    /// Absolute, or a path of the shop itself; unique within the product.
    pub url: String,
    /// What it shows, for those who cannot see it.
    pub alt_text: String,
}

impl Variant {
    /// The option values joined by " / ".
    pub fn title(&self) -> String {
        self.option_values.join(" / ")
    }
}

impl Content {
    /// Gives variants and pictures the ids they have in `present`: variants by SKU, pictures by id, else by URL.
    /// Others get new ones, whatever they were called before: ids are given here and by nobody else.
    pub fn adopt_ids(&mut self, present: Option<&Content>) {
        let known_media = present.map_or(&[][..], |content| &content.media);
        let known_variants = present.map_or(&[][..], |content| &content.variants);

        let mut renamed = std::collections::HashMap::new();
        for media in &mut self.media {
            let by_id = known_media.iter().find(|known| known.id == media.id);
            let by_url = || known_media.iter().find(|known| known.url == media.url);
            let id = by_id.or_else(by_url).map_or_else(Id::new, |known| known.id);
            renamed.insert(std::mem::replace(&mut media.id, id), id);
        }

        let by_sku: std::collections::HashMap<&str, VariantId> =
            known_variants.iter().map(|known| (known.sku.as_str(), known.id)).collect();
        for variant in &mut self.variants {
            variant.id = by_sku.get(variant.sku.as_str()).copied().unwrap_or_else(Id::new);
            if let Some(id) = variant.media.and_then(|media| renamed.get(&media)) {
                variant.media = Some(*id);
            }
        }
    }

    /// The names of the contract's fields in which two contents differ.
    pub fn differences(&self, other: &Content) -> Vec<&'static str> {
        let fields = [
            ("handle", self.handle == other.handle),
            ("title", self.title == other.title),
            ("description", self.description == other.description),
            ("vendor", self.vendor == other.vendor),
            ("product_type", self.product_type == other.product_type),
            ("tags", self.tags == other.tags),
            ("category_id", self.category == other.category),
            ("status", self.state == other.state),
            ("seo", self.seo == other.seo),
            ("options", self.options == other.options),
            ("variants", self.variants == other.variants),
            ("media", self.media == other.media),
        ];
        fields.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }

    /// The SKUs, in the order of the variants.
    pub fn skus(&self) -> Vec<String> {
        self.variants.iter().map(|variant| variant.sku.clone()).collect()
    }

    /// The lowest price of a variant in each currency, in the order in which the currencies occur.
    pub fn lowest_prices(&self) -> Vec<Money> {
        let mut lowest: Vec<Money> = Vec::new();
        for price in self.variants.iter().flat_map(|variant| &variant.prices) {
            let amount = price.amount;
            match lowest.iter_mut().find(|known| known.currency() == amount.currency()) {
                Some(known) if amount.minor_units() < known.minor_units() => *known = amount,
                Some(_) => {}
                None => lowest.push(amount),
            }
        }
        lowest
    }

    /// What a search in words looks through, in lower case.
    pub fn words(&self) -> String {
        let mut words = [&self.title, &self.vendor, &self.product_type].map(String::as_str).join("\n");
        for tag in &self.tags {
            words.push('\n');
            words.push_str(tag);
        }
        words.to_lowercase()
    }
}
