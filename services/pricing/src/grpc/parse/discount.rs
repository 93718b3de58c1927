//! Discounts as staff write them.

use kit::parse::Fields;
use mesh::status::Problem;
use proto::pricing as pb;
use proto::pricing::discount::Value as Given;

use super::Parsed;
use crate::domain::{Code, DiscountId, Patch, Terms, Value};

/// What an update may name. The three kinds of value exclude each other.
const PATHS: [&str; 11] = [
    "code",
    "percent_ppm",
    "amount",
    "free_shipping",
    "minimum",
    "limit_total",
    "limit_per_customer",
    "start_time",
    "end_time",
    "combinable",
    "disabled",
];

pub fn created_discount(message: &pb::CreateDiscountRequest) -> Parsed<Terms> {
    let mut fields = Fields::new();
    let given = fields.present("discount", message.discount.as_ref());
    let patch = given.and_then(|given| fields.within("discount", |fields| patch(fields, given, |_| true)));
    let terms = || {
        let patch = patch?;
        Some(Terms {
            code: patch.code?,
            value: patch.value?,
            minimum: patch.minimum?,
            limit_total: patch.limit_total?,
            limit_per_customer: patch.limit_per_customer?,
            starts: patch.starts?,
            ends: patch.ends?,
            combinable: patch.combinable?,
            disabled: patch.disabled?,
        })
    };
    fields.build(terms).map_err(Problem::invalid)
}

pub fn updated_discount(message: &pb::UpdateDiscountRequest) -> Parsed<(DiscountId, Option<i64>, Patch)> {
    let mut fields = Fields::new();
    let empty = Vec::new();
    let paths = message.update_mask.as_ref().map_or(&empty, |mask| &mask.paths);
    fields.count("update_mask", paths.len(), 1..=PATHS.len());
    if paths.iter().any(|path| !PATHS.contains(&path.as_str())) {
        fields.refuse("update_mask", "names what is no field of a discount that staff write");
    }
    let etag = fields.etag(&message.etag);
    let given = fields.present("discount", message.discount.as_ref());
    let named = |path: &str| paths.iter().any(|named| named == path);
    let read = given.and_then(|given| {
        fields.within("discount", |fields| {
            let id = fields.id("id", &given.id);
            Some((id?, patch(fields, given, named)?))
        })
    });
    let all = || {
        let (id, patch) = read?;
        Some((id, etag?, patch))
    };
    fields.build(all).map_err(Problem::invalid)
}

/// Reads what is named, and nothing else.
fn patch(fields: &mut Fields, given: &pb::Discount, named: impl Fn(&str) -> bool) -> Option<Patch> {
    let mut patch = Patch::default();
    if named("code") {
        patch.code = code(fields, &given.code);
    }
    if ["percent_ppm", "amount", "free_shipping"].into_iter().any(&named) {
        patch.value = value(fields, given.value.as_ref(), &named);
    }
    if named("minimum") {
        let minimum = given.minimum.as_ref();
        patch.minimum = match minimum {
            None => Some(None),
            Some(_) => fields.money("minimum", minimum).map(Some),
        };
    }
    if named("limit_total") {
        patch.limit_total = limit(fields, "limit_total", given.limit_total);
    }
    if named("limit_per_customer") {
        patch.limit_per_customer = limit(fields, "limit_per_customer", given.limit_per_customer);
    }
    if named("start_time") {
        patch.starts = time(fields, "start_time", given.start_time.as_ref());
    }
    if named("end_time") {
        patch.ends = time(fields, "end_time", given.end_time.as_ref());
    }
    patch.combinable = named("combinable").then_some(given.combinable);
    patch.disabled = named("disabled").then_some(given.disabled);
    Some(patch)
}

fn code(fields: &mut Fields, text: &str) -> Option<Code> {
    let code = Code::of_discount(text);
    if code.is_none() {
        fields.refuse("code", "must be 3 to 32 of A-Z, 0-9, \"-\" and \"_\"");
    }
    code
}

/// A value, if its own kind is the one that is named.
fn value(fields: &mut Fields, given: Option<&Given>, named: impl Fn(&str) -> bool) -> Option<Value> {
    let Some(given) = given else {
        fields.refuse("value", "must be percent_ppm, amount or free_shipping");
        return None;
    };
    let path = match given {
        Given::PercentPpm(_) => "percent_ppm",
        Given::Amount(_) => "amount",
        Given::FreeShipping(_) => "free_shipping",
    };
    if !named(path) {
        fields.refuse(path, "is another kind of value than update_mask names");
        return None;
    }
    match given {
        Given::PercentPpm(ppm) => fields.integer(path, *ppm, 1..=1_000_000).map(Value::Percent),
        Given::Amount(amount) => match fields.money(path, Some(amount))? {
            amount if amount.minor_units() > 0 => Some(Value::Amount(amount)),
            _ => refused(fields, path, "must be above zero"),
        },
        Given::FreeShipping(true) => Some(Value::FreeShipping),
        Given::FreeShipping(false) => refused(fields, path, "must be true"),
    }
}

fn refused<T>(fields: &mut Fields, field: &str, why: &str) -> Option<T> {
    fields.refuse(field, why);
    None
}

/// 0 stands for no limit.
fn limit(fields: &mut Fields, field: &str, limit: i64) -> Option<Option<i64>> {
    let limit = fields.integer(field, limit, 0..=1_000_000_000)?;
    Some((limit > 0).then_some(limit))
}

fn time(
    fields: &mut Fields,
    field: &str,
    time: Option<&prost_types::Timestamp>,
) -> Option<Option<kit::Timestamp>> {
    match time {
        None => Some(None),
        time => fields.time(field, time).map(Some),
    }
}
