//! News of carts, checkouts and stock: the same over a WebSocket as over an event stream.

use std::pin::Pin;

use futures::{Stream, StreamExt};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::acts::{self, goods};
use crate::harness::{Shop, Visitor};
use crate::live::{self, NEWS_TIME_MAX, Socket, connect, hear, say};

/// Whoever listens to one subscription.
enum Ear {
    Socket(Box<Socket>),
    Events { pieces: Pin<Box<dyn Stream<Item = reqwest::Result<Vec<u8>>> + Send>>, heard: String },
}

impl Ear {
    /// By both ways.
    async fn both(shop: &Shop, visitor: &Visitor, document: &str, variables: Value) -> [Self; 2] {
        let mut socket = connect(shop, "graphql-transport-ws").await;
        say(&mut socket, json!({ "type": "connection_init" })).await;
        assert_eq!(hear(&mut socket).await["type"], "connection_ack");
        let payload = json!({ "query": document, "variables": variables });
        say(&mut socket, json!({ "id": "1", "type": "subscribe", "payload": payload })).await;
        let pieces = live::stream(visitor, document, variables).await.bytes_stream();
        let pieces = Box::pin(pieces.map(|piece| piece.map(|bytes| bytes.to_vec())));
        [Ear::Socket(Box::new(socket)), Ear::Events { pieces, heard: String::new() }]
    }

    /// What is under `answer` in the next news; nothing when there will be no more.
    async fn next(&mut self) -> Option<Value> {
        let answer = match self {
            Ear::Socket(socket) => {
                let message = hear(socket).await;
                match message["type"].as_str() {
                    Some("complete") => return None,
                    kind => assert_eq!(kind, Some("next"), "{message}"),
                }
                message["payload"].clone()
            }
            Ear::Events { pieces, heard } => loop {
                if let Some((event, rest)) = heard.split_once("\n\n") {
                    let (event, rest) = (event.to_owned(), rest.to_owned());
                    *heard = rest;
                    if event.starts_with("event: complete") {
                        return None;
                    }
                    // What is no event is a sign of life.
                    if let Some(data) = event.strip_prefix("event: next\ndata: ") {
                        break serde_json::from_str(data).unwrap();
                    }
                    continue;
                }
                let piece = timeout(NEWS_TIME_MAX, pieces.next()).await.expect("news come");
                heard.push_str(std::str::from_utf8(&piece?.unwrap()).unwrap());
            },
        };
        assert_eq!(answer["errors"], Value::Null, "{answer}");
        Some(answer["data"]["answer"].clone())
    }

    /// News may be skipped, since each tells the whole state; what was wanted comes in the end.
    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) {
        loop {
            let news = self.next().await.expect("there is more to come");
            if wanted(&news) {
                return;
            }
        }
    }
}

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
    let mut ears = Ear::both(&shop, &guest, watch, acts::seen(&cart)).await;
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
    let mut ears = Ear::both(&shop, &guest, watch, json!({ "skus": [goods.sku] })).await;
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
    let mut ears = Ear::both(&shop, &guest, watch, acts::seen(&ready.held)).await;
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
