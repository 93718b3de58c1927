//! Reviews from elsewhere.

use futures::future::join_all;

use crate::support::{id, importing, shops};

#[tokio::test]
async fn imported_reviews_count_at_once_and_only_once() {
    for shop in shops().await {
        let product = id();

        let first = shop.moderator().import_reviews(importing(&product, 0..10)).await.unwrap().into_inner();
        let second = shop.moderator().import_reviews(importing(&product, 5..12)).await.unwrap().into_inner();

        assert_eq!((first.created_count, first.unchanged_count), (10, 0));
        assert_eq!((second.created_count, second.unchanged_count), (2, 5));
        assert_eq!(shop.summary(&product).await.review_count, 12);
    }
}

#[tokio::test]
async fn reviews_imported_several_times_at_once_are_imported_once() {
    for shop in shops().await {
        let products = [id(), id()];
        let importers = (0..8).map(|number| {
            let mut request = importing(&products[0], 0..20);
            request.reviews.extend(importing(&products[1], 0..20).reviews);
            // Half of them come from the other end, so that they meet in the middle.
            if number % 2 == 1 {
                request.reviews.reverse();
            }
            let mut client = shop.moderator();
            async move { client.import_reviews(request).await }
        });

        let answers = join_all(importers).await;

        let created = answers.into_iter().map(|answer| answer.unwrap().into_inner().created_count);
        assert_eq!(created.sum::<i64>(), 40);
        for product in &products {
            assert_eq!(shop.summary(product).await.review_count, 20);
        }
    }
}
