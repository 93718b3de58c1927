//! Under which names things of carts are kept.

use std::sync::Arc;

use kit::RequestKey;

use crate::domain::{AccountId, CartId};

/// The names, each with what is common to all.
#[derive(Clone)]
pub struct Keys {
    prefix: Arc<str>,
}

impl Keys {
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.into() }
    }

    /// A cart: a hash.
    pub fn cart(&self, cart: CartId) -> String {
        self.name("cart", cart)
    }

    /// The id of an account's cart.
    pub fn account(&self, account: AccountId) -> String {
        self.name("account", account)
    }

    /// The id of the cart that has a guest's lines now.
    pub fn merged(&self, guest: CartId) -> String {
        self.name("merged", guest)
    }

    /// All of those, as a pattern.
    pub fn every_merged(&self) -> String {
        self.name("merged", "*")
    }

    /// What a request was answered.
    pub fn kept(&self, key: &RequestKey) -> String {
        self.name("kept", format_args!("{}:{}", key.principal, key.request_id))
    }

    /// All of those, as a pattern.
    pub fn every_kept(&self) -> String {
        self.name("kept", "*")
    }

    /// The mark of an account that is erased.
    pub fn erased(&self, account: AccountId) -> String {
        self.name("erased", account)
    }

    /// What happened to carts, oldest first: a stream.
    pub fn outbox(&self) -> String {
        format!("{}outbox", self.prefix)
    }

    /// All carts by the time of their last change, in milliseconds: a sorted set.
    pub fn touched(&self) -> String {
        format!("{}touched", self.prefix)
    }

    fn name(&self, kind: &str, id: impl std::fmt::Display) -> String {
        format!("{}{kind}:{id}", self.prefix)
    }
}
