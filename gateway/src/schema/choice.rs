//! Enumerations of the contract as enumerations of the schema: the same names without their prefix.

use async_graphql::Enum;
use async_graphql::resolver_utils::EnumType;

use crate::error::Fault;

/// The schema's word for a value of the contract; nothing for the unspecified value or one that is too new.
pub(crate) fn named<E: EnumType>(prefix: &str, wire: &str) -> Option<E> {
    let name = wire.strip_prefix(prefix)?;
    let item = E::items().iter().find(|item| item.name == name)?;
    Some(item.value)
}

/// The same where the contract promises a value.
pub(crate) fn promised<E: EnumType>(service: &'static str, prefix: &str, wire: &str) -> Result<E, Fault> {
    named(prefix, wire).ok_or_else(|| Fault::incomplete(service))
}

/// The contract's name of a value of the schema.
pub(crate) fn wire_name<E: EnumType>(prefix: &str, value: E) -> String {
    let item = E::items().iter().find(|item| item.value == value);
    format!("{prefix}{}", item.map_or("", |item| item.name))
}

/// Whether a product is to be seen.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProductStatus {
    /// Being prepared; staff see it.
    Draft,
    /// In the shop.
    Active,
    /// Out of the shop; orders that name it stay readable.
    Archived,
}

/// Orders of a list of products.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProductSortKey {
    /// By title.
    Title,
    /// By the lowest price of a variant.
    Price,
    /// By when it was created.
    Created,
    /// The order that staff gave; only with a collection as filter.
    Collection,
}

/// Orders of what a search found.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SearchSortKey {
    /// What answers the words best first; without words newest first.
    Relevance,
    /// By the lowest price of a variant, cheapest first; what has no price in the context's currency comes last.
    Price,
    /// Newest in the shop first.
    Newest,
    /// Best ratings first; what nobody rated comes last.
    Rating,
    /// By title.
    Title,
}

/// How the values of a filter are best shown.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SearchFilterType {
    /// A list to choose from.
    List,
    /// Spans of prices.
    PriceRange,
    /// Yes or no.
    Boolean,
}

/// Orders of a list of reviews.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ReviewSortKey {
    /// Most helpful first, then newest.
    Helpful,
    /// Newest first.
    Newest,
    /// Best ratings first.
    RatingHigh,
    /// Worst ratings first.
    RatingLow,
}

/// Where a review stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReviewStatus {
    /// Waits for a moderator.
    Pending,
    /// Everybody sees it.
    Approved,
    /// Its author and moderators see it.
    Rejected,
}

/// Why a product is recommended.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecommendationReason {
    /// Others bought both.
    BoughtTogether,
    /// The customer has bought it before.
    BoughtBefore,
    /// It sells well in its category.
    PopularInCategory,
    /// It is in the same category; nobody has bought it yet.
    SameCategory,
    /// It sells well.
    Popular,
}

/// What is wrong with a line of a cart.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CartProblemKind {
    /// No longer offered.
    Gone,
    /// None is available.
    OutOfStock,
    /// Fewer are available than the line wants.
    Short,
    /// It costs more or less than when it was added.
    PriceChanged,
}

/// What a change of a cart did otherwise than asked.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CartWarningCode {
    /// Capped at what is available.
    CappedByStock,
    /// Capped at what a line may hold.
    CappedByLimit,
    /// Not added: none is available or it is no longer offered.
    Dropped,
    /// The cart is priced for its own country, which is not the one that the query's context names.
    ContextDiffers,
}

/// What became of a line when carts were merged.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MergeOutcome {
    /// Both quantities together.
    Merged,
    /// Less than both together: stock or the limit of a line.
    Capped,
    /// Gone, none available, or the cart is full.
    Dropped,
}

/// Whether a discount code holds.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiscountCodeOutcome {
    /// It takes something off.
    Applied,
    /// There is no such code.
    Unknown,
    /// Not valid yet.
    NotYet,
    /// No longer valid.
    Expired,
    /// The subtotal is below its minimum.
    BelowMinimum,
    /// Its uses are used up.
    UsedUp,
    /// This customer has used it.
    UsedByCustomer,
    /// Another code excludes it.
    NotCombinable,
    /// It holds in another currency.
    OtherCurrency,
}

/// What an account is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Buys.
    Customer,
    /// Works here, with the permissions listed.
    Staff,
    /// Works here, with every permission.
    Admin,
}

/// What staff may do.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Sees accounts.
    AccountsRead,
    /// Opens staff accounts and sets roles.
    AccountsWrite,
    /// Sees drafts and archived products.
    CatalogueRead,
    /// Changes the catalogue.
    CatalogueWrite,
    /// Sees stock and its movements.
    StockRead,
    /// Adjusts stock.
    StockWrite,
    /// Sees discounts.
    PricingRead,
    /// Changes discounts.
    PricingWrite,
    /// Sees everybody's orders.
    OrdersRead,
    /// Ships, delivers, cancels and decides on returns.
    OrdersWrite,
    /// Gives money back.
    OrdersRefund,
    /// Sees payments.
    PaymentsRead,
    /// Moderates reviews.
    ReviewsModerate,
    /// Sees what was sold and how far shoppers came.
    AnalyticsRead,
    /// Sees the templates of mails.
    NotificationsRead,
}

/// What happened around signing in.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoginEventKind {
    /// Somebody logged in.
    LoggedIn,
    /// A login was refused.
    Refused,
    /// Too many logins were tried.
    Throttled,
    /// Somebody logged out.
    LoggedOut,
    /// A session was ended.
    SessionRevoked,
    /// A refresh token was used twice: somebody holds a copy.
    RefreshReused,
    /// The password was changed.
    PasswordChanged,
    /// The password was set anew by mail.
    PasswordReset,
    /// The address was verified.
    EmailVerified,
    /// The role was changed.
    RoleChanged,
}

/// Why stock moved.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MovementKind {
    /// Goods came in.
    Received,
    /// Goods were written off.
    WrittenOff,
    /// A count found more or fewer.
    Counted,
    /// Promised to a checkout.
    Reserved,
    /// The promise was let go.
    Released,
    /// The promise ran out.
    Expired,
    /// Sold.
    Sold,
    /// Came back for sale.
    Returned,
    /// Came back and was written off.
    ReturnWrittenOff,
}

/// How days are put together.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SalesInterval {
    /// Each day by itself.
    Day,
    /// From Monday to Sunday.
    Week,
    /// By month of the calendar.
    Month,
}

/// Orders of a list of products by what was sold of them.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProductSalesSortKey {
    /// The highest revenue first.
    Revenue,
    /// The most items first.
    Units,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::schema::status::{
        CheckoutFailure, CheckoutStatus, OrderAction, OrderFulfilmentStatus, OrderOrigin, OrderPaymentStatus,
        OrderStatus, PaymentEventType, PaymentStatus, ReturnStatus,
    };
    use proto::{
        analytics, cart, catalogue, identity, inventory, orders, payments, pricing, recommendations, reviews,
        search,
    };

    /// Every value of the contract but the unspecified one has a word in the schema, and there is no word too many.
    fn fits<W: TryFrom<i32>, E: EnumType>(prefix: &str, name: fn(&W) -> &'static str) {
        let wire: Vec<W> = (1..100).map_while(|number| W::try_from(number).ok()).collect();
        for value in &wire {
            assert!(named::<E>(prefix, name(value)).is_some(), "{}", name(value));
        }
        assert!(wire.len() <= E::items().len());
    }

    #[test]
    fn every_value_of_the_contract_has_a_word_in_the_schema() {
        fits::<catalogue::ProductStatus, ProductStatus>("PRODUCT_STATUS_", |v| v.as_str_name());
        fits::<catalogue::ProductSort, ProductSortKey>("PRODUCT_SORT_", |v| v.as_str_name());
        fits::<search::SearchSort, SearchSortKey>("SEARCH_SORT_", |v| v.as_str_name());
        fits::<analytics::SalesInterval, SalesInterval>("SALES_INTERVAL_", |v| v.as_str_name());
        fits::<analytics::ProductSalesSort, ProductSalesSortKey>("PRODUCT_SALES_SORT_", |v| v.as_str_name());
        fits::<reviews::ReviewSort, ReviewSortKey>("REVIEW_SORT_", |v| v.as_str_name());
        fits::<recommendations::ExplanationKind, RecommendationReason>("EXPLANATION_KIND_", |v| {
            v.as_str_name()
        });
        fits::<reviews::ReviewState, ReviewStatus>("REVIEW_STATE_", |v| v.as_str_name());
        fits::<cart::ProblemKind, CartProblemKind>("PROBLEM_KIND_", |v| v.as_str_name());
        fits::<cart::WarningKind, CartWarningCode>("WARNING_KIND_", |v| v.as_str_name());
        fits::<cart::MergeOutcome, MergeOutcome>("MERGE_OUTCOME_", |v| v.as_str_name());
        fits::<pricing::CodeOutcome, DiscountCodeOutcome>("CODE_OUTCOME_", |v| v.as_str_name());
        fits::<orders::CheckoutState, CheckoutStatus>("CHECKOUT_STATE_", |v| v.as_str_name());
        fits::<orders::CheckoutFailure, CheckoutFailure>("CHECKOUT_FAILURE_", |v| v.as_str_name());
        fits::<orders::OrderState, OrderStatus>("ORDER_STATE_", |v| v.as_str_name());
        fits::<orders::OrderPaymentState, OrderPaymentStatus>("ORDER_PAYMENT_STATE_", |v| v.as_str_name());
        fits::<orders::FulfilmentState, OrderFulfilmentStatus>("FULFILMENT_STATE_", |v| v.as_str_name());
        fits::<orders::OrderAction, OrderAction>("ORDER_ACTION_", |v| v.as_str_name());
        fits::<orders::OrderOrigin, OrderOrigin>("ORDER_ORIGIN_", |v| v.as_str_name());
        fits::<orders::ReturnState, ReturnStatus>("RETURN_STATE_", |v| v.as_str_name());
        fits::<identity::Role, Role>("ROLE_", |v| v.as_str_name());
        fits::<identity::Permission, Permission>("PERMISSION_", |v| v.as_str_name());
        fits::<identity::LoginEventKind, LoginEventKind>("LOGIN_EVENT_KIND_", |v| v.as_str_name());
        fits::<inventory::MovementKind, MovementKind>("MOVEMENT_KIND_", |v| v.as_str_name());
        fits::<payments::PaymentState, PaymentStatus>("PAYMENT_STATE_", |v| v.as_str_name());
        fits::<payments::PaymentEventType, PaymentEventType>("PAYMENT_EVENT_TYPE_", |v| v.as_str_name());
    }

    #[test]
    fn a_word_goes_back_as_the_contract_names_it() {
        let name = wire_name("ORDER_STATE_", OrderStatus::Closed);

        assert_eq!(name, orders::OrderState::Closed.as_str_name());
        assert_eq!(named::<OrderStatus>("ORDER_STATE_", "ORDER_STATE_UNSPECIFIED"), None);
    }
}
