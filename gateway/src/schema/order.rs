//! Orders as they are shown.

mod mask;

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use proto::{orders as pb, payments};

use crate::context;
use crate::error::{Fault, soften};
use crate::ids::{self, Kind};
use crate::schema::address::Address;
use crate::schema::choice;
use crate::schema::look::Look;
use crate::schema::money::{Money, TaxedMoney, optional, promised};
use crate::schema::payment::Payment;
use crate::schema::shipment::{OrderReturn, Shipment};
use crate::schema::status::{
    OrderAction, OrderFulfilmentStatus, OrderOrigin, OrderPaymentStatus, OrderStatus,
};
use crate::schema::variant::Variant;
use crate::schema::{time, wants};

pub(crate) use mask::read_mask;

const SERVICE: &str = "orders";

/// What was bought, and what became of it.
pub(crate) struct Order {
    pub(crate) wire: pb::Order,
    variants: Option<Arc<HashMap<String, Arc<Variant<'static>>>>>,
    payment: Option<payments::Payment>,
}

/// Orders with all that is asked for below them: one call of each service for all.
pub(crate) async fn show(ctx: &Context<'_>, wires: Vec<pb::Order>, look: &Look<'_>) -> Vec<Order> {
    let merchandise = look.below("lines").below("merchandise");
    let mut ids: Vec<String> = match merchandise.exists() {
        true => wires.iter().flat_map(|order| &order.lines).map(|line| line.variant_id.clone()).collect(),
        false => Vec::new(),
    };
    ids.sort_unstable();
    ids.dedup();
    ids.retain(|id| !id.is_empty());
    let payment = look.below("payment");
    let (variants, payments) =
        futures::join!(wants::variants_by_id(ctx, ids, &merchandise), payments_of(ctx, &wires, &payment),);
    let variants = variants.map(Arc::new);
    let complete = |wire: pb::Order| Order {
        variants: variants.clone(),
        payment: payments.get(&wire.payment_id).cloned(),
        wire,
    };
    wires.into_iter().map(complete).collect()
}

async fn payments_of(
    ctx: &Context<'_>,
    orders: &[pb::Order],
    look: &Look<'_>,
) -> HashMap<String, payments::Payment> {
    let ids = orders.iter().map(|order| order.payment_id.clone());
    let payment_ids: Vec<String> = ids.filter(|id| !id.is_empty()).collect();
    if !look.exists() || payment_ids.is_empty() {
        return HashMap::new();
    }
    let request = payments::BatchGetPaymentsRequest { payment_ids };
    let answer = context::payments(ctx).batch_get_payments(request).await;
    let found = soften(ctx, "payments", answer).map_or(Vec::new(), |page| page.payments);
    found.into_iter().map(|payment| (payment.id.clone(), payment)).collect()
}

/// What was bought, and what became of it.
#[Object]
impl Order {
    /// Opaque id. It gives nobody the right to the order.
    pub(crate) async fn id(&self) -> ID {
        ids::encode(Kind::Order, &self.wire.id)
    }

    /// For people: "S-" and some letters and digits.
    fn number(&self) -> &str {
        &self.wire.number
    }

    /// Where it comes from.
    fn origin(&self) -> Result<OrderOrigin, Fault> {
        choice::promised(SERVICE, "ORDER_ORIGIN_", self.wire.origin().as_str_name())
    }

    /// Where it stands as a whole.
    fn status(&self) -> Result<OrderStatus, Fault> {
        choice::promised(SERVICE, "ORDER_STATE_", self.wire.state().as_str_name())
    }

    /// Where its money stands.
    fn payment_status(&self) -> Option<OrderPaymentStatus> {
        choice::named("ORDER_PAYMENT_STATE_", self.wire.payment_state().as_str_name())
    }

    /// Where its goods stand.
    fn fulfilment_status(&self) -> Option<OrderFulfilmentStatus> {
        choice::named("FULFILMENT_STATE_", self.wire.fulfilment_state().as_str_name())
    }

    /// What may be done with it now, by whoever has the right to.
    fn allowed_actions(&self) -> Vec<OrderAction> {
        let actions = self.wire.allowed_actions();
        actions.filter_map(|action| choice::named("ORDER_ACTION_", action.as_str_name())).collect()
    }

    /// Where news go; null for imported orders.
    fn email(&self) -> Option<&str> {
        (!self.wire.email.is_empty()).then_some(&self.wire.email)
    }

    /// The account's id; null for a guest's order.
    fn customer_id(&self) -> Option<ID> {
        let id = &self.wire.account_id;
        (!id.is_empty()).then(|| ids::encode(Kind::Customer, id))
    }

    /// Where it is sent, as it was when the order was placed.
    fn shipping_address(&self) -> Option<Address<'_>> {
        self.wire.shipping_address.as_ref().map(Address)
    }

    /// Who pays, where that is somewhere else.
    fn billing_address(&self) -> Option<Address<'_>> {
        self.wire.billing_address.as_ref().map(Address)
    }

    /// What was bought.
    fn lines(&self) -> Vec<OrderLine<'_>> {
        self.wire.lines.iter().map(|wire| self.line(wire)).collect()
    }

    /// What it cost, as it was when the order was placed.
    fn totals(&self) -> Result<OrderTotals<'_>, Fault> {
        let totals = self.wire.totals.as_ref();
        totals.map(OrderTotals).ok_or_else(|| Fault::incomplete(SERVICE))
    }

    /// The discount codes that were used.
    fn discount_codes(&self) -> &[String] {
        &self.wire.codes
    }

    /// How it is sent.
    fn shipping_method(&self) -> &str {
        &self.wire.shipping_method_name
    }

    /// What was taken so far; null before.
    fn paid_amount(&self) -> Option<Money> {
        optional(self.wire.paid.as_ref())
    }

    /// What was given back so far; null before.
    fn refunded_amount(&self) -> Option<Money> {
        optional(self.wire.refunded.as_ref())
    }

    /// The payment, for staff. Null without one, or when payments do not answer at the moment.
    fn payment(&self) -> Option<Payment> {
        self.payment.clone().map(Payment)
    }

    /// What was sent, and when it arrived.
    fn shipments(&self) -> Vec<Shipment<'_>> {
        let convert = |wire| Shipment::of(wire, self);
        self.wire.shipments.iter().map(convert).collect()
    }

    /// What the buyer sends back.
    fn returns(&self) -> Vec<OrderReturn<'_>> {
        let convert = |wire| OrderReturn::of(wire, self);
        self.wire.returns.iter().map(convert).collect()
    }

    /// Why it was cancelled; empty otherwise.
    fn cancel_reason(&self) -> &str {
        &self.wire.cancel_reason
    }

    /// The source's own id; null for orders that were placed here.
    fn external_id(&self) -> Option<&str> {
        (!self.wire.external_id.is_empty()).then_some(&self.wire.external_id)
    }

    /// When it was placed.
    fn placed_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.wire.place_time.as_ref())
    }

    /// When it last changed.
    fn updated_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.wire.update_time.as_ref())
    }

    /// Grows by one with every change.
    fn version(&self) -> i64 {
        self.wire.version
    }
}

impl Order {
    fn line<'a>(&'a self, wire: &'a pb::OrderLine) -> OrderLine<'a> {
        let variants = self.variants.as_deref();
        let variant = variants.and_then(|all| all.get(&wire.variant_id));
        OrderLine { wire, variant: variant.map(Arc::as_ref) }
    }

    pub(crate) fn counts<'a>(&'a self, counts: &'a [pb::LineCount]) -> Vec<LineQuantity<'a>> {
        let find = |id: &str| self.wire.lines.iter().find(|line| line.id == id);
        let convert = |count: &'a pb::LineCount| LineQuantity {
            line: find(&count.line_id).map(|line| self.line(line)),
            quantity: count.quantity,
        };
        counts.iter().map(convert).collect()
    }
}

/// One line of an order, as it was bought.
pub(crate) struct OrderLine<'a> {
    wire: &'a pb::OrderLine,
    variant: Option<&'a Variant<'static>>,
}

/// One line of an order, as it was bought.
#[Object]
impl OrderLine<'_> {
    /// Opaque id.
    fn id(&self) -> ID {
        ids::encode(Kind::OrderLine, &self.wire.id)
    }

    /// The variant as it is today. Null when it is gone, or the catalogue does not answer at the moment.
    fn merchandise(&self) -> Option<&Variant<'static>> {
        self.variant
    }

    /// The product's id, for reviews.
    fn product_id(&self) -> Option<ID> {
        let id = &self.wire.product_id;
        (!id.is_empty()).then(|| ids::encode(Kind::Product, id))
    }

    /// The stock-keeping unit.
    fn sku(&self) -> &str {
        &self.wire.sku
    }

    /// What the product was called.
    fn title(&self) -> &str {
        &self.wire.product_title
    }

    /// What the variant was called.
    fn variant_title(&self) -> &str {
        &self.wire.variant_title
    }

    /// How many.
    fn quantity(&self) -> i64 {
        self.wire.quantity
    }

    /// What one cost.
    fn unit_price(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.wire.unit_price.as_ref())
    }

    /// The line's share of the discounts; positive.
    fn discount_amount(&self) -> Option<Money> {
        optional(self.wire.discount.as_ref())
    }

    /// What was paid for it, with and without tax.
    fn total_amount(&self) -> Result<TaxedMoney, Fault> {
        let line = self.wire;
        let parts = [line.net.as_ref(), line.tax.as_ref(), line.total.as_ref()];
        TaxedMoney::of(SERVICE, parts, line.tax_rate_ppm)
    }

    /// How many were sent.
    fn shipped_quantity(&self) -> i64 {
        self.wire.shipped_quantity
    }

    /// How many have arrived.
    fn delivered_quantity(&self) -> i64 {
        self.wire.delivered_quantity
    }

    /// How many are in returns that were not rejected.
    fn returned_quantity(&self) -> i64 {
        self.wire.returned_quantity
    }
}

/// A line and how many of it.
#[derive(SimpleObject)]
pub(crate) struct LineQuantity<'a> {
    /// The line.
    line: Option<OrderLine<'a>>,
    /// How many.
    quantity: i64,
}

/// What an order cost.
pub(crate) struct OrderTotals<'a>(&'a pb::OrderTotals);

/// What an order cost, as it was when the order was placed.
#[Object]
impl OrderTotals<'_> {
    /// All lines at list prices.
    fn subtotal_amount(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.0.subtotal.as_ref())
    }

    /// What discounts took off; positive.
    fn discount_amount(&self) -> Option<Money> {
        optional(self.0.discount.as_ref())
    }

    /// Shipping, before discount.
    fn shipping_amount(&self) -> Option<Money> {
        optional(self.0.shipping.as_ref())
    }

    /// All taxes.
    fn tax_amount(&self) -> Option<Money> {
        optional(self.0.tax.as_ref())
    }

    /// What was to be paid.
    fn total_amount(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.0.total.as_ref())
    }

    /// Did list prices contain the tax?
    fn prices_include_tax(&self) -> bool {
        self.0.prices_include_tax
    }
}
