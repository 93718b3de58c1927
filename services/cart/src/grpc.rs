//! The contract on one side, the domain on the other. Only here a request can be invalid.

mod parse;
mod show;

use futures::StreamExt;
use futures::stream::BoxStream;
use kit::RequestKey;
use mesh::Caller;
use mesh::status::{Problem, RETRY_AFTER, chain};
use observability::names;
use proto::cart as pb;
use proto::cart::cart_service_server::{CartService, CartServiceServer};
use tonic::{Code, Request, Response, Status};

use crate::NAME;
use crate::app::{Carts, Claim, Edit, Right, right};
use crate::domain::Refusal;
use crate::error::Error;

pub fn server(carts: Carts) -> CartServiceServer<impl CartService> {
    CartServiceServer::new(Grpc { carts })
}

struct Grpc {
    carts: Carts,
}

#[tonic::async_trait]
impl CartService for Grpc {
    type WatchCartStream = BoxStream<'static, Result<pb::WatchCartResponse, Status>>;

    async fn create_cart(
        &self,
        request: Request<pb::CreateCartRequest>,
    ) -> Result<Response<pb::CreateCartResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let opening = parse::opening(&message)?;
        let principal = match &caller.user {
            Some(_) => caller.principal(),
            // Nobody has a name yet: the request_id alone says that it is the same request.
            None => "guest".to_owned(),
        };
        let key = RequestKey::new(&principal, "CreateCart", &message.request_id, &message);
        let (answer, token) = self.carts.create(&caller, &key.map_err(Problem::from)?, &opening).await?;
        let (cart, warnings) = show::changed(answer);
        Ok(Response::new(pb::CreateCartResponse { cart, token: token.unwrap_or_default(), warnings }))
    }

    async fn get_cart(
        &self,
        request: Request<pb::GetCartRequest>,
    ) -> Result<Response<pb::GetCartResponse>, Status> {
        let claim = parse::key(request.get_ref().key.as_ref())?;
        let right = right(&Caller::of(&request), claim)?;
        let (cart, _) = show::changed(self.carts.get(&right).await?);
        Ok(Response::new(pb::GetCartResponse { cart }))
    }

    async fn add_cart_lines(
        &self,
        request: Request<pb::AddCartLinesRequest>,
    ) -> Result<Response<pb::AddCartLinesResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let (claim, lines, etag) = parse::added(&message)?;
        let edit = edit(&caller, claim, etag, "AddCartLines", &message.request_id, &message)?;
        let (cart, warnings) = show::changed(self.carts.add(&edit, &lines).await?);
        Ok(Response::new(pb::AddCartLinesResponse { cart, warnings }))
    }

    async fn update_cart_lines(
        &self,
        request: Request<pb::UpdateCartLinesRequest>,
    ) -> Result<Response<pb::UpdateCartLinesResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let (claim, quantities, etag) = parse::updated(&message)?;
        let edit = edit(&caller, claim, etag, "UpdateCartLines", &message.request_id, &message)?;
        let (cart, warnings) = show::changed(self.carts.set(&edit, &quantities).await?);
        Ok(Response::new(pb::UpdateCartLinesResponse { cart, warnings }))
    }

    async fn remove_cart_lines(
        &self,
        request: Request<pb::RemoveCartLinesRequest>,
    ) -> Result<Response<pb::RemoveCartLinesResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let (claim, lines, etag) = parse::removed(&message)?;
        let edit = edit(&caller, claim, etag, "RemoveCartLines", &message.request_id, &message)?;
        let (cart, _) = show::changed(self.carts.remove(&edit, &lines).await?);
        Ok(Response::new(pb::RemoveCartLinesResponse { cart }))
    }

    async fn set_cart_codes(
        &self,
        request: Request<pb::SetCartCodesRequest>,
    ) -> Result<Response<pb::SetCartCodesResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let (claim, codes, etag) = parse::codes(&message)?;
        let edit = edit(&caller, claim, etag, "SetCartCodes", &message.request_id, &message)?;
        let (cart, _) = show::changed(self.carts.set_codes(&edit, &codes).await?);
        Ok(Response::new(pb::SetCartCodesResponse { cart }))
    }

    async fn set_cart_context(
        &self,
        request: Request<pb::SetCartContextRequest>,
    ) -> Result<Response<pb::SetCartContextResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let (claim, (currency, country), etag) = parse::context(&message)?;
        let edit = edit(&caller, claim, etag, "SetCartContext", &message.request_id, &message)?;
        let (cart, warnings) = show::changed(self.carts.move_to(&edit, currency, country.as_deref()).await?);
        Ok(Response::new(pb::SetCartContextResponse { cart, warnings }))
    }

    async fn merge_carts(
        &self,
        request: Request<pb::MergeCartsRequest>,
    ) -> Result<Response<pb::MergeCartsResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let account = caller.customer_id()?;
        let guest = parse::guest(&message)?;
        let edit = edit(&caller, guest, None, "MergeCarts", &message.request_id, &message)?;
        let answer = self.carts.merge(account, &edit.key, &edit.right).await?;
        let lines = answer.report.merged.iter().map(show::merged).collect();
        let (cart, _) = show::changed(answer);
        Ok(Response::new(pb::MergeCartsResponse { cart, lines }))
    }

    async fn clear_cart(
        &self,
        request: Request<pb::ClearCartRequest>,
    ) -> Result<Response<pb::ClearCartResponse>, Status> {
        let principal = Caller::of(&request).principal();
        let message = request.into_inner();
        let (cart, version, bought) = parse::cleared(&message)?;
        let key = RequestKey::new(&principal, "ClearCart", &message.request_id, &message);
        let key = key.map_err(Problem::from)?;
        let (cart, _) = show::changed(self.carts.clear(&key, cart, version, &bought).await?);
        Ok(Response::new(pb::ClearCartResponse { cart }))
    }

    async fn watch_cart(
        &self,
        request: Request<pb::WatchCartRequest>,
    ) -> Result<Response<Self::WatchCartStream>, Status> {
        let claim = parse::key(request.get_ref().key.as_ref())?;
        let right = right(&Caller::of(&request), claim)?;
        let shown = |answer| pb::WatchCartResponse { cart: show::changed(answer).0 };
        let states = self.carts.watch(right).await?;
        Ok(Response::new(states.map(move |state| state.map(shown).map_err(Status::from)).boxed()))
    }
}

/// The right to a change, and the name under which it happens once: the account's, or that of the guest's cart.
fn edit<M: prost::Message>(
    caller: &Caller,
    claim: Claim,
    etag: Option<i64>,
    method: &'static str,
    request_id: &str,
    message: &M,
) -> Result<Edit, Status> {
    let right = right(caller, claim)?;
    let principal = match (&caller.user, &right) {
        (None, Right::Token { cart, .. }) => format!("cart:{cart}"),
        _ => caller.principal(),
    };
    let key = RequestKey::new(&principal, method, request_id, message).map_err(Problem::from)?;
    Ok(Edit { right, key, etag })
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        use pb::Reason;

        let words = error.to_string();
        let problem = |code, reason: Reason| Problem::new(code, NAME, reason.as_str_name(), words.clone());
        match error {
            Error::Refused(Refusal::LineNotFound(line)) => {
                problem(Code::NotFound, Reason::LineNotFound).with("line_id", line)
            }
            Error::Refused(Refusal::VariantNotFound(variant)) => {
                problem(Code::NotFound, Reason::VariantNotFound).with("variant_id", variant)
            }
            Error::Refused(Refusal::LineLimit) => problem(Code::FailedPrecondition, Reason::LineLimit),
            Error::Refused(Refusal::NotForSale(variant)) => {
                problem(Code::FailedPrecondition, Reason::NotForSale).with("variant_id", variant)
            }
            Error::NotFound => problem(Code::NotFound, Reason::CartNotFound),
            Error::Conflict => Problem::etag_mismatch(),
            Error::Outrun => Problem::unavailable("the cart", &error),
            Error::Upstream { service, source } => Problem::unavailable(service, &*source),
            Error::Request(error) => error.into(),
            Error::Storage(error) => kit::RequestError::Storage(error).into(),
            Error::Redis(_) => {
                let cause = chain(&error);
                tracing::warn!({ names::ERROR } = cause, "the store of carts is not available: {cause}");
                let (reason, words) = (Reason::CartUnavailable, "carts are not available at the moment");
                Problem::new(Code::Unavailable, NAME, reason.as_str_name(), words).retry_after(RETRY_AFTER)
            }
            Error::Malformed(_) => Problem::internal(&error),
        }
        .status()
    }
}
