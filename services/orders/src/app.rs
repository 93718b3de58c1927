//! One method per RPC: who asks, what he may see, what follows from it.

mod calls;
mod checkouts;
mod chores;
mod imports;
mod news;
mod orders;
mod quoting;
mod runner;
pub mod token;

use kit::{Clock, Timestamp};
use mesh::Caller;
use tonic::{Code, Status};

use self::runner::Runner;
use self::token::Tokens;
use crate::Upstreams;
use crate::error::Error;
use crate::store::Store;

pub use checkouts::{Completion, Start};
pub use imports::{Import, ImportError, Line, Progress};
pub use news::{accounts, reader};
pub use orders::{Key, Listing, Orderly};
pub use runner::Recoverer;

pub use crate::store::{Filter, Right};

/// Staff that may read any order.
pub const READ: &str = "orders.read";
/// Staff that may change any order.
pub const WRITE: &str = "orders.write";

#[derive(Clone)]
pub struct Orders {
    store: Store,
    upstreams: Upstreams,
    tokens: Tokens,
    clock: Clock,
    runner: Runner,
}

impl Orders {
    pub fn new(store: Store, upstreams: Upstreams, tokens: Tokens, clock: Clock) -> Self {
        let runner = Runner::new(store.clone(), upstreams.clone(), clock.clone());
        Self { store, upstreams, tokens, clock, runner }
    }

    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// The present, for answers that depend on it.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// What this caller may see: his own, what his token proves, or everything if he holds a permission.
pub fn right(caller: &Caller, token: &str, permission: Option<&str>) -> Right {
    if permission.is_some_and(|permission| caller.may(permission)) {
        return Right::Any;
    }
    let account = caller.user.as_ref().map(|user| user.account);
    Right::Holder { account, token_hash: token::hash(token) }
}

/// What another service answered instead of yes. What it refused is the caller's business; that it did not answer
/// is not.
fn upstream(service: &'static str, status: Status) -> Error {
    let theirs = matches!(
        status.code(),
        Code::FailedPrecondition | Code::NotFound | Code::OutOfRange | Code::InvalidArgument
    );
    let status = Box::new(status);
    match theirs {
        true => Error::RefusedBy { service, status },
        false => Error::Upstream { service, source: status },
    }
}
