//! Days of the calendar.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{Days, NaiveDate};
use kit::Clock;

use crate::error::Fault;

/// A day of the calendar: "2011-01-31".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date(NaiveDate);

impl Date {
    /// The present day of UTC.
    pub(crate) fn today() -> Self {
        Self(Clock::system().now().date_naive())
    }

    /// So many days earlier, as far as a calendar goes back.
    pub(crate) fn before(self, days: Days) -> Self {
        Self(self.0.checked_sub_days(days).unwrap_or(self.0))
    }

    /// A day that the contract promises.
    pub(crate) fn promised(service: &'static str, wire: &str) -> Result<Self, Fault> {
        wire.parse().map(Self).map_err(|_| Fault::incomplete(service))
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A day of the calendar: "2011-01-31".
#[Scalar]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let date = match &value {
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        date.map(Self).ok_or_else(|| InputValueError::custom("expected a date such as \"2011-01-31\""))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}
