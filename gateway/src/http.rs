//! The edge's HTTP: what is accepted, and how answers are written.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::{get, post};
use http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    RETRY_AFTER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use observability::propagation;
use tokio::time::Instant;
use tracing::Instrument;

use crate::closing::Closing;
use crate::context::Viewer;
use crate::error::{Fault, Problem};
use crate::execute::{self, Executor, Payload};
use crate::limits::{BODY_BYTES_MAX, RATE_REFUSED_COST, REQUEST_TIMEOUT};
use crate::rates::Payer;
use crate::sockets::Places;
use crate::{Settings, Upstreams, client, csrf, keys, media, playground, sockets, sse, viewer, webhooks};

const JSON: &str = "application/json";
const GRAPHQL_JSON: &str = "application/graphql-response+json";
const EVENT_STREAM: &str = "text/event-stream";
/// The policy of what is no page.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'";

/// What all handlers share.
pub(crate) struct Edge {
    pub(crate) executor: Arc<Executor>,
    pub(crate) verifier: mesh::tokens::Verifier,
    pub(crate) upstreams: Upstreams,
    pub(crate) settings: Settings,
    pub(crate) places: Places,
}

/// All routes of the edge.
pub(crate) fn routes(edge: Arc<Edge>) -> Router {
    let production = edge.settings.production;
    let routes = Router::new()
        .route("/graphql", post(graphql).fallback(only_post))
        .route(crate::cookies::SESSION_PATH, post(graphql).fallback(only_post))
        .route("/graphql/ws", get(sockets::upgrade))
        .route("/.well-known/jwks.json", get(keys::published))
        .route("/webhooks/payments/{provider}", post(webhooks::receive))
        .route("/media/{name}", get(media::picture));
    let routes = match production {
        true => routes,
        false => playground::routes(routes),
    };
    let cors = axum::middleware::from_fn_with_state(edge.clone(), crate::cors::allow);
    routes
        .layer(cors)
        .layer(axum::middleware::map_response(move |response| {
            std::future::ready(harden(response, production))
        }))
        .with_state(edge)
}

/// Headers that every answer carries. What says nothing of its own is no page, and is not kept: it may be somebody's.
fn harden(mut response: Response<Body>, production: bool) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    for (name, otherwise) in [(CONTENT_SECURITY_POLICY, NO_PAGE), (CACHE_CONTROL, "no-store")] {
        headers.entry(name).or_insert(HeaderValue::from_static(otherwise));
    }
    if production {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(STRICT_TRANSPORT_SECURITY, year);
    }
    response
}

async fn only_post() -> Response<Body> {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "GraphQL is asked by POST.");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    response
}

/// One operation by POST. The span carries the trace from here to every service.
async fn graphql(State(edge): State<Arc<Edge>>, request: Request<Body>) -> Response<Body> {
    let span = execute::span();
    propagation::extract_parent(request.headers(), &span);
    let Some(form) = Form::of(request.headers()) else {
        return plain(StatusCode::NOT_ACCEPTABLE, "Answers are JSON or an event stream.");
    };
    let until = Instant::now() + REQUEST_TIMEOUT;
    let answer = answer(edge, request, form, until).instrument(span);
    match tokio::time::timeout_at(until, answer).await {
        Ok(response) => response,
        Err(_) => refusal(form, Fault::of(Problem::Timeout, "The answer took too long.")),
    }
}

async fn answer(edge: Arc<Edge>, request: Request<Body>, form: Form, until: Instant) -> Response<Body> {
    match try_answer(&edge, request, form, until).await {
        Ok(response) => response,
        Err(Refused::Http(response)) => *response,
        Err(Refused::Graphql(fault)) => {
            edge.executor.refused();
            refusal(form, fault)
        }
    }
}

/// Why a request never executed.
enum Refused {
    /// It is no GraphQL request, so its answer is none either.
    Http(Box<Response<Body>>),
    Graphql(Fault),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Graphql(fault)
    }
}

impl From<Response<Body>> for Refused {
    fn from(response: Response<Body>) -> Self {
        Self::Http(Box::new(response))
    }
}

async fn try_answer(
    edge: &Arc<Edge>,
    request: Request<Body>,
    form: Form,
    until: Instant,
) -> Result<Response<Body>, Refused> {
    let (parts, body) = request.into_parts();
    let client = client::of(&parts.headers, &parts.extensions, &edge.settings.trusted_proxies);
    let (payload, viewer) = match admit(edge, &parts, body, client.clone()).await {
        Ok(admitted) => admitted,
        Err(refused) => {
            edge.executor.rates.spend(&Payer::Address(client), RATE_REFUSED_COST).await?;
            return Err(refused);
        }
    };
    let prepared = edge.executor.prepare(payload, &viewer).await?;
    let closing = Closing::of(&parts.extensions);
    execute::describe(&tracing::Span::current(), &prepared);
    match (prepared.kind(), form) {
        (OperationType::Subscription, Form::Events) => Ok(sse::stream(edge, prepared, viewer, closing)?),
        (OperationType::Subscription, _) => {
            let words = "Subscriptions are streams: ask for text/event-stream, or use /graphql/ws.";
            Err(Fault::of(Problem::BadRequest, words).into())
        }
        (_, Form::Events) => {
            let viewer = viewer.recorded(!edge.settings.production);
            Ok(sse::once(edge.executor.execute(prepared, viewer, until).await))
        }
        (kind, form) => {
            let viewer = viewer.recorded(!edge.settings.production);
            let mut answer = write(form, run(edge, kind, prepared, viewer, until).await);
            if let Ok(language) = edge.settings.market.language.parse() {
                answer.headers_mut().insert(CONTENT_LANGUAGE, language);
            }
            Ok(answer)
        }
    }
}

/// A request that may be one of GraphQL, and who sent it.
async fn admit(
    edge: &Edge,
    parts: &http::request::Parts,
    body: Body,
    client: String,
) -> Result<(Payload, Viewer), Refused> {
    if !is_json(&parts.headers) {
        return Err(plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "GraphQL is asked in application/json.").into());
    }
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    csrf::check(&parts.headers, authority, &edge.settings.allowed_origins)?;
    let payload = read(body).await?;
    let viewer = viewer::of(&parts.headers, client, &edge.verifier, edge.settings.production).await?;
    Ok((payload, viewer))
}

/// A mutation that began is not torn by a client that leaves.
async fn run(
    edge: &Arc<Edge>,
    kind: OperationType,
    prepared: execute::Prepared,
    viewer: Viewer,
    until: Instant,
) -> async_graphql::Response {
    if kind != OperationType::Mutation {
        return edge.executor.execute(prepared, viewer, until).await;
    }
    let executor = edge.executor.clone();
    let task = async move { executor.execute(prepared, viewer, until).await };
    let joined = tokio::spawn(task.in_current_span()).await;
    joined
        .unwrap_or_else(|_| async_graphql::Response::from_errors(vec![Fault::internal().into_server_error()]))
}

async fn read(body: Body) -> Result<Payload, Refused> {
    let collected = Limited::new(body, BODY_BYTES_MAX).collect().await;
    let bytes = collected.map_err(|error| match error.is::<http_body_util::LengthLimitError>() {
        true => plain(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large."),
        false => plain(StatusCode::BAD_REQUEST, "The request broke off."),
    })?;
    let payload = serde_json::from_slice(&bytes.to_bytes());
    payload.map_err(|_| {
        Fault::of(Problem::BadRequest, "The body is not a JSON object with a query: one operation, no batch.")
            .into()
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    text.is_some_and(|text| {
        let kind = text.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case(JSON)
    })
}

/// How the client wants its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// With a status that says how it went.
    Graphql,
    /// Status 200 whatever GraphQL says: what clients did before there was a type of its own.
    Json,
    Events,
}

impl Form {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let Some(value) = headers.get(ACCEPT) else {
            return Some(Self::Json);
        };
        let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
        let mut kinds = text.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
        kinds.find_map(|kind| match kind {
            GRAPHQL_JSON => Some(Self::Graphql),
            EVENT_STREAM => Some(Self::Events),
            JSON | "application/*" | "*/*" => Some(Self::Json),
            _ => None,
        })
    }

    fn content_type(self) -> &'static str {
        match self {
            Form::Graphql => "application/graphql-response+json; charset=utf-8",
            Form::Json | Form::Events => "application/json; charset=utf-8",
        }
    }
}

/// An answer of GraphQL over HTTP.
fn write(form: Form, response: async_graphql::Response) -> Response<Body> {
    let failed = response.data == async_graphql::Value::Null && !response.errors.is_empty();
    let status = match (form, failed) {
        (Form::Graphql, true) => {
            let problem = response.errors.first().and_then(|error| error.source::<Problem>());
            problem.map_or(StatusCode::BAD_REQUEST, |problem| problem.status())
        }
        _ => StatusCode::OK,
    };
    let mut answer = json(status, form, &response);
    answer.headers_mut().extend(response.http_headers);
    answer
}

/// A request that never executed. What another site may have caused, and what is too much, is refused as such in any form.
fn refusal(form: Form, fault: Fault) -> Response<Body> {
    let status = match (form, fault.problem) {
        (_, Problem::Csrf | Problem::RateLimited | Problem::Timeout) | (Form::Graphql | Form::Events, _) => {
            fault.problem.status()
        }
        (Form::Json, _) => StatusCode::OK,
    };
    let retry_after = fault.retry_after();
    let errors = vec![fault.into_server_error()];
    let body = serde_json::json!({ "errors": errors });
    let mut answer = json(status, form, &body);
    if let Some(delay) = retry_after {
        let seconds = HeaderValue::from(delay.as_secs().saturating_add(1));
        answer.headers_mut().insert(RETRY_AFTER, seconds);
    }
    answer
}

fn json(status: StatusCode, form: Form, body: &impl serde::Serialize) -> Response<Body> {
    let Ok(bytes) = serde_json::to_vec(body) else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "The answer cannot be written.");
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
    response
}

/// An answer in words.
pub(crate) fn plain(status: StatusCode, words: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(words));
    *response.status_mut() = status;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}
