//! The contract on one side, the domain on the other. Only here a request can be invalid.

mod parse;

use kit::{Page, PageLimits};
use mesh::Caller;
use mesh::status::Problem;
use proto::common::Reason as CommonReason;
use proto::recommendations as pb;
use proto::recommendations::recommendations_service_server::{
    RecommendationsService, RecommendationsServiceServer,
};
use tonic::{Code, Request, Response, Status};

use crate::NAME;
use crate::app::Recommendations;
use crate::domain::{Explanation, Recommendation};
use crate::error::Error;

const PAGE: PageLimits = PageLimits { default: 10, max: 100 };

pub fn server(recommendations: Recommendations) -> RecommendationsServiceServer<impl RecommendationsService> {
    RecommendationsServiceServer::new(Grpc { recommendations })
}

struct Grpc {
    recommendations: Recommendations,
}

#[tonic::async_trait]
impl RecommendationsService for Grpc {
    async fn list_bought_together(
        &self,
        request: Request<pb::ListBoughtTogetherRequest>,
    ) -> Result<Response<pb::ListBoughtTogetherResponse>, Status> {
        let message = request.into_inner();
        let basket = parse::basket(&message.product_ids)?;
        let (size, token) = (message.page_size, message.page_token.clone());
        let message = pb::ListBoughtTogetherRequest { page_size: 0, page_token: String::new(), ..message };
        let page = Page::parse(size, &token, &message, PAGE).map_err(Error::from)?;
        let listed = self.recommendations.list_bought_together(&basket, &page).await?.map(shown);
        Ok(Response::new(pb::ListBoughtTogetherResponse {
            recommendations: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }

    async fn batch_list_bought_together(
        &self,
        request: Request<pb::BatchListBoughtTogetherRequest>,
    ) -> Result<Response<pb::BatchListBoughtTogetherResponse>, Status> {
        let (asked, each) = parse::each(request.get_ref())?;
        let mut found = self.recommendations.batch_list_bought_together(&asked, each).await?;
        let products = asked.into_iter().map(|product| pb::ProductRecommendations {
            product_id: product.to_string(),
            recommendations: found.remove(&product).into_iter().flatten().map(shown).collect(),
        });
        Ok(Response::new(pb::BatchListBoughtTogetherResponse { products: products.collect() }))
    }

    async fn list_for_account(
        &self,
        request: Request<pb::ListForAccountRequest>,
    ) -> Result<Response<pb::ListForAccountResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let whose = parse::customer(message.customer.as_ref())?;
        let (size, token) = (message.page_size, message.page_token.clone());
        let message = pb::ListForAccountRequest { page_size: 0, page_token: String::new(), ..message };
        let page = Page::parse(size, &token, &message, PAGE).map_err(Error::from)?;
        let listed = self.recommendations.list_for_account(&caller, whose, &page).await?.map(shown);
        Ok(Response::new(pb::ListForAccountResponse {
            recommendations: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }
}

fn shown(recommendation: Recommendation) -> pb::Recommendation {
    pb::Recommendation {
        product_id: recommendation.product.to_string(),
        score: recommendation.score,
        explanation: Some(explained(recommendation.because)),
    }
}

fn explained(because: Explanation) -> pb::Explanation {
    use pb::ExplanationKind as Kind;

    let explanation = |kind: Kind, order_count| pb::Explanation {
        kind: kind.into(),
        order_count,
        ..pb::Explanation::default()
    };
    match because {
        Explanation::BoughtTogether { with, orders } => {
            pb::Explanation { with_product_id: with.to_string(), ..explanation(Kind::BoughtTogether, orders) }
        }
        Explanation::BoughtBefore { orders } => explanation(Kind::BoughtBefore, orders),
        Explanation::PopularInCategory { category, orders } => pb::Explanation {
            category_id: category.to_string(),
            ..explanation(Kind::PopularInCategory, orders)
        },
        Explanation::SameCategory { category } => {
            pb::Explanation { category_id: category.to_string(), ..explanation(Kind::SameCategory, 0) }
        }
        Explanation::Popular { orders } => explanation(Kind::Popular, orders),
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        use pb::Reason;

        let words = error.to_string();
        match error {
            Error::HistoryOfAnother => {
                Problem::new(Code::PermissionDenied, NAME, Reason::HistoryOfAnother.as_str_name(), words)
            }
            Error::SignInRequired => {
                Problem::common(Code::Unauthenticated, CommonReason::SignInRequired, words)
            }
            Error::Page(error) => error.into(),
            Error::Storage(error) => kit::RequestError::Storage(error).into(),
        }
        .status()
    }
}
