//! One trace from the click to the mail, as a collector is told it; and nobody's data in what it is told.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::time::{Duration, Instant};

use observability::names;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Told;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::json;
use uuid::Uuid;

use crate::account::LOG_IN;
use crate::acts::{self, Goods, goods};
use crate::collector::{Collector, Kept};
use crate::harness::{Front, PASSWORD, Shop, Visitor, text};
use crate::parts::Parts;

const TRACE: &str = "5b8efff798038103d269b633813fc60c";
/// The span of the click, in the browser.
const CLICK: &str = "eee19b7ec3c1b174";
const TOLD_TIME_MAX: Duration = Duration::from_secs(60);
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// What makes a shop tell a collector soon and everything, spans of its start included.
fn telling(endpoint: &str) -> [(&str, &str); 6] {
    [
        ("SHOP_LOG", "info"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "1000000"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "100"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
    ]
}

/// Somebody's account: what is said of it, and every secret that came up.
async fn account(shop: &Front) -> Vec<String> {
    let email = format!("quagmire.{}@canary.example", Uuid::new_v4().simple());
    let register = "mutation($email: String!, $password: String!, $key: ID!) {
        answer: customerRegister(email: $email, password: $password, givenName: \"Wilhelmina\",
            familyName: \"Quagmire\", idempotencyKey: $key) { userErrors { code } } }";
    shop.guest().done(register, json!({ "email": email, "password": PASSWORD })).await;
    let wrong = json!({ "email": email, "password": "canary of a wrong password" });
    assert_eq!(shop.guest().refused(LOG_IN, wrong).await, "CREDENTIALS_WRONG");
    let right = json!({ "email": email, "password": PASSWORD });
    let tokens = shop.guest().done(LOG_IN, right).await["tokens"].take();
    let secrets = [&tokens["accessToken"], &tokens["refreshToken"]].map(text);
    let said = ["Wilhelmina", "Quagmire", "canary of a wrong password", PASSWORD].map(str::to_owned);
    [email].into_iter().chain(said).chain(secrets).collect()
}

/// A guest finds the shelf empty at the till, and buys when it is full again.
async fn purchase(shop: &Front, staff: &Visitor, goods: &Goods) -> Vec<String> {
    let guest = shop.traced(&format!("00-{TRACE}-{CLICK}-01"));
    let email = format!("guest.{}@canary.example", Uuid::new_v4().simple());
    let cart = acts::cart(&guest, &[(goods, 1)]).await;
    let input = json!({
        "email": email,
        "shippingMethodId": acts::STANDARD,
        "shippingAddress": {
            "givenName": "Peregrine", "familyName": "Threepwood", "lines": ["77 Gallows Corner"],
            "city": "Oswaldtwistle", "postalCode": "BB5 3QA", "countryCode": "GB", "phone": "+44 1632 960123",
        },
    });
    let ready = acts::checkout_of(&guest, &cart, input).await;
    acts::count(staff, &goods.sku, 0).await;
    assert_eq!(acts::pay(&guest, &ready, "test_approve").await["lastFailure"], "INSUFFICIENT_STOCK");
    acts::count(staff, &goods.sku, 1).await;
    assert_eq!(acts::pay(&guest, &ready, "test_approve").await["status"], "COMPLETED");

    let said = ["Peregrine", "Threepwood", "77 Gallows Corner", "Oswaldtwistle", "BB5 3QA", "1632 960123"];
    let tokens = [cart.token, ready.held.token].map(Option::unwrap);
    let secrets = ["test_approve".to_owned(), email].into_iter().chain(tokens);
    said.map(str::to_owned).into_iter().chain(secrets).collect()
}

fn attribute<'a>(span: &'a Span, name: &str) -> &'a str {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == name);
    match attribute.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Told::StringValue(text)) => text,
        _ => "",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Who took part in the trace: each span's kind, its name, and the service, event or operation that it is about.
fn stations(spans: &[Span]) -> BTreeSet<String> {
    let told = |span: &Span| {
        let about = match span.name.as_str() {
            "graphql" => attribute(span, names::GRAPHQL_KIND).to_owned(),
            "send mail" => attribute(span, names::EVENT_KIND).to_owned(),
            "apply" => {
                format!("{} {}", attribute(span, names::EVENT_READER), attribute(span, names::EVENT_KIND))
            }
            _ => format!("{} {}", attribute(span, names::CALLER), attribute(span, names::RPC_SERVICE)),
        };
        let name = span.name.rsplit('/').next().unwrap();
        format!("{} {name} {about}", SpanKind::try_from(span.kind).unwrap().as_str_name())
    };
    spans.iter().map(told).collect()
}

/// What is still missing of the road from the click to the mail; nothing once all of it was told.
fn missing(kept: &Kept) -> Vec<String> {
    let spans: Vec<Span> = kept.spans.iter().filter(|span| hex(&span.trace_id) == TRACE).cloned().collect();
    let stations = stations(&spans);
    let expected = [
        "SPAN_KIND_SERVER graphql mutation",
        "SPAN_KIND_CLIENT CompleteCheckout gateway orders",
        "SPAN_KIND_SERVER CompleteCheckout gateway orders",
        "SPAN_KIND_CLIENT ReserveStock orders inventory",
        "SPAN_KIND_SERVER ReserveStock orders inventory",
        "SPAN_KIND_CLIENT AuthorizePayment orders payments",
        "SPAN_KIND_SERVER AuthorizePayment orders payments",
        "SPAN_KIND_CONSUMER apply orders.payments payment.captured",
        "SPAN_KIND_CONSUMER apply notifications order.placed",
        "SPAN_KIND_PRODUCER send mail order.placed",
    ];
    let absent = expected.iter().filter(|station| !stations.contains(**station));
    let mut missing: Vec<String> = absent.map(ToString::to_string).collect();
    // A span is told when it ends, so a parent may come after its children; in the end each has one.
    let known: BTreeSet<String> = spans.iter().map(|span| hex(&span.span_id)).collect();
    let orphans = spans.iter().filter(|span| {
        let parent = hex(&span.parent_span_id);
        parent != CLICK && !known.contains(&parent)
    });
    missing.extend(orphans.map(|span| format!("the parent of {}", span.name)));
    if !kept.records.iter().any(|record| hex(&record.trace_id) == TRACE) {
        missing.push("a log record".to_owned());
    }
    let figures =
        [names::RPC_SERVER_DURATION, names::RPC_CLIENT_DURATION, names::GRAPHQL_DURATION, names::MAILS];
    missing.extend(figures.into_iter().filter(|name| !kept.metrics.contains(*name)).map(str::to_owned));
    missing
}

/// Buys in a shop that tells the collector, which must be told all of the road and nobody's data.
async fn follow(shop: impl Deref<Target = Front>, collector: Collector) {
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 1).await;

    let mut secrets = account(&shop).await;
    secrets.extend(purchase(&shop, &staff, &goods).await);

    let deadline = Instant::now() + TOLD_TIME_MAX;
    let mut kept = collector.kept();
    while !missing(&kept).is_empty() {
        assert!(Instant::now() < deadline, "{:#?}", missing(&kept));
        tokio::time::sleep(LOOK_INTERVAL).await;
        kept = collector.kept();
    }
    drop(shop);
    let told = collector.kept().bytes;
    let contains = |text: &str| told.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(contains("send mail") && contains("ReserveStock"), "a text is found where it is");
    let leaked: Vec<&String> = secrets.iter().filter(|secret| contains(secret)).collect();
    assert!(leaked.is_empty(), "{leaked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_is_told_one_trace_from_the_click_to_the_mail_and_nobodys_data() {
    let (collector, endpoint) = Collector::start().await;
    follow(Shop::start_in(&telling(&endpoint), &["--ephemeral"]), collector).await;
}

/// The same through three processes, Redis and the broker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trace_crosses_processes_and_the_broker() {
    let (collector, endpoint) = Collector::start().await;
    let Some(parts) = Parts::start_in(&telling(&endpoint)).await else { return };
    follow(parts, collector).await;
}
