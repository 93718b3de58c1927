//! What belongs to somebody else does not exist.

use serde_json::{Value, json};

use crate::acts::{self, CHECKOUT, Held, ORDER, goods, seen};
use crate::harness::{Shop, Visitor, text};

const BY_NUMBER: &str =
    "query($number: String!, $token: String) { answer: order(number: $number, token: $token) { id } }";
const CANCEL: &str = "mutation($id: ID!, $token: String, $key: ID!) {
    answer: orderCancel(id: $id, token: $token, idempotencyKey: $key) { order { id } userErrors { code } } }";
const RETURN: &str = "mutation($id: ID!, $line: ID!, $key: ID!) {
    answer: orderReturnRequest(id: $id, lines: [{ lineId: $line, quantity: 1 }], idempotencyKey: $key) {
        order { id } userErrors { code } } }";
const NODES: &str = "query($id: ID!) { answer: nodes(ids: [$id]) { id } }";

/// Tries every way to an order that is not one's own.
async fn finds_nothing(stranger: &Visitor, order: &Value, checkout: &Held) {
    let held = Held { id: text(&order["id"]), token: None };
    assert_eq!(stranger.look(ORDER, seen(&held)).await, Value::Null);
    assert_eq!(stranger.look(BY_NUMBER, json!({ "number": order["number"] })).await, Value::Null);
    let untold = Held { id: checkout.id.clone(), token: None };
    assert_eq!(stranger.look(CHECKOUT, seen(&untold)).await, Value::Null);
    assert_eq!(stranger.refused(CANCEL, seen(&held)).await, "ORDER_NOT_FOUND");
    let line = json!({ "id": held.id, "line": order["lines"][0]["id"] });
    assert_eq!(stranger.refused(RETURN, line).await, "ORDER_NOT_FOUND");
    assert_eq!(stranger.refused(acts::COMPLETE, completion(&untold)).await, "CHECKOUT_NOT_FOUND");
    let watched = "subscription($id: ID!) { orderUpdated(id: $id) { id } }";
    let events = crate::ears::events(stranger, watched, json!({ "id": held.id })).await;
    assert!(events.contains("NOT_FOUND"), "{events}");
    assert!(!events.contains(&text(&order["number"])), "{events}");
}

fn completion(checkout: &Held) -> Value {
    json!({ "id": checkout.id, "quote": "0".repeat(64), "card": "test_approve" })
}

#[tokio::test]
async fn another_customers_order_is_not_found_on_any_way() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 9).await;
    let (owner, stranger) = (shop.customer().await, shop.customer().await);
    let ready = acts::ready(&owner, &goods, 1).await;
    let checkout = acts::pay(&owner, &ready, "test_approve").await;
    let held = Held { id: text(&checkout["order"]["id"]), token: None };
    let order = owner.look(ORDER, seen(&held)).await;
    assert_eq!(order["id"], json!(held.id));

    finds_nothing(&stranger, &order, &ready.held).await;
    assert_eq!(stranger.look(NODES, json!({ "id": held.id })).await, json!([null]));
    let mine = "{ answer: customer { orders { nodes { id } } } }";
    assert_eq!(stranger.look(mine, json!({})).await["orders"]["nodes"], json!([]));
    finds_nothing(&shop.guest(), &order, &ready.held).await;

    // After all of that it is as it was, and its owner and staff see it.
    assert_eq!(owner.look(ORDER, seen(&held)).await["status"], "OPEN");
    assert_eq!(staff.look(ORDER, seen(&held)).await["number"], order["number"]);
}

#[tokio::test]
async fn a_guests_order_needs_its_token() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 9).await;
    let guest = shop.guest();
    let ready = acts::ready(&guest, &goods, 1).await;
    let other = acts::ready(&guest, &goods, 1).await;
    let checkout = acts::pay(&guest, &ready, "test_approve").await;
    let held = Held { id: text(&checkout["order"]["id"]), token: ready.held.token.clone() };
    let order = guest.look(ORDER, seen(&held)).await;
    assert_eq!(order["id"], json!(held.id));
    let named = json!({ "number": order["number"], "token": held.token });
    assert_eq!(guest.look(BY_NUMBER, named).await["id"], json!(held.id));

    finds_nothing(&shop.guest(), &order, &ready.held).await;
    finds_nothing(&shop.customer().await, &order, &ready.held).await;
    let guessed = Held { id: held.id.clone(), token: other.held.token };
    assert_eq!(guest.look(ORDER, seen(&guessed)).await, Value::Null);
    assert_eq!(guest.refused(CANCEL, seen(&guessed)).await, "ORDER_NOT_FOUND");
}

#[tokio::test]
async fn a_guests_cart_needs_its_token() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 9).await;
    let cart = acts::cart(&shop.guest(), &[(&goods, 1)]).await;
    let look = "query($id: ID, $token: String) { answer: cart(id: $id, token: $token) { totalQuantity } }";
    let add = "mutation($id: ID, $token: String, $variant: ID!, $key: ID!) {
        answer: cartLinesAdd(cartId: $id, token: $token, lines: [{ merchandiseId: $variant }],
            idempotencyKey: $key) { cart { id } userErrors { code } } }";

    for stranger in [shop.guest(), shop.customer().await] {
        for token in [None, Some("A".repeat(43))] {
            let held = json!({ "id": cart.id, "token": token, "variant": goods.variant });
            assert_eq!(stranger.look(look, json!({ "id": cart.id, "token": token })).await, Value::Null);
            assert_eq!(stranger.refused(add, held).await, "CART_NOT_FOUND");
        }
    }
    assert_eq!(shop.guest().look(look, seen(&cart)).await["totalQuantity"], 1);
}
