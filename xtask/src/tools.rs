//! Programs that a full run needs beyond Rust: found, or installed, or named exactly.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::checkout::Checkout;
use crate::process::{self, Error, file_error};

/// The version that `deny.toml` was written for.
const CARGO_DENY: &str = "0.20.2";

/// buf, from the lock file in `xtask/tools`.
pub(crate) fn buf(checkout: &Checkout) -> Result<PathBuf, Error> {
    let folder = checkout.root().join("xtask/tools");
    npm_packages(&folder, "npm (for buf)")?;
    Ok(folder.join("node_modules/.bin/buf"))
}

/// The packages of a folder's lock file.
pub(crate) fn npm_packages(folder: &Path, what: &str) -> Result<(), Error> {
    // What npm installed, and what it should: a changed lock file installs again.
    let lock = folder.join("package-lock.json");
    let installed = folder.join("node_modules/.installed-lock.json");
    let wanted = fs::read(&lock).map_err(|source| file_error(&lock, "read", source))?;
    if fs::read(&installed).is_ok_and(|present| present == wanted) {
        return Ok(());
    }
    if !process::succeeds(Command::new("npm").arg("--version")) {
        debian(what, &["nodejs", "npm"])?;
    }
    // No script of a package runs: those of ours only warm caches.
    process::run(
        Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder),
    )?;
    fs::write(&installed, wanted).map_err(|source| file_error(&installed, "written", source))
}

/// cargo-deny: the one at hand, or one that is built below the target folder.
pub(crate) fn cargo_deny(checkout: &Checkout) -> Result<PathBuf, Error> {
    let at_hand = PathBuf::from("cargo-deny");
    if process::succeeds(Command::new(&at_hand).arg("--version")) {
        return Ok(at_hand);
    }
    let folder = checkout.scratch("cargo-deny");
    let own = folder.join("bin/cargo-deny");
    if own.exists() {
        return Ok(own);
    }
    println!("cargo-deny is missing; building {CARGO_DENY} below {} takes a minute or two", folder.display());
    // Without optimisation it builds three times as fast and still judges the lock file in a second.
    process::run(
        checkout
            .cargo()
            .args(["install", "cargo-deny", "--locked", "--debug"])
            .args(["--version", CARGO_DENY])
            .arg("--root")
            .arg(&folder)
            .env("CARGO_TARGET_DIR", folder.join("build"))
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "0"),
    )?;
    // What it was built from is of no further use; that it stays is no failure.
    let _ = fs::remove_dir_all(folder.join("build"));
    Ok(own)
}

/// Installs packages where that can be done without asking; else says which.
pub(crate) fn debian(what: &str, packages: &[&str]) -> Result<(), Error> {
    let list = packages.join(" ");
    let missing =
        || Error::Refused(format!("{what} is missing; on Debian or Ubuntu: sudo apt-get install -y {list}"));
    if !process::succeeds(Command::new("apt-get").arg("--version")) {
        return Err(missing());
    }
    println!("{what} is missing; installing {list}");
    let apt = |arguments: &[&str]| {
        let mut command = if is_root() {
            Command::new("apt-get")
        } else {
            let mut sudo = Command::new("sudo");
            // `-n` fails rather than asks.
            sudo.args(["-n", "--preserve-env=DEBIAN_FRONTEND", "apt-get"]);
            sudo
        };
        command.env("DEBIAN_FRONTEND", "noninteractive");
        process::run(command.args(arguments))
    };
    // Stale lists may still hold the package, so a failure here shows in the next step or not at all.
    let _ = apt(&["update", "-qq"]);
    let mut install = vec!["install", "-y", "-qq"];
    install.extend(packages);
    apt(&install).map_err(|_| missing())
}

/// Is this the superuser, whom PostgreSQL refuses to serve?
pub(crate) fn is_root() -> bool {
    process::read(Command::new("id").arg("-u")).is_ok_and(|id| id == "0")
}
