//! Access tokens: who signed in, said by identity, checked by every service without asking it.
//!
//! One algorithm (Ed25519), one type, an audience and an issuer that must be there, minutes of life. Keys come from
//! `identity.ListSigningKeys`; a token that names an unknown one makes the verifier ask again, but never more than
//! once in ten seconds, so that a flood of invented keys costs nobody anything.

mod keys;
mod seen;
mod signing;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use proto::common::Reason;
use serde::{Deserialize, Serialize};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::caller::{Role, User};
use crate::status::Problem;

pub use signing::{SigningPair, UnusableSeed};

use keys::Keys;
use seen::Seen;

/// Who gives access tokens.
pub const ISSUER: &str = "shop/identity";
/// Whom they are for.
pub const AUDIENCE: &str = "shop";
/// What a token says it is, so that no other kind of token passes for one.
pub const TYPE: &str = "at+jwt";
/// How far the clocks of two machines may be apart.
pub const LEEWAY: Duration = Duration::from_secs(5);
/// A token that claims a longer life is none of ours.
pub const LIFE_MAX: Duration = Duration::from_secs(10 * 60);
/// Longer text is refused before it is read.
pub const TOKEN_LENGTH_MAX: usize = 4_096;
const KEY_ID_LENGTH_MAX: usize = 64;

/// A public key of access tokens, as identity publishes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// Names the key in the head of a token.
    pub key_id: String,
    /// The raw 32 bytes of the Ed25519 key.
    pub public_key: Vec<u8>,
}

/// What an access token says. The times are whole seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// [`ISSUER`].
    pub iss: String,
    /// [`AUDIENCE`].
    pub aud: String,
    /// The account.
    pub sub: Uuid,
    /// The session.
    pub sid: Uuid,
    /// What the account is.
    pub role: Role,
    /// What a member of staff may do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
    /// When it was given.
    pub iat: u64,
    /// From when it is good.
    pub nbf: u64,
    /// Until when it is good.
    pub exp: u64,
}

impl Claims {
    /// What is to be said of a user from `now` on, for so long (at most [`LIFE_MAX`]).
    pub fn new(user: &User, now: u64, life: Duration) -> Self {
        Self {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user.account,
            sid: user.session,
            role: user.role,
            permissions: user.permissions.clone(),
            iat: now,
            nbf: now,
            exp: now.saturating_add(life.min(LIFE_MAX).as_secs()),
        }
    }

    fn life_is_short(&self) -> bool {
        self.exp.checked_sub(self.nbf).is_some_and(|life| life <= LIFE_MAX.as_secs())
    }
}

impl From<Claims> for User {
    fn from(claims: Claims) -> Self {
        Self { account: claims.sub, session: claims.sid, role: claims.role, permissions: claims.permissions }
    }
}

/// Why a token is not accepted. The words tell its holder no more than what to do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TokenError {
    /// It is no access token at all.
    #[error("the access token is malformed")]
    Malformed,
    /// Its life is over: refresh it.
    #[error("the access token has expired")]
    Expired,
    /// It is not ours, not for us, not yet good, or signed with a key that is gone.
    #[error("the access token is not acceptable")]
    Refused,
    /// Whether it is good cannot be said at the moment.
    #[error("the keys of access tokens cannot be had")]
    KeysUnavailable(#[source] Box<Status>),
}

impl TokenError {
    /// What a caller with such a token is told.
    pub fn status(self) -> Status {
        match self {
            // Logged where they were fetched: not once more for every call that waits for them.
            Self::KeysUnavailable(_) => Problem::not_available("the check of access tokens").status(),
            refused => {
                Problem::common(Code::Unauthenticated, Reason::TokenInvalid, refused.to_string()).status()
            }
        }
    }
}

/// Fetches the present keys, usually by a call of `identity.ListSigningKeys`.
pub type FetchKeys = Arc<dyn Fn() -> BoxFuture<'static, Result<Vec<SigningKey>, Status>> + Send + Sync>;

/// Checks access tokens. Clones share keys and what was found.
#[derive(Clone)]
pub struct Verifier {
    inner: Arc<Inner>,
}

struct Inner {
    keys: Keys,
    seen: Seen,
    validation: Validation,
}

impl Verifier {
    /// A verifier that fetches keys when it first meets a token.
    pub fn new(fetch: FetchKeys) -> Self {
        let verifier = Self::unbound();
        verifier.bind(fetch);
        verifier
    }

    /// A verifier that learns later where keys come from. Identity itself stands behind a stack that verifies tokens,
    /// so in one process the verifier is there before whoever gives it keys.
    pub fn unbound() -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY.as_secs();
        Self { inner: Arc::new(Inner { keys: Keys::default(), seen: Seen::default(), validation }) }
    }

    /// Says where keys come from; only the first word counts.
    pub fn bind(&self, fetch: FetchKeys) {
        self.inner.keys.bind(fetch);
    }

    /// Fetches the keys now, so that the first token does not wait for them.
    pub async fn warm(&self) -> Result<(), TokenError> {
        self.inner.keys.refresh().await
    }

    /// Who the holder of a token is.
    pub async fn verify(&self, token: &str) -> Result<Arc<User>, TokenError> {
        if let Some(user) = self.known(token) {
            return Ok(user);
        }
        let key_id = key_id(token)?;
        let (key, generation) = self.inner.keys.get(&key_id).await?;
        let claims =
            decode::<Claims>(token, &key, &self.inner.validation).map_err(|error| refused(&error))?.claims;
        if !claims.life_is_short() {
            return Err(TokenError::Refused);
        }
        let expires = claims.exp;
        let user = Arc::new(User::from(claims));
        self.inner.seen.keep(token, user.clone(), expires, generation);
        Ok(user)
    }

    /// The same without waiting, for a token that was verified a moment ago and is still good. The signature of one
    /// token would otherwise be checked at every hop of every call of a page.
    pub fn known(&self, token: &str) -> Option<Arc<User>> {
        self.inner.seen.find(token, self.inner.keys.generation())
    }
}

/// The key that a token names, if its head is exactly what ours are.
fn key_id(token: &str) -> Result<String, TokenError> {
    if token.len() > TOKEN_LENGTH_MAX {
        return Err(TokenError::Malformed);
    }
    let header = decode_header(token).map_err(|_| TokenError::Malformed)?;
    let key_id = header.kid.clone().unwrap_or_default();
    // Everything in the head is the sender's word, so a head that says more than ours do is refused: a key of its
    // own, a place to fetch one, an extension that would have to be understood.
    let ours =
        Header { typ: Some(TYPE.to_owned()), kid: Some(key_id.clone()), ..Header::new(Algorithm::EdDSA) };
    if header != ours || key_id.is_empty() || key_id.len() > KEY_ID_LENGTH_MAX {
        return Err(TokenError::Refused);
    }
    Ok(key_id)
}

fn refused(error: &jsonwebtoken::errors::Error) -> TokenError {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::ExpiredSignature => TokenError::Expired,
        ErrorKind::Json(_) | ErrorKind::Base64(_) | ErrorKind::Utf8(_) | ErrorKind::InvalidToken => {
            TokenError::Malformed
        }
        _ => TokenError::Refused,
    }
}
