//! What browsers are told when a page of a listed origin asks: that it may, with its cookies.
//!
//! Nobody else is told anything, so browsers keep other pages from reading answers; what they may send is for `csrf`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::middleware::Next;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};

use crate::http::Edge;

/// The headers that a page may set.
const HEADERS: &str = "content-type, authorization, x-shop-client, traceparent";
/// Seconds that a browser remembers the answer to its question.
const MAX_AGE: &str = "600";

/// Answers a browser's question beforehand, and marks the answers of a listed origin as readable by it.
pub(crate) async fn allow(
    State(edge): State<Arc<Edge>>,
    request: Request<Body>,
    next: Next,
) -> Response<Body> {
    let listed = listed(request.headers(), &edge.settings.allowed_origins);
    let Some(origin) = listed else {
        return next.run(request).await;
    };
    let asked = request.method() == Method::OPTIONS;
    let mut response = match asked {
        true => Response::new(Body::empty()),
        false => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.append(VARY, HeaderValue::from_static("origin"));
    if asked {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

fn listed(headers: &HeaderMap, allowed: &[String]) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    allowed.iter().any(|listed| origin == listed.as_str()).then(|| origin.clone())
}
