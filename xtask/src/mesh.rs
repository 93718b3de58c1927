//! `cargo xtask mesh`: what Kubernetes and Linkerd are told, rendered from the contract and `deploy/services.toml`. What is
//! committed is never written by hand, and differs from what is rendered only in a run that fails.

mod contract;
mod files;
mod graph;
mod linkerd;
mod network;
mod table;
#[cfg(test)]
mod tests;
mod workloads;

use std::path::Path;

use crate::checkout::Checkout;
use crate::process::Error;
use crate::report::{Outcome, Report};

use self::contract::Contract;
use self::files::Rendered;
use self::table::Table;

/// The first line of every file that is rendered.
pub(crate) const HEADER: &str = "# Rendered by cargo xtask mesh; do not edit.";

/// Folders in which everything is rendered: what else lies there is left over.
const FOLDERS: [&str; 2] = [linkerd::FOLDER, workloads::FOLDER];

/// Renders and writes, or with `check` compares.
pub(crate) fn run(checkout: &Checkout, check: bool) -> bool {
    let mut report = Report::begin();
    report.step("mesh", || if check { compare(checkout) } else { write(checkout) });
    report.print();
    report.passed()
}

/// Fails when what is committed is not what is rendered.
pub(crate) fn compare(checkout: &Checkout) -> Result<Outcome, Error> {
    let rendered = render(checkout.root())?;
    let wrong = files::differences(checkout.root(), &FOLDERS, &rendered)?;
    Ok(match wrong.is_empty() {
        true => Outcome::Passed(format!("{} files are as the contract says", rendered.len())),
        false => Outcome::Failed(format!(
            "{} files differ from the contract; run cargo xtask mesh\n  {}",
            wrong.len(),
            wrong.join("\n  ")
        )),
    })
}

fn write(checkout: &Checkout) -> Result<Outcome, Error> {
    let rendered = render(checkout.root())?;
    let changed = files::write(checkout.root(), &FOLDERS, &rendered)?;
    Ok(Outcome::Passed(format!("{} files, {changed} of them changed", rendered.len())))
}

/// Every file that is rendered, from the contract and the table of this checkout.
fn render(root: &Path) -> Result<Vec<Rendered>, Error> {
    let contract = Contract::read(root)?;
    let table = Table::read(root, &contract)?;
    let mut rendered = linkerd::render(&contract, &table)?;
    rendered.extend(network::render(&contract, &table)?);
    rendered.push(linkerd::kustomization(&rendered)?);
    rendered.extend(workloads::render(&contract, &table)?);
    rendered.push(graph::render(root, &contract, &table)?);
    Ok(rendered)
}
