//! Anything by its id: one batch call for each kind, whatever the number of ids.

use std::collections::HashMap;

use async_graphql::{Context, ID, Interface, Object};
use mesh::Role;
use proto::{cart as carts, catalogue, identity, orders, payments, pricing, reviews};

use crate::context::{self, viewer};
use crate::error::{Fault, Problem, complain, found, listed};
use crate::ids::{self, Kind};
use crate::limits::{HELD_NODES_MAX, NODES_MAX};
use crate::schema::account::Customer;
use crate::schema::cart::{self, Cart};
use crate::schema::category::{self, Category};
use crate::schema::checkout::{self, Checkout};
use crate::schema::collection::{self, Collection};
use crate::schema::discount::Discount;
use crate::schema::held::{HeldCart, HeldCheckout, HeldOrder};
use crate::schema::look::Look;
use crate::schema::order::{self, Order};
use crate::schema::payment::Payment;
use crate::schema::product::Product;
use crate::schema::review::Review;
use crate::schema::variant::Variant;
use crate::schema::{Part, wants};

/// Anything that has an id of its own.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque id."))]
pub(crate) enum Node {
    /// A product.
    Product(Box<Product>),
    /// A variant of a product.
    Variant(Variant<'static>),
    /// A category.
    Category(Category),
    /// A collection.
    Collection(Collection),
    /// A cart that the caller holds.
    Cart(Box<Cart>),
    /// A checkout that the caller holds.
    Checkout(Box<Checkout>),
    /// An order of the caller, or any for staff.
    Order(Box<Order>),
    /// A review that the caller may see.
    Review(Review),
    /// The caller's account, or any for staff.
    Customer(Customer),
    /// A discount, for staff.
    Discount(Discount),
    /// A payment, for staff.
    Payment(Payment),
}

#[derive(Default)]
pub(crate) struct NodeQuery;

/// Anything by its id.
#[Object]
impl NodeQuery {
    /// One thing by its id; null if there is none, or it is not the caller's.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Part<Node> {
        let found = nodes(ctx, std::slice::from_ref(&id)).await;
        found.map(|mut nodes| nodes.pop().flatten()).transpose()
    }

    /// Things by their ids, in the order asked; null where there is none. At most 250.
    #[graphql(complexity = "ids.len() * child_complexity")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Their ids.")] ids: Vec<ID>,
    ) -> Part<Vec<Option<Node>>> {
        Some(nodes(ctx, &ids).await)
    }
}

async fn nodes(ctx: &Context<'_>, asked: &[ID]) -> Result<Vec<Option<Node>>, Fault> {
    if asked.len() > NODES_MAX {
        return Err(Fault::of(Problem::BadRequest, format!("At most {NODES_MAX} ids at once.")));
    }
    let keys: Vec<(Kind, String)> = asked.iter().map(ids::decode_any).collect::<Result<_, _>>()?;
    let mut kinds: HashMap<Kind, Vec<String>> = HashMap::new();
    for (kind, id) in &keys {
        let ids = kinds.entry(*kind).or_default();
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    let look = Look::here(ctx);
    let calls = kinds.into_iter().map(|(kind, ids)| of_kind(ctx, kind, ids, &look));
    let answers = futures::future::join_all(calls).await;
    let mut found: HashMap<(Kind, String), Node> = HashMap::new();
    for answer in answers {
        match answer {
            Ok(nodes) => found.extend(nodes),
            // Kinds that cannot be had leave the others where they are.
            Err(fault) => complain(ctx, fault),
        }
    }
    // An id that stands twice is answered at its first place.
    Ok(keys.into_iter().map(|key| found.remove(&key)).collect())
}

type Found = Vec<((Kind, String), Node)>;

async fn of_kind(ctx: &Context<'_>, kind: Kind, ids: Vec<String>, look: &Look<'_>) -> Result<Found, Fault> {
    match kind {
        Kind::Product | Kind::Variant | Kind::Category | Kind::Collection => {
            of_catalogue(ctx, kind, ids, look).await
        }
        Kind::Cart | Kind::Checkout => held(ctx, kind, ids, look).await,
        Kind::Order if viewer(ctx).user.is_none() => held(ctx, kind, ids, look).await,
        Kind::Order => {
            let request =
                orders::BatchGetOrdersRequest { order_ids: ids, read_mask: Some(order::read_mask(look)) };
            let answer = context::orders(ctx).batch_get_orders(request).await;
            let wires = listed("orders", answer)?.orders;
            let all = order::show(ctx, wires, look).await;
            Ok(keyed(kind, all, |order| order.wire.id.clone(), |order| Node::Order(Box::new(order))))
        }
        Kind::Review => {
            let request = reviews::BatchGetReviewsRequest { review_ids: ids };
            let answer = context::reviews(ctx).batch_get_reviews(request).await;
            let all = listed("reviews", answer)?.reviews.into_iter().map(Review);
            Ok(keyed(kind, all, |review| review.0.id.clone(), Node::Review))
        }
        Kind::Customer => accounts(ctx, ids).await,
        Kind::Discount => {
            let request = pricing::BatchGetDiscountsRequest { discount_ids: ids };
            let answer = context::pricing(ctx).batch_get_discounts(request).await;
            let all = listed("pricing", answer)?.discounts.into_iter().map(Discount);
            Ok(keyed(kind, all, |discount| discount.0.id.clone(), Node::Discount))
        }
        Kind::Payment => {
            let request = payments::BatchGetPaymentsRequest { payment_ids: ids };
            let answer = context::payments(ctx).batch_get_payments(request).await;
            let all = listed("payments", answer)?.payments.into_iter().map(Payment);
            Ok(keyed(kind, all, |payment| payment.0.id.clone(), Node::Payment))
        }
        // Parts of other things: they are found where they belong.
        Kind::Media
        | Kind::CartLine
        | Kind::OrderLine
        | Kind::Shipment
        | Kind::Return
        | Kind::Address
        | Kind::Session
        | Kind::LoginEvent
        | Kind::PaymentEvent
        | Kind::ShippingMethod
        | Kind::Location
        | Kind::Movement => {
            Err(Fault::of(Problem::BadId, "Things of this kind are found at what they belong to."))
        }
    }
}

fn keyed<T>(
    kind: Kind,
    all: impl IntoIterator<Item = T>,
    id: impl Fn(&T) -> String,
    node: impl Fn(T) -> Node,
) -> Found {
    let entry = |thing: T| ((kind, id(&thing)), node(thing));
    all.into_iter().map(entry).collect()
}

async fn of_catalogue(
    ctx: &Context<'_>,
    kind: Kind,
    ids: Vec<String>,
    look: &Look<'_>,
) -> Result<Found, Fault> {
    match kind {
        Kind::Product => {
            let answer = wants::products_by_id(ctx, ids, look).await;
            let all = listed("catalogue", answer.map(tonic::Response::new))?;
            Ok(keyed(
                kind,
                all,
                |product| product.wire.id.clone(),
                |product| Node::Product(Box::new(product)),
            ))
        }
        Kind::Variant => {
            let all = wants::variants_by_id(ctx, ids, look).await.unwrap_or_default();
            let alone = all.into_iter().filter_map(|(id, variant)| {
                let variant = std::sync::Arc::into_inner(variant)?;
                Some(((kind, id), Node::Variant(variant)))
            });
            Ok(alone.collect())
        }
        Kind::Category => {
            let tree = category::tree(ctx).await?;
            let one = |id: String| Some(((kind, id.clone()), Node::Category(Category::find(&tree, &id)?)));
            Ok(ids.into_iter().filter_map(one).collect())
        }
        _ => {
            let request = catalogue::BatchGetCollectionsRequest {
                collection_ids: ids,
                read_mask: Some(collection::read_mask(look)),
            };
            let answer = context::catalogue(ctx).batch_get_collections(request).await;
            let wires = listed("catalogue", answer)?.collections;
            let all = collection::collections(ctx, wires, look).await;
            Ok(keyed(kind, all, Collection::id_of, Node::Collection))
        }
    }
}

/// What belongs to whoever holds it is asked for one by one: each needs its own proof.
async fn held(ctx: &Context<'_>, kind: Kind, ids: Vec<String>, look: &Look<'_>) -> Result<Found, Fault> {
    if ids.len() > HELD_NODES_MAX {
        let words = format!("At most {HELD_NODES_MAX} carts, checkouts and orders of a guest at once.");
        return Err(Fault::of(Problem::BadRequest, words));
    }
    let one = |raw: String| async move {
        let id = ids::encode(kind, &raw);
        let node = match kind {
            Kind::Cart => held_cart(ctx, &id, look).await?,
            Kind::Checkout => held_checkout(ctx, &id, look).await?,
            _ => held_order(ctx, &id, look).await?,
        };
        Ok(node.map(|node| ((kind, raw), node)))
    };
    let answers = futures::future::join_all(ids.into_iter().map(one)).await;
    answers.into_iter().filter_map(Result::transpose).collect()
}

async fn held_cart(ctx: &Context<'_>, id: &ID, look: &Look<'_>) -> Result<Option<Node>, Fault> {
    let Some(held) = HeldCart::of(ctx, Some(id), None)? else {
        return Ok(None);
    };
    let request = carts::GetCartRequest { key: Some(held.key) };
    let answer = found("cart", context::cart(ctx).get_cart(request).await)?;
    let Some(wire) = answer.and_then(|answer| answer.cart) else {
        return Ok(None);
    };
    Ok(Some(Node::Cart(Box::new(cart::show(ctx, wire, look).await))))
}

async fn held_checkout(ctx: &Context<'_>, id: &ID, look: &Look<'_>) -> Result<Option<Node>, Fault> {
    let held = HeldCheckout::of(ctx, id, None)?;
    let token = held.key.token.clone();
    let request = orders::GetCheckoutRequest { key: Some(held.key) };
    let answer = found("orders", context::orders(ctx).get_checkout(request).await)?;
    let Some(wire) = answer.and_then(|answer| answer.checkout) else {
        return Ok(None);
    };
    Ok(Some(Node::Checkout(Box::new(checkout::show(ctx, wire, &token, look).await))))
}

/// A guest's order is opened by the token of the checkout that it was.
async fn held_order(ctx: &Context<'_>, id: &ID, look: &Look<'_>) -> Result<Option<Node>, Fault> {
    let held = HeldOrder::by_id(ctx, id, None)?;
    let request = orders::GetOrderRequest { key: Some(held.key), read_mask: Some(order::read_mask(look)) };
    let answer = found("orders", context::orders(ctx).get_order(request).await)?;
    let wire = answer.and_then(|answer| answer.order).into_iter().collect();
    let mut shown = order::show(ctx, wire, look).await;
    Ok(shown.pop().map(|order| Node::Order(Box::new(order))))
}

/// One's own account needs no permission; others' do, and to customers there are no others.
async fn accounts(ctx: &Context<'_>, mut ids: Vec<String>) -> Result<Found, Fault> {
    let user = viewer(ctx).user.as_ref();
    let own = user.map(|user| user.account.to_string());
    if user.is_some_and(|user| user.role == Role::Customer) {
        ids.retain(|id| own.as_ref() == Some(id));
    }
    let wires = if ids.is_empty() {
        Vec::new()
    } else if own.as_ref().is_some_and(|own| ids.iter().all(|id| id == own)) {
        let request = identity::GetAccountRequest::default();
        let answer = found("identity", context::identity(ctx).get_account(request).await)?;
        answer.and_then(|answer| answer.account).into_iter().collect()
    } else {
        let request = identity::BatchGetAccountsRequest { account_ids: ids };
        listed("identity", context::identity(ctx).batch_get_accounts(request).await)?.accounts
    };
    let all = wires
        .into_iter()
        .map(|wire: identity::Account| Customer { own: own.as_ref() == Some(&wire.id), wire });
    Ok(keyed(Kind::Customer, all, |customer| customer.wire.id.clone(), Node::Customer))
}
