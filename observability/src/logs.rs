//! Log lines: for people, or as JSON for machines. Each carries the trace id of the request it belongs to.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{DefaultFields, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent};
use tracing_subscriber::registry::LookupSpan;

use crate::ids::Whole;
use crate::start::LogFormat;

/// Writes the fields of spans nowhere: lines do not show them, and every call would pay for the text.
pub(crate) struct Silent;

impl<'writer> FormatFields<'writer> for Silent {
    fn format_fields<R: RecordFields>(&self, _: Writer<'writer>, _: R) -> fmt::Result {
        Ok(())
    }
}

/// How a line looks.
pub(crate) struct Line {
    pub(crate) service: String,
    pub(crate) format: LogFormat,
    pub(crate) whole: Whole,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, Silent> for Line {
    fn format_event(
        &self,
        context: &FmtContext<'_, S, Silent>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let trace = context
            .lookup_current()
            .and_then(|span| self.whole.place_of_line(&span))
            .map(|place| place.trace.to_string());
        match self.format {
            LogFormat::Pretty => pretty(writer, event, trace.as_deref()),
            LogFormat::Json => self.json(writer, event, trace),
        }
    }
}

impl Line {
    fn json(&self, mut writer: Writer<'_>, event: &Event<'_>, trace: Option<String>) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut fields = Fields(Map::new());
        event.record(&mut fields);

        let Fields(mut line) = fields;
        line.insert("time".to_owned(), time.into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        line.insert("service".to_owned(), self.service.as_str().into());
        line.insert("target".to_owned(), event.metadata().target().into());
        if let Some(trace) = trace {
            line.insert("trace_id".to_owned(), trace.into());
        }
        writeln!(writer, "{}", Value::Object(line))
    }
}

fn pretty(mut writer: Writer<'_>, event: &Event<'_>, trace: Option<&str>) -> fmt::Result {
    let (on, off) = match (writer.has_ansi_escapes(), *event.metadata().level()) {
        (false, _) => ("", ""),
        (true, Level::ERROR) => ("\x1b[31m", "\x1b[0m"),
        (true, Level::WARN) => ("\x1b[33m", "\x1b[0m"),
        (true, Level::INFO) => ("\x1b[32m", "\x1b[0m"),
        (true, _) => ("\x1b[2m", "\x1b[0m"),
    };
    SystemTime.format_time(&mut writer)?;
    write!(writer, " {on}{:>5}{off} {}: ", event.metadata().level().as_str(), event.metadata().target())?;
    DefaultFields::new().format_fields(writer.by_ref(), event)?;
    if let Some(trace) = trace {
        write!(writer, " trace_id={trace}")?;
    }
    writeln!(writer)
}

struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        if write!(text, "{value:?}").is_ok() {
            self.set(field, text.into());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }
}
