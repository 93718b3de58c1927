//! Subscriptions over WebSocket and server-sent events, on a real listener.

use std::time::Duration;

use futures::{SinkExt, StreamExt, stream};
use gateway::limits::{CONNECTIONS_PER_ADDRESS_MAX, SOCKETS_PER_USER_MAX};
use http::StatusCode;
use mesh::testing;
use proto::{inventory, orders};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::order::{order, ordering};
use crate::support::Shop;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn watched() -> Shop {
    let shop = ordering();
    shop.orders.on_stream("WatchOrder", |_: orders::WatchOrderRequest| {
        let state = |state: orders::OrderState| {
            let order = orders::Order { state: state.into(), ..order(700) };
            Ok(orders::WatchOrderResponse { order: Some(order) })
        };
        stream::iter([state(orders::OrderState::Open), state(orders::OrderState::Closed)]).boxed()
    });
    shop.inventory.on_stream("WatchStock", |request: inventory::WatchStockRequest| {
        let stock = inventory::Stock { sku: request.skus[0].clone(), available: 4, ..Default::default() };
        let first = stream::iter([Ok(inventory::WatchStockResponse { stock: Some(stock) })]);
        first.chain(stream::pending()).boxed()
    });
    shop
}

async fn serve(shop: &Shop) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = shop.router.clone();
    tokio::spawn(async move { gateway::serve(listener, router, &[], std::future::pending()).await });
    address
}

/// The same, and the word that ends it.
async fn serve_until(shop: &Shop) -> (std::net::SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = shop.router.clone();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = async move {
        let shutdown = async { drop(stopped.await) };
        gateway::serve(listener, router, &[], shutdown).await;
    };
    (address, stop, tokio::spawn(serving))
}

async fn open(address: std::net::SocketAddr) -> Socket {
    let mut request = format!("ws://{address}/graphql/ws").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    connect_async(request).await.unwrap().0
}

async fn send(socket: &mut Socket, message: Value) {
    socket.send(Message::Text(message.to_string().into())).await.unwrap();
}

/// The next message, or the code that the socket was closed with.
async fn next(socket: &mut Socket) -> Result<Value, u16> {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(10), socket.next()).await.unwrap();
        match message.unwrap().unwrap() {
            Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
            Message::Close(frame) => return Err(frame.unwrap().code.into()),
            _ => {}
        }
    }
}

async fn ready(address: std::net::SocketAddr, payload: Value) -> Socket {
    let mut socket = open(address).await;
    send(&mut socket, json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(next(&mut socket).await.unwrap(), json!({ "type": "connection_ack" }));
    socket
}

const ORDER: &str = "subscription { orderUpdated(id: \"order_01934c2e7b6a7c3e9a51000000000700\") { number status lines { merchandise { sku } } } }";
const STOCK: &str = "subscription { stockChanged(skus: [\"A\"]) { sku quantityAvailable } }";

fn subscribe(id: &str, query: &str) -> Value {
    json!({ "type": "subscribe", "id": id, "payload": { "query": query } })
}

#[tokio::test]
async fn an_order_is_watched_until_nothing_more_can_happen() {
    let shop = watched();
    let token = testing::token(&testing::customer()).unwrap();
    let mut socket = ready(serve(&shop).await, json!({ "authorization": format!("Bearer {token}") })).await;

    send(&mut socket, subscribe("1", ORDER)).await;

    for status in ["OPEN", "CLOSED"] {
        let message = next(&mut socket).await.unwrap();
        assert_eq!(message["type"], "next", "{message}");
        let order = &message["payload"]["data"]["orderUpdated"];
        assert_eq!(order["status"], status, "{message}");
        assert_eq!(order["lines"][1]["merchandise"]["sku"], "SKU-1", "what is below is read for each event");
    }
    assert_eq!(next(&mut socket).await.unwrap(), json!({ "type": "complete", "id": "1" }));
}

#[tokio::test]
async fn several_subscriptions_share_a_socket_and_end_one_by_one() {
    let shop = watched();
    let mut socket = ready(serve(&shop).await, json!({})).await;

    send(&mut socket, subscribe("a", STOCK)).await;
    assert_eq!(
        next(&mut socket).await.unwrap()["payload"]["data"]["stockChanged"],
        json!({ "sku": "A", "quantityAvailable": 4 })
    );
    send(&mut socket, json!({ "type": "complete", "id": "a" })).await;
    send(&mut socket, subscribe("a", STOCK)).await;
    assert_eq!(next(&mut socket).await.unwrap()["id"], "a");
    send(&mut socket, json!({ "type": "ping" })).await;
    assert_eq!(next(&mut socket).await.unwrap(), json!({ "type": "pong" }));
    send(&mut socket, subscribe("b", "{ products { nodes { id } } }")).await;
    let refused = next(&mut socket).await.unwrap();
    assert_eq!(
        (&refused["type"], &refused["payload"][0]["extensions"]["code"]),
        (&json!("error"), &json!("BAD_REQUEST"))
    );
    send(&mut socket, subscribe("a", STOCK)).await;
    assert_eq!(next(&mut socket).await.unwrap_err(), 4409);
}

#[tokio::test]
async fn a_socket_has_so_many_subscriptions() {
    let shop = watched();
    let mut socket = ready(serve(&shop).await, json!({})).await;

    for number in 0..20 {
        send(&mut socket, subscribe(&number.to_string(), STOCK)).await;
        assert_eq!(next(&mut socket).await.unwrap()["type"], "next");
    }
    send(&mut socket, subscribe("one more", STOCK)).await;

    assert_eq!(next(&mut socket).await.unwrap_err(), 4429);
}

#[tokio::test]
async fn sockets_that_do_not_behave_are_closed() {
    let shop = watched();
    let address = serve(&shop).await;

    let mut early = open(address).await;
    send(&mut early, subscribe("1", STOCK)).await;
    assert_eq!(next(&mut early).await.unwrap_err(), 4401);

    let mut twice = ready(address, json!({})).await;
    send(&mut twice, json!({ "type": "connection_init" })).await;
    assert_eq!(next(&mut twice).await.unwrap_err(), 4429);

    let mut forged = open(address).await;
    send(
        &mut forged,
        json!({ "type": "connection_init", "payload": { "authorization": "Bearer nonsense" } }),
    )
    .await;
    assert_eq!(next(&mut forged).await.unwrap_err(), 4401);

    let mut odd = ready(address, json!({})).await;
    send(&mut odd, json!({ "type": "what" })).await;
    assert_eq!(next(&mut odd).await.unwrap_err(), 4400);
}

#[tokio::test]
async fn sockets_count_among_the_connections_of_their_address() {
    let address = serve(&watched()).await;
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS_PER_USER_MAX {
        sockets.push(ready(address, json!({})).await);
    }
    let mut silent = Vec::new();
    for _ in SOCKETS_PER_USER_MAX..CONNECTIONS_PER_ADDRESS_MAX {
        silent.push(TcpStream::connect(address).await.unwrap());
    }

    let mut one_more = TcpStream::connect(address).await.unwrap();
    drop(one_more.write_all(b"GET /media/harbour-mug.svg HTTP/1.1\r\nhost: shop.test\r\n\r\n").await);

    let read = one_more.read(&mut [0; 16]).await;
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
}

#[tokio::test]
async fn another_sites_page_opens_no_socket() {
    let shop = watched();
    let address = serve(&shop).await;
    let mut request = format!("ws://{address}/graphql/ws").into_client_request().unwrap();
    request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    request.headers_mut().insert("cookie", "access=x".parse().unwrap());

    let refused = connect_async(request).await.unwrap_err();

    assert!(refused.to_string().contains("403"), "{refused}");
}

#[tokio::test]
async fn events_come_by_post_too() {
    let shop = watched();

    let answer = shop
        .ask(ORDER, json!({}))
        .by(&testing::customer())
        .header("accept", "text/event-stream")
        .answer()
        .await;

    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    let events: Vec<&str> = answer.text.split("\n\n").filter(|event| !event.is_empty()).collect();
    assert_eq!(events.len(), 3, "{}", answer.text);
    assert!(events[0].starts_with("event: next\ndata: {\"data\":{\"orderUpdated\":{\"number\":"));
    assert!(events[1].contains("CLOSED"));
    assert!(events[2].starts_with("event: complete"));
}

#[tokio::test]
async fn a_process_that_ends_closes_its_sockets_and_event_streams() {
    let shop = watched();
    let (address, stop, serving) = serve_until(&shop).await;
    let mut socket = ready(address, json!({})).await;
    send(&mut socket, subscribe("1", STOCK)).await;
    assert_eq!(next(&mut socket).await.unwrap()["type"], "next");
    let mut events = TcpStream::connect(address).await.unwrap();
    let body = json!({ "query": STOCK }).to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nhost: shop.test\r\nx-shop-client: test\r\naccept: text/event-stream\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    events.write_all(request.as_bytes()).await.unwrap();
    let mut heard = String::new();
    while !heard.contains("event: next") {
        let mut piece = [0; 1_024];
        let length = events.read(&mut piece).await.unwrap();
        assert!(length > 0, "{heard}");
        heard.push_str(std::str::from_utf8(&piece[..length]).unwrap());
    }

    stop.send(()).unwrap();

    assert_eq!(next(&mut socket).await.unwrap_err(), 1001);
    let mut rest = String::new();
    events.read_to_string(&mut rest).await.unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "the answer ends as answers do: {rest:?}");
    assert!(!rest.contains("complete"), "a client that was told `complete` would not come back: {rest:?}");
    tokio::time::timeout(Duration::from_secs(10), serving)
        .await
        .expect("nothing holds the process up")
        .unwrap();
}
