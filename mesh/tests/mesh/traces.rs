//! One trace from end to end, and every call counted.

use observability::{names, propagation};
use tracing::Instrument;

use crate::support::{Shop, skus, watched, watching};

#[tokio::test]
async fn the_trace_goes_through_both_roads() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;

    for mut client in [shop.client("gateway", None), wire.client("gateway")] {
        let span = tracing::info_span!(target: names::SERVER_SPANS, "edge");
        propagation::set_parent(&span, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");

        client.batch_get_stock(skus("a")).instrument(span).await.unwrap();

        assert_eq!(shop.state.last().trace.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    }
}

#[tokio::test]
async fn a_stream_belongs_to_the_trace_of_the_call_that_opened_it() {
    let shop = Shop::start();
    let span = tracing::info_span!(target: names::SERVER_SPANS, "edge");
    let trace = span.in_scope(propagation::trace_id);

    let mut client = shop.client("gateway", None);
    let mut stream = client.watch_stock(watching("a")).instrument(span).await.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();

    assert!(trace.is_some());
    assert_eq!(shop.state.last().trace, trace);
}

#[tokio::test]
async fn every_call_is_counted_on_both_sides_by_method_and_code() {
    let shop = Shop::start();
    let wire = shop.wire("orders").await;
    let mut client = wire.client("orders");
    let request = |word: &str| proto::inventory::ConfirmReservationRequest {
        reservation_id: word.to_owned(),
        ..Default::default()
    };

    client.confirm_reservation(request("a")).await.unwrap();
    client.confirm_reservation(request("refuse:a")).await.unwrap_err();

    let text = watched().metrics().text();
    for side in ["server", "client"] {
        for code in ["OK", "FAILED_PRECONDITION"] {
            let found = text.lines().any(|line| {
                line.starts_with(&format!("rpc_{side}_duration_seconds_count"))
                    && line.contains("rpc_method=\"ConfirmReservation\"")
                    && line.contains(&format!("rpc_code=\"{code}\""))
                    && line.ends_with(" 1")
            });
            assert!(found, "{side} {code}\n{text}");
        }
        let errors = text.lines().any(|line| {
            line.starts_with(&format!("rpc_{side}_errors_total"))
                && line.contains("rpc_method=\"ConfirmReservation\"")
                && line.ends_with(" 1")
        });
        assert!(errors, "{text}");
    }
}
