//! Rules about what processes are told: settings, secrets, files, and where others are.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::code::Code;
use crate::objects::{Objects, list, name_of, shop, text};
use crate::rules::unless;

/// What a process is told is what it knows, and where others are is where they are.
pub fn settings(objects: &Objects, code: &Code) -> Vec<String> {
    let mut wrong = Vec::new();
    for (workload, pod) in objects.workloads() {
        let name = name_of(workload);
        for container in list(&pod["spec"]["containers"]) {
            let command = text(&container["args"][0]);
            let known = code.settings.get(command);
            let known = |variable: &str| known.is_some_and(|known| known.contains_key(variable));
            for entry in list(&container["env"]) {
                let variable = text(&entry["name"]);
                wrong.extend(unless(known(variable), || {
                    format!("{name}: `shop {command}` knows no {variable}")
                }));
                wrong.extend(source(objects, name, entry));
            }
        }
        if code.processes.contains(name) {
            wrong.extend(addresses(objects, code, name, shop(pod)));
        }
    }
    wrong.extend(
        objects.of("Secret").map(|secret| format!("the Secret {} is no secret here", name_of(secret))),
    );
    wrong
}

/// A value, a Secret of the process's own, or a setting that is given; each under the name of the variable.
fn source(objects: &Objects, process: &str, entry: &Value) -> Option<String> {
    let variable = text(&entry["name"]);
    let (secret, setting) = (&entry["valueFrom"]["secretKeyRef"], &entry["valueFrom"]["configMapKeyRef"]);
    let given = match (entry["value"].is_string(), secret.is_object(), setting.is_object()) {
        (true, false, false) => true,
        (false, true, false) => secret["key"] == variable && secret["name"] == process,
        (false, false, true) => {
            setting["key"] == variable && is_given(objects, text(&setting["name"]), variable)
        }
        _ => false,
    };
    unless(given, || format!("{process}: {variable} comes from nowhere"))
}

/// Whether an overlay gives this setting. Before kustomize has run there is none to ask.
fn is_given(objects: &Objects, settings: &str, variable: &str) -> bool {
    match objects.of("ConfigMap").next() {
        None => settings == "settings",
        Some(given) => name_of(given) == settings && given["data"][variable].is_string(),
    }
}

/// Each service that the contract lets a process call, by its name and port, and no other.
fn addresses(objects: &Objects, code: &Code, process: &str, container: &Value) -> Vec<String> {
    let wanted: BTreeSet<(String, String)> = code
        .called_by(process)
        .into_iter()
        .map(|service| {
            let port =
                objects.one("Service", service).map(|service| service["spec"]["ports"][0]["port"].clone());
            let variable = format!("SHOP_{}_ADDRESS", service.to_uppercase());
            (variable, format!("http://{service}:{}", port.unwrap_or_default()))
        })
        .collect();
    let entries = list(&container["env"]).iter().filter(|entry| text(&entry["name"]).ends_with("_ADDRESS"));
    let told =
        entries.map(|entry| (text(&entry["name"]).to_owned(), text(&entry["value"]).to_owned())).collect();
    wanted
        .symmetric_difference(&told)
        .map(|(variable, address)| format!("{process}: {variable} and {address}"))
        .collect()
}

/// Every process with tables has a Job that brings them up to date, which is no part of the mesh.
pub fn migrations(objects: &Objects, code: &Code) -> Vec<String> {
    let with_tables = |name: &&str| {
        let url = format!("SHOP_{}_DATABASE_URL", name.to_uppercase());
        let process = objects.one("Deployment", name);
        process.is_some_and(|process| entry(shop(&process["spec"]["template"]), &url).is_some())
    };
    let wanted: BTreeSet<String> =
        code.processes.iter().copied().filter(with_tables).map(|name| format!("{name}-migrate")).collect();
    let there: BTreeSet<String> = objects.of("Job").map(|job| name_of(job).to_owned()).collect();
    let mut wrong: Vec<String> = wanted
        .symmetric_difference(&there)
        .map(|name| format!("{name}: a Job without tables, or the other way"))
        .collect();
    for job in objects.of("Job") {
        let (name, pod) = (name_of(job), &job["spec"]["template"]);
        let service = name.trim_end_matches("-migrate");
        let url = format!("SHOP_{}_DATABASE_URL", service.to_uppercase());
        let container = shop(pod);
        wrong.extend(unless(container["args"] == json!(["migrate", service]), || {
            format!("{name} migrates another")
        }));
        wrong.extend(unless(entry(container, &url).is_some(), || format!("{name} is not told {url}")));
        wrong.extend(unless(pod["metadata"]["annotations"]["linkerd.io/inject"] == "disabled", || {
            format!("{name} would never end: the mesh's proxy does not")
        }));
        let component = "app.kubernetes.io/component";
        wrong.extend(unless(
            job["metadata"]["labels"][component] == "migration" && pod["spec"]["restartPolicy"] == "Never",
            || format!("{name} is not found by who waits for it"),
        ));
    }
    wrong
}

/// What is mounted is there, and every file and folder that a process is told of lies where it may read or write it.
pub fn files(objects: &Objects, _: &Code) -> Vec<String> {
    let mut wrong = Vec::new();
    for (workload, pod) in objects.workloads() {
        let (name, container) = (name_of(workload), shop(pod));
        let volumes = list(&pod["spec"]["volumes"]);
        let mounts = list(&container["volumeMounts"]);
        let mounted: BTreeSet<&str> = mounts.iter().map(|mount| text(&mount["name"])).collect();
        let there: BTreeSet<&str> = volumes.iter().map(name_in).collect();
        let differ = mounted.symmetric_difference(&there);
        wrong.extend(differ.map(|volume| format!("{name}: {volume} is not mounted, or not there")));
        for entry in list(&container["env"]).iter().filter(|entry| text(&entry["value"]).starts_with('/')) {
            let (variable, path) = (text(&entry["name"]), text(&entry["value"]));
            let mount =
                mounts.iter().find(|mount| path.starts_with(&format!("{}/", text(&mount["mountPath"]))));
            let volume =
                mount.and_then(|mount| volumes.iter().find(|volume| volume["name"] == mount["name"]));
            let item = json!([{ "key": variable, "path": path.rsplit('/').next() }]);
            let fine = volume.is_some_and(|volume| match volume["secret"].is_object() {
                true => volume["secret"]["secretName"] == name && volume["secret"]["items"] == item,
                false => volume["emptyDir"].is_object(),
            });
            wrong.extend(unless(fine, || format!("{name}: {variable} is nowhere at {path}")));
        }
        let scratch = mounts.iter().any(|mount| mount["mountPath"] == "/tmp") || workload["kind"] == "Job";
        wrong.extend(unless(scratch, || format!("{name} has no /tmp")));
    }
    wrong
}

fn name_in(volume: &Value) -> &str {
    text(&volume["name"])
}

/// The ports outside the mesh that a process may reach: of its stores, and of what is no pod but for the provider's TLS.
pub fn stores(objects: &Objects, process: &str) -> BTreeSet<String> {
    let policy = objects.one("NetworkPolicy", process).unwrap_or(&Value::Null);
    let namespaces: Vec<&str> = objects.of("Namespace").map(name_of).collect();
    let outside = |allow: &&Value| {
        list(&allow["to"]).iter().any(|peer| {
            let namespace = peer.pointer("/namespaceSelector/matchLabels/kubernetes.io~1metadata.name");
            namespace.is_some_and(|namespace| namespaces.contains(&text(namespace)))
                || peer["ipBlock"].is_object()
        })
    };
    let ports =
        list(&policy["spec"]["egress"]).iter().filter(outside).flat_map(|allow| list(&allow["ports"]));
    ports.filter(|port| port["port"] != 443).map(|port| port["port"].to_string()).collect()
}

/// What a container is told of a variable.
pub fn entry<'a>(container: &'a Value, variable: &str) -> Option<&'a Value> {
    list(&container["env"]).iter().find(|entry| entry["name"] == variable)
}

pub fn variable<'a>(container: &'a Value, variable: &str) -> &'a str {
    entry(container, variable).map_or("", |entry| text(&entry["value"]))
}

pub fn number_after_colon(address: &str) -> Option<u64> {
    address.rsplit(':').next()?.parse().ok()
}
