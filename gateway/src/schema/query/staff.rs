//! What staff read. Each service decides who may.

use async_graphql::{Context, ID, Object};
use proto::{identity, inventory, notifications, orders, payments, pricing, reviews};

use crate::context;
use crate::error::{Fault, found, listed};
use crate::ids::{self, Kind};
use crate::schema::Part;
use crate::schema::account::Customer;
use crate::schema::analytics::Analytics;
use crate::schema::choice::{ReviewStatus, Role, wire_name};
use crate::schema::connection::{Connection, Window};
use crate::schema::date::Date;
use crate::schema::discount::Discount;
use crate::schema::look::Look;
use crate::schema::mail::{MailPreview, MailTemplate};
use crate::schema::money::CurrencyCode;
use crate::schema::order::{self, Order};
use crate::schema::payment::Payment;
use crate::schema::product::page_cost;
use crate::schema::review::Review;
use crate::schema::status::{
    OrderFulfilmentStatus, OrderOrigin, OrderPaymentStatus, OrderStatus, PaymentStatus,
};
use crate::schema::stock::{Location, Stock, StockMovement};
use crate::schema::wire_time;

/// Which orders staff look for. All that is set must hold.
#[derive(async_graphql::InputObject, Default)]
pub(crate) struct OrderFilter {
    /// Where they stand as a whole.
    status: Option<OrderStatus>,
    /// Where their money stands.
    payment_status: Option<OrderPaymentStatus>,
    /// Where their goods stand.
    fulfilment_status: Option<OrderFulfilmentStatus>,
    /// Where they come from.
    origin: Option<OrderOrigin>,
    /// Placed at or after.
    placed_from: Option<chrono::DateTime<chrono::Utc>>,
    /// Placed before or at.
    placed_until: Option<chrono::DateTime<chrono::Utc>>,
    /// Orders of one account.
    customer_id: Option<ID>,
}

#[derive(Default)]
pub(crate) struct StaffQuery;

/// What staff read. Each service decides who may.
#[Object]
impl StaffQuery {
    /// What was sold and how far visitors came, over a range of days of UTC: at most ten years. For staff who see figures.
    async fn analytics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first day; thirty days in all if absent.")] start_date: Option<Date>,
        #[graphql(desc = "The last day, included; today if absent.")] end_date: Option<Date>,
        #[graphql(desc = "Of amounts; that of the context if absent.")] currency: Option<CurrencyCode>,
    ) -> Option<Analytics> {
        let currency = currency.map_or_else(|| context::locale(ctx).currency.clone(), |currency| currency.0);
        Some(Analytics::of(start_date, end_date, currency))
    }

    /// Everybody's orders, newest first. For staff who see orders.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Which; all if absent.")] filters: Option<OrderFilter>,
    ) -> Part<Connection<Order>> {
        Some(list_orders(ctx, first, after, filters.unwrap_or_default()).await)
    }

    /// Reviews in a state, for moderators: the queue is those that are pending.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn review_queue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The state.", default_with = "ReviewStatus::Pending")] status: ReviewStatus,
    ) -> Part<Connection<Review>> {
        let read = async {
            let window = Window::of(Some(first), after.as_deref())?;
            let state = reviews::ReviewState::from_str_name(&wire_name("REVIEW_STATE_", status));
            let request = reviews::ListReviewsRequest {
                page_size: window.page_size(),
                page_token: window.page_token(),
                sort: reviews::ReviewSort::Newest.into(),
                state: state.unwrap_or(reviews::ReviewState::Pending).into(),
                ..Default::default()
            };
            let page = listed("reviews", context::reviews(ctx).list_reviews(request).await)?;
            let items = page.reviews.into_iter().map(Review).collect();
            Ok(window.connect(items, page.next_page_token))
        };
        Some(read.await)
    }

    /// Rows of stock by SKU. For staff who see stock.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only rows with at most so many available.")] available_max: Option<i64>,
    ) -> Part<Connection<Stock>> {
        let read = async {
            let window = Window::of(Some(first), after.as_deref())?;
            let request = inventory::ListStockRequest {
                page_size: window.page_size(),
                page_token: window.page_token(),
                available_max,
            };
            let page = listed("inventory", context::inventory(ctx).list_stock(request).await)?;
            let items = page.stock.into_iter().map(Stock).collect();
            Ok(window.connect(items, page.next_page_token))
        };
        Some(read.await)
    }

    /// The places where stock lies. For staff who see stock.
    async fn locations(&self, ctx: &Context<'_>) -> Part<Vec<Location>> {
        let request = inventory::ListLocationsRequest::default();
        let answer = context::inventory(ctx).list_locations(request).await;
        let page = listed("inventory", answer);
        Some(page.map(|page| page.locations.into_iter().map(Location).collect()))
    }

    /// The ledger of stock, newest first. For staff who see stock.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn stock_movements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "One SKU; all if absent.")] sku: Option<String>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
    ) -> Part<Connection<StockMovement>> {
        let read = async {
            let window = Window::of(Some(first), after.as_deref())?;
            let request = inventory::ListMovementsRequest {
                sku: sku.unwrap_or_default(),
                page_size: window.page_size(),
                page_token: window.page_token(),
            };
            let answer = context::inventory(ctx).list_movements(request).await;
            let page = listed("inventory", answer)?;
            let items = page.movements.into_iter().map(StockMovement).collect();
            Ok(window.connect(items, page.next_page_token))
        };
        Some(read.await)
    }

    /// Discounts, newest first. For staff who see prices.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn discounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
    ) -> Part<Connection<Discount>> {
        let read = async {
            let window = Window::of(Some(first), after.as_deref())?;
            let request = pricing::ListDiscountsRequest {
                page_size: window.page_size(),
                page_token: window.page_token(),
            };
            let page = listed("pricing", context::pricing(ctx).list_discounts(request).await)?;
            let items = page.discounts.into_iter().map(Discount).collect();
            Ok(window.connect(items, page.next_page_token))
        };
        Some(read.await)
    }

    /// Payments, newest first. For staff who see payments.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
        #[graphql(desc = "In this state; all if absent.")] status: Option<PaymentStatus>,
    ) -> Part<Connection<Payment>> {
        let read = async {
            let window = Window::of(Some(first), after.as_deref())?;
            let name = status.map(|status| wire_name("PAYMENT_STATE_", status));
            let state = name.and_then(|name| payments::PaymentState::from_str_name(&name));
            let request = payments::ListPaymentsRequest {
                page_size: window.page_size(),
                page_token: window.page_token(),
                state: state.unwrap_or(payments::PaymentState::Unspecified).into(),
                checkout_id: String::new(),
            };
            let page = listed("payments", context::payments(ctx).list_payments(request).await)?;
            let items = page.payments.into_iter().map(Payment).collect();
            Ok(window.connect(items, page.next_page_token))
        };
        Some(read.await)
    }

    /// Accounts, newest first. For staff who see accounts.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Of this role; all if absent.")] role: Option<Role>,
    ) -> Part<Connection<Customer>> {
        let read = async {
            let window = Window::of(Some(first), after.as_deref())?;
            let name = role.map(|role| wire_name("ROLE_", role));
            let role = name.and_then(|name| identity::Role::from_str_name(&name));
            let request = identity::ListAccountsRequest {
                page_size: window.page_size(),
                page_token: window.page_token(),
                role: role.unwrap_or(identity::Role::Unspecified).into(),
            };
            let page = listed("identity", context::identity(ctx).list_accounts(request).await)?;
            let other = |wire| Customer { wire, own: false };
            let items = page.accounts.into_iter().map(other).collect();
            Ok(window.connect(items, page.next_page_token))
        };
        Some(read.await)
    }

    /// The kinds of mail that the shop sends, by name. For staff who see notifications.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn mail_templates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
    ) -> Part<Connection<MailTemplate>> {
        let read = async {
            let window = Window::of(Some(first), after.as_deref())?;
            let request = notifications::ListTemplatesRequest {
                page_size: window.page_size(),
                page_token: window.page_token(),
            };
            let answer = context::notifications(ctx).list_templates(request).await;
            let page = listed("notifications", answer)?;
            let items = page.templates.into_iter().map(MailTemplate).collect();
            Ok(window.connect(items, page.next_page_token))
        };
        Some(read.await)
    }

    /// A mail as a customer would get it, of a person and an order that do not exist. For staff who see notifications.
    async fn mail_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The name of a template: \"order-placed\".")] template: String,
    ) -> Part<MailPreview> {
        let request = notifications::PreviewMailRequest { template };
        let answer = context::notifications(ctx).preview_mail(request).await;
        found("notifications", answer).map(|mail| mail.map(MailPreview)).transpose()
    }

    /// One account. For staff who see accounts.
    async fn account(&self, ctx: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Part<Customer> {
        let read = async {
            let request = identity::GetAccountRequest { account_id: ids::decode(Kind::Customer, &id)? };
            let answer = found("identity", context::identity(ctx).get_account(request).await)?;
            let account = answer.and_then(|answer| answer.account);
            Ok(account.map(|wire| Customer { wire, own: false }))
        };
        read.await.transpose()
    }
}

async fn list_orders(
    ctx: &Context<'_>,
    first: i32,
    after: Option<String>,
    filters: OrderFilter,
) -> Result<Connection<Order>, Fault> {
    let window = Window::of(Some(first), after.as_deref())?;
    let account = filters.customer_id.as_ref();
    let account = account.map(|id| ids::decode(Kind::Customer, id)).transpose()?;
    let state = filters.status.map(|it| wire_name("ORDER_STATE_", it));
    let payment = filters.payment_status.map(|it| wire_name("ORDER_PAYMENT_STATE_", it));
    let fulfilment = filters.fulfilment_status.map(|it| wire_name("FULFILMENT_STATE_", it));
    let origin = filters.origin.map(|it| wire_name("ORDER_ORIGIN_", it));
    let look = Look::here(ctx);
    let below = look.items();
    let request = orders::ListOrdersRequest {
        page_size: window.page_size(),
        page_token: window.page_token(),
        all_accounts: true,
        state: number(state, orders::OrderState::from_str_name),
        payment_state: number(payment, orders::OrderPaymentState::from_str_name),
        fulfilment_state: number(fulfilment, orders::FulfilmentState::from_str_name),
        origin: number(origin, orders::OrderOrigin::from_str_name),
        place_time_min: filters.placed_from.map(wire_time),
        place_time_max: filters.placed_until.map(wire_time),
        account_id: account.unwrap_or_default(),
        with_totals: look.has("totalCount"),
        read_mask: Some(order::read_mask(&below)),
    };
    let page = listed("orders", context::orders(ctx).list_orders(request).await)?;
    let items = order::show(ctx, page.orders, &below).await;
    Ok(window.connect(items, page.next_page_token).counted(page.total_size))
}

/// The number of a value of the contract; zero means that nothing was asked for.
fn number<E: Into<i32>>(name: Option<String>, parse: fn(&str) -> Option<E>) -> i32 {
    name.and_then(|name| parse(&name)).map_or(0, Into::into)
}
