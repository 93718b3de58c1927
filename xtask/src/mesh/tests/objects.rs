//! The objects of a cluster, read as it would read them. A field that is not named here fails, since nobody would judge it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Any object.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Object {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) metadata: Metadata,
    spec: Value,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: String,
    #[serde(default)]
    pub(super) annotations: BTreeMap<String, String>,
}

pub(super) type Labels = BTreeMap<String, String>;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Selector {
    #[serde(default)]
    match_labels: Labels,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Server {
    pub(super) pod_selector: Selector,
    pub(super) port: String,
    pub(super) proxy_protocol: String,
    pub(super) access_policy: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Route {
    pub(super) parent_refs: Vec<Reference>,
    pub(super) rules: Vec<RouteRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RouteRule {
    pub(super) matches: Vec<Match>,
    #[serde(default)]
    pub(super) backend_refs: Vec<Reference>,
}

/// A method of gRPC, or a path of HTTP and what is asked of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Match {
    pub(super) method: Option<MethodMatch>,
    pub(super) path: Option<PathMatch>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum MethodMatch {
    Http(String),
    Grpc(GrpcMethod),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrpcMethod {
    pub(super) r#type: String,
    pub(super) service: String,
    pub(super) method: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PathMatch {
    pub(super) r#type: String,
    pub(super) value: String,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct Reference {
    #[serde(default)]
    pub(super) group: String,
    #[serde(default)]
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) port: Option<u16>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Authorization {
    pub(super) target_ref: Reference,
    pub(super) required_authentication_refs: Vec<Reference>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct MeshTls {
    pub(super) identity_refs: Vec<Reference>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Networks {
    pub(super) networks: Vec<Network>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Network {
    pub(super) cidr: String,
    #[serde(default)]
    pub(super) except: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RateLimit {
    pub(super) target_ref: Reference,
    pub(super) total: Rate,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Rate {
    pub(super) requests_per_second: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NetworkPolicy {
    pub(super) pod_selector: Selector,
    pub(super) policy_types: Vec<String>,
    #[serde(default)]
    pub(super) ingress: Vec<Door>,
    #[serde(default)]
    pub(super) egress: Vec<Door>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Door {
    #[serde(alias = "from", alias = "to")]
    pub(super) peers: Vec<Peer>,
    #[serde(default)]
    pub(super) ports: Vec<Port>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Peer {
    pub(super) namespace_selector: Option<Selector>,
    pub(super) pod_selector: Option<Selector>,
    pub(super) ip_block: Option<Network>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Port {
    pub(super) protocol: String,
    pub(super) port: u16,
}

impl Object {
    /// What it asks for, in the form of its kind.
    pub(super) fn spec<T: DeserializeOwned>(&self) -> T {
        serde_json::from_value(self.spec.clone())
            .unwrap_or_else(|error| panic!("{} {}: {error}", self.kind, self.metadata.name))
    }

    pub(super) fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }

    /// Does the reference name this object?
    pub(super) fn is_meant(&self, by: &Reference) -> bool {
        let group = self.api_version.split_once('/').map_or("", |(group, _)| group);
        by.kind == self.kind && by.group == group && by.name == self.metadata.name
    }
}

impl Selector {
    pub(super) fn selects(&self, labels: &Labels) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
    }
}

/// All objects of a text of YAML.
pub(super) fn parse(text: &str) -> Vec<Object> {
    serde_saphyr::from_multiple(text).unwrap_or_else(|error| panic!("{error}"))
}

/// All objects that a kustomization lists, which must be all that lie beside it.
pub(super) fn read(folder: &Path) -> Vec<Object> {
    #[derive(Deserialize)]
    struct Kustomization {
        resources: Vec<String>,
    }
    let text = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
    let listed: Kustomization = serde_saphyr::from_str(&text("kustomization.yaml")).unwrap();
    listed.resources.iter().flat_map(|path| parse(&text(path))).collect()
}
