//! What is left of the caller's time, told to the next hop and enforced here too.

use futures::future::{Either, ready};
use tokio::time::Instant;
use tower::service_fn;

use crate::call::Step;
use crate::client::Outgoing;
use crate::deadline::{earlier, exceeded, until, write};

pub(crate) fn layer(mut inner: impl Step<Outgoing>) -> impl Step<Outgoing> {
    service_fn(move |mut call: Outgoing| {
        let rule = call.entry.rule;
        let now = Instant::now();
        let allowed = rule.timeout.and_then(|timeout| now.checked_add(timeout));
        // Those below learn it, too: a second attempt tells its hop what is left by then.
        call.context.deadline = earlier(call.context.deadline, allowed);
        let Some(deadline) = call.context.deadline else {
            return Either::Left(Either::Left(inner.call(call)));
        };
        let left = deadline.saturating_duration_since(now);
        if left.is_zero() {
            // Nobody waits any more, so nothing is begun.
            return Either::Right(ready(Err(exceeded())));
        }
        write(call.request.headers_mut(), left);
        Either::Left(Either::Right(until(deadline, rule.server_streaming, inner.call(call))))
    })
}
