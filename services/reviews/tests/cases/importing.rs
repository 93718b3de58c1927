//! Reviews from elsewhere.

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
