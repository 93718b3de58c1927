//! Orders, as the contract writes them.

use kit::Timestamp;
use kit::time::to_proto;
use proto::orders as pb;

use super::show::{address, money};
use crate::domain::{
    Action, FulfilmentState, Head, Line, LineCount, OrderState, PaymentState, Return, Shipment, Totals,
};
use crate::events;

/// The order as it stands; which actions it allows depends on the time, too.
pub fn order(order: impl Into<Head>, now: Timestamp) -> pb::Order {
    let Head { order, state: stands, fulfilment_state: fulfilled } = order.into();
    let allowed = order.allowed_actions(now).into_iter();
    let external_id = order.external.as_ref().map(|external| external.id.clone());
    pb::Order {
        id: order.id.to_string(),
        number: order.number.to_string(),
        account_id: order.holder.account.map(|account| account.to_string()).unwrap_or_default(),
        origin: events::origin(order.origin).into(),
        state: state(stands).into(),
        payment_state: payment_state(order.payment_state()).into(),
        fulfilment_state: fulfilment_state(fulfilled).into(),
        allowed_actions: allowed.map(|allowed| action(allowed).into()).collect(),
        email: order.contact.email,
        shipping_address: order.contact.shipping.map(address),
        billing_address: order.contact.billing.map(address),
        lines: order.lines.into_iter().map(line).collect(),
        totals: Some(totals(order.totals)),
        codes: order.codes,
        shipping_method_name: order.shipping_method,
        payment_id: order.payment.unwrap_or_default(),
        paid: money(order.paid),
        refunded: money(order.refunded),
        shipments: order.shipments.into_iter().map(shipment).collect(),
        returns: order.returns.into_iter().map(returned).collect(),
        place_time: Some(to_proto(order.placed)),
        update_time: Some(to_proto(order.updated)),
        version: order.version,
        etag: order.version.to_string(),
        checkout_id: order.checkout.map(|checkout| checkout.to_string()).unwrap_or_default(),
        external_id: external_id.unwrap_or_default(),
        cancel_reason: order.cancelled.unwrap_or_default(),
    }
}

fn line(line: Line) -> pb::OrderLine {
    pb::OrderLine {
        id: line.id.to_string(),
        variant_id: line.variant,
        product_id: line.product,
        sku: line.sku,
        product_title: line.product_title,
        variant_title: line.variant_title,
        quantity: line.quantity,
        unit_price: money(line.unit_price),
        discount: money(line.discount),
        net: money(line.net),
        tax: money(line.tax),
        total: money(line.total),
        tax_rate_ppm: line.tax_rate_ppm,
        shipped_quantity: line.shipped,
        delivered_quantity: line.delivered,
        returned_quantity: line.returned,
    }
}

fn totals(totals: Totals) -> pb::OrderTotals {
    pb::OrderTotals {
        subtotal: money(totals.subtotal),
        discount: money(totals.discount),
        shipping: money(totals.shipping),
        tax: money(totals.tax),
        total: money(totals.total),
        prices_include_tax: totals.prices_include_tax,
    }
}

fn shipment(shipment: Shipment) -> pb::Shipment {
    pb::Shipment {
        id: shipment.id.to_string(),
        lines: counts(shipment.lines),
        carrier: shipment.carrier,
        tracking_number: shipment.tracking_number,
        ship_time: Some(to_proto(shipment.shipped)),
        deliver_time: shipment.delivered.map(to_proto),
    }
}

fn returned(returned: Return) -> pb::Return {
    pb::Return {
        id: returned.id.to_string(),
        state: events::return_state(returned.state).into(),
        lines: counts(returned.lines),
        reason: returned.reason,
        rejection: returned.rejection,
        request_time: Some(to_proto(returned.requested)),
        receive_time: returned.received.map(to_proto),
    }
}

fn counts(counts: Vec<LineCount>) -> Vec<pb::LineCount> {
    let counts = counts.into_iter();
    counts.map(|count| pb::LineCount { line_id: count.line.to_string(), quantity: count.quantity }).collect()
}

fn state(state: OrderState) -> pb::OrderState {
    match state {
        OrderState::Open => pb::OrderState::Open,
        OrderState::Cancelled => pb::OrderState::Cancelled,
        OrderState::Closed => pb::OrderState::Closed,
    }
}

fn payment_state(state: PaymentState) -> pb::OrderPaymentState {
    match state {
        PaymentState::NotRequired => pb::OrderPaymentState::NotRequired,
        PaymentState::Authorized => pb::OrderPaymentState::Authorized,
        PaymentState::Paid => pb::OrderPaymentState::Paid,
        PaymentState::PartiallyRefunded => pb::OrderPaymentState::PartiallyRefunded,
        PaymentState::Refunded => pb::OrderPaymentState::Refunded,
        PaymentState::Voided => pb::OrderPaymentState::Voided,
    }
}

fn fulfilment_state(state: FulfilmentState) -> pb::FulfilmentState {
    match state {
        FulfilmentState::Unfulfilled => pb::FulfilmentState::Unfulfilled,
        FulfilmentState::PartiallyShipped => pb::FulfilmentState::PartiallyShipped,
        FulfilmentState::Shipped => pb::FulfilmentState::Shipped,
        FulfilmentState::PartiallyDelivered => pb::FulfilmentState::PartiallyDelivered,
        FulfilmentState::Delivered => pb::FulfilmentState::Delivered,
        FulfilmentState::PartiallyReturned => pb::FulfilmentState::PartiallyReturned,
        FulfilmentState::Returned => pb::FulfilmentState::Returned,
    }
}

fn action(action: Action) -> pb::OrderAction {
    match action {
        Action::Cancel => pb::OrderAction::Cancel,
        Action::Ship => pb::OrderAction::Ship,
        Action::Deliver => pb::OrderAction::Deliver,
        Action::RequestReturn => pb::OrderAction::RequestReturn,
        Action::ApproveReturn => pb::OrderAction::ApproveReturn,
        Action::ReceiveReturn => pb::OrderAction::ReceiveReturn,
        Action::Refund => pb::OrderAction::Refund,
    }
}
