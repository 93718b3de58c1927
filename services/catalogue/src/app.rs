//! One method per RPC: who may see it, what is decided, what is kept.

mod export;
mod import;

pub use export::Export;
pub use import::{Progress, Said};

use std::collections::HashMap;
use std::hash::Hash;

use kit::{Clock, Listed, Page, RequestKey};
use mesh::Caller;

use crate::domain::{
    Category, CategoryId, Collection, CollectionId, Content, Listing, Parts, Patch, Product, ProductId,
    ProductKey, Refusal, Variant, VariantKey,
};
use crate::error::Error;
use crate::store::{Sight, Store};

/// Staff look through the edge alone: what pricing and cart ask on behalf of staff is what is for sale.
const EDGE: &str = "gateway";
const READ: &str = "catalogue.read";

/// The catalogue.
#[derive(Clone)]
pub struct Catalogue {
    store: Store,
    clock: Clock,
}

/// What names one collection.
#[derive(Clone, Debug)]
pub enum CollectionKey {
    /// Its id.
    Id(CollectionId),
    /// Its place in the shop's URLs.
    Handle(String),
}

/// What was found of what was asked, in the order asked, each once; and what was not.
pub struct Batch<T, K> {
    /// What there is.
    pub found: Vec<T>,
    /// What there is not.
    pub missing: Vec<K>,
}

/// A variant and the product that it is of.
pub struct Offer {
    /// The product, with its variants and pictures.
    pub product: std::sync::Arc<Product>,
    /// Which of its variants.
    pub variant: Variant,
    /// Where it stands among them, from 1.
    pub position: usize,
}

impl Catalogue {
    /// The catalogue of a store.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// One product.
    pub async fn get_product(
        &self,
        caller: &Caller,
        key: ProductKey,
        parts: Parts,
    ) -> Result<Product, Error> {
        let found = self.store.find(&key, sight(caller), parts).await?;
        found.ok_or_else(|| {
            let named = match key {
                ProductKey::Id(id) => id.to_string(),
                ProductKey::Handle(handle) => handle,
            };
            Refusal::ProductNotFound(named).into()
        })
    }

    /// Products by id.
    pub async fn batch_get_products(
        &self,
        caller: &Caller,
        ids: Vec<ProductId>,
        parts: Parts,
    ) -> Result<Batch<Product, ProductId>, Error> {
        let found = self.store.find_many(&ids, sight(caller), parts).await?;
        Ok(in_order(ids, found, |product| product.id))
    }

    /// A page of products, and how many there are when that was asked.
    pub async fn list_products(
        &self,
        caller: &Caller,
        listing: &Listing,
    ) -> Result<(Listed<Product>, Option<i64>), Error> {
        self.store.page(listing, sight(caller)).await
    }

    /// Variants by id or SKU.
    pub async fn batch_get_variants(
        &self,
        caller: &Caller,
        keys: Vec<VariantKey>,
    ) -> Result<Batch<Offer, VariantKey>, Error> {
        let products = self.store.find_of_variants(&keys, sight(caller)).await?;
        let products: Vec<_> = products.into_iter().map(std::sync::Arc::new).collect();
        let mut places = HashMap::new();
        for product in &products {
            for (place, variant) in product.content.variants.iter().enumerate() {
                places.insert(VariantKey::Id(variant.id), (product, place));
                places.insert(VariantKey::Sku(variant.sku.clone()), (product, place));
            }
        }

        let mut batch = Batch { found: Vec::new(), missing: Vec::new() };
        for key in distinct(keys) {
            let place = places.get(&key).copied();
            let offer = place.and_then(|(product, place)| {
                Some(Offer {
                    variant: product.content.variants.get(place)?.clone(),
                    product: std::sync::Arc::clone(product),
                    position: place + 1,
                })
            });
            match offer {
                Some(offer) => batch.found.push(offer),
                None => batch.missing.push(key),
            }
        }
        Ok(batch)
    }

    /// Adds a product.
    pub async fn create_product(&self, key: RequestKey, patch: Patch) -> Result<Product, Error> {
        let decide = || Product::create(patch.onto(&Content::blank()), self.clock.now());
        self.store.create(&key, decide).await
    }

    /// Changes a product that is still what the writer read.
    pub async fn update_product(
        &self,
        key: RequestKey,
        id: ProductId,
        etag: String,
        patch: Patch,
    ) -> Result<Product, Error> {
        let decide = |product: &Product| {
            if product.version.to_string() != etag {
                return Err(Refusal::EtagMismatch);
            }
            product.update(patch.onto(&product.content), self.clock.now())
        };
        self.store.update(&key, id, decide).await
    }

    /// Takes a product out of the shop.
    pub async fn archive_product(&self, key: RequestKey, id: ProductId) -> Result<Product, Error> {
        let decide = |product: &Product| Ok(product.archive(self.clock.now()));
        self.store.update(&key, id, decide).await
    }

    /// Categories, parents before children.
    pub async fn list_categories(&self, page: &Page) -> Result<Listed<Category>, Error> {
        self.store.categories(page).await
    }

    /// Categories by id.
    pub async fn batch_get_categories(
        &self,
        ids: Vec<CategoryId>,
    ) -> Result<Batch<Category, CategoryId>, Error> {
        let found = self.store.find_categories(&ids).await?;
        Ok(in_order(ids, found, |category| category.id))
    }

    /// Adds a category.
    pub async fn create_category(&self, key: RequestKey, category: Category) -> Result<Category, Error> {
        self.store.create_category(&key, &category).await
    }

    /// Renames or moves a category.
    pub async fn update_category(
        &self,
        key: RequestKey,
        id: CategoryId,
        decide: impl Fn(Category) -> Category,
    ) -> Result<Category, Error> {
        self.store.update_category(&key, id, decide).await
    }

    /// One collection.
    pub async fn get_collection(
        &self,
        caller: &Caller,
        key: CollectionKey,
        with_products: bool,
    ) -> Result<Collection, Error> {
        let (id, handle) = match key {
            CollectionKey::Id(id) => (Some(id), String::new()),
            CollectionKey::Handle(handle) => (None, handle),
        };
        let sight = sight(caller);
        let found = self.store.find_collection(id, &handle, sight, with_products).await?;
        found.ok_or_else(|| {
            let named = id.map_or(handle, |id| id.to_string());
            Refusal::CollectionNotFound(named).into()
        })
    }

    /// Collections by title.
    pub async fn list_collections(
        &self,
        caller: &Caller,
        page: &Page,
        with_products: bool,
    ) -> Result<Listed<Collection>, Error> {
        self.store.collections(page, sight(caller), with_products).await
    }

    /// Collections by id.
    pub async fn batch_get_collections(
        &self,
        caller: &Caller,
        ids: Vec<CollectionId>,
        with_products: bool,
    ) -> Result<Batch<Collection, CollectionId>, Error> {
        let found = self.store.find_collections(&ids, sight(caller), with_products).await?;
        Ok(in_order(ids, found, |collection| collection.id))
    }

    /// Adds a collection.
    pub async fn create_collection(
        &self,
        key: RequestKey,
        collection: Collection,
    ) -> Result<Collection, Error> {
        let collection = Collection { updated: self.clock.now(), ..collection };
        self.store.create_collection(&key, &collection).await
    }

    /// Changes a collection that is still what the writer read.
    pub async fn update_collection(
        &self,
        key: RequestKey,
        id: CollectionId,
        etag: String,
        edit: impl Fn(Collection) -> Collection,
    ) -> Result<Collection, Error> {
        let decide = |collection: &mut Collection| {
            if collection.version.to_string() != etag {
                return Err(Refusal::EtagMismatch);
            }
            let written = edit(collection.clone());
            Ok(collection.rewrite(written, self.clock.now()))
        };
        self.store.update_collection(&key, id, decide).await
    }
}

fn sight(caller: &Caller) -> Sight {
    let staff = caller.user.as_ref().is_some_and(|user| user.may(READ));
    match (caller.workload == EDGE, staff) {
        (true, true) => Sight::Staff,
        (true, false) => Sight::Shopper,
        (false, _) => Sight::Service,
    }
}

/// Puts what was found in the order asked; an id that was asked twice counts once.
fn in_order<T, K: Copy + Eq + Hash>(asked: Vec<K>, found: Vec<T>, name: impl Fn(&T) -> K) -> Batch<T, K> {
    let mut by_name: HashMap<K, T> = found.into_iter().map(|item| (name(&item), item)).collect();
    let mut batch = Batch { found: Vec::with_capacity(by_name.len()), missing: Vec::new() };
    for key in distinct(asked) {
        match by_name.remove(&key) {
            Some(item) => batch.found.push(item),
            None => batch.missing.push(key),
        }
    }
    batch
}

fn distinct<K: Clone + Eq + Hash>(keys: Vec<K>) -> impl Iterator<Item = K> {
    let mut seen = std::collections::HashSet::new();
    keys.into_iter().filter(move |key| seen.insert(key.clone()))
}
