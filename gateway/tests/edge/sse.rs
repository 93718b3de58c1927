//! Event streams, by a clock that jumps: signs of life, and the end with the token.

use std::time::Duration;

use futures::{StreamExt, stream};
use gateway::limits::SSE_HEARTBEAT;
use http_body_util::BodyExt;
use mesh::testing;
use proto::inventory;
use serde_json::json;
use tokio::time::Instant;
use tower::ServiceExt;

use crate::support::shop;

/// What `testing::token` is good for.
const TOKEN_LIFE: Duration = Duration::from_secs(300);

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_gives_signs_of_life_until_its_token_ends() {
    let shop = shop();
    shop.inventory.on_stream("WatchStock", |_: inventory::WatchStockRequest| {
        let stock = Some(inventory::Stock { sku: "A".to_owned(), ..Default::default() });
        stream::iter([Ok(inventory::WatchStockResponse { stock })]).chain(stream::pending()).boxed()
    });
    let token = testing::token(&testing::customer()).unwrap();
    let query = json!({ "query": "subscription { stockChanged(skus: [\"A\"]) { sku } }" });
    let request = http::Request::post("/graphql")
        .header("content-type", "application/json")
        .header("accept", "text/event-stream")
        .header("x-shop-client", "test")
        .header("authorization", format!("Bearer {token}"))
        .body(axum::body::Body::from(query.to_string()))
        .unwrap();
    let began = Instant::now();

    let mut body = shop.router.oneshot(request).await.unwrap().into_body();
    let mut heard = Vec::new();
    while let Some(frame) = body.frame().await {
        let bytes = frame.unwrap().into_data().unwrap();
        heard.push((began.elapsed().as_secs(), String::from_utf8(bytes.to_vec()).unwrap()));
    }

    assert!(heard[0].1.starts_with("event: next\ndata: {\"data\":{\"stockChanged\":{\"sku\":\"A\"}}}"));
    assert_eq!(heard[1], (SSE_HEARTBEAT.as_secs(), ": \n\n".to_owned()));
    assert!(
        heard[1..].iter().all(|(_, sign)| sign == ": \n\n"),
        "no `complete`: the client comes back: {heard:?}"
    );
    let lasted = began.elapsed();
    assert!(lasted <= TOKEN_LIFE && lasted + Duration::from_secs(5) > TOKEN_LIFE, "{lasted:?}");
}
