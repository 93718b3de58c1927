//! Trace context out, one span, one measurement, one line in the record of the edge.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::{Either, ready};
use http::Request;
use observability::{RpcMetrics, names, propagation};
use tonic::body::Body;
use tower::service_fn;
use tracing::Instrument;
use tracing::field::Empty;

use crate::call::{Entry, Step, not_a_method};
use crate::client::Outgoing;
use crate::context;
use crate::measure::Measured;

pub(crate) fn layer(
    caller: &'static str,
    metrics: Arc<RpcMetrics>,
    wire: bool,
    mut inner: impl Step<Outgoing>,
) -> impl Step<Request<Body>> {
    service_fn(move |mut request: Request<Body>| {
        let begun = Entry::find(request.uri().path()).map(|entry| {
            let span = span(entry, caller);
            let context = context::current();
            let measured = Measured::start(entry, metrics.clone(), context.record.clone(), span.clone());
            let answer = span.in_scope(|| {
                if wire {
                    propagation::inject(request.headers_mut());
                }
                inner.call(Outgoing { entry, context, request })
            });
            (measured, answer.instrument(span))
        });
        match begun {
            Some((measured, answer)) => Either::Left(answer.map(|answer| measured.follow(answer))),
            None => Either::Right(ready(Err(not_a_method()))),
        }
    })
}

fn span(entry: &Entry, caller: &'static str) -> tracing::Span {
    tracing::info_span!(
        target: names::CLIENT_SPANS,
        "call",
        otel.name = entry.rule.path,
        otel.kind = "client",
        { names::RPC_SYSTEM } = "grpc",
        { names::RPC_SERVICE } = entry.rule.service,
        { names::RPC_METHOD } = entry.rule.name,
        { names::CALLER } = caller,
        { names::RPC_CODE } = Empty,
    )
}
