//! Starts the service on every kind of store, and says things shortly.

use std::time::Duration;

use kit::{Clock, Database, query};
use mesh::Channel;
use mesh::testing::{self, TestServer};
use proto::inventory as pb;
use proto::inventory::inventory_service_client::InventoryServiceClient;
use tonic::Status;
use uuid::Uuid;

pub use kit::testing::request_id;
pub use mesh::testing::reason;

pub type Client = InventoryServiceClient<Channel>;

pub struct Shop {
    pub database: Database,
    pub clock: Clock,
    server: TestServer,
}

/// One shop for each kind of store.
pub async fn shops() -> Vec<Shop> {
    let databases = kit::testing::databases::<inventory::Migrator>().await;
    databases.into_iter().map(Shop::new).collect()
}

impl Shop {
    fn new(database: Database) -> Self {
        let clock = Clock::fixed(Clock::system().now());
        let routes = inventory::routes(database.clone(), clock.clone());
        let server = testing::serve(inventory::NAME, routes);
        Self { database, clock, server }
    }

    pub fn staff(&self) -> Client {
        let user = testing::staff(&["stock.read", "stock.write"]);
        InventoryServiceClient::new(self.server.channel_as("gateway", Some(user)))
    }

    pub fn guest(&self) -> Client {
        InventoryServiceClient::new(self.server.channel_as("gateway", None))
    }

    pub fn orders(&self) -> Client {
        InventoryServiceClient::new(self.server.channel_as("orders", None))
    }

    pub async fn count(&self, sku: &str, available: i64) -> pb::Stock {
        let counted = pb::stock_adjustment::Change::AvailableCount(available);
        self.adjust(vec![adjustment(sku, counted)]).await.unwrap().remove(0)
    }

    pub async fn adjust(&self, adjustments: Vec<pb::StockAdjustment>) -> Result<Vec<pb::Stock>, Status> {
        let request =
            pb::AdjustStockRequest { adjustments, reason: "a test".into(), request_id: request_id() };
        Ok(self.staff().adjust_stock(request).await?.into_inner().stock)
    }

    pub async fn reserve(&self, id: &str, lines: &[(&str, i64)]) -> Result<pb::Reservation, Status> {
        let answer = self.orders().reserve_stock(self.reserving(id, lines)).await?;
        Ok(answer.into_inner().reservation.unwrap())
    }

    pub fn reserving(&self, id: &str, lines: &[(&str, i64)]) -> pb::ReserveStockRequest {
        let expires = self.clock.now() + Duration::from_secs(600);
        pb::ReserveStockRequest {
            reservation_id: id.to_owned(),
            lines: lines.iter().map(|(sku, quantity)| line(sku, *quantity)).collect(),
            expire_time: Some(kit::time::to_proto(expires)),
            request_id: request_id(),
        }
    }

    pub async fn confirm(&self, id: &str) -> Result<pb::Reservation, Status> {
        let request =
            pb::ConfirmReservationRequest { reservation_id: id.to_owned(), request_id: request_id() };
        Ok(self.orders().confirm_reservation(request).await?.into_inner().reservation.unwrap())
    }

    pub async fn release(&self, id: &str) -> Result<pb::Reservation, Status> {
        let request =
            pb::ReleaseReservationRequest { reservation_id: id.to_owned(), request_id: request_id() };
        Ok(self.orders().release_reservation(request).await?.into_inner().reservation.unwrap())
    }

    pub async fn take_back(&self, id: &str, sku: &str, quantity: i64, restock: bool) -> Result<(), Status> {
        let request = pb::ReturnStockRequest {
            reservation_id: id.to_owned(),
            lines: vec![line(sku, quantity)],
            restock,
            request_id: request_id(),
        };
        self.orders().return_stock(request).await.map(drop)
    }

    /// received, available, reserved, sold.
    pub async fn figures(&self, sku: &str) -> (i64, i64, i64, i64) {
        let request = pb::BatchGetStockRequest { skus: vec![sku.to_owned()] };
        let stock = self.guest().batch_get_stock(request).await.unwrap().into_inner().stock.remove(0);
        (stock.received, stock.available, stock.reserved, stock.sold)
    }

    /// Rows whose ledger does not add up to them: always none.
    pub async fn rows_that_differ_from_the_ledger(&self) -> usize {
        let sql =
            "SELECT s.sku FROM stock s JOIN movements m ON m.sku = s.sku AND m.location_id = s.location_id
                   GROUP BY s.sku, s.received, s.available, s.reserved, s.sold, s.version
                   HAVING SUM(m.received_delta) <> s.received OR SUM(m.available_delta) <> s.available
                       OR SUM(m.reserved_delta) <> s.reserved OR SUM(m.sold_delta) <> s.sold
                       OR COUNT(*) <> s.version";
        query(self.database.read(), sql, []).await.unwrap().len()
    }
}

pub fn adjustment(sku: &str, change: pb::stock_adjustment::Change) -> pb::StockAdjustment {
    pb::StockAdjustment { sku: sku.to_owned(), change: Some(change), ..Default::default() }
}

pub fn line(sku: &str, quantity: i64) -> pb::StockLine {
    pb::StockLine { sku: sku.to_owned(), quantity }
}

pub fn id() -> String {
    Uuid::now_v7().to_string()
}
