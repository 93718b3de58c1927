//! What a collector is sent over OTLP: spans, log lines as records of their span, and metrics.

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{ExporterBuildError, LogExporter, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::PeriodicReader;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

/// What carries lines to a collector. Its own lines are not sent: each would make another.
const CARRIERS: [&str; 6] = ["h2", "hyper", "hyper_util", "opentelemetry", "tonic", "tower"];

/// The way of spans and lines to a collector.
#[derive(Clone, Debug)]
pub(crate) struct Export {
    pub(crate) tracers: SdkTracerProvider,
    pub(crate) loggers: SdkLoggerProvider,
}

impl Export {
    /// Dials nobody yet; within tokio's runtime all the same.
    pub(crate) fn to(endpoint: &str, resource: Resource) -> Result<Self, ExporterBuildError> {
        let spans = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
        let records = LogExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
        let tracers = SdkTracerProvider::builder()
            .with_batch_exporter(spans)
            // Whoever began the trace has decided whether it is kept.
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
            .with_resource(resource.clone());
        let loggers = SdkLoggerProvider::builder().with_batch_exporter(records).with_resource(resource);
        Ok(Self { tracers: tracers.build(), loggers: loggers.build() })
    }

    pub(crate) fn spans<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        let tracer = self.tracers.tracer("shop");
        tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false)
    }

    pub(crate) fn records<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        let carriers = CARRIERS.map(|target| (target, LevelFilter::OFF));
        let others = Targets::new().with_default(LevelFilter::TRACE).with_targets(carriers);
        OpenTelemetryTracingBridge::new(&self.loggers).with_filter(others)
    }

    /// Sends what is left. There is nobody to tell about a failure then.
    pub(crate) fn end(&self, time_max: Duration) {
        drop(self.tracers.shutdown_with_timeout(time_max));
        drop(self.loggers.shutdown_with_timeout(time_max));
    }
}

/// The way of metrics.
pub(crate) fn metrics(endpoint: &str) -> Result<PeriodicReader<MetricExporter>, ExporterBuildError> {
    let exporter = MetricExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    Ok(PeriodicReader::builder(exporter).build())
}
