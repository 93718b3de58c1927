//! The length of one message, both ways, known from its prefix before any of it is kept.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::TryFutureExt;
use http_body::{Frame, SizeHint};
use proto::common::Reason;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::service_fn;

use crate::call::Step;
use crate::server::catch::trailers;
use crate::server::{Incoming, ServerSettings};
use crate::status::{Problem, Violation};

pub(crate) fn layer(settings: ServerSettings, mut inner: impl Step<Incoming>) -> impl Step<Incoming> {
    let (max_in, max_out) = (settings.message_in_max, settings.message_out_max);
    service_fn(move |mut call: Incoming| {
        call.request = call.request.map(|body| Body::new(Limited::new(body, max_in, Side::In)));
        inner
            .call(call)
            .map_ok(move |response| response.map(|body| Body::new(Limited::new(body, max_out, Side::Out))))
    })
}

#[derive(Clone, Copy)]
enum Side {
    In,
    Out,
}

/// Follows the messages of a body by their prefixes: a byte for compression, four for the length.
struct Limited {
    body: Body,
    side: Side,
    max: usize,
    prefix: [u8; PREFIX],
    prefix_length: usize,
    message_left: usize,
    failed: bool,
}

const PREFIX: usize = 5;

impl Limited {
    fn new(body: Body, max: usize, side: Side) -> Self {
        Self { body, side, max, prefix: [0; PREFIX], prefix_length: 0, message_left: 0, failed: false }
    }

    /// False when a message begins that is too long.
    fn pass(&mut self, mut bytes: &[u8]) -> bool {
        loop {
            bytes = bytes.get(self.message_left.min(bytes.len())..).map_or(&[], |rest| {
                self.message_left -= bytes.len() - rest.len();
                rest
            });
            let Some((first, rest)) = bytes.split_first() else {
                return true;
            };
            bytes = rest;
            if let Some(place) = self.prefix.get_mut(self.prefix_length) {
                *place = *first;
            }
            self.prefix_length += 1;
            if self.prefix_length == PREFIX {
                let [_, length @ ..] = self.prefix;
                self.prefix_length = 0;
                self.message_left = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
            }
            if self.message_left > self.max {
                return false;
            }
        }
    }

    fn too_long(&self) -> Result<Frame<Bytes>, Status> {
        let description = format!("a message must not be longer than {} bytes", self.max);
        match self.side {
            Side::In => Err(Problem::invalid(vec![Violation { field: String::new(), description }]).status()),
            Side::Out => {
                tracing::error!("an answer was refused: {description}");
                trailers(Problem::common(Code::Internal, Reason::Internal, "internal error").status())
            }
        }
    }
}

impl http_body::Body for Limited {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.failed {
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
            && !self.pass(data)
        {
            self.failed = true;
            self.body = Body::empty();
            return Poll::Ready(Some(self.too_long()));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.failed || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use super::*;

    fn message(length: usize) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend(u32::try_from(length).unwrap().to_be_bytes());
        bytes.extend(vec![7; length]);
        bytes
    }

    /// However the bytes are cut into pieces, the same messages pass.
    #[test]
    fn the_limit_holds_wherever_the_bytes_are_cut() {
        let fits = [message(0), message(10), message(1), message(10)].concat();
        let too_long = [message(10), message(11)].concat();

        for size in 1..=fits.len() {
            let mut limited = Limited::new(Body::empty(), 10, Side::In);
            assert!(fits.chunks(size).all(|piece| limited.pass(piece)), "{size}");
            let mut limited = Limited::new(Body::empty(), 10, Side::In);
            assert!(!too_long.chunks(size).all(|piece| limited.pass(piece)), "{size}");
        }
    }
}
