//! `cargo xtask test`: every check in order, each with its time, and the runner's own summary as the last line.

use std::env;
use std::path::Path;

use crate::checkout::Checkout;
use crate::process::{self, Error};
use crate::python;
use crate::report::{Outcome, Report};
use crate::servers::{Server, postgres, rabbitmq, redis};
use crate::terminal::Terminal;
use crate::{conformance, contract, edges, manifests, mesh, playground, tools};

/// Data and tools beside the project that some tests use, and what they are.
const OUTSIDE: [(&str, &str, &str); 2] = [
    ("SHOP_REFERENCE_DATA", "real data", "the folder of reference data"),
    (manifests::VALIDATOR, "strict manifests", "the strict checker of manifests"),
];

/// What starts a server.
type Start = fn() -> Result<Server, Error>;

/// The servers that a full run starts for its tests, and where those find them.
const SERVERS: [(&str, &str, Start); 3] = [
    ("PostgreSQL", postgres::VARIABLE, postgres::start),
    ("RabbitMQ", rabbitmq::VARIABLE, rabbitmq::start),
    ("Redis", redis::VARIABLE, redis::start),
];

/// Runs everything, or with `quick` what needs nothing but Rust; true when nothing failed.
pub(crate) fn run(checkout: &Checkout, quick: bool) -> bool {
    let mut report = Report::begin();
    // Without the folder the step that compares says so.
    let calls = checkout.empty_folder("calls").ok();
    if !quick {
        report.step("lock file", || lock_file(checkout));
    }
    report.step("format", || {
        process::run(checkout.cargo().args(["fmt", "--all", "--check"]))?;
        Ok(Outcome::passed())
    });
    report.step("mesh", || mesh::compare(checkout));
    report.step("clippy", || clippy(checkout));
    let summary = if quick {
        let servers = SERVERS.map(|(name, _, _)| name);
        let others = [
            "lock file",
            "contract",
            "playground",
            "documents",
            "dependencies",
            "doc tests",
            "Python",
            "manifests",
            "apart",
            "Ctrl-C",
            "conformance",
        ];
        for name in others.into_iter().chain(servers) {
            report.not_run(name, "left out by --quick");
        }
        tests(&mut report, checkout, Vec::new(), calls.as_deref())
    } else {
        contract::check(&mut report, checkout);
        report.step("playground", || playground::test(checkout));
        report.step("documents", || documents(checkout));
        dependencies(&mut report, checkout);
        report.step("doc tests", || doc_tests(checkout));
        full_tests(&mut report, checkout, calls.as_deref())
    };
    for (variable, name, what) in OUTSIDE {
        if env::var_os(variable).is_none() {
            report.not_run(name, &format!("{variable} does not name {what}"));
        }
    }
    report.print();
    // Whoever reads only the end, reads this.
    println!("{}", summary.unwrap_or_else(|| "no test ran".to_owned()));
    report.passed()
}

/// Fetches what the lock file names, of all platforms, since cargo-deny then works without a network. A lock file that
/// the manifests have left behind is refused here, and by `.ci/run` before this program is even built.
fn lock_file(checkout: &Checkout) -> Result<Outcome, Error> {
    process::run(checkout.cargo().args(["fetch", "--locked", "--quiet"]))?;
    Ok(Outcome::passed())
}

fn clippy(checkout: &Checkout) -> Result<Outcome, Error> {
    process::run(checkout.cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    Ok(Outcome::passed())
}

/// The documents of all crates, with every dead link an error.
fn documents(checkout: &Checkout) -> Result<Outcome, Error> {
    process::run(
        checkout
            .cargo()
            .args(["doc", "--workspace", "--no-deps", "--quiet"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    Ok(Outcome::passed())
}

/// cargo-deny, as far as it goes without a network.
fn dependencies(report: &mut Report, checkout: &Checkout) {
    report.step("dependencies", || {
        let deny = tools::cargo_deny(checkout)?;
        let deny = |arguments: &[&str]| {
            let mut command = std::process::Command::new(&deny);
            command.current_dir(checkout.root()).args(arguments);
            command
        };
        let checks = ["check", "bans", "licenses", "sources"];
        process::run(deny(&["--offline"]).args(checks))?;
        Ok(Outcome::Passed("bans, licences, sources".to_owned()))
    });
    report.not_run("advisories", "their database comes by network: cargo deny check advisories");
}

fn doc_tests(checkout: &Checkout) -> Result<Outcome, Error> {
    let mut command = checkout.cargo();
    command.args(["test", "--workspace", "--doc", "--no-fail-fast"]);
    let (lines, ended) = process::watch(&mut command, is_summary)?;
    ended?;
    Ok(Outcome::Passed(summarise(&lines).unwrap_or_default()))
}

/// The tests with everything they can use at hand.
fn full_tests(report: &mut Report, checkout: &Checkout, calls: Option<&Path>) -> Option<String> {
    let mut variables = vec![(contract::VARIABLE, "at hand".to_owned())];
    let mut servers = Vec::new();
    for (name, variable, start) in SERVERS {
        report.step(name, || {
            let server = start()?;
            variables.push((variable, server.url()));
            servers.push(server);
            Ok(Outcome::Passed("private, for this run".to_owned()))
        });
    }
    let mut interpreter = None;
    report.step("Python", || {
        let found = interpreter.insert(python::environment(checkout)?);
        variables.push((python::VARIABLE, found.display().to_string()));
        Ok(Outcome::passed())
    });
    if let Some(folder) = manifests::check(report, checkout, interpreter.as_deref()) {
        variables.push((manifests::VARIABLE, folder.display().to_string()));
    }
    let (mut apart, mut transcripts) = (None, None);
    report.step("apart", || {
        // The tests' own build of the binary, so that nothing is built twice.
        process::run(checkout.cargo().args(["test", "--workspace", "--tests", "--no-run", "--quiet"]))?;
        let shop = apart.insert(Terminal::up(checkout, calls)?);
        let folder = transcripts.insert(checkout.empty_folder("transcripts")?);
        variables.push((conformance::APART, shop.shop.display().to_string()));
        variables.push((conformance::TRANSCRIPTS, folder.display().to_string()));
        Ok(Outcome::Passed("a process for each service and the edge, on servers of their own".to_owned()))
    });
    let summary = tests(report, checkout, variables, calls);
    report.step("Ctrl-C", || match apart {
        Some(apart) => apart.interrupt(),
        None => Ok(Outcome::Failed("the shop apart did not start".to_owned())),
    });
    drop(servers);
    report.step("conformance", || conformance::compare(transcripts.as_deref()));
    summary
}

/// Runs all tests but those in documents, then compares the calls they made with the contract; answers with the
/// runner's summary.
fn tests(
    report: &mut Report,
    checkout: &Checkout,
    mut variables: Vec<(&str, String)>,
    calls: Option<&Path>,
) -> Option<String> {
    let mut summary = None;
    report.step("tests", || {
        variables.extend(calls.map(|folder| (edges::VARIABLE, folder.display().to_string())));
        let mut command = checkout.cargo();
        if process::succeeds(checkout.cargo().args(["nextest", "--version"])) {
            command.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
        } else {
            command.args(["test", "--workspace", "--tests", "--no-fail-fast"]);
        }
        // Without a word from here these tests would fall back to what somebody's shell happens to say.
        let others = [
            python::VARIABLE,
            contract::VARIABLE,
            conformance::APART,
            conformance::TRANSCRIPTS,
            manifests::VARIABLE,
        ];
        for variable in SERVERS.map(|(_, variable, _)| variable).into_iter().chain(others) {
            command.env_remove(variable);
        }
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let (lines, ended) = process::watch(&mut command, is_summary)?;
        summary = summarise(&lines);
        ended?;
        match &summary {
            Some(summary) => Ok(Outcome::Passed(summary.clone())),
            None => Ok(Outcome::Failed("the runner gave no summary".to_owned())),
        }
    });
    report.step("edges", || edges::compare(checkout, calls));
    summary
}

/// Is it a line in which a runner counts?
fn is_summary(line: &str) -> bool {
    line.starts_with("Summary [") || line.starts_with("test result: ")
}

/// nextest's own last word, or the sum over the binaries that `cargo test` ran one by one, in its own form.
fn summarise(lines: &[String]) -> Option<String> {
    if let Some(line) = lines.iter().rfind(|line| line.starts_with("Summary [")) {
        return Some(line.clone());
    }
    let counts: Vec<Counts> = lines.iter().filter_map(|line| Counts::parse(line)).collect();
    if counts.is_empty() {
        return None;
    }
    let sum = |of: fn(&Counts) -> u64| counts.iter().map(of).sum::<u64>();
    let failed = sum(|counts| counts.failed);
    Some(format!(
        "test result: {}. {} passed; {failed} failed; {} ignored; 0 measured; 0 filtered out",
        if failed == 0 { "ok" } else { "FAILED" },
        sum(|counts| counts.passed),
        sum(|counts| counts.ignored),
    ))
}

/// What one binary counted.
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    fn parse(line: &str) -> Option<Counts> {
        // "test result: ok. 18 passed; 0 failed; 0 ignored; …"
        let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let count = |word: &str| {
            let part = counts.split("; ").find(|part| part.ends_with(word))?;
            part.split(' ').next()?.parse().ok()
        };
        Some(Counts { passed: count(" passed")?, failed: count(" failed")?, ignored: count(" ignored")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&str]) -> Vec<String> {
        text.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn the_last_word_of_nextest_is_taken_as_it_is() {
        let last = "Summary [   1.204s] 12 tests run: 11 passed, 1 failed, 0 skipped";

        assert!(is_summary(last));
        assert_eq!(summarise(&lines(&["Summary [ 1s] old", last])), Some(last.to_owned()));
    }

    #[test]
    fn the_binaries_of_cargo_test_are_summed() {
        let summary = summarise(&lines(&[
            "test result: ok. 18 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.20s",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        ]));

        assert_eq!(
            summary.as_deref(),
            Some("test result: FAILED. 22 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out")
        );
    }

    #[test]
    fn silence_is_no_summary() {
        assert_eq!(summarise(&[]), None);
        assert!(!is_summary("running 18 tests"));
    }
}
