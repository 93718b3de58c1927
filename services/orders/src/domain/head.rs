//! Orders as lists show them.

use super::{FulfilmentState, Order, OrderState};

/// An order whose lines may have been left where they are, and where it stands, which else only they could tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub order: Order,
    pub state: OrderState,
    pub fulfilment_state: FulfilmentState,
}

impl From<Order> for Head {
    fn from(order: Order) -> Self {
        Self { state: order.state(), fulfilment_state: order.fulfilment_state(), order }
    }
}
