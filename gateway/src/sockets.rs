//! Subscriptions over WebSocket, by the protocol graphql-transport-ws.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::response::IntoResponse;
use futures::StreamExt;
use futures::stream::{AbortHandle, BoxStream, SelectAll};
use http::Response;
use http::request::Parts;
use mesh::serve::Held;
use serde::Deserialize;
use tokio::time::Instant;

use crate::closing::Closing;
use crate::context::Viewer;
use crate::error::{Fault, Problem};
use crate::execute::Payload;
use crate::http::Edge;
use crate::limits::{
    SOCKET_INIT_TIMEOUT, SOCKET_MESSAGE_BYTES_MAX, SOCKET_PING_INTERVAL, SOCKET_READ_BUFFER_BYTES,
    SOCKET_SEND_TIMEOUT, SOCKET_SUBSCRIPTIONS_MAX, SOCKETS_MAX, SOCKETS_PER_USER_MAX,
};
use crate::rates::Payer;
use crate::{client, csrf, execute, viewer};

const PROTOCOL: &str = "graphql-transport-ws";

/// Why a socket is closed: the codes of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Close {
    BadMessage,
    Unauthorized,
    BadProtocol,
    InitTimeout,
    SubscriberExists,
    TooManyInits,
    TooMany,
    Silent,
    Away,
}

impl Close {
    fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Close::BadMessage => (4400, "Invalid message"),
            Close::Unauthorized => (4401, "Unauthorized"),
            Close::BadProtocol => (4406, "Subprotocol not acceptable"),
            Close::InitTimeout => (4408, "Connection initialisation timeout"),
            Close::SubscriberExists => (4409, "Subscriber already exists"),
            Close::TooManyInits => (4429, "Too many initialisation requests"),
            Close::TooMany => (4429, "Too many subscriptions or sockets"),
            Close::Silent => (1001, "No answer to a ping"),
            Close::Away => (1001, "The server goes away: connect again"),
        };
        CloseFrame { code, reason: reason.into() }
    }
}

/// Sockets and event streams that are open, by client.
#[derive(Clone, Default)]
pub(crate) struct Places(Arc<Mutex<HashMap<Payer, usize>>>);

/// One socket or event stream; dropped, its place is free.
pub(crate) struct Place {
    places: Places,
    client: Payer,
}

impl Places {
    pub(crate) fn take(&self, client: &Payer) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.entry(client.clone()).or_default();
        if *own >= SOCKETS_PER_USER_MAX || all >= SOCKETS_MAX {
            if *own == 0 {
                open.remove(client);
            }
            return None;
        }
        *own += 1;
        Some(Place { places: self.clone(), client: client.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.client) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                open.remove(&self.client);
            }
        }
    }
}

/// Opens a socket for a page of the shop, or for a client that carries nothing.
pub(crate) async fn upgrade(
    State(edge): State<Arc<Edge>>,
    upgrade: WebSocketUpgrade,
    request: Request,
) -> Response<axum::body::Body> {
    let (Parts { uri, headers, extensions, .. }, _) = request.into_parts();
    let authority = uri.authority().map(http::uri::Authority::as_str);
    if let Err(fault) = csrf::check_origin(&headers, authority, &edge.settings.allowed_origins) {
        return (fault.problem.status(), "This socket is for the shop's own pages.").into_response();
    }
    let client = client::of(&headers, &extensions, &edge.settings.trusted_proxies);
    let closing = Closing::of(&extensions);
    let held = extensions.get::<Held>().cloned();
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(SOCKET_MESSAGE_BYTES_MAX)
        .max_frame_size(SOCKET_MESSAGE_BYTES_MAX)
        .read_buffer_size(SOCKET_READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .on_upgrade(move |socket| {
            closing.clone().attend(async move {
                let viewer = viewer::of(&headers, client, &edge.verifier, edge.settings.production).await;
                drop(headers);
                let Ok(viewer) = viewer else {
                    return close(socket, Close::Unauthorized).await;
                };
                serve(edge, socket, viewer, closing).await;
                drop(held);
            })
        })
}

/// A message of a client.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Incoming {
    ConnectionInit {
        #[serde(default)]
        payload: Option<serde_json::Value>,
    },
    Ping,
    Pong,
    Subscribe {
        id: String,
        payload: Payload,
    },
    Complete {
        id: String,
    },
}

/// What comes out of a subscription; without an answer it has ended.
type Outcome = (String, u64, Option<async_graphql::Response>);

struct Session {
    edge: Arc<Edge>,
    viewer: Viewer,
    socket: WebSocket,
    ready: bool,
    expires: Option<Instant>,
    open: HashMap<String, (u64, AbortHandle)>,
    running: SelectAll<BoxStream<'static, Outcome>>,
    serial: u64,
    pinged: bool,
    place: Option<Place>,
    closing: Closing,
}

async fn serve(edge: Arc<Edge>, socket: WebSocket, viewer: Viewer, closing: Closing) {
    let mut session = Session {
        expires: expiry(&viewer),
        edge,
        viewer,
        socket,
        ready: false,
        open: HashMap::new(),
        running: SelectAll::new(),
        serial: 0,
        pinged: false,
        place: None,
        closing,
    };
    let acceptable = session.socket.protocol().is_some_and(|name| name == PROTOCOL);
    let end = match acceptable {
        true => session.run().await,
        false => Err(Some(Close::BadProtocol)),
    };
    if let Err(Some(reason)) = end {
        close(session.socket, reason).await;
    }
}

fn expiry(viewer: &Viewer) -> Option<Instant> {
    let good_for = viewer.good_for()?;
    Instant::now().checked_add(good_for)
}

/// `Err(None)` is a client that left.
type Step = Result<(), Option<Close>>;

impl Session {
    async fn run(&mut self) -> Step {
        let opened = Instant::now();
        let mut pings = tokio::time::interval_at(opened + SOCKET_PING_INTERVAL, SOCKET_PING_INTERVAL);
        loop {
            let ready = self.ready;
            let expires = self.expires;
            tokio::select! {
                message = self.socket.recv() => {
                    let message = message.and_then(Result::ok).ok_or(None)?;
                    self.receive(message).await?;
                }
                Some(outcome) = self.running.next(), if !self.running.is_empty() => {
                    self.answer(outcome).await?;
                }
                _ = pings.tick() => self.ping().await?,
                () = tokio::time::sleep_until(opened + SOCKET_INIT_TIMEOUT), if !ready => {
                    return Err(Some(Close::InitTimeout));
                }
                () = sleep_until(expires), if expires.is_some() => {
                    return Err(Some(Close::Unauthorized));
                }
                () = self.closing.begun() => return Err(Some(Close::Away)),
            }
        }
    }

    async fn receive(&mut self, message: Message) -> Step {
        self.pinged = false;
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Binary(_) => return Err(Some(Close::BadMessage)),
            Message::Close(_) => return Err(None),
        };
        let incoming = serde_json::from_str(&text).map_err(|_| Some(Close::BadMessage))?;
        match incoming {
            Incoming::ConnectionInit { payload } => self.init(payload).await,
            Incoming::Ping => self.send(&serde_json::json!({ "type": "pong" })).await,
            Incoming::Pong => Ok(()),
            _ if !self.ready => Err(Some(Close::Unauthorized)),
            Incoming::Subscribe { id, payload } => self.subscribe(id, payload).await,
            Incoming::Complete { id } => {
                if let Some((_, handle)) = self.open.remove(&id) {
                    handle.abort();
                }
                Ok(())
            }
        }
    }

    /// Clients that hold their token themselves send it here.
    async fn init(&mut self, payload: Option<serde_json::Value>) -> Step {
        if self.ready {
            return Err(Some(Close::TooManyInits));
        }
        let header = payload.as_ref().and_then(|payload| payload.get("authorization")?.as_str());
        if let Some(header) = header {
            let token = viewer::bearer_token(header).ok_or(Some(Close::Unauthorized))?;
            let signed = viewer::sign_in(self.viewer.clone(), token, &self.edge.verifier).await;
            self.viewer = signed.map_err(|_| Some(Close::Unauthorized))?;
            self.expires = expiry(&self.viewer);
        }
        let place = self.edge.places.take(&self.viewer.payer());
        self.place = Some(place.ok_or(Some(Close::TooMany))?);
        self.ready = true;
        self.send(&serde_json::json!({ "type": "connection_ack" })).await
    }

    async fn subscribe(&mut self, id: String, payload: Payload) -> Step {
        if self.open.contains_key(&id) {
            return Err(Some(Close::SubscriberExists));
        }
        if self.open.len() >= SOCKET_SUBSCRIPTIONS_MAX {
            return Err(Some(Close::TooMany));
        }
        let executor = self.edge.executor.clone();
        let prepared =
            executor.prepare(payload, &self.viewer).await.and_then(|prepared| match prepared.kind() {
                OperationType::Subscription => Ok(prepared),
                _ => Err(Fault::of(Problem::BadRequest, "Queries and mutations are posted to /graphql.")),
            });
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(fault) => {
                self.edge.executor.refused();
                let errors = [fault.into_server_error()];
                let message = serde_json::json!({ "type": "error", "id": id, "payload": errors });
                return self.send(&message).await;
            }
        };
        let span = execute::span();
        execute::describe(&span, &prepared);
        self.serial += 1;
        let serial = self.serial;
        let answers = executor.stream(prepared, self.viewer.clone(), span);
        let (answers, handle) = futures::stream::abortable(answers);
        self.open.insert(id.clone(), (serial, handle));
        let ended = futures::stream::iter([None]);
        let outcomes = answers.map(Some).chain(ended);
        self.running.push(outcomes.map(move |answer| (id.clone(), serial, answer)).boxed());
        Ok(())
    }

    async fn answer(&mut self, (id, serial, response): Outcome) -> Step {
        // A client that has completed a subscription may have begun another under the same id.
        if self.open.get(&id).is_none_or(|(open, _)| *open != serial) {
            return Ok(());
        }
        match response {
            Some(response) => {
                let message = serde_json::json!({ "type": "next", "id": id, "payload": response });
                self.send(&message).await
            }
            None => {
                self.open.remove(&id);
                self.send(&serde_json::json!({ "type": "complete", "id": id })).await
            }
        }
    }

    async fn ping(&mut self) -> Step {
        if self.pinged {
            return Err(Some(Close::Silent));
        }
        self.pinged = true;
        self.transmit(Message::Ping(Vec::new().into())).await
    }

    async fn send(&mut self, message: &serde_json::Value) -> Step {
        self.transmit(Message::Text(message.to_string().into())).await
    }

    /// Nothing more is read from the services while a slow reader holds a message up, and not for long.
    async fn transmit(&mut self, message: Message) -> Step {
        let sent = tokio::time::timeout(SOCKET_SEND_TIMEOUT, self.socket.send(message)).await;
        sent.map_err(|_| None)?.map_err(|_| None)
    }
}

async fn sleep_until(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

async fn close(mut socket: WebSocket, reason: Close) {
    let goodbye = async {
        let told = socket.send(Message::Close(Some(reason.frame()))).await;
        // What the client still sends is read, or the line would break before it has read why.
        while told.is_ok() && matches!(socket.recv().await, Some(Ok(_))) {}
    };
    // Whether the client takes its leave or not, the socket ends.
    drop(tokio::time::timeout(Duration::from_secs(1), goodbye).await);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_client_has_so_many_places_and_gets_them_back() {
        let places = Places::default();
        let [one, other] = ["a", "b"].map(|name| Payer::Address(name.to_owned()));

        let mut held: Vec<Place> = (0..SOCKETS_PER_USER_MAX).map(|_| places.take(&one).unwrap()).collect();

        assert!(places.take(&one).is_none());
        assert!(places.take(&other).is_some());
        held.pop();
        assert!(places.take(&one).is_some());
        drop(held);
        assert!(places.0.lock().unwrap().is_empty());
    }

    #[test]
    fn all_clients_together_have_so_many_places() {
        let places = Places::default();
        let client = |number: usize| Payer::Address(format!("client {}", number / SOCKETS_PER_USER_MAX));

        let mut held: Vec<Place> =
            (0..SOCKETS_MAX).map(|number| places.take(&client(number)).unwrap()).collect();

        assert!(places.take(&client(SOCKETS_MAX)).is_none());
        held.pop();
        assert!(places.take(&client(SOCKETS_MAX)).is_some());
    }
}
