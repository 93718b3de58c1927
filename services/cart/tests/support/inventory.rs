//! An inventory that knows what a test counts, and fails when told to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::stream::Empty;
use proto::inventory as pb;
use proto::inventory::inventory_service_server::InventoryService;
use tonic::{Request, Response, Status};

#[derive(Clone, Default)]
pub struct Inventory {
    available: Arc<Mutex<HashMap<String, i64>>>,
    failure: Arc<Mutex<Option<Status>>>,
    calls: Arc<AtomicUsize>,
}

impl Inventory {
    pub fn count(&self, sku: &str, available: i64) {
        self.available.lock().unwrap().insert(sku.to_owned(), available);
    }

    /// From now on it answers this, or answers again.
    pub fn fail(&self, failure: Option<Status>) {
        *self.failure.lock().unwrap() = failure;
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

type Answer<T> = Result<Response<T>, Status>;

fn unused() -> Status {
    Status::unimplemented("cart has no need of this")
}

#[tonic::async_trait]
impl InventoryService for Inventory {
    type WatchStockStream = Empty<Result<pb::WatchStockResponse, Status>>;

    async fn batch_get_stock(
        &self,
        request: Request<pb::BatchGetStockRequest>,
    ) -> Answer<pb::BatchGetStockResponse> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if let Some(failure) = self.failure.lock().unwrap().clone() {
            return Err(failure);
        }
        let available = self.available.lock().unwrap();
        let mut answer = pb::BatchGetStockResponse::default();
        for sku in request.into_inner().skus {
            match available.get(&sku) {
                Some(available) => {
                    answer.stock.push(pb::Stock { sku, available: *available, ..Default::default() });
                }
                None => answer.missing.push(sku),
            }
        }
        Ok(Response::new(answer))
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

    async fn reserve_stock(&self, _: Request<pb::ReserveStockRequest>) -> Answer<pb::ReserveStockResponse> {
        Err(unused())
    }

    async fn confirm_reservation(
        &self,
        _: Request<pb::ConfirmReservationRequest>,
    ) -> Answer<pb::ConfirmReservationResponse> {
        Err(unused())
    }

    async fn release_reservation(
        &self,
        _: Request<pb::ReleaseReservationRequest>,
    ) -> Answer<pb::ReleaseReservationResponse> {
        Err(unused())
    }

    async fn return_stock(&self, _: Request<pb::ReturnStockRequest>) -> Answer<pb::ReturnStockResponse> {
        Err(unused())
    }

    async fn watch_stock(&self, _: Request<pb::WatchStockRequest>) -> Answer<Self::WatchStockStream> {
        Err(unused())
    }
}
