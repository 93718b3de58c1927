//! What becomes of an order.

use serde_json::{Value, json};

use crate::acts::{self, Goods, Held, ORDER, goods, seen};
use crate::harness::{Shop, Visitor, pence, text};

pub const CANCEL: &str =
    "mutation($id: ID!, $token: String, $reason: String = \"changed my mind\", $key: ID!) {
    answer: orderCancel(id: $id, token: $token, reason: $reason, idempotencyKey: $key) {
        order { status paymentStatus allowedActions cancelReason } userErrors { code } } }";
pub const SHIP: &str = "mutation($id: ID!, $lines: [OrderLineInput!]!, $key: ID!) {
    answer: orderShip(id: $id, lines: $lines, carrier: \"Gull Post\", trackingNumber: \"G1\", idempotencyKey: $key) {
        order { fulfilmentStatus allowedActions shipments { id carrier trackingNumber lines { quantity } } }
        userErrors { code } } }";
const DELIVER: &str = "mutation($id: ID!, $shipment: ID!, $key: ID!) {
    answer: orderDeliver(id: $id, shipmentId: $shipment, idempotencyKey: $key) {
        order { status fulfilmentStatus allowedActions } userErrors { code } } }";
pub const REFUND: &str = "mutation($id: ID!, $amount: MoneyInput, $key: ID!) {
    answer: orderRefund(id: $id, amount: $amount, reason: \"late\", idempotencyKey: $key) {
        order { paymentStatus refundedAmount { amount } } userErrors { code } } }";
pub const RETURN: &str =
    "mutation($id: ID!, $token: String, $lines: [OrderLineInput!]!, $reason: String = \"broken\",
        $key: ID!) {
    answer: orderReturnRequest(id: $id, token: $token, lines: $lines, reason: $reason, idempotencyKey: $key) {
        order { status returns { id status lines { quantity } } } returnId userErrors { code } } }";
const APPROVE: &str = "mutation($id: ID!, $return: ID!, $key: ID!) {
    answer: orderReturnApprove(id: $id, returnId: $return, idempotencyKey: $key) {
        order { returns { status } } userErrors { code } } }";
const RECEIVE: &str = "mutation($id: ID!, $return: ID!, $key: ID!) {
    answer: orderReturnReceive(id: $id, returnId: $return, restock: true, idempotencyKey: $key) {
        order { fulfilmentStatus returns { status } } userErrors { code } } }";

/// A paid order of a guest.
async fn order(shop: &Shop, quantity: i64) -> (Visitor, Visitor, Goods, Held) {
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 9).await;
    let guest = shop.guest();
    let order = acts::bought(&guest, &goods, quantity).await;
    acts::paid(&guest, &order).await;
    (staff, guest, goods, order)
}

/// Sends all of it and says that it arrived.
pub async fn deliver(staff: &Visitor, order: &Held) {
    let shipped = staff.done(SHIP, json!({ "id": order.id, "lines": [] })).await;
    let shipment = &shipped["order"]["shipments"][0]["id"];
    staff.done(DELIVER, json!({ "id": order.id, "shipment": shipment })).await;
}

pub fn money(amount: &str) -> Value {
    json!({ "amount": amount, "currencyCode": "GBP" })
}

#[tokio::test]
async fn a_cancelled_order_gives_money_and_goods_back() {
    let shop = Shop::shared();
    let (staff, guest, goods, order) = order(&shop, 2).await;

    let cancelled = guest.done(CANCEL, seen(&order)).await;

    assert_eq!(cancelled["order"]["status"], "CANCELLED");
    assert_eq!(cancelled["order"]["cancelReason"], "changed my mind");
    let order = guest.eventually(ORDER, seen(&order), |order| order["paymentStatus"] == "REFUNDED").await;
    assert_eq!(order["refundedAmount"], order["paidAmount"]);
    assert_eq!(order["allowedActions"], json!([]));
    assert_eq!(acts::stock(&staff, &goods.sku).await, [9, 9, 0, 0]);
}

#[tokio::test]
async fn what_was_sent_can_not_be_cancelled() {
    let shop = Shop::shared();
    let (staff, guest, goods, order) = order(&shop, 2).await;
    staff.done(SHIP, json!({ "id": order.id, "lines": [] })).await;

    assert_eq!(guest.refused(CANCEL, seen(&order)).await, "ORDER_SHIPPED");
    assert_eq!(acts::stock(&staff, &goods.sku).await, [9, 7, 0, 2]);
}

#[tokio::test]
async fn an_order_travels_in_two_parcels() {
    let shop = Shop::shared();
    let (staff, guest, _, order) = order(&shop, 3).await;
    let line = guest.look(ORDER, seen(&order)).await["lines"][0]["id"].take();
    let some = |quantity: i64| json!({ "id": order.id, "lines": [{ "lineId": line, "quantity": quantity }] });

    let first = staff.done(SHIP, some(1)).await["order"].take();
    assert_eq!(first["fulfilmentStatus"], "PARTIALLY_SHIPPED");
    assert_eq!(first["shipments"][0]["carrier"], "Gull Post");
    assert_eq!(staff.refused(SHIP, some(3)).await, "QUANTITY_EXCEEDS_OPEN");
    let second = staff.done(SHIP, some(2)).await["order"].take();
    assert_eq!(second["fulfilmentStatus"], "SHIPPED");

    let mut states = Vec::new();
    for shipment in second["shipments"].as_array().unwrap() {
        let arrived = json!({ "id": order.id, "shipment": shipment["id"] });
        let delivered = staff.done(DELIVER, arrived).await["order"].take();
        states.push((text(&delivered["status"]), text(&delivered["fulfilmentStatus"])));
    }
    let said = |status: &str, fulfilment: &str| (status.to_owned(), fulfilment.to_owned());
    assert_eq!(states, [said("OPEN", "PARTIALLY_DELIVERED"), said("CLOSED", "DELIVERED")]);
    let seen = guest.look(ORDER, seen(&order)).await;
    assert_eq!(
        (&seen["lines"][0]["shippedQuantity"], &seen["lines"][0]["deliveredQuantity"]),
        (&json!(3), &json!(3))
    );
}

#[tokio::test]
async fn money_goes_back_in_parts_and_never_more_than_came() {
    let shop = Shop::shared();
    let (staff, guest, _, order) = order(&shop, 2).await;
    let paid = 2_000 + acts::STANDARD_PENCE;
    let refund = |amount: Value| json!({ "id": order.id, "amount": amount });

    // The bank may be slow to answer; the order shows a refund once it has.
    let given = async |status: &str| {
        let order = guest.eventually(ORDER, seen(&order), |order| order["paymentStatus"] == *status).await;
        pence(&order["refundedAmount"]["amount"])
    };

    staff.done(REFUND, refund(money("5.00"))).await;
    assert_eq!(given("PARTIALLY_REFUNDED").await, 500);
    assert_eq!(staff.refused(REFUND, refund(money("19.00"))).await, "AMOUNT_EXCEEDS_PAID");
    // Two at once that fit one by one, and not together.
    let (one, other) = futures::join!(
        staff.look(REFUND, refund(money("15.00"))),
        staff.look(REFUND, refund(money("15.00")))
    );
    let refused: Vec<&Value> =
        [&one, &other].into_iter().filter(|answer| answer["userErrors"] != json!([])).collect();
    assert_eq!(refused.len(), 1, "{one} {other}");
    assert_eq!(refused[0]["userErrors"][0]["code"], "AMOUNT_EXCEEDS_PAID");

    staff.done(REFUND, refund(Value::Null)).await;
    assert_eq!(given("REFUNDED").await, paid);
    assert_eq!(staff.refused(REFUND, refund(money("0.01"))).await, "AMOUNT_EXCEEDS_PAID");
    let seen = guest.look(ORDER, seen(&order)).await;
    assert_eq!(seen["refundedAmount"], seen["paidAmount"]);
}

#[tokio::test]
async fn what_came_broken_goes_back_and_is_stock_again() {
    let shop = Shop::shared();
    let (staff, guest, goods, order) = order(&shop, 3).await;
    let line = guest.look(ORDER, seen(&order)).await["lines"][0]["id"].take();
    let back = |quantity: i64| json!({ "id": order.id, "token": order.token, "lines": [{ "lineId": line, "quantity": quantity }] });
    // Nobody sends back what has not come.
    assert_eq!(guest.refused(RETURN, back(1)).await, "QUANTITY_EXCEEDS_OPEN");
    deliver(&staff, &order).await;

    let asked = guest.done(RETURN, back(2)).await;
    assert_eq!(asked["order"]["returns"][0]["status"], "REQUESTED");
    assert_eq!(guest.refused(RETURN, back(2)).await, "QUANTITY_EXCEEDS_OPEN");
    let with = json!({ "id": order.id, "return": asked["returnId"] });
    let approved = staff.done(APPROVE, with.clone()).await;
    assert_eq!(approved["order"]["returns"][0]["status"], "APPROVED");
    let received = staff.done(RECEIVE, with.clone()).await["order"].take();
    assert_eq!(
        (&received["fulfilmentStatus"], &received["returns"][0]["status"]),
        (&json!("PARTIALLY_RETURNED"), &json!("RECEIVED"))
    );
    assert_eq!(staff.refused(APPROVE, with).await, "RETURN_NOT_OPEN");

    let look = "query($id: ID!) { answer: product(id: $id) { variants { nodes { quantityAvailable } } } }";
    staff
        .eventually(look, json!({ "id": goods.product }), |product| {
            product["variants"]["nodes"][0]["quantityAvailable"] == 8
        })
        .await;
    assert_eq!(acts::stock(&staff, &goods.sku).await, [9, 8, 0, 1]);
}
