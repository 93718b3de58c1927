//! Switching it all on, once, before anything else of the process.

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use prometheus::{Registry, TextEncoder};
use tracing::Subscriber;
use tracing_subscriber::filter::{EnvFilter, LevelFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::ids::{Places, Whole};
use crate::logs::{Line, Silent};
use crate::names;

/// A collector that does not answer may hold back the end of the process so long.
const FLUSH_TIME_MAX: Duration = Duration::from_secs(3);

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people at a terminal.
    Pretty,
    /// One JSON object per line, for machines.
    Json,
}

/// What to watch, and where it goes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What this process calls itself in logs, traces and metrics.
    pub service: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which lines are written: "info", or "info,orders=debug".
    pub log_filter: String,
    /// Where spans and metrics go by OTLP over gRPC ("http://localhost:4317"); nowhere when it is not given.
    pub otlp_endpoint: Option<String>,
}

/// Why watching could not be switched on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log filter is malformed.
    #[error("the log filter is malformed; right would be: info,orders=debug")]
    Filter(#[source] ParseError),
    /// The exporter refuses its settings.
    #[error("the OTLP endpoint is not usable; right would be: http://localhost:4317")]
    Exporter(#[source] ExporterBuildError),
    /// The registry of metrics refuses the exporter.
    #[error("the metrics cannot be registered")]
    Metrics(#[source] OTelSdkError),
    /// It was switched on before.
    #[error("this process is being watched already")]
    Again,
}

/// The metrics of this process as they are now.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
}

impl Metrics {
    /// All metrics in the text format of Prometheus.
    pub fn text(&self) -> String {
        // Fails only for a family without samples or name, and the exporter makes none of those.
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }
}

/// Flushes what is still to be sent when it is dropped; `main` holds it to its end.
#[derive(Debug)]
pub struct Guard {
    metrics: Metrics,
    meters: SdkMeterProvider,
    tracers: Option<SdkTracerProvider>,
}

impl Guard {
    /// All metrics in the text format of Prometheus.
    pub fn metrics_text(&self) -> String {
        self.metrics.text()
    }

    /// A handle for `/metrics`.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // There is nobody left to tell about a failure here.
        if let Some(tracers) = &self.tracers {
            drop(tracers.shutdown_with_timeout(FLUSH_TIME_MAX));
        }
        drop(self.meters.shutdown_with_timeout(FLUSH_TIME_MAX));
    }
}

/// Switches on logs, metrics, and when there is an endpoint spans. With an endpoint it must be called within tokio's
/// runtime, and in any case before any instrument is made: one made earlier stays silent for ever.
pub fn init(settings: &Settings) -> Result<Guard, Error> {
    let tracers =
        settings.otlp_endpoint.as_deref().map(|endpoint| tracers(settings, endpoint)).transpose()?;
    let tracer = tracers.as_ref().map(|tracers| tracers.tracer("shop"));
    let (meters, metrics) = meters(settings)?;

    subscriber(settings, tracer, std::io::stdout)?.try_init().map_err(|_| Error::Again)?;
    opentelemetry::global::set_meter_provider(meters.clone());
    std::panic::set_hook(Box::new(log_panic));
    Ok(Guard { metrics, meters, tracers })
}

/// Everything that listens to spans and lines, outermost last.
pub(crate) fn subscriber<W>(
    settings: &Settings,
    tracer: Option<SdkTracer>,
    writer: W,
) -> Result<impl Subscriber + Send + Sync + use<W>, Error>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // Whatever lines are wanted, the spans of calls are on: without them a line would have no trace id. The spans of
    // calls that are sent serve exporters only.
    let mut filter = EnvFilter::try_new(&settings.log_filter).map_err(Error::Filter)?;
    filter = filter.add_directive(directive(names::SERVER_SPANS)?);
    if tracer.is_some() {
        filter = filter.add_directive(directive(names::CLIENT_SPANS)?);
    }
    let places = tracer.is_none().then_some(Places);
    let export = tracer.map(|tracer| {
        tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false)
    });
    let whole = Whole::default();
    let lines = tracing_subscriber::fmt::layer()
        .fmt_fields(Silent)
        .event_format(Line {
            service: settings.service.clone(),
            format: settings.log_format,
            whole: whole.clone(),
        })
        .with_ansi(settings.log_format == LogFormat::Pretty)
        .with_writer(writer);
    Ok(tracing_subscriber::registry().with(whole).with(places).with(export).with(lines).with(filter))
}

fn directive(target: &str) -> Result<tracing_subscriber::filter::Directive, Error> {
    format!("{target}={}", LevelFilter::INFO).parse().map_err(Error::Filter)
}

fn tracers(settings: &Settings, endpoint: &str) -> Result<SdkTracerProvider, Error> {
    let exporter =
        SpanExporter::builder().with_tonic().with_endpoint(endpoint).build().map_err(Error::Exporter)?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        // Whoever began the trace has decided whether it is kept.
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
        .with_resource(resource(settings))
        .build())
}

fn meters(settings: &Settings) -> Result<(SdkMeterProvider, Metrics), Error> {
    let registry = Registry::new();
    let page = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .build()
        .map_err(Error::Metrics)?;
    let mut meters = SdkMeterProvider::builder().with_reader(page).with_resource(resource(settings));
    if let Some(endpoint) = &settings.otlp_endpoint {
        let exporter = MetricExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .build()
            .map_err(Error::Exporter)?;
        meters = meters.with_reader(PeriodicReader::builder(exporter).build());
    }
    Ok((meters.build(), Metrics { registry }))
}

fn resource(settings: &Settings) -> Resource {
    Resource::builder_empty().with_service_name(settings.service.clone()).build()
}

/// A panic is a fault of ours that a person must look at. Its text may quote a value, so only the place is logged.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let location = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    tracing::error!({ names::LOCATION } = location, "a task panicked at {location}");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use http::HeaderMap;
    use opentelemetry_sdk::error::OTelSdkResult;
    use opentelemetry_sdk::trace::{SpanData, SpanExporter};
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

    fn settings(log_format: LogFormat, log_filter: &str) -> Settings {
        Settings {
            service: "orders".to_owned(),
            log_format,
            log_filter: log_filter.to_owned(),
            otlp_endpoint: None,
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
        let refused =
            subscriber(&settings(LogFormat::Json, "info,=,x=y"), None, std::io::sink).err().unwrap();

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
    fn with_a_collector_every_hop_is_a_span_of_the_callers_trace() {
        let collector = Collector::default();
        let tracers = SdkTracerProvider::builder().with_simple_exporter(collector.clone()).build();
        let paper = Paper::default();
        let pen = paper.clone();
        let settings = settings(LogFormat::Json, "info");
        let subscriber = subscriber(&settings, Some(tracers.tracer("shop")), move || pen.clone()).unwrap();

        let mut onward = HeaderMap::new();
        with_default(subscriber, || {
            let span = call();
            set_parent(&span, PARENT);
            span.in_scope(|| {
                tracing::info!("under way");
                let client = tracing::info_span!(target: names::CLIENT_SPANS, "call");
                client.in_scope(|| inject(&mut onward));
            });
        });

        let spans = collector.0.lock().unwrap();
        let [inner, outer] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!(outer.span_context.trace_id().to_string(), TRACE);
        assert_eq!(outer.parent_span_id.to_string(), "00f067aa0ba902b7");
        assert_eq!(inner.parent_span_id, outer.span_context.span_id());
        let sent = format!("00-{TRACE}-{}-01", inner.span_context.span_id());
        assert_eq!(onward["traceparent"], sent);
        assert_eq!(paper.lines()[0]["trace_id"], TRACE);
    }
}
