//! News as it happens: over a WebSocket and as an event stream.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::acts::{self, Held, goods};
use crate::after::deliver;
use crate::harness::{Shop, Visitor};

const WATCH: &str = "subscription($id: ID!, $token: String) {
    orderUpdated(id: $id, token: $token) { id status fulfilmentStatus } }";
pub const NEWS_TIME_MAX: Duration = Duration::from_secs(30);

/// Begins an event stream.
pub async fn stream(visitor: &Visitor, document: &str, variables: Value) -> reqwest::Response {
    let mut request = visitor
        .http
        .post(format!("{}/graphql", visitor.edge))
        .header("x-shop-client", "tests")
        .header("accept", "text/event-stream")
        .json(&json!({ "query": document, "variables": variables }));
    if let Some(token) = &visitor.token {
        request = request.bearer_auth(token);
    }
    request.send().await.unwrap()
}

/// All that comes until the stream ends by itself; for what is refused.
pub async fn events(visitor: &Visitor, document: &str, variables: Value) -> String {
    let all = async { stream(visitor, document, variables).await.text().await.unwrap() };
    timeout(NEWS_TIME_MAX, all).await.expect("the stream ends")
}

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
    let mut socket = connect(&shop, "graphql-transport-ws").await;
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

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub async fn connect(shop: &Shop, protocol: &str) -> Socket {
    let url = format!("{}/graphql/ws", shop.edge.replace("http://", "ws://"));
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
    tokio_tungstenite::connect_async(request).await.unwrap().0
}

pub async fn say(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

/// The next message that is no sign of life.
pub async fn hear(socket: &mut Socket) -> Value {
    loop {
        let message = timeout(NEWS_TIME_MAX, socket.next()).await.expect("a message comes").unwrap().unwrap();
        if let Message::Text(text) = message {
            let message: Value = serde_json::from_str(&text).unwrap();
            if message["type"] != "ping" {
                return message;
            }
        }
    }
}
