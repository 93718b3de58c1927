//! What becomes of news: everybody who should hear of it has heard, once.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::acts::{self, Held, goods};
use crate::columns::same;
use crate::harness::{PASSWORD, Visitor, text};
use crate::inbox;

/// Long enough for what is told twice to have come twice.
const QUIET: Duration = Duration::from_secs(1);

const REVIEW: &str = "mutation($product: ID!, $key: ID!) { answer: reviewCreate(productId: $product,
    authorName: \"Grace\", input: { rating: 5, title: \"Good\" }, idempotencyKey: $key) {
        review { id } userErrors { code } } }";
const SHIP: &str = "mutation($id: ID!, $key: ID!) { answer: orderShip(id: $id, idempotencyKey: $key) {
    order { shipments { id } } userErrors { code } } }";
const DELIVER: &str = "mutation($id: ID!, $shipment: ID!, $key: ID!) {
    answer: orderDeliver(id: $id, shipmentId: $shipment, idempotencyKey: $key) {
        order { fulfilmentStatus } userErrors { code } } }";

/// Sends all of it and says that it arrived.
pub async fn deliver(staff: &Visitor, order: &Held) {
    let shipped = staff.done(SHIP, json!({ "id": order.id })).await;
    let shipment = &shipped["order"]["shipments"][0]["id"];
    staff.done(DELIVER, json!({ "id": order.id, "shipment": shipment })).await;
}

#[tokio::test]
async fn an_order_is_news_to_payments_reviews_stock_search_and_the_figures() {
    same("news of an order", "gateway", async |shop| {
        let staff = shop.front.staff().await;
        let (mug, tea) = (goods(&staff, "10.00", 9).await, goods(&staff, "3.00", 9).await);
        let customer = shop.front.customer().await;
        let cart = acts::cart(&customer, &[(&mug, 2), (&tea, 1)]).await;
        let ready = acts::checkout(&customer, &cart).await;
        let paid = acts::pay(&customer, &ready, "test_approve").await;
        let order = Held { id: text(&paid["order"]["id"]), token: None };
        let number = text(&acts::paid(&customer, &order).await["number"]);
        for goods in [&mug, &tea] {
            shop.hear(format!("{:?}", acts::stock(&staff.unheard(), &goods.sku).await));
        }

        deliver(&staff, &order).await;
        let review = customer.done(REVIEW, json!({ "product": mug.product })).await["review"]["id"].take();
        let verified = "query($id: ID!) { answer: node(id: $id) { ... on Review { verifiedPurchase status } } }";
        let heard = |review: &Value| review["verifiedPurchase"] == true;
        customer.eventually(verified, json!({ "id": review }), heard).await;

        let together = "query($id: ID!) { answer: product(id: $id) { boughtTogether(first: 1) {
            product { id } explanation { reason orderCount message } } } }";
        let paired = |page: &Value| page["boughtTogether"][0]["explanation"]["orderCount"] == 1;
        customer.eventually(together, json!({ "id": mug.product }), paired).await;

        let figures = "{ answer: analytics {
            products(first: 100, sortKey: UNITS) { nodes { product { id } unitCount revenue { amount } } } } }";
        let own = |figures: &Value| {
            let nodes = figures["products"]["nodes"].as_array().unwrap().clone();
            nodes.into_iter().find(|sales| sales["product"]["id"] == json!(mug.product))
        };
        let quiet = staff.unheard();
        let sold = |figures: &Value| own(figures).is_some();
        let counted = own(&quiet.eventually(figures, json!({}), sold).await).unwrap();
        shop.hear(counted.to_string());

        let subject = format!("Your order {number}");
        inbox::one(&shop.front, "buyer@example.com", &subject).await;
        tokio::time::sleep(QUIET).await;
        assert_eq!(inbox::all(&shop.front, "buyer@example.com", &subject).await.len(), 1, "one mail");
        assert!(paired(&quiet.look(together, json!({ "id": mug.product })).await), "learnt from once");
        assert_eq!(own(&quiet.look(figures, json!({})).await), Some(counted), "counted once");
    })
    .await;
}

#[tokio::test]
async fn what_returns_to_the_shelf_is_found_and_told() {
    same("back in stock", "gateway", async |shop| {
        let staff = shop.front.staff().await;
        let goods = goods(&staff, "10.00", 0).await;
        let guest = shop.front.guest();
        let email = format!("{}@example.com", Uuid::new_v4().simple());
        let register = "mutation($email: String!, $password: String!, $key: ID!) {
            answer: customerRegister(email: $email, password: $password, givenName: \"Grace\", familyName: \"H\",
                idempotencyKey: $key) { userErrors { code } } }";
        guest.done(register, json!({ "email": email, "password": PASSWORD })).await;
        let token = inbox::token(&shop.front, &email, "Confirm your address").await;
        let verify = "mutation($token: String!, $key: ID!) {
            answer: customerVerifyEmail(token: $token, idempotencyKey: $key) { userErrors { code } } }";
        guest.done(verify, json!({ "token": token })).await;
        let customer = shop.front.signed_in(&email, PASSWORD).await;
        let wish = "mutation($variants: [ID!]!, $key: ID!) { answer: wishlistAdd(productIds: [],
            notifyVariantIds: $variants, idempotencyKey: $key) { items { productId } userErrors { code } } }";
        customer.done(wish, json!({ "variants": [goods.variant] })).await;
        acts::count(&staff, &goods.sku, 5).await;

        let told = inbox::one(&shop.front, &email, "Back in stock").await;
        shop.hear(told.lines().filter(|line| line.contains("Thing of a journey")).collect());
        let search = "query($words: String!) { answer: search(query: $words, filters: [{ available: true }],
            first: 5) { totalCount nodes { id title } } }";
        let first = |seen: &Value| seen["nodes"][0]["id"] == json!(goods.product);
        let found = guest.unheard().eventually(search, json!({ "words": goods.sku }), first).await;
        shop.hear(found["nodes"][0].to_string());
        let archive = "mutation($id: ID!, $key: ID!) { answer: productArchive(id: $id, idempotencyKey: $key) {
            product { status } userErrors { code } } }";
        staff.done(archive, json!({ "id": goods.product })).await;
        // Others of like names may be found in its place.
        let gone = |seen: &Value| !seen["nodes"].to_string().contains(&goods.product);
        guest.unheard().eventually(search, json!({ "words": goods.sku }), gone).await;
        tokio::time::sleep(QUIET).await;
        assert_eq!(inbox::all(&shop.front, &email, "Back in stock").await.len(), 1, "one mail");
    })
    .await;
}
