//! Services on a socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hyper_util::rt::TokioIo;
use mesh::serve::{Admin, Check, Health, Held, Limits, Peers, Protocol, admin, connections};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::{v1, v1alpha};

use crate::support::{LIMITS, Shop, Wire, reservation, skus, watched, watching};

const NAME: &str = "shop.inventory.v1.InventoryService";

async fn transport(wire: &Wire) -> tonic::transport::Channel {
    tonic::transport::Endpoint::from(wire.uri.clone()).connect().await.unwrap()
}

async fn health_of(wire: &Wire, service: &str) -> Result<ServingStatus, tonic::Status> {
    let mut client = HealthClient::new(transport(wire).await);
    let request = HealthCheckRequest { service: service.to_owned() };
    Ok(client.check(request).await?.into_inner().status())
}

#[tokio::test]
async fn health_is_told_for_the_process_and_for_each_service() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;

    assert_eq!(health_of(&wire, "").await.unwrap(), ServingStatus::Serving);
    assert_eq!(health_of(&wire, NAME).await.unwrap(), ServingStatus::Serving);
    assert_eq!(health_of(&wire, "shop.other").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn health_follows_the_store_of_each_service() {
    watched();
    let (broken, sound) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
    let check = |service, broken: &Arc<AtomicBool>| {
        let broken = broken.clone();
        Check::new(service, vec![service], move || {
            let broken = broken.load(Ordering::SeqCst);
            async move { if broken { Err("the disk is gone".into()) } else { Ok(()) } }
        })
    };

    let health = Health::start(vec![check("orders", &broken), check("cart", &sound)]).await;
    let at_first = health.missing();
    broken.store(false, Ordering::SeqCst);
    crate::support::eventually(|| health.missing().is_empty()).await;
    health.stop().await;

    assert_eq!(at_first, ["orders"]);
    assert_eq!(health.missing(), ["stopping"]);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_missing() {
    watched();
    let started = Instant::now();

    let check = Check::new("orders", vec![], std::future::pending);
    let health = Health::start(vec![check]).await;

    assert_eq!(health.missing(), ["orders"]);
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_process_that_starts_names_what_it_waits_for() {
    let health = Health::starting(["orders", "cart"]);
    health.found("cart");
    let while_starting = health.missing();
    let broker = Check::new("broker", vec![], || async { Err("not there".into()) }).optional();
    let store = Check::new("orders", vec![], || async { Ok(()) });

    health.watch(vec![store, broker]).await;

    assert_eq!(while_starting, ["orders"]);
    assert_eq!(health.missing(), Vec::<&str>::new());
    assert_eq!(health.waited_for(), ["broker"]);
}

#[tokio::test]
async fn reflection_speaks_both_versions_and_keeps_the_rules_of_methods() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;
    let ask = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::FileContainingSymbol(NAME.to_owned())),
    };
    let ask_alpha = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            v1alpha::server_reflection_request::MessageRequest::ListServices(String::new()),
        ),
    };

    let mut client = ServerReflectionClient::new(transport(&wire).await);
    let mut answers = client.server_reflection_info(futures::stream::iter([ask])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let mut alpha = v1alpha::server_reflection_client::ServerReflectionClient::new(transport(&wire).await);
    let mut listed =
        alpha.server_reflection_info(futures::stream::iter([ask_alpha])).await.unwrap().into_inner();
    let listed = listed.message().await.unwrap().unwrap().message_response.unwrap();

    let MessageResponse::FileDescriptorResponse(files) = answer else {
        panic!("{answer:?}");
    };
    // The caller that the rule of ReserveStock names stands in the options.
    assert!(files.file_descriptor_proto[0].windows(6).any(|bytes| bytes == b"orders"));
    let v1alpha::server_reflection_response::MessageResponse::ListServicesResponse(services) = listed else {
        panic!("{listed:?}");
    };
    assert!(services.service.iter().any(|service| service.name == NAME));
    assert!(services.service.iter().any(|service| service.name == "grpc.health.v1.Health"));
}

#[tokio::test]
async fn a_call_under_way_ends_before_the_process_does() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;
    let mut client = wire.client("gateway");
    let call = tokio::spawn(async move { client.batch_get_stock(skus("sleep:300")).await });
    crate::support::eventually(|| shop.state.began() == 1).await;

    wire.stop.send(()).unwrap();
    wire.serving.await.unwrap().unwrap();

    assert!(call.await.unwrap().is_ok());
    assert_eq!(wire.health.missing(), ["stopping"]);
}

#[tokio::test]
async fn draining_does_not_wait_for_ever() {
    watched();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { drain_time_max: Duration::from_millis(200), ..LIMITS };
    let never = tower::service_fn(|_| async {
        std::future::pending::<()>().await;
        Ok(http::Response::new(tonic::body::Body::empty()))
    });
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(connections(listener, Protocol::Http, limits, never, async {
        drop(stopped.await);
    }));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;

    let started = Instant::now();
    stop.send(()).unwrap();
    serving.await.unwrap();

    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_client_that_leaves_a_thousand_calls_does_not_break_the_others() {
    let shop = Shop::start();
    let wire = shop.wire("gateway").await;
    let mut client = wire.client("gateway");
    client.batch_get_stock(skus("a")).await.unwrap();

    for _ in 0..10 {
        let calls = (0..90).map(|_| {
            let mut client = client.clone();
            async move {
                tokio::time::timeout(Duration::from_millis(20), client.batch_get_stock(skus("sleep:500")))
                    .await
            }
        });
        let left = futures::future::join_all(calls).await;
        assert!(left.iter().any(Result::is_err));
        client.batch_get_stock(skus("a")).await.unwrap();
    }
}

#[tokio::test]
async fn connections_are_limited_by_address() {
    watched();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { connections_per_address_max: 2, ..LIMITS };
    let hello = tower::service_fn(|_| async { Ok(http::Response::new(tonic::body::Body::empty())) });
    tokio::spawn(connections(listener, Protocol::Http, limits, hello, std::future::pending()));
    let ask = async |stream: &mut TcpStream| {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n").await?;
        let mut answer = [0_u8; 12];
        stream.read_exact(&mut answer).await.map(|_| answer)
    };

    let mut first = TcpStream::connect(address).await.unwrap();
    assert_eq!(&ask(&mut first).await.unwrap(), b"HTTP/1.1 200");
    let mut second = TcpStream::connect(address).await.unwrap();
    assert_eq!(&ask(&mut second).await.unwrap(), b"HTTP/1.1 200");
    let mut third = TcpStream::connect(address).await.unwrap();
    assert!(ask(&mut third).await.is_err());

    drop(first);
    until(async || {
        let mut fourth = TcpStream::connect(address).await.unwrap();
        ask(&mut fourth).await.is_ok_and(|answer| &answer == b"HTTP/1.1 200")
    })
    .await;
}

/// Tries until it works, since the end of a connection is noticed in its own time.
async fn until(works: impl AsyncFn() -> bool) {
    let tried = tokio::time::timeout(Duration::from_secs(20), async {
        while !works().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    tried.await.expect("it works in the end");
}

#[tokio::test]
async fn a_connection_that_was_upgraded_keeps_its_place() {
    watched();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { connections_per_address_max: 2, ..LIMITS };
    let upgrade = tower::service_fn(|request: http::Request<hyper::body::Incoming>| async {
        tokio::spawn(async {
            let _held = request.extensions().get::<Held>().cloned().unwrap();
            let mut socket = TokioIo::new(hyper::upgrade::on(request).await.unwrap());
            tokio::io::copy(&mut socket, &mut tokio::io::sink()).await
        });
        let answer = http::Response::builder().status(101).header("connection", "upgrade");
        Ok(answer.header("upgrade", "websocket").body(tonic::body::Body::empty()).unwrap())
    });
    tokio::spawn(connections(listener, Protocol::Http, limits, upgrade, std::future::pending()));
    let open = async || {
        let mut stream = TcpStream::connect(address).await?;
        let request = "GET / HTTP/1.1\r\nhost: shop\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        stream.write_all(request.as_bytes()).await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        assert_eq!(&answer, b"HTTP/1.1 101");
        std::io::Result::Ok(stream)
    };

    let first = open().await.unwrap();
    let _second = open().await.unwrap();
    let third = open().await;
    drop(first);

    assert!(third.is_err());
    until(async || open().await.is_ok()).await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_let_go() {
    watched();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits =
        Limits { connections_per_address_max: 1, unread_time_max: Duration::from_millis(200), ..LIMITS };
    // More than all buffers between the two may hold.
    let long = bytes::Bytes::from(vec![b'a'; 64 * 1024 * 1024]);
    let tell = tower::service_fn(move |_| {
        let answer = http::Response::new(http_body_util::Full::new(long.clone()));
        std::future::ready(Ok(answer))
    });
    tokio::spawn(connections(listener, Protocol::Http, limits, tell, std::future::pending()));
    let ask = async || {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n").await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.map(|_| stream)
    };

    let _slow = ask().await.unwrap();

    until(async || ask().await.is_ok()).await;
}

#[tokio::test]
async fn beyond_all_connections_the_next_one_waits_until_one_ends() {
    watched();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { connections_max: 2, ..LIMITS };
    let hello = tower::service_fn(|_| async { Ok(http::Response::new(tonic::body::Body::empty())) });
    tokio::spawn(connections(listener, Protocol::Http, limits, hello, std::future::pending()));
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n").await.unwrap();
        streams.push(stream);
    }
    let answer = async |stream: &mut TcpStream| stream.read_exact(&mut [0; 12]).await;

    let mut third = streams.pop().unwrap();
    for stream in &mut streams {
        answer(stream).await.unwrap();
    }
    let early = tokio::time::timeout(Duration::from_millis(100), answer(&mut third)).await;
    streams.pop();

    assert!(early.is_err(), "it was answered beside the others");
    answer(&mut third).await.unwrap();
}

#[tokio::test]
async fn a_client_that_never_ends_its_headers_is_let_go() {
    watched();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { header_time_max: Duration::from_millis(200), ..LIMITS };
    let hello = tower::service_fn(|_| async { Ok(http::Response::new(tonic::body::Body::empty())) });
    tokio::spawn(connections(listener, Protocol::Http, limits, hello, std::future::pending()));

    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    let mut rest = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(3), client.read_to_end(&mut rest)).await;

    assert!(read.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn a_client_that_speaks_http2_and_asks_nothing_is_let_go() {
    watched();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { header_time_max: Duration::from_millis(200), ..LIMITS };
    let hello = tower::service_fn(|_| async { Ok(http::Response::new(tonic::body::Body::empty())) });
    tokio::spawn(connections(listener, Protocol::Http, limits, hello, std::future::pending()));

    let mut client = TcpStream::connect(address).await.unwrap();
    // The preface, and settings that set nothing.
    client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let read = tokio::time::timeout(Duration::from_secs(20), client.read_to_end(&mut Vec::new())).await;

    assert!(read.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn headers_have_a_length() {
    watched();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hello = tower::service_fn(|_| async { Ok(http::Response::new(tonic::body::Body::empty())) });
    tokio::spawn(connections(listener, Protocol::Http, LIMITS, hello, std::future::pending()));

    for (length, status) in [(15, b"HTTP/1.1 200"), (17, b"HTTP/1.1 431")] {
        let mut client = TcpStream::connect(address).await.unwrap();
        let header = "a".repeat(length * 1024);
        let request = format!("GET / HTTP/1.1\r\nhost: shop\r\nx-long: {header}\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, status, "{length} KiB");
    }
}

#[tokio::test]
async fn an_old_connection_is_asked_to_end_and_nobody_notices() {
    let shop = Shop::start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri: http::Uri = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let settings = mesh::serve::Grpc {
        services: vec![shop.server.served()],
        peers: Peers::Anyone("orders"),
        health: Health::start(vec![]).await,
        reflection: None,
        limits: Limits { age_max: Some(Duration::from_millis(200)), ..LIMITS },
    };
    tokio::spawn(mesh::serve::grpc(listener, settings, std::future::pending()));
    let mut client =
        crate::support::Client::new(mesh::Upstream::remote("inventory", uri, 1, None).channel("orders"));

    // A call that meets the end of a connection is made again, so there must be a budget for it.
    for word in ["r"].repeat(100).into_iter().chain(["sleep:10"].repeat(60)) {
        client.reserve_stock(reservation(word)).await.unwrap();
    }
}

#[tokio::test]
async fn an_old_connection_whose_calls_do_not_end_is_cut() {
    watched();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (age, grace) = (Duration::from_millis(50), Duration::from_millis(200));
    let limits = Limits { age_max: Some(age), age_grace_max: grace, ..LIMITS };
    let watch = tower::service_fn(|_| {
        let news = futures::stream::pending::<Result<http_body::Frame<bytes::Bytes>, std::io::Error>>();
        std::future::ready(Ok(http::Response::new(http_body_util::StreamBody::new(news))))
    });
    tokio::spawn(connections(listener, Protocol::Http, limits, watch, std::future::pending()));

    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), client.read_to_end(&mut said)).await;

    assert!(read.is_ok(), "the connection is still open");
    assert!(said.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_stream_whose_connection_is_cut_hears_that_its_service_is_not_available() {
    let shop = Shop::start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri: http::Uri = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let (age, grace) = (Duration::from_millis(50), Duration::from_millis(200));
    let settings = mesh::serve::Grpc {
        services: vec![shop.server.served()],
        peers: Peers::Anyone("gateway"),
        health: Health::start(vec![]).await,
        reflection: None,
        limits: Limits { age_max: Some(age), age_grace_max: grace, ..LIMITS },
    };
    tokio::spawn(mesh::serve::grpc(listener, settings, std::future::pending()));
    let channel = mesh::Upstream::remote("inventory", uri, 1, None).channel("gateway");
    let mut client = crate::support::Client::new(channel);

    let mut news = client.watch_stock(watching("a")).await.unwrap().into_inner();
    let end = loop {
        match news.message().await {
            Ok(Some(_)) => {}
            end => break end,
        }
    };

    assert_eq!(end.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn the_admin_port_tells_life_readiness_and_figures() {
    let shop = Shop::start();
    shop.client("gateway", None).batch_get_stock(skus("a")).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let broken = Arc::new(AtomicBool::new(true));
    let asked = broken.clone();
    let check = Check::new("payments", vec![], move || {
        let broken = asked.load(Ordering::SeqCst);
        async move { if broken { Err("gone".into()) } else { Ok(()) } }
    });
    let page = Admin { health: Health::start(vec![check]).await, metrics: watched().metrics() };
    tokio::spawn(admin(listener, page, std::future::pending()));
    let get = async |path: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };

    assert!(get("/live").await.starts_with("HTTP/1.1 200"));
    let missing = get("/ready").await;
    assert!(missing.starts_with("HTTP/1.1 503") && missing.contains("missing: payments"), "{missing}");
    let figures = get("/metrics").await;
    assert!(figures.contains("# HELP rpc_server_duration_seconds"), "{figures}");
    assert!(get("/anything").await.starts_with("HTTP/1.1 404"));

    broken.store(false, Ordering::SeqCst);
    for _ in 0..100 {
        if get("/ready").await.starts_with("HTTP/1.1 200") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never became ready");
}
