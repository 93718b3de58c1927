//! Where the links of mails lead: pages of the storefront, never what a request said about itself.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// RFC 3986 leaves these as they are.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The address of the storefront. Secrets stand behind `#`, which browsers send nowhere: neither to a server that would
/// log it, nor to the next page as referrer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storefront {
    base: String,
}

/// Not an address that a link can begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an address like https://shop.example, without a query")]
pub struct MalformedStorefront;

impl Storefront {
    /// An address that begins with `http://` or `https://`; a path may follow.
    pub fn parse(text: &str) -> Result<Storefront, MalformedStorefront> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let fits = |rest: &str| {
            !rest.is_empty()
                && !rest.starts_with(['/', ':'])
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte))
        };
        match rest.is_some_and(fits) {
            true => Ok(Storefront { base: text.trim_end_matches('/').to_owned() }),
            false => Err(MalformedStorefront),
        }
    }

    pub(crate) fn verify_email(&self, token: &str) -> String {
        format!("{}/account/verify#token={}", self.base, encoded(token))
    }

    pub(crate) fn reset_password(&self, token: &str) -> String {
        format!("{}/account/reset#token={}", self.base, encoded(token))
    }

    pub(crate) fn recover(&self) -> String {
        format!("{}/account/recover", self.base)
    }

    /// An order: for a guest with the capability to see it.
    pub(crate) fn order(&self, id: &str, token: &str) -> String {
        match token {
            "" => format!("{}/account/orders/{}", self.base, encoded(id)),
            token => format!("{}/orders/{}#token={}", self.base, encoded(id), encoded(token)),
        }
    }

    pub(crate) fn product(&self, handle: &str) -> String {
        format!("{}/products/{}", self.base, encoded(handle))
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_link_begins_with_the_storefront_and_nothing_else_can_lead_away() {
        let storefront = Storefront::parse("https://shop.example:8443/gb/").unwrap();

        assert_eq!(storefront.product("a mug"), "https://shop.example:8443/gb/products/a%20mug");
        assert_eq!(storefront.order("o1", ""), "https://shop.example:8443/gb/account/orders/o1");
        assert_eq!(storefront.order("o1", "t"), "https://shop.example:8443/gb/orders/o1#token=t");
        let hostile = storefront.verify_email("\"><script>\r\n../?#");
        assert_eq!(
            hostile,
            "https://shop.example:8443/gb/account/verify#token=%22%3E%3Cscript%3E%0D%0A..%2F%3F%23"
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in
            ["", "shop.example", "ftp://shop.example", "https://", "https:///x", "javascript:alert(1)"]
        {
            assert_eq!(Storefront::parse(text), Err(MalformedStorefront), "{text}");
        }
        for text in ["https://a.example?x=1", "https://a.example#x", "https://a b", "https://u@a.example"] {
            assert_eq!(Storefront::parse(text), Err(MalformedStorefront), "{text}");
        }
    }
}
