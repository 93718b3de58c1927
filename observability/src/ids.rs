//! Trace ids for a process that exports no spans: enough to find the log lines of a request, at nearly no cost.

use std::sync::{Arc, OnceLock};

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use tracing::dispatcher::WeakDispatch;
use tracing::span::{Attributes, Id};
use tracing::{Dispatch, Span, Subscriber};
use tracing_opentelemetry::get_otel_context;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::{Layer, registry::SpanRef};

/// Where a span belongs. Every span below a root carries a copy: since none of them is exported, the whole way
/// through this process is one point of the trace, as a proxy without tracing would hand it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) trace: TraceId,
    pub(crate) span: SpanId,
    pub(crate) flags: TraceFlags,
}

impl Place {
    fn new() -> Self {
        let random = RandomIdGenerator::default();
        Self { trace: random.new_trace_id(), span: random.new_span_id(), flags: TraceFlags::NOT_SAMPLED }
    }

    fn of(context: &SpanContext) -> Option<Self> {
        context.is_valid().then(|| Self {
            trace: context.trace_id(),
            span: context.span_id(),
            flags: context.trace_flags(),
        })
    }

    /// The same as the parent of whatever comes next.
    pub(crate) fn remote(self) -> SpanContext {
        SpanContext::new(self.trace, self.span, self.flags, true, TraceState::default())
    }
}

/// Gives every span its place: its parent's, or a new one at a root.
pub(crate) struct Places;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Places {
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let inherited = span.parent().and_then(|parent| parent.extensions().get::<Place>().copied());
        span.extensions_mut().insert(inherited.unwrap_or_else(Place::new));
    }
}

/// The place of a span, whichever of the two kinds of layers keeps it.
pub(crate) fn place(span: &Span) -> Option<Place> {
    span.with_subscriber(|(id, dispatch)| {
        let kept = dispatch
            .downcast_ref::<Registry>()
            .and_then(|registry| registry.span(id))
            .and_then(|span| span.extensions().get::<Place>().copied());
        kept.or_else(|| exported(id, dispatch))
    })
    .flatten()
}

/// Remembers whom it is part of: while a line is being written the subscriber cannot be asked for the usual way.
#[derive(Clone, Default)]
pub(crate) struct Whole(Arc<OnceLock<WeakDispatch>>);

impl<S: Subscriber> Layer<S> for Whole {
    fn on_register_dispatch(&self, whole: &Dispatch) {
        // It is registered once; a second time would bring the same.
        drop(self.0.set(whole.downgrade()));
    }
}

impl Whole {
    /// The place of the span that a log line belongs to.
    pub(crate) fn place_of_line<S: for<'a> LookupSpan<'a>>(&self, span: &SpanRef<'_, S>) -> Option<Place> {
        let kept = span.extensions().get::<Place>().copied();
        kept.or_else(|| exported(&span.id(), &self.0.get()?.upgrade()?))
    }
}

/// Moves a span that nobody has looked at yet to another place. False when no layer here keeps places.
pub(crate) fn set_place(span: &Span, place: Place) -> bool {
    span.with_subscriber(|(id, dispatch)| {
        let span = dispatch.downcast_ref::<Registry>().and_then(|registry| registry.span(id))?;
        span.extensions_mut().get_mut::<Place>().map(|kept| *kept = place)
    })
    .flatten()
    .is_some()
}

fn exported(id: &Id, dispatch: &Dispatch) -> Option<Place> {
    Place::of(get_otel_context(id, dispatch)?.span().span_context())
}
