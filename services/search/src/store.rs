//! The index: the only file that knows Tantivy, with those below it. Questions see the last commit; one writer at a time
//! puts documents in. All of it blocks, so it runs on threads made for that, as many at once as there are cores.

mod conditions;
pub mod entity;
mod gathering;
pub mod migration;
mod snapshot;
mod tally;
mod understanding;
mod wording;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use kit::{Currency, Timestamp};
use serde::{Deserialize, Serialize};
use tantivy::directory::MmapDirectory;
use tantivy::query::TermQuery;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocAddress, Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, Term};
use tokio::sync::Semaphore;

use self::entity::{Fields, Record};
use self::gathering::{Gathering, Ranked};
use self::migration::SCHEMA_VERSION;
use self::snapshot::Snapshot;
use self::understanding::{Effort, understand};
use crate::domain::{Conditions, Counts, FacetKind, Meaning, Product, ProductId, Sort, Word, words};

/// What the writer may hold before it makes a segment of it. Tantivy wants at least 15 MB.
const WRITER_BYTES: usize = 32 * 1024 * 1024;
/// Blocks of records that are kept unpacked in each segment.
const RECORD_BLOCKS_KEPT: usize = 32;
/// Words of a title that may correct a query.
const TITLE_WORDS_MAX: usize = 64;
/// Words of a description that may.
const DESCRIPTION_WORDS_MAX: usize = 512;

/// The index failed. What was asked may be asked again.
#[derive(Debug, thiserror::Error)]
#[error("the index failed")]
pub struct Fault(#[source] Box<dyn std::error::Error + Send + Sync>);

/// A question.
pub struct Ask {
    pub words: Vec<Word>,
    pub conditions: Conditions,
    pub sort: Sort,
    pub reverse: bool,
    pub currency: Option<Currency>,
    pub facets: Vec<FacetKind>,
    pub size: usize,
    pub after: Option<Position>,
    /// Whether the last word may be unfinished, and whether what it may become is counted.
    pub typing: bool,
    pub completions: bool,
    /// Whether the records of hits are wanted.
    pub records: bool,
}

/// Where a product stands in an answer; the next page goes on behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub missing: bool,
    pub value: Value,
    pub tie: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The smaller the earlier, whatever the order.
    Rank(u64),
    Text(String),
}

/// An answer.
pub struct Found {
    any: bool,
    pub total: u64,
    pub hits: Vec<Hit>,
    pub counts: Counts,
    /// What was found instead of what was asked.
    pub corrected: Option<String>,
    /// What the last word may become, and how many products have it; most first.
    pub completions: Vec<(String, i64)>,
    pub meaning: Arc<Meaning>,
}

pub struct Hit {
    pub product: ProductId,
    /// Where it was asked for.
    pub record: Option<Record>,
    pub position: Position,
}

/// How far the index is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// When it was last compared with its owners as a whole; never means that it is not complete.
    pub compared: Option<Timestamp>,
    pub changed: Option<Timestamp>,
}

#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    fields: Fields,
    reader: IndexReader,
    writer: Mutex<IndexWriter>,
    snapshot: RwLock<Arc<Snapshot>>,
    state: Mutex<State>,
    places: Semaphore,
}

impl Store {
    /// An index that lasts: opened as it was left, or begun anew where it is of another version or broken.
    pub fn open(folder: &Path) -> Result<Self, Fault> {
        let present = migration::prepare(folder).map_err(fault)?;
        match Self::on_disk(&present) {
            Ok(store) => Ok(store),
            // Somebody else is at work on it, so it is not broken.
            Err(error @ tantivy::TantivyError::LockFailure(..)) => Err(fault(error)),
            Err(error) => {
                tracing::warn!("the index cannot be read and is built again: {error}");
                migration::wipe(&present).map_err(fault)?;
                Self::on_disk(&present).map_err(fault)
            }
        }
    }

    /// An index that goes with the process.
    pub fn in_memory() -> Result<Self, Fault> {
        Self::over(Index::create_in_ram(Fields::declare().0)).map_err(fault)
    }

    fn on_disk(folder: &Path) -> tantivy::Result<Self> {
        let directory = MmapDirectory::open(folder)?;
        Self::over(Index::open_or_create(directory, Fields::declare().0)?)
    }

    fn over(index: Index) -> tantivy::Result<Self> {
        let (_, fields) = Fields::declare();
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(RECORD_BLOCKS_KEPT)
            .try_into()?;
        let payload = index.load_metas()?.payload.unwrap_or_default();
        let state = serde_json::from_str(&payload).unwrap_or_default();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let shared = Shared {
            fields,
            snapshot: RwLock::new(Arc::new(Snapshot::open(reader.searcher(), None)?)),
            reader,
            writer: Mutex::new(index.writer_with_num_threads(1, WRITER_BYTES)?),
            state: Mutex::new(state),
            places: Semaphore::new(cores),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    pub fn state(&self) -> State {
        *lock(&self.shared.state)
    }

    pub fn count(&self) -> u64 {
        self.shared.snapshot().searcher.num_docs()
    }

    pub const fn schema_version() -> u32 {
        SCHEMA_VERSION
    }

    pub async fn search(&self, ask: Ask) -> Result<Found, Fault> {
        self.reading(move |shared| shared.search(ask)).await
    }

    /// What the index knows of some products; those it does not have are left out.
    pub async fn records(&self, ids: Vec<ProductId>) -> Result<HashMap<ProductId, Record>, Fault> {
        self.reading(move |shared| {
            let mut records = HashMap::new();
            let snapshot = shared.snapshot();
            for id in ids {
                let Some(address) = find(&snapshot, shared.fields.id, &id.to_string())? else { continue };
                records.extend(shared.record(&snapshot, address)?.map(|record| (id, record)));
            }
            Ok(records)
        })
        .await
    }

    /// The product of a SKU, and whether the SKU counts as available.
    pub async fn sku(&self, sku: String) -> Result<Option<(ProductId, bool)>, Fault> {
        self.reading(move |shared| {
            let snapshot = shared.snapshot();
            let address = find(&snapshot, shared.fields.sku, &sku)?;
            let product = address.and_then(|address| snapshot.product(address));
            let available = find(&snapshot, shared.fields.in_stock, &sku)?.is_some();
            Ok(product.map(|product| (product, available)))
        })
        .await
    }

    /// The products that the index has and the owner no longer.
    pub async fn others_than(&self, present: HashSet<ProductId>) -> Result<Vec<ProductId>, Fault> {
        self.reading(move |shared| {
            let snapshot = shared.snapshot();
            let mut others = Vec::new();
            for (segment, columns) in snapshot.searcher.segment_readers().iter().zip(&snapshot.columns) {
                let ids = segment.doc_ids_alive().map(|document| columns.id(document));
                others.extend(ids.filter(|id| !present.contains(id)));
            }
            Ok(others)
        })
        .await
    }

    /// Puts products in, in place of what was known of them, and takes others out. Questions see it after [`commit`](Self::commit).
    pub async fn write(&self, products: Vec<Product>, gone: Vec<ProductId>) -> Result<(), Fault> {
        self.blocking(move |shared| {
            let writer = lock(&shared.writer);
            let term = |id: ProductId| Term::from_field_text(shared.fields.id, &id.to_string());
            for id in gone {
                writer.delete_term(term(id));
            }
            for product in products {
                writer.delete_term(term(product.id));
                writer.add_document(shared.fields.document(&product))?;
            }
            Ok(())
        })
        .await
    }

    /// Makes what was written seen, and lasting.
    pub async fn commit(&self, state: State) -> Result<(), Fault> {
        self.blocking(move |shared| {
            let mut writer = lock(&shared.writer);
            let mut commit = writer.prepare_commit()?;
            commit.set_payload(&serde_json::to_string(&state).unwrap_or_default());
            commit.commit()?;
            shared.reader.reload()?;
            let before = shared.snapshot();
            let snapshot = Snapshot::open(shared.reader.searcher(), Some(&before))?;
            *shared.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
            *lock(&shared.state) = state;
            Ok(())
        })
        .await
    }

    /// As many at once as there are cores: more would only make all of them slower.
    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Shared) -> tantivy::Result<T> + Send + 'static,
    ) -> Result<T, Fault> {
        let _place = self.shared.places.acquire().await.map_err(fault)?;
        self.blocking(read).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> tantivy::Result<T> + Send + 'static,
    ) -> Result<T, Fault> {
        let shared = self.shared.clone();
        let done = tokio::task::spawn_blocking(move || work(&shared)).await;
        done.map_err(fault)?.map_err(fault)
    }
}

impl Shared {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ever less is asked of products until one is found; half of the words is the least.
    fn search(&self, ask: Ask) -> tantivy::Result<Found> {
        let snapshot = self.snapshot();
        let ask = Arc::new(ask);
        let words = ask.words.len();
        let mut found = self.attempt(&snapshot, &ask, Effort::Literal)?;
        let partial = (words.div_ceil(2)..words).rev().map(Effort::Partial);
        for effort in std::iter::once(Effort::Tolerant).chain(partial) {
            // Filters take away from what the words mean; they do not change it.
            if found.any || words == 0 {
                break;
            }
            found = self.attempt(&snapshot, &ask, effort)?;
        }
        Ok(found)
    }

    fn attempt(&self, snapshot: &Arc<Snapshot>, ask: &Arc<Ask>, effort: Effort) -> tantivy::Result<Found> {
        let understanding = understand(&snapshot.searcher, &self.fields, &ask.words, effort, ask.typing)?;
        let meaning = Arc::new(understanding.meaning);
        let completions = if ask.completions { understanding.completions } else { Vec::new() };
        let gathering = Gathering {
            snapshot: snapshot.clone(),
            ask: ask.clone(),
            meaning: meaning.clone(),
            completions: completions.clone(),
        };
        let gathered = snapshot.searcher.search(&understanding.query, &gathering)?;
        // Records lie packed among others, and most questions are answered without any.
        let best = gathered.best.first().filter(|_| understanding.mended.contains(&true));
        let best = best.map(|best| self.record(snapshot, best.address)).transpose()?.flatten();
        let corrected = best.and_then(|best| correct(&meaning, ask, &understanding.mended, &best));
        let mut hits = Vec::with_capacity(gathered.best.len());
        for Ranked { address, product, position } in gathered.best {
            let record = if ask.records { self.record(snapshot, address)? } else { None };
            hits.push(Hit { product, record, position });
        }
        let mut completed: Vec<(String, i64)> = gathered
            .completed
            .into_iter()
            .filter_map(|(number, count)| Some((completions.get(number)?.clone(), count)))
            .collect();
        completed.sort_unstable_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
        Ok(Found {
            any: gathered.any,
            total: gathered.total,
            hits,
            counts: gathered.counts,
            corrected,
            completions: completed,
            meaning,
        })
    }

    fn record(&self, snapshot: &Snapshot, address: DocAddress) -> tantivy::Result<Option<Record>> {
        let document: TantivyDocument = snapshot.searcher.doc(address)?;
        Ok(self.fields.record(&document))
    }
}

fn find(snapshot: &Snapshot, field: Field, text: &str) -> tantivy::Result<Option<DocAddress>> {
    let query = TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::Basic);
    let found = snapshot.searcher.search(&query, &tantivy::collector::DocSetCollector)?;
    Ok(found.into_iter().next())
}

/// The query as the best answer spells it, in its title or else in its description, if the dictionary did not know some of
/// the words. Nothing where the answer has it elsewhere: the query as it was corrects nothing.
fn correct(meaning: &Meaning, ask: &Ask, mended: &[bool], best: &Record) -> Option<String> {
    let places = [words(&best.title, TITLE_WORDS_MAX), words(&best.description, DESCRIPTION_WORDS_MAX)];
    let spelt = |(at, (word, mended)): (usize, (&Word, &bool))| {
        let better = mended.then(|| places.iter().find_map(|place| meaning.spelling(at, place)));
        better.flatten().unwrap_or_else(|| word.text.clone())
    };
    let spelt: Vec<String> = ask.words.iter().zip(mended).enumerate().map(spelt).collect();
    let changed = ask.words.iter().zip(&spelt).any(|(word, spelt)| word.text != *spelt);
    changed.then(|| spelt.join(" "))
}

fn fault(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    Fault(error.into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
