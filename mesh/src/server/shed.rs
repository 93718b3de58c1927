//! So many calls at once, and one more is told to come back: no queue grows in front of a busy service.

use std::sync::Arc;
use std::task::Context;

use futures::TryFutureExt;
use futures::future::{Either, ready};
use proto::common::Reason;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::service_fn;

use crate::body::{Polled, around, poll};
use crate::call::Step;
use crate::server::{Incoming, ServerSettings};
use crate::status::{Problem, RETRY_AFTER};

pub(crate) fn layer(settings: ServerSettings, mut inner: impl Step<Incoming>) -> impl Step<Incoming> {
    let calls = Arc::new(Semaphore::new(settings.calls_max));
    let streams = Arc::new(Semaphore::new(settings.streams_max));
    service_fn(move |mut call: Incoming| {
        let streaming = call.entry.rule.server_streaming;
        let places = if streaming { &streams } else { &calls };
        let Ok(permit) = places.clone().try_acquire_owned() else {
            return Either::Right(ready(Err(overloaded())));
        };
        let permit = Arc::new(permit);
        call.permit = Some(permit.clone());
        Either::Left(inner.call(call).map_ok(move |response| match streaming {
            // A stream keeps its place until it ends.
            true => response.map(|body| around(body, move |body, context| held(&permit, body, context))),
            false => response,
        }))
    })
}

pub(crate) fn overloaded() -> Status {
    let message = "too many calls at once; try again a little later";
    Problem::common(Code::ResourceExhausted, Reason::Overloaded, message).retry_after(RETRY_AFTER).status()
}

fn held(_: &OwnedSemaphorePermit, body: &mut Body, context: &mut Context<'_>) -> Polled {
    poll(body, context)
}
