//! An edge whose services answer what a test says, and count how often they are asked.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use axum::body::Body;
use axum::extract::Request;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use gateway::{Market, Persona, Playground, Settings, Tab, Upstreams, ViewSender, Views};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use mesh::{Channel, Upstream, User, testing};
use observability::GraphqlMetrics;
use prost::Message;
use proto::analytics::analytics_service_client::AnalyticsServiceClient;
use serde_json::{Value, json};
use tonic::service::Routes;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;
use tower::{ServiceExt, service_fn};

/// What the playground asks first.
pub const INTROSPECTION: &str = include_str!("../../playground/test/introspection.graphql");

type Handler = Arc<dyn Fn(Request) -> BoxFuture<'static, Response<tonic::body::Body>> + Send + Sync>;

/// Gives every request a trace, in all tests of this binary from then on.
pub fn seeing() -> &'static observability::Guard {
    static GUARD: OnceLock<observability::Guard> = OnceLock::new();
    GUARD.get_or_init(|| {
        let settings = observability::Settings {
            service: "test".to_owned(),
            log_format: observability::LogFormat::Json,
            log_filter: "off".to_owned(),
            otlp_endpoint: None,
            calls_seen: None,
        };
        observability::init(&settings).unwrap()
    })
}

/// One service that answers what a test says. A method nobody spoke of is unimplemented.
#[derive(Clone, Default)]
pub struct Fake {
    methods: Arc<Mutex<HashMap<&'static str, Handler>>>,
    calls: Arc<Mutex<Vec<String>>>,
    down: Arc<Mutex<Option<Code>>>,
    bug: Arc<AtomicBool>,
}

impl Fake {
    pub fn on<Q, A>(
        &self,
        method: &'static str,
        answer: impl Fn(Q) -> Result<A, Status> + Clone + Send + Sync + 'static,
    ) where
        Q: Message + Default + 'static,
        A: Message + 'static,
    {
        let handler = move |request: Request| -> BoxFuture<'static, Response<tonic::body::Body>> {
            let answer = answer.clone();
            Box::pin(async move {
                let service = service_fn(move |request: tonic::Request<Q>| {
                    let answer = answer(request.into_inner()).map(tonic::Response::new);
                    std::future::ready(answer)
                });
                let mut grpc = tonic::server::Grpc::new(ProstCodec::<A, Q>::default());
                grpc.unary(service, request).await
            })
        };
        self.methods.lock().unwrap().insert(method, Arc::new(handler));
    }

    pub fn on_stream<Q, A>(
        &self,
        method: &'static str,
        answer: impl Fn(Q) -> BoxStream<'static, Result<A, Status>> + Clone + Send + Sync + 'static,
    ) where
        Q: Message + Default + 'static,
        A: Message + 'static,
    {
        let handler = move |request: Request| -> BoxFuture<'static, Response<tonic::body::Body>> {
            let answer = answer.clone();
            Box::pin(async move {
                let service = service_fn(move |request: tonic::Request<Q>| {
                    let stream = tonic::Response::new(answer(request.into_inner()));
                    std::future::ready(Ok::<_, Status>(stream))
                });
                let mut grpc = tonic::server::Grpc::new(ProstCodec::<A, Q>::default());
                grpc.server_streaming(service, request).await
            })
        };
        self.methods.lock().unwrap().insert(method, Arc::new(handler));
    }

    /// Every further call of a method fails.
    pub fn fails(&self, method: &'static str, code: Code) {
        let fail = move |_: ()| Err::<(), _>(Status::new(code, "internal words of the service"));
        self.on(method, fail);
    }

    /// Every further call of whatever method fails.
    pub fn goes_down(&self, code: Code) {
        *self.down.lock().unwrap() = Some(code);
    }

    /// Whoever calls from now on panics: a bug of the edge's own.
    pub fn bug(&self) {
        self.bug.store(true, Ordering::SeqCst);
    }

    fn channel(&self, name: &'static str, server: &mesh::Server) -> Channel {
        let channel = Upstream::local(server.stack(name, self.routes())).channel(gateway::NAME);
        let bug = self.bug.clone();
        Channel::new(channel.map_request(move |request: http::Request<tonic::body::Body>| {
            assert!(!bug.load(Ordering::SeqCst), "words of a bug");
            request
        }))
    }

    fn routes(&self) -> Routes {
        let fake = self.clone();
        let answer = move |request: Request| {
            let path = request.uri().path().to_owned();
            let method = path.rsplit('/').next().unwrap_or_default().to_owned();
            fake.calls.lock().unwrap().push(method.clone());
            let handler = fake.methods.lock().unwrap().get(method.as_str()).cloned();
            let down = *fake.down.lock().unwrap();
            async move {
                match (down, handler) {
                    (Some(code), _) => Status::new(code, "internal words of the service").into_http(),
                    (None, Some(handler)) => handler(request).await,
                    (None, None) => Status::unimplemented("nobody spoke of it").into_http(),
                }
            }
        };
        Routes::from(axum::Router::new().fallback(answer))
    }
}

/// What sends views, and to whom.
type Sending = (ViewSender, AnalyticsServiceClient<Channel>);

#[derive(Clone)]
pub struct Shop {
    pub identity: Fake,
    pub catalogue: Fake,
    pub inventory: Fake,
    pub pricing: Fake,
    pub payments: Fake,
    pub cart: Fake,
    pub orders: Fake,
    pub reviews: Fake,
    pub analytics: Fake,
    pub notifications: Fake,
    pub recommendations: Fake,
    pub search: Fake,
    pub router: axum::Router,
    sending: Arc<Mutex<Option<Sending>>>,
}

pub fn settings() -> Settings {
    let persona = |name: &str| Persona {
        name: name.to_owned(),
        email: format!("{name}@shop.example"),
        password: "a good password".to_owned(),
    };
    Settings {
        production: false,
        allowed_origins: vec!["https://shop.example".to_owned()],
        trusted_proxies: Vec::new(),
        market: Market { country: "GB".to_owned(), currency: "GBP".to_owned(), language: "en".to_owned() },
        documents: None,
        playground: Some(Playground {
            shopper: persona("Ada"),
            staff: persona("Sam"),
            tabs: vec![Tab {
                title: "Browse".to_owned(),
                hint: None,
                persona: Some("staff".to_owned()),
                query: "{ products { nodes { title } } }".to_owned(),
                variables: json!({}),
                remember: serde_json::Map::new(),
            }],
        }),
        shared: None,
    }
}

pub fn shop() -> Shop {
    shop_with(settings())
}

pub fn shop_with(settings: Settings) -> Shop {
    let server = testing::server();
    let mut fakes: HashMap<&str, Fake> = HashMap::new();
    let upstreams = Upstreams::new(|name| fakes.entry(name).or_default().channel(name, &server));
    let (views, sender) = Views::new();
    let sending = Arc::new(Mutex::new(Some((sender, upstreams.analytics.clone()))));
    let router = gateway::router(upstreams, settings, testing::verifier(), GraphqlMetrics::new(), views);
    let mut fake = |name| fakes.remove(name).unwrap_or_default();
    Shop {
        identity: fake("identity"),
        catalogue: fake("catalogue"),
        inventory: fake("inventory"),
        pricing: fake("pricing"),
        payments: fake("payments"),
        cart: fake("cart"),
        orders: fake("orders"),
        reviews: fake("reviews"),
        analytics: fake("analytics"),
        notifications: fake("notifications"),
        recommendations: fake("recommendations"),
        search: fake("search"),
        router,
        sending,
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Answer {
    pub fn data(&self) -> &Value {
        assert!(self.json["errors"].is_null(), "{}", self.text);
        &self.json["data"]
    }

    pub fn code(&self) -> &str {
        self.json["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{}", self.text))
    }

    pub fn cookies(&self) -> Vec<String> {
        let cookies = self.headers.get_all("set-cookie").iter();
        cookies.map(|value| value.to_str().unwrap().to_owned()).collect()
    }
}

/// A request in the making.
pub struct Ask {
    builder: http::request::Builder,
    body: String,
    shop: Shop,
}

impl Shop {
    /// A GraphQL request of a client that behaves.
    pub fn ask(&self, query: &str, variables: Value) -> Ask {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let ask = self.raw("POST", "/graphql", body);
        ask.header("content-type", "application/json").header("x-shop-client", "test")
    }

    pub fn raw(&self, method: &str, path: &str, body: impl Into<String>) -> Ask {
        Ask {
            builder: http::Request::builder().method(method).uri(path).header("host", "shop.test"),
            body: body.into(),
            shop: self.clone(),
        }
    }

    /// What sends the views of this shop; it does not run by itself.
    pub fn views(&self) -> Sending {
        self.sending.lock().unwrap().take().unwrap()
    }

    /// How often each method was asked since the last time, in alphabetical order.
    pub fn calls(&self) -> Vec<(String, usize)> {
        let fakes = [
            &self.identity,
            &self.catalogue,
            &self.inventory,
            &self.pricing,
            &self.payments,
            &self.cart,
            &self.orders,
            &self.reviews,
            &self.analytics,
            &self.notifications,
            &self.recommendations,
            &self.search,
        ];
        let mut counts = std::collections::BTreeMap::new();
        for fake in fakes {
            for method in fake.calls.lock().unwrap().drain(..) {
                *counts.entry(method).or_insert(0) += 1;
            }
        }
        counts.into_iter().collect()
    }
}

impl Ask {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// Over a connection from there.
    pub fn from(mut self, peer: std::net::SocketAddr) -> Self {
        self.builder = self.builder.extension(peer);
        self
    }

    pub fn path(mut self, path: &str) -> Self {
        self.builder = self.builder.uri(path);
        self
    }

    pub fn by(self, user: &User) -> Self {
        let token = testing::token(user).unwrap();
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// As a page of the shop's own in a browser that carries this.
    pub fn with_cookie(self, cookie: &str) -> Self {
        self.header("cookie", cookie).header("origin", "https://shop.example")
    }

    pub fn modern(self) -> Self {
        self.header("accept", "application/graphql-response+json")
    }

    pub async fn answer(self) -> Answer {
        let request = self.builder.body(Body::from(self.body)).unwrap();
        let response = self.shop.router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer {
            status: parts.status,
            headers: parts.headers,
            json: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }
}

pub fn uuid(number: usize) -> String {
    format!("01934c2e-7b6a-7c3e-9a51-{number:012}")
}

pub fn money(minor_units: i64) -> Option<proto::common::Money> {
    Some(proto::common::Money { currency_code: "GBP".to_owned(), minor_units })
}

/// A refusal as a service writes it.
pub fn refused(code: Code, service: &'static str, reason: &'static str) -> Status {
    mesh::status::Problem::new(code, service, reason, format!("{reason} in words")).status()
}
