//! How sockets end. Client and edge talk through memory and by a clock that jumps, so that the limits are the real ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{SinkExt, StreamExt, stream};
use gateway::limits::{SOCKET_MESSAGE_BYTES_MAX, SOCKETS_PER_USER_MAX};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use mesh::testing;
use proto::inventory;
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::support::{Shop, shop};

type Socket = WebSocketStream<DuplexStream>;

/// Bytes that may lie between client and edge.
const PIPE: usize = 16 * 1024;
/// What `testing::token` is good for.
const TOKEN_LIFE: Duration = Duration::from_secs(300);
const STOCK: &str = "subscription { stockChanged(skus: [\"A\"]) { sku quantityAvailable } }";

fn stock(sku: &str) -> inventory::WatchStockResponse {
    let stock = inventory::Stock { sku: sku.to_owned(), available: 4, ..Default::default() };
    inventory::WatchStockResponse { stock: Some(stock) }
}

/// A shop where stock is told once, and then no more.
fn quiet() -> Shop {
    let shop = shop();
    shop.inventory.on_stream("WatchStock", |_: inventory::WatchStockRequest| {
        stream::iter([Ok(stock("A"))]).chain(stream::pending()).boxed()
    });
    shop
}

async fn open(shop: &Shop) -> Socket {
    let (near, far) = tokio::io::duplex(PIPE);
    let service = TowerToHyperService::new(shop.router.clone());
    tokio::spawn(async move {
        let builder = Builder::new(TokioExecutor::new());
        let _ = builder.serve_connection_with_upgrades(TokioIo::new(far), service).await;
    });
    let mut request = "ws://shop.test/graphql/ws".into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    tokio_tungstenite::client_async(request, near).await.unwrap().0
}

async fn ready(shop: &Shop, payload: Value) -> Socket {
    let mut socket = open(shop).await;
    send(&mut socket, json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(next(&mut socket).await, Next::Text(json!({ "type": "connection_ack" })));
    socket
}

async fn send(socket: &mut Socket, message: Value) {
    socket.send(Message::Text(message.to_string().into())).await.unwrap();
}

async fn subscribe(socket: &mut Socket) {
    send(socket, json!({ "type": "subscribe", "id": "1", "payload": { "query": STOCK } })).await;
}

#[derive(Debug, PartialEq)]
enum Next {
    Text(Value),
    Closed(u16),
    /// Nobody said goodbye.
    Gone,
}

/// What comes next but signs of life; pings are answered meanwhile, as clients do.
async fn next(socket: &mut Socket) -> Next {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Next::Text(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Close(frame))) => return Next::Closed(frame.unwrap().code.into()),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Next::Gone,
        }
    }
}

async fn closed(socket: &mut Socket) -> Next {
    loop {
        match next(socket).await {
            Next::Text(_) => {}
            end => return end,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_at_first_is_closed_after_three_seconds() {
    let mut silent = open(&quiet()).await;
    let opened = Instant::now();

    assert_eq!(next(&mut silent).await, Next::Closed(4408));

    assert_eq!(opened.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_socket_ends_with_the_token_that_opened_it() {
    let shop = quiet();
    let token = testing::token(&testing::customer()).unwrap();
    let mut socket = ready(&shop, json!({ "authorization": format!("Bearer {token}") })).await;
    let opened = Instant::now();
    subscribe(&mut socket).await;
    assert!(matches!(next(&mut socket).await, Next::Text(_)));

    assert_eq!(closed(&mut socket).await, Next::Closed(4401));

    let open = opened.elapsed();
    assert!(open <= TOKEN_LIFE + Duration::from_secs(1), "{open:?}");
    assert!(
        open >= TOKEN_LIFE - Duration::from_secs(60),
        "{open:?}: the machine may be slow, but not that slow"
    );
}

#[tokio::test(start_paused = true)]
async fn a_guests_socket_stays_open_as_long_as_pings_are_answered() {
    let mut socket = ready(&quiet(), json!({})).await;
    subscribe(&mut socket).await;
    assert!(matches!(next(&mut socket).await, Next::Text(_)));

    let hour = tokio::time::timeout(Duration::from_secs(3_600), next(&mut socket)).await;

    assert!(hour.is_err(), "{hour:?}");
    send(&mut socket, json!({ "type": "ping" })).await;
    assert_eq!(next(&mut socket).await, Next::Text(json!({ "type": "pong" })));
}

#[tokio::test(start_paused = true)]
async fn who_answers_no_ping_is_gone() {
    let mut socket = ready(&quiet(), json!({})).await;
    subscribe(&mut socket).await;

    // It reads nothing, so it answers nothing: two pings are sent at most.
    tokio::time::sleep(Duration::from_secs(42)).await;

    // Whether the goodbye is read or the pipe is found broken first, there is nobody there any more.
    let end = tokio::time::timeout(Duration::from_secs(1), closed(&mut socket)).await.unwrap();
    assert!(matches!(end, Next::Closed(1001) | Next::Gone), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_holds_the_stream_up_is_dropped_with_it() {
    struct Watched(Arc<AtomicBool>);
    impl Drop for Watched {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let shop = shop();
    let dropped = Arc::new(AtomicBool::new(false));
    let told = dropped.clone();
    shop.inventory.on_stream("WatchStock", move |_: inventory::WatchStockRequest| {
        let watched = Watched(told.clone());
        let endless = stream::repeat_with(move || {
            let _held = &watched;
            Ok(stock(&"A".repeat(1_000)))
        });
        endless.boxed()
    });
    let mut socket = ready(&shop, json!({})).await;
    subscribe(&mut socket).await;

    tokio::time::sleep(Duration::from_secs(9)).await;
    assert!(!dropped.load(Ordering::SeqCst), "a reader may be slow for a while");
    tokio::time::sleep(Duration::from_secs(3)).await;

    assert!(dropped.load(Ordering::SeqCst), "the service's stream is let go");
    assert_eq!(closed(&mut socket).await, Next::Gone);
}

#[tokio::test(start_paused = true)]
async fn a_message_has_64_kib_however_it_is_cut() {
    let padded = |length: usize| {
        let frame = json!({ "type": "connection_init", "payload": { "padding": "" } }).to_string();
        let padding = "x".repeat(length - frame.len());
        json!({ "type": "connection_init", "payload": { "padding": padding } }).to_string()
    };
    let shop = quiet();

    let mut just_fits = open(&shop).await;
    just_fits.send(Message::Text(padded(SOCKET_MESSAGE_BYTES_MAX).into())).await.unwrap();
    assert_eq!(next(&mut just_fits).await, Next::Text(json!({ "type": "connection_ack" })));

    let too_long = padded(SOCKET_MESSAGE_BYTES_MAX + 1);
    let mut whole = open(&shop).await;
    // The edge may hang up before it has read all of it.
    let _ = whole.send(Message::Text(too_long.clone().into())).await;
    assert_eq!(closed(&mut whole).await, Next::Gone);

    let mut parts = open(&shop).await;
    let (one, rest) = too_long.split_at(SOCKET_MESSAGE_BYTES_MAX / 2);
    for (text, code, last) in [(one, Data::Text, false), (rest, Data::Continue, true)] {
        let frame = Frame::message(text.to_owned(), OpCode::Data(code), last);
        let _ = parts.send(Message::Frame(frame)).await;
    }
    assert_eq!(closed(&mut parts).await, Next::Gone);
}

#[tokio::test(start_paused = true)]
async fn a_client_has_ten_sockets_and_gets_them_back() {
    let shop = quiet();
    let token = testing::token(&testing::customer()).unwrap();
    let signed_in = json!({ "authorization": format!("Bearer {token}") });
    let mut held = Vec::new();
    for _ in 0..SOCKETS_PER_USER_MAX {
        held.push(ready(&shop, signed_in.clone()).await);
    }

    let mut one_more = open(&shop).await;
    send(&mut one_more, json!({ "type": "connection_init", "payload": signed_in })).await;
    assert_eq!(next(&mut one_more).await, Next::Closed(4429));

    held.pop();
    // Whoever leaves has left once the edge has read so; a clock that jumps waits for that.
    tokio::time::sleep(Duration::from_secs(1)).await;
    ready(&shop, signed_in).await;
}
