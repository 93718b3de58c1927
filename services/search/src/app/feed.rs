//! What may have changed, until the index has been brought up to date. An event is only a hint that its product is to
//! be read again from its owners, so events may come twice, late and in any order.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::domain::ProductId;

/// Beyond this many everything is compared instead.
const WAITING_MAX: usize = 100_000;

/// Hints that wait. Clones share it.
#[derive(Clone, Default)]
pub struct Feed {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    woken: Notify,
}

#[derive(Default)]
struct Waiting {
    products: BTreeSet<ProductId>,
    /// Whether each was said to be available, or both: what is heard last need not be what happened last.
    skus: BTreeSet<(String, bool)>,
    everything: bool,
}

impl Feed {
    /// Something about a product changed.
    pub fn product(&self, id: ProductId) {
        let mut waiting = self.lock();
        waiting.products.insert(id);
        self.noted(waiting);
    }

    /// Stock changed.
    pub fn stock(&self, sku: String, available: bool) {
        let mut waiting = self.lock();
        waiting.skus.insert((sku, available));
        self.noted(waiting);
    }

    /// Anything may have changed.
    pub fn everything(&self) {
        let mut waiting = self.lock();
        waiting.everything = true;
        self.noted(waiting);
    }

    /// Some products that wait, no longer waiting.
    pub fn take_products(&self, count: usize) -> Vec<ProductId> {
        let mut waiting = self.lock();
        let taken: Vec<ProductId> = waiting.products.iter().take(count).copied().collect();
        for id in &taken {
            waiting.products.remove(id);
        }
        taken
    }

    /// All that was said of SKUs, no longer waiting.
    pub fn take_stock(&self) -> BTreeSet<(String, bool)> {
        std::mem::take(&mut self.lock().skus)
    }

    /// Whether everything is to be compared, since this was last asked.
    pub fn take_everything(&self) -> bool {
        std::mem::take(&mut self.lock().everything)
    }

    pub fn count(&self) -> usize {
        let waiting = self.lock();
        waiting.products.len() + waiting.skus.len()
    }

    /// Until something waits.
    pub async fn woken(&self) {
        while self.count() == 0 && !self.lock().everything {
            self.shared.woken.notified().await;
        }
    }

    fn noted(&self, mut waiting: MutexGuard<'_, Waiting>) {
        if waiting.products.len() + waiting.skus.len() > WAITING_MAX {
            *waiting = Waiting { everything: true, ..Waiting::default() };
        }
        drop(waiting);
        self.shared.woken.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
