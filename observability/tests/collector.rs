//! A collector is dialled, and one that is away harms nobody. What one is told is a journey: `tests/journeys/traces.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::time::{Duration, Instant};

use observability::{LogFormat, RpcLabels, RpcMetrics, Settings, init, names};
use tokio::net::TcpListener;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_is_dialled_and_one_that_says_nothing_holds_up_nobody_for_long() {
    let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let settings = Settings {
        service: "shop".to_owned(),
        log_format: LogFormat::Json,
        log_filter: "off".to_owned(),
        otlp_endpoint: Some(endpoint),
        calls_seen: None,
    };

    let guard = init(&settings).unwrap();
    let started = Instant::now();
    for _ in 0..1_000 {
        let span = tracing::info_span!(target: names::SERVER_SPANS, "answer");
        span.in_scope(|| assert!(observability::propagation::trace_id().is_some()));
        let labels = RpcLabels::new("orders", "PlaceOrder");
        RpcMetrics::server().record(&labels, tonic::Code::Ok, Duration::from_millis(1));
    }
    let recording = started.elapsed();
    let dialled = tokio::spawn(async move { collector.accept().await.map(|(stream, _)| stream) });
    let ending = Instant::now();
    tokio::task::spawn_blocking(move || drop(guard)).await.unwrap();

    assert!(recording < Duration::from_secs(2), "{recording:?}");
    assert!(ending.elapsed() < Duration::from_secs(12), "{:?}", ending.elapsed());
    let stream = tokio::time::timeout(Duration::from_secs(5), dialled).await;
    assert!(stream.unwrap().unwrap().is_ok(), "nobody dialled the collector");
}
