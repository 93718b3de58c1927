//! What both stacks speak of: the methods of the contract, and steps from one layer to the next.

use std::collections::HashMap;
use std::sync::LazyLock;

use http::{HeaderMap, HeaderName};
use observability::RpcLabels;
use proto::rules::{METHODS, Method};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::Service;

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
    Status::unimplemented("there is no such method here")
}
