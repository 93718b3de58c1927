//! The edge of this process, and the port for tools that development has beside it.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use gateway::{Market, Persona, Playground};
use mesh::Served;
use mesh::serve::{Grpc, Health, Limits, Peers, STREAMS_MAX};
use mesh::tokens::Verifier;
use observability::GraphqlMetrics;
use scratch::Scratch;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::commands::Failure;
use crate::config::Edge;
use crate::demo::{self, STAFF};

/// The development port: tools of one machine.
const GRPC_LIMITS: Limits = Limits {
    connections_max: 256,
    connections_per_address_max: 256,
    streams_max: STREAMS_MAX,
    headers_length_max: 16 * 1024,
    header_time_max: Duration::from_secs(10),
    unread_time_max: Duration::from_secs(10),
    age_max: None,
    age_grace_max: Duration::ZERO,
    drain_time_max: Duration::from_secs(10),
};

/// Development trusts whoever reaches it, so nobody else must.
pub fn safe(edge: &Edge) -> Result<(), Failure> {
    if edge.production || edge.address.ip().is_loopback() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} is not on loopback, and anybody may become staff in development; use --production, or --edge 127.0.0.1:{}",
        edge.address,
        edge.address.port()
    )))
}

/// The edge, ready to be served, with what development shows beside it, and what its replicas share. A task of its own
/// sends the views that it notes.
pub fn router(
    edge: &Edge,
    upstreams: gateway::Upstreams,
    verifier: Verifier,
    beside: Router,
    shared: Option<Scratch>,
    (tasks, shutdown): (&TaskTracker, &CancellationToken),
) -> Result<Router, Failure> {
    let (views, sender) = gateway::Views::new();
    tasks.spawn(sender.run(upstreams.analytics.clone(), shutdown.clone().cancelled_owned()));
    let settings = settings(edge, shared)?;
    let router = gateway::router(upstreams, settings, verifier, GraphqlMetrics::new(), views).merge(beside);
    Ok(match edge.production {
        true => router,
        false => router.layer(from_fn(only_from_here)),
    })
}

/// Serves the edge until the process is told to stop.
pub fn serve(
    listener: TcpListener,
    edge: &Edge,
    router: Router,
    shutdown: &CancellationToken,
) -> impl Future<Output = ()> + Send + use<> {
    let (proxies, shutdown) = (edge.trusted_proxies.clone(), shutdown.clone());
    async move { gateway::serve(listener, router, &proxies, shutdown.cancelled()).await }
}

/// A page from elsewhere can make its own name lead here, but not say ours.
async fn only_from_here(request: Request, next: Next) -> Response {
    // HTTP/2 has no such header: it asks for the host in the address.
    let header = request.headers().get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let name = request.uri().authority().or(header.as_ref()).map_or("", Authority::host);
    match ["localhost", "127.0.0.1", "[::1]"].contains(&name) {
        true => next.run(request).await,
        false => (StatusCode::MISDIRECTED_REQUEST, "This shop is under development: call it localhost.")
            .into_response(),
    }
}

/// The port for tools: all services with reflection, as the caller that `--grpc-as` names.
pub fn grpc(
    listener: TcpListener,
    edge: &Edge,
    services: Vec<Served>,
    health: Health,
    shutdown: &CancellationToken,
) -> Result<impl Future<Output = ()> + Send + use<>, Failure> {
    let mut known = proto::rules::METHODS.iter().flat_map(|method| method.callers.iter().copied());
    let caller = known.find(|name| *name == edge.grpc_as).ok_or_else(|| {
        Failure::new(format!("--grpc-as {}: no method of the contract names such a caller", edge.grpc_as))
    })?;
    let grpc = Grpc {
        services,
        peers: Peers::Anyone(caller),
        health,
        reflection: Some(proto::FILE_DESCRIPTOR_SET),
        limits: GRPC_LIMITS,
    };
    let stop = shutdown.clone().cancelled_owned();
    Ok(async move {
        if let Err(error) = mesh::serve::grpc(listener, grpc, stop).await {
            tracing::error!("the gRPC port stopped: {}", mesh::status::chain(&error));
        }
    })
}

fn settings(edge: &Edge, shared: Option<Scratch>) -> Result<gateway::Settings, Failure> {
    let persona = |persona: &demo::Persona| Persona {
        name: persona.name.to_owned(),
        email: persona.email.to_owned(),
        password: persona.password.to_owned(),
    };
    let playground =
        Playground { shopper: persona(&demo::SHOPPER), staff: persona(&STAFF), tabs: demo::tabs()? };
    Ok(gateway::Settings {
        production: edge.production,
        allowed_origins: edge.origins.clone(),
        trusted_proxies: edge.trusted_proxies.clone(),
        market: Market { country: "GB".to_owned(), currency: "GBP".to_owned(), language: "en".to_owned() },
        documents: edge.documents.as_deref().map(<[_]>::to_vec),
        playground: (!edge.production && !edge.empty).then_some(playground),
        shared,
    })
}
