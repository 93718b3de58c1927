//! Switching it all on, once, before anything else of the process.

use std::path::PathBuf;
use std::time::Duration;

use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};
use tracing::Subscriber;
use tracing_subscriber::filter::{EnvFilter, LevelFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::calls::Calls;
use crate::ids::{Places, Whole};
use crate::logs::{Line, Silent};
use crate::names;
use crate::otlp::{self, Export};

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
    /// Where spans, log lines and metrics go by OTLP over gRPC ("http://localhost:4317"); nowhere when it is not given.
    pub otlp_endpoint: Option<String>,
    /// The file to which the calls that were seen are appended, one line for each caller, method and outcome: for tests
    /// of the call graph.
    pub calls_seen: Option<PathBuf>,
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
    /// The file of calls cannot be written to.
    #[error("the file of calls that were seen cannot be written to")]
    Calls(#[source] std::io::Error),
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
    export: Option<Export>,
}

impl Guard {
    /// A handle for `/metrics`.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(export) = &self.export {
            export.end(FLUSH_TIME_MAX);
        }
        // There is nobody left to tell about a failure here.
        drop(self.meters.shutdown_with_timeout(FLUSH_TIME_MAX));
    }
}

/// Switches on logs, metrics, and when there is an endpoint what is sent there. With an endpoint it must be called within
/// tokio's runtime, and in any case before any instrument is made: one made earlier stays silent for ever.
pub fn init(settings: &Settings) -> Result<Guard, Error> {
    let export = settings.otlp_endpoint.as_deref().map(|endpoint| Export::to(endpoint, resource(settings)));
    let export = export.transpose().map_err(Error::Exporter)?;
    let (meters, metrics) = meters(settings)?;

    subscriber(settings, export.clone(), std::io::stdout)?.try_init().map_err(|_| Error::Again)?;
    opentelemetry::global::set_meter_provider(meters.clone());
    std::panic::set_hook(Box::new(log_panic));
    Ok(Guard { metrics, meters, export })
}

/// Everything that listens to spans and lines, outermost last.
pub(crate) fn subscriber<W>(
    settings: &Settings,
    export: Option<Export>,
    writer: W,
) -> Result<impl Subscriber + Send + Sync + use<W>, Error>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // Whatever lines are wanted, the spans of calls are on: without them a line would have no trace id. The spans of
    // calls that are sent serve exporters and tests of the call graph only.
    let mut filter = EnvFilter::try_new(&settings.log_filter).map_err(Error::Filter)?;
    filter = filter.add_directive(directive(names::SERVER_SPANS)?);
    let calls = settings.calls_seen.as_deref().map(Calls::to).transpose().map_err(Error::Calls)?;
    if export.is_some() || calls.is_some() {
        filter = filter.add_directive(directive(names::CLIENT_SPANS)?);
    }
    let places = export.is_none().then_some(Places);
    let spans = export.as_ref().map(Export::spans);
    let records = export.as_ref().map(Export::records);
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
    Ok(tracing_subscriber::registry()
        .with(whole)
        .with(places)
        .with(spans)
        .with(records)
        .with(lines)
        .with(calls)
        .with(filter))
}

fn directive(target: &str) -> Result<tracing_subscriber::filter::Directive, Error> {
    format!("{target}={}", LevelFilter::INFO).parse().map_err(Error::Filter)
}

fn meters(settings: &Settings) -> Result<(SdkMeterProvider, Metrics), Error> {
    let registry = Registry::new();
    let page = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .build()
        .map_err(Error::Metrics)?;
    let mut meters = SdkMeterProvider::builder().with_reader(page).with_resource(resource(settings));
    if let Some(endpoint) = &settings.otlp_endpoint {
        meters = meters.with_reader(otlp::metrics(endpoint).map_err(Error::Exporter)?);
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
mod tests;
