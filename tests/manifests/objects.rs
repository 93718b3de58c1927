//! Kubernetes objects as they are written down, and how to find one's way among them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;

/// A folder with what kustomize made of each overlay, set by the full run.
const VARIABLE: &str = "SHOP_TEST_MANIFESTS";
/// What every overlay is built on.
const WRITTEN: [&str; 2] = ["deploy/kubernetes/base", "mesh/linkerd"];

/// Objects that are applied together, by kind.
pub struct Objects(pub BTreeMap<String, Vec<Value>>);

/// The objects of the repository, and of each overlay where those were built.
pub fn everything() -> Vec<(String, Objects)> {
    let mut everything = vec![("the base".to_owned(), base())];
    for path in env::var_os(VARIABLE).iter().flat_map(|folder| files(Path::new(folder))) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        everything.push((name, Objects::sorted(read(&path))));
    }
    everything
}

/// What is written down in the repository.
pub fn base() -> Objects {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths = WRITTEN.iter().flat_map(|folder| files(&root.join(folder)));
    let kustomization = |path: &PathBuf| path.ends_with("kustomization.yaml");
    Objects::sorted(paths.filter(|path| !kustomization(path)).flat_map(|path| read(&path)))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false if path.extension().is_some_and(|extension| extension == "yaml") => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Objects {
    fn sorted(objects: impl IntoIterator<Item = Value>) -> Self {
        let mut sorted: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for object in objects {
            sorted.entry(text(&object["kind"]).to_owned()).or_default().push(object);
        }
        Self(sorted)
    }

    /// All objects of a kind.
    pub fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.0.get(kind).into_iter().flatten()
    }

    /// The one of this kind and name.
    pub fn one(&self, kind: &str, name: &str) -> Option<&Value> {
        self.of(kind).find(|object| name_of(object) == name)
    }

    /// Whatever makes pods, with the template of a pod.
    pub fn workloads(&self) -> impl Iterator<Item = (&Value, &Value)> {
        let workloads = self.of("Deployment").chain(self.of("Job"));
        workloads.map(|object| (object, &object["spec"]["template"]))
    }

    /// The names of what makes the pods that have these labels.
    pub fn selected(&self, labels: &Value) -> Vec<&str> {
        let has = |pod: &Value| pairs(labels).all(|(key, value)| pod["metadata"]["labels"][key] == *value);
        self.workloads().filter(|(_, pod)| has(pod)).map(|(object, _)| name_of(object)).collect()
    }
}

pub fn name_of(object: &Value) -> &str {
    text(&object["metadata"]["name"])
}

pub fn namespace_of(object: &Value) -> &str {
    text(&object["metadata"]["namespace"])
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub fn pairs(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The container of the shop itself among those of a pod.
pub fn shop(pod: &Value) -> &Value {
    list(&pod["spec"]["containers"])
        .iter()
        .find(|container| container["name"] == "shop")
        .unwrap_or(&Value::Null)
}
