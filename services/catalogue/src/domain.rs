//! What a product is, when one fits together, and why a change is refused. Pure.

mod category;
mod check;
mod collection;
mod content;
mod listing;
mod patch;
mod product;
#[cfg(test)]
pub mod tests;

pub use category::{CATEGORY_DEPTH_MAX, Category, CategoryId, CategoryTree, NAME_LENGTH_MAX, slug_of};
pub use check::{Flaw, Place, VariantField, is_handle};
pub use collection::{COLLECTION_PRODUCTS_MAX, Collection, CollectionId};
pub use content::{
    Choice, Content, DESCRIPTION_BYTES_MAX, MEDIA_MAX, Media, MediaId, OPTIONS_MAX, Price, Seo, State,
    TAGS_MAX, TEXT_LENGTH_MAX, VARIANTS_MAX, Variant,
};
pub use listing::{Filter, Listing, Parts, ProductKey, Sort, VariantKey};
pub use patch::Patch;
pub use product::{Change, Product, ProductId, What};

/// Why the catalogue says no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// None, or none that this caller may see.
    #[error("there is no such product")]
    ProductNotFound(String),
    /// No category of this id.
    #[error("there is no such category")]
    CategoryNotFound(String),
    /// No collection of this id or handle.
    #[error("there is no such collection")]
    CollectionNotFound(String),
    /// Somebody else has the handle, or the slug among the same siblings.
    #[error("this handle is taken")]
    HandleTaken(String),
    /// A variant of another product has the SKU.
    #[error("this SKU belongs to another product")]
    SkuTaken(String),
    /// A category was to be moved below itself.
    #[error("a category cannot lie below itself")]
    CategoryCycle,
    /// The tree would get more levels than it holds.
    #[error("the tree of categories holds {CATEGORY_DEPTH_MAX} levels")]
    CategoryTooDeep,
    /// The writer read an older state.
    #[error("it has changed since it was read")]
    EtagMismatch,
    /// The parts do not fit together.
    #[error("the product does not fit together")]
    Flawed(Vec<Flaw>),
}
