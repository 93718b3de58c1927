//! A basket that its owner keeps changing his mind about, watched while he does.

use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::acts::{self, goods};
use crate::ears::stream;
use crate::harness::{Shop, Visitor};

const NEWS_TIME_MAX: Duration = Duration::from_secs(30);

/// Listens until a word is said; acts as soon as the present state has come.
pub async fn heard(
    visitor: &Visitor,
    document: &str,
    variables: Value,
    word: &str,
    act: impl Future,
) -> String {
    let mut pieces = stream(visitor, document, variables).await.bytes_stream();
    let mut said = String::new();
    let listening = async {
        let present = pieces.next().await.unwrap().unwrap();
        said.push_str(&String::from_utf8_lossy(&present));
        act.await;
        while !said.contains(word) {
            said.push_str(&String::from_utf8_lossy(&pieces.next().await.unwrap().unwrap()));
        }
    };
    timeout(NEWS_TIME_MAX, listening).await.expect("the news comes");
    said
}

#[tokio::test]
async fn lines_are_set_and_removed_in_front_of_whoever_watches() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let (mug, bell) = (goods(&staff, "10.00", 9).await, goods(&staff, "3.00", 9).await);
    let guest = shop.guest();
    let cart = acts::cart(&guest, &[(&mug, 1), (&bell, 2)]).await;
    let look = "query($id: ID, $token: String) { answer: cart(id: $id, token: $token) {
        lines { nodes { id merchandiseId quantity } } etag cost { totalAmount { amount } }
        shippingOptions { methodId } buyerIdentity { countryCode } } }";
    let key = json!({ "id": cart.id, "token": cart.token });
    let seen = guest.look(look, key.clone()).await;
    let lines = &seen["lines"]["nodes"];
    assert_eq!(lines[1]["quantity"], 2);

    let set = "mutation($id: ID, $token: String, $lines: [CartLineUpdateInput!]!, $etag: String, $key: ID!) {
        answer: cartLinesUpdate(cartId: $id, token: $token, lines: $lines, etag: $etag, idempotencyKey: $key) {
            cart { totalQuantity } userErrors { code } } }";
    let mut three = key.clone();
    three["lines"] = json!([{ "id": lines[0]["id"], "quantity": 3 }]);
    three["etag"] = seen["etag"].clone();
    let watch =
        "subscription($id: ID, $token: String) { cartUpdated(id: $id, token: $token) { totalQuantity } }";
    heard(&guest, watch, key.clone(), "\"totalQuantity\":5", async {
        guest.done(set, three.clone()).await;
    })
    .await;
    assert_eq!(guest.refused(set, three).await, "CHANGED_MEANWHILE");

    let remove = "mutation($id: ID, $token: String, $lines: [ID!]!, $key: ID!) {
        answer: cartLinesRemove(cartId: $id, token: $token, lineIds: $lines, idempotencyKey: $key) {
            cart { totalQuantity } userErrors { code } } }";
    let mut gone = key.clone();
    gone["lines"] = json!([lines[1]["id"]]);
    assert_eq!(guest.done(remove, gone).await["cart"]["totalQuantity"], 3);
    let add = "mutation($id: ID, $token: String, $lines: [CartLineInput!]!, $key: ID!) {
        answer: cartLinesAdd(cartId: $id, token: $token, lines: $lines, idempotencyKey: $key) {
            cart { totalQuantity } userErrors { code } } }";
    let mut back = key.clone();
    back["lines"] = json!([{ "merchandiseId": bell.variant, "quantity": 1 }]);
    assert_eq!(guest.done(add, back).await["cart"]["totalQuantity"], 4);
    let travel = "mutation($id: ID, $token: String, $key: ID!) {
        answer: cartBuyerIdentityUpdate(cartId: $id, token: $token, buyerIdentity: { countryCode: \"DE\", currencyCode: \"GBP\" },
            idempotencyKey: $key) { cart { id } userErrors { code } } }";
    guest.done(travel, key.clone()).await;
    let there = guest.look(look, key).await;
    assert_eq!(there["buyerIdentity"]["countryCode"], "DE");
    assert!(!there["shippingOptions"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_checkout_is_changed_given_up_and_its_goods_are_free() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let mug = goods(&staff, "10.00", 9).await;
    let guest = shop.guest();
    let ready = acts::ready(&guest, &mug, 2).await;
    let key = acts::seen(&ready.held);
    let update = "mutation($id: ID!, $token: String, $key: ID!) {
        answer: checkoutUpdate(checkoutId: $id, token: $token, input: { email: \"other@example.com\" },
            idempotencyKey: $key) { checkout { email shippingOptions { methodId } } userErrors { code } } }";
    let changed = guest.done(update, key.clone()).await["checkout"].take();
    assert_eq!(changed["email"], "other@example.com");
    let waiting = acts::pay(&guest, &ready, "test_action_required").await;
    assert_eq!(waiting["status"], "ACTION_REQUIRED");
    let stock = "subscription($skus: [String!]!) { stockChanged(skus: $skus) { quantityAvailable } }";
    let cancel = "mutation($id: ID!, $token: String, $key: ID!) {
        answer: checkoutCancel(checkoutId: $id, token: $token, idempotencyKey: $key) {
            checkout { status } userErrors { code } } }";
    let watch =
        "subscription($id: ID!, $token: String) { checkoutUpdated(id: $id, token: $token) { status } }";

    let free = "\"quantityAvailable\":9";
    heard(&guest, stock, json!({ "skus": [mug.sku] }), free, async {
        heard(&guest, watch, key.clone(), "\"FAILED\"", async {
            guest.done(cancel, key.clone()).await;
        })
        .await;
    })
    .await;

    assert_eq!(acts::stock(&staff, &mug.sku).await, [9, 9, 0, 0]);
}
