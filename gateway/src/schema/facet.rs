//! How to narrow a search down: what can be filtered by, and filters as clients send them.

use async_graphql::{ID, InputObject, Json, Object, OneofObject};
use proto::search as pb;
use proto::search::filter::Condition;
use serde_json::{Value, json};

use crate::error::Fault;
use crate::ids::{self, Kind};
use crate::schema::choice::SearchFilterType;
use crate::schema::money::{MoneyInput, given};

/// One condition on products.
#[derive(OneofObject)]
pub(crate) enum SearchFilter {
    /// In the category or below it.
    CategoryId(ID),
    /// By the lowest price of a variant, in the context's currency.
    Price(PriceRangeInput),
    /// With a variant of this option.
    Option(OptionInput),
    /// With an average rating of at least so many stars, 1 to 5.
    RatingMin(i32),
    /// Whether at least one variant can be bought now.
    Available(bool),
    /// By who makes it.
    Vendor(String),
    /// By what kind of thing it is.
    ProductType(String),
    /// By a tag.
    Tag(String),
}

/// A span of prices, both ends inclusive; at least one end is given.
#[derive(InputObject)]
pub(crate) struct PriceRangeInput {
    /// At least this.
    min: Option<MoneyInput>,
    /// At most this.
    max: Option<MoneyInput>,
}

/// A value of an option: "Size" and "M".
#[derive(InputObject)]
pub(crate) struct OptionInput {
    /// "Size".
    name: String,
    /// "M".
    value: String,
}

impl SearchFilter {
    pub(crate) fn to_wire(&self) -> Result<pb::Filter, Fault> {
        let condition = match self {
            Self::CategoryId(id) => Condition::CategoryId(ids::decode(Kind::Category, id)?),
            Self::Price(range) => Condition::Price(pb::PriceRange {
                min: given(range.min.as_ref())?,
                max: given(range.max.as_ref())?,
            }),
            Self::Option(option) => {
                Condition::Option(pb::OptionValue { name: option.name.clone(), value: option.value.clone() })
            }
            Self::RatingMin(stars) => Condition::RatingMin(*stars),
            Self::Available(available) => Condition::Available(*available),
            Self::Vendor(vendor) => Condition::Vendor(vendor.clone()),
            Self::ProductType(product_type) => Condition::ProductType(product_type.clone()),
            Self::Tag(tag) => Condition::Tag(tag.clone()),
        };
        Ok(pb::Filter { condition: Some(condition) })
    }
}

/// Something that what was found can be narrowed down by.
pub(crate) struct SearchFacet<'a>(pub(crate) &'a pb::Facet);

/// Something that what was found can be narrowed down by.
#[Object(name = "SearchFilterGroup")]
impl SearchFacet<'_> {
    /// Stays the same from answer to answer: "vendor", "option.Size".
    fn id(&self) -> String {
        let kind = name_of(self.0.kind());
        if self.0.name.is_empty() { kind.to_owned() } else { format!("{kind}.{}", self.0.name) }
    }

    /// What to call it.
    fn label(&self) -> &str {
        match self.0.kind() {
            pb::FacetKind::Category => "Category",
            pb::FacetKind::Price => "Price",
            pb::FacetKind::Rating => "Rating",
            pb::FacetKind::Availability => "Availability",
            pb::FacetKind::Vendor => "Brand",
            pb::FacetKind::Option | pb::FacetKind::Unspecified => &self.0.name,
        }
    }

    /// How its values are best shown.
    fn r#type(&self) -> SearchFilterType {
        match self.0.kind() {
            pb::FacetKind::Price => SearchFilterType::PriceRange,
            pb::FacetKind::Availability => SearchFilterType::Boolean,
            _ => SearchFilterType::List,
        }
    }

    /// Its values that products have.
    fn values(&self) -> Vec<SearchFacetValue<'_>> {
        self.0.values.iter().map(|value| SearchFacetValue { id: self.id_of(value), value }).collect()
    }
}

impl SearchFacet<'_> {
    fn id_of(&self, value: &pb::FacetValue) -> String {
        let kind = name_of(self.0.kind());
        match condition(value) {
            Some(Condition::CategoryId(id)) => format!("{kind}.{}", ids::encode(Kind::Category, id).0),
            Some(Condition::RatingMin(stars)) => format!("{kind}.{stars}"),
            Some(Condition::Available(available)) => format!("{kind}.{available}"),
            Some(Condition::Price(range)) => {
                let end = |money: &Option<proto::common::Money>| {
                    money.as_ref().map(|money| money.minor_units.to_string()).unwrap_or_default()
                };
                format!("{kind}.{}-{}", end(&range.min), end(&range.max))
            }
            Some(Condition::Option(option)) => format!("{kind}.{}.{}", option.name, option.value),
            _ => format!("{kind}.{}", value.label),
        }
    }
}

/// One value to narrow down by.
pub(crate) struct SearchFacetValue<'a> {
    id: String,
    value: &'a pb::FacetValue,
}

/// One value to narrow down by.
#[Object(name = "SearchFilterValue")]
impl SearchFacetValue<'_> {
    /// Stays the same from answer to answer.
    fn id(&self) -> &str {
        &self.id
    }

    /// What to call it.
    fn label(&self) -> String {
        match condition(self.value) {
            Some(Condition::RatingMin(5)) => "5 stars".to_owned(),
            Some(Condition::RatingMin(stars)) => format!("{stars} stars and up"),
            Some(Condition::Available(true)) => "In stock".to_owned(),
            Some(Condition::Available(false)) => "Sold out".to_owned(),
            Some(Condition::Price(range)) => price_label(range),
            _ => self.value.label.clone(),
        }
    }

    /// How many products there are with it.
    fn count(&self) -> i64 {
        self.value.count
    }

    /// Send it back under `filters` to narrow the search down to this value.
    fn input(&self) -> Json<Value> {
        Json(condition(self.value).map_or(Value::Null, input))
    }

    /// Is the search narrowed down to it already?
    fn selected(&self) -> bool {
        self.value.selected
    }
}

fn name_of(kind: pb::FacetKind) -> &'static str {
    match kind {
        pb::FacetKind::Category => "category",
        pb::FacetKind::Price => "price",
        pb::FacetKind::Option => "option",
        pb::FacetKind::Rating => "rating",
        pb::FacetKind::Availability => "availability",
        pb::FacetKind::Vendor => "vendor",
        pb::FacetKind::Unspecified => "other",
    }
}

fn condition(value: &pb::FacetValue) -> Option<&Condition> {
    value.filter.as_ref()?.condition.as_ref()
}

/// A condition as `SearchFilter` reads it.
fn input(condition: &Condition) -> Value {
    match condition {
        Condition::CategoryId(id) => json!({ "categoryId": ids::encode(Kind::Category, id).0 }),
        Condition::Price(range) => {
            let ends = [("min", &range.min), ("max", &range.max)].into_iter();
            let ends = ends.filter_map(|(end, money)| Some((end.to_owned(), amount(money.as_ref()?)?)));
            json!({ "price": ends.collect::<serde_json::Map<_, _>>() })
        }
        Condition::Option(option) => json!({ "option": { "name": option.name, "value": option.value } }),
        Condition::RatingMin(stars) => json!({ "ratingMin": stars }),
        Condition::Available(available) => json!({ "available": available }),
        Condition::Vendor(vendor) => json!({ "vendor": vendor }),
        Condition::ProductType(product_type) => json!({ "productType": product_type }),
        Condition::Tag(tag) => json!({ "tag": tag }),
    }
}

fn amount(money: &proto::common::Money) -> Option<Value> {
    let money = kit::Money::try_from(money).ok()?;
    Some(json!({ "amount": money.to_decimal(), "currencyCode": money.currency().as_str() }))
}

fn price_label(range: &pb::PriceRange) -> String {
    let text = |money: &proto::common::Money| {
        kit::Money::try_from(money).map(|money| money.to_decimal()).unwrap_or_default()
    };
    let currency = range.min.as_ref().or(range.max.as_ref()).map_or("", |money| &money.currency_code);
    match (&range.min, &range.max) {
        (None, Some(max)) => format!("Up to {} {currency}", text(max)),
        (Some(min), None) => format!("{} {currency} and up", text(min)),
        (Some(min), Some(max)) => format!("{} to {} {currency}", text(min), text(max)),
        (None, None) => String::new(),
    }
}
