//! A call answers in time, on both sides, in one process too.

use std::time::{Duration, Instant};

use mesh::context::{self, Context};
use tonic::Code;

use crate::support::{Shop, reason, reservation, skus, watching};

fn within(millis: u64) -> Context {
    let deadline = tokio::time::Instant::now() + Duration::from_millis(millis);
    Context { deadline: Some(deadline), ..Context::default() }
}

#[tokio::test]
async fn a_slow_call_is_answered_at_the_callers_deadline() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;

    for mut client in [shop.client("gateway", None), wire.client("gateway")] {
        let started = Instant::now();
        let refusal =
            context::scope(within(50), client.batch_get_stock(skus("sleep:60000"))).await.unwrap_err();

        assert_eq!(refusal.code(), Code::DeadlineExceeded);
        assert_eq!(reason(&refusal), "DEADLINE_EXCEEDED");
        // The rule of the method would allow two seconds.
        assert!(started.elapsed() < Duration::from_millis(1_900));
    }
    assert_eq!(shop.state.ended(), 0);
}

#[tokio::test]
async fn the_rule_of_a_method_ends_a_call_that_nobody_limits() {
    let shop = Shop::start();
    let started = Instant::now();

    let refusal = shop.client("gateway", None).batch_get_stock(skus("sleep:60000")).await.unwrap_err();

    assert_eq!(refusal.code(), Code::DeadlineExceeded);
    assert!(started.elapsed() < Duration::from_secs(20), "the contract says two seconds");
}

#[tokio::test]
async fn a_timeout_that_cannot_be_read_is_refused() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;
    let channel = tonic::transport::Endpoint::from(wire.uri.clone()).connect_lazy();
    let mut foreign = proto::inventory::inventory_service_client::InventoryServiceClient::new(channel);

    for malformed in ["5", "m", "-5m", "123456789m", "5x", "0x5m"] {
        let mut request = tonic::Request::new(skus("a"));
        request.metadata_mut().insert("grpc-timeout", malformed.parse().unwrap());
        let refusal = foreign.batch_get_stock(request).await.unwrap_err();

        assert_eq!(refusal.code(), Code::InvalidArgument, "{malformed}");
        assert_eq!(mesh::status::violations_of(&refusal)[0].field, "grpc-timeout");
    }
    assert_eq!(shop.state.began(), 0);
}

#[tokio::test]
async fn nothing_begins_after_the_deadline() {
    let shop = Shop::start();

    let refusal =
        context::scope(within(0), shop.client("gateway", None).batch_get_stock(skus("a"))).await.unwrap_err();

    assert_eq!(refusal.code(), Code::DeadlineExceeded);
    assert_eq!(shop.state.began(), 0);
}

#[tokio::test]
async fn the_deadline_shrinks_from_hop_to_hop() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;
    let outer = within(1_900);

    for mut client in [shop.client("gateway", None), wire.client("gateway")] {
        let left_before = outer.deadline.unwrap() - tokio::time::Instant::now();
        let call = client.batch_get_stock(skus("a"));
        context::scope(outer.clone(), call).await.unwrap();

        let seen = shop.state.last();
        let left_inside = seen.context.deadline.unwrap() - seen.at;
        assert!(left_inside < left_before);
        assert!(!left_inside.is_zero());
    }
}

#[tokio::test]
async fn the_rule_shortens_a_longer_deadline() {
    let shop = Shop::start();

    context::scope(within(60_000), shop.client("gateway", None).batch_get_stock(skus("a"))).await.unwrap();

    let inherited = shop.state.last().context.deadline.unwrap();
    assert!(inherited <= tokio::time::Instant::now() + Duration::from_secs(2));
}

#[tokio::test]
async fn a_stream_that_has_begun_is_cut_at_the_deadline() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;

    for mut client in [shop.client("gateway", None), wire.client("gateway")] {
        // There is a connection then.
        client.batch_get_stock(skus("a")).await.unwrap();
        let started = Instant::now();
        let mut stream =
            context::scope(within(500), client.watch_stock(watching("a"))).await.unwrap().into_inner();
        let mut messages = 0;
        let end = loop {
            match stream.message().await {
                Ok(Some(_)) => messages += 1,
                Ok(None) => panic!("the stream ended without a word"),
                Err(status) => break status,
            }
        };

        assert_eq!(end.code(), Code::DeadlineExceeded);
        assert!(messages > 1);
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_foreign_clients_stream_is_cut_by_the_server() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;
    let channel = tonic::transport::Endpoint::from(wire.uri.clone()).connect_lazy();
    let mut foreign = proto::inventory::inventory_service_client::InventoryServiceClient::new(channel);
    let mut request = tonic::Request::new(watching("a"));
    request.metadata_mut().insert("grpc-timeout", "1000m".parse().unwrap());

    let mut stream = foreign.watch_stock(request).await.unwrap().into_inner();
    let end = loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended without a word"),
            Err(status) => break status,
        }
    };

    assert_eq!(end.code(), Code::DeadlineExceeded);
    assert_eq!(reason(&end), "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn a_stream_without_a_limit_goes_on_and_makes_its_calls_in_its_own_context() {
    let shop = Shop::start();
    let user = mesh::testing::customer();

    let mut stream =
        shop.client("gateway", Some(user.clone())).watch_stock(watching("a")).await.unwrap().into_inner();
    for version in 1..=3 {
        let stock = stream.message().await.unwrap().unwrap().stock.unwrap();
        assert_eq!(stock.version, version);
    }

    let context = shop.state.last().context;
    assert_eq!(context.deadline, None);
    assert_eq!(context.user.unwrap().account, user.account);
}

#[tokio::test]
async fn an_effect_ends_at_its_deadline_even_in_a_task_of_its_own() {
    let shop = Shop::start();

    let refusal =
        context::scope(within(500), shop.client("orders", None).reserve_stock(reservation("sleep:1000")))
            .await
            .unwrap_err();
    tokio::time::sleep(Duration::from_millis(1_000)).await;

    assert_eq!(refusal.code(), Code::DeadlineExceeded);
    assert_eq!((shop.state.began(), shop.state.ended()), (1, 0));
}
