//! The rule of a method against who asks: the same lines for the side that sends and the side that answers.

use proto::common::Reason;
use proto::rules::{Access, Method};
use tonic::{Code, Status};

use crate::caller::{User, permission_missing, sign_in_required};
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
    Err(Problem::common(Code::PermissionDenied, Reason::CallerNotAllowed, message)
        .with("caller", workload)
        .with("method", rule.path)
        .status())
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
        (false, Some(_)) => Err(permission_missing()),
    }
}

/// Does the method concern services alone? A user's token is neither sent to it nor read by it.
pub(crate) fn service_only(rule: &Method) -> bool {
    rule.access.iter().all(|access| matches!(access, Access::Service))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use std::time::Duration;

    use proto::rules::Idempotency;

    use super::*;
    use crate::caller::Role;
    use crate::status::reason_of;
    use crate::testing::{customer, staff};

    fn rule(access: &'static [Access]) -> Method {
        Method {
            path: "/shop.test.v1.TestService/Do",
            service: "test",
            name: "Do",
            callers: &["gateway", "orders"],
            access,
            timeout: Some(Duration::from_secs(1)),
            idempotency: Idempotency::NoSideEffects,
            client_streaming: false,
            server_streaming: false,
        }
    }

    /// Every kind of rule against everybody who may ask.
    #[test]
    fn the_table_of_access() {
        const PUBLIC: &[Access] = &[Access::Public];
        const CUSTOMER: &[Access] = &[Access::Customer];
        const STAFF: &[Access] = &[Access::Staff("stock.read")];
        const EITHER: &[Access] = &[Access::Customer, Access::Staff("stock.read")];
        const SERVICE: &[Access] = &[Access::Service];
        const MIXED: &[Access] = &[Access::Staff("stock.read"), Access::Service];
        let admin = User { role: Role::Admin, ..customer() };
        // A customer whose token claims permissions is still no staff.
        let pretender = User { permissions: vec!["stock.read".to_owned()], ..customer() };
        let people = [
            ("gateway", None),
            ("orders", None),
            ("gateway", Some(customer())),
            ("gateway", Some(pretender)),
            ("gateway", Some(staff(&["stock.write"]))),
            ("gateway", Some(staff(&["stock.read"]))),
            ("orders", Some(staff(&["stock.read"]))),
            ("gateway", Some(admin)),
        ];
        let table = [
            (PUBLIC, ["ok"; 8]),
            (CUSTOMER, ["sign in", "sign in", "ok", "ok", "ok", "ok", "ok", "ok"]),
            (STAFF, ["sign in", "sign in", "missing", "missing", "missing", "ok", "ok", "ok"]),
            (EITHER, ["sign in", "sign in", "ok", "ok", "ok", "ok", "ok", "ok"]),
            (SERVICE, ["ok"; 8]),
            (MIXED, ["sign in", "ok", "missing", "missing", "missing", "ok", "ok", "ok"]),
        ];

        for (access, expected) in table {
            for ((workload, user), expected) in people.iter().zip(expected) {
                let answer = admit_user(&rule(access), workload, user.as_ref());
                let answer = answer.map_err(|status| reason_of(&status).unwrap().1);
                let said = match answer.as_ref().map_err(String::as_str) {
                    Ok(()) => "ok",
                    Err("SIGN_IN_REQUIRED") => "sign in",
                    Err("PERMISSION_MISSING") => "missing",
                    Err(other) => panic!("{other}"),
                };
                assert_eq!(said, expected, "{access:?} {workload} {user:?}");
            }
        }
    }

    #[test]
    fn only_named_services_may_call() {
        let named = rule(&[Access::Public]);
        let all = Method { callers: &["all"], ..named };

        assert!(admit_workload(&named, "orders").is_ok());
        assert!(admit_workload(&all, "anybody").is_ok());
        for stranger in ["", "all", "order", "orders ", "Orders", "gateway,orders"] {
            let refusal = admit_workload(&named, stranger).unwrap_err();
            assert_eq!(reason_of(&refusal).unwrap().1, "CALLER_NOT_ALLOWED", "{stranger}");
        }
    }
}
