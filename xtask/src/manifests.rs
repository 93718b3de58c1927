//! What Kubernetes would be told: each overlay as kustomize makes it, judged by the schemas of Kubernetes, and by a stricter
//! checker where one is at hand. Whether it is what the shop is, a test asks (`tests/manifests.rs`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::checkout::Checkout;
use crate::process::{self, Error, file_error};
use crate::python;
use crate::report::{Outcome, Report};

/// Where the tests find the overlays that were built: a folder, a file for each.
pub(crate) const VARIABLE: &str = "SHOP_TEST_MANIFESTS";
/// Names the strict checker.
pub(crate) const VALIDATOR: &str = "SHOP_K8S_VALIDATOR";

const OVERLAYS: &str = "deploy/kubernetes/overlays";
/// The version of Kubernetes whose schemas judge.
const KUBERNETES: &str = "1.34";
/// Groups whose kinds are no part of Kubernetes itself: only the strict checker knows them.
const OTHERS: [&str; 2] = ["gateway.networking.k8s.io/", "policy.linkerd.io/"];

/// The overlays alone.
pub(crate) fn run(checkout: &Checkout) -> bool {
    let mut report = Report::begin();
    let mut interpreter = None;
    report.step("Python", || {
        interpreter = Some(python::environment(checkout)?);
        Ok(Outcome::passed())
    });
    check(&mut report, checkout, interpreter.as_deref());
    report.print();
    report.passed()
}

/// Builds and judges every overlay; answers where they lie if they could be built.
pub(crate) fn check(report: &mut Report, checkout: &Checkout, python: Option<&Path>) -> Option<PathBuf> {
    let mut built = None;
    report.step("manifests", || {
        if !process::succeeds(Command::new("kubectl").args(["version", "--client"])) {
            return Ok(Outcome::NotRun(
                "kubectl is not on PATH: https://kubernetes.io/docs/tasks/tools".to_owned(),
            ));
        }
        let folder = checkout.empty_folder("manifests")?;
        let files = build(checkout, &folder)?;
        let (_, files) = built.insert((folder, files));
        let Some(python) = python else {
            return Ok(Outcome::Failed("there is no Python to judge them".to_owned()));
        };
        judge(python, files)
    });
    if let Some(checker) = std::env::var_os(VALIDATOR) {
        match (&built, python) {
            (Some((_, files)), Some(python)) => {
                report.step("strict manifests", || judge_strictly(python, Path::new(&checker), files));
            }
            _ => report.not_run("strict manifests", "there are no manifests, or no Python, to judge them"),
        }
    }
    built.map(|(folder, _)| folder)
}

/// Writes what kustomize makes of each overlay into a folder.
fn build(checkout: &Checkout, folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let overlays = checkout.root().join(OVERLAYS);
    let mut files = Vec::new();
    for entry in fs::read_dir(&overlays).map_err(|source| file_error(&overlays, "read", source))? {
        let overlay = entry.map_err(|source| file_error(&overlays, "read", source))?.path();
        let text = process::read(Command::new("kubectl").arg("kustomize").arg(&overlay))?;
        let file = folder.join(format!("{}.yaml", name(&overlay)));
        fs::write(&file, text).map_err(|source| file_error(&file, "written", source))?;
        files.push(file);
    }
    files.sort();
    Ok(files)
}

/// Judges files by the schemas of Kubernetes. A kind that they do not have passes only where it is another's.
fn judge(python: &Path, files: &[PathBuf]) -> Result<Outcome, Error> {
    let mut judge = Command::new(python.with_file_name("kubernetes-validate"));
    let output = process::capture(judge.args(["-k", KUBERNETES, "--strict", "--quiet"]).args(files))?;
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    let unknown: Vec<&str> =
        said.lines().filter(|line| !OTHERS.iter().any(|group| line.contains(group))).collect();
    Ok(match output.status.success() && unknown.is_empty() {
        true => {
            let names: Vec<String> = files.iter().map(|file| name(file)).collect();
            Outcome::Passed(format!("{} as Kubernetes {KUBERNETES} has it", names.join(", ")))
        }
        false => Outcome::Failed(format!("not as Kubernetes {KUBERNETES} has it\n{}", unknown.join("\n"))),
    })
}

/// Judges files by a checker that knows all kinds; its last line counts.
fn judge_strictly(python: &Path, checker: &Path, files: &[PathBuf]) -> Result<Outcome, Error> {
    let mut said = Vec::new();
    for file in files {
        let mut command = Command::new(python);
        let counted = process::capture(command.arg(checker).args(["--k8s", KUBERNETES]).arg(file))?;
        let text = [counted.stdout, counted.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .concat();
        if !counted.status.success() {
            return Ok(Outcome::Failed(format!("{} has faults\n{text}", name(file))));
        }
        said.push(format!("{}: {}", name(file), text.lines().next_back().unwrap_or_default()));
    }
    Ok(Outcome::Passed(said.join("; ")))
}

/// A file's or folder's own name, without what says of which kind it is.
fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
