//! What is left of somebody who asked to be forgotten.

use mesh::testing::customer;
use proto::reviews as pb;

use crate::support::{id, read, reason, request_id, shops, writing};

#[tokio::test]
async fn of_whoever_is_erased_only_a_rating_without_a_name_stays() {
    for shop in shops().await {
        let (ada, mug, lamp, bowl) = (customer(), id(), id(), id());
        let others = shop.approved(&bowl, 4).await;
        shop.deliver(ada.account, &mug).await;
        let published = shop.as_user(&ada).create_review(writing(&mug, 5)).await.unwrap().into_inner();
        let published = published.review.unwrap();
        let approval = pb::ApproveReviewRequest { review_id: published.id.clone(), ..approving() };
        shop.moderator().approve_review(approval).await.unwrap();
        let pending = shop.as_user(&ada).create_review(writing(&lamp, 1)).await.unwrap().into_inner();
        let voting = |id: &str| pb::VoteReviewRequest {
            review_id: id.into(),
            helpful: true,
            request_id: request_id(),
        };
        shop.as_user(&ada).vote_review(voting(&others.id)).await.unwrap();

        shop.erase(ada.account).await;

        let look = |id: &str| pb::BatchGetReviewsRequest { review_ids: vec![id.to_owned()] };
        let kept = shop.as_guest().batch_get_reviews(look(&published.id)).await.unwrap().into_inner();
        let kept = &kept.reviews[0];
        assert_eq!((kept.author_name.as_str(), kept.account_id.as_str()), ("", ""));
        assert_eq!((kept.rating, kept.verified_purchase, kept.title.as_str()), (5, true, "As described"));
        assert_eq!(shop.summary(&mug).await.review_count, 1);
        let pending = pending.review.unwrap().id;
        let gone = shop.moderator().batch_get_reviews(look(&pending)).await.unwrap().into_inner();
        assert_eq!(gone.missing, [pending]);
        let voted = shop.as_guest().batch_get_reviews(look(&others.id)).await.unwrap().into_inner();
        assert_eq!(voted.reviews[0].helpful_count, 0);
        for table in ["reviews", "votes", "reports", "purchases"] {
            let sql = format!("SELECT 1 FROM {table} WHERE account_id = $1");
            assert!(kit::query(shop.database.read(), &sql, [ada.account.into()]).await.unwrap().is_empty());
        }
        let sql = "SELECT 1 FROM requests WHERE answer LIKE '%Ada L.%' AND principal LIKE $1";
        let own = format!("%{}%", ada.account);
        assert!(kit::query(shop.database.read(), sql, [own.into()]).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_comes_late_from_whoever_is_erased_finds_nobody() {
    for shop in shops().await {
        let (ada, mug) = (customer(), id());
        let others = shop.approved(&id(), 4).await;
        shop.erase(ada.account).await;

        shop.deliver(ada.account, &mug).await;
        let review = shop.as_user(&ada).create_review(writing(&mug, 5)).await.unwrap_err();
        let voting = pb::VoteReviewRequest { review_id: others.id, helpful: true, request_id: request_id() };
        let vote = shop.as_user(&ada).vote_review(voting).await.unwrap_err();

        assert_eq!([reason(&review), reason(&vote)], ["SIGN_IN_REQUIRED", "SIGN_IN_REQUIRED"]);
        for table in ["reviews", "votes", "purchases"] {
            let sql = format!("SELECT 1 FROM {table} WHERE account_id = $1");
            assert!(kit::query(shop.database.read(), &sql, [ada.account.into()]).await.unwrap().is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_review_that_is_rejected_while_its_author_is_erased_goes_with_him() {
    for shop in shops().await {
        let mut published = Vec::new();
        for _ in 0..60 {
            let ada = customer();
            let review =
                shop.as_user(&ada).create_review(writing(&id(), 1)).await.unwrap().into_inner().review;
            let id = review.unwrap().id;
            let approval = pb::ApproveReviewRequest { review_id: id.clone(), ..approving() };
            shop.moderator().approve_review(approval).await.unwrap();
            published.push((ada.account, id));
        }

        let pairs = published.iter().map(|(account, review)| {
            let rejection = pb::RejectReviewRequest {
                review_id: review.clone(),
                rejection: "It names a neighbour.".into(),
                etag: String::new(),
                request_id: request_id(),
            };
            let mut moderator = shop.moderator();
            let rejecting = async move { moderator.reject_review(rejection).await };
            futures::future::join(rejecting, shop.erase(*account))
        });
        let answers = futures::future::join_all(pairs).await;

        for ((_, review), (rejected, ())) in published.iter().zip(answers) {
            // It goes, unless it was nobody's any more when it was rejected.
            let goes = rejected.is_ok_and(|it| !it.into_inner().review.unwrap().account_id.is_empty());
            let left = read(shop.moderator(), review).await;
            assert_eq!(left.is_none(), goes, "{left:?}");
        }
    }
}

fn approving() -> pb::ApproveReviewRequest {
    pb::ApproveReviewRequest { request_id: request_id(), ..Default::default() }
}
