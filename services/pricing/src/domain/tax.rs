//! Taxes of one country, and how a price parts into net and tax.
//!
//! Rounding: the tax of each line is rounded by itself, half a unit up, and all other figures are sums and
//! differences of rounded ones. So every total re-adds from what is shown beside it.

use std::collections::BTreeMap;

use super::Refusal;
use super::amount::{WHOLE_PPM, part, sum};

/// The class of whatever has no other, and of shipping.
pub const STANDARD: &str = "standard";
/// Taxes above the price itself are a slip of the pen.
pub const RATE_PPM_MAX: i64 = WHOLE_PPM;

/// The rate of one class in one country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub country: String,
    pub class: String,
    pub rate_ppm: i64,
    /// The same for all classes of a country: a price list cannot be both.
    pub included: bool,
}

/// All that one country asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taxes {
    country: String,
    included: bool,
    rates: BTreeMap<String, i64>,
}

/// What one class of things pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// "GB standard".
    pub title: String,
    pub ppm: i64,
    included: bool,
}

/// A price in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parted {
    pub net: i64,
    pub tax: i64,
    /// net + tax.
    pub total: i64,
}

impl Taxes {
    /// The taxes of a country; without rules nothing is taxed there.
    pub fn of(country: &str, rules: impl IntoIterator<Item = Rule>) -> Taxes {
        let mut taxes = Taxes { country: country.to_owned(), included: false, rates: BTreeMap::new() };
        for rule in rules {
            taxes.included = rule.included;
            taxes.rates.insert(rule.class, rule.rate_ppm);
        }
        taxes
    }

    /// Do list prices contain the tax?
    pub fn included(&self) -> bool {
        self.included
    }

    /// The rate of a class. One that the country does not know pays the standard rate, as the law has it.
    pub fn rate(&self, class: &str) -> Rate {
        let known = self.rates.get_key_value(class).or_else(|| self.rates.get_key_value(STANDARD));
        let (name, ppm) = known.map_or(("untaxed", 0), |(name, ppm)| (name.as_str(), *ppm));
        Rate { title: format!("{} {name}", self.country), ppm, included: self.included }
    }
}

impl Rate {
    /// Parts a price that is not negative: from the gross when it contains the tax, else from the net.
    pub fn parted(&self, price: i64) -> Result<Parted, Refusal> {
        if self.included {
            let tax = part(price, self.ppm, WHOLE_PPM.saturating_add(self.ppm))?;
            return Ok(Parted { net: sum([price, -tax])?, tax, total: price });
        }
        let tax = part(price, self.ppm, WHOLE_PPM)?;
        Ok(Parted { net: price, tax, total: sum([price, tax])? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use super::*;

    fn rule(class: &str, rate_ppm: i64, included: bool) -> Rule {
        Rule { country: "GB".into(), class: class.into(), rate_ppm, included }
    }

    #[test]
    fn a_price_parts_from_the_gross_or_from_the_net() {
        let cases = [
            // price, rate, included, net, tax, total
            (1_200, 200_000, true, 1_000, 200, 1_200),
            (1_000, 200_000, false, 1_000, 200, 1_200),
            (999, 200_000, true, 832, 167, 999),
            (999, 200_000, false, 999, 200, 1_199),
            (3, 200_000, true, 2, 1, 3),
            (2, 250_000, false, 2, 1, 3),
            (1, 200_000, true, 1, 0, 1),
            (1_055, 55_000, true, 1_000, 55, 1_055),
            (0, 200_000, true, 0, 0, 0),
            (i64::MAX, 0, false, i64::MAX, 0, i64::MAX),
            (i64::MAX, 0, true, i64::MAX, 0, i64::MAX),
        ];
        for (price, rate, included, net, tax, total) in cases {
            let parted = Taxes::of("GB", [rule(STANDARD, rate, included)]).rate(STANDARD).parted(price);
            assert_eq!(parted, Ok(Parted { net, tax, total }), "{price} at {rate}");
        }
    }

    #[test]
    fn a_tax_that_makes_the_price_too_large_is_refused() {
        let added = Taxes::of("GB", [rule(STANDARD, 1, false)]).rate(STANDARD);

        assert_eq!(added.parted(i64::MAX), Err(Refusal::AmountTooLarge));
    }

    #[test]
    fn a_class_that_a_country_does_not_know_pays_the_standard_rate() {
        let taxes = Taxes::of("GB", [rule(STANDARD, 200_000, true), rule("reduced", 50_000, true)]);

        assert_eq!(taxes.rate("reduced").title, "GB reduced");
        assert_eq!(taxes.rate("luxury"), taxes.rate(STANDARD));
        assert_eq!(taxes.rate("luxury").title, "GB standard");
    }

    #[test]
    fn a_country_without_rules_is_untaxed() {
        let nowhere = Taxes::of("AQ", []);

        assert!(!nowhere.included());
        assert_eq!(nowhere.rate(STANDARD).parted(100), Ok(Parted { net: 100, tax: 0, total: 100 }));
        assert_eq!(nowhere.rate(STANDARD).title, "AQ untaxed");
    }
}
