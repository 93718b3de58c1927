//! What stands between a service and another's methods: one stack, whether a wire follows or not.

mod access;
mod deadline;
mod observe;
mod retry;

use std::sync::Arc;

use http::Request;
use observability::RpcMetrics;
use tonic::body::Body;

use crate::call::{Entry, Step};
use crate::context::Context;

pub(crate) use retry::Budget;

/// A call on its way out, with what the layers above have learnt.
pub(crate) struct Outgoing {
    pub(crate) entry: &'static Entry,
    pub(crate) context: Context,
    pub(crate) request: Request<Body>,
}

/// What a stack is told about the service it leads to.
pub(crate) struct Target {
    pub(crate) caller: &'static str,
    pub(crate) metrics: Arc<RpcMetrics>,
    pub(crate) budget: Arc<Budget>,
    /// In process the trace follows the task; on a wire it needs a header.
    pub(crate) wire: bool,
}

/// Puts the stack in front of a way to the service. The table in the README gives the order and the reasons.
pub(crate) fn stack(target: Target, way: impl Step<Request<Body>>) -> impl Step<Request<Body>> {
    // Outermost: the time of both attempts is the time of the call, and a refusal to send is an answer too.
    observe::layer(
        target.caller,
        target.metrics,
        target.wire,
        // Before any waiting: a call that would be refused is not sent, so it opens no circuit breaker.
        access::layer(
            target.caller,
            // Around both attempts: a second one gets what is left, not the whole again.
            deadline::layer(
                // Next to the way, so that nothing above notices.
                retry::layer(target.budget, way),
            ),
        ),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use std::time::Duration;

    use tower::Service;

    use super::*;
    use crate::call::fixtures::{READ, answer_after, request};

    #[tokio::test]
    async fn the_future_of_a_call_stays_small() {
        let target = Target {
            caller: "gateway",
            metrics: Arc::new(RpcMetrics::client()),
            budget: Arc::new(Budget::new()),
            wire: false,
        };
        let mut stack = stack(target, answer_after(Duration::ZERO));

        let answer = stack.call(request(READ));

        assert!(size_of_val(&answer) < 2_048, "{}", size_of_val(&answer));
        assert!(answer.await.is_ok());
    }
}
