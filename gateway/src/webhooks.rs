//! What payment providers tell the shop: handed on unread, signature and all.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use proto::payments as pb;
use tonic::Code;
use uuid::Uuid;

use crate::client;
use crate::http::{Edge, plain};
use crate::limits::{RATE_MUTATION_COST, REQUEST_TIMEOUT, WEBHOOK_BYTES_MAX};
use crate::rates::Payer;

/// Where providers put their signature.
const SIGNATURE_HEADER: &str = "shop-signature";
/// Longer names are nobody's.
const PROVIDER_LENGTH_MAX: usize = 64;

/// Answers as providers understand: 2xx is done, 5xx is to be sent again, 4xx is not.
pub(crate) async fn receive(
    State(edge): State<Arc<Edge>>,
    Path(provider): Path<String>,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let client = client::of(&parts.headers, &parts.extensions, &edge.settings.trusted_proxies);
    if edge.executor.rates.spend(&Payer::Address(client), RATE_MUTATION_COST).await.is_err() {
        return plain(StatusCode::TOO_MANY_REQUESTS, "Too much at once.");
    }
    if provider.len() > PROVIDER_LENGTH_MAX {
        return plain(StatusCode::NOT_FOUND, "There is no such provider.");
    }
    let Some(signature) = signature(&parts.headers) else {
        return plain(StatusCode::FORBIDDEN, "The signature is missing.");
    };
    let read = Limited::new(body, WEBHOOK_BYTES_MAX).collect();
    let body = match tokio::time::timeout(REQUEST_TIMEOUT, read).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return plain(StatusCode::PAYLOAD_TOO_LARGE, "The delivery is too large."),
        Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, "The delivery took too long."),
    };
    // A delivery that is sent again under the same signature is the same request.
    let delivery = [provider.as_bytes(), signature.as_bytes(), &body].join(&0);
    let message = pb::ReceiveWebhookRequest {
        request_id: Uuid::new_v5(&Uuid::NAMESPACE_URL, &delivery).to_string(),
        provider,
        signature,
        body: body.into(),
    };
    match edge.upstreams.payments.clone().receive_webhook(message).await {
        Ok(_) => plain(StatusCode::OK, "Taken."),
        Err(status) => refused(status.code()),
    }
}

fn signature(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(SIGNATURE_HEADER)?.to_str().ok()?;
    Some(value.to_owned())
}

fn refused(code: Code) -> Response<Body> {
    match code {
        Code::PermissionDenied => plain(StatusCode::FORBIDDEN, "The signature is not right."),
        Code::NotFound => plain(StatusCode::NOT_FOUND, "There is no such provider."),
        Code::InvalidArgument => plain(StatusCode::BAD_REQUEST, "The delivery makes no sense."),
        _ => plain(StatusCode::SERVICE_UNAVAILABLE, "Not now: send it again."),
    }
}
