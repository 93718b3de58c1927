//! The generated trait, messages to values and back.

mod parse;
mod show;

use kit::{Page, PageLimits, time};
use mesh::status::Problem;
use proto::search as pb;
use proto::search::search_service_server::{SearchService, SearchServiceServer};
use tonic::{Code, Request, Response, Status};

use crate::NAME;
use crate::app::Search;
use crate::error::Error;

const PAGE: PageLimits = PageLimits { default: 20, max: 250 };

/// The service, ready for its stack.
pub fn server(search: Search) -> SearchServiceServer<impl SearchService> {
    SearchServiceServer::new(Server { search })
}

struct Server {
    search: Search,
}

#[tonic::async_trait]
impl SearchService for Server {
    async fn search_products(
        &self,
        request: Request<pb::SearchProductsRequest>,
    ) -> Result<Response<pb::SearchProductsResponse>, Status> {
        let message = request.into_inner();
        let page = page(&message)?;
        let question = parse::question(&message).map_err(Problem::invalid)?;
        let currency = question.currency;
        let answer = self.search.search(question, &page).await?;
        Ok(Response::new(pb::SearchProductsResponse {
            next_page_token: answer.hits.next_page_token,
            hits: answer.hits.items.into_iter().map(show::hit).collect(),
            total_size: i64::try_from(answer.total).unwrap_or(i64::MAX),
            facets: answer.facets.into_iter().map(|facet| show::facet(facet, currency)).collect(),
            corrected_query: answer.corrected.unwrap_or_default(),
        }))
    }

    async fn predict_search(
        &self,
        request: Request<pb::PredictSearchRequest>,
    ) -> Result<Response<pb::PredictSearchResponse>, Status> {
        let message = request.into_inner();
        let (completions_max, products_max) = parse::prediction(&message).map_err(Problem::invalid)?;
        let predicted = self.search.predict(&message.query, completions_max, products_max).await?;
        let completion = |(query, product_count)| pb::Completion { query, product_count };
        Ok(Response::new(pb::PredictSearchResponse {
            completions: predicted.completions.into_iter().map(completion).collect(),
            hits: predicted.hits.into_iter().map(show::hit).collect(),
        }))
    }

    async fn get_index_status(
        &self,
        _: Request<pb::GetIndexStatusRequest>,
    ) -> Result<Response<pb::GetIndexStatusResponse>, Status> {
        let status = self.search.status();
        Ok(Response::new(pb::GetIndexStatusResponse {
            document_count: i64::try_from(status.documents).unwrap_or(i64::MAX),
            ready: status.ready,
            pending_count: i64::try_from(status.pending).unwrap_or(i64::MAX),
            compare_time: status.compared.map(time::to_proto),
            change_time: status.changed.map(time::to_proto),
            schema_version: i32::try_from(status.schema_version).unwrap_or(i32::MAX),
        }))
    }
}

fn page(message: &pb::SearchProductsRequest) -> Result<Page, Problem> {
    // Another page may be asked for without facets, of which each page has the same.
    let arguments = pb::SearchProductsRequest {
        page_size: 0,
        page_token: String::new(),
        facets: Vec::new(),
        with_highlights: false,
        ..message.clone()
    };
    Ok(Page::parse(message.page_size, &message.page_token, &arguments, PAGE)?)
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let words = error.to_string();
        match error {
            Error::NotReady => {
                Problem::new(Code::Unavailable, NAME, pb::Reason::IndexNotReady.as_str_name(), words)
                    .retry_after(mesh::status::RETRY_AFTER)
            }
            Error::Upstream { service, ref source } => Problem::unavailable(service, source),
            Error::Page(error) => error.into(),
            Error::Storage(error) => Problem::internal(&error),
        }
        .status()
    }
}
