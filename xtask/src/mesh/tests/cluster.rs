//! What a cluster with these objects lets happen: Linkerd's routes and authorisations, and NetworkPolicies, each in its
//! own semantics. It knows nothing of how the objects are made.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::objects::{
    Authorization, Door, Labels, Match, MeshTls, MethodMatch, Network, NetworkPolicy, Networks, Object, Peer,
    RateLimit, Reference, Route, Server,
};

/// Where a proxy takes what comes from other proxies.
pub(super) const PROXY: (&str, u16) = ("TCP", 4143);

/// Somebody who connects, or is connected to: a pod, or an address without one.
#[derive(Clone, Debug)]
pub(super) struct Party {
    pub(super) name: String,
    /// Its namespace and labels, if it is a pod.
    pub(super) pod: Option<(String, Labels)>,
    /// Its service account, if it is in the mesh.
    pub(super) account: Option<(String, String)>,
    pub(super) address: Ipv4Addr,
}

/// The objects by kind.
pub(super) struct Cluster {
    servers: Vec<(Object, Server)>,
    /// By what they are routes to: kind and name.
    routes: BTreeMap<(String, String), Vec<(Object, Route)>>,
    authorizations: Vec<(Object, Authorization)>,
    accounts: Vec<(Object, MeshTls)>,
    networks: Vec<(Object, Networks)>,
    rates: Vec<(Object, RateLimit)>,
    policies: Vec<(Object, NetworkPolicy)>,
}

impl Cluster {
    pub(super) fn of(objects: &[Object]) -> Cluster {
        fn all<T: serde::de::DeserializeOwned>(objects: &[Object], kinds: &[&str]) -> Vec<(Object, T)> {
            let meant = objects.iter().filter(|object| kinds.iter().any(|kind| object.is(kind)));
            meant.map(|object| (object.clone(), object.spec())).collect()
        }
        let mut routes: BTreeMap<(String, String), Vec<(Object, Route)>> = BTreeMap::new();
        for (object, route) in all::<Route>(objects, &["GRPCRoute", "HTTPRoute"]) {
            let [parent] = &route.parent_refs[..] else { panic!("{object:?} has not one parent") };
            let parent = (parent.kind.clone(), parent.name.clone());
            routes.entry(parent).or_default().push((object, route));
        }
        let cluster = Cluster {
            servers: all(objects, &["Server"]),
            routes,
            authorizations: all(objects, &["AuthorizationPolicy"]),
            accounts: all(objects, &["MeshTLSAuthentication"]),
            networks: all(objects, &["NetworkAuthentication"]),
            rates: all(objects, &["HTTPLocalRateLimitPolicy"]),
            policies: all(objects, &["NetworkPolicy"]),
        };
        let judged = cluster.servers.len()
            + cluster.routes.values().map(Vec::len).sum::<usize>()
            + cluster.authorizations.len()
            + cluster.accounts.len()
            + cluster.networks.len()
            + cluster.rates.len()
            + cluster.policies.len();
        assert_eq!(judged, objects.len(), "an object of a kind that nobody judges");
        cluster
    }

    /// How long a call over an open connection may take, in the words of the annotation, if it may be made at all.
    pub(super) fn call(&self, from: &Party, to: &Party, service: &str, method: &str) -> Option<String> {
        let meant = |found: &Match| match &found.method {
            Some(MethodMatch::Grpc(found)) => {
                found.r#type == "Exact" && found.service == service && found.method == method
            }
            _ => false,
        };
        if self.admits(from, to, "grpc", "gRPC", &meant) { self.outbound(to, &meant) } else { None }
    }

    /// May one ask another for a path, at a port of this name and number? Whoever is in the mesh comes to the proxy.
    pub(super) fn asks(&self, from: &Party, to: &Party, (name, number): (&str, u16), path: &str) -> bool {
        let meant = |found: &Match| {
            let get = match &found.method {
                None => true,
                Some(MethodMatch::Http(method)) => method == "GET",
                Some(MethodMatch::Grpc(_)) => false,
            };
            let path = found.path.as_ref().is_some_and(|found| match found.r#type.as_str() {
                "Exact" => found.value == path,
                "PathPrefix" => path.starts_with(&found.value),
                other => panic!("{other}"),
            });
            get && path
        };
        let port = if from.account.is_some() { PROXY } else { ("TCP", number) };
        self.connects(from, to, port) && self.admits(from, to, name, "HTTP/1", &meant)
    }

    /// May one open a connection to another? Both sides must say so.
    pub(super) fn connects(&self, from: &Party, to: &Party, port: (&str, u16)) -> bool {
        self.opens(from, to, port, "Egress") && self.opens(to, from, port, "Ingress")
    }

    /// The most requests in a second at a port, if there is a most.
    pub(super) fn rate(&self, to: &Party, port: &str) -> Option<u32> {
        let (server, _) = self.server(to, port)?;
        let rate = self.rates.iter().find(|(_, rate)| server.is_meant(&rate.target_ref))?;
        Some(rate.1.total.requests_per_second)
    }

    /// A port without a `Server` is closed: the namespace's default.
    fn server(&self, to: &Party, port: &str) -> Option<&(Object, Server)> {
        let (namespace, labels) = to.pod.as_ref()?;
        let mut selecting = self.servers.iter().filter(|(object, server)| {
            object.metadata.namespace == *namespace
                && server.port == port
                && server.pod_selector.selects(labels)
        });
        let found = selecting.next();
        assert!(selecting.next().is_none(), "two Servers for {} at {port}", to.name);
        found
    }

    /// Does the proxy at the other end let it pass? One route must mean it, and one authorisation hold.
    fn admits(
        &self,
        from: &Party,
        to: &Party,
        port: &str,
        protocol: &str,
        meant: &dyn Fn(&Match) -> bool,
    ) -> bool {
        let Some((server, spec)) = self.server(to, port) else { return false };
        assert_eq!((spec.proxy_protocol.as_str(), spec.access_policy.as_str()), (protocol, "deny"));
        let Some(route) = self.inbound(server, meant) else { return false };
        self.authorizations.iter().any(|(object, authorization)| {
            let target = &authorization.target_ref;
            let whole = server.is_meant(target) || target.kind == "Namespace";
            let targeted = whole || route.is_meant(target);
            object.metadata.namespace == server.metadata.namespace
                && targeted
                && authorization.required_authentication_refs.iter().all(|by| self.is_known(from, by))
        })
    }

    /// The limit of the only outbound route that means it, and leads where it says.
    fn outbound(&self, to: &Party, meant: &dyn Fn(&Match) -> bool) -> Option<String> {
        let mut routes = self.routes_to("Service", &to.name).filter_map(|(object, route)| {
            let rule = route.rules.iter().find(|rule| rule.matches.iter().any(meant))?;
            assert!(
                !rule.backend_refs.is_empty()
                    && rule.backend_refs.iter().all(|backend| backend.name == to.name)
            );
            Some(object)
        });
        let route = routes.next()?;
        assert!(routes.next().is_none(), "two routes to {} mean the same", to.name);
        let annotations = route.metadata.annotations.iter();
        let annotations = annotations.map(|(key, value)| format!("{key}: {value}"));
        Some(annotations.collect::<Vec<_>>().join(", "))
    }

    fn routes_to(&self, kind: &str, name: &str) -> impl Iterator<Item = &(Object, Route)> {
        self.routes.get(&(kind.to_owned(), name.to_owned())).into_iter().flatten()
    }

    /// The only inbound route that means it.
    fn inbound(&self, server: &Object, meant: &dyn Fn(&Match) -> bool) -> Option<&Object> {
        let routes = self.routes_to("Server", &server.metadata.name);
        let mut routes =
            routes.filter(|(_, route)| route.rules.iter().any(|rule| rule.matches.iter().any(meant)));
        let (found, route) = routes.next()?;
        assert!(routes.next().is_none(), "two routes of {} mean the same", server.metadata.name);
        assert!(server.is_meant(&route.parent_refs[0]), "{found:?}");
        Some(found)
    }

    fn is_known(&self, from: &Party, by: &Reference) -> bool {
        let account = self.accounts.iter().filter(|(object, _)| object.is_meant(by)).any(|(_, known)| {
            known.identity_refs.iter().any(|identity| {
                let known = (Some(&identity.name), identity.namespace.as_ref());
                let from = from.account.as_ref();
                identity.kind == "ServiceAccount"
                    && known == (from.map(|(name, _)| name), from.map(|(_, namespace)| namespace))
            })
        });
        let networks = self.networks.iter().filter(|(object, _)| object.is_meant(by));
        let network =
            networks.flat_map(|(_, known)| &known.networks).any(|network| network.has(from.address));
        account || network
    }

    /// Does one side open in a direction? A pod that no policy selects is open.
    fn opens(&self, of: &Party, to: &Party, port: (&str, u16), direction: &str) -> bool {
        let Some((namespace, labels)) = &of.pod else { return true };
        let mut closed = false;
        for (object, policy) in &self.policies {
            let selected = object.metadata.namespace == *namespace && policy.pod_selector.selects(labels);
            if !selected || !policy.policy_types.iter().any(|kind| kind == direction) {
                continue;
            }
            closed = true;
            let doors = if direction == "Ingress" { &policy.ingress } else { &policy.egress };
            if doors.iter().any(|door| door.leads(namespace, to, port)) {
                return true;
            }
        }
        !closed
    }
}

impl Door {
    fn leads(&self, home: &str, to: &Party, port: (&str, u16)) -> bool {
        let mut ports = self.ports.iter().map(|open| (open.protocol.as_str(), open.port));
        let open = self.ports.is_empty() || ports.any(|open| open == port);
        // None at all means everybody.
        open && (self.peers.is_empty() || self.peers.iter().any(|peer| peer.is(home, to)))
    }
}

impl Peer {
    fn is(&self, home: &str, party: &Party) -> bool {
        if let Some(network) = &self.ip_block {
            return network.has(party.address);
        }
        let Some((namespace, labels)) = &party.pod else { return false };
        let there = match &self.namespace_selector {
            Some(selector) => {
                let name = Labels::from([("kubernetes.io/metadata.name".to_owned(), namespace.clone())]);
                selector.selects(&name)
            }
            None => namespace == home,
        };
        there && self.pod_selector.as_ref().is_none_or(|selector| selector.selects(labels))
    }
}

impl Network {
    fn has(&self, address: Ipv4Addr) -> bool {
        is_in(&self.cidr, address) && !self.except.iter().any(|except| is_in(except, address))
    }
}

/// No party of ours has an address of IPv6.
fn is_in(cidr: &str, address: Ipv4Addr) -> bool {
    let (base, length) = cidr.split_once('/').unwrap();
    let Ok(base) = base.parse::<Ipv4Addr>() else { return false };
    let mask = u32::MAX.checked_shl(32 - length.parse::<u32>().unwrap()).unwrap_or(0);
    u32::from(base) & mask == u32::from(address) & mask
}
