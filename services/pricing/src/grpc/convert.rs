//! Values of the domain into the contract's messages.

use kit::{Currency, Money, time};
use proto::common as common_pb;
use proto::pricing as pb;

use crate::app::Offered;
use crate::domain::quote::{AskedCode, Line, Shipping, Tax};
use crate::domain::tax::Rule;
use crate::domain::{Discount, Method, Outcome, Quote, Tier, Value};

type Amount = Option<common_pb::Money>;

pub fn quote(quote: Quote) -> pb::Quote {
    let of = quote.currency;
    pb::Quote {
        id: quote.id,
        currency_code: of.as_str().to_owned(),
        lines: quote.lines.into_iter().map(|each| line(each, of)).collect(),
        shipping: quote.shipping.map(|chosen| shipping(chosen, of)),
        codes: quote.codes.into_iter().map(|asked| code(asked, of)).collect(),
        taxes: quote.taxes.into_iter().map(|each| tax(each, of)).collect(),
        subtotal: amount(of, quote.subtotal),
        discount_total: amount(of, quote.discount_total),
        tax_total: amount(of, quote.tax_total),
        shipping_total: amount(of, quote.shipping_total),
        total: amount(of, quote.total),
        prices_include_tax: quote.prices_include_tax,
        requires_shipping: quote.requires_shipping,
        weight_grams: quote.weight_grams,
    }
}

fn line(line: Line, of: Currency) -> pb::QuoteLine {
    let item = line.item;
    pb::QuoteLine {
        variant_id: item.variant.to_string(),
        sku: item.sku,
        quantity: line.quantity,
        unit_price: amount(of, item.unit_price),
        compare_at_price: item.compare_at_price.and_then(|before| amount(of, before)),
        subtotal: amount(of, line.subtotal),
        discount: amount(of, line.discount),
        net: amount(of, line.net),
        tax: amount(of, line.tax),
        total: amount(of, line.total),
        tax_rate_ppm: line.tax_rate_ppm,
        tax_class: item.tax_class,
        product_id: item.product.to_string(),
        product_title: item.product_title,
        variant_title: item.variant_title,
    }
}

fn shipping(shipping: Shipping, of: Currency) -> pb::QuoteShipping {
    pb::QuoteShipping {
        method_id: shipping.method.to_string(),
        display_name: shipping.display_name,
        price: amount(of, shipping.price),
        discount: amount(of, shipping.discount),
        net: amount(of, shipping.net),
        tax: amount(of, shipping.tax),
        total: amount(of, shipping.total),
        tax_rate_ppm: shipping.tax_rate_ppm,
    }
}

fn code(asked: AskedCode, of: Currency) -> pb::QuoteCode {
    pb::QuoteCode {
        code: asked.code.to_string(),
        outcome: outcome(asked.outcome).into(),
        amount: amount(of, asked.amount),
    }
}

fn tax(tax: Tax, of: Currency) -> pb::QuoteTax {
    pb::QuoteTax {
        display_name: tax.title,
        rate_ppm: tax.rate_ppm,
        net: amount(of, tax.net),
        tax: amount(of, tax.tax),
    }
}

pub fn outcome(outcome: Outcome) -> pb::CodeOutcome {
    match outcome {
        Outcome::Applied => pb::CodeOutcome::Applied,
        Outcome::Unknown => pb::CodeOutcome::Unknown,
        Outcome::NotYet => pb::CodeOutcome::NotYet,
        Outcome::Expired => pb::CodeOutcome::Expired,
        Outcome::BelowMinimum => pb::CodeOutcome::BelowMinimum,
        Outcome::UsedUp => pb::CodeOutcome::UsedUp,
        Outcome::UsedByCustomer => pb::CodeOutcome::UsedByCustomer,
        Outcome::NotCombinable => pb::CodeOutcome::NotCombinable,
        Outcome::OtherCurrency => pb::CodeOutcome::OtherCurrency,
    }
}

pub fn option(offered: Offered) -> pb::ShippingOption {
    let Offered { method, price } = offered;
    pb::ShippingOption {
        method_id: method.id.to_string(),
        display_name: method.offer.display_name,
        description: method.offer.description,
        price: Some(price.into()),
        days_min: method.offer.days_min,
        days_max: method.offer.days_max,
    }
}

pub fn discount(discount: Discount) -> pb::Discount {
    let terms = discount.terms;
    let value = match terms.value {
        Value::Percent(ppm) => pb::discount::Value::PercentPpm(ppm),
        Value::Amount(amount) => pb::discount::Value::Amount(amount.into()),
        Value::FreeShipping => pb::discount::Value::FreeShipping(true),
    };
    pb::Discount {
        id: discount.id.to_string(),
        code: terms.code.to_string(),
        value: Some(value),
        minimum: terms.minimum.map(Into::into),
        limit_total: terms.limit_total.unwrap_or(0),
        limit_per_customer: terms.limit_per_customer.unwrap_or(0),
        start_time: terms.starts.map(time::to_proto),
        end_time: terms.ends.map(time::to_proto),
        combinable: terms.combinable,
        disabled: terms.disabled,
        use_count: discount.use_count,
        etag: discount.version.to_string(),
        create_time: Some(time::to_proto(discount.created)),
    }
}

pub fn tax_rule(rule: Rule) -> pb::TaxRule {
    pb::TaxRule {
        country_code: rule.country,
        tax_class: rule.class,
        rate_ppm: rule.rate_ppm,
        included_in_prices: rule.included,
    }
}

pub fn method(method: Method) -> pb::ShippingMethod {
    let offer = method.offer;
    let rate = |tier: Tier| pb::ShippingRate {
        weight_grams_max: tier.weight_grams_max,
        price: Some(tier.price.into()),
    };
    pb::ShippingMethod {
        id: method.id.to_string(),
        display_name: offer.display_name,
        description: offer.description,
        country_codes: offer.countries,
        rates: offer.tiers.into_iter().map(rate).collect(),
        free_from: offer.free_from.map(Into::into),
        days_min: offer.days_min,
        days_max: offer.days_max,
        disabled: offer.disabled,
        etag: method.version.to_string(),
    }
}

fn amount(of: Currency, minor_units: i64) -> Amount {
    Some(Money::new(of, minor_units).into())
}
