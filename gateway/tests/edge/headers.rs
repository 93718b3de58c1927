//! Headers that keep answers where they belong.

use serde_json::json;

use crate::support::{Ask, Shop, settings, shop_with};

fn shop(production: bool) -> Shop {
    let mut settings = settings();
    settings.production = production;
    let shop = shop_with(settings);
    shop.identity.on("ListSigningKeys", |_: proto::identity::ListSigningKeysRequest| {
        Ok(proto::identity::ListSigningKeysResponse::default())
    });
    shop
}

/// A path, what is asked there, and how an answer may be kept.
fn table(shop: &Shop, production: bool) -> Vec<(&'static str, Ask, &'static str)> {
    let get = |path| shop.raw("GET", path, "");
    let persona = || {
        let ask = shop.raw("POST", "/dev/persona", "{\"persona\":\"guest\"}");
        ask.header("content-type", "application/json")
    };
    let events = shop.ask("{ customer { id } }", json!({})).header("accept", "text/event-stream");
    let mut rows = vec![
        ("an answer", shop.ask("{ customer { id } }", json!({})), "no-store"),
        ("a refusal", shop.ask("{", json!({})), "no-store"),
        ("an event", events, "no-store"),
        ("no GraphQL", get("/graphql"), "no-store"),
        ("a session", shop.ask("{ customer { id } }", json!({})).path("/graphql/session"), "no-store"),
        ("no webhook", shop.raw("POST", "/webhooks/payments/none", "{}"), "no-store"),
        ("nothing", get("/nothing"), "no-store"),
        ("keys", get("/.well-known/jwks.json"), "public, max-age=60"),
        ("a picture", get("/media/harbour-mug.svg"), "public, max-age=31536000, immutable"),
    ];
    if !production {
        rows.extend([
            ("the playground", get("/"), "no-cache"),
            ("its script", get("/playground/playground.js"), "no-cache"),
            ("who plays", get("/dev/playground.json"), "no-store"),
            ("a persona", persona(), "no-store"),
        ]);
    }
    rows
}

#[tokio::test]
async fn nothing_is_kept_framed_or_guessed_that_is_not_meant_to_be() {
    for production in [true, false] {
        let shop = shop(production);

        for (what, ask, kept) in table(&shop, production) {
            let answer = ask.answer().await;

            let header = |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap());
            assert_eq!(header("cache-control"), Some(kept), "{what}");
            assert_eq!(header("x-content-type-options"), Some("nosniff"), "{what}");
            assert_eq!(header("referrer-policy"), Some("no-referrer"), "{what}");
            let policy = header("content-security-policy").unwrap_or_default();
            assert!(policy.starts_with("default-src 'none'"), "{what}: {policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
            let lasting = header("strict-transport-security");
            assert_eq!(lasting.is_some(), production, "{what}: {lasting:?}");
        }
    }
}
