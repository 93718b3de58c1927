//! What does not exist in production.

use http::StatusCode;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::support::{INTROSPECTION, settings, shop_with};

const QUERY: &str = "{ categories { id } }";

#[tokio::test]
async fn nothing_tells_what_the_schema_looks_like() {
    let mut settings = settings();
    settings.production = true;
    let shop = shop_with(settings);

    for query in [
        INTROSPECTION,
        "{ __schema { types { name } } }",
        "{ __type(name: \"Cart\") { name } }",
        "{ product { titl } }",
        "{ prodcts { nodes { id } } }",
    ] {
        let answer = shop.ask(query, json!({})).modern().answer().await;

        assert!(
            answer.json["data"].is_null() || answer.json["data"]["__schema"].is_null(),
            "{}",
            answer.text
        );
        for name in ["Cart", "Product", "products", "title", "Did you mean"] {
            assert!(!answer.text.contains(name), "{query}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn playground_personas_and_costs_do_not_exist() {
    let mut settings = settings();
    settings.production = true;
    let shop = shop_with(settings);

    for (method, path) in [
        ("GET", "/"),
        ("GET", "/playground/playground.js"),
        ("GET", "/dev/playground.json"),
        ("POST", "/dev/persona"),
    ] {
        let answer = shop
            .raw(method, path, "{\"persona\":\"staff\"}")
            .header("content-type", "application/json")
            .answer()
            .await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let answer = shop.ask(QUERY, json!({})).answer().await;
    assert!(answer.json["extensions"].is_null(), "{}", answer.text);
    assert!(answer.headers.contains_key("strict-transport-security"));
}

#[tokio::test]
async fn with_a_list_only_registered_documents_execute() {
    let mut settings = settings();
    settings.production = true;
    let hash: String = Sha256::digest(QUERY).iter().map(|byte| format!("{byte:02x}")).collect();
    settings.documents = Some(vec![gateway::DocumentHash::from_hex(&hash).unwrap()]);
    let shop = shop_with(settings);

    let known = shop.ask(QUERY, json!({})).modern().answer().await;
    let unknown = shop.ask("{ __typename }", json!({})).modern().answer().await;

    assert_eq!(known.status, StatusCode::OK);
    assert_eq!((unknown.status, unknown.code()), (StatusCode::BAD_REQUEST, "DOCUMENT_UNKNOWN"));
}
