//! Who is at the other end of a connection: which service calls. Never what a plain header from outside says.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use http::{HeaderMap, HeaderName};
use proto::rules::METHODS;

use crate::certificates::Certificates;

/// Set by Linkerd's proxy to the identity of the client's proxy. A proxy in front removes what a client wrote there.
const LINKERD_CLIENT: HeaderName = HeaderName::from_static("l5d-client-id");
/// Somebody that the contract does not know. Only what everybody may call is open to it.
const STRANGER: &str = "a stranger";

/// How a listener learns which service calls.
#[derive(Clone)]
pub enum Peers {
    /// Whoever reaches it is taken for this one. That is what binding it means: never bind it where others reach it.
    Anyone(&'static str),
    /// A proxy of Linkerd stands in front, and says which service account is at the other end. The text is what follows
    /// the account's name: "shop.serviceaccount.identity.linkerd.cluster.local" for those of the namespace "shop".
    Linkerd(String),
    /// Its certificate says so.
    Certified(Certificates),
}

/// The service at the other end of a connection, as its certificate says.
#[derive(Clone, Copy)]
pub(crate) struct Certified(pub(crate) &'static str);

impl Peers {
    /// The workload that sent a request. The header is gone afterwards, whoever had written it.
    pub(crate) fn workload(&self, headers: &mut HeaderMap, certified: Option<&Certified>) -> &'static str {
        let said = headers.remove(LINKERD_CLIENT);
        match self {
            Self::Anyone(workload) => workload,
            Self::Certified(_) => certified.map_or(STRANGER, |certified| certified.0),
            Self::Linkerd(suffix) => {
                let said = said.as_ref().and_then(|said| said.to_str().ok()).unwrap_or_default();
                account(said, suffix).map_or(STRANGER, |name| known(&name))
            }
        }
    }
}

/// The caller whose service account has this identity: of our namespace one of ours, `partner:NAME` where account and namespace
/// have the same other name.
fn account<'a>(identity: &'a str, suffix: &str) -> Option<Cow<'a, str>> {
    let before = |end: &str| identity.strip_suffix(end)?.strip_suffix('.');
    if let Some(name) = before(suffix) {
        return Some(Cow::Borrowed(name));
    }
    let (_, issuer) = suffix.split_once('.')?;
    let (name, namespace) = before(issuer)?.split_once('.')?;
    (name == namespace).then(|| Cow::Owned(format!("partner:{name}")))
}

/// The workload of this name, if the contract knows one.
pub(crate) fn known(name: &str) -> &'static str {
    static WORKLOADS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
        METHODS.iter().flat_map(|method| method.callers.iter().copied().chain([method.service])).collect()
    });
    // "all" is a word of rules, nobody's name.
    WORKLOADS.get(name).filter(|name| **name != "all").copied().unwrap_or(STRANGER)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, missing_docs)]

    use super::*;

    const SUFFIX: &str = "shop.serviceaccount.identity.linkerd.cluster.local";

    fn headers(said: &str) -> HeaderMap {
        HeaderMap::from_iter([(LINKERD_CLIENT, said.parse().unwrap())])
    }

    #[test]
    fn behind_a_proxy_the_service_account_is_the_caller() {
        let peers = Peers::Linkerd(SUFFIX.to_owned());
        let seen = |said: &str| peers.workload(&mut headers(said), None);

        assert_eq!(seen(&format!("orders.{SUFFIX}")), "orders");
        for forged in [
            String::new(),
            "orders".to_owned(),
            format!("all.{SUFFIX}"),
            format!("unknown.{SUFFIX}"),
            format!("orders{SUFFIX}"),
            format!("orders.other{SUFFIX}"),
            "orders.other.serviceaccount.identity.linkerd.cluster.local".to_owned(),
            format!("orders.{SUFFIX}.evil.example"),
        ] {
            assert_eq!(seen(&forged), STRANGER, "{forged}");
        }
        assert_eq!(peers.workload(&mut HeaderMap::new(), None), STRANGER);
    }

    #[test]
    fn a_partner_has_an_account_of_its_own_name_in_a_namespace_of_its_own_name() {
        let seen = |account: &str, namespace: &str| {
            let identity = format!("{account}.{namespace}.serviceaccount.identity.linkerd.cluster.local");
            super::account(&identity, SUFFIX).map(Cow::into_owned)
        };

        assert_eq!(seen("orders", "shop").as_deref(), Some("orders"));
        assert_eq!(seen("acme", "acme").as_deref(), Some("partner:acme"));
        for (account, namespace) in [("orders", "acme"), ("acme", "acme.acme"), ("", "acme"), ("acme", "")] {
            assert_eq!(seen(account, namespace), None, "{account} of {namespace}");
        }
    }

    #[test]
    fn without_a_proxy_its_header_says_nothing_and_goes_no_further() {
        let mut forged = headers(&format!("orders.{SUFFIX}"));

        let seen = Peers::Anyone("gateway").workload(&mut forged, None);

        assert_eq!(seen, "gateway");
        assert!(forged.is_empty());
    }
}
