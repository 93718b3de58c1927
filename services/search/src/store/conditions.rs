//! Filters against the columns of one segment.

use std::collections::BTreeMap;
use std::ops::Range as Ords;
use std::sync::Arc;

use tantivy::columnar::{Column, StrColumn};

use super::entity::{BETWEEN, option_term};
use super::snapshot::Columns;
use crate::domain::{Conditions, Range};

/// What a filter belongs to. A product that fails one group alone still counts for the facet of that group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Category,
    Price,
    /// The number of the name among those that are filtered by.
    Option(usize),
    Rating,
    Availability,
    Vendor,
    /// Filters that no facet counts.
    Other,
}

/// What became of one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    /// By one group alone.
    Failed(Group),
    FailedTwice,
}

/// The filters that there are, in the terms of one segment.
pub struct Filters {
    columns: Arc<Columns>,
    price: Option<Column<i64>>,
    categories: Option<Vec<u64>>,
    prices: Vec<Range>,
    /// Of each name, the values asked for and where all of its values lie.
    pub options: Vec<(Vec<u64>, Ords<u64>)>,
    rating_min: Option<u64>,
    available: Option<bool>,
    vendors: Option<Vec<u64>>,
    product_types: Option<Vec<u64>>,
    tags: Option<Vec<u64>>,
}

impl Filters {
    pub fn new(
        columns: Arc<Columns>,
        price: Option<Column<i64>>,
        conditions: &Conditions,
    ) -> tantivy::Result<Self> {
        let categories: Option<Vec<String>> =
            conditions.categories.as_ref().map(|ids| ids.iter().map(ToString::to_string).collect());
        let given = |values: &Vec<String>| (!values.is_empty()).then(|| values.clone());
        // Both of them, or none of them asked for, is no filter.
        let mut available = conditions.available.clone();
        available.sort_unstable();
        available.dedup();
        Ok(Self {
            categories: ords(columns.category.as_ref(), categories)?,
            prices: conditions.prices.clone(),
            options: options(columns.option.as_ref(), &conditions.options)?,
            rating_min: conditions.rating_min.map(|stars| u64::from(stars) * 100),
            available: if available.len() == 1 { available.first().copied() } else { None },
            vendors: ords(columns.vendor.as_ref(), given(&conditions.vendors))?,
            product_types: ords(columns.product_type.as_ref(), given(&conditions.product_types))?,
            tags: ords(columns.tag.as_ref(), given(&conditions.tags))?,
            columns,
            price,
        })
    }

    pub fn judge(&self, document: u32) -> Verdict {
        let mut verdict = Verdict::Passed;
        let mut fails = |group| {
            verdict = match verdict {
                Verdict::Passed => Verdict::Failed(group),
                _ => Verdict::FailedTwice,
            };
            verdict == Verdict::FailedTwice
        };
        let columns = &self.columns;
        let lacks = |column: &Option<StrColumn>, wanted: &Option<Vec<u64>>| match wanted {
            Some(wanted) => !has_any(column.as_ref(), document, wanted),
            None => false,
        };
        if lacks(&columns.category, &self.categories) && fails(Group::Category) {
            return Verdict::FailedTwice;
        }
        if lacks(&columns.vendor, &self.vendors) && fails(Group::Vendor) {
            return Verdict::FailedTwice;
        }
        if lacks(&columns.product_type, &self.product_types) && fails(Group::Other) {
            return Verdict::FailedTwice;
        }
        if lacks(&columns.tag, &self.tags) && fails(Group::Other) {
            return Verdict::FailedTwice;
        }
        if self.is_priced_otherwise(document) && fails(Group::Price) {
            return Verdict::FailedTwice;
        }
        let unrated = self.rating_min.is_some_and(|min| columns.rating.first(document) < Some(min));
        if unrated && fails(Group::Rating) {
            return Verdict::FailedTwice;
        }
        let available = columns.available.first(document);
        if self.available.is_some_and(|wanted| available != Some(wanted)) && fails(Group::Availability) {
            return Verdict::FailedTwice;
        }
        for (number, (wanted, _)) in self.options.iter().enumerate() {
            if !has_any(columns.option.as_ref(), document, wanted) && fails(Group::Option(number)) {
                return Verdict::FailedTwice;
            }
        }
        verdict
    }

    pub fn price_of(&self, document: u32) -> Option<i64> {
        self.price.as_ref()?.first(document)
    }

    fn is_priced_otherwise(&self, document: u32) -> bool {
        if self.prices.is_empty() {
            return false;
        }
        let Some(price) = self.price_of(document) else { return true };
        !self.prices.iter().any(|range| range.holds(price))
    }
}

fn has_any(column: Option<&StrColumn>, document: u32, wanted: &[u64]) -> bool {
    let Some(column) = column else { return false };
    column.ords().values_for_doc(document).any(|ord| wanted.binary_search(&ord).is_ok())
}

/// The ordinals of the texts that the segment has, sorted.
fn ords(column: Option<&StrColumn>, texts: Option<Vec<String>>) -> tantivy::Result<Option<Vec<u64>>> {
    let Some(texts) = texts else { return Ok(None) };
    let mut ords = Vec::new();
    if let Some(column) = column {
        for text in texts {
            ords.extend(column.dictionary().term_ord(text.as_bytes())?);
        }
    }
    ords.sort_unstable();
    Ok(Some(ords))
}

fn options(
    column: Option<&StrColumn>,
    wanted: &BTreeMap<String, Vec<String>>,
) -> tantivy::Result<Vec<(Vec<u64>, Ords<u64>)>> {
    let mut options = Vec::new();
    for (name, values) in wanted {
        let terms = values.iter().map(|value| option_term(name, value)).collect();
        let wanted = ords(column, Some(terms))?.unwrap_or_default();
        let all = match column {
            Some(column) => {
                let from = next_ord(column, &format!("{name}{BETWEEN}"))?;
                from..next_ord(column, &format!("{name}{}", char::from(BETWEEN as u8 + 1)))?
            }
            None => 0..0,
        };
        options.push((wanted, all));
    }
    Ok(options)
}

/// The ordinal of the first text that is not before this one.
pub fn next_ord(column: &StrColumn, text: &str) -> tantivy::Result<u64> {
    use tantivy::termdict::TermOrdinal;
    let end = column.num_terms() as TermOrdinal;
    let (from, _) = column
        .dictionary()
        .term_bounds_to_ord(std::ops::Bound::Included(text), std::ops::Bound::Unbounded)?;
    Ok(match from {
        std::ops::Bound::Included(ord) => ord.min(end),
        std::ops::Bound::Excluded(ord) => (ord + 1).min(end),
        std::ops::Bound::Unbounded => 0,
    })
}
