//! Shipping methods: where they go, and what they take for which weight.

use kit::{Currency, Money};

use super::MethodId;

/// A way to send things. Tiers of one currency ascend by weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Method {
    pub id: MethodId,
    pub offer: Offer,
    pub version: i64,
}

/// What staff say about a method.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    pub display_name: String,
    pub description: String,
    /// Empty: everywhere.
    pub countries: Vec<String>,
    pub tiers: Vec<Tier>,
    /// Subtotal from which it costs nothing.
    pub free_from: Option<Money>,
    pub days_min: i32,
    pub days_max: i32,
    pub disabled: bool,
}

/// What it takes up to a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    pub weight_grams_max: i64,
    pub price: Money,
}

/// The method that a buyer has chosen, and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub id: MethodId,
    pub method: Option<Method>,
}

/// What is to be sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parcel<'a> {
    pub country: &'a str,
    pub weight_grams: i64,
    /// Of all lines, before discounts.
    pub subtotal: Money,
}

impl Method {
    /// What sending it costs; nothing if this method does not do it. Several currencies may have tiers of their own.
    pub fn price(&self, parcel: Parcel<'_>) -> Option<i64> {
        let offer = &self.offer;
        let anywhere = offer.countries.is_empty();
        let served = anywhere || offer.countries.iter().any(|country| country == parcel.country);
        if offer.disabled || !served {
            return None;
        }
        let currency = parcel.subtotal.currency();
        let mut tiers = offer.tiers.iter().filter(|tier| tier.price.currency() == currency);
        let tier = tiers.find(|tier| parcel.weight_grams <= tier.weight_grams_max)?;
        match self.offer.is_free_for(parcel.subtotal) {
            true => Some(0),
            false => Some(tier.price.minor_units()),
        }
    }
}

impl Offer {
    fn is_free_for(&self, subtotal: Money) -> bool {
        self.free_from.is_some_and(|from| {
            from.currency() == subtotal.currency() && from.minor_units() <= subtotal.minor_units()
        })
    }

    /// The first tier that does not weigh more than the one before it in its currency.
    pub fn tier_out_of_order(&self) -> Option<usize> {
        let mut reached: Vec<(Currency, i64)> = Vec::new();
        for (place, tier) in self.tiers.iter().enumerate() {
            let currency = tier.price.currency();
            match reached.iter_mut().find(|(of, _)| *of == currency) {
                Some((_, weight)) if *weight >= tier.weight_grams_max => return Some(place),
                Some((_, weight)) => *weight = tier.weight_grams_max,
                None => reached.push((currency, tier.weight_grams_max)),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use super::*;

    fn money(code: &str, minor_units: i64) -> Money {
        Money::new(code.parse().unwrap(), minor_units)
    }

    fn tier(weight_grams_max: i64, code: &str, minor_units: i64) -> Tier {
        Tier { weight_grams_max, price: money(code, minor_units) }
    }

    fn method() -> Method {
        let offer = Offer {
            display_name: "Standard".into(),
            description: String::new(),
            countries: vec!["GB".into(), "IE".into()],
            tiers: vec![tier(1_000, "GBP", 300), tier(2_000, "GBP", 500), tier(1_500, "EUR", 400)],
            free_from: Some(money("GBP", 5_000)),
            days_min: 1,
            days_max: 2,
            disabled: false,
        };
        Method { id: MethodId::new(), offer, version: 1 }
    }

    #[test]
    fn the_first_tier_that_holds_the_weight_gives_the_price() {
        let cases = [
            // country, grams, currency, subtotal, price
            ("GB", 0, "GBP", 100, Some(300)),
            ("GB", 1_000, "GBP", 100, Some(300)),
            ("IE", 1_001, "GBP", 100, Some(500)),
            ("GB", 2_001, "GBP", 100, None),
            ("GB", 2_001, "GBP", 5_000, None),
            ("FR", 1, "GBP", 100, None),
            ("GB", 1_500, "EUR", 100, Some(400)),
            ("GB", 1_501, "EUR", 100, None),
            ("GB", 1, "USD", 100, None),
            ("GB", 1, "GBP", 4_999, Some(300)),
            ("GB", 1, "GBP", 5_000, Some(0)),
            ("GB", 1, "EUR", 5_000, Some(400)),
        ];
        for (country, weight_grams, currency, subtotal, price) in cases {
            let parcel = Parcel { country, weight_grams, subtotal: money(currency, subtotal) };
            assert_eq!(method().price(parcel), price, "{parcel:?}");
        }
    }

    #[test]
    fn a_disabled_method_sends_nothing_and_one_without_countries_goes_everywhere() {
        let parcel = Parcel { country: "NZ", weight_grams: 1, subtotal: money("GBP", 1) };
        let mut everywhere = method();
        everywhere.offer.countries.clear();
        assert_eq!(everywhere.price(parcel), Some(300));

        everywhere.offer.disabled = true;

        assert_eq!(everywhere.price(parcel), None);
    }

    #[test]
    fn tiers_ascend_within_their_currency() {
        let mut offer = method().offer;
        assert_eq!(offer.tier_out_of_order(), None);

        offer.tiers.push(tier(2_000, "GBP", 900));

        assert_eq!(offer.tier_out_of_order(), Some(3));
    }
}
