//! Where a service is: in this process, or at an address.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Uri};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use observability::{RpcMetrics, chain};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tonic::body::Body;
use tonic::transport::Endpoint;
use tonic::{Status, TimeoutExpired, transport};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt, service_fn};

use crate::call::{Entry, Step};
use crate::certificates::Certificates;
use crate::client::{Budget, Target, stack};
use crate::deadline::exceeded;
use crate::serve::connections::{KEEPALIVE_INTERVAL, KEEPALIVE_TIME_MAX};
use crate::server::Served;
use crate::status::Problem;

/// What generated clients take: a way to one service with the client stack in front.
pub type Channel = BoxCloneSyncService<Request<Body>, http::Response<Body>, Status>;

const CONNECT_TIME_MAX: Duration = Duration::from_secs(1);
/// An error travels in headers, and a refusal may name each of a thousand lines; on a wire as in process.
const HEADERS_LENGTH_MAX: u32 = 128 * 1024;
/// A page that nobody waits for any more resets the calls of its streams; a burst of that is no attack.
const RESET_STREAMS_MAX: usize = 1_000;

/// Where a service is. Clones share its connections and the budget of second attempts.
#[derive(Clone)]
pub struct Upstream {
    place: Place,
    metrics: Arc<RpcMetrics>,
    budget: Arc<Budget>,
}

#[derive(Clone)]
enum Place {
    Local(Served),
    Remote(Connections),
}

impl Upstream {
    /// A service of this process.
    pub fn local(served: Served) -> Self {
        Self::at(Place::Local(served))
    }

    /// A service at an address, over so many connections, which are opened when they are first needed. One for each
    /// core is a good number: a connection is driven by one task. With certificates, both ends show theirs.
    pub fn remote(
        service: &'static str,
        uri: Uri,
        connections: usize,
        certificates: Option<&Certificates>,
    ) -> Self {
        let endpoint = Endpoint::from(uri)
            .connect_timeout(CONNECT_TIME_MAX)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIME_MAX)
            .keep_alive_while_idle(true)
            .http2_max_concurrent_reset_streams(RESET_STREAMS_MAX)
            .http2_max_header_list_size(HEADERS_LENGTH_MAX)
            .tcp_nodelay(true);
        let connect = || match certificates {
            Some(certificates) => endpoint.connect_with_connector_lazy(certified(service, certificates)),
            None => endpoint.connect_lazy(),
        };
        let channels = (0..connections.max(1)).map(|_| connect()).collect();
        Self::at(Place::Remote(Connections { channels, next: Arc::default() }))
    }

    /// A service that this process has no business with. Whatever calls it all the same is told that it is not available.
    pub fn nowhere() -> Self {
        Self::at(Place::Remote(Connections::default()))
    }

    /// A way to the service, speaking as `caller`.
    pub fn channel(&self, caller: &'static str) -> Channel {
        let target = Target {
            caller,
            metrics: self.metrics.clone(),
            budget: self.budget.clone(),
            wire: matches!(self.place, Place::Remote(_)),
        };
        match &self.place {
            Place::Local(served) => BoxCloneSyncService::new(stack(target, local(served.clone(), caller))),
            Place::Remote(connections) => {
                BoxCloneSyncService::new(stack(target, remote(connections.clone())))
            }
        }
    }

    /// The service as a port of this process may offer it: behind its stack, or by a way on to where its stack is.
    pub fn served(&self, service: &'static str) -> Served {
        match &self.place {
            Place::Local(served) => served.clone(),
            Place::Remote(connections) => Served::elsewhere(service, remote(connections.clone())),
        }
    }

    /// Whether the process that it is in says that it can do its work. This one knows it of its own checks.
    pub async fn health(&self) -> Result<(), Status> {
        let Place::Remote(connections) = &self.place else {
            return Ok(());
        };
        let mut client = HealthClient::new(remote(connections.clone()));
        let answer = client.check(HealthCheckRequest::default()).await?.into_inner();
        match answer.status() {
            ServingStatus::Serving => Ok(()),
            _ => Err(Problem::not_available("the service").status()),
        }
    }

    fn at(place: Place) -> Self {
        Self { place, metrics: Arc::new(RpcMetrics::client()), budget: Arc::new(Budget::new()) }
    }
}

fn local(mut served: Served, caller: &'static str) -> impl Step<Request<Body>> {
    service_fn(move |request| served.call(caller, request))
}

fn remote(connections: Connections) -> impl Step<Request<Body>> {
    service_fn(move |request: Request<Body>| {
        let channel = connections.next();
        let entry = Entry::find(request.uri().path());
        async move {
            let Some(channel) = channel else {
                return Err(Problem::not_available("the service").status());
            };
            let answer = channel.oneshot(request).await.map_err(|error| lost(entry, &error))?;
            // What a service says stands in trailers: an error of the body itself is the connection's.
            Ok(answer.map(|body| Body::new(body.map_err(move |error| lost(entry, &error)))))
        }
    })
}

/// Connects with certificates at both ends.
fn certified(
    service: &'static str,
    certificates: &Certificates,
) -> impl Service<Uri, Response = TokioIo<TlsStream<TcpStream>>, Error = io::Error, Future: Send> + Send + use<>
{
    let certificates = certificates.clone();
    service_fn(move |uri: Uri| {
        let certificates = certificates.clone();
        async move {
            let address = (uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(80));
            let stream = timeout(CONNECT_TIME_MAX, TcpStream::connect(address)).await??;
            stream.set_nodelay(true)?;
            Ok(TokioIo::new(certificates.connect(service, stream).await?))
        }
    })
}

/// A connection that cannot be had, broke or was closed under a call is UNAVAILABLE, whatever the library calls it:
/// nobody here cancelled anything. The library also watches our `grpc-timeout` and calls its end CANCELLED; it may be a
/// moment faster than our own layer.
fn lost(entry: Option<&Entry>, error: &(dyn Error + 'static)) -> Status {
    let mut causes = std::iter::successors(error.source(), |error| (*error).source());
    if causes.any(|cause| cause.is::<TimeoutExpired>()) {
        return exceeded();
    }
    let service = entry.map_or("the service", |entry| entry.rule.service);
    let cause = chain(error);
    tracing::debug!({ observability::names::SERVICE } = service, "{service} was not reached: {cause}");
    Problem::not_available(service).with("service", service).status()
}

/// Connections to one service, used in turn.
#[derive(Clone, Default)]
struct Connections {
    channels: Arc<[transport::Channel]>,
    next: Arc<AtomicUsize>,
}

impl Connections {
    fn next(&self) -> Option<transport::Channel> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let at = turn.checked_rem(self.channels.len())?;
        self.channels.get(at).cloned()
    }
}
