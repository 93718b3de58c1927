//! Business refusals as the payloads of mutations carry them.

use async_graphql::resolver_utils::EnumType;
use async_graphql::{Enum, Interface, OutputType, SimpleObject};

use crate::error::{Fault, Refusal};

/// Why a mutation did not do what was asked.
#[derive(SimpleObject, Clone, Debug)]
#[graphql(concrete(name = "CartUserError", params(CartErrorCode)))]
#[graphql(concrete(name = "CheckoutUserError", params(CheckoutErrorCode)))]
#[graphql(concrete(name = "OrderUserError", params(OrderErrorCode)))]
#[graphql(concrete(name = "CustomerUserError", params(CustomerErrorCode)))]
#[graphql(concrete(name = "ReviewUserError", params(ReviewErrorCode)))]
#[graphql(concrete(name = "CatalogueUserError", params(CatalogueErrorCode)))]
#[graphql(concrete(name = "StockUserError", params(StockErrorCode)))]
#[graphql(concrete(name = "DiscountUserError", params(DiscountErrorCode)))]
#[graphql(concrete(name = "TaxUserError", params(TaxErrorCode)))]
#[graphql(concrete(name = "ShippingUserError", params(ShippingErrorCode)))]
pub(crate) struct UserError<C: OutputType> {
    /// Path to the argument that is wrong; null when it is about the whole.
    field: Option<Vec<String>>,
    /// What a program decides by.
    code: C,
    /// What a person reads.
    message: String,
}

/// A business refusal of any mutation.
#[derive(Interface)]
#[graphql(
    field(name = "field", ty = "&Option<Vec<String>>", desc = "Path to the argument that is wrong."),
    field(name = "message", ty = "&String", desc = "What a person reads.")
)]
pub(crate) enum DisplayableError {
    /// Of carts.
    Cart(UserError<CartErrorCode>),
    /// Of checkouts.
    Checkout(UserError<CheckoutErrorCode>),
    /// Of orders.
    Order(UserError<OrderErrorCode>),
    /// Of accounts.
    Customer(UserError<CustomerErrorCode>),
    /// Of reviews.
    Review(UserError<ReviewErrorCode>),
    /// Of the catalogue.
    Catalogue(UserError<CatalogueErrorCode>),
    /// Of stock.
    Stock(UserError<StockErrorCode>),
    /// Of discounts.
    Discount(UserError<DiscountErrorCode>),
    /// Of tax rules.
    Tax(UserError<TaxErrorCode>),
    /// Of shipping methods.
    Shipping(UserError<ShippingErrorCode>),
}

/// Something that was done otherwise than asked.
#[derive(SimpleObject, Clone, Debug)]
pub(crate) struct Warning {
    /// What a program decides by.
    code: &'static str,
    /// What a person reads.
    message: String,
}

impl Warning {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// The refusals as errors of one noun. A code that the noun does not declare is a fault of ours.
pub(crate) fn user_errors<C: EnumType + OutputType>(
    service: &'static str,
    refusals: Vec<Refusal>,
) -> Result<Vec<UserError<C>>, Fault> {
    let convert = |refusal: Refusal| {
        let item = C::items().iter().find(|item| item.name == refusal.code);
        let code = item.ok_or_else(|| Fault::incomplete(service))?.value;
        Ok(UserError { field: refusal.field, code, message: refusal.message })
    };
    refusals.into_iter().map(convert).collect()
}

/// Why a cart did not change.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CartErrorCode {
    /// An argument is wrong; `field` says which.
    Invalid,
    /// The key came before with other arguments. Nothing was done.
    IdempotencyKeyReused,
    /// The same request is still running: ask again.
    IdempotencyInProgress,
    /// Somebody changed it meanwhile: read again and decide again.
    ChangedMeanwhile,
    /// There is no such cart, or the token is not right.
    CartNotFound,
    /// The cart has no such line.
    LineNotFound,
    /// There is no such variant.
    VariantNotFound,
    /// The cart is full.
    LineLimit,
    /// It is not for sale in the cart's currency.
    NotForSale,
}

/// Why a checkout did not go on.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckoutErrorCode {
    /// An argument is wrong; `field` says which.
    Invalid,
    /// The key came before with other arguments. Nothing was done.
    IdempotencyKeyReused,
    /// The same request is still running: ask again.
    IdempotencyInProgress,
    /// Somebody changed it meanwhile: read again and decide again.
    ChangedMeanwhile,
    /// There is no such cart, or the token is not right.
    CartNotFound,
    /// There is no such checkout, or the token is not right.
    CheckoutNotFound,
    /// There is nothing to buy.
    CartEmpty,
    /// Lines of the cart cannot be bought; its problems say which.
    CartHasProblems,
    /// It is no longer open.
    CheckoutClosed,
    /// E-mail, address or shipping method is missing.
    CheckoutIncomplete,
    /// The price changed; the checkout carries the new quote.
    QuoteChanged,
    /// A line has no price in the currency.
    VariantNotPriced,
    /// The shipping method does not serve the address or the weight.
    ShippingMethodNotAvailable,
    /// A discount code does not hold.
    CodeNotUsable,
    /// The sum is too large.
    AmountTooLarge,
    /// There is not enough in stock.
    InsufficientStock,
}

/// Why an order did not change.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderErrorCode {
    /// An argument is wrong; `field` says which.
    Invalid,
    /// The key came before with other arguments. Nothing was done.
    IdempotencyKeyReused,
    /// The same request is still running: ask again.
    IdempotencyInProgress,
    /// Somebody changed it meanwhile: read again and decide again.
    ChangedMeanwhile,
    /// There is no such order, or it is not yours.
    OrderNotFound,
    /// It is cancelled.
    OrderCancelled,
    /// Something was sent: ask for a return instead.
    OrderShipped,
    /// More than is left.
    QuantityExceedsOpen,
    /// The order has no such shipment.
    ShipmentNotFound,
    /// The order has no such return.
    ReturnNotFound,
    /// The return is no longer open for this.
    ReturnNotOpen,
    /// The time for returns has passed.
    ReturnTooLate,
    /// More than was paid and not given back.
    AmountExceedsPaid,
    /// Imported orders are history.
    OrderImported,
    /// The order has no such line.
    LineNotFound,
    /// The money has not been taken yet.
    OrderNotPaid,
}

/// Why an account did not change.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CustomerErrorCode {
    /// An argument is wrong; `field` says which.
    Invalid,
    /// The key came before with other arguments. Nothing was done.
    IdempotencyKeyReused,
    /// The same request is still running: ask again.
    IdempotencyInProgress,
    /// Somebody changed it meanwhile: read again and decide again.
    ChangedMeanwhile,
    /// The address or the password is wrong.
    CredentialsWrong,
    /// The session has ended: log in again.
    SessionRevoked,
    /// There is no such session.
    SessionNotFound,
    /// There is no such account.
    AccountNotFound,
    /// There is no such address.
    AddressNotFound,
    /// The link is unknown, used or expired.
    TokenNotUsable,
    /// The password is too short, too common or too like the address.
    PasswordWeak,
    /// The address has an account.
    EmailTaken,
    /// Nobody gives what they do not hold.
    PermissionNotHeld,
    /// The shop would be left without an admin.
    LastAdmin,
    /// There are too many addresses.
    AddressLimit,
    /// The wishlist is full.
    WishlistLimit,
}

/// Why a review did not change.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReviewErrorCode {
    /// An argument is wrong; `field` says which.
    Invalid,
    /// The key came before with other arguments. Nothing was done.
    IdempotencyKeyReused,
    /// The same request is still running: ask again.
    IdempotencyInProgress,
    /// Somebody changed it meanwhile: read again and decide again.
    ChangedMeanwhile,
    /// There is no such review, or it is not yours.
    ReviewNotFound,
    /// You have reviewed this product.
    AlreadyReviewed,
    /// It is your own.
    OwnReview,
    /// Only approved reviews are voted on or reported.
    NotApproved,
}

/// Why the catalogue did not change.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CatalogueErrorCode {
    /// An argument is wrong; `field` says which.
    Invalid,
    /// The key came before with other arguments. Nothing was done.
    IdempotencyKeyReused,
    /// The same request is still running: ask again.
    IdempotencyInProgress,
    /// Somebody changed it meanwhile: read again and decide again.
    ChangedMeanwhile,
    /// There is no such product.
    ProductNotFound,
    /// There is no such category.
    CategoryNotFound,
    /// There is no such collection.
    CollectionNotFound,
    /// The handle is taken.
    HandleTaken,
    /// Another product has a variant with that SKU.
    SkuTaken,
    /// A category cannot lie below itself.
    CategoryCycle,
    /// The tree is as deep as it may be.
    CategoryTooDeep,
}

/// Why stock did not change.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StockErrorCode {
    /// An argument is wrong; `field` says which.
    Invalid,
    /// The key came before with other arguments. Nothing was done.
    IdempotencyKeyReused,
    /// The same request is still running: ask again.
    IdempotencyInProgress,
    /// Somebody changed it meanwhile: read again and decide again.
    ChangedMeanwhile,
    /// More than is available would be taken away.
    InsufficientStock,
    /// There is no such location.
    LocationNotFound,
}

/// Why a discount did not change.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiscountErrorCode {
    /// An argument is wrong; `field` says which.
    Invalid,
    /// The key came before with other arguments. Nothing was done.
    IdempotencyKeyReused,
    /// The same request is still running: ask again.
    IdempotencyInProgress,
    /// Somebody changed it meanwhile: read again and decide again.
    ChangedMeanwhile,
    /// The code is taken.
    CodeTaken,
    /// There is no such discount.
    DiscountNotFound,
}

/// Why a tax rule did not change.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaxErrorCode {
    /// An argument is wrong; `field` says which.
    Invalid,
    /// The key came before with other arguments. Nothing was done.
    IdempotencyKeyReused,
    /// The same request is still running: ask again.
    IdempotencyInProgress,
    /// Somebody changed it meanwhile: read again and decide again.
    ChangedMeanwhile,
}

/// Why a shipping method did not change.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShippingErrorCode {
    /// An argument is wrong; `field` says which.
    Invalid,
    /// The key came before with other arguments. Nothing was done.
    IdempotencyKeyReused,
    /// The same request is still running: ask again.
    IdempotencyInProgress,
    /// Somebody changed it meanwhile: read again and decide again.
    ChangedMeanwhile,
    /// There is no such shipping method.
    ShippingMethodNotFound,
}
