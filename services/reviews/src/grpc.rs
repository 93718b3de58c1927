//! The contract on one side, the domain on the other. Only here a request can be invalid.

mod parse;

use kit::parse::BATCH_MAX;
use kit::{Page, PageLimits, time};
use mesh::Caller;
use mesh::status::Problem;
use proto::common::Reason as CommonReason;
use proto::reviews as pb;
use proto::reviews::reviews_service_server::{ReviewsService, ReviewsServiceServer};
use tonic::{Code, Request, Response, Status};

use crate::NAME;
use crate::app::{MODERATE, Reviews};
use crate::domain::{ProductId, Review, State, Summary};
use crate::error::Error;

const PAGE: PageLimits = PageLimits { default: 20, max: 100 };

pub fn server(reviews: Reviews) -> ReviewsServiceServer<impl ReviewsService> {
    ReviewsServiceServer::new(Grpc { reviews })
}

struct Grpc {
    reviews: Reviews,
}

#[tonic::async_trait]
impl ReviewsService for Grpc {
    async fn create_review(
        &self,
        request: Request<pb::CreateReviewRequest>,
    ) -> Result<Response<pb::CreateReviewResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("CreateReview", &message.request_id, &message)?;
        let (product, author_name, opinion) = parse::created(&message)?;
        let review = self.reviews.create(&caller, &key, product, author_name, opinion).await?;
        Ok(Response::new(pb::CreateReviewResponse { review: Some(shown(review, &caller)) }))
    }

    async fn update_review(
        &self,
        request: Request<pb::UpdateReviewRequest>,
    ) -> Result<Response<pb::UpdateReviewResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("UpdateReview", &message.request_id, &message)?;
        let (id, opinion, etag) = parse::updated(&message)?;
        let review = self.reviews.update(&caller, &key, id, opinion, etag).await?;
        Ok(Response::new(pb::UpdateReviewResponse { review: Some(shown(review, &caller)) }))
    }

    async fn delete_review(
        &self,
        request: Request<pb::DeleteReviewRequest>,
    ) -> Result<Response<pb::DeleteReviewResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("DeleteReview", &message.request_id, &message)?;
        self.reviews.delete(&caller, &key, parse::review_id(&message.review_id)?).await?;
        Ok(Response::new(pb::DeleteReviewResponse {}))
    }

    async fn batch_get_reviews(
        &self,
        request: Request<pb::BatchGetReviewsRequest>,
    ) -> Result<Response<pb::BatchGetReviewsResponse>, Status> {
        let caller = Caller::of(&request);
        let ids = parse::ids("review_ids", &request.get_ref().review_ids, BATCH_MAX)?;
        let mut found = self.reviews.batch_get(&caller, &ids).await?;
        let mut answer = pb::BatchGetReviewsResponse::default();
        for id in ids {
            match found.remove(&id) {
                Some(review) => answer.reviews.push(shown(review, &caller)),
                None => answer.missing.push(id.to_string()),
            }
        }
        Ok(Response::new(answer))
    }

    async fn list_reviews(
        &self,
        request: Request<pb::ListReviewsRequest>,
    ) -> Result<Response<pb::ListReviewsResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let page = page(message.page_size, &message.page_token, &message)?;
        let listed = self.reviews.list(&caller, parse::listing(&message)?, &page).await?;
        let listed = listed.map(|review| shown(review, &caller));
        Ok(Response::new(pb::ListReviewsResponse {
            reviews: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }

    async fn batch_list_reviews(
        &self,
        request: Request<pb::BatchListReviewsRequest>,
    ) -> Result<Response<pb::BatchListReviewsResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.get_ref();
        let (products, each, order) = parse::first_of_each(message)?;
        let mut found = self.reviews.first_of_each(&products, each, order).await?;
        let mut answer = pb::BatchListReviewsResponse::default();
        for product in products {
            // The token is that of the list which the next call will ask for.
            let continued = pb::ListReviewsRequest {
                product_id: product.to_string(),
                sort: message.sort,
                ..Default::default()
            };
            let mut page = page(0, "", &continued)?;
            page.size = each;
            let reviews = found.remove(&product).unwrap_or_default();
            let listed = page.listed(reviews, |review| order.keys(review));
            let listed = listed.map(|review| shown(review, &caller));
            answer.products.push(pb::ProductReviews {
                product_id: continued.product_id,
                reviews: listed.items,
                next_page_token: listed.next_page_token,
            });
        }
        Ok(Response::new(answer))
    }

    async fn batch_get_summaries(
        &self,
        request: Request<pb::BatchGetSummariesRequest>,
    ) -> Result<Response<pb::BatchGetSummariesResponse>, Status> {
        let products: Vec<ProductId> = parse::ids("product_ids", &request.get_ref().product_ids, BATCH_MAX)?;
        let found = self.reviews.summaries(&products).await?;
        let summaries = products.iter().zip(found).map(summarised).collect();
        Ok(Response::new(pb::BatchGetSummariesResponse { summaries }))
    }

    async fn approve_review(
        &self,
        request: Request<pb::ApproveReviewRequest>,
    ) -> Result<Response<pb::ApproveReviewResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("ApproveReview", &message.request_id, &message)?;
        let (id, etag) = parse::approved(&message)?;
        let review = self.reviews.approve(&key, id, etag).await?;
        Ok(Response::new(pb::ApproveReviewResponse { review: Some(shown(review, &caller)) }))
    }

    async fn reject_review(
        &self,
        request: Request<pb::RejectReviewRequest>,
    ) -> Result<Response<pb::RejectReviewResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("RejectReview", &message.request_id, &message)?;
        let (id, rejection, etag) = parse::rejected(&message)?;
        let review = self.reviews.reject(&key, id, rejection, etag).await?;
        Ok(Response::new(pb::RejectReviewResponse { review: Some(shown(review, &caller)) }))
    }

    async fn vote_review(
        &self,
        request: Request<pb::VoteReviewRequest>,
    ) -> Result<Response<pb::VoteReviewResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("VoteReview", &message.request_id, &message)?;
        let id = parse::review_id(&message.review_id)?;
        let review = self.reviews.vote(&caller, &key, id, message.helpful).await?;
        Ok(Response::new(pb::VoteReviewResponse { review: Some(shown(review, &caller)) }))
    }

    async fn report_review(
        &self,
        request: Request<pb::ReportReviewRequest>,
    ) -> Result<Response<pb::ReportReviewResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("ReportReview", &message.request_id, &message)?;
        let (id, complaint) = parse::reported(&message)?;
        self.reviews.report(&caller, &key, id, &complaint).await?;
        Ok(Response::new(pb::ReportReviewResponse {}))
    }

    async fn import_reviews(
        &self,
        request: Request<pb::ImportReviewsRequest>,
    ) -> Result<Response<pb::ImportReviewsResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("ImportReviews", &message.request_id, &message)?;
        let reviews = parse::imported(&message)?;
        let asked = reviews.len() as i64;
        let created_count = self.reviews.import(&key, reviews).await? as i64;
        Ok(Response::new(pb::ImportReviewsResponse { created_count, unchanged_count: asked - created_count }))
    }
}

fn page(size: i32, token: &str, message: &pb::ListReviewsRequest) -> Result<Page, Problem> {
    let arguments = pb::ListReviewsRequest { page_size: 0, page_token: String::new(), ..message.clone() };
    Ok(Page::parse(size, token, &arguments, PAGE)?)
}

/// A review as this caller may see it: complaints are for moderators, a rejection also for the author.
fn shown(review: Review, caller: &Caller) -> pb::Review {
    let moderator = caller.may(MODERATE);
    let asking = caller.user.as_ref().map(|user| user.account);
    let mine = asking.is_some() && asking == review.author.map(|author| author.as_uuid());
    pb::Review {
        id: review.id.to_string(),
        product_id: review.product.to_string(),
        account_id: review.author.map(|account| account.to_string()).unwrap_or_default(),
        author_name: review.author_name,
        rating: review.opinion.rating.stars().into(),
        title: review.opinion.title,
        body: review.opinion.body,
        state: state(review.state).into(),
        verified_purchase: review.verified,
        helpful_count: review.helpful,
        unhelpful_count: review.unhelpful,
        report_count: if moderator { review.reports } else { 0 },
        rejection: review.rejection.filter(|_| moderator || mine).unwrap_or_default(),
        create_time: Some(time::to_proto(review.created)),
        update_time: Some(time::to_proto(review.updated)),
        etag: review.version.to_string(),
        mine,
    }
}

fn state(state: State) -> pb::ReviewState {
    match state {
        State::Pending => pb::ReviewState::Pending,
        State::Approved => pb::ReviewState::Approved,
        State::Rejected => pb::ReviewState::Rejected,
    }
}

fn summarised((product, summary): (&ProductId, Summary)) -> pb::Summary {
    pb::Summary {
        product_id: product.to_string(),
        review_count: summary.count(),
        rating_sum: summary.rating_sum(),
        histogram: summary.histogram.to_vec(),
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        use crate::domain::Refusal;
        use pb::Reason;

        let words = error.to_string();
        let problem = |code, reason: Reason| Problem::new(code, NAME, reason.as_str_name(), words.clone());
        match error {
            Error::Refused(Refusal::OwnReview) => problem(Code::FailedPrecondition, Reason::OwnReview),
            Error::Refused(Refusal::NotApproved) => problem(Code::FailedPrecondition, Reason::NotApproved),
            Error::NotFound(id) => problem(Code::NotFound, Reason::ReviewNotFound).with("review_id", id),
            Error::AlreadyReviewed(id) => {
                problem(Code::AlreadyExists, Reason::AlreadyReviewed).with("review_id", id)
            }
            Error::Conflict => Problem::etag_mismatch(),
            Error::SignInRequired => {
                Problem::common(Code::Unauthenticated, CommonReason::SignInRequired, words)
            }
            Error::NotModerator => {
                Problem::common(Code::PermissionDenied, CommonReason::PermissionMissing, words)
            }
            Error::Request(error) => error.into(),
            Error::Page(error) => error.into(),
            Error::Storage(error) => kit::RequestError::Storage(error).into(),
        }
        .status()
    }
}
