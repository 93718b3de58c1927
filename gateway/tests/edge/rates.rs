//! How much a client may ask for, and who is a client. The clock stands still, so no bucket fills while a test runs.

use std::net::SocketAddr;

use http::StatusCode;
use mesh::testing;
use serde_json::json;

use crate::support::{Answer, Shop, settings, shop_with};

fn shop(trusted: &[&str]) -> Shop {
    let mut settings = settings();
    settings.production = true;
    settings.trusted_proxies = trusted.iter().map(|network| network.parse().unwrap()).collect();
    shop_with(settings)
}

#[tokio::test(start_paused = true)]
async fn who_asks_too_much_is_told_when_to_come_back() {
    let shop = shop(&[]);
    let user = testing::customer();
    let mut refused = None;

    for _ in 0..601 {
        let answer = shop.ask("{ __typename }", json!({})).by(&user).modern().answer().await;
        if answer.status != StatusCode::OK {
            refused = Some(answer);
            break;
        }
    }

    let refused = refused.expect("601 requests at once are too many");
    assert_eq!((refused.status, refused.code()), (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"));
    assert!(refused.headers.contains_key("retry-after"));
    assert!(refused.json["errors"][0]["extensions"]["retryAfterMs"].as_u64().unwrap() > 0);
}

/// Asks what is refused, until it is too much; answers how often that took.
async fn exhaust(shop: &Shop, ask: impl AsyncFn() -> Answer) -> usize {
    for asked in 0..2_000 {
        let answer = ask().await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            return asked;
        }
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    }
    assert!(shop.calls().is_empty());
    panic!("2,000 refused documents were never too much");
}

#[tokio::test(start_paused = true)]
async fn a_refused_document_costs_more_than_an_answered_one() {
    let shop = shop(&[]);
    let user = testing::customer();

    let refused = exhaust(&shop, async || shop.ask("{ prodcts", json!({})).by(&user).modern().answer().await);

    assert_eq!(refused.await, 100, "600 tokens at 6 each");
    let other = shop.ask("{ __typename }", json!({})).by(&testing::customer()).modern().answer().await;
    assert_eq!(other.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_forged_header_buys_nothing_and_a_trusted_proxy_names_clients() {
    let shop = shop(&["10.0.0.0/8"]);
    let ask = |peer: &str, forwarded: &str, query: &str| {
        let peer: SocketAddr = format!("{peer}:4000").parse().unwrap();
        let ask = shop.ask(query, json!({})).header("x-forwarded-for", forwarded).modern();
        ask.from(peer).answer()
    };
    let spent = exhaust(&shop, async || ask("203.0.113.7", "198.51.100.1", "{ a").await).await;
    assert!(spent > 1_000, "a whole office may ask from one address: {spent}");

    for forged in ["198.51.100.2", "10.0.0.1", "198.51.100.2, 203.0.113.8", "nonsense"] {
        let again = ask("203.0.113.7", forged, "{ a").await;
        assert_eq!(again.status, StatusCode::TOO_MANY_REQUESTS, "{forged}");
    }
    let through = async |forwarded| ask("10.0.0.5", forwarded, "{ a").await.status;
    assert_eq!(through("198.51.100.2, 203.0.113.7").await, StatusCode::TOO_MANY_REQUESTS, "the same client");
    assert_eq!(
        through("203.0.113.7, 198.51.100.2").await,
        StatusCode::BAD_REQUEST,
        "another, whatever it says"
    );
    assert_eq!(
        through("203.0.113.7, nonsense").await,
        StatusCode::BAD_REQUEST,
        "nobody knows who: the proxy itself"
    );
}
