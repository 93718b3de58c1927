//! Linkerd's word for who is at the other end of a connection.

use std::borrow::Cow;

use http::HeaderName;

/// Set by Linkerd's proxy to the identity of the client's proxy. A proxy in front removes what a client wrote there.
pub(crate) const CLIENT: HeaderName = HeaderName::from_static("l5d-client-id");

/// The caller whose service account has this identity, where `ours` is what follows the account in those of our namespace:
/// one of ours by its name, `partner:NAME` where account and namespace have the same other name.
pub(crate) fn caller<'a>(identity: &'a str, ours: &str) -> Option<Cow<'a, str>> {
    let (home, issuer) = ours.split_once('.')?;
    let (name, namespace) = identity.strip_suffix(issuer)?.strip_suffix('.')?.split_once('.')?;
    match namespace == home {
        true => Some(Cow::Borrowed(name)),
        false => (name == namespace).then(|| Cow::Owned(format!("partner:{name}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partner_has_an_account_of_its_own_name_in_a_namespace_of_its_own_name() {
        let seen = |account: &str, namespace: &str| {
            let identity = format!("{account}.{namespace}.serviceaccount.identity.linkerd.cluster.local");
            caller(&identity, "shop.serviceaccount.identity.linkerd.cluster.local").map(Cow::into_owned)
        };

        assert_eq!(seen("orders", "shop").as_deref(), Some("orders"));
        assert_eq!(seen("acme", "acme").as_deref(), Some("partner:acme"));
        for (account, namespace) in
            [("orders", "acme"), ("acme", "acme.acme"), ("acme.acme", "acme"), ("", "acme"), ("acme", "")]
        {
            assert_eq!(seen(account, namespace), None, "{account} of {namespace}");
        }
    }
}
