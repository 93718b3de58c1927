//! Everything has a limit with a name.

use std::time::Duration;

use mesh::status::{retry_after_of, violations_of};
use mesh::{Server, ServerSettings, Upstream};
use observability::RpcMetrics;
use tonic::Code;

use crate::support::{Client, Shop, reason, routes, skus, watching};

fn narrow(shop: &Shop) -> Client {
    let settings = ServerSettings { calls_max: 2, streams_max: 1, message_in_max: 100, message_out_max: 200 };
    let server = Server::new(settings, mesh::testing::verifier(), RpcMetrics::server());
    Client::new(Upstream::local(server.stack("inventory", routes(&shop.state))).channel("gateway"))
}

#[tokio::test]
async fn one_call_too_many_is_told_to_come_back() {
    let shop = Shop::start();
    let client = narrow(&shop);
    let call = |word: &'static str| {
        let mut client = client.clone();
        async move { client.batch_get_stock(skus(word)).await }
    };

    let (first, second, third) = tokio::join!(call("sleep:100"), call("sleep:100"), call("a"));

    let refusal = third.unwrap_err();
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(refusal.code(), Code::ResourceExhausted);
    assert_eq!(reason(&refusal), "OVERLOADED");
    assert_eq!(retry_after_of(&refusal), Some(Duration::from_secs(1)));
    assert!(call("a").await.is_ok());
}

#[tokio::test]
async fn streams_have_places_of_their_own_and_keep_them_while_they_last() {
    let shop = Shop::start();
    let mut client = narrow(&shop);

    let stream = client.watch_stock(watching("a")).await.unwrap();
    let refused = client.watch_stock(watching("a")).await.unwrap_err();
    let call = client.batch_get_stock(skus("a")).await;
    drop(stream);
    let again = client.watch_stock(watching("a")).await;

    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(call.is_ok());
    assert!(again.is_ok());
}

#[tokio::test]
async fn a_message_that_is_too_long_is_refused_and_one_that_just_fits_is_not() {
    let shop = Shop::start();
    let mut client = narrow(&shop);

    // Two bytes are the field's tag and its length.
    let fits = client.batch_get_stock(skus(&"x".repeat(98))).await;
    let refusal = client.batch_get_stock(skus(&"x".repeat(99))).await.unwrap_err();

    assert!(fits.is_ok());
    assert_eq!(refusal.code(), Code::InvalidArgument);
    assert_eq!(violations_of(&refusal)[0].description, "a message must not be longer than 100 bytes");
    assert_eq!(shop.state.began(), 1);
}

#[tokio::test]
async fn a_long_message_is_refused_on_a_socket_too() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;

    let refusal = wire.client("gateway").batch_get_stock(skus(&"x".repeat(1024 * 1024))).await.unwrap_err();

    assert_eq!(refusal.code(), Code::InvalidArgument);
    assert_eq!(shop.state.began(), 0);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_a_fault_of_ours() {
    let shop = Shop::start();
    let mut client = narrow(&shop);

    let fits = client.batch_get_stock(skus("length:100")).await;
    let fault = client.batch_get_stock(skus("length:300")).await.unwrap_err();

    assert!(fits.is_ok());
    assert_eq!((fault.code(), fault.message()), (Code::Internal, "internal error"));
}

#[tokio::test]
async fn a_prefix_that_promises_two_gigabytes_is_refused_before_they_come() {
    use futures::StreamExt;
    use http_body::Frame;
    use http_body_util::StreamBody;
    use tower::ServiceExt;

    let shop = Shop::start();
    let channel = shop.server.channel_as("gateway", None);
    // The prefix comes byte by byte, and what it promises never comes.
    let prefix =
        [0_u8, 0x7f, 0xff, 0xff, 0xff].map(|byte| Ok::<_, tonic::Status>(Frame::data(vec![byte].into())));
    let body = StreamBody::new(futures::stream::iter(prefix).chain(futures::stream::pending()));
    let request = http::Request::post("http://inventory/shop.inventory.v1.InventoryService/BatchGetStock")
        .body(tonic::body::Body::new(body))
        .unwrap();

    let response = channel.oneshot(request).await.unwrap();

    assert_eq!(response.headers()["grpc-status"], "3");
}
