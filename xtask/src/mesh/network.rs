//! NetworkPolicies: who may open a connection to whom, for every edge of the graph and every store. Calls arrive at the
//! proxy, which judges their methods; stores have no proxy, so this is their wall.

use std::collections::BTreeMap;

use askama::Template;

use super::HEADER;
use super::contract::{Contract, EDGE, PARTNER};
use super::files::Rendered;
use super::linkerd::FOLDER;
use super::table::{Place, Table};
use crate::process::Error;

/// Where a proxy takes what comes from other proxies, and where it tells of itself.
const PROXY: u16 = 4143;
const PROXY_ADMIN: u16 = 4191;
/// The label by which pods are told apart.
const NAME: &str = "app.kubernetes.io/name";

#[derive(Template)]
#[template(path = "mesh/network.yaml", escape = "none")]
struct Policies {
    policies: Vec<Policy>,
}

/// One NetworkPolicy. A direction without a rule is closed.
struct Policy {
    /// Why, for whoever reads it.
    why: String,
    name: String,
    namespace: String,
    /// Labels of the pods it is for; all pods where there are none.
    pods: Labels,
    /// None where the direction is not this policy's business.
    ingress: Option<Vec<Allow>>,
    egress: Option<Vec<Allow>>,
}

/// One half of a policy, in the words of YAML.
struct Direction<'a> {
    kind: &'static str,
    key: &'static str,
    side: &'static str,
    allowed: Vec<&'a Allow>,
}

/// A door: to or from these, at these ports.
struct Allow {
    peers: Vec<Peer>,
    ports: Vec<(&'static str, u16)>,
}

/// Pods of a namespace (of the policy's own where there is none), or a network.
enum Peer {
    Pods { namespace: Option<String>, labels: Labels },
    Network { network: String, except: Vec<String> },
}

/// Labels as YAML's short form writes them.
struct Labels(BTreeMap<String, String>);

/// All policies.
pub(crate) fn render(contract: &Contract, table: &Table) -> Result<Vec<Rendered>, Error> {
    let file = |name: &str| format!("{FOLDER}/network/{name}.yaml");
    let mut rendered = vec![Rendered::new(file("default"), &Policies { policies: vec![deny(table)] })?];
    for name in table.processes.keys() {
        let mut policies = vec![process(contract, table, name)?];
        if reaches(table, name, "database") {
            policies.push(migration(table, name)?);
        }
        rendered.push(Rendered::new(file(name), &Policies { policies })?);
    }
    rendered.push(Rendered::new(file("stores"), &Policies { policies: stores(table)? })?);
    Ok(rendered)
}

fn deny(table: &Table) -> Policy {
    Policy {
        why: "Nothing goes in or out of a pod unless another policy says so.".to_owned(),
        name: "default".to_owned(),
        namespace: table.cluster.namespace.clone(),
        pods: Labels(BTreeMap::new()),
        ingress: Some(Vec::new()),
        egress: Some(Vec::new()),
    }
}

fn process(contract: &Contract, table: &Table, name: &str) -> Result<Policy, Error> {
    let mut ingress = Vec::new();
    let callers = contract.callers_of(name);
    if !callers.is_empty() {
        let peers = callers.into_iter().map(caller).collect();
        ingress.push(Allow { peers, ports: tcp([PROXY]) });
    }
    if name == EDGE {
        let peers = Peer::of(table.place("ingress")?);
        ingress.push(Allow { peers, ports: tcp([PROXY, table.ports.edge]) });
    }
    // In the mesh Prometheus comes to the proxy; the kubelet comes to the port itself.
    let prometheus = Peer::of(table.place("prometheus")?);
    ingress.push(Allow { peers: prometheus, ports: tcp([PROXY, table.ports.admin, PROXY_ADMIN]) });
    let nodes = table.cluster.nodes.iter();
    let nodes = nodes.map(|network| Peer::Network { network: network.clone(), except: Vec::new() });
    ingress.push(Allow { peers: nodes.collect(), ports: tcp([table.ports.admin, PROXY_ADMIN]) });

    let mut egress = vec![dns(table)?];
    for place in ["linkerd-identity", "linkerd-destination"] {
        egress.push(Allow::to(table.place(place)?));
    }
    let called = contract.called_by(name);
    if !called.is_empty() {
        egress.push(Allow { peers: called.into_iter().map(pods).collect(), ports: tcp([PROXY]) });
    }
    for place in table.processes.get(name).into_iter().flat_map(|process| &process.reaches) {
        egress.push(match place.as_str() {
            "database" => database(table, name)?,
            place => Allow::to(table.place(place)?),
        });
    }
    Ok(Policy {
        why: format!("Whom {name} hears, and whom it may speak to."),
        name: name.to_owned(),
        namespace: table.cluster.namespace.clone(),
        pods: Labels::name(name),
        ingress: Some(ingress),
        egress: Some(egress),
    })
}

/// The job that brings the tables of a service up to date has no proxy, and needs nothing but the tables.
fn migration(table: &Table, service: &str) -> Result<Policy, Error> {
    let name = migration_of(service);
    Ok(Policy {
        why: format!("What brings the tables of {service} up to date reaches them and nothing else."),
        pods: Labels::name(&name),
        name,
        namespace: table.cluster.namespace.clone(),
        ingress: Some(Vec::new()),
        egress: Some(vec![dns(table)?, database(table, service)?]),
    })
}

/// The other side of the stores that are pods: they hear those who may reach them, and each other. Who runs them adds what
/// they need besides.
fn stores(table: &Table) -> Result<Vec<Policy>, Error> {
    let mut policies = Vec::new();
    for service in table.reaching("database") {
        let from = [service.to_owned(), migration_of(service)];
        let pods = Labels::one(&database_label(service), "true");
        policies.extend(store(table, "database", format!("database-{service}"), pods, &from)?);
    }
    for place in ["redis", "broker"] {
        let from: Vec<String> = table.reaching(place).map(str::to_owned).collect();
        let pods = Labels(table.place(place)?.pods.clone());
        policies.extend(store(table, place, place.to_owned(), pods, &from)?);
    }
    Ok(policies)
}

/// Nothing for a store outside the cluster.
fn store(
    table: &Table,
    place: &str,
    name: String,
    pods: Labels,
    from: &[String],
) -> Result<Option<Policy>, Error> {
    let place = table.place(place)?;
    let Some(namespace) = place.namespace.clone() else { return Ok(None) };
    let clients = from.iter().map(|name| Peer::Pods {
        namespace: Some(table.cluster.namespace.clone()),
        labels: Labels::name(name),
    });
    let replicas = Peer::Pods { namespace: None, labels: Labels(pods.0.clone()) };
    Ok(Some(Policy {
        why: format!("{name} hears {}, and its own replicas.", from.join(", ")),
        name,
        namespace,
        pods,
        ingress: Some(vec![
            Allow { peers: clients.collect(), ports: tcp(place.ports.iter().copied()) },
            Allow { peers: vec![replicas], ports: Vec::new() },
        ]),
        egress: None,
    }))
}

fn dns(table: &Table) -> Result<Allow, Error> {
    let place = table.place("dns")?;
    let ports = place.ports.iter().flat_map(|port| [("UDP", *port), ("TCP", *port)]);
    Ok(Allow { peers: Peer::of(place), ports: ports.collect() })
}

/// The tables of one service, and of no other.
fn database(table: &Table, service: &str) -> Result<Allow, Error> {
    let place = table.place("database")?;
    let mut allow = Allow::to(place);
    for peer in &mut allow.peers {
        if let Peer::Pods { labels, .. } = peer {
            labels.0.insert(database_label(service), "true".to_owned());
        }
    }
    Ok(allow)
}

/// The label of pods that keep the tables of a service.
pub(crate) fn database_label(service: &str) -> String {
    format!("shopmesh.example/database-{service}")
}

/// What the pods are called that bring the tables of a service up to date.
pub(crate) fn migration_of(service: &str) -> String {
    format!("{service}-migrate")
}

fn reaches(table: &Table, name: &str, place: &str) -> bool {
    table.reaching(place).any(|reaching| reaching == name)
}

/// The pods of a process of the shop.
fn pods(name: &str) -> Peer {
    Peer::Pods { namespace: None, labels: Labels::name(name) }
}

/// A partner is all pods of its namespace: a NetworkPolicy knows no service accounts, and the proxy behind it does.
fn caller(name: &str) -> Peer {
    match name.strip_prefix(PARTNER) {
        Some(partner) => Peer::Pods { namespace: Some(partner.to_owned()), labels: Labels(BTreeMap::new()) },
        None => pods(name),
    }
}

fn tcp(ports: impl IntoIterator<Item = u16>) -> Vec<(&'static str, u16)> {
    ports.into_iter().map(|port| ("TCP", port)).collect()
}

impl Policy {
    fn directions(&self) -> Vec<Direction<'_>> {
        let directions =
            [("Ingress", "ingress", "from", &self.ingress), ("Egress", "egress", "to", &self.egress)];
        let directions = directions.into_iter().filter_map(|(kind, key, side, allowed)| {
            // A door for nobody would be written as one for everybody.
            let allowed = allowed.as_ref()?.iter().filter(|allow| !allow.peers.is_empty()).collect();
            Some(Direction { kind, key, side, allowed })
        });
        directions.collect()
    }
}

impl Allow {
    fn to(place: &Place) -> Allow {
        Allow { peers: Peer::of(place), ports: tcp(place.ports.iter().copied()) }
    }
}

impl Peer {
    fn of(place: &Place) -> Vec<Peer> {
        let networks = place.networks.iter();
        let networks =
            networks.map(|network| Peer::Network { network: network.clone(), except: place.except.clone() });
        let pods = place.namespace.iter().map(|namespace| Peer::Pods {
            namespace: Some(namespace.clone()),
            labels: Labels(place.pods.clone()),
        });
        pods.chain(networks).collect()
    }
}

impl Labels {
    fn one(key: &str, value: &str) -> Labels {
        Labels(BTreeMap::from([(key.to_owned(), value.to_owned())]))
    }

    fn name(name: &str) -> Labels {
        Labels::one(NAME, name)
    }
}

impl std::fmt::Display for Labels {
    /// A selector: `{ matchLabels: { app.kubernetes.io/name: "orders" } }`, or all pods.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("{}");
        }
        let labels: Vec<String> = self.0.iter().map(|(key, value)| format!("{key}: {value:?}")).collect();
        write!(formatter, "{{ matchLabels: {{ {} }} }}", labels.join(", "))
    }
}
