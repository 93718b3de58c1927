//! What a browser keeps for the edge, where no script can read it.
//!
//! In production every name has a prefix that browsers enforce: `__Host-` (this host, whole site, TLS only), and
//! `__Secure-` for the refresh token, which is sent to one path only and therefore cannot have the other.

use std::time::Duration;

use async_graphql::Context;
use http::HeaderMap;
use http::header::{COOKIE, SET_COOKIE};
use proto::identity as pb;

use crate::context::{Capability, shared};

/// How long a guest's cart is remembered.
pub(crate) const CART_LIFE: Duration = Duration::from_secs(60 * 24 * 3600);
/// How long a guest's checkout, and the order it became, are remembered.
pub(crate) const CHECKOUT_LIFE: Duration = Duration::from_secs(60 * 24 * 3600);
/// How long a persona of the playground is remembered.
pub(crate) const PERSONA_LIFE: Duration = Duration::from_secs(365 * 24 * 3600);
/// Where browsers send the refresh token, and nowhere else.
pub(crate) const SESSION_PATH: &str = "/graphql/session";
/// Longer values are none of ours.
const VALUE_LENGTH_MAX: usize = 4_096;

/// A cookie of the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Access,
    Refresh,
    Cart,
    Checkout,
    /// Which persona was chosen in the playground; in development only.
    Persona,
}

impl Name {
    pub(crate) fn text(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Name::Access, true) => "__Host-access",
            (Name::Access, false) => "access",
            (Name::Refresh, true) => "__Secure-refresh",
            (Name::Refresh, false) => "refresh",
            (Name::Cart, true) => "__Host-cart",
            (Name::Cart, false) => "cart",
            (Name::Checkout, true) => "__Host-checkout",
            (Name::Checkout, false) => "checkout",
            (Name::Persona, true) => "__Host-persona",
            (Name::Persona, false) => "persona",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Name::Refresh => SESSION_PATH,
            Name::Access | Name::Cart | Name::Checkout | Name::Persona => "/",
        }
    }
}

/// The value of a cookie that came. Of two with the same name the first counts, which is the one of the longer path.
pub(crate) fn get(headers: &HeaderMap, name: Name, secure: bool) -> Option<&str> {
    let wanted = name.text(secure);
    let headers = headers.get_all(COOKIE).into_iter();
    let texts = headers.filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';'));
    pairs.find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == wanted && !value.is_empty() && value.len() <= VALUE_LENGTH_MAX).then_some(value)
    })
}

/// Does the request carry anything that says who somebody is without them doing anything for it?
pub(crate) fn any(headers: &HeaderMap) -> bool {
    headers.contains_key(COOKIE)
}

/// Has the browser keep a value.
pub(crate) fn set(ctx: &Context<'_>, name: Name, value: &str, life: Duration) {
    let secure = shared(ctx).secure_cookies;
    ctx.append_http_header(SET_COOKIE, header(name, value, life, secure));
}

/// Has the browser forget a value.
pub(crate) fn clear(ctx: &Context<'_>, name: Name) {
    set(ctx, name, "", Duration::ZERO);
}

/// Has the browser keep both tokens of a session as long as they are good.
pub(crate) fn set_tokens(ctx: &Context<'_>, tokens: &pb::Tokens) {
    let secure = shared(ctx).secure_cookies;
    for header in token_headers(tokens, secure) {
        ctx.append_http_header(SET_COOKIE, header);
    }
}

/// The headers that hand both tokens to a browser.
pub(crate) fn token_headers(tokens: &pb::Tokens, secure: bool) -> [String; 2] {
    let access = until(tokens.access_expire_time.as_ref());
    let refresh = until(tokens.refresh_expire_time.as_ref());
    [
        header(Name::Access, &tokens.access_token, access, secure),
        header(Name::Refresh, &tokens.refresh_token, refresh, secure),
    ]
}

/// The header that has a browser keep a value; a life of zero has it forget.
pub(crate) fn header(name: Name, value: &str, life: Duration, secure: bool) -> String {
    let suffix = if secure { "; Secure" } else { "" };
    format!(
        "{}={value}; Path={}; Max-Age={}; HttpOnly; SameSite=Lax{suffix}",
        name.text(secure),
        name.path(),
        life.as_secs()
    )
}

fn until(time: Option<&prost_types::Timestamp>) -> Duration {
    let end = time.map_or(0, |time| time.seconds);
    let left = end.saturating_sub(kit::Clock::system().now().timestamp());
    Duration::from_secs(u64::try_from(left).unwrap_or(0))
}

impl Capability {
    pub(crate) fn to_cookie(&self) -> String {
        format!("{}.{}", self.id, self.token)
    }

    pub(crate) fn from_cookie(value: &str) -> Option<Self> {
        let (id, token) = value.split_once('.')?;
        (!id.is_empty() && !token.is_empty()).then(|| Self { id: id.to_owned(), token: token.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn production_names_have_the_prefixes_that_browsers_enforce() {
        let access = header(Name::Access, "v", Duration::from_secs(60), true);
        let refresh = header(Name::Refresh, "v", Duration::from_secs(60), true);

        assert_eq!(access, "__Host-access=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
        assert!(refresh.starts_with("__Secure-refresh=v; Path=/graphql/session;"));
        assert!(refresh.ends_with("HttpOnly; SameSite=Lax; Secure"));
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "a=1; cart=id.token;xcart=no".parse().unwrap());

        assert_eq!(get(&headers, Name::Cart, false), Some("id.token"));
        assert_eq!(get(&headers, Name::Cart, true), None);
        assert_eq!(get(&headers, Name::Access, false), None);
        let held = Capability::from_cookie("id.token").unwrap();
        assert_eq!(held.to_cookie(), "id.token");
        assert_eq!(Capability::from_cookie("id."), None);
    }
}
