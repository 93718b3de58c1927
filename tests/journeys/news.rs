//! News of carts, checkouts and stock: the same over a WebSocket as over an event stream.

use serde_json::json;

use crate::acts::{self, goods};
use crate::ears::Ear;
use crate::harness::Shop;

#[tokio::test]
async fn a_cart_tells_of_every_change() {
    let shop = Shop::shared();
    let goods = goods(&shop.staff().await, "10.00", 9).await;
    let guest = shop.guest();
    let cart = acts::cart(&guest, &[(&goods, 1)]).await;
    let watch = "subscription($id: ID!, $token: String) { answer: cartUpdated(id: $id, token: $token) {
        totalQuantity cost { totalAmount { amount } } } }";
    let add = "mutation($id: ID!, $token: String, $variant: ID!, $key: ID!) { answer: cartLinesAdd(cartId: $id, token: $token,
        lines: [{ merchandiseId: $variant, quantity: 2 }], idempotencyKey: $key) { userErrors { code } } }";
    let mut ears = Ear::both(&guest, watch, acts::seen(&cart)).await;
    for ear in &mut ears {
        assert_eq!(ear.next().await.unwrap()["totalQuantity"], 1, "the present state comes first");
    }

    guest.done(add, json!({ "id": cart.id, "token": cart.token, "variant": goods.variant })).await;

    for ear in &mut ears {
        ear.until(|cart| cart["totalQuantity"] == 3 && cart["cost"]["totalAmount"]["amount"] == "30.00")
            .await;
    }
}

#[tokio::test]
async fn stock_tells_what_can_be_had() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 9).await;
    let guest = shop.guest();
    let watch =
        "subscription($skus: [String!]!) { answer: stockChanged(skus: $skus) { sku quantityAvailable } }";
    let mut ears = Ear::both(&guest, watch, json!({ "skus": [goods.sku] })).await;
    for ear in &mut ears {
        assert_eq!(ear.next().await, Some(json!({ "sku": goods.sku, "quantityAvailable": 9 })));
    }

    acts::count(&staff, &goods.sku, 4).await;

    for ear in &mut ears {
        ear.until(|stock| stock["quantityAvailable"] == 4).await;
    }
}

#[tokio::test]
async fn a_checkout_tells_how_it_ends_and_then_no_more() {
    let shop = Shop::shared();
    let goods = goods(&shop.staff().await, "10.00", 9).await;
    let guest = shop.guest();
    let ready = acts::ready(&guest, &goods, 1).await;
    let watch = "subscription($id: ID!, $token: String) { answer: checkoutUpdated(id: $id, token: $token) {
        status order { number } } }";
    let mut ears = Ear::both(&guest, watch, acts::seen(&ready.held)).await;
    for ear in &mut ears {
        assert_eq!(ear.next().await, Some(json!({ "status": "READY", "order": null })));
    }

    let paid = acts::pay(&guest, &ready, "test_approve").await;

    for ear in &mut ears {
        let number = &paid["order"]["number"];
        ear.until(|checkout| checkout["status"] == "COMPLETED" && checkout["order"]["number"] == *number)
            .await;
        assert_eq!(ear.next().await, None, "a checkout that is done changes no more");
    }
}
