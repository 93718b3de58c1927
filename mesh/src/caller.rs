//! Who is asking: the service that sent the call, and the person on whose behalf.

use std::borrow::Cow;

use kit::{Id, RequestKey};
use prost::Message;
use proto::common::Reason;
use serde::{Deserialize, Serialize};
use tonic::{Code, Request, Status};
use uuid::Uuid;

use crate::status::Problem;

/// What an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Buys.
    Customer,
    /// Works here; holds the permissions that were given.
    Staff,
    /// Holds every permission.
    Admin,
}

/// A signed-in account, as its access token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The account.
    pub account: Uuid,
    /// The session in which the token was given.
    pub session: Uuid,
    /// What the account is.
    pub role: Role,
    /// What a member of staff may do: `orders.write`.
    pub permissions: Vec<String>,
}

impl User {
    /// Whether the account holds a permission.
    pub fn may(&self, permission: &str) -> bool {
        match self.role {
            Role::Customer => false,
            Role::Staff => self.permissions.iter().any(|held| held == permission),
            Role::Admin => true,
        }
    }
}

/// Who sent a call. The server stack has checked both halves before a method sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The service that sent the call: "gateway".
    pub workload: Cow<'static, str>,
    /// The account on whose behalf, if somebody is signed in.
    pub user: Option<User>,
}

impl Caller {
    /// Who sent this request. One that did not come through the server stack is nobody's.
    pub fn of<T>(request: &Request<T>) -> Caller {
        request.extensions().get().cloned().unwrap_or(Caller { workload: Cow::Borrowed(""), user: None })
    }

    /// In whose name effects are done once: the account's, or the service's own.
    pub fn principal(&self) -> String {
        match &self.user {
            Some(user) => format!("account:{}", user.account),
            None => format!("service:{}", self.workload),
        }
    }

    /// The key of one request: an effect is done once for it, in the name of who asks.
    pub fn key<M: Message>(
        &self,
        method: &'static str,
        request_id: &str,
        message: &M,
    ) -> Result<RequestKey, Problem> {
        Ok(RequestKey::new(&self.principal(), method, request_id, message)?)
    }

    /// The account that asks; refused when nobody is signed in.
    pub fn customer(&self) -> Result<Uuid, Status> {
        self.user.as_ref().map(|user| user.account).ok_or_else(sign_in_required)
    }

    /// The same as an id of a domain's own kind.
    pub fn customer_id<T>(&self) -> Result<Id<T>, Status> {
        self.customer().map(Id::from_uuid)
    }

    /// Whether the signed-in account holds a permission.
    pub fn may(&self, permission: &str) -> bool {
        self.user.as_ref().is_some_and(|user| user.may(permission))
    }
}

pub(crate) fn sign_in_required() -> Status {
    let message = "somebody must be signed in to call this method";
    Problem::common(Code::Unauthenticated, Reason::SignInRequired, message).status()
}

pub(crate) fn permission_missing() -> Status {
    let message = "the signed-in account may not call this method";
    Problem::common(Code::PermissionDenied, Reason::PermissionMissing, message).status()
}
