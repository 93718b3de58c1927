//! What shoppers read.

use async_graphql::{Context, ID, Object, OneofObject};
use proto::{cart, catalogue as pb, identity, orders, reviews};

use crate::context::{self, viewer};
use crate::error::{Fault, Problem, found, listed};
use crate::ids::{self, Kind};
use crate::schema::account::Customer;
use crate::schema::cart::Cart;
use crate::schema::category::{self, Category};
use crate::schema::checkout::Checkout;
use crate::schema::choice::{ProductSortKey, ReviewSortKey};
use crate::schema::collection::{self, Collection};
use crate::schema::connection::{Connection, Window};
use crate::schema::held::{HeldCart, HeldCheckout, HeldOrder};
use crate::schema::look::Look;
use crate::schema::order::{self, Order};
use crate::schema::product::{Product, page_cost};
use crate::schema::query::products::{self, ProductFilter};
use crate::schema::recommendation::{self, Recommendation};
use crate::schema::review::{Review, sort_of};
use crate::schema::wants::{self, Wants};
use crate::schema::{Part, cart as carts, checkout as checkouts};

/// A product by one of its names.
#[derive(OneofObject)]
pub(crate) enum ProductBy {
    /// By its opaque id.
    Id(ID),
    /// By its handle.
    Handle(String),
}

#[derive(Default)]
pub(crate) struct ShopQuery;

/// What shoppers read.
#[Object]
impl ShopQuery {
    /// Products by filters, in an order.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
        #[graphql(desc = "What to list; everything if absent.")] filters: Option<ProductFilter>,
        #[graphql(desc = "The order; newest first if absent.")] sort_key: Option<ProductSortKey>,
        #[graphql(desc = "The other way round.", default)] reverse: bool,
    ) -> Part<Connection<Product>> {
        Some(products::list(ctx, first, after, filters.unwrap_or_default(), (sort_key, reverse)).await)
    }

    /// One product by its handle or id; null if there is none.
    async fn product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its handle.")] handle: Option<String>,
        #[graphql(desc = "Its id.")] id: Option<ID>,
    ) -> Part<Product> {
        let key = match (handle, id) {
            (Some(handle), None) => Ok(ProductBy::Handle(handle)),
            (None, Some(id)) => Ok(ProductBy::Id(id)),
            _ => Err(Fault::of(Problem::BadRequest, "Name the product by handle or by id.")),
        };
        let read = async { get_product(ctx, key?).await };
        read.await.transpose()
    }

    /// All categories, parents before children.
    async fn categories(&self, ctx: &Context<'_>) -> Part<Vec<Category>> {
        let tree = category::tree(ctx).await;
        Some(tree.map(|tree| Category::all(&tree)))
    }

    /// Collections by title.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn collections(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
    ) -> Part<Connection<Collection>> {
        Some(list_collections(ctx, first, after).await)
    }

    /// One collection by its handle; null if there is none.
    async fn collection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its handle.")] handle: String,
    ) -> Part<Collection> {
        let request = pb::GetCollectionRequest {
            key: Some(pb::get_collection_request::Key::Handle(handle)),
            read_mask: Some(collection::read_mask(&Look::here(ctx))),
        };
        let answer = context::catalogue(ctx).get_collection(request).await;
        match found("catalogue", answer) {
            Err(fault) => Some(Err(fault)),
            Ok(answer) => {
                let wire = answer?.collection?;
                collection::collections(ctx, vec![wire], &Look::here(ctx)).await.pop().map(Ok)
            }
        }
    }

    /// Approved reviews of a product.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product.")] product_id: ID,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The order.", default_with = "ReviewSortKey::Helpful")] sort_key: ReviewSortKey,
        #[graphql(desc = "Only those that gave this rating, 1 to 5.")] rating: Option<i32>,
    ) -> Part<Connection<Review>> {
        let read = async {
            let window = Window::of(Some(first), after.as_deref())?;
            let request = reviews::ListReviewsRequest {
                page_size: window.page_size(),
                page_token: window.page_token(),
                product_id: ids::decode(Kind::Product, &product_id)?,
                sort: sort_of(sort_key).into(),
                rating: rating.unwrap_or(0),
                ..Default::default()
            };
            let page = listed("reviews", context::reviews(ctx).list_reviews(request).await)?;
            let items = page.reviews.into_iter().map(Review).collect();
            Ok(window.connect(items, page.next_page_token))
        };
        Some(read.await)
    }

    /// A cart: by id and token, the account's own, or the one that the browser carries. Null if there is none.
    async fn cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart; a signed-in customer's own if absent.")] id: Option<ID>,
        #[graphql(desc = "The token of a guest's cart; browsers carry it in a cookie.")] token: Option<
            String,
        >,
    ) -> Part<Cart> {
        let read = async {
            let Some(held) = HeldCart::of(ctx, id.as_ref(), token)? else {
                return Ok(None);
            };
            let request = cart::GetCartRequest { key: Some(held.key) };
            let answer = found("cart", context::cart(ctx).get_cart(request).await)?;
            let Some(wire) = answer.and_then(|answer| answer.cart) else {
                return Ok(None);
            };
            Ok(Some(carts::show(ctx, wire, &Look::here(ctx)).await))
        };
        read.await.transpose()
    }

    /// A checkout. Null if there is none, or the token is not right.
    async fn checkout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The checkout.")] id: ID,
        #[graphql(desc = "The token of a guest's checkout; browsers carry it in a cookie.")] token: Option<
            String,
        >,
    ) -> Part<Checkout> {
        let read = async {
            let held = HeldCheckout::of(ctx, &id, token)?;
            let token = held.key.token.clone();
            let request = orders::GetCheckoutRequest { key: Some(held.key) };
            let answer = found("orders", context::orders(ctx).get_checkout(request).await)?;
            let Some(wire) = answer.and_then(|answer| answer.checkout) else {
                return Ok(None);
            };
            Ok(Some(checkouts::show(ctx, wire, &token, &Look::here(ctx)).await))
        };
        read.await.transpose()
    }

    /// An order by id or number. Null if there is none, it is another's, or the token is not right.
    async fn order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: Option<ID>,
        #[graphql(desc = "Its number.")] number: Option<String>,
        #[graphql(desc = "The token of a guest's checkout; browsers carry it in a cookie.")] token: Option<
            String,
        >,
    ) -> Part<Order> {
        let read = async {
            let held = match (id, number) {
                (Some(id), None) => HeldOrder::by_id(ctx, &id, token)?,
                (None, Some(number)) => HeldOrder::by_number(ctx, number, token),
                _ => return Err(Fault::of(Problem::BadRequest, "Name the order by id or by number.")),
            };
            let look = Look::here(ctx);
            let request =
                orders::GetOrderRequest { key: Some(held.key), read_mask: Some(order::read_mask(&look)) };
            let answer = found("orders", context::orders(ctx).get_order(request).await)?;
            let Some(wire) = answer.and_then(|answer| answer.order) else {
                return Ok(None);
            };
            Ok(order::show(ctx, vec![wire], &look).await.pop())
        };
        read.await.transpose()
    }

    /// What may be for the signed-in customer: what is bought again and again, what goes with it, what sells. Null for a guest.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn recommended_for_me(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 20.", default = 4)] first: i32,
    ) -> Part<Vec<Recommendation>> {
        recommendation::for_me(ctx, first).await
    }

    /// The signed-in account. Null for a guest.
    async fn customer(&self, ctx: &Context<'_>) -> Part<Customer> {
        viewer(ctx).user.as_ref()?;
        let request = identity::GetAccountRequest::default();
        let answer = context::identity(ctx).get_account(request).await;
        let read = found("identity", answer).transpose()?;
        let own = |wire| Customer { wire, own: true };
        read.map(|answer| answer.account.map(own)).transpose()
    }
}

async fn get_product(ctx: &Context<'_>, by: ProductBy) -> Result<Option<Product>, Fault> {
    let wants = Wants::of(&Look::here(ctx));
    let key = match by {
        ProductBy::Handle(handle) => pb::get_product_request::Key::Handle(handle),
        ProductBy::Id(id) => pb::get_product_request::Key::ProductId(ids::decode(Kind::Product, &id)?),
    };
    let request = pb::GetProductRequest { key: Some(key), read_mask: Some(wants.read_mask()) };
    let answer = found("catalogue", context::catalogue(ctx).get_product(request).await)?;
    let Some(wire) = answer.and_then(|answer| answer.product) else {
        return Ok(None);
    };
    context::shared(ctx).views.note(viewer(ctx), &wire.id, &context::locale(ctx).country);
    Ok(wants::products(ctx, vec![wire], &wants, false).await.pop())
}

async fn list_collections(
    ctx: &Context<'_>,
    first: i32,
    after: Option<String>,
) -> Result<Connection<Collection>, Fault> {
    let window = Window::of(Some(first), after.as_deref())?;
    let look = Look::here(ctx).items();
    let request = pb::ListCollectionsRequest {
        page_size: window.page_size(),
        page_token: window.page_token(),
        read_mask: Some(collection::read_mask(&look)),
    };
    let page = listed("catalogue", context::catalogue(ctx).list_collections(request).await)?;
    let items = collection::collections(ctx, page.collections, &look).await;
    Ok(window.connect(items, page.next_page_token))
}
