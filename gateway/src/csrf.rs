//! Whether a request may use what a browser carries by itself.
//!
//! Every request needs a header that no form can set. One that carries a cookie must also come from the shop's own pages:
//! its `Origin` is the host that was asked or a listed one, and `Sec-Fetch-Site`, where the browser sends it, agrees.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};

use crate::cookies;
use crate::error::{Fault, Problem};

/// The header that every request carries; its value names the client.
pub(crate) const CLIENT_HEADER: &str = "x-shop-client";
const FETCH_SITE: &str = "sec-fetch-site";

/// Refuses what another site may have caused. `authority` is the host of an HTTP/2 request, which has no header for it.
pub(crate) fn check(headers: &HeaderMap, authority: Option<&str>, allowed: &[String]) -> Result<(), Fault> {
    if !headers.contains_key(CLIENT_HEADER) {
        return Err(refused("The header x-shop-client is missing."));
    }
    check_origin(headers, authority, allowed)
}

/// The same for WebSockets, where browsers let nobody set headers: the origin has to say all.
pub(crate) fn check_origin(
    headers: &HeaderMap,
    authority: Option<&str>,
    allowed: &[String],
) -> Result<(), Fault> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = text(FETCH_SITE);
    if site.is_some_and(|site| !matches!(site, "same-origin" | "same-site")) {
        return Err(refused("The request comes from another site."));
    }
    let origin = text(ORIGIN.as_str());
    match origin {
        Some(origin) if is_own(origin, headers, authority, allowed) => Ok(()),
        Some(_) => Err(refused("The request comes from another origin.")),
        // Without an origin it is no page's script; then nothing may be carried along.
        None if cookies::any(headers) => Err(refused("A request with cookies needs an origin.")),
        None => Ok(()),
    }
}

fn is_own(origin: &str, headers: &HeaderMap, authority: Option<&str>, allowed: &[String]) -> bool {
    if allowed.iter().any(|listed| listed == origin) {
        return true;
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let asked = authority.or(host);
    let named = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    named.is_some() && named == asked
}

fn refused(message: &str) -> Fault {
    Fault::of(Problem::Csrf, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use http::HeaderName;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair =
            |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_the_shops_own_pages_use_cookies() {
        let allowed = ["https://shop.example".to_owned()];
        let client = (CLIENT_HEADER, "web");
        let host = ("host", "api.example:8080");
        let cookie = ("cookie", "access=x");
        let table: [(&[(&str, &str)], bool); 10] = [
            (&[host], false),
            (&[client, host], true),
            (&[client, host, cookie], false),
            (&[client, host, cookie, ("origin", "http://api.example:8080")], true),
            (&[client, host, cookie, ("origin", "https://shop.example")], true),
            (&[client, host, cookie, ("origin", "https://shop.example.evil")], false),
            (&[client, host, cookie, ("origin", "null")], false),
            (&[client, host, ("origin", "https://evil.example")], false),
            (
                &[
                    client,
                    host,
                    cookie,
                    ("origin", "http://api.example:8080"),
                    ("sec-fetch-site", "cross-site"),
                ],
                false,
            ),
            (
                &[
                    client,
                    host,
                    cookie,
                    ("origin", "http://api.example:8080"),
                    ("sec-fetch-site", "same-origin"),
                ],
                true,
            ),
        ];

        for (pairs, passes) in table {
            let verdict = check(&headers(pairs), None, &allowed);
            assert_eq!(verdict.is_ok(), passes, "{pairs:?}");
        }
    }
}
