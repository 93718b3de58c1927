//! What reviews promises, through the generated client and the real stacks, on every kind of store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "cases/erasing.rs"]
mod erasing;
#[path = "cases/importing.rs"]
mod importing;
#[path = "cases/purchases.rs"]
mod purchases;
mod support;
#[path = "cases/voting.rs"]
mod voting;

use mesh::testing::{customer, staff};
use proto::reviews as pb;
use support::{id, read, reason, request_id, shops, writing};
use tonic::Code;

#[tokio::test]
async fn a_review_is_seen_by_others_once_it_is_approved() {
    for shop in shops().await {
        let product = id();
        let author = customer();

        let written = shop.as_user(&author).create_review(writing(&product, 4)).await.unwrap().into_inner();
        let written = written.review.unwrap();
        assert_eq!(written.state, pb::ReviewState::Pending as i32);
        assert!(written.mine);
        assert_eq!(read(shop.as_guest(), &written.id).await, None);
        assert!(read(shop.as_user(&author), &written.id).await.is_some());
        assert_eq!(shop.summary(&product).await.review_count, 0);

        let approval = pb::ApproveReviewRequest {
            review_id: written.id.clone(),
            etag: written.etag.clone(),
            request_id: request_id(),
        };
        shop.moderator().approve_review(approval).await.unwrap();

        let seen = read(shop.as_guest(), &written.id).await.unwrap();
        assert_eq!((seen.rating, seen.mine), (4, false));
        let summary = shop.summary(&product).await;
        assert_eq!((summary.review_count, summary.rating_sum), (1, 4));
        assert_eq!(summary.histogram, [0, 0, 0, 1, 0]);
        assert_eq!(shop.news().await, ["review.submitted", "review.published"]);
    }
}

#[tokio::test]
async fn an_account_reviews_a_product_once_however_many_ask_at_the_same_time() {
    for shop in shops().await {
        let product = id();
        let author = customer();

        let tries = (0..10).map(|_| {
            let mut client = shop.as_user(&author);
            let writing = writing(&product, 5);
            async move { client.create_review(writing).await }
        });
        let answers = futures::future::join_all(tries).await;

        let (written, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!((written.len(), refused.len()), (1, 9));
        let written = written.into_iter().next().unwrap().unwrap().into_inner().review.unwrap();
        for status in refused.into_iter().map(Result::unwrap_err) {
            assert_eq!((status.code(), reason(&status).as_str()), (Code::AlreadyExists, "ALREADY_REVIEWED"));
            assert_eq!(mesh::status::metadata_of(&status)["review_id"], written.id);
        }
    }
}

#[tokio::test]
async fn the_same_request_has_one_effect_and_one_answer() {
    for shop in shops().await {
        let mut client = shop.as_user(&customer());
        let request = writing(&id(), 5);

        let first = client.create_review(request.clone()).await.unwrap().into_inner();
        let again = client.create_review(request.clone()).await.unwrap().into_inner();
        assert_eq!(first, again);

        let other = pb::CreateReviewRequest { rating: 1, ..request };
        let refused = client.create_review(other).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "REQUEST_ID_REUSED"));
        assert_eq!(shop.news().await, ["review.submitted"]);
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_no_fault_of_the_service() {
    for shop in shops().await {
        shop.database.read().close_by_ref().await.unwrap();

        let request = pb::BatchGetReviewsRequest { review_ids: vec![id()] };
        let refused = shop.as_guest().batch_get_reviews(request).await.unwrap_err();

        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "UNAVAILABLE"));
    }
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    for shop in shops().await {
        let request = pb::CreateReviewRequest {
            product_id: "?".into(),
            rating: 6,
            title: String::new(),
            body: "\u{7}".into(),
            author_name: "x".repeat(51),
            request_id: request_id(),
        };

        let refused = shop.as_user(&customer()).create_review(request).await.unwrap_err();

        let fields: Vec<String> =
            mesh::status::violations_of(&refused).into_iter().map(|violation| violation.field).collect();
        assert_eq!(fields, ["product_id", "author_name", "rating", "title", "body"]);
        assert_eq!(reason(&refused), "INVALID_FIELDS");
    }
}

#[tokio::test]
async fn an_edited_review_waits_again_and_leaves_the_summary() {
    for shop in shops().await {
        let product = id();
        let author = customer();
        let mut client = shop.as_user(&author);
        let written = client.create_review(writing(&product, 2)).await.unwrap().into_inner().review.unwrap();
        let approval = pb::ApproveReviewRequest {
            review_id: written.id.clone(),
            etag: String::new(),
            request_id: request_id(),
        };
        let approved = shop.moderator().approve_review(approval).await.unwrap().into_inner().review.unwrap();

        let edit = pb::UpdateReviewRequest {
            review_id: written.id.clone(),
            rating: 5,
            title: "Better now".into(),
            body: String::new(),
            etag: written.etag.clone(),
            request_id: request_id(),
        };
        let stale = client.update_review(edit.clone()).await.unwrap_err();
        assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
        let edit = pb::UpdateReviewRequest { etag: approved.etag, ..edit };
        let foreign = shop.as_user(&customer()).update_review(edit.clone()).await.unwrap_err();
        assert_eq!(foreign.code(), Code::NotFound);
        let edited = client.update_review(edit).await.unwrap().into_inner().review.unwrap();

        assert_eq!(edited.state, pb::ReviewState::Pending as i32);
        assert_eq!(shop.summary(&product).await.review_count, 0);
        let news = ["review.submitted", "review.published", "review.withdrawn", "review.submitted"];
        assert_eq!(shop.news().await, news);
    }
}

#[tokio::test]
async fn a_deleted_review_is_gone_and_its_author_may_write_another() {
    for shop in shops().await {
        let product = id();
        let mut client = shop.as_user(&customer());
        let written = client.create_review(writing(&product, 3)).await.unwrap().into_inner().review.unwrap();
        let delete = pb::DeleteReviewRequest { review_id: written.id, request_id: request_id() };

        assert_eq!(
            shop.as_user(&customer()).delete_review(delete.clone()).await.unwrap_err().code(),
            Code::NotFound
        );
        client.delete_review(delete.clone()).await.unwrap();
        client.delete_review(delete).await.unwrap();

        assert!(client.create_review(writing(&product, 4)).await.is_ok());
    }
}

#[tokio::test]
async fn five_reports_of_different_accounts_put_a_review_back_into_the_queue() {
    for shop in shops().await {
        let product = id();
        let review = shop.approved(&product, 1).await;
        let complaint = || pb::ReportReviewRequest {
            review_id: review.id.clone(),
            complaint: "This is an advertisement.".into(),
            request_id: request_id(),
        };
        let loud = customer();
        for _ in 0..6 {
            shop.as_user(&loud).report_review(complaint()).await.unwrap();
        }
        assert_eq!(shop.summary(&product).await.review_count, 1);

        for _ in 0..4 {
            shop.as_user(&customer()).report_review(complaint()).await.unwrap();
        }

        assert_eq!(shop.summary(&product).await.review_count, 0);
        let late = shop.as_user(&customer()).report_review(complaint()).await.unwrap_err();
        assert_eq!(late.code(), Code::NotFound);
        let queue = pb::ListReviewsRequest { state: pb::ReviewState::Pending as i32, ..Default::default() };
        let queued = shop.moderator().list_reviews(queue.clone()).await.unwrap().into_inner().reviews;
        assert_eq!((queued.len(), queued[0].report_count), (1, 5));
        let refused = shop.as_user(&customer()).list_reviews(queue).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
}

#[tokio::test]
async fn every_order_pages_to_the_end_without_gap_or_repeat() {
    for shop in shops().await {
        let product = id();
        for number in 0..23 {
            shop.approved(&product, 1 + number % 5).await;
        }
        for sort in 0..4 {
            let mut request = pb::ListReviewsRequest {
                product_id: product.clone(),
                sort,
                page_size: 5,
                ..Default::default()
            };
            let mut seen = Vec::new();
            loop {
                let page = shop.as_guest().list_reviews(request.clone()).await.unwrap().into_inner();
                seen.extend(page.reviews);
                if page.next_page_token.is_empty() {
                    break;
                }
                request.page_token = page.next_page_token;
            }
            assert_eq!(seen.len(), 23, "sort {sort}");
            let ids: std::collections::HashSet<_> = seen.iter().map(|review| &review.id).collect();
            assert_eq!(ids.len(), 23);
            let ratings: Vec<i32> = seen.iter().map(|review| review.rating).collect();
            match sort {
                2 => assert!(ratings.is_sorted_by(|a, b| a >= b)),
                3 => assert!(ratings.is_sorted()),
                _ => {}
            }

            request.page_size = 6;
            assert!(shop.as_guest().list_reviews(request.clone()).await.is_ok());
            request.rating = 5;
            let changed = shop.as_guest().list_reviews(request).await.unwrap_err();
            assert_eq!(reason(&changed), "PAGE_TOKEN_INVALID");
        }
    }
}

#[tokio::test]
async fn the_first_reviews_of_many_products_come_in_the_order_asked_and_can_be_continued() {
    for shop in shops().await {
        let products = [id(), id(), id()];
        for _ in 0..4 {
            shop.approved(&products[0], 5).await;
        }
        shop.approved(&products[2], 2).await;
        let request = pb::BatchListReviewsRequest {
            product_ids: products.to_vec(),
            reviews_each: 3,
            sort: pb::ReviewSort::Newest as i32,
        };

        let answer = shop.as_guest().batch_list_reviews(request).await.unwrap().into_inner().products;

        let counts: Vec<usize> = answer.iter().map(|product| product.reviews.len()).collect();
        assert_eq!(counts, [3, 0, 1]);
        assert_eq!(
            answer.iter().map(|product| &product.product_id).collect::<Vec<_>>(),
            products.iter().collect::<Vec<_>>()
        );
        assert!(answer[2].next_page_token.is_empty());
        let rest = pb::ListReviewsRequest {
            product_id: products[0].clone(),
            sort: pb::ReviewSort::Newest as i32,
            page_token: answer[0].next_page_token.clone(),
            ..Default::default()
        };
        let rest = shop.as_guest().list_reviews(rest).await.unwrap().into_inner().reviews;
        assert_eq!(rest.len(), 1);
        assert!(answer[0].reviews.iter().all(|review| review.id != rest[0].id));
    }
}

#[tokio::test]
async fn a_batch_keeps_the_order_and_names_what_is_missing() {
    for shop in shops().await {
        let product = id();
        let (first, second) = (shop.approved(&product, 1).await, shop.approved(&product, 2).await);
        let unknown = id();
        let request = pb::BatchGetReviewsRequest {
            review_ids: vec![second.id.clone(), unknown.clone(), first.id.clone(), second.id.clone()],
        };

        let answer = shop.as_guest().batch_get_reviews(request).await.unwrap().into_inner();

        let ids: Vec<_> = answer.reviews.iter().map(|review| &review.id).collect();
        assert_eq!((ids, answer.missing), (vec![&second.id, &first.id], vec![unknown]));
        let ids = |count| (0..count).map(|_| id()).collect();
        let reviews = |count| pb::BatchGetReviewsRequest { review_ids: ids(count) };
        let summaries = |count| pb::BatchGetSummariesRequest { product_ids: ids(count) };
        let mut client = shop.as_guest();
        let missing = client.batch_get_reviews(reviews(1_500)).await.unwrap().into_inner().missing;
        let counted = client.batch_get_summaries(summaries(1_500)).await.unwrap().into_inner().summaries;
        assert_eq!((missing.len(), counted.len()), (1_500, 1_500));
        for refused in [
            client.batch_get_reviews(reviews(1_501)).await.unwrap_err(),
            client.batch_get_summaries(summaries(1_501)).await.unwrap_err(),
        ] {
            assert_eq!(reason(&refused), "INVALID_FIELDS");
        }
    }
}

#[tokio::test]
async fn a_rejected_review_tells_its_author_why_and_nobody_else() {
    for shop in shops().await {
        let author = customer();
        let written = shop
            .as_user(&author)
            .create_review(writing(&id(), 1))
            .await
            .unwrap()
            .into_inner()
            .review
            .unwrap();
        let rejection = pb::RejectReviewRequest {
            review_id: written.id.clone(),
            rejection: "It is about the weather.".into(),
            etag: written.etag,
            request_id: request_id(),
        };

        shop.moderator().reject_review(rejection).await.unwrap();

        let own = read(shop.as_user(&author), &written.id).await.unwrap();
        assert_eq!(own.rejection, "It is about the weather.");
        assert_eq!(read(shop.as_user(&customer()), &written.id).await, None);
        let mine = pb::ListReviewsRequest { mine: true, ..Default::default() };
        let listed = shop.as_user(&author).list_reviews(mine).await.unwrap().into_inner().reviews;
        assert_eq!(listed.len(), 1);
    }
}

#[tokio::test]
async fn only_the_edge_may_call_and_writing_needs_an_account() {
    for shop in shops().await {
        let other = shop.as_service("orders").create_review(writing(&id(), 1)).await.unwrap_err();
        assert_eq!((other.code(), reason(&other).as_str()), (Code::PermissionDenied, "CALLER_NOT_ALLOWED"));
        let nobody = shop.as_guest().create_review(writing(&id(), 1)).await.unwrap_err();
        assert_eq!((nobody.code(), reason(&nobody).as_str()), (Code::Unauthenticated, "SIGN_IN_REQUIRED"));
        let approval =
            pb::ApproveReviewRequest { review_id: id(), etag: String::new(), request_id: request_id() };
        let clerk = shop.as_user(&staff(&["orders.write"])).approve_review(approval).await.unwrap_err();
        assert_eq!(reason(&clerk), "PERMISSION_MISSING");
        assert!(shop.news().await.is_empty());
    }
}
