//! Changes of reviews, by authors, readers and moderators.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use proto::reviews as pb;

use crate::context::{self, own_request_id};
use crate::error::{Fault, Refusal, settled};
use crate::ids::{self, Kind};
use crate::schema::Part;
use crate::schema::review::Review;
use crate::schema::user_error::{ReviewErrorCode, UserError, Warning, user_errors};

const SERVICE: &str = "reviews";

/// What an author writes.
#[derive(InputObject)]
pub(crate) struct ReviewInput {
    /// 1 to 5.
    rating: i32,
    /// 1 to 120 characters.
    title: String,
    /// Plain text, at most 5,000 characters.
    #[graphql(default)]
    body: String,
}

/// What became of a change of a review.
#[derive(SimpleObject, Default)]
pub(crate) struct ReviewPayload {
    /// The review after the change; null when nothing changed, or it is gone.
    review: Option<Review>,
    /// Why nothing changed.
    user_errors: Vec<UserError<ReviewErrorCode>>,
    /// What was done otherwise than asked.
    warnings: Vec<Warning>,
}

#[derive(Default)]
pub(crate) struct ReviewMutation;

/// Changes of reviews.
#[Object]
impl ReviewMutation {
    /// Writes a review. Others see it when a moderator has approved it.
    async fn review_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product.")] product_id: ID,
        #[graphql(desc = "As the author wants to be called, 1 to 50 characters.")] author_name: String,
        #[graphql(desc = "What the author writes.")] input: ReviewInput,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<ReviewPayload> {
        let change = async {
            let request = pb::CreateReviewRequest {
                product_id: ids::decode(Kind::Product, &product_id)?,
                rating: input.rating,
                title: input.title,
                body: input.body,
                author_name,
                request_id: own_request_id(ctx, &idempotency_key, "CreateReview")?,
            };
            let answer = settled(SERVICE, context::reviews(ctx).create_review(request).await)?;
            payload(answer.map(|answer| answer.review))
        };
        Some(change.await)
    }

    /// Changes one's own review, which waits for a moderator again.
    async fn review_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review.")] id: ID,
        #[graphql(desc = "What the author writes.")] input: ReviewInput,
        #[graphql(desc = "Only if the review is still in this state.")] etag: Option<String>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<ReviewPayload> {
        let change = async {
            let request = pb::UpdateReviewRequest {
                review_id: ids::decode(Kind::Review, &id)?,
                rating: input.rating,
                title: input.title,
                body: input.body,
                etag: etag.unwrap_or_default(),
                request_id: own_request_id(ctx, &idempotency_key, "UpdateReview")?,
            };
            let answer = settled(SERVICE, context::reviews(ctx).update_review(request).await)?;
            payload(answer.map(|answer| answer.review))
        };
        Some(change.await)
    }

    /// Takes one's own review away.
    async fn review_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review.")] id: ID,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<ReviewPayload> {
        let change = async {
            let request = pb::DeleteReviewRequest {
                review_id: ids::decode(Kind::Review, &id)?,
                request_id: own_request_id(ctx, &idempotency_key, "DeleteReview")?,
            };
            let answer = settled(SERVICE, context::reviews(ctx).delete_review(request).await)?;
            done(answer)
        };
        Some(change.await)
    }

    /// Says whether a review helped; the last word of an account counts.
    async fn review_vote(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review.")] id: ID,
        #[graphql(desc = "Did it help?")] helpful: bool,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<ReviewPayload> {
        let change = async {
            let request = pb::VoteReviewRequest {
                review_id: ids::decode(Kind::Review, &id)?,
                helpful,
                request_id: own_request_id(ctx, &idempotency_key, "VoteReview")?,
            };
            let answer = settled(SERVICE, context::reviews(ctx).vote_review(request).await)?;
            payload(answer.map(|answer| answer.review))
        };
        Some(change.await)
    }

    /// Tells the moderators about a review.
    async fn review_report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review.")] id: ID,
        #[graphql(desc = "What is wrong with it; 1 to 500 characters.")] complaint: String,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<ReviewPayload> {
        let change = async {
            let request = pb::ReportReviewRequest {
                review_id: ids::decode(Kind::Review, &id)?,
                complaint,
                request_id: own_request_id(ctx, &idempotency_key, "ReportReview")?,
            };
            done(settled(SERVICE, context::reviews(ctx).report_review(request).await)?)
        };
        Some(change.await)
    }

    /// Moderators: makes a review seen.
    async fn review_approve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review.")] id: ID,
        #[graphql(desc = "Only if the review is still in this state.")] etag: Option<String>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<ReviewPayload> {
        let change = async {
            let request = pb::ApproveReviewRequest {
                review_id: ids::decode(Kind::Review, &id)?,
                etag: etag.unwrap_or_default(),
                request_id: own_request_id(ctx, &idempotency_key, "ApproveReview")?,
            };
            let answer = settled(SERVICE, context::reviews(ctx).approve_review(request).await)?;
            payload(answer.map(|answer| answer.review))
        };
        Some(change.await)
    }

    /// Moderators: hides a review.
    async fn review_reject(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review.")] id: ID,
        #[graphql(desc = "Why; 1 to 500 characters, told to the author.")] rejection: String,
        #[graphql(desc = "Only if the review is still in this state.")] etag: Option<String>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<ReviewPayload> {
        let change = async {
            let request = pb::RejectReviewRequest {
                review_id: ids::decode(Kind::Review, &id)?,
                rejection,
                etag: etag.unwrap_or_default(),
                request_id: own_request_id(ctx, &idempotency_key, "RejectReview")?,
            };
            let answer = settled(SERVICE, context::reviews(ctx).reject_review(request).await)?;
            payload(answer.map(|answer| answer.review))
        };
        Some(change.await)
    }
}

fn payload(answer: Result<Option<pb::Review>, Vec<Refusal>>) -> Result<ReviewPayload, Fault> {
    match answer {
        Ok(review) => Ok(ReviewPayload {
            review: Some(Review(review.ok_or_else(|| Fault::incomplete(SERVICE))?)),
            ..Default::default()
        }),
        Err(refusals) => done::<()>(Err(refusals)),
    }
}

fn done<T>(answer: Result<T, Vec<Refusal>>) -> Result<ReviewPayload, Fault> {
    Ok(ReviewPayload {
        user_errors: user_errors(SERVICE, answer.err().unwrap_or_default())?,
        ..Default::default()
    })
}
