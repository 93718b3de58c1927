//! Does the comparison see anything? Each word and number of the manifests that the code knows, too, is made wrong in turn,
//! and each is missed.

use regex::Regex;
use serde_json::{Value, json};

use crate::code::Code;
use crate::objects::{base, name_of};
use crate::rules::violations;

/// What is tried: the objects that the code has a word in.
const KINDS: [&str; 7] = [
    "Namespace",
    "ServiceAccount",
    "Service",
    "Deployment",
    "Job",
    "PodDisruptionBudget",
    "HorizontalPodAutoscaler",
];

/// Whose: the edge, a service with tables, one with a folder, one with a file. The others are rendered alike.
const NAMES: [&str; 6] = ["shop", "gateway", "orders", "orders-migrate", "search", "notifications"];

/// Paths whose words no code knows, and why.
const FREE: [(&str, &str); 8] = [
    ("^/(apiVersion|kind)$", "the schemas know them"),
    ("/env/[0-9]+/value$", "a process is started with it"),
    ("/image$", "each cluster has its own"),
    ("/resources/(requests|limits)/", "sizes, to be tuned"),
    ("/behavior/scale(Up|Down)/(policies|selectPolicy)|/averageUtilization$", "likewise"),
    (
        "/(revisionHistoryLimit|minReadySeconds|weight|sizeLimit|defaultMode|readOnly|backoffLimit)$",
        "likewise",
    ),
    ("/(activeDeadlineSeconds|ttlSecondsAfterFinished)$", "likewise"),
    ("failure-accrual-|linkerd.io~1proxy-[a-z-]+-(request|limit)$", "Linkerd's, likewise"),
];

#[test]
fn whatever_is_wrong_in_the_manifests_is_found() {
    let (code, mut objects) = (Code::read(), base());
    let free = FREE.map(|(path, _)| Regex::new(path).unwrap());
    let (mut tried, mut missed) = (0, Vec::new());
    for kind in KINDS {
        for at in 0..objects.0[kind].len() {
            let object = objects.0[kind][at].clone();
            if !NAMES.contains(&name_of(&object)) {
                continue;
            }
            for path in leaves(&object, "").iter().filter(|path| !free.iter().any(|free| free.is_match(path)))
            {
                let leaf = objects.0.get_mut(kind).unwrap()[at].pointer_mut(path).unwrap();
                *leaf = wrong(leaf);
                tried += 1;
                if violations(&objects, &code).is_empty() {
                    missed.push(format!("{kind} {} {path}", name_of(&object)));
                }
                objects.0.get_mut(kind).unwrap()[at] = object.clone();
            }
        }
    }

    assert!(tried > 300, "{tried} faults");
    assert!(missed.is_empty(), "{} of {tried} faults are not found:\n{}\n", missed.len(), missed.join("\n"));
}

#[test]
fn an_object_that_is_not_there_is_missed() {
    let (code, mut objects) = (Code::read(), base());
    for kind in KINDS {
        for at in 0..objects.0[kind].len() {
            let object = objects.0.get_mut(kind).unwrap().remove(at);
            assert!(!violations(&objects, &code).is_empty(), "{kind} {}", name_of(&object));
            objects.0.get_mut(kind).unwrap().insert(at, object);
        }
    }
}

/// Another value of the same kind.
fn wrong(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(format!("{text}-not")),
        Value::Number(number) => json!(u64::from(number.as_u64() == Some(0))),
        Value::Bool(value) => json!(!value),
        other => other.clone(),
    }
}

/// The paths of everything that holds nothing further.
fn leaves(value: &Value, path: &str) -> Vec<String> {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| leaves(value, &format!("{path}/{}", escaped(key))))
            .collect(),
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(at, value)| leaves(value, &format!("{path}/{at}"))).collect()
        }
        _ => vec![path.to_owned()],
    }
}
