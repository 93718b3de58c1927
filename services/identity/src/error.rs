//! Everything that identity can answer besides yes.

use std::time::Duration;

use kit::{PageError, RequestError};
use mesh::tokens::UnusableSeed;
use sea_orm::DbErr;
use sealing::SealError;

use crate::domain::Refusal;
use crate::domain::password::Weakness;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the password {weakness}")]
    PasswordWeak { field: &'static str, weakness: Weakness },
    #[error("the address or the password is wrong")]
    CredentialsWrong,
    #[error("there were too many failures; try again later")]
    LoginThrottled(Duration),
    #[error("the session is over; log in again")]
    SessionRevoked,
    #[error("there is no such session")]
    SessionNotFound,
    #[error("there is no such account")]
    AccountNotFound,
    #[error("there is no such address in the address book")]
    AddressNotFound,
    #[error("the link is unknown, used or expired; ask for a new one")]
    TokenNotUsable,
    #[error("this e-mail address has an account")]
    EmailTaken,
    #[error("the account has changed since it was read")]
    Conflict,
    #[error("sign in to do this")]
    SignInRequired,
    /// More is asked than can be worked on: passwords to hash, or mails to write.
    #[error("too many people ask for this at the moment")]
    Overloaded,
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Page(#[from] PageError),
    #[error("the store failed")]
    Storage(#[from] DbErr),
    #[error("a mail cannot be sealed")]
    Sealing(#[from] SealError),
    #[error("an access token cannot be signed")]
    Signing(#[from] UnusableSeed),
    #[error("there is no key to sign with")]
    NoKey,
    #[error("passwords cannot be hashed")]
    Hashing,
}
