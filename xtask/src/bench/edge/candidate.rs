//! A candidate as a process of its own on one core, and what the kernel says of it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::process::{self, Error, cannot_start};

/// A server that runs until it is dropped.
pub(crate) struct Candidate {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Candidate {
    /// Starts it on a core of its own.
    pub(crate) fn start(name: &'static str, binary: &Path, grpc: &str, core: usize) -> Result<Self, Error> {
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", &core.to_string()]).arg(binary).args(["127.0.0.1:0", grpc]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|source| cannot_start(&command, source))?;
        let said = child.stdout.take().map(BufReader::new);
        let line = said.and_then(|said| said.lines().map_while(Result::ok).next()).unwrap_or_default();
        let address = line.strip_prefix("listening ").and_then(|address| address.parse().ok());
        match address {
            Some(address) => Ok(Self { name, address, child }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                Err(Error::Refused(format!("the {name} did not start; it says above why")))
            }
        }
    }

    /// Seconds of processor that it has used.
    pub(crate) fn cpu_seconds(&self) -> Result<f64, Error> {
        let ticks = process::read(Command::new("getconf").arg("CLK_TCK"))?;
        let stat = self.proc("stat")?;
        // The name of the program may hold spaces; what follows its bracket does not.
        let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
        let used: Option<f64> = fields.skip(11).take(2).map(|field| field.parse::<f64>().ok()).sum();
        let seconds = used.zip(ticks.parse::<f64>().ok()).map(|(used, ticks)| used / ticks);
        seconds.ok_or_else(|| Error::Refused(format!("/proc says something else than expected: {stat}")))
    }

    /// The most memory that it has had, in MiB.
    pub(crate) fn peak_mib(&self) -> Result<f64, Error> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        kib.map(|kib| kib / 1_024.0).ok_or_else(|| Error::Refused("/proc does not say VmHWM".to_owned()))
    }

    fn proc(&self, file: &str) -> Result<String, Error> {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&path).map_err(|source| process::file_error(Path::new(&path), "read", source))
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps a process, with all of its threads, on one core.
pub(crate) fn pin(id: u32, core: usize) -> Result<(), Error> {
    let mut command = Command::new("taskset");
    command.args(["--all-tasks", "--cpu-list", "--pid", &core.to_string(), &id.to_string()]);
    process::read(&mut command).map(drop)
}
