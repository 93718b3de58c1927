//! Who asks, read off a request: a bearer token, or what a browser carries.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, USER_AGENT};
use mesh::context::CallRecord;
use mesh::tokens::{TokenError, Verifier};

use crate::context::{Capability, Viewer};
use crate::cookies::{self, Name};
use crate::error::{Fault, Problem};
use crate::rates::Payer;

/// Longer descriptions of a client are cut: it is told to identity and kept there.
const USER_AGENT_LENGTH_MAX: usize = 200;

/// Who asks. A bearer token that is not good is refused; a cookie that is not good is as none, because nobody chose to
/// send it.
pub(crate) async fn of(
    headers: &HeaderMap,
    address: String,
    verifier: &Verifier,
    secure: bool,
) -> Result<Viewer, Fault> {
    let mut viewer = Viewer { address, user_agent: user_agent(headers), ..Viewer::default() };
    if let Some(token) = bearer(headers)? {
        return sign_in(viewer, &token, verifier).await;
    }
    let capability = |name| cookies::get(headers, name, secure).and_then(Capability::from_cookie);
    viewer.cart = capability(Name::Cart);
    viewer.checkout = capability(Name::Checkout);
    viewer.refresh = cookies::get(headers, Name::Refresh, secure).map(str::to_owned);
    let Some(token) = cookies::get(headers, Name::Access, secure) else {
        return Ok(viewer);
    };
    match admit(&mut viewer, token, verifier).await {
        Err(TokenError::KeysUnavailable(_)) => Err(keys_unavailable()),
        Ok(()) | Err(_) => Ok(viewer),
    }
}

/// The same viewer, signed in by a token that was chosen to be sent.
pub(crate) async fn sign_in(mut viewer: Viewer, token: &str, verifier: &Verifier) -> Result<Viewer, Fault> {
    match admit(&mut viewer, token, verifier).await {
        Ok(()) => Ok(viewer),
        Err(TokenError::KeysUnavailable(_)) => Err(keys_unavailable()),
        Err(error) => Err(Fault::of(Problem::Unauthenticated, format!("{error}."))),
    }
}

async fn admit(viewer: &mut Viewer, token: &str, verifier: &Verifier) -> Result<(), TokenError> {
    viewer.user = Some(verifier.verify(token).await?);
    viewer.token = Some(token.into());
    Ok(())
}

impl Viewer {
    /// The same viewer, whose calls are written down.
    pub(crate) fn recorded(mut self, wanted: bool) -> Self {
        self.record = wanted.then(CallRecord::new);
        self
    }

    /// Who shares a bucket of the rate limit and a number of sockets: the account, or else the address.
    pub(crate) fn payer(&self) -> Payer {
        match &self.user {
            Some(user) => Payer::Account(user.account),
            None => Payer::Address(self.address.clone()),
        }
    }

    /// How long the token is good from now.
    pub(crate) fn good_for(&self) -> Option<Duration> {
        let token = self.token.as_deref()?;
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
        let left = claims.get("exp")?.as_i64()? - kit::Clock::system().now().timestamp();
        Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
    }
}

fn keys_unavailable() -> Fault {
    Fault::of(Problem::Unavailable, "Who you are cannot be checked at the moment.")
}

fn bearer(headers: &HeaderMap) -> Result<Option<Arc<str>>, Fault> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let token = value.to_str().ok().and_then(bearer_token);
    let token = token.ok_or_else(|| {
        Fault::of(Problem::Unauthenticated, "The authorization header is not `Bearer` and a token.")
    })?;
    Ok(Some(token.into()))
}

/// The token of an authorization header.
pub(crate) fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn user_agent(headers: &HeaderMap) -> String {
    let text = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    text.unwrap_or_default().chars().take(USER_AGENT_LENGTH_MAX).collect()
}
