//! What a service's answer becomes: data, a user error of a payload, or a top-level error.
//!
//! A business refusal becomes a user error of the mutation's payload. What is left becomes a top-level error: the client's
//! own fault in words, ours masked behind the trace id.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Context, ErrorExtensionValues, ServerError};
use tonic::{Response, Status};

use crate::reasons::{Verdict, judge};

/// Kinds of top-level errors; their names are `extensions.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    BadRequest,
    BadId,
    QueryTooLarge,
    DocumentUnknown,
    Csrf,
    Unauthenticated,
    PermissionDenied,
    NotFound,
    /// A read that was refused for a reason of its own; the reason stands in the message.
    Refused(&'static str),
    RateLimited,
    Timeout,
    Unavailable,
    Internal,
}

impl Problem {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Problem::BadRequest => "BAD_REQUEST",
            Problem::BadId => "INVALID_ID",
            Problem::QueryTooLarge => "QUERY_TOO_LARGE",
            Problem::DocumentUnknown => "DOCUMENT_UNKNOWN",
            Problem::Csrf => "CSRF",
            Problem::Unauthenticated => "UNAUTHENTICATED",
            Problem::PermissionDenied => "PERMISSION_DENIED",
            Problem::NotFound => "NOT_FOUND",
            Problem::Refused(code) => code,
            Problem::RateLimited => "RATE_LIMITED",
            Problem::Timeout => "TIMEOUT",
            Problem::Unavailable => "UPSTREAM_UNAVAILABLE",
            Problem::Internal => "INTERNAL",
        }
    }

    /// May the same request, with the same key, succeed later without the client changing anything?
    fn retryable(self) -> bool {
        matches!(self, Problem::RateLimited | Problem::Timeout | Problem::Unavailable)
    }

    /// The status where a whole answer is this error.
    pub(crate) fn status(self) -> http::StatusCode {
        use http::StatusCode as Http;
        match self {
            Problem::BadRequest
            | Problem::BadId
            | Problem::QueryTooLarge
            | Problem::DocumentUnknown
            | Problem::Refused(_) => Http::BAD_REQUEST,
            Problem::Csrf | Problem::PermissionDenied => Http::FORBIDDEN,
            Problem::Unauthenticated => Http::UNAUTHORIZED,
            Problem::NotFound => Http::NOT_FOUND,
            Problem::RateLimited => Http::TOO_MANY_REQUESTS,
            Problem::Timeout => Http::GATEWAY_TIMEOUT,
            Problem::Unavailable => Http::SERVICE_UNAVAILABLE,
            Problem::Internal => Http::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A top-level error before it knows its place in the document.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) problem: Problem,
    message: String,
    service: Option<&'static str>,
    retry_after: Option<Duration>,
}

impl Fault {
    pub(crate) fn of(problem: Problem, message: impl Into<String>) -> Self {
        Self { problem, message: message.into(), service: None, retry_after: None }
    }

    /// A fault of ours. Nothing about it leaves the process but the trace id.
    pub(crate) fn internal() -> Self {
        Self::of(Problem::Internal, "Something went wrong on our side.")
    }

    /// An answer of a service that lacks what its contract promises.
    pub(crate) fn incomplete(service: &'static str) -> Self {
        tracing::error!(
            { observability::names::SERVICE } = service,
            "an answer of {service} lacks a field that its contract promises"
        );
        Self { service: Some(service), ..Self::internal() }
    }

    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    fn from_status(service: &'static str, status: &Status) -> Self {
        let verdict = judge(status);
        let fault = match verdict {
            Verdict::Refused(code) => Self::of(Problem::Refused(code), status.message()),
            Verdict::Missing(_) => Self::of(Problem::NotFound, status.message()),
            Verdict::SignIn => Self::of(Problem::Unauthenticated, "Sign in first."),
            Verdict::Forbidden => {
                Self::of(Problem::PermissionDenied, "The signed-in account may not do this.")
            }
            Verdict::Throttled => Self::of(Problem::RateLimited, "Too much at once: ask again later."),
            Verdict::Unavailable => Self::of(
                Problem::Unavailable,
                format!("The service {service} does not answer at the moment."),
            ),
            Verdict::Broken => Self::internal(),
        };
        if verdict == Verdict::Broken {
            // The service has logged its own chain; this line ties it to the operation.
            tracing::warn!({ observability::names::SERVICE } = service, { observability::names::RPC_CODE } = ?status.code(), "{service} answered with a fault");
        }
        Self { service: Some(service), retry_after: mesh::status::retry_after_of(status), ..fault }
    }

    pub(crate) fn extensions(&self) -> ErrorExtensionValues {
        let mut values = ErrorExtensionValues::default();
        values.set("code", self.problem.code());
        values.set("retryable", self.problem.retryable());
        if let Some(service) = self.service {
            values.set("service", service);
        }
        if self.problem.retryable() {
            let delay = self.retry_after.unwrap_or(DEFAULT_RETRY_DELAY);
            let millis = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
            values.set("retryAfter", millis.div_ceil(1_000));
            values.set("retryAfterMs", millis);
        }
        if self.problem == Problem::Internal
            && let Some(trace) = observability::propagation::trace_id()
        {
            values.set("traceId", trace);
        }
        values
    }

    /// The error without a place in the document: a request that never executed.
    pub(crate) fn into_server_error(self) -> ServerError {
        let mut error = ServerError::new(self.message.clone(), None);
        error.extensions = Some(self.extensions());
        // What the status of the whole answer is read from.
        error.source = Some(Arc::new(self.problem));
        error
    }
}

/// What a client waits when a service that is down did not say how long.
const DEFAULT_RETRY_DELAY: Duration = Duration::from_secs(1);

impl From<Fault> for async_graphql::Error {
    fn from(fault: Fault) -> Self {
        Self { extensions: Some(fault.extensions()), message: fault.message, source: None }
    }
}

/// A read: what is not there is null.
pub(crate) fn found<T>(
    service: &'static str,
    answer: Result<Response<T>, Status>,
) -> Result<Option<T>, Fault> {
    match answer {
        Ok(response) => Ok(Some(response.into_inner())),
        Err(status) if matches!(judge(&status), Verdict::Missing(_)) => Ok(None),
        Err(status) => Err(Fault::from_status(service, &status)),
    }
}

/// A list or a batch: nothing to be missing.
pub(crate) fn listed<T>(service: &'static str, answer: Result<Response<T>, Status>) -> Result<T, Fault> {
    answer.map(Response::into_inner).map_err(|status| Fault::from_status(service, &status))
}

/// Part of a page that another service resolves: if it fails, the part is null, one error says so, and the page stays.
pub(crate) fn soften<T>(
    ctx: &Context<'_>,
    service: &'static str,
    answer: Result<Response<T>, Status>,
) -> Option<T> {
    match listed(service, answer) {
        Ok(value) => Some(value),
        Err(fault) => {
            complain(ctx, fault);
            None
        }
    }
}

/// One error of the answer, beside what could be had.
pub(crate) fn complain(ctx: &Context<'_>, fault: Fault) {
    let error = async_graphql::Error::from(fault).into_server_error(ctx.item.pos);
    ctx.add_error(ctx.set_error_path(error));
}

/// A business refusal as it goes into a payload.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) field: Option<Vec<String>>,
    pub(crate) message: String,
}

/// A mutation: the answer, or its business refusals; a fault is neither.
pub(crate) fn settled<T>(
    service: &'static str,
    answer: Result<Response<T>, Status>,
) -> Result<Result<T, Vec<Refusal>>, Fault> {
    let status = match answer {
        Ok(response) => return Ok(Ok(response.into_inner())),
        Err(status) => status,
    };
    match judge(&status) {
        Verdict::Refused(code) | Verdict::Missing(code) => Ok(Err(refusals(code, &status))),
        _ => Err(Fault::from_status(service, &status)),
    }
}

fn refusals(code: &'static str, status: &Status) -> Vec<Refusal> {
    let violations = mesh::status::violations_of(status);
    if violations.is_empty() {
        let message = status.message().to_owned();
        return vec![Refusal { code, field: None, message }];
    }
    let refusal = |violation: mesh::status::Violation| Refusal {
        code,
        field: Some(input_path(&violation.field)),
        message: violation.description,
    };
    violations.into_iter().map(refusal).collect()
}

/// Messages of a request whose content the edge takes as one argument `input`.
const WRAPPERS: [&str; 8] =
    ["details", "product", "account", "discount", "collection", "category", "preferences", "shippingMethod"];
/// Messages whose fields the edge takes as arguments.
const UNWRAPPED: [&str; 2] = ["key", "taxRule"];
/// Fields of messages that have another name in the schema.
const RENAMED: [(&str, &str); 11] = [
    ("requestId", "idempotencyKey"),
    ("displayName", "title"),
    ("minorUnits", "amount"),
    ("ratePpm", "rate"),
    ("percentPpm", "percentage"),
    ("minimum", "minimumAmount"),
    ("limitTotal", "usageLimit"),
    ("limitPerCustomer", "usageLimitPerCustomer"),
    ("startTime", "startsAt"),
    ("endTime", "endsAt"),
    ("variantId", "merchandiseId"),
];

/// `lines[0].variant_id` of a message is `["lines", "0", "merchandiseId"]` of the arguments.
fn input_path(field: &str) -> Vec<String> {
    let mut path: Vec<String> =
        field.split(['.', '[', ']']).filter(|part| !part.is_empty()).map(camel_case).collect();
    if path.len() > 1 && path.first().is_some_and(|first| UNWRAPPED.contains(&first.as_str())) {
        path.remove(0);
    }
    if let Some(first) = path.first_mut().filter(|first| WRAPPERS.contains(&first.as_str())) {
        "input".clone_into(first);
    }
    for part in &mut path {
        if let Some((_, name)) = RENAMED.iter().find(|(name, _)| name == part) {
            (*name).clone_into(part);
        }
    }
    path
}

pub(crate) fn camel_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut upper = false;
    for letter in name.chars() {
        match letter {
            '_' => upper = true,
            _ if upper => {
                text.push(letter.to_ascii_uppercase());
                upper = false;
            }
            _ => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_a_message_is_told_as_the_argument_that_it_came_from() {
        let table = [
            ("key.cart_id", "cartId"),
            ("lines[3].variant_id", "lines.3.merchandiseId"),
            ("request_id", "idempotencyKey"),
            ("tax_rule.rate_ppm", "rate"),
            ("shipping_method.rates[0].price.minor_units", "input.rates.0.price.amount"),
            ("shipping_method.display_name", "input.title"),
            ("discount.limit_total", "input.usageLimit"),
            ("details.email", "input.email"),
        ];

        for (field, path) in table {
            assert_eq!(input_path(field).join("."), path);
        }
    }
}
