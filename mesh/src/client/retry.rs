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

pub(crate) fn layer(budget: Arc<Budget>, mut inner: impl Step<Request<Body>>) -> impl Step<Outgoing> {
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
                return Ok((Request::from_parts(parts, Body::new(StreamBody::new(frames))), None));
            }
        }
    }
    let message = joined(read);

    let mut again = Request::new(Body::new(Full::new(message.clone())));
    again.method_mut().clone_from(&parts.method);
    again.uri_mut().clone_from(&parts.uri);
    *again.version_mut() = parts.version;
    again.headers_mut().clone_from(&parts.headers);
    again.headers_mut().insert(PREVIOUS_ATTEMPTS, HeaderValue::from_static("1"));
    let first = Request::from_parts(parts, Body::new(Full::new(message)));
    Ok((first, Some(again)))
}

fn joined(frames: Vec<Frame<Bytes>>) -> Bytes {
    let mut pieces: Vec<Bytes> = frames.into_iter().filter_map(|frame| frame.into_data().ok()).collect();
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
        Self { tenths: AtomicI64::new(AT_FIRST) }
    }

    fn deposit(&self) {
        // Two threads may both pass the check and end a few tenths above it, which does no harm.
        if self.tenths.load(Ordering::Relaxed) < SAVED_MAX {
            self.tenths.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn withdraw(&self) -> bool {
        let taken = self.tenths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tenths| {
            (tenths >= ATTEMPT).then_some(tenths - ATTEMPT)
        });
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use std::sync::atomic::Ordering;

    use tower::ServiceExt;

    use super::*;
    use crate::context::Context;
    use crate::fixtures::{EFFECT, ONCE, READ, WATCH, answering, outgoing};

    async fn attempts(path: &str, code: Code, context: Context) -> usize {
        let (inner, asked) = answering(code);
        let answer = layer(Arc::new(Budget::new()), inner).oneshot(outgoing(path, context)).await;
        assert_eq!(answer.is_ok(), code == Code::Ok);
        asked.load(Ordering::SeqCst)
    }

    #[tokio::test]
    async fn only_single_calls_that_may_be_repeated_are() {
        let away = Code::Unavailable;

        assert_eq!(attempts(READ, away, Context::default()).await, 2);
        assert_eq!(attempts(EFFECT, away, Context::default()).await, 2);
        assert_eq!(attempts(ONCE, away, Context::default()).await, 1);
        assert_eq!(attempts(WATCH, away, Context::default()).await, 1);
        assert_eq!(attempts(READ, Code::Ok, Context::default()).await, 1);
        let retried = Context { retried: true, ..Context::default() };
        assert_eq!(attempts(READ, away, retried).await, 1);
    }

    #[tokio::test]
    async fn no_other_error_is_worth_a_second_attempt() {
        for code in 1..=16 {
            let code = Code::from(code);
            let expected = if code == Code::Unavailable { 2 } else { 1 };

            assert_eq!(attempts(READ, code, Context::default()).await, expected, "{code:?}");
        }
    }

    #[tokio::test]
    async fn both_attempts_carry_the_same_message_and_the_second_says_what_it_is() {
        let (seen, see) = std::sync::mpsc::channel();
        let inner = service_fn(move |request: Request<Body>| {
            let seen = seen.clone();
            async move {
                let (parts, body) = request.into_parts();
                let bytes = body.collect().await.unwrap().to_bytes();
                seen.send((parts.uri.path().to_owned(), parts.headers, bytes)).unwrap();
                Err(Status::unavailable("away"))
            }
        });
        let mut call = outgoing(READ, Context::default());
        let pieces = ["ab", "cd", ""].map(|piece| Ok::<_, Status>(Frame::data(Bytes::from(piece))));
        *call.request.body_mut() = Body::new(StreamBody::new(stream::iter(pieces)));
        call.request.headers_mut().insert("x-kept", HeaderValue::from_static("yes"));

        layer(Arc::new(Budget::new()), inner).oneshot(call).await.unwrap_err();

        let (first, second) = (see.recv().unwrap(), see.recv().unwrap());
        assert_eq!((&first.0, &first.2), (&second.0, &second.2));
        assert_eq!(first.2, "abcd");
        assert_eq!(first.1["x-kept"], second.1["x-kept"]);
        assert!(!first.1.contains_key(PREVIOUS_ATTEMPTS));
        assert_eq!(second.1[PREVIOUS_ATTEMPTS], "1");
    }

    #[tokio::test]
    async fn a_body_that_comes_by_and_by_arrives_whole_and_is_sent_once() {
        let (inner, bodies) = {
            let (seen, see) = std::sync::mpsc::channel();
            let step = service_fn(move |request: Request<Body>| {
                let seen = seen.clone();
                async move {
                    seen.send(request.into_body().collect().await.unwrap().to_bytes()).unwrap();
                    Err(Status::unavailable("away"))
                }
            });
            (step, see)
        };
        let slow = stream::unfold(0, |sent| async move {
            if sent == 1 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            (sent < 3).then(|| (Ok::<_, Status>(Frame::data(Bytes::from("x"))), sent + 1))
        });
        let mut call = outgoing(READ, Context::default());
        *call.request.body_mut() = Body::new(StreamBody::new(slow));

        layer(Arc::new(Budget::new()), inner).oneshot(call).await.unwrap_err();

        assert_eq!(bodies.try_iter().collect::<Vec<_>>(), ["xxx"]);
    }

    #[test]
    fn a_budget_saves_up_only_so_much() {
        let budget = Budget::new();
        for _ in 0..1_000_000 {
            budget.deposit();
        }

        let attempts = std::iter::repeat_with(|| budget.withdraw()).take_while(|given| *given).count();

        assert_eq!(attempts, 100);
    }
}
