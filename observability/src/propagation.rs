//! W3C trace context (`traceparent`), from HTTP through GraphQL to gRPC and events.
//!
//! Only the ids travel. `tracestate` and `baggage` are neither read nor sent: nothing here uses them, and both are
//! ways for a caller to make every hop carry its bytes.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceContextExt, TraceFlags, TraceId};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::ids::{Place, place, set_place};

/// The one header that carries the context.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

const LENGTH: usize = 55;
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Writes the context of the current span into headers; without a span it writes nothing.
pub fn inject(headers: &mut HeaderMap) {
    let Some(place) = place(&Span::current()) else {
        return;
    };
    if let Ok(value) = HeaderValue::from_bytes(&write(place)) {
        headers.insert(TRACEPARENT, value);
    }
}

/// Makes what the headers name the parent of `span`, which must be new. A malformed header is as none.
pub fn extract_parent(headers: &HeaderMap, span: &Span) {
    let value = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
    if let Some(value) = value {
        set_parent(span, value);
    }
}

/// Makes what a `traceparent` names the parent of `span`, which must be new. A malformed one is as none.
pub fn set_parent(span: &Span, traceparent: &str) {
    let Some(parent) = read(traceparent) else {
        return;
    };
    if !set_place(span, parent) {
        // Fails only where nobody records spans, and there is nothing to be lost then.
        drop(span.set_parent(Context::new().with_remote_span_context(parent.remote())));
    }
}

/// The context of the current span as it goes into an event; empty without a span.
pub fn traceparent() -> String {
    place(&Span::current())
        .map(|place| String::from_utf8_lossy(&write(place)).into_owned())
        .unwrap_or_default()
}

/// The trace that the current span belongs to: what a person quotes when something failed.
pub fn trace_id() -> Option<String> {
    place(&Span::current()).map(|place| place.trace.to_string())
}

fn write(place: Place) -> [u8; LENGTH] {
    let mut text = [b'-'; LENGTH];
    let (version, rest) = text.split_at_mut(3);
    let (trace, rest) = rest.split_at_mut(33);
    let (span, flags) = rest.split_at_mut(17);
    hex(version, &[0]);
    hex(trace, &place.trace.to_bytes());
    hex(span, &place.span.to_bytes());
    hex(flags, &[place.flags.to_u8()]);
    text
}

fn hex(text: &mut [u8], bytes: &[u8]) {
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        for (digit, half) in pair.iter_mut().zip([byte >> 4, byte & 0xf]) {
            *digit = DIGITS.get(usize::from(half)).copied().unwrap_or(b'0');
        }
    }
}

/// Later versions may append fields after another dash, so only version 00 has to end where we do.
fn read(text: &str) -> Option<Place> {
    let mut parts = text.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lengths = (version.len(), trace.len(), span.len(), flags.len());
    if lengths != (2, 32, 16, 2) || version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let digits = |part: &str| part.bytes().all(|byte| DIGITS.contains(&byte));
    if ![version, trace, span, flags].into_iter().all(digits) {
        return None;
    }

    let place = Place {
        trace: TraceId::from_hex(trace).ok()?,
        span: SpanId::from_hex(span).ok()?,
        flags: TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED,
    };
    let valid = place.trace != TraceId::INVALID && place.span != SpanId::INVALID;
    valid.then_some(place)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use super::*;

    const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_written_can_be_read() {
        let place = read(SAMPLED).unwrap();

        assert_eq!(String::from_utf8(write(place).to_vec()).unwrap(), SAMPLED);
    }

    #[test]
    fn malformed_contexts_are_as_none() {
        let long = format!("{SAMPLED}-more");
        let refused = [
            "",
            "00",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0ü",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            long.as_str(),
        ];

        for text in refused {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_later_version_may_say_more() {
        let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what";

        assert_eq!(read(later), read(SAMPLED));
    }

    #[test]
    fn without_a_span_nothing_is_sent() {
        let mut headers = HeaderMap::new();

        inject(&mut headers);

        assert!(headers.is_empty());
        assert_eq!(traceparent(), "");
        assert_eq!(trace_id(), None);
    }
}
