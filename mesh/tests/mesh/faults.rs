//! What goes wrong inside stays inside.

use mesh::status::{metadata_of, reason_of};
use tonic::Code;

use crate::support::{Shop, reason, reservation, skus, watching};

#[tokio::test]
async fn a_panic_is_an_answer_and_the_service_goes_on() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;

    for mut client in [shop.client("gateway", None), wire.client("gateway")] {
        let fault = client.batch_get_stock(skus("panic")).await.unwrap_err();

        assert_eq!(fault.code(), Code::Internal);
        assert_eq!(fault.message(), "internal error");
        assert_eq!(reason(&fault), "INTERNAL");
        assert!(client.batch_get_stock(skus("a")).await.is_ok());
    }
}

#[tokio::test]
async fn a_panic_of_an_effect_is_an_answer_too() {
    let shop = Shop::start();

    let fault = shop.client("orders", None).reserve_stock(reservation("panic")).await.unwrap_err();

    assert_eq!((fault.code(), fault.message()), (Code::Internal, "internal error"));
}

#[tokio::test]
async fn a_stream_that_panics_or_fails_ends_with_a_masked_error() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;

    for mut client in [shop.client("gateway", None), wire.client("gateway")] {
        for word in ["panic", "foreign"] {
            let mut stream = client.watch_stock(watching(word)).await.unwrap().into_inner();
            assert!(stream.message().await.unwrap().is_some());
            // What was not on its way yet when it panicked may be lost.
            let fault = loop {
                match stream.message().await {
                    Ok(message) => assert!(message.is_some(), "it ended without a word"),
                    Err(fault) => break fault,
                }
            };

            assert_eq!((fault.code(), fault.message()), (Code::Internal, "internal error"), "{word}");
        }
    }
}

#[tokio::test]
async fn foreign_errors_say_nothing_of_our_insides() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;

    for mut client in [shop.client("gateway", None), wire.client("gateway")] {
        for foreign in (2..=16).map(Code::from) {
            let (code, expected) = match foreign {
                Code::DeadlineExceeded => (foreign, "DEADLINE_EXCEEDED"),
                Code::PermissionDenied => (foreign, "PERMISSION_MISSING"),
                Code::ResourceExhausted => (foreign, "OVERLOADED"),
                Code::Unauthenticated => (foreign, "SIGN_IN_REQUIRED"),
                Code::Unavailable => (foreign, "UNAVAILABLE"),
                Code::Unimplemented => (foreign, "NOT_OFFERED"),
                _ => (Code::Internal, "INTERNAL"),
            };
            let word = format!("foreign:{}", foreign as i32);
            let fault = client.batch_get_stock(skus(&word)).await.unwrap_err();

            assert_eq!((fault.code(), reason(&fault).as_str()), (code, expected), "{foreign:?}");
            assert!(!format!("{fault:?}").contains("secret"), "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_refusal_keeps_its_reason_and_data_on_both_roads() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;

    for mut client in [shop.client("gateway", None), wire.client("gateway")] {
        let refusal = client.batch_get_stock(skus("refuse:MUG-1")).await.unwrap_err();

        assert_eq!(refusal.code(), Code::FailedPrecondition);
        let expected = ("inventory.shop".to_owned(), "INSUFFICIENT_STOCK".to_owned());
        assert_eq!(reason_of(&refusal), Some(expected));
        assert_eq!(metadata_of(&refusal)["sku"], "MUG-1");
    }
}

#[tokio::test]
async fn a_method_that_does_not_exist_is_unimplemented() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;
    let channel = tonic::transport::Endpoint::from(wire.uri.clone()).connect_lazy();

    for path in [
        "/shop.inventory.v1.InventoryService/DropStock",
        "/shop.orders.v1.OrdersService/GetOrder",
        "/nothing/at/all",
        "/",
    ] {
        let mut raw = tonic::client::Grpc::new(channel.clone());
        raw.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<
            proto::inventory::BatchGetStockRequest,
            proto::inventory::BatchGetStockResponse,
        >::default();
        let refusal =
            raw.unary(tonic::Request::new(skus("a")), path.parse().unwrap(), codec).await.unwrap_err();

        assert_eq!(
            (refusal.code(), reason(&refusal).as_str()),
            (Code::Unimplemented, "NOT_OFFERED"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn bytes_that_are_no_message_are_the_callers_fault() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;
    let channel = tonic::transport::Endpoint::from(wire.uri.clone()).connect_lazy();
    let mut raw = tonic::client::Grpc::new(channel);
    raw.ready().await.unwrap();
    // A string field whose bytes are not UTF-8: as a message of `bytes` it is sound, as ours it is not.
    let codec =
        tonic_prost::ProstCodec::<proto::common::Sealed, proto::inventory::BatchGetStockResponse>::default();
    let garbage = proto::common::Sealed { key_id: String::new(), ciphertext: vec![0xff, 0xfe] };
    let path = "/shop.inventory.v1.InventoryService/ListMovements".parse().unwrap();
    let user = mesh::testing::staff(&["stock.read"]);
    let mut request = tonic::Request::new(garbage);
    let bearer = format!("Bearer {}", mesh::testing::token(&user).unwrap());
    request.metadata_mut().insert("authorization", bearer.parse().unwrap());

    let refusal = raw.unary(request, path, codec).await.unwrap_err();

    assert_eq!(refusal.code(), Code::InvalidArgument);
    assert_eq!(reason(&refusal), "INVALID_FIELDS");
}

#[tokio::test]
async fn a_refusal_may_name_a_thousand_lines_on_both_roads() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;
    let lines = "SKU-0000=17,".repeat(3_000);

    for mut client in [shop.client("gateway", None), wire.client("gateway")] {
        let refusal = client.batch_get_stock(skus(&format!("refuse:{lines}"))).await.unwrap_err();

        assert_eq!(reason(&refusal), "INSUFFICIENT_STOCK");
        assert_eq!(metadata_of(&refusal)["sku"], lines);
    }
}
