//! The graph of calls, drawn into ARCHITECTURE.md.

use std::fs;
use std::path::Path;

use super::contract::{Contract, EDGE};
use super::files::Rendered;
use super::table::Table;
use crate::process::{Error, file_error};

const FILE: &str = "ARCHITECTURE.md";
const BEGIN: &str = "<!-- rendered by cargo xtask mesh: the graph of calls -->\n";
const END: &str = "<!-- end of what is rendered -->\n";

/// The document with the graph as it is now.
pub(crate) fn render(root: &Path, contract: &Contract, table: &Table) -> Result<Rendered, Error> {
    let path = root.join(FILE);
    let text = fs::read_to_string(&path).map_err(|source| file_error(&path, "read", source))?;
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) =
        parts.ok_or_else(|| Error::Refused(format!("{FILE} has no place for the graph: {BEGIN}{END}")))?;
    let text = format!("{before}{BEGIN}{}{END}{after}", graph(contract, table));
    Ok(Rendered { path: FILE.to_owned(), text })
}

/// An arrow for every edge, with the number of methods; a dotted one to what is no service of ours. Methods that every other
/// process may call have no arrows, which would hide the others.
fn graph(contract: &Contract, table: &Table) -> String {
    let mut text = "```mermaid\nflowchart LR\n".to_owned();
    let everybody = table.processes.len() - 1;
    for caller in table.processes.keys() {
        for service in contract.called_by(caller) {
            let methods = contract.of_service(service).filter(|method| {
                method.interface.starts_with("shop.")
                    && method.callers.contains(caller)
                    && method.callers.len() < everybody
            });
            match methods.count() {
                0 => {}
                count => text.push_str(&format!("    {caller} -->|{count}| {service}\n")),
            }
        }
    }
    for place in ["provider", "smtp"] {
        for name in table.reaching(place) {
            text.push_str(&format!("    {name} -.-> {place}\n"));
        }
    }
    text.push_str(&format!("    clients([clients]) --> {EDGE}\n```\n"));
    text
}
