//! What the edge accepts over HTTP, and the status of what it answers.

use http::StatusCode;
use mesh::testing;
use serde_json::json;
use tonic::Code;

use crate::pages::stocked;
use crate::support::{seeing, shop, uuid};

type Headers<'a> = &'a [(&'a str, &'a str)];

const QUERY: &str = "{\"query\":\"{ products { nodes { title } } }\"}";

#[tokio::test]
async fn only_json_posts_of_the_shops_own_clients_execute() {
    let shop = stocked(1);
    let own = ("origin", "http://shop.test");
    let foreign = ("origin", "https://evil.example");
    let cookie = ("cookie", "cart=a.b");
    let client = ("x-shop-client", "test");
    let json_type = ("content-type", "application/json");
    let table: [(&str, Headers<'_>, StatusCode); 13] = [
        ("POST", &[json_type, client], StatusCode::OK),
        ("POST", &[json_type, client, own, cookie], StatusCode::OK),
        ("POST", &[json_type, client, ("origin", "https://shop.example"), cookie], StatusCode::OK),
        ("POST", &[json_type], StatusCode::FORBIDDEN),
        ("POST", &[json_type, client, cookie], StatusCode::FORBIDDEN),
        ("POST", &[json_type, client, foreign], StatusCode::FORBIDDEN),
        ("POST", &[json_type, client, ("origin", "null"), cookie], StatusCode::FORBIDDEN),
        ("POST", &[json_type, client, own, cookie, ("sec-fetch-site", "cross-site")], StatusCode::FORBIDDEN),
        ("POST", &[client], StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("POST", &[client, ("content-type", "text/plain")], StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (
            "POST",
            &[client, ("content-type", "application/x-www-form-urlencoded")],
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            "POST",
            &[client, ("content-type", "multipart/form-data; boundary=x")],
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        ("GET", &[json_type, client], StatusCode::METHOD_NOT_ALLOWED),
    ];

    for (method, headers, wanted) in table {
        shop.calls();
        let mut ask = shop.raw(method, "/graphql", QUERY);
        for (name, value) in headers {
            ask = ask.header(name, value);
        }
        let answer = ask.answer().await;

        assert_eq!(answer.status, wanted, "{method} {headers:?}: {}", answer.text);
        let executed = !shop.calls().is_empty();
        assert_eq!(executed, wanted == StatusCode::OK, "{method} {headers:?}");
    }
}

#[tokio::test]
async fn pages_of_a_listed_origin_may_read_answers_and_others_may_not() {
    let shop = stocked(1);
    let question = |origin: &str| {
        let ask = shop.raw("OPTIONS", "/graphql", "").header("origin", origin);
        ask.header("access-control-request-headers", "x-shop-client").answer()
    };

    let listed = question("https://shop.example").await;
    let foreign = question("https://evil.example").await;
    let answer =
        shop.ask("{ __typename }", json!({})).header("origin", "https://shop.example").answer().await;

    assert_eq!(listed.status, StatusCode::NO_CONTENT);
    assert!(listed.headers["access-control-allow-headers"].to_str().unwrap().contains("x-shop-client"));
    assert_eq!(foreign.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(!foreign.headers.contains_key("access-control-allow-origin"));
    assert_eq!(answer.headers["access-control-allow-origin"], "https://shop.example");
    assert_eq!(answer.headers["access-control-allow-credentials"], "true");
}

#[tokio::test]
async fn what_is_no_request_is_refused_without_effect() {
    let shop = stocked(1);
    let nested =
        format!("{{\"query\":\"{{ a }}\",\"variables\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies = ["", "[]", "null", "{", "\"{ a }\"", "[{\"query\":\"{ a }\"}]", "{\"query\":[]}", &nested];

    for body in bodies {
        let ask = shop.raw("POST", "/graphql", body).header("content-type", "application/json");
        let answer = ask.header("x-shop-client", "test").modern().answer().await;

        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", &body[..body.len().min(40)]);
        assert_eq!(answer.code(), "BAD_REQUEST");
        assert!(answer.text.len() < 1_024);
    }
    assert!(shop.calls().is_empty());
}

#[tokio::test]
async fn sizes_have_limits() {
    let shop = stocked(1);
    let ask = |body: String| {
        let ask = shop.raw("POST", "/graphql", body).header("content-type", "application/json");
        ask.header("x-shop-client", "test").modern()
    };

    let body = ask(" ".repeat(256 * 1024 + 1)).answer().await;
    let document = shop.ask(&format!("{{ {} }}", "a ".repeat(9_000)), json!({})).modern().answer().await;
    let aliases: String = (0..16).map(|n| format!("a{n}: categories {{ id }} ")).collect();
    let aliased = shop.ask(&format!("{{ {aliases} }}"), json!({})).modern().answer().await;

    assert_eq!(body.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!((document.status, document.code()), (StatusCode::BAD_REQUEST, "QUERY_TOO_LARGE"));
    assert_eq!((aliased.status, aliased.code()), (StatusCode::BAD_REQUEST, "QUERY_TOO_LARGE"));
    assert!(shop.calls().is_empty());
}

#[tokio::test]
async fn a_list_times_its_children_has_a_cost() {
    let shop = stocked(1);
    let variants = "variants(first: 100) { nodes { id sku title barcode weightGrams taxClass } }";
    let query = format!("{{ products(first: 100) {{ nodes {{ {variants} }} }} }}");

    let answer = shop.ask(&query, json!({})).modern().answer().await;

    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    assert!(shop.calls().is_empty());
}

#[tokio::test]
async fn the_status_follows_the_type_of_the_answer() {
    let shop = shop();
    let table = [
        ("{ products(first: 101) { nodes { id } } }", StatusCode::OK, "BAD_REQUEST"),
        ("{ nothing }", StatusCode::BAD_REQUEST, "BAD_REQUEST"),
        ("{ products { nodes { id } }", StatusCode::BAD_REQUEST, "BAD_REQUEST"),
        ("query A { a } query B { b }", StatusCode::BAD_REQUEST, "BAD_REQUEST"),
        ("subscription { stockChanged(skus: [\"A\"]) { sku } }", StatusCode::BAD_REQUEST, "BAD_REQUEST"),
    ];

    for (query, status, code) in table {
        let modern = shop.ask(query, json!({})).modern().answer().await;
        let older = shop.ask(query, json!({})).header("accept", "application/json").answer().await;

        assert_eq!((modern.status, modern.code()), (status, code), "{query}");
        assert_eq!((older.status, older.code()), (StatusCode::OK, code), "{query}");
        let kind = modern.headers["content-type"].to_str().unwrap();
        assert!(kind.starts_with("application/graphql-response+json"));
        assert_eq!(modern.headers["cache-control"], "no-store");
        assert_eq!(modern.headers["x-content-type-options"], "nosniff");
    }
    let neither = shop.ask("{ a }", json!({})).header("accept", "text/html").answer().await;
    assert_eq!(neither.status, StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn a_bug_of_the_edge_is_its_own_fault() {
    let shop = stocked(1);
    shop.catalogue.bug();

    let archive = format!(
        "mutation {{ productArchive(id: \"product_{}\", idempotencyKey: \"1\") {{ product {{ id }} }} }}",
        uuid(1).replace('-', "")
    );
    for query in ["{ products { nodes { id } } }", &archive] {
        let staff = testing::staff(&["catalogue.write"]);
        let answer = shop.ask(query, json!({})).by(&staff).modern().answer().await;

        assert_eq!((answer.status, answer.code()), (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"));
        assert!(!answer.text.contains("words of a bug"), "{}", answer.text);
    }
}

#[tokio::test]
async fn machine_faults_keep_their_words_to_themselves() {
    let _seeing = seeing();
    let shop = stocked(1);
    let table = [
        (Code::Internal, "INTERNAL", false),
        (Code::Unknown, "INTERNAL", false),
        (Code::DataLoss, "INTERNAL", false),
        (Code::FailedPrecondition, "INTERNAL", false),
        (Code::Unavailable, "UPSTREAM_UNAVAILABLE", true),
        (Code::DeadlineExceeded, "UPSTREAM_UNAVAILABLE", true),
        (Code::Unauthenticated, "UNAUTHENTICATED", false),
        (Code::PermissionDenied, "PERMISSION_DENIED", false),
        (Code::ResourceExhausted, "RATE_LIMITED", true),
    ];

    for (status, code, retryable) in table {
        shop.catalogue.fails("ListProducts", status);
        let answer = shop.ask("{ products { nodes { id } } }", json!({})).answer().await;

        assert_eq!(answer.code(), code, "{status:?}");
        let extensions = &answer.json["errors"][0]["extensions"];
        assert_eq!(extensions["retryable"], retryable);
        assert_eq!(extensions["service"], "catalogue");
        assert_eq!(extensions["retryAfterMs"].is_number(), retryable);
        assert_eq!(extensions["traceId"].as_str().map(str::len), (code == "INTERNAL").then_some(32));
        assert!(!answer.text.contains("internal words"), "{}", answer.text);
    }
}

#[tokio::test]
async fn keys_pictures_and_the_playground_are_served() {
    let shop = shop();
    shop.identity.on("ListSigningKeys", |_: proto::identity::ListSigningKeysRequest| {
        let key =
            proto::identity::SigningKey { key_id: "k1".to_owned(), public_key: vec![7; 32], not_after: None };
        Ok(proto::identity::ListSigningKeysResponse { keys: vec![key], next_page_token: String::new() })
    });

    let keys = shop.raw("GET", "/.well-known/jwks.json", "").answer().await;
    let picture = shop.raw("GET", "/media/harbour-mug.svg", "").answer().await;
    let stray = shop.raw("GET", "/media/..%2f..%2fetc%2fpasswd", "").answer().await;
    let page = shop.raw("GET", "/", "").answer().await;
    let script = shop.raw("GET", "/playground/playground.js", "").answer().await;
    let described = shop.raw("GET", "/dev/playground.json", "").answer().await;

    assert_eq!(keys.json["keys"][0]["kid"], "k1");
    assert_eq!(keys.json["keys"][0]["x"], "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
    assert!(picture.text.starts_with("<svg"));
    assert!(picture.headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(stray.status, StatusCode::NOT_FOUND);
    assert!(page.headers.contains_key("content-security-policy"));
    assert_eq!(script.status, StatusCode::OK);
    assert_eq!(described.json["persona"], serde_json::Value::Null);
    assert_eq!(described.json["tabs"][0]["title"], "Browse");
    assert_eq!(described.json["tabs"][0]["persona"], "staff");
}

#[tokio::test]
async fn a_webhook_is_handed_on_unread() {
    use proto::payments as pb;
    let shop = shop();
    shop.payments.on("ReceiveWebhook", |request: pb::ReceiveWebhookRequest| {
        assert_eq!(request.provider, "simulated");
        assert!(request.body == b"{\"odd\": \xff}" || request.signature == "wrong");
        assert!(uuid::Uuid::parse_str(&request.request_id).is_ok());
        match request.signature.as_str() {
            "right" => Ok(pb::ReceiveWebhookResponse {}),
            _ => Err(crate::support::refused(Code::PermissionDenied, "payments", "REASON_WEBHOOK_REFUSED")),
        }
    });
    let send = |signature: &'static str| {
        let body = http_body_util::Full::new(bytes::Bytes::from_static(b"{\"odd\": \xff}"));
        let request = http::Request::post("/webhooks/payments/simulated").header("shop-signature", signature);
        let request = request.body(axum::body::Body::new(body)).unwrap();
        tower::ServiceExt::oneshot(shop.router.clone(), request)
    };

    assert_eq!(send("right").await.unwrap().status(), StatusCode::OK);
    assert_eq!(send("wrong").await.unwrap().status(), StatusCode::FORBIDDEN);
    let unsigned = shop.raw("POST", "/webhooks/payments/simulated", "{}").answer().await;
    assert_eq!(unsigned.status, StatusCode::FORBIDDEN);
    for (length, refused) in [(64 * 1024, false), (64 * 1024 + 1, true)] {
        let long = shop.raw("POST", "/webhooks/payments/simulated", " ".repeat(length));
        let answer = long.header("shop-signature", "wrong").answer().await;
        assert_eq!(answer.status == StatusCode::PAYLOAD_TOO_LARGE, refused, "{length}");
    }
    shop.payments.fails("ReceiveWebhook", Code::Unavailable);
    assert_eq!(send("right").await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
}
