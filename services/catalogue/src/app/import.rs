//! The import: a stream of bytes becomes products, a batch of them at a time.

use std::time::Duration;

use futures::{Stream, StreamExt};
use kit::{Currency, Timestamp};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::Catalogue;
use crate::domain::{Category, CategoryId, Change, Content, NAME_LENGTH_MAX, Product, Refusal, What};
use crate::error::Error;
use crate::sheet::{Assembler, Item, Note, ProductSheet, Tokenizer};
use crate::store::{Present, Verdicts};

/// A transaction takes so many products or variants at most; the writers behind it wait for it.
const BATCH_PRODUCTS_MAX: usize = 64;
const BATCH_VARIANTS_MAX: usize = 512;
/// What a batch takes in memory at most, one product more or less.
const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// Progress is told at least so often.
const PROGRESS_LINES: u64 = 500;
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// How far the import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Lines of the file.
    pub lines_read: u64,
    /// Products that are new.
    pub created: u64,
    /// Products that are not what they were.
    pub updated: u64,
    /// Products that the file says nothing new about.
    pub unchanged: u64,
    /// Products with an error.
    pub refused: u64,
    /// Variants of products that were not refused.
    pub variants: u64,
}

/// What an import has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// How far it is.
    Progress(Progress),
    /// A word about a line.
    Note(Note),
    /// What is in stock of a SKU.
    Quantity(String, i64),
}

/// What became of one product of the file.
struct Outcome {
    kind: Kind,
    notes: Vec<Note>,
    quantities: Vec<(String, i64)>,
    variants: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Created,
    Updated,
    Unchanged,
    Refused,
}

struct Run<'a> {
    catalogue: &'a Catalogue,
    said: mpsc::Sender<Said>,
    progress: Progress,
    told: Instant,
    told_lines: u64,
    batch: Vec<ProductSheet>,
    batch_variants: usize,
    batch_bytes: usize,
}

/// Whoever asked has left: nobody hears what is said.
struct Gone;

impl Catalogue {
    /// Imports a file and says what happens. It stops between two products when nobody listens any more.
    /// A stream that breaks off ends with its error, and the product it broke off in is not imported.
    pub async fn import_products(
        &self,
        currency: Currency,
        chunks: impl Stream<Item = Result<Vec<u8>, Error>>,
        said: mpsc::Sender<Said>,
    ) -> Result<Progress, Error> {
        let mut chunks = std::pin::pin!(chunks);
        let mut tokenizer = Tokenizer::new();
        let mut assembler = Assembler::new(currency);
        let mut run = Run {
            catalogue: self,
            said,
            progress: Progress::default(),
            told: Instant::now(),
            told_lines: 0,
            batch: Vec::new(),
            batch_variants: 0,
            batch_bytes: 0,
        };
        loop {
            let chunk = match timeout(PROGRESS_INTERVAL, chunks.next()).await {
                Err(_) => {
                    if run.tell().await.is_err() {
                        break;
                    }
                    continue;
                }
                Ok(None) => {
                    for row in tokenizer.finish()? {
                        run.progress.lines_read = row.line;
                        run.take_all(assembler.push(row)?).await?;
                    }
                    run.progress.lines_read = run.progress.lines_read.max(tokenizer.lines());
                    run.take_all(assembler.finish()?).await?;
                    run.flush().await?;
                    break;
                }
                Ok(Some(chunk)) => chunk?,
            };
            for row in tokenizer.push(&chunk)? {
                run.progress.lines_read = row.line;
                run.take_all(assembler.push(row)?).await?;
                if run.is_time_to_tell() && run.tell().await.is_err() {
                    return Ok(run.progress);
                }
            }
        }
        Ok(run.progress)
    }
}

impl Run<'_> {
    async fn take_all(&mut self, items: impl IntoIterator<Item = Item>) -> Result<(), Error> {
        for item in items {
            match item {
                Item::Line(note) => self.note(note).await,
                Item::Refused(notes) => {
                    self.progress.refused += 1;
                    for note in notes {
                        self.note(note).await;
                    }
                }
                Item::Product(sheet) => {
                    self.batch_variants += sheet.variants.len();
                    self.batch_bytes += sheet.bytes;
                    self.batch.push(*sheet);
                }
            }
            let full = self.batch.len() >= BATCH_PRODUCTS_MAX
                || self.batch_variants >= BATCH_VARIANTS_MAX
                || self.batch_bytes >= BATCH_BYTES_MAX;
            if full {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn note(&self, note: Note) {
        // Whether somebody still listens is asked when progress is told.
        let _ = self.said.send(Said::Note(note)).await;
    }

    fn is_time_to_tell(&self) -> bool {
        self.progress.lines_read.saturating_sub(self.told_lines) >= PROGRESS_LINES
            || self.told.elapsed() >= PROGRESS_INTERVAL
    }

    async fn tell(&mut self) -> Result<(), Gone> {
        self.told = Instant::now();
        self.told_lines = self.progress.lines_read;
        let said = self.said.send(Said::Progress(self.progress)).await;
        said.map_err(|_| Gone)
    }

    /// Writes the batch, then says what became of it.
    async fn flush(&mut self) -> Result<(), Error> {
        let batch = std::mem::take(&mut self.batch);
        self.batch_variants = 0;
        self.batch_bytes = 0;
        if batch.is_empty() || self.said.is_closed() {
            return Ok(());
        }
        let handles: Vec<String> = batch.iter().map(|sheet| sheet.handle.clone()).collect();
        let skus: Vec<String> =
            batch.iter().flat_map(|sheet| &sheet.variants).map(|variant| variant.sku.clone()).collect();
        let now = self.catalogue.clock.now();
        let store = &self.catalogue.store;
        let outcomes = store.import(&handles, &skus, |present| decide(&batch, present, now)).await?;
        for outcome in outcomes {
            let variants = u64::try_from(outcome.variants).unwrap_or(u64::MAX);
            match outcome.kind {
                Kind::Created => self.progress.created += 1,
                Kind::Updated => self.progress.updated += 1,
                Kind::Unchanged => self.progress.unchanged += 1,
                Kind::Refused => self.progress.refused += 1,
            }
            if outcome.kind != Kind::Refused {
                self.progress.variants += variants;
            }
            for note in outcome.notes {
                self.note(note).await;
            }
            for (sku, quantity) in outcome.quantities {
                let _ = self.said.send(Said::Quantity(sku, quantity)).await;
            }
        }
        Ok(())
    }
}

/// Decides on a batch, one product after the other: what one takes the next cannot have.
fn decide(batch: &[ProductSheet], present: &mut Present, now: Timestamp) -> Verdicts<Vec<Outcome>> {
    let mut verdicts = Verdicts { categories: Vec::new(), changes: Vec::new(), said: Vec::new() };
    for sheet in batch {
        let outcome = match decide_one(sheet, present, now) {
            Err(notes) => Outcome { kind: Kind::Refused, notes, quantities: Vec::new(), variants: 0 },
            Ok((change, categories)) => {
                let kind = match change.as_ref().map(|change| &change.what) {
                    None => Kind::Unchanged,
                    Some(What::Created) => Kind::Created,
                    Some(What::Updated(_) | What::Archived) => Kind::Updated,
                };
                if let Some(change) = change {
                    accept(present, &change, &categories);
                    verdicts.categories.extend(categories);
                    verdicts.changes.push(change);
                }
                Outcome {
                    kind,
                    notes: sheet.warnings.clone(),
                    quantities: quantities(sheet),
                    variants: sheet.variants.len(),
                }
            }
        };
        verdicts.said.push(outcome);
    }
    verdicts
}

type Decided = (Option<Change>, Vec<Category>);

fn decide_one(sheet: &ProductSheet, present: &Present, now: Timestamp) -> Result<Decided, Vec<Note>> {
    let known = present.products.get(&sheet.handle);
    let (category, categories) = category(sheet, known, present)?;
    let content = sheet.onto(known.map(|product| &product.content), category)?;
    let owner = |sku: &String| present.sku_owners.get(sku).copied();
    let id = known.map(|product| product.id);
    let taken: Vec<Note> = taken(&content, |sku| owner(sku).is_some_and(|o| Some(o) != id))
        .map(|sku| sheet.sku_note(sku, "belongs to another product"))
        .collect();
    if !taken.is_empty() {
        return Err(taken);
    }
    let change = match known {
        None => Product::create(content, now).map(Some),
        Some(product) => product.update(content, now),
    };
    match change {
        Ok(change) => Ok((change, categories)),
        Err(Refusal::Flawed(flaws)) => Err(flaws.iter().map(|flaw| sheet.flaw_note(flaw)).collect()),
        Err(other) => Err(vec![sheet.note(&other.to_string())]),
    }
}

fn taken(content: &Content, is_taken: impl Fn(&String) -> bool) -> impl Iterator<Item = &String> {
    content.variants.iter().map(|variant| &variant.sku).filter(move |sku| is_taken(sku))
}

/// The category that the sheet names, and those to add so that there is one.
fn category(
    sheet: &ProductSheet,
    known: Option<&Product>,
    present: &Present,
) -> Result<(Option<CategoryId>, Vec<Category>), Vec<Note>> {
    let Some(names) = sheet.category.as_ref().filter(|names| !names.is_empty()) else {
        return Ok((None, Vec::new()));
    };
    // Two siblings may have one name: the product stays in the one in which it is.
    let stays = known
        .and_then(|product| product.content.category)
        .filter(|id| present.categories.names(*id) == *names);
    if stays.is_some() {
        return Ok((stays, Vec::new()));
    }
    let fits = |name: &String| name.chars().count() <= NAME_LENGTH_MAX && !name.chars().any(char::is_control);
    if !names.iter().all(fits) {
        let message = "must be names of at most 80 characters, joined by >";
        return Err(vec![sheet.category_note(message)]);
    }
    present.categories.plan(names).map_err(|refusal| vec![sheet.category_note(&refusal.to_string())])
}

fn accept(present: &mut Present, change: &Change, categories: &[Category]) {
    for category in categories {
        present.categories.add(category.clone());
    }
    let product = &change.product;
    if let Some(before) = present.products.get(&product.content.handle) {
        for sku in before.content.skus() {
            present.sku_owners.remove(&sku);
        }
    }
    for sku in product.content.skus() {
        present.sku_owners.insert(sku, product.id);
    }
}

fn quantities(sheet: &ProductSheet) -> Vec<(String, i64)> {
    sheet.variants.iter().filter_map(|variant| Some((variant.sku.clone(), variant.quantity?))).collect()
}
