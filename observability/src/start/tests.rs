//! What is written, exported and left out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::io::Write;
use std::sync::{Arc, Mutex};

use http::HeaderMap;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter, SdkLogRecord, SdkLoggerProvider};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use serde_json::Value;
use tracing::subscriber::with_default;

use super::*;
use crate::propagation::{extract_parent, inject, set_parent, trace_id, traceparent};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[derive(Clone, Debug, Default)]
struct Collector(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

#[derive(Clone, Debug, Default)]
struct Records(Arc<Mutex<Vec<SdkLogRecord>>>);

impl LogExporter for Records {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch.iter().map(|(record, _)| record.clone()));
        Ok(())
    }
}

fn settings(log_format: LogFormat, log_filter: &str) -> Settings {
    Settings {
        service: "orders".to_owned(),
        log_format,
        log_filter: log_filter.to_owned(),
        otlp_endpoint: None,
        calls_seen: None,
    }
}

fn written(log_format: LogFormat, log_filter: &str, run: impl FnOnce()) -> Paper {
    let paper = Paper::default();
    let pen = paper.clone();
    let subscriber = subscriber(&settings(log_format, log_filter), None, move || pen.clone()).unwrap();
    with_default(subscriber, run);
    paper
}

fn call() -> tracing::Span {
    tracing::info_span!(target: names::SERVER_SPANS, "answer", { names::RPC_METHOD } = "PlaceOrder")
}

#[test]
fn a_json_line_has_its_sentence_its_fields_and_its_trace() {
    let paper = written(LogFormat::Json, "info", || {
        let span = call();
        set_parent(&span, PARENT);
        span.in_scope(|| {
            tracing::warn!(
                { names::ORDER_ID } = "o_7",
                { names::COUNT } = 2_u64,
                odd = true,
                "order {} waits",
                "o_7"
            );
        });
    });

    let [line] = &paper.lines()[..] else { panic!("{}", paper.text()) };
    assert_eq!(line["message"], "order o_7 waits");
    assert_eq!(line["order.id"], "o_7");
    assert_eq!(line["count"], 2);
    assert_eq!(line["odd"], true);
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["service"], "orders");
    assert_eq!(line["trace_id"], TRACE);
    assert!(line["time"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn a_field_cannot_pass_for_what_the_line_itself_says() {
    let paper = written(LogFormat::Json, "info", || {
        tracing::info!(level = "ERROR", service = "payments", "a\nb\"c");
    });

    let [line] = &paper.lines()[..] else { panic!("{}", paper.text()) };
    assert_eq!((&line["level"], &line["service"]), (&"INFO".into(), &"orders".into()));
    assert_eq!(line["message"], "a\nb\"c");
    assert!(line.get("trace_id").is_none());
}

#[test]
fn a_pretty_line_ends_with_its_trace() {
    let paper = written(LogFormat::Pretty, "info", || {
        let span = call();
        set_parent(&span, PARENT);
        span.in_scope(|| tracing::info!({ names::ORDER_ID } = "o_7", "an order waits"));
    });

    let text = paper.text();
    assert!(text.contains("an order waits"), "{text}");
    assert!(text.contains("order.id") && text.contains("o_7"), "{text}");
    assert!(text.trim_end().ends_with(&format!("trace_id={TRACE}")), "{text}");
    assert!(!text.contains("PlaceOrder"), "the fields of spans are not for lines: {text}");
}

#[test]
fn the_filter_says_which_lines_are_written_and_spans_stay_on() {
    let paper = written(LogFormat::Json, "warn", || {
        call().in_scope(|| {
            tracing::info!("too quiet");
            tracing::error!("loud");
            assert!(trace_id().is_some());
        });
    });

    let [line] = &paper.lines()[..] else { panic!("{}", paper.text()) };
    assert_eq!(line["message"], "loud");
    assert!(line["trace_id"].is_string());
}

#[test]
fn a_malformed_filter_is_refused_with_what_would_be_right() {
    let refused = subscriber(&settings(LogFormat::Json, "info,=,x=y"), None, std::io::sink).err().unwrap();

    assert!(matches!(refused, Error::Filter(_)));
    assert!(refused.to_string().contains("info,orders=debug"));
}

#[test]
fn without_a_collector_the_context_is_handed_on_as_it_came() {
    written(LogFormat::Json, "off", || {
        let (first, second) = (call(), call());
        first.in_scope(|| assert_eq!(trace_id().unwrap().len(), 32));
        second.in_scope(|| assert_ne!(trace_id(), first.in_scope(trace_id)));

        let mut headers = HeaderMap::new();
        headers.insert("traceparent", PARENT.parse().unwrap());
        let span = call();
        extract_parent(&headers, &span);
        span.in_scope(|| {
            let mut onward = HeaderMap::new();
            call().in_scope(|| inject(&mut onward));
            assert_eq!(onward["traceparent"], PARENT);
            assert_eq!(traceparent(), PARENT);
        });
        let client = tracing::info_span!(target: names::CLIENT_SPANS, "call");
        assert!(client.is_disabled(), "nobody would see it");
    });
}

#[test]
fn with_a_collector_every_hop_is_a_span_of_the_callers_trace_and_every_line_a_record_of_its_span() {
    let (collector, records) = (Collector::default(), Records::default());
    let export = Export {
        tracers: SdkTracerProvider::builder().with_simple_exporter(collector.clone()).build(),
        loggers: SdkLoggerProvider::builder().with_simple_exporter(records.clone()).build(),
    };
    let paper = Paper::default();
    let pen = paper.clone();
    let settings = settings(LogFormat::Json, "info");
    let subscriber = subscriber(&settings, Some(export), move || pen.clone()).unwrap();

    let mut onward = HeaderMap::new();
    with_default(subscriber, || {
        let span = call();
        set_parent(&span, PARENT);
        span.in_scope(|| {
            tracing::info!({ names::ORDER_ID } = "o_7", "under way");
            let client = tracing::info_span!(target: names::CLIENT_SPANS, "call");
            client.in_scope(|| inject(&mut onward));
        });
        tracing::debug!("too quiet");
        tracing::warn!(target: "h2::codec", "what carries lines speaks of one");
    });

    let spans = collector.0.lock().unwrap();
    let [inner, outer] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(outer.span_context.trace_id().to_string(), TRACE);
    assert_eq!(outer.parent_span_id.to_string(), "00f067aa0ba902b7");
    assert_eq!(inner.parent_span_id, outer.span_context.span_id());
    let sent = format!("00-{TRACE}-{}-01", inner.span_context.span_id());
    assert_eq!(onward["traceparent"], sent);
    assert_eq!(paper.lines()[0]["trace_id"], TRACE);
    assert_eq!(paper.lines().len(), 2, "{}", paper.text());

    let records = records.0.lock().unwrap();
    let [record] = &records[..] else { panic!("{records:?}") };
    let place = record.trace_context().unwrap();
    assert_eq!(
        (place.trace_id, place.span_id),
        (outer.span_context.trace_id(), outer.span_context.span_id())
    );
    assert!(format!("{:?}", record.body()).contains("under way"), "{record:?}");
    assert!(record.attributes_iter().any(|(name, _)| name.as_str() == names::ORDER_ID), "{record:?}");
}
