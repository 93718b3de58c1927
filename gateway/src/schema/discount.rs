//! Discounts, for staff.

use async_graphql::{ID, InputObject, MaybeUndefined, Object};
use proto::pricing as pb;

use crate::error::{Fault, Problem};
use crate::ids::{self, Kind};
use crate::schema::money::{Decimal, Money, MoneyInput, given, optional, ppm, rate};
use crate::schema::{time, wire_time};

/// A discount code, for staff.
pub(crate) struct Discount(pub(crate) pb::Discount);

/// A discount code: a percentage, an amount, or free shipping.
#[Object]
impl Discount {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::encode(Kind::Discount, &self.0.id)
    }

    /// What buyers enter.
    fn code(&self) -> &str {
        &self.0.code
    }

    /// The share of the subtotal it takes off: "0.1" is 10 %. Null for the other kinds.
    fn percentage(&self) -> Option<Decimal> {
        match self.0.value {
            Some(pb::discount::Value::PercentPpm(figure)) => Some(rate(figure)),
            _ => None,
        }
    }

    /// The amount it takes off. Null for the other kinds.
    fn amount(&self) -> Option<Money> {
        match &self.0.value {
            Some(pb::discount::Value::Amount(amount)) => optional(Some(amount)),
            _ => None,
        }
    }

    /// Does it make shipping free?
    fn free_shipping(&self) -> bool {
        matches!(self.0.value, Some(pb::discount::Value::FreeShipping(true)))
    }

    /// The subtotal from which it holds; null for any.
    fn minimum_amount(&self) -> Option<Money> {
        optional(self.0.minimum.as_ref())
    }

    /// Uses in all; null for no limit.
    fn usage_limit(&self) -> Option<i64> {
        (self.0.limit_total > 0).then_some(self.0.limit_total)
    }

    /// Uses of one customer; null for no limit.
    fn usage_limit_per_customer(&self) -> Option<i64> {
        (self.0.limit_per_customer > 0).then_some(self.0.limit_per_customer)
    }

    /// Uses so far, those of open checkouts included.
    fn usage_count(&self) -> i64 {
        self.0.use_count
    }

    /// Since when it holds.
    fn starts_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.0.start_time.as_ref())
    }

    /// Until when it holds.
    fn ends_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.0.end_time.as_ref())
    }

    /// May it stand beside others that may?
    fn combinable(&self) -> bool {
        self.0.combinable
    }

    /// Is it switched off?
    fn disabled(&self) -> bool {
        self.0.disabled
    }

    /// Names this state of the discount; give it back to change exactly this state.
    fn etag(&self) -> &str {
        &self.0.etag
    }
}

/// A discount as staff write it. Absent fields stay as they are; null empties a field.
#[derive(InputObject)]
pub(crate) struct DiscountInput {
    /// What buyers enter.
    code: Option<String>,
    /// The share of the subtotal it takes off: "0.1" is 10 %. One of the three kinds.
    percentage: Option<Decimal>,
    /// The amount it takes off. One of the three kinds.
    amount: Option<MoneyInput>,
    /// True: it makes shipping free. One of the three kinds.
    free_shipping: Option<bool>,
    /// The subtotal from which it holds.
    minimum_amount: MaybeUndefined<MoneyInput>,
    /// Uses in all.
    usage_limit: MaybeUndefined<i64>,
    /// Uses of one customer.
    usage_limit_per_customer: MaybeUndefined<i64>,
    /// Since when it holds.
    starts_at: MaybeUndefined<chrono::DateTime<chrono::Utc>>,
    /// Until when it holds.
    ends_at: MaybeUndefined<chrono::DateTime<chrono::Utc>>,
    /// May it stand beside others that may?
    combinable: Option<bool>,
    /// Is it switched off?
    disabled: Option<bool>,
}

impl DiscountInput {
    /// The discount and the paths that are given.
    pub(crate) fn to_wire(&self, id: String) -> Result<(pb::Discount, Vec<String>), Fault> {
        let mut paths = Vec::new();
        let mut set = |path: &str, is_set: bool| {
            if is_set {
                paths.push(path.to_owned());
            }
        };
        let value = self.value()?;
        set("code", self.code.is_some());
        set(value_path(value.as_ref()), value.is_some());
        set("minimum", !self.minimum_amount.is_undefined());
        set("limit_total", !self.usage_limit.is_undefined());
        set("limit_per_customer", !self.usage_limit_per_customer.is_undefined());
        set("start_time", !self.starts_at.is_undefined());
        set("end_time", !self.ends_at.is_undefined());
        set("combinable", self.combinable.is_some());
        set("disabled", self.disabled.is_some());
        let discount = pb::Discount {
            id,
            code: self.code.clone().unwrap_or_default(),
            value,
            minimum: given(self.minimum_amount.as_opt_ref().flatten())?,
            limit_total: self.usage_limit.as_opt_ref().flatten().copied().unwrap_or(0),
            limit_per_customer: self.usage_limit_per_customer.as_opt_ref().flatten().copied().unwrap_or(0),
            start_time: self.starts_at.as_opt_ref().flatten().copied().map(wire_time),
            end_time: self.ends_at.as_opt_ref().flatten().copied().map(wire_time),
            combinable: self.combinable.unwrap_or(false),
            disabled: self.disabled.unwrap_or(false),
            ..Default::default()
        };
        Ok((discount, paths))
    }

    fn value(&self) -> Result<Option<pb::discount::Value>, Fault> {
        use pb::discount::Value;
        match (&self.percentage, &self.amount, self.free_shipping) {
            (None, None, None | Some(false)) => Ok(None),
            (Some(percentage), None, None | Some(false)) => Ok(Some(Value::PercentPpm(ppm(percentage)?))),
            (None, Some(amount), None | Some(false)) => Ok(Some(Value::Amount(amount.to_wire()?))),
            (None, None, Some(true)) => Ok(Some(Value::FreeShipping(true))),
            _ => Err(Fault::of(
                Problem::BadRequest,
                "A discount is a percentage, an amount or free shipping: one of them.",
            )),
        }
    }
}

fn value_path(value: Option<&pb::discount::Value>) -> &'static str {
    use pb::discount::Value;
    match value {
        Some(Value::Amount(_)) => "amount",
        Some(Value::FreeShipping(_)) => "free_shipping",
        Some(Value::PercentPpm(_)) | None => "percent_ppm",
    }
}
