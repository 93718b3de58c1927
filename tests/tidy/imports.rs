//! Who may know whom. A new edge is a decision: it needs a record in docs/decisions.

use crate::source::{Path, bare, paths, without_tests};
use crate::tree::{File, dependencies, packages, read, rust, services};
use crate::{none, sameness};

/// Our crates that each of our crates may depend on; the root and its tools may depend on all.
const BELOW: [(&str, &[&str]); 10] = [
    ("proto", &[]),
    ("observability", &[]),
    ("services/kit", &["proto"]),
    ("services/kit/sealing", &["proto"]),
    ("services/kit/audit", &["kit"]),
    ("services/kit/watching", &[]),
    ("services/kit/scratch", &["observability"]),
    ("mesh", &["proto", "kit", "observability"]),
    ("mesh/news", &["proto", "kit", "observability"]),
    ("gateway", &["proto", "kit", "scratch", "mesh", "observability"]),
];

/// And every service, which never knows another one.
const BELOW_SERVICE: &[&str] =
    &["proto", "kit", "sealing", "audit", "watching", "scratch", "mesh", "observability"];

/// Those of ours that know no tables: a store is opened by services alone, by way of `kit`, and only `news` reads what
/// these write to be told.
const STORELESS: [&str; 7] = [
    "proto",
    "observability",
    "services/kit/sealing",
    "services/kit/watching",
    "services/kit/scratch",
    "mesh",
    "gateway",
];

/// What others wrote to open a store or to describe its tables.
const STORES: [&str; 4] = ["sea-orm", "sea-orm-migration", "sqlx", "tantivy"];

/// The values of `kit` that code without a store may use, and the pure functions beside them.
const VALUES: &[&str] = &[
    "Currency",
    "Id",
    "MalformedId",
    "Money",
    "MoneyError",
    "Page",
    "Timestamp",
    "UnknownCurrency",
    "time::truncate",
];

/// What a layer of a service may never name; `crate::…` is a layer of its own.
const NEVER: [(&str, &[&str]); 6] = [
    (
        "domain",
        &[
            "proto",
            "prost",
            "tonic",
            "sea_orm",
            "sqlx",
            "tantivy",
            "tokio",
            "tracing",
            "mesh",
            "observability",
            "sealing",
            "crate::app",
            "crate::store",
            "crate::grpc",
            "crate::events",
            "crate::error",
        ],
    ),
    ("events", &["sea_orm", "sqlx", "tantivy", "tonic", "crate::grpc"]),
    ("store", &["proto", "tonic", "crate::grpc", "crate::app"]),
    ("app", &["sea_orm", "sqlx", "tantivy", "crate::grpc"]),
    ("grpc", &["sea_orm", "sqlx", "tantivy", "crate::store"]),
    ("port", &["sea_orm", "sqlx", "crate::app", "crate::store", "crate::grpc"]),
];

#[test]
fn a_crate_depends_only_on_those_below_it() {
    let ours: Vec<String> = packages()
        .iter()
        .filter_map(|folder| folder.rsplit('/').next().map(str::to_owned))
        .filter(|name| !name.is_empty())
        .collect();
    let mut violations = Vec::new();
    for folder in packages() {
        let allowed = match BELOW.iter().find(|(name, _)| *name == folder) {
            Some((_, allowed)) => *allowed,
            None if folder.starts_with("services/") => BELOW_SERVICE,
            None => continue,
        };
        let manifest = format!("{folder}/Cargo.toml");
        for name in dependencies(&read(&manifest)) {
            if ours.contains(&name) && !allowed.contains(&name.as_str()) {
                violations.push(format!("{manifest}: it may not depend on {name}"));
            }
        }
    }
    none(violations);
}

#[test]
fn whoever_knows_no_tables_depends_on_no_store() {
    let mut violations = Vec::new();
    for folder in STORELESS {
        let manifest = format!("{folder}/Cargo.toml");
        for name in dependencies(&read(&manifest)) {
            if STORES.contains(&name.as_str()) {
                violations.push(format!("{manifest}: it may not depend on {name}"));
            }
        }
    }
    none(violations);
}

#[test]
fn kit_knows_only_the_common_words_of_the_contract() {
    none(strangers("services/kit/src", "proto", &["common"]));
    none(strangers("services/kit/sealing/src", "proto", &["common"]));
}

#[test]
fn the_mesh_knows_only_rules_and_common_words_of_the_contract() {
    none(strangers("mesh/src", "proto", &["common", "rules"]));
}

#[test]
fn news_knows_only_the_common_words_of_the_contract() {
    none(strangers("mesh/news/src", "proto", &["common"]));
}

#[test]
fn services_take_only_names_and_the_trace_from_observability() {
    let violations = services()
        .iter()
        .flat_map(|name| {
            let folder = format!("services/{name}/src");
            strangers(&folder, "observability", &["names", "propagation"])
        })
        .collect();
    none(violations);
}

#[test]
fn the_edge_switches_nothing_on_in_observability() {
    let allowed = ["names", "propagation", "GraphqlMetrics"];
    none(strangers("gateway/src", "observability", &allowed));
}

#[test]
fn the_edge_takes_only_values_from_kit() {
    // Cookies and sockets end when a token does, so the edge asks what time it is.
    let allowed = [VALUES, &["Clock"]].concat();
    none(strangers("gateway/src", "kit", &allowed));
}

#[test]
fn a_layer_of_a_service_names_only_what_it_may() {
    let mut violations = Vec::new();
    for service in services() {
        for file in shipped(&format!("services/{service}/src")) {
            let inside = file.path.trim_start_matches(&format!("services/{service}/src/"));
            let inside = inside.trim_end_matches(".rs");
            let layer = sameness::layer(&service, inside.split('/').next().unwrap_or_default());
            for path in paths(&without_tests(&bare(&file.text))) {
                if let Some(stranger) = stranger(layer, &absolute(inside, &path)) {
                    violations.push(format!("{}:{}: {layer} may not name {stranger}", file.path, path.line));
                }
            }
        }
    }
    none(violations);
}

/// What a layer names and may not.
fn stranger(layer: &str, path: &[String]) -> Option<String> {
    let (_, never) = NEVER.iter().find(|(name, _)| *name == layer)?;
    let first = path.first()?;
    let named = if first == "crate" { format!("crate::{}", path.get(1)?) } else { first.clone() };
    if layer == "domain" && named == "kit" && !allows(VALUES, path) {
        return Some(path.join("::"));
    }
    never.contains(&named.as_str()).then_some(named)
}

/// The path seen from the crate's root: `super::store` of `app.rs` is `crate::store`.
fn absolute(inside: &str, path: &Path) -> Vec<String> {
    // The file `store/list.rs` is the module `store::list`.
    let mut module: Vec<&str> = inside.split('/').collect();
    let mut rest = path.segments.as_slice();
    match rest.first().map(String::as_str) {
        Some("self") => rest = &rest[1..],
        Some("super") => {
            while rest.first().is_some_and(|segment| segment == "super") {
                module.pop();
                rest = &rest[1..];
            }
        }
        _ => return rest.to_vec(),
    }
    let mut absolute = vec!["crate".to_owned()];
    absolute.extend(module.into_iter().map(str::to_owned));
    absolute.extend_from_slice(rest);
    absolute
}

/// Does the path, after its crate, begin with one of those allowed?
fn allows(allowed: &[&str], path: &[String]) -> bool {
    allowed.iter().any(|allowed| {
        let wanted = allowed.split("::");
        path.len() > wanted.clone().count() && wanted.zip(&path[1..]).all(|(wanted, named)| wanted == named)
    })
}

/// What a folder ships: a test may name whatever it needs.
fn shipped(folder: &str) -> Vec<File> {
    let mut files = rust(folder);
    files.retain(File::is_source);
    files
}

/// The places below a folder that name another part of one of our crates than those allowed.
fn strangers(folder: &str, of: &str, allowed: &[&str]) -> Vec<String> {
    let mut violations = Vec::new();
    for file in shipped(folder) {
        for path in paths(&without_tests(&bare(&file.text))) {
            let segments = &path.segments;
            if segments[0] == of && !allows(allowed, segments) {
                let name = segments.join("::");
                violations.push(format!("{}:{}: it may not name {name}", file.path, path.line));
            }
        }
    }
    violations
}

#[test]
fn the_rule_of_layers_sees_through_relative_paths() {
    let seen = |inside: &str, source: &str| {
        let path = &paths(source)[0];
        let layer = inside.split('/').next().unwrap();
        stranger(layer, &absolute(inside, path))
    };

    assert_eq!(seen("app", "use super::grpc;"), Some("crate::grpc".to_owned()));
    assert_eq!(seen("grpc/parse", "use super::super::store::Store;"), Some("crate::store".to_owned()));
    assert_eq!(seen("grpc/parse", "use super::store;"), None);
    assert_eq!(seen("domain", "let now = tokio::time::Instant::now();"), Some("tokio".to_owned()));
    assert_eq!(seen("domain", "use kit::Database;"), Some("kit::Database".to_owned()));
    assert_eq!(seen("domain", "use kit::{Money};"), None);
    assert_eq!(seen("domain", "kit::time::truncate(now)"), None);
    assert_eq!(seen("domain", "kit::time::Clock::system()"), Some("kit::time::Clock::system".to_owned()));
    assert_eq!(seen("lib", "use sea_orm::DbErr;"), None);
}
