//! Errors as they travel: a code, a stable reason, what the message says as data, and when to try again.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use kit::{PageError, RequestError, is_transient};
use observability::names;
use proto::common::Reason;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

pub use kit::parse::Violation;
pub use observability::chain;

/// The domain of the reasons that any service may give; a service's own are under `<service>.shop`.
pub const DOMAIN: &str = "shop";
/// When a caller should try again where nothing better is known.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);
const PREFIX: &str = "REASON_";

/// An error on its way to a caller. The message is for the person who wrote the call; programs read the reason.
#[derive(Clone, Debug)]
pub struct Problem {
    // Boxed: it travels in the error half of many small results.
    contents: Box<Contents>,
}

#[derive(Clone, Debug)]
struct Contents {
    code: Code,
    domain: String,
    reason: &'static str,
    message: String,
    metadata: HashMap<String, String>,
    violations: Vec<FieldViolation>,
    retry_after: Option<Duration>,
}

impl Problem {
    /// A problem of one service: `Problem::new(code, "orders", Reason::OrderShipped.as_str_name(), "…")`.
    pub fn new(code: Code, service: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self::build(code, format!("{service}.{DOMAIN}"), reason, message)
    }

    /// A problem that any service may have.
    pub fn common(code: Code, reason: Reason, message: impl Into<String>) -> Self {
        Self::build(code, DOMAIN.to_owned(), reason.as_str_name(), message)
    }

    /// Fields of the request are wrong; each violation says which and why.
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let problem = Self::common(
            Code::InvalidArgument,
            Reason::InvalidFields,
            "at least one field of the request is wrong",
        );
        violations
            .into_iter()
            .fold(problem, |problem, Violation { field, description }| problem.field(field, description))
    }

    /// One field of the request is wrong.
    pub fn invalid_field(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::invalid(Vec::new()).field(field, description)
    }

    /// A fault of ours. The chain of causes is logged here, once; the caller learns nothing of it.
    pub fn internal(error: &dyn Error) -> Self {
        let chain = chain(error);
        tracing::error!({ names::ERROR } = chain, "a call failed: {chain}");
        Self::fault()
    }

    /// A fault of ours that was logged already.
    pub(crate) fn fault() -> Self {
        Self::common(Code::Internal, Reason::Internal, "internal error")
    }

    /// Something that is needed does not answer. The cause is logged here, once.
    pub fn unavailable(what: &str, error: &dyn Error) -> Self {
        let chain = chain(error);
        tracing::warn!({ names::ERROR } = chain, "{what} is not available: {chain}");
        Self::not_available(what)
    }

    pub(crate) fn not_available(what: &str) -> Self {
        let message = format!("{what} is not available at the moment");
        Self::common(Code::Unavailable, Reason::Unavailable, message).retry_after(RETRY_AFTER)
    }

    /// Somebody else changed the thing meanwhile.
    pub fn etag_mismatch() -> Self {
        let message = "it was changed meanwhile; read it again and decide again";
        Self::common(Code::Aborted, Reason::EtagMismatch, message)
    }

    /// Adds a value that the message speaks of, as data.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl ToString) -> Self {
        self.contents.metadata.insert(key.into(), value.to_string());
        self
    }

    /// Adds what is wrong with one field: `.field("lines[0].quantity", "must be above 0")`.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, description: impl Into<String>) -> Self {
        self.contents.violations.push(FieldViolation::new(field, description));
        self
    }

    /// Says when the call may be made again.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.contents.retry_after = Some(delay);
        self
    }

    /// The problem as it travels.
    pub fn status(self) -> Status {
        let Contents { code, domain, reason, message, metadata, violations, retry_after } = *self.contents;
        let mut details = ErrorDetails::new();
        details.set_error_info(reason, domain, metadata);
        if !violations.is_empty() {
            details.set_bad_request(violations);
        }
        if retry_after.is_some() {
            details.set_retry_info(retry_after);
        }
        Status::with_error_details(code, message, details)
    }

    fn build(code: Code, domain: String, reason: &'static str, message: impl Into<String>) -> Self {
        let contents = Box::new(Contents {
            code,
            domain,
            reason: reason.strip_prefix(PREFIX).unwrap_or(reason),
            message: message.into(),
            metadata: HashMap::new(),
            violations: Vec::new(),
            retry_after: None,
        });
        Self { contents }
    }
}

impl From<Problem> for Status {
    fn from(problem: Problem) -> Self {
        problem.status()
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Invalid => Problem::invalid_field("request_id", error.to_string()),
            RequestError::Reused => {
                Problem::common(Code::InvalidArgument, Reason::RequestIdReused, error.to_string())
            }
            RequestError::InProgress => {
                Problem::common(Code::Aborted, Reason::RequestInProgress, error.to_string())
                    .retry_after(RETRY_AFTER)
            }
            // Also the way for a service's own store errors: a busy store is worth another try, a wrong one is not.
            RequestError::Storage(ref cause) if is_transient(cause) => {
                Problem::unavailable("the store", &error)
            }
            RequestError::Storage(_) => Problem::internal(&error),
        }
    }
}

impl From<PageError> for Problem {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Size => Problem::invalid_field("page_size", error.to_string()),
            PageError::Token => {
                Problem::common(Code::InvalidArgument, Reason::PageTokenInvalid, error.to_string())
                    .field("page_token", error.to_string())
            }
        }
    }
}

/// Domain and reason of an error, if it is one of ours.
pub fn reason_of(status: &Status) -> Option<(String, String)> {
    let info = status.get_details_error_info()?;
    Some((info.domain, info.reason))
}

/// The values that the message of an error speaks of.
pub fn metadata_of(status: &Status) -> HashMap<String, String> {
    status.get_details_error_info().map(|info| info.metadata).unwrap_or_default()
}

/// What is wrong with which field.
pub fn violations_of(status: &Status) -> Vec<Violation> {
    let violations = status.get_details_bad_request().map(|bad| bad.field_violations);
    violations
        .unwrap_or_default()
        .into_iter()
        .map(|FieldViolation { field, description, .. }| Violation { field, description })
        .collect()
}

/// When the call may be made again, if the error says so.
pub fn retry_after_of(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use super::*;

    #[test]
    fn a_problem_arrives_with_all_that_it_said() {
        let status = Problem::new(Code::NotFound, "orders", "REASON_ORDER_NOT_FOUND", "no such order")
            .with("order", 7)
            .field("order_id", "is unknown")
            .retry_after(Duration::from_millis(1_500))
            .status();

        assert_eq!((status.code(), status.message()), (Code::NotFound, "no such order"));
        assert_eq!(reason_of(&status), Some(("orders.shop".to_owned(), "ORDER_NOT_FOUND".to_owned())));
        assert_eq!(metadata_of(&status)["order"], "7");
        assert_eq!(violations_of(&status)[0].field, "order_id");
        assert_eq!(retry_after_of(&status), Some(Duration::from_millis(1_500)));
    }

    #[test]
    fn a_fault_of_ours_says_nothing_of_its_cause() {
        #[derive(Debug, thiserror::Error)]
        #[error("the row of jane@example.com is broken")]
        struct Broken(#[source] std::io::Error);

        let broken = Broken(std::io::Error::other("/var/lib/shop"));
        let status = Problem::internal(&broken).status();

        assert_eq!(chain(&broken), "the row of jane@example.com is broken: /var/lib/shop");
        assert_eq!((status.code(), status.message()), (Code::Internal, "internal error"));
        assert!(!format!("{status:?}").contains("jane"));
        assert_eq!(reason_of(&status), Some(("shop".to_owned(), "INTERNAL".to_owned())));
    }

    #[test]
    fn the_errors_of_the_common_words_have_their_reasons() {
        let reason = |problem: Problem| {
            let status = problem.status();
            (status.code(), reason_of(&status).unwrap().1)
        };

        assert_eq!(reason(RequestError::Invalid.into()), (Code::InvalidArgument, "INVALID_FIELDS".into()));
        assert_eq!(reason(RequestError::Reused.into()), (Code::InvalidArgument, "REQUEST_ID_REUSED".into()));
        assert_eq!(reason(RequestError::InProgress.into()), (Code::Aborted, "REQUEST_IN_PROGRESS".into()));
        assert_eq!(reason(PageError::Size.into()), (Code::InvalidArgument, "INVALID_FIELDS".into()));
        assert_eq!(reason(PageError::Token.into()), (Code::InvalidArgument, "PAGE_TOKEN_INVALID".into()));
        assert_eq!(reason(Problem::etag_mismatch()), (Code::Aborted, "ETAG_MISMATCH".into()));
    }

    #[test]
    fn an_error_that_is_none_of_ours_has_no_reason() {
        let status = Status::not_found("somewhere else");

        assert_eq!(reason_of(&status), None);
        assert_eq!(retry_after_of(&status), None);
        assert!(violations_of(&status).is_empty() && metadata_of(&status).is_empty());
    }
}
