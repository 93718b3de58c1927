//! Every service has the same inside: who knows one knows all.

use crate::none;
use crate::source::code_lines;
use crate::tree::{exists, files, packages, read, rust, services};

/// What every service has.
const FILES: [&str; 10] = [
    "Cargo.toml",
    "README.md",
    "src/lib.rs",
    "src/domain.rs",
    "src/app.rs",
    "src/store.rs",
    "src/store/entity.rs",
    "src/store/migration.rs",
    "src/grpc.rs",
    "src/error.rs",
];

/// The modules that may stand at the top of a service; each may have a folder of its own name.
const LAYERS: [&str; 7] = ["lib", "domain", "app", "store", "grpc", "error", "events"];

/// A module that only one service has, the layer whose imports it keeps to, and why it exists. A `port` is the way to
/// something outside the shop.
const EXTRA: [(&str, &str, &str, &str); 4] = [
    (
        "catalogue",
        "sheet",
        "domain",
        "Shopify's product CSV is a language of its own, parsed and written apart from products",
    ),
    ("notifications", "mailer", "port", "mails leave the shop by a server that may be slow, down or choosy"),
    ("payments", "provider", "port", "whoever moves the money is outside, and may be slow, down or lying"),
    ("payments", "simulated", "outside", "a provider of its own, with its own store and its own interface"),
];

/// Services without tables, so without anything in them that grows old, and why.
const WITHOUT_TABLES: [(&str, &str); 1] =
    [("search", "its store is an index that each replica builds from the catalogue")];

/// What the README of a service tells.
const TOLD: [&str; 5] = ["owns", "offers", "calls", "emits", "refuses"];

/// The face of a service: names and wiring, no logic.
const FACE_LINES_MAX: usize = 80;

/// The layer whose rules a module at the top of a service keeps.
pub(crate) fn layer<'a>(service: &str, module: &'a str) -> &'a str {
    EXTRA
        .iter()
        .find(|(of, name, _, _)| *of == service && *name == module)
        .map_or(module, |(_, _, layer, _)| layer)
}

#[test]
fn every_service_has_the_same_files() {
    let mut violations = Vec::new();
    for service in services() {
        let has = |path: &str| exists(&format!("services/{service}/{path}"));
        for file in FILES {
            if !has(file) {
                violations.push(format!("services/{service}: {file} is missing"));
            }
        }
        let whole = format!("tests/{service}.rs");
        let split = format!("tests/{service}/main.rs");
        if !has(&whole) && !has(&split) {
            violations.push(format!("services/{service}: {whole} or {split} is missing"));
        }
        let beside = format!("tests/{service}/support.rs");
        if !has("tests/support.rs") && !has("tests/support/mod.rs") && !has(&beside) {
            violations.push(format!("services/{service}: tests/support.rs is missing"));
        }
    }
    none(violations);
}

#[test]
fn no_service_has_a_module_that_the_others_do_not_know() {
    let mut violations = Vec::new();
    for service in services() {
        let folder = format!("services/{service}/src/");
        for path in files(&folder, ".rs") {
            let module = path.trim_start_matches(&folder).split('/').next().unwrap_or_default();
            let module = module.trim_end_matches(".rs");
            let extra = EXTRA.iter().any(|(of, name, _, _)| *of == service && *name == module);
            if !LAYERS.contains(&module) && !extra {
                violations.push(format!(
                    "{path}: a service has no module `{module}`; see EXTRA in tests/tidy/sameness.rs"
                ));
            }
        }
    }
    for (service, module, _, _) in EXTRA {
        if !exists(&format!("services/{service}/src/{module}.rs")) {
            violations.push(format!("EXTRA names services/{service}/src/{module}.rs, which is gone"));
        }
    }
    none(violations);
}

#[test]
fn the_face_of_a_service_is_short_and_shows_its_readme() {
    let mut violations = Vec::new();
    for service in services() {
        let path = format!("services/{service}/src/lib.rs");
        let text = read(&path);
        let lines = code_lines(&text);
        if lines > FACE_LINES_MAX {
            violations.push(format!("{path}: {lines} lines, at most {FACE_LINES_MAX}"));
        }
        if !text.contains("#![doc = include_str!(\"../README.md\")]") {
            violations.push(format!("{path}: its documents are not its README"));
        }
    }
    none(violations);
}

#[test]
fn every_service_keeps_its_store_in_order_by_the_one_function_for_it() {
    let mut violations = Vec::new();
    for service in services() {
        let path = format!("services/{service}/src/lib.rs");
        let text = read(&path);
        let tables = !WITHOUT_TABLES.iter().any(|(without, _)| *without == service);
        if tables && (!text.contains("pub async fn work(") || !text.contains("kit::upkeep(")) {
            violations.push(format!("{path}: it has no `work` that runs `kit::upkeep`"));
        }
        if !rust("src").iter().any(|file| file.text.contains(&format!("{service}::work("))) {
            violations.push(format!("src: nobody starts {service}::work"));
        }
    }
    none(violations);
}

#[test]
fn the_readme_of_a_service_tells_what_it_owns_offers_calls_emits_and_refuses() {
    let mut violations = Vec::new();
    for service in services() {
        let path = format!("services/{service}/README.md");
        let text = if exists(&path) { read(&path).to_lowercase() } else { String::new() };
        for word in TOLD {
            if !text.contains(word) {
                violations.push(format!("{path}: it does not say what the service {word}"));
            }
        }
    }
    none(violations);
}

#[test]
fn every_package_keeps_the_lints_of_the_workspace() {
    let mut violations = Vec::new();
    for folder in packages() {
        let manifest = format!("{folder}/Cargo.toml");
        let manifest = manifest.trim_start_matches('/');
        if !read(manifest).contains("\n[lints]\nworkspace = true\n") {
            violations.push(format!("{manifest}: `[lints] workspace = true` is missing"));
        }
    }
    none(violations);
}

#[test]
fn every_service_is_a_workload_and_a_member_and_has_a_contract() {
    let rules = read("proto/build/rules.rs");
    let (_, rest) = rules.split_once("WORKLOADS: ").expect("the build lists the workloads");
    let (workloads, _) = rest.split_once("];").expect("the list ends");
    let workspace = read("Cargo.toml");
    let mut violations = Vec::new();
    for service in services() {
        if !workloads.contains(&format!("\"{service}\"")) {
            violations.push(format!("proto/build/rules.rs: WORKLOADS lacks {service}"));
        }
        let member = format!("    \"services/{service}\",\n");
        if workspace.matches(&member).count() != 2 {
            violations.push(format!("Cargo.toml: members and default-members lack services/{service}"));
        }
        if files(&format!("proto/shop/{service}/v1"), ".proto").is_empty() {
            violations.push(format!("proto/shop/{service}/v1: there is no contract"));
        }
    }
    none(violations);
}

#[test]
fn a_store_that_is_busy_is_told_from_one_that_is_wrong_in_every_service() {
    let mut violations = Vec::new();
    for service in services().iter().filter(|name| !WITHOUT_TABLES.iter().any(|(without, _)| without == name))
    {
        let answers = rust(&format!("services/{service}/src"));
        for file in answers.iter().filter(|file| file.path.contains("/src/grpc")) {
            let lost = |line: &&str| {
                line.starts_with("Error::Storage(")
                    && !line.ends_with(" => kit::RequestError::Storage(error).into(),")
            };
            let lines = file.text.lines().map(str::trim).filter(lost);
            violations.extend(lines.map(|line| format!("{}: busy or wrong is lost in `{line}`", file.path)));
        }
    }
    none(violations);
}
