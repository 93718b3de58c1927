//! Accounts and what belongs to them.

use async_graphql::{Context, ID, Object, SimpleObject};
use proto::identity as pb;

use crate::context;
use crate::error::{Fault, listed, soften};
use crate::ids::{self, Kind};
use crate::schema::address::Address;
use crate::schema::choice::{self, LoginEventKind, Permission, Role};
use crate::schema::connection::{Connection, Window};
use crate::schema::look::Look;
use crate::schema::money::{CountryCode, CurrencyCode};
use crate::schema::order::{self, Order};
use crate::schema::product::{Product, page_cost};
use crate::schema::review::Review;
use crate::schema::{Part, time, wants};

const SERVICE: &str = "identity";

/// An account. Its lists belong to whoever is signed in, so another's account has none.
pub(crate) struct Customer {
    pub(crate) wire: pb::Account,
    pub(crate) own: bool,
}

/// An account.
#[Object]
impl Customer {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::encode(Kind::Customer, &self.wire.id)
    }

    /// Where mail goes, and what it logs in by.
    fn email(&self) -> &str {
        &self.wire.email
    }

    /// Has its owner shown that the address is theirs?
    fn email_verified(&self) -> bool {
        self.wire.email_verified
    }

    /// Given name.
    fn given_name(&self) -> &str {
        &self.wire.given_name
    }

    /// Family name.
    fn family_name(&self) -> &str {
        &self.wire.family_name
    }

    /// What it is.
    fn role(&self) -> Result<Role, Fault> {
        choice::promised(SERVICE, "ROLE_", self.wire.role().as_str_name())
    }

    /// What staff may do; empty for customers, and for admins, who may do everything.
    fn permissions(&self) -> Vec<Permission> {
        let permissions = self.wire.permissions();
        permissions.filter_map(|it| choice::named("PERMISSION_", it.as_str_name())).collect()
    }

    /// What its owner prefers.
    fn preferences(&self) -> Preferences {
        let preferences = self.wire.preferences.clone().unwrap_or_default();
        Preferences {
            language: some_text(preferences.language),
            currency_code: some_text(preferences.currency_code).map(CurrencyCode),
            country_code: some_text(preferences.country_code).map(CountryCode),
            marketing_mail: preferences.marketing_mail,
        }
    }

    /// Its orders, newest first.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
    ) -> Part<Connection<Order>> {
        self.own.then_some(())?;
        Some(list_orders(ctx, first, after).await)
    }

    /// Its addresses, the default first.
    async fn addresses(&self, ctx: &Context<'_>) -> Option<Vec<CustomerAddress>> {
        self.own.then_some(())?;
        let request = pb::ListAddressesRequest::default();
        let page = soften(ctx, SERVICE, context::identity(ctx).list_addresses(request).await)?;
        Some(page.addresses.into_iter().map(CustomerAddress).collect())
    }

    /// What it wishes for, newest first.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn wishlist(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
    ) -> Part<Connection<WishlistItem>> {
        self.own.then_some(())?;
        Some(list_wishlist(ctx, first, after).await)
    }

    /// Its reviews in every state, newest first.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
    ) -> Part<Connection<Review>> {
        self.own.then_some(())?;
        Some(list_reviews(ctx, first, after).await)
    }

    /// Where it is signed in, newest first.
    async fn sessions(&self, ctx: &Context<'_>) -> Option<Vec<Session>> {
        self.own.then_some(())?;
        let request =
            pb::ListSessionsRequest { page_size: crate::limits::PAGE_SIZE_MAX, page_token: String::new() };
        let page = soften(ctx, SERVICE, context::identity(ctx).list_sessions(request).await)?;
        Some(page.sessions.into_iter().map(Session).collect())
    }

    /// What happened around signing in, newest first. Staff who see accounts see it of every account.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn login_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
    ) -> Part<Connection<LoginEvent>> {
        Some(list_login_events(ctx, &self.wire.id, first, after).await)
    }

    /// When it was opened.
    fn created_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.wire.create_time.as_ref())
    }

    /// Names this state of the account; give it back to change exactly this state.
    fn etag(&self) -> &str {
        &self.wire.etag
    }
}

fn some_text(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

async fn list_orders(
    ctx: &Context<'_>,
    first: i32,
    after: Option<String>,
) -> Result<Connection<Order>, Fault> {
    let window = Window::of(Some(first), after.as_deref())?;
    let look = Look::here(ctx).items();
    let request = proto::orders::ListOrdersRequest {
        page_size: window.page_size(),
        page_token: window.page_token(),
        read_mask: Some(order::read_mask(&look)),
        ..Default::default()
    };
    let page = listed("orders", context::orders(ctx).list_orders(request).await)?;
    let orders = order::show(ctx, page.orders, &look).await;
    Ok(window.connect(orders, page.next_page_token))
}

async fn list_wishlist(
    ctx: &Context<'_>,
    first: i32,
    after: Option<String>,
) -> Result<Connection<WishlistItem>, Fault> {
    let window = Window::of(Some(first), after.as_deref())?;
    let request =
        pb::ListWishlistItemsRequest { page_size: window.page_size(), page_token: window.page_token() };
    let page = listed(SERVICE, context::identity(ctx).list_wishlist_items(request).await)?;
    let items = show_wishlist(ctx, page.items, &Look::here(ctx).items()).await;
    Ok(window.connect(items, page.next_page_token))
}

/// Items of a wishlist with their products: one call for all.
pub(crate) async fn show_wishlist(
    ctx: &Context<'_>,
    items: Vec<pb::WishlistItem>,
    look: &Look<'_>,
) -> Vec<WishlistItem> {
    let below = look.below("product");
    let ids = items.iter().map(|item| item.product_id.clone());
    let ids = if below.exists() { ids.collect() } else { Vec::new() };
    let found = wants::products_by_id(ctx, ids, &below).await;
    let found = soften(ctx, "catalogue", found.map(tonic::Response::new)).unwrap_or_default();
    let keyed = found.into_iter().map(|product| (product.wire.id.clone(), product));
    let mut products: std::collections::HashMap<_, _> = keyed.collect();
    let convert = |wire: pb::WishlistItem| WishlistItem { product: products.remove(&wire.product_id), wire };
    items.into_iter().map(convert).collect()
}

async fn list_reviews(
    ctx: &Context<'_>,
    first: i32,
    after: Option<String>,
) -> Result<Connection<Review>, Fault> {
    let window = Window::of(Some(first), after.as_deref())?;
    let request = proto::reviews::ListReviewsRequest {
        page_size: window.page_size(),
        page_token: window.page_token(),
        sort: proto::reviews::ReviewSort::Newest.into(),
        mine: true,
        ..Default::default()
    };
    let page = listed("reviews", context::reviews(ctx).list_reviews(request).await)?;
    let reviews = page.reviews.into_iter().map(Review).collect();
    Ok(window.connect(reviews, page.next_page_token))
}

async fn list_login_events(
    ctx: &Context<'_>,
    account_id: &str,
    first: i32,
    after: Option<String>,
) -> Result<Connection<LoginEvent>, Fault> {
    let window = Window::of(Some(first), after.as_deref())?;
    let request = pb::ListLoginEventsRequest {
        account_id: account_id.to_owned(),
        page_size: window.page_size(),
        page_token: window.page_token(),
    };
    let page = listed(SERVICE, context::identity(ctx).list_login_events(request).await)?;
    let events = page.login_events.into_iter().map(LoginEvent).collect();
    Ok(window.connect(events, page.next_page_token))
}

/// What the owner of an account prefers.
#[derive(SimpleObject)]
pub(crate) struct Preferences {
    /// BCP 47: "en-GB".
    language: Option<String>,
    /// The currency to see prices in.
    currency_code: Option<CurrencyCode>,
    /// Where they are.
    country_code: Option<CountryCode>,
    /// May the shop send mail that nobody ordered?
    marketing_mail: bool,
}

/// An address of an account.
pub(crate) struct CustomerAddress(pub(crate) pb::AccountAddress);

/// An address of an account.
#[Object]
impl CustomerAddress {
    /// Opaque id.
    fn id(&self) -> ID {
        ids::encode(Kind::Address, &self.0.id)
    }

    /// The address itself.
    fn address(&self) -> Option<Address<'_>> {
        self.0.address.as_ref().map(Address)
    }

    /// Is it used when a checkout names none?
    fn is_default(&self) -> bool {
        self.0.is_default
    }
}

/// A product that somebody wishes for.
pub(crate) struct WishlistItem {
    wire: pb::WishlistItem,
    product: Option<Product>,
}

/// A product that somebody wishes for.
#[Object]
impl WishlistItem {
    /// The product's id, also when it is no longer in the shop.
    fn product_id(&self) -> ID {
        ids::encode(Kind::Product, &self.wire.product_id)
    }

    /// The product. Null when it is no longer in the shop, or the catalogue does not answer at the moment.
    fn product(&self) -> Option<&Product> {
        self.product.as_ref()
    }

    /// The variants whose return to stock is told by mail.
    fn notify_variant_ids(&self) -> Vec<ID> {
        self.wire.alert_variant_ids.iter().map(|id| ids::encode(Kind::Variant, id)).collect()
    }

    /// Since when it is wished for.
    fn added_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.wire.add_time.as_ref())
    }
}

/// A place where an account is signed in.
pub(crate) struct Session(pb::Session);

/// A place where an account is signed in.
#[Object]
impl Session {
    /// Opaque id.
    fn id(&self) -> ID {
        ids::encode(Kind::Session, &self.0.id)
    }

    /// What the client said it is.
    fn user_agent(&self) -> &str {
        &self.0.user_agent
    }

    /// Is it the session that asks?
    fn current(&self) -> bool {
        self.0.current
    }

    /// When somebody logged in.
    fn created_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.0.create_time.as_ref())
    }

    /// When it was last refreshed.
    fn refreshed_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.0.refresh_time.as_ref())
    }

    /// Until when it can be refreshed.
    fn expires_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.0.expire_time.as_ref())
    }
}

/// Something that happened around signing in.
pub(crate) struct LoginEvent(pb::LoginEvent);

/// Something that happened around signing in.
#[Object]
impl LoginEvent {
    /// Opaque id.
    fn id(&self) -> ID {
        ids::encode(Kind::LoginEvent, &self.0.id)
    }

    /// What happened.
    fn kind(&self) -> Result<LoginEventKind, Fault> {
        choice::promised(SERVICE, "LOGIN_EVENT_KIND_", self.0.kind().as_str_name())
    }

    /// What the client said it is.
    fn user_agent(&self) -> &str {
        &self.0.user_agent
    }

    /// The network it came from, never a whole address.
    fn network(&self) -> &str {
        &self.0.network
    }

    /// When.
    fn occurred_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.0.occur_time.as_ref())
    }
}
