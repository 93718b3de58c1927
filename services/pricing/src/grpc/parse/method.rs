//! Shipping methods as staff write them.

use kit::parse::Fields;
use mesh::status::Problem;
use proto::pricing as pb;

use super::Parsed;
use crate::domain::{MethodId, Offer, Tier};

const COUNTRIES_MAX: usize = 250;
const RATES_MAX: usize = 100;
const DAYS_MAX: i64 = 365;
const WEIGHT_GRAMS_MAX: i64 = 1_000_000_000_000;

pub fn created_method(message: &pb::CreateShippingMethodRequest) -> Parsed<Offer> {
    let mut fields = Fields::new();
    let given = fields.present("shipping_method", message.shipping_method.as_ref());
    let offer = given.and_then(|given| fields.within("shipping_method", |fields| offer(fields, given)));
    fields.build(|| offer).map_err(Problem::invalid)
}

pub fn updated_method(message: &pb::UpdateShippingMethodRequest) -> Parsed<(MethodId, Option<i64>, Offer)> {
    let mut fields = Fields::new();
    let etag = fields.etag(&message.etag);
    let given = fields.present("shipping_method", message.shipping_method.as_ref());
    let read = given.and_then(|given| {
        fields.within("shipping_method", |fields| {
            let id = fields.id("id", &given.id);
            let offer = offer(fields, given);
            Some((id?, offer?))
        })
    });
    let all = || {
        let (id, offer) = read?;
        Some((id, etag?, offer))
    };
    fields.build(all).map_err(Problem::invalid)
}

fn offer(fields: &mut Fields, given: &pb::ShippingMethod) -> Option<Offer> {
    let display_name = fields.text("display_name", &given.display_name, 1..=100);
    let description = fields.text("description", &given.description, 0..=500);
    let countries = countries(fields, &given.country_codes);
    let tiers = tiers(fields, &given.rates);
    let free_from = match given.free_from.as_ref() {
        None => Some(None),
        amount => fields.money("free_from", amount).map(Some),
    };
    let days_max = fields.integer("days_max", given.days_max, 0..=DAYS_MAX);
    let days_min = fields.integer("days_min", given.days_min, 0..=days_max.unwrap_or(DAYS_MAX));
    let offer = Offer {
        display_name: display_name?,
        description: description?,
        countries: countries?,
        tiers: tiers?,
        free_from: free_from?,
        days_min: i32::try_from(days_min?).ok()?,
        days_max: i32::try_from(days_max?).ok()?,
        disabled: given.disabled,
    };
    if let Some(index) = offer.tier_out_of_order() {
        let why = "must be above that of the rate before it in the same currency";
        fields.refuse(&format!("rates[{index}].weight_grams_max"), why);
    }
    Some(offer)
}

fn countries(fields: &mut Fields, codes: &[String]) -> Option<Vec<String>> {
    fields.count("country_codes", codes.len(), 0..=COUNTRIES_MAX)?;
    let mut countries: Vec<String> = Vec::with_capacity(codes.len());
    for (index, code) in codes.iter().enumerate() {
        let country = fields.country(&format!("country_codes[{index}]"), code)?;
        if !countries.contains(&country) {
            countries.push(country);
        }
    }
    Some(countries)
}

fn tiers(fields: &mut Fields, rates: &[pb::ShippingRate]) -> Option<Vec<Tier>> {
    fields.count("rates", rates.len(), 1..=RATES_MAX)?;
    let read = rates.iter().enumerate().map(|(index, rate)| {
        fields.within(format_args!("rates[{index}]"), |fields| {
            let weight = fields.integer("weight_grams_max", rate.weight_grams_max, 0..=WEIGHT_GRAMS_MAX);
            let price = fields.money("price", rate.price.as_ref());
            Some(Tier { weight_grams_max: weight?, price: price? })
        })
    });
    let read: Vec<Option<Tier>> = read.collect();
    read.into_iter().collect()
}
