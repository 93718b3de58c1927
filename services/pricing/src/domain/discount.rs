//! Discount codes: what they take off, and whether they hold.

mod code;
mod patch;

use kit::{Money, Timestamp};

use super::DiscountId;

pub use code::{Code, Customer};
pub use patch::Patch;

/// A code and what it is good for. Its uses never exceed its limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Discount {
    pub id: DiscountId,
    pub terms: Terms,
    /// Held and committed.
    pub use_count: i64,
    pub created: Timestamp,
    /// Counts changes of the terms; uses leave it.
    pub version: i64,
}

/// What staff say about a code.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    pub code: Code,
    pub value: Value,
    /// The subtotal must reach it, in its currency.
    pub minimum: Option<Money>,
    pub limit_total: Option<i64>,
    pub limit_per_customer: Option<i64>,
    /// From this moment on.
    pub starts: Option<Timestamp>,
    /// Before this moment.
    pub ends: Option<Timestamp>,
    pub combinable: bool,
    pub disabled: bool,
}

/// What a code takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Parts per million of the subtotal.
    Percent(i64),
    /// At most the subtotal.
    Amount(Money),
    FreeShipping,
}

/// What became of a code in a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Applied,
    Unknown,
    NotYet,
    Expired,
    BelowMinimum,
    UsedUp,
    UsedByCustomer,
    NotCombinable,
    OtherCurrency,
}

/// A code that somebody asks about, and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    pub code: Code,
    pub found: Option<Found>,
}

/// A discount with the uses of the one who asks; none when it is not known who asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub discount: Discount,
    pub used_by_customer: i64,
}

impl Candidate {
    /// The discount, if its code holds at this time, for this basket and for this customer.
    pub fn holds(&self, now: Timestamp, subtotal: Money) -> Result<&Discount, Outcome> {
        let discount = self.in_force(now)?;
        discount.terms.suits(subtotal)?;
        self.has_uses_left()?;
        Ok(discount)
    }

    /// The discount, if its code holds at this time, whatever is bought.
    pub fn in_force(&self, now: Timestamp) -> Result<&Discount, Outcome> {
        let found = self.found.as_ref().ok_or(Outcome::Unknown)?;
        let terms = &found.discount.terms;
        // Whoever enters a code that is switched off learns no more than by guessing.
        if terms.disabled {
            return Err(Outcome::Unknown);
        }
        if terms.starts.is_some_and(|starts| now < starts) {
            return Err(Outcome::NotYet);
        }
        if terms.ends.is_some_and(|ends| ends <= now) {
            return Err(Outcome::Expired);
        }
        Ok(&found.discount)
    }

    /// Whether one more use is within the limits.
    pub fn has_uses_left(&self) -> Result<(), Outcome> {
        let found = self.found.as_ref().ok_or(Outcome::Unknown)?;
        let terms = &found.discount.terms;
        if terms.limit_total.is_some_and(|limit| limit <= found.discount.use_count) {
            return Err(Outcome::UsedUp);
        }
        if terms.limit_per_customer.is_some_and(|limit| limit <= found.used_by_customer) {
            return Err(Outcome::UsedByCustomer);
        }
        Ok(())
    }
}

impl Terms {
    /// May it stand beside another one? Both must say so.
    pub fn combines_with(&self, other: &Terms) -> bool {
        self.combinable && other.combinable
    }

    fn suits(&self, subtotal: Money) -> Result<(), Outcome> {
        let foreign = |money: &Money| money.currency() != subtotal.currency();
        let amount = match &self.value {
            Value::Amount(amount) => Some(amount),
            Value::Percent(_) | Value::FreeShipping => None,
        };
        if amount.is_some_and(foreign) || self.minimum.as_ref().is_some_and(foreign) {
            return Err(Outcome::OtherCurrency);
        }
        match self.minimum {
            Some(minimum) if subtotal.minor_units() < minimum.minor_units() => Err(Outcome::BelowMinimum),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use kit::Id;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn gbp(minor_units: i64) -> Money {
        Money::new("GBP".parse().unwrap(), minor_units)
    }

    fn candidate(change: impl Fn(&mut Discount), used_by_customer: i64) -> Candidate {
        let terms = Terms {
            code: Code::of_discount("TEN").unwrap(),
            value: Value::Percent(100_000),
            minimum: Some(gbp(1_000)),
            limit_total: Some(5),
            limit_per_customer: Some(2),
            starts: Some(at(0)),
            ends: Some(at(100)),
            combinable: false,
            disabled: false,
        };
        let mut discount = Discount { id: Id::new(), terms, use_count: 0, created: at(0), version: 1 };
        change(&mut discount);
        let code = discount.terms.code.clone();
        Candidate { code, found: Some(Found { discount, used_by_customer }) }
    }

    #[test]
    fn a_code_holds_within_its_dates_its_minimum_and_its_limits() {
        let plain = |_: &mut Discount| {};
        let euros = Money::new("EUR".parse().unwrap(), 9_999);
        let cases: [(Candidate, i64, Money, Result<(), Outcome>); 14] = [
            (candidate(plain, 0), 0, gbp(1_000), Ok(())),
            (candidate(plain, 0), -1, gbp(1_000), Err(Outcome::NotYet)),
            (candidate(plain, 0), 99, gbp(1_000), Ok(())),
            (candidate(plain, 0), 100, gbp(1_000), Err(Outcome::Expired)),
            (candidate(plain, 0), 0, gbp(999), Err(Outcome::BelowMinimum)),
            (candidate(plain, 0), 0, euros, Err(Outcome::OtherCurrency)),
            (candidate(plain, 1), 0, gbp(1_000), Ok(())),
            (candidate(plain, 2), 0, gbp(1_000), Err(Outcome::UsedByCustomer)),
            (candidate(|discount| discount.use_count = 4, 0), 0, gbp(1_000), Ok(())),
            (candidate(|discount| discount.use_count = 5, 0), 0, gbp(1_000), Err(Outcome::UsedUp)),
            (candidate(|discount| discount.terms.disabled = true, 0), 0, gbp(1_000), Err(Outcome::Unknown)),
            (candidate(|discount| discount.terms.limit_total = None, 0), 0, gbp(1_000), Ok(())),
            (
                candidate(
                    |discount| {
                        discount.terms.minimum = None;
                        discount.terms.value = Value::Amount(gbp(5));
                    },
                    0,
                ),
                0,
                euros,
                Err(Outcome::OtherCurrency),
            ),
            (
                Candidate { code: Code::of_discount("NONE").unwrap(), found: None },
                0,
                gbp(1),
                Err(Outcome::Unknown),
            ),
        ];
        for (number, (candidate, seconds, subtotal, expected)) in cases.into_iter().enumerate() {
            let held = candidate.holds(at(seconds), subtotal).map(|_| ());
            assert_eq!(held, expected, "case {number}");
        }
    }
}
