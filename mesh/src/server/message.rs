//! The length of one message, both ways, known from its prefix before any of it is kept.

use std::task::{Poll, ready};

use bytes::Bytes;
use futures::TryFutureExt;
use http_body::Frame;
use tonic::Status;
use tonic::body::Body;
use tower::service_fn;

use crate::body::{around, poll, trailers};
use crate::call::Step;
use crate::server::{Incoming, ServerSettings};
use crate::status::Problem;

pub(crate) fn layer(settings: ServerSettings, mut inner: impl Step<Incoming>) -> impl Step<Incoming> {
    let (max_in, max_out) = (settings.message_in_max, settings.message_out_max);
    service_fn(move |mut call: Incoming| {
        call.request = call.request.map(|body| limited(body, max_in, Side::In));
        inner.call(call).map_ok(move |response| response.map(|body| limited(body, max_out, Side::Out)))
    })
}

#[derive(Clone, Copy)]
enum Side {
    In,
    Out,
}

fn limited(body: Body, max: usize, side: Side) -> Body {
    let mut messages = Messages::default();
    around(body, move |body, context| {
        let frame = ready!(poll(body, context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
            && !messages.pass(data, max)
        {
            *body = Body::empty();
            return Poll::Ready(Some(too_long(max, side)));
        }
        Poll::Ready(frame)
    })
}

/// Follows the messages of a body by their prefixes: a byte for compression, four for the length.
#[derive(Default)]
struct Messages {
    prefix: [u8; PREFIX],
    prefix_length: usize,
    message_left: usize,
}

const PREFIX: usize = 5;

impl Messages {
    /// False when a message begins that is too long.
    fn pass(&mut self, mut bytes: &[u8], max: usize) -> bool {
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
            if self.message_left > max {
                return false;
            }
        }
    }
}

fn too_long(max: usize, side: Side) -> Result<Frame<Bytes>, Status> {
    let description = format!("a message must not be longer than {max} bytes");
    match side {
        Side::In => Err(Problem::invalid_field("", description).status()),
        Side::Out => {
            tracing::error!("an answer was refused: {description}");
            trailers(Problem::fault().status())
        }
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
            let mut messages = Messages::default();
            assert!(fits.chunks(size).all(|piece| messages.pass(piece, 10)), "{size}");
            let mut messages = Messages::default();
            assert!(!too_long.chunks(size).all(|piece| messages.pass(piece, 10)), "{size}");
        }
    }
}
