//! Who there is in and around a cluster, what they try, and what of it the contract and the table say may be.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::cluster::{Cluster, PROXY, Party};
use super::objects::Labels;
use crate::mesh::contract::Contract;
use crate::mesh::table::Table;

const NAMESPACE: &str = "shop";
/// Methods that nobody may call: one that no contract has, reflection, and one that is misspelt.
const NOBODYS: [(&str, &str); 3] = [
    ("shop.orders.v1.OrdersService", "Haggle"),
    ("grpc.reflection.v1.ServerReflection", "ServerReflectionInfo"),
    ("shop.cart.v1.CartService", "getCart"),
];
/// What is asked besides calls: the port's name and number, and a path.
const QUESTIONS: [((&str, u16), &str); 8] = [
    (("admin", 9091), "/live"),
    (("admin", 9091), "/ready"),
    (("admin", 9091), "/metrics"),
    (("admin", 9091), "/"),
    (("linkerd-admin", 4191), "/live"),
    (("linkerd-admin", 4191), "/ready"),
    (("linkerd-admin", 4191), "/metrics"),
    (("linkerd-admin", 4191), "/shutdown"),
];
const EDGE_PORT: (&str, u16) = ("http", 8080);

/// Everybody.
pub(super) struct Parties {
    /// The processes of the shop.
    processes: Vec<Party>,
    /// The jobs that bring tables up to date.
    migrations: Vec<Party>,
    /// Whoever else is there, and may come from anywhere.
    others: Vec<Party>,
    /// What can be reached besides processes, and at which port.
    stores: Vec<(Party, Vec<(&'static str, u16)>)>,
}

impl Parties {
    pub(super) fn of(contract: &Contract, table: &Table) -> Parties {
        let processes: Vec<Party> = table.processes.keys().map(|name| process(name)).collect();
        let tables = || table.processes.iter().filter(|(_, process)| process.reaches.contains("database"));
        let migrations = tables().map(|(name, _)| {
            let name = format!("{name}-migrate");
            Party { account: None, ..pod(&name, NAMESPACE, &[("app.kubernetes.io/name", &name)]) }
        });
        let mut stores: Vec<(Party, Vec<(&'static str, u16)>)> = tables()
            .map(|(name, _)| {
                let label = format!("shopmesh.example/database-{name}");
                (pod(&format!("database-{name}"), "shop-data", &[(&label, "true")]), vec![("TCP", 5432)])
            })
            .collect();
        let named = |name, namespace, key, value, ports| (pod(name, namespace, &[(key, value)]), ports);
        let (app, linkerd) = ("app.kubernetes.io/name", "linkerd.io/control-plane-component");
        stores.extend([
            named("redis", "shop-data", app, "redis", vec![("TCP", 6379)]),
            named("broker", "shop-data", app, "rabbitmq", vec![("TCP", 5672)]),
            named("collector", "monitoring", app, "opentelemetry-collector", vec![("TCP", 4317)]),
            named("dns", "kube-system", "k8s-app", "kube-dns", vec![("UDP", 53), ("TCP", 53)]),
            named("linkerd-identity", "linkerd", linkerd, "identity", vec![("TCP", 8080)]),
            named(
                "linkerd-destination",
                "linkerd",
                linkerd,
                "destination",
                vec![("TCP", 8086), ("TCP", 8090)],
            ),
            (address("smtp", [203, 0, 113, 25]), vec![("TCP", 587)]),
            (address("provider", [203, 0, 113, 80]), vec![("TCP", 443)]),
            (address("a private network", [192, 168, 0, 9]), vec![("TCP", 587), ("TCP", 443), ("TCP", 5432)]),
        ]);
        let partners = contract.methods.iter().flat_map(|method| &method.callers);
        let partners: BTreeSet<&str> = partners.filter_map(|name| name.strip_prefix("partner:")).collect();
        let mut others = vec![
            // Who begins in the namespace of the shop without a policy of its own, with an account of the namespace.
            meshed(pod("a stranger in shop", NAMESPACE, &[("app", "stranger")]), "default", NAMESPACE),
            // An account of the right name, elsewhere; pods of the right labels, elsewhere.
            meshed(pod("gateway elsewhere", "elsewhere", &[(app, "gateway")]), "gateway", "elsewhere"),
            pod("orders without the mesh elsewhere", "elsewhere", &[(app, "orders")]),
            meshed(pod("prometheus", "monitoring", &[(app, "prometheus")]), "prometheus", "monitoring"),
            pod("the ingress", "ingress", &[]),
            address("a node", [10, 0, 3, 7]),
            address("the internet", [203, 0, 113, 9]),
        ];
        others.extend(partners.into_iter().map(|name| {
            let there = pod(&format!("partner:{name}"), name, &[]);
            meshed(there, name, name)
        }));
        Parties { processes, migrations: migrations.collect(), others, stores }
    }

    fn all(&self) -> impl Iterator<Item = &Party> {
        self.processes.iter().chain(&self.migrations).chain(&self.others)
    }
}

/// Everything that is tried and succeeds, a sentence each.
pub(super) fn happens(
    cluster: &Cluster,
    contract: &Contract,
    table: &Table,
    parties: &Parties,
) -> BTreeSet<String> {
    let mut happens = BTreeSet::new();
    for to in &parties.processes {
        for from in parties.all().filter(|from| from.account.is_some() && cluster.connects(from, to, PROXY)) {
            let methods = contract.of_service(&to.name);
            let methods = methods.map(|method| (method.interface.as_str(), method.name.as_str()));
            for (interface, method) in methods.chain(NOBODYS) {
                if let Some(limit) = cluster.call(from, to, interface, method) {
                    happens.insert(format!("{} calls {} {interface}/{method} ({limit})", from.name, to.name));
                }
            }
        }
        for from in parties.all() {
            for (port, path) in QUESTIONS.into_iter().chain([(EDGE_PORT, "/graphql")]) {
                if cluster.asks(from, to, port, path) {
                    happens.insert(format!("{} asks {} {} {path}", from.name, to.name, port.0));
                }
            }
            // What is not in the mesh would have to connect to the port of calls itself.
            if from.account.is_none() && cluster.connects(from, to, ("TCP", table.ports.grpc)) {
                happens.insert(format!("{} connects to {} past its proxy", from.name, to.name));
            }
        }
        if let Some(rate) = cluster.rate(to, EDGE_PORT.0) {
            happens.insert(format!("{} hears {rate} requests in a second", to.name));
        }
    }
    for (store, ports) in &parties.stores {
        for from in parties.processes.iter().chain(&parties.migrations).chain(&parties.others) {
            for (protocol, port) in ports {
                // Neither side is ours to tell.
                let ours = from.is_in(NAMESPACE) || store.is_in("shop-data");
                if ours && cluster.connects(from, store, (protocol, *port)) {
                    happens.insert(format!("{} reaches {} {protocol} {port}", from.name, store.name));
                }
            }
        }
    }
    happens
}

/// Everything that may be, in the same sentences.
pub(super) fn said(contract: &Contract, table: &Table) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    for method in &contract.methods {
        let limit = match method.timeout {
            Some(time) if time.as_millis() % 1000 != 0 => {
                format!("timeout.linkerd.io/request: {}ms", time.as_millis())
            }
            Some(time) => format!("timeout.linkerd.io/request: {}s", time.as_secs()),
            None => "timeout.linkerd.io/idle: 900s".to_owned(),
        };
        let to = format!("{} {}/{}", method.service, method.interface, method.name);
        said.extend(method.callers.iter().map(|caller| format!("{caller} calls {to} ({limit})")));
    }
    for (name, process) in &table.processes {
        for port in ["admin", "linkerd-admin"] {
            said.insert(format!("a node asks {name} {port} /live"));
            said.insert(format!("a node asks {name} {port} /ready"));
            said.insert(format!("prometheus asks {name} {port} /metrics"));
        }
        let mut reach = |who: &str, what: &[&str]| {
            said.extend(what.iter().map(|what| format!("{who} reaches {what}")));
        };
        reach(name, &["dns UDP 53", "dns TCP 53", "linkerd-identity TCP 8080"]);
        reach(name, &["linkerd-destination TCP 8086", "linkerd-destination TCP 8090"]);
        for place in &process.reaches {
            match place.as_str() {
                "database" => {
                    let database = format!("database-{name} TCP 5432");
                    reach(name, &[&database]);
                    reach(&format!("{name}-migrate"), &[&database, "dns UDP 53", "dns TCP 53"]);
                }
                "redis" => reach(name, &["redis TCP 6379"]),
                "broker" => reach(name, &["broker TCP 5672"]),
                "smtp" => reach(name, &["smtp TCP 587"]),
                "provider" => reach(name, &["provider TCP 443"]),
                "collector" => reach(name, &["collector TCP 4317"]),
                other => panic!("nobody tries to reach {other}"),
            }
        }
    }
    // Prometheus comes to the proxy of the edge for its figures, and the edge is for everybody.
    said.insert("prometheus asks gateway http /graphql".to_owned());
    said.insert("the ingress asks gateway http /graphql".to_owned());
    said.insert(format!("gateway hears {} requests in a second", table.cluster.edge_requests_per_second_max));
    said
}

impl Party {
    fn is_in(&self, namespace: &str) -> bool {
        self.pod.as_ref().is_some_and(|(home, _)| home == namespace)
    }
}

fn process(name: &str) -> Party {
    let labels = [("app.kubernetes.io/name", name), ("app.kubernetes.io/part-of", NAMESPACE)];
    meshed(pod(name, NAMESPACE, &labels), name, NAMESPACE)
}

fn pod(name: &str, namespace: &str, labels: &[(&str, &str)]) -> Party {
    let labels: Labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Party { pod: Some((namespace.to_owned(), labels)), ..address(name, [10, 244, 1, 1]) }
}

fn meshed(party: Party, account: &str, namespace: &str) -> Party {
    Party { account: Some((account.to_owned(), namespace.to_owned())), ..party }
}

fn address(name: &str, address: [u8; 4]) -> Party {
    Party { name: name.to_owned(), pod: None, account: None, address: Ipv4Addr::from(address) }
}
