//! What is left of the caller's time, told to the next hop and enforced here too.

use tokio::time::Instant;
use tower::service_fn;

use crate::call::Step;
use crate::client::Outgoing;
use crate::deadline::{Cut, earlier, exceeded, write};

pub(crate) fn layer(mut inner: impl Step<Outgoing>) -> impl Step<Outgoing> {
    service_fn(move |mut call: Outgoing| {
        let rule = call.entry.rule;
        let now = Instant::now();
        let allowed = rule.timeout.and_then(|timeout| now.checked_add(timeout));
        let deadline = earlier(call.context.deadline, allowed);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(now));
        let begun = match left {
            // Nobody waits any more, so nothing is begun.
            Some(left) if left.is_zero() => Err(exceeded()),
            left => {
                if let Some(left) = left {
                    write(call.request.headers_mut(), left);
                }
                Ok(inner.call(call))
            }
        };
        async move {
            let answer = begun?;
            let Some(deadline) = deadline else {
                return answer.await;
            };
            let response = tokio::time::timeout_at(deadline, answer).await.map_err(|_| exceeded())??;
            Ok(match rule.server_streaming {
                true => response.map(|body| Cut::at(deadline, body)),
                false => response,
            })
        }
    })
}
