//! Requests, read into questions.

use kit::Currency;
use kit::parse::{Fields, Violation};
use proto::common::Money;
use proto::search as pb;
use proto::search::filter::Condition;

use crate::app::Question;
use crate::domain::{FacetKind, Filter, Range, Sort};

const QUERY_BYTES_MAX: usize = 16 * 1024;
const FILTERS_MAX: usize = 100;
const FACETS_MAX: usize = 6;
const LABEL_LENGTH_MAX: usize = 255;
const PREDICTIONS_DEFAULT: usize = 5;
const PREDICTIONS_MAX: i64 = 20;

pub fn question(message: &pb::SearchProductsRequest) -> Result<Question, Vec<Violation>> {
    let mut fields = Fields::new();
    let query = query(&mut fields, &message.query);
    let currency = match message.currency_code.as_str() {
        "" => None,
        code => fields.currency("currency_code", code),
    };
    fields.count("filters", message.filters.len(), 0..=FILTERS_MAX);
    fields.count("facets", message.facets.len(), 0..=FACETS_MAX);
    let filters = message.filters.iter().take(FILTERS_MAX).enumerate();
    let filters: Option<Vec<Filter>> = filters
        .map(|(at, wire)| fields.within(format!("filters[{at}]"), |fields| filter(fields, wire, currency)))
        .collect();
    let facets = message.facets.iter().take(FACETS_MAX).enumerate();
    let facets: Option<Vec<FacetKind>> =
        facets.map(|(at, wire)| fields.choice(&format!("facets[{at}]"), *wire).and_then(facet)).collect();
    let sort = match message.sort {
        0 => None,
        sort => fields.choice::<pb::SearchSort>("sort", sort).and_then(self::sort),
    };
    let priced = facets.as_ref().is_some_and(|facets| facets.contains(&FacetKind::Price))
        || filters.as_ref().is_some_and(|filters| filters.iter().any(|f| matches!(f, Filter::Price(_))))
        || sort == Some(Sort::Price);
    if priced && message.currency_code.is_empty() {
        fields.refuse("currency_code", "is required where prices count");
    }
    fields.build(|| {
        Some(Question {
            query: query?,
            filters: filters?,
            sort,
            reverse: message.reverse,
            currency,
            facets: facets?,
            highlights: message.with_highlights,
        })
    })
}

/// How many completions and products to predict.
pub fn prediction(message: &pb::PredictSearchRequest) -> Result<(usize, usize), Vec<Violation>> {
    let mut fields = Fields::new();
    let query = query(&mut fields, &message.query);
    let mut count = |field, value: i32| {
        let count = fields.integer(field, value, 0..=PREDICTIONS_MAX)?;
        usize::try_from(count).ok().map(|count| if count == 0 { PREDICTIONS_DEFAULT } else { count })
    };
    let completions = count("completions_max", message.completions_max);
    let products = count("products_max", message.products_max);
    fields.build(|| {
        query?;
        Some((completions?, products?))
    })
}

/// Any text is a query; what is no word in it is passed over.
fn query(fields: &mut Fields, text: &str) -> Option<String> {
    if text.len() > QUERY_BYTES_MAX {
        fields.refuse("query", format!("must have at most {QUERY_BYTES_MAX} bytes"));
        return None;
    }
    Some(text.to_owned())
}

fn filter(fields: &mut Fields, wire: &pb::Filter, currency: Option<Currency>) -> Option<Filter> {
    let label =
        |fields: &mut Fields, field: &str, value: &str| fields.text(field, value, 1..=LABEL_LENGTH_MAX);
    match fields.present("condition", wire.condition.as_ref())? {
        Condition::CategoryId(id) => Some(Filter::Category(fields.id("category_id", id)?)),
        Condition::Price(range) => fields.within("price", |fields| price(fields, range, currency)),
        Condition::Option(option) => {
            let name = label(fields, "option.name", &option.name);
            let value = label(fields, "option.value", &option.value);
            Some(Filter::Option { name: name?, value: value? })
        }
        Condition::RatingMin(stars) => {
            let stars = fields.integer("rating_min", *stars, 1..=5)?;
            Some(Filter::RatingMin(u8::try_from(stars).ok()?))
        }
        Condition::Available(available) => Some(Filter::Available(*available)),
        Condition::Vendor(vendor) => Some(Filter::Vendor(label(fields, "vendor", vendor)?)),
        Condition::ProductType(name) => Some(Filter::ProductType(label(fields, "product_type", name)?)),
        Condition::Tag(tag) => Some(Filter::Tag(label(fields, "tag", tag)?)),
    }
}

fn price(fields: &mut Fields, wire: &pb::PriceRange, currency: Option<Currency>) -> Option<Filter> {
    if wire.min.is_none() && wire.max.is_none() {
        fields.refuse("min", "or max is required");
        return None;
    }
    let mut end = |field, money: &Option<Money>| -> Option<Option<i64>> {
        let Some(money) = money else { return Some(None) };
        let money = fields.money(field, Some(money))?;
        if currency.is_some_and(|currency| currency != money.currency()) {
            fields.refuse(field, "must be in the currency of the request");
            return None;
        }
        Some(Some(money.minor_units()))
    };
    let (min, max) = (end("min", &wire.min), end("max", &wire.max));
    Some(Filter::Price(Range { min: min?, max: max? }))
}

fn facet(wire: pb::FacetKind) -> Option<FacetKind> {
    match wire {
        pb::FacetKind::Unspecified => None,
        pb::FacetKind::Category => Some(FacetKind::Category),
        pb::FacetKind::Price => Some(FacetKind::Price),
        pb::FacetKind::Option => Some(FacetKind::Option),
        pb::FacetKind::Rating => Some(FacetKind::Rating),
        pb::FacetKind::Availability => Some(FacetKind::Availability),
        pb::FacetKind::Vendor => Some(FacetKind::Vendor),
    }
}

fn sort(wire: pb::SearchSort) -> Option<Sort> {
    match wire {
        pb::SearchSort::Unspecified => None,
        pb::SearchSort::Relevance => Some(Sort::Relevance),
        pb::SearchSort::Price => Some(Sort::Price),
        pb::SearchSort::Newest => Some(Sort::Newest),
        pb::SearchSort::Rating => Some(Sort::Rating),
        pb::SearchSort::Title => Some(Sort::Title),
    }
}
