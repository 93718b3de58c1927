//! Views that the edge records.

use std::time::Duration;

use mesh::testing::staff;
use proto::analytics as pb;
use tonic::Code;
use uuid::Uuid;

use crate::support::{order, product, reason, shops};

fn views(product_id: &str, count: i64) -> pb::ProductViews {
    pb::ProductViews { product_id: product_id.to_owned(), country: "GB".into(), count }
}

fn batch(views: Vec<pb::ProductViews>) -> pb::RecordViewsRequest {
    pb::RecordViewsRequest { views, request_id: Uuid::new_v4().to_string() }
}

#[tokio::test]
async fn a_batch_of_views_counts_once() {
    for shop in shops().await {
        let (mug, lamp) = (Uuid::now_v7(), Uuid::now_v7());
        let sold = order("2011-05-01T10:00:00Z", &[("MUG", 1, 300)]);
        shop.hear_all(&[product(mug, &["MUG"], "2011-05-01T10:00:00Z"), sold.placed()]).await;
        let mut edge = shop.as_service("gateway");

        let first = batch(vec![views(&mug.to_string(), 3), views(&lamp.to_string(), 1)]);
        edge.record_views(first.clone()).await.unwrap();
        edge.record_views(first).await.unwrap();
        edge.record_views(batch(vec![views(&mug.to_string(), 2)])).await.unwrap();
        // In the next year, which is not asked for.
        shop.clock.advance(Duration::from_secs(90 * 24 * 3600));
        edge.record_views(batch(vec![views(&mug.to_string(), 9)])).await.unwrap();

        assert_eq!(shop.funnel().await.product_views, 6);
        assert_eq!(shop.products().await[0].views, 5);
    }
}

#[tokio::test]
async fn only_the_edge_records_views_and_in_nobodys_name() {
    for shop in shops().await {
        let request = batch(vec![views(&Uuid::now_v7().to_string(), 1)]);

        let refused = shop.as_service("orders").record_views(request.clone()).await.unwrap_err();
        assert_eq!(reason(&refused), "CALLER_NOT_ALLOWED");
        // A person's token is not even sent.
        shop.as_user(Some(staff(&[]))).record_views(request.clone()).await.unwrap();
        shop.as_service("gateway").record_views(request).await.unwrap();
        assert_eq!(shop.funnel().await.product_views, 1);
    }
}

#[tokio::test]
async fn a_wrong_batch_is_refused_whole() {
    for shop in shops().await {
        let product = Uuid::now_v7().to_string();
        let wrong = [
            batch(Vec::new()),
            batch(vec![views(&product, 0)]),
            batch(vec![views(&product, 1_000_001)]),
            batch(vec![views("?", 1)]),
            batch(vec![views(&product, 1), views(&product, 1)]),
            batch(vec![pb::ProductViews { country: "Albion".into(), ..views(&product, 1) }]),
            batch((0..1_001).map(|_| views(&Uuid::now_v7().to_string(), 1)).collect()),
        ];
        for request in wrong {
            let refused = shop.as_service("gateway").record_views(request).await.unwrap_err();
            assert_eq!(
                (refused.code(), reason(&refused).as_str()),
                (Code::InvalidArgument, "INVALID_FIELDS")
            );
        }
        assert_eq!(shop.funnel().await.product_views, 0);
    }
}
