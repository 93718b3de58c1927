//! A service's routes behind the real server stack, for its tests: no socket, real tokens, any caller.
//!
//! ```
//! # use tonic::service::Routes;
//! let server = mesh::testing::serve("inventory", Routes::default());
//! let channel = server.channel_as("gateway", Some(mesh::testing::customer()));
//! let client = proto::inventory::inventory_service_client::InventoryServiceClient::new(channel);
//! ```

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{Either, ready};
use kit::Clock;
use observability::RpcMetrics;
use tonic::Status;
use tonic::service::Routes;
use tower::util::BoxCloneSyncService;
use tower::{Service, service_fn};
use uuid::Uuid;

use crate::caller::{Role, User};
use crate::context;
use crate::server::{Served, Server, ServerSettings};
use crate::status::Problem;
use crate::tokens::{Claims, SigningPair, UnusableSeed, Verifier};
use crate::upstream::{Channel, Upstream};

const SEED: [u8; 32] = [7; 32];
const LIFE: Duration = Duration::from_secs(300);

/// The reason of an error; empty where it has none.
pub fn reason(status: &Status) -> String {
    crate::status::reason_of(status).map(|(_, reason)| reason).unwrap_or_default()
}

/// One service behind the server stack.
#[derive(Clone)]
pub struct TestServer {
    upstream: Upstream,
    served: Served,
}

/// Puts the real server stack in front of a service's routes. Its verifier knows one key, which this module signs with.
pub fn serve(service: &'static str, routes: Routes) -> TestServer {
    let served = server().stack(service, routes);
    TestServer { upstream: Upstream::local(served.clone()), served }
}

/// A server with limits as in production, that accepts the tokens of this module.
pub fn server() -> Server {
    let settings = ServerSettings {
        calls_max: 256,
        streams_max: 1_024,
        message_in_max: 1024 * 1024,
        message_out_max: 4 * 1024 * 1024,
    };
    Server::new(settings, verifier(), RpcMetrics::server())
}

/// A verifier that accepts the tokens of [`token`].
pub fn verifier() -> Verifier {
    Verifier::new(Arc::new(|| {
        let keys = pair().map(|pair| vec![pair.public().clone()]);
        ready(keys).boxed()
    }))
}

/// A token that says who this is, as identity would sign it.
pub fn token(user: &User) -> Result<String, Status> {
    let now = u64::try_from(Clock::system().now().timestamp()).unwrap_or_default();
    pair()?.sign(&Claims::new(user, now, LIFE)).map_err(unsigned)
}

/// A signed-in account of its own.
pub fn customer() -> User {
    User { account: Uuid::now_v7(), session: Uuid::now_v7(), role: Role::Customer, permissions: Vec::new() }
}

/// A member of staff with these permissions.
pub fn staff(permissions: &[&str]) -> User {
    User {
        role: Role::Staff,
        permissions: permissions.iter().map(ToString::to_string).collect(),
        ..customer()
    }
}

impl TestServer {
    /// A channel of the real client stack, speaking as this service on behalf of this person.
    pub fn channel_as(&self, workload: &'static str, user: Option<User>) -> Channel {
        let mut channel = self.upstream.channel(workload);
        let user = user.map(Arc::new);
        BoxCloneSyncService::new(service_fn(move |request| {
            match user.as_deref().map(token).transpose() {
                Ok(token) => {
                    let mut context = context::current();
                    context.token = token.map(Into::into);
                    context.user = user.clone();
                    // A step looks at the context as soon as it is called, its future does later.
                    let answer = context::enter(context.clone(), || channel.call(request));
                    Either::Left(context::scope(context, answer))
                }
                Err(status) => Either::Right(ready(Err(status))),
            }
        }))
    }

    /// The service itself, to be served on a socket or bound to another's upstreams.
    pub fn served(&self) -> Served {
        self.served.clone()
    }

    /// Where it is, for a service under test that calls it.
    pub fn upstream(&self) -> Upstream {
        self.upstream.clone()
    }
}

fn pair() -> Result<SigningPair, Status> {
    SigningPair::from_seed("testing", &SEED).map_err(unsigned)
}

fn unsigned(error: UnusableSeed) -> Status {
    Problem::internal(&error).status()
}
