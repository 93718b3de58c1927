//! Counting a call when its answer has ended, however it ends.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use observability::{RpcMetrics, names, rpc::code_name};
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::Span;

use crate::call::{Entry, code_of};
use crate::context::CallRecord;

/// A call under way. Dropped before its end, it was cancelled.
pub(crate) struct Measured {
    pub(crate) entry: &'static Entry,
    pub(crate) metrics: Arc<RpcMetrics>,
    pub(crate) record: Option<CallRecord>,
    pub(crate) span: Span,
    started: Instant,
    ended: bool,
}

impl Measured {
    pub(crate) fn start(
        entry: &'static Entry,
        metrics: Arc<RpcMetrics>,
        record: Option<CallRecord>,
        span: Span,
    ) -> Self {
        Self { entry, metrics, record, span, started: Instant::now(), ended: false }
    }

    /// Follows an answer to its end. An answer without a body has said how it ended in its headers.
    pub(crate) fn follow(
        mut self,
        answer: Result<http::Response<Body>, Status>,
    ) -> Result<http::Response<Body>, Status> {
        let response = answer.inspect_err(|status| self.end(status.code()))?;
        if let Some(code) = code_of(response.headers()) {
            self.end(code);
            return Ok(response);
        }
        Ok(response.map(|body| Body::new(Followed { body, measured: self })))
    }

    fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        if code != Code::Ok {
            self.span.record(names::RPC_CODE, code_name(code));
        }
        self.metrics.record(&self.entry.labels, code, self.started.elapsed());
        if let Some(record) = &self.record {
            let rule = self.entry.rule;
            record.add(rule.service, rule.name, code, self.started);
        }
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}

struct Followed {
    body: Body,
    measured: Measured,
}

impl http_body::Body for Followed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        // What a stream does while it is read belongs to its span; the body of a single message does nothing.
        let streams = this.measured.entry.rule.server_streaming;
        let entered = streams.then(|| this.measured.span.enter());
        let polled = Pin::new(&mut this.body).poll_frame(context);
        drop(entered);
        let Poll::Ready(frame) = polled else {
            return Poll::Pending;
        };
        match &frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.measured.end(code_of(trailers).unwrap_or(Code::Unknown));
                }
            }
            Some(Err(status)) => this.measured.end(status.code()),
            None => this.measured.end(Code::Unknown),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
