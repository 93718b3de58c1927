//! One method per RPC: what is asked, what the index finds, how it is told.

mod categories;
mod feed;
pub mod indexing;
mod owners;

use std::path::Path;

use kit::{Currency, Listed, Page, PageError, Timestamp};

use self::categories::{Categories, Tree};
use self::feed::Feed;
use crate::domain::{
    Conditions, Counts, Excerpt, FacetKind, Filter, ProductId, QUERY_WORDS_MAX, Sort, Span, highlight,
    price_range, words,
};
use crate::error::Error;
use crate::store::{Ask, Fault, Found, Hit, Position, Store, Value};

/// Values of one facet that are told.
const FACET_VALUES_MAX: usize = 100;
/// Names of options that are told, those of most products first.
const OPTION_FACETS_MAX: usize = 20;

/// The index of one process, what is waiting to go into it, and the names of categories. Clones share it.
#[derive(Clone)]
pub struct Index {
    pub(crate) store: Store,
    pub(crate) feed: Feed,
    pub(crate) categories: Categories,
}

/// Why an index is not ready.
#[derive(Debug, thiserror::Error)]
#[error("the first index is being built")]
pub struct Building;

impl Index {
    /// An index in a folder, as it was left there.
    pub fn open(folder: &Path) -> Result<Self, Fault> {
        Ok(Self::over(Store::open(folder)?))
    }

    /// An index that is gone with the process.
    pub fn in_memory() -> Result<Self, Fault> {
        Ok(Self::over(Store::in_memory()?))
    }

    /// Whether it has held all of the catalogue once.
    pub fn ready(&self) -> Result<(), Building> {
        self.store.state().compared.map(drop).ok_or(Building)
    }

    fn over(store: Store) -> Self {
        Self { store, feed: Feed::default(), categories: Categories::default() }
    }
}

/// What a shopper asks.
pub struct Question {
    pub query: String,
    pub filters: Vec<Filter>,
    /// By relevance if there are words, else newest first.
    pub sort: Option<Sort>,
    pub reverse: bool,
    pub currency: Option<Currency>,
    pub facets: Vec<FacetKind>,
    pub highlights: bool,
}

pub struct Answer {
    pub hits: Listed<Shown>,
    pub total: u64,
    pub facets: Vec<Facet>,
    pub corrected: Option<String>,
}

/// A product and why it is there.
pub struct Shown {
    pub product: ProductId,
    pub score: u64,
    pub highlights: Vec<(&'static str, Vec<Span>)>,
}

pub struct Facet {
    pub kind: FacetKind,
    pub name: String,
    pub values: Vec<FacetValue>,
}

pub struct FacetValue {
    pub label: String,
    pub count: i64,
    pub filter: Filter,
    pub selected: bool,
}

/// Whole queries and products for somebody who is still typing.
pub struct Prediction {
    pub completions: Vec<(String, i64)>,
    pub hits: Vec<Shown>,
}

pub struct Status {
    pub documents: u64,
    pub ready: bool,
    pub pending: usize,
    pub compared: Option<Timestamp>,
    pub changed: Option<Timestamp>,
    pub schema_version: u32,
}

#[derive(Clone)]
pub struct Search {
    index: Index,
}

impl Search {
    pub fn new(index: Index) -> Self {
        Self { index }
    }

    pub async fn search(&self, question: Question, page: &Page) -> Result<Answer, Error> {
        self.index.ready().map_err(|Building| Error::NotReady)?;
        let tree = self.index.categories.tree();
        let words = words(&question.query, QUERY_WORDS_MAX);
        let sort = question.sort.unwrap_or(Sort::Relevance);
        let sort = if words.is_empty() && sort == Sort::Relevance { Sort::Newest } else { sort };
        let ask = Ask {
            // What ends with a space is finished.
            typing: !question.query.ends_with(char::is_whitespace),
            words,
            conditions: Conditions::new(&question.filters, |id| tree.below(id)),
            sort,
            reverse: question.reverse,
            currency: question.currency,
            facets: question.facets.clone(),
            size: usize::try_from(page.fetch_limit()).unwrap_or(usize::MAX),
            after: page.after.as_deref().map(position).transpose()?,
            completions: false,
            records: question.highlights,
        };
        let mut found = self.index.store.search(ask).await?;
        let hits = page.listed(std::mem::take(&mut found.hits), |hit| cursor(&hit.position));
        let by_relevance = sort == Sort::Relevance;
        Ok(Answer {
            hits: hits.map(|hit| show(&hit, &found, by_relevance, question.reverse)),
            total: found.total,
            facets: facets(&question, &found.counts, &tree),
            corrected: found.corrected,
        })
    }

    pub async fn predict(
        &self,
        query: &str,
        completions_max: usize,
        products_max: usize,
    ) -> Result<Prediction, Error> {
        self.index.ready().map_err(|Building| Error::NotReady)?;
        let words = words(query, QUERY_WORDS_MAX);
        if words.is_empty() {
            return Ok(Prediction { completions: Vec::new(), hits: Vec::new() });
        }
        let before: Vec<String> = words.iter().rev().skip(1).rev().map(|word| word.text.clone()).collect();
        let ask = Ask {
            words,
            conditions: Conditions::default(),
            sort: Sort::Relevance,
            reverse: false,
            currency: None,
            facets: Vec::new(),
            size: products_max,
            after: None,
            typing: true,
            completions: true,
            records: true,
        };
        let found = self.index.store.search(ask).await?;
        let completed = |(word, count): &(String, i64)| {
            let words: Vec<&str> = before.iter().map(String::as_str).chain([word.as_str()]).collect();
            (words.join(" "), *count)
        };
        Ok(Prediction {
            completions: found.completions.iter().take(completions_max).map(completed).collect(),
            hits: found.hits.iter().map(|hit| show(hit, &found, true, false)).collect(),
        })
    }

    pub fn status(&self) -> Status {
        let state = self.index.store.state();
        Status {
            documents: self.index.store.count(),
            ready: state.compared.is_some(),
            pending: self.index.feed.count(),
            compared: state.compared,
            changed: state.changed,
            schema_version: Store::schema_version(),
        }
    }
}

fn show(hit: &Hit, found: &Found, by_relevance: bool, reverse: bool) -> Shown {
    let score = match hit.position.value {
        Value::Rank(rank) if by_relevance && reverse => rank,
        Value::Rank(rank) if by_relevance => u64::MAX - rank,
        _ => 0,
    };
    let fields = hit.record.iter().flat_map(|record| {
        [("title", &record.title, Excerpt::Whole), ("description", &record.description, Excerpt::Around)]
    });
    let marked = |(field, text, excerpt): (&'static str, &String, Excerpt)| {
        highlight(&found.meaning, text, excerpt).map(|spans| (field, spans))
    };
    Shown { product: hit.product, score, highlights: fields.filter_map(marked).collect() }
}

fn facets(question: &Question, counts: &Counts, tree: &Tree) -> Vec<Facet> {
    question.facets.iter().flat_map(|kind| facet(*kind, question, counts, tree)).collect()
}

fn facet(kind: FacetKind, question: &Question, counts: &Counts, tree: &Tree) -> Vec<Facet> {
    let value = |label: &str, count: i64, filter: Filter| FacetValue {
        label: label.to_owned(),
        count,
        selected: question.filters.contains(&filter),
        filter,
    };
    let one = |values| vec![Facet { kind, name: String::new(), values }];
    match kind {
        FacetKind::Category => {
            let values = tree.roll_up(&counts.categories).into_iter();
            one(most(values.map(|(id, name, count)| value(&name, count, Filter::Category(id))).collect()))
        }
        FacetKind::Vendor => {
            let values = counts.vendors.iter();
            one(most(values.map(|(name, count)| value(name, *count, Filter::Vendor(name.clone()))).collect()))
        }
        FacetKind::Price => {
            let values = counts.prices.iter();
            one(values.map(|(band, count)| value("", *count, Filter::Price(price_range(*band)))).collect())
        }
        FacetKind::Rating => {
            let values = (1..=5).zip(counts.ratings).rev().filter(|(_, count)| *count > 0);
            one(values.map(|(stars, count)| value("", count, Filter::RatingMin(stars))).collect())
        }
        FacetKind::Availability => {
            let values = [(true, counts.available), (false, counts.sold_out)].into_iter();
            let values = values.filter(|(_, count)| *count > 0);
            one(values.map(|(available, count)| value("", count, Filter::Available(available))).collect())
        }
        FacetKind::Option => options(counts, value),
    }
}

/// A facet for each name of an option, those of most products first.
fn options(counts: &Counts, value: impl Fn(&str, i64, Filter) -> FacetValue) -> Vec<Facet> {
    let mut facets: Vec<Facet> = Vec::new();
    for ((name, label), count) in &counts.options {
        let filter = Filter::Option { name: name.clone(), value: label.clone() };
        let value = value(label, *count, filter);
        match facets.last_mut().filter(|facet| facet.name == *name) {
            Some(facet) => facet.values.push(value),
            None => {
                facets.push(Facet { kind: FacetKind::Option, name: name.clone(), values: vec![value] });
            }
        }
    }
    let sum = |facet: &Facet| facet.values.iter().map(|value| value.count).sum::<i64>();
    facets.sort_by_key(|facet| std::cmp::Reverse(sum(facet)));
    facets.truncate(OPTION_FACETS_MAX);
    facets.into_iter().map(|facet| Facet { values: most(facet.values), ..facet }).collect()
}

/// Most products first; a value that is filtered by is told whatever its place.
fn most(mut values: Vec<FacetValue>) -> Vec<FacetValue> {
    values.sort_by(|left, right| right.count.cmp(&left.count).then_with(|| left.label.cmp(&right.label)));
    let mut place = 0;
    values.retain(|value| {
        place += 1;
        place <= FACET_VALUES_MAX || value.selected
    });
    values
}

/// A position as a page token keeps it.
fn cursor(position: &Position) -> Vec<String> {
    let (kind, value) = match &position.value {
        Value::Rank(rank) => ("r", rank.to_string()),
        Value::Text(text) => ("t", text.clone()),
    };
    vec![position.missing.to_string(), kind.to_owned(), value, position.tie.to_string()]
}

fn position(keys: &[String]) -> Result<Position, PageError> {
    let [missing, kind, value, tie] = keys else { return Err(PageError::Token) };
    let value = match kind.as_str() {
        "r" => Value::Rank(value.parse().map_err(|_| PageError::Token)?),
        "t" => Value::Text(value.clone()),
        _ => return Err(PageError::Token),
    };
    Ok(Position {
        missing: missing.parse().map_err(|_| PageError::Token)?,
        value,
        tie: tie.parse().map_err(|_| PageError::Token)?,
    })
}
