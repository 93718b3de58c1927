//! What both stacks speak of: the methods of the contract, and steps from one layer to the next.

use std::collections::HashMap;
use std::sync::LazyLock;

use http::{HeaderMap, HeaderName};
use observability::RpcLabels;
use proto::common::Reason;
use proto::rules::{METHODS, Method};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::Service;

use crate::status::Problem;

/// Set by a client stack on its second attempt.
pub(crate) const PREVIOUS_ATTEMPTS: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// A method of the contract, with what the stacks keep ready for it.
pub(crate) struct Entry {
    pub(crate) rule: &'static Method,
    pub(crate) labels: RpcLabels,
}

static ENTRIES: LazyLock<HashMap<&'static str, Entry>> =
    LazyLock::new(|| METHODS.iter().map(|rule| (rule.path, Entry::new(rule))).collect());

impl Entry {
    pub(crate) fn new(rule: &'static Method) -> Self {
        Self { rule, labels: RpcLabels::new(rule.service, rule.name) }
    }

    pub(crate) fn find(path: &str) -> Option<&'static Entry> {
        ENTRIES.get(path)
    }
}

/// How a call is answered.
pub(crate) type Answer = Result<http::Response<Body>, Status>;

/// A layer's view of what lies below it, and the shape of every layer itself.
///
/// Steps are always ready: whatever must be waited for (a connection, a permit) is waited for inside the call, where
/// the deadline and the span of the call cover it. So a layer may call the one below at once, without a clone.
pub(crate) trait Step<C>:
    Service<C, Response = http::Response<Body>, Error = Status, Future: Send + 'static>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<C, S> Step<C> for S where
    S: Service<C, Response = http::Response<Body>, Error = Status, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// How a call ended, where its headers or trailers say so.
pub(crate) fn code_of(headers: &HeaderMap) -> Option<Code> {
    headers.get(GRPC_STATUS).map(|value| Code::from_bytes(value.as_bytes()))
}

/// The answer to a method that is not of the contract, or not of the service that was asked.
pub(crate) fn not_a_method() -> Status {
    let message = "there is no such method here, or it does not know the encoding of the request";
    Problem::common(Code::Unimplemented, Reason::NotOffered, message).status()
}

#[cfg(test)]
pub(crate) mod fixtures {
    //! Calls and lower steps for the tests of layers.
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tonic::body::Body;
    use tonic::{Code, Status};
    use tower::service_fn;

    use super::{Entry, Step};
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
}
