//! Calls and lower steps for the tests of layers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tonic::body::Body;
use tonic::{Code, Status};
use tower::service_fn;

use crate::call::{Entry, Step};
use crate::client::Outgoing;
use crate::context::Context;
use crate::server::Incoming;

/// Public, of two callers, two seconds.
pub(crate) const READ: &str = "/shop.inventory.v1.InventoryService/BatchGetStock";
/// Of one service, for services, with a key.
pub(crate) const EFFECT: &str = "/shop.inventory.v1.InventoryService/ReserveStock";
/// A stream without an end.
pub(crate) const WATCH: &str = "/shop.inventory.v1.InventoryService/WatchStock";
/// An effect that must not be repeated.
pub(crate) const ONCE: &str = "/shop.identity.v1.IdentityService/LogIn";

pub(crate) fn request(path: &str) -> http::Request<Body> {
    http::Request::post(format!("http://shop{path}")).body(Body::empty()).unwrap()
}

pub(crate) fn incoming(path: &str) -> Incoming {
    Incoming {
        entry: Entry::find(path).unwrap(),
        workload: "gateway",
        deadline: None,
        permit: None,
        request: request(path),
    }
}

pub(crate) fn outgoing(path: &str, context: Context) -> Outgoing {
    Outgoing { entry: Entry::find(path).unwrap(), context, request: request(path) }
}

pub(crate) fn answer_after<C: Send + 'static>(wait: Duration) -> impl Step<C> {
    service_fn(move |_: C| async move {
        tokio::time::sleep(wait).await;
        Ok(http::Response::default())
    })
}

/// Answers with a code, and counts how often it was asked.
pub(crate) fn answering<C: Send + 'static>(code: Code) -> (impl Step<C>, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let step = service_fn(move |_: C| {
        count.fetch_add(1, Ordering::SeqCst);
        let answer = match code {
            Code::Ok => Ok(http::Response::default()),
            code => Err(Status::new(code, "as told")),
        };
        futures::future::ready(answer)
    });
    (step, asked)
}
