//! The one retry: after UNAVAILABLE, once, where it does no harm, within a budget.

use std::sync::atomic::Ordering;

use mesh::context::{self, Context};
use mesh::testing::staff;
use proto::inventory as pb;
use tonic::Code;

use crate::support::{Shop, reservation, skus, watching};

#[tokio::test]
async fn an_unavailable_service_is_asked_a_second_time() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;

    for mut client in [shop.client("gateway", None), wire.client("gateway")] {
        let before = shop.state.began();
        shop.state.unavailable.store(1, Ordering::SeqCst);

        let answer = client.batch_get_stock(skus("a")).await.unwrap().into_inner();

        assert_eq!(answer.missing, ["a"]);
        assert_eq!(shop.state.began() - before, 2);
        // Whatever the second attempt calls is not tried twice again.
        assert!(shop.state.last().context.retried);
    }
}

#[tokio::test]
async fn it_is_not_asked_a_third_time() {
    let shop = Shop::start();
    shop.state.unavailable.store(5, Ordering::SeqCst);

    let refusal = shop.client("gateway", None).batch_get_stock(skus("a")).await.unwrap_err();

    assert_eq!(refusal.code(), Code::Unavailable);
    assert_eq!(shop.state.began(), 2);
}

#[tokio::test]
async fn an_effect_with_a_key_is_repeated_with_the_same_message() {
    let shop = Shop::start();
    shop.state.unavailable.store(1, Ordering::SeqCst);
    let request = pb::AdjustStockRequest { reason: "count".to_owned(), ..Default::default() };

    let answer = shop.client("gateway", Some(staff(&["stock.write"]))).adjust_stock(request).await;

    assert!(answer.is_ok());
    assert_eq!(shop.state.began(), 2);
}

#[tokio::test]
async fn other_errors_are_not_repeated() {
    let shop = Shop::start();

    for word in ["refuse:a", "foreign:2", "foreign:8", "panic"] {
        let before = shop.state.began();
        shop.client("gateway", None).batch_get_stock(skus(word)).await.unwrap_err();

        assert_eq!(shop.state.began() - before, 1, "{word}");
    }
}

#[tokio::test]
async fn a_second_attempt_causes_no_further_second_attempts() {
    let shop = Shop::start();
    shop.state.unavailable.store(1, Ordering::SeqCst);
    let retried = Context { retried: true, ..Context::default() };

    let refusal =
        context::scope(retried, shop.client("gateway", None).batch_get_stock(skus("a"))).await.unwrap_err();

    assert_eq!(refusal.code(), Code::Unavailable);
    assert_eq!(shop.state.began(), 1);
}

#[tokio::test]
async fn a_service_that_is_down_gets_at_most_a_tenth_more_calls() {
    let shop = Shop::start();
    shop.state.unavailable.store(usize::MAX, Ordering::SeqCst);
    let mut client = shop.client("gateway", None);

    for _ in 0..1_000 {
        client.batch_get_stock(skus("a")).await.unwrap_err();
    }

    // One attempt is there to begin with.
    assert!((1_090..=1_101).contains(&shop.state.began()), "{}", shop.state.began());
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_unavailable() {
    let uri = http::Uri::from_static("http://127.0.0.1:1");
    let mut client =
        crate::support::Client::new(mesh::Upstream::remote("inventory", uri, 2, None).channel("gateway"));

    let refusal = client.batch_get_stock(skus("a")).await.unwrap_err();

    assert_eq!(refusal.code(), Code::Unavailable);
    assert_eq!(crate::support::reason(&refusal), "UNAVAILABLE");
    assert_eq!(refusal.message(), "inventory is not available at the moment");
}

#[tokio::test]
async fn the_record_of_the_edge_holds_one_line_per_call() {
    let shop = Shop::start();
    shop.state.unavailable.store(1, Ordering::SeqCst);
    let record = context::CallRecord::new();
    let context = Context { record: Some(record.clone()), ..Context::default() };

    context::scope(context, async {
        shop.client("gateway", None).batch_get_stock(skus("a")).await.unwrap();
        shop.client("gateway", None).batch_get_stock(skus("refuse:a")).await.unwrap_err();
        shop.client("gateway", None).reserve_stock(reservation("r")).await.unwrap_err();
        let stream = shop.client("gateway", None).watch_stock(watching("end")).await.unwrap();
        drop(stream);
    })
    .await;

    let lines: Vec<_> = record.calls().iter().map(|call| (call.service, call.method, call.code)).collect();
    assert_eq!(
        lines,
        [
            ("inventory", "BatchGetStock", Code::Ok),
            ("inventory", "BatchGetStock", Code::FailedPrecondition),
            ("inventory", "ReserveStock", Code::PermissionDenied),
            ("inventory", "WatchStock", Code::Cancelled),
        ]
    );
}
