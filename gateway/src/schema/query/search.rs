//! How shoppers find products.
#![allow(
    clippy::too_many_arguments,
    reason = "the arguments of a field are what clients may say, each by its name"
)]

use async_graphql::{Context, Object};
use proto::search as pb;

use crate::context::{self, locale};
use crate::error::{Fault, listed};
use crate::schema::Part;
use crate::schema::choice::{SearchSortKey, wire_name};
use crate::schema::connection::Window;
use crate::schema::facet::SearchFilter;
use crate::schema::look::Look;
use crate::schema::product::page_cost;
use crate::schema::search::{self, Hit, PredictiveSearch, SearchConnection, SearchIndex};

/// The facets that a page of results can show, in their order.
const FACETS: [pb::FacetKind; 6] = [
    pb::FacetKind::Availability,
    pb::FacetKind::Price,
    pb::FacetKind::Category,
    pb::FacetKind::Option,
    pb::FacetKind::Rating,
    pb::FacetKind::Vendor,
];

#[derive(Default)]
pub(crate) struct SearchQuery;

/// How shoppers find products.
#[Object]
impl SearchQuery {
    /// Products by words and filters, best first. Words may be misspelt, joined, split or cut off at the end. Null when
    /// search does not answer at the moment; `products` without words lists what is there nevertheless.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is looked for; everything if empty.", default)] query: String,
        #[graphql(
            desc = "Conditions. Of one kind any must hold, of different kinds all. The `input` of a value under `filters` can be sent here as it is."
        )]
        filters: Option<Vec<SearchFilter>>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The order; best first if absent, without words newest first.")] sort_key: Option<
            SearchSortKey,
        >,
        #[graphql(desc = "The other way round.", default)] reverse: bool,
    ) -> Part<SearchConnection> {
        let read = async {
            let window = Window::of(Some(first), after.as_deref())?;
            let look = Look::here(ctx);
            let filters = filters.unwrap_or_default();
            let filters = filters.iter().map(SearchFilter::to_wire).collect::<Result<_, Fault>>()?;
            let sort = sort_key.map(|sort| wire_name("SEARCH_SORT_", sort));
            let sort = sort.and_then(|name| pb::SearchSort::from_str_name(&name)).unwrap_or_default();
            let facets = if look.has("filters") { FACETS.to_vec() } else { Vec::new() };
            let request = pb::SearchProductsRequest {
                query,
                filters,
                sort: sort.into(),
                reverse,
                currency_code: locale(ctx).currency.clone(),
                page_size: window.page_size(),
                page_token: window.page_token(),
                facets: facets.into_iter().map(i32::from).collect(),
                with_highlights: look.below("edges").has("highlights"),
            };
            let answer = listed("search", context::search(ctx).search_products(request).await)?;
            let page = search::hits(ctx, &look.items(), answer.hits).await?;
            let page = window.connect(page, answer.next_page_token).filter_map(Hit::shown);
            Ok(SearchConnection {
                page,
                total_count: answer.total_size,
                facets: answer.facets,
                corrected: answer.corrected_query,
            })
        };
        Some(read.await)
    }

    /// What somebody who is still typing may mean. Null when search does not answer at the moment.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn predictive_search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What has been typed so far.")] query: String,
        #[graphql(desc = "How many of each; at most 20.", default = 5)] first: i32,
    ) -> Part<PredictiveSearch> {
        let read = async {
            let request = pb::PredictSearchRequest { query, completions_max: first, products_max: first };
            let answer = listed("search", context::search(ctx).predict_search(request).await)?;
            let look = Look::here(ctx).below("products");
            let hits = search::hits(ctx, &look, answer.hits).await?;
            let products = hits.into_iter().filter_map(|hit| hit.product).collect();
            Ok(PredictiveSearch { completions: answer.completions, products })
        };
        Some(read.await)
    }

    /// How much the index of search holds, and how fresh it is. For staff who see the catalogue.
    async fn search_index(&self, ctx: &Context<'_>) -> Part<SearchIndex> {
        let answer = context::search(ctx).get_index_status(pb::GetIndexStatusRequest {}).await;
        Some(listed("search", answer).map(SearchIndex))
    }
}
