//! One method per RPC: what is known of what was asked, ranked by the domain.

use std::collections::{HashMap, HashSet};

use kit::{Id, Listed, Page, PageError};
use mesh::Caller;

use crate::domain::{
    self, CANDIDATES_EACH_MAX, CANDIDATES_MAX, CategoryId, CustomerId, ItemId, Known, Product, ProductId,
    RANKED_MAX, Recommendation, SPEAKERS_MAX, Speaker,
};
use crate::error::Error;
use crate::store::Store;

/// What staff holds that may see others' histories: they follow from orders.
pub const READ_ORDERS: &str = "orders.read";
/// So many categories of what was asked, the first ones, are looked through when orders say too little.
const CATEGORIES_MAX: usize = 5;

#[derive(Clone)]
pub struct Recommendations {
    store: Store,
}

impl Recommendations {
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    pub async fn list_bought_together(
        &self,
        basket: &[ProductId],
        page: &Page,
    ) -> Result<Listed<Recommendation>, Error> {
        let last = basket.get(basket.len().saturating_sub(SPEAKERS_MAX)..).unwrap_or_default();
        let asked = self.store.products(&items(last)).await?;
        let speakers = self.speakers(last.iter().map(|product| (*product, 1.0)).collect(), &asked).await?;
        let candidates = domain::candidates(&speakers, CANDIDATES_MAX);
        let products = self.store.products(&named(&candidates)).await?;
        let mut known = Known { products, ..Known::default() };
        if known.products.values().filter(|product| product.offered).count() < RANKED_MAX {
            known.in_categories = self.popular_in(&categories(last, &asked)).await?;
            // The basket itself may be among them.
            known.popular = self.store.popular(RANKED_MAX + last.len()).await?;
        }
        let basket: HashSet<ProductId> = basket.iter().copied().collect();
        paged(domain::bought_together(&basket, &candidates, &known), page)
    }

    /// For each product by itself. What they have in common is read once.
    pub async fn batch_list_bought_together(
        &self,
        asked: &[ProductId],
        each: usize,
    ) -> Result<HashMap<ProductId, Vec<Recommendation>>, Error> {
        let own = self.store.products(&items(asked)).await?;
        let speakers = self.speakers(asked.iter().map(|product| (*product, 1.0)).collect(), &own).await?;
        let candidates: HashMap<ProductId, Vec<domain::Candidate>> = speakers
            .into_iter()
            .map(|speaker| (speaker.product, domain::candidates(&[speaker], CANDIDATES_EACH_MAX)))
            .collect();
        let all: HashSet<ItemId> = candidates.values().flatten().map(|candidate| candidate.item).collect();
        let products = self.store.products(&all.into_iter().collect::<Vec<_>>()).await?;
        let few = |product: &&ProductId| {
            let found = candidates.get(product).into_iter().flatten();
            let offered = |item| products.get(item).is_some_and(|product: &Product| product.offered);
            found.filter(|candidate| offered(&candidate.item)).count() <= each
        };
        let lacking: Vec<ProductId> = asked.iter().filter(few).copied().collect();
        let mut shelves = HashMap::new();
        let mut popular = Vec::new();
        if !lacking.is_empty() {
            popular = self.store.popular(each + 1).await?;
            for category in categories(&lacking, &own) {
                shelves.insert(category, self.store.popular_in(category, each + 1).await?);
            }
        }
        let mut known = Known { products, in_categories: Vec::new(), popular };
        let ranked = asked.iter().map(|product| {
            let category = own.get(&item(*product)).and_then(|product| product.category);
            let shelf = category.and_then(|category| shelves.get(&category));
            known.in_categories = shelf.cloned().unwrap_or_default();
            let candidates = candidates.get(product).map(Vec::as_slice).unwrap_or_default();
            let mut ranked = domain::bought_together(&HashSet::from([*product]), candidates, &known);
            ranked.truncate(each);
            (*product, ranked)
        });
        Ok(ranked.collect())
    }

    /// `whose` is nobody in particular: the one who asks.
    pub async fn list_for_account(
        &self,
        caller: &Caller,
        whose: Option<CustomerId>,
        page: &Page,
    ) -> Result<Listed<Recommendation>, Error> {
        let own: CustomerId = caller.customer_id().map_err(|_| Error::SignInRequired)?;
        let customer = whose.unwrap_or(own);
        if customer != own && !caller.may(READ_ORDERS) {
            return Err(Error::HistoryOfAnother);
        }
        let history = self.store.history(customer).await?;
        let bought: Vec<ProductId> = history.iter().map(|purchase| purchase.product).collect();
        let mut products = self.store.products(&items(&bought)).await?;
        let favourites = domain::favourites(&history);
        let first: Vec<ProductId> = favourites.iter().map(|(product, _)| *product).collect();
        let categories = categories(&first, &products);
        let speakers = self.speakers(favourites, &products).await?;
        let candidates = domain::candidates(&speakers, CANDIDATES_MAX);
        products.extend(self.store.products(&named(&candidates)).await?);
        let known = Known {
            products,
            in_categories: self.popular_in(&categories).await?,
            popular: self.store.popular(RANKED_MAX).await?,
        };
        paged(domain::for_customer(&history, &candidates, &known), page)
    }

    /// Products with what goes with each. One that is no longer offered speaks all the same.
    async fn speakers(
        &self,
        voices: Vec<(ProductId, f64)>,
        known: &HashMap<ItemId, Product>,
    ) -> Result<Vec<Speaker>, Error> {
        let products: Vec<ProductId> = voices.iter().map(|(product, _)| *product).collect();
        let mut lists = self.store.neighbours(&products).await?;
        let speaker = |(product, voice)| {
            let neighbours = lists.remove(&product)?;
            let order_count = known.get(&item(product)).map_or(1, |product| product.order_count);
            Some(Speaker { product, voice, order_count, neighbours })
        };
        Ok(voices.into_iter().filter_map(speaker).collect())
    }

    async fn popular_in(&self, categories: &[CategoryId]) -> Result<Vec<Product>, Error> {
        let mut found = Vec::new();
        for category in categories {
            found.extend(self.store.popular_in(*category, RANKED_MAX).await?);
        }
        Ok(found)
    }
}

fn item(product: ProductId) -> ItemId {
    Id::from_uuid(product.as_uuid())
}

fn items(products: &[ProductId]) -> Vec<ItemId> {
    products.iter().map(|product| item(*product)).collect()
}

fn named(candidates: &[domain::Candidate]) -> Vec<ItemId> {
    candidates.iter().map(|candidate| candidate.item).collect()
}

/// The categories of these products, each once, the first ones.
fn categories(products: &[ProductId], known: &HashMap<ItemId, Product>) -> Vec<CategoryId> {
    let mut seen = HashSet::new();
    let categories = products.iter().filter_map(|product| known.get(&item(*product))?.category);
    categories.filter(|category| seen.insert(*category)).take(CATEGORIES_MAX).collect()
}

/// The page of a ranking behind the last item seen, by score and product.
fn paged(ranked: Vec<Recommendation>, page: &Page) -> Result<Listed<Recommendation>, Error> {
    let keys = |it: &Recommendation| vec![it.score.to_bits().to_string(), it.product.to_string()];
    let mut rest = ranked;
    if let Some(after) = &page.after {
        let [score, product] = after.as_slice() else {
            return Err(PageError::Token.into());
        };
        let score = f64::from_bits(score.parse().map_err(|_| PageError::Token)?);
        let product: ProductId = product.parse().map_err(|_| PageError::Token)?;
        rest.retain(|it| score.total_cmp(&it.score).then_with(|| it.product.cmp(&product)).is_gt());
    }
    Ok(page.listed(rest, keys))
}
