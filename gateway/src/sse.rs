//! Subscriptions as server-sent events: graphql-sse in its mode of distinct connections, one POST for each.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::StreamExt;
use http::Response;
use tracing::Span;

use crate::context::Viewer;
use crate::error::{Fault, Problem};
use crate::execute::Prepared;
use crate::http::Edge;
use crate::limits::SSE_HEARTBEAT;

/// A subscription as events, until it ends, the token of whoever asked ends, or they leave.
pub(crate) fn stream(edge: &Arc<Edge>, prepared: Prepared, viewer: Viewer) -> Result<Response<Body>, Fault> {
    let place = edge.places.take(&viewer.client()).ok_or_else(|| {
        Fault::of(Problem::RateLimited, "There are too many streams open: close one first.")
    })?;
    let good_for = viewer.good_for();
    let answers = edge.executor.clone().stream(prepared, viewer, Span::current());
    let events = answers.map(|response| event("next", &response)).chain(complete());
    let events = events.take_until(async move {
        match good_for {
            Some(left) => tokio::time::sleep(left).await,
            None => std::future::pending().await,
        }
    });
    let events = events.map(move |event| {
        // The place is free again when the stream is dropped.
        let _held = &place;
        Ok::<_, Infallible>(event)
    });
    let keep_alive = KeepAlive::new().interval(SSE_HEARTBEAT).text("");
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

/// The one answer of a query or mutation for a client that takes events only.
pub(crate) fn once(response: async_graphql::Response) -> Response<Body> {
    let headers = response.http_headers.clone();
    let first = futures::stream::iter([event("next", &response)]);
    let events = first.chain(complete()).map(Ok::<_, Infallible>);
    let mut answer = Sse::new(events).into_response();
    answer.headers_mut().extend(headers);
    answer
}

fn event(name: &str, response: &async_graphql::Response) -> Event {
    let data = serde_json::to_string(response).unwrap_or_default();
    Event::default().event(name).data(data)
}

fn complete() -> impl futures::Stream<Item = Event> {
    futures::stream::iter([Event::default().event("complete").data("")])
}
