//! What is asked: which products, in which order, and which parts of them.

use kit::{Currency, Money, Page};

use super::category::CategoryId;
use super::collection::CollectionId;
use super::content::{State, VariantId};
use super::product::ProductId;

/// What names one product.
#[derive(Clone, Debug)]
pub enum ProductKey {
    /// Its id.
    Id(ProductId),
    /// Its place in the shop's URLs.
    Handle(String),
}

/// What names one variant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VariantKey {
    /// Its id.
    Id(VariantId),
    /// Its SKU.
    Sku(String),
}

/// Which products; all that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Each must occur in title, vendor, type or tags; lower case.
    pub words: Vec<String>,
    /// This category and all below it.
    pub category: Option<CategoryId>,
    /// The products of this collection.
    pub collection: Option<CollectionId>,
    /// Any of them.
    pub vendors: Vec<String>,
    /// Any of them.
    pub product_types: Vec<String>,
    /// All of them, without regard to case.
    pub tags: Vec<String>,
    /// The lowest price of a variant is at least this.
    pub price_min: Option<Money>,
    /// The lowest price of a variant is at most this.
    pub price_max: Option<Money>,
    /// Only this state; `None` is every state that the caller may see.
    pub state: Option<State>,
    /// Any of them.
    pub handles: Vec<String>,
}

/// In which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// The shop's own: newest published first.
    Listed,
    /// By title, without regard to case.
    Title,
    /// By lowest price; in each product's first currency when none is named. Products without a price in it are left out.
    Price(Option<Currency>),
    /// By when they were added.
    Created,
    /// As staff ordered the collection of the filter.
    Collection(CollectionId),
}

/// One page of a list of products.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Which products.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// The other way round.
    pub reverse: bool,
    /// Which parts of them.
    pub parts: Parts,
    /// Where to go on, and how far.
    pub page: Page,
    /// Whether all matches are to be counted too.
    pub counted: bool,
}

/// Which of a product's costly parts are wanted: those that stand in a column of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The description.
    pub description: bool,
    /// The tags.
    pub tags: bool,
    /// The options.
    pub options: bool,
    /// The variants.
    pub variants: bool,
    /// The pictures.
    pub media: bool,
}

impl Parts {
    /// Everything.
    pub const ALL: Parts =
        Parts { description: true, tags: true, options: true, variants: true, media: true };
}
