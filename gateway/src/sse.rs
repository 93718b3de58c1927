//! Subscriptions as server-sent events: graphql-sse in its mode of distinct connections, one POST for each.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::StreamExt;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Response};
use tracing::Span;

use crate::closing::Closing;
use crate::context::Viewer;
use crate::error::{Fault, Problem};
use crate::execute::Prepared;
use crate::http::Edge;
use crate::limits::SSE_HEARTBEAT;

/// A subscription as events, until it ends, the token of whoever asked ends, or they leave.
/// When the process closes, the stream just ends: a client that hears no `complete` connects again.
pub(crate) fn stream(
    edge: &Arc<Edge>,
    prepared: Prepared,
    viewer: Viewer,
    closing: Closing,
) -> Result<Response<Body>, Fault> {
    let place = edge.places.take(&viewer.payer()).ok_or_else(|| {
        Fault::of(Problem::RateLimited, "There are too many streams open: close one first.")
    })?;
    let good_for = viewer.good_for();
    let answers = edge.executor.clone().stream(prepared, viewer, Span::current());
    let events = answers.map(|response| event("next", &response)).chain(complete());
    let events = events.take_until(async move {
        let expired = async {
            match good_for {
                Some(left) => tokio::time::sleep(left).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = expired => {}
            () = closing.begun() => {}
        }
    });
    let events = events.map(move |event| {
        // The place is free again when the stream is dropped.
        let _held = &place;
        Ok::<_, Infallible>(event)
    });
    let keep_alive = KeepAlive::new().interval(SSE_HEARTBEAT).text("");
    Ok(unkept(Sse::new(events).keep_alive(keep_alive).into_response()))
}

/// The one answer of a query or mutation for a client that takes events only.
pub(crate) fn once(response: async_graphql::Response) -> Response<Body> {
    let headers = response.http_headers.clone();
    let first = futures::stream::iter([event("next", &response)]);
    let events = first.chain(complete()).map(Ok::<_, Infallible>);
    let mut answer = unkept(Sse::new(events).into_response());
    answer.headers_mut().extend(headers);
    answer
}

/// An event may be somebody's own: it is kept nowhere, where the library only asks to look again.
fn unkept(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn event(name: &str, response: &async_graphql::Response) -> Event {
    let data = serde_json::to_string(response).unwrap_or_default();
    Event::default().event(name).data(data)
}

fn complete() -> impl futures::Stream<Item = Event> {
    futures::stream::iter([Event::default().event("complete").data("")])
}
