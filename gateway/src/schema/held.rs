//! Which cart or checkout is meant, and by what right.

use async_graphql::{Context, ID};
use proto::{cart, orders};

use crate::context::{Capability, Principal, Viewer, viewer};
use crate::error::{Fault, Problem};
use crate::ids::{self, Kind};

/// A cart that is named, by its id and token, by a browser's cookie, or as the cart of the account.
pub(crate) struct HeldCart {
    pub(crate) key: cart::CartKey,
    pub(crate) principal: Principal,
}

impl HeldCart {
    /// What the arguments say wins; then the account's own cart; then what a guest's browser carries.
    pub(crate) fn of(
        ctx: &Context<'_>,
        id: Option<&ID>,
        token: Option<String>,
    ) -> Result<Option<Self>, Fault> {
        let viewer = viewer(ctx);
        let cart_id = id.map(|id| ids::decode(Kind::Cart, id)).transpose()?;
        let token = token.filter(|token| !token.is_empty());
        let capability = match (cart_id, token) {
            (Some(id), Some(token)) => Some(Capability { id, token }),
            (None, Some(_)) => {
                return Err(Fault::of(Problem::BadRequest, "A token belongs to a cart id."));
            }
            (cart_id, None) if viewer.user.is_some() => {
                return Ok(Some(Self {
                    key: cart::CartKey { cart_id: cart_id.unwrap_or_default(), token: String::new() },
                    principal: viewer.principal(),
                }));
            }
            (Some(id), None) => viewer.cart.clone().filter(|held| held.id == id),
            (None, None) => viewer.cart.clone(),
        };
        Ok(capability.map(Self::by))
    }

    /// The same where something is to be done with it. Who holds nothing asks all the same: the service finds no such
    /// cart, as it does for a token that is not right.
    pub(crate) fn needed(ctx: &Context<'_>, id: Option<&ID>, token: Option<String>) -> Result<Self, Fault> {
        let held = Self::of(ctx, id, token)?;
        let named = id.map_or(Ok(String::new()), |id| ids::decode(Kind::Cart, id))?;
        Ok(held.unwrap_or_else(|| Self::by(Capability { id: named, token: String::new() })))
    }

    fn by(held: Capability) -> Self {
        Self {
            principal: Principal::holder("cart", &held.id),
            key: cart::CartKey { cart_id: held.id, token: held.token },
        }
    }
}

/// A checkout that is named, and in whose name things are done with it.
pub(crate) struct HeldCheckout {
    pub(crate) key: orders::CheckoutKey,
    pub(crate) principal: Principal,
}

impl HeldCheckout {
    pub(crate) fn of(ctx: &Context<'_>, id: &ID, token: Option<String>) -> Result<Self, Fault> {
        let viewer = viewer(ctx);
        let checkout_id = ids::decode(Kind::Checkout, id)?;
        let own = viewer.checkout.as_ref().filter(|held| held.id == checkout_id);
        let token = token.or_else(|| own.map(|held| held.token.clone())).unwrap_or_default();
        let principal = principal(viewer, &token, "checkout", &checkout_id);
        Ok(Self { key: orders::CheckoutKey { checkout_id, token }, principal })
    }
}

/// An order that is named, and in whose name things are done with it.
pub(crate) struct HeldOrder {
    pub(crate) key: orders::OrderKey,
    pub(crate) principal: Principal,
}

impl HeldOrder {
    pub(crate) fn by_id(ctx: &Context<'_>, id: &ID, token: Option<String>) -> Result<Self, Fault> {
        let order_id = ids::decode(Kind::Order, id)?;
        Ok(Self::of(ctx, orders::order_key::Key::OrderId(order_id), token))
    }

    pub(crate) fn by_number(ctx: &Context<'_>, number: String, token: Option<String>) -> Self {
        Self::of(ctx, orders::order_key::Key::Number(number), token)
    }

    fn of(ctx: &Context<'_>, key: orders::order_key::Key, token: Option<String>) -> Self {
        let viewer = viewer(ctx);
        // The token of a checkout opens the order that it became.
        let carried = viewer.checkout.as_ref().filter(|_| viewer.user.is_none());
        let token = token.or_else(|| carried.map(|held| held.token.clone())).unwrap_or_default();
        let name = match &key {
            orders::order_key::Key::OrderId(id) => id,
            orders::order_key::Key::Number(number) => number,
        };
        let principal = principal(viewer, &token, "order", name);
        Self { key: orders::OrderKey { key: Some(key), token }, principal }
    }
}

/// A guest acts as whoever holds the thing, also one whose token is missing: the service finds nothing for either.
fn principal(viewer: &Viewer, token: &str, kind: &str, id: &str) -> Principal {
    match viewer.user.is_some() && token.is_empty() {
        true => viewer.principal(),
        false => Principal::holder(kind, id),
    }
}
