//! What buyers say, and what becomes of it.

use serde_json::json;

use crate::acts::{self, goods};
use crate::after::deliver;
use crate::harness::Shop;

const CREATE: &str = "mutation($product: ID!, $rating: Int!, $key: ID!) {
    answer: reviewCreate(productId: $product, authorName: \"Grace\",
        input: { rating: $rating, title: \"As told\", body: \"It does what it says.\" }, idempotencyKey: $key) {
        review { id status verifiedPurchase mine } userErrors { code } } }";
const APPROVE: &str = "mutation($id: ID!, $key: ID!) {
    answer: reviewApprove(id: $id, idempotencyKey: $key) { review { status } userErrors { code } } }";
const REJECT: &str = "mutation($id: ID!, $key: ID!) {
    answer: reviewReject(id: $id, rejection: \"advertising\", idempotencyKey: $key) {
        review { status } userErrors { code } } }";
const SEEN: &str = "query($id: ID!) { answer: product(id: $id) { rating { average count histogram }
    reviews(first: 10) { nodes { id rating verifiedPurchase } } } }";

#[tokio::test]
async fn who_bought_and_got_it_reviews_as_a_buyer() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 9).await;
    let (buyer, talker) = (shop.customer().await, shop.customer().await);
    let order = acts::bought(&buyer, &goods, 1).await;
    acts::paid(&buyer, &order).await;
    deliver(&staff, &order).await;

    let review = json!({ "product": goods.product, "rating": 5 });
    let said = buyer.done(CREATE, review.clone()).await["review"].take();
    let talked = talker.done(CREATE, json!({ "product": goods.product, "rating": 1 })).await["review"].take();
    assert_eq!((&said["status"], &said["mine"]), (&json!("PENDING"), &json!(true)));
    assert_eq!(buyer.refused(CREATE, review).await, "ALREADY_REVIEWED");
    // Nobody else reads it before somebody has looked at it.
    let page = shop.guest().look(SEEN, json!({ "id": goods.product })).await;
    assert_eq!((&page["rating"]["count"], &page["reviews"]["nodes"]), (&json!(0), &json!([])));

    let queue = "{ answer: reviewQueue(first: 100) { nodes { id } } }";
    let queue = staff.look(queue, json!({})).await;
    for review in [&said, &talked] {
        assert!(queue["nodes"].as_array().unwrap().contains(&json!({ "id": review["id"] })));
        staff.done(APPROVE, json!({ "id": review["id"] })).await;
    }

    // That it arrived is news, and news travel.
    let guest = shop.guest();
    let page = guest
        .eventually(SEEN, json!({ "id": goods.product }), |page| {
            let nodes = page["reviews"]["nodes"].as_array().unwrap();
            nodes.len() == 2 && nodes.iter().any(|review| review["verifiedPurchase"] == true)
        })
        .await;
    assert_eq!(page["rating"], json!({ "average": "3.00", "count": 2, "histogram": [1, 0, 0, 0, 1] }));
    for review in page["reviews"]["nodes"].as_array().unwrap() {
        assert_eq!(review["verifiedPurchase"], json!(review["id"] == said["id"]), "{review}");
    }
}

#[tokio::test]
async fn what_is_rejected_is_never_seen() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 9).await;
    let talker = shop.customer().await;
    let said = talker.done(CREATE, json!({ "product": goods.product, "rating": 5 })).await["review"].take();

    let answer = talker.answer(APPROVE, json!({ "id": said["id"] })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "PERMISSION_DENIED");
    let rejected = staff.done(REJECT, json!({ "id": said["id"] })).await;

    assert_eq!(rejected["review"]["status"], "REJECTED");
    let page = shop.guest().look(SEEN, json!({ "id": goods.product })).await;
    assert_eq!((&page["rating"]["count"], &page["reviews"]["nodes"]), (&json!(0), &json!([])));
    let mine = "{ answer: customer { reviews { nodes { status rejection } } } }";
    let mine = talker.look(mine, json!({})).await;
    assert_eq!(mine["reviews"]["nodes"], json!([{ "status": "REJECTED", "rejection": "advertising" }]));
}
