//! What orders emits and what it reads. A person's data leaves only sealed.

mod contact;

use kit::outbox::Event as News;
use kit::{Money, Timestamp};
use observability::propagation;
use proto::orders as pb;

use crate::domain::saga::FailureKind;
pub use contact::Mailing;

use crate::domain::{
    Checkout, CheckoutEvent, CheckoutState, Line, LineCount, Order, OrderEvent, Origin, ReturnState,
};

/// The outbox events of what happened to an order; each takes the next number of the order's news.
pub fn of_order(
    order: &mut Order,
    happened: Vec<OrderEvent>,
    mailing: &Mailing,
    now: Timestamp,
) -> Vec<News> {
    let mut news = Vec::with_capacity(happened.len());
    for event in happened {
        order.news = order.news.saturating_add(1);
        news.push(order_news(order, event, mailing, now).caused_by(propagation::traceparent()));
    }
    news
}

/// The same for a checkout: the funnel, without anything of the person.
pub fn of_checkout(checkout: &mut Checkout, happened: Vec<CheckoutEvent>, now: Timestamp) -> Vec<News> {
    let mut news = Vec::with_capacity(happened.len());
    for event in happened {
        checkout.news = checkout.news.saturating_add(1);
        let kind = match event {
            CheckoutEvent::Started => "order.checkout_started",
            CheckoutEvent::Completed => "order.checkout_completed",
            CheckoutEvent::Failed => "order.checkout_failed",
        };
        let failure = checkout.last_failure().map(|failure| checkout_failure(failure.kind));
        let payload = pb::CheckoutChanged {
            checkout_id: checkout.id.to_string(),
            state: checkout_state(checkout.state()).into(),
            failure: failure.unwrap_or_default().into(),
            cart_id: checkout.cart.clone(),
        };
        let event = News::new(kind, checkout.id, checkout.news, now, &payload);
        news.push(event.caused_by(propagation::traceparent()));
    }
    news
}

fn order_news(order: &Order, event: OrderEvent, mailing: &Mailing, now: Timestamp) -> News {
    let (id, version) = (order.id, order.news);
    match event {
        OrderEvent::Placed => News::new("order.placed", id, version, now, &placed(order, mailing)),
        OrderEvent::Paid => {
            let payload = pb::OrderPaid { order_id: id.to_string(), paid: Some(order.paid.into()) };
            News::new("order.paid", id, version, now, &payload)
        }
        OrderEvent::Shipped(shipment) => {
            let found = order.shipments.iter().find(|found| found.id == shipment);
            let payload = pb::OrderShipped {
                order_id: id.to_string(),
                number: order.number.to_string(),
                shipment_id: shipment.to_string(),
                lines: counted(order, found.map(|found| found.lines.as_slice())),
                carrier: found.map(|found| found.carrier.clone()).unwrap_or_default(),
                contact: found.and_then(|found| contact::sealed_shipment(order, found, mailing)),
                account_id: account(order),
            };
            News::new("order.shipped", id, version, now, &payload)
        }
        OrderEvent::Delivered(shipment) => {
            let found = order.shipments.iter().find(|found| found.id == shipment);
            let payload = pb::OrderDelivered {
                order_id: id.to_string(),
                account_id: account(order),
                origin: origin(order.origin).into(),
                lines: counted(order, found.map(|found| found.lines.as_slice())),
            };
            News::new("order.delivered", id, version, now, &payload)
        }
        OrderEvent::Cancelled => {
            let payload = pb::OrderCancelled {
                order_id: id.to_string(),
                number: order.number.to_string(),
                contact: contact::sealed(order, &ordered(order), mailing),
                account_id: account(order),
            };
            News::new("order.cancelled", id, version, now, &payload)
        }
        OrderEvent::ReturnChanged(changed) => {
            let found = order.returns.iter().find(|found| found.id == changed);
            let state = found.map_or(ReturnState::Requested, |found| found.state);
            let payload = pb::OrderReturnChanged {
                order_id: id.to_string(),
                return_id: changed.to_string(),
                state: return_state(state).into(),
                lines: counted(order, found.map(|found| found.lines.as_slice())),
            };
            News::new(return_kind(state), id, version, now, &payload)
        }
        OrderEvent::Refunded(amount) => {
            let payload = pb::OrderRefunded {
                order_id: id.to_string(),
                number: order.number.to_string(),
                amount: Some(amount.into()),
                refunded: Some(order.refunded.into()),
                contact: contact::sealed(order, &ordered(order), mailing),
                account_id: account(order),
            };
            News::new("order.refunded", id, version, now, &payload)
        }
    }
}

fn placed(order: &Order, mailing: &Mailing) -> pb::OrderPlaced {
    let told = |amount: Money| (order.origin == Origin::Checkout).then(|| amount.into());
    pb::OrderPlaced {
        order_id: order.id.to_string(),
        number: order.number.to_string(),
        origin: origin(order.origin).into(),
        account_id: account(order),
        external_customer: contact::stranger(order, mailing).unwrap_or_default(),
        lines: order.lines.iter().map(|line| event_line(line, line.quantity)).collect(),
        total: Some(order.totals.total.into()),
        country: order.country().to_owned(),
        contact: contact::sealed(order, &ordered(order), mailing),
        place_time: order.placed.to_rfc3339(),
        shipping: told(order.totals.shipping),
        tax: told(order.totals.tax),
        discount: told(order.totals.discount),
    }
}

/// Every line as it was ordered.
fn ordered(order: &Order) -> Vec<LineCount> {
    order.lines.iter().map(|line| LineCount { line: line.id, quantity: line.quantity }).collect()
}

fn account(order: &Order) -> String {
    order.holder.account.map(|account| account.to_string()).unwrap_or_default()
}

fn counted(order: &Order, counts: Option<&[LineCount]>) -> Vec<pb::EventLine> {
    let counts = counts.unwrap_or_default().iter();
    let lines = counts.filter_map(|count| {
        let line = order.lines.iter().find(|line| line.id == count.line)?;
        Some(event_line(line, count.quantity))
    });
    lines.collect()
}

fn event_line(line: &Line, quantity: i64) -> pb::EventLine {
    pb::EventLine {
        product_id: line.product.clone(),
        variant_id: line.variant.clone(),
        sku: line.sku.clone(),
        quantity,
        unit_price: Some(Money::into(line.unit_price)),
    }
}

pub fn origin(origin: Origin) -> pb::OrderOrigin {
    match origin {
        Origin::Checkout => pb::OrderOrigin::Checkout,
        Origin::Imported => pb::OrderOrigin::Imported,
    }
}

pub fn checkout_state(state: CheckoutState) -> pb::CheckoutState {
    match state {
        CheckoutState::Ready => pb::CheckoutState::Ready,
        CheckoutState::Processing => pb::CheckoutState::Processing,
        CheckoutState::ActionRequired => pb::CheckoutState::ActionRequired,
        CheckoutState::PaymentPending => pb::CheckoutState::PaymentPending,
        CheckoutState::Completed => pb::CheckoutState::Completed,
        CheckoutState::Failed => pb::CheckoutState::Failed,
    }
}

pub fn checkout_failure(kind: FailureKind) -> pb::CheckoutFailure {
    match kind {
        FailureKind::PaymentDeclined => pb::CheckoutFailure::PaymentDeclined,
        FailureKind::InsufficientStock => pb::CheckoutFailure::InsufficientStock,
        FailureKind::CodeNotUsable => pb::CheckoutFailure::CodeNotUsable,
        FailureKind::PaymentTimedOut => pb::CheckoutFailure::PaymentTimedOut,
        FailureKind::Cancelled => pb::CheckoutFailure::Cancelled,
        FailureKind::Expired => pb::CheckoutFailure::Expired,
    }
}

pub fn return_state(state: ReturnState) -> pb::ReturnState {
    match state {
        ReturnState::Requested => pb::ReturnState::Requested,
        ReturnState::Approved => pb::ReturnState::Approved,
        ReturnState::Rejected => pb::ReturnState::Rejected,
        ReturnState::Received => pb::ReturnState::Received,
    }
}

fn return_kind(state: ReturnState) -> &'static str {
    match state {
        ReturnState::Requested => "order.return_requested",
        ReturnState::Approved => "order.return_approved",
        ReturnState::Rejected => "order.return_rejected",
        ReturnState::Received => "order.return_received",
    }
}
