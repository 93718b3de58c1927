//! What the edge does not let in.

use axum::http;
use serde_json::{Value, json};
use tonic::transport::Endpoint;
use tower::ServiceExt;

use crate::harness::Shop;

/// Headers, and what they lead to.
type Case<'a> = (&'a [(&'a str, &'a str)], (u16, Value));

/// Posts a body with headers; answers with the status and the code of the first error.
async fn post(shop: &Shop, headers: &[(&str, &str)], body: String) -> (u16, Value) {
    let guest = shop.guest();
    let mut request = guest.http.post(format!("{}/graphql", shop.edge)).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default();
    (status, answer["errors"][0]["extensions"]["code"].clone())
}

#[tokio::test]
async fn no_other_site_acts_for_a_visitor() {
    let shop = Shop::shared();
    let own = shop.edge.clone();
    let json_body = ("content-type", "application/json");
    let client = ("x-shop-client", "tests");
    let cookie = ("cookie", "access=x");
    let own_origin = ("origin", own.as_str());
    let evil = ("origin", "https://evil.example");
    let csrf = (403, json!("CSRF"));
    let fine = (200, Value::Null);
    let table: [Case<'_>; 10] = [
        (&[json_body], csrf.clone()),
        (&[json_body, client], fine.clone()),
        (&[json_body, client, own_origin], fine.clone()),
        (&[json_body, client, evil], csrf.clone()),
        (&[json_body, client, cookie], csrf.clone()),
        (&[json_body, client, cookie, evil], csrf.clone()),
        (&[json_body, client, cookie, own_origin], fine.clone()),
        (&[json_body, client, cookie, own_origin, ("sec-fetch-site", "cross-site")], csrf),
        (&[json_body, client, cookie, own_origin, ("sec-fetch-site", "same-origin")], fine),
        // What a form can send without asking.
        (&[("content-type", "text/plain"), client, own_origin], (415, Value::Null)),
    ];

    for (headers, wanted) in table {
        let got = post(&shop, headers, json!({ "query": "{ __typename }" }).to_string()).await;
        assert_eq!(got, wanted, "{headers:?}");
    }
    let asked = shop.guest().http.get(format!("{own}/graphql?query={{__typename}}")).send().await.unwrap();
    assert_eq!(asked.status().as_u16(), 405);
}

#[tokio::test]
async fn a_page_of_another_site_opens_no_socket() {
    let shop = Shop::shared();
    let guest = shop.guest();
    let knock = async |origin: Option<&str>| {
        let mut request = guest
            .http
            .get(format!("{}/graphql/ws", shop.edge))
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-protocol", "graphql-transport-ws");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request.send().await.unwrap().status().as_u16()
    };

    assert_eq!(knock(Some("https://evil.example")).await, 403);
    assert_eq!(knock(Some(&shop.edge)).await, 101);
    assert_eq!(knock(None).await, 101);
}

#[tokio::test]
async fn a_shop_under_development_is_called_by_its_own_name() {
    let shop = Shop::shared();
    let keys = format!("{}/.well-known/jwks.json", shop.edge);
    let older = async |host: &str| {
        let request = shop.guest().http.get(&keys).header("host", host);
        request.send().await.unwrap().status().as_u16()
    };
    let newer = async |host: &str| {
        let endpoint = Endpoint::from_shared(shop.edge.clone()).unwrap();
        let channel = endpoint.origin(format!("http://{host}").parse().unwrap()).connect().await.unwrap();
        let request = http::Request::get("/.well-known/jwks.json").body(tonic::body::Body::empty()).unwrap();
        channel.oneshot(request).await.unwrap().status().as_u16()
    };
    let port = shop.edge.rsplit(':').next().unwrap();

    for (host, status) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        (format!("shop.example:{port}"), 421),
        ("localhost.shop.example".to_owned(), 421),
    ] {
        assert_eq!((older(&host).await, newer(&host).await), (status, status), "{host}");
    }
}

#[tokio::test]
async fn a_document_that_asks_too_much_is_refused_before_it_runs() {
    let shop = Shop::shared();
    let query = |document: &str| json!({ "query": document }).to_string();
    let aliases: String = (0..16).map(|index| format!("a{index}: __typename ")).collect();
    let deep = format!("{{ categories {{ {} id {} }} }}", "children {".repeat(15), "}".repeat(15));
    let costly =
        "{ products(first: 100) { nodes { variants(first: 100) { nodes { id product { reviews(first: 20) {
        nodes { id } } } } } } } }";
    let looped = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }";
    let doubling: String = (0..12)
        .map(|index| format!("fragment F{index} on Query {{ ...F{0} ...F{0} }} ", index + 1))
        .chain([String::from("fragment F12 on Query { __typename }")])
        .collect();
    let table = [
        (query(&format!("{{ {aliases} }}")), 200, "QUERY_TOO_LARGE"),
        (query(&deep), 200, "QUERY_TOO_LARGE"),
        (query(&format!("{{ __typename }}{}", " ".repeat(17_000))), 200, "QUERY_TOO_LARGE"),
        (query(costly), 200, "BAD_REQUEST"),
        (query(looped), 200, "BAD_REQUEST"),
        (query(&format!("{{ ...F0 }} {doubling}")), 200, "QUERY_TOO_LARGE"),
        (query("query A { __typename } query B { __typename }"), 200, "BAD_REQUEST"),
        (query("{ products(first: 101) { nodes { id } } }"), 200, "BAD_REQUEST"),
        (query("{ nothing }"), 200, "BAD_REQUEST"),
        (format!("[{}]", query("{ __typename }")), 200, "BAD_REQUEST"),
        ("{\"query\":".to_owned(), 200, "BAD_REQUEST"),
    ];

    let headers = [("content-type", "application/json"), ("x-shop-client", "tests")];
    for (body, status, code) in table {
        let got = post(&shop, &headers, body.clone()).await;
        assert_eq!(got, (status, json!(code)), "{}", body.chars().take(200).collect::<String>());
    }
    let large = query(&"x".repeat(300_000));
    assert_eq!(post(&shop, &headers, large).await.0, 413);
    let token = [headers[0], headers[1], ("authorization", "Bearer made.up.token")];
    assert_eq!(post(&shop, &token, query("{ __typename }")).await.1, json!("UNAUTHENTICATED"));
}
