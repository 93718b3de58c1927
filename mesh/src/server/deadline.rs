//! The shorter of what the caller waits and what the rule allows; then the answer is DEADLINE_EXCEEDED.
//!
//! Below the sockets of tonic nobody enforces `grpc-timeout` in process, and on a socket a stream would not be cut.

use futures::future::{Either, ready};
use tokio::time::Instant;
use tower::service_fn;

use crate::call::Step;
use crate::deadline::{earlier, exceeded, read, until};
use crate::server::Incoming;

pub(crate) fn layer(mut inner: impl Step<Incoming>) -> impl Step<Incoming> {
    service_fn(move |mut call: Incoming| {
        let rule = call.entry.rule;
        let now = Instant::now();
        let timeout = match read(call.request.headers()) {
            Ok(timeout) => timeout,
            Err(refusal) => return Either::Right(ready(Err(refusal))),
        };
        let after = |wait| now.checked_add(wait);
        call.deadline = earlier(timeout.and_then(after), rule.timeout.and_then(after));
        match call.deadline {
            None => Either::Left(Either::Left(inner.call(call))),
            Some(deadline) if deadline <= now => Either::Right(ready(Err(exceeded()))),
            Some(deadline) => {
                Either::Left(Either::Right(until(deadline, rule.server_streaming, inner.call(call))))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use std::time::Duration;

    use tower::ServiceExt;

    use super::*;
    use crate::call::fixtures::{READ, WATCH, answer_after, incoming};
    use crate::deadline::write;
    use crate::status::reason_of;

    #[tokio::test]
    async fn a_caller_that_says_so_only_in_the_header_is_answered_in_time() {
        let mut call = incoming(READ);
        write(call.request.headers_mut(), Duration::from_millis(20));

        let refusal = layer(answer_after(Duration::from_secs(5))).oneshot(call).await.unwrap_err();

        assert_eq!(reason_of(&refusal).unwrap().1, "DEADLINE_EXCEEDED");
    }

    #[tokio::test]
    async fn the_layers_below_learn_the_shorter_of_both_ends() {
        let ends = |path, wait: Option<Duration>| async move {
            let (seen, see) = std::sync::mpsc::sync_channel(1);
            let inner = service_fn(move |call: Incoming| {
                seen.send(call.deadline).unwrap();
                futures::future::ready(Ok(http::Response::default()))
            });
            let mut call = incoming(path);
            if let Some(wait) = wait {
                write(call.request.headers_mut(), wait);
            }
            let now = Instant::now();
            layer(inner).oneshot(call).await.unwrap();
            see.recv().unwrap().map(|end: Instant| end - now)
        };

        let second = Duration::from_secs(1);
        let about = |end: Option<Duration>, expected| {
            let end = end.unwrap();
            assert!(end <= expected + second / 10 && end > expected - second / 10, "{end:?}");
        };
        about(ends(READ, None).await, second * 2);
        about(ends(READ, Some(second)).await, second);
        about(ends(READ, Some(second * 60)).await, second * 2);
        about(ends(WATCH, Some(second)).await, second);
        assert_eq!(ends(WATCH, None).await, None);
    }
}
