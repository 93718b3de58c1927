//! Checkouts as they are shown.

use async_graphql::{Context, ID, Object, SimpleObject};
use proto::{orders as pb, pricing};

use crate::context;
use crate::error::{Fault, soften};
use crate::ids::{self, Kind};
use crate::schema::address::Address;
use crate::schema::choice;
use crate::schema::look::Look;
use crate::schema::order::{self, Order};
use crate::schema::quote::{ChosenShipping, Cost, DiscountCode, LineCost, ShippingOption, discount_codes};
use crate::schema::status::{CheckoutFailure, CheckoutStatus};
use crate::schema::time;

const SERVICE: &str = "orders";
/// The most shipping methods that pricing answers at once.
const SHIPPING_OPTIONS_MAX: i32 = 50;

/// From "I take it" to an order.
pub(crate) struct Checkout {
    pub(crate) wire: pb::Checkout,
    order: Option<Order>,
    shipping: Option<Vec<pricing::ShippingOption>>,
}

/// A checkout with all that is asked for below it.
pub(crate) async fn show(ctx: &Context<'_>, wire: pb::Checkout, token: &str, look: &Look<'_>) -> Checkout {
    let below = look.below("order");
    let (order, shipping) = futures::join!(order_of(ctx, &wire, token, &below), shipping(ctx, &wire, look));
    Checkout { order, shipping, wire }
}

async fn order_of(ctx: &Context<'_>, checkout: &pb::Checkout, token: &str, look: &Look<'_>) -> Option<Order> {
    if !look.exists() || checkout.order_id.is_empty() {
        return None;
    }
    let key = pb::OrderKey {
        key: Some(pb::order_key::Key::OrderId(checkout.order_id.clone())),
        token: token.to_owned(),
    };
    let request = pb::GetOrderRequest { key: Some(key), read_mask: Some(order::read_mask(look)) };
    let answer = context::orders(ctx).get_order(request).await;
    let wire = soften(ctx, SERVICE, answer)?.order?;
    order::show(ctx, vec![wire], look).await.pop()
}

async fn shipping(
    ctx: &Context<'_>,
    checkout: &pb::Checkout,
    look: &Look<'_>,
) -> Option<Vec<pricing::ShippingOption>> {
    let quote = checkout.quote.as_ref();
    let lines = quote.map_or(&[][..], |quote| &quote.lines);
    if !look.has("shippingOptions") || lines.is_empty() {
        return Some(Vec::new());
    }
    let line = |line: &pricing::QuoteLine| pricing::QuoteLineRequest {
        variant_id: line.variant_id.clone(),
        quantity: line.quantity,
    };
    let address = checkout.details.as_ref().and_then(|details| details.shipping_address.as_ref());
    let request = pricing::ListShippingOptionsRequest {
        lines: lines.iter().map(line).collect(),
        currency_code: quote.map_or(String::new(), |quote| quote.currency_code.clone()),
        destination: address.map(|address| pricing::Destination {
            country_code: address.country_code.clone(),
            region: address.region.clone(),
            postal_code: address.postal_code.clone(),
        }),
        page_size: SHIPPING_OPTIONS_MAX,
        page_token: String::new(),
    };
    let answer = context::pricing(ctx).list_shipping_options(request).await;
    Some(soften(ctx, "pricing", answer)?.options)
}

/// From "I take it" to an order.
#[Object]
impl Checkout {
    /// Opaque id. It gives nobody the right to the checkout.
    pub(crate) async fn id(&self) -> ID {
        ids::encode(Kind::Checkout, &self.wire.id)
    }

    /// Where it stands.
    fn status(&self) -> Result<CheckoutStatus, Fault> {
        choice::promised(SERVICE, "CHECKOUT_STATE_", self.wire.state().as_str_name())
    }

    /// The cart that is bought.
    fn cart_id(&self) -> ID {
        ids::encode(Kind::Cart, &self.wire.cart_id)
    }

    /// Where news go.
    fn email(&self) -> Option<&str> {
        let email = &self.wire.details.as_ref()?.email;
        (!email.is_empty()).then_some(email)
    }

    /// Where it is sent.
    fn shipping_address(&self) -> Option<Address<'_>> {
        self.wire.details.as_ref()?.shipping_address.as_ref().map(Address)
    }

    /// Who pays, where that is somewhere else.
    fn billing_address(&self) -> Option<Address<'_>> {
        self.wire.details.as_ref()?.billing_address.as_ref().map(Address)
    }

    /// How it is sent; null until a method is chosen.
    fn shipping_method(&self) -> Option<ChosenShipping> {
        ChosenShipping::of(self.wire.quote.as_ref()?)
    }

    /// The ways to have it sent to its address. Null when prices are not known at the moment.
    fn shipping_options(&self) -> Option<Vec<ShippingOption>> {
        let options = self.shipping.as_ref()?;
        Some(options.iter().cloned().map(ShippingOption).collect())
    }

    /// The discount codes and whether they hold.
    fn discount_codes(&self) -> Vec<DiscountCode> {
        let codes = self.wire.details.as_ref().map_or(&[][..], |details| &details.codes);
        discount_codes(codes, self.wire.quote.as_ref())
    }

    /// What is bought.
    fn lines(&self) -> Vec<CheckoutLine<'_>> {
        let lines = self.wire.quote.as_ref().map_or(&[][..], |quote| &quote.lines);
        lines.iter().map(CheckoutLine).collect()
    }

    /// What it costs. `checkoutComplete` takes its `quoteId`.
    fn cost(&self) -> Option<Cost<'_>> {
        Some(Cost { quote: self.wire.quote.as_ref()?, estimated: !self.wire.missing.is_empty() })
    }

    /// What is still missing before it can be completed: "email", "shippingAddress", "shippingMethodId".
    fn missing(&self) -> Vec<String> {
        self.wire.missing.iter().map(|name| crate::error::camel_case(name)).collect()
    }

    /// The order, once there is one. Null otherwise, or when orders do not answer at the moment.
    fn order(&self) -> Option<&Order> {
        self.order.as_ref()
    }

    /// The number of the order, once there is one.
    fn order_number(&self) -> Option<&str> {
        let number = &self.wire.order_number;
        (!number.is_empty()).then_some(number)
    }

    /// Where the buyer must act; set with ACTION_REQUIRED.
    fn action_url(&self) -> Option<&str> {
        let url = &self.wire.action_url;
        (!url.is_empty()).then_some(url)
    }

    /// Why the last attempt to complete it did not succeed. With READY the buyer may try again.
    fn last_failure(&self) -> Option<CheckoutFailure> {
        choice::named("CHECKOUT_FAILURE_", self.wire.last_failure().as_str_name())
    }

    /// The same as a sentence for the buyer; empty without a failure.
    fn failure_message(&self) -> &str {
        &self.wire.failure_message
    }

    /// What is available of what was short.
    fn shortages(&self) -> Vec<Shortage> {
        let convert = |wire: &pb::Shortage| Shortage {
            sku: wire.sku.clone(),
            requested_quantity: wire.requested_quantity,
            available_quantity: wire.available_quantity,
        };
        self.wire.shortages.iter().map(convert).collect()
    }

    /// Grows by one with every change.
    fn version(&self) -> i64 {
        self.wire.version
    }

    /// When it was begun.
    fn created_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.wire.create_time.as_ref())
    }

    /// Until when it can be completed.
    fn expires_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.wire.expire_time.as_ref())
    }
}

/// One line of a checkout, as it is bought.
pub(crate) struct CheckoutLine<'a>(&'a pricing::QuoteLine);

/// One line of a checkout, as it is bought.
#[Object]
impl CheckoutLine<'_> {
    /// The variant.
    fn merchandise_id(&self) -> ID {
        ids::encode(Kind::Variant, &self.0.variant_id)
    }

    /// The stock-keeping unit.
    fn sku(&self) -> &str {
        &self.0.sku
    }

    /// What the product is called.
    fn title(&self) -> &str {
        &self.0.product_title
    }

    /// What the variant is called.
    fn variant_title(&self) -> &str {
        &self.0.variant_title
    }

    /// How many.
    fn quantity(&self) -> i64 {
        self.0.quantity
    }

    /// What it costs.
    fn cost(&self) -> LineCost<'_> {
        LineCost(self.0)
    }
}

/// What is available of something that was short.
#[derive(SimpleObject)]
pub(crate) struct Shortage {
    /// The stock-keeping unit.
    sku: String,
    /// How many were wanted.
    requested_quantity: i64,
    /// How many can be had.
    available_quantity: i64,
}
