//! Postal addresses.

use async_graphql::{InputObject, Object};
use proto::common as pb;

use crate::schema::money::CountryCode;

/// A postal address.
pub(crate) struct Address<'a>(pub(crate) &'a pb::Address);

/// A postal address.
#[Object(name = "PostalAddress")]
impl Address<'_> {
    /// Given name.
    fn given_name(&self) -> &str {
        &self.0.given_name
    }

    /// Family name.
    fn family_name(&self) -> &str {
        &self.0.family_name
    }

    /// Company; may be empty.
    fn company(&self) -> &str {
        &self.0.company
    }

    /// Street and number, then flat or building.
    fn lines(&self) -> &[String] {
        &self.0.lines
    }

    /// City.
    fn city(&self) -> &str {
        &self.0.city
    }

    /// State, province or county, where the country uses one.
    fn region(&self) -> &str {
        &self.0.region
    }

    /// Postal code.
    fn postal_code(&self) -> &str {
        &self.0.postal_code
    }

    /// Country.
    fn country_code(&self) -> CountryCode {
        CountryCode(self.0.country_code.clone())
    }

    /// Telephone; may be empty.
    fn phone(&self) -> &str {
        &self.0.phone
    }
}

/// A postal address that a client gives.
#[derive(InputObject, Clone)]
pub(crate) struct PostalAddressInput {
    /// Given name.
    given_name: String,
    /// Family name.
    family_name: String,
    /// Company.
    #[graphql(default)]
    company: String,
    /// Street and number, then flat or building: one to three lines.
    lines: Vec<String>,
    /// City.
    city: String,
    /// State, province or county.
    #[graphql(default)]
    region: String,
    /// Postal code.
    #[graphql(default)]
    postal_code: String,
    /// Country.
    country_code: CountryCode,
    /// Telephone.
    #[graphql(default)]
    phone: String,
}

impl From<PostalAddressInput> for pb::Address {
    fn from(input: PostalAddressInput) -> Self {
        Self {
            given_name: input.given_name,
            family_name: input.family_name,
            company: input.company,
            lines: input.lines,
            city: input.city,
            region: input.region,
            postal_code: input.postal_code,
            country_code: input.country_code.0,
            phone: input.phone,
        }
    }
}
