//! The id of a quote: equal ids mean equal figures, whoever asked and when.

use sha2::{Digest, Sha256};

use super::discount::Outcome;
use super::quote::{AskedCode, Item, Line, Quote, Shipping, Tax};

/// Changes with the encoding, so that no old id names new figures.
const ENCODING: &str = "shop.pricing.v1.Quote/1";

/// SHA-256, in hexadecimal, over all of a quote but its id, in one fixed order: numbers as eight bytes, texts and lists
/// with their length before them, what may be missing with a mark before it. So no two quotes have one encoding.
pub fn of(quote: &Quote) -> String {
    let mut canon = Canon(Sha256::new());
    canon.text(ENCODING);
    canon.quote(quote);
    canon.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Canon(Sha256);

// Everything is taken apart by name and nothing is left out by `..`: whoever adds a figure must add it here.
impl Canon {
    fn quote(&mut self, quote: &Quote) {
        let Quote {
            id: _,
            currency,
            lines,
            shipping,
            codes,
            taxes,
            subtotal,
            discount_total,
            tax_total,
            shipping_total,
            total,
            prices_include_tax,
            requires_shipping,
            weight_grams,
        } = quote;
        self.text(currency.as_str());
        self.list(lines, Self::line);
        self.list(shipping.as_slice(), Self::shipping);
        self.list(codes, Self::code);
        self.list(taxes, Self::tax);
        self.numbers([*subtotal, *discount_total, *tax_total, *shipping_total, *total]);
        self.numbers([i64::from(*prices_include_tax), i64::from(*requires_shipping), *weight_grams]);
    }

    fn line(&mut self, line: &Line) {
        let Line { item, quantity, subtotal, discount, net, tax, total, tax_rate_ppm } = line;
        let Item {
            variant,
            product,
            sku,
            product_title,
            variant_title,
            unit_price,
            compare_at_price,
            weight_grams,
            tax_class,
            requires_shipping,
        } = item;
        self.0.update(variant.as_uuid());
        self.0.update(product.as_uuid());
        self.text(sku);
        self.text(product_title);
        self.text(variant_title);
        self.text(tax_class);
        self.list(compare_at_price.as_slice(), |canon, price| canon.numbers([*price]));
        self.numbers([*unit_price, *weight_grams, i64::from(*requires_shipping)]);
        self.numbers([*quantity, *subtotal, *discount, *net, *tax, *total, *tax_rate_ppm]);
    }

    fn shipping(&mut self, shipping: &Shipping) {
        let Shipping { method, display_name, price, discount, net, tax, total, tax_rate_ppm } = shipping;
        self.0.update(method.as_uuid());
        self.text(display_name);
        self.numbers([*price, *discount, *net, *tax, *total, *tax_rate_ppm]);
    }

    fn code(&mut self, asked: &AskedCode) {
        let AskedCode { code, outcome, amount } = asked;
        self.text(code.as_str());
        self.numbers([ordinal(*outcome), *amount]);
    }

    fn tax(&mut self, tax: &Tax) {
        let Tax { title, rate_ppm, net, tax } = tax;
        self.text(title);
        self.numbers([*rate_ppm, *net, *tax]);
    }

    fn numbers<const N: usize>(&mut self, numbers: [i64; N]) {
        for number in numbers {
            self.0.update(number.to_be_bytes());
        }
    }

    fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
    }

    fn list<T>(&mut self, items: &[T], item: impl Fn(&mut Self, &T)) {
        self.0.update((items.len() as u64).to_be_bytes());
        for one in items {
            item(self, one);
        }
    }
}

/// Fixed here, so that reordering the enum changes no id.
fn ordinal(outcome: Outcome) -> i64 {
    match outcome {
        Outcome::Applied => 1,
        Outcome::Unknown => 2,
        Outcome::NotYet => 3,
        Outcome::Expired => 4,
        Outcome::BelowMinimum => 5,
        Outcome::UsedUp => 6,
        Outcome::UsedByCustomer => 7,
        Outcome::NotCombinable => 8,
        Outcome::OtherCurrency => 9,
    }
}
