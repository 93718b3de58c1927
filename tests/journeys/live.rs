//! News as it happens: over a WebSocket and as an event stream.

use futures::StreamExt;
use serde_json::json;
use tokio::time::timeout;

use crate::acts::{self, Held, goods};
use crate::after::deliver;
use crate::ears::{NEWS_TIME_MAX, connect, hear, say, stream};
use crate::harness::{Shop, Visitor};

const WATCH: &str = "subscription($id: ID!, $token: String) {
    orderUpdated(id: $id, token: $token) { id status fulfilmentStatus } }";

#[tokio::test]
async fn an_event_stream_tells_what_becomes_of_an_order() {
    let shop = Shop::shared();
    let (guest, staff, order) = bought(&shop).await;

    let answer = stream(&guest, WATCH, acts::seen(&order)).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut pieces = answer.bytes_stream();
    let mut heard = String::new();
    let mut told = false;
    let listening = async {
        while !heard.contains("\"CLOSED\"") {
            heard.push_str(&String::from_utf8_lossy(&pieces.next().await.unwrap().unwrap()));
            if !told && heard.contains("\"UNFULFILLED\"") {
                told = true;
                deliver(&staff, &order).await;
            }
        }
    };
    timeout(NEWS_TIME_MAX, listening).await.expect("the news comes");

    assert!(heard.contains("event: next") && heard.contains(&order.id), "{heard}");
}

#[tokio::test]
async fn a_socket_tells_what_becomes_of_an_order() {
    let shop = Shop::shared();
    let (guest, staff, order) = bought(&shop).await;
    let mut socket = connect(&shop.edge, "graphql-transport-ws").await;
    say(&mut socket, json!({ "type": "connection_init" })).await;
    assert_eq!(hear(&mut socket).await["type"], "connection_ack");
    let payload = json!({ "query": WATCH, "variables": acts::seen(&order) });
    say(&mut socket, json!({ "id": "1", "type": "subscribe", "payload": payload })).await;

    let first = hear(&mut socket).await;
    assert_eq!((&first["type"], &first["id"]), (&json!("next"), &json!("1")));
    assert_eq!(first["payload"]["data"]["orderUpdated"]["fulfilmentStatus"], "UNFULFILLED");
    deliver(&staff, &order).await;
    loop {
        let news = hear(&mut socket).await;
        if news["payload"]["data"]["orderUpdated"]["status"] == "CLOSED" {
            break;
        }
    }

    // Who has no token hears nothing but that there is nothing.
    let stranger = json!({ "query": WATCH, "variables": { "id": order.id } });
    say(&mut socket, json!({ "id": "2", "type": "subscribe", "payload": stranger })).await;
    loop {
        let news = hear(&mut socket).await;
        if news["id"] == "2" {
            assert!(!news.to_string().contains("CLOSED"), "{news}");
            assert!(news.to_string().contains("NOT_FOUND"), "{news}");
            break;
        }
    }
    drop(guest);
}

async fn bought(shop: &Shop) -> (Visitor, Visitor, Held) {
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 9).await;
    let guest = shop.guest();
    let order = acts::bought(&guest, &goods, 1).await;
    acts::paid(&guest, &order).await;
    (guest, staff, order)
}
