//! Requests into values of the domain.

mod discount;
mod method;

use kit::parse::{BATCH_MAX, Fields};
use kit::{Id, Timestamp};
use mesh::status::Problem;
use proto::pricing as pb;

use crate::app::{Basket, Wishes};
use crate::domain::tax::{RATE_PPM_MAX, Rule};
use crate::domain::{CheckoutId, Code, Customer, VariantId};

pub use discount::{created_discount, updated_discount};
pub use method::{created_method, updated_method};

const LINES_MAX: usize = 1_200;
const QUANTITY_MAX: i64 = 10_000;
const CODES_MAX: usize = 10;
const PLACE_LENGTH_MAX: usize = 100;
const TAX_CLASS_LENGTH_MAX: usize = 64;

type Parsed<T> = Result<T, Problem>;

pub fn id<T>(field: &str, value: &str) -> Parsed<Id<T>> {
    let mut fields = Fields::new();
    let id = fields.id(field, value);
    fields.build(|| id).map_err(Problem::invalid)
}

pub fn ids<T>(field: &str, values: &[String]) -> Parsed<Vec<Id<T>>> {
    let mut fields = Fields::new();
    let ids = fields.ids(field, values, 0..=BATCH_MAX);
    fields.build(|| ids).map_err(Problem::invalid)
}

pub fn quote(message: &pb::QuoteRequest) -> Parsed<(Basket, Wishes)> {
    let mut fields = Fields::new();
    let basket = basket(&mut fields, &message.lines, &message.currency_code, message.destination.as_ref());
    let codes = codes(&mut fields, &message.codes, 0);
    let method = optional(&message.shipping_method_id, |id| fields.id("shipping_method_id", id));
    let customer = optional(&message.customer_key, |key| customer(&mut fields, key));
    let both = || Some((basket?, Wishes { codes: codes?, method: method?, customer: customer? }));
    fields.build(both).map_err(Problem::invalid)
}

pub fn parcel(message: &pb::ListShippingOptionsRequest) -> Parsed<Basket> {
    let mut fields = Fields::new();
    let basket = basket(&mut fields, &message.lines, &message.currency_code, message.destination.as_ref());
    fields.build(|| basket).map_err(Problem::invalid)
}

pub fn hold(message: &pb::HoldCodesRequest) -> Parsed<(CheckoutId, Vec<Code>, Customer, Timestamp)> {
    let mut fields = Fields::new();
    let checkout = fields.id("checkout_id", &message.checkout_id);
    let codes = codes(&mut fields, &message.codes, 1);
    // Without it the limits per customer could not be kept.
    let customer = customer(&mut fields, &message.customer_key);
    let expires = fields.time("expire_time", message.expire_time.as_ref());
    fields.build(|| Some((checkout?, codes?, customer?, expires?))).map_err(Problem::invalid)
}

pub fn tax_rule(message: &pb::SetTaxRuleRequest) -> Parsed<Rule> {
    let mut fields = Fields::new();
    let given = fields.present("tax_rule", message.tax_rule.as_ref());
    let rule = given.and_then(|given| {
        fields.within("tax_rule", |fields| {
            let country = fields.country("country_code", &given.country_code);
            let class = tax_class(fields, &given.tax_class);
            let rate_ppm = fields.integer("rate_ppm", given.rate_ppm, 0..=RATE_PPM_MAX);
            let included = given.included_in_prices;
            Some(Rule { country: country?, class: class?, rate_ppm: rate_ppm?, included })
        })
    });
    fields.build(|| rule).map_err(Problem::invalid)
}

fn basket(
    fields: &mut Fields,
    lines: &[pb::QuoteLineRequest],
    currency_code: &str,
    destination: Option<&pb::Destination>,
) -> Option<Basket> {
    fields.count("lines", lines.len(), 1..=LINES_MAX);
    let read = lines.iter().take(LINES_MAX).enumerate().map(|(index, line)| {
        fields.within(format_args!("lines[{index}]"), |fields| {
            let variant: Option<VariantId> = fields.id("variant_id", &line.variant_id);
            let quantity = fields.integer("quantity", line.quantity, 1..=QUANTITY_MAX);
            Some((variant?, quantity?))
        })
    });
    // All of them are read, so that each wrong one is named.
    let read: Vec<Option<(VariantId, i64)>> = read.collect();
    let currency = fields.currency("currency_code", currency_code);
    let country = match destination {
        None => Some(None),
        Some(destination) => fields.within("destination", |fields| {
            fields.text("region", &destination.region, 0..=PLACE_LENGTH_MAX);
            fields.text("postal_code", &destination.postal_code, 0..=PLACE_LENGTH_MAX);
            fields.country("country_code", &destination.country_code).map(Some)
        }),
    };
    Some(Basket { lines: read.into_iter().collect::<Option<_>>()?, currency: currency?, country: country? })
}

/// Codes in the order asked; one that is entered twice, whatever its case, counts once.
fn codes(fields: &mut Fields, values: &[String], at_least: usize) -> Option<Vec<Code>> {
    fields.count("codes", values.len(), at_least..=CODES_MAX)?;
    let mut codes = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        match Code::asked(value) {
            Some(code) if codes.contains(&code) => {}
            Some(code) => codes.push(code),
            None => fields.refuse(&format!("codes[{index}]"), "must be one line of 1 to 64 characters"),
        }
    }
    Some(codes)
}

fn customer(fields: &mut Fields, key: &str) -> Option<Customer> {
    let customer = Customer::read(key);
    if customer.is_none() {
        let form = "must be \"account:\" and an id, or \"email:\" and 64 hexadecimal digits";
        fields.refuse("customer_key", form);
    }
    customer
}

fn tax_class(fields: &mut Fields, class: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    if (1..=TAX_CLASS_LENGTH_MAX).contains(&class.len()) && class.bytes().all(fits) {
        return Some(class.to_owned());
    }
    fields.refuse("tax_class", "must be 1 to 64 of a-z, 0-9, \"-\" and \"_\"");
    None
}

/// Nothing for an empty text; else what is read from it.
fn optional<T>(value: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    match value {
        "" => Some(None),
        value => read(value).map(Some),
    }
}
