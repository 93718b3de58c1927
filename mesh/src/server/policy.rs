//! The callers that the contract names, and nobody else; in one process too.

use futures::future::{Either, ready};
use tower::service_fn;

use crate::access::admit_workload;
use crate::call::Step;
use crate::server::Incoming;

pub(crate) fn layer(mut inner: impl Step<Incoming>) -> impl Step<Incoming> {
    service_fn(move |call: Incoming| match admit_workload(call.entry.rule, call.workload) {
        Ok(()) => Either::Left(inner.call(call)),
        Err(refusal) => Either::Right(ready(Err(refusal))),
    })
}
