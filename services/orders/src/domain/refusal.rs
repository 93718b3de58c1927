//! Why a checkout or an order does not do what is asked.

use kit::Money;

use super::checkout::CheckoutState;
use super::line::LineId;
use super::returns::ReturnState;

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("the cart is empty")]
    CartEmpty,
    #[error("lines of the cart cannot be bought as they are")]
    CartHasProblems,
    #[error("the checkout is no longer open to this")]
    CheckoutClosed { state: CheckoutState },
    #[error("the checkout is not complete")]
    CheckoutIncomplete { missing: Vec<&'static str> },
    #[error("the price has changed; the checkout carries the new quote")]
    QuoteChanged { quote: String, total: Money },
    #[error("the order is cancelled")]
    OrderCancelled,
    #[error("something of the order has been sent; ask for a return instead")]
    OrderShipped,
    #[error("more than is open on this line")]
    QuantityExceedsOpen { line: LineId, open: i64 },
    #[error("the order has no such line")]
    LineNotFound,
    #[error("the order has no such shipment")]
    ShipmentNotFound,
    #[error("the order has no such return")]
    ReturnNotFound,
    #[error("the return is not open to this")]
    ReturnNotOpen { state: ReturnState },
    #[error("30 days after delivery nothing can be returned")]
    ReturnTooLate,
    #[error("more than was paid and not given back")]
    AmountExceedsPaid { refundable: Money },
    #[error("the order is history of another shop")]
    OrderImported,
    #[error("the money has not been taken yet")]
    OrderNotPaid,
}
