//! The rule of the method, checked before anything is sent, and whose token goes with it.

use futures::future::{Either, ready};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use proto::rules::{Access, Method};
use tonic::Status;
use tower::service_fn;

use crate::access::{admit_user, admit_workload};
use crate::call::Step;
use crate::client::Outgoing;
use crate::context::Context;
use crate::tokens::{TOKEN_LENGTH_MAX, TokenError};

pub(crate) fn layer(caller: &'static str, mut inner: impl Step<Outgoing>) -> impl Step<Outgoing> {
    service_fn(move |mut call: Outgoing| {
        let admitted = admit(call.entry.rule, caller, &call.context).and_then(|()| authorize(&mut call));
        match admitted {
            Ok(()) => Either::Left(inner.call(call)),
            Err(refusal) => Either::Right(ready(Err(refusal))),
        }
    })
}

fn admit(rule: &Method, caller: &str, context: &Context) -> Result<(), Status> {
    admit_workload(rule, caller)?;
    let token = context.token.as_ref().filter(|_| concerns_people(rule));
    match (token, &context.user) {
        // Who it is only the other side can tell.
        (Some(_), None) => Ok(()),
        (Some(_), Some(user)) => admit_user(rule, caller, Some(user)),
        (None, _) => admit_user(rule, caller, None),
    }
}

/// Sends the token where the rule asks who the person is, or at least looks. Whatever the request carried is
/// overwritten: a client stack speaks for the person of its context and for nobody else.
fn authorize(call: &mut Outgoing) -> Result<(), Status> {
    let headers = call.request.headers_mut();
    headers.remove(AUTHORIZATION);
    let Some(token) = call.context.token.as_ref().filter(|_| concerns_people(call.entry.rule)) else {
        return Ok(());
    };
    // It comes from outside: one that fits into no header is no token.
    let fits = Some(token).filter(|token| token.len() <= TOKEN_LENGTH_MAX);
    let value = fits.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok());
    headers.insert(AUTHORIZATION, value.ok_or_else(|| TokenError::Malformed.status())?);
    Ok(())
}

fn concerns_people(rule: &Method) -> bool {
    rule.access.iter().any(|access| !matches!(access, Access::Service))
}
