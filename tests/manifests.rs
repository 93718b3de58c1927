//! What Kubernetes is told about the shop, against what the shop is: names, ports, probes, settings and accounts of the
//! manifests are those of the code. The full run hands in what kustomize makes of each overlay; without it what is read
//! is what lies in the repository.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "manifests/code.rs"]
mod code;
#[path = "manifests/faults.rs"]
mod faults;
#[path = "manifests/objects.rs"]
mod objects;
#[path = "manifests/rules.rs"]
mod rules;
#[path = "manifests/running.rs"]
mod running;
#[path = "manifests/starting.rs"]
mod starting;
#[path = "manifests/telling.rs"]
mod telling;

use serde_json::Value;

use crate::code::Code;
use crate::objects::{base, everything, list, name_of, shop};

#[test]
fn the_manifests_are_of_the_shop_that_is_built() {
    let code = Code::read();

    for (name, objects) in everything() {
        let wrong = rules::violations(&objects, &code);
        assert!(wrong.is_empty(), "{name}:\n{}\n", wrong.join("\n"));
    }
}

#[test]
fn whoever_runs_the_shop_reads_of_every_secret() {
    let told = include_str!("../deploy/README.md");
    let objects = base();

    for (workload, pod) in objects.workloads() {
        let name = name_of(workload);
        let service = name.trim_end_matches("-migrate");
        let own = format!("SHOP_{}_DATABASE_URL", service.to_uppercase());
        let keys = list(&shop(pod)["env"]).iter().map(|entry| &entry["valueFrom"]["secretKeyRef"]["key"]);
        let files = list(&pod["spec"]["volumes"]).iter().flat_map(|volume| list(&volume["secret"]["items"]));
        for key in keys.chain(files.map(|file| &file["key"])).filter_map(Value::as_str) {
            let key = if key == own { "SHOP_<NAME>_DATABASE_URL" } else { key };
            assert!(told.contains(&format!("`{key}`")), "deploy/README.md does not tell of {key} for {name}");
        }
        assert!(told.contains(service), "deploy/README.md does not tell of {service}");
    }
}
