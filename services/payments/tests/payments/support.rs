//! Starts the service and its provider on every kind of store, and says things shortly.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use kit::{Clock, Database};
use mesh::Channel;
use mesh::testing::{self, TestServer};
use payments::{Settings, simulated};
use proto::common::Money;
use proto::payments as pb;
use proto::payments::payments_service_client::PaymentsServiceClient;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

pub use kit::testing::request_id;
pub use mesh::testing::reason;

pub type Client = PaymentsServiceClient<Channel>;

pub const SECRET: &[u8] = b"of the tests";
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(2);
/// A provider that nobody can reach.
pub const NOWHERE: &str = "http://127.0.0.1:1";
const SLOW_ANSWER: Duration = Duration::from_secs(4);
const WAIT_MAX: Duration = Duration::from_secs(20);

pub struct Shop {
    pub database: Database,
    pub clock: Clock,
    pub bank: Bank,
    pub edge: Edge,
    server: TestServer,
}

/// The simulated provider on a socket.
pub struct Bank {
    pub url: String,
    _work: DropGuard,
}

/// What stands in for the edge: takes webhooks and hands them on, unless it is deaf.
#[derive(Clone, Default)]
pub struct Edge {
    pub hears: Arc<AtomicBool>,
    pub deliveries: Arc<Mutex<Vec<Delivery>>>,
    service: Arc<Mutex<Option<Client>>>,
}

#[derive(Clone)]
pub struct Delivery {
    pub signature: String,
    pub body: Vec<u8>,
}

/// One shop for each kind of store, whose edge is deaf.
pub async fn shops() -> Vec<Shop> {
    let mut shops = Vec::new();
    for database in kit::testing::databases::<payments::Migrator>().await {
        shops.push(Shop::new(database).await);
    }
    shops
}

impl Shop {
    async fn new(database: Database) -> Self {
        let clock = Clock::fixed(Clock::system().now());
        let edge = Edge::default();
        let webhook_url = format!("{}/webhooks/payments/simulated", edge.serve().await);
        let bank = Bank::open(&webhook_url).await;
        let routes = payments::routes(database.clone(), settings(&bank.url), clock.clone());
        let server = testing::serve(payments::NAME, routes);
        let gateway = PaymentsServiceClient::new(server.channel_as("gateway", None));
        *edge.service.lock().unwrap() = Some(gateway);
        Self { database, clock, bank, edge, server }
    }

    pub fn as_service(&self, workload: &'static str) -> Client {
        PaymentsServiceClient::new(self.server.channel_as(workload, None))
    }

    pub fn channel(&self, user: mesh::User) -> Channel {
        self.server.channel_as("gateway", Some(user))
    }

    pub fn orders(&self) -> Client {
        self.as_service("orders")
    }

    pub fn staff(&self) -> Client {
        let staff = testing::staff(&["payments.read"]);
        PaymentsServiceClient::new(self.server.channel_as("gateway", Some(staff)))
    }

    /// The same service on the same store with another provider address: one that nobody answers at, for example.
    pub fn with_provider(&self, url: &str) -> Client {
        let routes = payments::routes(self.database.clone(), settings(url), self.clock.clone());
        let server = testing::serve(payments::NAME, routes);
        PaymentsServiceClient::new(server.channel_as("orders", None))
    }

    /// Runs what finishes open questions until the guard is dropped.
    pub fn work(&self) -> DropGuard {
        self.work_with(&self.bank.url)
    }

    /// The same with another provider address.
    pub fn work_with(&self, url: &str) -> DropGuard {
        let shutdown = CancellationToken::new();
        let (database, clock) = (self.database.clone(), self.clock.clone());
        tokio::spawn(payments::work(database, settings(url), clock, shutdown.clone()));
        shutdown.drop_guard()
    }

    pub async fn authorize(&self, method: &str) -> pb::Payment {
        let answer = self.orders().authorize_payment(authorizing(method)).await;
        answer.unwrap().into_inner().payment.unwrap()
    }

    pub async fn captured(&self) -> pb::Payment {
        let payment = self.authorize("test_approve").await;
        let answer = self.orders().capture_payment(capturing(&payment, None)).await;
        answer.unwrap().into_inner().payment.unwrap()
    }

    pub async fn get(&self, id: &str) -> pb::Payment {
        let request = pb::BatchGetPaymentsRequest { payment_ids: vec![id.to_owned()] };
        let answer = self.staff().batch_get_payments(request).await.unwrap();
        answer.into_inner().payments.remove(0)
    }

    pub async fn sync(&self, id: &str) -> pb::Payment {
        let answer = self.orders().sync_payment(syncing(id)).await.unwrap();
        answer.into_inner().payment.unwrap()
    }

    /// Waits until the payment is in a state.
    pub async fn until(&self, id: &str, state: pb::PaymentState) -> pb::Payment {
        eventually(|| async {
            let payment = self.get(id).await;
            (payment.state() == state).then_some(payment)
        })
        .await
    }

    /// The names of what happened to a payment, oldest first.
    pub async fn history(&self, id: &str) -> Vec<&'static str> {
        let request = pb::ListPaymentEventsRequest {
            payment_id: id.to_owned(),
            page_size: 250,
            page_token: String::new(),
        };
        let listed = self.staff().list_payment_events(request).await.unwrap();
        let events = listed.into_inner().payment_events;
        let name = |event: &pb::PaymentEvent| {
            let name = event.r#type().as_str_name();
            name.strip_prefix("PAYMENT_EVENT_TYPE_").unwrap()
        };
        events.iter().map(name).collect()
    }

    /// The kinds of the news of a payment, in order; their versions have no gaps.
    pub async fn news(&self, id: &str) -> Vec<String> {
        let events = kit::testing::unsent(&self.database, 10_000).await.unwrap();
        let events: Vec<_> = events.into_iter().filter(|event| event.subject == id).collect();
        let versions: Vec<i64> = events.iter().map(|event| event.subject_version).collect();
        assert_eq!(versions, (1..=events.len() as i64).collect::<Vec<_>>());
        events.into_iter().map(|event| event.kind).collect()
    }

    /// What the provider's own books say.
    pub async fn at_the_bank(&self, payment: &pb::Payment) -> serde_json::Value {
        self.bank.get(&key(payment)).await
    }
}

impl Bank {
    async fn open(webhook_url: &str) -> Bank {
        let database = Database::temporary().await.unwrap();
        simulated::migrate(&database).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let settings = simulated::Settings {
            public_url: url.clone(),
            webhook_url: webhook_url.to_owned(),
            webhook_secret: SECRET.to_vec(),
            slow_answer: SLOW_ANSWER,
            silence_max: Duration::from_secs(6),
            webhook_retry: Duration::from_millis(200),
        };
        let router = simulated::router(database.clone(), settings.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let shutdown = CancellationToken::new();
        let work = simulated::work(database, settings, shutdown.clone());
        tokio::spawn(work);
        Bank { url, _work: shutdown.drop_guard() }
    }

    pub async fn get(&self, key: &str) -> serde_json::Value {
        let answer = reqwest::get(format!("{}/v1/payments/{key}", self.url)).await;
        answer.unwrap().json().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: serde_json::Value) -> (u16, serde_json::Value) {
        let url = format!("{}{path}", self.url);
        let request = reqwest::Client::new().post(url).json(&body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

impl Edge {
    pub fn listen(&self) {
        self.hears.store(true, Ordering::SeqCst);
    }

    async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router =
            Router::new().route("/webhooks/payments/simulated", post(deliver)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }
}

async fn deliver(State(edge): State<Edge>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !edge.hears.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let signature = headers["shop-signature"].to_str().unwrap().to_owned();
    let delivery = Delivery { signature, body: body.to_vec() };
    edge.deliveries.lock().unwrap().push(delivery.clone());
    let mut service = edge.service.lock().unwrap().clone().unwrap();
    match service.receive_webhook(webhook(&delivery)).await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// As the edge hands it on: the request is named after its body.
pub fn webhook(delivery: &Delivery) -> pb::ReceiveWebhookRequest {
    pb::ReceiveWebhookRequest {
        provider: "simulated".into(),
        signature: delivery.signature.clone(),
        body: delivery.body.clone(),
        request_id: Uuid::new_v5(&Uuid::NAMESPACE_OID, &delivery.body).to_string(),
    }
}

pub fn settings(provider_url: &str) -> Settings {
    Settings {
        provider_url: provider_url.parse().unwrap(),
        webhook_secret: SECRET.to_vec(),
        answer_time_max: ANSWER_TIME_MAX,
        recovery_interval: Duration::from_millis(50),
    }
}

/// A provider that takes questions and never answers any. It hears nothing, so nothing happens.
pub async fn black_hole() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            open.push(socket);
        }
    });
    url
}

/// A provider that does what it is asked, and whose answers get lost on the way.
pub async fn mute(bank: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(lose_answer).with_state(bank.to_owned());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn lose_answer(State(bank): State<String>, request: axum::extract::Request) -> StatusCode {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 * 1024).await.unwrap();
    let url = format!("{bank}{}", parts.uri);
    let asked = reqwest::Client::new().request(parts.method, url).headers(parts.headers).body(body);
    asked.send().await.unwrap();
    std::future::pending().await
}

pub async fn eventually<T, F: Future<Output = Option<T>>>(mut look: impl FnMut() -> F) -> T {
    let started = std::time::Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < WAIT_MAX, "it did not come to that");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

pub fn authorizing(method: &str) -> pb::AuthorizePaymentRequest {
    pb::AuthorizePaymentRequest {
        checkout_id: id(),
        attempt: 1,
        amount: pounds(10_000),
        method_token: method.to_owned(),
        return_url: "http://127.0.0.1:8080/checkout/return".into(),
        request_id: request_id(),
    }
}

pub fn capturing(payment: &pb::Payment, units: Option<i64>) -> pb::CapturePaymentRequest {
    pb::CapturePaymentRequest {
        payment_id: payment.id.clone(),
        amount: units.and_then(pounds),
        request_id: request_id(),
    }
}

pub fn refunding(payment: &pb::Payment, units: Option<i64>) -> pb::RefundPaymentRequest {
    pb::RefundPaymentRequest {
        payment_id: payment.id.clone(),
        amount: units.and_then(pounds),
        reason: "It broke".into(),
        request_id: request_id(),
    }
}

pub fn voiding(payment: &pb::Payment) -> pb::VoidPaymentRequest {
    pb::VoidPaymentRequest { payment_id: payment.id.clone(), request_id: request_id() }
}

pub fn syncing(id: &str) -> pb::SyncPaymentRequest {
    pb::SyncPaymentRequest { payment_id: id.to_owned(), request_id: request_id() }
}

pub fn pounds(units: i64) -> Option<Money> {
    Some(Money { currency_code: "GBP".into(), minor_units: units })
}

pub fn units(money: &Option<Money>) -> i64 {
    money.as_ref().unwrap().minor_units
}

/// Authorised, captured, refunded.
pub fn sums(payment: &pb::Payment) -> (i64, i64, i64) {
    let pb::Payment { authorized, captured, refunded, .. } = payment;
    (units(authorized), units(captured), units(refunded))
}

pub fn key(payment: &pb::Payment) -> String {
    format!("{}:{}", payment.checkout_id, payment.attempt)
}

pub fn id() -> String {
    Uuid::now_v7().to_string()
}
