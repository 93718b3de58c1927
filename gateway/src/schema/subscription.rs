//! What can be watched: the services' own streams, the present state first, then each newer version.
//!
//! The version is the cursor: a client that comes back is given the present state, whatever it missed.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{Context, ContextSelectionSet, ID, OutputType, Positioned, ServerResult, Value};
use futures::{Stream, StreamExt};
use proto::{cart as carts, inventory, orders};
use tonic::{Response, Status};

use crate::context;
use crate::error::{Fault, listed};
use crate::schema::cart::{self, Cart};
use crate::schema::checkout::{self, Checkout};
use crate::schema::held::{HeldCart, HeldCheckout, HeldOrder};
use crate::schema::look::Look;
use crate::schema::order::{self, Order};
use crate::schema::stock::StockLevel;

/// What can be watched. Each starts with the present state.
pub(crate) struct Subscription;

/// What can be watched. Each starts with the present state.
#[async_graphql::Subscription]
impl Subscription {
    /// An order, now and after every change.
    async fn order_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] id: ID,
        #[graphql(desc = "A guest's token; browsers carry it in a cookie.")] token: Option<String>,
    ) -> Result<impl Stream<Item = Result<LiveOrder, Fault>> + use<>, Fault> {
        let held = HeldOrder::by_id(ctx, &id, token)?;
        let request = orders::WatchOrderRequest { key: Some(held.key) };
        let stream = listed("orders", context::orders(ctx).watch_order(request).await)?;
        Ok(stream.map(|item| {
            let wire = item_of("orders", item)?.order;
            wire.map(LiveOrder).ok_or_else(|| Fault::incomplete("orders"))
        }))
    }

    /// A checkout, now and after every change. Ends with COMPLETED or FAILED.
    async fn checkout_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The checkout.")] id: ID,
        #[graphql(desc = "A guest's token; browsers carry it in a cookie.")] token: Option<String>,
    ) -> Result<impl Stream<Item = Result<LiveCheckout, Fault>> + use<>, Fault> {
        let held = HeldCheckout::of(ctx, &id, token)?;
        let token = held.key.token.clone();
        let request = orders::WatchCheckoutRequest { key: Some(held.key) };
        let stream = listed("orders", context::orders(ctx).watch_checkout(request).await)?;
        Ok(stream.map(move |item| {
            let wire = item_of("orders", item)?.checkout;
            let live = |wire| LiveCheckout(wire, token.clone());
            wire.map(live).ok_or_else(|| Fault::incomplete("orders"))
        }))
    }

    /// A cart, now and after every change.
    async fn cart_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart; the account's own, or the browser's, if absent.")] id: Option<ID>,
        #[graphql(desc = "A guest's token; browsers carry it in a cookie.")] token: Option<String>,
    ) -> Result<impl Stream<Item = Result<LiveCart, Fault>> + use<>, Fault> {
        let held = HeldCart::needed(ctx, id.as_ref(), token)?;
        let request = carts::WatchCartRequest { key: Some(held.key) };
        let stream = listed("cart", context::cart(ctx).watch_cart(request).await)?;
        Ok(stream.map(|item| {
            let wire = item_of("cart", item)?.cart;
            wire.map(LiveCart).ok_or_else(|| Fault::incomplete("cart"))
        }))
    }

    /// What can be had of some SKUs, now and after every change.
    async fn stock_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which; 1 to 250.")] skus: Vec<String>,
    ) -> Result<impl Stream<Item = Result<StockLevel, Fault>> + use<>, Fault> {
        let request = inventory::WatchStockRequest { skus };
        let stream = listed("inventory", context::inventory(ctx).watch_stock(request).await)?;
        Ok(stream.map(|item| {
            let wire = item_of("inventory", item)?.stock;
            wire.map(StockLevel).ok_or_else(|| Fault::incomplete("inventory"))
        }))
    }
}

fn item_of<T>(service: &'static str, item: Result<T, Status>) -> Result<T, Fault> {
    listed(service, item.map(Response::new))
}

/// An order as it came off a stream: what is asked for below it is read when it is shown.
pub(crate) struct LiveOrder(orders::Order);

/// A checkout as it came off a stream, and the token that opens its order.
pub(crate) struct LiveCheckout(orders::Checkout, String);

/// A cart as it came off a stream.
pub(crate) struct LiveCart(carts::Cart);

impl OutputType for LiveOrder {
    fn type_name() -> Cow<'static, str> {
        Order::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Order::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let below = ctx.with_field(field);
        let mut shown = order::show(&below, vec![self.0.clone()], &Look::here(&below)).await;
        OutputType::resolve(&shown.pop(), ctx, field).await
    }
}

impl OutputType for LiveCheckout {
    fn type_name() -> Cow<'static, str> {
        Checkout::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Checkout::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let below = ctx.with_field(field);
        let shown = checkout::show(&below, self.0.clone(), &self.1, &Look::here(&below)).await;
        OutputType::resolve(&shown, ctx, field).await
    }
}

impl OutputType for LiveCart {
    fn type_name() -> Cow<'static, str> {
        Cart::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Cart::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let below = ctx.with_field(field);
        let shown = cart::show(&below, self.0.clone(), &Look::here(&below)).await;
        OutputType::resolve(&shown, ctx, field).await
    }
}
