//! Whether a review helped.

use futures::future::join_all;
use mesh::testing::{customer, staff};
use proto::reviews as pb;
use tonic::Code;

use crate::support::{Client, Shop, id, importing, read, reason, request_id, shops, writing};

#[tokio::test]
async fn the_last_vote_of_an_account_counts() {
    for shop in shops().await {
        let review = shop.approved(&id(), 4).await;
        let voter = customer();
        let vote = |helpful| pb::VoteReviewRequest {
            review_id: review.id.clone(),
            helpful,
            request_id: request_id(),
        };

        shop.as_user(&voter).vote_review(vote(true)).await.unwrap();
        shop.as_user(&customer()).vote_review(vote(true)).await.unwrap();
        let voted = shop.as_user(&voter).vote_review(vote(false)).await.unwrap().into_inner().review.unwrap();

        assert_eq!((voted.helpful_count, voted.unhelpful_count), (1, 1));
        assert_eq!(voted.etag, review.etag);
    }
}

#[tokio::test]
async fn nobody_votes_on_a_review_of_his_own_or_on_one_that_is_not_approved() {
    for shop in shops().await {
        let author = customer();
        let mut client = shop.as_user(&author);
        let written = client.create_review(writing(&id(), 4)).await.unwrap().into_inner().review.unwrap();
        let vote = || pb::VoteReviewRequest {
            review_id: written.id.clone(),
            helpful: true,
            request_id: request_id(),
        };
        assert_eq!(reason(&client.vote_review(vote()).await.unwrap_err()), "OWN_REVIEW");

        let not_seen = shop.as_user(&customer()).vote_review(vote()).await.unwrap_err();
        assert_eq!(reason(&not_seen), "REVIEW_NOT_FOUND");
        let mut moderator = shop.as_user(&staff(&["reviews.moderate"]));
        let refused = moderator.vote_review(vote()).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "NOT_APPROVED"));
        let complaint = pb::ReportReviewRequest {
            review_id: written.id.clone(),
            complaint: "An advertisement.".into(),
            request_id: request_id(),
        };
        assert_eq!(reason(&moderator.report_review(complaint).await.unwrap_err()), "NOT_APPROVED");
        let same = read(moderator, &written.id).await.unwrap();
        assert_eq!((same.helpful_count, same.report_count), (0, 0));
    }
}

#[tokio::test]
async fn a_vote_adds_to_what_a_review_was_imported_with() {
    for shop in shops().await {
        let (ada, bob, product) = (customer(), customer(), id());
        shop.moderator().import_reviews(importing(&product, 4..5)).await.unwrap();
        let list = pb::ListReviewsRequest { product_id: product, ..Default::default() };
        let review = shop.as_guest().list_reviews(list).await.unwrap().into_inner().reviews.pop().unwrap();
        assert_eq!((review.helpful_count, review.unhelpful_count), (4, 0));

        shop.as_user(&ada).vote_review(vote(&review.id, true)).await.unwrap();
        assert_eq!(counts(shop.as_guest(), &review.id).await, (5, 0));
        shop.as_user(&bob).vote_review(vote(&review.id, false)).await.unwrap();
        assert_eq!(counts(shop.as_guest(), &review.id).await, (5, 1));
        shop.erase(ada.account).await;
        assert_eq!(counts(shop.as_guest(), &review.id).await, (4, 1));
    }
}

#[tokio::test]
async fn votes_at_the_same_time_are_all_counted() {
    for shop in shops().await {
        let review = shop.approved(&id(), 4).await;

        join_all((0..20).map(|_| voted(&shop, &review.id))).await;

        assert_eq!(counts(shop.as_guest(), &review.id).await, (20, 0));
    }
}

#[tokio::test]
async fn a_vote_that_goes_with_its_voter_takes_no_other_along() {
    for shop in shops().await {
        let review = shop.approved(&id(), 4).await;
        for others in 1..=20 {
            let leaving = customer();
            shop.as_user(&leaving).vote_review(vote(&review.id, true)).await.unwrap();

            futures::join!(shop.erase(leaving.account), voted(&shop, &review.id));

            assert_eq!(counts(shop.as_guest(), &review.id).await, (others, 0));
        }
    }
}

/// Somebody new finds it helpful.
async fn voted(shop: &Shop, review: &str) {
    shop.as_user(&customer()).vote_review(vote(review, true)).await.unwrap();
}

fn vote(review: &str, helpful: bool) -> pb::VoteReviewRequest {
    pb::VoteReviewRequest { review_id: review.to_owned(), helpful, request_id: request_id() }
}

async fn counts(client: Client, review: &str) -> (i64, i64) {
    let review = read(client, review).await.unwrap();
    (review.helpful_count, review.unhelpful_count)
}
