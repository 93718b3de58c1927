//! A panic becomes INTERNAL: one call fails, the process goes on.
//!
//! The panic itself is logged by the process's hook, with its place and the trace id of the call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::{Either, ready};
use tonic::body::Body;
use tower::service_fn;

use crate::body::{Polled, around, poll, trailers};
use crate::call::Step;
use crate::server::Incoming;
use crate::status::Problem;

pub(crate) fn layer(mut inner: impl Step<Incoming>) -> impl Step<Incoming> {
    service_fn(move |call: Incoming| {
        let streams = call.entry.rule.server_streaming;
        // Unwind safe in effect: after a panic nothing of the call is looked at again.
        let Ok(answer) = catch_unwind(AssertUnwindSafe(|| inner.call(call))) else {
            return Either::Right(ready(Err(Problem::fault().status())));
        };
        Either::Left(AssertUnwindSafe(answer).catch_unwind().map(move |answer| {
            let response = answer.map_err(|_| Problem::fault().status())??;
            Ok(match streams {
                true => response.map(|body| around(body, caught)),
                false => response,
            })
        }))
    })
}

/// A stream that panics ends with INTERNAL.
fn caught(body: &mut Body, context: &mut Context<'_>) -> Polled {
    catch_unwind(AssertUnwindSafe(|| poll(body, context))).unwrap_or_else(|_| {
        *body = Body::empty();
        Poll::Ready(Some(trailers(Problem::fault().status())))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use tonic::Code;
    use tower::ServiceExt;

    use super::*;
    use crate::call::fixtures::{READ, incoming};

    #[tokio::test]
    async fn a_panic_before_the_first_await_is_caught_too() {
        #[allow(unreachable_code)]
        let inner = service_fn(|_: Incoming| {
            panic!("at once");
            futures::future::ready(Ok(http::Response::<Body>::default()))
        });

        let fault = layer(inner).oneshot(incoming(READ)).await.unwrap_err();

        assert_eq!((fault.code(), fault.message()), (Code::Internal, "internal error"));
    }
}
