//! Trace context in, one span, one measurement; and the rule of the method, which everything below asks.

use std::sync::Arc;

use http::Request;
use observability::{RpcMetrics, names, propagation};
use tonic::body::Body;
use tower::service_fn;
use tracing::Instrument;
use tracing::field::Empty;

use crate::call::{Entry, Step, not_a_method};
use crate::measure::Measured;
use crate::server::{Incoming, Workload};

pub(crate) fn layer(
    service: &'static str,
    metrics: Arc<RpcMetrics>,
    mut inner: impl Step<Incoming>,
) -> impl Step<Request<Body>> {
    service_fn(move |mut request: Request<Body>| {
        let entry = Entry::find(request.uri().path()).filter(|entry| entry.rule.service == service);
        let begun = entry.map(|entry| {
            let Workload(workload) = request.extensions_mut().remove().unwrap_or(Workload(""));
            let span = span(entry, workload);
            propagation::extract_parent(request.headers(), &span);
            let call = Incoming { entry, workload, deadline: None, permit: None, request };
            let answer = span.in_scope(|| inner.call(call)).instrument(span.clone());
            let measured = Measured::start(entry, metrics.clone(), None, span);
            (measured, answer)
        });
        async move {
            let (measured, answer) = begun.ok_or_else(not_a_method)?;
            measured.follow(answer.await)
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
