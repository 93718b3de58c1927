//! Shipping methods, for staff: what they are, how they are read and changed.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use proto::pricing as pb;

use crate::context::{self, own_request_id};
use crate::error::{Fault, Refusal, listed, settled};
use crate::ids::{self, Kind};
use crate::schema::Part;
use crate::schema::connection::{Connection, Window};
use crate::schema::money::{CountryCode, Money, MoneyInput, given, optional, promised};
use crate::schema::product::page_cost;
use crate::schema::user_error::{ShippingErrorCode, UserError, Warning, user_errors};

const SERVICE: &str = "pricing";

/// A way to have things sent, as staff keep it.
pub(crate) struct ShippingMethod(pb::ShippingMethod);

/// A way to have things sent, as staff keep it. Buyers see `shippingOptions`.
#[Object]
impl ShippingMethod {
    /// Opaque id.
    async fn id(&self) -> ID {
        ids::encode(Kind::ShippingMethod, &self.0.id)
    }

    /// What it is called.
    fn title(&self) -> &str {
        &self.0.display_name
    }

    /// More about it.
    fn description(&self) -> &str {
        &self.0.description
    }

    /// The countries it serves; empty for everywhere.
    fn country_codes(&self) -> Vec<CountryCode> {
        self.0.country_codes.iter().cloned().map(CountryCode).collect()
    }

    /// What it costs, by weight: of the buyer's currency, the first that holds the weight.
    fn rates(&self) -> Vec<ShippingRate> {
        self.0.rates.iter().cloned().map(ShippingRate).collect()
    }

    /// The subtotal from which it costs nothing; null for never.
    fn free_from(&self) -> Option<Money> {
        optional(self.0.free_from.as_ref())
    }

    /// Days until it arrives, at least.
    fn days_min(&self) -> i32 {
        self.0.days_min
    }

    /// Days until it arrives, at most.
    fn days_max(&self) -> i32 {
        self.0.days_max
    }

    /// Is it switched off?
    fn disabled(&self) -> bool {
        self.0.disabled
    }

    /// Names this state of the method; give it back to change exactly this state.
    fn etag(&self) -> &str {
        &self.0.etag
    }
}

/// What a shipping method costs up to a weight.
pub(crate) struct ShippingRate(pb::ShippingRate);

/// What a shipping method costs up to a weight.
#[Object]
impl ShippingRate {
    /// Up to so many grams.
    fn weight_grams_max(&self) -> i64 {
        self.0.weight_grams_max
    }

    /// What it costs.
    fn price(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.0.price.as_ref())
    }
}

/// What a shipping method costs up to a weight.
#[derive(InputObject)]
pub(crate) struct ShippingRateInput {
    /// Up to so many grams.
    weight_grams_max: i64,
    /// What it costs.
    price: MoneyInput,
}

/// A shipping method as staff write it, whole: what is left out is empty or off.
#[derive(InputObject)]
pub(crate) struct ShippingMethodInput {
    /// What it is called; 1 to 100 characters.
    title: String,
    /// More about it.
    #[graphql(default)]
    description: String,
    /// The countries it serves; empty for everywhere.
    #[graphql(default)]
    country_codes: Vec<CountryCode>,
    /// 1 to 100, by ascending weight within each currency.
    rates: Vec<ShippingRateInput>,
    /// The subtotal from which it costs nothing.
    free_from: Option<MoneyInput>,
    /// Days until it arrives, at least.
    #[graphql(default)]
    days_min: i32,
    /// Days until it arrives, at most.
    days_max: i32,
    /// Is it switched off?
    #[graphql(default)]
    disabled: bool,
}

impl ShippingMethodInput {
    fn into_wire(self, id: String) -> Result<pb::ShippingMethod, Fault> {
        let rate = |rate: &ShippingRateInput| {
            Ok(pb::ShippingRate {
                weight_grams_max: rate.weight_grams_max,
                price: Some(rate.price.to_wire()?),
            })
        };
        Ok(pb::ShippingMethod {
            id,
            display_name: self.title,
            description: self.description,
            country_codes: self.country_codes.into_iter().map(|code| code.0).collect(),
            rates: self.rates.iter().map(rate).collect::<Result<_, Fault>>()?,
            free_from: given(self.free_from.as_ref())?,
            days_min: self.days_min,
            days_max: self.days_max,
            disabled: self.disabled,
            etag: String::new(),
        })
    }
}

#[derive(Default)]
pub(crate) struct ShippingQuery;

/// Shipping methods, for staff.
#[Object]
impl ShippingQuery {
    /// All shipping methods, also those not offered now. For staff who see prices.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn shipping_methods(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
    ) -> Part<Connection<ShippingMethod>> {
        let read = async {
            let window = Window::of(Some(first), after.as_deref())?;
            let request = pb::ListShippingMethodsRequest {
                page_size: window.page_size(),
                page_token: window.page_token(),
            };
            let page = listed(SERVICE, context::pricing(ctx).list_shipping_methods(request).await)?;
            let items = page.shipping_methods.into_iter().map(ShippingMethod).collect();
            Ok(window.connect(items, page.next_page_token))
        };
        Some(read.await)
    }
}

/// What became of a change of a shipping method.
#[derive(SimpleObject, Default)]
pub(crate) struct ShippingMethodPayload {
    /// The method after the change; null when nothing changed.
    shipping_method: Option<ShippingMethod>,
    /// Why nothing changed.
    user_errors: Vec<UserError<ShippingErrorCode>>,
    /// What was done otherwise than asked.
    warnings: Vec<Warning>,
}

#[derive(Default)]
pub(crate) struct ShippingMutation;

/// Changes of shipping methods.
#[Object]
impl ShippingMutation {
    /// Staff: adds a shipping method.
    async fn shipping_method_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The method.")] input: ShippingMethodInput,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<ShippingMethodPayload> {
        let change = async {
            let request = pb::CreateShippingMethodRequest {
                shipping_method: Some(input.into_wire(String::new())?),
                request_id: own_request_id(ctx, &idempotency_key, "CreateShippingMethod")?,
            };
            let answer = settled(SERVICE, context::pricing(ctx).create_shipping_method(request).await)?;
            payload(answer.map(|answer| answer.shipping_method))
        };
        Some(change.await)
    }

    /// Staff: replaces a shipping method by what is given, whole.
    async fn shipping_method_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] id: ID,
        #[graphql(desc = "What it is from now on.")] input: ShippingMethodInput,
        #[graphql(desc = "The state that was read.")] etag: String,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<ShippingMethodPayload> {
        let change = async {
            let request = pb::UpdateShippingMethodRequest {
                shipping_method: Some(input.into_wire(ids::decode(Kind::ShippingMethod, &id)?)?),
                etag,
                request_id: own_request_id(ctx, &idempotency_key, "UpdateShippingMethod")?,
            };
            let answer = settled(SERVICE, context::pricing(ctx).update_shipping_method(request).await)?;
            payload(answer.map(|answer| answer.shipping_method))
        };
        Some(change.await)
    }
}

fn payload(answer: Result<Option<pb::ShippingMethod>, Vec<Refusal>>) -> Result<ShippingMethodPayload, Fault> {
    match answer {
        Ok(method) => {
            let method = method.ok_or_else(|| Fault::incomplete(SERVICE))?;
            Ok(ShippingMethodPayload { shipping_method: Some(ShippingMethod(method)), ..Default::default() })
        }
        Err(refusals) => {
            Ok(ShippingMethodPayload { user_errors: user_errors(SERVICE, refusals)?, ..Default::default() })
        }
    }
}
