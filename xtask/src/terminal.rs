//! `cargo xtask up --apart` as somebody has it at a terminal: started, used by the tests, and ended with Ctrl-C.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::bench::kernel;
use crate::checkout::Checkout;
use crate::conformance::APART;
use crate::edges;
use crate::process::{Error, cannot_start, file_error, succeeds};
use crate::report::Outcome;
use crate::servers::pause;
use crate::up::HOW_TO_STOP;

/// Everything that is started hands it on, so that what is left of a shop can be told from anything else.
const MARK: &str = "XTASK_TERMINAL";
/// The twelve services and the edge.
const PROCESSES: usize = 13;
/// How long the shop may take to end.
const END_MAX: Duration = Duration::from_secs(90);

/// The command while it runs. Where nobody ends it, it ends with the end of its input.
pub(crate) struct Terminal {
    up: Child,
    /// Kept open, or the command's next word would fail.
    _said: BufReader<ChildStdout>,
    mark: String,
    /// The file that says where everything is.
    pub(crate) shop: PathBuf,
}

/// A program that runs, or ran.
struct Program {
    id: u32,
    parent: u32,
    /// When it began, by the kernel's count: numbers come again.
    began: String,
    marked: bool,
    words: String,
}

impl Terminal {
    /// Starts the shop as it was built last, and waits until the shop can be used. Each process notes in the folder of
    /// calls which it saw.
    pub(crate) fn up(checkout: &Checkout, calls: Option<&Path>) -> Result<Terminal, Error> {
        let built = checkout.built("debug");
        let mark = format!("{MARK}={}", process::id());
        let mut command = Command::new(built.join("xtask"));
        command.args(["up", "--apart", "--shop"]).arg(built.join("shop"));
        command.env(MARK, process::id().to_string()).envs(calls.map(|folder| (edges::VARIABLE, folder)));
        // As at a terminal, Ctrl-C is for all in its group. One for this run ends it by the end of its input.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut up = command.spawn().map_err(|source| cannot_start(&command, source))?;
        let Some(said) = up.stdout.take() else {
            return Err(Error::Refused("nobody hears what the shop says".to_owned()));
        };
        let (mut said, mut shop, mut processes) = (BufReader::new(said), None, 0);
        for line in said.by_ref().lines().map_while(Result::ok) {
            println!("{line}");
            processes += usize::from(line.ends_with("/ready"));
            let words = line.trim().strip_prefix(APART).and_then(|rest| rest.strip_prefix('='));
            shop = shop.or_else(|| words?.split(' ').next().map(PathBuf::from));
            if line == HOW_TO_STOP {
                break;
            }
        }
        let shop =
            shop.ok_or_else(|| Error::Refused("the shop did not start; it says above why".to_owned()))?;
        match processes {
            PROCESSES => Ok(Terminal { up, _said: said, mark, shop }),
            _ => Err(Error::Refused(format!(
                "{processes} processes say where they are ready, not {PROCESSES}"
            ))),
        }
    }

    /// Ctrl-C; afterwards nothing of the shop may be left.
    pub(crate) fn interrupt(mut self) -> Result<Outcome, Error> {
        let began = family(&self.mark)?;
        let (group, asked) = (format!("-{}", self.up.id()), Instant::now());
        succeeds(Command::new("kill").args(["-INT", "--", &group]));
        let status = loop {
            match self.up.try_wait() {
                Ok(Some(status)) => break status,
                _ if asked.elapsed() > END_MAX => {
                    // What it kept ends with it.
                    let _ = self.up.kill();
                    let _ = self.up.wait();
                    return Ok(Outcome::Failed(format!("it did not end within {} s", END_MAX.as_secs())));
                }
                _ => pause(),
            }
        };
        // Erlang's helpers see a moment later that their node is gone.
        let left = loop {
            match left(&began, &self.mark)? {
                left if left.is_empty() || asked.elapsed() > END_MAX => break left,
                _ => pause(),
            }
        };
        let folder = self.shop.parent().filter(|folder| folder.exists());
        let clean = status.success() && left.is_empty() && folder.is_none() && began.len() > PROCESSES;
        Ok(match clean {
            true => Outcome::Passed(format!("{} programs ended, and their folder is gone", began.len())),
            false => Outcome::Failed(format!(
                "of {} programs, which ended with {status}, are left: {left:?}; folder: {folder:?}",
                began.len()
            )),
        })
    }
}

impl Program {
    /// Nothing where it has ended.
    fn of(id: u32, mark: &str) -> Option<Program> {
        let told = |file: &str| fs::read(format!("/proc/{id}/{file}")).unwrap_or_default();
        let stat = kernel::stat(id).ok()?;
        let (state, parent, began) = (stat.first()?, stat.get(1)?.parse().ok()?, stat.get(19)?);
        (*state != "Z").then(|| Program {
            id,
            parent,
            began: began.clone(),
            marked: told("environ").split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()),
            words: String::from_utf8_lossy(&told("cmdline")).replace('\0', " "),
        })
    }

    /// Whether it is still there.
    fn runs(&self) -> bool {
        Program::of(self.id, "").is_some_and(|now| now.began == self.began)
    }
}

/// Those that still run, and what was started meanwhile.
fn left(began: &[Program], mark: &str) -> Result<Vec<String>, Error> {
    let mut left: BTreeMap<u32, String> = BTreeMap::new();
    let still = began.iter().filter(|program| program.runs());
    left.extend(still.map(|program| (program.id, program.words.clone())));
    left.extend(family(mark)?.into_iter().map(|program| (program.id, program.words)));
    Ok(left.into_values().collect())
}

/// The programs that carry a mark, and all that these started: some, as Redis, write their title over their environment.
fn family(mark: &str) -> Result<Vec<Program>, Error> {
    let all = Path::new("/proc");
    let entries = fs::read_dir(all).map_err(|source| file_error(all, "read", source))?.flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let (mut family, mut others): (Vec<Program>, Vec<Program>) =
        ids.filter_map(|id| Program::of(id, mark)).partition(|program| program.marked);
    loop {
        let is_of_it = |program: &mut Program| family.iter().any(|parent| parent.id == program.parent);
        let children: Vec<Program> = others.extract_if(.., is_of_it).collect();
        if children.is_empty() {
            return Ok(family);
        }
        family.extend(children);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_forgot_its_mark_is_found_until_it_has_ended_also_without_its_parent() {
        let mark = format!("{MARK}=test-{}", process::id());
        let (name, value) = mark.split_once('=').expect("it is a variable");
        let forgetful = ["-c", "env -i sleep 600 & wait"];
        let mut shell = Command::new("sh").args(forgetful).env(name, value).spawn().expect("it starts");
        let sleeping = |family: &[Program]| family.iter().position(|program| program.words == "sleep 600 ");

        let sleep = loop {
            let mut found = family(&mark).expect("they can be read");
            match sleeping(&found) {
                None => pause(),
                Some(at) => break found.swap_remove(at),
            }
        };
        shell.kill().expect("it ends");
        shell.wait().expect("it has ended");
        let without_parent = (family(&mark).expect("they can be read").len(), sleep.runs());
        succeeds(Command::new("kill").arg(sleep.id.to_string()));
        while sleep.runs() {
            pause();
        }

        assert!(!sleep.marked);
        assert_eq!(without_parent, (0, true));
    }
}
