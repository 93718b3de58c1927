//! Whose review is one of a buyer.

use mesh::testing::customer;

use crate::support::{id, read, shops, writing};

#[tokio::test]
async fn whoever_received_the_product_is_a_verified_buyer_whichever_came_first() {
    for shop in shops().await {
        let (product, other) = (id(), id());
        let buyer = customer();
        let mut client = shop.as_user(&buyer);

        let before = client.create_review(writing(&product, 5)).await.unwrap().into_inner().review.unwrap();
        assert!(!before.verified_purchase);
        shop.deliver(buyer.account, &product).await;
        shop.deliver(buyer.account, &other).await;

        assert!(read(client.clone(), &before.id).await.unwrap().verified_purchase);
        let after = client.create_review(writing(&other, 5)).await.unwrap().into_inner().review.unwrap();
        assert!(after.verified_purchase);
    }
}

#[tokio::test]
async fn a_purchase_that_is_heard_of_while_the_review_is_written_counts() {
    for shop in shops().await {
        for _ in 0..25 {
            let (product, buyer) = (id(), customer());
            let mut client = shop.as_user(&buyer);

            let writing = client.create_review(writing(&product, 5));
            let (written, ()) = futures::join!(writing, shop.deliver(buyer.account, &product));

            let review = written.unwrap().into_inner().review.unwrap();
            assert!(read(client.clone(), &review.id).await.unwrap().verified_purchase);
        }
    }
}
