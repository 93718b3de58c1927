//! The rule of every method, as data: who may call, what the end user must be, how long it may take, whether it may
//! be repeated. Generated from the options of `shop/mesh/v1/rule.proto`; enforced by the stacks of `mesh`.

use std::time::Duration;

/// One alternative of what the end user must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nobody in particular; a signed-in user is seen when there is one.
    Public,
    /// A signed-in account.
    Customer,
    /// An account of staff that holds this permission: `orders.write`.
    Staff(&'static str),
    /// A service that acts on its own: no user's token is sent or accepted.
    Service,
}

/// What happens when a call is made twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// A read: it may be repeated at will.
    NoSideEffects,
    /// An effect with a `request_id`: the second call gets the first one's answer.
    Idempotent,
    /// An effect without a key: never repeated. `LogIn` and `RefreshSession` only.
    Unknown,
}

/// The rule of one method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// As it travels: `/shop.orders.v1.OrdersService/CancelOrder`.
    pub path: &'static str,
    /// The owner: `orders`.
    pub service: &'static str,
    /// The method alone: `CancelOrder`.
    pub name: &'static str,
    /// The services that may call; `["all"]` means everybody.
    pub callers: &'static [&'static str],
    /// Alternatives of what the end user must be; one is enough.
    pub access: &'static [Access],
    /// How long a call may take; nothing for a stream that lasts until either side ends it.
    pub timeout: Option<Duration>,
    /// Whether it may be repeated.
    pub idempotency: Idempotency,
    /// Does the client send a stream of messages?
    pub client_streaming: bool,
    /// Does the server send a stream of messages?
    pub server_streaming: bool,
}

impl Method {
    /// May this workload call the method?
    pub fn allows(&self, caller: &str) -> bool {
        self.callers.iter().any(|allowed| *allowed == caller || *allowed == "all")
    }
}

/// All methods of the contract, sorted by path.
pub static METHODS: &[Method] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// Finds the rule of a path as it travels; nothing for a method that is not of the contract.
pub fn find(path: &str) -> Option<&'static Method> {
    let at = METHODS.binary_search_by(|method| method.path.cmp(path)).ok()?;
    METHODS.get(at)
}
