//! The one retry of this system: after UNAVAILABLE, once, where the contract says that a repetition does no harm.
//!
//! Nothing else retries, neither the mesh nor a service: several layers that each try three times are how a small
//! outage becomes a large one. Where a call was itself somebody's second attempt nothing is repeated, and however
//! much fails, at most one call in ten is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use futures::future::{Either, ready};
use futures::{FutureExt, StreamExt, stream};
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version};
use http_body::Frame;
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use proto::rules::{self, Idempotency};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::service_fn;

use crate::call::{Answer, PREVIOUS_ATTEMPTS, Step, code_of};
use crate::client::Outgoing;
use crate::deadline::write;

pub(crate) fn layer(budget: Arc<Budget>, mut inner: impl Step<Request<Body>>) -> impl Step<Outgoing> {
    // The second attempt is rare: it clones the way to the service only when it comes to that.
    let spare = Arc::new(inner.clone());
    service_fn(move |call: Outgoing| {
        budget.deposit();
        let repeatable = may_repeat(call.entry.rule) && !call.context.retried;
        let (first, again) = match repeatable {
            true => match split(call.request) {
                Ok(split) => split,
                Err(status) => return Either::Right(ready(Err(status))),
            },
            false => (call.request, None),
        };
        let (budget, spare, deadline) = (budget.clone(), spare.clone(), call.context.deadline);
        Either::Left(inner.call(first).then(move |answer| match again {
            Some(again) if unavailable(&answer) && budget.withdraw() => {
                Either::Left((*spare).clone().call(again.request(deadline)).boxed())
            }
            _ => Either::Right(ready(answer)),
        }))
    })
}

fn may_repeat(rule: &rules::Method) -> bool {
    let single = !rule.client_streaming && !rule.server_streaming;
    single && rule.idempotency != Idempotency::Unknown
}

/// What it takes to send a request once more.
struct Again {
    method: Method,
    uri: Uri,
    version: Version,
    headers: HeaderMap,
    message: Bytes,
}

impl Again {
    fn request(self, deadline: Option<Instant>) -> Request<Body> {
        let mut request = Request::new(Body::new(Full::new(self.message)));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.version_mut() = self.version;
        *request.headers_mut() = self.headers;
        request.headers_mut().insert(PREVIOUS_ATTEMPTS, HeaderValue::from_static("1"));
        if let Some(deadline) = deadline {
            write(request.headers_mut(), deadline.saturating_duration_since(Instant::now()));
        }
        request
    }
}

/// The request, and what it takes to send it once more. The one message of a generated client is there at once; a body
/// that somebody feeds by and by goes on as it is, and cannot be had twice.
fn split(request: Request<Body>) -> Result<(Request<Body>, Option<Again>), Status> {
    let (parts, mut body) = request.into_parts();
    let mut read = Read::default();
    loop {
        match body.frame().now_or_never() {
            Some(Some(frame)) => read.add(frame?),
            Some(None) => break,
            None => {
                let rest = stream::iter(read.frames()).chain(BodyStream::new(body));
                return Ok((Request::from_parts(parts, Body::new(StreamBody::new(rest))), None));
            }
        }
    }
    let message = read.message();
    let again = Again {
        method: parts.method.clone(),
        uri: parts.uri.clone(),
        version: parts.version,
        headers: parts.headers.clone(),
        message: message.clone(),
    };
    Ok((Request::from_parts(parts, Body::new(Full::new(message))), Some(again)))
}

/// The pieces of a body so far: nearly always one, which is then neither copied nor put into a list.
#[derive(Default)]
struct Read {
    first: Bytes,
    more: Vec<Bytes>,
}

impl Read {
    fn add(&mut self, frame: Frame<Bytes>) {
        let Ok(piece) = frame.into_data() else { return };
        match self.first.is_empty() {
            true => self.first = piece,
            false => self.more.push(piece),
        }
    }

    fn message(self) -> Bytes {
        match self.more.is_empty() {
            true => self.first,
            false => std::iter::once(self.first).chain(self.more).flatten().collect(),
        }
    }

    fn frames(self) -> impl Iterator<Item = Result<Frame<Bytes>, Status>> {
        std::iter::once(self.first).chain(self.more).map(|piece| Ok(Frame::data(piece)))
    }
}

fn unavailable(answer: &Answer) -> bool {
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
    use std::time::Duration;

    use tokio::time::sleep;
    use tower::ServiceExt;

    use super::*;
    use crate::call::fixtures::{EFFECT, ONCE, READ, WATCH, answering, outgoing};
    use crate::client::deadline;
    use crate::context::Context;
    use crate::deadline::read;

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

    #[tokio::test(start_paused = true)]
    async fn the_second_attempt_gets_what_the_first_left() {
        let (seen, see) = std::sync::mpsc::channel();
        let inner = service_fn(move |request: Request<Body>| {
            seen.send(read(request.headers()).unwrap().unwrap()).unwrap();
            async move {
                sleep(Duration::from_millis(300)).await;
                Err(Status::unavailable("away"))
            }
        });
        let stack = deadline::layer(layer(Arc::new(Budget::new()), inner));
        let second =
            Context { deadline: Some(Instant::now() + Duration::from_secs(1)), ..Context::default() };

        stack.oneshot(outgoing(READ, second)).await.unwrap_err();

        let told: Vec<u128> = see.try_iter().map(|wait| wait.as_millis()).collect();
        assert!(matches!(told[..], [1_000, 690..=700]), "{told:?}");
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
                sleep(Duration::from_millis(5)).await;
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
