//! An effect runs in a task of its own, so a caller that leaves does not tear it; its deadline still ends it.
//!
//! A read runs where it was called: nobody needs the end of a read that nobody waits for, and the reads are what a
//! page of the shop is made of, so they should not pay for a task each.

use futures::FutureExt;
use futures::future::Either;
use proto::rules::Idempotency;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tower::service_fn;
use tracing::Instrument;

use crate::call::Step;
use crate::server::Incoming;
use crate::status::Problem;

pub(crate) fn layer(tasks: TaskTracker, mut inner: impl Step<Incoming>) -> impl Step<Incoming> {
    service_fn(move |mut call: Incoming| {
        if call.entry.rule.idempotency == Idempotency::NoSideEffects {
            return Either::Left(inner.call(call));
        }
        let deadline = call.deadline;
        let permit = call.permit.take();
        let answer = inner.call(call).in_current_span();
        let task = tasks.spawn(answer.inspect(move |_| drop(permit)));
        let awaited = Awaited { task: task.abort_handle(), deadline, ended: false };
        Either::Right(task.map(move |answer| {
            awaited.end();
            // The task is aborted only by us, and then nobody is here to see it: what is left is a panic.
            answer.unwrap_or_else(|_| Err(Problem::fault().status()))
        }))
    })
}

/// A task that somebody waits for. When they stop, it goes on, up to its deadline.
struct Awaited {
    task: AbortHandle,
    deadline: Option<Instant>,
    ended: bool,
}

impl Awaited {
    fn end(mut self) {
        self.ended = true;
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        let Some(deadline) = self.deadline.filter(|_| !self.ended) else {
            return;
        };
        let task = self.task.clone();
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if deadline > Instant::now() => {
                runtime.spawn(async move {
                    tokio::time::sleep_until(deadline).await;
                    task.abort();
                });
            }
            _ => task.abort(),
        }
    }
}
