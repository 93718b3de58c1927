//! The contract on one side, the domain on the other. Only here a request can be invalid.

mod parse;
mod show;

use futures::StreamExt;
use futures::stream::BoxStream;
use kit::{Page, PageLimits};
use mesh::Caller;
use mesh::status::Problem;
use proto::inventory as pb;
use proto::inventory::inventory_service_server::{InventoryService, InventoryServiceServer};
use tonic::{Code, Request, Response, Status};

use crate::NAME;
use crate::app::Inventory;
use crate::domain::Refusal;
use crate::error::Error;

const PAGE: PageLimits = PageLimits { default: 50, max: 250 };

pub fn server(inventory: Inventory) -> InventoryServiceServer<impl InventoryService> {
    InventoryServiceServer::new(Grpc { inventory })
}

struct Grpc {
    inventory: Inventory,
}

#[tonic::async_trait]
impl InventoryService for Grpc {
    type WatchStockStream = BoxStream<'static, Result<pb::WatchStockResponse, Status>>;

    async fn batch_get_stock(
        &self,
        request: Request<pb::BatchGetStockRequest>,
    ) -> Result<Response<pb::BatchGetStockResponse>, Status> {
        let skus = parse::batch(&request.get_ref().skus)?;
        let mut found = self.inventory.batch_get(&skus).await?;
        let mut answer = pb::BatchGetStockResponse::default();
        for sku in skus {
            match found.remove(&sku) {
                Some(row) => answer.stock.push(show::stock(row)),
                None => answer.missing.push(sku),
            }
        }
        Ok(Response::new(answer))
    }

    async fn list_stock(
        &self,
        request: Request<pb::ListStockRequest>,
    ) -> Result<Response<pb::ListStockResponse>, Status> {
        let message = request.into_inner();
        let arguments = pb::ListStockRequest { page_size: 0, page_token: String::new(), ..message.clone() };
        let page = page(message.page_size, &message.page_token, &arguments)?;
        let listed = self.inventory.list(message.available_max, &page).await?.map(show::stock);
        Ok(Response::new(pb::ListStockResponse {
            stock: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }

    async fn list_locations(
        &self,
        request: Request<pb::ListLocationsRequest>,
    ) -> Result<Response<pb::ListLocationsResponse>, Status> {
        let message = request.into_inner();
        let arguments = pb::ListLocationsRequest::default();
        let page = page(message.page_size.min(50), &message.page_token, &arguments)?;
        let listed = self.inventory.locations(&page).await?.map(show::location);
        Ok(Response::new(pb::ListLocationsResponse {
            locations: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }

    async fn adjust_stock(
        &self,
        request: Request<pb::AdjustStockRequest>,
    ) -> Result<Response<pb::AdjustStockResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("AdjustStock", &message.request_id, &message)?;
        let (adjustments, reason) = parse::adjustments(&message)?;
        let rows = self.inventory.adjust(&caller, &key, &adjustments, reason).await?;
        Ok(Response::new(pb::AdjustStockResponse { stock: rows.into_iter().map(show::stock).collect() }))
    }

    async fn list_movements(
        &self,
        request: Request<pb::ListMovementsRequest>,
    ) -> Result<Response<pb::ListMovementsResponse>, Status> {
        let message = request.into_inner();
        let arguments =
            pb::ListMovementsRequest { page_size: 0, page_token: String::new(), ..message.clone() };
        let page = page(message.page_size, &message.page_token, &arguments)?;
        let sku = Some(message.sku.as_str()).filter(|sku| !sku.is_empty());
        let listed = self.inventory.movements(sku, &page).await?;
        let listed = listed.map(show::movement);
        Ok(Response::new(pb::ListMovementsResponse {
            movements: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }

    async fn reserve_stock(
        &self,
        request: Request<pb::ReserveStockRequest>,
    ) -> Result<Response<pb::ReserveStockResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("ReserveStock", &message.request_id, &message)?;
        let wanted = parse::reservation(&message, self.inventory.clock().now())?;
        let reservation = Some(show::reservation(self.inventory.reserve(&caller, &key, wanted).await?));
        Ok(Response::new(pb::ReserveStockResponse { reservation }))
    }

    async fn confirm_reservation(
        &self,
        request: Request<pb::ConfirmReservationRequest>,
    ) -> Result<Response<pb::ConfirmReservationResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("ConfirmReservation", &message.request_id, &message)?;
        let id = parse::reservation_id(&message.reservation_id)?;
        let reservation = Some(show::reservation(self.inventory.confirm(&caller, &key, id).await?));
        Ok(Response::new(pb::ConfirmReservationResponse { reservation }))
    }

    async fn release_reservation(
        &self,
        request: Request<pb::ReleaseReservationRequest>,
    ) -> Result<Response<pb::ReleaseReservationResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("ReleaseReservation", &message.request_id, &message)?;
        let id = parse::reservation_id(&message.reservation_id)?;
        let reservation = Some(show::reservation(self.inventory.release(&caller, &key, id).await?));
        Ok(Response::new(pb::ReleaseReservationResponse { reservation }))
    }

    async fn return_stock(
        &self,
        request: Request<pb::ReturnStockRequest>,
    ) -> Result<Response<pb::ReturnStockResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("ReturnStock", &message.request_id, &message)?;
        let (id, lines) = parse::returned(&message)?;
        let rows = self.inventory.take_back(&caller, &key, id, &lines, message.restock).await?;
        Ok(Response::new(pb::ReturnStockResponse { stock: rows.into_iter().map(show::stock).collect() }))
    }

    async fn watch_stock(
        &self,
        request: Request<pb::WatchStockRequest>,
    ) -> Result<Response<Self::WatchStockStream>, Status> {
        let skus = parse::watched(&request.get_ref().skus)?;
        let shown = |row| pb::WatchStockResponse { stock: Some(show::stock(row)) };
        let stream = self.inventory.watch(skus).map(move |row| row.map(shown).map_err(Status::from));
        Ok(Response::new(stream.boxed()))
    }
}

fn page<M: prost::Message>(size: i32, token: &str, arguments: &M) -> Result<Page, Problem> {
    Ok(Page::parse(size, token, arguments, PAGE)?)
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        use pb::Reason;

        let words = error.to_string();
        let problem = |code, reason: Reason| Problem::new(code, NAME, reason.as_str_name(), words.clone());
        match error {
            Error::Refused(Refusal::InsufficientStock(short)) => {
                let skus: Vec<String> =
                    short.iter().map(|short| format!("{}={}", short.sku, short.available)).collect();
                problem(Code::FailedPrecondition, Reason::InsufficientStock).with("skus", skus.join(","))
            }
            Error::Refused(Refusal::ReservationClosed(state)) => {
                problem(Code::FailedPrecondition, Reason::ReservationClosed).with("state", state.as_str())
            }
            Error::Refused(Refusal::ReturnExceedsSale { sku, open }) => {
                let problem = problem(Code::FailedPrecondition, Reason::ReturnExceedsSale);
                problem.with("sku", sku).with("open", open)
            }
            Error::ReservationNotFound(id) => {
                problem(Code::NotFound, Reason::ReservationNotFound).with("reservation_id", id)
            }
            Error::LocationNotFound(id) => {
                problem(Code::NotFound, Reason::LocationNotFound).with("location_id", id)
            }
            Error::Conflict => Problem::etag_mismatch(),
            Error::Request(error) => error.into(),
            Error::Page(error) => error.into(),
            Error::Storage(error) => kit::RequestError::Storage(error).into(),
        }
        .status()
    }
}
