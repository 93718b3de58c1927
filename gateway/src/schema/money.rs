//! Amounts and the scalars around them.

use async_graphql::{InputValueError, InputValueResult, Object, Scalar, ScalarType, Value};
use proto::common as pb;

use crate::error::{Fault, Problem};

/// An exact decimal number, as a string: "19.99". Never a float.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decimal(pub(crate) String);

/// An exact decimal number, as a string: "19.99". Never a float.
#[Scalar]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if text.len() <= 32 => Ok(Self(text)),
            _ => Err(InputValueError::custom("expected a decimal number as a string")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A currency by its three letters of ISO 4217: "GBP".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CurrencyCode(pub(crate) String);

/// A currency by its three letters of ISO 4217: "GBP".
#[Scalar]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if is_capitals(&text, 3) => Ok(Self(text)),
            _ => Err(InputValueError::custom("expected three capital letters")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A country by its two letters of ISO 3166-1: "GB".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CountryCode(pub(crate) String);

/// A country by its two letters of ISO 3166-1: "GB".
#[Scalar]
impl ScalarType for CountryCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if is_capitals(&text, 2) => Ok(Self(text)),
            Value::Enum(name) if is_capitals(&name, 2) => Ok(Self(name.to_string())),
            _ => Err(InputValueError::custom("expected two capital letters")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

fn is_capitals(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// An amount in one currency.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Money(kit::Money);

impl Money {
    pub(crate) fn of(wire: &pb::Money) -> Option<Self> {
        kit::Money::try_from(wire).ok().map(Self)
    }
}

/// An amount in one currency.
#[Object]
impl Money {
    /// The amount in whole units of the currency, exact: "19.99".
    fn amount(&self) -> Decimal {
        Decimal(self.0.to_decimal())
    }

    /// The currency.
    fn currency_code(&self) -> CurrencyCode {
        CurrencyCode(self.0.currency().as_str().to_owned())
    }
}

/// An amount that the contract promises. A service that leaves it out has a fault; nothing is made up in its stead.
pub(crate) fn promised(service: &'static str, wire: Option<&pb::Money>) -> Result<Money, Fault> {
    wire.and_then(Money::of).ok_or_else(|| Fault::incomplete(service))
}

/// An amount that may be absent.
pub(crate) fn optional(wire: Option<&pb::Money>) -> Option<Money> {
    wire.and_then(Money::of)
}

/// An amount with and without its tax.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaxedMoney {
    net: Money,
    tax: Money,
    gross: Money,
    rate_ppm: i64,
}

impl TaxedMoney {
    pub(crate) fn of(
        service: &'static str,
        parts: [Option<&pb::Money>; 3],
        rate_ppm: i64,
    ) -> Result<Self, Fault> {
        let [net, tax, gross] = parts;
        Ok(Self {
            net: promised(service, net)?,
            tax: promised(service, tax)?,
            gross: promised(service, gross)?,
            rate_ppm,
        })
    }
}

/// An amount with and without its tax.
#[Object]
impl TaxedMoney {
    /// Without tax.
    fn net(&self) -> Money {
        self.net
    }

    /// The tax.
    fn tax(&self) -> Money {
        self.tax
    }

    /// With tax: net and tax together.
    fn gross(&self) -> Money {
        self.gross
    }

    /// The rate as a fraction of the net amount: "0.2" is 20 %.
    fn tax_rate(&self) -> Decimal {
        rate(self.rate_ppm)
    }
}

/// Parts per million as a decimal fraction.
pub(crate) fn rate(ppm: i64) -> Decimal {
    let digits = format!("{:06}", ppm.unsigned_abs() % 1_000_000);
    let whole = ppm / 1_000_000;
    let fraction = digits.trim_end_matches('0');
    Decimal(if fraction.is_empty() { whole.to_string() } else { format!("{whole}.{fraction}") })
}

/// A decimal fraction as parts per million.
pub(crate) fn ppm(rate: &Decimal) -> Result<i64, Fault> {
    let malformed = || Fault::of(Problem::BadRequest, "A rate is a decimal fraction: \"0.2\" is 20 %.");
    let (whole, fraction) = rate.0.split_once('.').unwrap_or((&rate.0, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 6 || fraction.len() > 6 || !plain(whole) || !plain(fraction) {
        return Err(malformed());
    }
    let padded = format!("{fraction:0<6}");
    let whole: i64 = whole.parse().map_err(|_| malformed())?;
    let fraction: i64 = padded.parse().map_err(|_| malformed())?;
    Ok(whole * 1_000_000 + fraction)
}

/// An amount that a client gives.
#[derive(Clone, Debug, async_graphql::InputObject)]
pub(crate) struct MoneyInput {
    /// The amount in whole units of the currency: "19.99".
    amount: Decimal,
    /// The currency.
    currency_code: CurrencyCode,
}

impl MoneyInput {
    pub(crate) fn to_wire(&self) -> Result<pb::Money, Fault> {
        let malformed = |_| {
            Fault::of(
                Problem::BadRequest,
                "An amount has the decimals of its currency: \"19.99\" in GBP, \"500\" in JPY.",
            )
        };
        let currency: kit::Currency = self
            .currency_code
            .0
            .parse()
            .map_err(|_| Fault::of(Problem::BadRequest, "There is no such currency."))?;
        let money = kit::Money::parse_decimal(&self.amount.0, currency).map_err(malformed)?;
        Ok(money.into())
    }
}

/// Amounts that a client may leave out.
pub(crate) fn given(input: Option<&MoneyInput>) -> Result<Option<pb::Money>, Fault> {
    input.map(MoneyInput::to_wire).transpose()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn rates_go_to_parts_per_million_and_back() {
        for (text, figure) in
            [("0.2", 200_000), ("0", 0), ("1", 1_000_000), ("0.000001", 1), ("1.05", 1_050_000)]
        {
            assert_eq!(ppm(&Decimal(text.to_owned())).unwrap(), figure, "{text}");
            assert_eq!(rate(figure).0, text);
        }
        for text in ["", ".2", "-1", "0.0000001", "1e3", "a", "9999999"] {
            assert!(ppm(&Decimal(text.to_owned())).is_err(), "{text}");
        }
    }

    #[test]
    fn an_amount_with_the_wrong_decimals_is_refused() {
        let input = |amount: &str, currency: &str| MoneyInput {
            amount: Decimal(amount.to_owned()),
            currency_code: CurrencyCode(currency.to_owned()),
        };

        assert_eq!(input("19.99", "GBP").to_wire().unwrap().minor_units, 1_999);
        assert!(input("19.999", "GBP").to_wire().is_err());
        assert!(input("5", "XQX").to_wire().is_err());
    }
}
