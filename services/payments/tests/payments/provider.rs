//! The simulated provider by itself: what it promises to whoever speaks HTTP with it.

use proto::payments::PaymentState;
use serde_json::{Value, json};

use crate::support::{Shop, id, shops};

/// The provider keeps its own store, so one shop is enough.
async fn shop() -> Shop {
    shops().await.remove(0)
}

fn authorizing(key: &str, units: i64) -> Value {
    json!({
        "key": key, "minor_units": units, "currency": "GBP",
        "method": "test_approve", "return_url": "https://shop.example/back",
    })
}

#[tokio::test]
async fn the_same_key_is_the_same_payment_and_another_question_is_refused() {
    let shop = shop().await;
    let key = id();

    let first = shop.bank.post("/v1/payments", authorizing(&key, 500)).await;
    let again = shop.bank.post("/v1/payments", authorizing(&key, 500)).await;
    let other = shop.bank.post("/v1/payments", authorizing(&key, 501)).await;

    assert_eq!(first.0, 200);
    assert_eq!(first, again);
    assert_eq!(other, (409, json!({ "error": "key_reused" })));
}

#[tokio::test]
async fn it_never_gives_more_than_there_is_and_does_each_change_once() {
    let shop = shop().await;
    let key = id();
    shop.bank.post("/v1/payments", authorizing(&key, 500)).await;
    let change = |action: &str, change: &str, units: i64| {
        let path = format!("/v1/payments/{key}/{action}");
        let body = json!({ "key": change, "minor_units": units });
        let bank = &shop.bank;
        async move { bank.post(&path, body).await }
    };

    assert_eq!(change("refund", "r0", 1).await.1["error"], "exceeds_captured");
    assert_eq!(change("capture", "c0", 501).await.1["error"], "exceeds_authorized");
    assert_eq!(change("capture", "c1", 300).await.1["captured"], 300);
    assert_eq!(change("capture", "c1", 300).await.1["captured"], 300);
    assert_eq!(change("capture", "c1", 200).await.1["error"], "key_reused");
    assert_eq!(change("refund", "c1", 300).await.1["error"], "key_reused");
    assert_eq!(change("capture", "c2", 200).await.1["captured"], 500);
    assert_eq!(change("refund", "r0", 1).await.1["error"], "exceeds_captured", "as before");
    assert_eq!(change("refund", "r1", 500).await.1["refunded"], 500);
    assert_eq!(change("void", "v1", 0).await.1["error"], "already_captured");
    assert_eq!(change("void", "v2", 7).await.1["error"], "malformed");
}

#[tokio::test]
async fn hostile_questions_are_answered_and_change_nothing() {
    let shop = shop().await;
    let long = "k".repeat(201);
    for body in [
        json!({}),
        json!([]),
        json!("x"),
        authorizing("", 1),
        authorizing(&long, 1),
        authorizing("a\u{0}b", 1),
        authorizing("k", 0),
        authorizing("k", -1),
        json!({ "key": "k", "minor_units": 1, "currency": "ZZZ", "method": "m", "return_url": "" }),
        json!({ "key": "k", "minor_units": 1, "currency": "GBP", "method": "", "return_url": "" }),
        json!({ "key": "k", "minor_units": 1, "currency": "GBP", "method": "m",
                "return_url": "javascript:alert(1)" }),
        json!({ "key": "k", "minor_units": 1e99, "currency": "GBP", "method": "m", "return_url": "" }),
    ] {
        let (status, answer) = shop.bank.post("/v1/payments", body).await;
        assert_eq!((status, &answer["error"]), (400, &json!("malformed")));
    }
    let large = "x".repeat(70_000);
    let (status, _) = shop.bank.post("/v1/payments", authorizing(&large, 1)).await;
    assert_eq!(status, 400);
    assert_eq!(shop.bank.get("k").await["error"], "not_found");
    let capture = json!({ "key": id(), "minor_units": 1 });
    let (status, _) = shop.bank.post("/v1/payments/k/capture", capture).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn the_hosted_page_shows_nothing_of_the_asker_and_decides_once() {
    let shop = shop().await;
    let asking = json!({
        "key": id(), "minor_units": 1_999, "currency": "GBP", "method": "test_action_required",
        "return_url": "https://shop.example/<script>",
    });
    let (_, payment) = shop.bank.post("/v1/payments", asking).await;
    let page = payment["action_url"].as_str().unwrap().to_owned();
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();

    let shown = browser.get(&page).send().await.unwrap();
    assert_eq!(shown.headers()["content-type"], "text/html; charset=utf-8");
    let policy = shown.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    let html = shown.text().await.unwrap();
    assert!(html.contains("19.99 GBP"));
    assert!(!html.contains("script"));

    let neither = browser.post(&page).body("decision=maybe").send().await.unwrap();
    assert_eq!(neither.status(), 400);
    let yes = browser.post(&page).body("decision=approve").send().await.unwrap();
    assert_eq!(yes.status(), 303);
    let no = browser.post(&page).body("decision=decline").send().await.unwrap();
    assert_eq!(no.status(), 303);
    let key = payment["key"].as_str().unwrap();
    assert_eq!(shop.bank.get(key).await["status"], "authorized");
    let nobody = format!("{}/pay/sim_nobody", shop.bank.url);
    assert_eq!(browser.get(nobody).send().await.unwrap().status(), 404);
}

/// A provider that gives the same answer to everything.
async fn answering(status: u16, body: String) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let status = axum::http::StatusCode::from_u16(status).unwrap();
    let location = [(axum::http::header::LOCATION, "http://127.0.0.1:1/")];
    let answer = move || async move { (status, location, body) };
    let router = axum::Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn a_provider_that_lies_or_talks_nonsense_is_not_believed() {
    let shop = shop().await;
    let good = json!({
        "reference": "sim_1", "key": "k", "status": "authorized", "minor_units": 10_000,
        "currency": "GBP", "captured": 0, "refunded": 0,
    });
    let with = |field: &str, value: Value| {
        let mut payment = good.clone();
        payment[field] = value;
        payment.to_string()
    };
    let script = json!({
        "reference": "sim_1", "key": "k", "status": "action_required", "minor_units": 10_000,
        "currency": "GBP", "captured": 0, "refunded": 0, "action_url": "javascript:alert(1)",
    });
    let lies = [
        (200, with("minor_units", json!(9_999))),
        (200, with("currency", json!("EUR"))),
        (200, with("currency", json!("nonsense"))),
        (200, with("captured", json!(-1))),
        (200, with("refunded", json!(1e300))),
        (200, with("reference", json!(""))),
        (200, with("reference", json!("x".repeat(70_000)))),
        (200, with("status", json!("rich"))),
        (200, with("status", json!("action_required"))),
        (200, script.to_string()),
        (200, String::new()),
        (200, "<html>".into()),
        (302, good.to_string()),
        (400, json!({ "error": "malformed" }).to_string()),
        (409, json!({ "error": "key_reused" }).to_string()),
        (418, good.to_string()),
        (500, good.to_string()),
    ];
    for (status, body) in lies {
        let mut fooled = shop.with_provider(&answering(status, body.clone()).await);
        let asked = crate::support::authorizing("test_approve");

        let answer = fooled.authorize_payment(asked).await.unwrap().into_inner();

        let payment = answer.payment.unwrap();
        assert_eq!(payment.state(), PaymentState::Pending, "{status} {body:.200}");
        assert_eq!(payment.provider_reference, "", "{status} {body:.200}");
        let settled = shop.sync(&payment.id).await;
        assert_eq!(settled.state(), PaymentState::Authorized, "the truth is still taken over");
    }
    let mut told = shop.with_provider(&answering(200, good.to_string()).await);
    let asked = crate::support::authorizing("test_approve");
    let answer = told.authorize_payment(asked).await.unwrap().into_inner();
    assert_eq!(answer.payment.unwrap().state(), PaymentState::Authorized, "a good answer of its kind is");
}
