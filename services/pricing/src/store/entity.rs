//! Rows, and how they turn into values of the domain.

use kit::{Currency, Id, Money};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};

use crate::domain::{Code, Discount, Method, Offer, Terms, Tier, Value};

pub mod discount {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "discounts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub code: String,
        pub percent_ppm: Option<i64>,
        pub amount: Option<i64>,
        pub amount_currency: Option<String>,
        pub minimum: Option<i64>,
        pub minimum_currency: Option<String>,
        pub limit_total: Option<i64>,
        pub limit_per_customer: Option<i64>,
        pub starts: Option<ChronoDateTimeUtc>,
        pub ends: Option<ChronoDateTimeUtc>,
        pub combinable: bool,
        pub disabled: bool,
        pub use_count: i64,
        pub created: ChronoDateTimeUtc,
        pub version: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod method {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "shipping_methods")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub display_name: String,
        pub description: String,
        /// Two letters each, with spaces between; empty: everywhere.
        pub countries: String,
        /// JSON: a list of [`TierRow`](super::TierRow).
        pub tiers: String,
        pub free_from: Option<i64>,
        pub free_from_currency: Option<String>,
        pub days_min: i32,
        pub days_max: i32,
        pub disabled: bool,
        pub version: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[derive(Serialize, Deserialize)]
struct TierRow {
    weight_grams_max: i64,
    price: Money,
}

impl discount::Model {
    pub fn of(discount: Discount) -> Self {
        let Discount { id, terms, use_count, created, version } = discount;
        let (percent_ppm, amount) = match terms.value {
            Value::Percent(ppm) => (Some(ppm), None),
            Value::Amount(amount) => (None, Some(amount)),
            Value::FreeShipping => (None, None),
        };
        Self {
            id: id.as_uuid(),
            code: terms.code.to_string(),
            percent_ppm,
            amount: amount.map(|money| money.minor_units()),
            amount_currency: amount.map(code_of),
            minimum: terms.minimum.map(|money| money.minor_units()),
            minimum_currency: terms.minimum.map(code_of),
            limit_total: terms.limit_total,
            limit_per_customer: terms.limit_per_customer,
            starts: terms.starts,
            ends: terms.ends,
            combinable: terms.combinable,
            disabled: terms.disabled,
            use_count,
            created,
            version,
        }
    }

    /// The discount of a row. What no discount can be means that somebody else wrote the table.
    pub fn discount(self) -> Result<Discount, DbErr> {
        let malformed = || DbErr::Type(format!("discount {} is malformed", self.id));
        let amount = money(self.amount, self.amount_currency.as_deref()).ok_or_else(malformed)?;
        let minimum = money(self.minimum, self.minimum_currency.as_deref()).ok_or_else(malformed)?;
        let terms = Terms {
            code: Code::of_discount(&self.code).ok_or_else(malformed)?,
            value: match (self.percent_ppm, amount) {
                (Some(ppm), _) => Value::Percent(ppm),
                (None, Some(amount)) => Value::Amount(amount),
                (None, None) => Value::FreeShipping,
            },
            minimum,
            limit_total: self.limit_total,
            limit_per_customer: self.limit_per_customer,
            starts: self.starts,
            ends: self.ends,
            combinable: self.combinable,
            disabled: self.disabled,
        };
        let (id, created) = (Id::from_uuid(self.id), self.created);
        Ok(Discount { id, terms, use_count: self.use_count, created, version: self.version })
    }
}

impl method::Model {
    pub fn of(method: Method) -> Self {
        let Method { id, offer, version } = method;
        let tiers: Vec<TierRow> = offer.tiers.iter().map(TierRow::of).collect();
        Self {
            id: id.as_uuid(),
            display_name: offer.display_name,
            description: offer.description,
            countries: offer.countries.join(" "),
            // Numbers and letters alone always have a JSON form.
            tiers: serde_json::to_string(&tiers).unwrap_or_default(),
            free_from: offer.free_from.map(|money| money.minor_units()),
            free_from_currency: offer.free_from.map(code_of),
            days_min: offer.days_min,
            days_max: offer.days_max,
            disabled: offer.disabled,
            version,
        }
    }

    /// The method of a row; see [`discount::Model::discount`].
    pub fn method(self) -> Result<Method, DbErr> {
        let malformed = || DbErr::Type(format!("shipping method {} is malformed", self.id));
        let tiers: Vec<TierRow> = serde_json::from_str(&self.tiers).map_err(|_| malformed())?;
        let free_from = money(self.free_from, self.free_from_currency.as_deref()).ok_or_else(malformed)?;
        let offer = Offer {
            display_name: self.display_name,
            description: self.description,
            countries: self.countries.split_whitespace().map(str::to_owned).collect(),
            tiers: tiers.into_iter().map(TierRow::tier).collect(),
            free_from,
            days_min: self.days_min,
            days_max: self.days_max,
            disabled: self.disabled,
        };
        Ok(Method { id: Id::from_uuid(self.id), offer, version: self.version })
    }
}

impl TierRow {
    fn of(tier: &Tier) -> Self {
        Self { weight_grams_max: tier.weight_grams_max, price: tier.price }
    }

    fn tier(self) -> Tier {
        Tier { weight_grams_max: self.weight_grams_max, price: self.price }
    }
}

fn code_of(money: Money) -> String {
    money.currency().as_str().to_owned()
}

/// Nothing when the two columns make no sense.
fn money(minor_units: Option<i64>, currency: Option<&str>) -> Option<Option<Money>> {
    match (minor_units, currency) {
        (None, None) => Some(None),
        (Some(minor_units), Some(code)) => {
            let currency: Currency = code.parse().ok()?;
            Some(Some(Money::new(currency, minor_units)))
        }
        _ => None,
    }
}
