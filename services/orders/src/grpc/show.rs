//! Checkouts, as the contract writes them.

use kit::Money;
use kit::time::to_proto;
use proto::common;
use proto::orders as pb;
use proto::pricing as price;

use crate::domain::quote::{QuoteCode, QuoteLine, QuoteShipping, QuoteTax};
use crate::domain::{Address, Checkout, Details, Quote};
use crate::events;

pub fn checkout(checkout: Checkout) -> pb::Checkout {
    let failure = checkout.last_failure().cloned();
    let (order_id, order_number) = match checkout.order.clone() {
        Some((id, number)) => (id.to_string(), number),
        None => Default::default(),
    };
    let shortages = failure.iter().flat_map(|failure| &failure.shortages).map(|shortage| pb::Shortage {
        sku: shortage.sku.clone(),
        requested_quantity: shortage.requested,
        available_quantity: shortage.available,
    });
    pb::Checkout {
        id: checkout.id.to_string(),
        state: events::checkout_state(checkout.state()).into(),
        account_id: checkout.holder.account.map(|account| account.to_string()).unwrap_or_default(),
        order_id,
        order_number,
        last_failure: failure
            .as_ref()
            .map_or(pb::CheckoutFailure::Unspecified, |failure| events::checkout_failure(failure.kind))
            .into(),
        shortages: shortages.collect(),
        failure_message: failure.map(|failure| failure.message).unwrap_or_default(),
        missing: checkout.missing().into_iter().map(str::to_owned).collect(),
        cart_id: checkout.cart,
        cart_version: checkout.cart_version,
        details: Some(details(checkout.details)),
        quote: Some(quote(checkout.quote)),
        action_url: checkout.action_url.unwrap_or_default(),
        version: checkout.version,
        create_time: Some(to_proto(checkout.created)),
        expire_time: Some(to_proto(checkout.expires)),
    }
}

fn details(details: Details) -> pb::CheckoutDetails {
    pb::CheckoutDetails {
        email: details.email.unwrap_or_default(),
        shipping_address: details.shipping.map(address),
        billing_address: details.billing.map(address),
        shipping_method_id: details.method.unwrap_or_default(),
        codes: details.codes,
    }
}

pub fn address(address: Address) -> common::Address {
    common::Address {
        given_name: address.given_name,
        family_name: address.family_name,
        company: address.company,
        lines: address.lines,
        city: address.city,
        region: address.region,
        postal_code: address.postal_code,
        country_code: address.country_code,
        phone: address.phone,
    }
}

fn quote(quote: Quote) -> price::Quote {
    price::Quote {
        id: quote.id,
        currency_code: quote.currency.as_str().to_owned(),
        lines: quote.lines.into_iter().map(line).collect(),
        shipping: quote.shipping.map(shipping),
        codes: quote.codes.into_iter().map(code).collect(),
        taxes: quote.taxes.into_iter().map(tax).collect(),
        subtotal: money(quote.subtotal),
        discount_total: money(quote.discount_total),
        tax_total: money(quote.tax_total),
        shipping_total: money(quote.shipping_total),
        total: money(quote.total),
        prices_include_tax: quote.prices_include_tax,
        requires_shipping: quote.requires_shipping,
        weight_grams: quote.weight_grams,
    }
}

fn line(line: QuoteLine) -> price::QuoteLine {
    price::QuoteLine {
        variant_id: line.variant,
        sku: line.sku,
        quantity: line.quantity,
        unit_price: money(line.unit_price),
        compare_at_price: line.compare_at_price.and_then(money),
        subtotal: money(line.subtotal),
        discount: money(line.discount),
        net: money(line.net),
        tax: money(line.tax),
        total: money(line.total),
        tax_rate_ppm: line.tax_rate_ppm,
        tax_class: line.tax_class,
        product_id: line.product,
        product_title: line.product_title,
        variant_title: line.variant_title,
    }
}

fn shipping(shipping: QuoteShipping) -> price::QuoteShipping {
    price::QuoteShipping {
        method_id: shipping.method,
        display_name: shipping.display_name,
        price: money(shipping.price),
        discount: money(shipping.discount),
        net: money(shipping.net),
        tax: money(shipping.tax),
        total: money(shipping.total),
        tax_rate_ppm: shipping.tax_rate_ppm,
    }
}

fn code(code: QuoteCode) -> price::QuoteCode {
    price::QuoteCode { code: code.code, outcome: code.outcome, amount: money(code.amount) }
}

fn tax(tax: QuoteTax) -> price::QuoteTax {
    price::QuoteTax {
        display_name: tax.display_name,
        rate_ppm: tax.rate_ppm,
        net: money(tax.net),
        tax: money(tax.tax),
    }
}

pub fn money(money: Money) -> Option<common::Money> {
    Some(money.into())
}
