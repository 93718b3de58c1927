//! The shorter of what the caller waits and what the rule allows; then the answer is DEADLINE_EXCEEDED.
//!
//! Below the sockets of tonic nobody enforces `grpc-timeout` in process, and on a socket a stream would not be cut.

use tokio::time::Instant;
use tower::service_fn;

use crate::call::Step;
use crate::deadline::{Cut, earlier, exceeded, read};
use crate::server::Incoming;

pub(crate) fn layer(mut inner: impl Step<Incoming>) -> impl Step<Incoming> {
    service_fn(move |mut call: Incoming| {
        let rule = call.entry.rule;
        let now = Instant::now();
        let begun = read(call.request.headers()).and_then(|timeout| {
            let after = |wait| now.checked_add(wait);
            let deadline = earlier(timeout.and_then(after), rule.timeout.and_then(after));
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Err(exceeded());
            }
            call.deadline = deadline;
            Ok((deadline, inner.call(call)))
        });
        async move {
            match begun? {
                (None, answer) => answer.await,
                (Some(deadline), answer) => {
                    let answer = tokio::time::timeout_at(deadline, answer).await;
                    let response = answer.map_err(|_| exceeded())??;
                    Ok(match rule.server_streaming {
                        true => response.map(|body| Cut::at(deadline, body)),
                        false => response,
                    })
                }
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
    use crate::deadline::write;
    use crate::fixtures::{READ, WATCH, answer_after, incoming};
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
