//! What stands in front of a service's methods: one stack, the same in process and on a socket.

mod catch;
mod deadline;
mod detach;
mod identity;
mod mask;
mod message;
mod observe;
mod policy;
mod shed;

use std::sync::Arc;
use std::time::Duration;

use futures::TryFutureExt;
use http::Request;
use observability::RpcMetrics;
use proto::rules::METHODS;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tower::util::BoxCloneSyncService;
use tower::{Service, service_fn};

use crate::call::{Answer, Entry, Step};
use crate::tokens::Verifier;

/// How much one service takes on at once.
#[derive(Clone, Copy, Debug)]
pub struct ServerSettings {
    /// Calls under way; one more is refused at once.
    pub calls_max: usize,
    /// Streams to callers under way; they are long and idle, so they have a number of their own.
    pub streams_max: usize,
    /// The length of one message that comes in, in bytes.
    pub message_in_max: usize,
    /// The length of one message that goes out, in bytes.
    pub message_out_max: usize,
}

/// What all services of a process share in front of their methods; built once.
#[derive(Clone)]
pub struct Server {
    settings: ServerSettings,
    verifier: Verifier,
    metrics: Arc<RpcMetrics>,
    tasks: TaskTracker,
}

impl Server {
    /// The metrics must have been made after `observability::init`.
    pub fn new(settings: ServerSettings, verifier: Verifier, metrics: RpcMetrics) -> Self {
        Self { settings, verifier, metrics: Arc::new(metrics), tasks: TaskTracker::new() }
    }

    /// Puts the stack in front of a service's methods.
    pub fn stack(&self, service: &'static str, routes: Routes) -> Served {
        let stack = BoxCloneSyncService::new(self.layers(service, routes));
        Served { service, stack }
    }

    /// The layers, outermost first. The table in the README gives the order and the reasons.
    ///
    /// Each passes the future of the one below on within a combinator, never within an async block: a block that
    /// captures a future and then awaits it holds it twice over, and nine of them would make kilobytes of it.
    fn layers(&self, service: &'static str, routes: Routes) -> impl Step<Arriving> + use<> {
        let settings = self.settings;
        // Outermost, so that everything below shows up in one span and one measurement, refusals too.
        observe::layer(
            service,
            self.metrics.clone(),
            // Around all that can fail in an unforeseen way, and inside the measurement that counts it.
            catch::layer(
                // Whoever may not call at all must not cost a place in the queue.
                policy::layer(
                    // Before any work: an overloaded service answers "no" quickly rather than "yes" late.
                    shed::layer(
                        settings,
                        // Outside of the task below, so that the answer is in time even if the task is not.
                        deadline::layer(
                            // From here on a caller that leaves tears nothing: an effect that began ends, at its deadline at the latest.
                            detach::layer(
                                self.tasks.clone(),
                                // After the cheap checks, since a token may cost a signature check or a fetch.
                                identity::layer(
                                    self.verifier.clone(),
                                    // Only a message that is wanted is read at all, and never a giant one.
                                    message::layer(
                                        settings,
                                        // Next to the methods: nothing unforeseen that they say gets out.
                                        mask::layer(methods(routes)),
                                    ),
                                ),
                            ),
                        ),
                    ),
                ),
            ),
        )
    }

    /// Waits until every effect that began has ended, at most so long; says whether all did.
    pub async fn finish(&self, limit: Duration) -> bool {
        self.tasks.close();
        tokio::time::timeout(limit, self.tasks.wait()).await.is_ok()
    }
}

/// A service with the server stack in front: to be called in process, or served on a socket.
#[derive(Clone)]
pub struct Served {
    service: &'static str,
    stack: BoxCloneSyncService<Arriving, http::Response<Body>, Status>,
}

impl Served {
    /// A service of another process, whose own stack judges what is handed on.
    pub(crate) fn elsewhere(service: &'static str, mut way: impl Step<Request<Body>>) -> Self {
        let stack = service_fn(move |arriving: Arriving| way.call(arriving.request));
        Self { service, stack: BoxCloneSyncService::new(stack) }
    }

    /// The service's name in the contract's folder: "orders".
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// The full names under which its methods travel: "shop.orders.v1.OrdersService".
    pub fn names(&self) -> Vec<&'static str> {
        Self::names_of(self.service)
    }

    /// The same of any service of the contract.
    pub fn names_of(service: &str) -> Vec<&'static str> {
        let mut names: Vec<_> = METHODS
            .iter()
            .filter(|rule| rule.service == service)
            .filter_map(|rule| rule.path.strip_prefix('/')?.split('/').next())
            .collect();
        names.dedup();
        names
    }

    /// Answers one call that a workload sent.
    pub(crate) fn call(
        &mut self,
        workload: &'static str,
        request: Request<Body>,
    ) -> impl Future<Output = Answer> + Send + use<> {
        self.stack.call(Arriving { workload, request })
    }
}

/// A call at the door. Which service sent it is set by the binding in process or by the listener, never read from a
/// header.
pub(crate) struct Arriving {
    pub(crate) workload: &'static str,
    pub(crate) request: Request<Body>,
}

/// A call on its way through the stack, with what the layers above have learnt.
pub(crate) struct Incoming {
    pub(crate) entry: &'static Entry,
    pub(crate) workload: &'static str,
    pub(crate) deadline: Option<Instant>,
    /// Held until the answer has ended, or the task that has the effect, whichever is later.
    pub(crate) permit: Option<Arc<OwnedSemaphorePermit>>,
    pub(crate) request: Request<Body>,
}

/// The service's methods as the lowest step.
fn methods(routes: Routes) -> impl Step<Incoming> {
    let mut routes = routes.prepare();
    service_fn(move |call: Incoming| routes.call(call.request).map_err(|never| match never {}))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use super::*;
    use crate::call::fixtures::{READ, request};

    #[tokio::test]
    async fn the_future_of_a_call_stays_small() {
        let mut layers = crate::testing::server().layers("inventory", Routes::default());

        let answer = layers.call(Arriving { workload: "gateway", request: request(READ) });

        // Whatever its size, it is moved once into its box; doubled by each layer it would be a hundred times this.
        assert!(size_of_val(&answer) < 2_048, "{}", size_of_val(&answer));
        assert_eq!(answer.await.unwrap_err().code(), tonic::Code::Unimplemented);
    }
}
