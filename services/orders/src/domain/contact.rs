//! Who buys, and where it goes. A person's data: it never leaves this service but sealed or to its owner.

use serde::{Deserialize, Serialize};

/// A checkout takes so many codes.
pub const CODES_MAX: usize = 10;

/// A postal address, already valid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub given_name: String,
    pub family_name: String,
    pub company: String,
    pub lines: Vec<String>,
    pub city: String,
    pub region: String,
    pub postal_code: String,
    pub country_code: String,
    pub phone: String,
}

/// What the buyer has told so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    pub email: Option<String>,
    pub shipping: Option<Address>,
    pub billing: Option<Address>,
    pub method: Option<String>,
    pub codes: Vec<String>,
}

/// What the buyer tells now; what is not set stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetailsChange {
    pub email: Option<String>,
    pub shipping: Option<Address>,
    /// Set to nothing, it is taken away.
    pub billing: Option<Option<Address>>,
    pub method: Option<String>,
    pub codes: Option<Vec<String>>,
}

/// What an order remembers of its buyer, for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub email: String,
    pub shipping: Option<Address>,
    pub billing: Option<Address>,
}

impl Details {
    /// These details with the change applied.
    pub fn with(&self, change: DetailsChange) -> Details {
        Details {
            email: change.email.or_else(|| self.email.clone()),
            shipping: change.shipping.or_else(|| self.shipping.clone()),
            billing: change.billing.unwrap_or_else(|| self.billing.clone()),
            method: change.method.or_else(|| self.method.clone()),
            codes: change.codes.unwrap_or_else(|| self.codes.clone()),
        }
    }

    /// What is still to be told before anything can be bought, in the words of the contract.
    pub fn missing(&self, requires_shipping: bool) -> Vec<&'static str> {
        let wanted = [
            ("email", self.email.is_none()),
            ("shipping_address", requires_shipping && self.shipping.is_none()),
            ("shipping_method_id", requires_shipping && self.method.is_none()),
        ];
        wanted.into_iter().filter_map(|(name, missing)| missing.then_some(name)).collect()
    }

    /// As the order keeps it. The bill goes where the goods go unless told otherwise.
    pub fn contact(&self) -> Contact {
        Contact {
            email: self.email.clone().unwrap_or_default(),
            shipping: self.shipping.clone(),
            billing: self.billing.clone().or_else(|| self.shipping.clone()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_told_again_stays() {
        let told = Details::default().with(DetailsChange {
            email: Some("ada@example.org".into()),
            codes: Some(vec!["TEN".into()]),
            ..Default::default()
        });

        let later = told.with(DetailsChange { method: Some("post".into()), ..Default::default() });

        assert_eq!(later.email.as_deref(), Some("ada@example.org"));
        assert_eq!(later.codes, ["TEN"]);
        assert_eq!(later.missing(true), ["shipping_address"]);
        assert!(later.missing(false).is_empty());
    }

    #[test]
    fn the_bill_goes_where_the_goods_go_unless_told_otherwise() {
        let home = Address { city: "London".into(), ..Default::default() };
        let details = Details { shipping: Some(home.clone()), ..Default::default() };
        assert_eq!(details.contact().billing.unwrap(), home);
    }
}
