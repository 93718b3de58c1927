//! Policies of Linkerd: who may call what, and how long a call may take. Authorisations are a union, so every one of them
//! is for a route, never for a whole server or namespace. Nothing here repeats a call: the client stack does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use askama::Template;

use super::HEADER;
use super::contract::{Contract, EDGE, Method};
use super::files::Rendered;
use super::table::Table;
use crate::process::Error;

/// Where all of it lies.
pub(crate) const FOLDER: &str = "mesh/linkerd";
/// What a route may hold: of the Gateway API, and what Linkerd's own check adds up.
pub(crate) const MATCHES_OF_RULE_MAX: usize = 64;
pub(crate) const MATCHES_OF_ROUTE_MAX: usize = 128;
/// A stream may be silent for as long as its connection may live: five minutes, and ten more to end (`shop serve`). Keep-alives
/// of HTTP/2 do not count, since they end at the next proxy.
const IDLE_TIME_MAX: Duration = Duration::from_secs(15 * 60);

/// One `Server`, and all routes to a service.
#[derive(Template)]
#[template(path = "mesh/service.yaml", escape = "none")]
struct Service<'a> {
    service: &'a str,
    namespace: &'a str,
    port: u16,
    inbound: Vec<Inbound<'a>>,
    outbound: Vec<Outbound<'a>>,
}

/// The methods that a set of callers may use.
struct Inbound<'a> {
    name: String,
    callers: String,
    rules: Vec<Vec<&'a Method>>,
}

/// The methods that may take as long as each other.
struct Outbound<'a> {
    name: String,
    annotation: &'static str,
    time: String,
    rules: Vec<Vec<&'a Method>>,
}

/// Service accounts, a name for each set of them that a route needs.
#[derive(Template)]
#[template(path = "mesh/callers.yaml", escape = "none")]
struct Callers<'a> {
    namespace: &'a str,
    sets: BTreeMap<String, Vec<(&'a str, &'a str)>>,
}

/// What is asked of every process besides calls.
#[derive(Template)]
#[template(path = "mesh/admin.yaml", escape = "none")]
struct Admin<'a> {
    namespace: &'a str,
    nodes: &'a [String],
    prometheus: (&'a str, &'a str),
}

/// The public port.
#[derive(Template)]
#[template(path = "mesh/edge.yaml", escape = "none")]
struct Edge<'a> {
    edge: &'a str,
    namespace: &'a str,
    requests_per_second_max: u32,
}

#[derive(Template)]
#[template(path = "mesh/kustomization.yaml", escape = "none")]
struct Kustomization<'a> {
    resources: Vec<&'a str>,
}

/// All policies.
pub(crate) fn render(contract: &Contract, table: &Table) -> Result<Vec<Rendered>, Error> {
    let namespace = table.cluster.namespace.as_str();
    let file = |name: &str| format!("{FOLDER}/{name}.yaml");
    let mut rendered = Vec::new();
    for service in contract.services() {
        let template = Service {
            service,
            namespace,
            port: table.ports.grpc,
            inbound: inbound(contract, table, service),
            outbound: outbound(contract, service),
        };
        rendered.push(Rendered::new(file(&format!("services/{service}")), &template)?);
    }
    let sets = contract.methods.iter().map(|method| {
        let accounts = method.callers.iter().map(|caller| table.account(caller)).collect();
        (set_name(&method.callers, table), accounts)
    });
    rendered.push(Rendered::new(file("callers"), &Callers { namespace, sets: sets.collect() })?);
    let prometheus = table.place("prometheus")?;
    let prometheus = prometheus.account.as_deref().zip(prometheus.namespace.as_deref());
    let prometheus =
        prometheus.ok_or_else(|| Error::Refused("prometheus has no account in the mesh".to_owned()))?;
    let admin = Admin { namespace, nodes: &table.cluster.nodes, prometheus };
    rendered.push(Rendered::new(file("admin"), &admin)?);
    let requests_per_second_max = table.cluster.edge_requests_per_second_max;
    rendered.push(Rendered::new(file("edge"), &Edge { edge: EDGE, namespace, requests_per_second_max })?);
    Ok(rendered)
}

/// The list of everything that is rendered below the folder.
pub(crate) fn kustomization(rendered: &[Rendered]) -> Result<Rendered, Error> {
    let below = |file: &'_ Rendered| {
        file.path.strip_prefix(FOLDER).map(|path| path.trim_start_matches('/').to_owned())
    };
    let paths: Vec<String> = rendered.iter().filter_map(below).collect();
    let template = Kustomization { resources: paths.iter().map(String::as_str).collect() };
    Rendered::new(format!("{FOLDER}/kustomization.yaml"), &template)
}

/// What one proxy knows of another service that fails: it is left alone for a while after so many failures in a row.
/// PERMISSION_DENIED counts as one, so the client stack asks the rule before it sends.
pub(crate) const BREAKER: [(&str, &str); 4] = [
    ("balancer.linkerd.io/failure-accrual", "consecutive"),
    ("balancer.linkerd.io/failure-accrual-consecutive-max-failures", "7"),
    ("balancer.linkerd.io/failure-accrual-consecutive-min-penalty", "1s"),
    ("balancer.linkerd.io/failure-accrual-consecutive-max-penalty", "60s"),
];

/// What the namespace says of every port that no `Server` selects.
pub(crate) const DEFAULT_DENY: (&str, &str) = ("config.linkerd.io/default-inbound-policy", "deny");

fn inbound<'a>(contract: &'a Contract, table: &Table, service: &str) -> Vec<Inbound<'a>> {
    let mut sets: BTreeMap<&BTreeSet<String>, Vec<&Method>> = BTreeMap::new();
    for method in contract.of_service(service) {
        sets.entry(&method.callers).or_default().push(method);
    }
    let routes = sets.into_iter().flat_map(|(callers, methods)| {
        let callers = set_name(callers, table);
        let name = format!("{service}-for-{callers}");
        split(name, methods).into_iter().map(move |(name, rules)| Inbound {
            name,
            callers: callers.clone(),
            rules,
        })
    });
    routes.collect()
}

fn outbound<'a>(contract: &'a Contract, service: &str) -> Vec<Outbound<'a>> {
    let mut times: BTreeMap<Option<Duration>, Vec<&Method>> = BTreeMap::new();
    for method in contract.of_service(service) {
        times.entry(method.timeout).or_default().push(method);
    }
    let routes = times.into_iter().flat_map(|(timeout, methods)| {
        let (name, annotation, time) = match timeout {
            Some(timeout) => {
                (format!("within-{}", text(timeout)), "timeout.linkerd.io/request", text(timeout))
            }
            None => ("streams".to_owned(), "timeout.linkerd.io/idle", text(IDLE_TIME_MAX)),
        };
        split(format!("{service}-{name}"), methods).into_iter().map(move |(name, rules)| Outbound {
            name,
            annotation,
            time: time.clone(),
            rules,
        })
    });
    routes.collect()
}

/// As many routes as the limits ask for, usually one, each with as many rules as they ask for, usually one.
fn split(name: String, methods: Vec<&Method>) -> Vec<(String, Vec<Vec<&Method>>)> {
    let routes = methods.chunks(MATCHES_OF_ROUTE_MAX).enumerate().map(|(at, methods)| {
        let name = if at == 0 { name.clone() } else { format!("{name}-{}", at + 1) };
        (name, methods.chunks(MATCHES_OF_RULE_MAX).map(<[_]>::to_vec).collect())
    });
    routes.collect()
}

/// A name for a set of callers: who they are, or who is not one of them.
fn set_name(callers: &BTreeSet<String>, table: &Table) -> String {
    let others: Vec<&str> =
        table.processes.keys().filter(|name| !callers.contains(*name)).map(String::as_str).collect();
    match others[..] {
        [other] if callers.len() + 1 == table.processes.len() => format!("all-but-{other}"),
        _ => callers.iter().map(|caller| caller.replace(':', "-")).collect::<Vec<_>>().join("-"),
    }
}

/// `5s` or `800ms`, as Linkerd reads it.
fn text(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{}s", time.as_secs()),
        _ => format!("{}ms", time.as_millis()),
    }
}
