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
/// What `shop routes` writes in place of a timeout for a stream that has none.
const STREAM: &str = "stream";
/// The end of a call that shows an edge in use.
const USED: &str = "OK";
/// The end of a stream that shows it, too: a stream may have no other end than that somebody leaves. A plain call that is
/// cancelled shows nothing, for nobody has heard an answer.
const LEFT: &str = "CANCELLED";

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

/// The edges of `shop routes`, each with the ends that show it in use. The first three words of a line are service, method
/// and callers; that of a stream has the word for it.
fn declared(routes: &str) -> BTreeMap<Edge, &'static [&'static str]> {
    let edges = routes.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (service, method, callers) = (words.next()?, words.next()?, words.next()?);
        let ends: &[&str] = if words.any(|word| word == STREAM) { &[USED, LEFT] } else { &[USED] };
        Some(callers.split(',').map(move |caller| (edge(caller, service, method), ends)))
    });
    edges.flatten().collect()
}

/// A sentence for every edge that is on one side only. Lines of what was seen are caller, service, method and code.
fn differences(declared: &BTreeMap<Edge, &[&str]>, seen: &str) -> Vec<String> {
    let mut codes: BTreeMap<Edge, BTreeSet<&str>> = BTreeMap::new();
    for line in seen.lines() {
        if let [caller, service, method, code] = line.split(' ').collect::<Vec<_>>()[..] {
            let for_all = edge(ALL, service, method);
            let met = if declared.contains_key(&for_all) { for_all } else { edge(caller, service, method) };
            codes.entry(met).or_default().insert(code);
        }
    }
    let undeclared = codes.iter().filter(|(edge, _)| !declared.contains_key(*edge)).map(|(edge, codes)| {
        let (caller, service, method) = edge;
        let codes: Vec<&str> = codes.iter().copied().collect();
        format!("used and not declared: {caller} → {service}.{method} ({})", codes.join(", "))
    });
    let unused = declared.iter().filter_map(|(edge, used)| {
        let (caller, service, method) = edge;
        let ends = codes.get(edge).map(|codes| codes.iter().copied().collect::<Vec<&str>>());
        match ends {
            Some(ends) if ends.iter().any(|end| used.contains(end)) => None,
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
    fn a_call_that_was_cancelled_shows_a_stream_in_use_and_nothing_else() {
        let seen = SEEN.replace("cart inventory BatchGetStock OK", "cart inventory BatchGetStock CANCELLED");

        assert_eq!(
            differences(&declared(ROUTES), &seen),
            ["declared and never with success: cart → inventory.BatchGetStock (CANCELLED)"]
        );
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
