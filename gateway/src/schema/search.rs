//! What a search found.

use async_graphql::{Context, Object, SimpleObject};
use proto::search as pb;

use crate::error::{Fault, listed};
use crate::schema::connection::{Connection, PageInfo};
use crate::schema::facet::SearchFacet;
use crate::schema::look::Look;
use crate::schema::product::Product;
use crate::schema::{time, wants};

/// One product of an answer; nothing of it when catalogue no longer has what search still found.
pub(crate) struct Hit {
    pub(crate) product: Option<Product>,
    highlights: Vec<pb::Highlight>,
}

/// A product and why it is there.
pub(crate) struct Shown {
    product: Product,
    highlights: Vec<pb::Highlight>,
}

impl Hit {
    pub(crate) fn shown(self) -> Option<Shown> {
        Some(Shown { product: self.product?, highlights: self.highlights })
    }
}

/// The products of an answer, in its order, with what the look asks for: search knows ids, catalogue knows products.
pub(crate) async fn hits(ctx: &Context<'_>, look: &Look<'_>, hits: Vec<pb::Hit>) -> Result<Vec<Hit>, Fault> {
    let ids = match look.exists() {
        true => hits.iter().map(|hit| hit.product_id.clone()).collect(),
        false => Vec::new(),
    };
    let products = wants::products_by_id(ctx, ids, look).await;
    let mut products = listed("catalogue", products.map(tonic::Response::new))?.into_iter().peekable();
    let complete = |hit: pb::Hit| Hit {
        product: products.next_if(|product| product.wire.id == hit.product_id),
        highlights: hit.highlights,
    };
    Ok(hits.into_iter().map(complete).collect())
}

/// One page of what was found, how to narrow it down, and how to ask for the next.
pub(crate) struct SearchConnection {
    pub(crate) page: Connection<Shown>,
    pub(crate) total_count: i64,
    pub(crate) facets: Vec<pb::Facet>,
    pub(crate) corrected: String,
}

/// One page of what was found, how to narrow it down, and how to ask for the next.
#[Object]
impl SearchConnection {
    /// The products.
    async fn nodes(&self) -> Vec<&Product> {
        self.page.pairs().map(|(shown, _)| &shown.product).collect()
    }

    /// The products, each with the cursor that continues behind it.
    async fn edges(&self) -> Vec<SearchEdge<'_>> {
        self.page.pairs().map(|(shown, cursor)| SearchEdge { shown, cursor }).collect()
    }

    /// Whether there is more, and how to ask for it.
    fn page_info(&self) -> PageInfo {
        self.page.page()
    }

    /// How many products match in all.
    fn total_count(&self) -> i64 {
        self.total_count
    }

    /// What can be narrowed down by, each value with how many products there would be. A value is counted as if nothing
    /// were filtered by its own kind.
    fn filters(&self) -> Vec<SearchFacet<'_>> {
        self.facets.iter().map(SearchFacet).collect()
    }

    /// What was searched for instead, when a word was misspelt, joined or split; null when nothing had to be mended.
    fn corrected_query(&self) -> Option<&str> {
        Some(self.corrected.as_str()).filter(|query| !query.is_empty())
    }
}

/// A product that was found, and its place.
pub(crate) struct SearchEdge<'a> {
    shown: &'a Shown,
    cursor: String,
}

/// A product that was found, and its place.
#[Object]
impl SearchEdge<'_> {
    /// The product.
    async fn node(&self) -> &Product {
        &self.shown.product
    }

    /// Continues behind this product, as `after`.
    fn cursor(&self) -> &str {
        &self.cursor
    }

    /// The fields in which words of the query matched.
    fn highlights(&self) -> Vec<Highlight<'_>> {
        self.shown.highlights.iter().map(Highlight::of).collect()
    }
}

/// A field in which words matched. Text, never HTML: escape it before you show it.
#[derive(SimpleObject)]
pub(crate) struct Highlight<'a> {
    /// "title", or "description", of which this is an excerpt.
    field: &'a str,
    /// Together they are the text.
    spans: Vec<HighlightSpan<'a>>,
}

impl<'a> Highlight<'a> {
    fn of(wire: &'a pb::Highlight) -> Self {
        let span = |span: &'a pb::Span| HighlightSpan { text: &span.text, matched: span.matched };
        Self { field: &wire.field, spans: wire.spans.iter().map(span).collect() }
    }
}

/// A piece of text that matched, or one between two that did.
#[derive(SimpleObject)]
pub(crate) struct HighlightSpan<'a> {
    /// The text.
    text: &'a str,
    /// Does it answer a word of the query?
    matched: bool,
}

/// What somebody who is still typing may mean.
pub(crate) struct PredictiveSearch {
    pub(crate) completions: Vec<pb::Completion>,
    pub(crate) products: Vec<Product>,
}

/// What somebody who is still typing may mean.
#[Object]
impl PredictiveSearch {
    /// Whole queries, those with most products first.
    fn queries(&self) -> Vec<SearchSuggestion<'_>> {
        self.completions.iter().map(SearchSuggestion).collect()
    }

    /// The products that match best so far.
    async fn products(&self) -> &[Product] {
        &self.products
    }
}

/// A query that what was typed may become.
pub(crate) struct SearchSuggestion<'a>(&'a pb::Completion);

/// A query that what was typed may become.
#[Object]
impl SearchSuggestion<'_> {
    /// The words of the query.
    fn text(&self) -> &str {
        &self.0.query
    }

    /// How many products match it.
    fn product_count(&self) -> i64 {
        self.0.product_count
    }
}

/// How much the index of search holds, and how fresh it is.
pub(crate) struct SearchIndex(pub(crate) pb::GetIndexStatusResponse);

/// How much the index of search holds, and how fresh it is.
#[Object]
impl SearchIndex {
    /// Products that can be found.
    fn document_count(&self) -> i64 {
        self.0.document_count
    }

    /// Has it held everything that the catalogue offers? Before, it answers nothing.
    fn ready(&self) -> bool {
        self.0.ready
    }

    /// Changes that are known of and not to be found yet.
    fn pending_count(&self) -> i64 {
        self.0.pending_count
    }

    /// When it was last compared with the catalogue as a whole.
    fn compared_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.0.compare_time.as_ref())
    }

    /// When it last changed.
    fn changed_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.0.change_time.as_ref())
    }
}
