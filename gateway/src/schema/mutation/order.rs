//! Changes of orders, by buyers and by staff. Each service method decides who may.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use proto::orders as pb;

use crate::context::{self, own_request_id};
use crate::error::{Fault, Refusal, settled};
use crate::ids::{self, Kind};
use crate::schema::Part;
use crate::schema::held::HeldOrder;
use crate::schema::look::Look;
use crate::schema::money::{MoneyInput, given};
use crate::schema::order::{self, Order};
use crate::schema::user_error::{OrderErrorCode, UserError, Warning, user_errors};

const SERVICE: &str = "orders";

/// A line of an order and how many of it.
#[derive(InputObject)]
pub(crate) struct OrderLineInput {
    /// The line.
    line_id: ID,
    /// How many.
    quantity: i64,
}

/// What became of a change of an order.
#[derive(SimpleObject, Default)]
pub(crate) struct OrderPayload {
    /// The order after the change; null when nothing changed.
    order: Option<Order>,
    /// The return that was asked for, with `orderReturnRequest`.
    return_id: Option<ID>,
    /// Why nothing changed.
    user_errors: Vec<UserError<OrderErrorCode>>,
    /// What was done otherwise than asked.
    warnings: Vec<Warning>,
}

#[derive(Default)]
pub(crate) struct OrderMutation;

/// Changes of orders.
#[Object]
impl OrderMutation {
    /// Ends an order of which nothing was sent: stock goes back, money is let go or given back. By its buyer or by staff.
    async fn order_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] id: ID,
        #[graphql(desc = "A guest's token; browsers carry it in a cookie.")] token: Option<String>,
        #[graphql(desc = "Why; at most 500 characters.")] reason: Option<String>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<OrderPayload> {
        let change = async {
            let held = HeldOrder::by_id(ctx, &id, token)?;
            let request = pb::CancelOrderRequest {
                key: Some(held.key),
                reason: reason.unwrap_or_default(),
                request_id: held.principal.request_id(&idempotency_key, "CancelOrder")?,
            };
            let answer = settled(SERVICE, context::orders(ctx).cancel_order(request).await)?;
            payload(ctx, answer.map(|answer| answer.order)).await
        };
        Some(change.await)
    }

    /// Asks to send delivered lines back. By the buyer.
    async fn order_return_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] id: ID,
        #[graphql(desc = "A guest's token; browsers carry it in a cookie.")] token: Option<String>,
        #[graphql(desc = "What comes back.")] lines: Vec<OrderLineInput>,
        #[graphql(desc = "Why; at most 500 characters.")] reason: Option<String>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<OrderPayload> {
        let change = async {
            let held = HeldOrder::by_id(ctx, &id, token)?;
            let request = pb::RequestReturnRequest {
                key: Some(held.key),
                lines: counts(lines)?,
                reason: reason.unwrap_or_default(),
                request_id: held.principal.request_id(&idempotency_key, "RequestReturn")?,
            };
            let answer = settled(SERVICE, context::orders(ctx).request_return(request).await)?;
            let asked = answer.as_ref().ok();
            let return_id = asked.map(|answer| ids::encode(Kind::Return, &answer.return_id));
            let payload = payload(ctx, answer.map(|answer| answer.order)).await?;
            Ok(OrderPayload { return_id, ..payload })
        };
        Some(change.await)
    }

    /// Staff: sends lines off, all that is left or some.
    async fn order_ship(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] id: ID,
        #[graphql(desc = "What is in the shipment; all that is left if empty.", default)] lines: Vec<
            OrderLineInput,
        >,
        #[graphql(desc = "Who carries it.")] carrier: Option<String>,
        #[graphql(desc = "The carrier's number.")] tracking_number: Option<String>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<OrderPayload> {
        let change = async {
            let request = pb::ShipOrderRequest {
                order_id: ids::decode(Kind::Order, &id)?,
                lines: counts(lines)?,
                carrier: carrier.unwrap_or_default(),
                tracking_number: tracking_number.unwrap_or_default(),
                request_id: own_request_id(ctx, &idempotency_key, "ShipOrder")?,
            };
            let answer = settled(SERVICE, context::orders(ctx).ship_order(request).await)?;
            payload(ctx, answer.map(|answer| answer.order)).await
        };
        Some(change.await)
    }

    /// Staff: a shipment has arrived.
    async fn order_deliver(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] id: ID,
        #[graphql(desc = "The shipment.")] shipment_id: ID,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<OrderPayload> {
        let change = async {
            let request = pb::DeliverShipmentRequest {
                order_id: ids::decode(Kind::Order, &id)?,
                shipment_id: ids::decode(Kind::Shipment, &shipment_id)?,
                request_id: own_request_id(ctx, &idempotency_key, "DeliverShipment")?,
            };
            let answer = settled(SERVICE, context::orders(ctx).deliver_shipment(request).await)?;
            payload(ctx, answer.map(|answer| answer.order)).await
        };
        Some(change.await)
    }

    /// Staff: the goods of a return may come.
    async fn order_return_approve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] id: ID,
        #[graphql(desc = "The return.")] return_id: ID,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<OrderPayload> {
        let change = async {
            let request = pb::ApproveReturnRequest {
                order_id: ids::decode(Kind::Order, &id)?,
                return_id: ids::decode(Kind::Return, &return_id)?,
                request_id: own_request_id(ctx, &idempotency_key, "ApproveReturn")?,
            };
            let answer = settled(SERVICE, context::orders(ctx).approve_return(request).await)?;
            payload(ctx, answer.map(|answer| answer.order)).await
        };
        Some(change.await)
    }

    /// Staff: no.
    async fn order_return_reject(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] id: ID,
        #[graphql(desc = "The return.")] return_id: ID,
        #[graphql(desc = "Why; told to the buyer.")] rejection: String,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<OrderPayload> {
        let change = async {
            let request = pb::RejectReturnRequest {
                order_id: ids::decode(Kind::Order, &id)?,
                return_id: ids::decode(Kind::Return, &return_id)?,
                rejection,
                request_id: own_request_id(ctx, &idempotency_key, "RejectReturn")?,
            };
            let answer = settled(SERVICE, context::orders(ctx).reject_return(request).await)?;
            payload(ctx, answer.map(|answer| answer.order)).await
        };
        Some(change.await)
    }

    /// Staff: the goods of a return are here. Money is for `orderRefund`.
    async fn order_return_receive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] id: ID,
        #[graphql(desc = "The return.")] return_id: ID,
        #[graphql(desc = "True: back to stock; false: written off.")] restock: bool,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<OrderPayload> {
        let change = async {
            let request = pb::ReceiveReturnRequest {
                order_id: ids::decode(Kind::Order, &id)?,
                return_id: ids::decode(Kind::Return, &return_id)?,
                restock,
                request_id: own_request_id(ctx, &idempotency_key, "ReceiveReturn")?,
            };
            let answer = settled(SERVICE, context::orders(ctx).receive_return(request).await)?;
            payload(ctx, answer.map(|answer| answer.order)).await
        };
        Some(change.await)
    }

    /// Staff: gives money back, never more than was paid.
    async fn order_refund(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] id: ID,
        #[graphql(desc = "How much; all that is left if absent.")] amount: Option<MoneyInput>,
        #[graphql(desc = "Why; 1 to 200 characters.")] reason: String,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<OrderPayload> {
        let change = async {
            let request = pb::RefundOrderRequest {
                order_id: ids::decode(Kind::Order, &id)?,
                amount: given(amount.as_ref())?,
                reason,
                request_id: own_request_id(ctx, &idempotency_key, "RefundOrder")?,
            };
            let answer = settled(SERVICE, context::orders(ctx).refund_order(request).await)?;
            payload(ctx, answer.map(|answer| answer.order)).await
        };
        Some(change.await)
    }
}

fn counts(lines: Vec<OrderLineInput>) -> Result<Vec<pb::LineCount>, Fault> {
    let convert = |line: OrderLineInput| {
        Ok(pb::LineCount { line_id: ids::decode(Kind::OrderLine, &line.line_id)?, quantity: line.quantity })
    };
    lines.into_iter().map(convert).collect()
}

/// A cancelled order whose money has not been let go or given back yet says so.
fn warnings(order: &pb::Order) -> Vec<Warning> {
    use pb::OrderPaymentState as Money;
    let held = matches!(order.payment_state(), Money::Authorized | Money::Paid | Money::PartiallyRefunded);
    if order.state() != pb::OrderState::Cancelled || !held {
        return Vec::new();
    }
    vec![Warning::new("PAYMENT_NOT_SETTLED", "The money is still on its way back.")]
}

async fn payload(
    ctx: &Context<'_>,
    answer: Result<Option<pb::Order>, Vec<Refusal>>,
) -> Result<OrderPayload, Fault> {
    match answer {
        Ok(wire) => {
            let wire = wire.ok_or_else(|| Fault::incomplete(SERVICE))?;
            let warnings = warnings(&wire);
            let look = Look::here(ctx).below("order");
            Ok(OrderPayload {
                order: order::show(ctx, vec![wire], &look).await.pop(),
                warnings,
                ..Default::default()
            })
        }
        Err(refusals) => {
            Ok(OrderPayload { user_errors: user_errors(SERVICE, refusals)?, ..Default::default() })
        }
    }
}
