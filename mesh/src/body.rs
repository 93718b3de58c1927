//! Bodies with something around each of their frames.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

/// What polling a body gives.
pub(crate) type Polled = Poll<Option<Result<Frame<Bytes>, Status>>>;

/// A body whose frames come by way of a function, which polls the body itself ([`poll`]). To end it early, the
/// function puts an empty body in its place.
pub(crate) fn around(
    body: Body,
    way: impl FnMut(&mut Body, &mut Context<'_>) -> Polled + Send + Unpin + 'static,
) -> Body {
    Body::new(Around { body, way })
}

/// The next frame of a body.
pub(crate) fn poll(body: &mut Body, context: &mut Context<'_>) -> Polled {
    http_body::Body::poll_frame(Pin::new(body), context)
}

/// An error as the last frame of a stream.
pub(crate) fn trailers(status: Status) -> Result<Frame<Bytes>, Status> {
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers)?;
    Ok(Frame::trailers(trailers))
}

struct Around<F> {
    body: Body,
    way: F,
}

impl<F> http_body::Body for Around<F>
where
    F: FnMut(&mut Body, &mut Context<'_>) -> Polled + Unpin,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        let this = &mut *self;
        (this.way)(&mut this.body, context)
    }

    fn is_end_stream(&self) -> bool {
        http_body::Body::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.body)
    }
}
