//! An error that the service did not put together itself says nothing of our insides.
//!
//! Errors of the house carry details (`ErrorInfo`). One without them comes from the generated code (a message that
//! cannot be read) or from a method that let a foreign error through: it gets the words and the reason that its code has
//! by itself.

use std::task::{Context, Poll, ready};

use futures::FutureExt;
use http::HeaderMap;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::service_fn;

use crate::body::{Polled, around, poll, trailers};
use crate::call::{Step, code_of, not_a_method};
use crate::caller::{permission_missing, sign_in_required};
use crate::deadline::exceeded;
use crate::server::Incoming;
use crate::server::shed::overloaded;
use crate::status::Problem;

/// How the generated code begins when bytes are not a message of the method.
const UNREADABLE: [&str; 3] = ["failed to decode", "Missing request message", "protocol error"];

pub(crate) fn layer(mut inner: impl Step<Incoming>) -> impl Step<Incoming> {
    service_fn(move |call: Incoming| {
        let streams = call.entry.rule.server_streaming;
        inner.call(call).map(move |answer| {
            let response = answer?;
            if let Some(masked) = masked(response.headers()) {
                return Err(masked);
            }
            Ok(match streams {
                true => response.map(|body| around(body, masked_end)),
                false => response,
            })
        })
    })
}

/// What to say instead of an error without details; nothing for those that may pass.
fn masked(headers: &HeaderMap) -> Option<Status> {
    code_of(headers).filter(|code| *code != Code::Ok)?;
    let status = Status::from_header_map(headers).filter(|status| status.details().is_empty())?;
    let unreadable = UNREADABLE.iter().any(|start| status.message().starts_with(start));
    match status.code() {
        Code::Internal | Code::OutOfRange if unreadable => {
            Some(Problem::invalid_field("", "the bytes are not a request of this method").status())
        }
        Code::Unimplemented => Some(not_a_method()),
        Code::DeadlineExceeded => Some(exceeded()),
        Code::Unavailable => Some(Problem::not_available("what the method needs").status()),
        Code::ResourceExhausted => Some(overloaded()),
        Code::Unauthenticated => Some(sign_in_required()),
        Code::PermissionDenied => Some(permission_missing()),
        // Whoever called has left.
        Code::Ok | Code::Cancelled => None,
        // The others mean nothing without a reason of the contract.
        _ => {
            let message = status.message();
            tracing::error!({ observability::names::ERROR } = message, "a call failed: {message}");
            Some(Problem::fault().status())
        }
    }
}

/// A stream says how it ended in its trailers.
fn masked_end(body: &mut Body, context: &mut Context<'_>) -> Polled {
    let frame = ready!(poll(body, context));
    let masked = match &frame {
        Some(Ok(frame)) => frame.trailers_ref().and_then(masked),
        _ => None,
    };
    Poll::Ready(masked.map(trailers).or(frame))
}
