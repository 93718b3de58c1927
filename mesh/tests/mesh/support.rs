//! A small inventory that does what its tests say, behind the real stacks.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures::Stream;
use mesh::context::{self, Context};
use mesh::serve::{Check, Grpc, Health, Limits, Peers, grpc};
use mesh::status::Problem;
use mesh::testing::{self, TestServer};
use mesh::{Caller, Certificates, Channel, Upstream, User};
use observability::{Guard, LogFormat, Settings};
use proto::inventory as pb;
use proto::inventory::inventory_service_client::InventoryServiceClient;
use proto::inventory::inventory_service_server::{InventoryService, InventoryServiceServer};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};

pub use mesh::testing::reason;

pub type Client = InventoryServiceClient<Channel>;

pub const LIMITS: Limits = Limits {
    connections_max: 100,
    connections_per_address_max: 50,
    streams_max: 100,
    headers_length_max: 16 * 1024,
    header_time_max: Duration::from_secs(5),
    unread_time_max: Duration::from_secs(5),
    age_max: None,
    age_grace_max: Duration::from_secs(5),
    drain_time_max: Duration::from_secs(5),
};

/// What the fake has seen and done.
#[derive(Default)]
pub struct State {
    pub began: AtomicUsize,
    pub ended: AtomicUsize,
    /// So many calls are answered UNAVAILABLE before the next one succeeds.
    pub unavailable: AtomicUsize,
    pub seen: Mutex<Vec<Seen>>,
}

#[derive(Clone, Debug)]
pub struct Seen {
    pub at: tokio::time::Instant,
    pub caller: Caller,
    pub context: Context,
    pub trace: Option<String>,
}

impl State {
    pub fn began(&self) -> usize {
        self.began.load(Ordering::SeqCst)
    }

    pub fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }

    pub fn last(&self) -> Seen {
        self.seen.lock().unwrap().last().unwrap().clone()
    }

    /// Does what a word says: the SKU of a request is its stage direction.
    async fn act<T>(&self, request: &Request<T>, word: &str) -> Result<(), Status> {
        self.began.fetch_add(1, Ordering::SeqCst);
        self.seen.lock().unwrap().push(Seen {
            at: tokio::time::Instant::now(),
            caller: Caller::of(request),
            context: context::current(),
            trace: observability::propagation::trace_id(),
        });
        let times = self.unavailable.load(Ordering::SeqCst);
        if times > 0 {
            self.unavailable.store(times - 1, Ordering::SeqCst);
            return Err(Status::unavailable("the store is away"));
        }
        match word.split_once(':').unwrap_or((word, "")) {
            ("sleep", millis) => tokio::time::sleep(Duration::from_millis(millis.parse().unwrap())).await,
            ("panic", _) => panic!("on purpose, with a secret in it"),
            ("foreign", code) => {
                let code = Code::from(code.parse::<i32>().unwrap());
                return Err(Status::new(code, "secret: /var/lib/shop/inventory.db"));
            }
            ("refuse", sku) => {
                let reason = pb::Reason::InsufficientStock.as_str_name();
                return Err(Problem::new(Code::FailedPrecondition, "inventory", reason, "too few")
                    .with("sku", sku)
                    .status());
            }
            _ => {}
        }
        self.ended.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[derive(Clone)]
pub struct Inventory(pub Arc<State>);

fn first(skus: &[String]) -> String {
    skus.first().cloned().unwrap_or_default()
}

#[tonic::async_trait]
impl InventoryService for Inventory {
    async fn batch_get_stock(
        &self,
        request: Request<pb::BatchGetStockRequest>,
    ) -> Result<Response<pb::BatchGetStockResponse>, Status> {
        let word = first(&request.get_ref().skus);
        self.0.act(&request, &word).await?;
        let missing = match word.strip_prefix("length:") {
            Some(length) => vec!["x".repeat(length.parse().unwrap())],
            None => request.into_inner().skus,
        };
        Ok(Response::new(pb::BatchGetStockResponse { stock: vec![], missing }))
    }

    async fn adjust_stock(
        &self,
        request: Request<pb::AdjustStockRequest>,
    ) -> Result<Response<pb::AdjustStockResponse>, Status> {
        let word = request.get_ref().reason.clone();
        self.0.act(&request, &word).await?;
        Ok(Response::new(Default::default()))
    }

    async fn reserve_stock(
        &self,
        request: Request<pb::ReserveStockRequest>,
    ) -> Result<Response<pb::ReserveStockResponse>, Status> {
        let word = request.get_ref().reservation_id.clone();
        self.0.act(&request, &word).await?;
        Ok(Response::new(Default::default()))
    }

    type WatchStockStream = Pin<Box<dyn Stream<Item = Result<pb::WatchStockResponse, Status>> + Send>>;

    async fn watch_stock(
        &self,
        request: Request<pb::WatchStockRequest>,
    ) -> Result<Response<Self::WatchStockStream>, Status> {
        let word = first(&request.get_ref().skus);
        let state = self.0.clone();
        state.began.fetch_add(1, Ordering::SeqCst);
        let stream = futures::stream::unfold(1_i64, move |version| {
            let (word, state) = (word.clone(), state.clone());
            async move {
                let answer = match word.as_str() {
                    "panic" if version == 3 => panic!("on purpose"),
                    "foreign" if version == 3 => Err(Status::internal("secret: /var/lib")),
                    "end" if version == 3 => return None,
                    _ => {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        state.seen.lock().unwrap().push(Seen {
                            at: tokio::time::Instant::now(),
                            caller: Caller { workload: "".into(), user: None },
                            context: context::current(),
                            trace: observability::propagation::trace_id(),
                        });
                        let stock = pb::Stock { version, ..Default::default() };
                        Ok(pb::WatchStockResponse { stock: Some(stock) })
                    }
                };
                Some((answer, version + 1))
            }
        });
        Ok(Response::new(Box::pin(stream)))
    }

    async fn list_stock(
        &self,
        request: Request<pb::ListStockRequest>,
    ) -> Result<Response<pb::ListStockResponse>, Status> {
        self.0.act(&request, "").await?;
        Ok(Response::new(Default::default()))
    }

    async fn list_locations(
        &self,
        _: Request<pb::ListLocationsRequest>,
    ) -> Result<Response<pb::ListLocationsResponse>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn list_movements(
        &self,
        _: Request<pb::ListMovementsRequest>,
    ) -> Result<Response<pb::ListMovementsResponse>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn confirm_reservation(
        &self,
        request: Request<pb::ConfirmReservationRequest>,
    ) -> Result<Response<pb::ConfirmReservationResponse>, Status> {
        let word = request.get_ref().reservation_id.clone();
        self.0.act(&request, &word).await?;
        Ok(Response::new(Default::default()))
    }

    async fn release_reservation(
        &self,
        _: Request<pb::ReleaseReservationRequest>,
    ) -> Result<Response<pb::ReleaseReservationResponse>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn return_stock(
        &self,
        _: Request<pb::ReturnStockRequest>,
    ) -> Result<Response<pb::ReturnStockResponse>, Status> {
        Ok(Response::new(Default::default()))
    }
}

/// The fake behind the server stack, in this process.
pub struct Shop {
    pub state: Arc<State>,
    pub server: TestServer,
}

impl Shop {
    pub fn start() -> Self {
        watched();
        let state = Arc::new(State::default());
        let server = testing::serve("inventory", routes(&state));
        Self { state, server }
    }

    pub fn client(&self, workload: &'static str, user: Option<User>) -> Client {
        Client::new(self.server.channel_as(workload, user))
    }

    /// The same service on a socket whose callers are taken for `workload`.
    pub async fn wire(&self, workload: &'static str) -> Wire {
        self.wire_to(Peers::Anyone(workload), None).await
    }

    /// The same service on a socket, and how one is told who calls; `own` is what the client shows.
    pub async fn wire_to(&self, peers: Peers, own: Option<&Certificates>) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = self.server.served();
        let check = Check::new("inventory", served.names(), || async { Ok(()) });
        let health = Health::start(vec![check]).await;
        let (stop, stopped) = oneshot::channel::<()>();
        let settings = Grpc {
            services: vec![served],
            peers,
            health: health.clone(),
            reflection: Some(proto::FILE_DESCRIPTOR_SET),
            limits: LIMITS,
        };
        let serving = tokio::spawn(grpc(listener, settings, async {
            drop(stopped.await);
        }));
        let uri: http::Uri = format!("http://{address}").parse().unwrap();
        let upstream = Upstream::remote("inventory", uri.clone(), 2, own);
        Wire { uri, upstream, health, stop, serving }
    }
}

pub struct Wire {
    pub uri: http::Uri,
    pub upstream: Upstream,
    pub health: Health,
    pub stop: oneshot::Sender<()>,
    pub serving: tokio::task::JoinHandle<Result<(), mesh::serve::GrpcError>>,
}

impl Wire {
    pub fn client(&self, caller: &'static str) -> Client {
        Client::new(self.upstream.channel(caller))
    }
}

pub fn routes(state: &Arc<State>) -> Routes {
    Routes::new(InventoryServiceServer::new(Inventory(state.clone())))
}

pub fn skus(word: &str) -> pb::BatchGetStockRequest {
    pb::BatchGetStockRequest { skus: vec![word.to_owned()] }
}

pub fn reservation(word: &str) -> pb::ReserveStockRequest {
    pb::ReserveStockRequest { reservation_id: word.to_owned(), ..Default::default() }
}

pub fn watching(word: &str) -> pb::WatchStockRequest {
    pb::WatchStockRequest { skus: vec![word.to_owned()] }
}

/// What a context says of somebody who is signed in.
pub fn signed_in(user: &User) -> Context {
    Context { token: Some(testing::token(user).unwrap().into()), ..Context::default() }
}

/// Until something that happens by itself has happened.
pub async fn eventually(what: impl Fn() -> bool) {
    for _ in 0..500 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not happen within five seconds");
}

/// Switches metrics and trace ids on, once for all tests of this binary.
pub fn watched() -> &'static Guard {
    static GUARD: OnceLock<Guard> = OnceLock::new();
    GUARD.get_or_init(|| {
        let guard = observability::init(&Settings {
            service: "test".to_owned(),
            log_format: LogFormat::Json,
            log_filter: "off".to_owned(),
            otlp_endpoint: None,
            calls_seen: None,
        })
        .unwrap();
        // A test that fails should say why.
        drop(std::panic::take_hook());
        guard
    })
}
