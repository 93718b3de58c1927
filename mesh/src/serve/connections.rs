//! Accepting connections within limits, and letting go of them in order.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Extensions, Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulConnection;
use hyper_util::service::TowerToHyperService;
use observability::chain;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{Service, ServiceExt};

use crate::certificates::Certificates;
use crate::serve::peers::{Certified, known};

/// What is spoken on a connection.
pub enum Protocol {
    /// HTTP/2 from the first byte. Where there are certificates, both ends show theirs, and the service sees whose the other
    /// is as an extension.
    Grpc(Option<Certificates>),
    /// HTTP/1.1 or HTTP/2, with upgrades to WebSocket.
    Http,
}

/// What one listener allows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections in all; the next one waits until one ends.
    pub connections_max: usize,
    /// Connections from one address; one more is closed at once.
    pub connections_per_address_max: usize,
    /// Streams at once on one HTTP/2 connection; hyper's own default would be lifted by nobody else.
    pub streams_max: u32,
    /// The length of all headers of a request together, in bytes.
    pub headers_length_max: u32,
    /// How long a client may take to send the headers of a request over HTTP/1.1.
    pub header_time_max: Duration,
    /// How long a client may take nothing of what it is sent; then its connection ends, an upgraded one too. Over HTTP/2
    /// that is the connection: a stream whose window its client keeps shut waits, one of `streams_max`.
    pub unread_time_max: Duration,
    /// After this a connection is asked to end, so that clients spread over new replicas; never when not given.
    pub age_max: Option<Duration>,
    /// How long the calls of such a connection may take to end; a stream may have no end of its own.
    pub age_grace_max: Duration,
    /// How long calls under way may take to end once the process is told to stop.
    pub drain_time_max: Duration,
}

/// Streams at once on one HTTP/2 connection, of browsers and of services.
pub const STREAMS_MAX: u32 = 100;
/// What is under way when a process is told to stop has this long, all in all.
pub const DRAIN_TIME_MAX: Duration = Duration::from_secs(20);
/// Streams that clients reset before they were accepted. A page that is left resets a few; a flood is an attack.
const RESET_STREAMS_MAX: usize = 200;
/// Between two signs of life on an HTTP/2 connection, and how long the other end may owe one; at both ends.
pub(crate) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
pub(crate) const KEEPALIVE_TIME_MAX: Duration = Duration::from_secs(10);
/// When the process has no file descriptor left, trying again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The place of a connection among all and among those of its address, free again when the last of its clones is dropped.
/// Each request is told of it: whoever upgrades a connection keeps it as long as what was made of it.
#[derive(Clone)]
pub struct Held(
    #[expect(dead_code, reason = "it is held, not read")] Arc<(Visit, Option<OwnedSemaphorePermit>)>,
);

/// Serves connections until `shutdown`, then lets the calls under way end within the limit. The service sees the
/// address of its client as an extension of the request (`std::net::SocketAddr`).
pub async fn connections<S, B>(
    listener: TcpListener,
    protocol: Protocol,
    limits: Limits,
    service: S,
    shutdown: impl Future<Output = ()>,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<kit::BoxError>> + Send + 'static,
{
    let mut shutdown = pin!(shutdown);
    let builder = Arc::new(builder(&protocol, limits));
    let (certificates, silence_max) = match protocol {
        // A client may well connect before it has something to say.
        Protocol::Grpc(certificates) => (certificates, Duration::MAX),
        Protocol::Http => (None, limits.header_time_max),
    };
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let addresses = Addresses::default();
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    loop {
        let accepted = async {
            let place = places.clone().acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accepted => accepted,
        };
        let Ok((stream, address)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Some(visit) = addresses.enter(address.ip(), limits.connections_per_address_max) else {
            continue;
        };
        let (builder, certificates, stop) = (builder.clone(), certificates.clone(), stop.clone());
        let (service, spoken) = (service.clone(), CancellationToken::new());
        let speaks = spoken.clone();
        let mut told = told(address, Held(Arc::new((visit, place))));
        tasks.spawn(async move {
            // Who cannot show who it is gets no word.
            let Some(stream) = enter(stream, certificates.as_ref(), &mut told).await else {
                return;
            };
            let service = service.map_request(move |mut request: Request<Incoming>| {
                speaks.cancel();
                request.extensions_mut().extend(told.clone());
                request
            });
            let stream = read_in_time(stream, limits.unread_time_max);
            let connection = builder
                .serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service));
            tokio::select! {
                () = attend(connection, limits, stop) => {}
                () = silence(silence_max, spoken) => {}
            }
        });
    }
    drop(listener);

    stop.cancel();
    tasks.close();
    if tokio::time::timeout(limits.drain_time_max, tasks.wait()).await.is_err() {
        tracing::warn!({ observability::names::COUNT } = tasks.len(), "connections did not end in time");
    }
}

/// What each request hears of its connection.
fn told(address: SocketAddr, held: Held) -> Extensions {
    let mut told = Extensions::new();
    told.insert(address);
    told.insert(held);
    told
}

/// The connection itself, or what is inside it once both ends have shown their certificates.
async fn enter(
    stream: TcpStream,
    certificates: Option<&Certificates>,
    told: &mut Extensions,
) -> Option<Either<TcpStream, TlsStream<TcpStream>>> {
    // Small answers should not wait for more; without the option they merely come later.
    drop(stream.set_nodelay(true));
    let Some(certificates) = certificates else {
        return Some(Either::Left(stream));
    };
    match certificates.accept(stream).await {
        Ok(stream) => {
            told.insert(Certified(known(&certificates.name_of(&stream).unwrap_or_default())));
            Some(Either::Right(stream))
        }
        Err(error) => {
            let error = chain(&error);
            tracing::warn!(
                { observability::names::ERROR } = error.as_str(),
                "somebody was not let in, without a certificate that is believed: {error}"
            );
            None
        }
    }
}

/// The stream as one that breaks when nothing of what was written is taken.
fn read_in_time<S: AsyncRead + AsyncWrite>(stream: S, limit: Duration) -> Pin<Box<TimeoutStream<S>>> {
    let mut stream = Box::pin(TimeoutStream::new(stream));
    stream.as_mut().set_write_timeout_pinned(Some(limit));
    stream
}

/// Ends when a client has not sent its first request in time: until the protocol is known, the library waits for ever.
async fn silence(limit: Duration, spoken: CancellationToken) {
    if tokio::time::timeout(limit, spoken.cancelled()).await.is_ok() {
        std::future::pending::<()>().await;
    }
}

type Builder = auto::Builder<TokioExecutor>;

fn builder(protocol: &Protocol, limits: Limits) -> Builder {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time_max)
        .max_buf_size(usize::try_from(limits.headers_length_max).unwrap_or(usize::MAX).max(8_192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(limits.headers_length_max)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIME_MAX);
    match protocol {
        Protocol::Grpc(_) => builder.http2_only(),
        Protocol::Http => builder,
    }
}

/// Until the connection ends, or is old, or the process stops: then it takes no new calls, and ends with its last or when
/// they have had their time.
async fn attend(connection: impl GracefulConnection, limits: Limits, stop: CancellationToken) {
    let mut connection = pin!(connection);
    // A connection that may grow as old as it likes is never old.
    let old = tokio::time::sleep(limits.age_max.unwrap_or(Duration::MAX));
    let grace = tokio::select! {
        // How a connection ends is the client's affair.
        _ = connection.as_mut() => return,
        () = stop.cancelled() => limits.drain_time_max,
        () = old => limits.age_grace_max,
    };
    connection.as_mut().graceful_shutdown();
    drop(tokio::time::timeout(grace, connection).await);
}

/// How many connections each address has.
#[derive(Clone, Default)]
struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

struct Visit {
    addresses: Addresses,
    address: IpAddr,
}

impl Addresses {
    fn enter(&self, address: IpAddr, max: usize) -> Option<Visit> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Visit { addresses: self.clone(), address })
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut counts = self.addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&self.address)),
        }
    }
}
