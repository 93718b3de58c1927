//! The call graph as the tests saw it, compared with the one that the contract declares: an edge that is used is declared,
//! and one that is declared is used.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::checkout::Checkout;
use crate::process::{self, Error, file_error};
use crate::report::{Outcome, Report};

/// Where every shop that the tests start writes what it has seen: a folder, a file for each process.
pub(crate) const VARIABLE: &str = "SHOP_TEST_CALLS";

/// Everybody may call; the contract does not say who does.
const ALL: &str = "all";
/// Ends of calls that show an edge in use. A stream has no other end than that somebody leaves.
const USED: [&str; 2] = ["OK", "CANCELLED"];

/// A caller, a service and its method.
type Edge = (String, String, String);

/// Runs the journeys alone and compares.
pub(crate) fn run(checkout: &Checkout) -> bool {
    let mut report = Report::begin();
    let mut folder = None;
    report.step("journeys", || {
        let seen = folder.insert(checkout.empty_folder("calls")?);
        let mut command = checkout.cargo();
        command.args(["test", "--package", "shop", "--test", "journeys", "--no-fail-fast"]);
        process::run(command.env(VARIABLE, seen))?;
        Ok(Outcome::passed())
    });
    report.step("edges", || compare(checkout, folder.as_deref()));
    report.print();
    report.passed()
}

/// Compares what is in the folder with what the binary says the contract is.
pub(crate) fn compare(checkout: &Checkout, folder: Option<&Path>) -> Result<Outcome, Error> {
    let Some(folder) = folder else {
        return Ok(Outcome::Failed("the folder of calls could not be made".to_owned()));
    };
    let routes = process::read(Command::new(checkout.built("debug").join("shop")).arg("routes").env_clear())?;
    let mut seen = String::new();
    for entry in fs::read_dir(folder).map_err(|source| file_error(folder, "read", source))? {
        let path = entry.map_err(|source| file_error(folder, "read", source))?.path();
        seen += &fs::read_to_string(&path).map_err(|source| file_error(&path, "read", source))?;
    }
    let declared = declared(&routes);
    let wrong = differences(&declared, &seen);
    Ok(match wrong.is_empty() {
        true => Outcome::Passed(format!("{} declared, each used; no other", declared.len())),
        false => Outcome::Failed(format!("{} differ\n  {}", wrong.len(), wrong.join("\n  "))),
    })
}

/// The edges of `shop routes`, of whose lines the first three words are service, method and callers.
fn declared(routes: &str) -> BTreeSet<Edge> {
    let edges = routes.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (service, method, callers) = (words.next()?, words.next()?, words.next()?);
        Some(callers.split(',').map(move |caller| edge(caller, service, method)))
    });
    edges.flatten().collect()
}

/// A sentence for every edge that is on one side only. Lines of what was seen are caller, service, method and code.
fn differences(declared: &BTreeSet<Edge>, seen: &str) -> Vec<String> {
    let mut codes: BTreeMap<Edge, BTreeSet<&str>> = BTreeMap::new();
    for line in seen.lines() {
        if let [caller, service, method, code] = line.split(' ').collect::<Vec<_>>()[..] {
            let for_all = edge(ALL, service, method);
            let met = if declared.contains(&for_all) { for_all } else { edge(caller, service, method) };
            codes.entry(met).or_default().insert(code);
        }
    }
    let undeclared = codes.iter().filter(|(edge, _)| !declared.contains(*edge)).map(|(edge, codes)| {
        let (caller, service, method) = edge;
        let codes: Vec<&str> = codes.iter().copied().collect();
        format!("used and not declared: {caller} → {service}.{method} ({})", codes.join(", "))
    });
    let unused = declared.iter().filter_map(|edge| {
        let (caller, service, method) = edge;
        let ends = codes.get(edge).map(|codes| codes.iter().copied().collect::<Vec<&str>>());
        match ends {
            Some(ends) if ends.iter().any(|end| USED.contains(end)) => None,
            Some(ends) => Some(format!(
                "declared and never with success: {caller} → {service}.{method} ({})",
                ends.join(", ")
            )),
            None => Some(format!("declared and never used: {caller} → {service}.{method}")),
        }
    });
    undeclared.chain(unused).collect()
}

fn edge(caller: &str, service: &str, method: &str) -> Edge {
    (caller.to_owned(), service.to_owned(), method.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &str = "identity     ListSigningKeys  all              public  2s  NoSideEffects
inventory    BatchGetStock    gateway,cart     public  2s  NoSideEffects
inventory    ReserveStock     orders           service 5s  Idempotent
inventory    WatchStock       gateway          public  stream NoSideEffects";

    const SEEN: &str = "cart identity ListSigningKeys OK
gateway inventory BatchGetStock OK
cart inventory BatchGetStock OK
orders inventory ReserveStock FAILED_PRECONDITION
orders inventory ReserveStock OK
gateway inventory WatchStock CANCELLED
";

    #[test]
    fn edges_that_are_declared_and_used_differ_in_nothing() {
        assert_eq!(differences(&declared(ROUTES), SEEN), Vec::<String>::new());
    }

    #[test]
    fn an_edge_that_is_on_one_side_only_is_named() {
        let seen = SEEN
            .replace("cart inventory BatchGetStock OK", "reviews inventory BatchGetStock PERMISSION_DENIED");
        let seen = seen.replace("orders inventory ReserveStock OK", "");
        let seen = seen.replace("gateway inventory WatchStock CANCELLED", "");

        assert_eq!(
            differences(&declared(ROUTES), &seen),
            [
                "used and not declared: reviews → inventory.BatchGetStock (PERMISSION_DENIED)",
                "declared and never used: cart → inventory.BatchGetStock",
                "declared and never used: gateway → inventory.WatchStock",
                "declared and never with success: orders → inventory.ReserveStock (FAILED_PRECONDITION)",
            ]
        );
    }
}
