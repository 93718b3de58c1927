//! Trace context in, one span, one measurement; and the rule of the method, which everything below asks.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::{Either, ready};
use observability::{RpcMetrics, names, propagation};
use tower::service_fn;
use tracing::Instrument;
use tracing::field::Empty;

use crate::call::{Entry, Step, not_a_method};
use crate::measure::Measured;
use crate::server::{Arriving, Incoming};

pub(crate) fn layer(
    service: &'static str,
    metrics: Arc<RpcMetrics>,
    mut inner: impl Step<Incoming>,
) -> impl Step<Arriving> {
    service_fn(move |Arriving { workload, request }: Arriving| {
        let entry = Entry::find(request.uri().path()).filter(|entry| entry.rule.service == service);
        let begun = entry.map(|entry| {
            let span = span(entry, workload);
            propagation::extract_parent(request.headers(), &span);
            let call = Incoming { entry, workload, deadline: None, permit: None, request };
            let answer = span.in_scope(|| inner.call(call)).instrument(span.clone());
            let measured = Measured::start(entry, metrics.clone(), None, span);
            (measured, answer)
        });
        match begun {
            Some((measured, answer)) => Either::Left(answer.map(|answer| measured.follow(answer))),
            None => Either::Right(ready(Err(not_a_method()))),
        }
    })
}

fn span(entry: &Entry, workload: &'static str) -> tracing::Span {
    tracing::info_span!(
        target: names::SERVER_SPANS,
        "answer",
        otel.name = entry.rule.path,
        otel.kind = "server",
        { names::RPC_SYSTEM } = "grpc",
        { names::RPC_SERVICE } = entry.rule.service,
        { names::RPC_METHOD } = entry.rule.name,
        { names::CALLER } = workload,
        { names::RPC_CODE } = Empty,
    )
}
