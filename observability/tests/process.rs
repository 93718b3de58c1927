//! What can be switched on only once per process, in one test each process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::time::Duration;

use observability::{Error, GraphqlMetrics, LogFormat, RpcLabels, RpcMetrics, Settings, init};
use tonic::Code;

fn settings() -> Settings {
    Settings {
        service: "shop".to_owned(),
        log_format: LogFormat::Json,
        log_filter: "off".to_owned(),
        otlp_endpoint: None,
        calls_seen: None,
    }
}

#[test]
fn metrics_are_counted_from_the_start_and_every_family_says_what_it_is() {
    let guard = init(&settings()).unwrap();
    let again = init(&settings());

    let labels = RpcLabels::new("orders", "PlaceOrder");
    for metrics in [RpcMetrics::server(), RpcMetrics::client()] {
        metrics.record(&labels, Code::Ok, Duration::from_millis(3));
        metrics.record(&labels, Code::Ok, Duration::from_millis(3));
        metrics.record(&labels, Code::Unavailable, Duration::from_secs(20));
    }
    let graphql = GraphqlMetrics::new();
    graphql.record(Some("Browse"), "query", "ok", Duration::from_millis(5));
    graphql.record(None, "mutation", "errors", Duration::from_millis(5));

    assert!(matches!(again, Err(Error::Again)));
    let text = guard.metrics().text();
    let value = |name: &str, labels: &[&str]| {
        let line = text.lines().find(|line| {
            line.starts_with(&format!("{name}{{")) && labels.iter().all(|label| line.contains(label))
        });
        line.unwrap_or_else(|| panic!("{name} {labels:?}\n{text}")).rsplit_once(' ').unwrap().1.to_owned()
    };
    for side in ["server", "client"] {
        let count = format!("rpc_{side}_duration_seconds_count");
        let method = r#"rpc_method="PlaceOrder""#;
        assert_eq!(value(&count, &[method, r#"rpc_code="OK""#, r#"rpc_service="orders""#]), "2");
        assert_eq!(value(&count, &[method, r#"rpc_code="UNAVAILABLE""#]), "1");
        assert_eq!(value(&format!("rpc_{side}_errors_total"), &[method, r#"rpc_code="UNAVAILABLE""#]), "1");
        let bucket = format!("rpc_{side}_duration_seconds_bucket");
        assert_eq!(value(&bucket, &[r#"rpc_code="OK""#, r#"le="0.0025""#]), "0");
        assert_eq!(value(&bucket, &[r#"rpc_code="OK""#, r#"le="0.005""#]), "2");
        assert_eq!(value(&bucket, &[r#"rpc_code="UNAVAILABLE""#, r#"le="10""#]), "0");
    }
    let operations = "graphql_operation_duration_seconds_count";
    assert_eq!(value(operations, &[r#"graphql_operation_name="Browse""#, r#"graphql_outcome="ok""#]), "1");
    assert_eq!(value("graphql_operation_errors_total", &[r#"graphql_operation_name="anonymous""#]), "1");
    for family in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = family.split(' ').next().unwrap();
        let help = text.lines().find(|line| line.starts_with(&format!("# HELP {name} ")));
        assert!(help.is_some_and(|help| help.len() > format!("# HELP {name} ").len()), "{name} has no help");
    }
}
