//! The one retry of this system: after UNAVAILABLE, once, where the contract says that a repetition does no harm.
//!
//! Nothing else retries, neither the mesh nor a service: several layers that each try three times are how a small
//! outage becomes a large one. Where a call was itself somebody's second attempt nothing is repeated, and however
//! much fails, at most one call in ten is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use futures::{FutureExt, StreamExt, stream};
use http::{HeaderValue, Request};
use http_body::Frame;
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use proto::rules::{Idempotency, Method};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::service_fn;

use crate::call::{PREVIOUS_ATTEMPTS, Step, code_of};
use crate::client::Outgoing;

pub(crate) fn layer(
    budget: Arc<Budget>,
    mut inner: impl Step<Request<Body>>,
) -> impl Step<Outgoing> {
    // The second attempt is rare: it clones the way to the service only when it comes to that.
    let spare = Arc::new(inner.clone());
    service_fn(move |call: Outgoing| {
        budget.deposit();
        let repeatable = may_repeat(call.entry.rule) && !call.context.retried;
        let begun = match repeatable {
            true => split(call.request).map(|(first, again)| (inner.call(first), again)),
            false => Ok((inner.call(call.request), None)),
        };
        let (budget, spare) = (budget.clone(), spare.clone());
        async move {
            let (first, again) = begun?;
            let answer = first.await;
            match again {
                Some(again) if unavailable(&answer) && budget.withdraw() => {
                    (*spare).clone().call(again).await
                }
                _ => answer,
            }
        }
    })
}

fn may_repeat(rule: &Method) -> bool {
    let single = !rule.client_streaming && !rule.server_streaming;
    single && rule.idempotency != Idempotency::Unknown
}

/// The request, and the same once more. The one message of a generated client is there at once; a body that somebody
/// feeds by and by goes on as it is, and cannot be had twice.
fn split(request: Request<Body>) -> Result<(Request<Body>, Option<Request<Body>>), Status> {
    let (parts, mut body) = request.into_parts();
    let mut read = Vec::new();
    loop {
        match body.frame().now_or_never() {
            Some(Some(frame)) => read.push(frame?),
            Some(None) => break,
            None => {
                let frames = stream::iter(read.into_iter().map(Ok)).chain(BodyStream::new(body));
                return Ok((
                    Request::from_parts(parts, Body::new(StreamBody::new(frames))),
                    None,
                ));
            }
        }
    }
    let message = joined(read);

    let mut again = Request::new(Body::new(Full::new(message.clone())));
    again.method_mut().clone_from(&parts.method);
    again.uri_mut().clone_from(&parts.uri);
    *again.version_mut() = parts.version;
    again.headers_mut().clone_from(&parts.headers);
    again
        .headers_mut()
        .insert(PREVIOUS_ATTEMPTS, HeaderValue::from_static("1"));
    let first = Request::from_parts(parts, Body::new(Full::new(message)));
    Ok((first, Some(again)))
}

fn joined(frames: Vec<Frame<Bytes>>) -> Bytes {
    let mut pieces: Vec<Bytes> = frames
        .into_iter()
        .filter_map(|frame| frame.into_data().ok())
        .collect();
    match (pieces.pop(), pieces.is_empty()) {
        (None, _) => Bytes::new(),
        (Some(only), true) => only,
        (Some(last), false) => pieces.into_iter().chain([last]).flatten().collect(),
    }
}

fn unavailable(answer: &Result<http::Response<Body>, Status>) -> bool {
    match answer {
        Ok(response) => code_of(response.headers()) == Some(Code::Unavailable),
        Err(status) => status.code() == Code::Unavailable,
    }
}

/// How many second attempts there may be: one for every ten calls, and a little to begin with.
pub(crate) struct Budget {
    tenths: AtomicI64,
}

/// In tenths of an attempt.
const ATTEMPT: i64 = 10;
const AT_FIRST: i64 = ATTEMPT;
/// What a long quiet time may save up: enough for the calls that a restarting replica fails at once.
const SAVED_MAX: i64 = 100 * ATTEMPT;

impl Budget {
    pub(crate) fn new() -> Self {
        Self {
            tenths: AtomicI64::new(AT_FIRST),
        }
    }

    fn deposit(&self) {
        // Two threads may both pass the check and end a few tenths above it, which does no harm.
        if self.tenths.load(Ordering::Relaxed) < SAVED_MAX {
            self.tenths.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn withdraw(&self) -> bool {
        let taken = self
            .tenths
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tenths| {
                (tenths >= ATTEMPT).then_some(tenths - ATTEMPT)
            });
        taken.is_ok()
    }
}
