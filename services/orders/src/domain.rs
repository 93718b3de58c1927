//! Checkouts and orders: what they accept, what follows from it, and why they refuse. Pure: no clock, no store,
//! no call is made here, so every order of faults can be tried on it.
//!
//! Values carry `serde` since the state of a checkout is kept as it is, whole, before each call.

pub mod checkout;
pub mod chore;
pub mod contact;
mod erasure;
pub mod head;
pub mod history;
pub mod line;
pub mod number;
pub mod order;
pub mod payment;
pub mod quote;
pub mod refusal;
pub mod returns;
pub mod saga;
pub mod shipment;
pub mod step;
pub mod undo;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod saga_model;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod saga_table;

pub use checkout::{Checkout, CheckoutEvent, CheckoutId, CheckoutState};
pub use contact::{Address, Details, DetailsChange};
pub use head::Head;
pub use line::{Line, Totals};
pub use number::Number;
pub use order::{AccountId, Action, Order, OrderEvent, OrderId, OrderState, Origin};
pub use payment::{PaymentState, RefundId, RefundState};
pub use quote::Quote;
pub use refusal::Refusal;
pub use returns::{Return, ReturnId, ReturnState};
pub use shipment::{FulfilmentState, LineCount, Shipment, ShipmentId};
