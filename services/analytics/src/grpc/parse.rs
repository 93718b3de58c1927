//! Requests into values.

use std::collections::HashSet;

use kit::Currency;
use kit::parse::Fields;
use mesh::status::Problem;
use proto::analytics as pb;

use crate::domain::{Interval, ProductId, ProductOrder, Range, RangeError, Views};

type Parsed<T> = Result<T, Problem>;

const VIEWS_MAX: usize = 1_000;
const COUNT_MAX: i64 = 1_000_000;

pub fn views(message: &pb::RecordViewsRequest) -> Parsed<Vec<Views>> {
    let mut fields = Fields::new();
    fields.count("views", message.views.len(), 1..=VIEWS_MAX);
    let mut known: HashSet<(ProductId, String)> = HashSet::new();
    let views = message.views.iter().take(VIEWS_MAX).enumerate().map(|(index, views)| {
        fields.within(format!("views[{index}]"), |fields| {
            let product = fields.id("product_id", &views.product_id);
            let country = fields.country("country", &views.country);
            let count = fields.integer("count", views.count, 1..=COUNT_MAX);
            let (product, country) = (product?, country?);
            if !known.insert((product, country.clone())) {
                fields.refuse("product_id", "stands here twice for this country");
            }
            Some(Views { product, country, count: count? })
        })
    });
    let views: Vec<Option<Views>> = views.collect();
    fields.build(|| views.into_iter().collect()).map_err(Problem::invalid)
}

/// The range, the intervals that it is cut into, and the currency.
pub fn sales(message: &pb::GetSalesRequest) -> Parsed<(Range, Vec<Range>, Currency)> {
    let mut fields = Fields::new();
    let range = range(&mut fields, message.range.as_ref());
    let currency = fields.currency("currency_code", &message.currency_code);
    let interval = match message.interval {
        0 => Some(pb::SalesInterval::Unspecified),
        interval => fields.choice("interval", interval),
    };
    let parts = range.zip(interval.map(self::interval)).and_then(|(range, interval)| {
        let parts = range.cut(interval);
        parts.map_err(|error| fields.refuse("interval", error.to_string())).ok()
    });
    fields.build(|| Some((range?, parts?, currency?))).map_err(Problem::invalid)
}

pub fn country_sales(message: &pb::ListCountrySalesRequest) -> Parsed<(Range, Currency)> {
    let mut fields = Fields::new();
    let range = range(&mut fields, message.range.as_ref());
    let currency = fields.currency("currency_code", &message.currency_code);
    fields.build(|| Some((range?, currency?))).map_err(Problem::invalid)
}

pub fn product_sales(message: &pb::ListProductSalesRequest) -> Parsed<(Range, Currency, ProductOrder)> {
    let mut fields = Fields::new();
    let range = range(&mut fields, message.range.as_ref());
    let currency = fields.currency("currency_code", &message.currency_code);
    let sort = match message.sort {
        0 => Some(pb::ProductSalesSort::Unspecified),
        sort => fields.choice("sort", sort),
    };
    let order = |sort| match sort {
        pb::ProductSalesSort::Unspecified | pb::ProductSalesSort::Revenue => ProductOrder::Revenue,
        pb::ProductSalesSort::Units => ProductOrder::Units,
    };
    fields.build(|| Some((range?, currency?, sort.map(order)?))).map_err(Problem::invalid)
}

pub fn funnel(message: &pb::GetFunnelRequest) -> Parsed<Range> {
    let mut fields = Fields::new();
    let range = range(&mut fields, message.range.as_ref());
    fields.build(|| range).map_err(Problem::invalid)
}

pub fn payment_outcomes(message: &pb::GetPaymentOutcomesRequest) -> Parsed<(Range, Currency)> {
    let mut fields = Fields::new();
    let range = range(&mut fields, message.range.as_ref());
    let currency = fields.currency("currency_code", &message.currency_code);
    fields.build(|| Some((range?, currency?))).map_err(Problem::invalid)
}

fn range(fields: &mut Fields, range: Option<&pb::DateRange>) -> Option<Range> {
    let range = fields.present("range", range)?;
    fields.within("range", |fields| {
        let start = fields.parsed("start_date", &range.start_date);
        let end = fields.parsed("end_date", &range.end_date);
        let range: Result<Range, RangeError> = Range::new(start?, end?);
        range.map_err(|error| fields.refuse("end_date", error.to_string())).ok()
    })
}

fn interval(interval: pb::SalesInterval) -> Interval {
    match interval {
        pb::SalesInterval::Unspecified | pb::SalesInterval::Day => Interval::Day,
        pb::SalesInterval::Week => Interval::Week,
        pb::SalesInterval::Month => Interval::Month,
    }
}
