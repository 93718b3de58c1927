//! The playground and its personas. None of it exists in production.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, Response, StatusCode, Uri};
use proto::identity as pb;
use serde::{Deserialize, Serialize};

use crate::cookies::{self, Name};
use crate::http::{Edge, plain};
use crate::{csrf, viewer};

const INDEX: &str = include_str!("../playground/dist/index.html");
const SCRIPT: &[u8] = include_bytes!("../playground/dist/playground.js");
const STYLE: &[u8] = include_bytes!("../playground/dist/playground.css");
const LICENSES: &[u8] = include_bytes!("../playground/dist/LICENSES.txt");

/// What the page may load: itself. GraphiQL writes styles into the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Who can be played by one click, and the operations that are ready to run.
#[derive(Clone, Debug)]
pub struct Playground {
    /// A customer with orders.
    pub shopper: Persona,
    /// Somebody who works here.
    pub staff: Persona,
    /// Ready operations, in the order in which they are shown.
    pub tabs: Vec<Tab>,
}

/// An account of the demo shop that anybody on this machine may play.
#[derive(Clone)]
pub struct Persona {
    /// What the page calls it.
    pub name: String,
    /// What it logs in by.
    pub email: String,
    /// Its password.
    pub password: String,
}

impl std::fmt::Debug for Persona {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Persona").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An operation that is ready to run.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Tab {
    /// What the tab is called.
    pub title: String,
    /// One line about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whom the operation is for; anybody, if nobody is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persona: Option<String>,
    /// The document.
    pub query: String,
    /// Its variables; `{{name}}` stands for a value that an earlier operation gave.
    pub variables: serde_json::Value,
    /// Values that later operations need: name to path in the answer.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub remember: serde_json::Map<String, serde_json::Value>,
}

pub(crate) fn routes(router: Router<Arc<Edge>>) -> Router<Arc<Edge>> {
    router
        .route("/", get(index))
        .route("/playground/{file}", get(file))
        .route("/dev/playground.json", get(description))
        .route("/dev/persona", post(play))
}

async fn index() -> Response<Body> {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, INDEX).into_response()
}

async fn file(Path(file): Path<String>) -> Response<Body> {
    let (kind, bytes) = match file.as_str() {
        "playground.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "playground.css" => ("text/css; charset=utf-8", STYLE),
        "LICENSES.txt" => ("text/plain; charset=utf-8", LICENSES),
        _ => return plain(StatusCode::NOT_FOUND, "There is no such file."),
    };
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], bytes).into_response()
}

async fn description(State(edge): State<Arc<Edge>>, headers: HeaderMap) -> Response<Body> {
    let Some(playground) = &edge.settings.playground else {
        return plain(StatusCode::NOT_FOUND, "This shop has no personas.");
    };
    let viewer = viewer::of(&headers, String::new(), &edge.verifier, false).await;
    let role = viewer.ok().and_then(|viewer| viewer.user.map(|user| user.role));
    let persona = match role {
        Some(mesh::Role::Customer) => Some("shopper"),
        Some(mesh::Role::Staff | mesh::Role::Admin) => Some("staff"),
        // Nobody is signed in; unless that was chosen, the page signs in.
        None => cookies::get(&headers, Name::Persona, false).filter(|chosen| *chosen == "guest"),
    };
    let named = |persona: &str, name: &str| serde_json::json!({ "persona": persona, "name": name });
    let personas = [
        named("guest", "a guest"),
        named("shopper", &playground.shopper.name),
        named("staff", &playground.staff.name),
    ];
    let body = serde_json::json!({ "persona": persona, "personas": personas, "tabs": playground.tabs });
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// Which persona to play.
#[derive(Deserialize)]
struct Choice {
    persona: String,
}

async fn play(
    State(edge): State<Arc<Edge>>,
    uri: Uri,
    headers: HeaderMap,
    Json(choice): Json<Choice>,
) -> Response<Body> {
    let authority = uri.authority().map(http::uri::Authority::as_str);
    if csrf::check_origin(&headers, authority, &edge.settings.allowed_origins).is_err() {
        return plain(StatusCode::FORBIDDEN, "Personas are for the playground.");
    }
    let Some(playground) = &edge.settings.playground else {
        return plain(StatusCode::NOT_FOUND, "This shop has no personas.");
    };
    let persona = match choice.persona.as_str() {
        "guest" => return played("guest", "a guest", &forgotten()),
        "shopper" => &playground.shopper,
        "staff" => &playground.staff,
        _ => return plain(StatusCode::BAD_REQUEST, "There is no such persona."),
    };
    let request = pb::LogInRequest {
        email: persona.email.clone(),
        password: persona.password.clone(),
        client: Some(pb::Client { ip_address: String::new(), user_agent: "playground".to_owned() }),
    };
    let answer = edge.upstreams.identity.clone().log_in(request).await;
    match answer.map(|answer| answer.into_inner().tokens) {
        Ok(Some(tokens)) => {
            let cookies = cookies::token_headers(&tokens, false);
            played(&choice.persona, &persona.name, &cookies)
        }
        _ => plain(StatusCode::SERVICE_UNAVAILABLE, "The persona cannot be signed in at the moment."),
    }
}

/// A guest holds nothing, not even the cart of the guest before.
fn forgotten() -> Vec<String> {
    let names = [Name::Access, Name::Refresh, Name::Cart, Name::Checkout];
    let forget = |name| cookies::header(name, "", std::time::Duration::ZERO, false);
    names.into_iter().map(forget).collect()
}

fn played(persona: &str, name: &str, cookies: &[String]) -> Response<Body> {
    let mut response = Json(serde_json::json!({ "persona": persona, "name": name })).into_response();
    let chosen = cookies::header(Name::Persona, persona, cookies::PERSONA_LIFE, false);
    for cookie in cookies.iter().chain([&chosen]) {
        if let Ok(value) = cookie.parse() {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response
}
