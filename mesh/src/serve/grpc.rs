//! The services of a process on one listener, with health and, where it is wanted, reflection.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use futures::TryFutureExt;
use futures::future::Either;
use http::Request;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::service::Routes;
use tonic_reflection::server::{Builder, Error};
use tower::{Service, service_fn};

use crate::call::not_a_method;
use crate::serve::connections::{Limits, Protocol, connections};
use crate::serve::health::Health;
use crate::serve::peers::{Certified, Peers};
use crate::server::Served;

/// What is served on one listener, and to whom.
pub struct Grpc {
    /// The services, each behind its stack.
    pub services: Vec<Served>,
    /// How it is told which service calls.
    pub peers: Peers,
    /// The state of the services, told by `grpc.health.v1.Health`.
    pub health: Health,
    /// The descriptors to show by reflection; nothing where it is off.
    pub reflection: Option<&'static [u8]>,
    /// What the listener allows.
    pub limits: Limits,
}

/// The descriptors for reflection are not ones.
#[derive(Debug, thiserror::Error)]
#[error("the descriptors for reflection cannot be read")]
pub struct GrpcError(#[source] Error);

/// Serves until `shutdown`: health says NOT_SERVING, no connection is accepted any more, calls under way end.
pub async fn grpc(
    listener: TcpListener,
    grpc: Grpc,
    shutdown: impl Future<Output = ()>,
) -> Result<(), GrpcError> {
    let mut common = Routes::new(grpc.health.service());
    if let Some(descriptors) = grpc.reflection {
        common = reflection(common, descriptors).map_err(GrpcError)?;
    }
    let common =
        Routes::from(common.into_axum_router().fallback(async || not_a_method().into_http::<Body>()));
    let certificates = match &grpc.peers {
        Peers::Certified(certificates) => Some(certificates.clone()),
        Peers::Anyone(_) | Peers::Linkerd(_) => None,
    };
    let service = dispatch(grpc.services, common.prepare(), grpc.peers);
    let shutdown = async {
        shutdown.await;
        grpc.health.stop().await;
    };
    connections(listener, Protocol::Grpc(certificates), grpc.limits, service, shutdown).await;
    Ok(())
}

/// Old tools (Python's among them) speak v1alpha only.
fn reflection(routes: Routes, descriptors: &'static [u8]) -> Result<Routes, Error> {
    let builder = || {
        Builder::configure()
            .register_encoded_file_descriptor_set(descriptors)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let routes = routes.add_service(builder().build_v1()?);
    Ok(routes.add_service(builder().build_v1alpha()?))
}

/// Finds the service of a call by the name in its path. Health and reflection have no rule in the contract, so no stack
/// stands in front of them.
fn dispatch(
    services: Vec<Served>,
    common: Routes,
    peers: Peers,
) -> impl Service<Request<Incoming>, Response = http::Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    let services: HashMap<&'static str, Served> = services
        .into_iter()
        .flat_map(|served| {
            let names = served.names();
            names.into_iter().map(move |name| (name, served.clone()))
        })
        .collect();
    let services = Arc::new(services);
    service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        let certified = request.extensions().get::<Certified>().copied();
        let workload = peers.workload(request.headers_mut(), certified.as_ref());
        match services.get(service_name(request.uri().path())) {
            Some(served) => Either::Left(
                served.clone().call(workload, request).or_else(async |status| Ok(status.into_http())),
            ),
            None => Either::Right(common.clone().call(request)),
        }
    })
}

/// "/shop.orders.v1.OrdersService/GetOrder" names the service in its middle.
fn service_name(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use super::*;

    #[test]
    fn the_service_is_what_stands_in_the_middle_of_a_path() {
        assert_eq!(service_name("/shop.orders.v1.OrdersService/GetOrder"), "shop.orders.v1.OrdersService");
        assert_eq!(service_name("/a"), "a");
        for odd in ["", "/", "//", "a"] {
            assert_eq!(service_name(odd), "", "{odd}");
        }
    }
}
