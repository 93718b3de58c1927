//! An order as far as it teaches something.

use std::collections::{HashMap, HashSet};

use kit::{Id, Timestamp};

use super::{CustomerId, ItemId, Neighbours, ProductId};

/// What is beyond this in one order teaches nothing.
pub const BASKET_ITEMS_MAX: usize = 1_500;
/// Items further apart in an order are not paired: what was put in one after the other belongs together most. It also
/// bounds what one order writes: a basket of 1,112 items has 13,266 pairs, not 617,716.
pub const PAIR_DISTANCE_MAX: usize = 12;
/// After so long a sale counts half of one today.
const HALF_LIFE_DAYS: f64 = 30.0;
/// Sales are weighed against a fixed day, so that sums can be compared whenever each was last added to. Forty years from
/// it the figures are still far from the ends of what a double holds.
const EPOCH_DAYS: f64 = 20_089.0;
const DAYS_FROM_EPOCH_MAX: f64 = 15_000.0;
const MICROSECONDS_PER_DAY: f64 = 86_400_000_000.0;

/// One line: the product, if the order names it, and the item that its SKU stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bought {
    pub product: Option<ProductId>,
    pub sku: Option<ItemId>,
}

/// Who bought what and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub customer: Option<CustomerId>,
    pub bought: Vec<Bought>,
    pub placed: Timestamp,
}

impl Order {
    /// The SKUs of lines that name no product.
    pub fn unknown_skus(&self) -> Vec<ItemId> {
        let unknown = self.bought.iter().filter(|line| line.product.is_none());
        unknown.filter_map(|line| line.sku).take(BASKET_ITEMS_MAX).collect()
    }

    /// Its items in order, each once. `products` says which SKUs have found their product.
    pub fn items(&self, products: &HashMap<ItemId, ProductId>) -> Vec<ItemId> {
        let item = |line: &Bought| {
            let known = line.product.or_else(|| products.get(&line.sku?).copied());
            known.map(|product| Id::from_uuid(product.as_uuid())).or(line.sku)
        };
        let mut seen = HashSet::new();
        let items = self.bought.iter().filter_map(item).filter(|item| seen.insert(*item));
        items.take(BASKET_ITEMS_MAX).collect()
    }

    /// What this order adds to the recent demand for each of its items: 1 on a fixed day, twice as much for every half-life
    /// after it. Sums of it add up in any order, and never need to be aged.
    pub fn demand(&self) -> f64 {
        let days = self.placed.timestamp_micros() as f64 / MICROSECONDS_PER_DAY - EPOCH_DAYS;
        (days.clamp(-DAYS_FROM_EPOCH_MAX, DAYS_FROM_EPOCH_MAX) / HALF_LIFE_DAYS).exp2()
    }
}

/// Lets the item at `place` of a basket meet those around it.
pub fn meet_around(neighbours: &mut Neighbours, items: &[ItemId], place: usize) {
    let first = place.saturating_sub(PAIR_DISTANCE_MAX);
    let around = items.iter().enumerate().skip(first).take(place - first + PAIR_DISTANCE_MAX + 1);
    for (other, item) in around.filter(|(other, _)| *other != place) {
        neighbours.meet(*item, weight(items.len(), other.abs_diff(place)));
    }
    neighbours.settle();
}

/// What one meeting says: less in a large basket, and less the further apart the two stand.
fn weight(basket: usize, distance: usize) -> f32 {
    let basket = (basket as f32 + 2.0).ln();
    1.0 / (basket * distance as f32)
}
