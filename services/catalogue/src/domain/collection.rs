//! A hand-picked, ordered set of products.

use kit::{Id, Timestamp};

use super::product::ProductId;

/// A collection holds at most so many products.
pub const COLLECTION_PRODUCTS_MAX: usize = 5_000;

/// Names a collection.
pub type CollectionId = Id<Collection>;

/// A hand-picked, ordered set of products.
#[derive(Clone, Debug, PartialEq)]
pub struct Collection {
    /// For ever the same.
    pub id: CollectionId,
    /// Its place in the shop's URLs, unique.
    pub handle: String,
    /// What it is called.
    pub title: String,
    /// HTML as staff wrote it.
    pub description: String,
    /// In order, each once.
    pub products: Vec<ProductId>,
    /// When it changed last.
    pub updated: Timestamp,
    /// 1, 2, 3 …
    pub version: i64,
}

impl Collection {
    /// Takes over what staff wrote; false when that is what it says already.
    pub fn rewrite(&mut self, written: Collection, now: Timestamp) -> bool {
        let same = self.handle == written.handle
            && self.title == written.title
            && self.description == written.description
            && self.products == written.products;
        if same {
            return false;
        }
        *self = Collection { id: self.id, updated: now, version: self.version.saturating_add(1), ..written };
        true
    }
}
