//! A product as search sees it: what can be found, filtered by and sorted by, put together from its owners.

use std::collections::BTreeMap;

use kit::{Currency, Id, Timestamp};

pub type ProductId = Id<Product>;
/// A category of the catalogue.
#[derive(Debug)]
pub struct Category;
pub type CategoryId = Id<Category>;

/// An active product.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    pub id: ProductId,
    /// The catalogue's; another one means that something was changed.
    pub version: i64,
    pub title: String,
    /// Plain text.
    pub description: String,
    pub vendor: String,
    pub product_type: String,
    pub tags: Vec<String>,
    pub category: Option<CategoryId>,
    /// Name and value, each pair once.
    pub options: Vec<(String, String)>,
    pub skus: Vec<Sku>,
    /// The lowest of a variant in each currency, in minor units.
    pub prices: BTreeMap<Currency, i64>,
    pub rating: Rating,
    pub published: Timestamp,
}

/// One variant, and whether it can be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sku {
    pub sku: String,
    pub available: bool,
}

/// What reviews say, in sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rating {
    pub count: i64,
    pub sum: i64,
}

impl Product {
    pub fn is_available(&self) -> bool {
        self.skus.iter().any(|sku| sku.available)
    }
}

impl Rating {
    /// The average in hundredths of a star; nothing without reviews.
    pub fn hundredths(self) -> Option<u64> {
        if self.count <= 0 {
            return None;
        }
        u64::try_from(self.sum.saturating_mul(100) / self.count).ok()
    }
}
