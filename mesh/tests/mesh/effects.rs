//! A client that leaves does not tear what has begun.

use std::time::Duration;

use mesh::context::{self, Context};
use observability::RpcMetrics;
use tonic::Code;

use crate::support::{Shop, eventually, reservation, routes, skus};

#[tokio::test]
async fn an_effect_ends_although_its_client_has_left() {
    let shop = Shop::start();
    let wire = shop.wire("orders").await;

    for (number, mut client) in [shop.client("orders", None), wire.client("orders")].into_iter().enumerate() {
        let left =
            tokio::time::timeout(Duration::from_millis(50), client.reserve_stock(reservation("sleep:200")))
                .await;

        assert!(left.is_err());
        eventually(|| shop.state.ended() == number + 1).await;
    }
}

#[tokio::test]
async fn an_effect_whose_client_has_left_still_ends_at_its_deadline() {
    let shop = Shop::start();
    let deadline = tokio::time::Instant::now() + Duration::from_millis(200);
    let context = Context { deadline: Some(deadline), ..Context::default() };

    let mut client = shop.client("orders", None);
    let call = context::scope(context, client.reserve_stock(reservation("sleep:600")));
    let left = tokio::time::timeout(Duration::from_millis(50), call).await;
    tokio::time::sleep(Duration::from_millis(900)).await;

    assert!(left.is_err());
    assert_eq!((shop.state.began(), shop.state.ended()), (1, 0));
}

#[tokio::test]
async fn a_read_that_nobody_waits_for_stops() {
    let shop = Shop::start();

    let mut client = shop.client("gateway", None);
    let left =
        tokio::time::timeout(Duration::from_millis(50), client.batch_get_stock(skus("sleep:200"))).await;
    tokio::time::sleep(Duration::from_millis(400)).await;

    assert!(left.is_err());
    assert_eq!((shop.state.began(), shop.state.ended()), (1, 0));
}

#[tokio::test]
async fn an_effect_keeps_context_and_trace_in_its_task() {
    use tracing::Instrument;

    let shop = Shop::start();
    let span = tracing::info_span!(target: observability::names::SERVER_SPANS, "outer");
    let trace = span.in_scope(observability::propagation::trace_id);

    shop.client("orders", None).reserve_stock(reservation("r")).instrument(span).await.unwrap();

    let seen = shop.state.last();
    assert!(trace.is_some());
    assert_eq!(seen.trace, trace);
    assert!(seen.context.deadline.is_some());
}

#[tokio::test]
async fn a_process_that_stops_waits_for_its_effects() {
    let shop = Shop::start();
    let settings =
        mesh::ServerSettings { calls_max: 8, streams_max: 8, message_in_max: 1_024, message_out_max: 1_024 };
    let server = mesh::Server::new(settings, mesh::testing::verifier(), RpcMetrics::server());
    let upstream = mesh::Upstream::local(server.stack("inventory", routes(&shop.state)));
    let mut client = crate::support::Client::new(upstream.channel("orders"));

    let left =
        tokio::time::timeout(Duration::from_millis(50), client.reserve_stock(reservation("sleep:300"))).await;
    let early = server.finish(Duration::from_millis(50)).await;
    let late = server.finish(Duration::from_secs(5)).await;

    assert!(left.is_err());
    assert!(!early, "the effect was still under way");
    assert!(late);
    assert_eq!(shop.state.ended(), 1);
}

#[tokio::test]
async fn an_effect_without_a_client_keeps_its_place_until_it_ends() {
    let shop = Shop::start();
    let settings =
        mesh::ServerSettings { calls_max: 1, streams_max: 1, message_in_max: 1_024, message_out_max: 1_024 };
    let server = mesh::Server::new(settings, mesh::testing::verifier(), RpcMetrics::server());
    let upstream = mesh::Upstream::local(server.stack("inventory", routes(&shop.state)));
    let mut client = crate::support::Client::new(upstream.channel("orders"));

    let left =
        tokio::time::timeout(Duration::from_millis(50), client.reserve_stock(reservation("sleep:300"))).await;
    let refused = client.reserve_stock(reservation("r")).await.unwrap_err();
    eventually(|| shop.state.ended() == 1).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let answered = client.reserve_stock(reservation("r")).await;

    assert!(left.is_err());
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(answered.is_ok());
}
