//! The public keys of access tokens, for whoever wants to check one.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::CACHE_CONTROL;
use http::{Response, StatusCode};
use proto::identity as pb;

use crate::http::{Edge, plain};
use crate::limits::KEYS_MAX_AGE;

/// A JSON Web Key Set (RFC 7517) of Ed25519 keys (RFC 8037).
pub(crate) async fn published(State(edge): State<Arc<Edge>>) -> Response<Body> {
    let mut client = edge.upstreams.identity.clone();
    let Ok(answer) = client.list_signing_keys(pb::ListSigningKeysRequest::default()).await else {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "The keys cannot be had at the moment.");
    };
    let key = |key: &pb::SigningKey| {
        serde_json::json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "alg": "EdDSA",
            "kid": key.key_id,
            "x": URL_SAFE_NO_PAD.encode(&key.public_key),
        })
    };
    let keys: Vec<_> = answer.get_ref().keys.iter().map(key).collect();
    let age = format!("public, max-age={}", KEYS_MAX_AGE.as_secs());
    ([(CACHE_CONTROL, age)], Json(serde_json::json!({ "keys": keys }))).into_response()
}
