//! Filters, and how products divide by what can be filtered.

use std::collections::BTreeMap;

use super::product::CategoryId;

/// What products can be divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FacetKind {
    Category,
    Price,
    Option,
    Rating,
    Availability,
    Vendor,
}

/// Both ends inclusive, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub min: Option<i64>,
    pub max: Option<i64>,
}

impl Range {
    pub fn holds(self, amount: i64) -> bool {
        self.min.is_none_or(|min| amount >= min) && self.max.is_none_or(|max| amount <= max)
    }
}

/// One condition, as it was asked for and as a facet's value gives it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    Category(CategoryId),
    Price(Range),
    Option {
        name: String,
        value: String,
    },
    /// Whole stars.
    RatingMin(u8),
    Available(bool),
    Vendor(String),
    ProductType(String),
    Tag(String),
}

/// Filters by kind: of one kind any must hold, of different kinds all.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// Those asked for, with all categories below them.
    pub categories: Option<Vec<CategoryId>>,
    pub prices: Vec<Range>,
    /// By the name of the option.
    pub options: BTreeMap<String, Vec<String>>,
    pub rating_min: Option<u8>,
    pub available: Vec<bool>,
    pub vendors: Vec<String>,
    pub product_types: Vec<String>,
    pub tags: Vec<String>,
}

impl Conditions {
    /// `below` answers a category and all that lie in it.
    pub fn new(filters: &[Filter], below: impl Fn(CategoryId) -> Vec<CategoryId>) -> Self {
        let mut all = Self::default();
        for filter in filters {
            match filter.clone() {
                Filter::Category(id) => all.categories.get_or_insert_default().extend(below(id)),
                Filter::Price(range) => all.prices.push(range),
                Filter::Option { name, value } => all.options.entry(name).or_default().push(value),
                Filter::RatingMin(stars) => {
                    all.rating_min = Some(all.rating_min.map_or(stars, |known| known.min(stars)));
                }
                Filter::Available(available) => all.available.push(available),
                Filter::Vendor(vendor) => all.vendors.push(vendor),
                Filter::ProductType(product_type) => all.product_types.push(product_type),
                Filter::Tag(tag) => all.tags.push(tag),
            }
        }
        all
    }
}

/// How many products have what.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// By the product's own category.
    pub categories: BTreeMap<CategoryId, i64>,
    /// By [`price_band`].
    pub prices: BTreeMap<usize, i64>,
    pub options: BTreeMap<(String, String), i64>,
    /// At least one, two … five stars.
    pub ratings: [i64; 5],
    pub available: i64,
    pub sold_out: i64,
    pub vendors: BTreeMap<String, i64>,
}

impl Counts {
    pub fn add(&mut self, other: Self) {
        merge(&mut self.categories, other.categories);
        merge(&mut self.prices, other.prices);
        merge(&mut self.options, other.options);
        merge(&mut self.vendors, other.vendors);
        for (count, more) in self.ratings.iter_mut().zip(other.ratings) {
            *count += more;
        }
        self.available += other.available;
        self.sold_out += other.sold_out;
    }
}

fn merge<K: Ord>(counts: &mut BTreeMap<K, i64>, others: BTreeMap<K, i64>) {
    for (key, count) in others {
        *counts.entry(key).or_default() += count;
    }
}

/// 1, 2, 5, 10, 20, 50 … of the currency's smallest unit: the same bands for every query, so that a filter of one
/// answer can be sent with any other query.
pub const PRICE_BANDS: usize = 56;

/// The band of an amount.
pub fn price_band(amount: i64) -> usize {
    (0..PRICE_BANDS - 1).find(|band| amount < lower_end(band + 1)).unwrap_or(PRICE_BANDS - 1)
}

/// What the band holds.
pub fn price_range(band: usize) -> Range {
    let min = (band > 0).then(|| lower_end(band));
    let max = (band + 1 < PRICE_BANDS).then(|| lower_end(band + 1) - 1);
    Range { min, max }
}

fn lower_end(band: usize) -> i64 {
    let Some(step) = band.checked_sub(1) else { return 0 };
    let power = u32::try_from(step / 3).unwrap_or(u32::MAX);
    let factor = [1, 2, 5].get(step % 3).copied().unwrap_or(1);
    10_i64.saturating_pow(power).saturating_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_amount_lies_in_the_range_of_its_band_and_in_no_other() {
        for amount in [0, 1, 2, 4, 5, 99, 100, 499, 500, 1_999, 2_000, 123_456, i64::MAX] {
            let holding: Vec<usize> =
                (0..PRICE_BANDS).filter(|band| price_range(*band).holds(amount)).collect();

            assert_eq!(holding, [price_band(amount)], "{amount}");
        }
    }

    #[test]
    fn a_band_reads_well_on_a_page() {
        assert_eq!(price_range(price_band(1_250)), Range { min: Some(1_000), max: Some(1_999) });
        assert_eq!(price_range(price_band(499)), Range { min: Some(200), max: Some(499) });
    }
}
