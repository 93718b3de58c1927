//! The contract on one side, the domain on the other. Only here a request can be invalid.

mod import;
mod mask;
mod parse;
mod refuse;
mod show;
mod show_order;

use std::fmt::Display;
use std::pin::Pin;

use futures::{Stream, StreamExt, future, stream};
use kit::{Page, PageLimits, RequestKey};
use mesh::Caller;
use mesh::status::Problem;
use proto::orders as pb;
use proto::orders::orders_service_server::{OrdersService, OrdersServiceServer};
use tonic::{Request, Response, Status, Streaming};

use self::mask::Mask;
use crate::app::{Orderly, Orders, READ, Right, WRITE, right};
use crate::domain::{Head, OrderId};

const PAGE: PageLimits = PageLimits { default: 20, max: 100 };

type Watched<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;
type Answer<T> = Result<Response<T>, Status>;

pub fn server(orders: Orders) -> OrdersServiceServer<impl OrdersService> {
    OrdersServiceServer::new(Grpc { orders })
}

struct Grpc {
    orders: Orders,
}

impl Grpc {
    /// The order that a key names, and what this caller may do with it.
    async fn keyed(
        &self,
        caller: &Caller,
        key: Option<&pb::OrderKey>,
        permission: &str,
    ) -> Result<(OrderId, Right), Status> {
        let token = key.map(|key| key.token.as_str()).unwrap_or_default();
        let right = right(caller, token, Some(permission));
        let key = parse::order_key(key).map_err(Problem::invalid)?;
        Ok((self.orders.resolve(key, &right).await?, right))
    }

    fn masked(&self, head: Head, mask: &Mask) -> Option<pb::Order> {
        self.shown(head).map(|order| mask.apply(order))
    }

    fn shown(&self, order: impl Into<Head>) -> Option<pb::Order> {
        Some(show_order::order(order, self.orders.now()))
    }
}

#[tonic::async_trait]
impl OrdersService for Grpc {
    async fn start_checkout(
        &self,
        request: Request<pb::StartCheckoutRequest>,
    ) -> Answer<pb::StartCheckoutResponse> {
        let (caller, message) = taken(request);
        let start = parse::start(&message).map_err(Problem::invalid)?;
        let key = key(&holder(&caller, "cart", &start.cart), "StartCheckout", &message.request_id, &message)?;
        let started = Box::pin(self.orders.start_checkout(&key, start)).await?;
        let checkout = Some(show::checkout(started.checkout));
        Ok(Response::new(pb::StartCheckoutResponse { checkout, token: started.token }))
    }

    async fn update_checkout(
        &self,
        request: Request<pb::UpdateCheckoutRequest>,
    ) -> Answer<pb::UpdateCheckoutResponse> {
        let (caller, message) = taken(request);
        let (id, change) = parse::update(&message).map_err(Problem::invalid)?;
        let key = key(&holder(&caller, "checkout", id), "UpdateCheckout", &message.request_id, &message)?;
        let right = right(&caller, token(message.key.as_ref()), None);
        let checkout = self.orders.update_checkout(&key, id, &right, change).await?;
        Ok(Response::new(pb::UpdateCheckoutResponse { checkout: Some(show::checkout(checkout)) }))
    }

    async fn complete_checkout(
        &self,
        request: Request<pb::CompleteCheckoutRequest>,
    ) -> Answer<pb::CompleteCheckoutResponse> {
        let (caller, message) = taken(request);
        let (id, completion) = parse::complete(&message).map_err(Problem::invalid)?;
        let key = key(&holder(&caller, "checkout", id), "CompleteCheckout", &message.request_id, &message)?;
        let right = right(&caller, token(message.key.as_ref()), None);
        let checkout = self.orders.complete_checkout(&key, id, &right, completion).await?;
        Ok(Response::new(pb::CompleteCheckoutResponse { checkout: Some(show::checkout(checkout)) }))
    }

    async fn cancel_checkout(
        &self,
        request: Request<pb::CancelCheckoutRequest>,
    ) -> Answer<pb::CancelCheckoutResponse> {
        let (caller, message) = taken(request);
        let id = parse::checkout_key(message.key.as_ref()).map_err(Problem::invalid)?;
        let key = key(&holder(&caller, "checkout", id), "CancelCheckout", &message.request_id, &message)?;
        let right = right(&caller, token(message.key.as_ref()), None);
        let checkout = self.orders.cancel_checkout(&key, id, &right).await?;
        Ok(Response::new(pb::CancelCheckoutResponse { checkout: Some(show::checkout(checkout)) }))
    }

    async fn get_checkout(
        &self,
        request: Request<pb::GetCheckoutRequest>,
    ) -> Answer<pb::GetCheckoutResponse> {
        let (caller, message) = taken(request);
        let id = parse::checkout_key(message.key.as_ref()).map_err(Problem::invalid)?;
        let right = right(&caller, token(message.key.as_ref()), None);
        let checkout = self.orders.checkout(id, &right).await?;
        Ok(Response::new(pb::GetCheckoutResponse { checkout: Some(show::checkout(checkout)) }))
    }

    type WatchCheckoutStream = Watched<pb::WatchCheckoutResponse>;

    async fn watch_checkout(
        &self,
        request: Request<pb::WatchCheckoutRequest>,
    ) -> Answer<Self::WatchCheckoutStream> {
        let (caller, message) = taken(request);
        let id = parse::checkout_key(message.key.as_ref()).map_err(Problem::invalid)?;
        let right = right(&caller, token(message.key.as_ref()), None);
        let states = self.orders.watch_checkout(id, right).await?;
        let states = states.map(|state| state.map(show::checkout).map_err(Status::from));
        let shown = until_over(states)
            .map(|state| state.map(|checkout| pb::WatchCheckoutResponse { checkout: Some(checkout) }));
        Ok(Response::new(Box::pin(shown)))
    }

    async fn get_order(&self, request: Request<pb::GetOrderRequest>) -> Answer<pb::GetOrderResponse> {
        let (caller, message) = taken(request);
        let mask = Mask::to_read(message.read_mask.as_ref()).map_err(Problem::invalid)?;
        let (id, right) = self.keyed(&caller, message.key.as_ref(), READ).await?;
        let head = self.orders.head(id, &right, mask.needs_lines()).await?;
        Ok(Response::new(pb::GetOrderResponse { order: self.masked(head, &mask) }))
    }

    async fn batch_get_orders(
        &self,
        request: Request<pb::BatchGetOrdersRequest>,
    ) -> Answer<pb::BatchGetOrdersResponse> {
        let (caller, message) = taken(request);
        let mask = Mask::to_read(message.read_mask.as_ref()).map_err(Problem::invalid)?;
        let ids = parse::order_ids(&message.order_ids).map_err(Problem::invalid)?;
        let mut found = self.orders.batch_get(&caller, &ids, mask.needs_lines()).await?;
        let mut answer = pb::BatchGetOrdersResponse::default();
        for id in ids {
            match found.remove(&id) {
                Some(head) => answer.orders.extend(self.masked(head, &mask)),
                None => answer.missing.push(id.to_string()),
            }
        }
        Ok(Response::new(answer))
    }

    async fn list_orders(&self, request: Request<pb::ListOrdersRequest>) -> Answer<pb::ListOrdersResponse> {
        let (caller, message) = taken(request);
        let listing = parse::listing(&message).map_err(Problem::invalid)?;
        let mask = Mask::to_read(message.read_mask.as_ref()).map_err(Problem::invalid)?;
        let page = page(&message)?;
        let (listed, sum) = self.orders.list(&caller, listing, &page, mask.needs_lines()).await?;
        let total_size = sum.as_ref().map(|sum| sum.count);
        let amounts = sum.into_iter().flat_map(|sum| sum.amounts);
        Ok(Response::new(pb::ListOrdersResponse {
            orders: listed.items.into_iter().filter_map(|head| self.masked(head, &mask)).collect(),
            next_page_token: listed.next_page_token,
            total_size,
            total_amounts: amounts.map(Into::into).collect(),
        }))
    }

    type WatchOrderStream = Watched<pb::WatchOrderResponse>;

    async fn watch_order(&self, request: Request<pb::WatchOrderRequest>) -> Answer<Self::WatchOrderStream> {
        let (caller, message) = taken(request);
        let (id, right) = self.keyed(&caller, message.key.as_ref(), READ).await?;
        let orders = self.orders.clone();
        let states = self.orders.watch(id, right).await?.map(move |state| {
            let order = state?;
            Ok(pb::WatchOrderResponse { order: Some(show_order::order(order, orders.now())) })
        });
        Ok(Response::new(Box::pin(states)))
    }

    async fn ship_order(&self, request: Request<pb::ShipOrderRequest>) -> Answer<pb::ShipOrderResponse> {
        let (caller, message) = taken(request);
        let key = caller.key("ShipOrder", &message.request_id, &message)?;
        let asked = parse::ship(&message).map_err(Problem::invalid)?;
        let change = Orderly { key: &key, id: asked.id, right: Right::Any };
        let order = self.orders.ship(change, asked.lines, asked.carrier, asked.tracking_number).await?;
        Ok(Response::new(pb::ShipOrderResponse { order: self.shown(order) }))
    }

    async fn deliver_shipment(
        &self,
        request: Request<pb::DeliverShipmentRequest>,
    ) -> Answer<pb::DeliverShipmentResponse> {
        let (caller, message) = taken(request);
        let key = caller.key("DeliverShipment", &message.request_id, &message)?;
        let (id, shipment) = parse::deliver(&message).map_err(Problem::invalid)?;
        let order = self.orders.deliver(Orderly { key: &key, id, right: Right::Any }, shipment).await?;
        Ok(Response::new(pb::DeliverShipmentResponse { order: self.shown(order) }))
    }

    async fn cancel_order(
        &self,
        request: Request<pb::CancelOrderRequest>,
    ) -> Answer<pb::CancelOrderResponse> {
        let (caller, message) = taken(request);
        let reason = parse::prose("reason", &message.reason, 0, 500).map_err(Problem::invalid)?;
        let (id, right) = self.keyed(&caller, message.key.as_ref(), WRITE).await?;
        let key = key(&holder(&caller, "order", id), "CancelOrder", &message.request_id, &message)?;
        let order = self.orders.cancel(Orderly { key: &key, id, right }, reason).await?;
        Ok(Response::new(pb::CancelOrderResponse { order: self.shown(order) }))
    }

    async fn request_return(
        &self,
        request: Request<pb::RequestReturnRequest>,
    ) -> Answer<pb::RequestReturnResponse> {
        let (caller, message) = taken(request);
        let (lines, reason) = parse::returned(&message).map_err(Problem::invalid)?;
        let (id, right) = self.keyed(&caller, message.key.as_ref(), WRITE).await?;
        let key = key(&holder(&caller, "order", id), "RequestReturn", &message.request_id, &message)?;
        let change = Orderly { key: &key, id, right };
        let (order, return_id) = self.orders.request_return(change, lines, reason).await?;
        let return_id = return_id.to_string();
        Ok(Response::new(pb::RequestReturnResponse { order: self.shown(order), return_id }))
    }

    async fn approve_return(
        &self,
        request: Request<pb::ApproveReturnRequest>,
    ) -> Answer<pb::ApproveReturnResponse> {
        let (caller, message) = taken(request);
        let key = caller.key("ApproveReturn", &message.request_id, &message)?;
        let (id, returned) =
            parse::return_key(&message.order_id, &message.return_id).map_err(Problem::invalid)?;
        let change = Orderly { key: &key, id, right: Right::Any };
        let order = self.orders.approve_return(change, returned).await?;
        Ok(Response::new(pb::ApproveReturnResponse { order: self.shown(order) }))
    }

    async fn reject_return(
        &self,
        request: Request<pb::RejectReturnRequest>,
    ) -> Answer<pb::RejectReturnResponse> {
        let (caller, message) = taken(request);
        let key = caller.key("RejectReturn", &message.request_id, &message)?;
        let (id, returned) =
            parse::return_key(&message.order_id, &message.return_id).map_err(Problem::invalid)?;
        let rejection = parse::prose("rejection", &message.rejection, 1, 500).map_err(Problem::invalid)?;
        let change = Orderly { key: &key, id, right: Right::Any };
        let order = self.orders.reject_return(change, returned, rejection).await?;
        Ok(Response::new(pb::RejectReturnResponse { order: self.shown(order) }))
    }

    async fn receive_return(
        &self,
        request: Request<pb::ReceiveReturnRequest>,
    ) -> Answer<pb::ReceiveReturnResponse> {
        let (caller, message) = taken(request);
        let key = caller.key("ReceiveReturn", &message.request_id, &message)?;
        let (id, returned) =
            parse::return_key(&message.order_id, &message.return_id).map_err(Problem::invalid)?;
        let change = Orderly { key: &key, id, right: Right::Any };
        let order = self.orders.receive_return(change, returned, message.restock).await?;
        Ok(Response::new(pb::ReceiveReturnResponse { order: self.shown(order) }))
    }

    async fn refund_order(
        &self,
        request: Request<pb::RefundOrderRequest>,
    ) -> Answer<pb::RefundOrderResponse> {
        let (caller, message) = taken(request);
        let key = caller.key("RefundOrder", &message.request_id, &message)?;
        let (id, amount, reason) = parse::refund(&message).map_err(Problem::invalid)?;
        let change = Orderly { key: &key, id, right: Right::Any };
        let (order, refund_id) = self.orders.refund(change, amount, reason).await?;
        let refund_id = refund_id.to_string();
        Ok(Response::new(pb::RefundOrderResponse { order: self.shown(order), refund_id }))
    }

    type ImportOrdersStream = import::Answers;

    async fn import_orders(
        &self,
        request: Request<Streaming<pb::ImportOrdersRequest>>,
    ) -> Answer<Self::ImportOrdersStream> {
        Ok(Response::new(import::import(&self.orders, request).await?))
    }
}

fn taken<M>(request: Request<M>) -> (Caller, M) {
    (Caller::of(&request), request.into_inner())
}

fn token(key: Option<&pb::CheckoutKey>) -> &str {
    key.map(|key| key.token.as_str()).unwrap_or_default()
}

/// Within whom request ids are told apart: the account, or what a guest holds the token of.
fn holder(caller: &Caller, kind: &str, held: impl Display) -> String {
    match &caller.user {
        Some(_) => caller.principal(),
        None => format!("{kind}:{held}"),
    }
}

fn key<M: prost::Message>(
    principal: &str,
    method: &'static str,
    request_id: &str,
    message: &M,
) -> Result<RequestKey, Problem> {
    Ok(RequestKey::new(principal, method, request_id, message)?)
}

fn page(message: &pb::ListOrdersRequest) -> Result<Page, Problem> {
    // What is told of the orders, and beside them, does not say which page it is: totals are asked for once.
    let arguments = pb::ListOrdersRequest {
        page_size: 0,
        page_token: String::new(),
        with_totals: false,
        read_mask: None,
        ..message.clone()
    };
    Ok(Page::parse(message.page_size, &message.page_token, &arguments, PAGE)?)
}

/// The states of a checkout up to and with its last one.
fn until_over(
    states: impl Stream<Item = Result<pb::Checkout, Status>> + Send + 'static,
) -> impl Stream<Item = Result<pb::Checkout, Status>> + Send {
    states
        .flat_map(|state| {
            let over = state.as_ref().is_ok_and(refuse::is_over);
            stream::iter(std::iter::once(Some(state)).chain(over.then_some(None)))
        })
        .take_while(|state| future::ready(state.is_some()))
        .filter_map(future::ready)
}
