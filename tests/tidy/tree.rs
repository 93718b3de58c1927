//! The files of the project, and what their manifests and their contract say.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of Rust: where it lies, from the root, and what it holds.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// Is it code that is shipped, rather than a test or a help for tests?
    pub(crate) fn is_source(&self) -> bool {
        let tests = self.path.contains("/tests/") || self.path.starts_with("tests/");
        !tests && !self.path.ends_with("/tests.rs") && !self.path.ends_with("/testing.rs")
    }
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file of the project.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn exists(path: &str) -> bool {
    root().join(path).exists()
}

/// All files below a folder that end so, sorted, as paths from the root; what is built or installed is left out.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(&root().join(folder), ending, &mut found);
    found.sort();
    found
}

/// All files of Rust below a folder.
pub(crate) fn rust(folder: &str) -> Vec<File> {
    let read = |path: String| File { text: read(&path), path };
    files(folder, ".rs").into_iter().map(read).collect()
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("a folder of the project can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !matches!(&*name, "target" | "node_modules" | ".git" | "data") {
                collect(&path, ending, found);
            }
        } else if name.ends_with(ending) {
            let path = path.strip_prefix(root()).expect("it lies below the root");
            found.push(path.to_string_lossy().into_owned());
        }
    }
}

/// The names of the services, `kit` left out, sorted.
pub(crate) fn services() -> Vec<String> {
    let entries = fs::read_dir(root().join("services")).expect("there are services");
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|name| name != "kit" && exists(&format!("services/{name}/Cargo.toml")))
        .collect();
    names.sort();
    names
}

/// The folders of all packages, the root as the empty one.
pub(crate) fn packages() -> Vec<String> {
    files("", "Cargo.toml")
        .iter()
        .map(|path| path.trim_end_matches("Cargo.toml").trim_end_matches('/').to_owned())
        .collect()
}

/// The names that a manifest depends on, for running, building and testing alike.
pub(crate) fn dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            let table = table.rsplit_once("'.").map_or(table, |(_, table)| table);
            let (table, name) = table.split_once('.').unwrap_or((table, ""));
            let of_ours = matches!(table, "dependencies" | "dev-dependencies" | "build-dependencies");
            inside = of_ours && name.is_empty();
            if of_ours && !name.is_empty() {
                names.push(name.to_owned());
            }
        } else if inside && !line.is_empty() && !line.starts_with('#') {
            let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
            names.push(line[..end].to_owned());
        }
    }
    names
}

/// The reasons that a package of the contract declares, as the generated enum spells them, with their wire names.
pub(crate) fn reasons(package: &str) -> Vec<(String, String)> {
    let mut reasons = Vec::new();
    for path in files(&format!("proto/shop/{package}/v1"), ".proto") {
        let text = read(&path);
        let Some((_, rest)) = text.split_once("\nenum Reason {") else {
            continue;
        };
        let (body, _) = rest.split_once("\n}").expect("the enum ends");
        for line in body.lines().map(str::trim) {
            let name = line.split([' ', '=']).next().unwrap_or_default();
            if let Some(name) = name.strip_prefix("REASON_")
                && name != "UNSPECIFIED"
            {
                reasons.push((variant(name), name.to_owned()));
            }
        }
    }
    reasons
}

/// `SIGN_IN_REQUIRED` as the generated enum spells it: `SignInRequired`.
fn variant(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let (first, rest) = word.split_at(1.min(word.len()));
            format!("{first}{}", rest.to_lowercase())
        })
        .collect()
}
