//! Who is at the other end of a connection: which service calls. Never what a plain header from outside says.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use http::HeaderMap;
use proto::rules::METHODS;

use crate::certificates::Certificates;
use crate::serve::linkerd;

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
        let said = headers.remove(linkerd::CLIENT);
        match self {
            Self::Anyone(workload) => workload,
            Self::Certified(_) => certified.map_or(STRANGER, |certified| certified.0),
            Self::Linkerd(suffix) => {
                let said = said.as_ref().and_then(|said| said.to_str().ok()).unwrap_or_default();
                linkerd::caller(said, suffix).map_or(STRANGER, |name| known(&name))
            }
        }
    }
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
        HeaderMap::from_iter([(linkerd::CLIENT, said.parse().unwrap())])
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
    fn without_a_proxy_its_header_says_nothing_and_goes_no_further() {
        let mut forged = headers(&format!("orders.{SUFFIX}"));

        let seen = Peers::Anyone("gateway").workload(&mut forged, None);

        assert_eq!(seen, "gateway");
        assert!(forged.is_empty());
    }
}
