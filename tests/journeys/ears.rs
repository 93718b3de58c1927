//! Whoever listens to news: over a WebSocket, and to an event stream.

use std::pin::Pin;
use std::time::Duration;

use futures::{SinkExt, Stream, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::harness::Visitor;

pub const NEWS_TIME_MAX: Duration = Duration::from_secs(30);

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Whoever listens to one subscription.
pub enum Ear {
    Socket(Box<Socket>),
    Events { pieces: Pin<Box<dyn Stream<Item = reqwest::Result<Vec<u8>>> + Send>>, heard: String },
}

impl Ear {
    /// By both ways.
    pub async fn both(visitor: &Visitor, document: &str, variables: Value) -> [Self; 2] {
        let mut socket = connect(&visitor.edge, "graphql-transport-ws").await;
        say(&mut socket, json!({ "type": "connection_init" })).await;
        assert_eq!(hear(&mut socket).await["type"], "connection_ack");
        let payload = json!({ "query": document, "variables": variables });
        say(&mut socket, json!({ "id": "1", "type": "subscribe", "payload": payload })).await;
        let pieces = stream(visitor, document, variables).await.bytes_stream();
        let pieces = Box::pin(pieces.map(|piece| piece.map(|bytes| bytes.to_vec())));
        [Ear::Socket(Box::new(socket)), Ear::Events { pieces, heard: String::new() }]
    }

    /// What is under `answer` in the next news; nothing when there will be no more.
    pub async fn next(&mut self) -> Option<Value> {
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
    pub async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let news = self.next().await.expect("there is more to come");
            if wanted(&news) {
                return news;
            }
        }
    }
}

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

pub async fn connect(edge: &str, protocol: &str) -> Socket {
    let url = format!("{}/graphql/ws", edge.replace("http://", "ws://"));
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
