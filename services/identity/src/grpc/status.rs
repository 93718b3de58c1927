//! What a failure looks like from outside.

use std::time::Duration;

use mesh::status::Problem;
use proto::common::Reason as CommonReason;
use proto::identity::Reason;
use tonic::{Code, Status};

use crate::NAME;
use crate::domain::Refusal;
use crate::error::Error;

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let words = error.to_string();
        let problem = |code, reason: Reason| Problem::new(code, NAME, reason.as_str_name(), words.clone());
        match error {
            Error::Refused(Refusal::PermissionNotHeld) => {
                problem(Code::PermissionDenied, Reason::PermissionNotHeld)
            }
            Error::Refused(Refusal::LastAdmin) => problem(Code::FailedPrecondition, Reason::LastAdmin),
            Error::Refused(Refusal::AddressLimit) => problem(Code::FailedPrecondition, Reason::AddressLimit),
            Error::Refused(Refusal::WishlistLimit) => {
                problem(Code::FailedPrecondition, Reason::WishlistLimit)
            }
            Error::PasswordWeak { field, weakness } => {
                problem(Code::InvalidArgument, Reason::PasswordWeak).field(field, weakness.to_string())
            }
            Error::CredentialsWrong => problem(Code::Unauthenticated, Reason::CredentialsWrong),
            Error::LoginThrottled(left) => {
                problem(Code::ResourceExhausted, Reason::LoginThrottled).retry_after(whole_seconds(left))
            }
            Error::SessionRevoked => problem(Code::Unauthenticated, Reason::SessionRevoked),
            Error::SessionNotFound => problem(Code::NotFound, Reason::SessionNotFound),
            Error::AccountNotFound => problem(Code::NotFound, Reason::AccountNotFound),
            Error::AddressNotFound => problem(Code::NotFound, Reason::AddressNotFound),
            Error::TokenNotUsable => problem(Code::FailedPrecondition, Reason::TokenNotUsable),
            Error::EmailTaken => problem(Code::AlreadyExists, Reason::EmailTaken),
            Error::Conflict => Problem::etag_mismatch(),
            Error::SignInRequired => {
                Problem::common(Code::Unauthenticated, CommonReason::SignInRequired, words)
            }
            Error::Overloaded => Problem::common(Code::ResourceExhausted, CommonReason::Overloaded, words)
                .retry_after(mesh::status::RETRY_AFTER),
            Error::Request(error) => error.into(),
            Error::Page(error) => error.into(),
            Error::Storage(error) => kit::RequestError::Storage(error).into(),
            Error::Sealing(_) | Error::Signing(_) | Error::NoKey | Error::Hashing => {
                Problem::internal(&error)
            }
        }
        .status()
    }
}

/// The exact rest of a window is nobody's business, and a client that comes a moment early is refused again.
fn whole_seconds(left: Duration) -> Duration {
    Duration::from_secs(left.as_secs().saturating_add(1))
}
