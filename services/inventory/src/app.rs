//! One method per RPC: who moves what, and why.

use std::collections::HashMap;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use kit::{Clock, Listed, Page, RequestKey};
use mesh::Caller;
use mesh::status::chain;
use observability::names;
use tokio_util::sync::CancellationToken;

use crate::domain::{Adjustment, Cause, Kind, Movement, Place, Reservation, ReservationId, Stock};
use crate::error::Error;
use crate::store::Store;

/// How often overdue reservations are looked for.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(5);
/// Overdue reservations ended in one look.
const EXPIRED_AT_ONCE_MAX: u64 = 100;

#[derive(Clone)]
pub struct Inventory {
    store: Store,
    clock: Clock,
}

impl Inventory {
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub async fn batch_get(&self, skus: &[String]) -> Result<HashMap<String, Stock>, Error> {
        self.store.sums(skus).await
    }

    pub async fn list(&self, available_max: Option<i64>, page: &Page) -> Result<Listed<Stock>, Error> {
        self.store.stock_page(available_max, page).await
    }

    pub async fn movements(&self, sku: Option<&str>, page: &Page) -> Result<Listed<Movement>, Error> {
        self.store.movement_page(sku, page).await
    }

    pub async fn locations(&self, page: &Page) -> Result<Listed<Place>, Error> {
        self.store.location_page(page).await
    }

    pub async fn adjust(
        &self,
        caller: &Caller,
        key: &RequestKey,
        adjustments: &[Adjustment],
        reason: String,
    ) -> Result<Vec<Stock>, Error> {
        self.store.adjust(key, adjustments, &self.cause(caller, reason)).await
    }

    pub async fn reserve(
        &self,
        caller: &Caller,
        key: &RequestKey,
        wanted: Reservation,
    ) -> Result<Reservation, Error> {
        let cause = self.cause(caller, wanted.id.to_string());
        self.store.reserve(key, wanted, &cause).await
    }

    pub async fn confirm(
        &self,
        caller: &Caller,
        key: &RequestKey,
        id: ReservationId,
    ) -> Result<Reservation, Error> {
        let cause = self.cause(caller, id.to_string());
        self.store.confirm(key, id, &cause).await
    }

    pub async fn release(
        &self,
        caller: &Caller,
        key: &RequestKey,
        id: ReservationId,
    ) -> Result<Reservation, Error> {
        let cause = self.cause(caller, id.to_string());
        self.store.release(key, id, &cause).await
    }

    pub async fn take_back(
        &self,
        caller: &Caller,
        key: &RequestKey,
        id: ReservationId,
        lines: &[(String, i64)],
        restock: bool,
    ) -> Result<Vec<Stock>, Error> {
        let kind = match restock {
            true => Kind::Returned,
            false => Kind::ReturnWrittenOff,
        };
        self.store.take_back(key, id, lines, kind, &self.cause(caller, id.to_string())).await
    }

    /// The present stock of each SKU, then each again when it has changed.
    pub fn watch(&self, skus: Vec<String>) -> impl Stream<Item = Result<Stock, Error>> + Send + use<> {
        let changes = self.store.database().changes();
        let (store, watched) = (self.store.clone(), skus.clone());
        // Versions only grow, so their sum grows exactly when one of them does.
        let version = move || {
            let (store, skus) = (store.clone(), watched.clone());
            async move { store.version(&skus).await.map(Some) }
        };
        let store = self.store.clone();
        let read = move || {
            let (store, skus) = (store.clone(), skus.clone());
            async move {
                let rows = store.sums(&skus).await?;
                Ok::<_, Error>(Some((rows.values().map(|row| row.version).sum(), rows)))
            }
        };
        let mut seen = HashMap::new();
        watching::watch(changes, watching::INTERVAL, version, read).flat_map(move |rows| {
            let fresh: Vec<_> = match rows {
                Ok(rows) => news(&mut seen, rows).into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            };
            stream::iter(fresh)
        })
    }

    /// Ends what is overdue until `shutdown`. Several processes may do so at once.
    pub async fn work(self, shutdown: CancellationToken) {
        let working = async {
            loop {
                if let Err(error) = self.expire_overdue().await {
                    let chain = chain(&error);
                    tracing::warn!(
                        { names::ERROR } = chain,
                        "overdue reservations could not be ended: {chain}"
                    );
                }
                tokio::time::sleep(EXPIRY_INTERVAL).await;
            }
        };
        shutdown.run_until_cancelled(working).await;
    }

    /// Ends the reservations whose time is over, and says how many it saw.
    pub async fn expire_overdue(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let overdue = self.store.overdue(now, EXPIRED_AT_ONCE_MAX).await?;
        for id in &overdue {
            let cause = Cause { actor: format!("service:{}", crate::NAME), reason: id.to_string(), now };
            match self.store.expire(*id, &cause).await {
                Ok(()) | Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(overdue.len())
    }

    fn cause(&self, caller: &Caller, reason: String) -> Cause {
        Cause { actor: caller.principal(), reason, now: self.clock.now() }
    }
}

/// The rows that have changed since they were last seen.
fn news(seen: &mut HashMap<String, i64>, rows: HashMap<String, Stock>) -> Vec<Stock> {
    let mut fresh: Vec<Stock> =
        rows.into_values().filter(|row| seen.get(&row.sku) != Some(&row.version)).collect();
    fresh.sort_by(|one, other| one.sku.cmp(&other.sku));
    for row in &fresh {
        seen.insert(row.sku.clone(), row.version);
    }
    fresh
}
