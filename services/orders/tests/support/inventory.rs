//! A fake of inventory: stock that holds its equation, reservations, and whatever goes wrong.

use std::collections::HashMap;
use std::sync::Mutex;

use mesh::status::Problem;
use proto::inventory as pb;
use proto::inventory::inventory_service_server::InventoryService;
use tonic::{Code, Request, Status};

use super::faults::{Answer, Faults, Nothing, unused};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub available: i64,
    pub reserved: i64,
    pub sold: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    Held,
    Confirmed,
    Released,
}

#[derive(Default)]
pub struct Inventory {
    pub faults: Faults,
    stock: Mutex<HashMap<String, Figures>>,
    reservations: Mutex<HashMap<String, (Promise, Vec<pb::StockLine>)>>,
}

impl Inventory {
    pub fn set(&self, sku: &str, available: i64) {
        self.stock.lock().unwrap().entry(sku.into()).or_default().available = available;
    }

    pub fn figures(&self, sku: &str) -> Figures {
        self.stock.lock().unwrap().get(sku).copied().unwrap_or_default()
    }

    pub fn in_state(&self, state: Promise) -> usize {
        self.reservations.lock().unwrap().values().filter(|(held, _)| *held == state).count()
    }

    /// What an expiry would do.
    pub fn expire_all(&self) {
        let ids: Vec<String> = self.reservations.lock().unwrap().keys().cloned().collect();
        for id in ids {
            let _ = self.release(&id);
        }
    }

    fn reserve(&self, request: pb::ReserveStockRequest) -> Result<pb::ReserveStockResponse, Status> {
        let mut reservations = self.reservations.lock().unwrap();
        if let Some((state, _)) = reservations.get(&request.reservation_id) {
            let state = match state {
                Promise::Held => pb::ReservationState::Held,
                Promise::Confirmed => pb::ReservationState::Confirmed,
                Promise::Released => pb::ReservationState::Expired,
            };
            let reservation = pb::Reservation { state: state.into(), ..Default::default() };
            return Ok(pb::ReserveStockResponse { reservation: Some(reservation) });
        }
        let mut stock = self.stock.lock().unwrap();
        let short: Vec<String> = request
            .lines
            .iter()
            .map(|line| (line, stock.get(&line.sku).copied().unwrap_or_default()))
            .filter(|(line, figures)| figures.available < line.quantity)
            .map(|(line, figures)| format!("{}={}", line.sku, figures.available))
            .collect();
        if !short.is_empty() {
            return Err(refusal(pb::Reason::InsufficientStock).with("skus", short.join(",")).status());
        }
        for line in &request.lines {
            let figures = stock.entry(line.sku.clone()).or_default();
            figures.available -= line.quantity;
            figures.reserved += line.quantity;
        }
        reservations.insert(request.reservation_id, (Promise::Held, request.lines));
        Ok(pb::ReserveStockResponse::default())
    }

    fn confirm(&self, id: &str) -> Result<pb::ConfirmReservationResponse, Status> {
        let mut reservations = self.reservations.lock().unwrap();
        let (state, lines) =
            reservations.get_mut(id).ok_or_else(|| refusal(pb::Reason::ReservationNotFound).status())?;
        match state {
            Promise::Released => return Err(refusal(pb::Reason::ReservationClosed).status()),
            Promise::Confirmed => return Ok(pb::ConfirmReservationResponse::default()),
            Promise::Held => *state = Promise::Confirmed,
        }
        let mut stock = self.stock.lock().unwrap();
        for line in lines {
            let figures = stock.entry(line.sku.clone()).or_default();
            figures.reserved -= line.quantity;
            figures.sold += line.quantity;
        }
        Ok(pb::ConfirmReservationResponse::default())
    }

    fn release(&self, id: &str) -> Result<pb::ReleaseReservationResponse, Status> {
        let mut reservations = self.reservations.lock().unwrap();
        let (state, lines) = reservations.entry(id.into()).or_insert((Promise::Released, Vec::new()));
        match state {
            Promise::Confirmed => return Err(refusal(pb::Reason::ReservationClosed).status()),
            Promise::Released => return Ok(pb::ReleaseReservationResponse::default()),
            Promise::Held => *state = Promise::Released,
        }
        let mut stock = self.stock.lock().unwrap();
        for line in lines {
            let figures = stock.entry(line.sku.clone()).or_default();
            figures.reserved -= line.quantity;
            figures.available += line.quantity;
        }
        Ok(pb::ReleaseReservationResponse::default())
    }

    fn give_back(&self, request: &pb::ReturnStockRequest) -> Result<pb::ReturnStockResponse, Status> {
        let mut stock = self.stock.lock().unwrap();
        for line in &request.lines {
            let figures = stock.entry(line.sku.clone()).or_default();
            if figures.sold < line.quantity {
                return Err(refusal(pb::Reason::ReturnExceedsSale).status());
            }
            figures.sold -= line.quantity;
            figures.available += if request.restock { line.quantity } else { 0 };
        }
        Ok(pb::ReturnStockResponse::default())
    }
}

fn refusal(reason: pb::Reason) -> Problem {
    let code = match reason {
        pb::Reason::ReservationNotFound => Code::NotFound,
        _ => Code::FailedPrecondition,
    };
    Problem::new(code, "inventory", reason.as_str_name(), "refused")
}

#[tonic::async_trait]
impl InventoryService for super::Shared<Inventory> {
    async fn reserve_stock(
        &self,
        request: Request<pb::ReserveStockRequest>,
    ) -> Answer<pb::ReserveStockResponse> {
        let request = request.into_inner();
        self.0.faults.answer("ReserveStock", || self.0.reserve(request)).await
    }

    async fn confirm_reservation(
        &self,
        request: Request<pb::ConfirmReservationRequest>,
    ) -> Answer<pb::ConfirmReservationResponse> {
        let id = request.into_inner().reservation_id;
        self.0.faults.answer("ConfirmReservation", || self.0.confirm(&id)).await
    }

    async fn release_reservation(
        &self,
        request: Request<pb::ReleaseReservationRequest>,
    ) -> Answer<pb::ReleaseReservationResponse> {
        let id = request.into_inner().reservation_id;
        self.0.faults.answer("ReleaseReservation", || self.0.release(&id)).await
    }

    async fn return_stock(
        &self,
        request: Request<pb::ReturnStockRequest>,
    ) -> Answer<pb::ReturnStockResponse> {
        let request = request.into_inner();
        let id = request.request_id.clone();
        self.0.faults.once("ReturnStock", &id, || self.0.give_back(&request)).await
    }

    async fn batch_get_stock(
        &self,
        _: Request<pb::BatchGetStockRequest>,
    ) -> Answer<pb::BatchGetStockResponse> {
        Err(unused())
    }

    async fn list_stock(&self, _: Request<pb::ListStockRequest>) -> Answer<pb::ListStockResponse> {
        Err(unused())
    }

    async fn list_locations(
        &self,
        _: Request<pb::ListLocationsRequest>,
    ) -> Answer<pb::ListLocationsResponse> {
        Err(unused())
    }

    async fn adjust_stock(&self, _: Request<pb::AdjustStockRequest>) -> Answer<pb::AdjustStockResponse> {
        Err(unused())
    }

    async fn list_movements(
        &self,
        _: Request<pb::ListMovementsRequest>,
    ) -> Answer<pb::ListMovementsResponse> {
        Err(unused())
    }

    type WatchStockStream = Nothing<pb::WatchStockResponse>;

    async fn watch_stock(&self, _: Request<pb::WatchStockRequest>) -> Answer<Self::WatchStockStream> {
        Err(unused())
    }
}
