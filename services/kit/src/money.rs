//! Money as whole minor units of one currency. Nothing here rounds, and nothing wraps.

use std::fmt;

use proto::common as pb;
use serde::{Deserialize, Serialize};

use crate::currency::{Currency, UnknownCurrency};

/// More digits than this cannot be an amount, so longer text is refused before it is read.
const DECIMAL_LENGTH_MAX: usize = 32;

/// An amount in the smallest unit of its currency. It may be negative; who must not be negative checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    currency: Currency,
    minor_units: i64,
}

/// Why an amount cannot be computed or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Beyond what 64 bits of minor units can hold.
    #[error("the amount is too large")]
    Overflow,
    /// Amounts of two currencies do not add up.
    #[error("the amounts are in {left} and {right}")]
    CurrencyMismatch {
        /// The currency of the amount that was asked.
        left: Currency,
        /// The currency of the amount it was handed.
        right: Currency,
    },
    /// The text is no decimal number with at most the currency's decimal places.
    #[error("not an amount of this currency")]
    Malformed,
    /// The currency code is not one of ISO 4217.
    #[error(transparent)]
    UnknownCurrency(#[from] UnknownCurrency),
}

#[allow(clippy::should_implement_trait, reason = "the operators cannot refuse, these can")]
impl Money {
    /// So many of the currency's smallest unit.
    pub const fn new(currency: Currency, minor_units: i64) -> Self {
        Self { currency, minor_units }
    }

    /// Nothing, of a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(currency, 0)
    }

    /// The currency the amount is in.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The amount, counted in the smallest unit.
    pub const fn minor_units(&self) -> i64 {
        self.minor_units
    }

    /// The sum of both.
    pub fn add(self, other: Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor_units.checked_add(other.minor_units))
    }

    /// What is left, possibly below zero.
    pub fn sub(self, other: Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor_units.checked_sub(other.minor_units))
    }

    /// The amount so many times.
    pub fn times(self, factor: i64) -> Result<Money, MoneyError> {
        self.with(self.minor_units.checked_mul(factor))
    }

    /// The sum of all, zero when there are none; the currency is named because there may be none.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Money>) -> Result<Money, MoneyError> {
        amounts.into_iter().try_fold(Money::zero(currency), Money::add)
    }

    /// Reads "19.99". Decimal places beyond those of the currency are taken only when they are zeros.
    pub fn parse_decimal(text: &str, currency: Currency) -> Result<Money, MoneyError> {
        if text.len() > DECIMAL_LENGTH_MAX {
            return Err(MoneyError::Malformed);
        }
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, fraction) =
            digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
        if !is_digits(whole) || fraction.is_some_and(|fraction| !is_digits(fraction)) {
            return Err(MoneyError::Malformed);
        }

        let places = currency.exponent() as usize;
        let fraction = fraction.unwrap_or_default().trim_end_matches('0');
        if fraction.len() > places {
            return Err(MoneyError::Malformed);
        }
        // Digits alone: the only way to fail now is to be too large.
        let magnitude: i128 =
            format!("{whole}{fraction:0<places$}").parse().map_err(|_| MoneyError::Overflow)?;
        let minor_units = i64::try_from(sign * magnitude).map_err(|_| MoneyError::Overflow)?;
        Ok(Money::new(currency, minor_units))
    }

    /// The amount as text with all decimal places of its currency, without the code: "19.99", "-0.05", "500".
    pub fn to_decimal(&self) -> String {
        let sign = if self.minor_units < 0 { "-" } else { "" };
        let magnitude = self.minor_units.unsigned_abs();
        let places = self.currency.exponent();
        let unit = 10_u64.pow(places);
        match places {
            0 => format!("{sign}{magnitude}"),
            _ => format!("{sign}{}.{:0width$}", magnitude / unit, magnitude % unit, width = places as usize),
        }
    }

    fn same_currency(self, other: Money) -> Result<(), MoneyError> {
        match self.currency == other.currency {
            true => Ok(()),
            false => Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency }),
        }
    }

    fn with(self, minor_units: Option<i64>) -> Result<Money, MoneyError> {
        minor_units.map(|units| Money::new(self.currency, units)).ok_or(MoneyError::Overflow)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_decimal(), self.currency)
    }
}

impl From<Money> for pb::Money {
    fn from(money: Money) -> Self {
        Self { currency_code: money.currency.as_str().to_owned(), minor_units: money.minor_units }
    }
}

impl TryFrom<&pb::Money> for Money {
    type Error = MoneyError;

    fn try_from(money: &pb::Money) -> Result<Self, MoneyError> {
        Ok(Money::new(money.currency_code.parse()?, money.minor_units))
    }
}

impl TryFrom<pb::Money> for Money {
    type Error = MoneyError;

    fn try_from(money: pb::Money) -> Result<Self, MoneyError> {
        Money::try_from(&money)
    }
}
