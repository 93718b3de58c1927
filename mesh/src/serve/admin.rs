//! The admin port of a process: is it alive, is it ready, what does it count. For whoever runs it, never for callers.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use observability::Metrics;
use std::time::Duration;
use tokio::net::TcpListener;

use crate::serve::connections::{Limits, Protocol, connections};
use crate::serve::health::Health;

/// What the admin port shows.
pub struct Admin {
    /// The state of the services.
    pub health: Health,
    /// The metrics of the process.
    pub metrics: Metrics,
}

const LIMITS: Limits = Limits {
    connections_max: 64,
    connections_per_address_max: 64,
    streams_max: 16,
    headers_length_max: 16 * 1024,
    header_time_max: Duration::from_secs(5),
    unread_time_max: Duration::from_secs(5),
    age_max: None,
    age_grace_max: Duration::ZERO,
    drain_time_max: Duration::from_secs(1),
};
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves `/live`, `/ready` and `/metrics` until `shutdown`.
pub async fn admin(listener: TcpListener, admin: Admin, shutdown: impl Future<Output = ()>) {
    let Admin { health, metrics } = admin;
    let router: Router = Router::new()
        .route("/live", get(async || "alive\n"))
        .route("/ready", get(async move || ready(&health)))
        .route("/metrics", get(async move || page(&metrics)));
    connections(listener, Protocol::Http, LIMITS, router, shutdown).await;
}

fn ready(health: &Health) -> impl IntoResponse + use<> {
    let (missing, waited_for) = (health.missing(), health.waited_for());
    let mut words = match missing.is_empty() {
        true => "ready\n".to_owned(),
        false => format!("missing: {}\n", missing.join(", ")),
    };
    if !waited_for.is_empty() {
        words.push_str(&format!("waited for: {}\n", waited_for.join(", ")));
    }
    match missing.is_empty() {
        true => (StatusCode::OK, words),
        false => (StatusCode::SERVICE_UNAVAILABLE, words),
    }
}

fn page(metrics: &Metrics) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, PROMETHEUS_TEXT)], metrics.text())
}
