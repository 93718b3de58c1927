//! From what is known to a ranking.
//!
//! Two items are as close as the weight of their meetings over `a^0.6 · b^0.4`, where `a` is how many orders have the one
//! that is asked about and `b` how many have the other: a cosine that leans a little towards what sells. The exponents and
//! the other figures were chosen on a part of real orders; `cargo xtask bench recommendations` shows what they are worth.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::{Explanation, ItemId, Neighbours, Product, ProductId, Purchase, Recommendation};

/// A ranking goes no further.
pub const RANKED_MAX: usize = 100;
/// So many products of a basket, the last ones, say what goes with it.
pub const SPEAKERS_MAX: usize = 200;
/// So many candidates of a basket are looked up, the closest.
pub const CANDIDATES_MAX: usize = 400;
/// The same for each product of a batch.
pub const CANDIDATES_EACH_MAX: usize = 60;
/// So many products of a history, the most bought, say what goes with it.
const FAVOURITES_MAX: usize = 32;
const ASKED_EXPONENT: f64 = 0.6;
const OTHER_EXPONENT: f64 = 0.4;
/// How much what sells in general counts for a customer, beside one purchase of his own: next to nothing, so it only fills
/// up; and what sells in a category that he buys from.
const POPULAR: f64 = 1e-4;
const POPULAR_IN_CATEGORY: f64 = 2e-4;

/// A product that says what goes with it, and how loud.
#[derive(Clone, Debug)]
pub struct Speaker {
    pub product: ProductId,
    pub voice: f64,
    pub order_count: i64,
    pub neighbours: Neighbours,
}

/// An item that may go with what was asked about.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    pub item: ItemId,
    closeness: f64,
    loudest: Loudest,
}

/// Who says loudest that something goes with it, how loud, and how many orders have both.
#[derive(Clone, Copy, Debug)]
struct Loudest {
    product: ProductId,
    voice: f64,
    orders: u32,
}

impl Loudest {
    /// The louder of two; what one speaker says of two items that stand for the same product is said once.
    fn join(&mut self, other: Self) {
        if self.product == other.product {
            self.voice += other.voice;
            self.orders = self.orders.saturating_add(other.orders);
        } else if other.voice > self.voice {
            *self = other;
        }
    }
}

/// What is known of the products in question.
#[derive(Default)]
pub struct Known {
    /// By the items that stand for them.
    pub products: HashMap<ItemId, Product>,
    /// What sells in the categories in question, best first within each.
    pub in_categories: Vec<Product>,
    /// What sells in the whole shop, best first.
    pub popular: Vec<Product>,
}

/// What the speakers name, closest first, as far as it is worth looking up.
pub fn candidates(speakers: &[Speaker], most: usize) -> Vec<Candidate> {
    let mut found: HashMap<ItemId, Candidate> = HashMap::new();
    for speaker in speakers {
        let voice = speaker.voice / orders(speaker.order_count).powf(ASKED_EXPONENT);
        for neighbour in speaker.neighbours.iter() {
            let said = voice * f64::from(neighbour.weight);
            let loudest = Loudest { product: speaker.product, voice: said, orders: neighbour.order_count };
            match found.entry(neighbour.item) {
                Entry::Vacant(entry) => {
                    let new = Candidate { item: neighbour.item, closeness: said, loudest };
                    entry.insert(new);
                }
                Entry::Occupied(mut entry) => {
                    let candidate = entry.get_mut();
                    candidate.closeness += said;
                    candidate.loudest.join(loudest);
                }
            }
        }
    }
    let mut candidates: Vec<Candidate> = found.into_values().collect();
    candidates.sort_unstable_by(|left, right| {
        right.closeness.total_cmp(&left.closeness).then_with(|| left.item.cmp(&right.item))
    });
    candidates.truncate(most);
    candidates
}

/// What goes with a basket: first what was bought together with it, then what sells in its categories, then what sells.
pub fn bought_together(
    basket: &HashSet<ProductId>,
    candidates: &[Candidate],
    known: &Known,
) -> Vec<Recommendation> {
    let close = close(candidates, known).into_iter().map(|(product, (closeness, because))| Recommendation {
        product,
        score: band(2.0, closeness),
        because,
    });
    let mut ranked: Vec<Recommendation> = close.filter(|it| !basket.contains(&it.product)).collect();
    let mut seen: HashSet<ProductId> = basket.clone();
    seen.extend(ranked.iter().map(|it| it.product));
    let most = most_demanded(known);
    for (base, products) in [(1.0, &known.in_categories), (0.0, &known.popular)] {
        for product in products.iter().filter(|product| seen.insert(product.id)) {
            let because = match base > 0.0 {
                true => popular_in_category(product),
                false => Explanation::Popular { orders: product.order_count },
            };
            let score = band(base, product.demand / most);
            ranked.push(Recommendation { product: product.id, score, because });
        }
    }
    best(ranked)
}

/// The products of a history that speak for it: the most bought, each the louder the more often.
pub fn favourites(history: &[Purchase]) -> Vec<(ProductId, f64)> {
    let mut favourites: Vec<&Purchase> = history.iter().collect();
    favourites.sort_unstable_by_key(|it| (std::cmp::Reverse((it.order_count, it.last)), it.product));
    let voice = |it: &&Purchase| (it.product, orders(it.order_count).sqrt());
    favourites.iter().take(FAVOURITES_MAX).map(voice).collect()
}

/// What a customer may want: what he buys, what goes with it, and what sells; all the more the more it sells of late.
pub fn for_customer(history: &[Purchase], candidates: &[Candidate], known: &Known) -> Vec<Recommendation> {
    let bought: HashMap<ProductId, i64> = history.iter().map(|it| (it.product, it.order_count)).collect();
    let close = close(candidates, known);
    let most = most_demanded(known);
    let in_category: HashSet<ProductId> = known.in_categories.iter().map(|product| product.id).collect();
    let all = known.products.values().chain(&known.in_categories).chain(&known.popular);
    let offered = all.filter(|product| product.offered);
    let offered: HashMap<ProductId, &Product> = offered.map(|product| (product.id, product)).collect();
    let ranked = offered.into_iter().map(|(id, product)| {
        let times = bought.get(&id).copied().unwrap_or(0);
        let closeness = close.get(&id).map_or(0.0, |(closeness, _)| *closeness);
        let general = if in_category.contains(&id) { POPULAR_IN_CATEGORY } else { POPULAR };
        let because = match close.get(&id) {
            _ if times > 0 => Explanation::BoughtBefore { orders: times },
            Some((_, because)) => *because,
            None if in_category.contains(&id) => popular_in_category(product),
            None => Explanation::Popular { orders: product.order_count },
        };
        let wanted = times as f64 + closeness + general;
        Recommendation { product: id, score: wanted * (product.demand / most).sqrt(), because }
    });
    best(ranked.collect())
}

/// How close each product is, all items that stand for it taken together, and who says so.
fn close(candidates: &[Candidate], known: &Known) -> HashMap<ProductId, (f64, Explanation)> {
    let mut close: HashMap<ProductId, (f64, Loudest)> = HashMap::new();
    for candidate in candidates {
        let Some(product) = known.products.get(&candidate.item).filter(|product| product.offered) else {
            continue;
        };
        let closeness = candidate.closeness / orders(product.order_count).powf(OTHER_EXPONENT);
        let loudest = candidate.loudest;
        match close.entry(product.id) {
            Entry::Vacant(entry) => drop(entry.insert((closeness, loudest))),
            Entry::Occupied(mut entry) => {
                let (sum, known) = entry.get_mut();
                *sum += closeness;
                known.join(loudest);
            }
        }
    }
    let explained = |(product, (closeness, loudest)): (ProductId, (f64, Loudest))| {
        let because = Explanation::BoughtTogether { with: loudest.product, orders: loudest.orders.into() };
        (product, (closeness, because))
    };
    close.into_iter().map(explained).collect()
}

fn popular_in_category(product: &Product) -> Explanation {
    match product.category {
        Some(category) if product.order_count == 0 => Explanation::SameCategory { category },
        Some(category) => Explanation::PopularInCategory { category, orders: product.order_count },
        None => Explanation::Popular { orders: product.order_count },
    }
}

/// The demand that the others are measured by; never zero.
fn most_demanded(known: &Known) -> f64 {
    let all = known.products.values().chain(&known.in_categories).chain(&known.popular);
    all.map(|product| product.demand).fold(f64::MIN_POSITIVE, f64::max)
}

/// Orders as a divisor.
fn orders(count: i64) -> f64 {
    count.max(1) as f64
}

/// Keeps what comes for one reason above all that comes for a lesser one.
fn band(base: f64, value: f64) -> f64 {
    base + value / (1.0 + value)
}

fn best(mut ranked: Vec<Recommendation>) -> Vec<Recommendation> {
    ranked.sort_unstable_by(|left, right| {
        right.score.total_cmp(&left.score).then_with(|| left.product.cmp(&right.product))
    });
    ranked.truncate(RANKED_MAX);
    ranked
}
