//! Rules about how processes run: asked, stopped, spread, scaled and confined.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::code::Code;
use crate::objects::{Objects, list, name_of, namespace_of, shop};
use crate::rules::unless;

/// The wait before a process is told to stop, in which those who call it hear that it goes, is at least so many seconds.
const WAIT_MIN: u64 = 5;

/// The kubelet asks the admin port, in words that leave nothing to defaults.
pub fn probes(objects: &Objects, _: &Code) -> Vec<String> {
    let mut wrong = Vec::new();
    for deployment in objects.of("Deployment") {
        let (name, container) = (name_of(deployment), shop(&deployment["spec"]["template"]));
        for (probe, path) in
            [("startupProbe", "/live"), ("livenessProbe", "/live"), ("readinessProbe", "/ready")]
        {
            let said = &container[probe];
            let explicit = ["periodSeconds", "timeoutSeconds", "failureThreshold"]
                .iter()
                .all(|limit| said[limit].as_u64() > Some(0));
            let asked = said["httpGet"] == json!({ "path": path, "port": "admin" });
            wrong.extend(unless(asked && explicit, || format!("the {probe} of {name} is not one of {path}")));
        }
    }
    wrong
}

/// A process ends before it is killed.
pub fn drains(objects: &Objects, code: &Code) -> Vec<String> {
    let mut wrong = Vec::new();
    for deployment in objects.of("Deployment") {
        let pod = &deployment["spec"]["template"];
        let wait = shop(pod)["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap_or_default();
        let grace = pod["spec"]["terminationGracePeriodSeconds"].as_u64().unwrap_or_default();
        wrong.extend(unless(wait >= WAIT_MIN && grace > wait + code.drain.as_secs(), || {
            format!("{} is killed while it drains", name_of(deployment))
        }));
    }
    wrong
}

/// There are always some of each, in several places, and no rollout or drained node stands still.
pub fn availability(objects: &Objects, _: &Code) -> Vec<String> {
    let mut wrong = Vec::new();
    for deployment in objects.of("Deployment") {
        let (name, pod) = (name_of(deployment), &deployment["spec"]["template"]["spec"]);
        let one = json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 1 } });
        wrong.extend(unless(deployment["spec"]["strategy"] == one, || {
            format!("a rollout of {name} stands still on a full node, or takes too many")
        }));
        let own = json!({ "matchLabels": { "app.kubernetes.io/name": name } });
        let zones = json!([{
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": own,
            "matchLabelKeys": ["pod-template-hash"],
        }]);
        let spread = pod["topologySpreadConstraints"] == zones;
        wrong.extend(unless(spread, || format!("{name} is not spread over zones")));
        let apart =
            "/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/0/podAffinityTerm";
        let nodes = json!({ "topologyKey": "kubernetes.io/hostname", "labelSelector": own });
        let apart = pod.pointer(apart) == Some(&nodes);
        wrong.extend(unless(apart, || format!("{name} may stand on one node alone")));
        let budget = objects.one("PodDisruptionBudget", name).map_or(&Value::Null, |budget| &budget["spec"]);
        let one = budget["maxUnavailable"] == 1 && budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow";
        wrong.extend(unless(one, || format!("a node with {name} is not drained, or one too many")));
        wrong.extend(unless(deployment["spec"]["replicas"].is_null(), || format!("{name} is scaled by two")));
    }
    wrong
}

/// Where anything is scaled everything is, fast up and slowly down, by what the shop itself uses.
pub fn scaling(objects: &Objects, code: &Code) -> Vec<String> {
    let scaled: BTreeSet<&str> = objects.of("HorizontalPodAutoscaler").map(name_of).collect();
    let missing = code.processes.difference(&scaled).filter(|_| !scaled.is_empty());
    let mut wrong: Vec<String> = missing.map(|name| format!("{name} does not grow")).collect();
    for scaler in objects.of("HorizontalPodAutoscaler") {
        let (name, spec) = (name_of(scaler), &scaler["spec"]);
        let target = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": name });
        let there = spec["scaleTargetRef"] == target && code.processes.contains(name);
        wrong.extend(unless(there, || format!("{name} scales nobody")));
        let (least, most) = (spec["minReplicas"].as_u64(), spec["maxReplicas"].as_u64());
        let some = least >= Some(2) && least < most;
        wrong.extend(unless(some, || format!("{name} has from {least:?} to {most:?}")));
        let measured = &spec["metrics"][0];
        let by = &measured["containerResource"];
        let own = measured["type"] == "ContainerResource" && by["name"] == "cpu" && by["container"] == "shop";
        let share = own && by["target"]["type"] == "Utilization";
        wrong.extend(unless(share, || format!("{name} is measured by {measured}")));
        let window = |way: &str| spec["behavior"][way]["stabilizationWindowSeconds"].as_u64();
        wrong.extend(unless(window("scaleUp") == Some(0) && window("scaleDown") >= Some(60), || {
            format!("{name} does not grow fast and shrink slowly")
        }));
    }
    wrong
}

/// What pod security calls restricted, and more: nothing is written but where it is said, and everything has a limit.
pub fn restrictions(objects: &Objects, _: &Code) -> Vec<String> {
    let user = json!(65532);
    let confined = json!({
        "allowPrivilegeEscalation": false,
        "privileged": false,
        "readOnlyRootFilesystem": true,
        "capabilities": { "drop": ["ALL"] },
    });
    let mut wrong = Vec::new();
    for (workload, pod) in objects.workloads() {
        let (name, spec) = (name_of(workload), &pod["spec"]);
        let context = &spec["securityContext"];
        let nobody = context["runAsNonRoot"] == true
            && [&context["runAsUser"], &context["runAsGroup"], &context["fsGroup"]] == [&user; 3]
            && context["seccompProfile"]["type"] == "RuntimeDefault";
        wrong.extend(unless(nobody, || format!("{name} may be somebody")));
        wrong.extend(unless(spec["enableServiceLinks"] == false, || {
            format!("{name} gets variables of others")
        }));
        for container in list(&spec["containers"]) {
            let of = &container["name"];
            let fine = container["securityContext"] == confined;
            wrong.extend(unless(fine, || format!("{name}: {of} is not confined")));
            let limited = ["requests", "limits"].iter().all(|kind| {
                let limits = &container["resources"][kind];
                ["cpu", "memory", "ephemeral-storage"].iter().all(|what| limits[what].is_string())
            });
            wrong.extend(unless(limited, || format!("{name}: {of} has no limits")));
        }
        let endless =
            |volume: &&Value| volume["emptyDir"].is_object() && !volume["emptyDir"]["sizeLimit"].is_string();
        let endless = list(&spec["volumes"]).iter().filter(endless);
        wrong.extend(endless.map(|volume| format!("{name}: {} has no limit", volume["name"])));
    }
    wrong
}

/// What runs is in the mesh, whatever it may be told is denied at first, and nothing that pod security forbids gets in.
pub fn namespaces(objects: &Objects, _: &Code) -> Vec<String> {
    let mut wrong = Vec::new();
    let own = objects.of("Deployment").map(namespace_of).next().unwrap_or_default();
    for namespace in objects.of("Namespace") {
        let (name, metadata) = (name_of(namespace), &namespace["metadata"]);
        for mode in ["enforce", "audit", "warn"] {
            let label = format!("pod-security.kubernetes.io/{mode}");
            let restricted = metadata["labels"][&label] == "restricted";
            wrong.extend(unless(restricted, || format!("{name} does not {mode} what is restricted")));
        }
        let said = &metadata["annotations"];
        let denied = said["config.linkerd.io/default-inbound-policy"] == "deny";
        let meshed = said["linkerd.io/inject"] == "enabled"
            && said["config.beta.linkerd.io/proxy-enable-native-sidecar"] == "true";
        wrong.extend(unless(name != own || (meshed && denied), || {
            format!("{name} is open, or not in the mesh")
        }));
    }
    wrong
}
