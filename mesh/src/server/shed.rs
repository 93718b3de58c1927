//! So many calls at once, and one more is told to come back: no queue grows in front of a busy service.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::TryFutureExt;
use futures::future::{Either, ready};
use http_body::{Frame, SizeHint};
use proto::common::Reason;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::service_fn;

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
            true => response.map(|body| Body::new(Held { body, _permit: permit })),
            false => response,
        }))
    })
}

fn overloaded() -> Status {
    let message = "too many calls at once; try again a little later";
    Problem::common(Code::ResourceExhausted, Reason::Overloaded, message).retry_after(RETRY_AFTER).status()
}

/// A stream keeps its place until it ends.
struct Held {
    body: Body,
    _permit: Arc<OwnedSemaphorePermit>,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
