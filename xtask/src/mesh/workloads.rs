//! What runs: a workload for each process, what brings its tables up to date, and the namespaces around them. Everything is
//! the base of `deploy/kubernetes`; overlays say what differs between clusters.

use std::collections::BTreeSet;

use askama::Template;

use super::HEADER;
use super::contract::{Contract, EDGE};
use super::files::Rendered;
use super::linkerd::{BREAKER, DEFAULT_DENY};
use super::network::migration_of;
use super::table::{Process, Table};
use crate::process::Error;

/// Where all of it lies.
pub(crate) const FOLDER: &str = "deploy/kubernetes/base";
/// Places outside the mesh that a proxy must leave alone.
const UNMESHED: [&str; 4] = ["database", "redis", "broker", "smtp"];
/// What whoever reaches a place is told of it: by settings, and by secrets.
const SETTINGS: [(&str, &str); 2] =
    [("collector", "OTEL_EXPORTER_OTLP_ENDPOINT"), ("provider", "SHOP_PROVIDER_URL")];
const KEYS: [(&str, &str); 2] = [("broker", "AMQP_URL"), ("smtp", "SHOP_SMTP_URL")];
/// Where a process finds the files of its Secret, and where it may keep what it can make again.
const SECRETS: &str = "/var/run/secrets/shop";
const DATA: &str = "/var/lib/shop";
/// What pod security calls restricted, and a user of whom no image and no node knows more than the number.
const POD: &str = "{ runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, seccompProfile: { type: RuntimeDefault } }";
const CONTAINER: &str = "{ allowPrivilegeEscalation: false, privileged: false, readOnlyRootFilesystem: true, capabilities: { drop: [ALL] } }";
const RESTRICTED: [(&str, &str); 3] = [
    ("pod-security.kubernetes.io/enforce", "restricted"),
    ("pod-security.kubernetes.io/audit", "restricted"),
    ("pod-security.kubernetes.io/warn", "restricted"),
];

/// One process: its account, its name, its replicas.
#[derive(Template)]
#[template(path = "mesh/process.yaml", escape = "none")]
struct Workload<'a> {
    name: &'a str,
    namespace: &'a str,
    labels: String,
    selector: String,
    /// The port that is called.
    port: (&'static str, u16),
    protocol: &'static str,
    admin: u16,
    breaker: &'static [(&'static str, &'static str)],
    /// Ports that its proxy leaves alone.
    unmeshed: String,
    /// Variables with their values; from the overlay's settings; from the process's own Secret.
    values: Vec<(String, String)>,
    settings: Vec<&'a str>,
    secrets: Vec<String>,
    files: &'a [String],
    folder: Option<&'a str>,
    replicas: [u32; 2],
    cpu: &'a [String; 2],
    memory: &'a [String; 2],
    storage: &'a str,
}

/// A Job for each service with tables.
#[derive(Template)]
#[template(path = "mesh/migration.yaml", escape = "none")]
struct Migrations<'a> {
    namespace: &'a str,
    services: Vec<Migration<'a>>,
    /// Labels of the account of all of them.
    account: String,
}

struct Migration<'a> {
    name: &'a str,
    job: String,
    labels: String,
    variable: String,
}

#[derive(Template)]
#[template(path = "mesh/namespaces.yaml", escape = "none")]
struct Namespaces<'a> {
    namespace: &'a str,
    stores: BTreeSet<&'a str>,
}

#[derive(Template)]
#[template(path = "mesh/base.yaml", escape = "none")]
struct Base<'a> {
    namespace: &'a str,
    resources: Vec<&'a str>,
    collector: String,
}

/// All of the base.
pub(crate) fn render(contract: &Contract, table: &Table) -> Result<Vec<Rendered>, Error> {
    let file = |name: &str| format!("{FOLDER}/{name}.yaml");
    let namespace = table.cluster.namespace.as_str();
    let stores = ["database", "redis", "broker"].map(|place| table.place(place));
    let stores = stores.into_iter().collect::<Result<Vec<_>, _>>()?;
    let stores = stores.into_iter().filter_map(|place| place.namespace.as_deref()).collect();
    let mut rendered = vec![Rendered::new(file("namespaces"), &Namespaces { namespace, stores })?];
    let services = table.reaching("database").map(Migration::new).collect();
    let account = labels("migration", "migration");
    rendered.push(Rendered::new(file("migrations"), &Migrations { namespace, services, account })?);
    for (name, process) in &table.processes {
        rendered.push(Rendered::new(file(name), &workload(contract, table, name, process)?)?);
    }
    let paths: Vec<String> =
        rendered.iter().filter_map(|file| file.path.strip_prefix(FOLDER)).map(below).collect();
    let resources = paths.iter().map(String::as_str).collect();
    let base = Base { namespace, resources, collector: collector(table)? };
    rendered.push(Rendered::new(file("kustomization"), &base)?);
    Ok(rendered)
}

fn below(path: &str) -> String {
    path.trim_start_matches('/').to_owned()
}

fn workload<'a>(
    contract: &Contract,
    table: &'a Table,
    name: &'a str,
    process: &'a Process,
) -> Result<Workload<'a>, Error> {
    let ports = &table.ports;
    let (port, protocol, component, breaker): (_, _, _, &[_]) = match name == EDGE {
        true => (("http", ports.edge), "http", "edge", &[]),
        false => (("grpc", ports.grpc), "kubernetes.io/h2c", "service", &BREAKER),
    };
    let mut unmeshed: BTreeSet<u16> = BTreeSet::new();
    for place in UNMESHED.iter().filter(|place| process.reaches.contains(**place)) {
        unmeshed.extend(&table.place(place)?.ports);
    }
    let unmeshed: Vec<String> = unmeshed.iter().map(ToString::to_string).collect();
    Ok(Workload {
        name,
        namespace: &table.cluster.namespace,
        labels: labels(name, component),
        selector: format!("{{ app.kubernetes.io/name: {name} }}"),
        port,
        protocol,
        admin: ports.admin,
        breaker,
        unmeshed: unmeshed.join(","),
        values: values(contract, table, name, process),
        settings: ["SHOP_LOG"]
            .into_iter()
            .chain(named(&SETTINGS, process))
            .chain(strings(&process.settings))
            .collect(),
        secrets: secrets(name, process),
        files: &process.files,
        folder: process.folder.as_deref(),
        replicas: process.replicas,
        cpu: &process.cpu,
        memory: &process.memory,
        storage: &process.storage,
    })
}

fn named<'a>(variables: &'a [(&str, &'a str)], process: &Process) -> impl Iterator<Item = &'a str> {
    variables.iter().filter(|(place, _)| process.reaches.contains(*place)).map(|(_, variable)| *variable)
}

fn secrets(name: &str, process: &Process) -> Vec<String> {
    let tables = process.reaches.contains("database").then(|| database_url(name));
    let own = strings(&process.secrets);
    tables.into_iter().chain(named(&KEYS, process).chain(own).map(str::to_owned)).collect()
}

/// What a process is told that no cluster decides: how callers are known, where it listens, where others are.
fn values(contract: &Contract, table: &Table, name: &str, process: &Process) -> Vec<(String, String)> {
    let fixed = [("SHOP_PEERS", "linkerd".to_owned()), ("SHOP_LOG_FORMAT", "json".to_owned())];
    let edge =
        [("SHOP_EDGE", format!("0.0.0.0:{}", table.ports.edge)), ("SHOP_PRODUCTION", "true".to_owned())];
    let edge = edge.into_iter().filter(|_| name == EDGE);
    let files = strings(&process.files).map(|file| (file, format!("{SECRETS}/{file}")));
    let folder = process.folder.as_deref().map(|folder| (folder, format!("{DATA}/data")));
    let told = fixed.into_iter().chain(edge).chain(files).chain(folder);
    let told = told.map(|(variable, value)| (variable.to_owned(), value));
    let addresses = contract.called_by(name).into_iter().map(|service| {
        let variable = format!("SHOP_{}_ADDRESS", service.to_uppercase());
        (variable, format!("http://{service}:{}", table.ports.grpc))
    });
    told.chain(addresses).collect()
}

/// Where the collector is, in the words of its place: a Service has the name of its pods.
fn collector(table: &Table) -> Result<String, Error> {
    let place = table.place("collector")?;
    let name = place.pods.get("app.kubernetes.io/name").map_or("collector", String::as_str);
    let namespace = place.namespace.as_deref().unwrap_or(&table.cluster.namespace);
    let port = place.ports.first().copied().unwrap_or_default();
    Ok(format!("http://{name}.{namespace}:{port}"))
}

fn database_url(service: &str) -> String {
    format!("SHOP_{}_DATABASE_URL", service.to_uppercase())
}

fn labels(name: &str, component: &str) -> String {
    format!(
        "{{ app.kubernetes.io/name: {name}, app.kubernetes.io/component: {component}, app.kubernetes.io/part-of: shop }}"
    )
}

fn strings(of: &[String]) -> impl Iterator<Item = &str> {
    of.iter().map(String::as_str)
}

impl<'a> Migration<'a> {
    fn new(name: &'a str) -> Migration<'a> {
        let job = migration_of(name);
        Migration { name, labels: labels(&job, "migration"), job, variable: database_url(name) }
    }
}
