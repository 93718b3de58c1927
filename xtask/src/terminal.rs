//! `cargo xtask up --apart` as somebody has it at a terminal: started, used by the tests, and ended with Ctrl-C.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::checkout::Checkout;
use crate::conformance::APART;
use crate::edges;
use crate::process::{Error, cannot_start, file_error, succeeds};
use crate::report::Outcome;
use crate::servers::pause;

/// Everything that is started hands it on, so that what is left of a shop can be told from anything else.
const MARK: &str = "XTASK_TERMINAL";
/// How long the shop may take to end.
const END_MAX: Duration = Duration::from_secs(90);

/// The command while it runs. Where nobody ends it, it ends with the end of its input.
pub(crate) struct Terminal {
    up: Child,
    /// It would fail to speak to nobody.
    _said: BufReader<ChildStdout>,
    mark: String,
    /// The file that says where everything is.
    pub(crate) shop: PathBuf,
    pub(crate) processes: usize,
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
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
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
            if line.starts_with("Ctrl-C") {
                break;
            }
        }
        let shop =
            shop.ok_or_else(|| Error::Refused("the shop did not start; it says above why".to_owned()))?;
        Ok(Terminal { up, _said: said, mark, shop, processes })
    }

    /// Ctrl-C; afterwards nothing of the shop may be left.
    pub(crate) fn interrupt(mut self) -> Result<Outcome, Error> {
        let began = marked(&self.mark)?.len();
        if began <= self.processes {
            return Ok(Outcome::Failed(format!("only {began} programs carry {}", self.mark)));
        }
        succeeds(Command::new("kill").arg("-INT").arg(self.up.id().to_string()));
        let asked = Instant::now();
        let status = loop {
            match self.up.try_wait() {
                Ok(Some(status)) => break status,
                _ if asked.elapsed() > END_MAX => {
                    return Ok(Outcome::Failed(format!("it did not end within {} s", END_MAX.as_secs())));
                }
                _ => pause(),
            }
        };
        let left = marked(&self.mark)?;
        let folder = self.shop.parent().filter(|folder| folder.exists());
        Ok(match (status.success(), left.as_slice(), folder) {
            (true, [], None) => Outcome::Passed(format!("{began} programs ended, and their folder is gone")),
            (ended_well, left, folder) => {
                Outcome::Failed(format!("ended well: {ended_well}; left: {left:?}, folder {folder:?}"))
            }
        })
    }
}

/// The programs that carry a mark, as they were started.
fn marked(mark: &str) -> Result<Vec<String>, Error> {
    let all = Path::new("/proc");
    let mut found = Vec::new();
    for entry in fs::read_dir(all).map_err(|source| file_error(all, "read", source))?.flatten() {
        // One that ended meanwhile has nothing to say, and neither has one of somebody else.
        let told = |file| fs::read(entry.path().join(file)).unwrap_or_default();
        if told("environ").split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()) {
            found.push(String::from_utf8_lossy(&told("cmdline")).replace('\0', " "));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_carries_a_mark_is_found_until_it_has_ended() {
        let mark = format!("{MARK}=test-{}", process::id());
        let (name, value) = mark.split_once('=').expect("it is a variable");
        let mut sleeping = Command::new("sleep").arg("600").env(name, value).spawn().expect("it starts");

        // Between fork and exec it is still this program.
        let found = loop {
            match marked(&mark).expect("they can be read").as_slice() {
                [] => pause(),
                found => break found.to_vec(),
            }
        };
        sleeping.kill().expect("it ends");
        sleeping.wait().expect("it has ended");
        let left = marked(&mark).expect("they can be read");

        assert_eq!((found.len(), left.len()), (1, 0));
    }
}
