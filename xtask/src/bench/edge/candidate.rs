//! A candidate as a process of its own on one core, and what the kernel says of it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::bench::kernel;
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
        kernel::cpu_seconds(self.child.id())
    }

    /// The most memory that it has had, in MB.
    pub(crate) fn peak_mb(&self) -> Result<f64, Error> {
        kernel::memory_mb(self.child.id(), "VmHWM")
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
