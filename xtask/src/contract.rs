//! `cargo xtask contract`: is the contract in form, and does it still hold what it promised?
//!
//! A break is looked for twice: against the base of the change, and against the last release. The base is the merge
//! base with `main`, or the first parent where that is the commit itself, so that a change is never compared with
//! itself, which would find nothing for ever. Where the local `main` is this commit, `origin/main` is asked before the
//! parent, so that several commits that are pushed together are compared as one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::checkout::Checkout;
use crate::process::{self, Error, file_error};
use crate::report::{Outcome, Report};
use crate::tools;

/// The first release after which nothing excuses a break.
const STABLE: (u64, u64, u64) = (0, 1, 0);

/// Set where buf must be at hand: then its tests do not do without.
pub(crate) const VARIABLE: &str = "SHOP_TEST_BUF";

/// How buf ends when it found what it looks for; any other failure is its own.
const FOUND: i32 = 100;

/// Adds the steps of the contract to a report.
pub(crate) fn check(report: &mut Report, checkout: &Checkout) {
    let mut found = None;
    report.step("buf", || {
        let program = tools::buf(checkout)?;
        let version = process::read(Command::new(&program).arg("--version"))?;
        found = Some(program);
        Ok(Outcome::Passed(version))
    });
    let Some(program) = found else {
        for name in ["buf lint", "buf format", "buf breaking (base)", "buf breaking (tag)"] {
            report.not_run(name, "buf is missing");
        }
        return;
    };
    let contract = Contract { checkout, program };
    report.step("buf lint", || contract.lint());
    report.step("buf format", || contract.format());
    report.step("buf breaking (base)", || contract.breaks_since_base());
    report.step("buf breaking (tag)", || contract.breaks_since_release());
}

/// The contract of a checkout, and the program that judges it.
struct Contract<'a> {
    checkout: &'a Checkout,
    program: PathBuf,
}

/// What a contract is compared with.
#[derive(Debug, PartialEq, Eq)]
enum Base {
    Commit {
        id: String,
        name: String,
    },
    /// There is none, and why.
    None(String),
}

impl Contract<'_> {
    fn lint(&self) -> Result<Outcome, Error> {
        process::run(self.buf().arg("lint"))?;
        Ok(Outcome::passed())
    }

    fn format(&self) -> Result<Outcome, Error> {
        process::run(self.buf().args(["format", "--diff", "--exit-code"]))?;
        Ok(Outcome::passed())
    }

    fn breaks_since_base(&self) -> Result<Outcome, Error> {
        self.breaks_since(self.base()?)
    }

    fn breaks_since_release(&self) -> Result<Outcome, Error> {
        self.breaks_since(self.last_release()?)
    }

    /// The merge base with main, or the first parent where that is this commit.
    fn base(&self) -> Result<Base, Error> {
        let head = match self.head()? {
            Ok(head) => head,
            Err(none) => return Ok(none),
        };
        for main in ["main", "origin/main"] {
            let name = format!("{main}^{{commit}}");
            if !self.knows(&["rev-parse", "--verify", "--quiet", &name]) {
                continue;
            }
            // A history of its own has no merge base; its first parent is compared below.
            let Ok(id) = self.ask(&["merge-base", "HEAD", main]) else {
                continue;
            };
            if id != head {
                let name = format!("the merge base with {main}, {}", short(&id));
                return Ok(Base::Commit { id, name });
            }
        }
        let id = self.ask(&["rev-parse", "HEAD^1"])?;
        let name = format!("the first parent, {}", short(&id));
        Ok(Base::Commit { id, name })
    }

    /// The last tag `v*` before this commit.
    fn last_release(&self) -> Result<Base, Error> {
        if let Err(none) = self.head()? {
            return Ok(none);
        }
        if self.releases()?.is_empty() {
            return Ok(Base::None("no tag v* before this commit".to_owned()));
        }
        let name = self.ask(&["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^1"])?;
        let id = self.ask(&["rev-parse", &format!("{name}^{{commit}}")])?;
        Ok(Base::Commit { id, name })
    }

    /// This commit, if it has a parent to compare with.
    fn head(&self) -> Result<Result<String, Base>, Error> {
        if !self.knows(&["rev-parse", "--verify", "--quiet", "HEAD"]) {
            let why = "no commit: there is no base".to_owned();
            return Ok(Err(Base::None(why)));
        }
        if !self.knows(&["rev-parse", "--verify", "--quiet", "HEAD^1"]) {
            // A cut history looks like a first commit, and would pass every break.
            if self.ask(&["rev-parse", "--is-shallow-repository"])? == "true" {
                let why = "the history is cut off, so there is no base: git fetch --unshallow";
                return Err(Error::Refused(why.to_owned()));
            }
            let why = "the first commit: there is no base".to_owned();
            return Ok(Err(Base::None(why)));
        }
        self.ask(&["rev-parse", "HEAD"]).map(Ok)
    }

    /// The tags `v*` before this commit.
    fn releases(&self) -> Result<Vec<String>, Error> {
        let tags = self.ask(&["tag", "--list", "v[0-9]*", "--merged", "HEAD^1"])?;
        Ok(tags.lines().map(str::to_owned).collect())
    }

    fn breaks_since(&self, base: Base) -> Result<Outcome, Error> {
        let (id, name) = match base {
            Base::Commit { id, name } => (id, name),
            Base::None(why) => return Ok(Outcome::NotRun(why)),
        };
        let folder = self.checkout.scratch(&format!("contract-{id}"));
        let unpacked = self.unpack(&id, &folder)?;
        if !unpacked {
            return Ok(Outcome::NotRun(format!("{name} has no contract")));
        }
        let output = process::capture(self.buf().arg("breaking").arg("--against").arg(&folder));
        // It can be made again; that it stays is no failure.
        let _ = fs::remove_dir_all(&folder);
        let output = output?;
        if output.status.success() {
            return Ok(Outcome::Passed(format!("against {name}")));
        }
        let said = String::from_utf8_lossy(&output.stdout);
        let said = format!("{said}{}", String::from_utf8_lossy(&output.stderr));
        println!("{}", said.trim());
        if output.status.code() != Some(FOUND) {
            return Err(Error::Refused(format!("buf breaking ended with {}", output.status)));
        }
        let count = said.lines().filter(|line| !line.trim().is_empty()).count();
        self.judge(&id, &format!("{count} breaks against {name}"))
    }

    /// A break before the first release passes if a commit since the base owns up to it.
    fn judge(&self, base: &str, breaks: &str) -> Result<Outcome, Error> {
        if self.releases()?.iter().filter_map(|tag| version(tag)).any(|version| version >= STABLE) {
            return Ok(Outcome::Failed(format!("{breaks}; a released contract only grows")));
        }
        let messages = self.ask(&["log", "--format=%B", &format!("{base}..HEAD")])?;
        let reason = messages
            .lines()
            .filter_map(|line| line.strip_prefix("Breaking:"))
            .map(str::trim)
            .find(|reason| !reason.is_empty());
        match reason {
            Some(reason) => Ok(Outcome::Passed(format!("{breaks}, admitted: {reason}"))),
            None => Ok(Outcome::Failed(format!(
                "{breaks}; if it is meant, say why in the commit message: `Breaking: …`"
            ))),
        }
    }

    /// Writes the contract of a commit into a folder; false if it had none.
    fn unpack(&self, id: &str, folder: &Path) -> Result<bool, Error> {
        let names = self.ask(&["ls-tree", "-r", "-z", "--name-only", id, "--", "proto"])?;
        let names: Vec<&str> = names.split('\0').filter(|name| name.ends_with(".proto")).collect();
        // A run that was stopped may have left it.
        let _ = fs::remove_dir_all(folder);
        for name in &names {
            let show = &mut self.checkout.git(&["show", &format!("{id}:{name}")]);
            let output = process::capture(show)?;
            if !output.status.success() {
                let why = format!("git cannot show {name} of {}", short(id));
                return Err(Error::Refused(why));
            }
            write(&folder.join(name), &output.stdout)?;
        }
        // Judged by the rules of today: those of its time may not have been written yet.
        let rules = self.checkout.root().join("buf.yaml");
        let bytes = fs::read(&rules).map_err(|source| file_error(&rules, "read", source))?;
        write(&folder.join("buf.yaml"), &bytes)?;
        Ok(!names.is_empty())
    }

    fn buf(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(self.checkout.root()).stdin(Stdio::null());
        command
    }

    fn ask(&self, arguments: &[&str]) -> Result<String, Error> {
        process::read(&mut self.checkout.git(arguments))
    }

    fn knows(&self, arguments: &[&str]) -> bool {
        process::succeeds(&mut self.checkout.git(arguments))
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|source| file_error(folder, "made", source))?;
    }
    fs::write(path, bytes).map_err(|source| file_error(path, "written", source))
}

/// `v1.2.3` as numbers; nothing for a tag of another form, such as a candidate for a release.
fn version(tag: &str) -> Option<(u64, u64, u64)> {
    let mut numbers = tag.strip_prefix('v')?.split('.').map(|part| part.parse().ok());
    let version = (numbers.next()??, numbers.next()??, numbers.next()??);
    numbers.next().is_none().then_some(version)
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

#[cfg(test)]
mod tests;
