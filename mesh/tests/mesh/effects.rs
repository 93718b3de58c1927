//! A client that leaves does not tear what has begun.

use std::time::Duration;

use mesh::context::{self, Context};
use observability::RpcMetrics;
use tonic::Code;

use crate::support::{Shop, eventually, reservation, routes, skus};

/// Calls, and leaves as soon as the call has begun.
async fn leave<T>(shop: &Shop, call: impl Future<Output = T>) {
    let before = shop.state.began();
    tokio::select! {
        _ = call => panic!("it was answered"),
        () = eventually(|| shop.state.began() > before) => {}
    }
}

#[tokio::test]
async fn an_effect_ends_although_its_client_has_left() {
    let shop = Shop::start();
    let wire = shop.wire("orders").await;

    for (number, mut client) in [shop.client("orders", None), wire.client("orders")].into_iter().enumerate() {
        leave(&shop, client.reserve_stock(reservation("sleep:1000"))).await;

        eventually(|| shop.state.ended() == number + 1).await;
    }
}

#[tokio::test]
async fn an_effect_whose_client_has_left_still_ends_at_its_deadline() {
    let shop = Shop::start();
    let deadline = tokio::time::Instant::now() + Duration::from_millis(500);
    let context = Context { deadline: Some(deadline), ..Context::default() };

    let mut client = shop.client("orders", None);
    leave(&shop, context::scope(context, client.reserve_stock(reservation("sleep:1000")))).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;

    assert_eq!((shop.state.began(), shop.state.ended()), (1, 0));
}

#[tokio::test]
async fn a_read_that_nobody_waits_for_stops() {
    let shop = Shop::start();

    let mut client = shop.client("gateway", None);
    leave(&shop, client.batch_get_stock(skus("sleep:1000"))).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;

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

    leave(&shop, client.reserve_stock(reservation("sleep:1000"))).await;
    let early = server.finish(Duration::from_millis(50)).await;
    let late = server.finish(Duration::from_secs(20)).await;

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

    leave(&shop, client.reserve_stock(reservation("sleep:1000"))).await;
    let refused = client.reserve_stock(reservation("r")).await.unwrap_err();
    eventually(|| shop.state.ended() == 1).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let answered = client.reserve_stock(reservation("r")).await;

    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(answered.is_ok());
}
