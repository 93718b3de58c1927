//! Products that are asked for again and again, in a Redis that replicas share and can do without.
//!
//! Of each product one version is kept, as a hash: the version, and the row as it was read for each set of parts. A change
//! leaves the new version with no row, so whoever read before it and writes after it is refused. A row goes so long after
//! Redis was asked for it, which was before the tables were: nothing older is ever shown, whatever got lost.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use redis::Script;
use scratch::Scratch;
use tokio::time::Instant;

use super::entity::ProductRow;
use crate::domain::{Parts, ProductId, ProductKey};

/// No row is shown that was read earlier: where news is late or lost, pages are so old at most.
pub const AGE_MAX: Duration = Duration::from_secs(30);
/// More at once are no page, and come from the tables.
const PRODUCTS_AT_ONCE_MAX: usize = 250;
/// A row of more bytes is read from the tables each time.
const ROW_BYTES_MAX: usize = 64 * 1024;
/// Rows that one process keeps in a second: somebody who looks at everything once must not fill Redis.
const ROWS_PER_SECOND_MAX: usize = 200;

/// The number changes with the form of [`ProductRow`]: programs of before and after do not read each other's rows.
const PRODUCT: &str = "product1";
const HANDLE: &str = "handle";

static LOOK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("hot/look.lua")));
static KEEP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("hot/keep.lua")));
static CHANGE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("hot/change.lua")));

/// Hot products.
pub struct Hot {
    scratch: Scratch,
    /// The present second, and how many rows may still be kept in it.
    budget: Mutex<(Instant, usize)>,
}

/// What was kept of what is looked for; what is missing is read from the tables, and kept by the same handle.
pub struct Look<'a> {
    /// What was kept.
    pub rows: Vec<ProductRow>,
    keeping: Option<Keeping<'a>>,
}

struct Keeping<'a> {
    hot: &'a Hot,
    parts: Parts,
    /// When Redis was asked, by its own clock.
    asked_ms: u64,
}

impl Look<'_> {
    /// Of something that is not looked for here.
    pub fn nowhere() -> Self {
        Self { rows: Vec::new(), keeping: None }
    }

    /// Keeps what was read since.
    pub async fn keep(&self, rows: &[ProductRow]) {
        if let Some(Keeping { hot, parts, asked_ms }) = &self.keeping {
            hot.keep(rows, *parts, *asked_ms).await;
        }
    }
}

impl Hot {
    /// Products in a Redis.
    pub fn new(scratch: Scratch) -> Self {
        Self { scratch, budget: Mutex::new((Instant::now(), ROWS_PER_SECOND_MAX)) }
    }

    /// What is kept of these products.
    pub async fn look(&self, ids: &[ProductId], parts: Parts) -> Look<'_> {
        if ids.is_empty() || ids.len() > PRODUCTS_AT_ONCE_MAX {
            return Look::nowhere();
        }
        let keys = ids.iter().map(|id| self.scratch.key(PRODUCT, id)).collect();
        self.ask(keys, PRODUCT, parts).await
    }

    /// What is kept of the product of this name.
    pub async fn look_at(&self, key: &ProductKey, parts: Parts) -> Look<'_> {
        match key {
            ProductKey::Id(id) => self.look(&[*id], parts).await,
            ProductKey::Handle(handle) => {
                let mut look = self.ask(vec![self.scratch.key(HANDLE, handle)], HANDLE, parts).await;
                // The product may have another handle since, and this one be another's.
                look.rows.retain(|row| row.handle == *handle);
                look
            }
        }
    }

    /// These products have these versions now. False where Redis could not be told.
    pub async fn change(&self, versions: &[(ProductId, i64)]) -> bool {
        if versions.is_empty() {
            return true;
        }
        let mut call = CHANGE.prepare_invoke();
        call.arg(millis(AGE_MAX));
        for (id, version) in versions {
            call.key(self.scratch.key(PRODUCT, id)).arg(*version);
        }
        self.scratch.ask(|mut redis| async move { call.invoke_async::<()>(&mut redis).await }).await.is_some()
    }

    async fn ask(&self, keys: Vec<String>, kind: &str, parts: Parts) -> Look<'_> {
        let mut call = LOOK.prepare_invoke();
        call.key(keys).arg(field(parts)).arg(kind);
        let asking =
            |mut redis| async move { call.invoke_async::<(u64, Vec<Option<String>>)>(&mut redis).await };
        let Some((asked_ms, rows)) = self.scratch.ask(asking).await else {
            return Look::nowhere();
        };
        // What cannot be read is read again from the tables.
        let rows = rows.into_iter().flatten().filter_map(|row| serde_json::from_str(&row).ok()).collect();
        Look { rows, keeping: Some(Keeping { hot: self, parts, asked_ms }) }
    }

    async fn keep(&self, rows: &[ProductRow], parts: Parts, asked_ms: u64) {
        let small = || rows.iter().filter(|row| row.weight() <= ROW_BYTES_MAX);
        let granted = self.grant(small().count());
        if granted == 0 {
            return;
        }
        let mut call = KEEP.prepare_invoke();
        call.arg(asked_ms.saturating_add(millis(AGE_MAX))).arg(field(parts));
        for row in small().take(granted) {
            let Ok(text) = serde_json::to_string(row) else { continue };
            call.key(self.scratch.key(PRODUCT, row.id)).arg(row.version).arg(text);
            call.arg(self.scratch.key(HANDLE, &row.handle));
        }
        let keeping = |mut redis| async move { call.invoke_async::<()>(&mut redis).await };
        // Where it is not kept it is read again.
        let _: Option<()> = self.scratch.ask(keeping).await;
    }

    /// How many of so many rows may be kept now.
    fn grant(&self, wanted: usize) -> usize {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, left) = &mut *budget;
        if since.elapsed() >= Duration::from_secs(1) {
            (*since, *left) = (Instant::now(), ROWS_PER_SECOND_MAX);
        }
        let granted = wanted.min(*left);
        *left -= granted;
        granted
    }
}

/// Which field holds a row that has these parts.
fn field(parts: Parts) -> String {
    let Parts { description, tags, options, variants, media } = parts;
    let letters =
        [('d', description), ('t', tags), ('o', options), ('v', variants), ('m', media)].into_iter();
    std::iter::once('r').chain(letters.filter_map(|(letter, has)| has.then_some(letter))).collect()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use uuid::Uuid;

    use super::*;

    /// Without a Redis of the test run nothing that is kept can be shown.
    fn hot() -> Option<Hot> {
        let url = std::env::var("SHOP_TEST_REDIS_URL").ok()?;
        let prefix = format!("test-{}:", Uuid::now_v7());
        Some(Hot::new(Scratch::new(&url, &prefix, Duration::from_secs(10)).unwrap()))
    }

    fn row(id: ProductId, version: i64) -> ProductRow {
        ProductRow {
            id: id.as_uuid(),
            handle: "cup".to_owned(),
            state: super::super::entity::ACTIVE.to_owned(),
            created: 1,
            updated: version,
            published: Some(1),
            version,
            category: None,
            title: format!("Cup {version}"),
            vendor: String::new(),
            product_type: String::new(),
            seo_title: String::new(),
            seo_description: String::new(),
            tags: None,
            options: None,
            media: None,
            variants: None,
            description: None,
        }
    }

    async fn kept(hot: &Hot, id: ProductId) -> Option<i64> {
        hot.look(&[id], Parts::ALL).await.rows.first().map(|row| row.version)
    }

    #[tokio::test]
    async fn who_read_before_a_change_cannot_keep_it_after_the_change() {
        let Some(hot) = hot() else { return };
        let id = ProductId::new();
        let late = hot.look(&[id], Parts::ALL).await;

        assert!(hot.change(&[(id, 2)]).await);
        late.keep(&[row(id, 1)]).await;
        let after_one = kept(&hot, id).await;
        late.keep(&[row(id, 2)]).await;
        let after_two = kept(&hot, id).await;
        late.keep(&[row(id, 1)]).await;
        let still = kept(&hot, id).await;

        assert_eq!((after_one, after_two, still), (None, Some(2), Some(2)));
    }

    #[tokio::test]
    async fn news_of_what_is_known_changes_nothing_and_news_of_more_does() {
        let Some(hot) = hot() else { return };
        let id = ProductId::new();
        hot.look(&[id], Parts::ALL).await.keep(&[row(id, 5)]).await;

        hot.change(&[(id, 4), (ProductId::new(), 9)]).await;
        hot.change(&[(id, 5)]).await;
        let known = kept(&hot, id).await;
        hot.change(&[(id, 6)]).await;

        assert_eq!((known, kept(&hot, id).await), (Some(5), None));
    }

    #[tokio::test]
    async fn a_row_goes_by_when_it_was_asked_for_not_by_when_it_came() {
        let Some(hot) = hot() else { return };
        let id = ProductId::new();
        let asked_ms = hot.look(&[id], Parts::ALL).await.keeping.unwrap().asked_ms;

        hot.keep(&[row(id, 1)], Parts::ALL, asked_ms - millis(AGE_MAX) - 1).await;
        let too_late = kept(&hot, id).await;
        hot.keep(&[row(id, 1)], Parts::ALL, asked_ms).await;

        assert_eq!((too_late, kept(&hot, id).await), (None, Some(1)));
    }

    #[tokio::test]
    async fn what_is_large_is_not_kept() {
        let Some(hot) = hot() else { return };
        let id = ProductId::new();
        let large = ProductRow { description: Some("x".repeat(ROW_BYTES_MAX)), ..row(id, 1) };

        hot.look(&[id], Parts::ALL).await.keep(&[large]).await;

        assert_eq!(kept(&hot, id).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_keeps_so_many_rows_a_second_and_no_more() {
        let scratch = Scratch::new("redis://127.0.0.1:1/", "test:", Duration::from_secs(1)).unwrap();
        let hot = Hot::new(scratch);

        let granted = [150, 150, 150].map(|wanted| hot.grant(wanted));
        tokio::time::advance(Duration::from_secs(1)).await;

        assert_eq!(granted, [150, 50, 0]);
        assert_eq!(hot.grant(1_000), ROWS_PER_SECOND_MAX);
    }
}
