//! The rule of a method against who asks: the same lines for the side that sends and the side that answers.

use proto::common::Reason;
use proto::rules::{Access, Method};
use tonic::{Code, Status};

use crate::caller::{User, sign_in_required};
use crate::status::Problem;

/// Where people come in. It never acts on its own behalf where a person could: an anonymous visitor must not
/// pass for a service.
const EDGE: &str = "gateway";

/// May this service call the method at all?
pub(crate) fn admit_workload(rule: &Method, workload: &str) -> Result<(), Status> {
    if rule.allows(workload) {
        return Ok(());
    }
    let message = format!("{workload:?} may not call {}", rule.path);
    Err(
        Problem::common(Code::PermissionDenied, Reason::CallerNotAllowed, message)
            .with("caller", workload)
            .with("method", rule.path)
            .status(),
    )
}

/// Is one of the rule's alternatives met?
pub(crate) fn admit_user(rule: &Method, workload: &str, user: Option<&User>) -> Result<(), Status> {
    let met = rule.access.iter().any(|access| match access {
        Access::Public => true,
        Access::Customer => user.is_some(),
        Access::Staff(permission) => user.is_some_and(|user| user.may(permission)),
        Access::Service => service_only(rule) || (user.is_none() && workload != EDGE),
    });
    match (met, user) {
        (true, _) => Ok(()),
        (false, None) => Err(sign_in_required()),
        (false, Some(_)) => {
            let message = "the signed-in account may not call this method";
            Err(
                Problem::common(Code::PermissionDenied, Reason::PermissionMissing, message)
                    .status(),
            )
        }
    }
}

/// Does the method concern services alone? A user's token is neither sent to it nor read by it.
pub(crate) fn service_only(rule: &Method) -> bool {
    rule.access
        .iter()
        .all(|access| matches!(access, Access::Service))
}
