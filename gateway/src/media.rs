//! Pictures of the demo shop, drawn when asked for.

use axum::body::Body;
use axum::extract::{Path, Query};
use axum::response::IntoResponse;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{Response, StatusCode};
use serde::Deserialize;

use crate::http::plain;
use crate::limits::MEDIA_MAX_AGE;
use crate::picture;

/// What a picture may be told about its product.
#[derive(Deserialize)]
pub(crate) struct Words {
    /// The product's type.
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    colour: String,
}

/// The same address gives the same picture for ever.
pub(crate) async fn picture(Path(name): Path<String>, Query(words): Query<Words>) -> Response<Body> {
    let Some((handle, view)) = picture::parse_name(&name) else {
        return plain(StatusCode::NOT_FOUND, "There is no such picture.");
    };
    let drawing = picture::svg(handle, &words.kind, &words.colour, view);
    let age = format!("public, max-age={}, immutable", MEDIA_MAX_AGE.as_secs());
    let headers = [
        (CONTENT_TYPE, "image/svg+xml".to_owned()),
        (CACHE_CONTROL, age),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'".to_owned()),
    ];
    (headers, drawing).into_response()
}
