//! Where checkouts, orders, returns and payments stand: the contract's values as words of the schema.

use async_graphql::Enum;

/// Where a checkout stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckoutStatus {
    /// Waits for the buyer.
    Ready,
    /// The shop is at work; watch.
    Processing,
    /// The buyer must act at `actionUrl`.
    ActionRequired,
    /// The payment provider has not answered yet; watch.
    PaymentPending,
    /// There is an order.
    Completed,
    /// There is none and will be none.
    Failed,
}

/// Why the last attempt to complete a checkout did not succeed.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckoutFailure {
    /// The provider declined; another method may work.
    PaymentDeclined,
    /// Something was sold out meanwhile.
    InsufficientStock,
    /// A discount code no longer holds.
    CodeNotUsable,
    /// Nobody acted, or the provider did not answer, in time.
    PaymentTimedOut,
    /// The buyer cancelled it.
    Cancelled,
    /// Nobody completed it in time.
    Expired,
}

/// Where an order stands as a whole.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderStatus {
    /// Something is still to be done.
    Open,
    /// It was cancelled.
    Cancelled,
    /// Everything is delivered and no return is open.
    Closed,
}

/// Where the money of an order stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderPaymentStatus {
    /// The total is zero.
    NotRequired,
    /// Promised, not taken yet.
    Authorized,
    /// Taken.
    Paid,
    /// Part of it was given back.
    PartiallyRefunded,
    /// All of it was given back.
    Refunded,
    /// The promise was let go.
    Voided,
}

/// Where the goods of an order stand.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderFulfilmentStatus {
    /// Nothing was sent.
    Unfulfilled,
    /// Part of it was sent.
    PartiallyShipped,
    /// All of it was sent.
    Shipped,
    /// Part of it has arrived.
    PartiallyDelivered,
    /// All of it has arrived.
    Delivered,
    /// Part of it came back.
    PartiallyReturned,
    /// All of it came back.
    Returned,
}

/// What may be done with an order now, by whoever has the right to.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderAction {
    /// `orderCancel`.
    Cancel,
    /// `orderShip`.
    Ship,
    /// `orderDeliver`.
    Deliver,
    /// `orderReturnRequest`.
    RequestReturn,
    /// `orderReturnApprove` or `orderReturnReject`.
    ApproveReturn,
    /// `orderReturnReceive`.
    ReceiveReturn,
    /// `orderRefund`.
    Refund,
}

/// Where an order comes from.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderOrigin {
    /// Bought here.
    Checkout,
    /// History of another shop.
    Imported,
}

/// Where a return stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReturnStatus {
    /// The buyer asked.
    Requested,
    /// The goods may come.
    Approved,
    /// Staff said no.
    Rejected,
    /// The goods are here.
    Received,
}

/// Where a payment stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PaymentStatus {
    /// Asked, and the answer is not known yet.
    Pending,
    /// The buyer must act.
    ActionRequired,
    /// Promised.
    Authorized,
    /// Taken, at least in part.
    Captured,
    /// Declined.
    Declined,
    /// Let go.
    Voided,
}

/// What happened to a payment at its provider.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PaymentEventType {
    /// An authorisation was asked for.
    AuthorizationRequest,
    /// It was given.
    AuthorizationSuccess,
    /// It was not given.
    AuthorizationFailure,
    /// The buyer must act first.
    AuthorizationActionRequired,
    /// Money was asked for.
    ChargeRequest,
    /// Money was taken.
    ChargeSuccess,
    /// Money was not taken.
    ChargeFailure,
    /// A refund was asked for.
    RefundRequest,
    /// A refund was given.
    RefundSuccess,
    /// A refund was not given.
    RefundFailure,
    /// Letting go was asked for.
    CancelRequest,
    /// The authorisation was let go.
    CancelSuccess,
    /// The authorisation was not let go.
    CancelFailure,
}
