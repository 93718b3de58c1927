//! What must hold of the manifests: each rule answers with a sentence for everything that is otherwise.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::code::{Code, EDGE};
use crate::objects::{Objects, list, name_of, namespace_of, shop, text};
use crate::telling::{number_after_colon, stores, variable};
use crate::{running, telling};

/// The port that the mesh's own proxy adds to a pod.
const PROXY: &str = "linkerd-admin";

type Rule = fn(&Objects, &Code) -> Vec<String>;

const RULES: [Rule; 15] = [
    processes,
    services,
    accounts,
    labels,
    callers,
    selectors,
    telling::settings,
    telling::migrations,
    telling::files,
    running::probes,
    running::drains,
    running::availability,
    running::scaling,
    running::restrictions,
    running::namespaces,
];

/// Everything that is wrong.
pub fn violations(objects: &Objects, code: &Code) -> Vec<String> {
    RULES.iter().flat_map(|rule| rule(objects, code)).collect()
}

/// A sentence if something is not as it must be.
pub fn unless(fine: bool, sentence: impl FnOnce() -> String) -> Option<String> {
    (!fine).then(sentence)
}

/// Every process has a Deployment of its own, which starts it and shows its ports.
fn processes(objects: &Objects, code: &Code) -> Vec<String> {
    let deployed: BTreeSet<&str> = objects.of("Deployment").map(name_of).collect();
    let missing = code.processes.symmetric_difference(&deployed);
    let mut wrong: Vec<String> =
        missing.map(|name| format!("{name} is no Deployment, or no process")).collect();
    for deployment in objects.of("Deployment") {
        let name = name_of(deployment);
        let pod = &deployment["spec"]["template"];
        let container = shop(pod);
        let (call, port) = match name == EDGE {
            true => ("http", number_after_colon(variable(container, "SHOP_EDGE"))),
            false => ("grpc", Some(code.port("SHOP_LISTEN"))),
        };
        let ports = json!([
            { "name": call, "containerPort": port },
            { "name": "admin", "containerPort": code.port("SHOP_ADMIN") },
        ]);
        let scraped = &pod["metadata"]["annotations"];
        let admin = code.port("SHOP_ADMIN").to_string();
        wrong.extend(unless(container["args"] == json!(["serve", name]), || {
            format!("{name} does not serve {name}")
        }));
        wrong.extend(unless(container["ports"] == ports, || format!("{name} listens on {ports}")));
        let left_alone: BTreeSet<String> =
            text(&scraped["config.linkerd.io/skip-outbound-ports"]).split(',').map(str::to_owned).collect();
        wrong.extend(unless(left_alone == stores(objects, name), || {
            format!("the proxy of {name} meddles with its stores, or leaves others alone")
        }));
        wrong.extend(unless(
            scraped["prometheus.io/scrape"] == "true"
                && scraped["prometheus.io/path"] == "/metrics"
                && scraped["prometheus.io/port"] == admin.as_str(),
            || format!("the figures of {name} are at {admin}/metrics"),
        ));
    }
    wrong
}

/// Every process is found under its name, inside the cluster alone.
fn services(objects: &Objects, code: &Code) -> Vec<String> {
    let mut wrong = Vec::new();
    let found: BTreeSet<&str> = objects.of("Service").map(name_of).collect();
    wrong.extend(
        code.processes.symmetric_difference(&found).map(|name| format!("{name} is not found by its name")),
    );
    for service in objects.of("Service") {
        let (name, spec) = (name_of(service), &service["spec"]);
        let container = objects
            .one("Deployment", name)
            .map_or(&Value::Null, |process| shop(&process["spec"]["template"]));
        let first = &container["ports"][0];
        let protocol = if name == EDGE { "http" } else { "kubernetes.io/h2c" };
        let ports = json!([{
            "name": first["name"],
            "port": first["containerPort"],
            "targetPort": first["name"],
            "appProtocol": protocol,
        }]);
        // A replica that fails is left alone for a while; nobody calls the edge.
        let breaker = &service["metadata"]["annotations"]["balancer.linkerd.io/failure-accrual"];
        wrong.extend(unless(name == EDGE || breaker == "consecutive", || format!("{name} has no breaker")));
        wrong.extend(unless(spec["type"] == "ClusterIP", || {
            format!("{name} is to be reached from inside alone")
        }));
        wrong.extend(unless(spec["ports"] == ports, || format!("{name} is called at {ports}")));
    }
    wrong
}

/// Every process has an account of its own, by which the mesh knows it, and nothing to say to the API server.
fn accounts(objects: &Objects, code: &Code) -> Vec<String> {
    let mut wrong = Vec::new();
    for (workload, pod) in objects.workloads() {
        let name = name_of(workload);
        let account = text(&pod["spec"]["serviceAccountName"]);
        let wanted = if code.processes.contains(name) { name } else { "migration" };
        wrong.extend(unless(account == wanted, || format!("{name} runs as {account} instead of {wanted}")));
        let there = objects.one("ServiceAccount", account);
        wrong.extend(unless(there.is_some(), || format!("there is no account {account}")));
        let silent = |owner: &Value| owner["automountServiceAccountToken"] == false;
        wrong.extend(unless(silent(&pod["spec"]) && there.is_some_and(silent), || {
            format!("{name} is given a token of the API server")
        }));
    }
    let used: BTreeSet<&str> =
        objects.workloads().map(|(_, pod)| text(&pod["spec"]["serviceAccountName"])).collect();
    let unused = objects.of("ServiceAccount").map(name_of).filter(|account| !used.contains(account));
    wrong.extend(unused.map(|account| format!("nobody runs as {account}")));
    wrong
}

/// Everything says of what it is.
fn labels(objects: &Objects, code: &Code) -> Vec<String> {
    let mut wrong = Vec::new();
    let pods = objects.workloads().map(|(workload, pod)| (name_of(workload), pod));
    let kinds =
        ["Deployment", "Job", "Service", "ServiceAccount"].into_iter().flat_map(|kind| objects.of(kind));
    for (name, object) in kinds.map(|object| (name_of(object), object)).chain(pods) {
        let component = match code.processes.contains(name) {
            true if name == EDGE => "edge",
            true => "service",
            false => "migration",
        };
        let said = &object["metadata"]["labels"];
        for (label, wanted) in [("name", name), ("component", component), ("part-of", "shop")] {
            let label = format!("app.kubernetes.io/{label}");
            wrong.extend(unless(said[&label] == wanted, || {
                format!("{name} says it is {label} {}", said[&label])
            }));
        }
    }
    wrong
}

/// Whom Linkerd lets call is somebody who runs here, or is named with a namespace that is not the shop's; and the namespace
/// is the one that the processes take for theirs.
fn callers(objects: &Objects, code: &Code) -> Vec<String> {
    let mut wrong = Vec::new();
    let namespace = objects.of("Deployment").map(namespace_of).next().unwrap_or_default();
    let identity = code.settings["serve"]["SHOP_LINKERD_IDENTITY"].as_deref().unwrap_or_default();
    wrong.extend(unless(identity.split('.').next() == Some(namespace), || {
        format!("processes take callers for those of {identity}, and run in {namespace}")
    }));
    for authentication in objects.of("MeshTLSAuthentication") {
        for caller in list(&authentication["spec"]["identityRefs"]) {
            let (name, of) = (text(&caller["name"]), caller["namespace"].as_str().unwrap_or(namespace));
            let known = of != namespace || objects.one("ServiceAccount", name).is_some();
            wrong.extend(unless(known, || {
                format!("{} names {name}, whom nobody runs as", name_of(authentication))
            }));
        }
    }
    let namespaces: BTreeSet<&str> = objects.of("Namespace").map(name_of).collect();
    for object in objects.0.iter().filter(|(kind, _)| *kind != "Namespace").flat_map(|(_, objects)| objects) {
        let of = object["metadata"]["namespace"].as_str();
        wrong.extend(unless(of.is_some_and(|of| namespaces.contains(of)), || {
            format!("{} is in a namespace {of:?} that is not here", name_of(object))
        }));
    }
    wrong
}

/// Whatever selects pods selects those that it is named after, or some at least.
fn selectors(objects: &Objects, _: &Code) -> Vec<String> {
    let mut wrong = Vec::new();
    for (kind, selector) in [
        ("Service", "/spec/selector"),
        ("Deployment", "/spec/selector/matchLabels"),
        ("PodDisruptionBudget", "/spec/selector/matchLabels"),
    ] {
        for object in objects.of(kind) {
            let name = name_of(object);
            let hit = object.pointer(selector).map(|labels| objects.selected(labels)).unwrap_or_default();
            wrong.extend(unless(hit == [name], || format!("the {kind} {name} selects {hit:?}")));
        }
    }
    // Those of stores select pods that others run.
    let here = |policy: &&Value| {
        objects.of("Deployment").any(|process| namespace_of(process) == namespace_of(policy))
    };
    for object in objects.of("NetworkPolicy").filter(here).chain(objects.of("Server")) {
        let name = name_of(object);
        let hit = objects.selected(&object["spec"]["podSelector"]["matchLabels"]);
        wrong.extend(unless(!hit.is_empty(), || format!("{name} selects no pod")));
        let port = text(&object["spec"]["port"]);
        let without = |name: &&&str| {
            let process = objects.one("Deployment", name).map(|process| shop(&process["spec"]["template"]));
            process.is_some_and(|shop| !list(&shop["ports"]).iter().any(|known| known["name"] == port))
        };
        if !["", PROXY].contains(&port) {
            let without = hit.iter().filter(without);
            wrong.extend(
                without.map(|process| format!("{name} is for a port {port}, which {process} has not")),
            );
        }
    }
    wrong
}
