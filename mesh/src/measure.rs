//! Counting a call when its answer has ended, however it ends.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use observability::RpcMetrics;
use observability::names::{self, code_name};
use tonic::Code;
use tonic::body::Body;
use tracing::Span;

use crate::body::{Polled, around, poll};
use crate::call::{Answer, Entry, code_of};
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
    pub(crate) fn follow(mut self, answer: Answer) -> Answer {
        let response = answer.inspect_err(|status| self.end(status.code()))?;
        if let Some(code) = code_of(response.headers()) {
            self.end(code);
            return Ok(response);
        }
        Ok(response.map(|body| around(body, move |body, context| self.poll(body, context))))
    }

    fn poll(&mut self, body: &mut Body, context: &mut Context<'_>) -> Polled {
        // What a stream does while it is read belongs to its span; the body of a single message does nothing.
        let streams = self.entry.rule.server_streaming;
        let entered = streams.then(|| self.span.enter());
        let polled = poll(body, context);
        drop(entered);
        let frame = ready!(polled);
        match &frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    self.end(code_of(trailers).unwrap_or(Code::Unknown));
                }
            }
            Some(Err(status)) => self.end(status.code()),
            None => self.end(Code::Unknown),
        }
        Poll::Ready(frame)
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
