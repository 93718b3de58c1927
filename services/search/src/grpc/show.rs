//! Answers as messages.

use kit::{Currency, Money};
use proto::common;
use proto::search as pb;
use proto::search::filter::Condition;

use crate::app::{Facet, FacetValue, Shown};
use crate::domain::{FacetKind, Filter, Range, SCORE_MAX, Span};

/// Scores on the wire are thousandths.
const SCORE_SHOWN_MAX: u64 = 1_000;

pub fn hit(hit: Shown) -> pb::Hit {
    let score = hit.score * SCORE_SHOWN_MAX / u64::from(SCORE_MAX);
    let span = |span: Span| pb::Span { text: span.text, matched: span.matched };
    let highlight = |(field, spans): (&str, Vec<Span>)| pb::Highlight {
        field: field.to_owned(),
        spans: spans.into_iter().map(span).collect(),
    };
    pb::Hit {
        product_id: hit.product.to_string(),
        score: i32::try_from(score).unwrap_or(i32::MAX),
        highlights: hit.highlights.into_iter().map(highlight).collect(),
    }
}

/// Prices are shown in the currency of the request.
pub fn facet(facet: Facet, currency: Option<Currency>) -> pb::Facet {
    let kind = match facet.kind {
        FacetKind::Category => pb::FacetKind::Category,
        FacetKind::Price => pb::FacetKind::Price,
        FacetKind::Option => pb::FacetKind::Option,
        FacetKind::Rating => pb::FacetKind::Rating,
        FacetKind::Availability => pb::FacetKind::Availability,
        FacetKind::Vendor => pb::FacetKind::Vendor,
    };
    let value = |value: FacetValue| pb::FacetValue {
        label: value.label,
        count: value.count,
        filter: Some(filter(value.filter, currency)),
        selected: value.selected,
    };
    pb::Facet { kind: kind.into(), name: facet.name, values: facet.values.into_iter().map(value).collect() }
}

fn filter(filter: Filter, currency: Option<Currency>) -> pb::Filter {
    let condition = match filter {
        Filter::Category(id) => Condition::CategoryId(id.to_string()),
        Filter::Price(range) => Condition::Price(price(range, currency)),
        Filter::Option { name, value } => Condition::Option(pb::OptionValue { name, value }),
        Filter::RatingMin(stars) => Condition::RatingMin(stars.into()),
        Filter::Available(available) => Condition::Available(available),
        Filter::Vendor(vendor) => Condition::Vendor(vendor),
        Filter::ProductType(name) => Condition::ProductType(name),
        Filter::Tag(tag) => Condition::Tag(tag),
    };
    pb::Filter { condition: Some(condition) }
}

fn price(range: Range, currency: Option<Currency>) -> pb::PriceRange {
    let end = |amount: Option<i64>| Some(common::Money::from(Money::new(currency?, amount?)));
    pb::PriceRange { min: end(range.min), max: end(range.max) }
}
