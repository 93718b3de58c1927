//! The browser assets that the edge serves from the binary: rebuilt, so that what changed is committed, and tested.

use std::process::Command;

use crate::checkout::Checkout;
use crate::process;
use crate::process::Error;
use crate::report::Outcome;
use crate::tools;

/// `npm ci` and `npm run build` in the playground's folder; true when both went well.
pub(crate) fn rebuild(checkout: &Checkout) -> bool {
    let folder = checkout.root().join("gateway/playground");
    for arguments in [&["ci"][..], &["run", "build"]] {
        if let Err(error) = process::run(Command::new("npm").args(arguments).current_dir(&folder)) {
            eprintln!("the playground was not rebuilt: {error}");
            return false;
        }
    }
    true
}

/// `npm test`: that `dist` is what the sources build, byte for byte, and the page in a browser where there is one.
pub(crate) fn test(checkout: &Checkout) -> Result<Outcome, Error> {
    let folder = checkout.root().join("gateway/playground");
    tools::npm_packages(&folder, "npm (for the playground)")?;
    let mut command = Command::new("npm");
    command.args(["test", "--silent"]).current_dir(&folder);
    let (counts, ended) = process::watch(&mut command, is_count)?;
    ended?;
    Ok(Outcome::Passed(summarise(&counts)))
}

/// Is it a line in which node counts? It marks them by a letter or a number sign, as the terminal allows.
fn is_count(line: &str) -> bool {
    ["pass", "skipped"].iter().any(|what| count(line, what).is_some())
}

fn count(line: &str, what: &str) -> Option<u64> {
    let mut words = line.split_whitespace().skip(1);
    (words.next() == Some(what)).then(|| words.next()?.parse().ok()).flatten()
}

fn summarise(lines: &[String]) -> String {
    let find = |what: &str| lines.iter().rev().find_map(|line| count(line, what)).unwrap_or(0);
    match (find("pass"), find("skipped")) {
        (passed, 0) => format!("{passed} passed"),
        (passed, skipped) => {
            format!("{passed} passed, {skipped} skipped: the page needs a browser (apt-get install chromium)")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_node_skipped_is_said() {
        let lines = ["# tests 26", "# pass 4", "ℹ skipped 22", "ok 3 - passes", "# fail 0"];
        let counts: Vec<String> =
            lines.iter().filter(|line| is_count(line)).map(|line| (*line).to_owned()).collect();

        assert_eq!(counts, ["# pass 4", "ℹ skipped 22"]);
        assert!(summarise(&counts).starts_with("4 passed, 22 skipped"));
        assert_eq!(summarise(&["ℹ pass 26".to_owned(), "ℹ skipped 0".to_owned()]), "26 passed");
    }
}
