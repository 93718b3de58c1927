//! What can be watched: its state first, and what becomes of it. Both ways to listen hear the same.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::acts::{self, goods};
use crate::columns::{Column, same};
use crate::ears::Ear;
use crate::events::deliver;
use crate::harness::{Visitor, text};

const CART: &str = "subscription($id: ID!, $token: String) { answer: cartUpdated(id: $id, token: $token) {
    id totalQuantity lines { nodes { quantity } } cost { totalAmount { amount } } } }";
const STOCK: &str =
    "subscription($skus: [String!]!) { answer: stockChanged(skus: $skus) { sku quantityAvailable } }";
const CHECKOUT: &str =
    "subscription($id: ID!, $token: String) { answer: checkoutUpdated(id: $id, token: $token) {
    id status missing order { number } } }";
const ORDER: &str = "subscription($id: ID!, $token: String) { answer: orderUpdated(id: $id, token: $token) {
    id number status paymentStatus fulfilmentStatus shipments { deliveredAt } } }";
const ADD: &str = "mutation($id: ID!, $token: String, $variant: ID!, $key: ID!) {
    answer: cartLinesAdd(cartId: $id, token: $token, lines: [{ merchandiseId: $variant, quantity: 2 }],
        idempotencyKey: $key) { cart { totalQuantity } userErrors { code } } }";

/// Who watched what.
struct Watching<'a> {
    shop: &'a Column,
    watched: BTreeSet<String>,
}

impl Watching<'_> {
    /// Keeps the present state, and the one that a change leads to. Those between may be skipped.
    async fn told(
        &mut self,
        who: &Visitor,
        document: &str,
        variables: Value,
        change: impl Future,
        wanted: impl Fn(&Value) -> bool,
    ) {
        let (_, field) = document.split_once("answer: ").unwrap();
        let (field, _) = field.split_once('(').unwrap();
        self.watched.insert(field.to_owned());
        let mut ears = Ear::both(who, document, variables).await;
        for ear in &mut ears {
            let present = ear.next().await.expect("the present state");
            assert!(!wanted(&present), "{field}: {present}");
            self.shop.hear(format!("{field} {present}"));
        }
        change.await;
        for ear in &mut ears {
            self.shop.hear(format!("{field} {}", ear.until(&wanted).await));
        }
    }

    /// Every subscription of the schema was watched.
    async fn complete(&self, who: &Visitor) {
        let document = "{ answer: __schema { subscriptionType { fields { name } } } }";
        let schema = who.unheard().look(document, json!({})).await;
        let fields = schema["subscriptionType"]["fields"].as_array().unwrap();
        let offered: BTreeSet<String> = fields.iter().map(|field| text(&field["name"])).collect();
        assert_eq!(self.watched, offered);
    }
}

#[tokio::test]
async fn whoever_watches_is_told_the_present_state_and_every_change() {
    same("what is watched", "gateway", async |shop| {
        let (staff, guest) = (shop.front.staff().await, shop.front.guest());
        let goods = goods(&staff, "10.00", 9).await;
        let mut watching = Watching { shop, watched: BTreeSet::new() };

        let fewer = acts::count(&staff, &goods.sku, 4);
        let skus = json!({ "skus": [goods.sku] });
        watching.told(&guest, STOCK, skus, fewer, |stock| stock["quantityAvailable"] == 4).await;

        let cart = acts::cart(&guest, &[(&goods, 1)]).await;
        let line = json!({ "id": cart.id, "token": cart.token, "variant": goods.variant });
        let filled = |cart: &Value| cart["cost"]["totalAmount"]["amount"] == "30.00";
        watching.told(&guest, CART, acts::seen(&cart), guest.done(ADD, line), filled).await;

        let ready = acts::checkout(&guest, &cart).await;
        // It may be answered before or after the capture.
        let (seen, quiet) = (acts::seen(&ready.held), guest.unheard());
        let payment = acts::pay(&quiet, &ready, "test_approve");
        let bought = |checkout: &Value| checkout["order"]["number"].is_string();
        watching.told(&guest, CHECKOUT, seen, payment, bought).await;

        let paid = acts::bought(&quiet, &goods, 1).await;
        acts::paid(&guest, &paid).await;
        let arrived = deliver(&staff, &paid);
        watching.told(&guest, ORDER, acts::seen(&paid), arrived, |order| order["status"] == "CLOSED").await;
        watching.complete(&guest).await;
    })
    .await;
}
