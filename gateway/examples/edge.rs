//! The edge as a process of its own, with every limit and policy on, before the services behind one gRPC port.
//! `cargo xtask bench edge` measures it: `edge LISTEN GRPC_URL`.

use std::error::Error;
use std::sync::Arc;

use futures::FutureExt;
use gateway::{Market, Settings, Upstreams};
use http::Uri;
use mesh::Upstream;
use mesh::tokens::{SigningKey, Verifier};
use mimalloc::MiMalloc;
use observability::{GraphqlMetrics, LogFormat};
use proto::identity::ListSigningKeysRequest;
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(listen), Some(grpc)) = (arguments.next(), arguments.next()) else {
        return Err(
            "say where to listen and where the services are: edge 127.0.0.1:0 http://127.0.0.1:9090".into()
        );
    };
    // Metrics are recorded as in a shop; made before this they would stay silent.
    let _seeing = observability::init(&observability::Settings {
        service: "edge".to_owned(),
        log_format: LogFormat::Json,
        log_filter: "warn".to_owned(),
        otlp_endpoint: None,
        calls_seen: None,
    })?;
    // Everything at one address, which is the port for tools of a running shop.
    let uri: Uri = grpc.parse()?;
    let channel = |service| Upstream::remote(service, uri.clone(), 1, None).channel(gateway::NAME);
    let upstreams = Upstreams::new(channel);
    let verifier = Verifier::unbound();
    let signer = upstreams.identity.clone();
    verifier.bind(Arc::new(move || {
        let mut signer = signer.clone();
        async move {
            let answer = signer.list_signing_keys(ListSigningKeysRequest::default()).await?.into_inner();
            let key = |key: proto::identity::SigningKey| SigningKey {
                key_id: key.key_id,
                public_key: key.public_key,
            };
            Ok(answer.keys.into_iter().map(key).collect())
        }
        .boxed()
    }));
    verifier.warm().await?;
    let settings = Settings {
        production: true,
        allowed_origins: Vec::new(),
        trusted_proxies: Vec::new(),
        market: Market { country: "GB".to_owned(), currency: "GBP".to_owned(), language: "en".to_owned() },
        documents: None,
        playground: None,
        shared: None,
    };
    let (views, sender) = gateway::Views::new();
    tokio::spawn(sender.run(upstreams.analytics.clone(), std::future::pending()));
    let router = gateway::router(upstreams, settings, verifier, GraphqlMetrics::new(), views);
    let listener = TcpListener::bind(&listen).await?;
    println!("listening {}", listener.local_addr()?);
    gateway::serve(listener, router, &[], std::future::pending()).await;
    Ok(())
}
