//! Who asks, verified; whether the rule lets them; and the context that the method's own calls inherit.

use std::sync::Arc;

use futures::future::{Either, ready};
use futures::{FutureExt, TryFutureExt};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use tonic::Status;
use tower::service_fn;

use crate::access::{admit_user, service_only};
use crate::body::{around, poll};
use crate::call::{Answer, PREVIOUS_ATTEMPTS, Step};
use crate::caller::{Caller, User};
use crate::context::{self, Context};
use crate::server::Incoming;
use crate::tokens::{TokenError, Verifier};

pub(crate) fn layer(verifier: Verifier, mut inner: impl Step<Incoming>) -> impl Step<Incoming> {
    // Calls whose token is known go straight on; a spare serves those that have to wait for a check.
    let spare = Arc::new(inner.clone());
    service_fn(move |mut call: Incoming| {
        let token = match service_only(call.entry.rule) {
            true => Ok(None),
            false => bearer(call.request.headers_mut()),
        };
        let user = match token {
            Ok(None) => None,
            Ok(Some(token)) => match verifier.known(&token) {
                Some(user) => Some((token, user)),
                None => return Either::Right(verified(verifier.clone(), spare.clone(), call, token).boxed()),
            },
            Err(refusal) => return Either::Left(Either::Right(ready(Err(refusal)))),
        };
        Either::Left(match enter(&mut inner, call, user) {
            Ok(answer) => Either::Left(answer),
            Err(refusal) => Either::Right(ready(Err(refusal))),
        })
    })
}

/// The way of a token that is not known yet.
async fn verified<S: Step<Incoming>>(
    verifier: Verifier,
    spare: Arc<S>,
    call: Incoming,
    token: Arc<str>,
) -> Answer {
    let user = verifier.verify(&token).await.map_err(TokenError::status)?;
    enter(&mut (*spare).clone(), call, Some((token, user)))?.await
}

/// Checks the rule and runs the method in its context.
fn enter<S: Step<Incoming>>(
    inner: &mut S,
    mut call: Incoming,
    user: Option<(Arc<str>, Arc<User>)>,
) -> Result<impl Future<Output = Answer> + Send + use<S>, Status> {
    let rule = call.entry.rule;
    let (token, user) = user.unzip();
    admit_user(rule, call.workload, user.as_deref())?;

    call.request
        .extensions_mut()
        .insert(Caller { workload: call.workload.into(), user: user.as_deref().cloned() });
    let context = Context {
        deadline: call.deadline,
        token,
        user,
        retried: is_retry(call.request.headers()),
        record: None,
    };
    let streamed = rule.server_streaming.then(|| context.clone());
    let answer = context::scope(context, inner.call(call));
    Ok(answer.map_ok(|response| match streamed {
        // A stream does its work, and makes its calls, in the context of the call that opened it.
        Some(context) => response
            .map(|body| around(body, move |body, task| context::enter(context.clone(), || poll(body, task)))),
        None => response,
    }))
}

/// Takes the token out of the headers: below this layer nobody needs it but the client stacks.
fn bearer(headers: &mut HeaderMap) -> Result<Option<Arc<str>>, Status> {
    let Some(value) = headers.remove(AUTHORIZATION) else {
        return Ok(None);
    };
    let token = value.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    });
    token.map(|token| Some(token.into())).ok_or_else(|| TokenError::Malformed.status())
}

fn is_retry(headers: &HeaderMap) -> bool {
    headers.get(PREVIOUS_ATTEMPTS).is_some_and(|attempts| attempts.as_bytes() != b"0")
}
