//! One pass over the documents that match: who passes the filters, the best of them, and how they divide.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::query::Weight;
use tantivy::{DocAddress, DocId, Score, SegmentReader};

use super::conditions::{Filters, Verdict, next_ord};
use super::entity::column;
use super::snapshot::{Columns, Snapshot};
use super::tally::Tally;
use super::{Ask, Position, Value};
use crate::domain::{Counts, Mark, Meaning, ProductId, Sort, mark};

/// What the pass is about.
pub struct Gathering {
    pub snapshot: Arc<Snapshot>,
    pub ask: Arc<Ask>,
    pub meaning: Arc<Meaning>,
    /// What the last word may become; counted where anybody asked.
    pub completions: Vec<String>,
}

/// What came of it.
#[derive(Default)]
pub struct Gathered {
    /// Whether the words alone found anything, whatever the filters say.
    pub any: bool,
    pub total: u64,
    pub best: Vec<Ranked>,
    pub counts: Counts,
    /// By the number of the completion.
    pub completed: HashMap<usize, i64>,
}

/// A document and its place.
#[derive(Clone, Debug)]
pub struct Ranked {
    pub address: DocAddress,
    pub product: ProductId,
    pub position: Position,
}

/// Where a document stands within its segment: the smallest comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// What lacks the value comes last, whichever way round.
    missing: bool,
    rank: u64,
    tie: u64,
}

/// The pass over one segment.
pub struct Part {
    segment: u32,
    ask: Arc<Ask>,
    meaning: Arc<Meaning>,
    columns: Arc<Columns>,
    filters: Filters,
    after: Option<Place>,
    any: bool,
    total: u64,
    best: Vec<(Place, DocId)>,
    /// The last place of a page that is full already: what stands behind it is not looked at further.
    last: Option<Place>,
    tally: Tally,
    completions: HashMap<Mark, usize>,
    completed: HashMap<usize, i64>,
}

impl Collector for Gathering {
    type Fruit = Gathered;
    type Child = Part;

    fn for_segment(&self, ordinal: u32, segment: &SegmentReader) -> tantivy::Result<Part> {
        let known = self.snapshot.columns.get(ordinal as usize);
        let columns = known.cloned().ok_or_else(|| {
            tantivy::TantivyError::InternalError("the snapshot lacks a segment of its searcher".to_owned())
        })?;
        let price = match self.ask.currency {
            Some(currency) => segment.fast_fields().column_opt::<i64>(&format!(
                "{}.{}",
                column::PRICE,
                currency.as_str()
            ))?,
            None => None,
        };
        let filters = Filters::new(columns.clone(), price, &self.ask.conditions)?;
        let after = match &self.ask.after {
            Some(position) => place_of(position, &columns, self.ask.reverse)?,
            None => None,
        };
        let marks = self.completions.iter().enumerate();
        Ok(Part {
            segment: ordinal,
            tally: Tally::new(&columns, &self.ask.facets),
            completions: marks.map(|(number, word)| (mark(word), number)).collect(),
            ask: self.ask.clone(),
            meaning: self.meaning.clone(),
            columns,
            filters,
            after,
            any: false,
            total: 0,
            best: Vec::new(),
            last: None,
            completed: HashMap::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    /// Tantivy hands on one document at a time where some were deleted; here the block is seen, so that it can be fetched.
    fn collect_segment(
        &self,
        weight: &dyn Weight,
        ordinal: u32,
        segment: &SegmentReader,
    ) -> tantivy::Result<tantivy::Result<Gathered>> {
        let mut part = self.for_segment(ordinal, segment)?;
        let ranked_by_words = self.ask.sort == Sort::Relevance && self.ask.size > 0;
        let alive = |document: DocId| segment.alive_bitset().is_none_or(|alive| alive.is_alive(document));
        weight.for_each_no_score(segment, &mut |documents| {
            if ranked_by_words {
                part.columns.words.fetch(documents);
            }
            for document in documents.iter().copied().filter(|document| alive(*document)) {
                part.collect(document, 0.0);
            }
        })?;
        Ok(part.harvest())
    }

    fn merge_fruits(&self, parts: Vec<tantivy::Result<Gathered>>) -> tantivy::Result<Gathered> {
        let mut all = Gathered::default();
        for part in parts {
            let part = part?;
            all.any |= part.any;
            all.total += part.total;
            all.best.extend(part.best);
            all.counts.add(part.counts);
            for (number, count) in part.completed {
                *all.completed.entry(number).or_default() += count;
            }
        }
        all.best.sort_unstable_by(|left, right| compare(&left.position, &right.position, self.ask.reverse));
        all.best.truncate(self.ask.size);
        Ok(all)
    }
}

impl SegmentCollector for Part {
    type Fruit = tantivy::Result<Gathered>;

    fn collect(&mut self, document: DocId, _: Score) {
        self.any = true;
        match self.filters.judge(document) {
            Verdict::Passed => {
                self.total += 1;
                self.rank(document);
                self.tally.count(None, document, &self.columns, &self.filters);
                self.complete(document);
            }
            Verdict::Failed(group) => {
                self.tally.count(Some(group), document, &self.columns, &self.filters);
            }
            Verdict::FailedTwice => {}
        }
    }

    fn harvest(mut self) -> Self::Fruit {
        self.shorten();
        let best = std::mem::take(&mut self.best);
        let best = best.into_iter().map(|(place, document)| self.ranked(place, document));
        Ok(Gathered {
            any: self.any,
            total: self.total,
            best: best.collect::<tantivy::Result<_>>()?,
            counts: self.tally.named(&self.columns)?,
            completed: self.completed,
        })
    }
}

impl Part {
    fn rank(&mut self, document: DocId) {
        if self.ask.size == 0 {
            return;
        }
        let Some(place) = self.place(document) else { return };
        if self.after.is_some_and(|after| place <= after) {
            return;
        }
        self.best.push((place, document));
        // Twice the page is kept before the better half is looked for.
        if self.best.len() >= self.ask.size.saturating_mul(2).max(64) {
            self.shorten();
        }
    }

    fn shorten(&mut self) {
        if self.best.len() > self.ask.size {
            let last = self.ask.size.saturating_sub(1);
            let (_, (place, _), _) = self.best.select_nth_unstable(last);
            self.last = Some(*place);
            self.best.truncate(self.ask.size);
        }
    }

    /// Nothing where it would be behind the page.
    fn place(&self, document: DocId) -> Option<Place> {
        let columns = &self.columns;
        let value = match self.ask.sort {
            Sort::Relevance => {
                let (title, labels) = columns.words.of(document);
                Some(u64::from(self.meaning.score(title, labels)))
            }
            Sort::Price => self.filters.price_of(document).and_then(|price| u64::try_from(price).ok()),
            Sort::Newest => columns.published.first(document).map(tantivy::i64_to_u64),
            Sort::Rating => columns.rating.first(document),
            Sort::Title => columns.title_order.as_ref().and_then(|titles| titles.ords().first(document)),
        };
        let (missing, rank) = (value.is_none(), rank(self.ask.sort, self.ask.reverse, value.unwrap_or(0)));
        if self.last.is_some_and(|last| (missing, rank) > (last.missing, last.rank)) {
            return None;
        }
        Some(Place { missing, rank, tie: columns.id_low.first(document).unwrap_or(0) })
    }

    fn complete(&mut self, document: DocId) {
        if self.completions.is_empty() {
            return;
        }
        let (title, labels) = self.columns.words.of(document);
        let mut numbers: Vec<usize> = title
            .chain(labels)
            .filter_map(|packed| self.completions.get(&((packed >> 32) as Mark)).copied())
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        for number in numbers {
            *self.completed.entry(number).or_default() += 1;
        }
    }

    fn ranked(&self, place: Place, document: DocId) -> tantivy::Result<Ranked> {
        let value = match (self.ask.sort, &self.columns.title_order) {
            (Sort::Title, Some(titles)) => {
                let mut title = String::new();
                // Ranks are their own inverse.
                titles.ord_to_str(rank(Sort::Title, self.ask.reverse, place.rank), &mut title)?;
                Value::Text(title)
            }
            _ => Value::Rank(place.rank),
        };
        let position = Position { missing: place.missing, value, tie: place.tie };
        let address = DocAddress::new(self.segment, document);
        Ok(Ranked { address, product: self.columns.id(document), position })
    }
}

/// High scores, new things and good ratings come first; low prices and titles from A.
fn rank(sort: Sort, reverse: bool, value: u64) -> u64 {
    let descending = matches!(sort, Sort::Relevance | Sort::Newest | Sort::Rating);
    if descending != reverse { u64::MAX - value } else { value }
}

/// Where the last document of the page before would stand in this segment; nothing if before all of it.
fn place_of(position: &Position, columns: &Columns, reverse: bool) -> tantivy::Result<Option<Place>> {
    let Position { missing, value, tie } = position;
    let (text, titles) = match (value, &columns.title_order) {
        (Value::Rank(rank), _) => return Ok(Some(Place { missing: *missing, rank: *rank, tie: *tie })),
        (Value::Text(text), Some(titles)) => (text, titles),
        (Value::Text(_), None) => return Ok(None),
    };
    let next = next_ord(titles, text)?;
    let exact = titles.dictionary().term_ord(text.as_bytes())?.is_some();
    // A title that the segment lacks would stand between two others: behind all of the one before it.
    let (ord, tie) = match (exact, reverse) {
        (true, _) => (next, *tie),
        (false, true) => (next, u64::MAX),
        (false, false) if next == 0 => return Ok(None),
        (false, false) => (next - 1, u64::MAX),
    };
    Ok(Some(Place { missing: *missing, rank: rank(Sort::Title, reverse, ord), tie }))
}

fn compare(left: &Position, right: &Position, reverse: bool) -> Ordering {
    let values = match (&left.value, &right.value) {
        (Value::Rank(left), Value::Rank(right)) => left.cmp(right),
        (Value::Text(left), Value::Text(right)) if reverse => right.cmp(left),
        (Value::Text(left), Value::Text(right)) => left.cmp(right),
        (Value::Rank(_), Value::Text(_)) => Ordering::Less,
        (Value::Text(_), Value::Rank(_)) => Ordering::Greater,
    };
    left.missing.cmp(&right.missing).then(values).then(left.tie.cmp(&right.tie))
}
