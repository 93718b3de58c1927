//! Keeps the index as its owners are. One task does it all, in turns: what the feed names is read again from its owners;
//! and, at the start and now and then, all of catalogue is compared with the index. The first comparison is the building.
//! Nothing is lost in between, since a hint that comes while a product is being read waits for the next turn.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use kit::{Clock, Timestamp};
use mesh::status::chain;
use observability::names;
use proto::catalogue as pb;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Index;
use super::owners;
use crate::Upstreams;
use crate::domain::{Product, ProductId};
use crate::error::Error;
use crate::store::State;
use crate::store::entity::Record;

/// Hints come in swarms: an import, a checkout. They are waited for this long, and written together.
const GATHERING_TIME: Duration = Duration::from_millis(100);
/// Products read again at once.
const BATCH: usize = 200;
/// Pages of the first building between two commits.
const PAGES_PER_COMMIT: usize = 40;
/// Whatever went wrong, after this long the index is right again.
const COMPARE_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// Categories have no events of their own.
const CATEGORIES_INTERVAL: Duration = Duration::from_secs(20);
const BACKOFF_MIN: Duration = Duration::from_millis(200);
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// Works until `shutdown`.
pub async fn run(index: Index, upstreams: Upstreams, clock: Clock, shutdown: CancellationToken) {
    let now = Instant::now();
    let mut keeper = Keeper {
        index,
        upstreams,
        clock,
        walk: None,
        again: false,
        stumbles: Failures::default(),
        step_at: now,
        compare_at: now,
        categories_at: now,
    };
    let mut failures = Failures::default();
    let turns = async {
        loop {
            match keeper.turn().await {
                Ok(()) => failures = Failures::default(),
                Err(error) => tokio::time::sleep(failures.wait(&error)).await,
            }
        }
    };
    shutdown.run_until_cancelled(turns).await;
}

/// Failures in a row.
#[derive(Default)]
struct Failures(u32);

impl Failures {
    /// How long to wait after one more. The first one says why; more of the same would say nothing new.
    fn wait(&mut self, error: &Error) -> Duration {
        self.0 = self.0.saturating_add(1);
        if self.0 == 1 {
            let error = chain(error);
            tracing::warn!(
                { names::ERROR } = error.as_str(),
                "the index is not brought up to date for now: {error}"
            );
        }
        BACKOFF_MIN.saturating_mul(2_u32.saturating_pow(self.0.min(16))).min(BACKOFF_MAX)
    }
}

struct Keeper {
    index: Index,
    upstreams: Upstreams,
    clock: Clock,
    walk: Option<Walk>,
    again: bool,
    /// Of the walk, which waits for all owners; meanwhile changes are written as far as they are known.
    stumbles: Failures,
    step_at: Instant,
    compare_at: Instant,
    categories_at: Instant,
}

/// A comparison of all products that is under way.
#[derive(Default)]
struct Walk {
    page_token: String,
    seen: HashSet<ProductId>,
    pages: usize,
}

impl Keeper {
    /// One step of whatever is to be done, or waits until there is something.
    async fn turn(&mut self) -> Result<(), Error> {
        if Instant::now() >= self.categories_at {
            let categories = owners::categories(&self.upstreams).await?;
            self.index.categories.replace(categories);
            self.categories_at = Instant::now() + CATEGORIES_INTERVAL;
        }
        if self.index.feed.take_everything() || Instant::now() >= self.compare_at {
            // What is behind a walk under way may be what was missed.
            match &self.walk {
                Some(walk) if walk.pages > 0 => self.again = true,
                _ => self.walk = Some(Walk::default()),
            }
            self.compare_at = Instant::now() + COMPARE_INTERVAL;
        }
        let now = Instant::now();
        if let Some(walk) = self.walk.take_if(|_| now >= self.step_at) {
            self.advance(walk).await;
        } else if self.index.feed.count() == 0 {
            let step_at = self.walk.as_ref().map_or(self.compare_at, |_| self.step_at);
            let timer = tokio::time::sleep_until(step_at.min(self.compare_at).min(self.categories_at));
            tokio::select! {
                () = self.index.feed.woken() => tokio::time::sleep(GATHERING_TIME).await,
                () = timer => return Ok(()),
            }
        }
        self.refresh().await
    }

    /// Takes the next page of the walk. One that cannot be taken now is taken later, and holds up nothing else.
    async fn advance(&mut self, walk: Walk) {
        match self.step(&walk).await {
            Ok(step) => {
                self.stumbles = Failures::default();
                self.walk = match step {
                    Some((page_token, seen)) => Some(walk.next(page_token, seen)),
                    None => std::mem::take(&mut self.again).then(Walk::default),
                };
            }
            Err(error) => {
                self.walk = Some(walk);
                self.step_at = Instant::now() + self.stumbles.wait(&error);
            }
        }
    }

    /// Reads again what the feed names.
    async fn refresh(&self) -> Result<(), Error> {
        let building = self.index.store.state().compared.is_none();
        for (sku, available) in self.index.feed.take_stock() {
            match self.index.store.sku(sku).await? {
                // Whichever word of it was the last one: its owner is asked if any is news.
                Some((product, known)) if known != available => self.index.feed.product(product),
                Some(_) => {}
                // Its product may be written and not yet to be seen, so all are compared once they are.
                None if building => self.index.feed.everything(),
                // One that no product has is read with its product, when that comes.
                None => {}
            }
        }
        let ids = self.index.feed.take_products(BATCH);
        if ids.is_empty() {
            return Ok(());
        }
        let refreshed = self.reread(&ids).await;
        if refreshed.is_err() {
            for id in ids {
                self.index.feed.product(id);
            }
        }
        refreshed
    }

    async fn reread(&self, ids: &[ProductId]) -> Result<(), Error> {
        let wires = owners::products(&self.upstreams, ids).await?;
        let products = self.complete(wires).await?;
        let found: HashSet<ProductId> = products.iter().map(|product| product.id).collect();
        let gone = ids.iter().copied().filter(|id| !found.contains(id)).collect();
        self.index.store.write(products, gone).await?;
        let compared = self.index.store.state().compared;
        self.commit(compared).await
    }

    /// Products with their stock and ratings. Where inventory or reviews is away, what the index knew stands for what it
    /// would say, and everything is compared once it is back.
    async fn complete(&self, wires: Vec<pb::Product>) -> Result<Vec<Product>, Error> {
        let ids: Vec<ProductId> = wires.iter().filter_map(|wire| wire.id.parse().ok()).collect();
        let skus = wires.iter().flat_map(|wire| &wire.variants).map(|variant| variant.sku.clone()).collect();
        let (stock, ratings) =
            futures::join!(owners::stock(&self.upstreams, skus), owners::ratings(&self.upstreams, &ids));
        let mut known = HashMap::new();
        if stock.is_err() || ratings.is_err() {
            self.index.feed.everything();
            known = self.index.store.records(ids).await?;
        }
        let stock = stock.unwrap_or_else(|_| {
            let skus = known.values().flat_map(Record::skus);
            skus.filter(|sku| sku.available).map(|sku| sku.sku).collect()
        });
        let ratings =
            ratings.unwrap_or_else(|_| known.iter().map(|(id, record)| (*id, record.rating())).collect());
        Ok(wires.into_iter().filter_map(|wire| owners::product(wire, &stock, &ratings)).collect())
    }

    /// One page of the walk; the token of the next page and the products of this one, or nothing at the end.
    async fn step(&self, walk: &Walk) -> Result<Option<(String, Vec<ProductId>)>, Error> {
        let building = self.index.store.state().compared.is_none();
        let page = owners::page(&self.upstreams, walk.page_token.clone(), building).await?;
        let ids: Vec<ProductId> = page.products.iter().filter_map(|wire| wire.id.parse().ok()).collect();
        if building {
            let products = self.complete(page.products).await?;
            self.index.store.write(products, Vec::new()).await?;
            if (walk.pages + 1).is_multiple_of(PAGES_PER_COMMIT) {
                self.commit(None).await?;
            }
        } else {
            let versions =
                page.products.iter().filter_map(|wire| Some((wire.id.parse().ok()?, wire.version)));
            self.compare(versions.collect()).await?;
        }
        if !page.next.is_empty() {
            return Ok(Some((page.next, ids)));
        }
        self.finish(walk, ids, building).await?;
        Ok(None)
    }

    async fn finish(&self, walk: &Walk, last: Vec<ProductId>, building: bool) -> Result<(), Error> {
        if building {
            // What was written is to be seen before it is compared.
            self.commit(None).await?;
        }
        let present: HashSet<ProductId> = walk.seen.iter().copied().chain(last).collect();
        for id in self.index.store.others_than(present).await? {
            self.index.feed.product(id);
        }
        self.commit(Some(self.clock.now())).await
    }

    /// Marks those products whose version, stock or rating is not what the index has.
    async fn compare(&self, versions: Vec<(ProductId, i64)>) -> Result<(), Error> {
        let ids: Vec<ProductId> = versions.iter().map(|(id, _)| *id).collect();
        let known = self.index.store.records(ids.clone()).await?;
        let skus = known.values().flat_map(|record| record.skus()).map(|sku| sku.sku).collect();
        let (available, ratings) =
            futures::try_join!(owners::stock(&self.upstreams, skus), owners::ratings(&self.upstreams, &ids))?;
        for (id, version) in versions {
            let same = known.get(&id).is_some_and(|record| {
                record.version == version
                    && record.rating() == ratings.get(&id).copied().unwrap_or_default()
                    && record.skus().iter().all(|sku| sku.available == available.contains(&sku.sku))
            });
            if !same {
                self.index.feed.product(id);
            }
        }
        Ok(())
    }

    async fn commit(&self, compared: Option<Timestamp>) -> Result<(), Error> {
        let state = State { compared, changed: Some(self.clock.now()) };
        Ok(self.index.store.commit(state).await?)
    }
}

impl Walk {
    fn next(mut self, page_token: String, seen: Vec<ProductId>) -> Self {
        self.seen.extend(seen);
        Self { page_token, pages: self.pages + 1, seen: self.seen }
    }
}
