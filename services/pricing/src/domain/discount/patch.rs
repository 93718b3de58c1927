//! Changes of a discount's terms: what is named changes, the rest stays.

use kit::{Money, Timestamp};

use super::{Code, Terms, Value};
use crate::domain::Refusal;

/// New terms, as far as they are given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    pub code: Option<Code>,
    pub value: Option<Value>,
    pub minimum: Option<Option<Money>>,
    pub limit_total: Option<Option<i64>>,
    pub limit_per_customer: Option<Option<i64>>,
    pub starts: Option<Option<Timestamp>>,
    pub ends: Option<Option<Timestamp>>,
    pub combinable: Option<bool>,
    pub disabled: Option<bool>,
}

impl Patch {
    /// The terms with the changes.
    pub fn applied_to(self, terms: Terms) -> Result<Terms, Refusal> {
        Terms {
            code: self.code.unwrap_or(terms.code),
            value: self.value.unwrap_or(terms.value),
            minimum: self.minimum.unwrap_or(terms.minimum),
            limit_total: self.limit_total.unwrap_or(terms.limit_total),
            limit_per_customer: self.limit_per_customer.unwrap_or(terms.limit_per_customer),
            starts: self.starts.unwrap_or(terms.starts),
            ends: self.ends.unwrap_or(terms.ends),
            combinable: self.combinable.unwrap_or(terms.combinable),
            disabled: self.disabled.unwrap_or(terms.disabled),
        }
        .checked()
    }
}

impl Terms {
    /// Terms that make sense together.
    pub fn checked(self) -> Result<Terms, Refusal> {
        match (self.starts, self.ends) {
            (Some(starts), Some(ends)) if ends <= starts => Err(Refusal::EndsBeforeStart),
            _ => Ok(self),
        }
    }
}
