//! Facets of one segment, counted by the ordinals of its columns and named at the end.

use tantivy::columnar::StrColumn;

use super::conditions::{Filters, Group};
use super::entity::BETWEEN;
use super::snapshot::Columns;
use crate::domain::{Counts, FacetKind, PRICE_BANDS, price_band};

/// Counts of the facets that were asked for.
pub struct Tally {
    facets: Vec<FacetKind>,
    categories: Vec<i64>,
    vendors: Vec<i64>,
    options: Vec<i64>,
    prices: Vec<i64>,
    ratings: [i64; 5],
    available: i64,
    sold_out: i64,
}

impl Tally {
    pub fn new(columns: &Columns, facets: &[FacetKind]) -> Self {
        let room = |kind, column: &Option<StrColumn>| match (facets.contains(&kind), column) {
            (true, Some(column)) => vec![0; column.num_terms()],
            _ => Vec::new(),
        };
        Self {
            categories: room(FacetKind::Category, &columns.category),
            vendors: room(FacetKind::Vendor, &columns.vendor),
            options: room(FacetKind::Option, &columns.option),
            prices: vec![0; PRICE_BANDS],
            ratings: [0; 5],
            available: 0,
            sold_out: 0,
            facets: facets.to_vec(),
        }
    }

    /// Counts a document: for all facets, or for that of the one group that it fails.
    pub fn count(&mut self, failed: Option<Group>, document: u32, columns: &Columns, filters: &Filters) {
        let wanted = |kind, group| self.facets.contains(&kind) && failed.is_none_or(|failed| failed == group);
        let [category, vendor, price, rating, availability] = [
            wanted(FacetKind::Category, Group::Category),
            wanted(FacetKind::Vendor, Group::Vendor),
            wanted(FacetKind::Price, Group::Price),
            wanted(FacetKind::Rating, Group::Rating),
            wanted(FacetKind::Availability, Group::Availability),
        ];
        if category {
            add_ords(&mut self.categories, columns.category.as_ref(), document);
        }
        if vendor {
            add_ords(&mut self.vendors, columns.vendor.as_ref(), document);
        }
        if price && let Some(amount) = filters.price_of(document) {
            add(&mut self.prices, price_band(amount));
        }
        if rating && let Some(hundredths) = columns.rating.first(document) {
            for (stars, count) in (1..).zip(&mut self.ratings) {
                *count += i64::from(hundredths >= stars * 100);
            }
        }
        if availability {
            match columns.available.first(document) {
                Some(true) => self.available += 1,
                _ => self.sold_out += 1,
            }
        }
        self.count_options(failed, document, columns, filters);
    }

    fn count_options(&mut self, failed: Option<Group>, document: u32, columns: &Columns, filters: &Filters) {
        if !self.facets.contains(&FacetKind::Option) {
            return;
        }
        match failed {
            None => add_ords(&mut self.options, columns.option.as_ref(), document),
            Some(Group::Option(number)) => {
                let (Some((_, all)), Some(column)) = (filters.options.get(number), &columns.option) else {
                    return;
                };
                for ord in column.ords().values_for_doc(document).filter(|ord| all.contains(ord)) {
                    add(&mut self.options, ord as usize);
                }
            }
            Some(_) => {}
        }
    }

    /// The counts by name, those of nothing left out.
    pub fn named(&self, columns: &Columns) -> tantivy::Result<Counts> {
        let mut counts = Counts {
            ratings: self.ratings,
            available: self.available,
            sold_out: self.sold_out,
            ..Counts::default()
        };
        name(&self.categories, columns.category.as_ref(), |text, count| {
            if let Ok(id) = text.parse() {
                counts.categories.insert(id, count);
            }
        })?;
        name(&self.vendors, columns.vendor.as_ref(), |text, count| {
            counts.vendors.insert(text.to_owned(), count);
        })?;
        name(&self.options, columns.option.as_ref(), |text, count| {
            if let Some((name, value)) = text.split_once(BETWEEN) {
                counts.options.insert((name.to_owned(), value.to_owned()), count);
            }
        })?;
        let prices = self.prices.iter().copied().enumerate().filter(|(_, count)| *count > 0);
        counts.prices = prices.collect();
        Ok(counts)
    }
}

fn add(counts: &mut [i64], at: usize) {
    if let Some(count) = counts.get_mut(at) {
        *count += 1;
    }
}

fn add_ords(counts: &mut [i64], column: Option<&StrColumn>, document: u32) {
    let Some(column) = column else { return };
    for ord in column.ords().values_for_doc(document) {
        add(counts, ord as usize);
    }
}

fn name(counts: &[i64], column: Option<&StrColumn>, mut named: impl FnMut(&str, i64)) -> tantivy::Result<()> {
    let Some(column) = column else { return Ok(()) };
    let counted = || (0_u64..).zip(counts).filter(|(_, count)| **count > 0);
    let ords: Vec<u64> = counted().map(|(ord, _)| ord).collect();
    let mut count = counted().map(|(_, count)| *count);
    column.dictionary().sorted_ords_to_term_cb(&ords, |text| {
        if let (Ok(text), Some(count)) = (std::str::from_utf8(text), count.next()) {
            named(text, count);
        }
    })?;
    Ok(())
}
