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
